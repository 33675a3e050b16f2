package local

import "testing"

// A real cmd.exe is asked by TestTransport on Windows; here, what it is given.
func TestCommandLine(t *testing.T) {
	const program = `C:\Windows\system32\cmd.exe`
	for _, line := range []string{`sc query vsepflt`, `@"C:\Program Files\a.exe" "b c"`, `echo "a"&exit -1`, `find /c /v ""`, ``} {
		got, err := commandLine(program, line)
		if want := `"C:\Windows\system32\cmd.exe" /d /s /c "` + line + `"`; err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", line, got, err, want)
		}
	}
	for _, line := range []string{"echo a\necho b", "echo a\recho b", "echo \x00"} {
		if got, err := commandLine(program, line); err == nil {
			t.Errorf("%q became %q; cmd.exe would drop a part of it", line, got)
		}
	}
}

func TestErrorlevel(t *testing.T) {
	for code, want := range map[uint32]int{0: 0, 255: 255, 1060: 1060, 9009: 9009, 1<<31 - 1: 1<<31 - 1, 1 << 31: -1 << 31, 0xC0000005: -1073741819, 0xFFFFFFFF: -1} {
		if got := errorlevel(code); got != want {
			t.Errorf("%#x is %d, want %d", code, got, want)
		}
	}
}

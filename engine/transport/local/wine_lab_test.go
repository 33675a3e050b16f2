//go:build lab && linux

package local_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab/wine"
)

const playbook = `
play "p" {
  hosts = ["localhost"]
  probe "command" "version" { argv = ["cmd.exe", "/c", "ver"] }
  check "Windows" {
    condition     = strcontains(probe.version.stdout, "Windows")
    error_message = "This is no Windows."
  }
}
`

// forWindows builds a program for Windows.
func forWindows(t *testing.T, name string, build ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{}, build...), "-o", program, ".")...)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if name == "dsplay.exe" {
		cmd.Dir = filepath.Join("..", "..", "..", "cmd", "dsplay")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// TestLabWineLocal runs this package's tests for Windows, and dsplay itself, as Windows programs.
func TestLabWineLocal(t *testing.T) {
	template, err := wine.Prepare(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal("this test needs Debian's wine, wine64 and gcc-mingw-w64-x86-64-win32: ", err)
	}
	out, err := template.Run(t.Context(), forWindows(t, "local.test.exe", "test", "-c"), "-test.v")
	if err != nil || !strings.Contains(out, "--- PASS: TestTransport ") {
		t.Errorf("%v\n%s", err, out)
	}
	dsplay := forWindows(t, "dsplay.exe", "build")
	dir := t.TempDir()
	for name, text := range map[string]string{"p.hcl": playbook, "inventory.hcl": "group \"guests\" {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := template.Run(t.Context(), dsplay, "run", wine.Path(filepath.Join(dir, "p.hcl")), "-i", wine.Path(filepath.Join(dir, "inventory.hcl")), "--yes"); err != nil || !strings.Contains(out, "1 ok") {
		t.Errorf("%v\n%s", err, out)
	}
}

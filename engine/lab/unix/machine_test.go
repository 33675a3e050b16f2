package unix

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
)

func exec(ctx context.Context, s shell, line string) (string, int) {
	var out bytes.Buffer
	code := s.Exec(ctx, "root", line, nil, &out, &out)
	return out.String(), code
}

var fast = clock.Clock{Speed: 5000}

// eventually waits for what comes with time.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for range 5000 {
		if check() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("never: %s", what)
}

func TestTheRealMachineIsOutOfReach(t *testing.T) {
	t.Setenv("LAB_SECRET", "s3cret")
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": "s3cret\n", "script": "#!/bin/sh\necho s3cret\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lines := []string{"cat D/secret", "cat < D/secret", "echo D/*", ". D/script", "D/script", "sh D/script", "cd D && cat secret",
		"[ -e D/secret ] && echo s3cret", "command -v D/script", "echo $LAB_SECRET", "env", "export", "eval '. D/script'", "echo $(<D/secret)",
		"cp D/secret /tmp/x; cat /tmp/x", "exec D/script", "command D/script", "command . D/script", "sudo cat D/secret",
		"PATH=D script", "PATH=D; script", "type D/script; [ D -ef D ] && ls D", "test -x D/script && echo s3cret", "set", "hash D/script"}
	for _, s := range []shell{NewDSVA(DSVAConfig{Name: "dsva1"}), NewESXi(ESXiConfig{Name: "esx1"})} {
		for _, line := range lines {
			out, code := exec(t.Context(), s, strings.ReplaceAll(line, "D", dir))
			if strings.Contains(out, "s3cret") || strings.Contains(out, "secret ") {
				t.Errorf("%s read the real machine: %q, %d", line, out, code)
			}
		}
		exec(t.Context(), s, strings.ReplaceAll("echo x > D/new; mkdir D/folder; touch D/new; rm -rf D; mktemp D/tmp.XXXXXX; cat <(echo x)", "D", dir))
		if out, _ := exec(t.Context(), s, "echo $$ $PPID"); strings.Contains(out, fmt.Sprint(os.Getpid())) {
			t.Errorf("the shell knows our process: %q", out)
		}
		if out, _ := exec(t.Context(), s, "echo ~daemon ~nobody"); out != "~daemon ~nobody\n" {
			t.Errorf("the shell knows our users: %q", out)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the real folder has changed: %v, %v", entries, err)
	}
}

func TestARestartThatIsCutLeavesItStopped(t *testing.T) {
	e := NewESXi(ESXiConfig{Name: "esx1"}) // real time: nothing comes to its end by itself
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		_, code := exec(ctx, e, "/etc/init.d/nsx-context-mux restart")
		ended <- code
	}()
	eventually(t, "the Mux stops", func() bool { return !e.State().MuxRunning })
	cancel()
	if code := <-ended; code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
	if s := e.State(); s.MuxRunning || s.MuxRestarts != 0 {
		t.Errorf("after the cut: %+v", s)
	}
}

func TestAHangingRestartEndsWithItsCaller(t *testing.T) {
	d := NewDSVA(DSVAConfig{Name: "dsva1", Clock: fast})
	if err := d.Break(AgentHangs); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, code := exec(ctx, d, "service ds_agent restart"); code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
	if s := d.State(); s.AgentRunning {
		t.Errorf("after the hanging restart: %+v", s)
	}
	exec(t.Context(), d, "service ds_agent restart")
	if s := d.State(); !s.AgentRunning || s.AgentStuck || s.AgentRestarts != 1 {
		t.Errorf("after the second one: %+v", s)
	}
}

func TestRestartsAreCountedExactly(t *testing.T) {
	var mu sync.Mutex
	changes := 0
	var e *ESXi
	e = NewESXi(ESXiConfig{Name: "esx1", Clock: fast, Mux: MuxNSXV, Changed: func() {
		mu.Lock()
		defer mu.Unlock()
		changes++
		_ = e.State() // no lock is held
	}})
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { exec(t.Context(), e, "/etc/init.d/vShield-Endpoint-Mux restart; ps | grep Mux; ls / /etc") })
	}
	all.Wait()
	if s := e.State(); s.MuxRestarts != 6 || !s.MuxRunning {
		t.Errorf("after six at once: %+v", s)
	}
	if changes < 12 {
		t.Errorf("told of %d changes, want at least 12", changes)
	}
}

func TestWhatIsInTheBackgroundOutlivesTheSession(t *testing.T) {
	d := NewDSVA(DSVAConfig{Name: "dsva1", Clock: clock.Clock{Speed: 200}})
	ctx, cancel := context.WithCancel(t.Context())
	out, code := exec(ctx, d, "nohup sh -c 'sleep 4; echo done > /tmp/done' >/dev/null 2>&1 & echo started")
	cancel()
	if out != "started\n" || code != 0 {
		t.Fatalf("%q, %d", out, code)
	}
	eventually(t, "the file is there", func() bool {
		out, _ := exec(t.Context(), d, "cat /tmp/done")
		return out == "done\n"
	})
	exec(t.Context(), d, "(while :; do echo x >> /tmp/loop; sleep 1; done) &")
	eventually(t, "it loops", func() bool {
		out, _ := exec(t.Context(), d, "wc -l /tmp/loop")
		return strings.HasPrefix(out, "2")
	})
	d.Down()
	d.Up()
	exec(t.Context(), d, "rm /tmp/loop")
	time.Sleep(50 * time.Millisecond) // ten rounds of the loop
	if out, code := exec(t.Context(), d, "cat /tmp/loop"); code == 0 {
		t.Errorf("the loop outlived the power: %q", out)
	}
}

func TestAReaderEndsWithItsSession(t *testing.T) {
	d := NewDSVA(DSVAConfig{Name: "dsva1"})
	in, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if code := d.Exec(ctx, "dsva", "cat; read x; echo never", in, nil, nil); code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
}

func TestPowerEndsCommands(t *testing.T) {
	d := NewDSVA(DSVAConfig{Name: "dsva1"})
	ended := make(chan int)
	go func() {
		_, code := exec(t.Context(), d, "touch /tmp/begun; sleep 1000; echo never")
		ended <- code
	}()
	eventually(t, "it runs", func() bool { _, code := exec(t.Context(), d, "test -e /tmp/begun"); return code == 0 })
	before := d.State()
	boot, _ := exec(t.Context(), d, "cat /proc/sys/kernel/random/boot_id")
	d.Down()
	if code := <-ended; code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
	d.Up()
	after := d.State()
	again, _ := exec(t.Context(), d, "cat /proc/sys/kernel/random/boot_id")
	if !after.AgentRunning || !after.AgentStarted.After(before.AgentStarted) || after.Boots != 2 || boot == again || again == "" {
		t.Errorf("after the boot: %+v, %q and %q", after, boot, again)
	}
}

func TestKillEndsACommand(t *testing.T) {
	d := NewDSVA(DSVAConfig{Name: "dsva1"})
	ended := make(chan int)
	go func() {
		_, code := exec(t.Context(), d, "sleep 1000")
		ended <- code
	}()
	eventually(t, "it is killed", func() bool { _, code := exec(t.Context(), d, "kill $(pgrep -x sleep)"); return code == 0 })
	if code := <-ended; code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
}

func TestFaultsThatCannotBe(t *testing.T) {
	for _, s := range []shell{NewDSVA(DSVAConfig{Name: "dsva1"}), NewESXi(ESXiConfig{Name: "esx1"}), NewESXi(ESXiConfig{Name: "esx2", Mux: MuxNone})} {
		if err := s.Break("nosuch"); err == nil {
			t.Error("an unknown fault is no error")
		}
	}
}

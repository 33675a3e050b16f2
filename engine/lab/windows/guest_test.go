package windows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

const addIntrospection = `D:\setup64.exe /S /v"/qn REBOOT=R ADDLOCAL=VMCI,FileIntrospection"`

func exec(ctx context.Context, g *Guest, line string) (string, uint32) {
	var out bytes.Buffer
	code := g.Exec(ctx, `CORP\ops`, line, nil, &out, &out)
	return out.String(), code
}

// fast makes a guest on which nothing takes long.
func fast(c Config) *Guest {
	c.Name, c.Clock = "vm1", clock.Clock{Speed: 5000}
	return New(c)
}

func TestAKilledInstallerLeavesBrokenTools(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := fast(Config{OnNetworkLoss: func(time.Duration) { cancel() }}) // WinRM dies with the network
	if err := g.Break(ToolsWithoutIntrospection); err != nil {
		t.Fatal(err)
	}
	if _, code := exec(ctx, g, addIntrospection); code != cmdexe.Killed {
		t.Errorf("exit code %d, want that of a killed process", code)
	}
	if s := g.State(); s.Connected || !s.ToolsBroken {
		t.Errorf("after the kill: %+v", s)
	}
	exec(t.Context(), g, `msiexec /fa `+ProductCode+` /qn REBOOT=R`)
	exec(t.Context(), g, addIntrospection)
	if s := g.State(); !s.Connected || s.ToolsBroken {
		t.Errorf("after a repair and the feature: %+v", s)
	}
}

func TestATaskSurvivesTheShellThatStartedIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	lost := make(chan time.Duration, 1)
	g := fast(Config{OnNetworkLoss: func(d time.Duration) { cancel(); lost <- d }})
	if err := g.Break(ToolsWithoutIntrospection); err != nil {
		t.Fatal(err)
	}
	g.disk.Put(`C:\add.cmd`, "@"+addIntrospection+"\r\n@echo %errorlevel% > C:\\code.txt\r\n")
	out, code := exec(ctx, g, `schtasks /create /tn add /tr C:\add.cmd /sc once /st 00:00 /ru SYSTEM /f && schtasks /run /tn add`)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	if d := <-lost; d != networkAway {
		t.Errorf("the network is away for %v, want %v", d, networkAway)
	}
	if err := eventually(func() error {
		if out, _ := exec(t.Context(), g, `type C:\code.txt`); strings.TrimSpace(out) != "0" {
			return fmt.Errorf("the task left %q", out)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if s := g.State(); !s.Connected {
		t.Errorf("after the task: %+v", s)
	}
}

func TestOneInstallationAtATime(t *testing.T) {
	var g *Guest
	var second uint32
	g = fast(Config{OnNetworkLoss: func(time.Duration) { _, second = exec(t.Context(), g, addIntrospection) }})
	if _, code := exec(t.Context(), g, `msiexec /fa `+ProductCode+` /qn REBOOT=R`); code != 0 {
		t.Errorf("the first ended with %d", code)
	}
	if second != msiRunning {
		t.Errorf("the second ended with %d, want %d", second, msiRunning)
	}
	if runs := g.State().InstallerRuns; runs != 1 {
		t.Errorf("%d installations were let in, want 1", runs)
	}
}

func TestSetupWithoutSilenceWaitsForEver(t *testing.T) {
	for _, line := range []string{`D:\setup64.exe`, `D:\setup64.exe /S`, `D:\setup64.exe /S /v "/qn REBOOT=R ADDLOCAL=ALL"`,
		`msiexec /fa ` + ProductCode} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		g := fast(Config{})
		if _, code := exec(ctx, g, line); code != cmdexe.Killed {
			t.Errorf("%s ended by itself with %d", line, code)
		}
		if runs := g.State().InstallerRuns; runs != 0 {
			t.Errorf("%s installed something", line)
		}
		cancel()
	}
}

func TestADeadGuestRunsNothing(t *testing.T) {
	g := New(Config{Name: "vm1"}) // real time
	codes := make(chan uint32)
	go func() {
		_, code := exec(t.Context(), g, "ping -n 1000 127.0.0.1 > C:\\pings.txt")
		codes <- code
	}()
	if err := eventually(func() error {
		if info, ok := g.disk.Stat(`C:\pings.txt`); !ok || info.Size == 0 {
			return errors.New("no ping yet")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	g.Down()
	if code := <-codes; code != cmdexe.Killed {
		t.Errorf("the command ended with %d", code)
	}
	if out, code := exec(t.Context(), g, "echo hello"); code != 1 || out != "" {
		t.Errorf("a dead guest said %q, %d", out, code)
	}
	if s := g.State(); s.Connected || s.Up || s.Boots != 1 {
		t.Errorf("down: %+v", s)
	}
	g.Up()
	if s := g.State(); !s.Connected || !s.Up || s.Boots != 2 || time.Since(s.BootTime) > time.Minute {
		t.Errorf("up again: %+v", s)
	}
}

func TestAnInstallationDiesWithThePower(t *testing.T) {
	var g *Guest
	g = fast(Config{OnNetworkLoss: func(time.Duration) { g.Down() }})
	exec(t.Context(), g, `msiexec /fa `+ProductCode+` /qn REBOOT=R`)
	g.Up()
	if s := g.State(); s.Connected || !s.ToolsBroken {
		t.Errorf("after the power loss: %+v", s)
	}
}

func TestChangesAreToldWithoutLocks(t *testing.T) {
	var g *Guest
	var mu sync.Mutex
	var seen []bool
	g = fast(Config{Changed: func() {
		connected := g != nil && g.State().Connected
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, connected)
	}})
	if err := g.Break(DriverStopped); err != nil {
		t.Fatal(err)
	}
	exec(t.Context(), g, "sc start vsepflt")
	mu.Lock()
	defer mu.Unlock()
	if len(seen) < 3 || seen[0] || !seen[len(seen)-1] {
		t.Errorf("told %v: want a loss first and the connection last", seen)
	}
}

func TestFaultsThatCannotBe(t *testing.T) {
	g := fast(Config{})
	if err := g.Break("nosuch"); err == nil {
		t.Error("an unknown fault is no error")
	}
	if err := g.Break(ToolsWithoutIntrospection); err != nil {
		t.Fatal(err)
	}
	if err := g.Break(DriverStopped); err == nil {
		t.Error("a driver that is not there was stopped")
	}
}

func TestManyAtOnce(t *testing.T) {
	g := fast(Config{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 5 {
				file := fmt.Sprintf(`C:\%d.txt`, i)
				out, _ := exec(t.Context(), g, fmt.Sprintf("echo n%d> %s & type %s", i, file, file))
				if got := strings.TrimSpace(out); got != fmt.Sprintf("n%d", i) && got != "" { // nothing: a reboot came between
					t.Errorf("%d read %q", i, out)
				}
				exec(t.Context(), g, "sc stop vsepflt & sc start vsepflt & tasklist & reg query HKLM /s > nul")
				_ = g.Break(Disconnected) // cannot fail
				if i == 0 {
					_ = g.Reboot(t.Context()) // the others may die
				}
			}
		})
	}
	all.Wait()
}

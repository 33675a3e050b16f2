package moduletest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/modules/exec"
	"github.com/dsplay/dsplay/modules/reboot"
	"github.com/dsplay/dsplay/modules/service"
	"github.com/dsplay/dsplay/modules/tools"
)

func addIntrospection() *tools.Tools {
	x := tools.Module().New().(*tools.Tools)
	x.Features = []string{"VMCI", "FileIntrospection"}
	return x
}

func repair() *tools.Tools {
	x := tools.Module().New().(*tools.Tools)
	x.Repair = true
	return x
}

// TestServiceOnGuest starts the driver, in two languages, and finds what cannot be started.
func TestServiceOnGuest(t *testing.T) {
	for _, japanese := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuest(t, windows.Config{Japanese: japanese}, windows.DriverStopped)
			result, diff, err := g.drive(t.Context(), t, &service.Service{Name: "vsepflt", State: "started"})
			if err != nil || !result.(service.Status).Running || !g.State().Connected {
				t.Fatalf("%+v, %v, %+v", result, err, g.State())
			}
			if len(diff.Commands) != 1 || diff.Commands[0] != "sc.exe start vsepflt" {
				t.Errorf("the plan says %q", diff.Commands)
			}
			_, diff, err = g.drive(t.Context(), t, &service.Service{Name: "vsepflt", State: "started"})
			if err != nil || diff.Note != "vsepflt is RUNNING" {
				t.Errorf("%+v, %v", diff, err)
			}
			status, err := (&service.Service{Name: "nobody"}).Probe(t.Context(), g.machine())
			if err != nil || status.(service.Status).Exists {
				t.Errorf("%+v, %v", status, err)
			}
		})
	}
}

func TestServiceOnGuestNamesTheCode(t *testing.T) {
	for fault, code := range map[string]string{windows.DriverDisabled: "(1058)", windows.ToolsDamaged: "(31)"} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuest(t, windows.Config{}, fault)
			_, _, err := g.drive(t.Context(), t, &service.Service{Name: "vsepflt", State: "started"})
			if err == nil || !strings.Contains(err.Error(), code) || engine.HintOf(err) == "" {
				t.Errorf("%s: %v (%s)", fault, err, engine.HintOf(err))
			}
		})
	}
}

// TestToolsOnGuest adds what a default installation lacks. The installer takes the network away meanwhile.
func TestToolsOnGuest(t *testing.T) {
	for _, japanese := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuest(t, windows.Config{Japanese: japanese}, windows.ToolsWithoutIntrospection)
			before, err := tools.Module().New().(*tools.Tools).Probe(t.Context(), g.machine())
			if err != nil || before.(tools.Status).FileIntrospection || before.(tools.Status).Drivers["vsepflt"] != "missing" {
				t.Fatalf("%+v, %v", before, err)
			}
			result, diff, err := g.drive(t.Context(), t, addIntrospection())
			if err != nil {
				t.Fatal(err)
			}
			st := result.(tools.Status)
			if !st.FileIntrospection || !st.VsepfltRunning || *st.ExitCode != 0 || st.PendingReboot || st.Version != "12.3.5.46049" {
				t.Errorf("%+v", st)
			}
			if s := g.State(); s.InstallerRuns != 1 || !s.Connected || s.NetworkLost || len(diff.Changes) != 1 {
				t.Errorf("%+v after %+v", s, diff)
			}
			assertTidy(t, g)
		})
	}
}

// assertTidy: no task is left, and of the files only the record and the log.
func assertTidy(t *testing.T, g *guest) {
	t.Helper()
	out, err := g.machine().Run(t.Context(), engine.Command{Shell: `schtasks.exe /query /fo csv /nh & dir /b %SystemRoot%\dsplay`, AnyOK: true})
	if err != nil || strings.Contains(out.Stdout, "dsplay-") || strings.Contains(out.Stdout, ".cmd") || strings.Contains(out.Stdout, ".exit") ||
		!strings.Contains(out.Stdout, ".last") || !strings.Contains(out.Stdout, ".log") {
		t.Errorf("left behind: %q, %v", out.Stdout, err)
	}
}

// TestToolsControllerDies: the step is cut while the installer runs. The next one joins it.
func TestToolsControllerDies(t *testing.T) {
	for name, after := range map[string]time.Duration{"while it runs": 3 * time.Second, "and it ends meanwhile": 30 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGuest(t, windows.Config{}, windows.ToolsWithoutIntrospection)
				ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
				defer cancel()
				if _, _, err := g.drive(ctx, t, addIntrospection()); err == nil {
					t.Fatal("it was not cut")
				}
				time.Sleep(after)
				// Of two minds: the feature may be there already, then there is nothing to do.
				_, _, err := g.drive(t.Context(), t, addIntrospection())
				if s := g.State(); err != nil || s.InstallerRuns != 1 || !s.Connected {
					t.Errorf("%v, %+v", err, s)
				}
			})
		})
	}
}

// TestRepairOnGuest heals what looks healthy: the feature is there, the driver runs, nothing connects.
func TestRepairOnGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, windows.Config{}, windows.ToolsBroken)
		result, diff, err := g.drive(t.Context(), t, repair())
		if err != nil || *result.(tools.Status).ExitCode != 0 || !g.State().Connected || g.State().InstallerRuns != 1 {
			t.Fatalf("%+v, %v, %+v", result, err, g.State())
		}
		if diff.Act != "repair VMware Tools 12.3.5.46049" {
			t.Errorf("%q", diff.Act)
		}
		assertTidy(t, g)
	})
}

// TestRepairOnGuestTwice: the second repair is one of its own, not the record of the first.
func TestRepairOnGuestTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, windows.Config{})
		for range 2 {
			if _, _, err := g.drive(t.Context(), t, repair()); err != nil {
				t.Fatal(err)
			}
		}
		if n := g.State().InstallerRuns; n != 2 {
			t.Errorf("%d runs", n)
		}
	})
}

// TestToolsWantsReboot: without leave the guest stays up and says that it waits; with leave it is rebooted.
func TestToolsWantsReboot(t *testing.T) {
	for allowed, want := range map[bool]struct{ code, boots int }{false: {3010, 1}, true: {1641, 2}} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuest(t, windows.Config{}, windows.ToolsWithoutIntrospection, windows.PendingReboot)
			x := addIntrospection()
			x.AllowReboot = allowed
			result, diff, err := g.drive(t.Context(), t, x)
			if err != nil {
				t.Fatal(err)
			}
			st, s := result.(tools.Status), g.State()
			if *st.ExitCode != want.code || s.Boots != want.boots || st.PendingReboot == allowed || s.Connected != allowed || s.InstallerRuns != 1 {
				t.Errorf("allowed %v: %+v, %+v", allowed, st, s)
			}
			if !strings.Contains(diff.Note, "waits for a reboot already (component servicing)") {
				t.Errorf("the plan does not warn: %q", diff.Note)
			}
		})
	}
}

// TestToolsBusy: 1618 is told, and time heals.
func TestToolsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, windows.Config{}, windows.ToolsWithoutIntrospection, windows.InstallerBusy)
		if _, _, err := g.drive(t.Context(), t, addIntrospection()); err == nil || !strings.Contains(err.Error(), "(1618)") {
			t.Fatalf("%v", err)
		}
		time.Sleep(11 * time.Minute)
		if _, _, err := g.drive(t.Context(), t, addIntrospection()); err != nil || g.State().InstallerRuns != 1 {
			t.Errorf("%v, %+v", err, g.State())
		}
	})
}

// TestToolsPowerFailure: the guest goes down under the installer. The step says so; the next one starts anew.
func TestToolsPowerFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, windows.Config{}, windows.ToolsWithoutIntrospection)
		time.AfterFunc(15*time.Second, func() { _ = g.Reboot(t.Context()) })
		_, _, err := g.drive(t.Context(), t, addIntrospection())
		if err == nil || !strings.Contains(err.Error(), "without leaving an exit code") {
			t.Fatalf("%v", err)
		}
		if _, _, err := g.drive(t.Context(), t, addIntrospection()); err != nil || g.State().InstallerRuns != 2 || !g.State().Connected {
			t.Errorf("%v, %+v", err, g.State())
		}
	})
}

// TestRebootOnGuest waits for the other boot and proves it.
func TestRebootOnGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, windows.Config{}, windows.Disconnected)
		result, diff, err := g.drive(t.Context(), t, reboot.Module().New())
		if err != nil || g.State().Boots != 2 || !g.State().Connected || result.(reboot.Status).BootID == "" {
			t.Errorf("%+v, %v, %+v", result, err, g.State())
		}
		if len(diff.Commands) != 1 || diff.Commands[0] != "shutdown.exe /r /t 5 /f /d p:4:1" {
			t.Errorf("%q", diff.Commands)
		}
	})
}

// TestExecOnGuest: words and texts reach the program through cmd.exe.
func TestExecOnGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, windows.Config{})
		text := &exec.Text{Text: `echo 50%>"C:\a b.txt"`, Creates: `C:\a b.txt`}
		result, _, err := g.drive(t.Context(), t, text)
		if err != nil || *result.(exec.Result).Code != 0 {
			t.Fatalf("%+v, %v", result, err)
		}
		if _, diff, err := g.drive(t.Context(), t, &exec.Text{Text: "exit 1", Creates: `C:\a b.txt`}); err != nil || diff.Note != `C:\a b.txt exists` {
			t.Errorf("%+v, %v", diff, err)
		}
		got, err := (&exec.Argv{Argv: []string{"findstr.exe", "50%", `C:\a b.txt`}}).Probe(t.Context(), g.machine())
		if err != nil || strings.TrimSpace(got.(exec.Result).Stdout) != "50%" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

package moduletest_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/modules/exec"
	"github.com/dsplay/dsplay/modules/files"
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

// plant makes programs of somebody else's that look like the image of VMware Tools.
func plant(g *guest, drive string) {
	g.Disk().Install(drive+`\setup64.exe`, "planted")
	g.Disk().Put(drive+`\VMwareToolsUpgrader.exe`, "MZ")
}

// newPlanted is a guest without an image of VMware Tools; ran holds the accounts under which a planted program ran.
func newPlanted(t *testing.T, media bool) (g *guest, ran *[]string) {
	t.Helper()
	ran = new([]string)
	g = newGuest(t, windows.Config{NoMedia: !media, Program: func(_ context.Context, name string, p *cmdexe.Process) (uint32, bool) {
		if name == "planted" {
			*ran = append(*ran, p.User+": "+p.Path)
		}
		return 0, name == "planted"
	}}, windows.ToolsWithoutIntrospection)
	return g, ran
}

// TestToolsPlantedOnGuest: what looks like the image of VMware Tools is on a data volume, into whose root users may write, and in
// an image that a user has mounted. Nothing of it runs, as SYSTEM least of all; the image in the drive of VMware does.
func TestToolsPlantedOnGuest(t *testing.T) {
	for _, installer := range []string{"auto", "media"} {
		for _, media := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				g, ran := newPlanted(t, media)
				g.AddVolume("E:")
				plant(g, "E:")
				g.MountISO("F:", func() { plant(g, "F:") })
				x := addIntrospection()
				x.Installer = installer
				_, _, err := g.drive(t.Context(), t, x)
				if runs := g.State().InstallerRuns; (err == nil) != media || (runs == 1) != media || len(*ran) > 0 {
					t.Errorf("installer %s, image in the drive %v: %v; %d runs; planted programs ran: %q", installer, media, err, runs, *ran)
				}
				if err != nil && (!strings.Contains(err.Error(), "nothing was started") || engine.HintOf(err) == "") {
					t.Errorf("%v (%s)", err, engine.HintOf(err))
				}
			})
		}
	}
}

// TestToolsPlantedMeanwhile: after the plan was made, or after the last look, the letter of the drive becomes that of an image
// that a user has mounted. What runs as SYSTEM looks again.
func TestToolsPlantedMeanwhile(t *testing.T) {
	for _, installer := range []string{"auto", "media"} {
		synctest.Test(t, func(t *testing.T) {
			g, ran := newPlanted(t, true)
			x := addIntrospection()
			x.Installer = installer
			diff, err := x.Check(t.Context(), g.machine())
			if err != nil {
				t.Fatal(err)
			}
			swap := func() { g.MountISO("D:", func() { plant(g, "D:") }) }
			if installer == "auto" {
				swap()
			} else {
				g.starting = swap
			}
			_, err = x.Apply(t.Context(), g.machine().Acting(diff.Commands), diff)
			if err == nil || !strings.Contains(err.Error(), "not found when it was to be started (9009)") || len(*ran) > 0 || g.State().InstallerRuns != 0 {
				t.Errorf("installer %s: %v; planted programs ran: %q; %+v", installer, err, *ran, g.State())
			}
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

// TestCopyOnGuest: one PowerShell, fed with base64; old rights stay; a secret is on no line.
func TestCopyOnGuest(t *testing.T) {
	var secrets engine.Secrets
	token := secrets.Add("env:TOKEN", "s3cret token")
	big := strings.Repeat("0123456789abcdef", 20_000)
	g := newGuest(t, windows.Config{})
	const dest, rights = `C:\it's 100%.ini`, "D:P(A;;FA;;;BA)"
	for i, step := range []struct {
		f    files.File
		noop bool
	}{
		{files.File{Content: engine.Plain("one\r\n")}, false},
		{files.File{Content: engine.Plain(big), Backup: true, Verify: "findstr.exe 0123 %s"}, false},
		{files.File{Content: engine.Plain(big)}, true},
		{files.File{Content: token}, false},
		{files.File{Content: token}, true},
		{files.File{Content: engine.Plain("")}, false},
	} {
		f := step.f
		f.Dest = dest
		result, diff, err := g.drive(t.Context(), t, &f)
		if err != nil || diff.Empty() != step.noop {
			t.Fatalf("step %d: %+v, %v (%s)", i, diff, err, engine.HintOf(err))
		}
		if strings.Contains(strings.Join(diff.Commands, " "), "s3cret") {
			t.Errorf("the secret is in %q", diff.Commands)
		}
		if got, err := g.Disk().Read(dest); err != nil || string(got) != f.Content.Reveal() {
			t.Errorf("step %d: %d bytes, %v", i, len(got), err)
		}
		if i == 0 {
			g.Disk().SetACL(dest, rights)
		}
		if f.Backup {
			if old, err := g.Disk().Read(*result.(files.Copied).Backup); err != nil || string(old) != "one\r\n" {
				t.Errorf("the backup is %q, %v", old, err)
			}
		}
		if info, _ := g.Disk().Stat(dest); i > 0 && info.ACL != rights {
			t.Errorf("step %d: the rights are %s", i, info.ACL)
		}
		if left := g.Disk().Match(`C:\*dsplay*`); len(left) > 0 {
			t.Errorf("left behind: %+v", left)
		}
		var back strings.Builder
		if _, err := g.machine().Get(t.Context(), dest, &back); err != nil || back.String() != f.Content.Reveal() {
			t.Errorf("step %d: back come %d bytes, %v", i, back.Len(), err)
		}
	}
	st, err := (&files.Path{Path: dest}).Probe(t.Context(), g.machine())
	if got := st.(files.Status); err != nil || got.Kind != "file" || *got.ACL != rights || got.Mode != nil {
		t.Errorf("%+v, %v", st, err)
	}
	if st, err := (&files.Path{Path: `C:\no\where`}).Probe(t.Context(), g.machine()); err != nil || st.(files.Status).Exists {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestCopyOnGuestFails: each failure has its name; the old file stays, and nothing beside it.
func TestCopyOnGuestFails(t *testing.T) {
	for name, test := range map[string]struct {
		dest, verify string
		prepare      func(g *guest)
		want         error
	}{
		"full":      {`C:\x.bin`, "", func(g *guest) { g.Disk().SetRoom("C:", 100_000) }, syscall.ENOSPC},
		"in use":    {`C:\x.bin`, "", func(g *guest) { g.Disk().Hold(`C:\x.bin`, true) }, syscall.EBUSY},
		"no folder": {`C:\none\x.bin`, "", func(*guest) {}, fs.ErrNotExist},
		"a DVD":     {`D:\x.bin`, "", func(*guest) {}, syscall.EROFS},
		"not valid": {`C:\x.bin`, "findstr.exe nothing %s", func(*guest) {}, engine.ErrValidate},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuest(t, windows.Config{})
			g.Disk().Put(`C:\x.bin`, "old")
			f := files.File{Content: engine.Plain(strings.Repeat("x", 200_000)), Dest: test.dest, Verify: test.verify}
			diff, err := f.Check(t.Context(), g.machine())
			if err == nil {
				test.prepare(g)
				_, err = f.Apply(t.Context(), g.machine().Acting(diff.Commands), diff)
			}
			if !errors.Is(err, test.want) || engine.HintOf(err) == "" {
				t.Errorf("%v (%s), want %v", err, engine.HintOf(err), test.want)
			}
			if old, err := g.Disk().Read(`C:\x.bin`); err != nil || string(old) != "old" {
				t.Errorf("the old file is %q, %v", old, err)
			}
			if left := g.Disk().Match(`C:\*dsplay*`); len(left) > 0 {
				t.Errorf("left behind: %+v", left)
			}
		})
	}
}

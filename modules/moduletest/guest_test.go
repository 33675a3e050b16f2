package moduletest_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// guest is a simulated Windows guest and the way to it.
type guest struct {
	*windows.Guest
	*site
	written  time.Time // when the command file of a job was
	starting func()    // before a task is started; may be nil
}

func newGuest(t *testing.T, c windows.Config, faults ...string) *guest {
	t.Helper()
	g := &guest{site: &site{family: "windows", net: newNetwork()}}
	c.Name, c.OnNetworkLoss = "guest1", g.net.lose
	g.Guest = windows.New(c)
	g.up = func() bool { return g.State().Up }
	g.exec, g.missing = g.run, g.unsimulated
	for _, fault := range faults {
		if err := g.Break(fault); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func (g *guest) run(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) (int, bool) {
	if g.starting != nil && strings.HasPrefix(line, "schtasks.exe /run ") {
		g.starting()
	}
	code := g.Exec(ctx, `CORP\ops`, line, stdin, stdout, stderr)
	return int(code), code == cmdexe.Killed
}

// unsimulated stands in for the expressions of PowerShell that the guest does not know: its boot with the time now,
// and the age of the file that was written last.
func (g *guest) unsimulated(line string) (string, bool) {
	switch {
	case strings.Contains(line, ".cmd& echo"):
		g.written = time.Now()
	case strings.Contains(line, "LastBootUpTime.ToFileTimeUtc"):
		return fmt.Sprintf("%d\r\n%d\r\n", fileTime(g.State().BootTime), fileTime(time.Now())), true
	case strings.Contains(line, "LastWriteTime") && !strings.Contains(line, "dsplay:"):
		return fmt.Sprintln(time.Since(g.written).Milliseconds()), true
	}
	return "", false
}

// fileTime counts 100 ns since 1601.
func fileTime(t time.Time) int64 { return t.UnixNano()/100 + 116444736000000000 }

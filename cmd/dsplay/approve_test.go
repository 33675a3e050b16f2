package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// TestApprovals runs testdata/approvals/*.txtar, each with plans beside it and the real ssh-keygen.
func TestApprovals(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ssh-keygen is not on this machine (package openssh-client), and CI must not pass over these tests")
		}
		t.Skip("ssh-keygen is not on this machine (package openssh-client)")
	}
	testscript.Run(t, testscript.Params{Dir: filepath.Join("testdata", "approvals"),
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "forge": forge},
		Setup: func(env *testscript.Env) error { return errors.Join(ownState(env), writePlans(env.WorkDir)) }})
}

// writePlans writes plans that differ in what matters to approvals.
func writePlans(dir string) error {
	now := time.Now().UTC().Truncate(time.Second)
	plans := map[string]plan.Document{
		"plan.json":    {Made: now, Until: now.Add(24 * time.Hour)},
		"other.json":   {Made: now.Add(-time.Second), Until: now.Add(24 * time.Hour)},
		"old.json":     {Made: now.Add(-48 * time.Hour), Until: now.Add(-24 * time.Hour)},
		"future.json":  {Made: now.Add(time.Hour), Until: now.Add(24 * time.Hour)},
		"offline.json": {Made: now, Until: now.Add(24 * time.Hour), Offline: true},
		"stopped.json": {Made: now, Until: now.Add(24 * time.Hour), Stop: &plan.Stop{Kind: "check", Reason: "no engine is online"}},
	}
	for name, d := range plans {
		d.Format, d.Planner = plan.Format, plan.Planner{User: "carol", Host: "ops1"}
		d.Playbook = plan.Playbook{Path: "engine.hcl", Description: "Bring engines back\x1b[2J", Impact: "one guest at a time", Backout: "none"}
		d.Worst = plan.Worst{Hosts: []string{"dsva1", "esx2"}, Entries: 3, Effects: map[engine.Effect]int{"restart": 2}}
		data, err := d.Encode()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// forge does what somebody does who may write plans: it changes one and gives it the id that it has then.
// forge FILE NEWFILE OLD NEW
func forge(ts *testscript.TestScript, _ bool, args []string) {
	body, ok := strings.CutPrefix(ts.ReadFile(args[0]), `{"id":"sha256:`)
	if !ok || !strings.Contains(body, args[2]) {
		ts.Fatalf("%s is no plan with %q in it", args[0], args[2])
	}
	_, body, _ = strings.Cut(strings.TrimSuffix(body, "}\n"), `"plan":`)
	body = strings.ReplaceAll(body, args[2], args[3])
	text := fmt.Sprintf(`{"id":"sha256:%x","plan":%s}`+"\n", sha256.Sum256([]byte(body)), body)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// slowAgent has a key that waits for a touch which never comes.
type slowAgent struct {
	agent.Agent
	asked chan struct{}
}

func (s slowAgent) Sign(ssh.PublicKey, []byte) (*ssh.Signature, error) {
	close(s.asked)
	select {}
}

// Ctrl-C ends an approval that waits for the agent.
func TestSIGINTWhileTheAgentWaits(t *testing.T) {
	dir := t.TempDir()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	slow := slowAgent{agent.NewKeyring(), make(chan struct{})}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err := errors.Join(err, slow.Add(agent.AddedKey{PrivateKey: private}), writePlans(dir)); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if conn, err := l.Accept(); err == nil {
			_ = agent.ServeAgent(slow, conn) // until the process is gone
		}
	}()
	c := command(t, "approve", "plan.json", "--key", "agent", "--yes")
	c.Dir, c.Env = dir, append(c.Env, "SSH_AUTH_SOCK="+l.Addr().String())
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = c.Wait() // the code says how it ended
		close(ended)
	}()
	select {
	case <-slow.asked:
	case <-ended:
		t.Fatalf("it ended without asking the agent: %s", out.String())
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-ended
	if code := c.ProcessState.ExitCode(); code != exitSIGINT || !strings.Contains(out.String(), "nothing was signed") {
		t.Errorf("exit %d: %s", code, out.String())
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.sig")); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}

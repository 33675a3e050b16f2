package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/plan"
)

// untouched wants no system to have received anything since the last forget: the refusal came before any connection.
func (e *estate) untouched() {
	e.t.Helper()
	for _, r := range e.Received()[e.seen:] {
		e.t.Errorf("%s received %q", r.Host, r.Text)
	}
}

// refuses wants apply to refuse a plan before anything is contacted.
func (e *estate) refuses(p filed, says ...string) {
	e.t.Helper()
	e.forget()
	for _, mode := range []string{driftRefuse, driftNarrow} {
		o := e.apply(p, "--on-drift", mode)
		e.ended(o, exitRefused, append([]string{"nothing was executed"}, says...)...)
		if testing.Verbose() {
			e.t.Logf("%s", o)
		}
	}
	e.untouched()
}

func TestPlanThatExpired(t *testing.T) {
	e := newEstate(t, small)
	e.inject(ill("guest1-2")...)
	p := e.plan(exitOK, "--expires", "1s")
	for time.Now().Before(p.Until) {
		if err := engine.Wait(t.Context(), time.Until(p.Until)); err != nil {
			t.Fatal(err)
		}
	}
	e.refuses(p, "the plan was valid until", " ago; plan again")
}

// reforged is a plan with another text in it, and the id that it has then.
func reforged(t *testing.T, p filed, pairs ...string) filed {
	t.Helper()
	data, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(strings.TrimSuffix(string(data), "}\n"), `"plan":`)
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(body, pairs[i]) != 1 {
			t.Fatalf("%q stands %d times in the plan", pairs[i], strings.Count(body, pairs[i]))
		}
		body = strings.Replace(body, pairs[i], pairs[i+1], 1)
	}
	id := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(body)))
	return filed{path: bookOf(t, "forged.plan", fmt.Sprintf(`{"id":%q,"plan":%s}`+"\n", id, body)), Document: &plan.Document{ID: id}}
}

func TestPlansOfOtherVersions(t *testing.T) {
	e := newEstate(t, small)
	e.inject(ill("guest1-2")...)
	p := e.plan(exitOK)
	e.refuses(reforged(t, p, `{"format":"1.0"`, `{"format":"2.0"`), "format 2.0", "this dsplay reads format 1.x", "use that dsplay")
	e.refuses(reforged(t, p, `{"format":"1.0"`, `{"format":"newest"`), "this is no plan")
	newer := reforged(t, p, `{"format":"1.0","dsplay":"`+p.Dsplay+`"`, `{"format":"1.7","dsplay":"9.9.0","insight":{"of":["a","newer"]}`)
	e.ended(e.apply(newer, "--expect", newer.ID), exitOK, "made by dsplay 9.9.0, this is "+version)
	e.acted(map[string][]string{"guest1-2": {startDriver}})
}

func TestPlanIsAppliedOnce(t *testing.T) {
	e := newEstate(t, small)
	e.inject(dark("esx2")...)
	p := e.plan(exitOK)
	var outcomes [3]outcome
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() { outcomes[i] = e.apply(p) })
	}
	wg.Wait()
	done := 0
	for _, o := range outcomes {
		switch o.code {
		case exitOK:
			// One that looked before the first had acted, and came to act after it, finds nothing left to do.
			if !strings.Contains(o.String(), " 0 changed,") && !strings.Contains(o.String(), "nothing was changed") {
				done++
			}
		case exitLocked:
			e.ended(o, exitLocked, "is locked by run")
		case exitRefused:
			e.ended(o, exitRefused, "nothing was executed")
			if strings.Contains(o.String(), "attempt 2") {
				t.Errorf("what cannot be begun is tried in another way\n%s", o)
			}
		default:
			t.Errorf("exit %d\n%s", o.code, o)
		}
	}
	if done != 1 {
		t.Errorf("%d of 3 were applied\n%s", done, outcomes)
	}
	e.acted(map[string][]string{"dsva2": {restartAgent, heartbeat}})
	e.inject(dark("esx2")...) // as if the plan were needed again
	e.refuses(p, "the plan is used up", "began to apply it at")
}

// follow starts dsplay and calls seen with every line of its standard output, until it ends.
func follow(t *testing.T, args []string, seen func(line string, c *exec.Cmd)) outcome {
	t.Helper()
	var stderr strings.Builder
	c := command(t, args...)
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		log.WriteString(line)
		if err != nil {
			break
		}
		seen(line, c)
	}
	_ = c.Wait() // the code says how it ended
	return outcome{c.ProcessState.ExitCode(), log.String(), stderr.String()}
}

// healing runs the playbook, patiently, and calls seen with the line of every event.
func (e *estate) healing(seen func(line string, c *exec.Cmd)) outcome {
	e.t.Helper()
	return follow(e.t, []string{"run", "playbooks/engine-offline.hcl", "-i", filepath.Join(e.Dir(), "inventory.hcl"), "--yes", "--json", "--var", "poll=100ms", "--var", "patience=20s"}, seen)
}

// atFirst calls f with the first line that contains a text.
func atFirst(text string, f func(c *exec.Cmd)) func(string, *exec.Cmd) {
	did := false
	return func(line string, c *exec.Cmd) {
		if !did && strings.Contains(line, text) {
			did = true
			f(c)
		}
	}
}

// Killed after its first intent, an apply leaves a journal that tells of it, and a plan that is used up.
func TestApplyThatIsKilled(t *testing.T) {
	e := newEstate(t, small)
	e.inject(append(dark("esx1"), ill("guest3-1")...)...)
	p := e.plan(exitOK)
	var run string
	kill := atFirst(`"kind":"intent"`, func(c *exec.Cmd) {
		journal := filepath.Join(os.Getenv("XDG_STATE_HOME"), "dsplay", "runs", run, "events.jsonl")
		const intent = `"kind":"intent","pass":"apply","play":"case_b","host":"esx1"`
		for began := time.Now(); ; time.Sleep(time.Millisecond) { // what is shown may be ahead of the disk
			if data, err := os.ReadFile(journal); strings.Contains(string(data), intent) {
				break
			} else if time.Since(began) > 10*time.Second {
				t.Errorf("the journal does not have the intent (%v)", err)
				break
			}
		}
		if err := c.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	o := follow(t, []string{"apply", p.path, "--json"}, func(line string, c *exec.Cmd) {
		if run == "" {
			run = events(t, line)[0].Run
		}
		kill(line, c)
	})
	if o.code != -1 {
		t.Fatalf("exit %d\n%s", o.code, o)
	}
	e.ended(e.apply(p), exitRefused, "the plan is used up: run "+run, "nothing was executed")
	for host, lines := range e.mutations() { // nobody knows whether the step that was cut off was done
		if host != "dsva1" || len(lines) > 1 {
			t.Errorf("%s: %q", host, lines)
		}
	}
}

const agentBook = `
play "ill" {
  hosts = ["guest2-1", "guest2-2"]
  batch = [1]
  recover "engine" {
    goal {
      probe "ds_computer" "now" {
        on        = self.dsm
        bios_uuid = self.bios_uuid
      }
      condition = probe.now.state == "online"
      within    = "8s"
      every     = "100ms"
    }
    attempt "restart the agent of the appliance" {
      step "service" "agent" {
        on    = "dsva2"
        name  = "ds_agent"
        state = "restarted"
        sudo {}
      }
    }
  }
}
`

// What an earlier step of ours has healed is no drift: it is not done, and that is reported.
func TestOurOwnStepHealsALaterHost(t *testing.T) {
	e := newEstate(t, small)
	e.inject(dark("esx2")...)
	p := e.planOf(bookOf(t, "agent.hcl", agentBook), exitOK)
	if n := len(p.Worst.Hosts); p.Worst.Entries != 2 || n != 1 {
		t.Errorf("the plan has %+v", p.Worst)
	}
	o := e.apply(p, "--json")
	e.ended(o, exitOK, "1 step of the plan was not needed any more")
	e.acted(map[string][]string{"dsva2": {restartAgent}})
	e.allRan(p, o)
	resolved := 0
	for _, ev := range events(t, o.stdout) {
		if ev.Kind == engine.EventResolved {
			resolved++
			if ev.Host != "guest2-2" || !strings.Contains(ev.Reason, "online") {
				t.Errorf("%+v", ev)
			}
		}
		if ev.Kind == engine.EventDrift {
			t.Errorf("%+v", ev)
		}
	}
	if resolved != 1 {
		t.Errorf("%d steps were resolved, want 1\n%s", resolved, o)
	}
}

// The world changes after the first step: what a host needs then and the plan does not have is not done, and stops this host only.
func TestWorldThatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{driftRefuse, driftNarrow} {
		t.Run(mode, func(t *testing.T) {
			e := newEstate(t, lab.Options{ESXi: 3, Guests: 6})
			e.inject(append(dark("esx2"), ill("guest1-1", "guest1-2", "guest3-1", "guest3-2")...)...)
			p := e.plan(exitOK)
			o := follow(t, []string{"apply", p.path, "--json", "--on-drift", mode}, atFirst(`"kind":"intent"`, func(*exec.Cmd) {
				if err := e.Inject("tools-without-introspection", "guest1-2"); err != nil {
					t.Error(err)
				}
			}))
			e.ended(o, exitFailed, `"host":"guest1-2","status":"out_of_plan"`, "out of plan", "it was not done; plan again", "guest1-2  out_of_plan")
			e.acted(map[string][]string{"dsva2": {restartAgent, heartbeat}, "guest1-1": {startDriver}, "guest3-1": {startDriver}, "guest3-2": {startDriver}})
			e.healthy("guest1-2")
			if testing.Verbose() {
				t.Log(o.stderr)
			}
		})
	}
}

func TestOfflinePlanContactsNothing(t *testing.T) {
	e := newEstate(t, small)
	e.inject(dark("esx2")...)
	e.forget()
	p := e.plan(exitOK, "--offline")
	e.untouched()
	if !p.Offline || len(p.Items) == 0 {
		t.Errorf("offline %v, %d items", p.Offline, len(p.Items))
	}
	e.refuses(p, "--offline", "plan again without it")
}

func TestPlanThatACheckStops(t *testing.T) {
	e := newEstate(t, small)
	e.inject(lab.Fault{Name: "everything-dark"})
	p := e.plan(exitStopped)
	e.ended(p.outcome, exitStopped, "No engine is online on any of 3 ESXi hosts", "It is a record only")
	e.acted(map[string][]string{})
	e.refuses(p, "there is nothing to apply", "No engine is online")
}

// A guest that does not answer is in the plan as such: the others are helped, and it is left alone.
func TestPlanWithAGuestThatDoesNotAnswer(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 3, Guests: 6})
	e.inject(append(ill("guest1-1", "guest1-2", "guest3-1", "guest3-2"), lab.Fault{Name: "unreachable", Target: "guest1-2"})...)
	p, back := e.plan(exitUnreachable), e.plan(exitUnreachable)
	e.ended(p.outcome, exitUnreachable, "guest1-2: unreachable", "Saved as")
	o := e.apply(p)
	e.ended(o, exitUnreachable, "guest1-2: unreachable")
	e.acted(map[string][]string{"guest1-1": {startDriver}, "guest3-1": {startDriver}, "guest3-2": {startDriver}})
	e.healthy("guest1-2")
	// It answers again, and it is ill: nobody has approved anything for it.
	if err := e.Clear(); err != nil {
		t.Fatal(err)
	}
	e.inject(ill("guest1-1", "guest1-2", "guest3-1", "guest3-2")...)
	for _, mode := range []string{driftRefuse, driftNarrow} {
		e.forget()
		e.ended(e.apply(back, "--on-drift", mode), exitRefused, "guest1-2", "when the plan was made its host could not be judged: connect to", "nothing was executed")
		e.acted(map[string][]string{})
	}
}

func TestLimitIsPartOfThePlan(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(dark("esx2", "esx3")...)
	p := e.plan(exitOK, "--limit", "esx2")
	e.ended(e.apply(p), exitOK)
	e.acted(map[string][]string{"dsva2": {restartAgent, heartbeat}})
}

const taggedBook = `
play "two" {
  hosts = ["dsva1"]
  step "command" "one" {
    argv = ["/bin/sh", "-c", "touch /tmp/one"]
    tags = ["one"]
  }
  step "command" "two" {
    argv = ["/bin/sh", "-c", "touch /tmp/two"]
    tags = ["two"]
  }
  step "command" "three" {
    argv = ["/bin/sh", "-c", "touch /tmp/three"]
    tags = ["one", "three"]
  }
}
`

func TestTagsArePartOfThePlan(t *testing.T) {
	e := newEstate(t, small)
	p := e.planOf(bookOf(t, "two.hcl", taggedBook), exitOK, "--tags", "one", "--skip-tags", "three")
	o := e.apply(p, "--json")
	e.ended(o, exitOK)
	var ran []string
	for _, ev := range events(t, o.stdout) {
		if ev.Kind == engine.EventIntent {
			ran = append(ran, ev.Entry)
		}
	}
	if strings.Join(ran, " ") != "two/step.one" {
		t.Errorf("%q ran", ran)
	}
}

const sensitiveBook = `
variable "token" {
  type      = string
  sensitive = true
}
play "hand_over" {
  hosts = ["dsva1"]
  step "command" "token" {
    argv  = ["/bin/cat"]
    stdin = var.token
  }
}
`

// A secret variable is not in the plan: who applies gives it again.
func TestSecretVariableIsGivenAgain(t *testing.T) {
	const token = "t0ken+of/the=plan"
	e := newEstate(t, small)
	p := e.planOf(bookOf(t, "token.hcl", sensitiveBook), exitOK, "--var", "token="+token)
	info, err := os.Stat(p.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	e.forget()
	e.ended(e.apply(p), exitUsage, "the variable token is secret", "--var token=…", "DSPLAY_VAR_token", "nothing was executed")
	e.ended(e.apply(p, "--var", "token="+token, "--var", "more=1"), exitUsage, "no such variable")
	e.untouched()
	e.ended(e.apply(p, "--var", "token="+token), exitOK)
	given := 0
	for _, r := range e.Received()[e.seen:] {
		if r.Stdin == token {
			given++
		}
	}
	if given != 1 {
		t.Errorf("the token was handed over %d times", given)
	}
}

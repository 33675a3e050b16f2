package lang_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/zclconf/go-cty/cty"
)

const two = `
locals {
  before = upper("x")
}
play "look" {
  hosts        = group.guests
  max_failures = "50%"
  probe "vm" "vm" {
    on   = self.vcenter
    uuid = self.uuid
  }
  step "service" "fix" {
    when  = probe.vm.awake && !probe.vm.found
    name  = "x"
    state = "started"
  }
}
locals {
  awake   = [for g in play.look.hosts : g.name if g.probe.vm.awake]
  by_esxi = { for g in play.look.hosts : g.probe.vm.esxi => g.name... }
  lost    = [for g in play.look.missing : "${g.name}: ${g.error}"]
  sizes   = { for e, names in local.by_esxi : e => length(names) }
}
check "someone" {
  condition     = length(local.awake) > 0
  error_message = "nobody of ${length(play.look.hosts)} is awake; ${join(", ", local.lost)}"
}
play "act" {
  hosts        = local.awake
  batch        = [1, "25%"]
  parallel     = 2
  max_failures = 0
  step "service" "x" {
    name  = join(",", local.by_esxi[self.esxi])
    state = "started"
  }
}
`

// look runs the first play of two: vm1 is awake on esx1, vm2 on esx2 as told.
func (r *runner) look(vm2 *vmResult) {
	r.t.Helper()
	play := r.play("look")
	scope := r.pass.Begin(play)
	vm, fix := r.find("probe.vm"), r.find("step.fix")
	outcomes := ok("vm1")
	for host, res := range map[string]*vmResult{"vm1": {Found: true, Awake: true, Power: "poweredOn", ESXi: "esx1"}, "vm2": vm2} {
		if res == nil {
			outcomes = append(outcomes, engine.Outcome{Host: host, Status: engine.HostFailed, Err: errors.New("vc1 is silent")})
			continue
		}
		h := scope.Host(host)
		h.Set(vm, did(r.t, engine.StatusOK, *res))
		if r.eval(h, fix.When).True() {
			h.Set(fix, planned(fix))
			outcomes = append(outcomes, engine.Outcome{Host: host, Status: engine.HostOK, Pending: true})
			continue
		}
		h.Set(fix, skipped(fix))
		if host != "vm1" {
			outcomes = append(outcomes, ok(host)...)
		}
	}
	r.pass.End(play, outcomes)
}

func TestKnownPass(t *testing.T) {
	r := start(t, two)
	r.locals(0)
	if got := r.target("look"); !slices.Equal(got.Hosts, []string{"vm1", "vm2"}) || got.MaxFailures.Of(3) != 2 {
		t.Errorf("target %+v", got)
	}
	r.look(&vmResult{Found: true, ESXi: "esx2"})
	r.locals(2)
	j, err := r.pass.Check(r.item(3).Check)
	if err != nil || !j.OK || j.Why != "length(local.awake) > 0: length(local.awake) = 1" {
		t.Errorf("check %+v %v", j, err)
	}
	got := r.target("act")
	if !slices.Equal(got.Hosts, []string{"vm1"}) || !slices.Equal(got.Batch, []engine.Size{{N: 1}, {N: 25, Percent: true}}) || got.Parallel != 2 || got.MaxFailures.N != 0 || got.AllowEmpty {
		t.Errorf("target %+v", got)
	}
	h := r.pass.Begin(r.play("act")).Host("vm1")
	args := r.args(h, r.find("step.x"))
	if s := args.Module.(*service); s.Name != "vm1" || s.State != "started" || len(args.Unknown) > 0 {
		t.Errorf("args %+v %+v", args, s)
	}
	want := []engine.Arg{{Name: "name", Value: `"vm1"`}, {Name: "state", Value: `"started"`}}
	if !slices.Equal(args.Shown, want) {
		t.Errorf("shown %v", args.Shown)
	}
}

func TestMissingHost(t *testing.T) {
	r := start(t, two)
	r.locals(0)
	r.look(nil)
	r.locals(2)
	r.pass.End(r.play("look"), []engine.Outcome{{Host: "vm2", Status: engine.HostFailed, Err: errors.New("vc1 is silent")}})
	r.locals(2)
	j, err := r.pass.Check(r.item(3).Check)
	if err != nil || j.OK || j.Unknown || j.Message != "nobody of 0 is awake; vm2: vc1 is silent" {
		t.Errorf("check %+v %v", j, err)
	}
	if got := r.target("act"); len(got.Hosts) != 0 || len(got.Waits) != 0 {
		t.Errorf("target %+v", got)
	}
}

func TestUnknownPass(t *testing.T) {
	r := start(t, two)
	r.locals(0)
	r.look(&vmResult{Awake: true, ESXi: "esx2"}) // vm2 is awake but not found, so the step would run there
	r.locals(2)
	waits := []string{"look/step.fix"}
	j, err := r.pass.Check(r.item(3).Check)
	if err != nil || !j.Unknown || j.OK || !slices.Equal(j.Waits, waits) {
		t.Errorf("check %+v %v", j, err)
	}
	if got := r.target("act"); !slices.Equal(got.Waits, waits) || len(got.Hosts) != 0 || len(got.Batch) != 2 {
		t.Errorf("target %+v", got)
	}
	h := r.pass.Begin(r.play("act")).Host("vm1")
	args := r.args(h, r.find("step.x"))
	if args.Module != nil || !slices.Equal(args.Unknown, []string{"name"}) || !slices.Equal(args.ExecutedUnknown, []string{"name"}) || !slices.Equal(args.Waits, waits) {
		t.Errorf("args %+v", args)
	}
}

const host = `
variable "limit" { default = 3 }
play "p" {
  hosts        = group.guests
  probe "service" "driver" {
    name = "x"
  }
  probe "vm" "vm" {
    uuid = self.uuid
    when = probe.driver.exists
  }
  step "service" "start" {
    when    = probe.driver.exists && !probe.driver.running
    on      = self.vcenter
    name    = "svc-${self.name}"
    state   = "started"
    note    = "pid ${probe.driver.pid}"
    timeout = "2m"
    ignore_errors = var.limit > 2
    retry {
      attempts = var.limit
      delay    = "${var.limit}s"
      backoff  = 2
      on       = ["exit", "timeout"]
      until    = result.running
    }
    sudo {
      user     = "svc"
      password = secret("env:LANG_TEST_PW")
    }
  }
  step "service" "next" {
    when  = step.start.changed || self.rack == null
    name  = "a"
    state = "started"
    note  = step.start.status
  }
  step "service" "third" {
    when  = probe.vm.awake
    name  = step.start.status
    state = "started"
  }
  check "mine" {
    condition     = contains(group.guests, self.name) && probe.driver.exists
    error_message = "no driver on ${self.name}"
  }
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition     = probe.now.running
      error_message = "${self.name} does not run, pid ${probe.now.pid}"
      within        = "${var.limit}m"
    }
    attempt "a" {
      when = !probe.driver.running
      step "service" "again" {
        name  = "x"
        state = "restarted"
      }
    }
  }
}
`

func TestHostScope(t *testing.T) {
	t.Setenv("LANG_TEST_PW", "hunter2")
	r := start(t, host)
	h := r.pass.Begin(r.play("p")).Host("vm1")
	start, next, third := r.find("step.start"), r.find("step.next"), r.find("step.third")

	v := r.eval(h, start.When)
	if v.Known() || !slices.Equal(v.Waits, []string{"p/probe.driver"}) {
		t.Errorf("before the probe: %+v", v)
	}
	h.Set(r.find("probe.driver"), did(t, engine.StatusOK, serviceResult{Exists: true, Running: true}))
	v = r.eval(h, start.When)
	if want := "probe.driver.exists && !probe.driver.running: probe.driver.exists = true, probe.driver.running = true"; v.True() || !v.Known() || v.Why != want {
		t.Errorf("after the probe: %+v", v)
	}
	h.Set(start, skipped(start))
	v = r.eval(h, next.When)
	if want := "step.start.changed || self.rack == null: step.start.changed = false, self.rack = null"; !v.True() || v.Why != want {
		t.Errorf("after the skip: %+v", v)
	}
	if s := r.args(h, next).Module.(*service); s.Note != "skipped" {
		t.Errorf("status of a skipped step: %q", s.Note)
	}
	h.Set(start, did(t, engine.StatusChanged, serviceResult{Running: true}))
	if s := r.args(h, third).Module.(*service); s.Name != "changed" {
		t.Errorf("status of a changed step: %q", s.Name)
	}
	h.Set(start, planned(start))
	v = r.eval(h, next.When)
	if !v.True() { // true whatever the step does
		t.Errorf("true || unknown: %+v", v)
	}
	args := r.args(h, third)
	if args.Module != nil || !slices.Equal(args.Waits, []string{"p/step.start"}) {
		t.Errorf("executed unknown: %+v", args)
	}
	args = r.args(h, next)
	if args.Module == nil || !slices.Equal(args.Unknown, []string{"note"}) || len(args.ExecutedUnknown) > 0 || !slices.Equal(args.Waits, []string{"p/step.start"}) {
		t.Errorf("other unknown: %+v", args)
	}
}

func TestNullCondition(t *testing.T) {
	r := start(t, host)
	h := r.pass.Begin(r.play("p")).Host("vm1")
	vm := r.find("probe.vm")
	h.Set(vm, skipped(vm))
	_, err := h.Eval(r.find("step.third").When, cty.NilVal)
	fails(t, err, ":39:13: ", "null", "probe.vm.awake is null", "skipped: probe.vm")
	driver := r.find("probe.driver")
	h.Set(driver, skipped(driver))
	_, err = h.Eval(r.find("step.start").When, cty.NilVal)
	fails(t, err, "probe.driver.exists, probe.driver.running are null")
	_, err = h.Args(r.find("step.start"))
	fails(t, err, ":17:", "null", "probe.driver.pid is null; skipped: probe.driver")
}

func TestSettings(t *testing.T) {
	t.Setenv("LANG_TEST_PW", "hunter2")
	r := start(t, host)
	scope := r.pass.Begin(r.play("p"))
	h := scope.Host("vm1")
	s, err := h.Settings(r.find("step.start"))
	if err != nil {
		t.Fatal(err)
	}
	if s.On != "vc1" || s.Timeout.String() != "2m0s" || !s.IgnoreErrors || s.Sudo.User != "svc" || s.Sudo.Password.Reveal() != "hunter2" || s.Sudo.Password.Name != "env:LANG_TEST_PW" {
		t.Errorf("settings %+v", s)
	}
	if rt := s.Retry; rt.Attempts != 3 || rt.Delay.String() != "3s" || rt.Backoff != 2 || !slices.Equal(rt.On, []engine.ErrorKind{engine.KindExit, engine.KindTimeout}) {
		t.Errorf("retry %+v", rt)
	}
	s, err = h.Settings(r.find("step.next"))
	if err != nil || s.On != "vm1" || s.Sudo != nil || s.Retry.Attempts != 0 {
		t.Errorf("settings %+v %v", s, err)
	}
	until := r.find("step.start").Until
	v, err := h.Eval(until, cty.ObjectVal(map[string]cty.Value{"running": cty.False}))
	if err != nil || v.True() || v.Why != "result.running = false" {
		t.Errorf("until %+v %v", v, err)
	}
	_, err = scope.Host("dsm1").Settings(r.find("step.start"))
	fails(t, err, "on is null", "self.vcenter is null")
	p, err := h.Goal(r.find("p/r"))
	if err != nil || p.Within.String() != "3m0s" || p.Every.String() != "10s" {
		t.Errorf("goal %+v %v", p, err)
	}
	goal := r.find("p/r").Recover
	if v := r.eval(h, goal.Condition); v.Known() || v.Said != "" {
		t.Errorf("nobody has looked: %+v", v)
	}
	for running, said := range map[bool]string{true: "", false: "vm1 does not run, pid 7"} {
		h.Set(goal.Goal[0], did(t, engine.StatusOK, serviceResult{Running: running, PID: new(7)}))
		if v := r.eval(h, goal.Condition); v.True() != running || v.Said != said {
			t.Errorf("running %v: %+v", running, v)
		}
	}
}

func TestJudge(t *testing.T) {
	r := start(t, host)
	h := r.pass.Begin(r.play("p")).Host("vm2")
	check := r.find("check.mine").Check
	j, err := h.Judge(check)
	if err != nil || !j.Unknown || !slices.Equal(j.Waits, []string{"p/probe.driver"}) {
		t.Errorf("unknown: %+v %v", j, err)
	}
	h.Set(r.find("probe.driver"), did(t, engine.StatusOK, serviceResult{}))
	j, err = h.Judge(check)
	if err != nil || j.OK || j.Unknown || j.Message != "no driver on vm2" {
		t.Errorf("false: %+v %v", j, err)
	}
	if want := `contains(group.guests, self.name) && probe.driver.exists: contains(group.guests, self.name) = true, self.name = "vm2", probe.driver.exists = false`; j.Why != want {
		t.Errorf("why %q", j.Why)
	}
}

// TestResultsOfPlay: what an attempt left can be read later; what was not needed counts as skipped.
func TestResultsOfPlay(t *testing.T) {
	r := start(t, host+`
locals {
  restarted = [for h in play.p.hosts : h.name if h.step.again.changed]
  untouched = [for h in play.p.hosts : h.name if h.step.again.status == "skipped" && h.step.again.pid == null]
  statuses  = { for h in play.p.hosts : h.name => h.probe.driver.status }
  missing   = { for h in play.p.missing : h.name => h.status }
}
play "q" {
  hosts = local.restarted
}
play "s" {
  hosts = local.untouched
}
play "t" {
  hosts = keys(local.missing)
}
check "c" {
  condition     = local.statuses == tomap({ vm1 = "ok", vm2 = "ok" })
  error_message = jsonencode(local.statuses)
}
`)
	p := r.play("p")
	scope := r.pass.Begin(p)
	for _, name := range []string{"vm1", "vm2"} {
		scope.Host(name).Set(r.find("probe.driver"), did(t, engine.StatusOK, serviceResult{Exists: true}))
	}
	scope.Host("vm1").Set(r.find("step.again"), did(t, engine.StatusChanged, serviceResult{Exists: true}))
	if r.pass.Begin(p) != scope {
		t.Error("a batch has a scope of its own")
	}
	r.pass.End(p, append([]engine.Outcome{{Host: "esx1", Status: engine.HostUnreachable}}, ok("vm2", "vm1")...))
	r.locals(1)
	for play, want := range map[string]string{"q": "vm1", "s": "vm2", "t": "esx1"} {
		if got := r.target(play); !slices.Equal(got.Hosts, []string{want}) {
			t.Errorf("play %s: %+v", play, got)
		}
	}
	last := r.program.Playbook().Items[len(r.program.Playbook().Items)-1]
	if j, err := r.pass.Check(last.Check); err != nil || !j.OK {
		t.Errorf("%+v %v", j, err)
	}
}

func TestSecretsStayHidden(t *testing.T) {
	t.Setenv("LANG_TEST_PW", "hunter2")
	secrets := &engine.Secrets{}
	r := start(t, `
variable "pin" {
  type      = string
  sensitive = true
}
locals {
  password = secret("env:LANG_TEST_PW")
  users    = { for u in ["a", "b"] : u => { name = u, password = local.password } }
}
play "p" {
  hosts = group.guests
  step "login" "a" {
    user     = local.users["a"].name
    password = "${local.users["a"].password}-${var.pin}"
    rule "r" { port = 22 }
  }
  step "login" "b" {
    when     = step.a.token == "x"
    user     = step.a.token
    password = step.a.token
    rule "r" { port = 22 }
  }
}
`, func(o *lang.Options) {
		o.Secrets = secrets
		o.Vars = map[string]lang.Var{"pin": {Value: "4711", Origin: "--var pin"}}
	})
	r.locals(0)
	h := r.pass.Begin(r.play("p")).Host("vm1")
	args := r.args(h, r.find("step.a"))
	m := args.Module.(*login)
	if m.Password.Reveal() != "hunter2-4711" || m.Password.Name != "env:LANG_TEST_PW, var.pin" || m.User != "a" {
		t.Errorf("module %q %q %q", m.Password.Reveal(), m.Password.Name, m.User)
	}
	if want := []engine.Arg{{Name: "password", Value: "«secret: env:LANG_TEST_PW, var.pin»"}, {Name: "rule[0].name", Value: `"r"`}, {Name: "rule[0].port", Value: "22"}, {Name: "user", Value: `"a"`}}; !slices.Equal(args.Shown, want) {
		t.Errorf("shown %v", args.Shown)
	}
	if all := secrets.All(); all["4711"] != "var.pin" || all["hunter2"] != "env:LANG_TEST_PW" {
		t.Errorf("registered %v", all)
	}
	// A secret that a module gives is found when it decides, or would stand on a command line.
	h.Set(r.find("step.a"), did(t, engine.StatusChanged, loginResult{Token: secrets.Add("token", "t0p")}))
	_, err := h.Eval(r.find("step.b").When, cty.NilVal)
	fails(t, err, "secret")
	if strings.Contains(err.Error(), "t0p") {
		t.Error(err)
	}
	_, err = h.Args(r.find("step.b"))
	fails(t, err, "takes no secret")
	if strings.Contains(err.Error(), "t0p") {
		t.Error(err)
	}
}

func TestRunTimeErrors(t *testing.T) {
	r := start(t, `
play "p" {
  hosts = [for x in ["vm1", "vm1"] : "${x}"]
  probe "service" "a" {
    name = "svc/${self.name}"
  }
  probe "ds_computers" "b" {
    on         = "vm${probe.a.pid}"
    bios_uuids = [self.disks[0]]
    timeout    = self.rack == null ? "soon" : "1s"
  }
}
play "q" {
  hosts = [for x in group.guests : "z${x}"]
}
`)
	if got := r.target("p"); !slices.Equal(got.Hosts, []string{"vm1"}) {
		t.Errorf("hosts %v", got.Hosts)
	}
	_, err := r.pass.Play(r.play("q"))
	fails(t, err, ":14:11: ", `no host "zvm1"`)
	h := r.pass.Begin(r.play("p")).Host("vm1")
	_, err = h.Args(r.find("probe.a"))
	fails(t, err, ":5:12: ", "must be a name and not a path")
	_, err = h.Args(r.find("probe.b"))
	fails(t, err, ":9:", "self.disks is null")
	_, err = h.Settings(r.find("probe.b"))
	fails(t, err, ":8:", "cannot be known yet: it waits for p/probe.a")
	pid := 7
	h.Set(r.find("probe.a"), did(t, engine.StatusOK, serviceResult{PID: &pid}))
	_, err = h.Settings(r.find("probe.b"))
	fails(t, err, ":8:", `no host "vm7"`)
	pid = 2
	h.Set(r.find("probe.a"), did(t, engine.StatusOK, serviceResult{PID: &pid}))
	_, err = h.Settings(r.find("probe.b"))
	fails(t, err, ":10:18: ", `"soon" is no duration`)
}

// TestHostsAtOnce: hosts are evaluated by goroutines of their own, and share what is the same for all.
func TestHostsAtOnce(t *testing.T) {
	r := start(t, `
locals {
  objects = [for n in range(200) : { n = n, name = "vm${n}" }]
}
play "p" {
  hosts = group.guests
  step "service" "a" {
    when  = length(local.objects[*].n) == 200 && sum(local.objects[*].n) == 19900 && contains(local.objects[*].name, self.name) && self.name != ""
    name  = join(",", [for o in local.objects[*] : o.name if o.name == self.name])
    state = "started"
  }
}
`)
	r.locals(0)
	when, want := r.find("step.a"), "length(local.objects[*].n) = 200, sum(local.objects[*].n) = 19900, contains(local.objects[*].name, self.name) = true, self.name = "
	for range 20 {
		pass := r.program.Pass(r.inv, runVars)
		if err := pass.Locals(r.item(0).Locals); err != nil {
			t.Fatal(err)
		}
		scope := pass.Begin(r.play("p"))
		var wg sync.WaitGroup
		for _, name := range []string{"vm1", "vm2"} {
			wg.Go(func() {
				h := scope.Host(name)
				v, err := h.Eval(when.When, cty.NilVal)
				if err != nil || !v.True() || !strings.Contains(v.Why, want) {
					t.Errorf("%s: %+v %v", name, v, err)
				}
				a, err := h.Args(when)
				if err != nil || a.Module.(*service).Name != name {
					t.Errorf("%s: %+v %v", name, a, err)
				}
			})
		}
		wg.Wait()
	}
}

func TestForEachAtRunTime(t *testing.T) {
	r := start(t, `
play "p" {
  hosts = group.guests
  step "service" "before" {
    name  = "x"
    state = "started"
  }
  probe "service" "all" {
    for_each = { b = "B", a = "A" }
    name     = "${each.key}-${each.value}"
  }
  step "service" "late" {
    for_each = { for x in [step.before.pid] : "k" => x }
    name     = each.key
    note     = each.value
  }
  step "service" "unknown" {
    for_each = toset([step.before.status])
    name     = each.key
  }
  step "service" "absent" {
    for_each = self.disks
    name     = each.key
  }
  check "done" {
    condition     = probe.all["a"].running && !contains(keys(step.late), "k")
    error_message = "no"
  }
}`)
	h := r.pass.Begin(r.play("p")).Host("vm1")
	items, waits, err := h.Each(r.find("probe.all"))
	if err != nil || len(waits) > 0 || len(items) != 2 || items[0].Key != "a" || items[1].Key != "b" {
		t.Fatal(items, waits, err)
	}
	for _, item := range items {
		if got := r.args(item.Scope, r.find("probe.all")).Module.(*service).Name; got != item.Key+"-"+strings.ToUpper(item.Key) {
			t.Errorf("name %q", got)
		}
		item.Scope.Set(r.find("probe.all"), did(t, engine.StatusOK, serviceResult{Running: item.Key == "a"}))
	}
	if _, waits, err := h.Each(r.find("step.unknown")); err != nil || !slices.Equal(waits, []string{"p/step.before"}) {
		t.Error(waits, err)
	}
	if items, waits, err := h.Each(r.find("step.late")); err != nil || len(waits) > 0 || len(items) != 1 {
		t.Error("only the value is unknown, and not the key:", items, waits, err)
	}
	_, _, err = h.Each(r.find("step.absent"))
	fails(t, err, "for_each is null; self.disks is null")
	h.Set(r.find("step.late"), skipped(r.find("step.late"))) // as a whole
	if j, err := h.Judge(r.find("check.done").Check); err != nil || !j.OK {
		t.Error(j, err)
	}
}

package fidelity

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/dsplay/dsplay/modules"
)

// journey is one way from a playbook to what was done: plan, file, look again, apply.
type journey struct {
	*testing.T
	*estate
	dir      string
	playbook *engine.Playbook
	file     []byte         // of the plan
	read     *plan.Document // what the file says
	again    *plan.Document // what was decided when apply looked
	planRes, lookRes,
	result run.Result
	drift   []plan.Drift
	dropped []plan.Drift // by narrowing
	events  []engine.Event
	changed bool // somebody did something by hand before the plan was applied
	undo    func()
}

// travel plans, and applies what the file says, as the commands do.
func (j *journey) travel() {
	j.world.enter("plan")
	program := j.load(nil)
	j.playbook = program.Playbook()
	runner := j.runner(program, nowhere{})
	p, res, err := runner.Plan(j.Context())
	if err != nil {
		j.Fatalf("plan: %v", err)
	}
	_ = runner.Close()
	j.planRes = res
	j.file = j.encode(p, program)
	if j.read, err = plan.Read(j.file); err != nil {
		j.Fatalf("read: %v", err)
	}
	if again, err := j.read.Encode(); err != nil || !bytes.Equal(again, j.file) {
		j.Fatalf("the plan that was read is not the one that was written: %v", err)
	}
	if j.read.Stop != nil {
		return
	}
	j.world.change(j.drifts...)
	j.handiwork()
	j.apply()
}

// handiwork does by hand what the plan says will run on one host of one play.
func (j *journey) handiwork() {
	var lines []line
	var first plan.Item
	for _, i := range j.read.Items {
		if !j.byHand || i.Disposition != plan.WillRun || i.Kind != engine.EntryStep || i.Diff.Act != "" || i.Diff.Opaque {
			continue
		}
		if lines == nil {
			first = i
		}
		if i.Play == first.Play && i.Host == first.Host {
			for _, c := range i.Diff.Commands {
				lines = append(lines, line{host: i.On, text: c})
			}
		}
	}
	j.undo = j.world.hand(j.Context(), lines)
	j.changed = len(lines) > 0
}

// apply loads the playbook from the file, looks again, compares and acts. It acts even where the command would refuse: the
// envelope must hold whatever was compared.
func (j *journey) apply() {
	j.world.enter("look")
	var files []engine.File
	for _, f := range j.read.Playbook.Files {
		files = append(files, engine.File{Path: f.Path, Data: f.Data})
	}
	program := j.load(files)
	record := &recorder{}
	runner := j.runner(program, record)
	defer runner.Close()
	runner.Expect(identities(j.read))
	now, res, err := runner.Plan(j.Context())
	if err != nil {
		j.Fatalf("look again: %v", err)
	}
	j.lookRes = res
	if j.again, err = plan.Read(j.encode(now, program)); err != nil {
		j.Fatalf("read what was decided again: %v", err)
	}
	approved := j.read.Envelope(program.Playbook())
	j.drift = plan.Compare(approved, now)
	if len(j.drift) > 0 && !slices.ContainsFunc(j.drift, func(d plan.Drift) bool { return !d.Gone }) {
		approved.Narrow(j.drift)
		j.dropped = j.drift
	}
	if j.undone {
		j.undo()
	}
	j.world.change(j.late...)
	j.world.enter("apply")
	record.clear()
	j.result, err = runner.Apply(j.Context(), approved)
	if err != nil {
		j.Fatalf("apply: %v", err)
	}
	j.events = record.events
}

func identities(d *plan.Document) map[string]string {
	out := map[string]string{}
	for _, h := range d.Hosts {
		if h.Identity != "" {
			out[h.Name] = h.Identity
		}
	}
	return out
}

func (j *journey) load(files []engine.File) *lang.Program {
	path := filepath.Join(j.dir, "book.hcl")
	for name, text := range map[string]string{path: j.book, filepath.Join(j.dir, partName): partText} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			j.Fatal(err)
		}
	}
	program, problems := lang.Load(path, lang.Options{Modules: modules.All(), Inventory: j.inv, Files: files})
	if problems.Err() != nil {
		j.Fatalf("the grammar writes what cannot be loaded: %v", problems)
	}
	return program
}

func (j *journey) runner(program *lang.Program, record engine.Journal) *run.Runner {
	parallel := 0
	if j.seed%2 == 0 {
		parallel = 1
	}
	return run.New(run.Options{ID: "a-run", Program: program, Inventory: j.inv, Transports: map[string]engine.Transport{"wire": wire{j.world}},
		Journal: record, Clock: &clock{now: time.Now().Add(-24 * time.Hour)}, Parallel: parallel})
}

func (j *journey) encode(p *plan.Plan, program *lang.Program) []byte {
	head := plan.Document{Dsplay: "test", Until: p.Made.Add(time.Hour), Playbook: plan.Playbook{Path: "book.hcl"}}
	for _, f := range program.Files() {
		head.Playbook.Files = append(head.Playbook.Files, plan.NewFile(f))
	}
	for _, name := range j.inv.Names() {
		head.Hosts = append(head.Hosts, plan.Host{Name: name})
	}
	file, err := p.Document(head).Encode()
	if err != nil {
		j.Fatalf("encode: %v", err)
	}
	return file
}

// tell shows everything that is needed to understand a failure.
func (j *journey) tell() {
	j.Logf("seed %d (again: go test ./engine/fidelity -run Fidelity -seed %d -estates 1)\n%s", j.seed, j.seed, j.book)
	var b strings.Builder
	if j.read != nil {
		for _, i := range j.read.Items {
			fmt.Fprintf(&b, "%-11s %s@%s[%s] on %s %v %q %q %v waits %v\n", i.Disposition, i.Entry, i.Host, i.Item, i.On, i.Args, i.Diff.Commands, i.Reason, i.Unknown, i.Waits)
		}
		j.Logf("plan (stop %+v):\n%s", j.read.Stop, b.String())
	}
	j.Logf("between plan and apply: %v, by hand: %t; drift: %v; afterwards: %v, undone: %t\nworld:\n%s", j.drifts, j.changed, j.drift, j.late, j.undone, j.world)
	b.Reset()
	for _, e := range j.events {
		text := ""
		if e.Error != nil {
			text = e.Error.Text
		}
		fmt.Fprintf(&b, "%-11s %s@%s[%s] %s %q %q\n", e.Kind, cmp.Or(e.Entry, e.Play), e.Host, e.Item, e.Status, e.Reason, text)
	}
	j.Logf("apply:\n%s\nresult: %+v", b.String(), j.result)
}

// clock is a clock whose time passes while somebody waits, and then at once. It is far behind the real one, so that what
// was done in the world is younger than its intent.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond)
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(0, d))
	over := make(chan time.Time, 1)
	over <- c.now
	return over
}

type nowhere struct{}

func (nowhere) Append(engine.Event) error { return nil }

type recorder struct {
	mu     sync.Mutex
	events []engine.Event
}

func (r *recorder) Append(e engine.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	return nil
}

func (r *recorder) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = nil
}

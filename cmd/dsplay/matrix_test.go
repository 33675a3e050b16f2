package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/plan"
)

var updateMatrix = flag.Bool("update-matrix", false, "write docs/matrix.md and docs/looks.md anew")

// mix is one combination of generations.
type mix struct{ nsxv, soap, japanese, guestOps bool }

func (c mix) String() string {
	word := func(b bool, yes, no string) string {
		if b {
			return yes
		}
		return no
	}
	return word(c.nsxv, "V", "T") + "-" + word(c.soap, "SOAP", "REST") + "-" + word(c.japanese, "JA", "EN") + "-" + word(c.guestOps, "guest", "winrm")
}

func mixes() []mix {
	var all []mix
	for i := range 16 {
		all = append(all, mix{i&1 > 0, i&2 > 0, i&4 > 0, i&8 > 0})
	}
	return all
}

// pairs are the cells of a plain go test, in which every two values of two different generations meet at least once.
var pairs = []mix{{false, false, false, false}, {false, true, true, true}, {true, false, true, true}, {true, true, false, true}, {true, true, true, false}}

// TestMatrix: every fault of the lab in every combination of generations ends with the world healthy, or with the honest
// reason why not: by the world's truth, by what the systems received, and in words. What was received, the plan has said before.
func TestMatrix(t *testing.T) {
	t.Parallel()
	for _, c := range mixes() {
		for _, s := range scenesOf(c) {
			t.Run(c.String()+"/"+strings.ReplaceAll(s.name(), " ", "_"), func(t *testing.T) {
				t.Parallel()
				newOrdeal(t, c, s).run()
			})
		}
	}
}

// scene is what befalls one estate at the same time.
type scene struct {
	vars    []string
	rows    []row
	code    int
	company int // guests of driver-stopped besides, so that no threshold is reached
}

func (s scene) name() string {
	if len(s.rows) == 1 {
		return s.rows[0].name()
	}
	return strings.TrimSpace(fmt.Sprintf("%d faults %s", len(s.rows), strings.Join(s.vars, " ")))
}

// scenesOf puts rows together for which the same consent is given: those that heal, and those that fail on their own. What
// concerns everybody, or ends the run, stands alone, and only where generations that it can differ by are concerned.
func scenesOf(c mix) []scene {
	var all []scene
	at := map[string]int{}
	for i, r := range rows() {
		if !r.tried(c) || !everyCell && !r.turn(i, c) {
			continue
		}
		r = r.in(c)
		key := fmt.Sprint(r.estate, r.vars, r.code == exitUnreachable)
		if r.alone {
			key = r.name()
		}
		i, ok := at[key]
		if !ok {
			i, at[key] = len(all), len(all)
			all = append(all, scene{vars: r.vars})
		}
		all[i].rows = append(all[i].rows, r)
	}
	for i := range all {
		all[i].count()
	}
	slices.SortStableFunc(all, func(a, b scene) int { return len(b.rows) - len(a.rows) })
	return all
}

// count finds the code with which the rows end together, and how many guests more keep failures below the threshold of case_a (25 %).
func (s *scene) count() {
	failed, healed := 0, 0
	for _, r := range s.rows {
		switch {
		case s.code == exitOK || r.code == exitFailed:
			s.code = r.code
		}
		switch {
		case r.on == "guest" && r.code != exitOK:
			failed++
		case r.on == "guest" && len(r.acts["{guest}"]) > 0:
			healed++
		}
	}
	s.company = max(0, 3*failed-healed)
}

// tried tells whether a row has a place in a cell.
func (r row) tried(c mix) bool {
	return (!r.alone && r.differs == "" || r.concerns(c)) && !r.in(c).leftOut
}

// turn tells whether a cell is the one of pairs in which the i-th row is tried where not every one is.
func (r row) turn(i int, c mix) bool {
	var fit []mix
	for _, p := range pairs {
		if r.tried(p) {
			fit = append(fit, p)
		}
	}
	return len(fit) > 0 && fit[i%len(fit)] == c
}

// concerns tells whether a cell is one of those in which a row that stands alone is tried: all values of the generations that it
// may differ by, and each value of the others at least once, if there are two cells.
func (r row) concerns(c mix) bool {
	values := map[byte]bool{'N': c.nsxv, 'D': c.soap, 'L': c.japanese, 'G': c.guestOps}
	odd := len(r.faults)%2 == 1
	for _, letter := range []byte(r.differs) {
		odd = odd != values[letter]
	}
	for letter, v := range values {
		if !strings.Contains(r.differs, string(letter)) && v != odd {
			return false
		}
	}
	return true
}

const guestsEach = 4

// ordeal is one scene in one mix.
type ordeal struct {
	*testing.T
	*lab.Lab
	mix
	scene
	subjects []subject
	calm     lab.World // before anything happened
	before   lab.World // when the faults were there
	planned  *plan.Document
	plan     []lab.Received // while planning
	apply    []lab.Received // while applying
	events   []engine.Event
	text     string // what was said, in both passes
	ended    int
}

// subject is what a row is about in one estate.
type subject struct {
	row
	names map[string]string // esxi, dsva, guest, uuid and what else rows name in braces
}

func (s subject) fill(text string) string {
	for name, value := range s.names {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// newOrdeal starts an estate with a host for every row that takes one, and a guest for every other.
func newOrdeal(t *testing.T, c mix, s scene) *ordeal {
	hosts, guests := 0, s.company
	for _, r := range s.rows {
		switch r.on {
		case "esxi":
			hosts++
		case "guest":
			guests++
		}
	}
	o := lab.Options{Dir: filepath.Join(t.TempDir(), "lab"), Guests: guestsEach, Speed: 6000, NSXV: c.nsxv, NoREST: c.soap, Japanese: c.japanese, GuestOps: c.guestOps, Site: t.Name()}
	const ill = guestsEach - 1 // one stays well on a host with ill guests
	o.ESXi = max(3, hosts+(guests+ill-1)/ill+1)
	if s.rows[0].lab != nil {
		s.rows[0].lab(&o)
	}
	l, err := lab.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	m := &ordeal{T: t, Lab: l, mix: c, scene: s}
	impatient(t, l)
	if c.guestOps {
		m.strangers()
	}
	m.settle()
	m.calm = l.World()
	nextHost, nextGuest := 0, 0
	for range s.company {
		m.rows = append(m.rows, company)
	}
	for _, r := range m.rows {
		sub := subject{r, map[string]string{}}
		switch r.on {
		case "esxi":
			nextHost++
			sub.names["esxi"], sub.names["dsva"], sub.names["guest"] = fmt.Sprintf("esx%d", nextHost), fmt.Sprintf("dsva%d", nextHost), fmt.Sprintf("guest%d-1", nextHost)
		case "guest":
			host := hosts + 1 + nextGuest/ill
			sub.names["esxi"], sub.names["dsva"] = fmt.Sprintf("esx%d", host), fmt.Sprintf("dsva%d", host)
			sub.names["guest"] = fmt.Sprintf("guest%d-%d", host, 1+nextGuest%ill)
			nextGuest++
		}
		for _, g := range m.calm.Guests {
			if g.Name == sub.names["guest"] {
				sub.names["uuid"], sub.names["bios"] = g.UUID, g.BIOSUUID
			}
		}
		m.subjects = append(m.subjects, sub)
	}
	return m
}

// strangers gives the guests addresses, which nobody needs with guest operations: without them two estates would have the same
// guests, and lock each other.
func (m *ordeal) strangers() {
	e := estate{Lab: m.Lab, t: m.T}
	e.rewrite("inventory.hcl", func(text string) string {
		return noAddress.ReplaceAllString(text, "${1}  address = \"${2}."+filepath.Base(m.Dir())+"."+m.cell()+"\"\n${3}")
	})
}

var noAddress = regexp.MustCompile(`(?m)^(host "(guest[^"]+)" \{\n)(  groups )`)

// cell is a name of this estate that can be in an address.
func (m *ordeal) cell() string {
	sum := sha256.Sum256([]byte(m.Name()))
	return hex.EncodeToString(sum[:4])
}

// struck is what befell a host, for messages.
func (m *ordeal) struck(host string) string {
	for _, s := range m.subjects {
		if s.names[s.on] == host || s.names["guest"] == host || s.on == "esxi" && s.names["dsva"] == host {
			return host + " (" + s.name() + ")"
		}
	}
	return host
}

// settle waits until the DSM has noticed everything that heartbeats tell, and those that are missing.
func (m *ordeal) settle() {
	for range 4 {
		if err := m.WaitHeartbeat(m.Context()); err != nil {
			m.Fatal(err)
		}
	}
}

func (m *ordeal) run() {
	for _, s := range m.subjects {
		for _, f := range s.faults {
			name, target, _ := strings.Cut(f, "@")
			if err := m.Inject(name, s.fill(target)); err != nil {
				m.Fatal(err)
			}
		}
	}
	m.settle()
	m.before = m.World()
	m.heal()
	m.settle()
	m.judge()
	if m.Failed() {
		m.tell()
	}
}

// heal plans and applies, in this process.
func (m *ordeal) heal() {
	file := filepath.Join(m.TempDir(), "a.plan")
	args := []string{"plan", "../../playbooks/engine-offline.hcl", "--out", file, "--var", "poll=200ms", "--var", "patience=3s", "--var", "hang=1m", "--var", "busy=200ms"}
	for _, v := range slices.Concat(m.rows[0].times, m.vars) {
		args = append(args, "--var", v)
	}
	from := len(m.Received())
	_, said, code := m.dsplay(args...)
	m.text, m.ended = said, code
	m.plan = m.Received()[from:]
	if _, err := os.Stat(file); err != nil {
		m.planned = &plan.Document{Stop: &plan.Stop{Kind: "error", Reason: "there is no plan"}}
		return
	}
	if m.planned = readFile(m.T, file); m.planned.Stop != nil {
		return
	}
	from = len(m.Received())
	events0, said, code := m.dsplay("apply", file, "--json")
	m.apply = m.Received()[from:]
	m.events, m.text, m.ended = events(m.T, events0), m.text+said, code
}

// dsplay runs one command line.
func (m *ordeal) dsplay(args ...string) (stdout, said string, code int) {
	var out, err bytes.Buffer
	code = dsplay(append(args, "-i", filepath.Join(m.Dir(), "inventory.hcl")), os.Stdin, &out, &err)
	if args[0] == "plan" {
		return "", out.String() + err.String(), code
	}
	return out.String(), err.String(), code
}

// tell shows what is needed to understand a failure.
func (m *ordeal) tell() {
	m.Logf("faults: %v\n%s", m.World().Faults, m.text)
	for _, r := range slices.Concat(m.plan, m.apply) {
		if r.Mutates {
			m.Logf("%s received %s", r.Host, r.Text)
		}
	}
}

// Every fault that the lab knows is in the matrix, or it says why not.
func TestMatrixIsComplete(t *testing.T) {
	in := maps.Clone(elsewhere)
	for _, r := range rows() {
		for _, f := range r.faults {
			name, _, _ := strings.Cut(f, "@")
			in[name] = ""
		}
	}
	for _, f := range lab.Faults() {
		if _, ok := in[f.Name]; !ok {
			t.Errorf("the matrix does not know the fault %s: add a row to rows() in cmd/dsplay/matrixrows_test.go (which entry of engine-offline heals it, what is changed where, or the reason and the exit code), "+
				"or, if engine-offline has nothing to do with it, a line to elsewhere; then go test ./cmd/dsplay -run Matrix -update-matrix", f.Name)
		}
		delete(in, f.Name)
	}
	for name := range in {
		t.Errorf("the matrix has a fault %s, which the lab does not have", name)
	}
}

// The cells of go test -short: every two values of two different generations meet.
func TestMatrixPairs(t *testing.T) {
	values := func(c mix) []bool { return []bool{c.nsxv, c.soap, c.japanese, c.guestOps} }
	met := map[string]bool{}
	for _, c := range pairs {
		v := values(c)
		for i := range v {
			for j := range i {
				met[fmt.Sprint(i, v[i], j, v[j])] = true
			}
		}
	}
	if len(met) != 6*4 {
		t.Errorf("%d of 24 pairs meet", len(met))
	}
}

package plan

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Format is the version of the document that this dsplay writes. Within a major number fields are only added, and a
// reader ignores what it does not know; another major number is refused.
const Format = "1.0"

// Document is a plan as it is kept, approved and applied. docs/plan.schema.json describes its JSON.
// It holds no secret: whoever makes it hides them before.
type Document struct {
	ID string `json:"-"` // "sha256:…" over the bytes of the document; set by Encode and Read

	Format    string     `json:"format"`
	Dsplay    string     `json:"dsplay"` // version that made it
	Made      time.Time  `json:"made"`
	Until     time.Time  `json:"until"` // apply must have begun by then
	Planner   Planner    `json:"planner"`
	Offline   bool       `json:"offline,omitempty"` // nothing was contacted: it cannot be applied
	Playbook  Playbook   `json:"playbook"`
	Inventory Inventory  `json:"inventory"`
	Variables []Variable `json:"variables,omitempty"`
	Limit     []string   `json:"limit,omitempty"` // hosts; nil: no limit
	Tags      []string   `json:"tags,omitempty"`
	SkipTags  []string   `json:"skip_tags,omitempty"`
	Worst     Worst      `json:"worst"`
	Stop      *Stop      `json:"stop,omitempty"` // why there is nothing to apply; nil: there may be
	Plays     []Play     `json:"plays"`
	Checks    []Check    `json:"checks,omitempty"`
	Hosts     []Host     `json:"hosts"` // the estate, sorted by name
	Items     []Item     `json:"items"` // in the order of the playbook, then by host and item
}

// Planner is who made a plan.
type Planner struct {
	User string `json:"user"`
	Host string `json:"host"`
	// Keys are the SHA-256 fingerprints of the SSH keys that the planner could sign with: no approval counts that was
	// made with one of them.
	Keys []string `json:"keys,omitempty"`
}

// Playbook is what will be executed: apply loads it from here and not from the disk.
type Playbook struct {
	Path        string `json:"path"`
	Description string `json:"description,omitempty"`
	Impact      string `json:"impact,omitempty"`
	Backout     string `json:"backout,omitempty"`
	Files       []File `json:"files"`
}

// File is one file by its hash, and by its bytes where apply needs them.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Data   []byte `json:"data,omitempty"`
}

// NewFile is a file with its hash and bytes.
func NewFile(f engine.File) File {
	sum := sha256.Sum256(f.Data)
	return File{Path: f.Path, SHA256: hex.EncodeToString(sum[:]), Data: f.Data}
}

// Inventory is where the hosts came from. Apply reads it again: connections and secrets are not in a plan.
type Inventory struct {
	Path  string `json:"path"`
	Files []File `json:"files"` // without their bytes
}

// Variable is an input of the playbook. A secret one has no value.
type Variable struct {
	Name   string          `json:"name"`
	Type   json.RawMessage `json:"type,omitempty"`  // as cty writes types in JSON
	Value  json.RawMessage `json:"value,omitempty"` // of that type
	Secret string          `json:"secret,omitempty"`
	Origin string          `json:"origin"`
}

// Host is one of the estate, as it was when the plan was made.
type Host struct {
	Name       string          `json:"name"`
	Address    string          `json:"address,omitempty"`
	Groups     []string        `json:"groups,omitempty"`
	Connection string          `json:"connection,omitempty"` // type of its transport
	Via        string          `json:"via,omitempty"`        // what the way to it leads through: a proxy; empty: nothing
	Settings   string          `json:"settings,omitempty"`   // SHA-256 of the connection's settings, secrets by name
	Attributes json.RawMessage `json:"attributes,omitempty"`
	Identity   string          `json:"identity,omitempty"` // what it proved to be; empty: it was not contacted
	Looked     []Looked        `json:"looked,omitempty"`
}

// Looked is a command line or a request that planning sent to a host.
type Looked struct {
	Line  string `json:"line"`
	Times int    `json:"times"`
}

// Play is for whom a play was planned, and how. Numbers are fixed here, whatever becomes of the hosts.
type Play struct {
	Name        string   `json:"name"`
	Title       string   `json:"title,omitempty"`
	Place       string   `json:"place"`
	Acts        bool     `json:"acts,omitempty"` // a step is in it
	Hosts       []string `json:"hosts"`
	Waits       []string `json:"waits,omitempty"`   // its hosts are not known before these have run
	Batches     []int    `json:"batches,omitempty"` // sizes; the last one repeats. nil: all at once
	MaxFailures *int     `json:"max_failures,omitempty"`
	Window      string   `json:"window,omitempty"`
}

// Check is what a check said: one of the file, or one of a play on a host.
type Check struct {
	Name   string   `json:"name"`
	Play   string   `json:"play,omitempty"`
	Host   string   `json:"host,omitempty"`
	Place  string   `json:"place"`
	Status string   `json:"status"` // ok, failed, warning, depends
	Reason string   `json:"reason,omitempty"`
	Waits  []string `json:"waits,omitempty"`
}

// Stop is why planning ended early.
type Stop struct {
	Kind   string `json:"kind"` // check, threshold, signal, error, unknown
	Item   string `json:"item,omitempty"`
	Reason string `json:"reason"`
}

// Document puts what was planned into head, which says the rest: who, when, from what.
func (p *Plan) Document(head Document) *Document {
	items := p.Items()
	worst := p.Worst()
	p.mu.Lock()
	defer p.mu.Unlock()
	d := head
	d.Format, d.Made = Format, p.Made.UTC().Round(0)
	d.Plays, d.Checks, d.Stop, d.Items, d.Worst = p.plays, p.checks, p.stop, items, worst
	for i := range d.Hosts {
		h := &d.Hosts[i]
		h.Identity = p.identities[h.Name]
		for _, line := range slices.Sorted(maps.Keys(p.looked[h.Name])) {
			h.Looked = append(h.Looked, Looked{line, p.looked[h.Name][line]})
		}
	}
	d.Plays, d.Hosts, d.Playbook.Files, d.Inventory.Files = list(d.Plays), list(d.Hosts), list(d.Playbook.Files), list(d.Inventory.Files)
	for i := range d.Plays {
		d.Plays[i].Hosts = list(d.Plays[i].Hosts)
	}
	slices.SortFunc(d.Checks, func(a, b Check) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Host, b.Host))
	})
	return &d
}

// list is s, but never null in JSON.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Envelope is the plan of a document, for the playbook that was loaded from it.
func (d *Document) Envelope(pb *engine.Playbook) *Plan {
	p := New(pb, d.Made)
	for _, i := range d.Items {
		p.Add(i)
	}
	p.plays, p.checks, p.stop = d.Plays, d.Checks, d.Stop
	for _, h := range d.Hosts {
		if h.Identity != "" {
			p.Identify(h.Name, h.Identity)
		}
	}
	return p
}

const opening, middle, closing = `{"id":"`, `","plan":`, "}\n"

// Encode writes the file of a plan: one line, {"id":"sha256:…","plan":DOCUMENT}, in which the id is the SHA-256 of the
// bytes of DOCUMENT. The same document is always the same bytes: fields in the order of their declaration, no spaces.
func (d *Document) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return nil, fmt.Errorf("write the plan: %w", err)
	}
	body := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	d.ID = idOf(body)
	return wrapped(opening+d.ID+middle, body), nil
}

func wrapped(head string, body []byte) []byte {
	out := make([]byte, 0, len(head)+len(body)+len(closing))
	out = append(out, head...)
	out = append(out, body...)
	return append(out, closing...)
}

func idOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Altered says that a file is no plan, or not the one that was written.
type Altered struct{ Why string }

func (a *Altered) Error() string { return a.Why }

// Read takes the file of a plan, and refuses one that was altered and one of a format that it does not know. It does not
// tell whether anybody approved it: who alters a plan can also give it a new id, but not a new signature.
func Read(file []byte) (*Document, error) {
	id, body, ok := open(file)
	if !ok {
		return nil, &Altered{"this is no plan, or not all of it: a plan is one line as dsplay plan --out writes it"}
	}
	if now := idOf(body); now != id {
		return nil, &Altered{fmt.Sprintf("the plan was altered: it says that its id is %s, and it is %s", id, now)}
	}
	var version struct {
		Format string `json:"format"`
		Dsplay string `json:"dsplay"`
	}
	if err := json.Unmarshal(body, &version); err != nil {
		return nil, &Altered{"this is no plan: " + err.Error()}
	}
	if err := readable(version.Format, version.Dsplay); err != nil {
		return nil, err
	}
	d := &Document{ID: id}
	if err := json.Unmarshal(body, d); err != nil {
		return nil, &Altered{"this is no plan that this dsplay can read: " + err.Error()}
	}
	for _, f := range d.Playbook.Files { // what is executed is the bytes, what a policy permits is the hash
		if is := NewFile(engine.File{Data: f.Data}).SHA256; is != f.SHA256 {
			return nil, &Altered{fmt.Sprintf("the plan was altered: it says that %s has the hash %s, and it has %s", f.Path, f.SHA256, is)}
		}
	}
	return d, nil
}

// open takes the wrapping apart byte by byte: there is exactly one way to write it.
func open(file []byte) (id string, body []byte, ok bool) {
	const length = len("sha256:") + 2*sha256.Size
	rest, ok := bytes.CutPrefix(file, []byte(opening))
	if !ok || len(rest) < length {
		return "", nil, false
	}
	id = string(rest[:length])
	rest, ok = bytes.CutPrefix(rest[length:], []byte(middle))
	if !ok {
		return "", nil, false
	}
	body, ok = bytes.CutSuffix(rest, []byte(closing))
	return id, body, ok
}

func readable(format, made string) error {
	major, _, ok := strings.Cut(format, ".")
	n, err := strconv.Atoi(major)
	ours, _, _ := strings.Cut(Format, ".")
	switch {
	case !ok || err != nil:
		return &Altered{fmt.Sprintf("this is no plan: its format is %q", format)}
	case major != ours && strconv.Itoa(n) == major:
		return &Altered{fmt.Sprintf("the plan has format %s, made by dsplay %s; this dsplay reads format %s.x: plan again, or use that dsplay", format, made, ours)}
	}
	return nil
}

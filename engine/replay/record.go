// Package replay knows what a recorded run left: it reads the events of dsplay run --json, and tells them to a pass over the
// same playbook as if they happened now. Nothing is executed.
package replay

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/dsplay/dsplay/engine"
)

// Record is a recorded run.
type Record struct {
	Run      string       // its id
	Playbook string       // the path that it was started with
	Vars     []engine.Arg // the playbook's variables, as they may be shown
	Cut      bool         // it has no end: the run was killed, or goes on
	passes   map[string]map[string]*play
}

// play is what is recorded of a play in one pass.
type play struct {
	ended bool
	waits []string // for what its hosts wait: nobody knows them
	hosts map[string]*host
}

// host is what is recorded of a host in a play.
type host struct {
	end     *engine.Event
	entries map[string]map[string]engine.Event // the last end of an entry by address and item; item "" is the entry as a whole
}

// Read reads JSON lines. Of several runs one after the other the last one counts. A last line that is not whole is passed over.
func Read(from io.Reader) (*Record, error) {
	r := &Record{}
	in := bufio.NewReader(from)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		var e engine.Event
		if wrong := json.Unmarshal(line, &e); wrong != nil || e.V == 0 {
			if errors.Is(err, io.EOF) && n > 1 {
				break // the writer was killed
			}
			return nil, fmt.Errorf("line %d is no event of a run; dsplay run --json writes them to standard output", n)
		}
		if e.V > engine.EventVersion {
			return nil, fmt.Errorf("line %d: version %d of events; this dsplay knows %d", n, e.V, engine.EventVersion)
		}
		r.add(e)
	}
	if r.Run == "" {
		return nil, errors.New("there is no event in it; dsplay run --json writes them to standard output")
	}
	return r, nil
}

func (r *Record) add(e engine.Event) {
	if e.Run != r.Run {
		*r = Record{Run: e.Run, Cut: true, passes: map[string]map[string]*play{}}
	}
	switch e.Kind { //nolint:exhaustive // the others leave nothing
	case engine.EventRunStart:
		r.Playbook, r.Vars = e.Title, e.Args
	case engine.EventRunEnd:
		r.Cut = false
	case engine.EventPlayStart:
		r.play(e)
	case engine.EventEntryEnd:
		if e.Host != "" {
			r.play(e).host(e.Host).entry(e)
		}
	case engine.EventHostEnd:
		if e.Play != "" { // else it was only asked for others
			r.play(e).host(e.Host).end = &e
		}
	case engine.EventPlayEnd:
		r.play(e).ended, r.play(e).waits = true, e.Waits
	}
}

func (r *Record) play(e engine.Event) *play {
	if r.passes[e.Pass] == nil {
		r.passes[e.Pass] = map[string]*play{}
	}
	p := r.passes[e.Pass][e.Play]
	if p == nil {
		p = &play{hosts: map[string]*host{}}
		r.passes[e.Pass][e.Play] = p
	}
	return p
}

func (p *play) host(name string) *host {
	if p.hosts[name] == nil {
		p.hosts[name] = &host{entries: map[string]map[string]engine.Event{}}
	}
	return p.hosts[name]
}

func (h *host) entry(e engine.Event) {
	if h.entries[e.Entry] == nil {
		h.entries[e.Entry] = map[string]engine.Event{}
	}
	h.entries[e.Entry][e.Item] = e
}

// Pass is the pass that says most: "apply" when the run acted, else "plan".
func (r *Record) Pass() string {
	if r.passes["apply"] != nil {
		return "apply"
	}
	return "plan"
}

// Plays are the names of the plays that were begun in a pass, sorted.
func (r *Record) Plays(pass string) []string { return slices.Sorted(maps.Keys(r.passes[pass])) }

// Hosts are the names of the hosts that took part in a play ("": in any) of a pass, sorted.
func (r *Record) Hosts(pass, of string) []string {
	names := map[string]bool{}
	for name, p := range r.passes[pass] {
		for host := range p.hosts {
			if of == "" || of == name {
				names[host] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

package show

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// state is what was last seen of a host, as its colour on the picture.
type state string

// The states. The words of the probes are many; these are the colours.
const (
	stateUp      state = "up"
	stateDown    state = "down"
	stateAsleep  state = "asleep"
	stateUnknown state = "unknown"
)

var stateWords = map[string]state{
	"online": stateUp, "running": stateUp, "ok": stateUp, "started": stateUp, "active": stateUp, "up": stateUp,
	"offline": stateDown, "stopped": stateDown, "failed": stateDown, "down": stateDown, "inactive": stateDown,
	"off": stateAsleep, "asleep": stateAsleep, "suspended": stateAsleep, "poweredoff": stateAsleep,
}

// estate is the picture: virtualisation hosts as boxes with their guests in them, and the rest.
type estate struct {
	Boxes  []box
	Labels bool // there are few enough hosts for their names to stand in the picture
}

// box is an ESXi host, or the hosts that are on none (Host is nil).
type box struct {
	Host  *host
	Cells []*host
	Acts  int // cells that may be acted on
}

// labelled is up to how many hosts there is room for names.
const labelled = 150

// estate finds out which host is on which: by its attribute esxi, or by the values of a probe with an attribute esxi. An
// appliance without either is in the box of the one ESXi host that names it in an attribute.
func (p *page) estate() estate {
	parents := map[string]string{}
	boxes := map[string]*box{}
	for _, h := range p.All {
		if on := parent(h); on != "" && on != h.Name {
			parents[h.Name] = on
			boxes[on] = &box{Host: p.by[on]}
		}
	}
	for name, on := range p.named(boxes) {
		if _, ok := parents[name]; !ok && boxes[name] == nil {
			parents[name] = on
		}
	}
	rest := box{}
	for _, h := range p.All {
		switch b := boxes[parents[h.Name]]; {
		case b != nil:
			b.add(h)
		case boxes[h.Name] == nil:
			rest.add(h)
		}
	}
	e := estate{Labels: len(p.All) <= labelled}
	for _, name := range slices.SortedFunc(maps.Keys(boxes), natural) {
		b := boxes[name]
		if b.Host == nil { // the estate has a name for it only
			b.Host = &host{Host: plan.Host{Name: name}, State: stateUnknown}
		}
		e.Boxes = append(e.Boxes, *b)
	}
	if len(rest.Cells) > 0 {
		e.Boxes = append(e.Boxes, rest)
	}
	return e
}

func (b *box) add(h *host) {
	b.Cells = append(b.Cells, h)
	if h.touched() {
		b.Acts++
	}
}

// named gives the hosts that exactly one box names in an attribute.
func (p *page) named(boxes map[string]*box) map[string]string {
	by := map[string][]string{}
	for name := range boxes {
		h := p.by[name]
		if h == nil {
			continue
		}
		for _, value := range object(h.Attributes) {
			if text, ok := value.(string); ok && p.by[text] != nil && text != name {
				by[text] = added(by[text], name)
			}
		}
	}
	out := map[string]string{}
	for text, names := range by {
		if len(names) == 1 {
			out[text] = names[0]
		}
	}
	return out
}

// parent is the ESXi host on which a host was last seen, or "".
func parent(h *host) string {
	for _, i := range slices.Backward(h.Items) {
		if i.Kind != engine.EntryProbe || i.Values == "" {
			continue
		}
		if on, _ := object([]byte(i.Values))["esxi"].(string); on != "" {
			return on
		}
	}
	on, _ := object(h.Attributes)["esxi"].(string)
	return on
}

// stateOf is what the last probe with a state said of a host. One that sleeps or is off is nothing else, whatever is said of
// what runs in it.
func stateOf(h *host) state {
	last := state("")
	for _, i := range h.Items {
		if i.Kind != engine.EntryProbe || i.Values == "" {
			continue
		}
		values := object([]byte(i.Values))
		found, known := values["found"].(bool)
		if awake, ok := values["awake"].(bool); ok && !awake && (found || !known) {
			return stateAsleep
		}
		if text, ok := values["state"].(string); ok {
			last = stateUnknown
			if s, ok := stateWords[strings.ToLower(text)]; ok {
				last = s
			}
		}
	}
	if last != "" {
		return last
	}
	if power, _ := object(h.Attributes)["power"].(string); power == "poweredOff" || power == "suspended" {
		return stateAsleep
	}
	return stateUnknown
}

// object reads a JSON object; what is none is empty.
func object(text []byte) map[string]any {
	var out map[string]any
	if len(text) == 0 || json.Unmarshal(text, &out) != nil {
		return nil
	}
	return out
}

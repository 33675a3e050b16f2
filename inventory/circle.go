package inventory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// checkCircles refuses hosts of which each is reached through the next, and the last through the first.
func (m *Model) checkCircles(hosts map[string]*engine.Host) {
	done := map[string]bool{}
	for _, name := range sortedKeys(hosts) {
		m.follow(hosts, name, nil, done)
	}
}

// follow walks from a host to those that it needs; way are those before it.
func (m *Model) follow(hosts map[string]*engine.Host, name string, way []string, done map[string]bool) {
	if begin := slices.Index(way, name); begin >= 0 {
		circle := way[begin:]
		m.fail(m.current[circle[0]].place, "Way in a circle", fmt.Sprintf("The way to host %q leads in a circle: %s. A host that is reached directly says so in its own block, as with jump = [].",
			circle[0], strings.Join(append(slices.Clone(circle), name), " → ")))
		return
	}
	h := hosts[name]
	if done[name] || h == nil {
		return
	}
	if n, ok := h.Connection.Settings.(engine.Needer); ok {
		for _, need := range n.Needs() {
			m.follow(hosts, need.Host, append(slices.Clone(way), name), done)
		}
	}
	done[name] = true
}

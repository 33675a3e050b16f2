package dsm

import (
	"strconv"
	"time"
)

// job is the sending of a policy to one computer.
type job struct {
	computer    int
	began       time.Time
	done, could bool
}

// sendPolicy sends computers their policies. One that is off or out of touch cannot get it.
func (m *Manager) sendPolicy(ids ...int) {
	for _, id := range ids {
		m.mu.Lock()
		c := m.computers[id]
		n := len(m.jobs)
		c.PolicyAsked = time.Now()
		able := c.Power == On && !c.Silent
		m.jobs = append(m.jobs, job{computer: id, began: c.PolicyAsked, done: !able, could: able})
		m.mu.Unlock()
		if !able {
			continue
		}
		m.cfg.Background(func() {
			m.cfg.Policy(id)
			m.mu.Lock()
			defer m.mu.Unlock()
			m.jobs[n].done, c.PolicySent = true, time.Now()
		})
	}
}

// pending are the tasks that REST shows of a computer. Their names are not sourced.
func (m voice) pending(c Computer) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, j := range m.jobs {
		if j.computer == c.ID && !j.done {
			return []string{m.say("Sending Policy", "ポリシーの送信中")}
		}
	}
	return []string{}
}

func (m *Manager) hostUpdateNow(args node) ([]element, *exception) {
	ids, failure := m.hosts(args)
	if failure == nil {
		m.sendPolicy(ids...)
	}
	return []element{}, failure
}

// hostJobProgress counts what became of jobs that began since a time, of the kind UPDATE, which is the only one here.
func (m *Manager) hostJobProgress(args node) ([]element, *exception) {
	since, err := time.Parse(time.RFC3339Nano, args.value("sinceManagerTime"))
	if err != nil || args.value("type") != "UPDATE" {
		return nil, &exception{"ManagerValidationException", "The type or the time of the job is not valid."}
	}
	ids, failure := m.hosts(args)
	if failure != nil {
		return nil, failure
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[string]int{}
	for _, id := range ids {
		for _, j := range m.jobs {
			switch {
			case j.computer != id || j.began.Before(since.Truncate(time.Millisecond)):
			case !j.could:
				counts["unable"]++
			case j.done:
				counts["complete"]++
			default:
				counts["pending"]++
			}
		}
	}
	var fields []element
	for _, name := range []string{"complete", "error", "pending", "unable"} {
		fields = append(fields, leaf(name, strconv.Itoa(counts[name])))
	}
	return []element{tree("hostJobProgressReturn", fields...)}, nil
}

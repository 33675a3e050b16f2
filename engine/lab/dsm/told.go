package dsm

import "time"

// Heartbeat is an appliance talking to the manager: the engines of the guests that it sees, by ID.
func (m *Manager) Heartbeat(appliance int, engines map[int]bool, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.frozen {
		return
	}
	if c := m.computers[appliance]; c != nil {
		c.Reported, c.Silent = at, false
	}
	for id, online := range engines {
		if c := m.computers[id]; c != nil {
			c.Online, c.Reported, c.Silent = online, at, false
			m.noteErrors(c)
		}
	}
}

// Missed is the manager noticing that heartbeats of an appliance are missing. Communication times stay as they are.
func (m *Manager) Missed(appliance int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.computers {
		if !m.frozen && (c.ID == appliance || c.Appliance == appliance && c.Agentless) {
			c.Silent, c.cleared = true, false
		}
	}
}

// SetPower is the vCenter connector telling of a virtual machine; it needs no heartbeat.
func (m *Manager) SetPower(id int, power Power) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.computers[id]; c != nil && !m.frozen {
		c.Power = power
	}
}

// SetMember is the NSX manager telling whether a virtual machine is in the group that is protected.
func (m *Manager) SetMember(id int, member bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.computers[id]; c != nil && !m.frozen {
		c.Outside = !member
	}
}

// Move is the vCenter connector telling that a virtual machine runs on another host now.
func (m *Manager) Move(id, esxi, appliance int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.computers[id]; c != nil && !m.frozen {
		c.ESXi, c.Appliance = esxi, appliance
	}
}

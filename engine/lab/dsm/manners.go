package dsm

import "time"

// Manners are ways in which a real manager is unpleasant.
type Manners struct {
	SOAPOff       bool // the web service is switched off: 403
	Unlicensed    bool // updates fail for the licence
	ErrorsStay    bool // an error that was shown stays shown until somebody clears it
	ErrorsReturn  bool // an error that somebody cleared is shown again after the next heartbeat, whatever that says
	CallsPerLogin int  // a session ends after so many calls; 0: only when it is idle
	Crowded       bool // somebody else's sessions of the same users are at the limit
}

// Behave changes how the manager behaves until Clear.
func (m *Manager) Behave(change func(*Manners)) {
	m.mu.Lock()
	change(&m.manners)
	now := m.manners
	for _, c := range m.computers {
		m.noteErrors(c)
	}
	m.mu.Unlock()
	m.sessions.behave(now.CallsPerLogin, now.Crowded)
}

func (m *Manager) isSOAPOff() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.manners.SOAPOff
}

func (m *Manager) hasNoLicence() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.manners.Unlicensed
}

// noteErrors is a heartbeat about c. Its caller holds the lock.
func (m *Manager) noteErrors(c *Computer) {
	engineOff := c.protected() && c.Power == On && !c.Silent && !c.Online && !c.Reported.IsZero()
	c.erred = m.manners.ErrorsStay && (c.erred || engineOff) || m.manners.ErrorsReturn && (c.erred || engineOff || c.cleared)
	c.cleared = false
}

// Erred tells whether the manager shows an error of a computer that stays until somebody clears it.
func (m *Manager) Erred(id int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.computers[id]
	return c != nil && c.erred
}

// hostClearWarningsErrors takes away what is shown. What is still wrong is shown again with the next heartbeat.
func (m *Manager) hostClearWarningsErrors(args node) ([]element, *exception) {
	ids, failure := m.hosts(args)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		m.computers[id].erred, m.computers[id].cleared = false, true
	}
	return []element{}, failure
}

// Yesterday makes hostGetStatus go on answering what is known now, as it was heard age ago. Everything else is as it is.
func (m *Manager) Yesterday(age time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.yesterday = map[int]Computer{}
	for id, c := range m.computers {
		old := *c
		if !old.Reported.IsZero() {
			old.Reported = old.Reported.Add(-age)
		}
		m.yesterday[id] = old
	}
}

func (m *Manager) asOfYesterday(c Computer) Computer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.yesterday[c.ID]; ok {
		return old
	}
	return c
}

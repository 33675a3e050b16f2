package dsm

// text is one in the languages that a manager speaks.
type text struct{ english, japanese string }

// voice is the manager as one of its users reads it: texts are in the language that the account is set to.
type voice struct {
	*Manager
	japanese bool
}

// as is the manager for a user; "" is who comes with the API key.
func (m *Manager) as(user string) voice {
	if set, ok := m.cfg.Languages[user]; ok {
		return voice{m, set == "ja"}
	}
	return voice{m, m.cfg.Japanese}
}

func (m voice) say(english, japanese string) string {
	if m.japanese {
		return japanese
	}
	return english
}

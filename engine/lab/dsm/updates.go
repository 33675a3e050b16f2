package dsm

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// The system events of security updates, with the ids of Trend Micro's documents.
const (
	eventRequested = 273
	eventUpdated   = 2204
	eventFailed    = 2205
)

// Event is a system event.
type Event struct {
	ID          int // sequence number
	Number      int // of its kind: 2204 …
	Title       string
	Description string
	Target      int // ID of a computer; 0: none
	Time        time.Time
}

// Events are all of them, in order.
func (m *Manager) Events() []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Event{}, m.events...)
}

func (m *Manager) event(number, target int, description string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	title := map[int]string{
		eventRequested: m.say("Security Update: Security Update Check and Download Requested", "セキュリティアップデート: セキュリティアップデートの確認とダウンロード要求"),
		eventUpdated:   m.say("Security Update: Pattern Update on Agents/Appliances Successful", "セキュリティアップデート: Agent/Applianceでのパターンファイルのアップデート成功"),
		eventFailed:    m.say("Security Update: Pattern Update on Agents/Appliances Failed", "セキュリティアップデート: Agent/Applianceでのパターンファイルのアップデート失敗"),
	}[number]
	m.events = append(m.events, Event{len(m.events) + 1, number, title, description, target, time.Now()})
}

// update lets computers fetch their patterns, each by itself, through the relay; what became of it is an event.
func (m *Manager) update(ids ...int) {
	for _, id := range ids {
		m.event(eventRequested, id, "")
		m.cfg.Background(func() {
			c, _ := m.Computer(id)
			if c.Power != On || c.Silent {
				m.event(eventFailed, id, m.say("The computer cannot be reached.", "コンピュータに接続できません。"))
				return
			}
			version, err := m.cfg.Fetch(m.source())
			if err != nil {
				m.event(eventFailed, id, err.Error())
				return
			}
			m.event(eventUpdated, id, m.say("Pattern ", "パターン ")+version)
		})
	}
}

// scheduled is a task of REST v1, as far as a check for security updates needs it.
type scheduled struct {
	ID          int    `json:"ID"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Enabled     bool   `json:"enabled"`
	RunNow      bool   `json:"runNow"`
	LastRunTime int64  `json:"lastRunTime,omitempty"`
	Check       *struct {
		ComputerFilter struct {
			Type       string `json:"type"`
			ComputerID int    `json:"computerID"`
		} `json:"computerFilter"`
	} `json:"checkForSecurityUpdatesTaskParameters,omitempty"`
}

func (m *Manager) routeTasks(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/scheduledtasks", m.newTask)
	mux.HandleFunc("GET /api/scheduledtasks/{id}", func(w http.ResponseWriter, r *http.Request) { m.withTask(w, r, false) })
	mux.HandleFunc("DELETE /api/scheduledtasks/{id}", func(w http.ResponseWriter, r *http.Request) { m.withTask(w, r, true) })
}

func (m *Manager) newTask(w http.ResponseWriter, r *http.Request) {
	var t scheduled
	if err := json.NewDecoder(r.Body).Decode(&t); err != nil {
		refuse(w, http.StatusBadRequest, "Invalid request body: "+err.Error())
		return
	}
	if t.Type != "check-for-security-updates" || t.Check == nil || t.Check.ComputerFilter.Type != "computer" || !t.Enabled || !t.RunNow || t.Name == "" {
		refuse(w, http.StatusBadRequest, "This manager runs check-for-security-updates for one computer, now, and nothing else.")
		return
	}
	id := t.Check.ComputerFilter.ComputerID
	if c, ok := m.Computer(id); !ok || c.Kind == ESX {
		refuse(w, http.StatusBadRequest, "The computer does not exist.")
		return
	}
	m.mu.Lock()
	m.lastTask++
	t.ID, t.LastRunTime = m.lastTask, time.Now().UnixMilli()
	m.tasks[t.ID] = t
	m.mu.Unlock()
	m.update(id)
	reply(w, http.StatusOK, t)
}

func (m *Manager) withTask(w http.ResponseWriter, r *http.Request, remove bool) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tasks[id]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "The scheduled task does not exist.")
	case remove:
		delete(m.tasks, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		reply(w, http.StatusOK, t)
	}
}

// Tasks is how many scheduled tasks there are: a good client leaves none.
func (m *Manager) Tasks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.tasks)
}

// hostUpdateComponent is SOAP's way. Which type and id a real manager wants is not known; they do not matter here.
func (m *Manager) hostUpdateComponent(args node) ([]element, *exception) {
	var ids []int
	for _, text := range args.all("hostIDs") {
		id, err := strconv.Atoi(text)
		if c, ok := m.Computer(id); err != nil || !ok || c.Kind == ESX {
			return nil, &exception{"ManagerException", "There is no host with the ID " + text + "."}
		}
		ids = append(ids, id)
	}
	m.update(ids...)
	return []element{}, nil
}

// systemEventRetrieve knows the filters CUSTOM_RANGE and LAST_HOUR, ALL_HOSTS and SPECIFIC_HOST. eventIdFilter is taken for
// one of sequence numbers; the documents do not say.
func (m *Manager) systemEventRetrieve(args node) ([]element, *exception) {
	when, _ := args.child("timeFilter")
	hosts, _ := args.child("hostFilter")
	ids, _ := args.child("eventIdFilter")
	from, until := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if when.value("type") == "CUSTOM_RANGE" {
		var err1, err2 error
		from, err1 = time.Parse(time.RFC3339Nano, when.value("rangeFrom"))
		until, err2 = time.Parse(time.RFC3339Nano, when.value("rangeTo"))
		if err1 != nil || err2 != nil {
			return nil, &exception{"ManagerValidationException", "The range of the time filter is not valid."}
		}
	}
	after, _ := strconv.Atoi(ids.value("id"))
	items := []element{}
	for _, e := range m.Events() {
		switch {
		case e.Time.Before(from) || e.Time.After(until),
			hosts.value("type") == "SPECIFIC_HOST" && strconv.Itoa(e.Target) != hosts.value("hostID"),
			ids.value("operator") == "GREATER_THAN" && e.ID <= after:
			continue
		}
		target, _ := m.Computer(e.Target)
		items = append(items, tree("item", leaf("actionPerformedBy", "System"), leaf("description", e.Description), leaf("event", e.Title),
			leaf("eventID", e.Number), leaf("eventOrigin", "MANAGER"), leaf("managerHostname", "dsm1"), leaf("systemEventID", e.ID), leaf("tags", nil),
			leaf("target", target.Name), leaf("targetID", e.Target), leaf("targetType", "Computer"), leaf("time", soapTime(e.Time))))
	}
	return []element{tree("systemEventRetrieveReturn", tree("systemEvents", items...))}, nil
}

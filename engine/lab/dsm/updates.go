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

// logged is an event before somebody reads it in a language.
type logged struct {
	Event
	title, description text
}

// Events are all of them, in order.
func (m *Manager) Events() []Event { return m.as("").told() }

func (m voice) told() []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []Event{}
	for _, e := range m.events {
		e.Title, e.Description = m.say(e.title.english, e.title.japanese), m.say(e.description.english, e.description.japanese)
		list = append(list, e.Event)
	}
	return list
}

// titles are quoted from Trend Micro's documents in English, and for 2205 in Japanese.
var titles = map[int]text{
	eventRequested: {"Security Update: Security Update Check and Download Requested", "セキュリティアップデート: セキュリティアップデートの確認とダウンロード要求"},
	eventUpdated:   {"Security Update: Pattern Update on Agents/Appliances Successful", "セキュリティアップデート: Agent/Applianceでのパターンファイルのアップデート成功"},
	eventFailed:    {"Security Update: Pattern Update on Agents/Appliances Failed", "セキュリティアップデート: Agent/Applianceでのパターンファイルのアップデート失敗"},
}

func (m *Manager) event(number, target int, description text) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, logged{Event{ID: len(m.events) + 1, Number: number, Target: target, Time: time.Now()}, titles[number], description})
}

// update lets computers fetch their patterns, each by itself, through the relay; what became of it is an event.
func (m *Manager) update(ids ...int) {
	for _, id := range ids {
		m.event(eventRequested, id, text{})
		m.cfg.Background(func() {
			number, why := m.fetch(id)
			m.event(number, id, why)
		})
	}
}

// fetch gives the event of an update, and its text. How a manager words a licence that has ended is not sourced.
func (m *Manager) fetch(id int) (number int, why text) {
	c, _ := m.Computer(id)
	if c.Power != On || c.Silent {
		return eventFailed, text{"The computer cannot be reached.", "コンピュータに接続できません。"}
	}
	version, err := m.cfg.Fetch(m.source())
	switch {
	case m.hasNoLicence():
		return eventFailed, text{"The license for Anti-Malware has expired. Enter a new activation code.", "不正プログラム対策のライセンスの有効期限が切れています。新しいアクティベーションコードを入力してください。"}
	case err != nil:
		return eventFailed, text{err.Error(), err.Error()}
	}
	return eventUpdated, text{"Pattern " + version, "パターン " + version}
}

// scheduled is a task of REST v1, as far as the two kinds of it that are known here need it.
type scheduled struct {
	ID          int     `json:"ID"`
	Name        string  `json:"name"`
	Type        string  `json:"type"`
	Enabled     bool    `json:"enabled"`
	RunNow      bool    `json:"runNow"`
	LastRunTime int64   `json:"lastRunTime,omitempty"`
	Check       *filter `json:"checkForSecurityUpdatesTaskParameters,omitempty"`
	Policy      *filter `json:"sendPolicyTaskParameters,omitempty"`
}

type filter struct {
	ComputerFilter struct {
		Type       string `json:"type"`
		ComputerID int    `json:"computerID"`
	} `json:"computerFilter"`
}

// work is what a task does, and for which computer; nil: it is none that is known here.
func (t scheduled) work(m *Manager) (func(ids ...int), int) {
	f, do := t.Check, m.update
	if t.Type == "send-policy" {
		f, do = t.Policy, m.sendPolicy
	}
	if f == nil || t.Type != "send-policy" && t.Type != "check-for-security-updates" || f.ComputerFilter.Type != "computer" || !t.Enabled || !t.RunNow || t.Name == "" {
		return nil, 0
	}
	return do, f.ComputerFilter.ComputerID
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
	do, id := t.work(m)
	if do == nil {
		refuse(w, http.StatusBadRequest, "This manager runs check-for-security-updates and send-policy for one computer, now, and nothing else.")
		return
	}
	if c, ok := m.Computer(id); !ok || c.Kind == ESX {
		refuse(w, http.StatusBadRequest, "The computer does not exist.")
		return
	}
	m.mu.Lock()
	m.lastTask++
	t.ID, t.LastRunTime = m.lastTask, time.Now().UnixMilli()
	m.tasks[t.ID] = t
	m.mu.Unlock()
	do(id)
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
	ids, failure := m.hosts(args)
	if failure == nil {
		m.update(ids...)
	}
	return []element{}, failure
}

// hosts are the computers that an operation names with hostIDs.
func (m *Manager) hosts(args node) (ids []int, failure *exception) {
	for _, text := range args.all("hostIDs") {
		id, err := strconv.Atoi(text)
		if c, ok := m.Computer(id); err != nil || !ok || c.Kind == ESX {
			return nil, &exception{"ManagerException", "There is no host with the ID " + text + "."}
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// systemEventRetrieve knows the filters CUSTOM_RANGE and LAST_HOUR, ALL_HOSTS and SPECIFIC_HOST. eventIdFilter is taken for
// one of sequence numbers; the documents do not say.
func (m voice) systemEventRetrieve(args node) ([]element, *exception) {
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
	for _, e := range m.told() {
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

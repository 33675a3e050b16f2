package dsm

import (
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// operation answers one SOAP operation: the children of its response, or an exception with its text.
type operation struct {
	open bool // needs no session
	acts bool // changes something
	run  func(m voice, args node) ([]element, *exception)
}

type exception struct{ name, text string }

var operations = map[string]operation{
	"getApiVersion":      {true, false, func(voice, node) ([]element, *exception) { return result("getApiVersion", 3), nil }},
	"getManagerTime":     {true, false, managerTime},
	"authenticate":       {true, false, voice.authenticate},
	"authenticateTenant": {true, false, voice.authenticate},
	"endSession":         {true, false, voice.endSession},
	"hostRetrieveAll":    {false, false, voice.hostRetrieveAll},
	"hostRetrieveByName": {false, false, voice.hostRetrieveByName},
	"hostDetailRetrieve": {false, false, voice.hostDetailRetrieve},
	"hostGetStatus":      {false, false, voice.hostGetStatus},

	"systemSettingGet":    {false, false, voice.systemSettingGet},
	"systemSettingSet":    {false, true, voice.systemSettingSet},
	"hostUpdateComponent": {false, true, voice.hostUpdateComponent},
	"systemEventRetrieve": {false, false, voice.systemEventRetrieve},

	"hostClearWarningsErrors": {false, true, voice.hostClearWarningsErrors},
	"hostUpdateNow":           {false, true, voice.hostUpdateNow},
	"hostJobProgress":         {false, false, voice.hostJobProgress},
}

// soap serves /webservice/Manager: one operation per POST, chosen by the element in the body; SOAPAction does not matter.
func (m *Manager) soap(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		m.notFound(w, r)
		return
	}
	if m.isSOAPOff() {
		m.cfg.Record("", "SOAP, which is switched off", false)
		http.Error(w, "Forbidden", http.StatusForbidden)
		return
	}
	var request struct {
		Body node `xml:"Body"`
	}
	err := xml.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&request)
	if err != nil || len(request.Body.Children) == 0 {
		m.cfg.Record("", "SOAP that cannot be read", false)
		fault(w, exception{"", "The request is not a SOAP envelope."})
		return
	}
	call := request.Body.Children[0]
	name := call.XMLName.Local
	user := m.userOf(call)
	op, known := operations[name]
	m.cfg.Record(user, describe(call), !known || op.acts)
	switch {
	case !known:
		fault(w, exception{"ManagerException", "This manager does not support " + name + "."})
	case !op.open && user == "":
		fault(w, exception{"ManagerAuthenticationException", "The session is not valid, or it has expired."})
	default:
		children, failure := op.run(m.as(user), call)
		if failure != nil {
			fault(w, *failure)
			return
		}
		write(w, http.StatusOK, envelope(tree(name+"Response", children...), ` xmlns="urn:Manager"`))
	}
}

func (m *Manager) userOf(call node) string {
	if strings.HasPrefix(call.XMLName.Local, "authenticate") {
		return call.value("username")
	}
	user, _ := m.sessions.user(call.value("sID"))
	return user
}

// describe is an operation with its arguments, without passwords and session ids.
func describe(call node) string {
	var parts []string
	for _, c := range call.Children {
		switch name := c.XMLName.Local; {
		case slices.Contains([]string{"password", "sID"}, name):
		case len(c.Children) > 0:
			parts = append(parts, name+"={"+strings.TrimPrefix(describe(c), name+" ")+"}")
		default:
			parts = append(parts, name+"="+strings.TrimSpace(c.Text))
		}
	}
	return strings.TrimSpace(call.XMLName.Local + " " + strings.Join(parts, " "))
}

func (m *Manager) authenticate(args node) ([]element, *exception) {
	sID, failure := m.sessions.login(args.value("username"), args.value("password"))
	if failure != "" {
		return nil, &exception{failure, loginTexts[failure]}
	}
	return result(args.XMLName.Local, sID), nil
}

var loginTexts = map[string]string{
	"ManagerAuthenticationException": "The user name or password is not correct.",
	"ManagerLockoutException":        "The account is locked out.",
	"ManagerMaxSessionsException":    "The maximum number of sessions of this user is reached.",
}

func (m *Manager) endSession(args node) ([]element, *exception) {
	m.sessions.end(args.value("sID"))
	return []element{}, nil
}

func managerTime(voice, node) ([]element, *exception) {
	return result("getManagerTime", soapTime(time.Now())), nil
}

func result(op string, value any) []element { return []element{leaf(op+"Return", value)} }

func soapTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func fault(w http.ResponseWriter, e exception) {
	detail := []element{}
	if e.name != "" {
		detail = append(detail, tree("ns1:"+e.name))
	}
	body := tree("soapenv:Fault", leaf("faultcode", "soapenv:Server.userException"), leaf("faultstring", e.text), tree("detail", detail...))
	write(w, http.StatusInternalServerError, envelope(body, ` xmlns:ns1="urn:Manager"`))
}

func write(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "text/xml;charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

package dsmtest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type call struct {
	XMLName  xml.Name
	Text     string `xml:",chardata"`
	Children []call `xml:",any"`
}

func (c call) get(name string) string {
	for _, x := range c.Children {
		if x.XMLName.Local == name {
			return x.Text
		}
	}
	return ""
}

const lockedAfter = 5

func (s *Server) soap(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Body struct {
			Calls []call `xml:",any"`
		}
	}
	if err := xml.NewDecoder(r.Body).Decode(&request); err != nil || len(request.Body.Calls) != 1 {
		fault(w, "", "The request is not a SOAP envelope.")
		return
	}
	c := request.Body.Calls[0]
	op := c.XMLName.Local
	s.count(op)
	switch {
	case c.XMLName.Space != "urn:Manager":
		fault(w, "", "No such operation in "+c.XMLName.Space)
	case op == "authenticate" || op == "authenticateTenant":
		s.authenticate(w, c)
	case op == "getManagerTime" && s.NoDate:
		fault(w, "ManagerException", "The time cannot be told.")
	case op == "getManagerTime":
		answer(w, op, leaf(op+"Return", s.managerTime().Format("2006-01-02T15:04:05.000Z07:00")))
	case !s.valid(c.get("sID")):
		fault(w, "ManagerAuthenticationException", "The session is not valid.")
	case op == "endSession":
		delete(s.sessions, c.get("sID"))
		answer(w, op, "")
	case op == "hostDetailRetrieve":
		answer(w, op, s.details(c))
	case op == "hostGetStatus":
		s.status(w, c)
	default:
		fault(w, "ManagerException", "Not supported: "+op)
	}
}

// valid counts a call of a session, which ends with the one after PerLogin.
func (s *Server) valid(sID string) bool {
	if s.used == nil {
		s.used = map[string]int{}
	}
	if s.used[sID]++; s.PerLogin != 0 && s.used[sID] > s.PerLogin {
		delete(s.sessions, sID)
	}
	return s.sessions[sID]
}

func (s *Server) managerTime() time.Time {
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	return time.Now().Add(s.Ahead).In(zone)
}

func (s *Server) authenticate(w http.ResponseWriter, c call) {
	limit := s.MaxSessions
	if limit == 0 {
		limit = 10
	}
	switch {
	case s.failures >= lockedAfter:
		fault(w, "ManagerLockoutException", "The account is locked out.")
	case c.get("username") != s.User || c.get("password") != s.Password || c.get("tenantName") != s.Tenant:
		s.failures++
		fault(w, "ManagerAuthenticationException", "The user name or password is not correct.")
	case len(s.sessions) >= limit:
		fault(w, "ManagerMaxSessionsException", "The maximum number of sessions is reached.")
	default:
		s.serial++
		sID := fmt.Sprintf("SID%08d", s.serial)
		if s.failures = 0; s.sessions == nil {
			s.sessions = map[string]bool{}
		}
		s.sessions[sID] = true
		answer(w, c.XMLName.Local, leaf(c.XMLName.Local+"Return", sID))
	}
}

func (s *Server) details(c call) string {
	var b strings.Builder
	for _, x := range s.Computers {
		kind := "VM"
		if x.Protection == "is_appliance" {
			kind = "APPLIANCE"
		}
		uuid := leaf("virtualUuid", x.UUID)
		if s.UUIDsOnlyHigh && c.get("hostDetailLevel") != "HIGH" {
			uuid = `<virtualUuid xsi:nil="true"/>`
		}
		b.WriteString("<hostDetailRetrieveReturn>" + leaf("ID", strconv.Itoa(x.ID)) + leaf("name", x.Name) +
			leaf("displayName", x.Display) + leaf("hostType", kind) + uuid + "</hostDetailRetrieveReturn>")
	}
	b.WriteString("<hostDetailRetrieveReturn>" + leaf("ID", "5") + leaf("name", "esx1") + leaf("hostType", "ESX") + "</hostDetailRetrieveReturn>")
	return b.String()
}

func (s *Server) status(w http.ResponseWriter, c call) {
	for _, x := range s.Computers {
		if strconv.Itoa(x.ID) == c.get("id") {
			answer(w, "hostGetStatus", "<hostGetStatusReturn>"+s.transport(x)+"</hostGetStatusReturn>")
			return
		}
	}
	fault(w, "ManagerValidationException", "There is no host with this ID.")
}

func (s *Server) transport(c Computer) string {
	said := s.words(c)
	kind := "APPLIANCE"
	switch c.Protection {
	case "agent", "is_appliance":
		kind = "AGENT"
	case "none":
		kind = "NONE"
	}
	heard := `<lastSuccessfulCommunication xsi:nil="true"/>`
	if at := s.heard(c); !at.IsZero() {
		heard = leaf("lastSuccessfulCommunication", s.stamp(at))
	}
	return leaf("applianceName", c.Appliance) + leaf("esxServerName", c.ESXi) + leaf("overallStatus", said.general) +
		"<protectionStatusTransports><item>" + leaf("protectionType", kind) + leaf("state", said.state) + leaf("status", said.general) +
		leaf("antiMalwareStatus", said.malware) + heard + "</item></protectionStatusTransports>"
}

// stamp writes a time without a zone where the manager has one of its own.
func (s *Server) stamp(at time.Time) string {
	if s.Zone != nil {
		return at.In(s.Zone).Format("January 2, 2006 15:04:05")
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}

func leaf(name, text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text))
	return "<ns1:" + name + ">" + b.String() + "</ns1:" + name + ">"
}

func answer(w http.ResponseWriter, op, body string) {
	envelope(w, http.StatusOK, "<ns1:"+op+"Response>"+body+"</ns1:"+op+"Response>")
}

func fault(w http.ResponseWriter, name, text string) {
	detail := ""
	if name != "" {
		detail = `<detail><` + name + ` xmlns="urn:Manager"/></detail>`
	}
	envelope(w, http.StatusInternalServerError, "<soapenv:Fault><faultcode>soapenv:Server.userException</faultcode><faultstring>"+text+"</faultstring>"+detail+"</soapenv:Fault>")
}

func envelope(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "text/xml;charset=utf-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprint(w, `<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" `+
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ns1="urn:Manager"><soapenv:Body>`+body+`</soapenv:Body></soapenv:Envelope>`)
}

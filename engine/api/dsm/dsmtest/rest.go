package dsmtest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
)

func (s *Server) rest(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-DSM-Version", "20.0.737")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case s.Busy > 0:
		s.Busy--
		w.Header().Set("Retry-After", "0")
		say(w, http.StatusTooManyRequests, "Too many API requests.")
	case r.Header.Get("api-version") != "v1" || r.Method != http.MethodPost:
		say(w, http.StatusBadRequest, "The api-version header is missing.")
	case r.Header.Get("api-secret-key") != s.Key:
		say(w, http.StatusForbidden, "Not authorized to view computers.")
	default:
		s.search(w, r)
	}
}

func say(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	var filter struct {
		MaxItems       int
		SearchCriteria []struct {
			IDTest  string
			IDValue int
		}
	}
	text, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(text, &filter); err != nil || len(filter.SearchCriteria) != 1 || filter.SearchCriteria[0].IDTest != "greater-than" {
		say(w, http.StatusBadRequest, "The search filter is not valid.")
		return
	}
	limit := filter.MaxItems
	if s.PageCap > 0 {
		limit = min(limit, s.PageCap)
	}
	sorted := slices.SortedFunc(slices.Values(s.Computers), func(a, b Computer) int { return a.ID - b.ID })
	list := []any{}
	for _, c := range sorted {
		if c.ID > filter.SearchCriteria[0].IDValue && len(list) < limit {
			list = append(list, s.view(c, r.URL.Query()["expand"]))
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"computers": list})
}

func (s *Server) view(c Computer, expand []string) map[string]any {
	said := s.words(c)
	v := map[string]any{"ID": c.ID, "hostName": c.Name, "displayName": c.Display, "biosUUID": c.UUID,
		"agentFingerPrint": nil, "applianceFingerPrint": nil, "platform": "Microsoft Windows Server 2016 (64 bit)"}
	none := words{enum: "inactive"}
	agent, appliance := none, none
	switch c.Protection {
	case "agent":
		v["agentFingerPrint"], agent = "AA:01", said
	case "is_appliance":
		v["agentFingerPrint"], v["platform"], agent = "AA:02", "Deep Security Virtual Appliance (64 bit)", said
	case "none":
	default:
		v["applianceFingerPrint"], appliance = "A1:B2", said
		if at := s.heard(c); !at.IsZero() {
			v["lastApplianceCommunication"] = at.UnixMilli()
		}
	}
	if slices.Contains(expand, "computerStatus") {
		v["computerStatus"] = map[string]any{"agentStatus": agent.enum, "agentStatusMessages": []string{agent.general},
			"applianceStatus": appliance.enum, "applianceStatusMessages": []string{appliance.general}}
	}
	if slices.Contains(expand, "antiMalware") {
		v["antiMalware"] = map[string]any{"state": said.configured, "moduleStatus": map[string]any{
			"agentStatus": agent.enum, "agentStatusMessage": agent.malware,
			"applianceStatus": appliance.enum, "applianceStatusMessage": appliance.malware}}
	}
	if slices.Contains(expand, "vmwareVMVirtualMachineSummary") {
		v["vmwareVMVirtualMachineSummary"] = map[string]any{"state": s.power(c), "biosUUID": c.UUID, "NSXSecurityGroups": []string{"DS-Protected"}}
	}
	maps.Copy(v, c.REST)
	maps.DeleteFunc(v, func(name string, x any) bool { _, set := c.REST[name]; return set && x == nil })
	return v
}

// power is a display text. A guest in standby is powered on, as in vCenter.
func (s *Server) power(c Computer) string {
	switch c.Power {
	case "off":
		return s.say("Powered Off", "パワーオフ")
	case "suspended":
		return s.say("Suspended", "サスペンド")
	}
	return s.say("Powered On", "パワーオン")
}

package dsm

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const maxBody = 1 << 20

// rest serves /api/. Every path below it wants api-version and api-secret-key before anything else.
func (m *Manager) rest() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/computers", m.listComputers)
	mux.HandleFunc("POST /api/computers/search", m.searchComputers)
	mux.HandleFunc("GET /api/computers/{id}", m.oneComputer)
	mux.HandleFunc("POST /api/computers/{id}", m.forbidden)
	mux.HandleFunc("DELETE /api/computers/{id}", m.forbidden)
	m.routeSettings(mux)
	m.routeTasks(mux)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "The requested resource does not exist.")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody))
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		w.Header().Set("X-DSM-Version", m.cfg.Version)
		m.recordREST(r, string(body))
		if m.admit(w, r) {
			mux.ServeHTTP(w, r)
		}
	})
}

// recordREST writes down what came. Everything but GET and a search is an attempt to change something,
// whether or not this manager allows it.
func (m *Manager) recordREST(r *http.Request, body string) {
	user, text := "", r.Method+" "+r.URL.RequestURI()
	if r.Header.Get("api-secret-key") != "" {
		user = "api-key"
	}
	if body != "" {
		text += " " + body
	}
	search := r.Method == http.MethodPost && r.URL.Path == "/api/computers/search"
	m.cfg.Record(user, text, r.Method != http.MethodGet && !search)
}

func (m *Manager) admit(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.Header.Get("api-version") != "v1":
		refuse(w, http.StatusBadRequest, "The api-version header is missing or not supported.")
	case r.Header.Get("api-secret-key") != m.cfg.APIKey:
		m.sessions.wrongKey()
		refuse(w, http.StatusForbidden, "Not authorized to access the requested resource.")
	case m.tooBusy():
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, "Too many API requests.")
	default:
		return true
	}
	return false
}

func (m *Manager) tooBusy() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	return m.busy > 0 && m.calls%m.busy == 0
}

func (m *Manager) forbidden(w http.ResponseWriter, _ *http.Request) {
	refuse(w, http.StatusForbidden, "Not authorized to modify the computer, or the requested modification is not permitted.")
}

func (m *Manager) listComputers(w http.ResponseWriter, r *http.Request) {
	m.answer(w, r, m.Computers())
}

func (m *Manager) searchComputers(w http.ResponseWriter, r *http.Request) {
	var filter searchFilter
	if err := json.NewDecoder(r.Body).Decode(&filter); err != nil && err != io.EOF {
		refuse(w, http.StatusBadRequest, "Invalid request body: "+err.Error())
		return
	}
	found, err := filter.apply(m.Computers())
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	m.answer(w, r, found)
}

func (m *Manager) oneComputer(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	c, ok := m.Computer(id)
	if err != nil || !ok {
		refuse(w, http.StatusNotFound, "The computer does not exist.")
		return
	}
	expand, err := expansion(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, http.StatusOK, m.as("").view(c, expand))
}

func (m *Manager) answer(w http.ResponseWriter, r *http.Request, list []Computer) {
	expand, err := expansion(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	views := make([]computerView, len(list))
	for i, c := range list {
		views[i] = m.as("").view(c, expand)
	}
	reply(w, http.StatusOK, map[string]any{"computers": views})
}

var expandable = []string{"none", "all", "computerStatus", "tasks", "securityUpdates", "computerSettings", "allSecurityModules",
	"antiMalware", "webReputation", "activityMonitoring", "firewall", "intrusionPrevention", "integrityMonitoring", "logInspection",
	"applicationControl", "SAP", "interfaces", "ESXSummary", "allVirtualMachineSummaries", "azureARMVirtualMachineSummary",
	"azureVMVirtualMachineSummary", "ec2VirtualMachineSummary", "noConnectorVirtualMachineSummary", "vmwareVMVirtualMachineSummary",
	"vcloudVMVirtualMachineSummary", "workspaceVirtualMachineSummary", "gcpVirtualMachineSummary"}

// expansion says which parts were asked for; without the parameter DSM gives all of them.
func expansion(r *http.Request) (func(part string, also ...string) bool, error) {
	asked := r.URL.Query()["expand"]
	for _, a := range asked {
		if !slices.Contains(expandable, a) {
			return nil, fmt.Errorf("invalid value for the expand parameter: %s", a)
		}
	}
	return func(part string, also ...string) bool {
		return len(asked) == 0 || slices.ContainsFunc(append(also, "all", part), func(s string) bool { return slices.Contains(asked, s) })
	}, nil
}

func refuse(w http.ResponseWriter, code int, message string) {
	reply(w, code, map[string]string{"message": message})
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

package nsx

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

type object = map[string]any

type jsonError struct {
	Status  string `json:"httpStatus"`
	Code    int    `json:"error_code"`
	Module  string `json:"module_name"`
	Message string `json:"error_message"`
}

// routesT is NSX-T.
func (m *Manager) routesT() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/session/create", m.createSession)
	mux.HandleFunc("POST /api/session/destroy", func(_ http.ResponseWriter, r *http.Request) { m.access.end(r) })
	mux.HandleFunc("GET /api/v1/fabric/virtual-machines", m.listMachines)
	mux.HandleFunc("POST /api/v1/fabric/virtual-machines", m.tagMachine)
	mux.HandleFunc("POST /policy/api/v1/infra/realized-state/virtual-machines/{vm}/tags", m.replaceTags)
	mux.HandleFunc("GET /policy/api/v1/infra/domains/default/groups", m.listGroups)
	mux.HandleFunc("GET /policy/api/v1/infra/domains/default/groups/{group}/members/virtual-machines", m.listMembers)
	m.routesHealthT(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		m.refuse(w, http.StatusNotFound, 404, "The path "+r.URL.Path+" was not found on this manager.")
	})
	return mux
}

// createSession: the form j_username, j_password gives a cookie and a token; the exact shape is not sourced.
func (m *Manager) createSession(w http.ResponseWriter, r *http.Request) {
	user := r.PostFormValue("j_username")
	if !m.access.login(user, r.PostFormValue("j_password")) {
		m.intruder(w)
		return
	}
	id, token := m.access.open(user)
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: id, Path: "/", Secure: true, HttpOnly: true})
	w.Header().Set("X-XSRF-TOKEN", token)
}

func (m *Manager) listMachines(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var found []object
	for _, x := range m.machines {
		if q.Has("external_id") && x.InstanceUUID != q.Get("external_id") {
			continue // without looking at thousands
		}
		v := m.viewT(x)
		fits := func(parameter, field string) bool { return !q.Has(parameter) || v[field] == q.Get(parameter) }
		if fits("display_name", "display_name") && fits("host_id", "host_id") {
			found = append(found, v)
		}
	}
	m.page(w, r, found)
}

// page answers a list. The cursor is opaque to clients; here it is where the next page begins.
func (m *Manager) page(w http.ResponseWriter, r *http.Request, all []object) {
	q := r.URL.Query()
	size := m.cfg.Page
	if asked, err := strconv.Atoi(q.Get("page_size")); err == nil && asked > 0 {
		size = min(size, asked)
	}
	begin := 0
	if q.Has("cursor") {
		var err error
		if begin, err = strconv.Atoi(q.Get("cursor")); err != nil || begin < 0 || begin > len(all) {
			m.refuse(w, http.StatusBadRequest, 260, "Invalid cursor.")
			return
		}
	}
	end := min(begin+size, len(all))
	answer := object{"results": slices.Concat([]object{}, all[begin:end]), "result_count": len(all)}
	if end < len(all) {
		answer["cursor"] = strconv.Itoa(end)
	}
	writeJSON(w, http.StatusOK, answer)
}

func (m *Manager) viewT(x *machine) object {
	name, on := m.cfg.State(x.InstanceUUID)
	host := m.hostNamed(name)
	v := object{"resource_type": "VirtualMachine", "external_id": x.InstanceUUID, "display_name": x.Name, "type": "REGULAR", "power_state": "VM_STOPPED",
		"host_id": host.ID, "source": object{"target_id": host.ID, "target_display_name": host.Name, "target_type": "HostNode"},
		"local_id_on_host": x.Ref, "compute_ids": []string{"moIdOnHost:" + x.Ref, "instanceUuid:" + x.InstanceUUID, "biosUuid:" + x.BIOSUUID}}
	if on {
		v["power_state"] = "VM_RUNNING"
	}
	if x.Service {
		v["type"] = "SERVICE"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if tags := m.read(x); len(tags) > 0 { // a machine without tags has no such field
		list := make([]object, len(tags))
		for i, t := range tags {
			list[i] = object{"scope": t.Scope, "tag": t.Name}
		}
		v["tags"] = list
	}
	return v
}

// tagging is the body of a change of tags.
type tagging struct {
	ExternalID string `json:"external_id"`
	MachineID  string `json:"virtual_machine_id"`
	Tags       []struct {
		Scope string `json:"scope"`
		Tag   string `json:"tag"`
	} `json:"tags"`
}

func (b tagging) tags() (tags []Tag) {
	for _, t := range b.Tags {
		tags = append(tags, Tag{t.Scope, t.Tag})
	}
	return tags
}

// tagMachine: add_tags adds, remove_tags removes, update_tags replaces all that there are.
func (m *Manager) tagMachine(w http.ResponseWriter, r *http.Request) {
	changes := map[string]func(now, given []Tag) []Tag{
		"add_tags":    func(now, given []Tag) []Tag { return with(now, given...) },
		"remove_tags": func(now, given []Tag) []Tag { return without(now, given...) },
		"update_tags": func(_, given []Tag) []Tag { return given },
	}
	f := changes[r.URL.Query().Get("action")]
	if f == nil {
		m.refuse(w, http.StatusBadRequest, 255, "Invalid value for the parameter action.")
		return
	}
	m.setTags(w, r, func(b tagging) string { return b.ExternalID }, f)
}

// replaceTags is the Policy API, which replaces all tags, too.
func (m *Manager) replaceTags(w http.ResponseWriter, r *http.Request) {
	m.setTags(w, r, func(tagging) string { return r.PathValue("vm") }, func(_, given []Tag) []Tag { return given })
}

const mostTags = 30 // of one object

func (m *Manager) setTags(w http.ResponseWriter, r *http.Request, which func(tagging) string, f func(now, given []Tag) []Tag) {
	var body tagging
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		m.refuse(w, http.StatusBadRequest, 220, "The request body is no valid JSON.")
		return
	}
	m.mu.Lock()
	x := m.byUUID[which(body)]
	many := x != nil && len(f(slices.Clone(x.now()), body.tags())) > mostTags
	m.mu.Unlock()
	switch {
	case x == nil:
		m.refuse(w, http.StatusNotFound, 600, "The requested object : "+which(body)+" could not be found. Object identifiers are case sensitive.")
	case many:
		m.refuse(w, http.StatusBadRequest, 289, "An object has at most 30 tags.")
	default:
		m.change(x, func(now []Tag) []Tag { return f(now, body.tags()) })
		w.WriteHeader(http.StatusNoContent)
	}
}

func (m *Manager) listGroups(w http.ResponseWriter, r *http.Request) {
	value := m.cfg.Membership.Scope + "|" + m.cfg.Membership.Name
	m.page(w, r, []object{{"resource_type": "Group", "id": m.cfg.Group, "display_name": m.cfg.Group, "path": "/infra/domains/default/groups/" + m.cfg.Group,
		"expression": []object{{"resource_type": "Condition", "member_type": "VirtualMachine", "key": "Tag", "operator": "EQUALS", "value": value}}}})
}

func (m *Manager) listMembers(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("group") != m.cfg.Group {
		m.refuse(w, http.StatusNotFound, 500030, "The group "+r.PathValue("group")+" does not exist.")
		return
	}
	var found []object
	for _, x := range m.machines {
		if m.Member(x.InstanceUUID) {
			found = append(found, object{"id": x.InstanceUUID, "display_name": x.Name, "external_id": x.InstanceUUID})
		}
	}
	m.page(w, r, found)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

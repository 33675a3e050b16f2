package nsx

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

type xmlError struct {
	XMLName xml.Name `xml:"error"`
	Details string   `xml:"details"`
	Code    int      `xml:"errorCode"`
	Module  string   `xml:"moduleName"`
}

// defineTags gives the tags their ids.
func (m *Manager) defineTags() {
	m.ids = map[Tag]string{}
	for _, t := range append([]Tag{m.cfg.Membership}, m.cfg.Defined...) {
		if m.ids[t] == "" {
			m.ids[t] = fmt.Sprintf("securitytag-%d", 10+len(m.ids))
		}
	}
}

const tagsPath = "/api/2.0/services/securitytags/"

// routesV is NSX-V.
func (m *Manager) routesV() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+tagsPath+"tag", m.listTags)
	mux.HandleFunc("GET "+tagsPath+"tag/{tag}/vmDetail", m.listTagged)
	mux.HandleFunc("PUT "+tagsPath+"tag/{tag}/vm/{vm}", m.attach)
	mux.HandleFunc("DELETE "+tagsPath+"tag/{tag}/vm/{vm}", m.attach)
	mux.HandleFunc("POST "+tagsPath+"tag/{tag}/vm", m.attachBy)
	mux.HandleFunc("GET "+tagsPath+"vm/{vm}", m.tagsOf)
	mux.HandleFunc("POST "+tagsPath+"vm/{vm}", m.assign)
	mux.HandleFunc("GET /api/2.0/services/securitygroup/lookup/virtualmachine/{vm}", m.groupsOf)
	m.routesHealthV(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		m.refuse(w, http.StatusNotFound, 404, "The path "+r.URL.Path+" was not found on this manager.")
	})
	return mux
}

type xmlTag struct {
	XMLName  xml.Name `xml:"securityTag"`
	ID       string   `xml:"objectId"`
	TypeName string   `xml:"objectTypeName"`
	Revision int      `xml:"revision"`
	Type     string   `xml:"type>typeName"`
	Name     string   `xml:"name"`
	Text     string   `xml:"description"`
	Extended string   `xml:"extendedAttributes"`
	Global   bool     `xml:"isUniversal"`
	System   bool     `xml:"systemResource"`
	Machines int      `xml:"vmCount"`
}

type xmlTags struct {
	XMLName xml.Name `xml:"securityTags"`
	Tags    []xmlTag
}

// tagList wants tags that fit.
func (m *Manager) tagList(fits func(Tag) bool) xmlTags {
	var list xmlTags
	for t, id := range m.ids {
		if fits(t) {
			list.Tags = append(list.Tags, xmlTag{ID: id, TypeName: "SecurityTag", Type: "SecurityTag", Name: t.Name,
				System: strings.HasPrefix(t.Name, "ANTI_VIRUS.") || strings.HasPrefix(t.Name, "IDS_IPS."), Machines: len(m.tagged(t))})
		}
	}
	slices.SortFunc(list.Tags, func(a, b xmlTag) int { return strings.Compare(a.ID, b.ID) })
	return list
}

func (m *Manager) listTags(w http.ResponseWriter, _ *http.Request) {
	writeXML(w, http.StatusOK, m.tagList(func(Tag) bool { return true }))
}

func (m *Manager) tagged(t Tag) (list []*machine) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, x := range m.machines {
		if slices.Contains(m.read(x), t) {
			list = append(list, x)
		}
	}
	return list
}

// tag finds the tag of a path; ok is false when the request was refused.
func (m *Manager) tag(w http.ResponseWriter, id string) (Tag, bool) {
	for t, known := range m.ids {
		if known == id {
			return t, true
		}
	}
	m.missing(w, id)
	return Tag{}, false
}

func (m *Manager) missing(w http.ResponseWriter, id string) {
	m.refuse(w, http.StatusNotFound, 202, "The requested object : "+id+" could not be found. Object identifiers are case sensitive.")
}

type xmlAttached struct {
	XMLName  xml.Name `xml:"attachedVM"`
	ID       string   `xml:"objectId"`
	TypeName string   `xml:"objectTypeName"`
	Name     string   `xml:"name"`
	Instance string   `xml:"instanceUUID"`
	BIOS     string   `xml:"biosUUID"`
}

func (m *Manager) listTagged(w http.ResponseWriter, r *http.Request) {
	t, ok := m.tag(w, r.PathValue("tag"))
	if !ok {
		return
	}
	var list struct {
		XMLName xml.Name `xml:"attachedVMList"`
		VMs     []xmlAttached
	}
	for _, x := range m.tagged(t) {
		list.VMs = append(list.VMs, xmlAttached{ID: x.Ref, TypeName: "VirtualMachine", Name: x.Name, Instance: x.InstanceUUID, BIOS: x.BIOSUUID})
	}
	writeXML(w, http.StatusOK, list)
}

// machine finds a VM by its managed object id or instance UUID; nil: the request was refused.
func (m *Manager) machine(w http.ResponseWriter, id string) *machine {
	for _, x := range m.machines {
		if x.Ref == id || x.InstanceUUID == id {
			return x
		}
	}
	m.missing(w, id)
	return nil
}

// attach is PUT, and DELETE for detach.
func (m *Manager) attach(w http.ResponseWriter, r *http.Request) {
	t, ok := m.tag(w, r.PathValue("tag"))
	if !ok {
		return
	}
	x := m.machine(w, r.PathValue("vm"))
	if x == nil {
		return
	}
	f := with
	if r.Method == http.MethodDelete {
		f = without
	}
	m.change(x, func(now []Tag) []Tag { return f(now, t) })
}

// attachBy is the assignment of 6.3 by a key. A BIOS UUID that several have means all of them.
func (m *Manager) attachBy(w http.ResponseWriter, r *http.Request) {
	t, ok := m.tag(w, r.PathValue("tag"))
	var body struct {
		Parameters []struct {
			Key   string `xml:"key"`
			Value string `xml:"value"`
		} `xml:"tagParameter"`
	}
	if !ok {
		return
	}
	f := map[string]func([]Tag, ...Tag) []Tag{"attach": with, "detach": without}[r.URL.Query().Get("action")]
	if err := xml.NewDecoder(r.Body).Decode(&body); err != nil || f == nil {
		m.refuse(w, http.StatusBadRequest, 301, "Invalid request.")
		return
	}
	for _, p := range body.Parameters {
		for _, x := range m.machines {
			if (map[string]string{"instance_uuid": x.InstanceUUID, "bios_uuid": x.BIOSUUID, "vmname": x.Name})[p.Key] == p.Value {
				m.change(x, func(now []Tag) []Tag { return f(now, t) })
			}
		}
	}
}

func (m *Manager) tagsOf(w http.ResponseWriter, r *http.Request) {
	if x := m.machine(w, r.PathValue("vm")); x != nil {
		m.mu.Lock()
		tags := m.read(x)
		m.mu.Unlock()
		writeXML(w, http.StatusOK, m.tagList(func(t Tag) bool { return slices.Contains(tags, t) }))
	}
}

// assign is ASSIGN_TAGS, which adds, and CLEAR_ALL_TAGS.
func (m *Manager) assign(w http.ResponseWriter, r *http.Request) {
	x := m.machine(w, r.PathValue("vm"))
	if x == nil {
		return
	}
	if r.URL.Query().Get("action") == "CLEAR_ALL_TAGS" {
		m.change(x, func([]Tag) []Tag { return nil })
		return
	}
	var body struct {
		IDs []string `xml:"securityTag>objectId"`
	}
	if err := xml.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Query().Get("action") != "ASSIGN_TAGS" {
		m.refuse(w, http.StatusBadRequest, 301, "Invalid request.")
		return
	}
	for _, id := range body.IDs {
		t, ok := m.tag(w, id)
		if !ok {
			return
		}
		m.change(x, func(now []Tag) []Tag { return with(now, t) })
	}
}

// groupsOf nests its list in one of the same name, as NSX-V does.
func (m *Manager) groupsOf(w http.ResponseWriter, r *http.Request) {
	x := m.machine(w, r.PathValue("vm"))
	if x == nil {
		return
	}
	type group struct {
		ID       string `xml:"objectId"`
		TypeName string `xml:"objectTypeName"`
		Name     string `xml:"name"`
	}
	var list struct {
		XMLName xml.Name `xml:"securityGroups"`
		Groups  []group  `xml:"securityGroups>securitygroup"`
	}
	if m.Member(x.InstanceUUID) {
		list.Groups = []group{{"securitygroup-10", "SecurityGroup", m.cfg.Group}}
	}
	writeXML(w, http.StatusOK, list)
}

func writeXML(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/xml;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(body)
}

package dsm

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// The system settings that say where relays fetch security updates, over REST and over SOAP. Names are those of Trend Micro's
// OpenAPI document and WSDL; of the values of the mode only the default is sourced.
const (
	modeSetting = "platformSettingUpdateSecurityPrimarySourceMode"
	urlSetting  = "platformSettingUpdateSecurityPrimarySourceUrl"
	modeKey     = "CONFIGURATION_RELAYUPDATESOURCE"
	urlKey      = "CONFIGURATION_RELAYUPDATESOURCE_OTHERAU_URL"

	defaultMode = "Trend Micro ActiveUpdate Server"
	defaultURL  = "http://"
	otherSource = "Other update source"
)

var soapKeys = map[string]string{modeKey: modeSetting, urlKey: urlSetting}

func defaultSettings() map[string]string {
	return map[string]string{modeSetting: defaultMode, urlSetting: defaultURL}
}

// Source is what the manager's settings say of the update source.
type Source struct{ Mode, URL string }

// Source is the pair as it is now.
func (m *Manager) Source() Source {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Source{m.settings[modeSetting], m.settings[urlSetting]}
}

// source is the URL that counts.
func (m *Manager) source() string {
	if s := m.Source(); s.Mode == m.cfg.OtherSource {
		return s.URL
	}
	return m.cfg.Updates
}

// IgnoreSettings makes the manager answer every change of a setting as if it were done, and do nothing.
func (m *Manager) IgnoreSettings(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ignore = on
}

var (
	errNoSetting  = errors.New("The setting does not exist.")
	errNotAllowed = errors.New("Not authorized to modify settings or the requested modification is not permitted.")
)

// set changes settings, all or none.
func (m *Manager) set(values map[string]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, v := range values {
		switch _, known := m.settings[name]; {
		case !known:
			return errNoSetting
		case name == modeSetting && v != defaultMode && v != m.cfg.OtherSource,
			name == urlSetting && !strings.HasPrefix(v, "http://") && !strings.HasPrefix(v, "https://"):
			return errNotAllowed
		}
	}
	if !m.ignore {
		maps.Copy(m.settings, values)
	}
	return nil
}

func (m *Manager) get(name string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.settings[name]
	return v, ok
}

type settingValue struct {
	Value string `json:"value"`
}

func (m *Manager) routeSettings(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/systemsettings", m.listSettings)
	mux.HandleFunc("POST /api/systemsettings", m.changeSettings)
	mux.HandleFunc("GET /api/systemsettings/{name}", func(w http.ResponseWriter, r *http.Request) {
		v, ok := m.get(r.PathValue("name"))
		if !ok {
			refuse(w, http.StatusNotFound, errNoSetting.Error())
			return
		}
		reply(w, http.StatusOK, settingValue{v})
	})
	mux.HandleFunc("POST /api/systemsettings/{name}", func(w http.ResponseWriter, r *http.Request) {
		var v settingValue
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			refuse(w, http.StatusBadRequest, "Invalid request body: "+err.Error())
			return
		}
		m.changeOne(w, r.PathValue("name"), v.Value)
	})
	mux.HandleFunc("DELETE /api/systemsettings/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		m.changeOne(w, name, defaultSettings()[name])
	})
}

func (m *Manager) changeOne(w http.ResponseWriter, name, value string) {
	if err := m.set(map[string]string{name: value}); err != nil {
		refuseSetting(w, err)
		return
	}
	reply(w, http.StatusOK, settingValue{value})
}

func refuseSetting(w http.ResponseWriter, err error) {
	code := http.StatusForbidden
	if errors.Is(err, errNoSetting) {
		code = http.StatusNotFound
	}
	refuse(w, code, err.Error())
}

func (m *Manager) listSettings(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string]settingValue{}
	for name, v := range m.settings {
		all[name] = settingValue{v}
	}
	reply(w, http.StatusOK, all)
}

func (m *Manager) changeSettings(w http.ResponseWriter, r *http.Request) {
	var asked map[string]settingValue
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil && !errors.Is(err, io.EOF) {
		refuse(w, http.StatusBadRequest, "Invalid request body: "+err.Error())
		return
	}
	values := map[string]string{}
	for name, v := range asked {
		values[name] = v.Value
	}
	if err := m.set(values); err != nil {
		refuseSetting(w, err)
		return
	}
	reply(w, http.StatusOK, asked)
}

func (m *Manager) systemSettingGet(args node) ([]element, *exception) {
	var list []element
	for _, key := range args.all("keys") {
		v, known := m.get(soapKeys[key])
		if !known {
			return nil, &exception{"ManagerValidationException", "The setting " + key + " does not exist."}
		}
		list = append(list, tree("systemSettingGetReturn", leaf("settingKey", key), leaf("settingScope", "SYSTEM"), leaf("settingUnit", "NONE"), leaf("settingValue", v)))
	}
	return slices.Clip(append([]element{}, list...)), nil
}

func (m *Manager) systemSettingSet(args node) ([]element, *exception) {
	values := map[string]string{}
	for _, c := range args.Children {
		if c.XMLName.Local == "editableSettings" {
			values[soapKeys[c.value("settingKey")]] = c.value("settingValue")
		}
	}
	if err := m.set(values); err != nil {
		return nil, &exception{"ManagerValidationException", err.Error()}
	}
	return []element{}, nil
}

// all are the texts of the children of a name.
func (n node) all(name string) (texts []string) {
	for _, c := range n.Children {
		if c.XMLName.Local == name {
			texts = append(texts, strings.TrimSpace(c.Text))
		}
	}
	return texts
}

package dsm

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// Names of the settings of the security update source (System Settings > Updates): of REST v1 in Trend Micro's OpenAPI document,
// of SOAP in its WSDL. Which values the mode takes besides its default is documented nowhere.
const (
	modeName = "platformSettingUpdateSecurityPrimarySourceMode"
	urlName  = "platformSettingUpdateSecurityPrimarySourceUrl"
	modeKey  = "CONFIGURATION_RELAYUPDATESOURCE"
	urlKey   = "CONFIGURATION_RELAYUPDATESOURCE_OTHERAU_URL"
)

// Source says where the relays of a DSM fetch security updates. It concerns every relay of the tenant.
type Source struct {
	API       string // "rest" or "soap"
	Mode, URL string // as the DSM writes them
}

// FetchSource reads both settings.
func FetchSource(ctx context.Context, api engine.API) (Source, error) {
	return choose(ctx, api, restSource, soapSource)
}

func restSource(ctx context.Context, api engine.API) (Source, error) {
	s := Source{API: "rest"}
	for _, x := range []struct { // in this order, so that what a plan lists is the same each time
		name string
		into *string
	}{{modeName, &s.Mode}, {urlName, &s.URL}} {
		var v setting
		if err := restCall(ctx, api, "GET", "systemsettings/"+x.name, nil, &v); err != nil {
			return s, err
		}
		*x.into = string(v.Value)
	}
	return s, nil
}

func soapSource(ctx context.Context, api engine.API) (Source, error) {
	s, found := Source{API: "soap"}, 0
	answer, err := (&soap{api: api}).call(ctx, "systemSettingGet", element{name: "keys", text: modeKey}, element{name: "keys", text: urlKey})
	if err != nil {
		return s, err
	}
	for _, n := range answer.all("systemSettingGetReturn") {
		switch n.text("settingKey") {
		case modeKey:
			s.Mode, found = n.text("settingValue"), found+1
		case urlKey:
			s.URL, found = n.text("settingValue"), found+1
		}
	}
	if found != 2 {
		return s, &engine.Error{Kind: engine.KindProtocol, Op: "systemSettingGet", Msg: "the DSM does not tell both " + modeKey + " and " + urlKey}
	}
	return s, nil
}

// SetMode and SetURL are the requests that change one of the two, over the API by which s was read.
func (s Source) SetMode(value string) Act { return s.set(modeName, modeKey, value) }

// SetURL is SetMode's twin.
func (s Source) SetURL(value string) Act { return s.set(urlName, urlKey, value) }

func (s Source) set(name, key, value string) Act {
	if s.API == "rest" {
		body := setting{text(value)}
		return Act{"POST /api/systemsettings/" + name + " " + jsonText(body), func(ctx context.Context, api engine.API) error {
			return restCall(ctx, api, "POST", "systemsettings/"+name, body, nil)
		}}
	}
	return Act{"systemSettingSet editableSettings={settingKey=" + key + " settingUnit=NONE settingValue=" + value + "}", func(ctx context.Context, api engine.API) error {
		_, err := (&soap{api: api}).act(ctx, "systemSettingSet", element{name: "editableSettings", children: []element{
			{name: "settingKey", text: key}, {name: "settingUnit", text: "NONE"}, {name: "settingValue", text: value}}})
		return err
	}}
}

// setting is a SettingValue. Its value is a string; some dumps show bare numbers and bools.
type setting struct {
	Value text `json:"value"`
}

type text string

func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*t = text(s)
		return nil
	}
	*t = text(strings.Trim(string(data), `"`))
	return nil
}

// farFuture is the start of a task that is run at once: 2100-01-01, so that it does not run a second time by itself.
const farFuture = 4102444800000

// StartUpdate is what starts a security update of one computer: over REST a scheduled task that runs now and is deleted
// afterwards (clean, to which the DSM's ID of the task is given), over SOAP hostUpdateComponent. Which type and id the latter
// wants for "everything" is not documented: they are given as they are.
// It only makes the requests; which API it is, an earlier Hello says.
func StartUpdate(apiName string, computer int, kind, component string) Update {
	id := strconv.Itoa(computer)
	if apiName == "rest" {
		return Update{computer: computer, Start: "POST /api/scheduledtasks " + jsonText(task(computer)), Clean: "DELETE /api/scheduledtasks/ID (of that task)"}
	}
	return Update{computer: computer, soap: true, kind: kind, component: component,
		Start: "hostUpdateComponent hostIDs=" + id + " type=" + kind + " id=" + component}
}

// Update is a security update of one computer that can be started.
type Update struct {
	Start, Clean    string // the requests as a plan shows them; Clean is "" over SOAP
	computer        int
	soap            bool
	kind, component string
}

// Do starts it, once. clean removes what was made for that; it is never nil.
func (u Update) Do(ctx context.Context, api engine.API) (clean func(context.Context) error, err error) {
	clean = func(context.Context) error { return nil }
	if u.soap {
		_, err := (&soap{api: api}).act(ctx, "hostUpdateComponent", element{name: "hostIDs", text: strconv.Itoa(u.computer)},
			element{name: "type", text: u.kind}, element{name: "id", text: u.component})
		return clean, err
	}
	var made struct {
		ID int `json:"ID"`
	}
	if err := restCall(ctx, api, "POST", "scheduledtasks", task(u.computer), &made); err != nil {
		return clean, err
	}
	return func(ctx context.Context) error {
		return restCall(ctx, api, "DELETE", "scheduledtasks/"+strconv.Itoa(made.ID), nil, nil)
	}, nil
}

// task is the body of POST /scheduledtasks.
func task(computer int) any {
	type filter struct {
		Type       string `json:"type"`
		ComputerID int    `json:"computerID"`
	}
	type check struct {
		ComputerFilter filter `json:"computerFilter"`
		Timeout        string `json:"timeout"`
	}
	type once struct {
		StartTime int64 `json:"startTime"`
	}
	type details struct {
		TimeZone   string `json:"timeZone"`
		Recurrence string `json:"recurrenceType"`
		Once       once   `json:"onceOnlyScheduleParameters"`
	}
	return struct {
		Name    string  `json:"name"`
		Type    string  `json:"type"`
		Enabled bool    `json:"enabled"`
		RunNow  bool    `json:"runNow"`
		Details details `json:"scheduleDetails"`
		Check   check   `json:"checkForSecurityUpdatesTaskParameters"`
	}{"dsplay update of computer " + strconv.Itoa(computer), "check-for-security-updates", true, true,
		details{"UTC", "none", once{farFuture}}, check{filter{"computer", computer}, "never"}}
}

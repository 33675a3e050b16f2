package dsm

import (
	"context"
	"encoding/json"
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

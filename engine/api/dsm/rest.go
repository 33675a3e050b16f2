package dsm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// page is how many computers are asked for at once: a DSM may give 5000, but building those takes it minutes.
const page = 1000

// fetchREST reads all computers in pages by ID. errNoREST means that the DSM is too old.
func fetchREST(ctx context.Context, api engine.API) (*Directory, error) {
	var all []Computer
	var first http.Header
	var ahead time.Duration
	for last := 0; ; {
		list, header, err := searchAfter(ctx, api, last, page)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if first == nil {
			first, ahead = header, skew(header, now)
		}
		// A page that is not full is no proof of the end: a DSM may give less than was asked for.
		if len(list) == 0 {
			return newDirectory("rest", first.Get("X-DSM-Version"), ahead, all), nil
		}
		before := last
		for _, c := range list {
			last = max(last, c.ID)
			all = append(all, c.computer(ahead, now))
		}
		if last == before {
			return nil, &engine.Error{Kind: engine.KindProtocol, Op: "list the computers of the DSM", Msg: fmt.Sprintf("the page after ID %d repeats itself", last)}
		}
	}
}

func searchAfter(ctx context.Context, api engine.API, last, most int) ([]restComputer, http.Header, error) {
	query := url.Values{"expand": {"computerStatus", "antiMalware", "vmwareVMVirtualMachineSummary"}}
	body, err := json.Marshal(map[string]any{"maxItems": most, "sortByObjectID": true,
		"searchCriteria": []any{map[string]any{"idTest": "greater-than", "idValue": last}}})
	if err != nil {
		return nil, nil, err
	}
	u := api.Endpoint().JoinPath("api", "computers", "search")
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = http.Header{"Api-Version": {"v1"}, "Api-Secret-Key": {api.Key().Reveal()}, "Content-Type": {"application/json"},
		"Idempotency-Key": nil} // it only asks: may be repeated; not sent
	res, err := api.HTTP().Do(req)
	if err != nil {
		return nil, nil, plain(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, nil, restError(res)
	}
	var answer struct {
		Computers *[]restComputer `json:"computers"`
	}
	err = json.NewDecoder(res.Body).Decode(&answer)
	// A field of another type than expected stays empty, which reads as "not known"; the rest was decoded.
	var odd *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &odd) {
		if engine.KindOf(err) == engine.KindModule {
			err = &engine.Error{Kind: engine.KindProtocol, Op: "list the computers of the DSM", Msg: "the answer is no JSON", Err: err}
		}
		return nil, nil, err
	}
	if answer.Computers == nil {
		return nil, nil, &engine.Error{Kind: engine.KindProtocol, Op: "list the computers of the DSM", Msg: "the answer has no list of computers"}
	}
	return *answer.Computers, res.Header, nil
}

// restError explains a status. A missing API is errNoREST; DSM 11.0 answers 404, whose body does not matter.
func restError(res *http.Response) error {
	var said struct{ Message string }
	text, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	_ = json.Unmarshal(text, &said)
	e := &engine.Error{Kind: engine.KindModule, Op: "list the computers of the DSM", Msg: strings.TrimSpace(res.Status + " " + said.Message)}
	switch code := res.StatusCode; {
	case code == http.StatusNotFound || code == http.StatusMethodNotAllowed || code/100 == 3:
		return fmt.Errorf("%w: %s", errNoREST, res.Status)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		e.Kind, e.Hint = engine.KindAuth, "check api_key: is it of this DSM and not expired, and may its role see all computers?"
	case code == http.StatusTooManyRequests:
		e.Hint = "the DSM limits API requests per user: ask less often, or raise its limit"
	case code/100 == 5:
		e.Hint = "look at the DSM's server0.log"
	default:
		e.Kind = engine.KindProtocol
	}
	return e
}

// plain takes the wrapping of net/http off an error that explains itself.
func plain(err error) error {
	var e *engine.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}

// restComputer is a Computer of REST v1, as far as it matters. DSM 11.2 has neither moduleStatus nor computerStatus.
type restComputer struct {
	ID                         int     `json:"ID"`
	HostName                   string  `json:"hostName"`
	DisplayName                string  `json:"displayName"`
	Platform                   string  `json:"platform"`
	BIOSUUID                   string  `json:"biosUUID"`
	ApplianceFingerPrint       *string `json:"applianceFingerPrint"`
	LastApplianceCommunication millis  `json:"lastApplianceCommunication"` // ms since 1970
	ComputerStatus             struct {
		ApplianceStatus         string `json:"applianceStatus"`
		ApplianceStatusMessages texts  `json:"applianceStatusMessages"`
		ApplianceStatusMessage  texts  `json:"applianceStatusMessage"`
	} `json:"computerStatus"`
	AntiMalware struct {
		State        string `json:"state"`
		ModuleStatus struct {
			ApplianceStatus         string `json:"applianceStatus"`
			ApplianceStatusMessages texts  `json:"applianceStatusMessages"`
			ApplianceStatusMessage  texts  `json:"applianceStatusMessage"`
		} `json:"moduleStatus"`
	} `json:"antiMalware"`
	VM struct {
		State    string `json:"state"`
		BIOSUUID string `json:"biosUUID"`
		Groups   texts  `json:"NSXSecurityGroups"`
	} `json:"vmwareVMVirtualMachineSummary"`
}

// virtualAppliance: REST has no type of object. This is what a platform of an appliance is likely to say.
var virtualAppliance = regexp.MustCompile(`(?i)virtual appliance|\bDSVA\b`)

func (r restComputer) evidence() evidence {
	return evidence{
		agentless:  r.ApplianceFingerPrint != nil && *r.ApplianceFingerPrint != "",
		configured: strings.ToLower(r.AntiMalware.State),
		module:     strings.ToLower(r.AntiMalware.ModuleStatus.ApplianceStatus),
		light:      strings.ToLower(r.ComputerStatus.ApplianceStatus),
		general:    append(r.ComputerStatus.ApplianceStatusMessages, r.ComputerStatus.ApplianceStatusMessage...),
		malware:    append(r.AntiMalware.ModuleStatus.ApplianceStatusMessages, r.AntiMalware.ModuleStatus.ApplianceStatusMessage...),
		power:      r.VM.State,
	}
}

func (r restComputer) computer(ahead time.Duration, now time.Time) Computer {
	e := r.evidence()
	uuid := r.BIOSUUID
	if uuid == "" {
		uuid = r.VM.BIOSUUID
	}
	var at time.Time
	if ms := int64(r.LastApplianceCommunication); ms > 0 {
		at = time.UnixMilli(ms)
	}
	return Computer{Found: true, ID: r.ID, Name: r.HostName, DisplayName: r.DisplayName, BIOSUUID: UUID(uuid),
		Agentless: e.agentless, IsAppliance: !e.agentless && virtualAppliance.MatchString(r.Platform),
		State: e.judge(), Messages: e.messages(), Leftover: e.shown(), AsOf: ours(at, ahead, now), Groups: r.VM.Groups}
}

// texts is a string, an array of strings, or null: DSM is singular in one place and plural in another.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		if *t = nil; one != "" {
			*t = texts{one}
		}
		return nil
	}
	var many []any
	_ = json.Unmarshal(data, &many) // anything else is no text
	*t = nil
	for _, x := range many {
		if s, ok := x.(string); ok {
			*t = append(*t, s)
		}
	}
	return nil
}

// millis is a number, a number in quotes, or anything else, which is 0.
type millis int64

func (m *millis) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if *m = millis(n); err != nil {
		*m = 0
	}
	return nil
}

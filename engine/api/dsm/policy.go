package dsm

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Policy is how it stands with the policy of one computer.
type Policy struct {
	// Sent is when the DSM last sent it with success, in this machine's clock; nil: never, or the DSM does not say.
	Sent *time.Time
	// Requested is when it was last asked for; nil: never, or the DSM does not say: SOAP never does.
	Requested *time.Time
	// Outcome is "sent" or "failed" since the moment from which a PolicyWatch looks; "none" when the DSM says that nobody has asked
	// for it since; "pending" when it is under way, or the DSM does not tell.
	Outcome string
	Message string // what the DSM says of the computer meanwhile, or of the failure
}

// FetchPolicy reads when a policy was sent last; see Directory.API for the name of the API.
func FetchPolicy(ctx context.Context, api engine.API, apiName string, computer int) (Policy, error) {
	if apiName == "rest" {
		p, _, err := restPolicy(ctx, api, computer)
		return p, err
	}
	w, err := NewWatch(ctx, api, "read when the policy was sent", "this DSM speaks only SOAP")
	if err != nil {
		return Policy{}, err
	}
	answer, err := w.s.call(ctx, "hostGetStatus", element{name: "id", text: strconv.Itoa(computer)})
	if err != nil {
		return Policy{}, err
	}
	n := answer.child("hostGetStatusReturn")
	return Policy{Sent: ours(parseTime(n.text("overallLastSuccessfulUpdate"), w.zone), w.ahead, time.Now()), Message: n.text("overallStatus")}, nil
}

// restPolicy also gives the time of success as the DSM writes it, 0 when there is none: what is compared is of one clock.
func restPolicy(ctx context.Context, api engine.API, computer int) (Policy, int64, error) {
	var c struct {
		Success millis `json:"lastSendPolicySuccess"` // ms since 1970, in Trend Micro's OpenAPI document
		Request millis `json:"lastSendPolicyRequest"`
		Status  struct {
			Messages texts `json:"applianceStatusMessages"`
		} `json:"computerStatus"`
		Tasks struct {
			Appliance texts `json:"applianceTasks"`
			Agent     texts `json:"agentTasks"`
		} `json:"tasks"`
	}
	var header http.Header
	if err := restAsk(ctx, api, "GET", "computers/"+strconv.Itoa(computer)+"?expand=computerStatus&expand=tasks", nil, &c, &header); err != nil {
		return Policy{}, 0, err
	}
	p := Policy{Message: strings.Join(append(append(texts{}, c.Status.Messages...), append(c.Tasks.Appliance, c.Tasks.Agent...)...), "; ")}
	now := time.Now()
	if c.Success > 0 {
		p.Sent = ours(time.UnixMilli(int64(c.Success)), skew(header, now), now)
	}
	if c.Request > 0 {
		p.Requested = ours(time.UnixMilli(int64(c.Request)), skew(header, now), now)
	}
	return p, int64(c.Success), nil
}

// PolicyWatch waits for the outcome of SendPolicy, and was made before it.
type PolicyWatch struct {
	api      engine.API
	computer int
	rest     bool
	before   int64     // over REST: the last success, as the DSM wrote it
	after    time.Time // over REST, where before is not known: in this machine's clock
	since    string    // over SOAP: the DSM's time
	s        *soap
}

// WatchPolicy notes how it stands now.
func WatchPolicy(ctx context.Context, api engine.API, apiName string, computer int) (*PolicyWatch, error) {
	w := &PolicyWatch{api: api, computer: computer, rest: apiName == "rest", s: &soap{api: api}}
	if w.rest {
		_, before, err := restPolicy(ctx, api, computer)
		w.before = before
		return w, err
	}
	answer, err := w.s.send(ctx, "getManagerTime", true)
	w.since = answer.text("getManagerTimeReturn")
	if err == nil && w.since == "" {
		err = &engine.Error{Kind: engine.KindProtocol, Op: "getManagerTime", Msg: "the DSM does not tell its time, from which the outcome would be asked for"}
	}
	return w, err
}

// PolicySince is a WatchPolicy made by one who was not there when it was started, at a time of this machine's clock.
func PolicySince(ctx context.Context, api engine.API, apiName string, computer int, since time.Time) (*PolicyWatch, error) {
	w := &PolicyWatch{api: api, computer: computer, rest: apiName == "rest", s: &soap{api: api}, after: since.Add(-tolerated)}
	if w.rest {
		return w, nil
	}
	_, ahead, err := w.s.clock(ctx)
	w.since = since.Add(ahead - time.Second).UTC().Format("2006-01-02T15:04:05.000Z")
	return w, err
}

// Look asks. Over REST a failure is not told: there it stays pending. That a scheduled task moves the time of the request is inferred
// from its name (medium): where it does not, "none" makes a resume send the policy once more, which harms nobody.
func (w *PolicyWatch) Look(ctx context.Context) (Policy, error) {
	if w.rest {
		p, success, err := restPolicy(ctx, w.api, w.computer)
		switch p.Outcome = "pending"; {
		case success > w.before && p.Sent.After(w.after):
			p.Outcome = "sent"
		case p.Requested != nil && !p.Requested.After(w.after):
			p.Outcome = "none"
		}
		return p, err
	}
	answer, err := w.s.call(ctx, "hostJobProgress", element{name: "type", text: "UPDATE"}, element{name: "sinceManagerTime", text: w.since},
		element{name: "hostIDs", text: strconv.Itoa(w.computer)})
	if err != nil {
		return Policy{}, err
	}
	n := answer.child("hostJobProgressReturn")
	count := func(name string) int { v, _ := strconv.Atoi(n.text(name)); return v }
	switch {
	case count("error") > 0:
		return Policy{Outcome: "failed", Message: "the DSM counts an error"}, nil
	case count("unable") > 0:
		return Policy{Outcome: "failed", Message: "the DSM says that it is unable to do it for this computer"}, nil
	case count("complete") > 0 && count("pending") == 0:
		return Policy{Outcome: "sent"}, nil
	case count("complete") == 0 && count("pending") == 0:
		return Policy{Outcome: "none"}, nil
	}
	return Policy{Outcome: "pending"}, nil
}

package dsm

import (
	"context"
	"strconv"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Watch looks at single computers, now, over SOAP: hostGetStatus is the only call that says what the DSM shows of one computer
// in one answer. It is safe for use by several goroutines.
type Watch struct {
	s     *soap
	zone  *time.Location
	ahead time.Duration
}

// NewWatch takes user and password, whatever else the host is asked by. why says for what: "REST v1 has no events".
func NewWatch(ctx context.Context, api engine.API, op, why string) (*Watch, error) {
	if err := needsLogin(api, op, why); err != nil {
		return nil, err
	}
	w := &Watch{s: &soap{api: api}}
	var err error
	w.zone, w.ahead, err = w.s.clock(ctx)
	return w, err
}

// needsLogin refuses a host without user and password for what only SOAP can do.
func needsLogin(api engine.API, op, why string) error {
	if user, password := api.Login(); user == "" || password.IsZero() {
		return &engine.Error{Kind: engine.KindAuth, Op: op, Msg: why + ", and there is no login for SOAP",
			Hint: `give user and password besides api_key in its connection "https"; the user's role must have "Access to Web Service API", and ` + enableSOAP}
	}
	return nil
}

const enableSOAP = "Administration > System Settings > Advanced > SOAP Web Service API must be on " +
	"(dsm_c -action changesetting -name settings.configuration.webserviceAPIEnabled -value true)"

// Look is c as the DSM shows it now.
func (w *Watch) Look(ctx context.Context, c Computer) (Computer, error) {
	return w.s.status(ctx, c, w.zone, w.ahead)
}

// ClearErrors takes away every warning and error that a DSM shows of a computer, whatever it is about. It mends nothing: what
// is still wrong is shown again with the next heartbeat. Only SOAP has it.
func ClearErrors(computer int) Act {
	id := strconv.Itoa(computer)
	return Act{"hostClearWarningsErrors hostIDs=" + id, func(ctx context.Context, api engine.API) error {
		_, err := (&soap{api: api}).act(ctx, "hostClearWarningsErrors", element{name: "hostIDs", text: id})
		return err
	}}
}

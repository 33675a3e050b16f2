package winrm

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// Schemes of the Authorization header.
const (
	negotiate    = "Negotiate"
	kerberosOnly = "Kerberos"
)

// login authenticates the link, as the inventory says and in no other way.
func (l *link) login(ctx context.Context) error {
	switch l.dialer.settings.Auth {
	case "ntlm":
		return l.loginNTLM(ctx)
	case "kerberos":
		return l.loginKerberos(ctx)
	}
	return nil // basic and certificate log in with every request
}

// authorization is the header of a request on a link that is not logged in once and for all; "" for none.
func (d *dialer) authorization() string {
	switch d.settings.Auth {
	case "basic":
		return d.basic()
	case "certificate":
		return mutual
	}
	return ""
}

func (l *link) negotiate(ctx context.Context, scheme string, token []byte) (*httpReply, error) {
	r, err := l.roundTrip(ctx, http.Header{"Authorization": {scheme + " " + base64.StdEncoding.EncodeToString(token)}, "Content-Type": {plainType}}, nil)
	if err != nil {
		return nil, l.dialer.silent(err)
	}
	return r, nil
}

// silent is a request that got no answer and asked nothing.
func (d *dialer) silent(err error) *engine.Error {
	e := d.loginError(engine.KindRefused, "", "", err)
	var l *lost
	if errors.As(err, &l) {
		e.Hint = l.hint
		if l.silent {
			e.Kind, e.Err, e.Msg = engine.KindTimeout, nil, "the host accepts connections and does not answer"
		}
	}
	return e
}

func (d *dialer) loginError(kind engine.ErrorKind, msg, hint string, err error) *engine.Error {
	return &engine.Error{Kind: kind, Host: d.host, Op: d.op(), Msg: msg, Hint: hint, Err: err, Unreachable: true}
}

// statusError tells what an HTTP status means that is not a SOAP answer and for which nothing was done.
func (d *dialer) statusError(r *httpReply) *engine.Error {
	switch r.status {
	case http.StatusUnauthorized:
		return d.refused(r.header)
	case http.StatusForbidden:
		return d.loginError(engine.KindAuth, "the host knows "+d.settings.User+" and forbids it to use WinRM (403)", "put the account into Administrators or Remote Management Users", nil)
	case http.StatusServiceUnavailable:
		return d.loginError(engine.KindRefused, "the WinRM service does not run there (503)", "is the host still starting? Else: net start winrm", nil)
	case http.StatusNotFound:
		return d.loginError(engine.KindProtocol, "there is no WinRM at "+d.url+" (404)", "check port; another web server may listen there", nil)
	}
	return d.loginError(engine.KindProtocol, fmt.Sprintf("the host answers with HTTP status %d", r.status), d.hint(r.status), nil)
}

// hint is for an HTTP status without a message.
func (d *dialer) hint(status int) string {
	if status == http.StatusInternalServerError && d.tls == nil && d.settings.Auth == "basic" {
		return "a host with AllowUnencrypted = false refuses plain messages: use https or ntlm"
	}
	return "check port; another web server may listen there"
}

// offers are the schemes that a host offers, in its own spelling.
type offers []string

func offersOf(header http.Header) (o offers) {
	for _, value := range header.Values("WWW-Authenticate") {
		for part := range strings.SplitSeq(value, ",") {
			scheme, _, _ := strings.Cut(strings.TrimSpace(part), " ")
			if scheme != "" && !strings.Contains(scheme, "=") && !o.has(scheme) {
				o = append(o, scheme)
			}
		}
	}
	return o
}

func (o offers) has(scheme string) bool {
	return slices.ContainsFunc(o, func(s string) bool { return strings.EqualFold(s, scheme) })
}

// takes tells whether the host offers a way of logging in, as far as one can tell. A host that takes certificates says so nowhere.
func (o offers) takes(auth string) bool {
	switch auth {
	case "ntlm":
		return o.has(negotiate) || o.has("NTLM")
	case "kerberos":
		return o.has(negotiate) || o.has(kerberosOnly)
	case "basic":
		return o.has("Basic")
	}
	return true
}

func (o offers) String() string {
	if len(o) == 0 {
		return "nothing"
	}
	return strings.Join(o, " and ")
}

// Names of the ways of logging in, and what switches them on.
var (
	wayNames = map[string]string{"ntlm": "NTLM", "basic": "Basic", "kerberos": "Kerberos"}
	switches = map[string]string{"ntlm": "Negotiate", "basic": "Basic", "kerberos": "Kerberos"}
)

// refused explains a 401 by what the host offers. What makes it refuse a right password, it does not say.
func (d *dialer) refused(header http.Header) *engine.Error {
	o, auth := offersOf(header), d.settings.Auth
	e := d.loginError(engine.KindAuth, "", "", nil)
	switch {
	case auth == "certificate":
		e.Msg = "the host refuses the client certificate of " + identityOf(d.client.Leaf) + "; it offers " + o.String()
		e.Hint = `allow it (winrm set winrm/config/service/auth @{Certificate="true"}), map it to a local account that may log in (winrm enumerate winrm/config/service/certmapping shows), and have its issuer in the host's Trusted Root`
	case o.takes(auth) && auth == "kerberos":
		e.Msg = "the host does not take the login of " + d.settings.User + " any more; it offers " + o.String()
		e.Hint = "is the account disabled, or has its ticket run out? dsplay connects anew in the next run"
	case o.takes(auth):
		e.Msg = "the host refuses user " + d.settings.User + " with this password; it offers " + o.String()
		e.Hint = `check user and password (a local account may need HOST\name); it was tried once only, so that the account is not locked. ` +
			"WinRM tells a locked or expired account, and an expired password, from a wrong one no more than this: net user NAME /domain does"
		d.refusals.remember(d, e)
	default:
		e.Msg = "the host does not take " + wayNames[auth] + "; it offers " + o.String()
		if o.has("Basic") && d.tls == nil {
			e.Msg += ", which would send the password in clear; nothing was sent"
		}
		e.Hint = d.otherWay(o)
	}
	return e
}

// otherWay says what to set where the host does not offer the way in the inventory.
func (d *dialer) otherWay(o offers) string {
	auth := d.settings.Auth
	allow := `allow ` + wayNames[auth] + ` on the host: winrm set winrm/config/service/auth @{` + switches[auth] + `="true"}`
	var set []string
	switch {
	case o.has(negotiate) && auth == "basic":
		set = append(set, `auth = "ntlm"`, `auth = "kerberos" for an account of the domain`)
	case o.has(negotiate), o.has("NTLM"):
		set = append(set, `auth = "ntlm"`)
	case o.has(kerberosOnly):
		set = append(set, `auth = "kerberos" for an account of the domain`)
	}
	if o.has("Basic") && d.tls != nil && auth != "basic" {
		set = append(set, `auth = "basic" for a local account (safe over https only)`)
	}
	switch {
	case len(set) > 0:
		return "set " + strings.Join(set, ", or ") + "; or " + allow
	case o.has("Basic"):
		return "make it listen on https, or " + allow
	}
	return allow
}

func tokenOf(header http.Header, scheme string) ([]byte, bool) {
	for _, value := range header.Values("WWW-Authenticate") {
		given, token, _ := strings.Cut(strings.TrimSpace(value), " ")
		if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token)); strings.EqualFold(given, scheme) && err == nil && len(raw) > 0 {
			return raw, true
		}
	}
	return nil, false
}

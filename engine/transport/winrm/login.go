package winrm

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bodgit/ntlmssp"
	"github.com/dsplay/dsplay/engine"
)

// login authenticates the link by NTLM: two requests, without a body, so that nothing is asked before the host is
// known to encrypt. It never falls back to another way.
func (l *link) login(ctx context.Context) error {
	d := l.dialer
	domain, name := splitUser(d.settings.User)
	client, err := ntlmssp.NewClient(ntlmssp.SetUserInfo(name, d.settings.Password.Reveal()), ntlmssp.SetDomain(domain))
	if err != nil {
		return d.loginError(engine.KindAuth, "NTLM", "", err)
	}
	token, err := client.Authenticate(nil, nil)
	if err != nil {
		return d.loginError(engine.KindAuth, "NTLM", "", err)
	}
	r, err := l.negotiate(ctx, token)
	if err != nil {
		return err
	}
	challenge, offered := tokenOf(r.header)
	if r.status != http.StatusUnauthorized || !offered {
		return d.statusError(r)
	}
	if err := checkChallenge(challenge, d.tls == nil); err != nil {
		return d.loginError(engine.KindAuth, "the host's challenge is refused", "is there a proxy in between? https protects, too", err)
	}
	if token, err = client.Authenticate(challenge, bindings(l.certificate)); err != nil {
		return d.loginError(engine.KindAuth, "NTLM", "", err)
	}
	if r, err = l.negotiate(ctx, token); err != nil {
		return err
	}
	if r.status/100 != 2 {
		return d.statusError(r)
	}
	if d.tls == nil {
		l.session = client.SecuritySession()
	}
	return nil
}

func (l *link) negotiate(ctx context.Context, token []byte) (*httpReply, error) {
	r, err := l.roundTrip(ctx, http.Header{"Authorization": {"Negotiate " + base64.StdEncoding.EncodeToString(token)}, "Content-Type": {plainType}}, nil)
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

// refused explains a 401 by what the host offers.
func (d *dialer) refused(header http.Header) *engine.Error {
	offers := map[string]bool{}
	var names []string
	for _, value := range header.Values("WWW-Authenticate") {
		for part := range strings.SplitSeq(value, ",") {
			scheme, _, _ := strings.Cut(strings.TrimSpace(part), " ")
			if scheme != "" && !strings.Contains(scheme, "=") && !offers[strings.ToLower(scheme)] {
				offers[strings.ToLower(scheme)] = true
				names = append(names, scheme)
			}
		}
	}
	list := strings.Join(names, " and ")
	if list == "" {
		list = "nothing"
	}
	e := d.loginError(engine.KindAuth, "", "", nil)
	ntlm := offers["negotiate"] || offers["ntlm"]
	switch {
	case d.settings.Auth == "ntlm" && ntlm, d.settings.Auth == "basic" && offers["basic"]:
		e.Msg = "the host refuses user " + d.settings.User + " with this password; it offers " + list
		e.Hint = "check user and password (a local account may need HOST\\name); it was tried once only, so that the account is not locked"
	case ntlm:
		e.Msg = "the host does not take Basic; it offers " + list
		e.Hint = `set auth = "ntlm"`
	case offers["basic"] && d.tls != nil:
		e.Msg = "the host does not take NTLM; it offers " + list
		e.Hint = `set auth = "basic" (safe over https only), or allow it on the host: winrm set winrm/config/service/auth @{Negotiate="true"}`
	case offers["basic"]:
		e.Msg = "the host does not take NTLM; it offers " + list + ", which would send the password in clear; nothing was sent"
		e.Hint = `make it listen on https, or allow NTLM on it: winrm set winrm/config/service/auth @{Negotiate="true"}`
	default:
		e.Msg = "the host takes neither NTLM nor Basic; it offers " + list
		e.Hint = `allow NTLM on the host: winrm set winrm/config/service/auth @{Negotiate="true"}`
	}
	return e
}

func tokenOf(header http.Header) ([]byte, bool) {
	for _, value := range header.Values("WWW-Authenticate") {
		scheme, token, _ := strings.Cut(strings.TrimSpace(value), " ")
		if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token)); strings.EqualFold(scheme, "Negotiate") && err == nil && len(raw) > 0 {
			return raw, true
		}
	}
	return nil, false
}

// checkChallenge refuses what would weaken the session or break the library: it seals only if the host agrees to
// (MS-NLMP 2.2.2.5), and it trusts the lengths in the target info.
func checkChallenge(m []byte, sealing bool) error {
	const need = 1<<0 | 1<<4 | 1<<5 | 1<<19 | 1<<29 | 1<<30 // Unicode, sign, seal, extended session security, 128 bits, key exchange
	if len(m) < 48 || string(m[:12]) != "NTLMSSP\x00\x02\x00\x00\x00" {
		return errors.New("not an NTLM challenge")
	}
	if flags := binary.LittleEndian.Uint32(m[20:]); sealing && flags&need != need {
		return errors.New("it does not agree to encrypt messages with 128 bits")
	}
	length, offset := int(binary.LittleEndian.Uint16(m[40:])), int(binary.LittleEndian.Uint32(m[44:]))
	if length == 0 || offset+length > len(m) {
		return errors.New("it names no target") // NTLMv2 without one would have no proof of time and place
	}
	for pairs := m[offset : offset+length]; ; {
		if len(pairs) < 4 {
			return errors.New("its target has no end")
		}
		id, size := binary.LittleEndian.Uint16(pairs), int(binary.LittleEndian.Uint16(pairs[2:]))
		switch {
		case id == 0:
			return nil
		case len(pairs) < 4+size, id == 6 && size != 4, id == 7 && size != 8: // flags, time
			return errors.New("its target is malformed")
		}
		pairs = pairs[4+size:]
	}
}

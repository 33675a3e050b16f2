package winrm

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"

	"github.com/bodgit/ntlmssp"
	"github.com/dsplay/dsplay/engine"
)

// loginNTLM is two requests, without a body, so that nothing is asked before the host is known to encrypt.
func (l *link) loginNTLM(ctx context.Context) error {
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
	r, err := l.negotiate(ctx, negotiate, token)
	if err != nil {
		return err
	}
	challenge, offered := tokenOf(r.header, negotiate)
	if r.status != http.StatusUnauthorized || !offered {
		return d.statusError(r)
	}
	if err := checkChallenge(challenge, d.tls == nil); err != nil {
		return d.loginError(engine.KindAuth, "the host's challenge is refused", "is there a proxy in between? https protects, too", err)
	}
	if token, err = client.Authenticate(challenge, ntlmBindings(l.certificate)); err != nil {
		return d.loginError(engine.KindAuth, "NTLM", "", err)
	}
	if r, err = l.negotiate(ctx, negotiate, token); err != nil {
		return err
	}
	if r.status/100 != 2 {
		return d.statusError(r)
	}
	if d.tls == nil {
		l.session, l.sealedAs = client.SecuritySession(), spnegoEncrypted
	}
	return nil
}

// splitUser gives domain and name as NTLM wants them; name@domain stays whole, as Windows sends it.
func splitUser(user string) (domain, name string) {
	if domain, name, found := strings.Cut(user, `\`); found {
		return domain, name
	}
	return "", user
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

package wsman

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
)

// mutual is the scheme of a login by client certificate.
const mutual = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"

// authenticate returns the user; "" when it has answered already.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request, p *peer, scheme, token string, empty bool) string {
	raw, _ := base64.StdEncoding.DecodeString(token)
	user := ""
	switch {
	case strings.EqualFold(scheme, "Basic") && s.offersBasic():
		user = s.basic(string(raw))
	case scheme == mutual && s.opts.ClientCAs != nil:
		user = s.certificate(r)
	case strings.EqualFold(scheme, "Negotiate") && s.opts.NTLM && messageType(raw) != 0:
		return s.ntlm(w, p, raw)
	case s.opts.Kerberos != nil && (strings.EqualFold(scheme, "Negotiate") && !s.opts.Kerberos.Alone || strings.EqualFold(scheme, "Kerberos")):
		return s.kerberos(w, p, scheme, raw)
	case scheme == "" && p.user != "" && !empty:
		return p.user
	}
	if user == "" {
		s.refuse(w)
	}
	return user
}

func (s *Server) ntlm(w http.ResponseWriter, p *peer, token []byte) string {
	p.user, p.seal = "", nil
	if messageType(token) == 1 {
		h, err := challengeFor(token)
		if err == nil {
			p.handshake = h
			w.Header().Set("WWW-Authenticate", "Negotiate "+base64.StdEncoding.EncodeToString(h.challenge))
			w.WriteHeader(http.StatusUnauthorized)
			return ""
		}
	}
	h := p.handshake
	p.handshake = nil
	if h == nil {
		s.refuse(w)
		return ""
	}
	user, sealed, err := h.verify(token, s.opts.Users, s.bindings, s.opts.RequireBindings)
	if err == nil || errors.Is(err, errPassword) { // what else is wrong is no guess
		if !s.admit(user, err == nil) {
			err = errPassword
		}
	}
	if err != nil {
		s.refuse(w)
		return ""
	}
	p.user = user
	if sealed != nil {
		p.seal, p.sealedAs = sealed, spnegoEncrypted
	}
	return user
}

// kerberos takes a ticket. An answer that names what is wrong goes back, as Windows' does.
func (s *Server) kerberos(w http.ResponseWriter, p *peer, scheme string, token []byte) string {
	p.user, p.seal = "", nil
	login, answer, err := s.acceptor.accept(token)
	if len(answer) > 0 {
		w.Header().Set("WWW-Authenticate", scheme+" "+base64.StdEncoding.EncodeToString(answer))
	}
	if err == nil {
		user, _, known := lookup(s.opts.Users, "", login.client)
		if known && s.admit(user, true) {
			if !s.opts.Kerberos.Forgetful || s.opts.TLS == nil {
				p.user = user
			}
			if login.seals {
				p.seal, p.sealedAs = login, spnegoEncrypted
			}
			if strings.EqualFold(scheme, "Kerberos") {
				p.sealedAs = kerberosEncrypted
			}
			return user
		}
	}
	if len(answer) == 0 {
		s.refuse(w)
		return ""
	}
	w.WriteHeader(http.StatusUnauthorized)
	return ""
}

// certificate finds the user to whom a client certificate is mapped, by the principal name in it, else its CN.
// A Windows host asks for the certificate by renegotiation, when the request has come; a server in Go can ask in the
// handshake only, of everybody.
func (s *Server) certificate(r *http.Request) string {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return ""
	}
	name, err := verifyClient(r.TLS.PeerCertificates, s.opts.ClientCAs)
	if err != nil {
		return ""
	}
	user := s.opts.Certificates[name]
	if user == "" || !s.admit(user, true) {
		return ""
	}
	return user
}

func (s *Server) offersBasic() bool {
	return s.opts.Basic && (s.opts.TLS != nil || s.opts.AllowUnencrypted)
}

func (s *Server) refuse(w http.ResponseWriter) {
	var offers []string
	k := s.opts.Kerberos
	if s.opts.NTLM || k != nil && !k.Alone {
		offers = append(offers, "Negotiate")
	}
	if k != nil {
		offers = append(offers, "Kerberos")
	}
	if s.offersBasic() {
		offers = append(offers, `Basic realm="WSMAN"`)
	}
	w.Header()["WWW-Authenticate"] = offers
	w.WriteHeader(http.StatusUnauthorized)
}

package wsman

import (
	"crypto"
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
)

// peer is what the host knows of one connection. Requests of a connection come one after the other.
type peer struct {
	handshake *handshake
	user      string // "" until authenticated
	seal      *seal
}

type peerKey struct{}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		return
	}
	defer s.running.Done()
	p, _ := r.Context().Value(peerKey{}).(*peer)
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	seen := Request{Auth: scheme}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(s.opts.MaxRequest)+1))
	if err != nil {
		return
	}
	seen.Size = len(body)
	if len(body) > s.opts.MaxRequest {
		s.record(seen)
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if f, hit := s.fault(""); hit {
		s.record(seen)
		f.misbehave(w, r, p, func() *reply { return nil })
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/wsman" {
		s.record(seen)
		http.NotFound(w, r)
		return
	}
	user := s.authenticate(w, p, scheme, token, len(body) == 0)
	if user == "" || len(body) == 0 {
		s.record(seen)
		return // answered, or an empty request that only authenticates: 200
	}
	seen.Sealed = strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/encrypted")
	e, problem := s.open(p, body, seen.Sealed)
	if e != nil {
		seen.Action, seen.Options = e.action(), e.options()
	}
	s.record(seen)
	if problem != nil {
		p.answer(w, problem)
		return
	}
	do := func() *reply {
		answer := s.act(r.Context(), user, e)
		answer.relatesTo = e.MessageID
		return answer
	}
	if f, hit := s.fault(seen.Action); hit {
		f.misbehave(w, r, p, do)
		return
	}
	p.answer(w, do())
}

// open gets the message out of a body; a problem is the reply that refuses it.
func (s *Server) open(p *peer, body []byte, sealed bool) (e *envelope, problem *reply) {
	var err error
	switch {
	case sealed && p.seal == nil:
		return nil, &reply{status: http.StatusBadRequest}
	case sealed:
		if body, err = p.seal.unwrap(body); err != nil {
			return nil, &reply{status: http.StatusBadRequest}
		}
	case s.opts.TLS == nil && !s.opts.AllowUnencrypted:
		return nil, &reply{status: http.StatusInternalServerError}
	default:
		p.seal = nil // a client that does not encrypt gets plain answers
	}
	if len(body) > s.opts.MaxEnvelope {
		return nil, faultReply(faultEnvelope)
	}
	if e, err = parse(body); err != nil {
		return nil, faultReply(faultSchema)
	}
	return e, nil
}

// answer writes a reply, sealed when the connection is.
func (p *peer) answer(w http.ResponseWriter, r *reply) {
	var body []byte
	if r.action != "" {
		body = r.bytes()
		if r.change != nil {
			body = []byte(r.change(string(body)))
		}
		w.Header().Set("Content-Type", soapType)
		if p.seal != nil {
			body = p.seal.wrap(body)
			w.Header().Set("Content-Type", sealedType)
		}
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}

// authenticate returns the user; "" when it has answered already.
func (s *Server) authenticate(w http.ResponseWriter, p *peer, scheme, token string, empty bool) string {
	raw, _ := base64.StdEncoding.DecodeString(token)
	switch {
	case strings.EqualFold(scheme, "Basic") && s.offersBasic():
		name, password, _ := strings.Cut(string(raw), ":")
		if user, want, known := lookup(s.opts.Users, "", name); known && hmac.Equal([]byte(want), []byte(password)) {
			return user
		}
	case strings.EqualFold(scheme, "Negotiate") && s.opts.NTLM:
		return s.negotiate(w, p, raw)
	case scheme == "" && p.user != "" && !empty:
		return p.user
	}
	s.refuse(w)
	return ""
}

func (s *Server) negotiate(w http.ResponseWriter, p *peer, token []byte) string {
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
	user, sealed, err := h.verify(token, s.opts.Users, s.bindings)
	if err != nil {
		s.refuse(w)
		return ""
	}
	p.user, p.seal = user, sealed
	return user
}

func (s *Server) offersBasic() bool {
	return s.opts.Basic && (s.opts.TLS != nil || s.opts.AllowUnencrypted)
}

func (s *Server) refuse(w http.ResponseWriter) {
	var offers []string
	if s.opts.NTLM {
		offers = append(offers, "Negotiate")
	}
	if s.offersBasic() {
		offers = append(offers, `Basic realm="WSMAN"`)
	}
	w.Header()["WWW-Authenticate"] = offers
	w.WriteHeader(http.StatusUnauthorized)
}

// lookup finds a user as Windows does: a local name is found whatever the domain, a domain's name only in it.
func lookup(users map[string]string, domain, name string) (user, password string, known bool) {
	if before, after, cut := strings.Cut(name, `\`); cut {
		domain, name = before, after
	}
	short, _, _ := strings.Cut(name, "@")
	for _, want := range []string{domain + `\` + name, name, short} {
		for user, password := range users {
			if strings.EqualFold(user, want) {
				return user, password, true
			}
		}
	}
	return "", "", false
}

// bindings is the MD5 of the channel bindings of a certificate: tls-server-end-point (RFC 5929) in the structure of
// RFC 2744. It is nil over http.
func bindings(config *tls.Config) []byte {
	if config == nil || len(config.Certificates) == 0 {
		return nil
	}
	leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		return nil
	}
	hash := crypto.SHA256.New()
	switch leaf.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384.New()
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512.New()
	}
	_, _ = hash.Write(leaf.Raw)
	data := hash.Sum([]byte("tls-server-end-point:"))
	gss := append(make([]byte, 16), binary.LittleEndian.AppendUint32(nil, uint32(len(data)))...)
	digest := md5.Sum(append(gss, data...))
	return digest[:]
}

package wsman

import (
	"io"
	"net/http"
	"strings"
)

// peer is what the host knows of one connection. Requests of a connection come one after the other.
type peer struct {
	handshake *handshake
	user      string // "" until authenticated
	seal      sealer // nil: messages are plain
	sealedAs  string // its protocol, as MIME type
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
	user := s.authenticate(w, r, p, scheme, token, len(body) == 0)
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
		if body, err = unseal(p.seal, p.sealedAs, body); err != nil {
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
			body = sealed(p.seal, p.sealedAs, body)
			w.Header().Set("Content-Type", sealedType(p.sealedAs))
		}
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}

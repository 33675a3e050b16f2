package kerberos

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
)

const (
	// perKDC is how long one KDC may take, so that the next one gets its chance.
	perKDC = 4 * time.Second
	// askers is how many requests of one login are on their way at once: MIT's KDC serves one at a time, and cuts
	// connections when it has more than 45 (max_tcp_or_rpc_data_connections).
	askers = 8
	// maxReply is far above any ticket.
	maxReply = 1 << 20
)

// ask sends a request to the realm's KDCs, one after the other, until one answers. It speaks TCP only: tickets of
// Active Directory are too large for UDP, and no KDC of today lacks it. The error is a messages.KRBError where a KDC refused.
func (id *identity) ask(ctx context.Context, realm string, request []byte) ([]byte, error) {
	select {
	case id.asking <- struct{}{}:
		defer func() { <-id.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	addresses, err := id.kdcs(ctx, realm)
	if err != nil {
		return nil, err
	}
	var silent unanswered
	for _, a := range addresses {
		reply, err := send(ctx, a, request)
		if ctx.Err() != nil && err != nil {
			silent.add(a, ctx.Err())
			break
		}
		if err != nil {
			silent.add(a, err)
			continue
		}
		var refusal messages.KRBError
		if refusal.Unmarshal(reply) != nil {
			id.remember(realm, a)
			return reply, nil
		}
		if refusal.ErrorCode == errorcode.KDC_ERR_SVC_UNAVAILABLE {
			silent.add(a, refusal)
			continue
		}
		id.remember(realm, a)
		return nil, refusal
	}
	return nil, silent.failure(realm)
}

func (id *identity) remember(realm, address string) {
	id.mu.Lock()
	defer id.mu.Unlock()
	id.answered[realm] = address
}

// send is RFC 4120, 7.2.2: a length, a message; one of each.
func send(ctx context.Context, address string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, perKDC)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // it has answered, or there is an error already
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...)); err != nil {
		return nil, err
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size == 0 || size > maxReply {
		return nil, fmt.Errorf("an answer of %d bytes is none of a KDC", size)
	}
	reply := make([]byte, size)
	_, err = io.ReadFull(conn, reply)
	return reply, err
}

// unanswered is why no KDC answered, each.
type unanswered struct {
	texts                   []string
	names, timeouts, others int
}

func (u *unanswered) add(address string, err error) {
	text := err.Error()
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		u.names++
		text = "no such name"
		if dns.IsTimeout {
			text = "the name server does not answer"
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.Canceled):
		u.timeouts++
		text = "no answer"
	case errors.Is(err, syscall.ECONNREFUSED):
		u.others++
		text = "connection refused"
	default:
		u.others++
	}
	u.texts = append(u.texts, address+": "+text)
}

func (u *unanswered) failure(realm string) *Failure {
	f := &Failure{Kind: engine.KindRefused, Msg: "no KDC of realm " + realm + " answers (" + strings.Join(u.texts, "; ") + ")",
		Hint: "is TCP port 88 open from here, and is kdc right?"}
	switch {
	case u.others > 0:
	case u.timeouts > 0:
		f.Kind = engine.KindTimeout
	default:
		f.Kind = engine.KindDNS
	}
	return f
}

// Package kdc knows how a small Kerberos KDC answers: the AS and TGS exchanges of RFC 4120 over TCP, for tests and the
// lab that have no other. It proves accounts by password with an encrypted time, counts and refuses as a KDC does, and
// can be made to lie. What a real KDC makes of a request is engine/lab/realm's to say.
package kdc

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
)

// Options are a realm.
type Options struct {
	Realm    string            // "LAB.EXAMPLE" when empty
	Accounts map[string]string // name → password
	Services []string          // "HTTP/host.example"
	Cipher   int32             // of every key; 18, AES-256 with SHA-1, when zero
	Clock    func() time.Time  // nil: time.Now
	Life     time.Duration     // of a ticket; 10 h when zero
	// Refuse answers requests of an account with an error code of RFC 4120, 7.5.9, whatever the password.
	Refuse map[string]int32
	// Refer sends who asks for a service of this name's suffix to another realm: "other.example" → "OTHER.EXAMPLE".
	Refer map[string]string
	// Lie spoils an answer before it is encrypted.
	Lie func(*messages.EncKDCRepPart)
}

// KDC is one that listens.
type KDC struct {
	opts     Options
	listener net.Listener
	running  sync.WaitGroup
	keys     *keytab.Keytab // of the services, and krbtgt

	mu     sync.Mutex
	events []Event
	conns  map[net.Conn]bool
	closed bool
}

// Event is a request that was answered.
type Event struct {
	Kind    string // "AS", "TGS"
	Client  string // name@REALM
	Service string
	Code    int32 // 0: a ticket was given; 25: more proof is wanted; 24: the proof was wrong
}

// Listen starts a KDC on a port of loopback.
func Listen(o Options) (*KDC, error) {
	if o.Realm == "" {
		o.Realm = "LAB.EXAMPLE"
	}
	if o.Cipher == 0 {
		o.Cipher = etypeID.AES256_CTS_HMAC_SHA1_96
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Life == 0 {
		o.Life = 10 * time.Hour
	}
	keys := keytab.New()
	for _, name := range append([]string{"krbtgt/" + o.Realm}, o.Services...) {
		if err := keys.AddEntry(name, o.Realm, "key of "+name, time.Now(), 1, o.Cipher); err != nil {
			return nil, err
		}
	}
	for _, realm := range o.Refer { // trust: who knows a realm's name knows the key
		if err := keys.AddEntry("krbtgt/"+realm, o.Realm, "trust of "+o.Realm+" "+realm, time.Now(), 1, o.Cipher); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	k := &KDC{opts: o, listener: l, keys: keys, conns: map[net.Conn]bool{}}
	k.running.Go(k.accept)
	return k, nil
}

// Trust takes the tickets of another realm that refers to this one.
func (k *KDC) Trust(realm string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys.AddEntry("krbtgt/"+k.opts.Realm, realm, "trust of "+realm+" "+k.opts.Realm, time.Now(), 1, k.opts.Cipher)
}

// Address is where it listens, host:port.
func (k *KDC) Address() string { return k.listener.Addr().String() }

// Realm is its realm.
func (k *KDC) Realm() string { return k.opts.Realm }

// Keytab writes the keys of the services, as a host has them.
func (k *KDC) Keytab(w io.Writer) error {
	b, err := k.keys.Marshal()
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// AccountKeytab writes the key that a password makes, with a version.
func (k *KDC) AccountKeytab(w io.Writer, name, password string, version uint8) error {
	t := keytab.New()
	if err := t.AddEntry(name, k.opts.Realm, password, time.Now(), version, k.opts.Cipher); err != nil {
		return err
	}
	b, err := t.Marshal()
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// Events are all requests so far.
func (k *KDC) Events() []Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]Event(nil), k.events...)
}

// Count is the number of events of this kind and code for services that begin so.
func (k *KDC) Count(kind string, code int32, service string) (n int) {
	for _, e := range k.Events() {
		if e.Kind == kind && e.Code == code && strings.HasPrefix(e.Service, service) {
			n++
		}
	}
	return n
}

// Close ends it.
func (k *KDC) Close() {
	_ = k.listener.Close() // it is being closed
	k.mu.Lock()
	k.closed = true
	for c := range k.conns {
		_ = c.Close()
	}
	k.mu.Unlock()
	k.running.Wait()
}

func (k *KDC) accept() {
	for {
		c, err := k.listener.Accept()
		if err != nil {
			return
		}
		if k.keep(c, true) {
			k.running.Go(func() { k.serve(c) })
		}
	}
}

func (k *KDC) keep(c net.Conn, open bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if open && !k.closed {
		k.conns[c] = true
		return true
	}
	delete(k.conns, c)
	_ = c.Close()
	return false
}

func (k *KDC) serve(c net.Conn) {
	defer k.keep(c, false)
	var head [4]byte
	for {
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head[:])
		if size > 1<<16 {
			return
		}
		request := make([]byte, size)
		if _, err := io.ReadFull(c, request); err != nil {
			return
		}
		answer := k.answer(request)
		if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...)); err != nil || len(answer) == 0 {
			return
		}
	}
}

package kerberos

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Service is a ticket for a service, good for any number of logins until it runs out.
type Service struct {
	Name   string // as it was asked for
	ticket *ticket
	now    func() time.Time
}

// Client is who one is to the service: "ops@CORP.EXAMPLE".
func (s *Service) Client() string {
	return s.ticket.client.PrincipalNameString() + "@" + s.ticket.clientRealm
}

// Service is whose key the ticket is for: "HTTP/host.example@CORP.EXAMPLE".
func (s *Service) Service() string {
	return s.ticket.SName.PrincipalNameString() + "@" + s.ticket.Realm
}

// Context is one login: first the proof to the service, then the service's proof, then messages.
type Context struct {
	service *Service
	made    time.Time // what the proof says, in microseconds
	subkey  types.EncryptionKey
	sealing bool

	established bool
	key         types.EncryptionKey // of messages
	acceptors   bool                // the key is the service's
	sent, seen  uint64              // the numbers of the next messages
}

// Flags of the login, RFC 2743 and RFC 4121, 4.1.1.1.
const (
	flagMutual   = 2
	flagReplay   = 4
	flagSequence = 8
	flagConf     = 16
	flagInteg    = 32
)

// Begin makes the token that logs in (RFC 4121, 4.1). bindings is the application data of the channel ("tls-server-end-point:"
// and a hash, RFC 5929), nil for none; seal asks for messages to be encrypted.
func (s *Service) Begin(bindings []byte, seal bool) (*Context, []byte, error) {
	t := s.ticket
	c := &Context{service: s, made: s.now().UTC().Truncate(time.Microsecond), sealing: seal}
	// Any bytes are an AES key. (gokrb5 makes too short ones for aes256-sha2.)
	c.subkey = types.EncryptionKey{KeyType: t.key.KeyType, KeyValue: make([]byte, len(t.key.KeyValue))}
	if _, err := rand.Read(c.subkey.KeyValue); err != nil {
		return nil, nil, err
	}
	number, err := rand.Int(rand.Reader, big.NewInt(1<<30))
	if err != nil {
		return nil, nil, err
	}
	c.sent = number.Uint64()
	request, err := messages.NewAPReq(t.Ticket, t.key, types.Authenticator{AVNO: iana.PVNO, CRealm: t.clientRealm, CName: t.client,
		Cksum:  types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: checksum(bindings, seal)},
		CTime:  c.made.Truncate(time.Second),
		Cusec:  c.made.Nanosecond() / 1000,
		SubKey: c.subkey, SeqNumber: number.Int64()})
	if err != nil {
		return nil, nil, err
	}
	types.SetFlag(&request.APOptions, flags.APOptionMutualRequired)
	b, err := request.Marshal()
	if err != nil {
		return nil, nil, err
	}
	return c, frame(tokenRequest, b), nil
}

// checksum is the pseudo checksum of RFC 4121, 4.1.1: the channel bindings' MD5 and the flags.
func checksum(bindings []byte, seal bool) []byte {
	wanted := uint32(flagMutual | flagReplay | flagSequence | flagInteg)
	if seal {
		wanted |= flagConf
	}
	b := binary.LittleEndian.AppendUint32(nil, 16)
	if bindings == nil {
		b = append(b, make([]byte, 16)...)
	} else {
		sum := md5.Sum(append(append(make([]byte, 16), binary.LittleEndian.AppendUint32(nil, uint32(len(bindings)))...), bindings...))
		b = append(b, sum[:]...)
	}
	return binary.LittleEndian.AppendUint32(b, wanted)
}

// Kinds of token, RFC 4121, 4.1.
var (
	tokenRequest = []byte{1, 0}
	tokenReply   = []byte{2, 0}
	tokenError   = []byte{3, 0}
)

var mechanism = asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}

// frame puts a token into the frame of RFC 2743, 3.1.
func frame(kind, body []byte) []byte {
	oid, err := asn1.Marshal(mechanism)
	if err != nil {
		panic("kerberos: " + err.Error()) // a constant
	}
	return asn1tools.AddASNAppTag(append(append(oid, kind...), body...), 0)
}

// unframe opens a token. One that is wrapped in SPNEGO (RFC 4178, 4.2.2), as some hosts answer, is unwrapped first.
func unframe(token []byte) (kind, body []byte, err error) {
	if len(token) > 0 && token[0] == 0xa1 {
		var inner struct {
			State    asn1.Enumerated       `asn1:"explicit,optional,tag:0"`
			Mech     asn1.ObjectIdentifier `asn1:"explicit,optional,tag:1"`
			Response []byte                `asn1:"explicit,optional,tag:2"`
			MIC      []byte                `asn1:"explicit,optional,tag:3"`
		}
		if _, err := asn1.UnmarshalWithParams(token, &inner, "explicit,tag:1"); err != nil {
			return nil, nil, err
		}
		token = inner.Response
	}
	var oid asn1.ObjectIdentifier
	rest, err := asn1.UnmarshalWithParams(token, &oid, "application,explicit,tag:0")
	switch {
	case err != nil:
		return nil, nil, err
	case !oid.Equal(mechanism):
		return nil, nil, fmt.Errorf("it is of another mechanism, %v", oid)
	case len(rest) < 2:
		return nil, nil, errors.New("it is cut short")
	}
	return rest[:2], rest[2:], nil
}

// Finish verifies the service's answer: only who has the key of the service can have made it. Its error is a *Failure.
func (c *Context) Finish(token []byte) error {
	kind, body, err := unframe(token)
	switch {
	case err != nil:
		return unproved(err)
	case bytes.Equal(kind, tokenError):
		return c.Refused(token)
	case !bytes.Equal(kind, tokenReply):
		return unproved(fmt.Errorf("it is a token of kind %x", kind))
	}
	var reply messages.APRep
	if err := reply.Unmarshal(body); err != nil {
		return unproved(err)
	}
	plain, err := decrypt(reply.EncPart.Cipher, c.service.ticket.key, keyusage.AP_REP_ENCPART)
	if err != nil {
		return unproved(err)
	}
	var part messages.EncAPRepPart
	if err := part.Unmarshal(plain); err != nil {
		return unproved(err)
	}
	if !part.CTime.Equal(c.made.Truncate(time.Second)) || part.Cusec != c.made.Nanosecond()/1000 {
		return unproved(errors.New("it answers another login"))
	}
	c.key = c.subkey
	if len(part.Subkey.KeyValue) > 0 {
		c.key, c.acceptors = part.Subkey, true
	}
	if !strong(c.key) {
		return unproved(fmt.Errorf("it chooses a key of cipher %d", c.key.KeyType))
	}
	c.seen, c.established = uint64(uint32(part.SequenceNumber)), true
	return nil
}

func strong(key types.EncryptionKey) bool {
	return keyBytes[key.KeyType] > 0 && len(key.KeyValue) == keyBytes[key.KeyType]
}

func unproved(err error) *Failure {
	return &Failure{Kind: engine.KindAuth, Msg: "the host does not prove that it is the one that the ticket is for", Err: err,
		Hint: "is somebody in between? Has the name another address, or is it of two hosts?"}
}

// Refused explains the refusal of a service. Windows says why in an error token; where it does not, token is nil and
// what is left are guesses.
func (c *Context) Refused(token []byte) *Failure {
	name := c.service.Name
	f := &Failure{Kind: engine.KindAuth, Msg: "the host refuses the Kerberos ticket of " + c.service.Client() + " for " + name}
	kind, body, err := unframe(token)
	var said messages.KRBError
	if err != nil || !bytes.Equal(kind, tokenError) || said.Unmarshal(body) != nil {
		f.Hint = "possible: its clock is wrong; " + otherKey(name)
		return f
	}
	f.code = said.ErrorCode
	switch said.ErrorCode {
	case errorcode.KRB_AP_ERR_SKEW, errorcode.KRB_AP_ERR_TKT_NYV, expiredTicket:
		f.Msg, f.Hint = skew("the host", said.STime, c.service.now()), skewHint
	case errorcode.KRB_AP_ERR_MODIFIED, errorcode.KRB_AP_ERR_BAD_INTEGRITY, errorcode.KRB_AP_ERR_BADKEYVER, errorcode.KRB_AP_ERR_NOKEY, errorcode.KRB_AP_ERR_NOT_US:
		f.Msg += fmt.Sprintf(": it cannot open it (%s)", errorcode.Lookup(said.ErrorCode))
		f.Hint = otherKey(name)
	default:
		f.Msg += ": " + errorcode.Lookup(said.ErrorCode)
		f.Hint = "the host's event log (System, source Security-Kerberos) says more"
	}
	return f
}

func otherKey(name string) string {
	return name + ` belongs to another account than the computer's (setspn -Q ` + name + ` shows whose; then try spn = "WSMAN/…"), or the host has left and joined the domain anew`
}

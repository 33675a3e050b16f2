package wsman

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Kerberos makes a host a member of a realm.
type Kerberos struct {
	Keytab string           // file with the keys of the host's names
	Clock  func() time.Time // the host's clock; nil: time.Now
	Mute   bool             // a refusal says nothing, as that of some Windows versions
	Alone  bool             // offered as "Kerberos" only: the switch Negotiate is off
	// SessionKey leaves the choice of the key to the client; a Windows host chooses one itself.
	SessionKey bool
	// Forgetful keeps no login over https: each request has to carry a ticket, as http.sys wants it without
	// HTTP_AUTH_EX_FLAG_ENABLE_KERBEROS_CREDENTIAL_CACHING.
	Forgetful bool
	// Impostor makes the host unable to prove itself: it answers as one without the service's key could.
	Impostor bool
}

// acceptor is the service's side of RFC 4121.
type acceptor struct {
	options  Kerberos
	keys     *keytab.Keytab
	bindings []byte // of the channel; nil over http
	required bool   // bindings have to be given

	mu   sync.Mutex
	seen map[string]bool // authenticators, for the life of the server
}

func newAcceptor(k *Kerberos, bindings []byte, required bool) (*acceptor, error) {
	if k == nil {
		return nil, nil
	}
	keys, err := keytab.Load(k.Keytab)
	if err != nil {
		return nil, fmt.Errorf("keytab: %w", err)
	}
	return &acceptor{options: *k, keys: keys, bindings: bindings, required: required, seen: map[string]bool{}}, nil
}

func (a *acceptor) now() time.Time {
	if a.options.Clock != nil {
		return a.options.Clock()
	}
	return time.Now()
}

// refusal is an error of RFC 4120, 7.5.9.
type refusal struct {
	code int32
	text string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.code, r.text) }

// accept verifies a token. The answer goes to the client, also with an error; it may be empty.
func (a *acceptor) accept(token []byte) (login *kerberosLogin, answer []byte, err error) {
	inner, wrapped, err := unwrapSPNEGO(token)
	if err != nil {
		return nil, nil, err
	}
	body, err := openFrame(inner, 1)
	if err != nil {
		return nil, nil, err
	}
	var request messages.APReq
	if err := request.Unmarshal(body); err != nil {
		return nil, nil, err
	}
	login, err = a.verify(&request)
	var r *refusal
	switch {
	case errors.As(err, &r) && !a.options.Mute:
		answer = a.errorToken(&request, r)
	case err == nil && login.mutual:
		answer, err = a.reply(&request, login)
	}
	if wrapped && len(answer) > 0 {
		answer = answerSPNEGO(answer, err == nil)
	}
	return login, answer, err
}

// verify is RFC 4120, 3.2.3, and RFC 4121, 4.1.1.
func (a *acceptor) verify(request *messages.APReq) (*kerberosLogin, error) {
	t := &request.Ticket
	if err := t.DecryptEncPart(a.keys, nil); err != nil {
		return nil, &refusal{errorcode.KRB_AP_ERR_MODIFIED, err.Error()}
	}
	part := &t.DecryptedEncPart
	if err := request.DecryptAuthenticator(part.Key); err != nil {
		return nil, &refusal{errorcode.KRB_AP_ERR_BAD_INTEGRITY, err.Error()}
	}
	auth := &request.Authenticator
	now, allowed := a.now(), 5*time.Minute
	said := auth.CTime.Add(time.Duration(auth.Cusec) * time.Microsecond)
	switch {
	case !auth.CName.Equal(part.CName) || auth.CRealm != part.CRealm:
		return nil, &refusal{errorcode.KRB_AP_ERR_BADMATCH, "another client"}
	case now.Sub(said).Abs() > allowed:
		return nil, &refusal{errorcode.KRB_AP_ERR_SKEW, "skew"}
	case now.After(part.EndTime.Add(allowed)):
		return nil, &refusal{errorcode.KRB_AP_ERR_TKT_EXPIRED, "expired"}
	case a.replayed(request.EncryptedAuthenticator.Cipher):
		return nil, &refusal{errorcode.KRB_AP_ERR_REPEAT, "replay"}
	}
	sum := auth.Cksum
	if sum.CksumType != chksumtype.GSSAPI || len(sum.Checksum) < 24 || binary.LittleEndian.Uint32(sum.Checksum) != 16 {
		return nil, &refusal{errorcode.KRB_AP_ERR_INAPP_CKSUM, "not a GSS-API login"}
	}
	given, wanted := sum.Checksum[4:20], binary.LittleEndian.Uint32(sum.Checksum[20:])
	none := bytes.Equal(given, make([]byte, 16))
	if a.bindings != nil && !bytes.Equal(given, a.bindings) && (!none || a.required) {
		return nil, &refusal{errorcode.KRB_AP_ERR_MODIFIED, "bound to another channel"}
	}
	login := &kerberosLogin{client: strings.Join(part.CName.NameString, "/") + "@" + part.CRealm, ticket: part.Key, key: part.Key,
		seals: wanted&gssapi.ContextFlagConf != 0, mutual: types.IsFlagSet(&request.APOptions, flags.APOptionMutualRequired), in: uint64(auth.SeqNumber)}
	if len(auth.SubKey.KeyValue) > 0 {
		login.key = auth.SubKey
	}
	return login, nil
}

func (a *acceptor) replayed(authenticator []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	again := a.seen[string(authenticator)]
	a.seen[string(authenticator)] = true
	return again
}

// reply is the AP-REP (RFC 4120, 5.5.2), with a key of our own for the messages.
func (a *acceptor) reply(request *messages.APReq, login *kerberosLogin) ([]byte, error) {
	number, err := rand.Int(rand.Reader, big.NewInt(1<<30))
	if err != nil {
		return nil, err
	}
	login.out = number.Uint64()
	part := messages.EncAPRepPart{CTime: request.Authenticator.CTime, Cusec: request.Authenticator.Cusec, SequenceNumber: number.Int64()}
	if !a.options.SessionKey {
		part.Subkey = types.EncryptionKey{KeyType: login.key.KeyType, KeyValue: make([]byte, len(login.key.KeyValue))}
		if _, err := rand.Read(part.Subkey.KeyValue); err != nil {
			return nil, err
		}
		login.key, login.ours = part.Subkey, true
	}
	plain, err := asn1.Marshal(part)
	if err != nil {
		return nil, err
	}
	key := login.ticket
	if a.options.Impostor {
		key = types.EncryptionKey{KeyType: key.KeyType, KeyValue: make([]byte, len(key.KeyValue))}
	}
	sealed, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(plain, asnAppTag.EncAPRepPart), key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		return nil, err
	}
	b, err := asn1.Marshal(messages.APRep{PVNO: iana.PVNO, MsgType: msgtype.KRB_AP_REP, EncPart: sealed})
	if err != nil {
		return nil, err
	}
	return makeFrame(2, asn1tools.AddASNAppTag(b, asnAppTag.APREP))
}

func (a *acceptor) errorToken(request *messages.APReq, r *refusal) []byte {
	e := messages.NewKRBError(request.Ticket.SName, request.Ticket.Realm, r.code, "")
	now := a.now().UTC()
	e.STime, e.Susec = now, now.Nanosecond()/1000
	b, err := e.Marshal()
	if err != nil {
		return nil
	}
	token, err := makeFrame(3, b)
	if err != nil {
		return nil
	}
	return token
}

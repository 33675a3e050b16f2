package kerberos

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// granting gives the ticket-granting ticket of the login's own realm.
func (id *identity) granting(ctx context.Context) (*ticket, error) {
	return id.tickets.get(ctx, "granting", id.now, func(ctx context.Context) (*ticket, error) {
		if id.source.cache != "" {
			return id.cached(ctx)
		}
		return id.login1(ctx)
	})
}

// login1 is the AS exchange (RFC 4120, 3.1). The first request carries no proof: the KDC answers with what the key is
// made of, which counts as no failure anywhere. The second one does, once.
func (id *identity) login1(ctx context.Context) (*ticket, error) {
	c := &id.source
	request, err := id.asRequest()
	if err != nil {
		return nil, err
	}
	reply, err := id.askAS(ctx, request)
	var refusal messages.KRBError
	if !errors.As(err, &refusal) || refusal.ErrorCode != errorcode.KDC_ERR_PREAUTH_REQUIRED {
		return id.granted(request, reply, nil, err)
	}
	info, cipher, err := choose(refusal.EData, c.keyCiphers())
	if err != nil {
		return nil, id.explain(refusal, "")
	}
	key, err := c.key(info, cipher)
	if err != nil {
		return nil, &Failure{Kind: engine.KindAuth, Msg: "no key for " + c.String(), Err: err}
	}
	if request.PAData, err = id.proof(key); err != nil {
		return nil, err
	}
	reply, err = id.askAS(ctx, request)
	return id.granted(request, reply, &key, err)
}

func (id *identity) asRequest() (*messages.ASReq, error) {
	c := &id.source
	nonce, err := nonce()
	if err != nil {
		return nil, err
	}
	options := types.NewKrbFlags()
	types.SetFlag(&options, flags.RenewableOK)
	if c.name.NameType == enterprise {
		types.SetFlag(&options, flags.Canonicalize)
	}
	return &messages.ASReq{KDCReqFields: messages.KDCReqFields{PVNO: iana.PVNO, MsgType: msgtype.KRB_AS_REQ, ReqBody: messages.KDCReqBody{
		KDCOptions: options, CName: c.name, Realm: c.home, SName: grantingName(c.home), Till: id.until(), Nonce: nonce, EType: c.keyCiphers(),
	}}}, nil
}

func (id *identity) until() time.Time {
	return id.now().UTC().Add(id.config.LibDefaults.TicketLifetime)
}

func grantingName(realm string) types.PrincipalName {
	return types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", realm}}
}

func nonce() (int, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1<<31-1))
	if err != nil {
		return 0, err
	}
	return int(n.Int64()), nil
}

func (id *identity) askAS(ctx context.Context, request *messages.ASReq) ([]byte, error) {
	b, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	return id.ask(ctx, id.source.home, b)
}

// proof is the time, encrypted with the account's key (RFC 4120, 5.2.7.2).
func (id *identity) proof(key types.EncryptionKey) (types.PADataSequence, error) {
	now := id.now().UTC()
	plain, err := asn1.Marshal(types.PAEncTSEnc{PATimestamp: now, PAUSec: now.Nanosecond() / 1000})
	if err != nil {
		return nil, err
	}
	sealed, err := crypto.GetEncryptedData(plain, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, 0)
	if err != nil {
		return nil, err
	}
	value, err := sealed.Marshal()
	if err != nil {
		return nil, err
	}
	return types.PADataSequence{{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}}, nil
}

// choose takes, of the ciphers that the KDC has keys for, the first that we have one for.
func choose(methods []byte, ours []int32) (*types.ETypeInfo2Entry, int32, error) {
	var all types.PADataSequence
	if err := all.Unmarshal(methods); err != nil {
		return nil, 0, err
	}
	return chooseOf(all, ours)
}

func chooseOf(all types.PADataSequence, ours []int32) (*types.ETypeInfo2Entry, int32, error) {
	for _, pa := range all {
		if pa.PADataType != patype.PA_ETYPE_INFO2 {
			continue
		}
		entries, err := pa.GetETypeInfo2()
		if err != nil {
			return nil, 0, err
		}
		for i, e := range entries {
			if slices.Contains(ours, e.EType) {
				return &entries[i], e.EType, nil
			}
		}
	}
	return nil, 0, errNoCipher
}

var errNoCipher = errors.New("no cipher in common")

// granted reads the answer of an AS exchange, or explains why there is none. key is nil where the KDC wanted no proof.
func (id *identity) granted(request *messages.ASReq, reply []byte, key *types.EncryptionKey, err error) (*ticket, error) {
	c := &id.source
	if err != nil {
		return nil, id.explain(err, "")
	}
	var rep messages.ASRep
	if err := rep.Unmarshal(reply); err != nil {
		return nil, nonsense(err)
	}
	if key == nil || key.KeyType != rep.EncPart.EType {
		info, cipher, _ := chooseOf(rep.PAData, []int32{rep.EncPart.EType})
		if cipher == 0 {
			cipher = rep.EncPart.EType
		}
		made, err := c.key(info, cipher)
		if err != nil || !slices.Contains(ciphers, cipher) {
			return nil, &Failure{Kind: engine.KindAuth, Msg: "the KDC answers with a cipher that is not taken", Err: err, Hint: aesHint}
		}
		key = &made
	}
	part, err := openReply(rep.EncPart, *key, keyusage.AS_REP_ENCPART)
	if err != nil {
		return nil, id.wrongSecret()
	}
	canonical := c.name.NameType == enterprise
	if part.Nonce != request.ReqBody.Nonce || !canonical && !same(rep.CName, c.name) || !strings.EqualFold(rep.CRealm, c.home) || !strings.EqualFold(part.SRealm, c.home) ||
		!same(part.SName, request.ReqBody.SName) || !same(rep.Ticket.SName, part.SName) {
		return nil, nonsense(errors.New("it answers another question"))
	}
	return id.ticketOf(rep.Ticket, part, rep.CName, rep.CRealm)
}

// same compares names as Windows does, which answers in its own spelling.
func same(a, b types.PrincipalName) bool {
	return slices.EqualFunc(a.NameString, b.NameString, strings.EqualFold)
}

// ticketOf keeps a ticket, if the key that comes with it is one that we take.
func (id *identity) ticketOf(t messages.Ticket, part messages.EncKDCRepPart, client types.PrincipalName, realm string) (*ticket, error) {
	if !strong(part.Key) {
		return nil, &Failure{Kind: engine.KindAuth, Msg: fmt.Sprintf("the KDC gives a key of cipher %d for %s, which is not taken", part.Key.KeyType, part.SName.PrincipalNameString()), Hint: aesHint}
	}
	k := &ticket{Ticket: t, key: part.Key, client: client, clientRealm: realm, start: part.StartTime, end: part.EndTime}
	if k.start.IsZero() {
		k.start = part.AuthTime
	}
	if types.IsFlagSet(&part.Flags, flags.Renewable) {
		k.renewTill = part.RenewTill
	}
	return k, nil
}

// openReply decrypts the part of an answer that is for us; anything shorter than a cipher allows is refused here,
// because gokrb5 does not look.
func openReply(e types.EncryptedData, key types.EncryptionKey, usage uint32) (part messages.EncKDCRepPart, err error) {
	plain, err := decrypt(e.Cipher, key, usage)
	if err != nil {
		return part, err
	}
	return part, part.Unmarshal(plain)
}

func decrypt(sealed []byte, key types.EncryptionKey, usage uint32) ([]byte, error) {
	et, err := crypto.GetEtype(key.KeyType)
	if err != nil {
		return nil, err
	}
	if len(sealed) < et.GetConfounderByteSize()+et.GetHMACBitLength()/8 {
		return nil, errors.New("too short to be encrypted")
	}
	return et.DecryptMessage(key.KeyValue, sealed, usage)
}

package kdc

import (
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// answer to a request; empty for what is none.
func (k *KDC) answer(request []byte) []byte {
	var as messages.ASReq
	if as.Unmarshal(request) == nil {
		return k.as(&as)
	}
	var tgs messages.TGSReq
	if tgs.Unmarshal(request) == nil {
		return k.tgs(&tgs)
	}
	return nil
}

func (k *KDC) tell(e Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, e)
}

// refuse makes a KRB-ERROR.
func (k *KDC) refuse(e Event, code int32, body *messages.KDCReqBody, data []byte) []byte {
	e.Code = code
	k.tell(e)
	r := messages.NewKRBError(body.SName, k.opts.Realm, code, "")
	now := k.opts.Clock().UTC()
	r.STime, r.Susec, r.EData, r.CName, r.CRealm = now, now.Nanosecond()/1000, data, body.CName, k.opts.Realm
	b, err := r.Marshal()
	if err != nil {
		return nil
	}
	return b
}

func (k *KDC) as(request *messages.ASReq) []byte {
	body := &request.ReqBody
	name := body.CName.PrincipalNameString()
	e := Event{Kind: "AS", Client: name + "@" + body.Realm, Service: body.SName.PrincipalNameString()}
	password, known := k.opts.Accounts[name]
	switch {
	case body.Realm != k.opts.Realm:
		return k.refuse(e, errorcode.KDC_ERR_WRONG_REALM, body, nil)
	case !known:
		return k.refuse(e, errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, body, nil)
	case k.opts.Refuse[name] != 0:
		return k.refuse(e, k.opts.Refuse[name], body, nil)
	case !slices.Contains(body.EType, k.opts.Cipher):
		return k.refuse(e, errorcode.KDC_ERR_ETYPE_NOSUPP, body, nil)
	}
	et, err := crypto.GetEtype(k.opts.Cipher)
	if err != nil {
		return nil
	}
	value, err := et.StringToKey(password, body.CName.GetSalt(k.opts.Realm), et.GetDefaultStringToKeyParams())
	if err != nil {
		return nil
	}
	key := types.EncryptionKey{KeyType: k.opts.Cipher, KeyValue: value}
	i := slices.IndexFunc(request.PAData, func(p types.PAData) bool { return p.PADataType == patype.PA_ENC_TIMESTAMP })
	if i < 0 {
		return k.refuse(e, errorcode.KDC_ERR_PREAUTH_REQUIRED, body, k.methods(body.CName))
	}
	said, ok := opened(request.PAData[i].PADataValue, key)
	switch {
	case !ok:
		return k.refuse(e, errorcode.KDC_ERR_PREAUTH_FAILED, body, k.methods(body.CName))
	case k.opts.Clock().Sub(said).Abs() > 5*time.Minute:
		return k.refuse(e, errorcode.KRB_AP_ERR_SKEW, body, nil)
	}
	fields, ok := k.grant(body.CName, k.opts.Realm, body, key, keyusage.AS_REP_ENCPART, asnAppTag.EncASRepPart)
	if !ok {
		return k.refuse(e, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, body, nil)
	}
	k.tell(e)
	fields.MsgType = msgtype.KRB_AS_REP
	rep := messages.ASRep{KDCRepFields: fields}
	b, err := rep.Marshal()
	if err != nil {
		return nil
	}
	return b
}

// methods is what the key is made of: the cipher and the salt (RFC 4120, 5.2.7.5).
func (k *KDC) methods(client types.PrincipalName) []byte {
	info, err := asn1.Marshal(types.ETypeInfo2{{EType: k.opts.Cipher, Salt: client.GetSalt(k.opts.Realm)}})
	if err != nil {
		return nil
	}
	b, err := asn1.Marshal(types.PADataSequence{{PADataType: patype.PA_ETYPE_INFO2, PADataValue: info}, {PADataType: patype.PA_ENC_TIMESTAMP}})
	if err != nil {
		return nil
	}
	return b
}

func opened(proof []byte, key types.EncryptionKey) (time.Time, bool) {
	var sealed types.EncryptedData
	var ts types.PAEncTSEnc
	if sealed.Unmarshal(proof) != nil {
		return time.Time{}, false
	}
	plain, err := crypto.DecryptEncPart(sealed, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP)
	if err != nil || ts.Unmarshal(plain) != nil {
		return time.Time{}, false
	}
	return ts.PATimestamp, true
}

func (k *KDC) tgs(request *messages.TGSReq) []byte {
	body := &request.ReqBody
	e := Event{Kind: "TGS", Service: body.SName.PrincipalNameString()}
	var proof messages.APReq
	i := slices.IndexFunc(request.PAData, func(p types.PAData) bool { return p.PADataType == patype.PA_TGS_REQ })
	if i < 0 || proof.Unmarshal(request.PAData[i].PADataValue) != nil || proof.Ticket.DecryptEncPart(k.keys, nil) != nil {
		return k.refuse(e, errorcode.KRB_AP_ERR_MODIFIED, body, nil)
	}
	ticket := &proof.Ticket.DecryptedEncPart
	if err := proof.DecryptAuthenticator(ticket.Key); err != nil {
		return k.refuse(e, errorcode.KRB_AP_ERR_BAD_INTEGRITY, body, nil)
	}
	e.Client = ticket.CName.PrincipalNameString() + "@" + ticket.CRealm
	now := k.opts.Clock()
	switch {
	case proof.Authenticator.CRealm != ticket.CRealm || !proof.Authenticator.CName.Equal(ticket.CName):
		return k.refuse(e, errorcode.KRB_AP_ERR_BADMATCH, body, nil)
	case now.Sub(proof.Authenticator.CTime).Abs() > 5*time.Minute:
		return k.refuse(e, errorcode.KRB_AP_ERR_SKEW, body, nil)
	case now.After(ticket.EndTime):
		return k.refuse(e, errorcode.KRB_AP_ERR_TKT_EXPIRED, body, nil)
	}
	for suffix, realm := range k.opts.Refer {
		if strings.HasSuffix(e.Service, suffix) {
			body.SName = types.PrincipalName{NameType: 2, NameString: []string{"krbtgt", realm}}
		}
	}
	fields, ok := k.grant(ticket.CName, ticket.CRealm, body, ticket.Key, keyusage.TGS_REP_ENCPART_SESSION_KEY, asnAppTag.EncTGSRepPart)
	if !ok {
		return k.refuse(e, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, body, nil)
	}
	k.tell(e)
	fields.MsgType = msgtype.KRB_TGS_REP
	rep := messages.TGSRep{KDCRepFields: fields}
	b, err := rep.Marshal()
	if err != nil {
		return nil
	}
	return b
}

// grant makes a ticket, and the part of the answer that is for its owner. It fails for a service that is not known.
func (k *KDC) grant(client types.PrincipalName, realm string, body *messages.KDCReqBody, key types.EncryptionKey, usage uint32, tag int) (f messages.KDCRepFields, ok bool) {
	now := k.opts.Clock().UTC().Truncate(time.Second)
	end := now.Add(k.opts.Life)
	options := types.NewKrbFlags()
	types.SetFlags(&options, []int{flags.Renewable, flags.PreAuthent})
	ticket, session, err := messages.NewTicket(client, realm, body.SName, k.opts.Realm, options, k.keys, k.opts.Cipher, 1, now, now, end, end.Add(k.opts.Life))
	if err != nil {
		return f, false
	}
	part := messages.EncKDCRepPart{Key: session, LastReqs: []messages.LastReq{{LRType: 0, LRValue: now}}, Nonce: body.Nonce, Flags: options,
		AuthTime: now, StartTime: now, EndTime: end, RenewTill: end.Add(k.opts.Life), SRealm: k.opts.Realm, SName: body.SName}
	if k.opts.Lie != nil {
		k.opts.Lie(&part)
	}
	b, err := asn1.Marshal(part)
	if err != nil {
		return f, false
	}
	sealed, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(b, tag), key, usage, 1)
	if err != nil {
		return f, false
	}
	return messages.KDCRepFields{PVNO: iana.PVNO, CRealm: realm, CName: client, Ticket: ticket, EncPart: sealed}, true
}

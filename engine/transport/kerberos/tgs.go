package kerberos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// mostRealms bounds the way through realms that trust each other.
const mostRealms = 6

// forService gets the ticket for a service. The own realm is asked first, unless the name or krb5.conf says where the
// service is; a KDC that knows better refers to another realm (RFC 6806, 8).
func (id *identity) forService(ctx context.Context, service string) (*ticket, error) {
	name, realm, _ := strings.Cut(service, "@")
	if realm == "" {
		_, host, _ := strings.Cut(name, "/")
		realm = id.config.ResolveRealm(strings.ToLower(host))
	}
	tgt, err := id.granting(ctx)
	if err != nil {
		return nil, err
	}
	sname := types.NewPrincipalName(nametype.KRB_NT_SRV_INST, name)
	at := id.source.home
	if realm != "" && realm != at {
		if tgt, err = id.exchange(ctx, at, tgt, grantingName(realm), false); err != nil {
			return nil, id.explain(err, "krbtgt/"+realm)
		}
		at = grants(tgt.Ticket)
	}
	for range mostRealms {
		got, err := id.exchange(ctx, at, tgt, sname, false)
		if err != nil {
			return nil, id.explain(err, name)
		}
		if same(got.SName, sname) || grants(got.Ticket) == "" {
			return got, nil
		}
		tgt, at = got, grants(got.Ticket)
	}
	return nil, &Failure{Kind: engine.KindAuth, Msg: "the KDCs send each other round for " + name, Hint: "set [domain_realm] in krb5.conf, or spn = \"" + name + "@REALM\""}
}

// grants is the realm whose KDC takes the ticket, "" when it is not a ticket-granting one.
func grants(t messages.Ticket) string {
	if n := t.SName.NameString; len(n) == 2 && n[0] == "krbtgt" {
		return n[1]
	}
	return ""
}

// exchange is the TGS exchange (RFC 4120, 3.3) with the KDC of a realm.
func (id *identity) exchange(ctx context.Context, realm string, tgt *ticket, service types.PrincipalName, renew bool) (*ticket, error) {
	nonce, err := nonce()
	if err != nil {
		return nil, err
	}
	options := types.NewKrbFlags()
	types.SetFlag(&options, flags.Canonicalize)
	if renew {
		types.SetFlags(&options, []int{flags.Renew, flags.Renewable})
	}
	request := messages.TGSReq{KDCReqFields: messages.KDCReqFields{PVNO: iana.PVNO, MsgType: msgtype.KRB_TGS_REQ, ReqBody: messages.KDCReqBody{
		KDCOptions: options, Realm: realm, SName: service, Till: id.until(), Nonce: nonce, EType: ciphers,
	}}}
	if request.PAData, err = id.granter(tgt, &request.ReqBody); err != nil {
		return nil, err
	}
	b, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	reply, err := id.ask(ctx, realm, b)
	if err != nil {
		return nil, err
	}
	var rep messages.TGSRep
	if err := rep.Unmarshal(reply); err != nil {
		return nil, nonsense(err)
	}
	part, err := openReply(rep.EncPart, tgt.key, keyusage.TGS_REP_ENCPART_SESSION_KEY)
	switch {
	case err != nil:
		return nil, nonsense(err)
	case part.Nonce != nonce, !same(rep.CName, tgt.client), len(part.SName.NameString) == 0, !same(part.SName, rep.Ticket.SName):
		return nil, nonsense(errors.New("it answers another question"))
	case !same(part.SName, service) && grants(rep.Ticket) == "":
		return nil, nonsense(fmt.Errorf("it gives a ticket for %s, not for %s", part.SName.PrincipalNameString(), service.PrincipalNameString()))
	}
	return id.ticketOf(rep.Ticket, part, tgt.client, tgt.clientRealm)
}

// granter proves with a ticket-granting ticket that the request is its owner's (RFC 4120, 5.2.7.1 and 5.4.1). gokrb5's
// own takes the ticket's realm for the client's, which is wrong from the second realm on.
func (id *identity) granter(tgt *ticket, body *messages.KDCReqBody) (types.PADataSequence, error) {
	b, err := body.Marshal()
	if err != nil {
		return nil, err
	}
	et, err := crypto.GetEtype(tgt.key.KeyType)
	if err != nil {
		return nil, err
	}
	sum, err := et.GetChecksumHash(tgt.key.KeyValue, b, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
	if err != nil {
		return nil, err
	}
	now := id.now().UTC()
	request, err := messages.NewAPReq(tgt.Ticket, tgt.key, types.Authenticator{AVNO: iana.PVNO, CRealm: tgt.clientRealm, CName: tgt.client,
		Cksum: types.Checksum{CksumType: et.GetHashID(), Checksum: sum}, CTime: now, Cusec: now.Nanosecond() / 1000})
	if err != nil {
		return nil, err
	}
	value, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	return types.PADataSequence{{PADataType: patype.PA_TGS_REQ, PADataValue: value}}, nil
}

// cached reads the ticket-granting ticket from the cache, which somebody may have renewed meanwhile; one that has run
// out, or is about to, is renewed where that is allowed. The file is not written.
func (id *identity) cached(ctx context.Context) (*ticket, error) {
	c := &id.source
	cache, err := loadCache(c.cache)
	if err != nil {
		return nil, err
	}
	found, ok := cache.GetEntry(grantingName(c.home))
	if !ok || cache.DefaultPrincipal.Realm != c.home || !cache.DefaultPrincipal.PrincipalName.Equal(c.name) {
		return nil, &Failure{Kind: engine.KindAuth, Msg: "ticket cache " + c.cache + " has no ticket-granting ticket of " + c.String(), Hint: "kinit " + c.String()}
	}
	k := &ticket{key: found.Key, client: c.name, clientRealm: c.home, start: found.StartTime, end: found.EndTime}
	if err := k.Unmarshal(found.Ticket); err != nil {
		return nil, &Failure{Kind: engine.KindModule, Msg: "ticket cache " + c.cache + " cannot be read", Err: err}
	}
	if !strong(k.key) {
		return nil, &Failure{Kind: engine.KindAuth, Msg: fmt.Sprintf("the ticket in %s has a key of cipher %d, which is not taken", c.cache, k.key.KeyType), Hint: aesHint}
	}
	if types.IsFlagSet(&found.TicketFlags, flags.Renewable) {
		k.renewTill = found.RenewTill
	}
	now := id.now()
	if k.stale(now) && now.Before(k.renewTill) && now.Before(k.end) {
		if fresh, err := id.exchange(ctx, c.home, k, grantingName(c.home), true); err == nil {
			return fresh, nil
		}
	}
	if !now.Before(k.end) {
		return nil, &Failure{Kind: engine.KindAuth, code: expiredTicket, Msg: fmt.Sprintf("the ticket of %s in %s ran out at %s", c.String(), c.cache, k.end.Local().Format(time.DateTime)),
			Hint: "kinit " + c.String() + "; a keytab lasts longer than a ticket"}
	}
	return k, nil
}

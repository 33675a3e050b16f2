package wsman

import (
	"errors"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/spnego"
)

var oidKerberos = gssapi.OIDKRB5.OID()

// makeFrame and openFrame are RFC 2743, 3.1, with the kinds of RFC 4121, 4.1: 1 request, 2 reply, 3 error.
func makeFrame(kind byte, body []byte) ([]byte, error) {
	oid, err := asn1.Marshal(oidKerberos)
	if err != nil {
		return nil, err
	}
	return asn1tools.AddASNAppTag(append(append(oid, kind, 0), body...), 0), nil
}

func openFrame(token []byte, kind byte) ([]byte, error) {
	var oid asn1.ObjectIdentifier
	rest, err := asn1.UnmarshalWithParams(token, &oid, "application,explicit,tag:0")
	if err != nil || !oid.Equal(oidKerberos) || len(rest) < 2 || rest[0] != kind || rest[1] != 0 {
		return nil, errors.New("not a Kerberos token")
	}
	return rest[2:], nil
}

// unwrapSPNEGO takes the token out of a NegTokenInit (RFC 4178), if it is in one.
func unwrapSPNEGO(token []byte) (inner []byte, wrapped bool, err error) {
	var t spnego.SPNEGOToken
	if t.Unmarshal(token) != nil || !t.Init {
		return token, false, nil
	}
	mechs := t.NegTokenInit.MechTypes
	if len(mechs) == 0 || !mechs[0].Equal(oidKerberos) && !mechs[0].Equal(gssapi.OIDMSLegacyKRB5.OID()) {
		return nil, true, errors.New("another mechanism is preferred")
	}
	return t.NegTokenInit.MechTokenBytes, true, nil
}

func answerSPNEGO(token []byte, accepted bool) []byte {
	state := spnego.NegStateReject
	if accepted {
		state = spnego.NegStateAcceptCompleted
	}
	r := spnego.NegTokenResp{NegState: asn1.Enumerated(state), SupportedMech: oidKerberos, ResponseToken: token}
	b, err := r.Marshal()
	if err != nil {
		return nil
	}
	return b
}

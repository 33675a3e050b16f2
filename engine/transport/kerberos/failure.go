package kerberos

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
)

const (
	unknownService = errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN
	expiredTicket  = errorcode.KRB_AP_ERR_TKT_EXPIRED

	aesHint = "dsplay takes AES only, no RC4: in Active Directory allow AES for the account (attribute msDS-SupportedEncryptionTypes = 24) and set its password once more, so that it gets AES keys"
)

// passing says that the same may go well later in the run.
func (f *Failure) passing() bool {
	switch f.code {
	case errorcode.KRB_AP_ERR_SKEW, expiredTicket, unknownService, errorcode.KRB_ERR_GENERIC:
		return true
	}
	return false
}

func nonsense(err error) *Failure {
	return &Failure{Kind: engine.KindProtocol, Msg: "what answers there as KDC does not keep to the protocol", Err: err, Hint: "is kdc right?"}
}

// explain says what the refusal of a KDC means; other errors stay what they are. service is what a ticket was asked
// for, "" for the login itself.
func (id *identity) explain(err error, service string) error {
	var refusal messages.KRBError
	if !errors.As(err, &refusal) {
		return err
	}
	f := &Failure{Kind: engine.KindAuth, code: refusal.ErrorCode}
	c := &id.source
	switch refusal.ErrorCode {
	case errorcode.KRB_AP_ERR_SKEW:
		f.Msg, f.Hint = skew("the KDC", refusal.STime, id.now()), skewHint
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN:
		f.Msg, f.Hint = "the KDC does not know the account "+c.String(), `check user and realm; a UPN whose suffix is not the realm needs realm = "CORP.EXAMPLE"`
	case errorcode.KDC_ERR_WRONG_REALM:
		f.Msg, f.Hint = "the account "+c.String()+" is in another realm", "set realm to the one in which it is: "+refusal.CRealm
	case errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN:
		f.Msg, f.Hint = "the KDC does not know the service "+service, "check the host's name"
	case errorcode.KDC_ERR_PREAUTH_FAILED, errorcode.KRB_AP_ERR_BAD_INTEGRITY:
		if service == "" {
			return id.wrongSecret()
		}
		f.Msg = "the KDC refuses our ticket"
	case errorcode.KDC_ERR_PREAUTH_REQUIRED, errorcode.KDC_ERR_ETYPE_NOSUPP:
		f.Msg, f.Hint = "the KDC has no cipher in common with us for "+orElse(service, c.String()), aesHint
		if c.keytab != nil && service == "" {
			f.Hint = "the account's keys are of other ciphers than those in keytab " + c.file + "; make it anew"
		}
	case errorcode.KDC_ERR_KEY_EXPIRED:
		f.Msg, f.Hint = "the password of "+c.String()+" has expired", "set a new one (kpasswd, or by the administrator), or use an account whose password does not expire"
	case errorcode.KDC_ERR_NAME_EXP:
		f.Msg, f.Hint = "the account "+c.String()+" has expired", "ask for it to be renewed"
	case errorcode.KDC_ERR_CLIENT_REVOKED:
		f.Msg, f.Hint = "the account "+c.String()+" is disabled, locked, or not allowed to log in now", "look at the account in Active Directory: locked after too many wrong passwords, disabled, logon hours"
	case expiredTicket:
		f.Msg, f.Hint = "our ticket has run out", "kinit "+c.String()
	case errorcode.KDC_ERR_POLICY:
		f.Msg, f.Hint = "a policy of the KDC forbids it", "authentication policies and silos, or logon restrictions, of "+c.String()
	default:
		f.Msg = fmt.Sprintf("the KDC refuses (%d, %s)", refusal.ErrorCode, errorcode.Lookup(refusal.ErrorCode))
		if refusal.EText != "" {
			f.Msg += ": " + refusal.EText
		}
	}
	return f
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

const skewHint = "set both clocks (w32tm /resync on Windows, chronyc makestep here): Kerberos allows five minutes"

// skew says whose clock is ahead, and by how much.
func skew(who string, theirs, ours time.Time) string {
	d := theirs.Sub(ours).Round(time.Second)
	if d < 0 {
		return fmt.Sprintf("the clocks differ: that of %s is %v behind ours", who, -d)
	}
	return fmt.Sprintf("the clocks differ: that of %s is %v ahead of ours", who, d)
}

// wrongSecret is the refusal of a password or key. It was tried once, and is not tried again.
func (id *identity) wrongSecret() *Failure {
	c := &id.source
	f := &Failure{Kind: engine.KindAuth, code: errorcode.KDC_ERR_PREAUTH_FAILED, Msg: "the KDC refuses the password of " + c.String(),
		Hint: "check it; it was tried once only, so that the account is not locked"}
	if c.keytab != nil {
		var versions []string
		for _, id := range c.keyCiphers() {
			_, v, _ := c.fromTable(id)
			if text := fmt.Sprint(v); len(versions) == 0 || versions[len(versions)-1] != text {
				versions = append(versions, text)
			}
		}
		f.Msg = fmt.Sprintf("the KDC refuses the key of %s in keytab %s (version %s)", c.String(), c.file, strings.Join(versions, ", "))
		f.Hint = "was the password changed since? kvno " + c.String() + " shows the version that counts; make the keytab anew"
	}
	return f
}

func unknownNames(names []string, err error) error {
	var f *Failure
	if !errors.As(err, &f) {
		return err
	}
	_, host, _ := strings.Cut(names[0], "/")
	return &Failure{Kind: engine.KindAuth, code: unknownService, Msg: "the KDC does not know " + strings.Join(names, ", nor "),
		Hint: "is that the host's name in the domain, and is the host joined to it? Set spn, or register the name: setspn -S WSMAN/" + host + " COMPUTERACCOUNT"}
}

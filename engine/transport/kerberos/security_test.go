package kerberos

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// TestRoundsOfAForgedAnswer: nobody between us and the KDC makes the password cheap to guess, or us busy for minutes.
func TestRoundsOfAForgedAnswer(t *testing.T) {
	c := credential{name: types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, "ops"), home: "CORP.EXAMPLE", password: engine.Plain("s3cret")}
	for params, good := range map[string]bool{"\x00\x00\x00\x00": false, "\x00\x00\x00\x01": false, "\x00\x00\x0f\xff": false, "\x00\x00\x10\x00": true, "\xff\xff\xff\xff": false} {
		_, err := c.key(&types.ETypeInfo2Entry{S2KParams: []byte(params)}, ciphers[0])
		if (err == nil) != good || err != nil && !strings.Contains(err.Error(), "rounds") {
			t.Errorf("%x: %v", params, err)
		}
	}
}

package kerberos

import (
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/messages"
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

// FuzzAnswers: what a host or a KDC answers never ends the program.
func FuzzAnswers(f *testing.F) {
	key := types.EncryptionKey{KeyType: ciphers[0], KeyValue: make([]byte, keyBytes[ciphers[0]])}
	service := &Service{Name: "HTTP/h", ticket: &ticket{key: key, client: types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, "ops")}, now: time.Now}
	f.Add([]byte{0xa1, 0x07, 0x30, 0x05, 0xa0, 0x03, 0x0a, 0x01, 0x00})
	f.Add(frame(tokenReply, []byte{0x6f, 0x03, 0x30, 0x01, 0x00}))
	f.Add(frame(tokenError, []byte{0x7e, 0x03, 0x30, 0x01, 0x00}))
	f.Add([]byte{0x6b, 0x82, 0x00, 0x04, 0x30, 0x02, 0x05, 0x00})
	f.Add(append([]byte{5, 4, 3, 0xff, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 1}, make([]byte, 80)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &Context{service: service, made: time.Unix(1, 0), subkey: key, sealing: true}
		if c.Finish(b) == nil {
			t.Error("that was no proof")
		}
		_ = c.Refused(b)
		c.key, c.established = key, true
		if plain, err := c.Unwrap(b[len(b)/2:], b[:len(b)/2]); err == nil {
			t.Errorf("%x is sealed", plain)
		}
		_ = new(messages.KRBError).Unmarshal(b)
		_, _, _ = choose(b, ciphers)
		_ = new(messages.EncKDCRepPart).Unmarshal(b)
		for _, rep := range []interface{ Unmarshal([]byte) error }{new(messages.ASRep), new(messages.TGSRep), new(messages.APRep)} {
			_ = rep.Unmarshal(b)
		}
		var as messages.ASRep
		if as.Unmarshal(b) == nil {
			_, _ = openReply(as.EncPart, key, 3)
			_, _, _ = chooseOf(as.PAData, ciphers)
		}
	})
}

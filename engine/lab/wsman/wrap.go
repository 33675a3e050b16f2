package wsman

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/crypto/etype"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"
)

// kerberosLogin is one who logged in by a ticket, and the security of the messages (RFC 4121, 4.2), seen from the host.
type kerberosLogin struct {
	client  string // name@REALM
	ticket  types.EncryptionKey
	key     types.EncryptionKey // of messages
	ours    bool                // the key is the acceptor's
	seals   bool
	mutual  bool
	in, out uint64 // numbers of the next messages
}

// wrapped is a token of RFC 4121, 4.2.6.2: "05 04", flags, "ff", extra count, right rotation count, number.
func (l *kerberosLogin) header(flags byte, rotation int) []byte {
	if l.ours {
		flags |= 4
	}
	b := binary.BigEndian.AppendUint16([]byte{5, 4, flags, 0xff, 0, 0}, uint16(rotation))
	return binary.BigEndian.AppendUint64(b, l.out)
}

// wrap seals a message as Windows does, [MS-KILE] 3.4.5.4.1: rotated, so that the text is at its end.
func (l *kerberosLogin) wrap(plain []byte) (signature, sealed []byte, err error) {
	et, err := crypto.GetEtype(l.key.KeyType)
	if err != nil {
		return nil, nil, err
	}
	behind := 16 + et.GetHMACBitLength()/8
	_, text, err := et.EncryptMessage(l.key.KeyValue, append(append([]byte{}, plain...), l.header(1|2, 0)...), keyusage.GSSAPI_ACCEPTOR_SEAL)
	if err != nil {
		return nil, nil, err
	}
	token := l.header(1|2, behind)
	token = append(token, text[len(text)-behind:]...)
	token = append(token, text[:len(text)-behind]...)
	l.out++
	cut := len(token) - len(plain)
	return token[:cut], token[cut:], nil
}

// unwrap opens a message; it is strict about flags and about the number.
func (l *kerberosLogin) unwrap(signature, sealed []byte) ([]byte, error) {
	token := append(append([]byte{}, signature...), sealed...)
	et, err := crypto.GetEtype(l.key.KeyType)
	if err != nil {
		return nil, err
	}
	if len(token) < 16+minimum(et) || token[0] != 5 || token[1] != 4 || token[3] != 0xff {
		return nil, errors.New("not a wrap token")
	}
	flags := byte(2)
	if l.ours {
		flags |= 4
	}
	number := binary.BigEndian.Uint64(token[8:])
	if token[2] != flags || number != l.in {
		return nil, errors.New("not the next message of the client")
	}
	extra, rotation := int(binary.BigEndian.Uint16(token[4:])), int(binary.BigEndian.Uint16(token[6:]))
	text := token[16:]
	rotation %= len(text)
	text = append(append([]byte{}, text[rotation:]...), text[:rotation]...)
	plain, err := et.DecryptMessage(l.key.KeyValue, text, keyusage.GSSAPI_INITIATOR_SEAL)
	if err != nil {
		return nil, err
	}
	copied := append(append([]byte{}, token[:6]...), 0, 0)
	copied = append(copied, token[8:16]...)
	if len(plain) < 16+extra || !hmac.Equal(plain[len(plain)-16:], copied) {
		return nil, errors.New("the header was changed")
	}
	l.in++
	return plain[:len(plain)-16-extra], nil
}

func minimum(et etype.EType) int { return et.GetConfounderByteSize() + et.GetHMACBitLength()/8 + 16 }

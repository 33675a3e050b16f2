package kerberos

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
)

// Sealed messages are wrap tokens of RFC 4121, 4.2.4 and 4.2.6.2. For WinRM a token is cut in two: what is not the
// encrypted text (the "signature") comes first, then as many bytes as the text has. That needs the token to be rotated
// by what the cipher adds behind the text: its checksum and the encrypted copy of the header, 28 bytes with AES and
// SHA-1 ([MS-KILE] 3.4.5.4.1 asks for these 28; MIT's gss_wrap_iov makes the same without a trailer buffer).
const (
	headerSize = 16

	flagAcceptor  = 1
	flagSealed    = 2
	flagSubkey    = 4
	filler        = 0xff
	maxExtraBytes = 64
)

var (
	tokenWrap = []byte{5, 4}
	errToken  = errors.New("not a sealed message")
)

// Wrap seals a message; sealed is as long as plain. Messages have to be sent in the order in which they were wrapped.
func (c *Context) Wrap(plain []byte) (sealed, signature []byte, err error) {
	if !c.established || !c.sealing {
		return nil, nil, errors.New("the login is not one that seals")
	}
	et, err := crypto.GetEtype(c.key.KeyType)
	if err != nil {
		return nil, nil, err
	}
	header := append(bytes.Clone(tokenWrap), flagSealed, filler, 0, 0, 0, 0)
	if c.acceptors {
		header[2] |= flagSubkey
	}
	header = binary.BigEndian.AppendUint64(header, c.sent)
	_, text, err := et.EncryptMessage(c.key.KeyValue, append(bytes.Clone(plain), header...), keyusage.GSSAPI_INITIATOR_SEAL)
	if err != nil {
		return nil, nil, err
	}
	c.sent++
	rotation := headerSize + et.GetHMACBitLength()/8
	binary.BigEndian.PutUint16(header[6:], uint16(rotation))
	token := append(header, rotate(text, rotation)...)
	cut := headerSize + rotation + et.GetConfounderByteSize()
	return token[cut:], token[:cut], nil
}

// rotate moves the last n bytes to the front.
func rotate(b []byte, n int) []byte {
	if len(b) == 0 {
		return nil
	}
	n %= len(b)
	return append(bytes.Clone(b[len(b)-n:]), b[:len(b)-n]...)
}

// Unwrap opens a message of the service and checks that it is one, that it was made for this login, and that it is not
// one that was seen before. Numbers may be left out, as every implementation allows: on one connection, with one
// request at a time, nothing can be kept back without the request's waiting for it.
func (c *Context) Unwrap(sealed, signature []byte) ([]byte, error) {
	token := append(bytes.Clone(signature), sealed...)
	if !c.established || !c.sealing || len(token) < headerSize || !bytes.Equal(token[:2], tokenWrap) || token[3] != filler {
		return nil, errToken
	}
	header, text := token[:headerSize], token[headerSize:]
	want := byte(flagAcceptor | flagSealed)
	if c.acceptors {
		want |= flagSubkey
	}
	if header[2] != want {
		return nil, fmt.Errorf("%w of the host: flags %#x", errToken, header[2])
	}
	extra, rotation := int(binary.BigEndian.Uint16(header[4:])), int(binary.BigEndian.Uint16(header[6:]))
	if extra > maxExtraBytes || len(text) == 0 {
		return nil, errToken
	}
	plain, err := decrypt(rotate(text, len(text)-rotation%len(text)), c.key, keyusage.GSSAPI_ACCEPTOR_SEAL)
	if err != nil {
		return nil, err
	}
	end := len(plain) - headerSize - extra
	if end < 0 {
		return nil, errToken
	}
	inner := bytes.Clone(header)
	inner[6], inner[7] = 0, 0 // the rotation is not known when the copy is made
	if !bytes.Equal(plain[end+extra:], inner) {
		return nil, errors.New("the header was changed")
	}
	number := binary.BigEndian.Uint64(header[8:])
	if number < c.seen {
		return nil, errors.New("the message was seen before")
	}
	c.seen = number + 1
	return plain[:end], nil
}

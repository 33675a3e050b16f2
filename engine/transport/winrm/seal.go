package winrm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Message encryption, MS-WSMV 2.2.9.1: a multipart body whose first part says what the second holds: the length of the
// signature (little endian), the signature, the message. Which of the two protocols it is follows the scheme under which
// one has logged in, as pypsrp does it: Negotiate (2.2.9.1.1) or Kerberos (2.2.9.1.2).
const (
	spnegoEncrypted   = "application/HTTP-SPNEGO-session-encrypted"
	kerberosEncrypted = "application/HTTP-Kerberos-session-encrypted"
	boundary          = "--Encrypted Boundary"
	// signatures: NTLM has 16 bytes, Kerberos 60 with AES and SHA-1, 72 with the longest checksum.
	maxSignature = 128
)

// session is the security of a login: what it wraps has the length of what it was given. Messages are counted, so that
// the order on the wire is the order of calls.
type session interface {
	Wrap(plain []byte) (sealed, signature []byte, err error)
	Unwrap(sealed, signature []byte) ([]byte, error)
}

func sealedType(protocol string) string {
	return `multipart/encrypted;protocol="` + protocol + `";boundary="Encrypted Boundary"`
}

// seal signs and encrypts a message.
func seal(s session, protocol string, plain []byte) ([]byte, error) {
	sealed, signature, err := s.Wrap(plain)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, boundary+"\r\n\tContent-Type: %s\r\n\tOriginalContent: type=%s;Length=%d\r\n"+boundary+"\r\n\tContent-Type: application/octet-stream\r\n",
		protocol, plainType, len(plain))
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(signature))))
	b.Write(signature)
	b.Write(sealed)
	b.WriteString(boundary + "--\r\n")
	return b.Bytes(), nil
}

var errSealed = errors.New("not an encrypted body")

// unseal decrypts a body and checks its signature. Its end is that of the body: the encrypted bytes may hold anything,
// the boundary too.
func unseal(s session, body []byte) ([]byte, error) {
	header, rest, found := bytes.Cut(body, []byte("application/octet-stream\r\n"))
	_, text, hasLength := strings.Cut(string(header), "Length=")
	text, _, _ = strings.Cut(text, "\r\n")
	length, err := strconv.Atoi(strings.TrimSpace(text))
	rest, ends := bytes.CutSuffix(bytes.TrimSuffix(rest, []byte("\r\n")), []byte(boundary+"--"))
	if !found || !hasLength || err != nil || !ends || len(rest) < 4 {
		return nil, errSealed
	}
	size := binary.LittleEndian.Uint32(rest)
	if size < 16 || size > maxSignature || int(size) > len(rest)-4 {
		return nil, errSealed
	}
	plain, err := s.Unwrap(rest[4+size:], rest[4:4+size])
	if err == nil && len(plain) != length {
		return nil, errors.New("the message has another length than it says")
	}
	return plain, err
}

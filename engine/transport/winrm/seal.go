package winrm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/bodgit/ntlmssp"
)

// Message encryption, MS-WSMV 2.2.9.1: a multipart body whose first part says what the second holds.
const (
	sealedType = `multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"`
	boundary   = "--Encrypted Boundary"
)

// seal signs and encrypts a message; the session counts messages, so that the order on the wire is the order of calls.
func seal(session *ntlmssp.SecuritySession, plain []byte) ([]byte, error) {
	sealed, signature, err := session.Wrap(plain)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, boundary+"\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"+
		"\tOriginalContent: type=%s;Length=%d\r\n"+boundary+"\r\n\tContent-Type: application/octet-stream\r\n", plainType, len(plain))
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(signature))))
	b.Write(signature)
	b.Write(sealed)
	b.WriteString(boundary + "--\r\n")
	return b.Bytes(), nil
}

var errSealed = errors.New("not an encrypted body")

// unseal decrypts a body and checks its signature. Its length is what the first part says: the encrypted bytes may
// hold anything, the boundary too.
func unseal(session *ntlmssp.SecuritySession, body []byte) ([]byte, error) {
	header, rest, found := bytes.Cut(body, []byte("application/octet-stream\r\n"))
	_, text, hasLength := strings.Cut(string(header), "Length=")
	text, _, _ = strings.Cut(text, "\r\n")
	length, err := strconv.Atoi(strings.TrimSpace(text))
	switch {
	case !found || !hasLength || err != nil || length < 0 || len(rest) < 4+16+length:
		return nil, errSealed
	case binary.LittleEndian.Uint32(rest) != 16 || !bytes.HasPrefix(rest[4+16+length:], []byte(boundary+"--")):
		return nil, errSealed
	}
	return session.Unwrap(rest[20:20+length], rest[4:20])
}

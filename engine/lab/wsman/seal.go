package wsman

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rc4"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Message encryption of WinRM: MS-WSMV 2.2.9.1.
const (
	spnegoEncrypted   = "application/HTTP-SPNEGO-session-encrypted"
	kerberosEncrypted = "application/HTTP-Kerberos-session-encrypted"
	boundary          = "--Encrypted Boundary"
)

// sealer is the security of one connection, seen from the host. Messages have to come in order.
type sealer interface {
	wrap(plain []byte) (signature, sealed []byte, err error)
	unwrap(signature, sealed []byte) ([]byte, error)
}

func sealedType(protocol string) string {
	return `multipart/encrypted;protocol="` + protocol + `";boundary="Encrypted Boundary"`
}

// seal is a sealer by NTLM: the session security of MS-NLMP 3.4.
type seal struct {
	in, out direction
	keyExch bool
}

type direction struct {
	sign   []byte
	cipher *rc4.Cipher
	number uint32
}

func newSeal(flags uint32, key []byte) *seal {
	sealing := key
	switch {
	case flags&flag128 != 0:
	case flags&flag56 != 0:
		sealing = key[:7]
	default:
		sealing = key[:5]
	}
	from := func(side string) direction {
		sum := md5.Sum(append(bytes.Clone(key), "session key to "+side+" signing key magic constant\x00"...))
		sealKey := md5.Sum(append(bytes.Clone(sealing), "session key to "+side+" sealing key magic constant\x00"...))
		cipher, err := rc4.NewCipher(sealKey[:])
		if err != nil {
			panic("wsman: " + err.Error())
		}
		return direction{sign: sum[:], cipher: cipher}
	}
	return &seal{in: from("client-to-server"), out: from("server-to-client"), keyExch: flags&flagKeyExch != 0}
}

// signature is MS-NLMP 2.2.2.9.1, version, checksum, sequence number; the cipher has to have done the message before.
func (s *seal) signature(d *direction, plain []byte) []byte {
	number := binary.LittleEndian.AppendUint32(nil, d.number)
	d.number++
	sum := hmacMD5(d.sign, number, plain)[:8]
	if s.keyExch {
		d.cipher.XORKeyStream(sum, sum)
	}
	return append(append([]byte{1, 0, 0, 0}, sum...), number...)
}

func (s *seal) wrap(plain []byte) (signature, sealed []byte, err error) {
	sealed = make([]byte, len(plain))
	s.out.cipher.XORKeyStream(sealed, plain)
	return s.signature(&s.out, plain), sealed, nil
}

func (s *seal) unwrap(signature, sealed []byte) ([]byte, error) {
	plain := make([]byte, len(sealed))
	s.in.cipher.XORKeyStream(plain, sealed)
	if !hmac.Equal(signature, s.signature(&s.in, plain)) {
		return nil, errors.New("the signature does not hold")
	}
	return plain, nil
}

// sealed makes a body of a message; empty when it cannot be sealed.
func sealed(s sealer, protocol string, plain []byte) []byte {
	signature, data, err := s.wrap(plain)
	if err != nil {
		return nil
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, boundary+"\r\n\tContent-Type: %s\r\n\tOriginalContent: type=%s;Length=%d\r\n"+boundary+"\r\n\tContent-Type: application/octet-stream\r\n",
		protocol, soapType, len(plain))
	_ = binary.Write(&b, binary.LittleEndian, uint32(len(signature)))
	b.Write(signature)
	b.Write(data)
	b.WriteString(boundary + "--\r\n")
	return b.Bytes()
}

// unseal opens a body, which has to be of the protocol in which the client logged in, and checks its signature and its
// place in the sequence.
func unseal(s sealer, protocol string, body []byte) ([]byte, error) {
	header, rest, found := bytes.Cut(body, []byte("application/octet-stream\r\n"))
	_, text, hasLength := strings.Cut(string(header), "Length=")
	text, _, _ = strings.Cut(text, "\r\n")
	length, err := strconv.Atoi(strings.TrimSpace(text))
	if !found || !hasLength || err != nil || length < 0 || len(rest) < 4 || !bytes.Contains(header, []byte("Content-Type: "+protocol+"\r\n")) {
		return nil, errors.New("not an encrypted body")
	}
	size := int(binary.LittleEndian.Uint32(rest))
	if size < 16 || size > 128 || len(rest) < 4+size+length || !bytes.HasPrefix(rest[4+size+length:], []byte(boundary+"--")) {
		return nil, errors.New("the encrypted body has another length than it says")
	}
	return s.unwrap(rest[4:4+size], rest[4+size:4+size+length])
}

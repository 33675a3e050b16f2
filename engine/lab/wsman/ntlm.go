package wsman

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rc4"
	"encoding/binary"
	"errors"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //nolint:staticcheck // NTLM is made of it
)

// Flags of MS-NLMP 2.2.2.5.
const (
	flagUnicode    = 1 << 0
	flagOEM        = 1 << 1
	flagTarget     = 1 << 2
	flagSign       = 1 << 4
	flagSeal       = 1 << 5
	flagNTLM       = 1 << 9
	flagAlwaysSign = 1 << 15
	flagServer     = 1 << 17
	flagExtended   = 1 << 19
	flagTargetInfo = 1 << 23
	flagVersion    = 1 << 25
	flag128        = 1 << 29
	flagKeyExch    = 1 << 30
	flag56         = 1 << 31

	flagsOffered = flagUnicode | flagTarget | flagSign | flagSeal | flagNTLM | flagAlwaysSign | flagExtended | flagVersion | flag128 | flagKeyExch | flag56
)

// Ids of AV_PAIR, MS-NLMP 2.2.2.1.
const (
	avEOL       = 0
	avComputer  = 1
	avDomain    = 2
	avDNSName   = 3
	avDNSDomain = 4
	avFlags     = 6
	avTimestamp = 7
	avBindings  = 10

	avFlagMIC = 2
)

var (
	ntlmSignature = []byte("NTLMSSP\x00")
	errNTLM       = errors.New("not an NTLM message")
	errPassword   = errors.New("wrong password")
)

// handshake is an NTLM authentication on its way: the messages so far, which the MIC covers.
type handshake struct {
	negotiate, challenge []byte
	nonce                [8]byte
}

// challengeFor answers a NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.2).
func challengeFor(negotiate []byte) (*handshake, error) {
	if messageType(negotiate) != 1 || len(negotiate) < 16 {
		return nil, errNTLM
	}
	h := &handshake{negotiate: negotiate}
	_, _ = rand.Read(h.nonce[:]) // never fails
	flags := binary.LittleEndian.Uint32(negotiate[12:])&flagsOffered | flagTarget | flagTargetInfo | flagServer
	name, info := toUTF16("LAB"), targetInfo()
	if flags&flagUnicode == 0 { // as python's ntlm_auth asks
		flags |= flagOEM
		name = []byte("LAB")
	}
	m := append(bytes.Clone(ntlmSignature), 2, 0, 0, 0)
	m = appendField(m, len(name), 56)
	m = binary.LittleEndian.AppendUint32(m, flags)
	m = append(m, h.nonce[:]...)
	m = append(m, make([]byte, 8)...)
	m = appendField(m, len(info), 56+len(name))
	m = append(m, 10, 0, 0x63, 0x45, 0, 0, 0, 15) // version 10.0.17763, NTLMSSP_REVISION_W2K3
	h.challenge = append(append(m, name...), info...)
	return h, nil
}

func targetInfo() []byte {
	var b []byte
	pair := func(id uint16, value []byte) {
		b = binary.LittleEndian.AppendUint16(b, id)
		b = append(binary.LittleEndian.AppendUint16(b, uint16(len(value))), value...)
	}
	pair(avDomain, toUTF16("LAB"))
	pair(avComputer, toUTF16("GUEST"))
	pair(avDNSDomain, toUTF16("lab.example"))
	pair(avDNSName, toUTF16("guest.lab.example"))
	filetime := uint64(time.Now().UnixNano()/100) + 116444736000000000 // 100 ns since 1601
	pair(avTimestamp, binary.LittleEndian.AppendUint64(nil, filetime))
	pair(avEOL, nil)
	return b
}

// verify checks an AUTHENTICATE_MESSAGE (MS-NLMP 3.2.5.1.2 and 3.3.2): NTLMv2 only, the MIC, and channel bindings
// where they are given, or required. It returns the name in users, also with errPassword, and, when sealing was negotiated,
// the session's keys.
func (h *handshake) verify(message []byte, users map[string]string, bindings []byte, required bool) (string, *seal, error) {
	m, err := parseAuthenticate(message)
	if err != nil {
		return "", nil, err
	}
	name, password, known := lookup(users, m.domain, m.user)
	if !known {
		return "", nil, errors.New("no such user")
	}
	proof, temp := m.ntResponse[:16], m.ntResponse[16:]
	ntowf := hmacMD5(sumMD4(toUTF16(password)), toUTF16(strings.ToUpper(m.user)+m.domain))
	if !hmac.Equal(proof, hmacMD5(ntowf, h.nonce[:], temp)) {
		return name, nil, errPassword
	}
	key := hmacMD5(ntowf, proof)
	if m.flags&flagKeyExch != 0 {
		if len(m.sessionKey) != 16 {
			return name, nil, errNTLM
		}
		key = applyRC4(key, m.sessionKey)
	}
	pairs := avPairs(temp[28:])
	if flags := pairs[avFlags]; len(flags) == 4 && binary.LittleEndian.Uint32(flags)&avFlagMIC != 0 {
		if !h.micHolds(key, message) {
			return name, nil, errors.New("the MIC does not hold")
		}
	}
	got := pairs[avBindings]
	none := len(got) == 0 || bytes.Equal(got, make([]byte, 16))
	if bindings != nil && !bytes.Equal(got, bindings) && (!none || required) {
		return name, nil, errors.New("bound to another channel")
	}
	if m.flags&flagSeal == 0 {
		return name, nil, nil
	}
	return name, newSeal(m.flags, key), nil
}

// micHolds checks the MIC at offset 72, computed over the three messages with zeroes in its place.
func (h *handshake) micHolds(key, message []byte) bool {
	if len(message) < 88 {
		return false
	}
	zeroed := bytes.Clone(message)
	clear(zeroed[72:88])
	return hmac.Equal(message[72:88], hmacMD5(key, h.negotiate, h.challenge, zeroed))
}

type authenticate struct {
	ntResponse, sessionKey []byte
	domain, user           string
	flags                  uint32
}

func parseAuthenticate(b []byte) (*authenticate, error) {
	if messageType(b) != 3 || len(b) < 64 {
		return nil, errNTLM
	}
	m := &authenticate{flags: binary.LittleEndian.Uint32(b[60:])}
	var fields [4][]byte
	for i, at := range []int{20, 28, 36, 52} {
		length, offset := int(binary.LittleEndian.Uint16(b[at:])), int(binary.LittleEndian.Uint32(b[at+4:]))
		if offset+length > len(b) {
			return nil, errNTLM
		}
		fields[i] = b[offset : offset+length]
	}
	text := fromUTF16
	if m.flags&flagUnicode == 0 {
		text = func(b []byte) string { return string(b) }
	}
	m.ntResponse, m.domain, m.user, m.sessionKey = fields[0], text(fields[1]), text(fields[2]), fields[3]
	if len(m.ntResponse) < 16+28+4 { // 24 bytes would be NTLMv1
		return nil, errors.New("not NTLMv2")
	}
	return m, nil
}

func avPairs(b []byte) map[uint16][]byte {
	pairs := map[uint16][]byte{}
	for len(b) >= 4 {
		id, length := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if id == avEOL || 4+length > len(b) {
			break
		}
		pairs[id], b = b[4:4+length], b[4+length:]
	}
	return pairs
}

func messageType(b []byte) uint32 {
	if len(b) < 12 || !bytes.HasPrefix(b, ntlmSignature) {
		return 0
	}
	return binary.LittleEndian.Uint32(b[8:])
}

func appendField(b []byte, length, offset int) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	return binary.LittleEndian.AppendUint32(b, uint32(offset))
}

func toUTF16(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func fromUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

func sumMD4(b []byte) []byte {
	h := md4.New()
	_, _ = h.Write(b)
	return h.Sum(nil)
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, p := range parts {
		_, _ = h.Write(p)
	}
	return h.Sum(nil)
}

func applyRC4(key, data []byte) []byte {
	c, err := rc4.NewCipher(key)
	if err != nil {
		panic("wsman: " + err.Error()) // keys here have 16 bytes
	}
	result := make([]byte, len(data))
	c.XORKeyStream(result, data)
	return result
}

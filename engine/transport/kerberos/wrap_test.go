package kerberos

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"testing"

	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"
)

const message = "<s:Envelope>ä</s:Envelope>"

// tokens were made by the acceptor of MIT Kerberos 1.20.1 (Debian 12), with its own subkey: gss_wrap_iov with header, data
// and padding, as pywinrm calls it, and gss_wrap, which does not rotate. The key was asked for by gss_inquire_sec_context_by_oid.
var tokens = []struct {
	cipher          int32
	key             string
	signature, data string
	whole           string
}{
	{18, "7275c68ef18159548cf6b194f41c940ad2cd78d8cc5ee0ad9129afd2df58b81f",
		"050407ff0000001c000000000742b145bb0164bd2b82d345d996dd6cd03f8289e1a8d5820b731cc6720fe40ce3f9e909609754f032c4b66a5da7915a", "de6ca2e539613ae654a8a02ad904931fbc767bde685da3103103e9",
		"050407ff00000000000000000742b146f4adff2adfea81328d8053d3d924a49f251a87741d099165e5d74fe43597cb4cefc6fd816c998f3f19d13e16ab94bf4dde8cdb51eec074af9e7d6943ad9aeb98139107217bdacc"},
	{17, "affc71d535116b62859260921c3fe881",
		"050407ff0000001c000000000c766393d025034864edc5d57de33958a0c31a2da87b2c8cb57a7cb812f398161f1581e604f57e37cfba342c75bc936a", "c90efda558a6c1a4ed9a6fcc239890702e28cacd35f1980564bf3e",
		"050407ff00000000000000000c766394392ef3917966c86c0531af55145fb1f58510dfea8058cd0bc56d3b4565c58636ae26bd48c9624d1fa83ced03b64b061afdbcd630f7765a7595eb5230fc759dde55fa0dc31ad15f"},
	{20, "578234441d649f93f6a7d4393413037f33ae2d16fe6e3407525d2d6b4fa09713",
		"050407ff00000028000000003ffb51a437844ae32079b9045fae83f700307b496396ba3ca095d13411d834846832421f788c7bfb240c735cbd5d684925c9f3aa79d32966d63a8c56", "e0952fd3c98d5a4f2de3e102b4caef9ca8937674114685e26f5890",
		"050407ff00000000000000003ffb51a508f4ef8de0a86701ede106ab475adbcad42316f00e0711554d93c3989adaa78369d32287006cb6ef6bf70ff41b565fa0733e68f0219c06252bc5d000eba02a20c2c0391e31a04264595b6186d7e4dfe70545e6"},
	{19, "38596e964d9847859606f3c80b91a6bd",
		"050407ff000000200000000001b89550d994a9e3b308cbb8e936851ed86931cae33d84f54a19de736ee835febf3e522a2584c5acc7e87754c77496890ce96084", "79ab1f45f3fe24a695da9b04cd5e4e4869c48a16bdba84f897c754",
		"050407ff000000000000000001b89551e0beb426c39288f68a906b256409d072dc6880b4cbe2c45bfe22bb4aa14da86c09d87f72034d5d3c42e1fefb587372ca7ef1328be6a171958922193a23ca4657a66b011bd4cfb2d256a962"},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func established(key types.EncryptionKey) *Context {
	return &Context{established: true, sealing: true, acceptors: true, key: key}
}

func TestUnwrapMIT(t *testing.T) {
	for _, v := range tokens {
		key := types.EncryptionKey{KeyType: v.cipher, KeyValue: unhex(t, v.key)}
		signature, data, whole := unhex(t, v.signature), unhex(t, v.data), unhex(t, v.whole)
		c := established(key)
		for _, part := range [][2][]byte{{data, signature}, {whole[16:], whole[:16]}} {
			if got, err := c.Unwrap(part[0], part[1]); string(got) != message || err != nil {
				t.Errorf("cipher %d: %q, %v", v.cipher, got, err)
			}
		}
		if _, err := c.Unwrap(data, signature); err == nil {
			t.Error("a message was taken twice")
		}
		for i := range append(signature, data...) {
			token := append(bytes.Clone(signature), data...)
			token[i] ^= 1
			c := established(key)
			if got, err := c.Unwrap(token[len(signature):], token[:len(signature)]); err == nil {
				t.Errorf("cipher %d, byte %d changed: %q", v.cipher, i, got)
			}
			if _, err := established(key).Unwrap(nil, token[:i]); err == nil {
				t.Errorf("cipher %d: %d bytes were taken", v.cipher, i)
			}
		}
		for name, other := range map[string]*Context{
			"no acceptor's key": {established: true, sealing: true, key: key}, "no sealing": {established: true, acceptors: true, key: key}, "no login": {sealing: true, acceptors: true, key: key}} {
			if _, err := other.Unwrap(data, signature); err == nil {
				t.Error(name)
			}
		}
	}
}

// What the client wraps has the shape of MIT's, opens with the client's key usage, and cannot be sent back to it.
func TestWrap(t *testing.T) {
	for _, v := range tokens {
		t.Run(strconv.Itoa(int(v.cipher)), func(t *testing.T) {
			c := established(types.EncryptionKey{KeyType: v.cipher, KeyValue: unhex(t, v.key)})
			c.sent = 77
			sealed, signature, err := c.Wrap([]byte(message))
			if err != nil {
				t.Fatal(err)
			}
			like := unhex(t, v.signature)
			if len(signature) != len(like) || len(sealed) != len(message) || !bytes.Equal(signature[3:8], like[3:8]) || signature[2] != like[2]&^flagAcceptor {
				t.Errorf("%x, MIT's %x", signature, like)
			}
			if n := binary.BigEndian.Uint64(signature[8:]); n != 77 || c.sent != 78 {
				t.Errorf("number %d, next %d", n, c.sent)
			}
			if _, err := established(c.key).Unwrap(sealed, signature); err == nil {
				t.Error("the client takes its own message")
			}
			rotation := int(binary.BigEndian.Uint16(signature[6:]))
			text := append(bytes.Clone(signature[16:]), sealed...)
			plain, err := decrypt(append(bytes.Clone(text[rotation:]), text[:rotation]...), c.key, keyusage.GSSAPI_INITIATOR_SEAL)
			header := append(bytes.Clone(signature[:6]), 0, 0)
			if want := append([]byte(message), append(header, signature[8:16]...)...); err != nil || !bytes.Equal(plain, want) {
				t.Errorf("%x, %v; want %x", plain, err, want)
			}
		})
	}
	if _, _, err := (&Context{sealing: true}).Wrap(nil); err == nil {
		t.Error("wrapped before the login was done")
	}
}

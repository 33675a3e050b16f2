package dialer

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/dsplay/dsplay/engine"
)

// Numbers of RFC 1928 and RFC 1929.
const (
	socksVersion   = 5
	authNone       = 0
	authPassword   = 2
	authNothing    = 0xff // the server takes none of what was offered
	socksConnect   = 1
	addressIPv4    = 1
	addressName    = 3
	addressIPv6    = 4
	passwordFormat = 1
)

// replies of a SOCKS5 server that does not connect (RFC 1928, section 6).
var replies = map[byte]struct {
	msg  string
	kind engine.ErrorKind
	err  error
}{
	1: {"it gives no reason (general failure)", engine.KindRefused, nil},
	2: {"its rules do not allow it", engine.KindRefused, errForbidden},
	3: {"the network is unreachable from there", engine.KindRefused, syscall.ENETUNREACH},
	4: {"the host is unreachable from there, or its name unknown there", engine.KindRefused, syscall.EHOSTUNREACH},
	5: {"the host refuses the connection: nobody listens there", engine.KindRefused, syscall.ECONNREFUSED},
	6: {"no answer in time (TTL expired)", engine.KindTimeout, nil},
	7: {"it does not know CONNECT", engine.KindProtocol, nil},
	8: {"it does not know this type of address", engine.KindProtocol, nil},
}

// socks asks a SOCKS5 server for the way to address. Names go there as they are: what resolves here may not be what
// resolves behind the proxy. The password is sent only to a server that asks for it.
//
// golang.org/x/net/proxy does the same but says in untyped texts what went wrong, and who is to blame is what matters.
func (p *proxy) socks(conn net.Conn, address string) *Error {
	if err := p.greet(conn, address); err != nil {
		return err
	}
	to, err := socksAddress(address)
	if err != nil {
		return p.failed(Behind, address, err.Error(), nil)
	}
	if _, err := conn.Write(append([]byte{socksVersion, socksConnect, 0}, to...)); err != nil {
		return p.failed(ProxyTalk, address, "", err)
	}
	return p.reply(conn, address)
}

func (p *proxy) greet(conn net.Conn, address string) *Error {
	hello := []byte{socksVersion, 1, authNone}
	if p.user != "" {
		hello = []byte{socksVersion, 2, authNone, authPassword}
	}
	var answer [2]byte
	if err := exchange(conn, hello, answer[:]); err != nil {
		return p.failed(ProxyTalk, address, "", err)
	}
	switch {
	case answer[0] != socksVersion:
		return p.failed(ProxyTalk, address, "what listens there does not speak SOCKS5", nil)
	case answer[1] == authNone:
		return nil
	case answer[1] == authPassword && p.user != "":
		return p.authenticate(conn, address)
	case p.user == "":
		return p.failed(ProxyAuth, address, "the proxy wants a login", nil)
	}
	return p.failed(ProxyAuth, address, "the proxy takes no user and password", nil)
}

// authenticate is RFC 1929.
func (p *proxy) authenticate(conn net.Conn, address string) *Error {
	message := append([]byte{passwordFormat, byte(len(p.user))}, p.user...)
	message = append(append(message, byte(len(p.password))), p.password...)
	var answer [2]byte
	if err := exchange(conn, message, answer[:]); err != nil {
		return p.failed(ProxyTalk, address, "", err)
	}
	if answer[1] != 0 {
		return p.failed(ProxyAuth, address, "the proxy refuses the user "+p.user+" with this password", nil)
	}
	return nil
}

func exchange(conn net.Conn, ask, answer []byte) error {
	if _, err := conn.Write(ask); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, answer)
	return err
}

func socksAddress(address string) ([]byte, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%q is no port", service)
	}
	var b []byte
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Unmap().Is4():
		b = append([]byte{addressIPv4}, ip.Unmap().AsSlice()...)
	case err == nil && ip.Zone() != "":
		return nil, fmt.Errorf("the address %s is of a link here, which the proxy does not have", host)
	case err == nil:
		b = append([]byte{addressIPv6}, ip.AsSlice()...)
	case len(host) > 255:
		return nil, fmt.Errorf("the name of the host has more than 255 bytes")
	default:
		b = append([]byte{addressName, byte(len(host))}, host...)
	}
	return append(b, byte(port>>8), byte(port)), nil
}

// reply reads whether the way is open. The address that the server is bound to is of no use here.
func (p *proxy) reply(conn net.Conn, address string) *Error {
	var head [5]byte // version, reply, reserved, type of address, its first byte
	if _, err := io.ReadFull(conn, head[:4]); err != nil {
		return p.failed(Behind, address, "", err)
	}
	if head[0] != socksVersion {
		return p.failed(ProxyTalk, address, "the proxy's answer is not SOCKS5", nil)
	}
	if head[1] != 0 {
		r, known := replies[head[1]]
		if !known {
			r.msg, r.kind = fmt.Sprintf("it answers with the unknown code %d", head[1]), engine.KindProtocol
		}
		e := p.failed(Behind, address, r.msg, r.err)
		e.kind = r.kind
		return e
	}
	if _, err := io.ReadFull(conn, head[4:]); err != nil {
		return p.failed(ProxyTalk, address, "", err)
	}
	left, known := map[byte]int{addressIPv4: 3 + 2, addressIPv6: 15 + 2, addressName: int(head[4]) + 2}[head[3]]
	if !known {
		return p.failed(ProxyTalk, address, "the proxy's answer is not SOCKS5", nil)
	}
	if _, err := io.ReadFull(conn, make([]byte, left)); err != nil {
		return p.failed(ProxyTalk, address, "", err)
	}
	return nil
}

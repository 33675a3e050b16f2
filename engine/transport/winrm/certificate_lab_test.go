//go:build lab

package winrm_test

import (
	"bufio"
	"io"
	"net"
	process "os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

// Windows asks for a client certificate by TLS renegotiation, when the request has come. No server in Go can, but OpenSSL
// does: its operator has it renegotiate, and answers the request.
func TestLabCertificateRenegotiation(t *testing.T) {
	const openssl = "/usr/bin/openssl"
	i := newIssuer(t)
	host, hostKey := i.issue(guest())
	_, h, s := certified(t, i, guest())
	ours, oursKey := i.issue(client(t))
	s.Cert, s.Key = i.certFile(ours), i.keyFile(oursKey)
	_, port, _ := net.SplitHostPort(freeAddress(t))
	s.Port, _ = strconv.Atoi(port)
	s.ConnectTimeout, s.OperationTimeout = "20s", "20s"
	c := process.CommandContext(t.Context(), openssl, "s_server", "-accept", "127.0.0.1:"+port, "-cert", i.certFile(host), "-key", i.keyFile(hostKey), "-CAfile", i.certFile(i.cert), "-tls1_2", "-naccept", "1")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal("this suite needs Debian's openssl: ", err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		t.Fatal("this suite needs Debian's openssl: ", err)
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	seen := make(chan string, 1)
	listens := make(chan bool)
	go operate(in, out, listens, seen)
	<-listens
	e := openError(t, h, engine.KindAuth)
	if !strings.Contains(e.Error(), "refuses the client certificate of ops@localhost") {
		t.Error(e)
	}
	_ = c.Process.Kill()
	if log := <-seen; !strings.Contains(log, "CN = Operator") {
		t.Errorf("the certificate was not shown after the renegotiation:\n%s", log)
	}
}

// operate has the server renegotiate ("R" asks for a certificate) when the request's head has come, and says 401.
func operate(in io.WriteCloser, out io.Reader, listens chan<- bool, seen chan<- string) {
	var log strings.Builder
	asked := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		log.WriteString(line + "\n")
		switch {
		case strings.HasPrefix(line, "ACCEPT"):
			close(listens)
		case strings.HasPrefix(line, "Authorization: "+"http://schemas.dmtf.org") && !asked:
			asked = true
			_, _ = io.WriteString(in, "R\n")
		case strings.Contains(line, "CN = Operator"):
			_, _ = io.WriteString(in, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
		}
	}
	seen <- log.String()
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

package lab

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/masterzen/winrm"
	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// The clients below know only what stands in the lab's directory, as dsplay does.

func (l *Lab) content(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(l.Dir(), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// address finds the address and port of a host in the inventory.
func (l *Lab) address(t *testing.T, name string) (ip string, port int) {
	t.Helper()
	_, block, ok := strings.Cut(l.content(t, "inventory.hcl"), "host \""+name+"\" {\n")
	if !ok {
		t.Fatalf("%s is not in the inventory", name)
	}
	for line := range strings.Lines(block) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch strings.TrimSpace(key) {
		case "address":
			ip = strings.Trim(value, ` "`)
		case "port":
			port, _ = strconv.Atoi(strings.TrimSpace(value))
		case "}":
			if port != 0 {
				return ip, port
			}
		}
	}
	t.Fatalf("%s has no port", name)
	return
}

func (l *Lab) dial(t *testing.T, name, user string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	t.Helper()
	check, err := knownhosts.New(filepath.Join(l.Dir(), "known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	if auth == nil {
		key, err := ssh.ParsePrivateKey([]byte(l.content(t, "id_ed25519")))
		if err != nil {
			t.Fatal(err)
		}
		auth = []ssh.AuthMethod{ssh.PublicKeys(key)}
	}
	ip, port := l.address(t, name)
	return ssh.Dial("tcp", net.JoinHostPort(ip, strconv.Itoa(port)), &ssh.ClientConfig{User: user, Auth: auth, HostKeyCallback: check, Timeout: 5 * time.Second})
}

func (l *Lab) pool(t *testing.T) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(l.content(t, "ca.pem"))) {
		t.Fatal("ca.pem has no certificate")
	}
	return pool
}

func (l *Lab) remote(t *testing.T, name, password string) *winrm.Client {
	t.Helper()
	ip, port := l.address(t, name)
	endpoint := winrm.NewEndpoint(ip, port, true, false, []byte(l.content(t, "ca.pem")), nil, nil, 10*time.Second)
	parameters := winrm.DefaultParameters
	parameters.TransportDecorator = func() winrm.Transporter { return &winrm.ClientNTLM{} }
	c, err := winrm.NewClientWithParameters(endpoint, `LAB\ops`, password, parameters)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (l *Lab) get(t *testing.T, path string) (int, string) {
	t.Helper()
	ip, port := l.address(t, "dsm1")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+net.JoinHostPort(ip, strconv.Itoa(port))+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("api-version", "v1")
	request.Header.Set("api-secret-key", l.content(t, "secrets/dsm_apikey"))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: l.pool(t)}, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// offline is whether the DSM calls the engine of a guest offline.
func (l *Lab) offline(t *testing.T, guest string) bool {
	t.Helper()
	_, body := l.get(t, "/api/computers?expand=computerStatus")
	var list struct {
		Computers []struct {
			HostName       string
			ComputerStatus struct{ ApplianceStatusMessages []string }
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, c := range list.Computers {
		if c.HostName == guest {
			return slices.Contains(c.ComputerStatus.ApplianceStatusMessages, "Anti-Malware Engine Offline")
		}
	}
	t.Fatalf("the DSM does not know %s", guest)
	return false
}

func (l *Lab) login(t *testing.T) *govmomi.Client {
	t.Helper()
	ip, port := l.address(t, "vc1")
	u := &url.URL{Scheme: "https", Host: net.JoinHostPort(ip, strconv.Itoa(port)), Path: "/sdk"}
	s := soap.NewClient(u, false)
	if err := s.SetRootCAs(filepath.Join(l.Dir(), "ca.pem")); err != nil {
		t.Fatal(err)
	}
	vim, err := vim25.NewClient(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	c := &govmomi.Client{Client: vim, SessionManager: session.NewManager(vim)}
	if err := c.Login(t.Context(), url.UserPassword("ops@vsphere.local", l.content(t, "secrets/vcenter"))); err != nil {
		t.Fatal(err)
	}
	return c
}

func output(t *testing.T, c *ssh.Client, line string) string {
	t.Helper()
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	out, err := session.CombinedOutput(line)
	var exit *ssh.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", line, err)
	}
	return string(out)
}

func (l *Lab) mutating(host string) (lines []string) {
	for _, r := range l.Received() {
		if r.Host == host && r.Mutates {
			lines = append(lines, r.Text)
		}
	}
	return lines
}

func (l *Lab) vm(t *testing.T, c *govmomi.Client, name string) *object.VirtualMachine {
	t.Helper()
	g, _ := l.World().Guest(name)
	instance := true
	ref, err := object.NewSearchIndex(c.Client).FindByUuid(t.Context(), nil, g.UUID, true, &instance)
	if err != nil || ref == nil {
		t.Fatalf("the vCenter does not know %s: %v", g.UUID, err)
	}
	return object.NewVirtualMachine(c.Client, ref.Reference())
}

func refused(ip string, port int) bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort(ip, strconv.Itoa(port)), time.Second)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

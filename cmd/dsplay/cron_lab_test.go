//go:build lab && linux

package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/lab/pki"
)

// nightPolicies are a policy that permits what heals an appliance that hangs, and one that does not.
const nightPolicies = `policy "%s" {
  playbooks = ["engine-offline.hcl"]
  modules   = [%s]
  max_hosts = { esxi = 1, dsva = 1, guests = 10 }
  cooldown  = "6h"
}
`

const nightModules = `"service", "ds_agent", "ds_clear_errors", "esxi_mux", "vm"`

const nightNotify = `notify "mail" "oncall" {
  on       = ["failure", "approval_needed", "recovery"]
  server   = "127.0.0.1:%s"
  ca       = "ca.pem"
  user     = "dsplay"
  password = secret("file:smtp.password")
  from     = "dsplay@corp.example"
  to       = ["On Call <oncall@corp.example>"]
}
`

// cronIn runs cron with a crontab, a spool and a sendmail of its own: all of it is gone with its mount namespace. The lines before
// the last are what a person types to have runs scheduled.
const cronIn = `set -e
mount --make-rprivate /
mkdir -p over spool cron.d run up
mount -t tmpfs tmpfs up
mkdir up/upper up/work
cp sendmail up/upper/sendmail
mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=up/upper,workdir=up/work /usr/sbin
chown root:crontab spool && chmod 1730 spool
mount --bind spool /var/spool/cron/crontabs
mount --bind cron.d /etc/cron.d
: >crontab && mount --bind crontab /etc/crontab
mount -t tmpfs tmpfs /run
printf '# mine\n5 5 * * 0\ttrue\n' | crontab -
%s
crontab -l >installed
exec /usr/sbin/cron -f -L 15
`

// TestLabCron: a cron that is not ours starts runs on the lab every minute, and nobody is there. One appliance is healed, the other
// may not be touched by the policy: its plan is left, and the mail about it holds the command by which a person has it healed.
func TestLabCron(t *testing.T) {
	t.Parallel()
	requireTools(t, "cron", "crontab", "unshare", "/usr/bin/python3")
	dir := t.TempDir()
	healed, left := newSerialEstate(t, lab.Options{}), newSerialEstate(t, lab.Options{Site: "left"}) // no machine of the one is one of the other
	for _, e := range []*estate{healed, left} {
		e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx1"})
	}
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	put("smtp.password", "s3cret-of-mail\n", 0o600)
	put("notify.hcl", fmt.Sprintf(nightNotify, mailServer(t, dir)), 0o600)
	put("night.hcl", fmt.Sprintf(nightPolicies, "night", nightModules), 0o600)
	put("strict.hcl", fmt.Sprintf(nightPolicies, "strict", `"service"`), 0o600)
	put("sendmail", "#!/bin/sh\ncat >"+filepath.Join(dir, "cronmail")+"/$$.part && mv "+filepath.Join(dir, "cronmail")+"/$$.part "+filepath.Join(dir, "cronmail")+"/$$.eml\n", 0o755)
	state := filepath.Join(dir, "state")
	for _, d := range []string{"cronmail", "state", "mail"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	self := copyOfSelf(t, dir)
	repo, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	install := func(name string, e *estate) string {
		return fmt.Sprintf("LANG=C.UTF-8 XDG_STATE_HOME=%s %s schedule install %s/playbooks/engine-offline.hcl -i %s/inventory.hcl --policy %s.hcl --notify notify.hcl --metrics %[5]s.prom --name %[5]s --when '* * * * *' --var poll=100ms --var patience=8s --yes",
			state, self, repo, e.Dir(), name)
	}
	person := fmt.Sprintf("XDG_STATE_HOME=%s %s schedule ", state, self)
	stop := startCron(t, dir, strings.Join([]string{install("night", healed), install("strict", left), strings.ReplaceAll(install("night", healed), "--name night", "--name gone"),
		person + "remove gone", person + "list >listed"}, "\n"))
	mails := waitForMails(t, filepath.Join(dir, "mail"), 2, 150*time.Second)
	waitForMails(t, filepath.Join(dir, "cronmail"), 2, 30*time.Second)
	stop()

	installed, err := os.ReadFile(filepath.Join(dir, "installed"))
	if err != nil || !strings.HasPrefix(string(installed), "# mine\n5 5 * * 0\ttrue\n# BEGIN dsplay schedule night") || strings.Count(string(installed), "\n") != 8 {
		t.Errorf("%v: the crontab:\n%s", err, installed)
	}
	listed, err := os.ReadFile(filepath.Join(dir, "listed"))
	if want := regexp.MustCompile(`(?m)^night +cron +\* \* \* \* \* +2.* no run that ended$`); err != nil || !want.Match(listed) {
		t.Errorf("%v: the list:\n%s", err, listed)
	}
	healed.acted(map[string][]string{"dsva1": {restartAgent, heartbeat}})
	healed.healthy()
	good := mailOf(t, mails, "healed: esx1")
	good.says(t, "dsva1", "the goal of \"engines\" holds", "permitted by policy night")
	good.hashIsOf(t, filepath.Join(state, "dsplay"))
	left.acted(map[string][]string{})
	bad := mailOf(t, mails, "approval needed")
	bad.says(t, "refused by policy strict: modules", "A plan waits for approval")
	bad.hashIsOf(t, filepath.Join(state, "dsplay"))
	for _, m := range []letter{good, bad} {
		if !cronMailed(t, filepath.Join(dir, "cronmail"), m.text) {
			t.Errorf("cron has not mailed the page that the mail holds:\n%s", m.text)
		}
	}
	for name, want := range map[string]string{"night": "dsplay_run_exit_code{playbook=\"engine-offline.hcl\",inventory=\"inventory.hcl\"} 0\n", "strict": "dsplay_run_exit_code{playbook=\"engine-offline.hcl\",inventory=\"inventory.hcl\"} 6\n"} {
		if text, err := os.ReadFile(filepath.Join(dir, name+".prom")); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s.prom: %v, it has no %q:\n%s", name, err, want, text)
		}
	}
	// The person reads the mail, and does what it says.
	apply := "dsplay runs verify " + bad.run + " && " + bad.command(t, "dsplay show ") + " && " + bad.command(t, "dsplay apply ")
	c := exec.CommandContext(t.Context(), "sh", "-c", apply)
	c.Env = append(os.Environ(), "XDG_STATE_HOME="+state, "PATH="+dir+":"+os.Getenv("PATH"))
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", apply, err, out)
	}
	left.acted(map[string][]string{"dsva1": {restartAgent, heartbeat}})
	left.healthy()
}

func requireTools(t *testing.T, names ...string) {
	t.Helper()
	for _, n := range names {
		if _, err := exec.LookPath(n); err != nil {
			t.Fatal("this test needs Debian's cron, python3-aiosmtpd and systemd: ", err)
		}
	}
}

// copyOfSelf is the test binary under the name of dsplay, which makes it be dsplay.
func copyOfSelf(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "dsplay")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// mailServer starts aiosmtpd and gives its port. Its certificate is from ca.pem.
func mailServer(t *testing.T, dir string) (port string) {
	t.Helper()
	ca, err := pki.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"ca.pem": ca.PEM(), "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), "/usr/bin/python3", filepath.Join("testdata", "smtpd.py"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "mail"), "dsplay", "s3cret-of-mail")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("this test needs Debian's python3-aiosmtpd: it does not start")
	}
	return lines.Text()
}

// startCron starts cron in a namespace of its own; what is returned stops it and waits for what it has started.
func startCron(t *testing.T, dir, installs string) (stop func()) {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, "cron.log"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-c", fmt.Sprintf(cronIn, installs))
	c.Dir, c.Stdout, c.Stderr = dir, log, log
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = c.Process.Signal(syscall.SIGTERM)
			_ = c.Wait()
			_ = log.Close()
		}
	}
	t.Cleanup(func() {
		stop()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("cron and its installation:\n%s", text)
		}
	})
	return stop
}

// waitForMails waits until a folder holds n messages.
func waitForMails(t *testing.T, dir string, n int, limit time.Duration) []letter {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) >= n {
			var out []letter
			for _, f := range files {
				out = append(out, readLetter(t, f))
			}
			return out
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d messages in %s after %s", len(files), n, dir, limit)
		}
	}
}

// letter is a message as somebody reads it.
type letter struct{ subject, run, text string }

func readLetter(t *testing.T, file string) letter {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := mail.ReadMessage(f)
	if err != nil {
		t.Fatal(err)
	}
	body := m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return letter{subject, m.Header.Get("X-Dsplay-Run"), strings.ReplaceAll(string(text), "\r\n", "\n")}
}

func mailOf(t *testing.T, mails []letter, subject string) letter {
	t.Helper()
	for _, m := range mails {
		if strings.Contains(m.subject, subject) {
			return m
		}
	}
	t.Fatalf("no mail says %q: %+v", subject, mails)
	return letter{}
}

func (l letter) says(t *testing.T, texts ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(l.text), " ")
	for _, text := range texts {
		if !strings.Contains(flat, text) {
			t.Errorf("the mail does not say %q:\n%s", text, l.text)
		}
	}
}

// hashIsOf wants the hash in the mail to be that of the record, which nobody can change any more without it showing.
func (l letter) hashIsOf(t *testing.T, state string) {
	t.Helper()
	s, err := journal.ReadSummary(state, l.run)
	if err != nil || s.Hash == "" || !strings.Contains(l.text, s.Hash) {
		t.Errorf("%v: the mail does not hold the hash %s of its run:\n%s", err, s.Hash, l.text)
	}
}

// command is the command line of the mail that begins so, as a shell reads it.
func (l letter) command(t *testing.T, begins string) string {
	t.Helper()
	flat := regexp.MustCompile(`[ \t]*\\\n[ \t]*`).ReplaceAllString(l.text, " ")
	for line := range strings.Lines(flat) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, begins) {
			return line
		}
	}
	t.Fatalf("no command %q in\n%s", begins, l.text)
	return ""
}

// cronMailed tells whether cron has mailed a page.
func cronMailed(t *testing.T, dir, page string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.TrimSpace(readLetter(t, f).text) == strings.TrimSpace(page) {
			return true
		}
	}
	return false
}

// TestLabSystemdUnits: systemd itself judges what is written for it.
func TestLabSystemdUnits(t *testing.T) {
	t.Parallel()
	requireTools(t, "systemd-analyze")
	dir := t.TempDir()
	self := copyOfSelf(t, dir)
	for name, text := range map[string]string{
		"p.hcl": "play \"p\" {\n  hosts = [\"localhost\"]\n  probe \"command\" \"id\" {\n    argv = [\"id\"]\n  }\n}\n", "inv.hcl": "group \"none\" {}\n",
		"night.hcl":  "policy \"night\" {\n  playbooks = [\"p.hcl\"]\n  modules   = [\"service\"]\n  max_hosts = { all = 1 }\n}\n",
		"notify.hcl": "notify \"webhook\" \"chat\" {\n  url = secret(\"credential:chat\")\n}\n", "chat.url": "https://chat.example/x\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), self, "schedule", "install", "p.hcl", "-i", "inv.hcl", "--policy", "night.hcl", "--notify", "notify.hcl", "--metrics", "p.prom",
		"--when", "Sat,Sun 01:00 Asia/Tokyo", "--systemd", "--user", "daemon", "--credential", "chat=chat.url", "--name", "night", "--dry-run")
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "that are there it will not find") {
		t.Errorf("nothing says that the service has a /tmp of its own:\n%s", out)
	}
	units := filepath.Join(dir, "units")
	if err := os.Mkdir(units, 0o755); err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(out), "\nTo know:\n")
	var paths []string
	for _, part := range strings.Split(text, "==> ")[1:] {
		name, unit, _ := strings.Cut(part, "\n")
		path := filepath.Join(units, filepath.Base(name))
		paths = append(paths, path)
		if err := os.WriteFile(path, []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(paths) != 3 {
		t.Fatalf("%d units in\n%s", len(paths), out)
	}
	judged, err := exec.CommandContext(t.Context(), "systemd-analyze", append([]string{"verify", "--man=no"}, paths...)...).CombinedOutput()
	if err != nil || len(strings.TrimSpace(string(judged))) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, judged)
	}
	// 0 is the best exposure, 10 the worst; --threshold is in tenths
	safe, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=20", filepath.Join(units, "dsplay-night.service")).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, safe)
	}
	lines := strings.Split(strings.TrimSpace(string(safe)), "\n")
	t.Log(lines[len(lines)-1])
}

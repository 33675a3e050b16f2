package machine

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// promptWait is how long a sudo that does not ask (NOPASSWD) keeps the stdin of a command that has none open.
const promptWait = 30 * time.Second

// dialogue watches stderr for sudo's prompt and answers it, once. The password goes nowhere unless sudo asks; the
// command's own stdin follows only when sudo is done with it.
type dialogue struct {
	call   call
	own    io.Reader // the command's own stdin; nil: none
	stdin  *feed
	stderr io.Writer
	timer  *time.Timer

	mu      sync.Mutex
	seen    []byte // of stderr, what may still hold a piece of a word that is waited for
	prompts int
	started bool
}

func newDialogue(r call, own io.Reader, stderr io.Writer) *dialogue {
	d := &dialogue{call: r, own: own, stdin: newFeed(), stderr: stderr}
	if !r.marked {
		d.timer = time.AfterFunc(promptWait, d.stdin.end)
	}
	return d
}

func (d *dialogue) Write(b []byte) (int, error) {
	d.watch(b)
	return d.stderr.Write(b)
}

func (d *dialogue) watch(b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.started {
		return // what the command itself says is nobody's prompt
	}
	d.seen = append(d.seen, b...)
	for d.cut(sudoPrompt) {
		d.prompts++
		d.answer()
	}
	if d.call.marked && d.cut(sudoStarted) {
		d.started = true
		d.stdin.follow(d.own)
	}
	d.seen = d.seen[max(0, len(d.seen)-len(sudoPrompt)):]
}

// answer gives the password to the first prompt. A second one means that it was wrong; then sudo gets an end of
// file instead of another try, which could lock the account.
func (d *dialogue) answer() {
	if d.prompts == 1 {
		d.stdin.give(d.call.password.Reveal() + "\n")
	}
	if d.prompts > 1 || !d.call.marked {
		d.stdin.end()
	}
}

// cut looks for word and drops everything up to its end.
func (d *dialogue) cut(word string) bool {
	_, rest, found := bytes.Cut(d.seen, []byte(word))
	if found {
		d.seen = rest
	}
	return found
}

// refused tells whether sudo asked again after the password.
func (d *dialogue) refused() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.prompts > 1
}

// end frees whoever still reads.
func (d *dialogue) end() {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.stdin.end()
}

// feed is a reader that waits for what is given to it.
type feed struct {
	mu    sync.Mutex
	more  *sync.Cond
	text  []byte
	ended bool
	rest  io.Reader // what comes after text; nil: nothing
}

func newFeed() *feed {
	f := &feed{}
	f.more = sync.NewCond(&f.mu)
	return f
}

func (f *feed) give(s string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.text = append(f.text, s...)
		f.more.Broadcast()
	}
}

func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.more.Broadcast()
}

// follow lets rest come after what was given, and then the end.
func (f *feed) follow(rest io.Reader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.rest, f.ended = rest, true
		f.more.Broadcast()
	}
}

func (f *feed) Read(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.text) == 0 && !f.ended {
		f.more.Wait()
	}
	switch {
	case len(f.text) > 0:
	case f.rest != nil:
		return f.rest.Read(b) // the lock is nobody's any more: all that could be given was
	default:
		return 0, io.EOF
	}
	n := copy(b, f.text)
	f.text = f.text[n:]
	return n, nil
}

// withoutSudoNoise drops from stderr what sudo said to us and not to the user.
func withoutSudoNoise(stderr string) string {
	stderr = strings.ReplaceAll(stderr, sudoPrompt, "")
	var kept strings.Builder
	for line := range strings.Lines(stderr) {
		text := strings.TrimSpace(line)
		if text == sudoStarted || strings.HasPrefix(text, "sudo: unable to resolve host") {
			continue
		}
		kept.WriteString(line)
	}
	return kept.String()
}

// complaints are what sudo 1.8 and 1.9 say when they do not do it, and what that means. Only English: a host that sets
// another LANG for its sessions (Debian's PAM can) shows sudo's own words and an exit code instead. The prompt is ours
// in every language, so a wrong password is always known.
var complaints = []struct{ text, msg, hint string }{
	{"is not in the sudoers file", "sudo: this user may not use sudo", "add the user to sudoers on the host, or connect as another user"},
	{"is not allowed to execute", "sudo: this user may not run this command", "compare sudoers on the host with the command line"},
	{"is not allowed to run sudo", "sudo: this user may not use sudo on this host", "add the user to sudoers on the host"},
	{"you must have a tty", "sudo: requiretty is set for this user", "add \"Defaults:USER !requiretty\" to sudoers on the host"},
	{"a password is required", "sudo wants a password, and none is given", "sudo { password = secret(…) } in the inventory, or NOPASSWD in sudoers"},
	{"a terminal is required", "sudo wants a password, and none is given", "sudo { password = secret(…) } in the inventory, or NOPASSWD in sudoers"},
	{"no tty present and no askpass", "sudo wants a password, and none is given", "sudo { password = secret(…) } in the inventory, or NOPASSWD in sudoers"},
	{"incorrect password attempt", "sudo: the password is wrong", "check the password of the sudo block; there was no second try"},
	{"no password was provided", "sudo took no password", "it asked too late; check its PAM and name service on the host"},
	{"unknown user", "sudo: the user to become does not exist", "check user in the sudo block"},
	{"account validation failure", "sudo: the account is locked or has expired", "look at the account on the host"},
}

// refusedBySudo tells whether sudo itself said no, whatever exit codes the command has for itself.
func (h *Host) refusedBySudo(r call, out engine.Output) error {
	if out.Code == 127 && strings.Contains(out.Stderr, "sudo") {
		return h.sudoError(r, "there is no sudo on this host", "connect as root, or install sudo")
	}
	if out.Code != 1 {
		return nil
	}
	for line := range strings.Lines(out.Stderr) {
		for _, c := range complaints {
			if isSudoSpeaking(line) && strings.Contains(line, c.text) {
				return h.sudoError(r, c.msg, c.hint)
			}
		}
	}
	return nil
}

// isSudoSpeaking knows sudo's two ways: "sudo: …", and sentences about the user that end with a full stop.
func isSudoSpeaking(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasPrefix(line, "sudo: ") || strings.HasPrefix(line, "Sorry, ") || strings.Contains(line, " sudoers file.")
}

func (h *Host) wrongPassword(r call) error {
	return h.sudoError(r, "sudo: the password is wrong", "check the password of the sudo block; there was no second try")
}

func (h *Host) sudoError(r call, msg, hint string) error {
	return &engine.Error{Kind: engine.KindAuth, Host: h.host.Name, Op: op(r.line), Msg: msg, Hint: hint}
}

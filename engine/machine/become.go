package machine

import (
	"bytes"
	"cmp"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// become is the line that runs text, a simple command, as another user by something else than sudo, or at a terminal. What
// these programs ask and how they complain is not known: so the command says first that it has begun, and whatever is
// said before is theirs.
//
// What looked like a question may have been none, and then the password lies unread where the command's input comes from.
// So a command without one gets none, and before another the shell reads on to a line that only we know the place of.
func become(text string, sudo *engine.Sudo, fed bool) call {
	user := cmp.Or(sudo.User, "root")
	r := call{other: sudo, password: sudo.Password, tty: sudo.TTY, skips: fed && !sudo.Password.IsZero()}
	begin := "echo " + sudoStarted + "; "
	if r.skips {
		begin += `while read -r l && [ "$l" != ` + sudoInput + " ]; do :; done; "
	}
	text = begin + "exec " + text
	if !fed {
		text += " </dev/null" // nothing tells the end of an input at a terminal, either
	}
	command := "sh -c " + engine.QuoteSh(text)
	switch sudo.Method {
	case "", "sudo":
		r.line = "sudo -k -p " + sudoPrompt + " -u " + engine.QuoteSh(user) + " -- " + command
		if sudo.Password.IsZero() {
			r.line = "sudo -n -u " + engine.QuoteSh(user) + " -- " + command
		}
	case "su":
		r.line = "su -s /bin/sh " + engine.QuoteSh(user) + " -c " + engine.QuoteSh(text)
	case "doas":
		r.line = "doas -u " + engine.QuoteSh(user) + " " + command
		if sudo.Password.IsZero() {
			r.line = "doas -n -u " + engine.QuoteSh(user) + " " + command
		}
	default:
		r.line = strings.NewReplacer("{user}", engine.QuoteSh(user), "{command}", command, "{line}", engine.QuoteSh(command)).Replace(sudo.Method)
	}
	return r
}

// threshold stands between a program that changes the user and the command behind it. Until the command has begun, all
// output is the program's: it is kept away from the command's, and a line without an end that looks like a question gets
// the password, once. The password is never sent unasked, so that a command that needed none does not read it.
type threshold struct {
	call  call
	own   io.Reader // the command's own input; nil: none
	stdin *feed

	mu      sync.Mutex
	begun   bool
	prompts int
	asking  *time.Timer // runs while a line waits that may be a question
	said    []byte      // the end of what the program said, on both streams
}

// mostSaid and mostLine are what is kept of what a program says before the command begins: it may never end.
const (
	mostSaid = 16 << 10
	mostLine = 4 << 10
)

func ending(b []byte, most int) []byte {
	if len(b) <= most {
		return b
	}
	return append([]byte(nil), b[len(b)-most:]...)
}

// newThreshold puts itself before the streams of p.
func newThreshold(r call, p *engine.Process) *threshold {
	t := &threshold{call: r, own: p.Stdin, stdin: newFeed()}
	p.Stdin, p.Stdout, p.Stderr = t.stdin, &side{t: t, to: p.Stdout}, &side{t: t, to: p.Stderr}
	return t
}

// side is one of the two streams.
type side struct {
	t    *threshold
	to   io.Writer
	line []byte // of what came before the command began: the last line, as far as it is there
}

func (s *side) Write(b []byte) (int, error) {
	rest := s.t.before(s, b)
	if len(rest) == 0 || s.to == nil {
		return len(b), nil
	}
	if _, err := s.to.Write(rest); err != nil {
		return 0, err
	}
	return len(b), nil
}

// before takes what belongs to the program, and returns the rest, which belongs to the command.
func (t *threshold) before(s *side, b []byte) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.begun {
		return b
	}
	if t.asking != nil {
		t.asking.Stop()
	}
	s.line = append(s.line, b...)
	if _, rest, found := bytes.Cut(s.line, []byte(sudoStarted)); found && bytes.IndexByte(rest, '\n') >= 0 {
		t.begun = true
		if t.call.skips {
			t.stdin.give(sudoInput + "\n")
		}
		t.stdin.follow(t.own)
		return rest[bytes.IndexByte(rest, '\n')+1:]
	}
	t.said = ending(append(t.said, b...), mostSaid)
	if i := bytes.LastIndexByte(s.line, '\n'); i >= 0 {
		s.line = s.line[i+1:]
	}
	s.line = ending(s.line, mostLine)
	if isQuestion(s.line) {
		line := len(s.line)
		t.asking = time.AfterFunc(hesitation, func() { t.asked(s, line) })
	}
	return nil
}

// hesitation tells a question from the beginning of a message such as "su: …" whose rest is still on its way.
const hesitation = 200 * time.Millisecond

// asked answers the question that stands on s, unless more has come.
func (t *threshold) asked(s *side, line int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.begun || len(s.line) != line {
		return
	}
	s.line = nil
	t.prompts++
	t.answer()
}

// isQuestion knows a prompt in every language: it ends in a colon, narrow or wide, and waits on its line.
func isQuestion(line []byte) bool {
	text := strings.TrimSpace(string(line))
	return strings.HasSuffix(text, ":") || strings.HasSuffix(text, "：")
}

// answer gives the password to the first question; the second one means that it was wrong, and gets the end of the input.
func (t *threshold) answer() {
	if t.prompts == 1 && !t.call.password.IsZero() {
		t.stdin.give(t.call.password.Reveal() + "\n")
		return
	}
	if t.call.tty {
		t.stdin.give("\x04") // the end, at a terminal
	}
	t.stdin.end()
}

// end frees whoever still reads.
func (t *threshold) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asking != nil {
		t.asking.Stop()
	}
	t.stdin.end()
}

// passed tells whether the command began.
func (t *threshold) passed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.begun
}

// talk is how often the program asked for something, and what it said.
func (t *threshold) talk() (int, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.prompts, strings.ReplaceAll(string(t.said), sudoPrompt, "")
}

// notBecome says why the command never began; whatever exit codes it has for itself, this one is not its own.
func (h *Host) notBecome(r call, t *threshold, out engine.Output) error {
	program, _, _ := strings.Cut(r.line, " ")
	times, said := t.talk()
	e := &engine.Error{Kind: engine.KindAuth, Host: h.host.Name, Op: r.op()}
	switch {
	case out.Code == 127:
		e.Msg, e.Hint = "there is no "+program+" on this host", "install it, or choose another method in the sudo block"
	case times > 0 && r.password.IsZero():
		e.Msg, e.Hint = program+" wants a password, and none is given", "sudo { password = secret(…) } in the inventory"
	case times > 0:
		e.Msg, e.Hint = program+" refused the password", "check the password of the sudo block; there was no second try"
	default:
		e.Msg, e.Hint = program+" did not run the command", "try it by hand as this user"
		if !r.tty && !r.password.IsZero() {
			e.Hint += "; if it wants a terminal: tty = true in the sudo block"
		}
	}
	if last := lastLines(said); last != "" {
		e.Msg += ": " + last
	}
	return e
}

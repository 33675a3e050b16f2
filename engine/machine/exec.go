package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/codepage"
)

// maxOutput is how much of one stream is kept in memory; a command that says more is stopped.
const maxOutput = 32 << 20

// call is a command as it goes over the wire.
type call struct {
	line     string
	sudo     bool         // sudo is in it, or
	other    *engine.Sudo // another program that changes the user; see threshold
	tty      bool
	password engine.Secret // not zero: sudo may ask for it
	skips    bool          // with other: it reads on to sudoInput before its stdin begins
	marked   bool          // it says sudoStarted on stderr when sudo is done, and then wants a stdin of its own
	limit    int           // bytes of each stream; 0: maxOutput
	stdin    io.Reader     // nil: that of the command
	stdout   io.Writer     // nil: it is kept in memory, up to the limit
	from     *source       // what is copied: it may take as long as something moves; nil: the time is limited
	title    string        // names it in errors; "": the line does
	windows  bool          // its streams are of a code page
	page     codepage.Page
	looks    *string // where to say of which code page the output seems to be; nil: nobody asks
	raw      bool    // and yet its output is taken as bytes
}

func (r call) op() string {
	if r.title != "" {
		return "run " + r.title
	}
	return op(r.line)
}

// render makes the line for the system at the other end.
func (h *Host) render(s system, c engine.Command) (call, error) {
	given := 0
	for _, is := range []bool{len(c.Argv) > 0, c.Shell != "", c.PowerShell != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return call{}, h.bad(engine.BadArg{Arg: "command", Problem: "needs either argv, or shell, or a script"})
	}
	if err := scriptable(s, c); err != nil {
		return call{}, h.bad(err)
	}
	sudo := h.sudoFor(s, c)
	if err := sayable(s, c, sudo); err != nil {
		return call{}, h.bad(err)
	}
	render := func() (call, error) { return posix(c, sudo) }
	if s.platform == engine.Windows {
		render = func() (call, error) { return windows(c, s) }
	}
	r, err := render()
	if err != nil {
		return call{}, h.bad(err)
	}
	return r, nil
}

// sudoFor is how c becomes another user's there; nil: not at all.
func (h *Host) sudoFor(s system, c engine.Command) *engine.Sudo {
	sudo := h.options.Sudo
	becomesRoot := sudo != nil && (sudo.User == "" || sudo.User == "root")
	if c.NoSudo || s.platform == engine.ESXi || s.root && becomesRoot {
		return nil // ESXi has no sudo and needs none
	}
	return sudo
}

// sayable refuses what cannot be said on this platform.
func sayable(s system, c engine.Command, sudo *engine.Sudo) error {
	forbidden := "\x00"
	switch {
	case s.platform == engine.Windows && sudo != nil:
		return errors.New("sudo on Windows: remove the sudo block, and connect as an administrator")
	case sudo != nil && sudo.Validate() != nil:
		return sudo.Validate()
	case sudo != nil && sudo.TTY && !c.Stdin.IsZero():
		return errors.New("a command with an input of its own cannot run at a terminal: remove tty from the sudo block, or the input")
	case s.platform == engine.Windows:
		forbidden = "\x00\r\n"
	}
	texts := append(slices.Clone(c.Argv), c.Shell, c.Dir)
	for _, value := range c.Env {
		texts = append(texts, value)
	}
	for _, text := range texts {
		if strings.ContainsAny(text, forbidden) {
			return engine.BadArg{Arg: "command", Problem: "contains a character that no command line can carry: NUL, or a line end on Windows"}
		}
	}
	return nil
}

func (h *Host) bad(err error) error {
	return &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Op: "prepare a command", Err: err}
}

// exec runs one call to its end and judges it.
func (h *Host) exec(ctx context.Context, shell engine.Shell, r call, c engine.Command) (engine.Output, error) {
	r.looks = new(string)
	out, err := h.send(ctx, shell, r, c)
	if err != nil {
		return out, renamed(h.finishKill(ctx, r, err), r.op())
	}
	if r.sudo {
		if err := h.refusedBySudo(r, out); err != nil {
			return out, err
		}
	}
	if c.AnyOK || slices.Contains(c.OK, out.Code) || c.OK == nil && out.Code == 0 {
		return out, nil
	}
	return out, h.exitError(r, out)
}

// send runs one call to its end, whatever its exit code.
func (h *Host) send(ctx context.Context, shell engine.Shell, r call, c engine.Command) (engine.Output, error) {
	ctx, cancel := r.deadline(ctx, h.options.Timeout)
	defer cancel()
	if r.limit == 0 {
		r.limit = maxOutput
	}
	stdout, stderr := &limited{max: r.limit, full: cancel}, &limited{max: r.limit, full: cancel}
	p := engine.Process{Line: r.line, Stdin: r.stdin, Stdout: stdout, Stderr: stderr, TTY: r.tty}
	if r.stdout != nil {
		p.Stdout = r.stdout
	}
	if p.Stdin == nil && !c.Stdin.IsZero() {
		text, err := r.page.Encode(c.Stdin.Reveal())
		if err != nil {
			return engine.Output{}, h.bad(engine.BadArg{Arg: "stdin", Problem: "cannot be sent: " + err.Error()})
		}
		p.Stdin = strings.NewReader(text)
	}
	streams := decode(r, &p)
	var talk *dialogue
	var door *threshold
	switch {
	case r.other != nil:
		door = newThreshold(r, &p)
		defer door.end()
	case !r.password.IsZero():
		talk = newDialogue(r, p.Stdin, stderr)
		defer talk.end()
		p.Stdin, p.Stderr = talk.stdin, talk
	}
	if _, can := shell.(engine.Terminals); r.tty && !can {
		return engine.Output{}, h.bad(errors.New("tty in the sudo block: this connection gives no terminals, only ssh does"))
	}
	h.options.Ran(r.line)
	code, err := shell.Exec(ctx, p)
	if r.from != nil {
		err = r.from.explained(ctx, h, err)
	}
	streams.close()
	if r.looks != nil {
		*r.looks = streams.looks(r)
	}
	out := engine.Output{Stdout: stdout.String(), Stderr: streams.readable(stderr.String()), Code: code}
	if r.sudo {
		out.Stderr = withoutSudoNoise(out.Stderr)
	}
	switch {
	case stdout.overflowed() || stderr.overflowed():
		return out, h.tooMuch(r, err)
	case talk != nil && talk.refused():
		return out, h.wrongPassword(r)
	case door != nil && err == nil && !door.passed():
		return out, h.notBecome(r, door, out)
	}
	return out, err
}

// deadline is when the command is given up.
func (r call) deadline(ctx context.Context, d time.Duration) (context.Context, func()) {
	if r.from != nil {
		return r.from.watched(ctx, d)
	}
	return context.WithTimeout(ctx, d)
}

func (h *Host) tooMuch(r call, err error) error {
	var cause *engine.Error
	orphan := errors.As(err, &cause) && cause.Orphan
	return &engine.Error{
		Kind: engine.KindModule, Host: h.host.Name, Op: r.op(), Orphan: orphan,
		Msg:  fmt.Sprintf("stopped: it gave more than %d KiB", r.limit>>10),
		Hint: "ask for less: filter on the host",
	}
}

func (h *Host) exitError(r call, out engine.Output) error {
	e := &engine.Error{Kind: engine.KindExit, Host: h.host.Name, Op: r.op(), Msg: "exit code " + exitText(out)}
	switch {
	case out.Code == 127 && !r.sudo && r.other == nil:
		e.Hint = "without a login the PATH has no /usr/sbin on many systems: give the whole path"
	case out.Code == 9009:
		e.Hint = "Windows does not know the command: give its exact name, or the whole path"
	case r.looks != nil && *r.looks != "":
		e.Hint = fmt.Sprintf("what it says is not UTF-8 and looks like %[1]s: set encoding = %[1]q in the connection, if that is the code page of the host", *r.looks)
	}
	return e
}

// exitText is the code, and the last that the command said.
func exitText(out engine.Output) string {
	text := fmt.Sprint(out.Code)
	for _, stream := range []string{out.Stderr, out.Stdout} {
		if last := lastLines(stream); last != "" {
			return text + ": " + last
		}
	}
	return text
}

// lastLines joins the last three lines that are not empty, at most 400 bytes.
func lastLines(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	last := strings.Join(lines[max(0, len(lines)-3):], " / ")
	if len(last) > 400 {
		last = last[len(last)-400:]
		if _, rest, found := strings.Cut(last, " "); found { // half a word could be half a secret, which nobody would know for one
			last = rest
		}
		last = "…" + last
	}
	return strings.ToValidUTF8(last, "?")
}

// op names a command in an error; the whole line is in the plan and in the events.
func op(line string) string {
	if len(line) > 300 {
		line = strings.ToValidUTF8(line[:300], "") + "…"
	}
	return "run " + line
}

// limited keeps what is written to it, up to max bytes, and calls full when more comes.
type limited struct {
	mu   sync.Mutex
	text strings.Builder
	max  int
	over bool
	full func()
}

func (l *limited) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := l.max - l.text.Len(); len(b) > room {
		l.text.Write(b[:room])
		l.over = true
		l.full()
	} else {
		l.text.Write(b)
	}
	return len(b), nil
}

func (l *limited) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *limited) overflowed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

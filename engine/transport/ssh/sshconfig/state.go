package sshconfig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/sshpattern"
)

// state is what is known while the lines are read from top to bottom.
type state struct {
	file  *File
	query Query
	uid   string

	host      string // what Host is compared with: as asked, in the second pass the name that came out
	final     bool   // the second pass
	wantFinal bool   // a line says Match final
	values    map[string]value
	many      map[string][]value // IdentityFile and CertificateFile
	notices   []Notice
	told      map[Place]bool
}

// value is what the first line that counted has said.
type value struct {
	place Place
	name  string // of the directive
	raw   string // as written, for people
	args  []string
}

func newState(f *File, q Query) (*state, error) {
	s := &state{file: f, query: q, host: q.Host, values: map[string]value{}, many: map[string][]value{}, told: map[Place]bool{}}
	if !validHost(q.Host) || !validUser(q.User) {
		return nil, fmt.Errorf("%q is not a name of a host, or %q not one of a user, that could be put into a command", q.Host, q.User)
	}
	me, err := user.Current()
	if err == nil {
		s.uid = me.Uid
	}
	if s.query.LocalUser == "" {
		if err != nil {
			return nil, fmt.Errorf("who runs this? %w", err)
		}
		s.query.LocalUser = me.Username
	}
	if s.query.LocalHost == "" {
		if s.query.LocalHost, err = os.Hostname(); err != nil {
			return nil, err
		}
	}
	if q.User != "" {
		s.values["user"] = value{args: []string{q.User}}
	}
	if q.Port != 0 {
		s.values["port"] = value{args: []string{strconv.Itoa(q.Port)}}
	}
	if q.Tag != "" {
		s.values["tag"] = value{args: []string{q.Tag}}
	}
	return s, nil
}

// pass reads all files once.
func (s *state) pass(ctx context.Context) error {
	for _, r := range s.file.roots {
		t, err := s.file.text(r.path, false)
		if errors.Is(err, fs.ErrNotExist) {
			continue // Load has said so where it matters
		}
		if err != nil {
			return err
		}
		if err := s.apply(ctx, t, r, scope{active: true}); err != nil {
			return err
		}
	}
	return nil
}

// scope is where a line stands.
type scope struct {
	active bool // the lines count
	never  bool // the whole file is included where nothing counts
	depth  int
}

// apply reads the lines of one file. What it says about hosts ends with it.
func (s *state) apply(ctx context.Context, t *text, r root, in scope) error {
	for i := range t.lines {
		if err := s.line(ctx, &t.lines[i], r, &in); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) line(ctx context.Context, l *line, r root, in *scope) (err error) {
	switch l.keyword {
	case "host":
		for _, pattern := range l.args {
			if pattern == "" {
				return l.errorf("an empty pattern")
			}
		}
		in.active = sshpattern.Any(s.host, l.args) && !in.never
		return nil
	case "match":
		in.active, err = s.match(ctx, l, in.never)
		return err
	case "include":
		return s.include(ctx, l, r, *in)
	}
	return s.set(l, r, in.active)
}

func (s *state) include(ctx context.Context, l *line, r root, in scope) error {
	for _, pattern := range l.args {
		if pattern == "" {
			return l.errorf("an empty name")
		}
		paths, err := s.file.included(pattern, r.user)
		if err != nil {
			return l.errorf("%w", err)
		}
		if in.depth >= depth {
			return l.errorf("files include each other more than %d deep", depth)
		}
		for _, path := range paths {
			t, err := s.file.text(path, true)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return l.errorf("%w", err)
			}
			if err := s.apply(ctx, t, r, scope{in.active, !in.active || in.never, in.depth + 1}); err != nil {
				return err
			}
		}
	}
	return nil
}

// set takes a line for the value of its directive, if it counts and is the first that does. That it is well written is
// judged in any case, as ssh does.
func (s *state) set(l *line, r root, active bool) error {
	d, known := directives[l.keyword]
	if !known {
		if ignored, ok := s.values["ignoreunknown"]; ok && matchesList(l.keyword, ignored.args[0], true) {
			return nil
		}
		return l.errorf("unknown directive %q (IgnoreUnknown %s would let it pass)", l.keyword, l.keyword)
	}
	v := value{place: l.place, name: d.Name, raw: l.rest, args: l.args}
	keep, err := d.syntax(&v)
	if err != nil {
		return l.errorf("%s: %w", d.Name, err)
	}
	if !active || !keep {
		return nil
	}
	if r.user && !s.told[l.place] {
		if text := d.complaint(v.args); text != "" {
			s.told[l.place] = true
			s.notices = append(s.notices, Notice{l.place, d.Name, text})
		}
	}
	if d.refuses(v.args) {
		return l.errorf("%s %s", d.Name, d.Note)
	}
	if d.many {
		s.add(strings.ToLower(d.Name), v)
	} else {
		s.first(strings.ToLower(d.Name), v)
	}
	return nil
}

// first keeps v if nothing was said before. ProxyJump wins over a later ProxyCommand and the other way round; none
// prevents only later lines of its own name and, as ProxyCommand, ProxyJump.
func (s *state) first(key string, v value) {
	_, said := s.values[key]
	if key == "proxyjump" && !strings.EqualFold(v.args[0], "none") {
		_, command := s.values["proxycommand"]
		if said = said || command; !said {
			s.values["proxycommand"] = value{name: v.name, args: []string{"none"}}
		}
	}
	if !said {
		s.values[key] = v
	}
}

// add keeps a file once.
func (s *state) add(key string, v value) {
	for _, old := range s.many[key] {
		if old.args[0] == v.args[0] {
			return
		}
	}
	s.many[key] = append(s.many[key], v)
}

// text is the one word of a directive, or "".
func (s *state) text(key string) string {
	if v, ok := s.values[key]; ok && len(v.args) > 0 {
		return v.args[0]
	}
	return ""
}

func (s *state) user() string {
	if u := s.text("user"); u != "" {
		return u
	}
	return s.query.LocalUser
}

func (s *state) port() string {
	if p := s.text("port"); p != "" {
		return p
	}
	return "22"
}

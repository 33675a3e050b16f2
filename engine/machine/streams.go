package machine

import (
	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/codepage"
)

// streams make text of what a command on Windows writes. Everything else passes as it is.
type streams struct{ stdout, stderr *codepage.Writer }

// decode puts them before the writers of p; a raw call, and one with a stdout of its own, keeps the bytes of it.
func decode(r call, p *engine.Process) streams {
	var s streams
	if !r.windows {
		return s
	}
	s.stderr = r.page.NewWriter(p.Stderr)
	p.Stderr = s.stderr
	if !r.raw && r.stdout == nil {
		s.stdout = r.page.NewWriter(p.Stdout)
		p.Stdout = s.stdout
	}
	return s
}

// close passes on what is left; the writers behind keep everything in memory and do not fail.
func (s streams) close() {
	for _, w := range []*codepage.Writer{s.stdout, s.stderr} {
		if w != nil {
			_ = w.Close()
		}
	}
}

// readable is stderr as a person reads it.
func (s streams) readable(stderr string) string {
	if s.stderr == nil {
		return stderr
	}
	return readCLIXML(stderr)
}

// looks names the code page in which the output may have been written that is not UTF-8; "" when it is.
func (s streams) looks(r call) string {
	if r.page.Number() != 65001 {
		return ""
	}
	for _, w := range []*codepage.Writer{s.stderr, s.stdout} {
		if w != nil && w.Odd() != "" {
			return codepage.Guess(w.Odd())
		}
	}
	return ""
}

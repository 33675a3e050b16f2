package machine

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// lineBytes are what one line of base64 carries: 76,000 characters.
const lineBytes = 57_000

// linesOf makes lines of base64 of a content. That of a secret is preceded by its hash, which does not stand on the line.
func linesOf(c engine.Content) func(io.Reader) io.Reader {
	return func(r io.Reader) io.Reader {
		lines := &base64Lines{from: r, raw: make([]byte, lineBytes)}
		if c.Secret == "" {
			return lines
		}
		data, err := c.Bytes()
		if err != nil {
			return lines
		}
		lines.text = []byte(sum(data) + "\r\n")
		return lines
	}
}

type base64Lines struct {
	from io.Reader
	raw  []byte
	text []byte // encoded, not yet read
	err  error
}

// Read fills b as far as it can: every Read becomes a message of WinRM.
func (l *base64Lines) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(l.text) == 0 && !l.next() {
			break
		}
		k := copy(b[n:], l.text)
		l.text, n = l.text[k:], n+k
	}
	if n == 0 && len(b) > 0 {
		return 0, l.err
	}
	return n, nil
}

func (l *base64Lines) next() bool {
	if l.err != nil {
		return false
	}
	n, err := io.ReadFull(l.from, l.raw)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	l.err = err
	if n > 0 {
		l.text = append(base64.StdEncoding.AppendEncode(l.text[:0], l.raw[:n]), '\r', '\n')
	}
	return n > 0
}

func (h *Host) readCallWindows(s system, path string, to *sink) (call, error) {
	r, err := h.render(s, powershell(fmt.Sprintf(getWindows, quotePS(path))))
	r.stdout = &decoded{to: to}
	return r, err
}

// decoded is a writer of lines of base64 into to.
type decoded struct {
	to   *sink
	rest []byte
}

func (d *decoded) Write(b []byte) (int, error) {
	d.rest = append(d.rest, b...)
	for {
		i := bytes.IndexByte(d.rest, '\n')
		switch {
		case i < 0 && len(d.rest) > 2*lineBytes: // ours have 76,000 characters
			d.to.err = errors.Join(d.to.err, errNoLine)
			return len(b), d.to.err
		case i < 0:
			return len(b), nil
		}
		data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(d.rest[:i])))
		if err == nil {
			_, err = d.to.Write(data)
		} else {
			d.to.err = errors.Join(d.to.err, err)
		}
		d.rest = d.rest[i+1:]
		if err != nil {
			return len(b), err
		}
	}
}

var errNoLine = errors.New("a line of the host has no end")

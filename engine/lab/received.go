package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Received is one command line or request that a simulated system got.
type Received struct {
	Time time.Time `json:"time"` // when it came
	Kind string    `json:"kind"` // "ssh", "winrm", "guest" (by VMware Tools), "dsm", "nsx", "vsphere", "proxy" or "update"
	Host string    `json:"host"` // the system that got it, by its inventory name
	User string    `json:"user"`
	Text string    `json:"text"` // the command line, the request, or the SOAP operation and its object
	// Stdin is what a command read, at most 4 KiB of it; secrets of the lab are replaced by «secret».
	Stdin string `json:"stdin,omitempty"`
	// Mutates is the judgement of the system that executed it: something changed, or was to be changed.
	Mutates bool `json:"mutates"`
}

// log is everything that was received, in memory and as lines of JSON. A line stands there before its sender gets
// the answer.
type log struct {
	hide *strings.Replacer

	mu   sync.Mutex
	file io.Writer
	all  []Received
}

// newLog keeps secrets out of the texts. A «secret» in a text (not in a stdin, where sudo reads it)
// means that a client sent one where it does not belong.
func newLog(file io.Writer, secrets ...string) *log {
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, "«secret»")
	}
	return &log{hide: strings.NewReplacer(pairs...), file: file}
}

func (l *log) add(r Received) {
	r.Text, r.Stdin = l.hide.Replace(r.Text), l.hide.Replace(r.Stdin)
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // people grep for > and &
	if err := encoder.Encode(r); err != nil {
		panic(fmt.Sprintf("lab: %+v is no JSON: %v", r, err)) // strings, a time and a bool always are
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, r)
	_, _ = l.file.Write(line.Bytes()) // a full disk must not stop the estate; Received has it anyway
}

func (l *log) list() []Received {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// tee keeps the first bytes of what a command reads.
type tee struct {
	io.Reader
	mu   sync.Mutex
	kept []byte
}

const keep = 4096

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p[:min(n, keep-len(t.kept))]...)
	return n, err
}

func (t *tee) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}

package cmdexe

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// set lists or changes variables; "set /p NAME=" reads a line.
func (s *session) set(tail string) uint32 {
	if flag := strings.ToLower(tail[:min(2, len(tail))]); flag == "/a" {
		fmt.Fprint(s.err, "set /a is not simulated\r\n")
		return 1
	} else if flag == "/p" {
		name, prompt, _ := strings.Cut(strings.Trim(strings.TrimSpace(tail[2:]), `"`), "=")
		io.WriteString(s.out, prompt)
		line, ok := s.readLine()
		if ok {
			s.assign(name, line)
			return 0
		}
		return 1
	}
	if strings.HasPrefix(tail, `"`) {
		if last := strings.LastIndexByte(tail, '"'); last > 0 {
			tail = tail[1:last]
		}
	}
	if name, value, ok := strings.Cut(tail, "="); ok && name != "" {
		s.assign(name, value)
		return 0
	}
	return s.listVariables(strings.ToUpper(strings.TrimSpace(tail)))
}

func (s *session) assign(name, value string) {
	upper := strings.ToUpper(name)
	if value == "" {
		delete(s.vars, upper)
		delete(s.spelt, upper)
		return
	}
	if _, ok := s.spelt[upper]; !ok {
		s.spelt[upper] = name
	}
	s.vars[upper] = value
}

func (s *session) listVariables(prefix string) uint32 {
	found := false
	for _, name := range slices.Sorted(maps.Keys(s.vars)) {
		if strings.HasPrefix(name, prefix) {
			fmt.Fprintf(s.out, "%s=%s\r\n", s.spelt[name], s.vars[name])
			found = true
		}
	}
	if !found {
		fmt.Fprintf(s.err, "Environment variable %s not defined\r\n", prefix)
		return 1
	}
	return 0
}

// readLine takes one line of the input, byte by byte, so that the rest stays for the next command.
func (s *session) readLine() (string, bool) {
	if s.in == nil {
		return "", false
	}
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := s.in.Read(one)
		if n > 0 && one[0] == '\n' {
			return strings.TrimSuffix(string(line), "\r"), true
		}
		line = append(line, one[:n]...)
		if err != nil {
			return string(line), len(line) > 0
		}
	}
}

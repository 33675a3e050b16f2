package cmdexe

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// expand replaces %NAME%, in batch files also %1, %* and %~dp0. On a command line a name that is not set stays as it
// is written; in a batch file it becomes nothing, and %% becomes %.
func (s *session) expand(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		if line[i] != '%' {
			b.WriteByte(line[i])
			continue
		}
		if s.batch != nil {
			if text, used := s.batch.argument(line[i:]); used > 0 {
				b.WriteString(text)
				i += used - 1
				continue
			}
		}
		end := strings.IndexByte(line[i+1:], '%')
		if end < 0 {
			if s.batch == nil {
				b.WriteByte('%')
			}
			continue
		}
		expression := line[i+1 : i+1+end]
		name, _, _ := strings.Cut(expression, ":")
		value, ok := s.get(name)
		switch {
		case ok && expression != "":
			b.WriteString(part(value, strings.TrimPrefix(expression[len(name):], ":")))
		case s.batch == nil:
			b.WriteByte('%')
			continue
		}
		i += end + 1
	}
	return b.String()
}

// get gives a variable, the computed ones too.
func (s *session) get(name string) (string, bool) {
	upper := strings.ToUpper(name)
	if value, ok := s.vars[upper]; ok {
		return value, true
	}
	now := time.Now()
	switch upper {
	case "ERRORLEVEL":
		return strconv.Itoa(int(int32(s.level))), true
	case "CD":
		return s.dir, true
	case "DATE":
		return now.Format("Mon 01/02/2006"), true
	case "TIME":
		return now.Format("15:04:05.00"), true
	case "RANDOM":
		return strconv.Itoa(rand.IntN(32768)), true
	}
	return "", false
}

// part applies %NAME:~from,count% and %NAME:old=new%.
func part(value, how string) string {
	if cut, ok := strings.CutPrefix(how, "~"); ok {
		var from, count int
		n, _ := fmt.Sscanf(cut, "%d,%d", &from, &count)
		if from < 0 {
			from += len(value)
		}
		from = min(max(from, 0), len(value))
		end := len(value)
		if n == 2 && count >= 0 {
			end = min(from+count, end)
		} else if n == 2 {
			end = max(from, end+count)
		}
		return value[from:end]
	}
	if old, replacement, ok := strings.Cut(how, "="); ok && old != "" {
		return strings.ReplaceAll(value, old, replacement)
	}
	return value
}

// expandLate replaces !NAME! and the variables of for, right before a command runs.
func (s *session) expandLate(text string) string {
	for name, value := range s.loop {
		text = strings.ReplaceAll(text, "%~"+string(name), strings.Trim(value, `"`))
		text = strings.ReplaceAll(text, "%"+string(name), value)
	}
	if !s.delayed {
		return text
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "!")
		name, after, closed := strings.Cut(rest, "!")
		if !ok || !closed {
			b.WriteString(text)
			return b.String()
		}
		value, _ := s.get(name)
		b.WriteString(before + value)
		text = after
	}
}

// argument expands what begins at a percent sign in a batch file: %%, %0 … %9, %* and %~dp0 and the like.
// used is 0 where it is none of these.
func (b *batch) argument(text string) (value string, used int) {
	if len(text) < 2 {
		return "", 0
	}
	switch c := text[1]; {
	case c == '%':
		return "%", 2
	case c == '*':
		return b.all, 2
	case c >= '0' && c <= '9':
		return b.arg(int(c - '0')), 2
	case c != '~':
		return "", 0
	}
	i := 2 + len(text[2:]) - len(strings.TrimLeft(strings.ToLower(text[2:]), "dpnxfs"))
	if i >= len(text) || text[i] < '0' || text[i] > '9' {
		return "", 0
	}
	value = strings.Trim(b.arg(int(text[i]-'0')), `"`)
	if flags := strings.ToLower(text[2:i]); flags != "" {
		if text[i] == '0' {
			value = b.path
		}
		value = pathParts(disk.Clean(b.dir, value), flags)
	}
	return value, i + 1
}

func (b *batch) arg(n int) string {
	if n < len(b.args) {
		return b.args[n]
	}
	return ""
}

// pathParts gives the drive (d), folder (p), name (n) and extension (x) of a path, or all of it (f).
func pathParts(path, flags string) string {
	name := disk.Base(path)
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name, ext = name[:i], name[i:]
	}
	var b strings.Builder
	for _, part := range []struct{ flag, text string }{
		{"d", path[:2]}, {"p", path[2 : len(path)-len(name)-len(ext)]}, {"n", name}, {"x", ext}} {
		if strings.Contains(flags, part.flag) || strings.Contains(flags, "f") {
			b.WriteString(part.text)
		}
	}
	return b.String()
}

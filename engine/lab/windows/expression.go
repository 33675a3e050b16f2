package windows

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// expression evaluates the few PowerShell expressions that tell times:
//
//	(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()
//	[long]((Get-Date) - (Get-Process -Id 42).StartTime).TotalMilliseconds
//	[DateTime]::UtcNow.ToUniversalTime().ToString('o')
//
// Values are time.Time, time.Duration, float64, int64, string and object.
type expression struct {
	guest   *Guest
	process *cmdexe.Process
	rest    string
}

// object is what a command gives: its properties by lower-case name.
type object map[string]any

// psError is an error that PowerShell itself would report.
type psError struct{ text string }

func (e *psError) Error() string { return e.text }

var errUnknown = errors.New("unknown expression")

// whole evaluates everything; a value that has no plain text is an error.
func (e *expression) whole() (any, error) {
	value, err := e.value()
	if err != nil {
		return nil, err
	}
	switch value.(type) {
	case string, int64, float64:
		if e.blank(); e.rest == "" {
			return value, nil
		}
	}
	return nil, errUnknown
}

func (e *expression) blank() { e.rest = strings.TrimLeft(e.rest, " \t\r\n") }

// take removes a prefix, without regard to case.
func (e *expression) take(prefix string) bool {
	e.blank()
	if len(e.rest) < len(prefix) || !strings.EqualFold(e.rest[:len(prefix)], prefix) {
		return false
	}
	e.rest = e.rest[len(prefix):]
	return true
}

// value is a cast, or a primary value with its members.
func (e *expression) value() (any, error) {
	for _, cast := range []string{"[long]", "[int64]", "[int]"} {
		if e.take(cast) {
			value, err := e.value()
			if number, ok := value.(float64); ok {
				return int64(math.RoundToEven(number)), err
			}
			return value, err
		}
	}
	value, err := e.primary()
	for err == nil && strings.HasPrefix(e.rest, ".") {
		e.rest = e.rest[1:]
		value, err = member(value, e.name())
	}
	return value, err
}

// name takes the name of a member with its arguments: "ToString('o')".
func (e *expression) name() string {
	end := strings.IndexFunc(e.rest, func(r rune) bool { return strings.ContainsRune(".( -)", r) })
	if end < 0 {
		end = len(e.rest)
	}
	if strings.HasPrefix(e.rest[end:], "(") {
		if i := strings.IndexByte(e.rest[end:], ')'); i > 0 {
			end += i + 1
		}
	}
	name := e.rest[:end]
	e.rest = e.rest[end:]
	return name
}

func (e *expression) primary() (any, error) {
	switch {
	case e.take("[DateTime]::UtcNow"):
		return time.Now().UTC(), nil
	case e.take("[DateTime]::Now"):
		return time.Now().In(e.guest.zone()), nil
	case !e.take("("):
		return nil, errUnknown
	}
	e.blank()
	if first, _, _ := strings.Cut(e.rest, " "); strings.Contains(strings.TrimRight(first, ")"), "-") && first[0] != '(' && first[0] != '[' {
		return e.command()
	}
	left, err := e.value()
	if err == nil && e.take("-") {
		var right any
		if right, err = e.value(); err == nil {
			left, err = minus(left, right)
		}
	}
	if err == nil && !e.take(")") {
		err = errUnknown
	}
	return left, err
}

func minus(left, right any) (any, error) {
	a, ok1 := left.(time.Time)
	b, ok2 := right.(time.Time)
	if !ok1 || !ok2 {
		return nil, errUnknown
	}
	return a.Sub(b), nil
}

// command runs a cmdlet up to its closing parenthesis.
func (e *expression) command() (any, error) {
	text, rest, ok := strings.Cut(e.rest, ")")
	if !ok {
		return nil, errUnknown
	}
	e.rest = rest
	for _, name := range []string{"SystemRoot", "TEMP", "ProgramData", "SystemDrive"} {
		text = strings.ReplaceAll(text, "$env:"+name, e.process.Getenv(name))
	}
	words := cmdexe.SplitArgs(strings.ReplaceAll(text, "'", `"`))
	switch strings.ToLower(words[0]) {
	case "get-date":
		return time.Now().In(e.guest.zone()), nil
	case "get-ciminstance", "get-wmiobject":
		return e.guest.operatingSystem(words[1:])
	case "get-process":
		return e.guest.processObject(words[1:])
	case "get-item":
		return e.guest.fileObject(e.process, words[len(words)-1])
	}
	return nil, errUnknown
}

func (g *Guest) operatingSystem(words []string) (any, error) {
	if len(words) == 0 || !strings.EqualFold(words[len(words)-1], "Win32_OperatingSystem") {
		return nil, errUnknown
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return object{"lastbootuptime": g.bootTime.In(g.zone())}, nil
}

func (g *Guest) processObject(words []string) (any, error) {
	pid, err := strconv.Atoi(words[len(words)-1])
	if err != nil || len(words) != 2 || !strings.EqualFold(words[0], "-Id") {
		return nil, errUnknown
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.services {
		if s.pid == pid && pid != 0 {
			return object{"starttime": s.since.In(g.zone())}, nil
		}
	}
	if p, ok := g.procs.all[pid]; ok && !p.background {
		return object{"starttime": p.start.In(g.zone())}, nil
	}
	return nil, &psError{fmt.Sprintf("Get-Process : Cannot find a process with the process identifier %d.", pid)}
}

func (g *Guest) fileObject(p *cmdexe.Process, name string) (any, error) {
	info, ok := g.disk.Stat(clean(p, name))
	if !ok {
		return nil, &psError{fmt.Sprintf("Get-Item : Cannot find path '%s' because it does not exist.", clean(p, name))}
	}
	return object{"lastwritetime": info.Modified.In(g.zone()), "length": int64(info.Size), "versioninfo": object{"fileversion": g.cfg.ToolsVersion}}, nil
}

// member gives a property or calls a method.
func member(value any, name string) (any, error) {
	name = strings.ToLower(name)
	switch value := value.(type) {
	case object:
		if property, ok := value[name]; ok {
			return property, nil
		}
	case time.Time:
		switch name {
		case "tofiletimeutc()", "tofiletime()":
			return fileTime(value), nil
		case "touniversaltime()":
			return value.UTC(), nil
		case "ticks":
			return fileTime(value) + 504911232000000000, nil
		case "tostring('o')", `tostring("o")`:
			if value.Location() == time.UTC {
				return value.Format("2006-01-02T15:04:05.0000000Z"), nil
			}
			return value.Format("2006-01-02T15:04:05.0000000-07:00"), nil
		}
	case time.Duration:
		switch name {
		case "totalmilliseconds":
			return float64(value) / float64(time.Millisecond), nil
		case "totalseconds":
			return value.Seconds(), nil
		}
	}
	return nil, errUnknown
}

package windows

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// psScript runs a few statements of PowerShell, one a line or between semicolons: param, exit, throw, Write-Output,
// Write-Error, Write-Warning, literals, variables, $input, $env:NAME, expressions of times, and programs with plain
// arguments. $ErrorActionPreference is 'Stop'. For everything else it says that it is not simulated, and fails.
type psScript struct {
	guest *Guest
	p     *cmdexe.Process
	vars  map[string]string // lower-case names
	given map[string]string // parameters that no param block has taken yet
	input []string
	last  uint32 // $LASTEXITCODE
}

var scriptHash = regexp.MustCompile(`'([0-9A-F]{2}(?:-[0-9A-F]{2}){31})'`)

// framed finds the script in the two texts with which a controller frames one: as the literal of a script block, or on
// stdin, with parameters and input, when its hash is in the text. ok is false for any other text.
func framed(text string, stdin io.Reader) (s *psScript, script string, ok bool, err error) {
	s = &psScript{vars: map[string]string{}, given: map[string]string{}}
	if _, rest, found := strings.Cut(text, "&([scriptblock]::Create('"); found {
		return s, literal(rest), true, nil
	}
	hash := scriptHash.FindStringSubmatch(text)
	if !strings.Contains(text, "@($input)") || hash == nil || stdin == nil {
		return nil, "", false, nil
	}
	sum := ""
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(words[len(words)-1][1:])
		if err != nil {
			return nil, "", true, err
		}
		switch words[0] {
		case "p":
			s.given[strings.ToLower(words[1])] = string(data)
		case "i":
			s.input = strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"), "\n")
		case "s":
			script, sum = string(data), strings.ReplaceAll(fmt.Sprintf("% X", sha256.Sum256(data)), " ", "-")
		}
	}
	if sum != hash[1] {
		return nil, "", true, errors.New("the script did not arrive whole; nothing of it was run")
	}
	return s, script, true, nil
}

// literal reads a single-quoted string of PowerShell up to its end. The typographic quotes are quotes, too.
func literal(text string) string {
	var b strings.Builder
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		if strings.ContainsRune("'\u2018\u2019\u201a\u201b", runes[i]) {
			if i++; i == len(runes) || !strings.ContainsRune("'\u2018\u2019\u201a\u201b", runes[i]) {
				break
			}
		}
		b.WriteRune(runes[i])
	}
	return b.String()
}

// psExit is the statement exit.
type psExit uint32

func (e psExit) Error() string { return "exit" }

func (s *psScript) run(ctx context.Context, text string) uint32 {
	for _, statement := range statements(text) {
		err := s.statement(ctx, statement)
		var code psExit
		switch {
		case errors.As(err, &code):
			return uint32(code)
		case err != nil:
			fmt.Fprintf(s.p.Stderr, "%s\r\n", err)
			return 1
		}
	}
	return s.last
}

// statements splits a script at line ends and semicolons outside of quotes.
func statements(text string) (all []string) {
	begin, quote := 0, rune(0)
	for i, r := range text {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == ';' || r == '\n':
			all = append(all, text[begin:i])
			begin = i + 1
		}
	}
	return append(all, text[begin:])
}

func (s *psScript) statement(ctx context.Context, text string) error {
	text = strings.TrimSpace(text)
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	switch word = strings.ToLower(word); {
	case text == "" || strings.HasPrefix(text, "#"):
		return nil
	case strings.HasPrefix(word, "param("):
		return s.param(text)
	case len(s.given) > 0:
		return fmt.Errorf("A parameter cannot be found that matches parameter name '%s'.", slices.Sorted(maps.Keys(s.given))[0])
	case word == "exit":
		n, err := strconv.ParseInt(rest+"0"[min(len(rest), 1):], 10, 64)
		if err != nil {
			return err
		}
		return psExit(n)
	case word == "throw" || word == "write-error":
		return errors.New(s.expand(rest) + "\r\nAt line:1 char:1")
	case word == "write-warning":
		fmt.Fprintf(s.p.Stderr, "#< CLIXML\r\n"+`<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><S S="warning">%s</S></Objs>`, s.expand(rest))
		return nil
	case word == "write-output":
		fmt.Fprintf(s.p.Stdout, "%s\r\n", s.expand(rest))
		return nil
	case text == "$input":
		for _, line := range s.input {
			fmt.Fprintf(s.p.Stdout, "%s\r\n", line)
		}
		return nil
	case strings.ContainsAny(text[:1], `'"$`):
		fmt.Fprintf(s.p.Stdout, "%s\r\n", s.expand(text))
		return nil
	case strings.ContainsAny(text[:1], `([`):
		return s.times(text)
	}
	return s.program(ctx, word, text)
}

var variables = regexp.MustCompile(`\$(?:env:)?\w+`)

// param takes the parameters that a script declares; one that is not given is empty.
func (s *psScript) param(text string) error {
	for _, name := range variables.FindAllString(text, -1) {
		name = strings.ToLower(name[1:])
		s.vars[name] = s.given[name]
		delete(s.given, name)
	}
	return nil
}

// expand is the text of a literal, with variables unless it is single-quoted.
func (s *psScript) expand(text string) string {
	if strings.HasPrefix(text, "'") {
		return literal(text[1:])
	}
	return variables.ReplaceAllStringFunc(strings.Trim(text, `"`), func(name string) string {
		if env, ok := strings.CutPrefix(strings.ToLower(name), "$env:"); ok {
			return s.p.Getenv(env)
		}
		return s.vars[strings.ToLower(name[1:])]
	})
}

func (s *psScript) times(text string) error {
	e := &expression{guest: s.guest, process: s.p, rest: text}
	value, err := e.whole()
	if errors.Is(err, errUnknown) {
		return fmt.Errorf("powershell is not simulated so far: %.300s", text)
	}
	if err == nil {
		line(s.p, "%v", value)
	}
	return err
}

// program runs an executable; the script goes on whatever its code.
func (s *psScript) program(ctx context.Context, name, text string) error {
	p, complaint := *s.p, &bytes.Buffer{}
	p.Stdin, p.Stderr = nil, complaint
	code := cmdexe.Launch(ctx, s.guest.system, &p, text)
	if code == cmdexe.NotFound {
		return fmt.Errorf("%s : The term '%s' is not recognized as the name of a cmdlet, function, script file, or operable program.", name, name)
	}
	s.last = code
	_, err := complaint.WriteTo(s.p.Stderr)
	return err
}

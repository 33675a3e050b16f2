package winrm

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/masterzen/winrm"
	"github.com/masterzen/winrm/soap"
)

const (
	nsShell  = soap.NS_WIN_SHELL
	cmdShell = nsShell + "/cmd"
)

// message builds a request for the service at url. The requests are masterzen/winrm's; what it leaves to its caller is
// done here: every text in them is escaped before, because its elements write texts and attributes as they are.
type message func(url string, p *winrm.Parameters) *soap.SoapMessage

// envelope is the message on the wire. The host may hold it for wait, and answer with size bytes.
func (m message) envelope(url string, wait time.Duration, size int) []byte {
	p := winrm.NewParameters(fmt.Sprintf("PT%.3fS", wait.Seconds()), "en-US", size)
	return []byte(m(escape(url), p).String())
}

// idle is after how much time without use the host deletes a shell by itself: one that a lost connection left behind.
const idle = 15 * time.Minute

// create asks for a shell of a code page. The library's NewOpenShellRequest has the code page 65001 fixed and knows no
// idle timeout, and what it has built cannot be changed any more; so this and command are made of its parts.
func create(codePage int) message {
	return func(url string, p *winrm.Parameters) *soap.SoapMessage {
		m := request(url, p, soap.NS_TRANSFER+"/Create", "",
			soap.NewHeaderOption("WINRS_NOPROFILE", "FALSE"), soap.NewHeaderOption("WINRS_CODEPAGE", strconv.Itoa(codePage)))
		sh := m.CreateBodyElement("Shell", soap.DOM_NS_WIN_SHELL)
		for _, e := range [][2]string{{"InputStreams", "stdin"}, {"OutputStreams", "stdout stderr"}, {"IdleTimeOut", fmt.Sprintf("PT%dS", int(idle.Seconds()))}} {
			m.CreateElement(sh, e[0], soap.DOM_NS_WIN_SHELL).SetContent(e[1])
		}
		return m
	}
}

// command runs line by cmd.exe /c, with stdin as a pipe. The library's NewExecuteCommandRequest makes stdin a console
// (WINRS_CONSOLEMODE_STDIN), whose line editor changes bytes, and its CDATA section ends at the first "]]>" of the line.
func command(shell, line string) message {
	return func(url string, p *winrm.Parameters) *soap.SoapMessage {
		m := request(url, p, nsShell+"/Command", shell,
			soap.NewHeaderOption("WINRS_CONSOLEMODE_STDIN", "FALSE"), soap.NewHeaderOption("WINRS_SKIP_CMD_SHELL", "FALSE"))
		m.CreateElement(m.CreateBodyElement("CommandLine", soap.DOM_NS_WIN_SHELL), "Command", soap.DOM_NS_WIN_SHELL).SetContent(escape(line))
		return m
	}
}

// request is a message with a header and no body yet.
func request(url string, p *winrm.Parameters, action, shell string, options ...*soap.HeaderOption) *soap.SoapMessage {
	m := soap.NewMessage()
	h := m.Header().To(url).ReplyTo(soap.NS_ADDRESSING + "/role/anonymous").MaxEnvelopeSize(p.EnvelopeSize).Id("uuid:" + uuid.NewString()).
		Locale(p.Locale).Timeout(p.Timeout).Action(action).ShellId(escape(shell)).ResourceURI(cmdShell)
	for _, o := range options {
		h.AddOption(o)
	}
	return h.Build()
}

func remove(shell string) message {
	return func(url string, p *winrm.Parameters) *soap.SoapMessage {
		return winrm.NewDeleteShellRequest(url, escape(shell), p)
	}
}

func receive(shell, command string) message {
	return func(url string, p *winrm.Parameters) *soap.SoapMessage {
		return winrm.NewGetOutputRequest(url, escape(shell), escape(command), "stdout stderr", p)
	}
}

func send(shell, command string, data []byte, end bool) message {
	return func(url string, p *winrm.Parameters) *soap.SoapMessage {
		return winrm.NewSendInputRequest(url, escape(shell), escape(command), data, end, p)
	}
}

// terminate ends the command and everything that it started, or frees what the host keeps of an ended one. The
// signal ctrl_c would leave it to the command.
func terminate(shell, command string) message {
	return func(url string, p *winrm.Parameters) *soap.SoapMessage {
		return winrm.NewSignalRequest(url, escape(shell), escape(command), p)
	}
}

// config asks for the limits of the service; only administrators may.
func config() message {
	return func(url string, p *winrm.Parameters) *soap.SoapMessage {
		m := soap.NewMessage()
		m.Header().To(url).ReplyTo(soap.NS_ADDRESSING + "/role/anonymous").MaxEnvelopeSize(p.EnvelopeSize).Id("uuid:" + uuid.NewString()).
			Locale(p.Locale).Timeout(p.Timeout).Action(soap.NS_TRANSFER + "/Get").ResourceURI("http://schemas.microsoft.com/wbem/wsman/1/config").Build()
		m.NewBody()
		return m
	}
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}

// unsendable returns the first character of s that XML cannot carry; EscapeText would replace it silently.
func unsendable(s string) (rune, bool) {
	for i, r := range s {
		switch {
		case r == '\uFFFD' && !strings.HasPrefix(s[i:], "\uFFFD"): // a byte that is not UTF-8
			return rune(s[i]), true
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == '\uFFFE', r == '\uFFFF':
			return r, true
		}
	}
	return 0, false
}

// answer is what is read of a reply; prefixes do not matter.
type answer struct {
	Action string `xml:"Header>Action"`
	// ShellID is where newer hosts tell it, Selectors where Windows 7 does.
	ShellID    string     `xml:"Body>Shell>ShellId"`
	Selectors  []selector `xml:"Body>ResourceCreated>ReferenceParameters>SelectorSet>Selector"`
	CommandID  string     `xml:"Body>CommandResponse>CommandId"`
	Received   *received  `xml:"Body>ReceiveResponse"`
	EnvelopeKB int        `xml:"Body>Config>MaxEnvelopeSizekb"` // of config
	Fault      *struct {
		Subcode string `xml:"Code>Subcode>Value"`
		Reason  string `xml:"Reason>Text"`
		Detail  struct {
			Code    uint32 `xml:"Code,attr"`
			Message string `xml:"Message"`
		} `xml:"Detail>WSManFault"`
	} `xml:"Body>Fault"`
}

// received is the news of a command.
type received struct {
	Streams []stream `xml:"Stream"`
	State   struct {
		State    string `xml:"State,attr"`
		ExitCode string
	} `xml:"CommandState"`
}

type selector struct {
	Name  string `xml:"Name,attr"`
	Value string `xml:",chardata"`
}

type stream struct {
	Name string `xml:"Name,attr"`
	Data string `xml:",chardata"`
}

// parse reads a reply; a fault in it is an error of type *Fault.
func parse(body []byte, status int) (*answer, error) {
	var a answer
	if err := xml.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("the answer is not XML: %w", err)
	}
	if f := a.Fault; f != nil {
		reason := strings.TrimSpace(f.Detail.Message)
		if reason == "" {
			reason = strings.TrimSpace(f.Reason)
		}
		_, subcode, _ := strings.Cut(f.Subcode, ":")
		return nil, &Fault{Status: status, Code: f.Detail.Code, Subcode: brief(subcode), Reason: brief(strings.Join(strings.Fields(reason), " "))}
	}
	if a.Action == "" {
		return nil, errors.New("the answer is not a SOAP message")
	}
	return &a, nil
}

// brief is a text of the host for an error, which need not be a book.
func brief(text string) string {
	const most = 1000
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

func (a *answer) shell() string {
	if id := strings.TrimSpace(a.ShellID); id != "" {
		return id
	}
	for _, s := range a.Selectors {
		if s.Name == "ShellId" {
			return strings.TrimSpace(s.Value)
		}
	}
	return ""
}

func (s stream) bytes() ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimSpace(s.Data)) // line ends in it are skipped
}

func (r *received) done() bool { return strings.HasSuffix(r.State.State, "/CommandState/Done") }

// exitCode is the 32 bits of Windows' exit code as cmd.exe shows them, with a sign.
func (r *received) exitCode() (int, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(r.State.ExitCode), 10, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxUint32 {
		return 0, fmt.Errorf("the command ended, and the host does not say with which code (%q)", r.State.ExitCode)
	}
	return int(int32(uint32(n))), nil
}

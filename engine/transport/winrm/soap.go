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
)

const (
	nsShell    = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
	nsTransfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
	cmdShell   = nsShell + "/cmd"

	// envelopeSize is what a host answers with at most. It is the default of the oldest hosts; newer ones take 500 kB.
	envelopeSize = 153600
	// chunk is how much of stdin one message carries: in base64 it has to fit into envelopeSize.
	chunk = 100_000
)

// message is a request: the action's URI, the shell it is for, options of the header, and the body.
type message struct {
	action  string
	shell   string // "" for Create
	options string
	body    string
}

func option(name, value string) string {
	return `<w:Option Name="` + name + `">` + value + `</w:Option>`
}

// create asks for a shell that speaks UTF-8 and that the host deletes by itself after 15 minutes without use.
func create() message {
	return message{action: nsTransfer + "/Create",
		options: option("WINRS_NOPROFILE", "FALSE") + option("WINRS_CODEPAGE", "65001"),
		body:    `<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams><rsp:IdleTimeOut>PT900S</rsp:IdleTimeOut></rsp:Shell>`}
}

func remove(shell string) message { return message{action: nsTransfer + "/Delete", shell: shell} }

// command runs line by cmd.exe /c, with stdin as a pipe.
func command(shell, line string) message {
	return message{action: nsShell + "/Command", shell: shell,
		options: option("WINRS_CONSOLEMODE_STDIN", "FALSE") + option("WINRS_SKIP_CMD_SHELL", "FALSE"),
		body:    `<rsp:CommandLine><rsp:Command>` + escape(line) + `</rsp:Command></rsp:CommandLine>`}
}

func receive(shell, command string) message {
	return message{action: nsShell + "/Receive", shell: shell,
		body: `<rsp:Receive><rsp:DesiredStream CommandId="` + escape(command) + `">stdout stderr</rsp:DesiredStream></rsp:Receive>`}
}

func send(shell, command string, data []byte, end bool) message {
	return message{action: nsShell + "/Send", shell: shell,
		body: `<rsp:Send><rsp:Stream Name="stdin" CommandId="` + escape(command) + `" End="` + strconv.FormatBool(end) + `">` +
			base64.StdEncoding.EncodeToString(data) + `</rsp:Stream></rsp:Send>`}
}

func terminate(shell, command string) message {
	return message{action: nsShell + "/Signal", shell: shell,
		body: `<rsp:Signal CommandId="` + escape(command) + `"><rsp:Code>` + nsShell + `/signal/terminate</rsp:Code></rsp:Signal>`}
}

// envelope is the message on the wire.
func (m message) envelope(url string, wait time.Duration) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" ` +
		`xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd" xmlns:rsp="` + nsShell + `"><s:Header>` +
		`<a:To>` + escape(url) + `</a:To><a:ReplyTo><a:Address s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>`)
	fmt.Fprintf(&b, `<w:MaxEnvelopeSize s:mustUnderstand="true">%d</w:MaxEnvelopeSize><a:MessageID>uuid:%s</a:MessageID>`, envelopeSize, uuid.NewString())
	b.WriteString(`<w:Locale s:mustUnderstand="false" xml:lang="en-US"/><p:DataLocale s:mustUnderstand="false" xml:lang="en-US"/>`)
	fmt.Fprintf(&b, `<w:OperationTimeout>PT%.3fS</w:OperationTimeout>`, wait.Seconds())
	b.WriteString(`<w:ResourceURI s:mustUnderstand="true">` + cmdShell + `</w:ResourceURI><a:Action s:mustUnderstand="true">` + m.action + `</a:Action>`)
	if m.shell != "" {
		b.WriteString(`<w:SelectorSet><w:Selector Name="ShellId">` + escape(m.shell) + `</w:Selector></w:SelectorSet>`)
	}
	if m.options != "" {
		b.WriteString(`<w:OptionSet>` + m.options + `</w:OptionSet>`)
	}
	b.WriteString(`</s:Header><s:Body>` + m.body + `</s:Body></s:Envelope>`)
	return []byte(b.String())
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
	ShellID   string     `xml:"Body>Shell>ShellId"`
	Selectors []selector `xml:"Body>ResourceCreated>ReferenceParameters>SelectorSet>Selector"`
	CommandID string     `xml:"Body>CommandResponse>CommandId"`
	Streams   []stream   `xml:"Body>ReceiveResponse>Stream"`
	State     struct {
		State    string `xml:"State,attr"`
		ExitCode string
	} `xml:"Body>ReceiveResponse>CommandState"`
	Fault *struct {
		Subcode string `xml:"Code>Subcode>Value"`
		Reason  string `xml:"Reason>Text"`
		Detail  struct {
			Code    uint32 `xml:"Code,attr"`
			Message string `xml:"Message"`
		} `xml:"Detail>WSManFault"`
	} `xml:"Body>Fault"`
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
		return nil, &Fault{Status: status, Code: f.Detail.Code, Subcode: subcode, Reason: strings.Join(strings.Fields(reason), " ")}
	}
	if a.Action == "" {
		return nil, errors.New("the answer is not a SOAP message")
	}
	return &a, nil
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

func (a *answer) done() bool { return strings.HasSuffix(a.State.State, "/CommandState/Done") }

// exitCode is the 32 bits of Windows' exit code as cmd.exe shows them, with a sign.
func (a *answer) exitCode() (int, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(a.State.ExitCode), 10, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxUint32 {
		return 0, fmt.Errorf("the command ended, and the host does not say with which code (%q)", a.State.ExitCode)
	}
	return int(int32(uint32(n))), nil
}

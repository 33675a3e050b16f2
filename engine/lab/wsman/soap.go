package wsman

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

const (
	soapType = "application/soap+xml;charset=UTF-8"

	nsShell    = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
	nsTransfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
	cmdShell   = nsShell + "/cmd"
)

// envelope is what is read of a request; names are matched without regard to prefixes.
type envelope struct {
	Action      string     `xml:"Header>Action"`
	MessageID   string     `xml:"Header>MessageID"`
	ResourceURI string     `xml:"Header>ResourceURI"`
	MaxEnvelope int        `xml:"Header>MaxEnvelopeSize"`
	Timeout     string     `xml:"Header>OperationTimeout"`
	Selectors   []selector `xml:"Header>SelectorSet>Selector"`
	Options     []selector `xml:"Header>OptionSet>Option"`
	Command     string     `xml:"Body>CommandLine>Command"`
	IdleTimeout string     `xml:"Body>Shell>IdleTimeOut"`
	Arguments   []string   `xml:"Body>CommandLine>Arguments"`
	Send        []stream   `xml:"Body>Send>Stream"`
	Receive     struct {
		CommandID string `xml:"CommandId,attr"`
	} `xml:"Body>Receive>DesiredStream"`
	Signal struct {
		CommandID string `xml:"CommandId,attr"`
		Code      string
	} `xml:"Body>Signal"`
}

type selector struct {
	Name  string `xml:"Name,attr"`
	Value string `xml:",chardata"`
}

type stream struct {
	Name      string `xml:"Name,attr"`
	CommandID string `xml:"CommandId,attr"`
	End       bool   `xml:"End,attr"`
	Data      string `xml:",chardata"`
}

func parse(body []byte) (*envelope, error) {
	var e envelope
	if err := xml.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	if e.Action == "" || e.ResourceURI == "" {
		return nil, fmt.Errorf("no Action or no ResourceURI")
	}
	return &e, nil
}

// action is the last part of the action's URI.
func (e *envelope) action() string { return path.Base(e.Action) }

func (e *envelope) options() map[string]string {
	if len(e.Options) == 0 {
		return nil
	}
	all := map[string]string{}
	for _, o := range e.Options {
		all[o.Name] = o.Value
	}
	return all
}

func (e *envelope) shellID() string {
	for _, s := range e.Selectors {
		if s.Name == "ShellId" {
			return strings.TrimSpace(s.Value)
		}
	}
	return ""
}

// timeout is how long the client lets the host wait; Windows waits 60 s when it is not told.
func (e *envelope) timeout() time.Duration {
	if d := timeout(e.Timeout); d > 0 {
		return d
	}
	return time.Minute
}

// line is what cmd.exe gets: the command and its arguments, joined as Windows joins them.
func (e *envelope) line() string {
	return strings.Join(append([]string{e.Command}, e.Arguments...), " ")
}

// reply is an answer: a SOAP body, and what its header needs.
type reply struct {
	change    func(string) string // of a fault that was switched on
	status    int
	action    string
	body      string
	relatesTo string
}

func ok(action, body string) *reply { return &reply{status: http.StatusOK, action: action, body: body} }

func (r *reply) bytes() []byte {
	return fmt.Appendf(nil, `<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" `+
		`xmlns:x="%s" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="%s" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd">`+
		`<s:Header><a:Action>%s</a:Action><a:MessageID>uuid:%s</a:MessageID><a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To><a:RelatesTo>%s</a:RelatesTo></s:Header>`+
		`<s:Body>%s</s:Body></s:Envelope>`, nsTransfer, nsShell, r.action, newID(), escape(r.relatesTo), r.body)
}

// fault is a WSManFault.
type fault struct {
	code    uint32
	subcode string // "w:TimedOut"
	text    string
}

func (f fault) Error() string { return f.text }

// The faults of a Windows host. Codes from wsmerror.h and winerror.h; texts as Windows says them.
var (
	faultTimedOut   = fault{2150858793, "w:TimedOut", "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  "}
	faultSelectors  = fault{2150858843, "w:InvalidSelectors", "The WS-Management service cannot process the request because the request contained invalid selectors for the resource. "}
	faultShells     = fault{2150859173, "w:QuotaLimit", "The WS-Management service cannot process the request. The maximum number of concurrent shells for this user has been exceeded. Close existing shells or raise the quota for this user. "}
	faultOperations = fault{2150859174, "w:QuotaLimit", "The WS-Management service cannot process the request. The maximum number of concurrent operations for this user has been exceeded. Close existing operations for this user, or raise the quota for this user. "}
	faultProcesses  = fault{2150859172, "w:QuotaLimit", "The WS-Management service cannot process the request. The maximum number of processes per shell has been exceeded. "}
	faultEnvelope   = fault{2150858776, "w:EncodingLimit", "The WS-Management service cannot process the request because the envelope is larger than the configured maximum. "}
	faultCommand    = fault{2150858752, "w:InvalidParameter", "The Windows Remote Shell received a request to perform an operation on a command identifier that does not exist. "}
	faultAborted    = fault{995, "w:InternalError", "The I/O operation has been aborted because of either a thread exit or an application request. "}
	faultSchema     = fault{2150858817, "w:SchemaValidationError", "The SOAP XML in the message does not match the corresponding XML schema definition. "}
	faultAction     = fault{2150858754, "a:ActionNotSupported", "The action is not supported by the service. "}
	faultAccess     = fault{5, "w:AccessDenied", "Access is denied. "}
)

func faultReply(f fault) *reply {
	role := "s:Sender"
	if f.subcode == "w:TimedOut" || f.subcode == "w:InternalError" {
		role = "s:Receiver"
	}
	text := escape(f.text)
	return &reply{status: http.StatusInternalServerError, action: "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", body: `<s:Fault><s:Code><s:Value>` + role +
		`</s:Value><s:Subcode><s:Value>` + f.subcode + `</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">` + text +
		`</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="` + strconv.FormatUint(uint64(f.code), 10) +
		`" Machine="lab"><f:Message>` + text + `</f:Message></f:WSManFault></s:Detail></s:Fault>`}
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

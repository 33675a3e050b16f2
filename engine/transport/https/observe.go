package https

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// observer tells of requests; the zero value tells nobody.
type observer struct {
	told atomic.Pointer[func(string)]
}

// Observe implements engine.Observable.
func (o *observer) Observe(told func(request string)) { o.told.Store(&told) }

func (o *observer) observe(req *http.Request) {
	if told := o.told.Load(); told != nil {
		(*told)(describe(req))
	}
}

// describe is a request on one line: method, path and query, and for SOAP the operation, which stands in the body only.
func describe(req *http.Request) string {
	line := req.Method + " " + req.URL.RequestURI()
	if req.Method != http.MethodPost || req.GetBody == nil || len(req.Header.Values("SOAPAction")) == 0 {
		return line
	}
	body, err := req.GetBody()
	if err != nil {
		return line
	}
	defer body.Close()
	if name := operation(body); name != "" {
		line += " " + name
	}
	return line
}

// operation is the local name of the first element in the SOAP body; "" where there is none.
func operation(r io.Reader) string {
	d := xml.NewDecoder(io.LimitReader(r, 1<<20))
	inBody := false
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) || err != nil {
			return ""
		}
		start, ok := token.(xml.StartElement)
		switch {
		case ok && inBody:
			return start.Name.Local
		case ok && start.Name.Local == "Body":
			inBody = true
		}
	}
}

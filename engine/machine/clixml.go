package machine

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
)

// clixmlMark stands before what PowerShell writes to stderr as serialised objects, when it was called by -EncodedCommand.
const clixmlMark = "#< CLIXML"

// mostBroken is how many broken documents are tried: each may have to be read to the end of the text, and a hostile host
// could begin a million.
const mostBroken = 4

// readCLIXML makes of stderr what a person would have seen on a console: errors as they are, warnings and the like with
// their name, progress not at all. What is no CLIXML, or broken, stays as it came. The format is MS-PSRP 2.2.5.
func readCLIXML(s string) string {
	var b strings.Builder
	for broken := 0; broken < mostBroken; {
		before, rest, found := strings.Cut(s, clixmlMark)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		rest = strings.TrimLeft(rest, "\r\n")
		read := false
		for strings.HasPrefix(rest, "<Objs") { // several documents may follow one mark
			text, n, err := readObjects(rest)
			if err != nil {
				broken++
				break
			}
			b.WriteString(text)
			rest, read = strings.TrimLeft(rest[n:], "\r\n"), true
		}
		if !read {
			b.WriteString(clixmlMark)
			rest = s[len(before)+len(clixmlMark):]
		}
		s = rest
	}
	b.WriteString(s)
	return b.String()
}

// readObjects reads one document and gives its text and its length.
func readObjects(s string) (string, int, error) {
	d := xml.NewDecoder(strings.NewReader(s))
	var b strings.Builder
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return "", 0, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				depth++
				continue
			}
			text, err := readRecord(d, t)
			if err != nil {
				return "", 0, err
			}
			b.WriteString(text)
		case xml.EndElement:
			return b.String(), int(d.InputOffset()), nil
		}
	}
}

// readRecord reads one element of a document; its attribute S names the stream.
func readRecord(d *xml.Decoder, start xml.StartElement) (string, error) {
	var record struct {
		Text     string `xml:",chardata"`
		ToString string `xml:"ToString"`
	}
	if err := d.DecodeElement(&record, &start); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	text := record.Text
	if start.Name.Local != "S" {
		text = record.ToString
	}
	text = unescapeCLIXML(text)
	stream := ""
	for _, a := range start.Attr {
		if a.Name.Local == "S" {
			stream = strings.ToLower(a.Value)
		}
	}
	switch stream {
	case "progress":
		return "", nil
	case "error":
		return text, nil
	case "warning", "verbose", "debug":
		text = strings.ToUpper(stream) + ": " + text
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text, nil
}

// unescapeCLIXML replaces _xHHHH_, which stands for one unit of UTF-16.
func unescapeCLIXML(s string) string {
	var b strings.Builder
	var units []uint16
	flush := func() {
		b.WriteString(string(utf16.Decode(units)))
		units = units[:0]
	}
	for s != "" {
		if unit, ok := escapedUnit(s); ok {
			units = append(units, unit)
			s = s[7:]
			continue
		}
		flush()
		n := strings.Index(s[1:], "_x") + 1
		if n == 0 {
			n = len(s)
		}
		b.WriteString(s[:n])
		s = s[n:]
	}
	flush()
	return b.String()
}

func escapedUnit(s string) (uint16, bool) {
	if len(s) < 7 || s[:2] != "_x" || s[6] != '_' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return uint16(n), err == nil
}

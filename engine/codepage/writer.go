package codepage

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// Writer turns what is written to it, in parts that may end within a character, into UTF-8. A byte that means nothing in
// the code page is passed on as \xE4, so that it is seen. Close writes what is left over; it does not close what is below.
type Writer struct {
	page Page
	to   io.Writer
	rest []byte // the beginning of a character
	odd  []byte // what came from the first byte on that means nothing
}

// NewWriter makes a Writer on to.
func (p Page) NewWriter(to io.Writer) *Writer { return &Writer{page: p, to: to} }

func (w *Writer) Write(b []byte) (int, error) {
	if err := w.write(append(w.rest, b...), false); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Odd is a piece of what was written, from the first byte on that means nothing in the code page; "" when there is none.
func (w *Writer) Odd() string { return string(w.odd) }

// Close writes an unfinished character as its bytes.
func (w *Writer) Close() error { return w.write(w.rest, true) }

func (w *Writer) write(b []byte, last bool) error {
	var out bytes.Buffer
	for len(b) > 0 {
		if n := plain(b); n > 0 {
			out.Write(b[:n])
			b = b[n:]
			continue
		}
		text, n := w.page.character(b)
		if n > len(b) && !last {
			break
		}
		if text == "" {
			if w.odd == nil {
				w.odd = bytes.Clone(b[:min(len(b), 256)])
			}
			text, n = fmt.Sprintf(`\x%02X`, b[0]), 1
		}
		out.WriteString(text)
		b = b[n:]
	}
	w.rest = bytes.Clone(b)
	_, err := w.to.Write(out.Bytes())
	return err
}

// plain is how many bytes are ASCII, which every code page of Windows shares.
func plain(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return len(b)
}

// character reads the character that b begins with and its length; one longer than b is not all there, and "" is none.
func (p Page) character(b []byte) (text string, n int) {
	if p.table == nil {
		if !utf8.FullRune(b) {
			return "", len(b) + 1
		}
		if r, n := utf8.DecodeRune(b); r != utf8.RuneError || n > 1 {
			return string(b[:n]), n
		}
		return "", 1
	}
	for n := 1; n <= 2; n++ {
		if n > len(b) {
			return "", n
		}
		out, err := p.table.NewDecoder().Bytes(b[:n])
		if err == nil && !bytes.ContainsRune(out, utf8.RuneError) {
			return string(out), n
		}
		if !p.wide() {
			break
		}
	}
	return "", 1
}

// wide tells whether characters may have two bytes.
func (p Page) wide() bool {
	return p.number == 932 || p.number == 936 || p.number == 949 || p.number == 950
}

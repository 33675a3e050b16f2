package plan

import (
	"bytes"
	"testing"
)

// FuzzRead: whatever a file holds, reading it ends without a panic; and a plan of ours is written again as the same bytes.
// One of a later minor format may hold more than this dsplay knows, so only what it knows is written again: always the same.
// The input is tried as a file and, because nobody guesses a SHA-256, as the document of one.
func FuzzRead(f *testing.F) {
	data := sample(f)
	_, body, _ := open(data)
	f.Add(data)
	f.Add(body)
	for _, doc := range []string{`{}`, `{"format":"1.0"}`, `{"format":"1.7","later":[{}]}`, `{"format":"01.0"}`, `{"format":"2.0"}`, `null`,
		`{"format":"1.0","items":[{"diff":{"commands":["a"]},"kind":"step"}],"plays":[{"max_failures":0}],"stop":{}}`,
		`{"format":"1.0","variables":[{"value":{ "a" : 1 }}],"hosts":[{"attributes":null}],"made":"2026-01-01T00:00:00+09:00"}`} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, file := range [][]byte{input, wrapped(opening+idOf(input)+middle, input)} {
			d, err := Read(file)
			if err != nil {
				continue
			}
			once, err := d.Encode()
			if err != nil {
				continue // JSON can hold times and values that a plan of ours never has
			}
			if bytes.Equal(file, data) != bytes.Equal(once, data) {
				t.Fatalf("it reads like our plan and is another file, or the other way round:\n%s", file)
			}
			twice := rewritten(t, once) // of what others write empty lists may become none
			if thrice := rewritten(t, twice); !bytes.Equal(twice, thrice) {
				t.Fatalf("written again it is another one:\n%s\n%s", twice, thrice)
			}
		}
	})
}

func rewritten(t *testing.T, file []byte) []byte {
	t.Helper()
	d, err := Read(file)
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, file)
	}
	again, err := d.Encode()
	if err != nil {
		t.Fatalf("what was read cannot be written: %v\n%s", err, file)
	}
	return again
}

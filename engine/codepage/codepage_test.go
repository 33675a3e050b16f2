package codepage_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dsplay/dsplay/engine/codepage"
)

func find(t testing.TB, name string) codepage.Page {
	t.Helper()
	p, err := codepage.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// decode writes in parts of n bytes.
func decode(t testing.TB, p codepage.Page, bytes string, n int) string {
	t.Helper()
	var out strings.Builder
	w := p.NewWriter(&out)
	for len(bytes) > 0 {
		part := bytes[:min(n, len(bytes))]
		bytes = bytes[len(part):]
		if got, err := w.Write([]byte(part)); got != len(part) || err != nil {
			t.Fatal(got, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPages(t *testing.T) {
	for _, test := range []struct{ page, bytes, text string }{
		{"utf-8", "äöü€ 日本 𝒳", "äöü€ 日本 𝒳"},
		{"utf-8", "a\xe4b\xff\xe6\x97", `a\xE4b\xFF\xE6\x97`},
		{"utf-8", "\ufffd stays", "\ufffd stays"},
		{"cp932", "\x83T\x81[\x83r\x83X \xb1\xb2 C:\\x", "サービス ｱｲ C:\\x"},
		{"cp932", "\x8e\xb8\x94s\xfd\x81", `失敗\xFD\x81`},
		{"cp932", "\x81\x20", `\x81 `},
		{"windows-1252", "\xe4\xf6\xfc\x80 \x81", `äöü€ \x81`},
		{"850", "\x84\x94\x81", "äöü"},
		{"cp437", "\x84\x94\x81", "äöü"},
		{"cp866", "\x8f\xe0", "Пр"},
		{"gbk", "\xd6\xd0\xce\xc4", "中文"},
		{"cp949", "\xc7\xd1", "한"},
		{"big5", "\xa4\xa4", "中"},
	} {
		for n := 1; n <= len(test.bytes); n++ {
			if got := decode(t, find(t, test.page), test.bytes, n); got != test.text {
				t.Errorf("%s in parts of %d: %q, want %q", test.page, n, got, test.text)
			}
		}
	}
}

func TestEncode(t *testing.T) {
	for _, test := range []struct{ page, text, bytes string }{
		{"", "日本", "日本"}, {"cp932", "サービス", "\x83T\x81[\x83r\x83X"}, {"cp1252", "ä€", "\xe4\x80"}, {"cp850", "ä", "\x84"},
	} {
		if got, err := find(t, test.page).Encode(test.text); got != test.bytes || err != nil {
			t.Errorf("%s: %q, %v", test.page, got, err)
		}
	}
	if got, err := find(t, "cp1252").Encode("a日"); err == nil || !strings.Contains(err.Error(), "日") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNames(t *testing.T) {
	for name, number := range map[string]int{"": 65001, "UTF-8": 65001, "cp932": 932, "CP932": 932, "Shift_JIS": 932, "windows-31j": 932, "ibm850": 850, "1252": 1252} {
		if got := find(t, name).Number(); got != number {
			t.Errorf("%s: %d", name, got)
		}
	}
	for _, name := range []string{"latin", "cp1", "utf-16", "-932"} {
		if p, err := codepage.Find(name); err == nil {
			t.Errorf("%s: %v", name, p)
		}
	}
	if a, b := find(t, "utf8").String(), find(t, "932").String(); a != "utf-8" || b != "cp932" {
		t.Error(a, b)
	}
}

func TestGuess(t *testing.T) {
	for text, want := range map[string]string{"plain": "", "äöü 日本": "", "\x83T\x81[\x83r\x83X": "cp932", "f\xfcr": "cp1252", "\x84\x94\x81": "cp1252"} {
		if got := codepage.Guess(text); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// Whatever comes, the outcome is UTF-8, and how it was cut does not matter.
func FuzzWriter(f *testing.F) {
	f.Add("cp932", "\x83T\x81[\xff", 1)
	f.Add("utf-8", "\xe6\x97a", 2)
	f.Fuzz(func(t *testing.T, name, bytes string, n int) {
		p, err := codepage.Find(name)
		if err != nil || n < 1 || len(bytes) > 1000 {
			t.Skip("no code page")
		}
		whole := decode(t, p, bytes, len(bytes)+1)
		if got := decode(t, p, bytes, n); got != whole || !utf8.ValidString(whole) {
			t.Errorf("%q: %q and %q", bytes, got, whole)
		}
	})
}

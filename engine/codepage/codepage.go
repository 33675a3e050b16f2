// Package codepage knows the code pages of Windows: what the bytes of a program mean that does not write UTF-8, and how
// to write for one that does not read it.
package codepage

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Page is a code page. The zero value is UTF-8.
type Page struct {
	number int // 0: UTF-8
	table  encoding.Encoding
}

// tables are what a Windows of some language has as its OEM or ANSI code page:
// https://learn.microsoft.com/windows/win32/intl/code-page-identifiers
func tables() map[int]encoding.Encoding {
	return map[int]encoding.Encoding{
		437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 855: charmap.CodePage855, 858: charmap.CodePage858,
		860: charmap.CodePage860, 862: charmap.CodePage862, 863: charmap.CodePage863, 865: charmap.CodePage865, 866: charmap.CodePage866,
		874: charmap.Windows874, 932: japanese.ShiftJIS, 936: simplifiedchinese.GBK, 949: korean.EUCKR, 950: traditionalchinese.Big5,
		1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252, 1253: charmap.Windows1253, 1254: charmap.Windows1254,
		1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257, 1258: charmap.Windows1258,
	}
}

// Find reads a name as people write it: "utf-8" or nothing, "cp932", "windows-1252", "ibm850", "932", "shift_jis".
func Find(name string) (Page, error) {
	plain := strings.ToLower(strings.TrimSpace(name))
	switch plain {
	case "", "utf-8", "utf8", "cp65001", "65001":
		return Page{}, nil
	case "shift_jis", "shift-jis", "sjis", "windows-31j", "ms932":
		plain = "932"
	case "gbk", "gb2312":
		plain = "936"
	case "euc-kr":
		plain = "949"
	case "big5":
		plain = "950"
	}
	for _, prefix := range []string{"cp", "windows-", "windows", "ibm"} {
		plain = strings.TrimPrefix(plain, prefix)
	}
	number, err := strconv.Atoi(plain)
	table := tables()[number]
	if err != nil || table == nil {
		return Page{}, fmt.Errorf("%q is no code page that is known: utf-8, cp932, cp1252, cp850, cp437 and their like are", name)
	}
	return Page{number, table}, nil
}

// Number is Windows' number of the code page; 65001 is UTF-8.
func (p Page) Number() int {
	if p.number == 0 {
		return 65001
	}
	return p.number
}

func (p Page) String() string {
	if p.number == 0 {
		return "utf-8"
	}
	return "cp" + strconv.Itoa(p.number)
}

// Encode writes a text in the code page. A character that it does not have is an error: replaced, it would be another text.
func (p Page) Encode(text string) (string, error) {
	if p.table == nil {
		return text, nil
	}
	out, err := p.table.NewEncoder().String(text)
	if err == nil {
		return out, nil
	}
	for _, r := range text {
		if _, err := p.table.NewEncoder().String(string(r)); err != nil {
			return "", fmt.Errorf("the code page %d of the host has no %q", p.number, r)
		}
	}
	return "", err
}

// Guess names the code page in which text that is not UTF-8 may be written; "" when it is UTF-8. It tells Japanese from
// the rest; which of the Western pages it is cannot be seen.
func Guess(text string) string {
	if utf8.ValidString(text) {
		return ""
	}
	out, err := japanese.ShiftJIS.NewDecoder().String(text)
	wide := 0
	for i, r := range out {
		switch {
		case r == utf8.RuneError && i+utf8.UTFMax > len(out): // text may end within a character
		case r == utf8.RuneError:
			return "cp1252"
		case r >= 0x3000 && r < 0xa000: // punctuation, kana, kanji
			wide++
		}
	}
	if err != nil || wide == 0 {
		return "cp1252"
	}
	return "cp932"
}

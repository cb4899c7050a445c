package table

import (
	"io"
	"unicode/utf8"
)

// delimiters are what separates columns, in the order in which they win a draw.
var delimiters = []byte{',', ';', '\t', '|'}

// GuessDelimiter returns the delimiter that the header uses most, outside of
// quotation marks.
func GuessDelimiter(sample []byte) byte {
	counts := map[byte]int{}
	inside := false
header:
	for _, c := range sample {
		switch {
		case c == '"':
			inside = !inside
		case inside:
		case c == '\n':
			break header
		default:
			counts[c]++
		}
	}
	best := delimiters[0]
	for _, d := range delimiters {
		if counts[d] > counts[best] {
			best = d
		}
	}
	return best
}

// Encoding is how the letters of a file are written.
type Encoding string

// The encodings of letters. UTF-16 is told by its mark or its zero bytes and turned
// into UTF-8 where the file is opened.
const (
	UTF8        Encoding = "utf-8"
	Windows1252 Encoding = "windows-1252" // what Excel writes in Western Europe as plain “CSV”
)

// high are the characters of the bytes 0x80 to 0x9f in windows-1252; the five that
// stand for nothing are zero. From 0xa0 on it agrees with Unicode.
var high = [32]rune{
	'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
}

// fromWindows returns a text of windows-1252 as UTF-8, and false if a byte of it
// stands for nothing.
func fromWindows(b []byte) ([]byte, bool) {
	out := make([]byte, 0, len(b)+16)
	for _, c := range b {
		r := rune(c)
		if c >= 0x80 && c < 0xa0 {
			if r = high[c-0x80]; r == 0 {
				return nil, false
			}
		}
		out = append(out, string(r)...)
	}
	return out, true
}

// FromWindows returns a reader of a text of windows-1252 as UTF-8. A byte that stands
// for nothing becomes the control character of its number, as browsers read it.
func FromWindows(r io.Reader) io.Reader { return &windowsReader{r: r} }

type windowsReader struct {
	r    io.Reader
	buf  [4 << 10]byte
	rest []byte // of what was turned
	err  error
}

func (w *windowsReader) Read(p []byte) (int, error) {
	for len(w.rest) == 0 {
		if w.err != nil {
			return 0, w.err
		}
		var n int
		n, w.err = w.r.Read(w.buf[:])
		w.rest = make([]byte, 0, n+n/4)
		for _, c := range w.buf[:n] {
			r := rune(c)
			if c >= 0x80 && c < 0xa0 && high[c-0x80] != 0 {
				r = high[c-0x80]
			}
			w.rest = utf8.AppendRune(w.rest, r)
		}
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

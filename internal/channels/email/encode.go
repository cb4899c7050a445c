package email

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"rapport/internal/channels/mail"
)

// Line lengths. RFC 5322 §2.1.1 forbids more than 998 octets and asks for 78;
// quoted-printable, base64 and encoded words forbid more than 76.
const (
	softLine = 76
	hardLine = 990 // a little under 998, for servers that count the line's end
)

// appendMailbox appends a display name and an address in angle brackets. Column
// is where the line has got to.
func appendMailbox(b []byte, column int, name string, a mail.Address) []byte {
	name = mail.Flatten(name)
	if name == "" {
		b = append(b, a.Local...)
		b = append(b, '@')
		return append(b, a.Domain...)
	}
	start := len(b)
	if mail.ASCII(name) && !strings.Contains(name, "=?") {
		b = append(b, '"')
		for i := 0; i < len(name); i++ {
			if name[i] == '"' || name[i] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, name[i])
		}
		b = append(b, '"')
	} else {
		b = appendWords(b, column, name)
	}
	used := len(b) - start
	if i := bytes.LastIndexByte(b[start:], '\n'); i >= 0 {
		used, column = len(b)-start-i, 0
	}
	if column+used+len(a.Local)+len(a.Domain)+4 > softLine {
		b = append(b, "\r\n"...)
	}
	b = append(b, " <"...)
	b = append(b, a.Local...)
	b = append(b, '@')
	b = append(b, a.Domain...)
	return append(b, '>')
}

// appendText appends unstructured text (a subject), encoded if it must be. The
// text has been flattened.
func appendText(b []byte, column int, s string) []byte {
	if !mail.ASCII(s) || strings.Contains(s, "=?") || longWord(s) {
		return appendWords(b, column, s)
	}
	return appendFolded(b, column, s)
}

// longWord reports whether s has a word that no fold can bring under a line.
func longWord(s string) bool {
	n := 0
	for i := 0; i < len(s); i++ {
		if n++; s[i] == ' ' {
			n = 0
		}
		if n > 400 {
			return true
		}
	}
	return false
}

// appendFolded appends printable ASCII and folds it at spaces near the soft
// length. Unfolding (removing CRLF before a space) gives s again.
func appendFolded(b []byte, column int, s string) []byte {
	for {
		if column+len(s) <= softLine {
			return append(b, s...)
		}
		// The last space that keeps the line short; else the first there is.
		cut := -1
		if most := softLine - column; most > 1 {
			cut = strings.LastIndexByte(s[:min(most, len(s))], ' ')
		}
		if cut <= 0 {
			i := strings.IndexByte(s[1:], ' ')
			if i < 0 {
				return append(b, s...)
			}
			cut = i + 1
		}
		if strings.Trim(s[cut:], " ") == "" {
			return append(b, s...) // a line of spaces alone is not allowed
		}
		b = append(b, s[:cut]...)
		b = append(b, "\r\n"...)
		s, column = s[cut:], 0
	}
}

// wordBytes is how many bytes of text one base64 encoded word holds: 75 octets
// less "=?utf-8?b?" and "?=", in groups of three bytes for four letters.
const wordBytes = (75 - 12) / 4 * 3

// appendWords appends text as RFC 2047 encoded words of base64, one to a line,
// each of whole characters.
func appendWords(b []byte, column int, s string) []byte {
	room := min(wordBytes, (softLine-column-12)/4*3)
	for s != "" {
		n := min(room, len(s))
		for n < len(s) && n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		b = append(b, "=?utf-8?b?"...)
		b = base64.StdEncoding.AppendEncode(b, []byte(s[:n]))
		b = append(b, "?="...)
		if s = s[n:]; s != "" {
			b = append(b, "\r\n "...)
		}
		room = wordBytes - 3 // the space that begins the line
	}
	return b
}

// appendPart appends the headers and the body of one part of text. With a
// boundary the body must not contain what could be taken for it.
func appendPart(b []byte, mediaType, s, boundary string) []byte {
	b = append(b, "Content-Type: "...)
	b = append(b, mediaType...)
	b = append(b, "; charset=utf-8\r\nContent-Transfer-Encoding: "...)
	switch pick(s, boundary) {
	case plain:
		b = append(b, "7bit\r\n\r\n"...)
		return appendPlain(b, s)
	case quoted:
		b = append(b, "quoted-printable\r\n\r\n"...)
		return appendQuoted(b, s)
	}
	b = append(b, "base64\r\n\r\n"...)
	return appendBase64(b, s)
}

type encoding uint8

const (
	plain encoding = iota
	quoted
	inBase64
)

// high marks the octets that cannot travel as they are.
var high = func() (t [256]uint8) {
	for c := range t {
		if c >= utf8.RuneSelf || c < ' ' && c != '\r' && c != '\n' && c != '\t' || c == 0x7f {
			t[c] = 1
		}
	}
	return t
}()

// pick chooses the smallest encoding that carries s unharmed.
func pick(s, boundary string) encoding {
	n := 0
	for i := 0; i < len(s); i++ {
		n += int(high[s[i]])
	}
	switch {
	case n*6 > len(s): // quoted-printable costs 2 octets for each, base64 a third of everything
		return inBase64
	case n > 0 || longLine(s) || boundary != "" && strings.Contains(s, "--"+boundary):
		return quoted
	}
	return plain
}

// longLine reports whether a line of s is longer than hardLine.
func longLine(s string) bool {
	for len(s) > hardLine {
		i := strings.LastIndexByte(s[:hardLine+1], '\n')
		if i < 0 {
			return true
		}
		s = s[i+1:]
	}
	return false
}

// appendPlain appends ASCII with every kind of line end made CRLF.
func appendPlain(b []byte, s string) []byte {
	for s != "" {
		line, rest, ended := strings.Cut(s, "\n")
		line = strings.TrimSuffix(line, "\r")
		for {
			i := strings.IndexByte(line, '\r')
			if i < 0 {
				break
			}
			b = append(append(b, line[:i]...), "\r\n"...)
			line = line[i+1:]
		}
		b = append(b, line...)
		if ended {
			b = append(b, "\r\n"...)
		} else if s[len(s)-1] == '\r' {
			b = append(b, "\r\n"...)
		}
		s = rest
	}
	return b
}

const hexDigits = "0123456789ABCDEF"

// literal holds the octets that quoted-printable leaves as they are. Space and
// tab are among them, but may not end a line.
var literal = func() (t [256]bool) {
	for c := ' '; c <= '~'; c++ {
		t[c] = c != '='
	}
	t['\t'] = true
	return t
}()

// appendQuoted appends s in quoted-printable (RFC 2045 §6.7). A dot at the start
// of a line is encoded, so that no server has to stuff it.
func appendQuoted(b []byte, s string) []byte {
	const room = softLine - 1 // the last column is kept for the "=" of a soft break
	column := 0
	for i := 0; i < len(s); {
		j, end := i, min(len(s), i+room-column)
		if column > 0 || s[i] != '.' {
			for j < end && literal[s[j]] {
				j++
			}
			for j > i && endsLine(s, j) && (s[j-1] == ' ' || s[j-1] == '\t') {
				j--
			}
			b = append(b, s[i:j]...)
			column += j - i
			if i = j; i == len(s) {
				break
			}
		}
		switch c := s[i]; {
		case c == '\r' || c == '\n':
			if i++; c == '\r' && i < len(s) && s[i] == '\n' {
				i++
			}
			b = append(b, "\r\n"...)
			column = 0
		case column+3 > room || literal[c] && column == room:
			b = append(b, "=\r\n"...)
			column = 0
		default:
			b = append(b, '=', hexDigits[c>>4], hexDigits[c&15])
			column += 3
			i++
		}
	}
	return b
}

// endsLine reports whether a line of s ends before s[i].
func endsLine(s string, i int) bool { return i == len(s) || s[i] == '\r' || s[i] == '\n' }

// appendBase64 appends s in base64 in lines of 76, with its line ends made CRLF
// first, as MIME wants of text.
func appendBase64(b []byte, s string) []byte {
	if strings.ContainsAny(s, "\r\n") {
		s = string(appendPlain(nil, s))
	}
	const raw = softLine / 4 * 3
	for len(s) > raw {
		b = base64.StdEncoding.AppendEncode(b, []byte(s[:raw]))
		b = append(b, "\r\n"...)
		s = s[raw:]
	}
	return base64.StdEncoding.AppendEncode(b, []byte(s))
}

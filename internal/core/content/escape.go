package content

import (
	"html"
	"strings"
	"unicode/utf8"

	"rapport/internal/fault"
)

// mode is how an output is escaped.
type mode uint8

const (
	rawMode     mode = iota // not HTML: as it is
	textMode                // between tags, in comments and titles
	attrMode                // in a quoted attribute
	commentMode             // in a comment, which only "-->" could end
	urlMode                 // begins an address: must be one that may be followed
	urlTail                 // goes on behind an address that a variable began
	urlPart                 // inside an address whose host is fixed
	styleMode               // in a style: only harmless words and numbers
)

// outlookBit is added to a mode in a conditional comment, where no dash is
// written that could help to end it.
const outlookBit mode = 1 << 7

// show writes a value as the place demands.
func (r *run) show(v any, m mode) {
	if r.err != nil || v == nil {
		return
	}
	if m&outlookBit != 0 {
		r.showOutlook(v, m&^outlookBit)
		return
	}
	if g, lacking := v.(gap); lacking {
		r.mark(g, m)
		return
	}
	if h, ok := v.(safe); ok && m == textMode {
		r.write(string(h))
		return
	}
	s := r.text(v)
	if len(s) > r.room {
		r.fail(fault.TooLarge, "the message becomes too long")
		return
	}
	switch m {
	case rawMode:
		r.write(cleanText(s))
	case textMode, attrMode:
		r.writeEscaped(s)
	case commentMode:
		r.writeEscaped(strings.ReplaceAll(s, "-", " "))
	case urlMode:
		address, why := checkAddress(s)
		if why != "" {
			r.fail(fault.Invalid, "%s may not be a link: %s", quote(s), why)
			return
		}
		r.writeEscaped(percent(address))
	case urlTail:
		if s != "" && strings.IndexByte("/?#&", s[0]) < 0 {
			r.fail(fault.Invalid, "%s would change where the link before it leads; begin it with / or ?", quote(s))
			return
		}
		r.writeEscaped(percent(s))
	case urlPart:
		r.writeEscaped(percent(s))
	case styleMode:
		for i := 0; i < len(s); i++ {
			if c := s[i]; !letter(c) && !digit(c) && strings.IndexByte(" #.,%-+", c) < 0 {
				r.fail(fault.Invalid, "%s may not stand in a style: only words, numbers and colours may", quote(s))
				return
			}
		}
		r.write(s)
	}
}

// showOutlook writes a value in a conditional comment: as show does, but with its
// dashes as character references where they are understood, and not at all where
// they are not.
func (r *run) showOutlook(v any, m mode) {
	from := len(r.out)
	r.show(v, m)
	if r.err != nil {
		return
	}
	s := string(r.out[from:])
	if strings.IndexByte(s, '-') < 0 {
		return
	}
	if _, captured := v.(safe); captured && m == textMode || m == styleMode {
		if s[0] == '-' || s[len(s)-1] == '-' || strings.Contains(s, "--") {
			r.fail(fault.Invalid, "two dashes may not stand in a conditional comment")
		}
		return
	}
	r.room += len(s)
	r.out = r.out[:from]
	r.write(strings.ReplaceAll(s, "-", "&#45;"))
}

// writeEscaped writes s escaped for HTML. It goes piece by piece, so that the
// output's limit is met before the memory is used.
func (r *run) writeEscaped(s string) {
	const piece = 4096
	for len(s) > piece {
		n := piece
		for n > piece-utf8.UTFMax && !utf8.RuneStart(s[n]) {
			n--
		}
		r.write(string(appendHTML(nil, s[:n])))
		if s = s[n:]; r.err != nil {
			return
		}
	}
	if !strings.ContainsAny(s, special) && utf8.ValidString(s) {
		r.write(s)
		return
	}
	r.write(string(appendHTML(nil, s)))
}

// special are the bytes that writeEscaped must look at one by one.
const special = "&<>\"'`\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"

// appendHTML appends s escaped for text and for attributes in either quote.
// Control characters are dropped and what is no text is replaced.
func appendHTML(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += n
			continue
		}
		switch c {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '"':
			b = append(b, "&quot;"...)
		case '\'':
			b = append(b, "&#39;"...)
		case '`':
			b = append(b, "&#96;"...)
		default:
			if c >= ' ' && c != 0x7f || c == '\n' || c == '\t' || c == '\r' {
				b = append(b, c)
			}
		}
		i++
	}
	return b
}

// appendHTMLOnce is appendHTML that leaves what is escaped already.
func appendHTMLOnce(b []byte, s string) []byte {
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			return appendHTML(b, s)
		}
		b = appendHTML(b, s[:i])
		if n := entity(s[i:]); n > 0 {
			b = append(b, s[i:i+n]...)
			s = s[i+n:]
			continue
		}
		b = append(b, "&amp;"...)
		s = s[i+1:]
	}
}

// entity returns the length of the character reference that s begins with; 0 if
// it begins with none.
func entity(s string) int {
	i := 1
	if i < len(s) && s[i] == '#' {
		for i++; i < len(s) && digit(s[i]); i++ {
		}
	} else {
		for i < len(s) && letter(s[i]) && s[i] != '_' {
			i++
		}
	}
	if i > 1 && s[i-1] != '#' && i < len(s) && s[i] == ';' {
		return i + 1
	}
	return 0
}

// cleanText drops control characters other than line ends and tabs, and replaces
// what is no text.
func cleanText(s string) string {
	ok := utf8.ValidString(s)
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		ok = c >= ' ' && c != 0x7f || c == '\n' || c == '\t' || c == '\r'
	}
	if ok {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// plainOf returns captured HTML as plain text: its character references are
// resolved, its tags are letters like any others.
func plainOf(h safe) string { return html.UnescapeString(string(h)) }

// schemes are what links in mails may be, and whether an authority follows.
var schemes = [...]struct {
	name      string
	authority bool
}{{"https:", true}, {"http:", true}, {"mailto:", false}, {"tel:", false}}

// checkAddress returns the address without white space around it, and why it may
// not be followed; empty if it may.
func checkAddress(s string) (address, why string) {
	s = strings.Trim(s, " \t\r\n")
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f || s[i] == '\\' {
			return "", "it contains a control character or a backslash"
		}
	}
	for _, scheme := range schemes {
		if len(s) <= len(scheme.name) || !strings.EqualFold(s[:len(scheme.name)], scheme.name) {
			continue
		}
		if !scheme.authority {
			return s, ""
		}
		rest := s[len(scheme.name):]
		if !strings.HasPrefix(rest, "//") || len(rest) < 3 || strings.IndexByte("/?#", rest[2]) >= 0 {
			return "", "its host is missing"
		}
		host := rest[2:]
		if end := strings.IndexAny(host, "/?#"); end >= 0 {
			host = host[:end]
		}
		if strings.IndexByte(host, '@') >= 0 {
			return "", "it contains a user name"
		}
		return s, ""
	}
	return "", "it must begin with https://, http://, mailto: or tel:"
}

// percent encodes what may not stand in an address, and leaves what is encoded
// already.
func percent(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = !unfit(s[i])
	}
	if clean {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+32)
	for i := 0; i < len(s); i++ {
		if c := s[i]; unfit(c) {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

func unfit(c byte) bool {
	return c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}'", c) >= 0
}

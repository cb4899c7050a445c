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
	r.showText(r.text(v), m)
}

// showText is show for text.
func (r *run) showText(s string, m mode) {
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
		if ordinary(s) {
			r.write(s)
			return
		}
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
			if !harmless[s[i]] {
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
	for r.err == nil && s != "" {
		n := len(s)
		if n > piece {
			for n = piece; n > piece-utf8.UTFMax && !utf8.RuneStart(s[n]); n-- {
			}
		}
		from := len(r.out)
		r.out = appendHTML(r.out, s[:n])
		if n := len(r.out) - from; n > r.room {
			r.out = r.out[:from]
			r.fail(fault.TooLarge, "the message becomes too long")
		} else {
			r.room -= n
		}
		s = s[n:]
	}
}

// plain are the bytes that HTML takes as they are.
var plain = table(func(c byte) bool {
	return (c >= ' ' && c < 0x7f || c == '\n' || c == '\t' || c == '\r') && strings.IndexByte("&<>\"'`", c) < 0
})

// table answers a question about each byte.
func table(is func(byte) bool) (t [256]bool) {
	for c := range t {
		t[c] = is(byte(c))
	}
	return t
}

// appendHTML appends s escaped for text and for attributes in either quote.
// Control characters are dropped and what is no text is replaced.
func appendHTML(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		from := i
		for i < len(s) && plain[s[i]] {
			i++
		}
		if b = append(b, s[from:i]...); i == len(s) {
			break
		}
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
	i := 0
	for i < len(s) && (plain[s[i]] || s[i] < 0x80 && s[i] > ' ' && s[i] != 0x7f) {
		i++
	}
	ok := i == len(s) || utf8.ValidString(s)
	for ; ok && i < len(s); i++ {
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
	if s != "" && (space(s[0]) || space(s[len(s)-1])) {
		s = strings.Trim(s, " \t\r\n")
	}
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
		for i := 2; i < len(rest) && strings.IndexByte("/?#", rest[i]) < 0; i++ {
			if rest[i] == '@' {
				return "", "it contains a user name"
			}
		}
		return s, ""
	}
	return "", "it must begin with https://, http://, mailto: or tel:"
}

// ordinary reports whether s is what nearly all addresses are: https, a host, and
// nothing that would have to be checked or escaped. It saves three looks at each.
func ordinary(s string) bool {
	const scheme = "https://"
	if len(s) <= len(scheme) || s[:len(scheme)] != scheme || !letter(s[len(scheme)]) && !digit(s[len(scheme)]) {
		return false
	}
	for i := len(scheme); i < len(s); i++ {
		if !usual[s[i]] {
			return false
		}
	}
	return true
}

// usual are the bytes of ordinary addresses.
var usual = table(func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte("-.~/?#=%:+,", c) >= 0 })

// percent encodes what may not stand in an address, and leaves what is encoded
// already.
func percent(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = !unfit[s[i]]
	}
	if clean {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+32)
	for i := 0; i < len(s); i++ {
		if c := s[i]; unfit[c] {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

// unfit are the bytes that may not stand in an address.
var unfit = table(func(c byte) bool { return c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}'", c) >= 0 })

// harmless are the bytes that a value in a style may have.
var harmless = table(func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte(" #.,%-+", c) >= 0 })

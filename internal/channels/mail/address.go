package mail

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"rapport/internal/fault"
)

// The lengths of RFC 5321 §4.5.3.1 and RFC 1035 §2.3.4, in octets.
const (
	maxLocal   = 64
	maxDomain  = 255
	maxLabel   = 63
	maxAddress = 254 // a path is at most 256 with its angle brackets (RFC 3696 erratum 1690)
)

// maxInput bounds what is looked at: an address in Unicode is at most four bytes
// for each octet of its ASCII form.
const maxInput = 4 * (maxLocal + 1 + maxDomain)

// Address is a checked e-mail address. The zero Address is none.
type Address struct {
	Local  string // before the @, as written: its case belongs to its owner
	Domain string // after the @, lower case, in A-labels ("xn--…") if it is not ASCII
}

// String returns the address as it stands in RCPT TO; empty for the zero Address.
func (a Address) String() string {
	if a == (Address{}) {
		return ""
	}
	return a.Local + "@" + a.Domain
}

// domains maps an internationalised domain to A-labels by the rules for
// look-ups (UTS 46), and refuses what DNS cannot hold.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.Transitional(false))

// ParseAddress reads one address: a dot-atom, an @ and a domain of at least two
// labels. That is the part of RFC 5321's Mailbox that people have. It refuses
// quoted local parts, comments, address literals, display names, spaces and
// control characters, rather than repair them: a repaired address is somebody
// else's. Letters outside ASCII are taken in the domain, which becomes A-labels,
// and refused before the @, where most servers could not deliver them.
// An error is Invalid and says what is wrong.
func ParseAddress(s string) (Address, error) {
	bad := func(why string) (Address, error) {
		return Address{}, fault.New(fault.Invalid, "not an e-mail address: "+quote(s)+" ("+why+")")
	}
	if s == "" {
		return bad("it is empty")
	}
	if len(s) > maxInput {
		return bad("it is too long")
	}
	if !utf8.ValidString(s) {
		return bad("it is not text")
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return bad("it contains a space or a control character")
		}
	}
	at := strings.IndexByte(s, '@')
	if at < 0 {
		return bad("there is no @ in it")
	}
	local, domain := s[:at], s[at+1:]
	if strings.IndexByte(domain, '@') >= 0 {
		return bad("there are two @ in it")
	}
	if why := checkLocal(local); why != "" {
		return bad(why)
	}
	domain, why := asciiDomain(domain)
	if why != "" {
		return bad(why)
	}
	if len(local)+1+len(domain) > maxAddress {
		return bad("it is longer than " + strconv.Itoa(maxAddress) + " characters")
	}
	return Address{Local: local, Domain: domain}, nil
}

// checkLocal returns what is wrong with a local part; empty if nothing is.
func checkLocal(s string) string {
	switch {
	case s == "":
		return "there is nothing before the @"
	case s[0] == '"':
		return "a quoted part before the @ is not taken"
	case len(s) > maxLocal:
		return "the part before the @ is longer than " + strconv.Itoa(maxLocal) + " characters"
	case s[0] == '.' || s[len(s)-1] == '.':
		return "the part before the @ begins or ends with a dot"
	case strings.Contains(s, ".."):
		return "two dots in a row stand before the @"
	}
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return "the part before the @ has letters outside a–z, which most mail servers cannot deliver"
		}
		if !atext[s[i]] {
			return "the character " + strconv.QuoteRune(rune(s[i])) + " may not stand before the @"
		}
	}
	return ""
}

// asciiDomain returns the domain in A-labels, or what is wrong with it.
func asciiDomain(s string) (domain, why string) {
	if s == "" {
		return "", "there is nothing after the @"
	}
	if s[0] == '[' {
		return "", "an IP address after the @ is not taken"
	}
	lower := strings.ToLower(s)
	if !ASCII(s) || strings.Contains(lower, "xn--") {
		mapped, err := domains.ToASCII(s)
		if err != nil {
			return "", "the domain is not a name that can exist"
		}
		lower = mapped
	}
	if len(lower) > maxDomain {
		return "", "the domain is longer than " + strconv.Itoa(maxDomain) + " characters"
	}
	labels := 0
	last := ""
	for rest, more := lower, true; more; labels++ {
		last, rest, more = strings.Cut(rest, ".")
		switch {
		case last == "":
			return "", "the domain has an empty part: two dots in a row, or one at an end"
		case len(last) > maxLabel:
			return "", "a part of the domain is longer than " + strconv.Itoa(maxLabel) + " characters"
		case last[0] == '-' || last[len(last)-1] == '-':
			return "", "a part of the domain begins or ends with a hyphen"
		}
		for i := 0; i < len(last); i++ {
			if c := last[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return "", "the character " + strconv.QuoteRune(rune(c)) + " may not stand in a domain"
			}
		}
	}
	if labels < 2 {
		return "", "the domain has only one part"
	}
	if strings.Trim(last, "0123456789") == "" {
		return "", "the domain ends in a number"
	}
	return lower, ""
}

// atext holds RFC 5322's atext: what a dot-atom is made of, and the dot.
var atext = func() (t [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.") {
		t[c] = true
	}
	return t
}()

// ASCII reports whether s has no byte above 127.
func ASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// quote shows a stranger's text in an error: quoted, and not more than a line.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		s = s[:most]
	}
	return strconv.QuoteToASCII(s)
}

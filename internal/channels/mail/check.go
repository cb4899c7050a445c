// Package mail says what an e-mail is before anybody carries it: the grammar of
// addresses, and what a message must have and must not have.
//
// Every adapter that carries e-mail asks it, the one that speaks SMTP and those
// that speak to a provider, so that no provider is the one that lets marketing
// leave without a way out or a line break become a header. It composes nothing:
// how a message looks on the wire is each adapter's own.
package mail

import (
	"net/url"
	"strings"

	"rapport/internal/channels"
	"rapport/internal/fault"
)

// MaxPart is the largest text or HTML part in bytes. Large mailbox providers cut
// a message off near 100 kB; one twenty times as long is a mistake.
const MaxPart = 2 << 20

// Limits on headers. RFC 5322 allows a line 998 octets; no honest header of ours
// comes near these.
const (
	maxSubject = 900 // bytes of the subject before encoding
	maxName    = 200 // bytes of a display name before encoding
	maxHeaders = 32
	maxValue   = 900 // bytes of an extra header's value
)

// Envelope is how a checked message is addressed.
type Envelope struct {
	From    Address // whom the person sees
	To      Address
	ReplyTo Address // zero: answers go to From
	Bounce  Address // where a failure is reported; From's if the message names none
	ID      string  // Message-ID with its angle brackets
}

// Check reads the addresses of a message and says whether it may be carried.
//
// It refuses, with a fault of kind Invalid that says what is wrong: a bad
// address; an id that is none; a message without text; a NUL in a part; a part
// above [MaxPart]; an extra header that is malformed or that whoever composes
// the message writes; and marketing without List-Unsubscribe holding one HTTPS
// link and List-Unsubscribe-Post (RFC 8058), because nobody may get a message
// that they cannot stop. Plain HTTP is taken for this machine only.
func Check(m *channels.Message) (Envelope, error) {
	if !channels.ValidDelivery(m.Delivery) {
		return Envelope{}, fault.New(fault.Invalid, "a delivery id is 32 hex digits, not "+quote(m.Delivery))
	}
	var e Envelope
	var err error
	if e.To, err = ParseAddress(m.To.Address); err != nil {
		return Envelope{}, fault.Wrap(fault.Invalid, err, "To")
	}
	if e.From, err = ParseAddress(m.From.Address); err != nil {
		return Envelope{}, fault.Wrap(fault.Invalid, err, "From")
	}
	if m.ReplyTo.Address != "" {
		if e.ReplyTo, err = ParseAddress(m.ReplyTo.Address); err != nil {
			return Envelope{}, fault.Wrap(fault.Invalid, err, "Reply-To")
		}
	}
	e.Bounce = e.From
	if m.Bounce != "" {
		if e.Bounce, err = ParseAddress(m.Bounce); err != nil {
			return Envelope{}, fault.Wrap(fault.Invalid, err, "the address for bounces")
		}
	}
	if e.ID = m.MessageID; e.ID == "" {
		e.ID = "<" + m.Delivery + "@" + e.From.Domain + ">"
	} else if !validID(e.ID) {
		return Envelope{}, fault.New(fault.Invalid, "a Message-ID is <left@right> without spaces, not "+quote(e.ID))
	}
	if err := checkHeaders(m); err != nil {
		return Envelope{}, err
	}
	switch {
	case m.Date <= 0:
		return Envelope{}, fault.New(fault.Invalid, "the message has no date")
	case len(m.Subject) > maxSubject:
		return Envelope{}, fault.New(fault.Invalid, "the subject is too long")
	case len(m.From.Name) > maxName || len(m.To.Name) > maxName || len(m.ReplyTo.Name) > maxName:
		return Envelope{}, fault.New(fault.Invalid, "a name is too long")
	case m.HTML == "" && m.Text == "":
		return Envelope{}, fault.New(fault.Invalid, "the message has neither HTML nor text")
	case len(m.HTML) > MaxPart || len(m.Text) > MaxPart:
		return Envelope{}, fault.New(fault.TooLarge, "a part of the message is larger than 2 MB")
	case strings.IndexByte(m.HTML, 0) >= 0 || strings.IndexByte(m.Text, 0) >= 0:
		return Envelope{}, fault.New(fault.Invalid, "the message contains a NUL character")
	}
	return e, nil
}

// Refused is the outcome of a message that Check refused: rejected before a byte
// of it leaves, and hard if it is the person's address that is none.
func Refused(m *channels.Message, err error) channels.Outcome {
	o := channels.Outcome{State: channels.Rejected, Detail: channels.Clip(err.Error())}
	if _, bad := ParseAddress(m.To.Address); bad != nil {
		o.Hard, o.Enhanced = true, "5.1.3" // bad destination mailbox address syntax
	}
	return o
}

// validID reports whether s is an RFC 5322 msg-id of dot-atoms in angle brackets.
func validID(s string) bool {
	if len(s) < 5 || len(s) > 250 || s[0] != '<' || s[len(s)-1] != '>' {
		return false
	}
	left, right, ok := strings.Cut(s[1:len(s)-1], "@")
	if !ok || left == "" || right == "" {
		return false
	}
	for i := 0; i < len(left); i++ {
		if !atext[left[i]] {
			return false
		}
	}
	for i := 0; i < len(right); i++ {
		if !atext[right[i]] {
			return false
		}
	}
	return true
}

// ours are the headers that the composer or the servers on the way write. A second
// one would be ambiguous: readers differ in which of two they believe.
var ours = map[string]bool{
	"date": true, "from": true, "sender": true, "to": true, "cc": true, "bcc": true, "reply-to": true, "subject": true, "message-id": true,
	"mime-version": true, "return-path": true, "received": true, "dkim-signature": true, "authentication-results": true,
}

// checkHeaders checks the extra headers and that marketing can be stopped.
func checkHeaders(m *channels.Message) error {
	if len(m.Headers) > maxHeaders {
		return fault.New(fault.Invalid, "the message has too many extra headers")
	}
	unsubscribe, oneClick := false, false
	for i, h := range m.Headers {
		lower := strings.ToLower(h.Name)
		if !validName(h.Name) || ours[lower] || strings.HasPrefix(lower, "content-") {
			return fault.New(fault.Invalid, "the header "+quote(h.Name)+" may not be set")
		}
		if len(h.Value) > maxValue || h.Value == "" {
			return fault.New(fault.Invalid, "the value of the header "+h.Name+" is empty or too long")
		}
		for j := 0; j < len(h.Value); j++ {
			if c := h.Value[j]; c < ' ' || c > '~' {
				return fault.New(fault.Invalid, "the value of the header "+h.Name+" has a line break, a control character or a letter outside ASCII")
			}
		}
		for _, other := range m.Headers[:i] {
			if strings.EqualFold(other.Name, h.Name) {
				return fault.New(fault.Invalid, "the header "+h.Name+" is there twice")
			}
		}
		switch lower {
		case "list-unsubscribe":
			if !oneHTTPS(h.Value) {
				return fault.New(fault.Invalid, "List-Unsubscribe must hold exactly one https link in angle brackets")
			}
			unsubscribe = true
		case "list-unsubscribe-post":
			if h.Value != "List-Unsubscribe=One-Click" {
				return fault.New(fault.Invalid, "List-Unsubscribe-Post must be List-Unsubscribe=One-Click")
			}
			oneClick = true
		}
	}
	if !m.Service && !(unsubscribe && oneClick) {
		return fault.New(fault.Invalid, "marketing needs the headers List-Unsubscribe and List-Unsubscribe-Post")
	}
	return nil
}

// validName reports whether s is an RFC 5322 field name in the letters that
// every server passes on.
func validName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// oneHTTPS reports whether a List-Unsubscribe value holds one web link that may
// be posted to, beside any mailto links.
func oneHTTPS(value string) bool {
	links := 0
	for rest := value; ; {
		open := strings.IndexByte(rest, '<')
		if open < 0 {
			return links == 1
		}
		end := strings.IndexByte(rest[open:], '>')
		if end < 0 {
			return false
		}
		u, err := url.Parse(rest[open+1 : open+end])
		if err != nil {
			return false
		}
		host := u.Hostname()
		switch {
		case u.Scheme == "https" && host != "" && u.User == nil,
			u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "::1"):
			links++
		case u.Scheme != "mailto":
			return false
		}
		rest = rest[open+end+1:]
	}
}

// Flatten replaces what could end a line or steer a terminal by a space and
// joins runs of spaces.
func Flatten(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f || s[i] == ' ' && (i == 0 || s[i-1] == ' ' || i == len(s)-1) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return r <= ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029
	}), " ")
}

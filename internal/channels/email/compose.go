package email

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"time"

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

// Mail is a composed message: its envelope and its bytes.
type Mail struct {
	From Address // MAIL FROM
	To   Address // RCPT TO
	ID   string  // Message-ID with its angle brackets
	Data []byte  // RFC 5322, lines end in CRLF, not yet dot-stuffed
}

// Compose turns a message into bytes: the same message always gives the same
// bytes, so that a second attempt is recognisably the first. Text that came from
// people (names, the subject) can never become a header: control characters in
// it are flattened and the rest is encoded.
//
// It refuses, with a fault of kind Invalid that says what is wrong: a bad
// address; an id that is none; a message without text; a NUL in a part; a part
// above [MaxPart]; an extra header that is malformed or that Compose itself
// writes; and marketing without List-Unsubscribe holding one HTTPS link and
// List-Unsubscribe-Post (RFC 8058), because nobody may get a message that they
// cannot stop. Plain HTTP is taken for this machine only.
func Compose(m *channels.Message) (Mail, error) {
	return compose(m, nil)
}

// compose appends to buf, so that a sender can use its memory again.
func compose(m *channels.Message, buf []byte) (Mail, error) {
	if !channels.ValidDelivery(m.Delivery) {
		return Mail{}, fault.New(fault.Invalid, "a delivery id is 32 hex digits, not "+quote(m.Delivery))
	}
	to, err := ParseAddress(m.To.Address)
	if err != nil {
		return Mail{}, fault.Wrap(fault.Invalid, err, "To")
	}
	from, err := ParseAddress(m.From.Address)
	if err != nil {
		return Mail{}, fault.Wrap(fault.Invalid, err, "From")
	}
	mail := Mail{From: from, To: to, ID: m.MessageID}
	if m.Bounce != "" {
		if mail.From, err = ParseAddress(m.Bounce); err != nil {
			return Mail{}, fault.Wrap(fault.Invalid, err, "the address for bounces")
		}
	}
	if mail.ID == "" {
		mail.ID = "<" + m.Delivery + "@" + from.Domain + ">"
	} else if !validID(mail.ID) {
		return Mail{}, fault.New(fault.Invalid, "a Message-ID is <left@right> without spaces, not "+quote(mail.ID))
	}
	if err := checkHeaders(m); err != nil {
		return Mail{}, err
	}
	switch {
	case m.Date <= 0:
		return Mail{}, fault.New(fault.Invalid, "the message has no date")
	case len(m.Subject) > maxSubject:
		return Mail{}, fault.New(fault.Invalid, "the subject is too long")
	case len(m.From.Name) > maxName || len(m.To.Name) > maxName || len(m.ReplyTo.Name) > maxName:
		return Mail{}, fault.New(fault.Invalid, "a name is too long")
	case m.HTML == "" && m.Text == "":
		return Mail{}, fault.New(fault.Invalid, "the message has neither HTML nor text")
	case len(m.HTML) > MaxPart || len(m.Text) > MaxPart:
		return Mail{}, fault.New(fault.TooLarge, "a part of the message is larger than 2 MB")
	case strings.IndexByte(m.HTML, 0) >= 0 || strings.IndexByte(m.Text, 0) >= 0:
		return Mail{}, fault.New(fault.Invalid, "the message contains a NUL character")
	}

	b := slices.Grow(buf[:0], 2048+len(m.HTML)+len(m.Text)+(len(m.HTML)+len(m.Text))/8)
	b = append(b, "Date: "...)
	b = m.Date.Time().AppendFormat(b, time.RFC1123Z)
	b = append(b, "\r\nFrom: "...)
	b = appendMailbox(b, len("From: "), m.From.Name, from)
	b = append(b, "\r\nTo: "...)
	b = appendMailbox(b, len("To: "), m.To.Name, to)
	if m.ReplyTo.Address != "" {
		reply, err := ParseAddress(m.ReplyTo.Address)
		if err != nil {
			return Mail{}, fault.Wrap(fault.Invalid, err, "Reply-To")
		}
		b = append(b, "\r\nReply-To: "...)
		b = appendMailbox(b, len("Reply-To: "), m.ReplyTo.Name, reply)
	}
	b = append(b, "\r\nSubject: "...)
	b = appendText(b, len("Subject: "), flatten(m.Subject))
	b = append(b, "\r\nMessage-ID: "...)
	b = append(b, mail.ID...)
	for _, h := range m.Headers {
		b = append(b, "\r\n"...)
		b = append(b, h.Name...)
		b = append(b, ": "...)
		b = appendFolded(b, len(h.Name)+2, h.Value)
	}
	b = append(b, "\r\nMIME-Version: 1.0\r\n"...)
	mail.Data = appendBody(b, m)
	return mail, nil
}

// appendBody appends the Content headers, the empty line and the body.
func appendBody(b []byte, m *channels.Message) []byte {
	switch {
	case m.HTML == "":
		return appendPart(b, "text/plain", m.Text, "")
	case m.Text == "":
		return appendPart(b, "text/html", m.HTML, "")
	}
	// Neither quoted-printable nor base64 can contain "=_", and a part that does
	// is never left unencoded, so the boundary cannot occur in a part.
	boundary := "=_" + m.Delivery
	b = append(b, "Content-Type: multipart/alternative; boundary=\""...)
	b = append(b, boundary...)
	b = append(b, "\"\r\n\r\n"...)
	b = append(b, "--"+boundary+"\r\n"...)
	b = appendPart(b, "text/plain", m.Text, boundary)
	b = append(b, "\r\n--"+boundary+"\r\n"...)
	b = appendPart(b, "text/html", m.HTML, boundary)
	return append(b, "\r\n--"+boundary+"--\r\n"...)
}

// sign puts the signatures of the domain that answers for the message before it.
func (m *Mail) sign(sign func(domain string, mail []byte) ([]byte, error), of *channels.Message) error {
	domain := of.Domain
	if domain == "" {
		_, domain, _ = strings.Cut(of.From.Address, "@")
	}
	head, err := sign(strings.ToLower(domain), m.Data)
	if err != nil || len(head) == 0 {
		return err
	}
	m.Data = slices.Insert(m.Data, 0, head...)
	return nil
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

// ours are the headers that Compose or the servers on the way write. A second
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

// flatten replaces what could end a line or steer a terminal by a space and
// joins runs of spaces.
func flatten(s string) string {
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

// stuff appends data with every leading dot doubled (RFC 5321 §4.5.2) and the
// end of data: after a line of its own, a dot.
func stuff(dst, data []byte) []byte {
	if len(data) > 0 && data[0] == '.' {
		dst = append(dst, '.')
	}
	for {
		i := bytes.Index(data, []byte("\n."))
		if i < 0 {
			break
		}
		dst = append(dst, data[:i+2]...)
		dst = append(dst, '.')
		data = data[i+2:]
	}
	dst = append(dst, data...)
	if len(data) < 2 || data[len(data)-2] != '\r' || data[len(data)-1] != '\n' {
		dst = append(dst, "\r\n"...)
	}
	return append(dst, ".\r\n"...)
}

package email

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/mail"
)

// Mail is a composed message: its envelope and its bytes.
type Mail struct {
	From mail.Address // MAIL FROM
	To   mail.Address // RCPT TO
	ID   string       // Message-ID with its angle brackets
	Data []byte       // RFC 5322, lines end in CRLF, not yet dot-stuffed
}

// Compose turns a message into bytes: the same message always gives the same
// bytes, so that a second attempt is recognisably the first. Text that came from
// people (names, the subject) can never become a header: control characters in
// it are flattened and the rest is encoded.
//
// It refuses what [mail.Check] refuses.
func Compose(m *channels.Message) (Mail, error) {
	return compose(m, nil)
}

// compose appends to buf, so that a sender can use its memory again.
func compose(m *channels.Message, buf []byte) (Mail, error) {
	env, err := mail.Check(m)
	if err != nil {
		return Mail{}, err
	}
	out := Mail{From: env.Bounce, To: env.To, ID: env.ID}

	b := slices.Grow(buf[:0], 2048+len(m.HTML)+len(m.Text)+(len(m.HTML)+len(m.Text))/8)
	b = append(b, "Date: "...)
	b = m.Date.Time().AppendFormat(b, time.RFC1123Z)
	b = append(b, "\r\nFrom: "...)
	b = appendMailbox(b, len("From: "), m.From.Name, env.From)
	b = append(b, "\r\nTo: "...)
	b = appendMailbox(b, len("To: "), m.To.Name, env.To)
	if env.ReplyTo != (mail.Address{}) {
		b = append(b, "\r\nReply-To: "...)
		b = appendMailbox(b, len("Reply-To: "), m.ReplyTo.Name, env.ReplyTo)
	}
	b = append(b, "\r\nSubject: "...)
	b = appendText(b, len("Subject: "), mail.Flatten(m.Subject))
	b = append(b, "\r\nMessage-ID: "...)
	b = append(b, env.ID...)
	for _, h := range m.Headers {
		b = append(b, "\r\n"...)
		b = append(b, h.Name...)
		b = append(b, ": "...)
		b = appendFolded(b, len(h.Name)+2, h.Value)
	}
	b = append(b, "\r\nMIME-Version: 1.0\r\n"...)
	out.Data = appendBody(b, m)
	return out, nil
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

package mailcatcher

import (
	"bytes"
	"io"
	"mime"
	"net"
	"strings"

	"github.com/emersion/go-smtp"
)

// session takes the mails of one connection.
type session struct {
	c    *Catcher
	conn *smtp.Conn

	sender string
	rcpt   []string
	reply  *Reply // what to answer to the whole message
	size   int    // of the last mail: a good guess at the next one's
}

func (s *session) Reset() { s.sender, s.rcpt, s.reply = "", nil, nil }

func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.sender = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.c.o.Reject != nil {
		if r := s.c.o.Reject(to); r != nil {
			switch {
			case r.Cut:
				s.conn.Conn().Close()
				return refusal(421, smtp.EnhancedCode{4, 3, 0}, "cut")
			case r.Lost, r.AtEnd:
				s.reply = r
			default:
				return r.err()
			}
		}
	}
	s.rcpt = append(s.rcpt, to)
	return nil
}

func (r *Reply) err() error { return refusal(r.Code, smtp.EnhancedCode(r.Enhanced), r.Text) }

func refusal(code int, enhanced smtp.EnhancedCode, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

func (s *session) Data(r io.Reader) error {
	var buf bytes.Buffer
	buf.Grow(s.size + 1024)
	if _, err := buf.ReadFrom(r); err != nil {
		return err
	}
	source := buf.Bytes()
	s.size = len(source)
	if s.reply != nil && s.reply.AtEnd {
		return s.reply.err()
	}
	m := Mail{At: s.c.o.Now(), Sender: s.sender, Rcpt: s.rcpt, Source: source}
	wire, _ := s.conn.Conn().(*stuffConn)
	what := check(source, &m)
	if wire != nil && wire.unstuffed() {
		what = "a line begins with a dot that is not stuffed (RFC 5321 4.5.2)"
	}
	if what != "" {
		s.c.complain(what + "; Message-ID " + m.MessageID)
		return refusal(550, smtp.EnhancedCode{5, 6, 0}, what)
	}
	m.Duplicate = s.c.seen(m.MessageID)
	if err := s.c.store.add(m); err != nil {
		return refusal(452, smtp.EnhancedCode{4, 3, 1}, "the mail could not be stored")
	}
	if m.Duplicate {
		s.c.duplicates.Add(1)
	}
	s.c.received.Add(1)
	if s.reply != nil && s.reply.Lost {
		s.conn.Conn().Close()
	}
	return nil
}

// maxLine is the longest line without its end (RFC 5322 §2.1.1).
const maxLine = 998

// check returns what a strict receiver finds wrong with a mail; empty if
// nothing. It fills in what the list shows.
func check(source []byte, m *Mail) string {
	inHeader := true
	var have [len(required)]int
	name, value := "", []byte(nil)
	field := func() {
		for i, want := range required {
			if strings.EqualFold(name, want) {
				have[i]++
			}
		}
		switch strings.ToLower(name) {
		case "from":
			m.From = decode(value)
		case "subject":
			m.Subject = decode(value)
		case "message-id":
			m.MessageID = strings.TrimSpace(string(value))
		}
		name, value = "", value[:0]
	}
	for rest := source; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return "the last line does not end"
		}
		if i == 0 || rest[i-1] != '\r' {
			return "a line ends in a bare LF"
		}
		line := rest[:i-1]
		rest = rest[i+1:]
		if len(line) > maxLine {
			return "a line is longer than 998 octets"
		}
		if bytes.IndexByte(line, '\r') >= 0 {
			return "there is a bare CR"
		}
		if bytes.IndexByte(line, 0) >= 0 {
			return "there is a NUL"
		}
		if !inHeader {
			continue
		}
		if len(line) == 0 {
			field()
			inHeader = false
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			if name == "" {
				return "the header begins with a continuation line"
			}
			value = append(value, line...)
			continue
		}
		field()
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 || bytes.ContainsAny(line[:colon], " \t") {
			return "a header line has no name"
		}
		name, value = string(line[:colon]), append(value, line[colon+1:]...)
	}
	if inHeader {
		field()
	}
	for i, n := range have {
		if n != 1 && (required[i] != "Subject" || n > 1) {
			return "the header " + required[i] + " must be there once"
		}
	}
	return ""
}

// required are the headers that every mail of ours has once; Subject may be
// missing.
var required = [...]string{"From", "To", "Date", "Message-ID", "Subject"}

var words = mime.WordDecoder{}

// decode returns a header's text with its encoded words decoded.
func decode(value []byte) string {
	s := strings.TrimSpace(string(value))
	if !strings.Contains(s, "=?") {
		return s
	}
	d, err := words.DecodeHeader(s)
	if err != nil {
		return s
	}
	return d
}

// stuffListener watches what comes over its connections.
type stuffListener struct{ net.Listener }

func (l stuffListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &stuffConn{Conn: c, start: true}, nil
}

// stuffConn looks for lines that begin with a single dot and go on. No SMTP
// command does, and no line of a message may: its dot would be lost. The library
// above takes the dots away, so they are looked for on the wire.
type stuffConn struct {
	net.Conn
	start, dot, bad bool // at a line's start; after a dot there; found one
}

func (c *stuffConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for rest := b[:n]; len(rest) > 0; {
		switch {
		case c.dot:
			c.bad = c.bad || rest[0] != '.' && rest[0] != '\r'
			c.dot = false
		case c.start:
			c.start = false
			if rest[0] == '.' {
				c.dot = true
				rest = rest[1:]
				continue
			}
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		c.start = true
		rest = rest[i+1:]
	}
	return n, err
}

// unstuffed reports whether such a line came since it was last asked. It is
// called by the goroutine that reads.
func (c *stuffConn) unstuffed() bool {
	bad := c.bad
	c.bad = false
	return bad
}

package bounce

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // mails of servers abroad are not in UTF-8
	"github.com/emersion/go-message/textproto"
)

// mail is a mail taken apart.
type mail struct {
	head    message.Header
	subject string
	text    string // what it says to a person: the first parts of text
	report  string // delivery status fields
	arf     string // feedback report fields
	orig    string // the mail that it is about, or its headers
	parts   int
}

// parse takes a mail apart as far as it can.
func parse(b []byte) *mail {
	m := &mail{}
	e, err := message.Read(bytes.NewReader(b))
	if e == nil {
		if err == nil || !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			// Not a header that can be read: what follows the first empty line is text.
			_, body, _ := bytes.Cut(b, []byte("\n\n"))
			m.text = clip(string(body))
			return m
		}
	}
	m.head = e.Header
	if m.subject, err = m.head.Text("Subject"); err != nil {
		m.subject = m.head.Get("Subject")
	}
	m.walk(e, 0)
	if m.parts == 1 && m.text == "" && m.report == "" {
		// A mail that is called multipart and has no parts: its boundary does not occur.
		_, body, _ := bytes.Cut(b, []byte("\n\n"))
		m.text = clip(string(body))
	}
	if m.report == "" {
		// Some servers send the fields without saying that they are fields.
		if at := bare3464.FindStringIndex(m.text); at != nil {
			m.report, m.text = m.text[at[0]:], m.text[:at[0]]
			if end := headers.FindStringIndex(m.report); end != nil && m.orig == "" {
				m.report, m.orig = m.report[:end[0]], m.report[end[0]:]
			}
		}
	}
	if m.orig == "" && m.report == "" {
		m.text, m.orig = split(m.text)
	}
	return m
}

// walk looks at an entity and the parts in it.
func (m *mail) walk(e *message.Entity, depth int) {
	if m.parts++; m.parts > maxParts || depth > maxDepth {
		return
	}
	if parts := e.MultipartReader(); parts != nil {
		for m.parts <= maxParts {
			part, err := parts.NextPart()
			if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return // the end, or damage: what came before counts
			}
			m.walk(part, depth+1)
		}
		return
	}
	kind, _, err := e.Header.ContentType()
	if err != nil {
		kind = "text/plain"
	}
	switch kind = strings.ToLower(kind); {
	case kind == "message/delivery-status", kind == "message/global-delivery-status", kind == "text/rfc3464":
		m.report += read(e) + "\n\n"
	case kind == "message/feedback-report":
		m.arf = read(e)
	case kind == "message/rfc822", kind == "text/rfc822-headers", kind == "text/rfc822", kind == "message/global", kind == "message/partial", kind == "message/global-headers":
		if m.orig == "" {
			m.orig = read(e)
		}
	case strings.HasPrefix(kind, "text/html"):
		if m.text == "" {
			m.text = untag(read(e))
		}
	case strings.HasPrefix(kind, "text/"):
		if len(m.text) < maxText {
			m.text += read(e) + "\n"
		}
	}
}

// read returns the body of an entity, decoded as far as it can be.
func read(e *message.Entity) string {
	b, err := io.ReadAll(io.LimitReader(e.Body, maxText))
	if err != nil && !errors.Is(err, io.EOF) && len(b) == 0 {
		return ""
	}
	return clip(string(lines(b)))
}

func clip(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxText)], "\uFFFD")
}

var (
	tag   = regexp.MustCompile(`(?s)<(style|script)\b.*?</(style|script)>|<[^<>]{0,999}>`)
	brake = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/h\d|/li)\b[^<>]{0,200}>`)
)

// untag returns the text of an HTML part, well enough to find words in it.
func untag(s string) string {
	s = brake.ReplaceAllString(s, "\n")
	s = tag.ReplaceAllString(s, " ")
	return strings.NewReplacer("&nbsp;", " ", "&lt;", "<", "&gt;", ">", "&amp;", "&", "&#64;", "@", "&#39;", "'", "&quot;", `"`).Replace(s)
}

// bare3464 begins the fields of RFC 3464 in a part of text.
var bare3464 = regexp.MustCompile(`(?m)^(?:Reporting-MTA|Final-Recipient): ?(?:.*\n)+?(?:Action|Status): ?`)

// divider begins the returned mail in a letter of one part.
var divider = regexp.MustCompile(`(?im)^(?:` + strings.Join([]string{
	`-{2,}\s*(?:this is a copy of|below this line is|included is|original message|the header of the original|returned message|unsent message|message header|transcript of message|the original message|original mail|body of message|forwarded message|beginning of)`,
	`\s*-{3,}\s*(?:unsent message|original message|returned message|message header|the body of|message body)`,
	`--- ?(?:below the next line|enclosed is a copy|the header of|below this line|undelivered message)`,
	`(?:below is a copy of the original message|original message headers?:?|message headers? follows?:?|received from:.*headers|your original message|a copy of the original message|original message follows|the original message (?:was|follows)|message from your)`,
	`bounced e-?mail:`, `\*{3,} ?original`, `={3,} ?(?:original|message)`, `diagnostic information for administrators:$.{0}\z`,
}, "|") + `)`)

// split cuts a letter where the returned mail begins.
func split(text string) (letter, orig string) {
	if at := divider.FindStringIndex(text); at != nil {
		return text[:at[0]], text[at[0]:]
	}
	// Some begin it with nothing but its headers.
	if at := headers.FindStringIndex(text); at != nil && at[0] > 0 {
		return text[:at[0]], text[at[0]:]
	}
	return text, ""
}

// headers are two header lines of which the first is one that servers write.
var headers = regexp.MustCompile(`(?m)^(?:Return-Path|Received|DKIM-Signature|X-[A-Za-z-]+|Message-I[dD]|Date|From): ?.*\n(?:[ \t].*\n)*[A-Z][A-Za-z-]+: `)

// fields reads lines "Name: value", folded or not, as header fields in groups
// that empty lines part.
func fields(s string) (groups []textproto.Header) {
	for block := range strings.SplitSeq(s, "\n\n") {
		block = strings.Trim(block, "\n")
		if block == "" {
			continue
		}
		if len(groups) == maxRecipients+1 {
			break
		}
		var h textproto.Header
		name, value := "", ""
		flush := func() {
			if name != "" {
				h.Add(name, strings.Join(strings.Fields(value), " "))
			}
		}
		for line := range strings.SplitSeq(block, "\n") {
			if line == "" {
				continue
			}
			if line[0] == ' ' || line[0] == '\t' {
				value += " " + line
				continue
			}
			if n, v, ok := strings.Cut(line, ":"); ok && token.MatchString(n) {
				flush()
				name, value = n, v
			} else {
				value += " " + line // a server that forgot to fold
			}
		}
		flush()
		groups = append(groups, h)
	}
	return groups
}

var token = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,60}$`)

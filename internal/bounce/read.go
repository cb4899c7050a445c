package bounce

import (
	"bytes"
	"strings"

	"rapport/internal/channels"
)

// Kind is what a mail is.
type Kind uint8

// The kinds of mail.
const (
	Nothing   Kind = 0 // none of the others: somebody's answer, an advertisement
	Delivery  Kind = 1 // about the delivery of mail: Failures says of whom and why
	Complaint Kind = 2 // somebody called a mail spam, or asked for an end by their provider's button
	AutoReply Kind = 3 // an automatic answer: out of office, a ticket number
	Auth      Kind = 4 // a report that a mail failed authentication: about the sender, no complaint
)

// String returns the kind's name.
func (k Kind) String() string {
	return [...]string{"nothing", "delivery", "complaint", "auto-reply", "auth"}[min(k, Auth)]
}

// Recipient is what a mail says about the delivery to one address.
type Recipient struct {
	Address string        // as written; empty if the mail does not say
	Told    channels.Told // Bounced, Delayed or Delivered
	channels.Failure
}

// Report is what a mail says.
type Report struct {
	Kind     Kind
	Failures []Recipient // of a Delivery, at most maxRecipients
	Feedback string      // of a Complaint: "abuse", "opt-out" …

	// What the mail says of the mail that it is about, to find that again. It is
	// a stranger's word: only what is signed in it may be believed.
	Addresses []string // our own addresses in it: its return path, To and others, at most maxAddresses
	MessageID string
}

// The limits of what is read.
const (
	// MaxMail is how many bytes of a mail are looked at. What says why stands first;
	// behind it comes the mail that was returned.
	MaxMail = 1 << 20

	maxDepth      = 8        // parts in parts; honest reports have three
	maxParts      = 60       // of one mail
	maxText       = 64 << 10 // bytes of one part
	maxRecipients = 100      // as many as one mail of ours could have, and more
	maxAddresses  = 20
)

// Read says what a mail is about. It never fails: what cannot be read is Nothing.
// Line ends may be LF, CRLF or CR.
func Read(mail []byte) Report {
	mail = lines(mail[:min(len(mail), MaxMail)])
	if bytes.HasPrefix(mail, []byte("From ")) { // a mailbox file's line
		_, mail, _ = bytes.Cut(mail, []byte("\n"))
	}
	m := parse(mail)
	if r, is := m.feedback(); is {
		return r
	}
	r := Report{Kind: Delivery, Failures: m.status()}
	if len(r.Failures) == 0 {
		r.Failures = m.ses()
	}
	if len(r.Failures) == 0 {
		r.Failures = m.letter()
	}
	m.about(&r)
	switch {
	case len(r.Failures) > 0:
	case m.automatic():
		r.Kind = AutoReply
	default:
		r.Kind = Nothing
	}
	return r
}

// lines returns the mail with every line ended by LF alone.
func lines(mail []byte) []byte {
	if bytes.IndexByte(mail, '\r') < 0 {
		return bytes.Clone(mail)
	}
	mail = bytes.ReplaceAll(mail, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(mail, []byte("\r"), []byte("\n"))
}

// automatic reports whether a mail is an automatic answer (RFC 3834), by what
// such answers have in common.
func (m *mail) automatic() bool {
	if auto := strings.ToLower(m.head.Get("Auto-Submitted")); strings.HasPrefix(auto, "auto-replied") || strings.HasPrefix(auto, "auto-generated") {
		return true
	}
	for _, h := range []string{"X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "X-Apple-Action"} {
		if m.head.Get(h) != "" {
			return true
		}
	}
	if strings.EqualFold(m.head.Get("Precedence"), "auto_reply") {
		return true
	}
	subject := strings.ToLower(m.subject)
	for _, begin := range []string{
		"out of office", "out of the office", "automatic reply", "auto reply", "auto-reply", "autoreply", "auto:", "automatische antwort", "abwesenheit", "réponse automatique", "vacation", "away from",
		"i am away", "on holiday", "respuesta automática", "risposta automatica", "自動返信", "自動応答",
	} {
		if strings.HasPrefix(subject, begin) {
			return true
		}
	}
	return false
}

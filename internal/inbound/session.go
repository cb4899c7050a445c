package inbound

import (
	"context"
	"io"
	"strings"

	"github.com/emersion/go-smtp"

	"rapport/internal/bounce"
	"rapport/internal/channels"
	"rapport/internal/site"
)

// loopBox is the mailbox to register with feedback loops that report to one
// address for all mails.
const loopBox = "fbl"

// session is one connection.
type session struct {
	s   *Server
	to  []recipient
	bad int
}

// recipient is an address that we take mail for.
type recipient struct {
	kind     site.Return
	delivery string // empty: the mailbox of feedback loops
}

func answer(code int, enhanced [3]int, words string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode(enhanced), Message: words}
}

// Mail takes every sender: reports come from nobody ("<>"), unsubscribes from
// people.
func (c *session) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes our own addresses and refuses every other.
func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if c.bad >= maxBad {
		return answer(421, [3]int{4, 7, 0}, "too many recipients that are not here")
	}
	local, _, _ := strings.Cut(strings.ToLower(to), "@")
	if local == loopBox {
		c.to = append(c.to, recipient{kind: site.FeedbackReturn})
		return nil
	}
	kind, delivery, err := c.s.o.Addresses.ReadAddress(to)
	if err != nil {
		c.bad++
		if len(local) > 2 && local[1] == '+' && strings.ContainsRune("buf", rune(local[0])) {
			c.s.Counts.Forged.Add(1)
		} else {
			c.s.Counts.Refused.Add(1)
		}
		return answer(550, [3]int{5, 1, 1}, "no such address here")
	}
	c.to = append(c.to, recipient{kind, delivery})
	return nil
}

// Data reads the mail, and answers 250 once what it means is durable.
func (c *session) Data(r io.Reader) error {
	mail, err := io.ReadAll(io.LimitReader(r, bounce.MaxMail))
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // too large, or broken off
		return err
	}
	report := bounce.Read(mail)
	var notices []channels.Notice
	for _, to := range c.to {
		if n, is := c.s.notice(to, &report); is {
			notices = append(notices, n)
		}
	}
	if len(notices) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), receiveWithin)
	defer cancel()
	if err := c.s.o.Receiver.Receive(ctx, notices); err != nil {
		c.s.o.Log.Error("a mail that came back could not be noted, and will come again", "error", err)
		return answer(451, [3]int{4, 3, 0}, "not now, please try again later")
	}
	for i := range notices {
		switch notices[i].Told {
		case channels.Complained:
			c.s.Counts.Complaints.Add(1)
		case channels.Unsubscribed:
			c.s.Counts.Unsubscribes.Add(1)
		case channels.Bounced:
			c.s.Counts.Bounces.Add(1)
		}
	}
	return nil
}

// notice returns what a mail to one of our addresses tells, and whether it tells
// anything.
func (s *Server) notice(to recipient, r *bounce.Report) (n channels.Notice, is bool) {
	n = channels.Notice{Delivery: to.delivery, Source: "mail"}
	switch {
	case r.Kind == bounce.Complaint:
		if n.Delivery == "" {
			if n.Delivery = s.signed(r); n.Delivery == "" {
				s.Counts.Forged.Add(1)
				s.o.Log.Warn("a complaint names no message of ours and was passed over", "kind", r.Feedback)
				return n, false
			}
		}
		n.Told, n.Detail = channels.Complained, channels.Clip(r.Feedback)
		if strings.HasPrefix(r.Feedback, "opt-out") {
			n.Told = channels.Unsubscribed // their provider's button, and not the one for spam
		}
		return n, true
	case to.kind == site.LeaveReturn && r.Kind != bounce.Delivery:
		n.Told = channels.Unsubscribed // whatever the mail says
		return n, true
	case to.kind == site.BounceReturn && r.Kind == bounce.Delivery:
		// The address is of one delivery to one person, so one failure is what it says.
		for i := range r.Failures {
			if f := &r.Failures[i]; f.Told == channels.Bounced {
				n.Told, n.Failure = channels.Bounced, f.Failure
				return n, true
			}
		}
	}
	s.Counts.Ignored.Add(1)
	return n, false
}

// signed returns the delivery that a report is about, by an address of ours in it
// whose signature holds; empty if there is none. What it says besides, anybody
// could have written.
func (s *Server) signed(r *bounce.Report) string {
	for _, a := range r.Addresses {
		if _, delivery, err := s.o.Addresses.ReadAddress(a); err == nil {
			return delivery
		}
	}
	return ""
}

// Reset forgets the recipients.
func (c *session) Reset() { c.to = nil }

// Logout ends the session.
func (c *session) Logout() error { return nil }

package decision

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Sentence tells the decision to people, as a sentence or two about the
// customer p: "She bought Lamp 4 s ago in the shop." Times in it are seen from
// the instant of the decision; if that is a minute or more before now, the
// sentence says when it was. Pronouns follow the traits pronouns and gender, and
// are "they" without.
func (r *Record) Sentence(p *profile.Profile, now event.Time) string {
	s := r.story(p, whoIs(p))
	switch {
	case r.Outcome == Later && r.Until != 0:
		s += " It waits " + span(r.Until.Sub(r.Now)) + "."
	case r.Outcome == Never && r.Until != 0:
		s += " It would have to wait " + span(r.Until.Sub(r.Now)) + ", and that is too long."
	}
	if ago := now.Sub(r.Now); ago >= time.Minute {
		s += " That was decided " + span(ago) + " ago."
	}
	return s
}

// story returns the reason in words.
func (r *Record) story(p *profile.Profile, w who) string {
	c := r.failed()
	if c == nil {
		c = &Check{}
	}
	channel := channelWord(r.Channel)
	switch r.Reason {
	case Allowed:
		return r.allowed(w, channel)
	case NoPolicy:
		return "This workspace has no policy with a time zone, so nothing is sent."
	case Merged:
		return "This profile has joined another one, which gets the messages now."
	case Suppressed:
		return w.Subject + " " + w.are() + " suppressed: nothing is sent on any channel."
	case Bounced:
		return w.Possessive + " " + channel + " address does not exist" + quoted(c.Text) + "."
	case Complained:
		return w.Subject + " called our " + channel + " spam " + span(r.Now.Sub(c.At)) + " ago."
	case Hot:
		return fmt.Sprintf("This profile made %d events this month; more than %d is no person.", c.Got, c.Limit)
	case NoConsent:
		return r.refused(w, channel)
	case Unreachable:
		return "We have no " + channel + " address of " + w.object + "."
	case Duplicate:
		return w.Subject + " " + w.have() + " this very message already, or it is on its way."
	case Closed:
		return "The message is " + c.Text + ": there is nothing to decide."
	case Late:
		return "We heard of it too late for a message."
	case Expired:
		return "It is " + span(r.Now.Sub(c.At)) + " too late to be of use."
	case Satisfied:
		return fmt.Sprintf("%s bought %s %s ago%s, after the message was planned.", w.Subject, thing(c), span(r.Now.Sub(c.At)), where(p, c))
	case JustBought:
		return fmt.Sprintf("%s bought %s %s ago%s.", w.Subject, thing(c), span(r.Now.Sub(c.At)), where(p, c))
	case ComplaintOpen:
		return w.Subject + " " + w.have() + " an open complaint."
	case OrderLate:
		if c.Name == CheckLateOrder {
			return fmt.Sprintf("%s %s waiting for order %s, which has been late for %s.", w.Subject, w.are(), c.Text, span(r.Now.Sub(c.At)))
		}
		return w.Subject + " " + w.are() + " waiting for a late order."
	case ConversationOpen:
		return w.Subject + " " + w.are() + " in a conversation with us."
	case Held:
		return w.Subject + " " + w.are() + " among those who get no such message, so that we see what messages bring."
	case OverCap:
		return fmt.Sprintf("%s %s had %s in the last %s; the limit is %d.", w.Subject, w.have(), messages(c), span(c.Span), c.Limit)
	case TooSoon:
		return fmt.Sprintf("%s had a message %s ago; between two there are at least %s.", w.Subject, span(r.Now.Sub(c.At)), span(c.Span))
	case Paused:
		return w.Subject + " asked for a pause until " + c.At.Time().Format("2 January 2006") + "."
	case AskedFewer:
		return fmt.Sprintf("%s asked for fewer messages and %s had one in the last %s.", w.Subject, w.have(), span(c.Span))
	case QuietHours:
		s := fmt.Sprintf("It is %s where %s may be (%s); messages go out from %s.", minute(c.Got), w.subject(), c.Text, minute(c.Limit))
		if c.Other != "" {
			s += " The law says so: " + c.Other + "."
		}
		return s
	case NotYet:
		return "It is wanted later."
	case CampaignPaused:
		return "The campaign is paused."
	case CampaignStopped:
		return "The campaign was stopped before the message left."
	case SameAddress:
		return "Somebody else with the same address got this message."
	case Exited:
		return w.Subject + " left the journey."
	case Goal:
		return w.Subject + " reached the goal of the journey."
	}
	return "Reason: " + string(r.Reason) + "."
}

func (r *Record) allowed(w who, channel string) string {
	s := "It is a service message, which needs no consent."
	switch b := r.Consent; {
	case b != nil && b.Granted:
		s = fmt.Sprintf("%s agreed to %s by %s on %s%s.", w.Subject, r.Purpose, channel, b.At.Time().Format("2 January 2006"), quoted(b.Evidence))
	case r.Class != profile.Service:
		s = fmt.Sprintf("%s came by, and %s not refused %s there.", w.Subject, w.have(), r.Purpose)
	}
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Name == CheckCap {
			s += fmt.Sprintf(" It is number %d of %d in %s.", c.Got+1, c.Limit, span(c.Span))
			break
		}
	}
	return s
}

func (r *Record) refused(w who, channel string) string {
	b := r.Consent
	switch {
	case b == nil:
		return fmt.Sprintf("%s %s not agreed to %s by %s.", w.Subject, w.have(), r.Purpose, channel)
	case !b.Granted:
		return fmt.Sprintf("%s said no to %s by %s on %s%s.", w.Subject, r.Purpose, channel, b.At.Time().Format("2 January 2006"), quoted(b.Evidence))
	}
	return fmt.Sprintf("%s consent to %s by %s ended on %s.", w.Possessive, r.Purpose, channel, b.Expires.Time().Format("2 January 2006"))
}

func messages(c *Check) string {
	channel := ""
	if c.Text != "" {
		channel = channelWord(c.Text) + " "
	}
	if c.Got == 1 {
		return "1 " + channel + "message"
	}
	return strconv.FormatInt(c.Got, 10) + " " + channel + "messages"
}

// thing names what was bought.
func thing(c *Check) string {
	if c.Other != "" {
		return c.Other
	}
	return c.Text
}

// where says where it was bought, from the profile, if that still knows.
func where(p *profile.Profile, c *Check) string {
	for i := range p.Bought {
		b := &p.Bought[i]
		if b.SKU != c.Text || b.Last != c.At {
			continue
		}
		switch event.Canonical(b.Where) {
		case "":
			return ""
		case "till", "pos", "shop", "store", "in-store", "retail":
			return " in the shop"
		case "web", "online", "site", "website", "ecommerce":
			return " in the web shop"
		case "app", "mobile":
			return " in the app"
		}
		return " in " + b.Where
	}
	return ""
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func channelWord(channel string) string {
	switch channel {
	case "email":
		return "e-mail"
	case "sms":
		return "SMS"
	case "whatsapp":
		return "WhatsApp"
	case "webpush":
		return "web push"
	}
	return channel
}

// span says a time in its largest unit, as people do: "4 s", "3 hours".
func span(d time.Duration) string {
	plural := func(n int64, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return strconv.FormatInt(n, 10) + " " + unit + "s"
	}
	switch d = max(d, 0); {
	case d < time.Minute:
		return strconv.FormatInt(int64(d/time.Second), 10) + " s"
	case d < time.Hour:
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min"
	case d < 2*day:
		return plural(int64(d/time.Hour), "hour")
	}
	return plural(int64(d/day), "day")
}

func minute(n int64) string { return fmt.Sprintf("%02d:%02d", n/60, n%60) }

// who are the words for a customer.
type who struct {
	Subject, object, Possessive string
	plural                      bool
}

func whoIs(p *profile.Profile) who {
	for _, name := range [...]string{"pronouns", "pronoun", "gender"} {
		v, ok := p.Trait(name)
		if !ok {
			continue
		}
		word, _, _ := strings.Cut(event.Canonical(v.String()), "/")
		switch word {
		case "she", "her", "f", "female", "woman":
			return who{"She", "her", "Her", false}
		case "he", "him", "m", "male", "man":
			return who{"He", "him", "His", false}
		case "they", "them":
			return who{"They", "them", "Their", true}
		}
	}
	return who{"They", "them", "Their", true}
}

func (w who) subject() string { return strings.ToLower(w.Subject) }

func (w who) have() string {
	if w.plural {
		return "have"
	}
	return "has"
}

func (w who) are() string {
	if w.plural {
		return "are"
	}
	return "is"
}

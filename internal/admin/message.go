package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rapport/internal/admin/page"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/store"
)

// message shows one message: what became of it, and everything that was looked
// at before.
func (s *site) message(r *http.Request) (page.View, error) {
	ctx := r.Context()
	pr, err := s.inForce(ctx)
	if err != nil {
		return nil, err
	}
	id, err := profile.ParseDelivery(r.PathValue("id"))
	if err != nil {
		return nil, fault.New(fault.NotFound, "A message has an id of 32 hex digits, and this is none.")
	}
	d, err := s.o.Store.Delivery(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, fault.New(fault.NotFound, "No message has this id.")
	case err != nil:
		return nil, fmt.Errorf("reading message %s: %w", id, err)
	}
	p, err := s.o.Node.Engine.Profile(ctx, d.Profile)
	if err != nil {
		return nil, fmt.Errorf("reading the customer of message %s: %w", id, err)
	}
	if p == nil {
		p = profile.New(d.Profile) // forgotten: the ledger still says what was decided
	}
	now, c := s.o.Now(), s.clock(pr)
	title := journeyLink(pr, d.Journey).Text
	v := &page.Message{
		Frame: s.frame(pr, title, "customers"), ID: id.String(), Heading: title, State: stateTag(d.State), Why: s.why(&d, p, now), Reason: d.Reason,
		Customer: page.Link{Text: nameOf(p), Href: "/customers/" + p.ID.String()}, Invented: invented(p), Journey: journeyLink(pr, d.Journey),
	}
	v.Facts = aboutFacts(pr, &d, c)
	if a := p.Address(d.Channel); a != "" && d.State == profile.Accepted && d.Channel == "email" && s.o.MailsPath != "" {
		v.Mail = s.o.MailsPath + "/?to=" + url.QueryEscape(clip(a, maxValue))
	}
	for _, stage := range []struct {
		title string
		body  []byte
	}{{"When it was to leave", d.Claim}, {"When it was wanted", d.Plan}} {
		if len(stage.body) == 0 {
			continue
		}
		record, err := decision.Decode(string(stage.body))
		if err != nil {
			return nil, fmt.Errorf("reading the decision of message %s: %w", id, err)
		}
		v.Decisions = append(v.Decisions, decided(stage.title, &record, pr, p, c))
	}
	return v, nil
}

// why says in a sentence or two why a message was sent, or was not. If now is
// not zero it says how long ago that was decided.
func (s *site) why(d *store.Delivery, p *profile.Profile, now event.Time) string {
	outcome := ""
	if d.Outcome != "" {
		outcome = " “" + strings.TrimRight(clip(d.Outcome, maxValue), ".") + "”."
	}
	switch d.State {
	case profile.Rejected:
		return reasonWord(or(d.Because, "rejected")) + "." + outcome
	case profile.Unknown:
		return "It was handed over, and no answer came. It counts as sent and is not sent again."
	case profile.Failed:
		return reasonWord("render_failed") + "." + outcome
	}
	body := d.Claim
	if len(body) == 0 {
		body = d.Plan
	}
	r, err := decision.Decode(string(body))
	if err != nil {
		s.o.Logger.Error("reading a decision", "delivery", d.ID, "error", err)
		return reasonWord(d.Because) + "."
	}
	// What stopped it after the last decision speaks for itself.
	if d.Because != "" && d.Because != string(r.Reason) {
		return reasonWord(d.Because) + "." + outcome
	}
	if now == 0 {
		now = r.Now
	}
	said := r.Sentence(p, now)
	if d.State == profile.Recalled && r.Reason == decision.Exited && d.Outcome != "" {
		said += " What ended it: " + strings.TrimRight(clip(d.Outcome, maxValue), ".") + "."
	}
	return said
}

// aboutMessage says in a line what a message is.
func aboutMessage(pr *program.Program, d *store.Delivery) string {
	s := page.Title(channelWord(d.Channel)) + ", “" + purposeLabel(pr, d.Purpose) + "”"
	if d.Class == profile.Service {
		s = page.Title(channelWord(d.Channel)) + ", a service message"
	}
	return s + " · " + d.Template
}

func aboutFacts(pr *program.Program, d *store.Delivery, c page.Clock) []page.Fact {
	var list []page.Fact
	add := func(label, value, note string) {
		if value != "" {
			list = append(list, page.Fact{Label: label, Value: clip(value, maxValue), Note: note})
		}
	}
	when := func(label string, t event.Time) {
		w := c.When(t)
		add(label, w.Text, w.Ago)
	}
	add("Channel", page.Title(channelWord(d.Channel)), "")
	add("Purpose", purposeLabel(pr, d.Purpose), "")
	add("Class", d.Class.String(), "")
	add("Template", d.Template, "")
	add("Step", d.Step, "")
	add("About", d.Key, "")
	add("Product", d.Product, "")
	add("Category", d.Category, "")
	when("Wanted", d.Planned)
	when("Not before", d.NotBefore)
	when("Of use until", d.Expires)
	when("In this state since", d.Changed)
	add("The carrier said", d.Outcome, "")
	add("Reason code", d.Because, "")
	add("Message id", d.ID.String(), "")
	return list
}

// decided tells one passage of the gate with everything that was looked at.
func decided(title string, r *decision.Record, pr *program.Program, p *profile.Profile, c page.Clock) page.Decision {
	v := page.Decision{Title: title, At: c.When(r.Now), Sentence: r.Sentence(p, r.Now)}
	for i := range r.Checks {
		k := &r.Checks[i]
		v.Checks = append(v.Checks, page.Check{Protection: or(ruleNames[k.Rule], "Rule "+strconv.Itoa(int(k.Rule))), Pass: k.Pass, What: seen(r, k, pr, c)})
	}
	if r.Outcome == decision.Later && r.Until != 0 {
		at := c.When(r.Until)
		v.Facts = append(v.Facts, page.Fact{Label: "Held until", Value: at.Text, Note: "and then asked again"})
	}
	if r.Stage == decision.AtPlan {
		v.Facts = append(v.Facts, page.Fact{Label: "Chance", Value: page.Percent(r.Chance), Note: "with which it was to be sent and not held out"})
	}
	for _, id := range r.Against {
		v.Against = append(v.Against, page.Link{Text: id.String()[:8], Href: "/messages/" + id.String()})
	}
	return v
}

// seen says in words what a check looked at and which values it saw.
func seen(r *decision.Record, k *decision.Check, pr *program.Program, c page.Clock) string {
	thing := clip(or(k.Other, k.Text), maxValue)
	switch k.Name {
	case decision.CheckPolicy:
		return "There is no policy with a time zone."
	case decision.CheckOwner:
		return "The profile has joined another one, " + k.Text + "."
	case decision.CheckSuppress:
		return "The trait “" + k.Text + "” forbids every message."
	case decision.CheckHot:
		return fmt.Sprintf("%s events this month; a person makes at most %s.", page.Count(k.Got), page.Count(k.Limit))
	case decision.CheckHealth:
		if k.Pass {
			return "Nothing is known against the address."
		}
		return "The address failed on " + c.Date(k.At) + detail(k.Text)
	case decision.CheckConsent:
		return consentSeen(r, k, pr, c)
	case decision.CheckReach:
		return pick(k.Pass, "There is an address for "+channelWord(k.Text)+".", "There is no address for "+channelWord(k.Text)+".")
	case decision.CheckSaid:
		return "This very message was planned or sent on " + c.When(k.At).Text + "."
	case decision.CheckOpen:
		return "The message is " + k.Text + " already."
	case decision.CheckLate:
		return "What brought it about was heard too late."
	case decision.CheckExpires:
		if !k.Pass {
			return "It was of use until " + c.When(k.At).Text + "."
		}
		if w := c.When(k.At); w.Text != "" {
			return "It is of use until " + w.Text + "."
		}
		return "It does not lose its use."
	case decision.CheckSatisfied:
		return pick(k.Pass, "They have not bought what it is about since it was planned.", "They bought “"+thing+"” on "+c.When(k.At).Text+", after it was planned.")
	case decision.CheckOwned:
		return pick(k.Pass, "They have not just bought what it is about (within "+page.Span(k.Span)+").", "They bought “"+thing+"” on "+c.When(k.At).Text+"; that counts as just bought for "+page.Span(k.Span)+".")
	case decision.CheckTrait:
		return pick(k.Pass, "No complaint, late order or conversation is open.", "The trait “"+k.Text+"” says that something is open.")
	case decision.CheckGlobal:
		return fmt.Sprintf("Their lot is %s; below %s they are held out of everything.", page.Percent(float64(k.Got)/1e6), page.Percent(float64(k.Limit)/1e6))
	case decision.CheckJourney:
		return pick(k.Pass, "They are not held out of this journey.", "They are held out of this journey, so that its effect can be measured.")
	case decision.CheckCap:
		channel := "messages"
		if k.Text != "" {
			channel = "messages by " + channelWord(k.Text)
		}
		return fmt.Sprintf("%s of at most %s %s in %s.", page.Count(k.Got), page.Count(k.Limit), channel, page.Span(k.Span))
	case decision.CheckGap:
		if k.At == 0 {
			return "No message before this one; between two there are at least " + page.Span(k.Span) + "."
		}
		return "The last message was " + page.Span(absolute(r.Now.Sub(k.At))) + " before; between two there are at least " + page.Span(k.Span) + "."
	case decision.CheckQuiet:
		if k.Pass {
			return "No quiet hours where they may be."
		}
		s := fmt.Sprintf("It is %02d:%02d in %s; messages go out from %02d:%02d.", k.Got/60, k.Got%60, k.Text, k.Limit/60, k.Limit%60)
		if k.Other != "" {
			s += " The law says so: " + k.Other + "."
		}
		return s
	case decision.CheckSlot:
		return "It is wanted from " + c.When(k.At).Text + "."
	}
	return page.Title(strings.TrimSpace(k.Name + " " + thing))
}

func consentSeen(r *decision.Record, k *decision.Check, pr *program.Program, c page.Clock) string {
	what := "“" + purposeLabel(pr, k.Other) + "” by " + channelWord(k.Text)
	b := r.Consent
	switch {
	case b == nil && k.Pass:
		return "A service message needs no consent to " + what + ", and it was not refused."
	case b == nil:
		return "Nothing was said about " + what + ", and that means no."
	case !b.Granted:
		return "They said no to " + what + " on " + c.Date(b.At) + detail(b.Evidence)
	case !k.Pass:
		return "The consent to " + what + " ended on " + c.Date(b.Expires) + "."
	}
	return "They agreed to " + what + " on " + c.Date(b.At) + detail(b.Evidence) + " Proof: entry " + clip(string(b.Proof), maxValue) + "."
}

func detail(s string) string {
	if s == "" {
		return "."
	}
	return ": " + strings.TrimRight(clip(s, maxValue), ".") + "."
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

func absolute(d time.Duration) time.Duration { return max(d, -d) }

package program

import (
	"crypto/sha256"
	"errors"
	"strconv"

	"rapport/internal/channels"
	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/site"
)

// Sample says for whom, and about what, a template is looked at before it is
// sent.
type Sample struct {
	Template string
	Customer *profile.Profile
	Delivery profile.Delivery // what it would be about: Props, Product, Category, Reason; the rest may be empty
	Locale   string           // default: the customer's
	Public   string           // where people reach the shop's pages; default: the shop's website
	Media    Media            // addresses of pictures and codes; default: of codes, ones that show nothing

	// Consent, caps and the holdout are not asked: nothing is sent to the customer.
}

// Preview is a message as one customer would read it.
type Preview struct {
	Template  string `json:"template"`
	Locale    string `json:"locale"` // the language it is in
	Subject   string `json:"subject"`
	Preheader string `json:"preheader"`
	HTML      string `json:"html"`
	Text      string `json:"text"`
	Aborted   string `json:"aborted,omitempty"` // why the template gives the message up for this customer; then there are no words
	Gaps      []Gap  `json:"gaps"`              // what is missing: a send would fail there
}

// Gap is a value that is missing.
type Gap struct {
	What string `json:"what"` // as the template writes it
	File string `json:"file"`
	Line int    `json:"line"`
}

// exampleReason stands for why a customer gets a message, where no journey says.
const exampleReason = "This is a preview"

// Preview words a template as a customer would read it. What is missing is marked
// in the words, visibly, and listed with its place in the template. The links on
// the message's foot lead nowhere, and nothing is measured.
//
// Any other mistake, such as a value that is no web address where a link stands, is
// an error as in [Program.Render].
func (p *Program) Preview(s Sample, now event.Time) (Preview, error) {
	out := Preview{Template: s.Template, Gaps: []Gap{}}
	t, vars, env, err := p.sample(&s, now)
	if err != nil {
		return out, err
	}
	out.Locale, _ = env.Shared["locale"].(string)
	words, gaps, err := t.words.Preview(vars, env)
	var gone *content.Aborted
	switch {
	case errors.As(err, &gone):
		out.Aborted = gone.Reason
		return out, nil
	case err != nil:
		return out, err
	}
	out.Subject, out.Preheader, out.HTML, out.Text = words.Subject, words.Preheader, words.HTML, words.Text
	for _, g := range gaps {
		out.Gaps = append(out.Gaps, Gap{g.What, g.Spot.Name, g.Spot.Line})
	}
	return out, nil
}

// testMark stands before the subject of a test, so that nobody takes it for the
// message itself.
const testMark = "[Test] "

// Test words a template as a customer would read it, addressed to somebody of the
// shop. It is a message that nobody counts: its links lead where they lead and
// are not measured, those on its foot change nothing, and its subject says that it
// is a test. What is missing is an error, as it would be for the customer.
func (p *Program) Test(s Sample, to string, now event.Time) (channels.Message, error) {
	var m channels.Message
	t, vars, env, err := p.sample(&s, now)
	if err != nil {
		return m, err
	}
	sender, ok := p.SenderOf(&s.Delivery, s.Customer)
	if !ok {
		return m, fault.New(fault.Invalid, "nobody is set up to send by "+s.Delivery.Channel)
	}
	words, err := t.words.Render(vars, env)
	if err != nil {
		return m, err
	}
	d := s.Delivery
	d.Class = profile.Service // whoever asks for a test waits for it, and needs no way out
	sum := sha256.Sum256([]byte("test\x00" + s.Template + "\x00" + to + "\x00" + strconv.FormatInt(int64(now), 10)))
	d.ID = profile.DeliveryID(sum[:16])
	m = message(&d, s.Customer, sender, words, now)
	m.Subject = testMark + m.Subject
	m.To = channels.Party{Address: to}
	return m, nil
}

// sample returns a template with what it would be filled with.
func (p *Program) sample(s *Sample, now event.Time) (*Template, content.Vars, content.Env, error) {
	t, err := p.template(s.Template)
	if err != nil {
		if near := nearest(s.Template, sortedKeys(p.Templates)); near != "" {
			err = fault.Wrap(fault.NotFound, err, "there is no template "+strconv.Quote(s.Template)+"; did you mean "+near+"?")
		}
		return nil, nil, content.Env{}, err
	}
	d := &s.Delivery
	if d.Template = s.Template; d.Channel == "" {
		d.Channel = "email"
	}
	if d.Reason == "" {
		d.Reason = exampleReason
	}
	if d.Product == "" {
		d.Product, d.Category = d.Props.Text("sku"), d.Props.Text("category")
	}
	locale := s.Locale
	if locale == "" {
		locale = s.Customer.Locale
	}
	public := s.Public
	if public == "" {
		public = p.Shop.Website
	}
	sender, _ := p.SenderOf(d, s.Customer) // without one there is no postal line to show
	vars, env := p.variables(d, s.Customer, s.Customer.Address(d.Channel), locale, &sender, now)
	nowhere := dead(public)
	env.Shared["unsubscribe_url"], env.Shared["preferences_url"] = nowhere.Unsubscribe(site.Delivery{}), nowhere.Preferences(site.Delivery{})
	if s.Media == nil {
		s.Media = nowhere
	}
	media(&env, s.Media)
	return t, vars, env, nil
}

// dead makes the addresses of messages that are no deliveries: they look like
// signed ones and no page accepts them.
type dead string

func (d dead) base() string {
	if d == "" {
		return "https://shop.example"
	}
	return string(d)
}

// Unsubscribe returns an address that changes nothing.
func (d dead) Unsubscribe(site.Delivery) string { return d.base() + "/u/test" }

// Preferences returns an address that shows nothing.
func (d dead) Preferences(site.Delivery) string { return d.base() + "/p/test" }

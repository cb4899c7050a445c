package shopify

import (
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

type address struct {
	First   text `json:"first_name"`
	Last    text `json:"last_name"`
	Country text `json:"country_code"`
	City    text `json:"city"`
}

type customer struct {
	ID           text     `json:"id"`
	Email        text     `json:"email"`
	Phone        text     `json:"phone"`
	First        text     `json:"first_name"`
	Last         text     `json:"last_name"`
	Locale       text     `json:"locale"`
	Tags         text     `json:"tags"`
	Created      text     `json:"created_at"`
	Updated      text     `json:"updated_at"`
	Default      *address `json:"default_address"`
	EmailConsent *consent `json:"email_marketing_consent"`
	SMSConsent   *consent `json:"sms_marketing_consent"`
	// Of old versions of the API.
	Accepts   *bool `json:"accepts_marketing"`
	AcceptsAt text  `json:"accepts_marketing_updated_at"`
	OptIn     text  `json:"marketing_opt_in_level"`
}

type consent struct {
	State text `json:"state"`
	Level text `json:"opt_in_level"`
	At    text `json:"consent_updated_at"`
	From  text `json:"consent_collected_from"`
}

// says returns what a consent says; false if it says nothing: who never subscribed
// has not refused either, and one that is pending waits for a confirmation.
func (c *consent) says(channel string, otherwise event.Time) (out connect.Consent, said bool, err error) {
	if c == nil {
		return out, false, nil
	}
	out.Channel, out.Evidence = channel, c.State.String()
	switch c.State {
	case "subscribed":
		out.Granted = true
	case "unsubscribed", "redacted":
	default:
		return out, false, nil
	}
	for _, t := range [...]text{c.Level, c.From} {
		if t != "" {
			out.Evidence += ", " + strings.ToLower(t.String())
		}
	}
	if out.At, err = c.At.Time("consent_updated_at"); out.At == 0 {
		out.At = otherwise
	}
	return out, true, err
}

// told puts a customer into our words.
func (c *customer) told() (p connect.Person, err error) {
	p = connect.Person{ID: c.ID.String(), Email: c.Email.String(), Phone: c.Phone.String(), First: c.First.String(), Last: c.Last.String(), Locale: c.Locale.String()}
	if c.Default != nil {
		p.Country, p.City = c.Default.Country.String(), c.Default.City.String()
	}
	for tag := range strings.SplitSeq(c.Tags.String(), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			p.Tags = append(p.Tags, tag)
		}
	}
	created, err := c.Created.Time("created_at")
	if err != nil {
		return p, err
	}
	if p.Updated, err = c.Updated.Time("updated_at"); err != nil {
		return p, err
	}
	for _, said := range []struct {
		consent *consent
		channel string
	}{{c.EmailConsent, "email"}, {c.SMSConsent, "sms"}} {
		// A consent without an instant is as old as the customer: whatever was said later counts.
		s, ok, err := said.consent.says(said.channel, created)
		if err != nil {
			return p, err
		}
		if ok {
			p.Says = append(p.Says, s)
		}
	}
	if c.EmailConsent == nil && c.Accepts != nil {
		at, err := c.AcceptsAt.Time("accepts_marketing_updated_at")
		if err != nil {
			return p, err
		}
		s := connect.Consent{Channel: "email", Granted: *c.Accepts, At: at, Evidence: strings.TrimSuffix("accepts_marketing, "+c.OptIn.String(), ", ")}
		if s.Granted && s.At == 0 {
			s.At = created
		}
		if s.Granted || s.At > created { // before that nobody was asked
			p.Says = append(p.Says, s)
		}
	}
	return p, nil
}

// tell says who the customer is, if the document is a picture of one and not just
// the id.
func (c *customer) tell(t *connect.Teller) error {
	p, err := c.told()
	if err != nil {
		return err
	}
	if c.Updated == "" && c.EmailConsent == nil && c.Accepts == nil {
		return nil
	}
	t.Person(&p)
	return nil
}

func readCustomer(t *connect.Teller, what string, body []byte) (h connect.Heard, err error) {
	switch what {
	case "data_request":
		h.Ignored = "answer it with the customer's own page"
		return h, nil
	case "redact":
		return readRedact(t, body)
	case "merge":
		h.Ignored = "customers are recognised by what identifies them"
		return h, nil
	}
	var c customer
	if err := connect.Decode(body, &c); err != nil {
		return h, err
	}
	if c.ID == "" {
		return h, fault.New(fault.Invalid, "id: a customer needs one")
	}
	if what == "delete" {
		withdraw(t, &connect.Person{ID: c.ID.String(), Email: c.Email.String(), Phone: c.Phone.String()}, "deleted in the shop")
		return heardOf(t, ""), nil
	}
	if err := c.tell(t); err != nil {
		return h, err
	}
	return heardOf(t, "the document is only a part of a customer"), nil
}

// withdraw takes back every consent of a person.
func withdraw(t *connect.Teller, who *connect.Person, why string) {
	for _, channel := range [...]string{"email", "sms"} {
		t.Say(who, connect.Consent{Channel: channel, At: t.Heard, Evidence: why})
	}
}

// readRedact hears that a customer wants to be forgotten. From now on nothing is
// sent; erasing is a decision of the shop.
func readRedact(t *connect.Teller, body []byte) (h connect.Heard, err error) {
	var r struct {
		Customer customer `json:"customer"`
	}
	if err := connect.Decode(body, &r); err != nil {
		return h, err
	}
	who := &connect.Person{ID: r.Customer.ID.String(), Email: r.Customer.Email.String(), Phone: r.Customer.Phone.String()}
	withdraw(t, who, "asked the shop to be forgotten")
	t.Tell(who, t.ID("redact", who.ID), connect.ErasureAsked, t.Heard, (&event.Builder{}).SetText("by", t.Source.Name), "")
	return heardOf(t, "nobody is named"), nil
}

// readConsent reads the consent that comes alone.
func readConsent(t *connect.Teller, body []byte) (h connect.Heard, err error) {
	var c struct {
		Customer text     `json:"customer_id"`
		ID       text     `json:"id"`
		Email    text     `json:"email_address"`
		Mail     text     `json:"email"`
		Phone    text     `json:"phone"`
		ByMail   *consent `json:"email_marketing_consent"`
		BySMS    *consent `json:"sms_marketing_consent"`
	}
	if err := connect.Decode(body, &c); err != nil {
		return h, err
	}
	who := connect.Person{ID: c.Customer.String(), Email: c.Email.String(), Phone: c.Phone.String()}
	if who.ID == "" {
		who.ID = c.ID.String()
	}
	if who.Email == "" {
		who.Email = c.Mail.String()
	}
	for _, said := range []struct {
		consent *consent
		channel string
	}{{c.ByMail, "email"}, {c.BySMS, "sms"}} {
		s, ok, err := said.consent.says(said.channel, t.Heard)
		if err != nil {
			return h, err
		}
		if ok {
			t.Say(&who, s)
		}
	}
	return heardOf(t, "nothing is agreed to and nothing refused"), nil
}

// Package sendgrid is the channel to SendGrid's v3 mail API, and the reader of
// its event webhook.
//
// Messages of the same words travel together as personalizations, each with its
// own recipient, subject, headers and arguments; every other message travels
// alone. SendGrid takes a request whole or refuses it whole, so after a refusal
// the request is asked again in halves until the one that is to blame stands
// alone. It has no idempotency key: a request without an answer is Unknown, and
// the event webhook, which carries the delivery's id as an argument, tells what
// became of it. SendGrid's own tracking stays off: whether a person is measured is
// their choice, made with us.
package sendgrid

import (
	"encoding/json"
	"net/http"
	"strings"

	"rapport/internal/channels"
	"rapport/internal/channels/mail"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
)

// The addresses of SendGrid's regions.
const (
	baseGlobal = "https://api.sendgrid.com"
	baseEU     = "https://api.eu.sendgrid.com"
)

// maxTogether is how many personalizations SendGrid takes in one request.
const maxTogether = 1000

// Options say whose account sends.
type Options struct {
	provider.Options

	// Key is an API key with the permission Mail Send. Required.
	Key provider.Secret

	// Region is "global" or "eu". Default: global.
	Region string
}

// New returns a channel to SendGrid.
func New(o Options) (*provider.Channel, error) {
	if err := provider.Required("SendGrid's API key", string(o.Key)); err != nil {
		return nil, err
	}
	base := baseGlobal
	switch o.Region {
	case "", "global":
	case "eu":
		base = baseEU
	default:
		return nil, fault.New(fault.Invalid, "SendGrid's region is global or eu")
	}
	return provider.New(&protocol{o.Key}, base, o.Options)
}

type protocol struct{ key provider.Secret }

type address struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

type part struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type personalization struct {
	To         []address         `json:"to"`
	Subject    string            `json:"subject"`
	Headers    map[string]string `json:"headers"`
	CustomArgs map[string]string `json:"custom_args"`
}

type enable struct {
	Enable bool `json:"enable"`
}

type tracking struct {
	Click        enable `json:"click_tracking"`
	Open         enable `json:"open_tracking"`
	Subscription enable `json:"subscription_tracking"` // it would rewrite our way out
}

type send struct {
	Personalizations []personalization `json:"personalizations"`
	From             address           `json:"from"`
	ReplyTo          *address          `json:"reply_to,omitempty"`
	Content          []part            `json:"content"`
	Tracking         tracking          `json:"tracking_settings"`
}

// Fit keeps messages of the same words together, and no address twice: SendGrid
// refuses a request that names one again.
func (*protocol) Fit(letters []provider.Letter) int {
	first := letters[0].Message
	seen := map[mail.Address]bool{}
	for n := range letters {
		m, to := letters[n].Message, letters[n].Envelope.To
		to.Local = strings.ToLower(to.Local)
		if n == maxTogether || seen[to] || m.HTML != first.HTML || m.Text != first.Text || m.From != first.From || m.ReplyTo != first.ReplyTo {
			return n
		}
		seen[to] = true
	}
	return len(letters)
}

// Request words one request.
func (*protocol) Request(letters []provider.Letter) provider.Request {
	m, e := letters[0].Message, &letters[0].Envelope
	s := send{From: named(e.From, m.From.Name)}
	if e.ReplyTo != (mail.Address{}) {
		reply := named(e.ReplyTo, m.ReplyTo.Name)
		s.ReplyTo = &reply
	}
	if m.Text != "" { // text stands before HTML, or SendGrid refuses both
		s.Content = append(s.Content, part{"text/plain", m.Text})
	}
	if m.HTML != "" {
		s.Content = append(s.Content, part{"text/html", m.HTML})
	}
	for i := range letters {
		m, e := letters[i].Message, &letters[i].Envelope
		p := personalization{
			To: []address{named(e.To, m.To.Name)}, Subject: mail.Flatten(m.Subject),
			Headers: map[string]string{"Message-ID": e.ID}, CustomArgs: map[string]string{provider.DeliveryKey: m.Delivery},
		}
		for _, h := range m.Headers {
			p.Headers[h.Name] = h.Value
		}
		s.Personalizations = append(s.Personalizations, p)
	}
	return provider.Request{Path: "/v3/mail/send", ContentType: "application/json", Body: provider.JSON(s)}
}

func named(a mail.Address, name string) address { return address{a.String(), mail.Flatten(name)} }

// Sign adds the key.
func (p *protocol) Sign(r *http.Request, _ []byte) {
	r.Header.Set("Authorization", "Bearer "+string(p.key))
}

// Read reads SendGrid's answer: 202 for all, or why none was taken.
func (*protocol) Read(a *provider.Answer, letters []provider.Letter) provider.Reading {
	if a.Means() == provider.Taken {
		return a.Reading(provider.Taken, a.Header.Get("X-Message-Id"), letters)
	}
	var says struct {
		Errors []struct {
			Message string `json:"message"`
			Field   string `json:"field"`
		} `json:"errors"`
	}
	if json.Unmarshal(a.Body, &says) != nil || len(says.Errors) == 0 {
		return a.Reading(a.Means(), string(a.Body), letters)
	}
	first := says.Errors[0]
	r := a.Reading(a.Means(), strings.TrimSpace(first.Field+" "+first.Message), letters)
	if r.Split && len(letters) == 1 && aboutTo(first.Field, first.Message) {
		o := &r.Outcomes[0]
		o.State, o.Hard, o.Enhanced = channels.Rejected, true, "5.1.3"
	}
	return r
}

// aboutTo reports whether an error says that the recipient's address is none.
func aboutTo(field, words string) bool {
	return strings.HasPrefix(field, "personalizations.") && strings.Contains(field, ".to") && strings.Contains(strings.ToLower(words), "valid address")
}

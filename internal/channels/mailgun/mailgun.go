// Package mailgun is the channel to Mailgun's messages API, and the reader of its
// webhooks.
//
// Each message is a request of its own. Mailgun's batches word one template for
// many and answer once for all; our messages are worded already, and each needs
// its own answer. Mailgun has no idempotency key, so a request without an answer
// is Unknown; the delivery's id travels as a variable and comes back in every
// webhook. Mailgun's own tracking stays off: whether a person is measured is their
// choice, made with us.
package mailgun

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"rapport/internal/channels/mail"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
)

// The addresses of Mailgun's regions. A domain lives in one of them.
const (
	baseUS = "https://api.mailgun.net"
	baseEU = "https://api.eu.mailgun.net"
)

// Options say whose account sends, and from where.
type Options struct {
	provider.Options

	// Key is a sending key of the domain, or the account's API key. Required.
	Key provider.Secret

	// Domain is the sending domain as Mailgun knows it. Required.
	Domain string

	// Region is "us" or "eu". Default: us.
	Region string
}

// New returns a channel to Mailgun.
func New(o Options) (*provider.Channel, error) {
	if err := provider.Required("Mailgun's API key", string(o.Key)); err != nil {
		return nil, err
	}
	if _, err := mail.ParseAddress("a@" + o.Domain); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "Mailgun's sending domain must be a domain, as in mailgun://mg.shop.example")
	}
	base := baseUS
	switch o.Region {
	case "", "us":
	case "eu":
		base = baseEU
	default:
		return nil, fault.New(fault.Invalid, "Mailgun's region is us or eu")
	}
	return provider.New(&protocol{key: o.Key, path: "/v3/" + strings.ToLower(o.Domain) + "/messages"}, base, o.Options)
}

type protocol struct {
	key  provider.Secret
	path string
}

// Fit says that each message travels alone.
func (*protocol) Fit([]provider.Letter) int { return 1 }

// Request words one message as a form.
func (p *protocol) Request(letters []provider.Letter) provider.Request {
	m, e := letters[0].Message, &letters[0].Envelope
	form := url.Values{
		"from": {e.From.Mailbox(m.From.Name)}, "to": {e.To.Mailbox(m.To.Name)}, "subject": {mail.Flatten(m.Subject)},
		"h:Message-Id": {e.ID}, "v:" + provider.DeliveryKey: {m.Delivery},
		"o:tracking": {"no"}, "o:tracking-clicks": {"no"}, "o:tracking-opens": {"no"},
	}
	if m.HTML != "" {
		form.Set("html", m.HTML)
	}
	if m.Text != "" {
		form.Set("text", m.Text)
	}
	if e.ReplyTo != (mail.Address{}) {
		form.Set("h:Reply-To", e.ReplyTo.Mailbox(m.ReplyTo.Name))
	}
	for _, h := range m.Headers {
		form.Set("h:"+h.Name, h.Value)
	}
	return provider.Request{Path: p.path, ContentType: "application/x-www-form-urlencoded", Body: []byte(form.Encode())}
}

// Sign adds the key.
func (p *protocol) Sign(r *http.Request, _ []byte) { r.SetBasicAuth("api", string(p.key)) }

// Read reads Mailgun's answer.
func (*protocol) Read(a *provider.Answer, letters []provider.Letter) provider.Reading {
	var says struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	}
	readable := json.Unmarshal(a.Body, &says) == nil
	switch {
	case a.Means() == provider.Taken && (!readable || says.ID == ""):
		return a.Reading(provider.Lost, "the answer names no message", letters)
	case a.Means() == provider.Taken:
		return a.Reading(provider.Taken, says.ID, letters)
	case !readable:
		says.Message = string(a.Body) // "Forbidden" comes as plain text
	}
	r := a.Reading(a.Means(), says.Message, letters)
	if words := strings.ToLower(says.Message); r.Split && strings.Contains(words, "'to' parameter") && strings.Contains(words, "not a valid address") {
		r.Outcomes[0].Hard, r.Outcomes[0].Enhanced = true, "5.1.3"
	}
	return r
}

// Package resend is the channel to Resend's e-mail API, and the reader of its
// webhooks.
//
// Resend remembers each request by its Idempotency-Key for 24 hours and does it
// once, so a request whose answer was lost is asked again, safely, and only one
// that never gets an answer is Unknown. Marketing travels in batches; Resend then
// checks each message by itself. A message that a person waits for travels alone
// under the delivery's own id, so that a process that dies and asks again later
// asks under the same key.
package resend

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"rapport/internal/channels"
	"rapport/internal/channels/mail"
	"rapport/internal/channels/provider"
)

// base is where Resend's API is.
const base = "https://api.resend.com"

// Resend's limits for one batch: the number is stated, the size is that of one message.
const (
	maxBatch = 100
	maxBytes = 32 << 20
)

// Options say whose account sends.
type Options struct {
	provider.Options

	// Key is an API key that may send. Required.
	Key provider.Secret
}

// New returns a channel to Resend.
func New(o Options) (*provider.Channel, error) {
	if err := provider.Required("Resend's API key", string(o.Key)); err != nil {
		return nil, err
	}
	return provider.New(&protocol{o.Key}, base, o.Options)
}

type protocol struct{ key provider.Secret }

type tag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type message struct {
	From    string            `json:"from"`
	To      []string          `json:"to"`
	ReplyTo string            `json:"reply_to,omitempty"`
	Subject string            `json:"subject"`
	HTML    string            `json:"html,omitempty"`
	Text    string            `json:"text,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Tags    []tag             `json:"tags"`
}

// Fit keeps to Resend's limits, and sends alone what a person waits for.
func (*protocol) Fit(letters []provider.Letter) int {
	if letters[0].Message.Service {
		return 1
	}
	n := 1
	for n < len(letters) && !letters[n].Message.Service {
		n++
	}
	return provider.FitBytes(letters[:n], maxBatch, maxBytes)
}

// alone reports whether the letters travel as a request for one message.
func alone(letters []provider.Letter) bool { return len(letters) == 1 && letters[0].Message.Service }

// Request words one message or one batch.
func (*protocol) Request(letters []provider.Letter) provider.Request {
	batch := make([]message, len(letters))
	sum := sha256.New()
	for i := range letters {
		m, e := letters[i].Message, &letters[i].Envelope
		batch[i] = message{
			From: e.From.Mailbox(m.From.Name), To: []string{e.To.Mailbox(m.To.Name)}, Subject: mail.Flatten(m.Subject), HTML: m.HTML, Text: m.Text,
			Tags: []tag{{provider.DeliveryKey, m.Delivery}},
		}
		if e.ReplyTo != (mail.Address{}) {
			batch[i].ReplyTo = e.ReplyTo.Mailbox(m.ReplyTo.Name)
		}
		for _, h := range m.Headers {
			if batch[i].Headers == nil {
				batch[i].Headers = map[string]string{}
			}
			batch[i].Headers[h.Name] = h.Value
		}
		sum.Write([]byte(m.Delivery))
	}
	r := provider.Request{Path: "/emails/batch", ContentType: "application/json", Header: http.Header{}, Repeatable: true}
	key := letters[0].Message.Delivery
	if alone(letters) {
		r.Path, r.Body = "/emails", provider.JSON(batch[0])
	} else {
		// Resend else refuses the whole batch for one bad message in it.
		r.Header.Set("X-Batch-Validation", "permissive")
		r.Body, key = provider.JSON(batch), hex.EncodeToString(sum.Sum(nil))
	}
	r.Header.Set("Idempotency-Key", "rapport/"+key)
	return r
}

// Sign adds the key.
func (p *protocol) Sign(r *http.Request, _ []byte) {
	r.Header.Set("Authorization", "Bearer "+string(p.key))
}

type answer struct {
	ID   string `json:"id"`
	Data []struct {
		ID string `json:"id"`
	} `json:"data"`
	Errors []struct {
		Index   int    `json:"index"`
		Message string `json:"message"`
	} `json:"errors"`
	Name    string `json:"name"`
	Message string `json:"message"`
}

// Read reads Resend's answer: an id for each message that was taken, in order,
// and an error for each that was not, by its place.
func (*protocol) Read(a *provider.Answer, letters []provider.Letter) provider.Reading {
	var says answer
	readable := a.Whole && json.Unmarshal(a.Body, &says) == nil
	if a.Means() != provider.Taken {
		words := strings.TrimSpace(says.Name + " " + says.Message)
		r := a.Reading(meaning(a, says.Name), words, letters)
		if r.Split && len(letters) == 1 && aboutTo(says.Message) {
			r.Outcomes[0].Hard, r.Outcomes[0].Enhanced = true, "5.1.3"
		}
		return r
	}
	if alone(letters) {
		if !readable || says.ID == "" {
			return a.Reading(provider.Lost, "the answer names no message", letters)
		}
		return a.Reading(provider.Taken, says.ID, letters)
	}
	if !readable || len(says.Data)+len(says.Errors) != len(letters) {
		return a.Reading(provider.Lost, "the answer does not have a word for each message", letters)
	}
	refused := map[int]string{}
	for _, e := range says.Errors {
		if e.Index < 0 || e.Index >= len(letters) {
			return a.Reading(provider.Lost, "the answer speaks of a message that was not in the batch", letters)
		}
		refused[e.Index] = e.Message
	}
	if len(refused) != len(says.Errors) {
		return a.Reading(provider.Lost, "the answer speaks twice of one message", letters)
	}
	all := provider.Each(letters, channels.Outcome{})
	for i, ids := 0, says.Data; i < len(letters); i++ {
		if words, bad := refused[i]; bad {
			o := a.Reading(provider.Refused, words, letters[i:i+1]).Outcomes[0]
			if aboutTo(words) {
				o.Hard, o.Enhanced = true, "5.1.3"
			}
			all.Outcomes[i] = o
			continue
		}
		all.Outcomes[i] = a.Reading(provider.Taken, ids[0].ID, letters[i:i+1]).Outcomes[0]
		ids = ids[1:]
	}
	return all
}

// meaning returns what an error of Resend says about the request.
func meaning(a *provider.Answer, name string) provider.Meaning {
	switch name {
	case "rate_limit_exceeded", "daily_quota_exceeded", "monthly_quota_exceeded":
		return provider.Later
	case "missing_api_key", "invalid_api_key", "invalid_api_Key", "restricted_api_key", "invalid_from_address", "invalid_access", "not_found", "method_not_allowed":
		return provider.Ours
	case "invalid_idempotent_request", "concurrent_idempotent_requests":
		return provider.Lost // it knows the key: an earlier request may have been taken
	}
	return a.Means()
}

// aboutTo reports whether the words say that the recipient's address is none.
func aboutTo(words string) bool {
	words = strings.ToLower(words)
	return strings.Contains(words, "`to`") && strings.Contains(words, "invalid")
}

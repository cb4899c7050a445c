// Package postmark is the channel to Postmark's e-mail API, and the reader of its
// webhooks.
//
// Messages travel in batches (POST /email/batch); the answer has a word for each,
// in order. Postmark has no idempotency key: a batch whose answer was lost is
// Unknown, and its webhooks, which carry the delivery's id in the metadata, tell
// what became of it. Postmark's own open and click tracking stays off: whether a
// person is measured is their choice, made with us.
package postmark

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"rapport/internal/channels"
	"rapport/internal/channels/mail"
	"rapport/internal/channels/provider"
)

// base is where Postmark's API is.
const base = "https://api.postmarkapp.com"

// Postmark's limits for one batch.
const (
	maxBatch = 500
	maxBytes = 48 << 20 // 50 MB are taken; the rest is room for what JSON adds
)

// Options say whose account sends.
type Options struct {
	provider.Options

	// Token is the server API token. Required.
	Token provider.Secret

	// Marketing and Service name the message streams. Default: "broadcast" and
	// "outbound", which every Postmark server has.
	Marketing, Service string
}

// New returns a channel to Postmark.
func New(o Options) (*provider.Channel, error) {
	if err := provider.Required("Postmark's server API token", string(o.Token)); err != nil {
		return nil, err
	}
	if o.Marketing == "" {
		o.Marketing = "broadcast"
	}
	if o.Service == "" {
		o.Service = "outbound"
	}
	return provider.New(&protocol{o}, base, o.Options)
}

type protocol struct{ o Options }

type header struct {
	Name  string
	Value string
}

type message struct {
	From          string
	To            string
	ReplyTo       string `json:",omitempty"`
	Subject       string
	HTMLBody      string `json:"HtmlBody,omitempty"`
	TextBody      string `json:",omitempty"`
	Headers       []header
	Metadata      map[string]string
	MessageStream string
	TrackOpens    bool
	TrackLinks    string
}

type result struct {
	ErrorCode int
	Message   string
	MessageID string
}

// Fit keeps to Postmark's limits.
func (p *protocol) Fit(letters []provider.Letter) int {
	return provider.FitBytes(letters, maxBatch, maxBytes)
}

// Request words one batch.
func (p *protocol) Request(letters []provider.Letter) provider.Request {
	batch := make([]message, len(letters))
	for i := range letters {
		m, e := letters[i].Message, &letters[i].Envelope
		batch[i] = message{
			From: e.From.Mailbox(m.From.Name), To: e.To.Mailbox(m.To.Name), Subject: mail.Flatten(m.Subject), HTMLBody: m.HTML, TextBody: m.Text,
			Metadata: map[string]string{provider.DeliveryKey: m.Delivery}, MessageStream: p.o.Marketing, TrackLinks: "None",
			// Postmark keeps a Message-ID of ours only if told so.
			Headers: []header{{"Message-ID", e.ID}, {"X-PM-KeepID", "true"}},
		}
		if m.Service {
			batch[i].MessageStream = p.o.Service
		}
		if e.ReplyTo != (mail.Address{}) {
			batch[i].ReplyTo = e.ReplyTo.Mailbox(m.ReplyTo.Name)
		}
		for _, h := range m.Headers {
			batch[i].Headers = append(batch[i].Headers, header(h))
		}
	}
	return provider.Request{Path: "/email/batch", ContentType: "application/json", Body: provider.JSON(batch)}
}

// Sign adds the token.
func (p *protocol) Sign(r *http.Request, _ []byte) {
	r.Header.Set("X-Postmark-Server-Token", string(p.o.Token))
}

// Read reads one word for each message, or one for all.
func (p *protocol) Read(a *provider.Answer, letters []provider.Letter) provider.Reading {
	if a.Means() == provider.Taken {
		var results []result
		if !a.Whole || json.Unmarshal(a.Body, &results) != nil || len(results) != len(letters) {
			return a.Reading(provider.Lost, "the answer does not have a word for each message", letters)
		}
		all := provider.Each(letters, channels.Outcome{})
		for i, r := range results {
			one := p.said(a, r, letters[i:i+1])
			all.Outcomes[i] = one.Outcomes[0]
			if one.Trouble != "" {
				all.Trouble = one.Trouble
			}
		}
		return all
	}
	var r result
	if json.Unmarshal(a.Body, &r) == nil && r.ErrorCode != 0 && a.Means() != provider.Lost {
		return p.said(a, r, letters)
	}
	return a.Reading(a.Means(), r.Message, letters)
}

// The codes of Postmark's errors that are about one message or the moment. Every
// other is about the token, the account or the sender.
const (
	codeTaken        = 0
	codeMaintenance  = 100
	codeInvalid      = 300
	codeJSON         = 402
	codeIncompatible = 403
	codeInactive     = 406
	codeTooMany      = 410
	codeAttachment   = 411
	codeRate         = 429
)

// said returns what an error code means.
func (p *protocol) said(a *provider.Answer, r result, letters []provider.Letter) provider.Reading {
	words := r.Message
	switch r.ErrorCode {
	case codeTaken:
		return a.Reading(provider.Taken, r.MessageID, letters)
	case codeMaintenance, codeRate:
		return a.Reading(provider.Later, words, letters)
	case codeInvalid, codeJSON, codeIncompatible, codeInactive, codeTooMany, codeAttachment:
		out := a.Reading(provider.Refused, words, letters)
		if r.ErrorCode == codeInvalid && aboutTo(words) && len(letters) == 1 {
			out.Outcomes[0].Hard, out.Outcomes[0].Enhanced = true, "5.1.3"
		}
		return out
	}
	return a.Reading(provider.Ours, strconv.Itoa(r.ErrorCode)+": "+words, letters)
}

// aboutTo reports whether the words say that the recipient's address is none.
func aboutTo(words string) bool {
	words = strings.ToLower(words)
	return strings.Contains(words, "'to'") && (strings.Contains(words, "invalid") || strings.Contains(words, "illegal"))
}

// Package ses is the channel to Amazon SES (API v2), and the reader of what SES
// tells through SNS.
//
// Each message is a request of its own: SES has no batch of different messages.
// Requests are signed by Signature Version 4. SES has no idempotency key, so a
// request without an answer is Unknown; the delivery's id travels as a message
// tag and comes back with every event of the configuration set.
package ses

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"rapport/internal/channels/mail"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
)

// Options say whose account sends, and where.
type Options struct {
	provider.Options
	Credentials

	// Region is the AWS region, such as "eu-west-1". Required.
	Region string

	// ConfigurationSet names the set whose event destination tells what became of
	// messages. Default: empty, the account's default set. Without a set that
	// publishes to SNS nobody tells of bounces and complaints.
	ConfigurationSet string
}

// New returns a channel to SES.
func New(o Options) (*provider.Channel, error) {
	if !validRegion(o.Region) {
		return nil, fault.New(fault.Invalid, "an AWS region is like eu-west-1, not "+strings.ToValidUTF8(o.Region, "?"))
	}
	if err := provider.Required("the AWS access key id", o.ID); err != nil {
		return nil, err
	}
	if err := provider.Required("the AWS secret access key", string(o.Secret)); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &protocol{set: o.ConfigurationSet, now: o.Now, signer: signer{o.Credentials, o.Region, "ses"}}
	return provider.New(p, "https://email."+o.Region+"."+suffix(o.Region), o.Options)
}

// suffix is the domain of AWS in the partition of a region.
func suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// validRegion reports whether s may stand in a host name and looks like a region.
func validRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || len(s) > 32 {
		return false
	}
	for _, p := range parts {
		if p == "" || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

type protocol struct {
	set    string
	now    func() time.Time
	signer signer
}

type text struct {
	Data    string
	Charset string
}

type nameValue struct {
	Name  string
	Value string
}

type body struct {
	HTML *text `json:"Html,omitempty"`
	Text *text `json:",omitempty"`
}

type simple struct {
	Subject text
	Body    body
	Headers []nameValue `json:",omitempty"`
}

type destination struct{ ToAddresses []string }

type content struct{ Simple simple }

type sendEmail struct {
	FromEmailAddress     string
	Destination          destination
	ReplyToAddresses     []string `json:",omitempty"`
	Content              content
	EmailTags            []nameValue
	ConfigurationSetName string `json:",omitempty"`
}

// Fit says that each message travels alone.
func (*protocol) Fit([]provider.Letter) int { return 1 }

// Request words one message.
func (p *protocol) Request(letters []provider.Letter) provider.Request {
	m, e := letters[0].Message, &letters[0].Envelope
	s := sendEmail{
		FromEmailAddress:     e.From.Encoded(m.From.Name), // SES takes ASCII here
		Destination:          destination{[]string{e.To.Encoded(m.To.Name)}},
		EmailTags:            []nameValue{{provider.DeliveryKey, m.Delivery}},
		ConfigurationSetName: p.set,
	}
	if e.ReplyTo != (mail.Address{}) {
		s.ReplyToAddresses = []string{e.ReplyTo.Encoded(m.ReplyTo.Name)}
	}
	c := &s.Content.Simple
	c.Subject = text{mail.Flatten(m.Subject), "UTF-8"}
	if m.HTML != "" {
		c.Body.HTML = &text{m.HTML, "UTF-8"}
	}
	if m.Text != "" {
		c.Body.Text = &text{m.Text, "UTF-8"}
	}
	for _, h := range m.Headers {
		c.Headers = append(c.Headers, nameValue(h))
	}
	return provider.Request{Path: "/v2/email/outbound-emails", ContentType: "application/json", Body: provider.JSON(s)}
}

// Sign signs the request as AWS asks.
func (p *protocol) Sign(r *http.Request, body []byte) { p.signer.sign(r, body, p.now()) }

// Read reads SES's answer.
func (*protocol) Read(a *provider.Answer, letters []provider.Letter) provider.Reading {
	var says struct {
		MessageID string `json:"MessageId"`
		Message   string `json:"message"`
	}
	readable := json.Unmarshal(a.Body, &says) == nil
	if a.Means() == provider.Taken {
		if !readable || says.MessageID == "" {
			return a.Reading(provider.Lost, "the answer names no message", letters)
		}
		return a.Reading(provider.Taken, says.MessageID, letters)
	}
	// "MessageRejected:http://internal.amazon.com/…"
	name, _, _ := strings.Cut(a.Header.Get("X-Amzn-Errortype"), ":")
	words := strings.TrimSpace(name + " " + says.Message)
	r := a.Reading(meaning(a, name, says.Message), words, letters)
	if r.Split && name == "BadRequestException" && badAddress(says.Message) {
		r.Outcomes[0].Hard, r.Outcomes[0].Enhanced = true, "5.1.3"
	}
	return r
}

// meaning returns what an error of SES says about the message. AWS answers 400 to
// faults of every kind; the name tells them apart.
func meaning(a *provider.Answer, name, words string) provider.Meaning {
	switch name {
	case "TooManyRequestsException", "LimitExceededException", "ThrottlingException", "Throttling", "RequestThrottled":
		return provider.Later
	case "AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException", "NotFoundException",
		"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature",
		"InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken", "MissingAuthenticationTokenException", "OptInRequired", "RequestExpired":
		return provider.Ours
	case "MessageRejected":
		// In the sandbox, and for an identity that was never verified, SES says so of
		// a message.
		if strings.Contains(words, "not verified") {
			return provider.Ours
		}
	}
	return a.Means()
}

// badAddress reports whether SES's words are about the syntax of the recipient.
func badAddress(words string) bool {
	words = strings.ToLower(words)
	for _, from := range []string{"from", "source", "reply"} {
		if strings.Contains(words, from) {
			return false
		}
	}
	for _, w := range []string{"illegal address", "missing final", "missing local", "domain contains", "domain starts", "domain ends", "local address contains", "invalid email", "invalid domain"} {
		if strings.Contains(words, w) {
			return true
		}
	}
	return false
}

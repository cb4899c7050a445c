package sendgrid

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
)

// The headers of a signed event webhook.
const (
	signatureHeader = "X-Twilio-Email-Event-Webhook-Signature"
	timestampHeader = "X-Twilio-Email-Event-Webhook-Timestamp"
)

// tolerance is how old a webhook may be: SendGrid tries for 24 hours, and does
// not say that it signs each try anew.
const tolerance = 25 * time.Hour

// maxEvents bounds the events of one webhook: SendGrid sends 768 kB at most, and
// an event has some 300 bytes.
const maxEvents = 20_000

// Hook says by which key SendGrid signs.
type Hook struct {
	// PublicKey is the verification key as SendGrid shows it: base64 of a DER key
	// of the curve P-256. It is no secret.
	PublicKey string
	Now       func() time.Time // Default: the wall's clock
	Judge     provider.Judge
}

// Reader reads SendGrid's event webhook.
type Reader struct {
	key   *ecdsa.PublicKey
	now   func() time.Time
	judge provider.Judge
}

// NewReader returns a reader of one account's event webhook.
func NewReader(h Hook) (*Reader, error) {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(h.PublicKey))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "SendGrid's verification key is base64, as its settings page shows it")
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "SendGrid's verification key cannot be read")
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fault.New(fault.Invalid, "SendGrid's verification key is of the curve P-256, and this one is not")
	}
	if h.Now == nil {
		h.Now = time.Now
	}
	return &Reader{key, h.Now, h.Judge}, nil
}

// verify checks the signature over the timestamp and the body as it came.
func (r *Reader) verify(header http.Header, body []byte) error {
	stamp := header.Get(timestampHeader)
	signature, err := base64.StdEncoding.DecodeString(header.Get(signatureHeader))
	if err != nil || stamp == "" {
		return fault.New(fault.Denied, "the webhook has no signature of SendGrid's")
	}
	h := sha256.New()
	h.Write([]byte(stamp))
	h.Write(body)
	if !ecdsa.VerifyASN1(r.key, h.Sum(nil), signature) {
		return fault.New(fault.Denied, "the webhook's signature is not SendGrid's")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !provider.Within(time.Unix(seconds, 0), r.now(), tolerance) {
		return fault.New(fault.Denied, "the webhook is too old or from the future")
	}
	return nil
}

type told struct {
	Email       string  `json:"email"`
	Event       string  `json:"event"`
	ID          string  `json:"sg_event_id"`
	Timestamp   float64 `json:"timestamp"`
	Delivery    string  `json:"rapport_delivery"`
	Reason      string  `json:"reason"`
	Response    string  `json:"response"`
	Status      string  `json:"status"`
	Type        string  `json:"type"`
	Class       string  `json:"bounce_classification"`
	URL         string  `json:"url"`
	Agent       string  `json:"useragent"`
	MachineOpen bool    `json:"sg_machine_open"`
}

// Read keeps the promise of [provider.Reader].
func (r *Reader) Read(_ context.Context, header http.Header, body []byte) ([]channels.Notice, error) {
	if err := r.verify(header, body); err != nil {
		return nil, err
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the webhook is not a list of events")
	}
	if len(raw) > maxEvents {
		return nil, fault.New(fault.TooLarge, "the webhook holds more than "+strconv.Itoa(maxEvents)+" events")
	}
	var notices []channels.Notice
	for _, one := range raw {
		var e told
		if json.Unmarshal(one, &e) != nil {
			continue // an argument of the shop's own under one of these names: the others are read
		}
		if n := r.notice(&e); n.Told != 0 {
			notices = append(notices, n)
		}
	}
	return notices, nil
}

func (r *Reader) notice(e *told) channels.Notice {
	n := channels.Notice{Delivery: e.Delivery, Address: e.Email, Source: "sendgrid", At: provider.Seconds(e.Timestamp)}
	if e.ID != "" {
		n.ID = "sendgrid:" + e.ID
	}
	switch e.Event {
	case "delivered":
		n.Told = channels.Delivered
	case "deferred":
		n.Told, n.Failure = channels.Delayed, failed(e, channels.Soft)
	case "bounce", "blocked":
		n.Told, n.Failure = channels.Bounced, failed(e, e.says())
	case "dropped":
		n.Told, n.Failure = e.dropped()
	case "spamreport":
		n.Told = channels.Complained
	case "unsubscribe", "group_unsubscribe":
		n.Told = channels.Unsubscribed
	case "open":
		n.Told, n.Actor = channels.Opened, r.judge.Actor(e.Agent, e.MachineOpen)
	case "click":
		n.Told, n.Actor, n.Link = channels.Clicked, r.judge.Actor(e.Agent, false), e.URL
	}
	return n
}

func failed(e *told, says channels.Cause) channels.Failure {
	words := e.Reason
	if words == "" {
		words = e.Response
	}
	f := provider.Failed(words, says)
	f.Status = provider.Status(e.Status, f.Status)
	return f
}

// says returns what SendGrid itself makes of a bounce: "blocked" is about the
// sender or the moment, and so are most of its classes.
func (e *told) says() channels.Cause {
	switch e.Class {
	case "Invalid Address":
		return channels.Hard
	case "Content", "Reputation":
		return channels.Policy
	case "Technical", "Frequency/Volume", "Frequency or Volume Too High", "Mailbox Unavailable":
		return channels.Soft
	}
	if e.Type == "bounce" {
		return channels.Hard
	}
	return channels.Soft
}

// dropped returns why SendGrid did not send at all. Most of its reasons are what
// the person did before.
func (e *told) dropped() (channels.Told, channels.Failure) {
	f := channels.Failure{Detail: channels.Clip(e.Reason), Says: channels.Policy}
	switch e.Reason {
	case "Unsubscribed Address":
		return channels.Unsubscribed, channels.Failure{Detail: f.Detail}
	case "Spam Reporting Address":
		return channels.Complained, channels.Failure{Detail: f.Detail}
	case "Invalid", "Bounced Address":
		f.Says, f.Status = channels.Hard, provider.Status(e.Status, "")
	}
	return channels.Bounced, f
}

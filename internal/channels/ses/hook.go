package ses

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
)

// Hook says which SNS topic tells what became of messages.
type Hook struct {
	// Topics are the ARNs of the topics that are believed. Required: anybody may
	// have a topic at Amazon, and sign with Amazon's certificate.
	Topics []string

	// Fetch gets Amazon's certificates and confirms subscriptions, over https from
	// Amazon's hosts only; they were checked. Default: [Fetcher] over the internet.
	Fetch func(ctx context.Context, url string) ([]byte, error)

	Now   func() time.Time // Default: the wall's clock
	Judge provider.Judge
}

// Reader reads what SES publishes to SNS.
type Reader struct {
	h     Hook
	certs certificates
}

// NewReader returns a reader of some topics.
func NewReader(h Hook) (*Reader, error) {
	if len(h.Topics) == 0 {
		return nil, fault.New(fault.Invalid, "the ARN of the SNS topic is missing: only topics that are named are believed")
	}
	for _, t := range h.Topics {
		if parts := strings.Split(t, ":"); len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" || !validRegion(parts[3]) {
			return nil, fault.New(fault.Invalid, "the ARN of an SNS topic is like arn:aws:sns:eu-west-1:123456789012:mail, not "+t)
		}
	}
	if h.Fetch == nil {
		h.Fetch = Fetcher
	}
	if h.Now == nil {
		h.Now = time.Now
	}
	return &Reader{h: h}, nil
}

// tolerance is how old an SNS message may be: SNS tries for up to an hour by its
// default policy and a day by the longest that shops set. What is told twice
// counts once.
const tolerance = 25 * time.Hour

// Read keeps the promise of [provider.Reader]. It confirms the subscription of a
// topic that is named.
func (r *Reader) Read(ctx context.Context, _ http.Header, body []byte) ([]channels.Notice, error) {
	var m snsMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fault.Wrap(fault.Denied, err, "this is not a message of SNS")
	}
	if !slices.Contains(r.h.Topics, m.TopicArn) {
		return nil, fault.New(fault.Denied, "the message is of a topic that is not ours")
	}
	if err := r.verify(ctx, &m); err != nil {
		return nil, err
	}
	if at, err := time.Parse(time.RFC3339Nano, m.Timestamp); err != nil || !provider.Within(at, r.h.Now(), tolerance) {
		return nil, fault.New(fault.Denied, "the message is too old or from the future")
	}
	switch m.Type {
	case "SubscriptionConfirmation":
		if err := pinned(m.SubscribeURL, ""); err != nil {
			return nil, err
		}
		if _, err := r.h.Fetch(ctx, m.SubscribeURL); err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "the subscription of the topic could not be confirmed")
		}
		return nil, nil
	case "Notification":
		return r.notices(&m)
	}
	return nil, nil
}

type recipient struct {
	Address    string `json:"emailAddress"`
	Status     string `json:"status"`
	Diagnostic string `json:"diagnosticCode"`
}

type seen struct {
	Timestamp string `json:"timestamp"`
	Agent     string `json:"userAgent"`
	Link      string `json:"link"`
}

type told struct {
	NotificationType string `json:"notificationType"` // feedback notifications of an identity
	EventType        string `json:"eventType"`        // events of a configuration set
	Mail             struct {
		MessageID   string              `json:"messageId"`
		Destination []string            `json:"destination"`
		Tags        map[string][]string `json:"tags"`
	} `json:"mail"`
	Bounce struct {
		Type       string      `json:"bounceType"`
		SubType    string      `json:"bounceSubType"`
		Recipients []recipient `json:"bouncedRecipients"`
		Timestamp  string      `json:"timestamp"`
	} `json:"bounce"`
	Complaint struct {
		Recipients []recipient `json:"complainedRecipients"`
		SubType    string      `json:"complaintSubType"`
		Feedback   string      `json:"complaintFeedbackType"`
		Timestamp  string      `json:"timestamp"`
	} `json:"complaint"`
	Delivery struct {
		Recipients []string `json:"recipients"`
		Timestamp  string   `json:"timestamp"`
	} `json:"delivery"`
	Delay struct {
		Type       string      `json:"delayType"`
		Recipients []recipient `json:"delayedRecipients"`
		Timestamp  string      `json:"timestamp"`
	} `json:"deliveryDelay"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
	Failure struct {
		Words string `json:"errorMessage"`
	} `json:"failure"`
	Subscription struct {
		Timestamp string `json:"timestamp"`
	} `json:"subscription"`
	Open  seen `json:"open"`
	Click seen `json:"click"`
}

// notices reads the event that a message of SNS carries as text.
func (r *Reader) notices(m *snsMessage) ([]channels.Notice, error) {
	var e told
	if err := json.Unmarshal([]byte(m.Message), &e); err != nil {
		// SNS itself writes a sentence when a topic is first connected.
		if strings.HasPrefix(m.Message, "Successfully validated SNS topic") {
			return nil, nil
		}
		return nil, fault.Wrap(fault.Invalid, err, "the message is not an event of SES")
	}
	kind := e.EventType
	if kind == "" {
		kind = e.NotificationType
	}
	base := channels.Notice{Source: "ses"}
	if tag := e.Mail.Tags[provider.DeliveryKey]; len(tag) > 0 {
		base.Delivery = tag[0]
	}
	var out []channels.Notice
	add := func(what channels.Told, at string, rec recipient, f channels.Failure) {
		n := base
		n.Told, n.At, n.Address, n.Failure = what, provider.Instant(at), rec.Address, f
		n.ID = "ses:" + m.MessageID + ":" + rec.Address
		out = append(out, n)
	}
	all := func(list []string) (to []recipient) {
		for _, a := range list {
			to = append(to, recipient{Address: a})
		}
		return to
	}
	switch kind {
	case "Delivery":
		for _, to := range all(e.Delivery.Recipients) {
			add(channels.Delivered, e.Delivery.Timestamp, to, channels.Failure{})
		}
	case "Bounce":
		for _, to := range e.Bounce.Recipients {
			add(channels.Bounced, e.Bounce.Timestamp, to, bounce(e.Bounce.Type, e.Bounce.SubType, to))
		}
	case "DeliveryDelay":
		for _, to := range e.Delay.Recipients {
			add(channels.Delayed, e.Delay.Timestamp, to, bounce("Transient", e.Delay.Type, to))
		}
	case "Complaint":
		for _, to := range e.Complaint.Recipients {
			switch {
			case e.Complaint.Feedback == "not-spam":
				// The person took it out of the spam folder.
			case e.Complaint.SubType == onList:
				add(channels.Bounced, e.Complaint.Timestamp, to, bounce("Permanent", onList, to))
			default:
				add(channels.Complained, e.Complaint.Timestamp, to, channels.Failure{Detail: channels.Clip(e.Complaint.Feedback)})
			}
		}
	case "Subscription":
		for _, to := range all(e.Mail.Destination) {
			add(channels.Unsubscribed, e.Subscription.Timestamp, to, channels.Failure{})
		}
	case "Reject":
		for _, to := range all(e.Mail.Destination) {
			add(channels.Bounced, m.Timestamp, to, channels.Failure{Detail: channels.Clip(e.Reject.Reason), Says: channels.Policy})
		}
	case "Rendering Failure":
		for _, to := range all(e.Mail.Destination) {
			add(channels.Bounced, m.Timestamp, to, channels.Failure{Detail: channels.Clip(e.Failure.Words), Says: channels.Policy})
		}
	case "Open":
		for _, to := range all(e.Mail.Destination) {
			add(channels.Opened, e.Open.Timestamp, to, channels.Failure{})
			out[len(out)-1].Actor = r.h.Judge.Actor(e.Open.Agent, false)
		}
	case "Click":
		for _, to := range all(e.Mail.Destination) {
			add(channels.Clicked, e.Click.Timestamp, to, channels.Failure{})
			out[len(out)-1].Actor, out[len(out)-1].Link = r.h.Judge.Actor(e.Click.Agent, false), e.Click.Link
		}
	}
	return out, nil
}

// onList says that SES did not try, because the account's own list has the
// address, for a bounce or a complaint of some other day.
const onList = "OnAccountSuppressionList"

// bounce returns why, by the server's words where there are any.
func bounce(kind, sub string, to recipient) channels.Failure {
	words := to.Diagnostic
	if words == "" {
		words = kind + " " + sub
	}
	f := provider.Failed(words, channels.Soft)
	f.Status = provider.Status(to.Status, f.Status)
	switch {
	case sub == onList:
		f = channels.Failure{Detail: "the address is on the account's own list"}
	case sub == "ContentRejected", sub == "AttachmentRejected":
		f.Says = channels.Policy
	case kind == "Permanent":
		f.Says = channels.Hard
	}
	return f
}

package postmark

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"

	"rapport/internal/channels"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
)

// Hook says how Postmark proves who it is. It signs nothing: it logs in with the
// name and password that stand in the webhook's URL.
type Hook struct {
	User     string
	Password provider.Secret // at least 16 characters: it is all that keeps a stranger from marking addresses
	Judge    provider.Judge
}

// minPassword makes guessing hopeless.
const minPassword = 16

// Reader reads Postmark's webhooks.
type Reader struct{ h Hook }

// NewReader returns a reader of one server's webhooks.
func NewReader(h Hook) (*Reader, error) {
	if err := provider.Required("the user of Postmark's webhook", h.User); err != nil {
		return nil, err
	}
	if err := provider.Required("the password of Postmark's webhook", string(h.Password)); err != nil {
		return nil, err
	}
	if len(h.Password) < minPassword {
		return nil, fault.New(fault.Invalid, "the password of Postmark's webhook must have at least "+strconv.Itoa(minPassword)+" characters")
	}
	return &Reader{h}, nil
}

type record struct {
	RecordType        string
	ID                json.Number
	Type              string
	MessageID         string
	Description       string
	Details           string
	Email             string
	Recipient         string
	Metadata          map[string]string
	BouncedAt         string
	DeliveredAt       string
	ReceivedAt        string
	ChangedAt         string
	UserAgent         string
	OriginalLink      string
	SuppressSending   bool
	SuppressionReason string
}

// Read keeps the promise of [provider.Reader].
func (r *Reader) Read(_ context.Context, header http.Header, body []byte) ([]channels.Notice, error) {
	user, password, _ := (&http.Request{Header: header}).BasicAuth()
	// Both are compared whatever the first says.
	if subtle.ConstantTimeCompare([]byte(user), []byte(r.h.User))&subtle.ConstantTimeCompare([]byte(password), []byte(r.h.Password)) != 1 {
		return nil, fault.New(fault.Denied, "the webhook's user or password is not ours")
	}
	var e record
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the webhook is not what Postmark documents")
	}
	n := channels.Notice{Delivery: e.Metadata[provider.DeliveryKey], Address: first(e.Recipient, e.Email), Source: "postmark"}
	n.At = provider.Instant(first(e.BouncedAt, e.DeliveredAt, e.ReceivedAt, e.ChangedAt))
	switch e.RecordType {
	case "Delivery":
		n.Told = channels.Delivered
	case "Open":
		n.Told, n.Actor = channels.Opened, r.h.Judge.Actor(e.UserAgent, false)
	case "Click":
		n.Told, n.Actor, n.Link = channels.Clicked, r.h.Judge.Actor(e.UserAgent, false), e.OriginalLink
	case "SpamComplaint":
		n.Told, n.Failure = channels.Complained, channels.Failure{Detail: channels.Clip(e.Details)}
	case "Bounce":
		n.Told, n.Failure = bounced(e.Type, first(e.Details, e.Description))
	case "SubscriptionChange":
		if !e.SuppressSending {
			return nil, nil // Postmark would send again; whether we may is not Postmark's to say
		}
		n.Told, n.Failure = suppressed(e.SuppressionReason)
	}
	if n.Told == 0 {
		return nil, nil
	}
	id := e.ID.String()
	if id == "" {
		id = e.MessageID + ":" + first(e.BouncedAt, e.DeliveredAt, e.ReceivedAt, e.ChangedAt) + ":" + e.OriginalLink
	}
	n.ID = "postmark:" + e.RecordType + ":" + id
	return []channels.Notice{n}, nil
}

// bounced returns what one of Postmark's types of bounce tells.
func bounced(kind, words string) (channels.Told, channels.Failure) {
	switch kind {
	case "HardBounce", "BadEmailAddress":
		return channels.Bounced, provider.Failed(words, channels.Hard)
	case "Unsubscribe":
		return channels.Unsubscribed, channels.Failure{Detail: channels.Clip(words)}
	case "SpamComplaint":
		return channels.Complained, channels.Failure{Detail: channels.Clip(words)}
	case "SpamNotification", "Blocked", "DMARCPolicy", "VirusNotification", "SMTPApiError", "TemplateRenderingFailed", "ManuallyDeactivated":
		return channels.Bounced, provider.Failed(words, channels.Policy)
	case "AutoResponder", "AddressChange", "ChallengeVerification", "Subscribe", "Unconfirmed", "OpenRelayTest", "InboundError":
		return 0, channels.Failure{} // somebody answered; nothing bounced
	}
	// SoftBounce, Transient, DnsError, Unknown, and what Postmark invents tomorrow.
	return channels.Bounced, provider.Failed(words, channels.Soft)
}

// suppressed returns what it tells that Postmark will not send to an address.
func suppressed(reason string) (channels.Told, channels.Failure) {
	switch reason {
	case "HardBounce":
		return channels.Bounced, channels.Failure{Says: channels.Hard}
	case "SpamComplaint":
		return channels.Complained, channels.Failure{}
	case "ManualSuppression":
		return channels.Unsubscribed, channels.Failure{}
	}
	return 0, channels.Failure{}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

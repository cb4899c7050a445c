package resend

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
)

// tolerance is how old a webhook may be. Each try is signed anew, and five minutes
// are what Standard Webhooks advises.
const tolerance = 5 * time.Minute

// The lengths of a secret in Standard Webhooks, in bytes, and a prefix that it has.
const (
	minSecret    = 16 // the standard asks for 24; older ones are shorter
	maxSecret    = 75
	secretPrefix = "whsec_"
)

// maxSignatures bounds the signatures that are tried: one, or two while the secret
// is changed.
const maxSignatures = 8

// Hook says by which secret Resend signs.
type Hook struct {
	Secret provider.Secret  // "whsec_…". Required.
	Now    func() time.Time // Default: the wall's clock
	Judge  provider.Judge
}

// Reader reads Resend's webhooks, which follow Standard Webhooks.
type Reader struct {
	key   []byte
	now   func() time.Time
	judge provider.Judge
}

// NewReader returns a reader of one account's webhooks.
func NewReader(h Hook) (*Reader, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(string(h.Secret)), secretPrefix))
	if err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, fault.New(fault.Invalid, "the webhook's signing secret is whsec_ and base64, as Resend's page of the webhook shows it")
	}
	if h.Now == nil {
		h.Now = time.Now
	}
	return &Reader{key, h.Now, h.Judge}, nil
}

// verify checks the signature of Standard Webhooks and returns the webhook's id.
// Svix, by which Resend sends, has names of its own for the same headers.
func (r *Reader) verify(header http.Header, body []byte) (id string, err error) {
	prefix := "Webhook-"
	if header.Get("Svix-Id") != "" {
		prefix = "Svix-"
	}
	id, stamp, signatures := header.Get(prefix+"Id"), header.Get(prefix+"Timestamp"), header.Get(prefix+"Signature")
	if id == "" || stamp == "" || signatures == "" {
		return "", fault.New(fault.Denied, "the webhook is not signed")
	}
	m := hmac.New(sha256.New, r.key)
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	want := m.Sum(nil)
	genuine := false
	for i, s := range strings.Fields(signatures) {
		if i == maxSignatures {
			break
		}
		encoded, v1 := strings.CutPrefix(s, "v1,")
		given, err := base64.StdEncoding.DecodeString(encoded)
		if v1 && err == nil && hmac.Equal(want, given) {
			genuine = true
		}
	}
	if !genuine {
		return "", fault.New(fault.Denied, "the webhook's signature is not Resend's")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !provider.Within(time.Unix(seconds, 0), r.now(), tolerance) {
		return "", fault.New(fault.Denied, "the webhook is too old or from the future")
	}
	return id, nil
}

type told struct {
	Type    string `json:"type"`
	Created string `json:"created_at"`
	Data    struct {
		To     []string        `json:"to"`
		Tags   json.RawMessage `json:"tags"` // an object, or a list of names and values
		Bounce struct {
			Type    string `json:"type"`
			SubType string `json:"subType"`
			Message string `json:"message"`
		} `json:"bounce"`
		Failed struct {
			Reason string `json:"reason"`
		} `json:"failed"`
		Open  seen `json:"open"`
		Click seen `json:"click"`
	} `json:"data"`
}

type seen struct {
	Link      string `json:"link"`
	UserAgent string `json:"userAgent"`
}

// Read keeps the promise of [provider.Reader].
func (r *Reader) Read(_ context.Context, header http.Header, body []byte) ([]channels.Notice, error) {
	id, err := r.verify(header, body)
	if err != nil {
		return nil, err
	}
	var e told
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the webhook is not what Resend documents")
	}
	n := channels.Notice{Delivery: delivery(e.Data.Tags), Source: "resend", At: provider.Instant(e.Created), ID: "resend:" + id}
	if len(e.Data.To) > 0 {
		n.Address = e.Data.To[0]
		if a, err := netmail.ParseAddress(n.Address); err == nil {
			n.Address = a.Address
		}
	}
	switch e.Type {
	case "email.delivered":
		n.Told = channels.Delivered
	case "email.delivery_delayed":
		n.Told = channels.Delayed
	case "email.bounced":
		n.Told, n.Failure = channels.Bounced, e.bounce()
	case "email.suppressed":
		n.Told, n.Failure = channels.Bounced, channels.Failure{Detail: "the address is on Resend's own list"}
	case "email.failed":
		n.Told, n.Failure = channels.Bounced, channels.Failure{Detail: channels.Clip(e.Data.Failed.Reason), Says: channels.Policy}
	case "email.complained":
		n.Told = channels.Complained
	case "email.opened":
		n.Told, n.Actor = channels.Opened, r.judge.Actor(e.Data.Open.UserAgent, false)
	case "email.clicked":
		n.Told, n.Actor, n.Link = channels.Clicked, r.judge.Actor(e.Data.Click.UserAgent, false), e.Data.Click.Link
	default:
		return nil, nil
	}
	return []channels.Notice{n}, nil
}

// bounce returns why. Resend's sentences explain bounces in general, and speak of
// everything that a bounce can be about; so they are kept only where they hold a
// server's codes. Webhooks of before 2024 have no type and name the kind in words.
func (e *told) bounce() channels.Failure {
	b := &e.Data.Bounce
	f := provider.Failed(b.Message, channels.Soft)
	if f.Status == "" && f.Code == 0 {
		f.Detail = channels.Clip(strings.TrimSpace(b.Type + " " + b.SubType))
	}
	switch {
	case b.SubType == "Suppressed" || b.SubType == "OnAccountSuppressionList" || strings.Contains(b.Message, "suppression list"):
		f.Detail = "the address is on Resend's own list" // for a bounce or a complaint: nobody said anything today
	case b.Type == "Permanent", b.Type == "" && strings.Contains(b.Message, "hard bounce"):
		f.Says = channels.Hard
	case b.SubType == "ContentRejected" || b.SubType == "AttachmentRejected":
		f.Says = channels.Policy
	}
	return f
}

// delivery finds our id among the tags.
func delivery(tags json.RawMessage) string {
	var object map[string]string
	if json.Unmarshal(tags, &object) == nil {
		return object[provider.DeliveryKey]
	}
	var list []tag
	if json.Unmarshal(tags, &list) == nil {
		for _, t := range list {
			if t.Name == provider.DeliveryKey {
				return t.Value
			}
		}
	}
	return ""
}

package mailgun

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
)

// tolerance is how old a webhook may be: Mailgun tries for eight hours, and does
// not say that it signs each try anew.
const tolerance = 9 * time.Hour

// maxTokens bounds the tokens that are remembered, 100 bytes each. Only genuine
// ones are, so nobody but Mailgun can push one out.
const maxTokens = 200_000

// Hook says by which key Mailgun signs.
type Hook struct {
	Key   provider.Secret  // the HTTP webhook signing key. Required.
	Now   func() time.Time // Default: the wall's clock
	Judge provider.Judge
}

// Reader reads Mailgun's webhooks.
//
// Mailgun signs a timestamp and a token, and not what it tells: whoever saw one
// webhook could put other words under the same signature. So a token belongs to
// the first body that came with it, for as long as its timestamp is taken.
type Reader struct {
	h Hook

	mu     sync.Mutex
	tokens map[string][sha256.Size]byte // of the body that came first
	order  []string                     // the oldest first
}

// NewReader returns a reader of one account's webhooks.
func NewReader(h Hook) (*Reader, error) {
	if err := provider.Required("Mailgun's webhook signing key", string(h.Key)); err != nil {
		return nil, err
	}
	if h.Now == nil {
		h.Now = time.Now
	}
	return &Reader{h: h, tokens: map[string][sha256.Size]byte{}}, nil
}

type signature struct {
	Timestamp string `json:"timestamp"`
	Token     string `json:"token"`
	Signature string `json:"signature"`
}

// verify checks the signature, and that the token has not come with other words.
func (r *Reader) verify(s signature, body []byte) error {
	given, err := hex.DecodeString(s.Signature)
	m := hmac.New(sha256.New, []byte(r.h.Key))
	m.Write([]byte(s.Timestamp + s.Token))
	if err != nil || !hmac.Equal(m.Sum(nil), given) {
		return fault.New(fault.Denied, "the webhook's signature is not Mailgun's")
	}
	seconds, err := strconv.ParseInt(s.Timestamp, 10, 64)
	if err != nil || !provider.Within(time.Unix(seconds, 0), r.h.Now(), tolerance) {
		return fault.New(fault.Denied, "the webhook is too old or from the future")
	}
	sum := sha256.Sum256(body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, known := r.tokens[s.Token]; known {
		if first != sum {
			return fault.New(fault.Denied, "the webhook's token has come before, with other words")
		}
		return nil
	}
	if len(r.order) == maxTokens {
		delete(r.tokens, r.order[0])
		r.order = r.order[1:]
	}
	r.tokens[s.Token] = sum
	r.order = append(r.order, s.Token)
	return nil
}

type event struct {
	ID        string          `json:"id"`
	Event     string          `json:"event"`
	Timestamp float64         `json:"timestamp"`
	Recipient string          `json:"recipient"`
	Severity  string          `json:"severity"`
	Reason    string          `json:"reason"`
	URL       string          `json:"url"`
	Variables json.RawMessage `json:"user-variables"` // a text where they could not be loaded
	Message   struct {
		Headers struct {
			To string `json:"to"`
			ID string `json:"message-id"`
		} `json:"headers"`
	} `json:"message"`
	Status struct {
		Code        json.Number `json:"code"`
		Enhanced    string      `json:"enhanced-code"`
		Message     string      `json:"message"`
		Description string      `json:"description"`
	} `json:"delivery-status"`
	Reject struct {
		Reason      string `json:"reason"`
		Description string `json:"description"`
	} `json:"reject"`
	Client struct {
		Type  string `json:"client-type"`
		Agent string `json:"user-agent"`
		Bot   string `json:"bot"`
	} `json:"client-info"`
}

// Read keeps the promise of [provider.Reader].
func (r *Reader) Read(_ context.Context, header http.Header, body []byte) ([]channels.Notice, error) {
	if kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		return r.legacy(body)
	}
	var hook struct {
		Signature signature       `json:"signature"`
		Data      json.RawMessage `json:"event-data"`
	}
	if err := json.Unmarshal(body, &hook); err != nil {
		// Without a signature nothing is known of who wrote it.
		return nil, fault.Wrap(fault.Denied, err, "the webhook has no signature that can be read")
	}
	if err := r.verify(hook.Signature, body); err != nil {
		return nil, err
	}
	var e event
	if err := json.Unmarshal(hook.Data, &e); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the webhook's event-data is not what Mailgun documents")
	}
	n := r.notice(&e)
	if n.Told == 0 {
		return nil, nil
	}
	return []channels.Notice{n}, nil
}

func (r *Reader) notice(e *event) channels.Notice {
	n := channels.Notice{Address: e.Recipient, Source: "mailgun", At: provider.Seconds(e.Timestamp)}
	if n.Address == "" && strings.Count(e.Message.Headers.To, "@") == 1 && !strings.ContainsAny(e.Message.Headers.To, " <>\",") {
		n.Address = e.Message.Headers.To
	}
	var variables map[string]any
	if json.Unmarshal(e.Variables, &variables) == nil {
		n.Delivery, _ = variables[provider.DeliveryKey].(string)
	}
	if e.ID != "" {
		n.ID = "mailgun:" + e.ID
	} else if e.Message.Headers.ID != "" {
		n.ID = "mailgun:" + e.Event + ":" + e.Message.Headers.ID + ":" + strconv.FormatFloat(e.Timestamp, 'f', 6, 64)
	}
	switch e.Event {
	case "delivered":
		n.Told = channels.Delivered
	case "opened":
		n.Told, n.Actor = channels.Opened, r.h.Judge.Actor(e.Client.Agent, e.machine())
	case "clicked":
		n.Told, n.Actor, n.Link = channels.Clicked, r.h.Judge.Actor(e.Client.Agent, e.machine()), e.URL
	case "complained":
		n.Told = channels.Complained
	case "unsubscribed":
		n.Told = channels.Unsubscribed
	case "rejected":
		n.Told, n.Failure = channels.Bounced, channels.Failure{Detail: channels.Clip(strings.TrimSpace(e.Reject.Reason + " " + e.Reject.Description)), Says: channels.Policy}
	case "failed":
		words := e.Status.Message
		if words == "" {
			words = e.Status.Description
		}
		code, _ := strconv.Atoi(e.Status.Code.String())
		n.Told, n.Failure = failed(e.Reason, words, code, e.Severity == "temporary")
		n.Status = provider.Status(e.Status.Enhanced, n.Status)
	}
	return n
}

// machine reports whether Mailgun knows the client for a program. "gmail" and
// "apple" name the proxies that fetch pictures ahead of people.
func (e *event) machine() bool { return e.Client.Bot != "" || e.Client.Type == "robot" }

// The codes by which Mailgun refuses to send at all, beside those of servers.
const (
	codeBounced      = 605
	codeUnsubscribed = 606
	codeComplained   = 607
)

// failed returns what a failure tells.
func failed(reason, words string, code int, temporary bool) (channels.Told, channels.Failure) {
	f := provider.Failed(words, channels.Soft)
	if code >= 200 && code < 600 {
		f.Code = code
	}
	switch {
	case code == codeComplained, reason == "suppress-complaint":
		return channels.Complained, channels.Failure{Detail: f.Detail}
	case code == codeUnsubscribed, reason == "suppress-unsubscribe":
		return channels.Unsubscribed, channels.Failure{Detail: f.Detail}
	case temporary:
		return channels.Delayed, f
	case code == codeBounced, reason == "suppress-bounce", reason == "bounce":
		f.Says = channels.Hard
	case reason == "espblock":
		f.Says = channels.Policy
	}
	return channels.Bounced, f
}

// legacy reads the webhooks that Mailgun sent before 2018 as forms, and still
// sends for old settings.
func (r *Reader) legacy(body []byte) ([]channels.Notice, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.Wrap(fault.Denied, err, "the webhook has no signature that can be read")
	}
	if err := r.verify(signature{form.Get("timestamp"), form.Get("token"), form.Get("signature")}, body); err != nil {
		return nil, err
	}
	seconds, _ := strconv.ParseFloat(form.Get("timestamp"), 64) // verified to be a number
	n := channels.Notice{
		Delivery: form.Get(provider.DeliveryKey), Address: form.Get("recipient"), Source: "mailgun", At: provider.Seconds(seconds),
		ID: "mailgun:" + form.Get("token"),
	}
	words := form.Get("error")
	if words == "" {
		words = form.Get("description")
	}
	code, _ := strconv.Atoi(form.Get("code")) // "5.1.1" is a status and gives no code
	switch form.Get("event") {
	case "delivered":
		n.Told = channels.Delivered
	case "opened":
		n.Told, n.Actor = channels.Opened, r.h.Judge.Actor(form.Get("user-agent"), false)
	case "clicked":
		n.Told, n.Actor, n.Link = channels.Clicked, r.h.Judge.Actor(form.Get("user-agent"), false), form.Get("url")
	case "complained":
		n.Told = channels.Complained
	case "unsubscribed":
		n.Told = channels.Unsubscribed
	case "bounced":
		n.Told, n.Failure = failed("bounce", words, code, false)
		n.Status = provider.Status(form.Get("code"), n.Status)
	case "dropped":
		n.Told, n.Failure = failed("", words, code, false)
	default:
		return nil, nil
	}
	return []channels.Notice{n}, nil
}

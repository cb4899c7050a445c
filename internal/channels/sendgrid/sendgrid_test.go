package sendgrid_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/mail"
	"rapport/internal/channels/provider"
	"rapport/internal/channels/sendgrid"
)

const key = "SG.aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

type address struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

type flag struct {
	Enable bool `json:"enable"`
}

// asked is a request as SendGrid documents it.
type asked struct {
	Personalizations []struct {
		To         []address         `json:"to"`
		Subject    string            `json:"subject"`
		Headers    map[string]string `json:"headers"`
		CustomArgs map[string]string `json:"custom_args"`
	} `json:"personalizations"`
	From    address  `json:"from"`
	ReplyTo *address `json:"reply_to"`
	Content []struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	} `json:"content"`
	TrackingSettings struct {
		Click        *flag `json:"click_tracking"`
		Open         *flag `json:"open_tracking"`
		Subscription *flag `json:"subscription_tracking"`
	} `json:"tracking_settings"`
}

// reserved are the headers that SendGrid does not let anybody set.
var reserved = regexp.MustCompile(`(?i)^(x-sg-id|x-sg-eid|received|dkim-signature|content-type|content-transfer-encoding|to|from|subject|reply-to|cc|bcc)$`)

// fake checks what SendGrid checks.
func fake(d *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, field, words string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"field": field, "message": words}}})
	}
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return
	case r.URL.Path != "/v3/mail/send":
		refuse(http.StatusNotFound, "", "not found")
		return
	case r.Method != http.MethodPost:
		refuse(http.StatusMethodNotAllowed, "", "method not allowed")
		return
	case d.Forgotten() || r.Header.Get("Authorization") != "Bearer "+key:
		refuse(http.StatusUnauthorized, "", "The provided authorization grant is invalid, expired, or revoked")
		return
	case d.Busy(w.Header()):
		refuse(http.StatusTooManyRequests, "", "too many requests")
		return
	case r.Header.Get("Content-Type") != "application/json":
		refuse(http.StatusUnsupportedMediaType, "", "Content-Type should be application/json.")
		return
	case len(body) > 30<<20:
		refuse(http.StatusRequestEntityTooLarge, "", "too large")
		return
	}
	var ask asked
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&ask); err != nil {
		refuse(http.StatusBadRequest, "", "Bad Request: "+err.Error())
		return
	}
	if field, words := wrong(&ask); words != "" {
		refuse(http.StatusBadRequest, field, words)
		return
	}
	for _, p := range ask.Personalizations {
		if channeltest.Fated(p.To[0].Email) == channeltest.Defer {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
	lost := false
	for _, p := range ask.Personalizations {
		d.Take(p.CustomArgs["rapport_delivery"])
		lost = lost || channeltest.Fated(p.To[0].Email) == channeltest.Lost
	}
	if lost {
		channeltest.Vanish()
	}
	w.Header().Set("X-Message-Id", "wrfRRvF7Q0GgwUo2CvDmEA")
	w.WriteHeader(http.StatusAccepted)
}

// wrong returns what SendGrid would refuse of a request.
func wrong(ask *asked) (field, words string) {
	tracking := ask.TrackingSettings
	switch {
	case len(ask.Personalizations) == 0:
		return "personalizations", "You must have at least one personalization."
	case len(ask.Personalizations) > 1000:
		return "personalizations", "The personalization block is limited to 1000 personalizations per API request."
	case ask.From.Email == "":
		return "from", "The from object must be provided for every email send."
	case len(ask.Content) == 0:
		return "content", "Unless a valid template_id is provided, the content parameter is required."
	case len(ask.Content) == 2 && ask.Content[0].Type != "text/plain":
		return "content", "If present, text/plain must be first, then text/html."
	case tracking.Click == nil || tracking.Open == nil || tracking.Subscription == nil || tracking.Click.Enable || tracking.Open.Enable || tracking.Subscription.Enable:
		return "tracking_settings", "this test wants no tracking by the provider"
	}
	for _, c := range ask.Content {
		if c.Value == "" {
			return "content.0.value", "The content value must be a string at least one character in length."
		}
	}
	seen := map[string]bool{}
	for i, p := range ask.Personalizations {
		where := fmt.Sprintf("personalizations.%d", i)
		if len(p.To) != 1 || p.To[0].Email == "" {
			return where + ".to", "The to array is required for all personalization objects, and must have at least one email object with a valid email address."
		}
		to := strings.ToLower(p.To[0].Email)
		if _, err := mail.ParseAddress(to); err != nil || channeltest.Fated(to) == channeltest.Reject {
			return where + ".to.0.email", "Does not contain a valid address."
		}
		if seen[to] {
			return where, "Each email address in the personalization block should be unique between to, cc, and bcc."
		}
		seen[to] = true
		if p.Subject == "" {
			return where + ".subject", "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined."
		}
		if channeltest.Fated(to) == channeltest.Policy {
			return where + ".subject", "this test refuses the subject"
		}
		for h := range p.Headers {
			if reserved.MatchString(h) {
				return where + ".headers", "The header " + h + " is reserved."
			}
		}
		if !strings.HasPrefix(p.Headers["List-Unsubscribe"], "<https://") || p.Headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" {
			return where + ".headers", "this test wants a way out"
		}
		if len(p.CustomArgs["rapport_delivery"]) != 32 {
			return where + ".custom_args", "this test wants the delivery's id"
		}
	}
	return "", ""
}

func open(t *testing.T, handler func(*channeltest.Desk, http.ResponseWriter, *http.Request)) (*channeltest.Desk, *provider.Channel) {
	t.Helper()
	d := channeltest.Open(t, handler)
	c, err := sendgrid.New(sendgrid.Options{Options: provider.Options{Base: d.URL}, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return d, c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Peer {
		d, c := open(t, fake)
		return d.Peer(c, channeltest.Lost, channeltest.Defer)
	})
}

func TestMessagesOfTheSameWordsTravelTogetherAndOthersAlone(t *testing.T) {
	t.Parallel()
	var requests, personalizations atomic.Int64
	_, c := open(t, func(d *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var ask asked
		json.Unmarshal(body, &ask)
		requests.Add(1)
		personalizations.Add(int64(len(ask.Personalizations)))
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		fake(d, w, r)
	})
	var batch []channels.Message
	for i := range 10 {
		batch = append(batch, channeltest.Message(i))
	}
	batch[4].HTML = "<p>Hello, Ada</p>"                    // its own words
	batch[9].To = batch[8].To                              // SendGrid takes an address once in a request
	batch[6].From = channels.Party{Address: "a@b.example"} // another brand
	for i, o := range c.Send(t.Context(), batch) {
		if o.State != channels.Accepted {
			t.Errorf("message %d: %+v", i, o)
		}
	}
	// 0–3, 4, 5, 6, 7–8, 9
	if requests.Load() != 6 || personalizations.Load() != 10 {
		t.Errorf("%d requests with %d messages, want 6 with 10", requests.Load(), personalizations.Load())
	}
}

func TestAWindowThatEndsIsWaitedFor(t *testing.T) {
	t.Parallel()
	_, c := open(t, func(_ *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("X-RateLimit-Reset", "1") // long over by the wall's clock
		w.WriteHeader(http.StatusTooManyRequests)
	})
	o := c.Send(t.Context(), []channels.Message{channeltest.Message(1)})[0]
	if o.State != channels.Deferred || o.RetryAfter <= 0 {
		t.Fatalf("%+v", o)
	}
}

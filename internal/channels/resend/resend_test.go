package resend_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	netmail "net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/provider"
	"rapport/internal/channels/resend"
)

const key = "re_123456789_abcdefghijklmnopqrstuvwx"

// asked is a message as Resend documents it.
type asked struct {
	From    string            `json:"from"`
	To      []string          `json:"to"`
	ReplyTo string            `json:"reply_to"`
	Subject string            `json:"subject"`
	HTML    string            `json:"html"`
	Text    string            `json:"text"`
	Headers map[string]string `json:"headers"`
	Tags    []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"tags"`
}

// fake checks what Resend checks, and remembers requests by their key as Resend
// does.
type fake struct {
	mu      sync.Mutex
	known   map[string]string // key → body
	answers map[string]string // key → answer
	asked   int
	cut     int // answers that are lost before one gets through
	broken  int // answers of 500 before one gets through
}

var tagText = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

func (f *fake) serve(d *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, name, words string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{"statusCode": status, "name": name, "message": words})
	}
	body, err := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	idempotency := r.Header.Get("Idempotency-Key")
	switch {
	case err != nil:
		return
	case r.Method != http.MethodPost || r.URL.Path != "/emails" && r.URL.Path != "/emails/batch":
		refuse(http.StatusNotFound, "not_found", "The requested endpoint does not exist.")
		return
	case d.Forgotten() || r.Header.Get("Authorization") != "Bearer "+key:
		refuse(http.StatusUnauthorized, "missing_api_key", "Missing API key in the authorization header.")
		return
	case d.Busy(w.Header()):
		refuse(http.StatusTooManyRequests, "rate_limit_exceeded", "Too many requests. You can only make 2 requests per second.")
		return
	case r.Header.Get("User-Agent") == "":
		refuse(http.StatusForbidden, "", "a User-Agent is required")
		return
	case r.Header.Get("Content-Type") != "application/json":
		refuse(http.StatusUnprocessableEntity, "validation_error", "The body must be JSON.")
		return
	case idempotency == "" || len(idempotency) > 256:
		refuse(http.StatusBadRequest, "invalid_idempotency_key", "The idempotency key must be between 1-256 chars.")
		return
	}
	before, repeated := f.known[idempotency]
	if repeated && before != string(body) {
		refuse(http.StatusConflict, "invalid_idempotent_request", "This idempotency key has already been used on a request that had a different payload.")
		return
	}
	if !repeated {
		answer, status := f.take(d, r, body)
		if status != http.StatusOK {
			w.WriteHeader(status)
			io.WriteString(w, answer)
			return
		}
		f.known[idempotency], f.answers[idempotency] = string(body), answer
	}
	switch {
	case f.cut > 0:
		f.cut--
		channeltest.Vanish()
	case f.broken > 0:
		f.broken--
		refuse(http.StatusInternalServerError, "application_error", "An unexpected error occurred.")
		return
	case strings.Contains(string(body), "<lost.") || strings.Contains(string(body), `"lost.`):
		channeltest.Vanish()
	}
	io.WriteString(w, f.answers[idempotency])
}

// take does the work of a request that Resend has not seen yet.
func (f *fake) take(d *channeltest.Desk, r *http.Request, body []byte) (answer string, status int) {
	var batch []asked
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	single := r.URL.Path == "/emails"
	var err error
	if single {
		batch = make([]asked, 1)
		err = dec.Decode(&batch[0])
	} else {
		err = dec.Decode(&batch)
	}
	if err != nil || len(batch) == 0 || len(batch) > 100 {
		return `{"statusCode":422,"name":"validation_error","message":"The body cannot be read."}`, http.StatusUnprocessableEntity
	}
	type id struct {
		ID string `json:"id"`
	}
	type bad struct {
		Index   int    `json:"index"`
		Message string `json:"message"`
	}
	out := struct {
		Data   []id  `json:"data"`
		Errors []bad `json:"errors"`
	}{[]id{}, []bad{}}
	var good []asked
	for i, m := range batch {
		if len(m.To) == 1 && strings.Contains(m.To[0], "<defer.") {
			return `{"statusCode":503,"message":"Service unavailable"}`, http.StatusServiceUnavailable
		}
		if words := wrong(&m); words != "" {
			if single || r.Header.Get("X-Batch-Validation") != "permissive" {
				return `{"statusCode":422,"name":"validation_error","message":` + fmt.Sprintf("%q", words) + `}`, http.StatusUnprocessableEntity
			}
			out.Errors = append(out.Errors, bad{i, words})
			continue
		}
		good = append(good, m)
		out.Data = append(out.Data, id{fmt.Sprintf("ae2014de-c168-4c61-8267-%012d", i)})
	}
	for _, m := range good {
		d.Take(m.Tags[0].Value)
	}
	if single {
		return `{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}`, http.StatusOK
	}
	b, _ := json.Marshal(out)
	return string(b), http.StatusOK
}

// wrong returns what Resend would refuse of a message.
func wrong(m *asked) string {
	if len(m.To) != 1 {
		return "Missing `to` field."
	}
	to, err := netmail.ParseAddress(m.To[0])
	if err != nil || channeltest.Fated(to.Address) == channeltest.Reject {
		return "Invalid `to` field. The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."
	}
	if _, err := netmail.ParseAddress(m.From); err != nil {
		return "Invalid `from` field."
	}
	if m.Subject == "" || m.HTML == "" && m.Text == "" || channeltest.Fated(to.Address) == channeltest.Policy {
		return "Missing `html` or `text` field."
	}
	for _, t := range m.Tags {
		if !tagText.MatchString(t.Name) || !tagText.MatchString(t.Value) {
			return "Tags should only contain ASCII letters, numbers, underscores, or dashes."
		}
	}
	if m.Subject != "Service" && (m.Headers["List-Unsubscribe"] != "<https://shop.example/u/token>" || m.Headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click") {
		return "this test wants a way out"
	}
	return ""
}

func open(t *testing.T) (*fake, *channeltest.Desk, *provider.Channel) {
	t.Helper()
	f := &fake{known: map[string]string{}, answers: map[string]string{}}
	d := channeltest.Open(t, f.serve)
	c, err := resend.New(resend.Options{Options: provider.Options{Base: d.URL}, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return f, d, c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Peer {
		_, d, c := open(t)
		return d.Peer(c, channeltest.Lost, channeltest.Defer)
	})
}

func TestALostAnswerIsAskedForAgainUnderTheSameKey(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*fake){
		"the connection broke twice":      func(f *fake) { f.cut = 2 },
		"the provider's answer was a 500": func(f *fake) { f.broken = 2 },
	} {
		f, d, c := open(t)
		set(f)
		batch := []channels.Message{channeltest.Message(1), channeltest.Message(2)}
		for i, o := range c.Send(t.Context(), batch) {
			if o.State != channels.Accepted || d.Taken(batch[i]) != 1 {
				t.Errorf("%s: message %d: %+v, taken %d times", name, i, o, d.Taken(batch[i]))
			}
		}
	}
}

func TestAnswersThatStayLostAreUnknown(t *testing.T) {
	t.Parallel()
	f, d, c := open(t)
	f.cut = 1000
	m := channeltest.Message(1)
	if o := c.Send(t.Context(), []channels.Message{m})[0]; o.State != channels.Unknown || d.Taken(m) != 1 {
		t.Errorf("%+v, taken %d times", o, d.Taken(m))
	}
	if f.asked > 5 {
		t.Errorf("asked %d times", f.asked)
	}
}

// Item 1: what a person waits for is asked again after a kill under the key it
// had before, and taken once.
func TestItem1AServiceMessageHasItsOwnKeyForEver(t *testing.T) {
	t.Parallel()
	f, d, c := open(t)
	a, b := channeltest.Message(1), channeltest.Message(2)
	for _, m := range []*channels.Message{&a, &b} {
		m.Service, m.Subject, m.Headers = true, "Service", nil
	}
	for i, o := range c.Send(t.Context(), []channels.Message{a, b}) {
		if o.State != channels.Accepted {
			t.Fatalf("message %d: %+v", i, o)
		}
	}
	if o := c.Send(t.Context(), []channels.Message{b})[0]; o.State != channels.Accepted {
		t.Errorf("asked again: %+v", o)
	}
	if d.Taken(a) != 1 || d.Taken(b) != 1 || len(f.known) != 2 {
		t.Errorf("taken %d and %d times under %d keys", d.Taken(a), d.Taken(b), len(f.known))
	}
	b.Text = "worded anew"
	if o := c.Send(t.Context(), []channels.Message{b})[0]; o.State != channels.Unknown || d.Taken(b) != 1 {
		t.Errorf("asked again with other words: %+v, taken %d times; want unknown", o, d.Taken(b))
	}
}

func TestAnAnswerThatDoesNotMatchTheBatchIsUnknown(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		``, `{}`, `{"data":[{"id":"a"}]}`, `{"data":[{"id":"a"},{"id":"b"},{"id":"c"}]}`, `{"data":[{"id":"a"}],"errors":[{"index":7,"message":"x"}]}`,
		`{"data":[{"id":"a"}],"errors":[{"index":-1,"message":"x"}]}`, `{"data":[],"errors":[{"index":1,"message":"x"},{"index":1,"message":"x"}]}`,
	} {
		d := channeltest.Open(t, func(_ *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, answer)
		})
		c, err := resend.New(resend.Options{Options: provider.Options{Base: d.URL}, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range c.Send(t.Context(), []channels.Message{channeltest.Message(1), channeltest.Message(2)}) {
			if o.State != channels.Unknown || o.Detail == "" {
				t.Errorf("after the answer %q: %+v, want unknown", answer, o)
			}
		}
	}
}

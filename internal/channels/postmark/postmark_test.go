package postmark_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"strings"
	"testing"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/postmark"
	"rapport/internal/channels/provider"
)

const token = "5fd2c3b1-0000-4444-8888-a1b2c3d4e5f6"

// asked is a message as Postmark documents it. A field that is not here is one
// that Postmark does not know.
type asked struct {
	From, To, Cc, Bcc, Subject, Tag, HtmlBody, TextBody, ReplyTo, MessageStream, TrackLinks string
	TrackOpens                                                                              bool
	Headers                                                                                 []struct{ Name, Value string }
	Metadata                                                                                map[string]string
}

type said struct {
	ErrorCode   int
	Message     string
	MessageID   string `json:",omitempty"`
	SubmittedAt string `json:",omitempty"`
	To          string `json:",omitempty"`
}

// fake checks what Postmark checks.
func fake(d *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
	refuse := func(status, code int, words string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(said{ErrorCode: code, Message: words})
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 50<<20+1))
	switch {
	case err != nil:
		return
	case r.Method != http.MethodPost || r.URL.Path != "/email/batch" || r.URL.RawQuery != "":
		refuse(http.StatusNotFound, 0, "")
		return
	case d.Forgotten() || r.Header.Get("X-Postmark-Server-Token") != token:
		refuse(http.StatusUnauthorized, 10, "The Server Token you provided in the X-Postmark-Server-Token request header was invalid.")
		return
	case d.Busy(w.Header()):
		refuse(http.StatusTooManyRequests, 429, "Rate limit exceeded.")
		return
	case r.Header.Get("Accept") != "application/json" || r.Header.Get("Content-Type") != "application/json":
		refuse(http.StatusUnprocessableEntity, 409, "Content-Type and Accept must be application/json.")
		return
	case len(body) > 50<<20:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	var batch []asked
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&batch); err != nil {
		refuse(http.StatusUnprocessableEntity, 403, "Incompatible JSON: "+err.Error())
		return
	}
	if len(batch) > 500 {
		refuse(http.StatusUnprocessableEntity, 410, "Too many batch messages.")
		return
	}
	answers := make([]said, len(batch))
	lost := false
	for i, m := range batch {
		switch to := address(m.To); channeltest.Fated(to) {
		case channeltest.Reject:
			answers[i] = said{ErrorCode: 300, Message: "Invalid 'To' address: '" + to + "'."}
			continue
		case channeltest.Policy:
			answers[i] = said{ErrorCode: 406, Message: "You tried to send to a recipient that has been marked as inactive."}
			continue
		case channeltest.Defer:
			answers[i] = said{ErrorCode: 100, Message: "Maintenance"}
			continue
		case channeltest.Lost:
			lost = true
		}
		if words := wrong(&m); words != "" {
			answers[i] = said{ErrorCode: 300, Message: words}
			continue
		}
		d.Take(m.Metadata["rapport_delivery"])
		answers[i] = said{Message: "OK", MessageID: fmt.Sprint("b7bc2f4a-e38e-4336-af7d-", i), SubmittedAt: "2026-03-01T10:00:00Z", To: m.To}
	}
	if lost {
		channeltest.Vanish()
	}
	json.NewEncoder(w).Encode(answers)
}

func address(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return ""
	}
	return a.Address
}

// wrong returns what Postmark would refuse of a message.
func wrong(m *asked) string {
	headers := map[string]string{}
	for _, h := range m.Headers {
		headers[h.Name] = h.Value
	}
	switch {
	case address(m.From) == "":
		return "Invalid 'From' address."
	case address(m.To) == "":
		return "Invalid 'To' address."
	case m.HtmlBody == "" && m.TextBody == "":
		return "Provide either email TextBody or HtmlBody or both."
	case m.TrackOpens || m.TrackLinks != "None":
		return "this test wants no tracking by the provider"
	case m.MessageStream != "broadcast" && m.MessageStream != "outbound":
		return "The 'MessageStream' provided does not exist on this server."
	case m.MessageStream == "broadcast" && (!strings.HasPrefix(headers["List-Unsubscribe"], "<https://") || headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click"):
		return "this test wants a way out on every broadcast"
	}
	for k, v := range m.Metadata {
		if len(k) > 20 || len(v) > 80 {
			return "Metadata keys are at most 20 and values at most 80 characters."
		}
	}
	return ""
}

func open(t *testing.T) (*channeltest.Desk, *provider.Channel) {
	t.Helper()
	d := channeltest.Open(t, fake)
	c, err := postmark.New(postmark.Options{Options: provider.Options{Base: d.URL}, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return d, c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Peer {
		d, c := open(t)
		return d.Peer(c, channeltest.Lost)
	})
}

func TestMessagesArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	var got []asked
	d := channeltest.Open(t, func(_ *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, `[{"ErrorCode":0,"MessageID":"a","Message":"OK"},{"ErrorCode":0,"MessageID":"b","Message":"OK"}]`)
	})
	c, err := postmark.New(postmark.Options{Options: provider.Options{Base: d.URL}, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	marketing, service := channeltest.Message(1), channeltest.Message(2)
	marketing.From.Name, marketing.ReplyTo = "Łukasz \"the\" Shop\r\nBcc: e@x.example", channels.Party{Name: "Help", Address: "help@shop.example"}
	marketing.HTML = "<p>5 > 4 & \u2028</p>"
	service.Service, service.Headers = true, nil
	for i, o := range c.Send(t.Context(), []channels.Message{marketing, service}) {
		if o.State != channels.Accepted {
			t.Fatalf("message %d: %+v", i, o)
		}
	}
	m := got[0]
	if from, err := mail.ParseAddress(m.From); err != nil || from.Name != `Łukasz "the" Shop Bcc: e@x.example` || from.Address != "news@shop.example" {
		t.Errorf("From = %q", m.From)
	}
	if m.ReplyTo != `"Help" <help@shop.example>` || m.HtmlBody != marketing.HTML || m.TextBody != "Hello" || m.Subject != "Letter 1" {
		t.Errorf("the message is %+v", m)
	}
	if m.MessageStream != "broadcast" || got[1].MessageStream != "outbound" {
		t.Errorf("streams are %q and %q", m.MessageStream, got[1].MessageStream)
	}
	headers := map[string]string{}
	for _, h := range m.Headers {
		headers[h.Name] = h.Value
	}
	if headers["List-Unsubscribe"] != "<https://shop.example/u/token>" || headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" || headers["Message-ID"] != "<"+marketing.Delivery+"@shop.example>" {
		t.Errorf("headers are %v", headers)
	}
}

func TestAnAnswerThatDoesNotMatchTheBatchIsUnknown(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"", "[]", `[{"ErrorCode":0}]`, `{"ErrorCode":0}`, "<html>", `[{"ErrorCode":0},{"ErrorCode":0},{"ErrorCode":0}]`} {
		d := channeltest.Open(t, func(_ *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, answer)
		})
		c, err := postmark.New(postmark.Options{Options: provider.Options{Base: d.URL}, Token: token})
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

func TestAnAccountThatMayNotSendIsTroubleAndNobodysFault(t *testing.T) {
	t.Parallel()
	d := channeltest.Open(t, func(_ *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, `[{"ErrorCode":401,"Message":"The From address is not a confirmed Sender Signature."}]`)
	})
	c, err := postmark.New(postmark.Options{Options: provider.Options{Base: d.URL}, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	o := c.Send(t.Context(), []channels.Message{channeltest.Message(1)})[0]
	if o.State != channels.Deferred || o.RetryAfter <= 0 || o.Hard || !strings.Contains(c.Trouble(), "Sender Signature") {
		t.Fatalf("%+v, trouble %q", o, c.Trouble())
	}
}

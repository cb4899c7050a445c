package mailgun_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/mailgun"
	"rapport/internal/fault"
)

const signingKey = "webhook-signing-key"

var now = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func reader(t *testing.T) *mailgun.Reader { return readerAt(t, now) }

func readerAt(t *testing.T, now time.Time) *mailgun.Reader {
	t.Helper()
	r, err := mailgun.NewReader(mailgun.Hook{Key: signingKey, Now: func() time.Time { return now }, Judge: channeltest.Judge})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sign(stamp, token string) string {
	m := hmac.New(sha256.New, []byte(signingKey))
	m.Write([]byte(stamp + token))
	return hex.EncodeToString(m.Sum(nil))
}

var (
	stamp  = strconv.FormatInt(now.Unix(), 10)
	asJSON = http.Header{"Content-Type": {"application/json"}}
	asForm = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
)

func signed(data any, token string) []byte {
	b, _ := json.Marshal(map[string]any{"signature": map[string]string{"timestamp": stamp, "token": token, "signature": sign(stamp, token)}, "event-data": data})
	return b
}

func TestEachWebhookTellsWhatItMeans(t *testing.T) {
	t.Parallel()
	want := []string{ // by place: two fixtures share a name
		"delivered recipient@example.com",
		"bounced invalid@example.com hard 5.1.1",
		"delayed undeliverable@nomx.example.com soft",
		"delayed undeliverable@mx.example.com soft",
		"bounced policy", // it names a customer and an address together, which is nobody's address
		"complained recipient@example.com",
		"unsubscribed recipient@example.com",
		"opened recipient@example.com human",
		"clicked recipient@example.com unknown https://example.com/test",
		"complained complaint@example.com",
		"bounced complaint@example.com soft",
		"bounced noreply@example.com hard 5.1.1",
		"bounced noreply@example.com hard 5.1.1",
		"", // not an event
		"clicked actual-recipient@example.com unknown http://clicked.example.com/actual/event/param",
		"", // an inbound mail
	}
	fixtures := channeltest.Fixtures(t, "testdata/anymail.json")
	if len(fixtures) != len(want) {
		t.Fatalf("%d fixtures, and %d are told", len(fixtures), len(want))
	}
	for i, f := range fixtures {
		var payload map[string]any
		if err := json.Unmarshal(f.Payload, &payload); err != nil {
			t.Fatal(err)
		}
		token := fmt.Sprint("token-", i)
		var body []byte
		header := asJSON
		if data, ok := payload["event-data"].(map[string]any); ok {
			variables, _ := data["user-variables"].(map[string]any)
			if variables == nil {
				variables = map[string]any{}
			}
			variables["rapport_delivery"] = channeltest.Delivery
			data["user-variables"] = variables
			body = signed(data, token)
		} else {
			header = asForm
			form := url.Values{"rapport_delivery": {channeltest.Delivery}}
			for k, v := range payload {
				form.Set(k, fmt.Sprint(v))
			}
			form.Set("timestamp", stamp)
			form.Set("token", token)
			form.Set("signature", sign(stamp, token))
			body = []byte(form.Encode())
		}
		r := reader(t)
		got, err := r.Read(t.Context(), header, body)
		if err != nil || channeltest.Told(got) != want[i] {
			t.Errorf("%d %s: %q, %v; want %q", i, f.Test, channeltest.Told(got), err, want[i])
		}
		again, err := r.Read(t.Context(), header, body)
		if err != nil || channeltest.Told(again) != want[i] {
			t.Errorf("%d %s, told again: %q, %v", i, f.Test, channeltest.Told(again), err)
		}
		for _, n := range got {
			if n.Delivery != channeltest.Delivery || n.At == 0 || n.Source != "mailgun" || n.ID != again[0].ID {
				t.Errorf("%d %s: %+v", i, f.Test, n)
			}
		}
	}
}

func TestOtherShapesOfEventsAreTakenOrPassedOver(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/mailgun-go.json")
	if err != nil {
		t.Fatal(err)
	}
	var events []json.RawMessage
	if err := json.Unmarshal(b, &events); err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		got, err := reader(t).Read(t.Context(), asJSON, signed(e, "token"))
		want := ""
		if i == 7 {
			want = "delivered alice@example.com"
		}
		// The second has its timestamp as a text, which Mailgun's webhooks never had.
		if channeltest.Told(got) != want || err != nil && (i != 1 || !fault.Is(err, fault.Invalid)) {
			t.Errorf("%d: %q, %v; want %q", i, channeltest.Told(got), err, want)
		}
	}
}

func TestThePublishedSignatureHoldsAndEveryTamperedByteFails(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Key       string `json:"signing_key"`
		Timestamp string `json:"timestamp"`
		Token     string `json:"token"`
		Signature string `json:"signature"`
	}
	if err := json.Unmarshal(b, &vectors); err != nil || len(vectors) == 0 {
		t.Fatal(err)
	}
	v := vectors[0]
	if v.Key != signingKey {
		t.Fatalf("the key is %q", v.Key)
	}
	seconds, _ := strconv.ParseInt(v.Timestamp, 10, 64)
	read := func(stamp, token, signature string) error {
		body, _ := json.Marshal(map[string]any{
			"signature":  map[string]string{"timestamp": stamp, "token": token, "signature": signature},
			"event-data": map[string]string{"event": "complained"},
		})
		_, err := readerAt(t, time.Unix(seconds, 0)).Read(t.Context(), asJSON, body)
		return err
	}
	if err := read(v.Timestamp, v.Token, v.Signature); err != nil {
		t.Errorf("the published signature: %v", err)
	}
	for which, s := range []string{v.Timestamp, v.Token, v.Signature} {
		for i := range s {
			altered := []byte(s)
			altered[i] ^= 1
			parts := []string{v.Timestamp, v.Token, v.Signature}
			parts[which] = string(altered)
			if err := read(parts[0], parts[1], parts[2]); !fault.Is(err, fault.Denied) {
				t.Errorf("byte %d of part %d altered: %v", i, which, err)
			}
		}
	}
	for _, off := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		body, _ := json.Marshal(map[string]any{"signature": map[string]string{"timestamp": v.Timestamp, "token": v.Token, "signature": v.Signature}})
		if _, err := readerAt(t, time.Unix(seconds, 0).Add(off)).Read(t.Context(), asJSON, body); !fault.Is(err, fault.Denied) {
			t.Errorf("%v later: %v", off, err)
		}
	}
}

// Mailgun signs no word of what it tells, so whoever saw one webhook could say
// anything under its signature.
func TestItem46ATokenServesNoOtherWords(t *testing.T) {
	t.Parallel()
	r := reader(t)
	body := signed(map[string]string{"event": "delivered"}, "token")
	if _, err := r.Read(t.Context(), asJSON, body); err != nil {
		t.Fatal(err)
	}
	for i := range body {
		altered := append([]byte(nil), body...)
		altered[i] ^= 1
		if got, err := r.Read(t.Context(), asJSON, altered); err == nil || len(got) != 0 {
			t.Fatalf("byte %d altered: %v, %v", i, got, err)
		}
	}
	forged := signed(map[string]string{"event": "complained"}, "token")
	if _, err := r.Read(t.Context(), asJSON, forged); !fault.Is(err, fault.Denied) {
		t.Errorf("other words under the same token: %v", err)
	}
	form := url.Values{"timestamp": {stamp}, "token": {"token"}, "signature": {sign(stamp, "token")}, "event": {"complained"}}
	if _, err := r.Read(t.Context(), asForm, []byte(form.Encode())); !fault.Is(err, fault.Denied) {
		t.Errorf("the same as a form: %v", err)
	}
	for _, body := range []string{"", "{}", "[]", "null", `{"signature":7}`, strings.Repeat("[", 5000)} {
		if _, err := r.Read(t.Context(), asJSON, []byte(body)); !fault.Is(err, fault.Denied) {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

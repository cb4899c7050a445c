package resend_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/provider"
	"rapport/internal/channels/resend"
	"rapport/internal/fault"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var now = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func reader(t *testing.T, secret provider.Secret, now time.Time) *resend.Reader {
	t.Helper()
	r, err := resend.NewReader(resend.Hook{Secret: secret, Now: func() time.Time { return now }, Judge: channeltest.Judge})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sign(prefix, id string, at time.Time, body []byte) http.Header {
	key, _ := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
	stamp := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + stamp + "." + string(body)))
	h := http.Header{}
	h.Set(prefix+"-Id", id)
	h.Set(prefix+"-Timestamp", stamp)
	h.Set(prefix+"-Signature", "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
	return h
}

func TestEachWebhookTellsWhatItMeans(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"test_sent_event":             "",
		"test_delivered_event":        "delivered to@example.org",
		"test_hard_bounced_event":     "bounced bounced@resend.dev hard",
		"test_suppressed_event":       "bounced blocked@example.org soft",
		"test_delivery_delayed_event": "delayed delivered@resend.dev soft",
		"test_complained_event":       "complained complained@resend.dev",
		"test_opened_event":           "opened to@example.org unknown",
		"test_clicked_event":          "clicked to@example.org unknown https://example.com/test",
	}
	fixtures := channeltest.Fixtures(t, "testdata/anymail.json")
	if len(fixtures) != len(want) {
		t.Errorf("%d fixtures, and %d are told", len(fixtures), len(want))
	}
	for _, f := range fixtures {
		for prefix, tags := range map[string]any{
			"Svix":    map[string]string{"rapport_delivery": channeltest.Delivery},
			"Webhook": []map[string]string{{"name": "x", "value": "y"}, {"name": "rapport_delivery", "value": channeltest.Delivery}},
		} {
			var body map[string]any
			if err := json.Unmarshal(f.Payload, &body); err != nil {
				t.Fatal(err)
			}
			body["data"].(map[string]any)["tags"] = tags
			raw, _ := json.Marshal(body)
			got, err := reader(t, secret, now).Read(t.Context(), sign(prefix, "msg_1", now, raw), raw)
			if err != nil || channeltest.Told(got) != want[f.Test] {
				t.Errorf("%s: %q, %v; want %q", f.Test, channeltest.Told(got), err, want[f.Test])
			}
			for _, n := range got {
				if n.Delivery != channeltest.Delivery || n.ID != "resend:msg_1" || n.At == 0 || n.Source != "resend" {
					t.Errorf("%s: %+v", f.Test, n)
				}
			}
		}
	}
}

func TestBouncesBlameWhomTheyAreAbout(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"type":"email.bounced","data":{"bounce":{"type":"Permanent","subType":"General","message":"The recipient's server gave a reason; reputation may suffer."}}}`: "bounced hard",
		`{"type":"email.bounced","data":{"bounce":{"type":"Transient","subType":"MailboxFull","message":"The mailbox was full."}}}`:                                    "bounced soft",
		`{"type":"email.bounced","data":{"bounce":{"type":"Permanent","subType":"General","message":"smtp; 550 5.7.1 rejected"}}}`:                                     "bounced policy 5.7.1",
		`{"type":"email.bounced","data":{"bounce":{"type":"Transient","subType":"ContentRejected"}}}`:                                                                  "bounced policy",
		`{"type":"email.bounced","data":{"bounce":{"type":"Permanent","subType":"OnAccountSuppressionList"}}}`:                                                         "bounced soft",
		`{"type":"email.failed","data":{"failed":{"reason":"reached_daily_quota"}}}`:                                                                                   "bounced soft",
		`{"type":"contact.created","data":{}}`: "",
	} {
		got, err := reader(t, secret, now).Read(t.Context(), sign("Svix", "msg_1", now, []byte(body)), []byte(body))
		if err != nil || channeltest.Told(got) != want {
			t.Errorf("%s: %q, %v; want %q", body, channeltest.Told(got), err, want)
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
		Secret    string `json:"secret"`
		ID        string `json:"id"`
		Timestamp string `json:"timestamp"`
		Body      string `json:"body"`
		Signature string `json:"signature"`
	}
	if err := json.Unmarshal(b, &vectors); err != nil || len(vectors) == 0 {
		t.Fatal(err)
	}
	v := vectors[0]
	seconds, _ := strconv.ParseInt(v.Timestamp, 10, 64)
	at := time.Unix(seconds, 0)
	read := func(now time.Time, id, stamp, signature, body string) error {
		h := http.Header{}
		h.Set("Webhook-Id", id)
		h.Set("Webhook-Timestamp", stamp)
		h.Set("Webhook-Signature", signature)
		_, err := reader(t, provider.Secret(v.Secret), now).Read(t.Context(), h, []byte(body))
		return err
	}
	if err := read(at, v.ID, v.Timestamp, v.Signature, v.Body); err != nil {
		t.Errorf("the published signature: %v", err)
	}
	if err := read(at, v.ID, v.Timestamp, "v1,AAAA v1a,xyz "+v.Signature, v.Body); err != nil {
		t.Errorf("the published signature behind another: %v", err)
	}
	parts := []string{v.ID, v.Timestamp, v.Body}
	for which, s := range parts {
		for i := range s {
			altered := append([]string(nil), parts...)
			text := []byte(s)
			text[i] ^= 1
			altered[which] = string(text)
			if err := read(at, altered[0], altered[1], v.Signature, altered[2]); !fault.Is(err, fault.Denied) {
				t.Errorf("byte %d of part %d altered: %v", i, which, err)
			}
		}
	}
	sig, _ := base64.StdEncoding.DecodeString(v.Signature[3:])
	for i := range sig {
		altered := append([]byte(nil), sig...)
		altered[i] ^= 1
		if err := read(at, v.ID, v.Timestamp, "v1,"+base64.StdEncoding.EncodeToString(altered), v.Body); !fault.Is(err, fault.Denied) {
			t.Errorf("byte %d of the signature altered: %v", i, err)
		}
	}
	for name, signature := range map[string]string{"none": "", "of another version": "v2" + v.Signature[2:], "without a version": v.Signature[3:]} {
		if err := read(at, v.ID, v.Timestamp, signature, v.Body); !fault.Is(err, fault.Denied) {
			t.Errorf("a signature %s: %v", name, err)
		}
	}
	for _, off := range []time.Duration{-6 * time.Minute, 6 * time.Minute} {
		if err := read(at.Add(off), v.ID, v.Timestamp, v.Signature, v.Body); !fault.Is(err, fault.Denied) {
			t.Errorf("%v later: %v", off, err)
		}
	}
}

func TestASecretThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []provider.Secret{"", "whsec_", "whsec_!!", "whsec_c2hvcnQ="} {
		if _, err := resend.NewReader(resend.Hook{Secret: s}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", string(s), err)
		}
	}
}

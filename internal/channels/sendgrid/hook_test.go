package sendgrid_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/sendgrid"
	"rapport/internal/fault"
)

var now = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// account is a SendGrid account that signs.
type account struct{ key *ecdsa.PrivateKey }

func newAccount(t *testing.T) account {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return account{key}
}

func (a account) sign(body []byte, at time.Time) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	sum := sha256.Sum256(append([]byte(stamp), body...))
	sig, _ := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
	h := http.Header{}
	h.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(sig))
	h.Set("X-Twilio-Email-Event-Webhook-Timestamp", stamp)
	return h
}

func (a account) reader(t *testing.T) *sendgrid.Reader {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&a.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sendgrid.NewReader(sendgrid.Hook{PublicKey: base64.StdEncoding.EncodeToString(der), Now: func() time.Time { return now }, Judge: channeltest.Judge})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEachWebhookTellsWhatItMeans(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	want := map[string]string{
		"setUpClass":                                 "",
		"test_processed_event":                       "",
		"test_delivered_event":                       "delivered recipient@example.com",
		"test_dropped_invalid_event":                 "bounced invalid@invalid hard",
		"test_dropped_bounced":                       "bounced example@example.com hard 5.0.0",
		"test_dropped_unsubscribed_event":            "unsubscribed unsubscribe@example.com",
		"test_bounce_event":                          "bounced noreply@example.com hard 5.1.1",
		"test_deferred_event":                        "delayed recipient@example.com soft",
		"test_open_event":                            "opened recipient@example.com human",
		"test_click_event":                           "clicked recipient@example.com human http://www.example.com",
		"test_compatibility_message_id_from_smtp_id": "delivered recipient@example.com",
	}
	fixtures := channeltest.Fixtures(t, "testdata/anymail.json")
	if len(fixtures) != len(want) {
		t.Errorf("%d fixtures, and %d are told", len(fixtures), len(want))
	}
	for _, f := range fixtures {
		var events []map[string]any
		if err := json.Unmarshal(f.Payload, &events); err != nil {
			t.Fatal(err)
		}
		events[0]["rapport_delivery"] = channeltest.Delivery
		body, _ := json.Marshal(events)
		got, err := a.reader(t).Read(t.Context(), a.sign(body, now), body)
		if err != nil || channeltest.Told(got) != want[f.Test] {
			t.Errorf("%s: %q, %v; want %q", f.Test, channeltest.Told(got), err, want[f.Test])
		}
		for _, n := range got {
			if n.Delivery != channeltest.Delivery || n.ID != "sendgrid:"+events[0]["sg_event_id"].(string) || n.At == 0 || n.Source != "sendgrid" {
				t.Errorf("%s: %+v", f.Test, n)
			}
		}
	}
}

func TestBouncesBlameWhomTheyAreAbout(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for event, want := range map[string]string{
		`{"event":"bounce","type":"blocked","status":"5.7.1","reason":"550 5.7.1 blocked for spam"}`: "bounced policy 5.7.1",
		`{"event":"bounce","type":"blocked","reason":"unable to connect"}`:                           "bounced soft",
		`{"event":"bounce","type":"bounce","status":"5.2.2","reason":"552 5.2.2 mailbox full"}`:      "bounced soft 5.2.2",
		`{"event":"bounce","type":"bounce","bounce_classification":"Reputation"}`:                    "bounced policy",
		`{"event":"bounce","type":"bounce","bounce_classification":"Invalid Address"}`:               "bounced hard",
		`{"event":"dropped","reason":"Spam Reporting Address"}`:                                      "complained",
		`{"event":"dropped","reason":"Recipient List over Package Quota"}`:                           "bounced soft",
		`{"event":"spamreport"}`:                                                        "complained",
		`{"event":"group_unsubscribe","asm_group_id":1}`:                                "unsubscribed",
		`{"event":"group_resubscribe","asm_group_id":1}`:                                "",
		`{"event":"open","useragent":"Mozilla/5.0 (Macintosh)","sg_machine_open":true}`: "opened machine",
		`{"event":"open","useragent":"Something"}`:                                      "opened unknown",
		`{"event":"delivered","email":7}`:                                               "", // not SendGrid's shape
	} {
		body := []byte("[" + event + `,{"event":"delivered","email":"b@people.example"}]`)
		got, err := a.reader(t).Read(t.Context(), a.sign(body, now), body)
		full := "delivered b@people.example"
		if want != "" {
			full = want + "; " + full
		}
		if err != nil || channeltest.Told(got) != full {
			t.Errorf("%s: %q, %v; want %q", event, channeltest.Told(got), err, full)
		}
	}
}

type vector struct {
	Key       string `json:"public_key_der_b64"`
	Body      string `json:"body"`
	Timestamp string `json:"timestamp"`
	Signature string `json:"signature"`
}

func TestThePublishedSignatureHoldsAndEveryTamperedByteFails(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(b, &vectors); err != nil || len(vectors) == 0 {
		t.Fatal(err)
	}
	for _, v := range vectors {
		seconds, _ := strconv.ParseInt(v.Timestamp, 10, 64)
		at := time.Unix(seconds, 0)
		read := func(now time.Time, stamp, signature string, body []byte) error {
			r, err := sendgrid.NewReader(sendgrid.Hook{PublicKey: v.Key, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{}
			h.Set("X-Twilio-Email-Event-Webhook-Signature", signature)
			h.Set("X-Twilio-Email-Event-Webhook-Timestamp", stamp)
			_, err = r.Read(t.Context(), h, body)
			return err
		}
		body := []byte(v.Body)
		if err := read(at, v.Timestamp, v.Signature, body); err != nil {
			t.Errorf("the published signature: %v", err)
		}
		for i := range body {
			altered := append([]byte(nil), body...)
			altered[i] ^= 1
			if err := read(at, v.Timestamp, v.Signature, altered); !fault.Is(err, fault.Denied) {
				t.Fatalf("byte %d of the body altered: %v", i, err)
			}
		}
		for i := range v.Timestamp {
			altered := []byte(v.Timestamp)
			altered[i] ^= 1
			if err := read(at, string(altered), v.Signature, body); !fault.Is(err, fault.Denied) {
				t.Fatalf("digit %d of the timestamp altered: %v", i, err)
			}
		}
		sig, _ := base64.StdEncoding.DecodeString(v.Signature)
		for i := range sig {
			altered := append([]byte(nil), sig...)
			altered[i] ^= 1
			if err := read(at, v.Timestamp, base64.StdEncoding.EncodeToString(altered), body); !fault.Is(err, fault.Denied) {
				t.Fatalf("byte %d of the signature altered: %v", i, err)
			}
		}
		for _, off := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
			if err := read(at.Add(off), v.Timestamp, v.Signature, body); !fault.Is(err, fault.Denied) {
				t.Errorf("%v later: %v", off, err)
			}
		}
		if err := read(at, "", "", body); !fault.Is(err, fault.Denied) {
			t.Errorf("without a signature: %v", err)
		}
	}
}

func TestAKeyOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := x509.MarshalPKIXPublicKey(&other.PublicKey)
	for _, key := range []string{"", "not base64!", "aGVsbG8=", base64.StdEncoding.EncodeToString(der)} {
		if _, err := sendgrid.NewReader(sendgrid.Hook{PublicKey: key}); !fault.Is(err, fault.Invalid) {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

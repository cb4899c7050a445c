package ses_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/ses"
	"rapport/internal/fault"
)

const (
	topic   = "arn:aws:sns:eu-west-1:123456789012:mail"
	certURL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-12345abcde.pem"
)

// amazon signs as SNS does, with a key made once for all tests.
var amazon = sync.OnceValue(func() (a struct {
	key *rsa.PrivateKey
	pem []byte
},
) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(48 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	a.key, a.pem = key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
})

// signed returns a message of SNS with its signature, by the rule that Amazon
// publishes: name and value of each field that the kind of message has.
func signed(t *testing.T, m map[string]string) []byte {
	t.Helper()
	for k, v := range map[string]string{"Type": "Notification", "MessageId": "m-1", "TopicArn": topic, "Timestamp": now.Format("2006-01-02T15:04:05.000Z"), "SigningCertURL": certURL, "SignatureVersion": "1"} {
		if _, set := m[k]; !set {
			m[k] = v
		}
	}
	fields := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if m["Type"] != "Notification" {
		fields = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	var text strings.Builder
	for _, f := range fields {
		if v, set := m[f]; set {
			text.WriteString(f + "\n" + v + "\n")
		}
	}
	hash, sum := crypto.SHA1, []byte(nil)
	if m["SignatureVersion"] == "2" {
		hash = crypto.SHA256
		s := sha256.Sum256([]byte(text.String()))
		sum = s[:]
	} else {
		s := sha1.Sum([]byte(text.String()))
		sum = s[:]
	}
	if _, set := m["Signature"]; !set {
		sig, err := rsa.SignPKCS1v15(rand.Reader, amazon().key, hash, sum)
		if err != nil {
			t.Fatal(err)
		}
		m["Signature"] = base64.StdEncoding.EncodeToString(sig)
	}
	b, _ := json.Marshal(m)
	return b
}

type fetches struct {
	mu   sync.Mutex
	urls []string
}

func (f *fetches) fetch(_ context.Context, url string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.urls = append(f.urls, url)
	if strings.HasSuffix(url, ".pem") {
		return amazon().pem, nil
	}
	return []byte("<ConfirmSubscriptionResponse/>"), nil
}

func reader(t *testing.T, f *fetches, at time.Time) *ses.Reader {
	t.Helper()
	r, err := ses.NewReader(ses.Hook{Topics: []string{topic}, Fetch: f.fetch, Now: func() time.Time { return at }, Judge: channeltest.Judge})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEachWebhookTellsWhatItMeans(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"test_bounce_event":                          "bounced jane@example.com hard 5.1.1",
		"test_multiple_bounce_event":                 "bounced jane@example.com hard; bounced richard@example.com hard",
		"test_complaint_event":                       "complained richard@example.com",
		"test_delivery_event":                        "delivered jane@example.com",
		"test_send_event":                            "",
		"test_reject_event":                          "bounced recipient@example.com policy",
		"test_open_event":                            "opened recipient@example.com human",
		"test_click_event":                           "clicked recipient@example.com human https://docs.aws.amazon.com/ses/latest/DeveloperGuide/",
		"test_rendering_failure_event":               "bounced recipient@example.com policy",
		"test_incorrect_received_event":              "",
		"test_sns_confirmation_success_notification": "",
		"test_sns_unsubscribe_confirmation":          "",
		"test_sns_subscription_confirmation_failure": "denied", // an answer of Amazon's API, not a message of SNS
	}
	fixtures := channeltest.Fixtures(t, "testdata/anymail.json")
	if len(fixtures) != len(want) {
		t.Errorf("%d fixtures, and %d are told", len(fixtures), len(want))
	}
	for _, f := range fixtures {
		var payload map[string]any
		if err := json.Unmarshal(f.Payload, &payload); err != nil {
			t.Fatal(err)
		}
		body := []byte(f.Payload)
		if kind, ok := payload["Type"].(string); ok {
			m := map[string]string{"Type": kind}
			for _, k := range []string{"Message", "MessageId", "Token", "SubscribeURL"} {
				if v, ok := payload[k].(string); ok {
					m[k] = v
				}
			}
			body = signed(t, m)
		} else if mail, ok := payload["mail"].(map[string]any); ok {
			mail["tags"] = map[string][]string{"rapport_delivery": {channeltest.Delivery}}
			event, _ := json.Marshal(payload)
			body = signed(t, map[string]string{"Message": string(event), "Subject": "Amazon SES Email Event Notification"})
		}
		got, err := reader(t, &fetches{}, now).Read(t.Context(), nil, body)
		told := channeltest.Told(got)
		if fault.Is(err, fault.Denied) {
			told = "denied"
		}
		if err != nil && told != "denied" || told != want[f.Test] {
			t.Errorf("%s: %q, %v; want %q", f.Test, told, err, want[f.Test])
		}
		ids := map[string]bool{}
		for _, n := range got {
			if n.Delivery != channeltest.Delivery || ids[n.ID] || n.ID == "" || n.Source != "ses" {
				t.Errorf("%s: %+v", f.Test, n)
			}
			ids[n.ID] = true
		}
	}
}

func TestEventsBlameWhomTheyAreAbout(t *testing.T) {
	t.Parallel()
	to := `[{"emailAddress":"a@people.example"}]`
	for event, want := range map[string]string{
		`{"eventType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull","bouncedRecipients":` + to + `}}`:                                                         "bounced a@people.example soft",
		`{"eventType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"ContentRejected","bouncedRecipients":` + to + `}}`:                                                     "bounced a@people.example policy",
		`{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"OnAccountSuppressionList","bouncedRecipients":` + to + `}}`:                                            "bounced a@people.example soft",
		`{"eventType":"Bounce","bounce":{"bounceType":"Undetermined","bounceSubType":"Undetermined","bouncedRecipients":` + to + `}}`:                                                     "bounced a@people.example soft",
		`{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"a@people.example","status":"5.7.1","diagnosticCode":"smtp; 550 5.7.1 policy"}]}}`: "bounced a@people.example policy 5.7.1",
		`{"eventType":"DeliveryDelay","deliveryDelay":{"delayType":"MailboxFull","delayedRecipients":[{"emailAddress":"a@people.example","status":"4.2.2"}]}}`:                            "delayed a@people.example soft 4.2.2",
		`{"notificationType":"Complaint","complaint":{"complaintFeedbackType":"not-spam","complainedRecipients":` + to + `}}`:                                                             "",
		`{"notificationType":"Complaint","complaint":{"complaintSubType":"OnAccountSuppressionList","complainedRecipients":` + to + `}}`:                                                  "bounced a@people.example soft",
		`{"eventType":"Subscription","mail":{"destination":["a@people.example"]}}`:                                                                                                        "unsubscribed a@people.example",
	} {
		got, err := reader(t, &fetches{}, now).Read(t.Context(), nil, signed(t, map[string]string{"Message": event}))
		if err != nil || channeltest.Told(got) != want {
			t.Errorf("%s: %q, %v; want %q", event, channeltest.Told(got), err, want)
		}
	}
}

func TestItem46OnlyAmazonsWordOnATopicOfOursIsBelieved(t *testing.T) {
	t.Parallel()
	event := `{"eventType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"a@people.example"}]}}`
	for _, version := range []string{"1", "2"} {
		body := signed(t, map[string]string{"Message": event, "SignatureVersion": version})
		if got, err := reader(t, &fetches{}, now).Read(t.Context(), nil, body); err != nil || len(got) != 1 {
			t.Fatalf("version %s: %v, %v", version, got, err)
		}
		// Every byte of every value that is signed, and of the signature.
		var m map[string]string
		if err := json.Unmarshal(body, &m); err != nil {
			t.Fatal(err)
		}
		r := reader(t, &fetches{}, now)
		for _, field := range []string{"Message", "MessageId", "Timestamp", "TopicArn", "Type", "SignatureVersion"} {
			for i := range m[field] {
				altered := map[string]string{}
				for k, v := range m {
					altered[k] = v
				}
				b := []byte(m[field])
				b[i] ^= 1
				altered[field] = string(b)
				raw, _ := json.Marshal(altered)
				if got, err := r.Read(t.Context(), nil, raw); !fault.Is(err, fault.Denied) || len(got) != 0 {
					t.Errorf("byte %d of %s altered: %v, %v", i, field, got, err)
				}
			}
		}
		sig, _ := base64.StdEncoding.DecodeString(m["Signature"])
		for i := 0; i < len(sig); i += 7 {
			b := append([]byte(nil), sig...)
			b[i] ^= 1
			m["Signature"] = base64.StdEncoding.EncodeToString(b)
			raw, _ := json.Marshal(m)
			if _, err := r.Read(t.Context(), nil, raw); !fault.Is(err, fault.Denied) {
				t.Errorf("byte %d of the signature altered: %v", i, err)
			}
		}
	}
	for name, m := range map[string]map[string]string{
		"somebody else's topic": {"TopicArn": "arn:aws:sns:eu-west-1:666666666666:mail"},
		"no signature":          {"Signature": ""},
		"an old message":        {"Timestamp": "2026-02-20T10:00:00.000Z"},
		"one from the future":   {"Timestamp": "2026-03-09T10:00:00.000Z"},
		"a time that is none":   {"Timestamp": "yesterday"},
		"another signature":     {"SignatureVersion": "3"},
	} {
		m["Message"] = event
		if got, err := reader(t, &fetches{}, now).Read(t.Context(), nil, signed(t, m)); !fault.Is(err, fault.Denied) || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestACertificateComesFromAmazonsHostsOnly(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"http://sns.eu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem", "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
		"https://sns.eu-west-1.amazonaws.com:8443/x.pem", "https://user@sns.eu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
		"https://snsxeu-west-1.amazonaws.com/x.pem", "https://bucket.s3.amazonaws.com/x.pem", "https://sns.amazonaws.com/x.pem", "https:sns.eu-west-1.amazonaws.com/x.pem",
		"//sns.eu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com/?x=.pem", "file:///etc/x.pem", "", "https://127.0.0.1/x.pem",
	} {
		f := &fetches{}
		body := signed(t, map[string]string{"Message": "{}", "SigningCertURL": url})
		_, err := reader(t, f, now).Read(t.Context(), nil, body)
		if !fault.Is(err, fault.Denied) || len(f.urls) != 0 {
			t.Errorf("%q: %v, fetched %v", url, err, f.urls)
		}
	}
	for _, url := range []string{certURL, "https://sns.cn-north-1.amazonaws.com.cn/x.pem", "https://sns.us-gov-west-1.amazonaws.com/x.pem"} {
		body := signed(t, map[string]string{"Message": `{"eventType":"Send"}`, "SigningCertURL": url})
		if _, err := reader(t, &fetches{}, now).Read(t.Context(), nil, body); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestACertificateIsFetchedOnceAndMustBeValid(t *testing.T) {
	t.Parallel()
	f := &fetches{}
	r := reader(t, f, now)
	body := signed(t, map[string]string{"Message": `{"eventType":"Send"}`})
	for range 5 {
		if _, err := r.Read(t.Context(), nil, body); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.urls) != 1 {
		t.Errorf("fetched %v", f.urls)
	}
	late := now.Add(49 * time.Hour)
	old := signed(t, map[string]string{"Message": `{"eventType":"Send"}`, "Timestamp": late.Format(time.RFC3339)})
	if _, err := reader(t, &fetches{}, late).Read(t.Context(), nil, old); !fault.Is(err, fault.Denied) {
		t.Errorf("a certificate that has ended: %v", err)
	}
	away, err := ses.NewReader(ses.Hook{Topics: []string{topic}, Now: func() time.Time { return now }, Fetch: func(context.Context, string) ([]byte, error) { return nil, errors.New("no route") }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := away.Read(t.Context(), nil, body); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a certificate: %v", err)
	}
}

func TestASubscriptionOfOurTopicIsConfirmed(t *testing.T) {
	t.Parallel()
	confirm := "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=abc"
	f := &fetches{}
	m := map[string]string{"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe", "Token": "abc", "SubscribeURL": confirm}
	if got, err := reader(t, f, now).Read(t.Context(), http.Header{}, signed(t, m)); err != nil || len(got) != 0 || len(f.urls) != 2 || f.urls[1] != confirm {
		t.Fatalf("%v, %v, fetched %v", got, err, f.urls)
	}
	f = &fetches{}
	m = map[string]string{"Type": "SubscriptionConfirmation", "Message": "x", "Token": "abc", "SubscribeURL": "https://169.254.169.254/latest/meta-data"}
	if _, err := reader(t, f, now).Read(t.Context(), nil, signed(t, m)); !fault.Is(err, fault.Denied) || len(f.urls) != 1 {
		t.Errorf("another host: %v, fetched %v", err, f.urls)
	}
}

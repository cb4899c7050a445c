package postmark_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/postmark"
	"rapport/internal/fault"
)

const user, password = "postmark", "correct-horse-battery-staple"

func reader(t *testing.T) *postmark.Reader {
	t.Helper()
	r, err := postmark.NewReader(postmark.Hook{User: user, Password: password, Judge: channeltest.Judge})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func login(user, password string) http.Header {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header
}

func TestEachWebhookTellsWhatItMeans(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"test_bounce_event":               "bounced bounce@example.com hard 5.1.1",
		"test_delivered_event":            "delivered recipient@example.com",
		"test_open_event":                 "opened recipient@example.com human",
		"test_click_event":                "clicked recipient@example.com human https://example.com/click/me",
		"test_spam_event":                 "complained spam@example.com",
		"test_unsubscribe":                "unsubscribed john@example.com",
		"test_resubscribe":                "",
		"test_subscription_change_bounce": "bounced john@example.com hard",
		"test_bounce_unsubscribe_variant": "unsubscribed",
	}
	fixtures := channeltest.Fixtures(t, "testdata/anymail.json")
	if len(fixtures) != len(want) {
		t.Errorf("%d fixtures, and %d are told", len(fixtures), len(want))
	}
	for _, f := range fixtures {
		var body map[string]any
		if err := json.Unmarshal(f.Payload, &body); err != nil {
			t.Fatal(err)
		}
		body["Metadata"] = map[string]string{"rapport_delivery": channeltest.Delivery, "other": "value"}
		raw, _ := json.Marshal(body)
		got, err := reader(t).Read(t.Context(), login(user, password), raw)
		if err != nil || channeltest.Told(got) != want[f.Test] {
			t.Errorf("%s: %q, %v; want %q", f.Test, channeltest.Told(got), err, want[f.Test])
		}
		again, _ := reader(t).Read(t.Context(), login(user, password), raw)
		for i, n := range got {
			if n.Delivery != channeltest.Delivery || n.ID == "" || n.ID != again[i].ID || n.Source != "postmark" {
				t.Errorf("%s: %+v", f.Test, n)
			}
			if f.Test != "test_bounce_unsubscribe_variant" && n.At == 0 {
				t.Errorf("%s: it does not say when", f.Test)
			}
		}
	}
}

func TestTypesOfBounceBlameWhomTheyAreAbout(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"RecordType":"Bounce","Type":"SoftBounce","Details":"552 mailbox full"}`:                "bounced soft",
		`{"RecordType":"Bounce","Type":"Transient"}`:                                              "bounced soft",
		`{"RecordType":"Bounce","Type":"DnsError"}`:                                               "bounced soft",
		`{"RecordType":"Bounce","Type":"SpamNotification","Details":"550 5.7.1 looks like spam"}`: "bounced policy 5.7.1",
		`{"RecordType":"Bounce","Type":"DMARCPolicy"}`:                                            "bounced policy",
		`{"RecordType":"Bounce","Type":"AutoResponder","Details":"550 I am on holiday"}`:          "",
		`{"RecordType":"Bounce","Type":"HardBounce","Details":"550 5.2.2 over quota"}`:            "bounced soft 5.2.2",
		`{"RecordType":"Bounce","Type":"BadEmailAddress"}`:                                        "bounced hard",
		`{"RecordType":"Inbound"}`:                                                                "",
	} {
		got, err := reader(t).Read(t.Context(), login(user, password), []byte(body))
		if err != nil || channeltest.Told(got) != want {
			t.Errorf("%s: %q, %v; want %q", body, channeltest.Told(got), err, want)
		}
	}
}

func TestItem46WhoeverDoesNotKnowThePasswordTellsNothing(t *testing.T) {
	t.Parallel()
	body := channeltest.Fixtures(t, "testdata/anymail.json")[0].Payload
	for name, header := range map[string]http.Header{
		"nobody":           {},
		"another password": login(user, password+"x"),
		"part of it":       login(user, password[:len(password)-1]),
		"another user":     login("x", password),
		"none":             login("", ""),
		"a token":          {"Authorization": {"Bearer " + password}},
	} {
		if got, err := reader(t).Read(t.Context(), header, body); !fault.Is(err, fault.Denied) || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := reader(t).Read(t.Context(), login(user, password), []byte("{")); !fault.Is(err, fault.Invalid) {
		t.Errorf("a body cut off: %v", err)
	}
	if _, err := postmark.NewReader(postmark.Hook{User: user, Password: "short"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short password: %v", err)
	}
}

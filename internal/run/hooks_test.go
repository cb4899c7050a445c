package run_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/postmark"
	"rapport/internal/channels/provider"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/fault"
	"rapport/internal/hooks"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// letters is a shop that writes once to everybody who orders and agreed to it.
var letters = []program.File{
	{Path: "shop.yaml", Body: "name: The Test Shop\nzone: UTC\ncurrency: EUR\nlocale: en\nwebsite: https://shop.example\npostal: 1 Test Street, Dublin\npurposes:\n  marketing: News and offers\n  service: Your orders\nsenders:\n  email: {from_name: The Test Shop, from: hello@shop.example}\n"},
	{Path: "policy.yaml", Body: "caps: {all: {per: 1d, most: 1000}}\ngap: 0s\nquiet: []\nholdout: 0%\n"},
	{Path: "journeys/hello.yaml", Body: "journey: hello\ntrigger: {event: Order Completed, key: order_id}\nreentry: once_per_key\nholdout: 0%\nsteps:\n  - name: hello\n    send:\n      template: hello\n      reason: You placed order {trigger.order_id} with us\n"},
	{Path: "templates/hello.html.liquid", Body: "---\nlabel: Hello\nsubject: Hello\n---\n<p>Hello</p><p>{{ reason }}</p><p><a href=\"{{ unsubscribe_url }}\">Unsubscribe</a> {{ shop.postal }}</p>\n"},
	{Path: "templates/hello.txt.liquid", Body: "Hello. {{ reason }}. Unsubscribe: {{ unsubscribe_url }} {{ shop.postal }}\n"},
}

const hookPassword = "correct-horse-battery-staple"

// postmarkShop is a node that sends by a fake of Postmark and hears its webhooks.
type postmarkShop struct {
	t      *testing.T
	clock  *clock.Clock
	store  *memory.Store
	ledger store.Ledger
	node   *run.Node
	door   http.Handler

	mu   sync.Mutex
	sent map[string]string // address → delivery
}

func newPostmarkShop(t *testing.T, people int) *postmarkShop {
	t.Helper()
	s := &postmarkShop{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))), store: memory.New(), ledger: memory.NewLedger(), sent: map[string]string{}}
	fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var batch []struct {
			To       string
			Metadata map[string]string
		}
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			t.Error(err)
		}
		out := []map[string]any{}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, m := range batch {
			_, address, _ := strings.Cut(m.To, "<")
			if address == "" {
				address = m.To
			}
			s.sent[strings.TrimSuffix(address, ">")] = m.Metadata["rapport_delivery"]
			out = append(out, map[string]any{"ErrorCode": 0, "MessageID": "m"})
		}
		json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(fake.Close)
	channel, err := postmark.New(postmark.Options{Options: provider.Options{Base: fake.URL}, Token: "token"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { channel.Close() })
	signer, err := site.NewSigner(baseURL, "default", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	s.node, err = run.Open(t.Context(), run.Options{
		Log: memlog.New(1, s.clock.Now), Store: s.store, Ledger: s.ledger, Channels: map[string]channels.Channel{"email": channel},
		Workspace: "default", Key: identity.Key{7}, Clock: s.clock, Links: signer,
	})
	if err != nil {
		t.Fatal(err)
	}
	src, err := program.New(letters)
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := s.node.Apply(t.Context(), src); err != nil {
		t.Fatal(err, problems)
	}
	s.settle()
	for i := range people {
		traits := (&event.Builder{}).SetText("email", person(i)).Object()
		consent := (&event.Builder{}).SetText("channel", "email").SetText("purpose", "marketing").SetText("state", "granted").Object()
		order := (&event.Builder{}).SetText("order_id", fmt.Sprint("o", i)).Object()
		s.hear(event.Event{ID: event.ID(fmt.Sprint("c", i)), Name: event.ConsentChanged, User: user(i), Props: consent, Traits: traits})
		s.hear(event.Event{ID: event.ID(fmt.Sprint("o", i)), Name: event.OrderCompleted, User: user(i), Props: order})
	}
	s.clock.Set(s.clock.Now().Add(time.Minute))
	s.settle()
	s.clock.Set(s.clock.Now().Add(time.Hour))
	if _, err := s.node.Dispatch.Receipts(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.settle()
	if len(s.sent) != people {
		t.Fatalf("%d of %d people were written to", len(s.sent), people)
	}
	read, err := postmark.NewReader(postmark.Hook{User: "rapport", Password: hookPassword, Judge: func(string) string { return "human" }})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(hooks.Pattern, hooks.New(hooks.Options{Receiver: s.node, Reader: func(name, source string) (provider.Reader, error) {
		if name != "postmark" || source != "main" {
			return nil, fault.New(fault.NotFound, "no such source")
		}
		return read, nil
	}}))
	s.door = mux
	return s
}

func person(i int) string { return fmt.Sprintf("c%d@people.example", i) }
func user(i int) string   { return fmt.Sprint("user", i) }

func (s *postmarkShop) hear(e event.Event) {
	s.t.Helper()
	e.Type, e.At, e.Raw, e.Trust = event.Track, s.clock.Now(), s.clock.Now(), event.Server
	if err := s.node.Hear(s.t.Context(), []event.Event{e}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *postmarkShop) settle() {
	s.t.Helper()
	if err := s.node.Settle(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// post posts a webhook with a password and returns the status of the answer.
func (s *postmarkShop) post(password, body string) int {
	r := httptest.NewRequest(http.MethodPost, hooks.Path("postmark", "main"), strings.NewReader(body))
	r.SetBasicAuth("rapport", password)
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, r)
	io.Copy(io.Discard, w.Result().Body)
	return w.Code
}

// hooksOf are the webhooks that tell each person's story.
func (s *postmarkShop) hooksOf() []string {
	at := "2026-03-02T10:00:00Z"
	var list []string
	tell := func(i int, body string) {
		list = append(list, fmt.Sprintf(`{"ID":%d,"Metadata":{"rapport_delivery":%q},%s}`, 100+len(list), s.sent[person(i)], body))
	}
	delivered := `"RecordType":"Delivery","DeliveredAt":"` + at + `"`
	tell(0, delivered)
	tell(1, `"RecordType":"Bounce","Type":"HardBounce","Details":"smtp;550 5.1.1 no such user","BouncedAt":"`+at+`"`)
	tell(2, `"RecordType":"Bounce","Type":"SoftBounce","Details":"552 5.2.2 mailbox full","BouncedAt":"`+at+`"`)
	tell(3, `"RecordType":"Bounce","Type":"SpamNotification","Details":"550 5.7.1 rejected as spam","BouncedAt":"`+at+`"`)
	tell(4, delivered)
	tell(4, `"RecordType":"SpamComplaint","BouncedAt":"`+at+`"`)
	tell(5, delivered)
	tell(5, `"RecordType":"SubscriptionChange","SuppressSending":true,"SuppressionReason":"ManualSuppression","ChangedAt":"`+at+`"`)
	tell(6, delivered)
	tell(6, `"RecordType":"Open","UserAgent":"Mozilla/5.0 (X)","ReceivedAt":"`+at+`"`)
	tell(6, `"RecordType":"Click","OriginalLink":"https://shop.example/","UserAgent":"Mozilla/5.0 (X)","ReceivedAt":"`+at+`"`)
	return list
}

// state is everything that webhooks may have changed, as text.
func (s *postmarkShop) state(people int) string {
	s.t.Helper()
	var b strings.Builder
	for i := range people {
		p, err := s.node.Lookup(s.t.Context(), user(i))
		if err != nil {
			s.t.Fatal(err)
		}
		h := p.HealthOf("email", person(i))
		fmt.Fprintf(&b, "%d reachable %t health %d soft %d why %q count %d allows %t stopped", i, p.Reachable("email"), h.State, h.Soft, h.Why, p.Count, p.Allows("email", "marketing", s.clock.Now()))
		for _, purpose := range []string{"marketing", "service"} {
			for _, subject := range [][16]byte{p.ID, s.node.Subject("email", person(i))} {
				r, stopped, err := s.ledger.Suppressed(s.t.Context(), subject, "email", purpose)
				if err != nil {
					s.t.Fatal(err)
				}
				fmt.Fprintf(&b, " %t %s", stopped, r.Reason)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestWebhooksToldTwiceOrInAnyOrderComeToTheSame(t *testing.T) {
	t.Parallel()
	const people = 8 // nobody tells anything of the last
	first := newPostmarkShop(t, people)
	untouched := first.state(people)
	for _, body := range first.hooksOf() {
		if code := first.post(hookPassword, body); code != http.StatusOK {
			t.Fatalf("answered %d to %s", code, body)
		}
	}
	first.settle()
	want := first.state(people)
	lines, before := strings.Split(want, "\n"), strings.Split(untouched, "\n")
	for i, part := range map[int]string{
		0: "0 reachable true health 0 soft 0", 1: "1 reachable false health 1", 2: "2 reachable true health 0 soft 1", 3: "3 reachable true health 0 soft 0",
		4: "4 reachable false health 2", 5: "allows false stopped true unsubscribed", 6: "6 reachable true health 0 soft 0",
	} {
		if !strings.Contains(lines[i], part) || lines[i] == before[i] {
			t.Errorf("%q, want %q", lines[i], part)
		}
	}
	if lines[7] != before[7] {
		t.Errorf("of whom nothing was told: %q, before %q", lines[7], before[7])
	}
	for seed := range uint64(10) {
		s := newPostmarkShop(t, people)
		list := s.hooksOf()
		list = append(list, list...)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for part := range slices.Chunk(list, 5) { // the node works between
			for _, body := range part {
				if code := s.post(hookPassword, body); code != http.StatusOK {
					t.Fatalf("answered %d", code)
				}
			}
			s.settle()
		}
		if got := s.state(people); got != want {
			t.Fatalf("seed %d came to\n%s\nwant\n%s", seed, got, want)
		}
	}
}

// Item 36, by webhook: what is forged, and what is about no message of ours, is
// counted and does nothing.
func TestItem36ForgedAndUnknownWebhooksChangeNothing(t *testing.T) {
	t.Parallel()
	const people = 8
	s := newPostmarkShop(t, people)
	before := s.state(people)
	for _, body := range s.hooksOf() {
		if code := s.post("wrong", body); code != http.StatusUnauthorized {
			t.Errorf("a forged webhook was answered %d", code)
		}
	}
	for _, delivery := range []string{"", "x", strings.Repeat("f", 32), strings.Repeat("0", 32), "../../etc"} {
		body := fmt.Sprintf(`{"RecordType":"SpamComplaint","ID":1,"Email":%q,"Metadata":{"rapport_delivery":%q}}`, person(1), delivery)
		if code := s.post(hookPassword, body); code != http.StatusOK {
			t.Errorf("a webhook about %q was answered %d: it would come for ever", delivery, code)
		}
	}
	s.settle()
	if got := s.state(people); got != before {
		t.Errorf("they came to\n%s\nbefore\n%s", got, before)
	}
	if s.node.Told.Taken.Load() != 0 || s.node.Told.Unknown.Load() != 5 {
		t.Errorf("%d taken, %d unknown", s.node.Told.Taken.Load(), s.node.Told.Unknown.Load())
	}
}

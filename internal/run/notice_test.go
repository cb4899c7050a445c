package run_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/demo"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// brands is a node of a shop with two brands, each with a letter to whoever asks.
type brands struct {
	t      *testing.T
	clock  *clock.Clock
	node   *run.Node
	store  store.Store
	ledger store.Ledger

	mu       sync.Mutex
	mails    []channels.Message
	answer   channels.Outcome
	heard    []string // what was told of domains
	pace     time.Duration
	asked    int
	sequence int
}

const brandShop = `name: Willow
zone: Europe/London
currency: GBP
postal: Willow, 1 Example Street
purposes: {marketing: News, oak.marketing: News from Oak}
brands: {oak: {name: Oak, postal: "Oak, 2 Example Street"}}
senders:
  email:
    - {from: hello@willow.example, bounce_domain: bounces.willow.example}
    - {brand: oak, from: hello@oak.example, bounce_domain: bounces.oak.example}
`

func newBrands(t *testing.T) *brands {
	t.Helper()
	b := &brands{t: t, clock: clock.Virtual(demo.GoLive), store: memory.New(), ledger: memory.NewLedger(), answer: channels.Outcome{State: channels.Accepted}}
	signer, err := site.NewSigner(baseURL, "default", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	b.node, err = run.Open(t.Context(), run.Options{
		Log: memlog.New(1, b.clock.Now), Store: b.store, Ledger: b.ledger, Channels: map[string]channels.Channel{"email": b}, Workspace: "default", Key: identity.Key{7},
		Clock: b.clock, Links: signer, Standing: b,
		Pace: func(*channels.Message) (time.Duration, string) { b.asked++; return b.pace, "the pace" },
	})
	if err != nil {
		t.Fatal(err)
	}
	letter := func(purpose, name string) string {
		return "trigger: {event: Asked " + name + "}\nreentry: after_exit\nholdout: 0\nsteps:\n  - send: {template: hello, purpose: " + purpose + ", expires: 30d, reason: \"You asked\"}\n"
	}
	src, err := program.New([]program.File{
		{Path: "shop.yaml", Body: brandShop},
		{Path: "policy.yaml", Body: "caps: {}\ngap: 0\nquiet: []\nholdout: 0%\n"},
		{Path: "journeys/willow.yaml", Body: letter("marketing", "Willow")},
		{Path: "journeys/oak.yaml", Body: letter("oak.marketing", "Oak")},
		{Path: "service/parcel.yaml", Body: "service: parcel\ntrigger: {event: Asked Parcel}\ntemplate: parcel\nreason: You ordered it\n"},
		{Path: "templates/parcel.html.liquid", Body: "---\nsubject: Your parcel\nlayout: none\n---\n<p>It is on its way.</p>"},
		{Path: "templates/parcel.txt.liquid", Body: "It is on its way."},
		{Path: "templates/hello.html.liquid", Body: "---\nsubject: Hello\n---\n<p>{{ shop.name }} {{ unsubscribe_url }} {{ shop.postal }}</p>"},
		{Path: "templates/hello.txt.liquid", Body: "{{ shop.name }} {{ unsubscribe_url }} {{ shop.postal }}"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := b.node.Apply(t.Context(), src); err != nil {
		t.Fatalf("%v %v", problems, err)
	}
	b.says("Signed Up")
	for _, purpose := range []string{"marketing", "oak.marketing"} {
		b.says(event.ConsentChanged, "channel", "email", "purpose", purpose, "state", "granted")
	}
	return b
}

// Send is the mail server.
func (b *brands) Send(_ context.Context, batch []channels.Message) []channels.Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]channels.Outcome, len(batch))
	for i := range batch {
		b.mails = append(b.mails, batch[i])
		out[i] = b.answer
	}
	return out
}

// Complained hears of a domain.
func (b *brands) Complained(domain string) { b.heard = append(b.heard, "complaint "+domain) }

// Refused hears of a domain.
func (b *brands) Refused(domain, _ string) { b.heard = append(b.heard, "refused "+domain) }

func (b *brands) settle() {
	b.t.Helper()
	for range 3 {
		b.clock.Set(b.clock.Now() + 60_000)
		if _, err := b.node.Dispatch.Receipts(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		if err := b.node.Settle(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *brands) says(name string, kv ...string) {
	b.t.Helper()
	b.sequence++
	var props, traits event.Builder
	for i := 0; i < len(kv); i += 2 {
		props.SetText(kv[i], kv[i+1])
	}
	traits.SetText("email", "ada@people.example")
	now := b.clock.Now()
	e := event.Event{ID: event.ID("e" + string(rune('a'+b.sequence))), Type: event.Track, Name: name, User: "ada", At: now, Raw: now, Trust: event.Server, Props: props.Object(), Traits: traits.Object()}
	if b.sequence > 1 {
		e.Traits = ""
	}
	if err := b.node.Hear(b.t.Context(), []event.Event{e}); err != nil {
		b.t.Fatal(err)
	}
	b.settle()
}

// gets asks for a brand's letter and returns the mails that came of it.
func (b *brands) gets(brand string) []channels.Message {
	b.t.Helper()
	before := len(b.mails)
	b.says("Asked " + brand)
	if len(b.mails) == before {
		rows, err := b.node.Engine.Profile(b.t.Context(), b.ada().ID)
		b.t.Logf("%s: no mail: %+v %v", brand, rows.Open, err)
	}
	return b.mails[before:]
}

func (b *brands) tell(n channels.Notice) {
	b.t.Helper()
	if err := b.node.Receive(b.t.Context(), []channels.Notice{n}); err != nil {
		b.t.Fatal(err)
	}
	b.settle()
}

func (b *brands) ada() *profile.Profile {
	b.t.Helper()
	p, err := b.node.Lookup(b.t.Context(), "ada")
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func TestEachBrandSpeaksForItself(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	for brand, domain := range map[string]string{"Willow": "willow.example", "Oak": "oak.example"} {
		got := b.gets(brand)
		if len(got) != 1 || got[0].From.Address != "hello@"+domain || got[0].Domain != domain || !strings.HasSuffix(got[0].Bounce, "@bounces."+domain) || !strings.HasPrefix(got[0].Text, brand) {
			t.Errorf("%s: %+v", brand, got)
		}
	}
}

// M15: an unsubscribe from one brand leaves the other.
func TestAnUnsubscribeFromOneBrandLeavesTheOther(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	first := b.gets("Oak")
	b.tell(channels.Notice{Told: channels.Unsubscribed, Delivery: first[0].Delivery, Source: "mail"})
	if got := b.gets("Oak"); len(got) != 0 {
		t.Errorf("Oak writes on: %+v", got)
	}
	if got := b.gets("Willow"); len(got) != 1 {
		t.Errorf("Willow has fallen silent: %d mails", len(got))
	}
}

// Mail programs offer to unsubscribe from any mail, that about a parcel too.
func TestAnUnsubscribeFromAServiceMessageEndsTheAdvertisingAlone(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	first := b.gets("Parcel")
	if len(first) != 1 {
		t.Fatalf("%d mails about the parcel", len(first))
	}
	b.tell(channels.Notice{Told: channels.Unsubscribed, Delivery: first[0].Delivery, Source: "mail"})
	if got := b.gets("Willow"); len(got) != 0 {
		t.Errorf("advertising goes on: %+v", got)
	}
	if got := b.gets("Parcel"); len(got) != 1 {
		t.Errorf("what the next order brings is held back: %d mails", len(got))
	}
	if c, said := b.ada().Consent("email", "marketing"); !said || c.Granted {
		t.Errorf("the consent is %+v", c)
	}
}

// M15: a complaint stops both, and counts for the domain once.
func TestAComplaintStopsEveryBrand(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	first := b.gets("Oak")
	for range 3 {
		b.tell(channels.Notice{Told: channels.Complained, Delivery: first[0].Delivery, Source: "mail"})
	}
	if got := append(b.gets("Oak"), b.gets("Willow")...); len(got) != 0 {
		t.Errorf("after a complaint %d mails go out", len(got))
	}
	for _, purpose := range []string{"marketing", "oak.marketing"} {
		if s, stopped, err := b.ledger.Suppressed(t.Context(), b.node.Subject("email", "ada@people.example"), "email", purpose); err != nil || !stopped || s.Reason != store.Complained {
			t.Errorf("%s: %+v, %v", purpose, s, err)
		}
	}
	if _, stopped, err := b.ledger.Suppressed(t.Context(), b.node.Subject("email", "ada@people.example"), "email", "service"); err != nil || stopped {
		t.Errorf("what an order brings is stopped: %v", err)
	}
	if len(b.heard) != 1 || b.heard[0] != "complaint oak.example" {
		t.Errorf("of domains was told %q", b.heard)
	}
}

// M15: an erasure stops both.
func TestAnErasureStopsEveryBrand(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	if err := b.node.Suppress(t.Context(), b.ada().ID, "", "", store.Erased, "request"); err != nil {
		t.Fatal(err)
	}
	if got := append(b.gets("Oak"), b.gets("Willow")...); len(got) != 0 {
		t.Errorf("after an erasure %d mails go out", len(got))
	}
}

func TestABounceAfterAcceptanceEndsTheAddressForEveryBrand(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	first := b.gets("Oak")
	b.tell(channels.Notice{Told: channels.Bounced, Delivery: first[0].Delivery, Source: "mail", Failure: channels.Failure{Status: "5.1.1", Code: 550, Detail: "user unknown"}})
	if b.ada().Reachable("email") {
		t.Error("the address is written to")
	}
	if got := append(b.gets("Oak"), b.gets("Willow")...); len(got) != 0 {
		t.Errorf("after a bounce %d mails go out", len(got))
	}
	if len(b.heard) != 0 {
		t.Errorf("of domains was told %q", b.heard)
	}
}

// Item 36: about a message never sent, nothing is believed.
func TestItem36ANoticeAboutAMessageNeverSentIsIgnored(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	b.pace = time.Hour // planned, and never begun
	if got := b.gets("Oak"); len(got) != 0 {
		t.Fatal("the pace let it go")
	}
	planned, err := b.node.Engine.Profile(t.Context(), b.ada().ID)
	if err != nil || len(planned.Open) != 1 {
		t.Fatalf("%d messages are planned, %v", len(planned.Open), err)
	}
	for _, delivery := range []string{strings.Repeat("ab", 16), "", "none", planned.Open[0].ID.String()} {
		for _, told := range []channels.Told{channels.Bounced, channels.Complained, channels.Unsubscribed} {
			b.tell(channels.Notice{Told: told, Delivery: delivery, Failure: channels.Failure{Status: "5.1.1", Code: 550}})
		}
	}
	b.pace = 0
	if !b.ada().Reachable("email") || b.node.Told.Taken.Load() != 0 || b.node.Told.Unknown.Load() != 12 {
		t.Errorf("reachable %v, %d taken, %d unknown", b.ada().Reachable("email"), b.node.Told.Taken.Load(), b.node.Told.Unknown.Load())
	}
	if counts, err := b.ledger.Suppressions(t.Context()); err != nil || len(counts) != 0 {
		t.Errorf("suppressed: %v, %v", counts, err)
	}
}

// Item 37: a refusal of the sender suppresses nobody, and is told of the domain.
func TestItem37ABounceForOurOwnStandingIsToldOfTheDomain(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	first := b.gets("Oak")
	b.tell(channels.Notice{Told: channels.Bounced, Delivery: first[0].Delivery, Failure: channels.Failure{Status: "5.7.515", Code: 550, Detail: "Access denied, sending domain oak.example does not meet the required authentication level"}})
	if !b.ada().Reachable("email") || len(b.heard) != 1 || b.heard[0] != "refused oak.example" {
		t.Errorf("reachable %v, of domains was told %q", b.ada().Reachable("email"), b.heard)
	}
	if got := b.gets("Oak"); len(got) != 1 {
		t.Errorf("the person was suppressed: %d mails", len(got))
	}
}

func TestThePaceDecidesWhenAndNeverWho(t *testing.T) {
	t.Parallel()
	b := newBrands(t)
	b.pace = 5 * time.Hour
	if got := b.gets("Willow"); len(got) != 0 || b.asked == 0 {
		t.Fatalf("%d mails left, asked %d times", len(got), b.asked)
	}
	for range 20 { // four days: longer than a provider is given
		b.clock.Set(b.clock.Now().Add(5 * time.Hour))
		b.settle()
	}
	b.pace = 0
	b.clock.Set(b.clock.Now().Add(5 * time.Hour))
	b.settle()
	if len(b.mails) != 1 {
		t.Errorf("%d mails left in the end, want 1", len(b.mails))
	}
}

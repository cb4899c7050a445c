package dispatch_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/clock"
	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/dispatch"
	"rapport/internal/engine"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/program"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// definitions are a shop that writes once to everybody who orders: marketing if
// they agreed to it, and a confirmation that they are owed.
var definitions = map[string]string{
	"shop.yaml": `
name: The Test Shop
zone: UTC
currency: EUR
locale: en
website: https://shop.example
postal: The Test Shop, 1 Test Street, Dublin
purposes:
  marketing: News and offers
  service: Your orders
senders:
  email: {from_name: The Test Shop, from: hello@shop.example, reply_to: care@shop.example}
`,
	"policy.yaml": `
caps: {all: {per: 1d, most: 1000}}
gap: 0s
quiet: []
holdout: 0%
`,
	"journeys/hello.yaml": `
journey: hello
trigger: {event: Order Completed, key: order_id}
reentry: once_per_key
holdout: 0%
steps:
  - name: hello
    send:
      template: hello
      reason: You placed order {trigger.order_id} with us
`,
	"journeys/coat.yaml": `
journey: coat
trigger: {event: Coat Wanted}
reentry: never
holdout: 0%
exit: {did: Coat Bought}
steps:
  - name: coat
    send: {template: hello, reason: You looked at a coat}
`,
	"journeys/letter.yaml": `
journey: letter
trigger: {event: Trial Started}
reentry: never
holdout: 0%
steps:
  - name: think
    wait: 1d
  - name: letter
    send: {template: hello, reason: You began a trial a day ago, expires: 7d}
`,
	"journeys/night.yaml": `
journey: night
trigger: {event: Night Shift}
reentry: never
holdout: 0%
steps:
  - name: night
    wait: {until_time: "02:30"}
  - name: owl
    send: {template: hello, reason: You work at night}
`,
	"journeys/receipt.yaml": `
journey: receipt
trigger: {event: Receipt Wanted}
reentry: {after: 1h}
holdout: 0%
steps:
  - name: receipt
    send: {template: hello, class: service, reason: You asked for it}
`,
	"templates/hello.html.liquid": "---\nlabel: Hello\nsubject: Hello\n---\n<p>Hello</p><p>{{ reason }}</p><p><a href=\"{{ unsubscribe_url }}\">Unsubscribe</a> {{ shop.postal }}</p>\n",
	"templates/hello.txt.liquid":  "Hello. {{ reason }}. Unsubscribe: {{ unsubscribe_url }} {{ shop.postal }}\n",
}

// provider is a channel that keeps what it is given and answers what it is told
// to. It counts each message that it accepted, so that a second copy shows.
type provider struct {
	mu       sync.Mutex
	accepted map[string]int // by Message-ID
	calls    int
	answer   func(m channels.Message, call int) channels.Outcome // nil: takes everything
	during   func()                                              // called while a batch is under way, the messages being taken
}

func newProvider() *provider { return &provider{accepted: map[string]int{}} }

func (p *provider) Send(_ context.Context, batch []channels.Message) []channels.Outcome {
	out := make([]channels.Outcome, len(batch))
	p.mu.Lock()
	for i := range batch {
		p.calls++
		out[i] = channels.Outcome{State: channels.Accepted, Code: 250, Detail: "taken"}
		if p.answer != nil {
			out[i] = p.answer(batch[i], p.calls)
		}
		if out[i].State == channels.Accepted || out[i].State == channels.Unknown {
			p.accepted[batch[i].MessageID]++
		}
	}
	during := p.during
	p.mu.Unlock()
	if during != nil {
		during()
	}
	return out
}

// copies returns how many messages were accepted and how many more than once.
func (p *provider) copies() (messages, twice int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.accepted {
		messages++
		if n > 1 {
			twice++
		}
	}
	return messages, twice
}

// shop is a node under a virtual clock with one provider, whose parts can be
// replaced as by the death of a process.
type shop struct {
	t        *testing.T
	clock    *clock.Clock
	log      *memlog.Log
	store    *memory.Store
	ledger   store.Ledger
	program  *program.Program
	provider *provider
	render   dispatch.Renderer // nil: a plain word
	context  event.Object      // what customers' devices tell
	e        *engine.Engine
	d        *dispatch.Dispatch
	claimed  func([]engine.Claim) // where claims go; nil: to d
	deaf     bool                 // d does not hear of what is recalled
	n        int
	inFlight int // zero: the default
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))), store: memory.New(), ledger: memory.NewLedger(), provider: newProvider()}
	s.log = memlog.New(1, s.clock.Now)
	s.program = compile(t)
	s.start()
	if err := s.e.Switch(t.Context(), s.program.Core.Hash); err != nil {
		t.Fatal(err)
	}
	s.settle()
	return s
}

func compile(t *testing.T) *program.Program {
	t.Helper()
	var files []program.File
	for path, body := range definitions {
		files = append(files, program.File{Path: path, Body: body})
	}
	src, err := program.New(files)
	if err != nil {
		t.Fatal(err)
	}
	p, problems := program.Compile(src, program.Options{Workspace: "w", Key: identity.Key{1}})
	for _, problem := range problems {
		if !problem.Warning {
			t.Fatal(problem)
		}
	}
	return p
}

// start begins a process on what the last one left.
func (s *shop) start() {
	s.t.Helper()
	s.d = s.dispatch()
	e, err := engine.Open(s.t.Context(), engine.Options{
		Log: s.log, Store: s.store, Key: identity.Key{1}, Now: s.clock.Now, Virtual: true,
		Programs: func(context.Context, uint64) (*core.Program, error) { return s.program.Core, nil },
		OnClaims: func(claims []engine.Claim) {
			if s.claimed != nil {
				s.claimed(claims)
				return
			}
			s.d.Claimed(claims)
		},
		OnStops: func(stops []engine.Stop) {
			if !s.deaf {
				s.d.Unwanted(stops)
			}
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.e = e
}

// dispatch returns another dispatch on the same store, ledger and provider.
func (s *shop) dispatch() *dispatch.Dispatch {
	return dispatch.New(dispatch.Options{
		Store: s.store, Ledger: s.ledger, Channels: map[string]channels.Channel{"email": s.provider}, Subject: subject,
		Render: func(c *engine.Claim, now event.Time) (channels.Message, error) {
			if s.render != nil {
				return s.render(c, now)
			}
			return word(c), nil
		},
		Append: func(ctx context.Context, entries []identity.Addressed) error { return s.e.Append(ctx, entries) },
		Now:    s.clock.Now, Virtual: true, InFlight: s.inFlight, Log: slog.New(slog.DiscardHandler),
	})
}

// word is a renderer: what a message says is not what these tests are about.
func word(c *engine.Claim) channels.Message {
	return channels.Message{
		Delivery: c.Delivery.ID.String(), Channel: c.Delivery.Channel, To: channels.Party{Address: c.Profile.Address("email")},
		MessageID: "<" + c.Delivery.ID.String() + "@shop.example>", Service: c.Delivery.Class == profile.Service, Text: "Hello",
	}
}

func subject(channel, address string) (s [16]byte) {
	copy(s[:], "address:"+channel+address)
	return s
}

func (s *shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) settle() {
	s.t.Helper()
	s.must(s.e.Settle(s.t.Context()))
}

func (s *shop) pass(d time.Duration) { s.clock.Set(s.clock.Now().Add(d)) }

// does lets a customer who has agreed to marketing do something, and returns
// whom that concerns.
func (s *shop) does(user, name string) identity.ID {
	s.t.Helper()
	s.n++
	var traits, props, consent event.Builder
	traits.SetText("email", user+"@shop.example")
	props.SetText("order_id", fmt.Sprint(s.n)).Set("total", event.Int(10)).SetText("currency", "EUR")
	consent.SetText("channel", "email").SetText("purpose", "marketing").SetText("state", "granted")
	now := s.clock.Now()
	said := func(id string, typ event.Type, name string) event.Event {
		return event.Event{ID: event.ID(fmt.Sprint(id, s.n)), Type: typ, Name: name, User: user, At: now, Raw: now, Trust: event.Server, Source: "test"}
	}
	who, agrees, does := said("i", event.Identify, ""), said("c", event.Track, event.ConsentChanged), said("m", event.Track, name)
	who.Context = s.context
	who.Traits, agrees.Props, does.Props = traits.Object(), consent.Object(), props.Object()
	var entries []identity.Addressed
	for _, e := range []event.Event{who, agrees, does} {
		a, ok := identity.Key{1}.Address(e)
		if !ok {
			s.t.Fatal("the event identifies nobody")
		}
		entries = append(entries, a)
	}
	s.must(s.e.Append(s.t.Context(), entries))
	return entries[0].To
}

// claim brings what is planned to where dispatch holds the claims.
func (s *shop) claim() int {
	s.t.Helper()
	s.settle()
	n, err := s.d.Offer(s.t.Context())
	s.must(err)
	s.settle()
	return n
}

// deliver hands over what is claimed, and lets the log hear of it a moment later.
func (s *shop) deliver(d *dispatch.Dispatch) {
	s.t.Helper()
	_, err := d.Deliver(s.t.Context())
	s.must(err)
	s.tell(d)
}

func (s *shop) tell(d *dispatch.Dispatch) {
	s.t.Helper()
	s.pass(time.Second)
	_, err := d.Receipts(s.t.Context())
	s.must(err)
	s.settle()
}

// restart is the death of the process and the start of another.
func (s *shop) restart() dispatch.Recovered {
	s.t.Helper()
	s.start()
	s.settle()
	r, err := s.d.Recover(s.t.Context())
	s.must(err)
	s.tell(s.d)
	return r
}

// states counts the deliveries by state, and by reason where there is one.
func (s *shop) states() map[string]int {
	s.t.Helper()
	counts := map[string]int{}
	for row, err := range s.store.Deliveries(s.t.Context()) {
		s.must(err)
		counts[strings.TrimSuffix(row.State.String()+" "+row.Because, " ")]++
	}
	return counts
}

func (s *shop) want(states string) {
	s.t.Helper()
	if got := strings.TrimPrefix(fmt.Sprint(s.states()), "map"); got != "["+states+"]" {
		s.t.Errorf("deliveries are %s, want [%s]", got, states)
	}
}

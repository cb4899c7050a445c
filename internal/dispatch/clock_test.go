package dispatch_test

import (
	"context"
	"fmt"
	"sync/atomic"
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
	"rapport/internal/fault"
	"rapport/internal/store/memory"
)

// live is a shop that runs by itself, by a wall clock that can be set wrong.
type live struct {
	*shop
	ahead atomic.Int64 // ms by which the clock is wrong
	deaf  atomic.Bool  // the log takes nothing from dispatch
	most  atomic.Int64 // the most deliveries seen on their way at once
	stop  func()
}

// inFlight is how many deliveries a live shop may have on their way.
const inFlight = 25

func newLive(t *testing.T) *live {
	t.Helper()
	l := &live{shop: &shop{t: t, store: memory.New(), ledger: memory.NewLedger(), provider: newProvider(), program: compile(t)}}
	now := func() event.Time { return event.At(time.Now()) + event.Time(l.ahead.Load()) }
	l.log = memlog.New(1, now)
	l.provider.during = func() {
		refs, err := l.store.InState(context.Background(), profile.Claimed, profile.DeliveryID{}, 10*inFlight)
		if err != nil {
			t.Error(err)
		}
		for old := l.most.Load(); int64(len(refs)) > old && !l.most.CompareAndSwap(old, int64(len(refs))); old = l.most.Load() {
		}
	}
	var err error
	l.e, err = engine.Open(t.Context(), engine.Options{
		Log: l.log, Store: l.store, Key: identity.Key{1}, Now: now,
		Programs:  func(context.Context, uint64) (*core.Program, error) { return l.program.Core, nil },
		OnClaims:  func(claims []engine.Claim) { l.d.Claimed(claims) },
		OnPlanned: func() { l.d.Wake() },
	})
	l.must(err)
	l.d = dispatch.New(dispatch.Options{
		Store: l.store, Ledger: l.ledger, Channels: map[string]channels.Channel{"email": l.provider}, Subject: subject,
		Render: func(c *engine.Claim, _ event.Time) (channels.Message, error) { return word(c), nil },
		Append: func(ctx context.Context, entries []identity.Addressed) error {
			if l.deaf.Load() {
				return fault.New(fault.Unavailable, "the disk of the log is full")
			}
			return l.e.Append(ctx, entries)
		},
		Now: l.e.Now, Batch: 5, InFlight: inFlight,
	})
	l.e.Start()
	l.must(l.e.Switch(t.Context(), l.program.Core.Hash))
	l.until("the program is in force", func() bool { return l.e.Program() != nil })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.d.Run(ctx) }()
	l.stop = func() {
		cancel()
		l.must(<-done)
		l.must(l.e.Close(context.Background()))
	}
	return l
}

// does is shop.does by the wrong clock.
func (l *live) does(user, name string) {
	l.clock = clock.Virtual(event.At(time.Now()) + event.Time(l.ahead.Load()))
	l.shop.does(user, name)
}

func (l *live) until(what string, holds func() bool) {
	l.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("after %v it is still not so that %s; deliveries: %v", patience, what, l.states())
		}
	}
}

// patience is how long a test waits for what must come, on a busy machine.
const patience = 30 * time.Second

func TestAStopWhileTheLogRefusesKeepsTheReceiptsForTheNextStart(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	l.provider.during = func() { l.deaf.Store(true) }
	l.does("ada", event.OrderCompleted)
	l.until("the log refuses", l.deaf.Load)
	l.stop() // would wait for the log for ever
	l.want("claimed:1")
	l.shop.clock = clock.Virtual(event.At(time.Now()).Add(time.Hour))
	l.log = l.log.Reopen(l.clock.Now)
	l.provider.during = nil
	if r := l.restart(); r != (dispatch.Recovered{Told: 1}) {
		t.Errorf("Recover = %+v, want 1 told", r)
	}
	l.want("accepted:1")
}

func TestWhatIsInTheLogIsCommittedOnceTheEngineHasCaughtUp(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	defer l.stop()
	for i := range 20 {
		l.does(fmt.Sprint("u", i), "Product Viewed")
	}
	last, err := l.log.Last(t.Context(), 0)
	l.must(err)
	l.must(l.e.CaughtUp(t.Context()))
	if pos, err := l.store.Position(t.Context(), 0); err != nil || pos.Seq < last.Seq {
		t.Errorf("the state is at record %d, %v; the log was at %d", pos.Seq, err, last.Seq)
	}
}

func TestItem11AClockThatJumpsADayMakesNoStormAndOneThatJumpsBackSendsNothingTwice(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	const people = 300
	sent := func(n int) func() bool {
		return func() bool { got, _ := l.provider.copies(); return got == n }
	}
	for i := range people {
		l.does(fmt.Sprint("u", i), "Trial Started") // a letter in a day
	}
	l.until("all wait for their letter", func() bool {
		next, err := l.e.NextAlarm(0)
		return err == nil && next != event.Never && l.e.Stats().Events == 3*people
	})
	if n, _ := l.provider.copies(); n != 0 {
		t.Fatalf("%d letters left a day early", n)
	}
	l.ahead.Store((25 * time.Hour).Milliseconds())
	l.until("everybody has the letter", sent(people))
	// Of a claim we hear a moment after its commit, and a receipt is in the log before
	// the state has it; a fast provider lets more be in flight. So the bound is not exact.
	if most := l.most.Load(); most > 5*inFlight {
		t.Errorf("%d deliveries were on their way at once, want not many more than %d", most, inFlight)
	}
	// Back by an hour, in the middle of messages on their way.
	for i := range 50 {
		l.does(fmt.Sprint("u", i), event.OrderCompleted)
	}
	l.ahead.Store((24 * time.Hour).Milliseconds())
	for i := range 50 {
		l.does(fmt.Sprint("u", 100+i), event.OrderCompleted)
	}
	l.until("who ordered has heard from us although the clock went back", sent(people+100))
	// And forward over the deadline of whatever is claimed.
	l.ahead.Store((48 * time.Hour).Milliseconds())
	for i := range 50 {
		l.does(fmt.Sprint("u", 200+i), event.OrderCompleted)
	}
	l.until("who ordered has heard from us although the clock jumped", sent(people+150))
	l.stop()
	if n, twice := l.provider.copies(); n != people+150 || twice != 0 {
		t.Errorf("%d messages, %d of them twice; want %d and 0", n, twice, people+150)
	}
	l.want(fmt.Sprintf("accepted:%d", people+150))
}

func TestItem12AnHourThatDoesNotExistOrComesTwiceSendsOnce(t *testing.T) {
	t.Parallel()
	// The instants themselves are tested beside package journey.
	for _, c := range []struct{ name, from, want string }{
		{"02:30 does not exist: at the next instant that does", "2026-03-28T20:00:00Z", "2026-03-29T01:00:00Z"},
		{"02:30 comes twice: at the first", "2026-10-24T20:00:00Z", "2026-10-25T00:30:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			at, err := time.Parse(time.RFC3339, c.from)
			s.must(err)
			s.clock.Set(event.At(at))
			var zone event.Builder
			s.context = zone.SetText("timezone", "Europe/Berlin").Object()
			s.does("ada", "Night Shift")
			var sent []string
			for range 2 * 24 * 12 { // two days in steps of five minutes
				calls := s.provider.calls
				s.claim()
				now := s.clock.Now()
				s.deliver(s.d)
				if s.provider.calls > calls {
					sent = append(sent, now.Time().Format(time.RFC3339))
				}
				s.clock.Set(now.Add(5 * time.Minute))
			}
			if len(sent) != 1 || sent[0] != c.want {
				t.Errorf("sent at %v, want once at %s", sent, c.want)
			}
		})
	}
}

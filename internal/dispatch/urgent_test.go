package dispatch_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/dispatch"
	"rapport/internal/engine"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/store/memory"
)

// jam is a provider that takes one class of messages at once and answers to none of
// the other before it is told to.
type jam struct {
	mu     sync.Mutex
	owed   bool // service messages are those that get no answer
	passed int
	stuck  int
	free   chan struct{}
}

func (j *jam) Send(_ context.Context, batch []channels.Message) []channels.Outcome {
	out := make([]channels.Outcome, len(batch))
	waits := false
	j.mu.Lock()
	for i := range batch {
		out[i] = channels.Outcome{State: channels.Accepted, Code: 250}
		if batch[i].Service != j.owed {
			j.passed++
		} else {
			j.stuck++
			waits = true
		}
	}
	j.mu.Unlock()
	if waits {
		<-j.free
	}
	return out
}

func (j *jam) counts() (passed, stuck int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.passed, j.stuck
}

// jammed is a shop that sends by a provider that is jammed.
func jammed(t *testing.T, j *jam) *live {
	t.Helper()
	now := func() event.Time { return event.At(time.Now()) }
	s := &shop{t: t, store: memory.New(), ledger: memory.NewLedger(), program: compile(t), log: memlog.New(1, now)}
	l := &live{shop: s}
	var err error
	l.e, err = engine.Open(t.Context(), engine.Options{
		Log: l.log, Store: l.store, Key: identity.Key{1}, Now: now,
		Programs: func(context.Context, uint64) (*core.Program, error) { return l.program.Core, nil },
		OnClaims: func(claims []engine.Claim) { l.d.Claimed(claims) }, OnPlanned: func() { l.d.Wake() },
	})
	l.must(err)
	l.d = dispatch.New(dispatch.Options{
		Store: l.store, Ledger: l.ledger, Channels: map[string]channels.Channel{"email": j}, Subject: subject,
		Render: func(c *engine.Claim, _ event.Time) (channels.Message, error) {
			m := word(c)
			m.Service = c.Delivery.Class == profile.Service
			return m, nil
		},
		Append: l.e.Append, Now: l.e.Now, Workers: 2, Batch: 5, InFlight: inFlight,
	})
	l.e.Start()
	l.must(l.e.Switch(t.Context(), l.program.Core.Hash))
	l.until("the program is in force", func() bool { return l.e.Program() != nil })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		l.must(<-done)
		l.must(l.e.Close(context.Background()))
	})
	return l
}

func TestACampaignThatIsStuckAtItsProviderDoesNotHoldBackWhatIsOwed(t *testing.T) {
	t.Parallel()
	j := &jam{free: make(chan struct{})}
	l := jammed(t, j)
	for i := range 4 * inFlight { // more than may be in flight, all of it stuck
		l.does(fmt.Sprint("u", i), event.OrderCompleted)
	}
	l.until("every worker for marketing is stuck", func() bool { _, stuck := j.counts(); return stuck >= 2 })
	for i := range 2 * inFlight {
		l.does(fmt.Sprint("s", i), "Receipt Wanted")
	}
	l.until("every service message has left", func() bool { service, _ := j.counts(); return service == 2*inFlight })
	if _, stuck := j.counts(); stuck > 2*5 {
		t.Errorf("%d messages of marketing are with the provider, want at most two batches", stuck)
	}
	close(j.free)
	l.until("the rest has left too", func() bool { _, sent := j.counts(); return sent == 4*inFlight })
}

func TestServiceMessagesThatAreStuckDoNotHoldBackMarketing(t *testing.T) {
	t.Parallel()
	j := &jam{owed: true, free: make(chan struct{})}
	l := jammed(t, j)
	owed := dispatch.ServiceInFlight + 2*inFlight // more than dispatch looks at in both classes
	for i := range owed {
		l.does(fmt.Sprint("s", i), "Receipt Wanted")
	}
	l.until("the workers for what is owed are stuck", func() bool { _, stuck := j.counts(); return stuck >= 2 })
	l.until("all of it is planned", func() bool {
		planned, err := l.store.DueDeliveries(t.Context(), "", event.Never-1, owed)
		l.must(err)
		claimed, err := l.store.InState(t.Context(), profile.Claimed, profile.DeliveryID{}, owed)
		l.must(err)
		return len(planned)+len(claimed) >= owed
	})
	for i := range inFlight {
		l.does(fmt.Sprint("u", i), event.OrderCompleted)
	}
	l.until("all marketing has left", func() bool { passed, _ := j.counts(); return passed == inFlight })
	close(j.free)
}

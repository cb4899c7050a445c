package engine_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// faulty is a store that fails where a test says so.
type faulty struct {
	store.Store
	load      atomic.Pointer[error] // of the next Load
	nextAlarm atomic.Pointer[error] // of the next NextAlarm
	commit    atomic.Pointer[error] // of the next Commit
	lost      atomic.Int64          // so many times the position cannot be read
	hold      atomic.Pointer[chan struct{}]
	wait      atomic.Pointer[chan struct{}] // the next Load waits for it
	holding   chan struct{}                 // gets one for each commit that is held
	asked     chan struct{}                 // gets one when the position is asked for
}

func (f *faulty) Position(ctx context.Context, lane int) (store.Position, error) {
	if f.lost.Add(-1) >= 0 {
		return store.Position{}, errRead
	}
	select {
	case f.asked <- struct{}{}:
	default:
	}
	return f.Store.Position(ctx, lane)
}

func (f *faulty) Load(ctx context.Context, ids []identity.ID) ([]store.Row, error) {
	if err := f.load.Swap(nil); err != nil {
		return nil, *err
	}
	if wait := f.wait.Swap(nil); wait != nil {
		<-*wait
	}
	return f.Store.Load(ctx, ids)
}

func (f *faulty) NextAlarm(ctx context.Context, from, to identity.ID) (event.Time, error) {
	if err := f.nextAlarm.Swap(nil); err != nil {
		return 0, *err
	}
	return f.Store.NextAlarm(ctx, from, to)
}

func (f *faulty) Commit(ctx context.Context, c *store.Commit) error {
	if hold := f.hold.Swap(nil); hold != nil {
		f.holding <- struct{}{}
		<-*hold
	}
	if err := f.commit.Swap(nil); err != nil {
		return *err
	}
	return f.Store.Commit(ctx, c)
}

// troubled starts an engine by a clock on the wall over a store that may fail.
func troubled(t *testing.T, change func(o *engine.Options)) (*shop, *faulty) {
	s := open(t, 1)
	f := &faulty{Store: s.store, holding: make(chan struct{}, 1), asked: make(chan struct{})}
	o := engine.Options{
		Log: s.log, Store: f, Key: s.key, Now: s.clock.Now,
		Programs: func(_ context.Context, hash uint64) (*core.Program, error) { return empty(s.t, s.key, hash), nil },
	}
	change(&o)
	e, err := engine.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.e = e
	e.Start()
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	return s, f
}

func (s *shop) caughtUp() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if err := s.e.CaughtUp(ctx); err != nil {
		s.t.Fatal(err)
	}
}

var errRead = fault.New(fault.Unavailable, "the disk does not answer")

func TestALaneThatCannotReadWaitsForItsCommitBeforeItGoesBack(t *testing.T) {
	t.Parallel()
	s, f := troubled(t, func(*engine.Options) {})
	hold := make(chan struct{})
	f.hold.Store(&hold)
	s.says("ada", "", "Product Viewed", nil)
	<-f.holding
	err := error(errRead)
	f.load.Store(&err)
	s.says("ben", "", "Product Viewed", nil)
	select {
	case <-f.asked:
		t.Error("the lane went back while its commit was under way")
	case <-time.After(1500 * time.Millisecond): // longer than a lane waits before it goes back
	}
	close(hold)
	s.caughtUp()
	for _, name := range []string{"ada", "ben"} {
		if p := s.who(identity.User, name); p == nil || p.Count != 1 {
			t.Errorf("%s: %+v, want one event", name, p)
		}
	}
}

func TestALaneThatCannotGoBackTriesUntilItCan(t *testing.T) {
	t.Parallel()
	s, f := troubled(t, func(*engine.Options) {})
	err := error(errRead)
	f.lost.Store(2) // once when the commit fails, once a while later
	f.commit.Store(&err)
	s.says("ada", "", "Product Viewed", nil)
	s.caughtUp()
	if p := s.who(identity.User, "ada"); p == nil || p.Count != 1 || f.lost.Load() > 0 {
		t.Errorf("ada: %+v, want one event", p)
	}
}

func TestWhatACommitHasMadeTrueIsToldThoughTheNextAlarmCannotBeRead(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var granted int
	s, f := troubled(t, func(o *engine.Options) {
		o.OnGrants = func(g []engine.Grant) { mu.Lock(); granted += len(g); mu.Unlock() }
	})
	hold := make(chan struct{})
	f.hold.Store(&hold)
	var b event.Builder
	b.SetText("state", "granted").SetText("channel", "email")
	s.send(event.Event{ID: "consent", Type: event.Track, Name: event.ConsentChanged, User: "ada", At: s.clock.Now(), Raw: s.clock.Now(), Trust: event.Server, Props: b.Object()})
	<-f.holding
	err := error(errRead)
	f.nextAlarm.Store(&err)
	close(hold)
	s.caughtUp()
	mu.Lock()
	defer mu.Unlock()
	if granted != 1 {
		t.Errorf("%d grants were told of, want 1", granted)
	}
	if f.nextAlarm.Load() != nil {
		t.Error("the next alarm was never asked for")
	}
}

func TestAProgramComesToMoreThanTheCacheHoldsAndWhoComesInTheSameRecord(t *testing.T) {
	t.Parallel()
	s := open(t, 1)
	for i := range 700 {
		s.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
	}
	s.settle()
	e, err := engine.Open(t.Context(), engine.Options{
		Log: s.log, Store: s.store, Key: s.key, Now: s.clock.Now, Virtual: true, CacheBytes: 1 << 10,
		Programs: func(_ context.Context, hash uint64) (*core.Program, error) { return empty(s.t, s.key, hash), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.e = e
	var b event.Builder
	b.SetText("hash", "9")
	program := event.Event{ID: "program", Type: event.System, Name: event.ProgramChanged, At: s.clock.Now(), Trust: event.Own, Props: b.Object()}
	late, _ := s.key.Address(event.Event{ID: "late", Type: event.Track, Name: "Product Viewed", User: "user-1", At: s.clock.Now(), Raw: s.clock.Now(), Trust: event.Server})
	if err := e.Append(t.Context(), []identity.Addressed{{Event: program}, late}); err != nil {
		t.Fatal(err)
	}
	if err := e.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := s.who(identity.User, "user-1"); p.Count != 2 {
		t.Errorf("%d events, want 2", p.Count)
	}
	if behind := s.behind(9); behind > 0 {
		t.Errorf("%d customers are left behind", behind)
	}
}

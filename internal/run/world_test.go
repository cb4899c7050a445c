package run_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"rapport/internal/channels"
	"rapport/internal/channels/email"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/demo"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/eventlog/natslog"
	"rapport/internal/intake"
	"rapport/internal/keys"
	"rapport/internal/killpoint"
	"rapport/internal/mailcatcher"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/store/sqlite"
)

// world is everything that survives the death of a process, and a node that can
// be killed: from the instant of its death no call to log, store, ledger or
// channel has an effect, which is all that anybody outside could ever know of it.
type world struct {
	t       *testing.T
	clock   *clock.Clock
	log     eventlog.Log
	store   store.Store
	ledger  store.Ledger
	catcher *mailcatcher.Catcher
	carrier *email.Channel
	ring    *keys.Ring
	secret  string
	node    *run.Node
	handler http.Handler
	site    *site.Site
	cache   int64 // bytes for customers; zero: the engine's default

	life   *life
	deaths int
	kill   func(deaths int) fate // how the next process will die
}

// life is one process.
type life struct {
	dead  atomic.Bool
	after atomic.Int64 // calls to go until death; below zero: it lives
}

// fate is when a process dies: at the n-th call that has an effect, or at the
// n-th hit of a named point. The zero fate lives.
type fate struct {
	calls int
	point string
	hits  int
}

var errDead = errors.New("the process was killed")

// call has an effect, if the process is alive. Half of the deaths come before
// the effect and half behind it.
func (l *life) call(effect func() error) error {
	if l.dead.Load() {
		return errDead
	}
	n := l.after.Add(-1)
	if n == 0 {
		if l.after.Load()%2 == 0 {
			l.dead.Store(true)
			return errDead
		}
		err := effect()
		l.dead.Store(true)
		return errors.Join(err, errDead)
	}
	err := effect()
	if l.dead.Load() {
		return errors.Join(err, errDead)
	}
	return err
}

type mortalLog struct {
	eventlog.Log
	l *life
}

func (m mortalLog) Append(ctx context.Context, lane int, body []byte) (r eventlog.Record, err error) {
	err = m.l.call(func() error { r, err = m.Log.Append(ctx, lane, body); return err })
	return r, err
}

type mortalStore struct {
	store.Store
	l *life
}

func (m mortalStore) Commit(ctx context.Context, c *store.Commit) error {
	return m.l.call(func() error { return m.Store.Commit(ctx, c) })
}

// DueDeliveries is the question with which a step ends: a dead process does not
// get to its end.
func (m mortalStore) DueDeliveries(ctx context.Context, channel string, now event.Time, limit int) ([]store.Ref, error) {
	if m.l.dead.Load() {
		return nil, errDead
	}
	return m.Store.DueDeliveries(ctx, channel, now, limit)
}

// DueWithin is the same question, of one class.
func (m mortalStore) DueWithin(ctx context.Context, from, to int32, now event.Time, limit int) ([]store.Ref, error) {
	if m.l.dead.Load() {
		return nil, errDead
	}
	return m.Store.DueWithin(ctx, from, to, now, limit)
}

type mortalLedger struct {
	store.Ledger
	l *life
}

func (m mortalLedger) Start(ctx context.Context, batch []store.Start) (a []store.StartAnswer, err error) {
	err = m.l.call(func() error { a, err = m.Ledger.Start(ctx, batch); return err })
	return a, err
}

func (m mortalLedger) Note(ctx context.Context, r []store.Receipt) error {
	return m.l.call(func() error { return m.Ledger.Note(ctx, r) })
}

func (m mortalLedger) Finish(ctx context.Context, ids []profile.DeliveryID) error {
	return m.l.call(func() error { return m.Ledger.Finish(ctx, ids) })
}

type mortalChannel struct {
	channels.Channel
	l *life
}

func (m mortalChannel) Send(ctx context.Context, batch []channels.Message) []channels.Outcome {
	var out []channels.Outcome
	if err := m.l.call(func() error { out = m.Channel.Send(ctx, batch); return nil }); err != nil {
		return make([]channels.Outcome, len(batch)) // nobody will ever see it
	}
	return out
}

// newWorld returns a world on the named store: memory or sqlite.
func newWorld(t *testing.T, kind string, lanes int, kill func(int) fate) *world {
	t.Helper()
	w := &world{t: t, clock: clock.Virtual(demo.GoLive), kill: kill}
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if kind == forgetful {
		w.cache = 256 << 10
	}
	if kind != "memory" {
		w.log, err = natslog.Open(t.Context(), natslog.Options{Dir: filepath.Join(dir, "log"), Lanes: lanes, Now: w.clock.Now})
		must(err)
		w.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: dir})
		must(err)
		w.ledger, err = sqlite.OpenLedger(t.Context(), sqlite.Options{Dir: dir})
		must(err)
		t.Cleanup(func() { w.ledger.Close(); w.store.Close(); w.log.Close() })
	} else {
		w.log, w.store, w.ledger = memlog.New(lanes, w.clock.Now), memory.New(), memory.NewLedger()
	}
	bounces := demo.Bounces(1)
	w.catcher, err = mailcatcher.New(mailcatcher.Options{Reject: func(r string) *mailcatcher.Reply {
		if bounces(r) {
			return &mailcatcher.Reply{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "no such mailbox (invented)"}
		}
		return nil
	}})
	must(err)
	must(w.catcher.Listen("127.0.0.1:0"))
	w.carrier, err = email.New(email.Options{Addr: w.catcher.Addr()})
	must(err)
	t.Cleanup(func() { w.carrier.Close(); w.catcher.Close() })
	var fresh []keys.New
	w.ring, fresh, err = keys.Open(dir)
	must(err)
	for _, k := range fresh {
		if k.Kind == keys.Secret {
			w.secret = k.Text
		}
	}
	must(w.start(t.Context()))
	return w
}

const baseURL = "https://shop.test"

// start begins a new process on what the last one left.
func (w *world) start(ctx context.Context) error {
	l := &life{}
	l.after.Store(-1)
	w.life = l
	f := fate{}
	if w.kill != nil {
		f = w.kill(w.deaths)
	}
	key := identity.Key{7}
	signer, err := site.NewSigner(baseURL, "default", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		return err
	}
	n, err := run.Open(ctx, run.Options{
		Log: mortalLog{w.log, l}, Store: mortalStore{w.store, l}, Ledger: mortalLedger{w.ledger, l},
		Channels: map[string]channels.Channel{"email": mortalChannel{w.carrier, l}}, Workspace: "default", Key: key, Clock: w.clock, Links: signer, CacheBytes: w.cache, OwnCopy: signer.OwnCopy(),
	})
	if err != nil {
		return err
	}
	w.node = n
	if n.Engine.Program() == nil {
		src, err := program.Read(os.DirFS("../../examples/shop"))
		if err != nil {
			return err
		}
		if _, err := n.Apply(ctx, src); err != nil {
			return err
		}
		if err := n.Settle(ctx); err != nil {
			return err
		}
	}
	// A process dies once it is on its way.
	if f.calls > 0 {
		l.after.Store(int64(f.calls))
	}
	if f.point != "" {
		var mu sync.Mutex
		hits := 0
		restore := killpoint.Set(func(name string) {
			mu.Lock()
			defer mu.Unlock()
			if name == f.point {
				if hits++; hits == f.hits {
					l.dead.Store(true)
				}
			}
		})
		w.t.Cleanup(restore)
	} else {
		w.t.Cleanup(killpoint.Set(func(string) {}))
	}
	if _, err := n.Dispatch.Recover(ctx); err != nil && !l.dead.Load() {
		return err
	}
	mux := http.NewServeMux()
	quiet := slog.New(slog.DiscardHandler)
	tracking := intake.New(intake.Options{Keys: w.ring, Append: n.Take, Quarantine: n.Quarantine, Now: w.clock.Now, Workspace: key, Log: quiet})
	for _, p := range intake.Patterns() {
		mux.Handle(p, tracking)
	}
	w.site, err = site.New(site.Options{Log: quiet, Signer: signer, Suppressor: n.Public(), Hearer: n.Public(), Preferences: n.Public(), Customers: n.Public(), Home: key.Home, Now: w.clock.Now, Wall: func() time.Time { return w.clock.Now().Time() }, Hold: -1})
	if err != nil {
		return err
	}
	mux.Handle("/", w.site)
	w.handler = mux
	return nil
}

// RoundTrip answers a request by the present process.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.life.dead.Load() {
		return nil, errDead
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if w.life.dead.Load() {
		return nil, errDead // it died before the answer was out
	}
	return rec.Result(), nil
}

// year replays the shop's year up to the instant.
func (w *world) year(until event.Time) *demo.Year {
	w.t.Helper()
	y := &demo.Year{Node: w.node, Clock: w.clock, URL: baseURL, Secret: w.secret, Seed: 1, Catcher: w.catcher, Until: until, Transport: w}
	y.Restart = func(ctx context.Context, cause error) (*run.Node, error) {
		if !w.life.dead.Load() {
			return nil, cause
		}
		w.deaths++
		gone, cancel := context.WithCancel(ctx)
		cancel()
		w.site.Close(gone) //nolint:errcheck // as below
		w.node.Close(ctx)  //nolint:errcheck // a dead process ends nothing in order
		if err := w.start(ctx); err != nil {
			return nil, err
		}
		return w.node, nil
	}
	if err := y.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return y
}

// outcome is what a world came to.
type outcome struct {
	deliveries map[profile.DeliveryID]string
	people     map[profile.DeliveryID]identity.ID
	unknown    map[identity.ID]bool
	segments   map[uint64]int64
	profiles   map[identity.ID]string
}

func (w *world) outcome() outcome {
	w.t.Helper()
	o := outcome{deliveries: map[profile.DeliveryID]string{}, people: map[profile.DeliveryID]identity.ID{}, unknown: map[identity.ID]bool{}, profiles: map[identity.ID]string{}}
	for row, err := range w.store.Deliveries(w.t.Context()) {
		if err != nil {
			w.t.Fatal(err)
		}
		row.Fence = 0 // how often a claim was lost is no decision
		o.deliveries[row.ID] = string(profile.AppendDelivery(nil, &row.Delivery)) + row.Because + string(row.Plan)
		o.people[row.ID] = row.Profile
		if row.State == profile.Unknown {
			o.unknown[row.Profile] = true
		}
	}
	var err error
	if o.segments, err = w.store.SegmentCounts(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return o
}

// alike reports what two worlds decided differently, but for people of whom a
// message's outcome is unknown: what follows from it may differ.
func alike(t *testing.T, want, got outcome) {
	t.Helper()
	excused := func(id identity.ID) bool { return want.unknown[id] || got.unknown[id] }
	missing, extra, differ := 0, 0, 0
	for id, row := range want.deliveries {
		switch other, ok := got.deliveries[id]; {
		case excused(want.people[id]):
		case !ok:
			missing++
		case other != row:
			if differ++; differ < 4 {
				a, _ := profile.DecodeDelivery(row)
				b, _ := profile.DecodeDelivery(other)
				a.Props, b.Props = "", ""
				t.Logf("want %+v\ngot  %+v", a, b)
			}
		}
	}
	for id := range got.deliveries {
		if _, ok := want.deliveries[id]; !ok && !excused(got.people[id]) {
			extra++
		}
	}
	if missing+extra+differ > 0 {
		t.Errorf("of %d deliveries %d are missing, %d too many, %d different", len(want.deliveries), missing, extra, differ)
	}
}

// Package engine turns the log into state: it reads a lane's records, gives each
// entry to the core with the profile that it concerns, and commits what follows.
//
// A lane has one owner, and one goroutine makes state in the order of its log. What
// the core says of many customers is asked on every processor before. Commits run
// beside it: profiles are immutable, so a batch is packed and written while the
// next one is applied. Readers see applied state at once, since a replay would
// give the same; effects (a claim that dispatch may act on, an entry for another
// home) leave only after the commit. A failed commit evicts the lane's cache and
// the lane goes on from what the store says.
//
// Under a virtual clock nothing moves by itself: [Engine.Settle] reads, applies,
// fires alarms and forwards until all is quiet.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
	"unsafe"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
	"rapport/internal/killpoint"
	"rapport/internal/store"
)

// Options are what an engine is made of.
type Options struct {
	Log   eventlog.Log
	Store store.Store
	Key   identity.Key
	// Programs returns the compiled program of a hash that a record names.
	Programs func(ctx context.Context, hash uint64) (*core.Program, error)
	// Now is the clock that the log uses too.
	Now func() event.Time
	// Virtual: nothing moves but by Settle.
	Virtual bool
	// CacheBytes is how much memory profiles may take, over all lanes: an eighth of it
	// decoded ones, the rest encoded ones. Default: 256 MiB.
	CacheBytes int64
	// DirtyBytes is how much uncommitted state forces a commit. Default: 48 MiB.
	DirtyBytes int
	// OnClaims hears of deliveries that may be handed over, after their commit.
	// It must not block.
	OnClaims func([]Claim)
	// OnStops hears of claims that are no longer wanted, after their commit and after
	// OnClaims has heard of them. It must not block.
	OnStops func([]Stop)
	// OnGrants hears of consents that were given, after their commit. It should
	// not take long: the lane waits.
	OnGrants func([]Grant)
	// OnErased hears of homes whose people were erased, after their commit.
	OnErased func([]identity.ID)
	// OnPlanned hears that deliveries were planned or put off, after their commit.
	OnPlanned func()
	Logger    *slog.Logger
}

// The commit policy. A message that waits is committed at once when the lane has
// nothing else to do, and not much later when it has; without one, state may lag
// behind the log for half a second, since the log is what is durable. A lane that
// has not caught its breath for a while is flooded: what it decides is late by more
// than that anyway, and the longer it waits the more events of one customer are
// written at once.
const (
	urgentIdle   = 10 * time.Millisecond
	urgentBusy   = 250 * time.Millisecond
	lazy         = 500 * time.Millisecond
	freshFor     = 100 * time.Millisecond // a lane that applies what is older has no idle moment
	flooded      = 2 * time.Second        // without one for so long,
	urgentFlood  = time.Second            // commits are so far apart
	defaultCache = 256 << 20
	defaultDirty = 48 << 20
)

// Engine owns every lane of a log.
type Engine struct {
	o     Options
	log   *slog.Logger
	lanes []*lane

	mu      sync.Mutex
	failed  error
	stop    context.CancelFunc
	running context.Context // from Start to Close; nil before
	done    sync.WaitGroup
}

// Open returns an engine that stands where the store says. It applies nothing
// before Start or Settle.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCache
	}
	if o.DirtyBytes == 0 {
		o.DirtyBytes = defaultDirty
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Engine{o: o, log: o.Logger}
	n := o.Log.Lanes()
	for i := range n {
		l, err := newLane(ctx, e, i, n)
		if err != nil {
			return nil, fmt.Errorf("opening lane %d: %w", i, err)
		}
		e.lanes = append(e.lanes, l)
	}
	return e, nil
}

// Append makes the entries durable in the logs of their lanes. Entries of one
// lane stay in order. When it returns nil all of them will be applied; after an
// error any of them may be.
func (e *Engine) Append(ctx context.Context, entries []identity.Addressed) error {
	if err := e.Err(); err != nil {
		return err
	}
	if len(e.lanes) == 1 {
		return e.lanes[0].append(ctx, entries)
	}
	byLane := make([][]identity.Addressed, len(e.lanes))
	for _, a := range entries {
		n := a.To.Lane(len(e.lanes))
		byLane[n] = append(byLane[n], a)
	}
	for n, part := range byLane {
		if len(part) > 0 {
			if err := e.lanes[n].append(ctx, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// Broadcast appends the same entry to every lane: a change of program.
func (e *Engine) Broadcast(ctx context.Context, ev event.Event) error {
	for _, l := range e.lanes {
		if err := l.append(ctx, []identity.Addressed{{Event: ev}}); err != nil {
			return err
		}
	}
	return nil
}

// Switch makes the program the one in force from here on in every lane, which brings
// all profiles up to it. A program in force already changes nothing.
func (e *Engine) Switch(ctx context.Context, hash uint64) error {
	next, err := e.o.Programs(ctx, hash)
	if err != nil {
		return fmt.Errorf("program %016x: %w", hash, err)
	}
	reads := func(l *lane) bool {
		before := l.program()
		return before != nil && before.Hash != hash && !next.From(before).Light()
	}
	if slices.ContainsFunc(e.lanes, reads) {
		if err := e.o.Store.WarmHistories(ctx); err != nil {
			e.log.Warn("histories are read from the disk: a new program takes longer", "error", err)
		}
	}
	for _, l := range e.lanes {
		if before := l.program(); before != nil && before.Hash == hash {
			continue
		}
		var b event.Builder
		b.Set("hash", event.Text(fmt.Sprintf("%016x", hash)))
		ev := event.Event{ID: event.ID(fmt.Sprintf("program:%016x:%d", hash, e.o.Now())), Type: event.System, Name: event.ProgramChanged, At: e.o.Now(), Trust: event.Own, Source: "rapport", Props: b.Object()}
		if err := l.append(ctx, []identity.Addressed{{Event: ev}}); err != nil {
			return err
		}
	}
	return nil
}

// Profile returns a customer as of the last applied record, following
// signposts; nil if there is none, or not any more.
func (e *Engine) Profile(ctx context.Context, id identity.ID) (*profile.Profile, error) {
	for range identity.MaxHops {
		p, err := e.lanes[id.Lane(len(e.lanes))].read(ctx, id)
		if err != nil || p == nil || p.Owner.Zero() {
			return p, err
		}
		if p.Owner == identity.Erased {
			return nil, nil
		}
		id = p.Owner
	}
	return nil, fault.New(fault.Corrupt, "the homes of this customer's identifiers point in a circle")
}

// Now returns the present time as the product knows it: the clock's, but never
// before the newest record that was applied. A clock that is set back stands still
// for everybody until it has caught up; else what the log has just made due would
// wait for as long as it was set back.
func (e *Engine) Now() event.Time {
	now := e.o.Now()
	for _, l := range e.lanes {
		now = max(now, l.position().Now)
	}
	return now
}

// Program returns the program in force where a customer lives; nil before the first.
func (e *Engine) Program() *core.Program { return e.lanes[0].program() }

// NextAlarm returns the earliest committed alarm of a lane that has settled.
func (e *Engine) NextAlarm(n int) (event.Time, error) {
	l := e.lanes[n]
	return e.o.Store.NextAlarm(context.Background(), l.from, l.to)
}

// Err returns why the engine stopped, if it did.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}

func (e *Engine) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failed == nil && err != nil {
		e.failed = err
		e.log.Error("the engine stopped", "error", err)
	}
}

// Start runs the lanes and the forwarding between them until Close.
func (e *Engine) Start() {
	ctx, stop := context.WithCancel(context.Background())
	e.stop, e.running = stop, ctx
	for _, l := range e.lanes {
		e.done.Go(func() { l.sweeps(ctx) })
		e.done.Go(func() { l.ticks(ctx) })
		e.done.Add(2)
		go func() {
			defer e.done.Done()
			if err := l.loop(ctx); err != nil {
				e.fail(err)
				stop()
			}
		}()
		go func() {
			defer e.done.Done()
			if err := l.pump(ctx); err != nil && ctx.Err() == nil {
				e.fail(err)
			}
		}()
	}
}

// Close finishes what was accepted: appenders are drained, everything in the
// log is applied and committed.
func (e *Engine) Close(ctx context.Context) error {
	for _, l := range e.lanes {
		l.appender.Close()
	}
	if e.stop != nil {
		e.stop()
		e.done.Wait()
	}
	var errs []error
	if e.Err() == nil {
		for _, l := range e.lanes {
			if err := l.drain(ctx); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// Settle applies, fires, commits and forwards until every lane is quiet as of
// the clock's now. It is how time passes under a virtual clock.
func (e *Engine) Settle(ctx context.Context) error {
	now := e.o.Now()
	for {
		for _, l := range e.lanes {
			if err := l.quiet(ctx, now); err != nil {
				e.fail(err)
				return err
			}
		}
		moved, err := e.forwardAll(ctx)
		if err != nil {
			return err
		}
		if !moved {
			return nil
		}
	}
}

// caughtUpPoll is how often CaughtUp looks.
const caughtUpPoll = 2 * time.Millisecond

// CaughtUp waits, after Start, until everything that is in the logs now is
// applied and committed, and those who hear of effects have heard. A sweep over few
// customers is a part of it. It returns the context's error if that ends first, and
// why the engine stopped if it did.
func (e *Engine) CaughtUp(ctx context.Context) error {
	for _, l := range e.lanes {
		if err := l.caughtUp(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (l *lane) caughtUp(ctx context.Context) error {
	for {
		ended, swept := l.sweeping.ended.Load(), !l.sweeping.waitedFor()
		last, err := l.e.o.Log.Last(ctx, l.n)
		if err != nil {
			return err
		}
		for l.told.Load() < last.Seq {
			if err := l.wait(ctx, caughtUpPoll); err != nil {
				return err
			}
		}
		// What a sweep has made that ended meanwhile may stand behind the last record.
		if swept && !l.sweeping.waitedFor() && ended == l.sweeping.ended.Load() {
			return nil
		}
		if err := l.wait(ctx, caughtUpPoll); err != nil {
			return err
		}
	}
}

// Passed waits until every lane has applied what is in its log now, for so long at most,
// and reports whether they have: behind a backlog nobody waits for all of it. While
// nothing moves but by Settle it returns at once.
func (e *Engine) Passed(ctx context.Context, most time.Duration) (bool, error) {
	if e.running == nil {
		return true, nil
	}
	until := time.Now().Add(most)
	for _, l := range e.lanes {
		last, err := l.e.o.Log.Last(ctx, l.n)
		if err != nil {
			return false, err
		}
		for l.position().Seq < last.Seq {
			if time.Now().After(until) {
				return false, nil
			}
			if err := l.wait(ctx, caughtUpPoll); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// wait waits so long. It returns the context's error if that ends first, and why the
// engine stopped if it did.
func (l *lane) wait(ctx context.Context, d time.Duration) error {
	if err := l.e.Err(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// forwardAll appends everything that waits for other homes, in an order that
// does not depend on how many lanes there are: by instant, then sender, then number.
func (e *Engine) forwardAll(ctx context.Context) (bool, error) {
	var all []store.Forward
	for _, l := range e.lanes {
		all = append(all, l.takeForwards()...)
	}
	if len(all) == 0 {
		return false, nil
	}
	killpoint.Hit(killpoint.BeforeForward)
	slices.SortStableFunc(all, func(a, b store.Forward) int {
		switch {
		case a.At != b.At:
			return int(min(max(a.At-b.At, -1), 1))
		case a.From != b.From:
			return a.From.Compare(b.From)
		case a.Lane != b.Lane:
			return a.Lane - b.Lane
		}
		return int(min(max(int64(a.Number-b.Number), -1), 1))
	})
	entries := make([]identity.Addressed, len(all))
	for i := range all {
		a, err := identity.DecodeAddressed(string(all[i].Entry))
		if err != nil {
			return false, err
		}
		entries[i] = a
	}
	for len(entries) > 0 {
		n := min(len(entries), maxForwards)
		if err := e.Append(ctx, entries[:n]); err != nil {
			return false, err
		}
		entries = entries[n:]
	}
	for _, f := range all {
		e.lanes[f.Lane].forwarded(f.Number)
	}
	return true, nil
}

// maxForwards bounds the entries of one call to append, each of which waits for the
// disk: an import of new customers sends two for each of them. What is too long for
// a record is cut there.
const maxForwards = 1024

func encode(entries []identity.Addressed) [][]byte {
	size := 0
	for i := range entries {
		e := &entries[i].Event
		size += 96 + len(e.ID) + len(e.Name) + len(e.User) + len(e.Anon) + len(e.Source) + len(e.Props) + len(e.Traits) + len(e.Context)
	}
	buf := make([]byte, 0, size)
	items := make([][]byte, len(entries))
	for i := range entries {
		start := len(buf)
		buf = entries[i].Append(buf)
		items[i] = buf[start:len(buf):len(buf)]
	}
	return items
}

// entry is one entry of a record, with the bytes of its event.
type entry struct {
	identity.Addressed
	raw string
}

// entries appends the entries of a record's body to dst. Their texts are pieces of
// the body.
func entries(dst []entry, body []byte) ([]entry, error) {
	// Not a copy: a body is shared between its readers, and nobody may change it.
	r := wire.NewReader(unsafe.String(unsafe.SliceData(body), len(body)))
	for !r.Done() {
		text := r.Text()
		a, err := identity.DecodeAddressed(text)
		if r.Err() != nil {
			break
		}
		if err != nil {
			return dst, err
		}
		dst = append(dst, entry{a, text[len(a.To):]})
	}
	return dst, r.Err()
}

// CatchUp applies and commits everything that is in the logs, forwards included,
// without letting time pass: no alarm fires that is later than the last record.
// It serves audits of a data directory that no server is using.
func (e *Engine) CatchUp(ctx context.Context) error {
	for {
		for _, l := range e.lanes {
			if err := l.quiet(ctx, l.position().Now); err != nil {
				return err
			}
		}
		moved, err := e.forwardAll(ctx)
		if err != nil || !moved {
			return err
		}
	}
}

// Stats are figures for an operator.
type Stats struct {
	Events    int64      // customers' events applied since the engine was opened
	Late      int64      // entries dropped since then because their person was erased
	Lag       int64      // records that are in the log and not applied
	Cached    int64      // decoded profiles in memory
	NextAlarm event.Time // the earliest committed alarm
}

// Heard returns how many customers' events were applied since the engine was opened.
// It asks nobody to wait, so it may be called as often as one likes.
func (e *Engine) Heard() (n int64) {
	for _, l := range e.lanes {
		n += l.heard.Load()
	}
	return n
}

// Stats returns the present figures.
func (e *Engine) Stats() (s Stats) {
	s.NextAlarm = event.Never
	for _, l := range e.lanes {
		last, err := e.o.Log.Last(context.Background(), l.n)
		l.mu.Lock()
		s.Events += l.heard.Load()
		s.Late += l.late
		s.Cached += int64(len(l.cache.items))
		s.NextAlarm = min(s.NextAlarm, l.nextAlarm)
		if err == nil && last.Seq > l.pos.Seq {
			s.Lag += int64(last.Seq - l.pos.Seq)
		}
		l.mu.Unlock()
	}
	return s
}

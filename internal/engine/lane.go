package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
	"rapport/internal/feed"
	"rapport/internal/killpoint"
	"rapport/internal/store"
)

// lane is a contiguous range of partitions with one log, one position and one
// goroutine that applies.
type lane struct {
	e        *Engine
	n        int
	from, to identity.ID // the range of profile ids, both included
	appender *eventlog.Appender

	mu    sync.Mutex // guards what follows against readers; the lane's goroutine takes it for each record
	cache *cache
	open  *batch
	pos   store.Position // of the last applied record
	prog  *core.Program
	turns *turns // that customers may be under; prog is the last one's

	inflight  *batch
	batches   uint64      // how many there were
	leaving   []packed    // what the last commit wrote and the cache has not let go; only the lane's goroutine asks
	committed chan result // of the commit in flight
	// turn is held by a commit while it is written, and by who looks at histories where
	// there are too few processors for both beside whoever is live.
	turn   sync.RWMutex
	packer *feed.Packer

	told    atomic.Uint64         // up to which record everything is committed and whoever waited for it has heard
	refused atomic.Pointer[error] // why the log took nothing at the last try; nil: it did
	stuck   atomic.Pointer[error] // why the lane went back to its last commit; nil: it goes on

	damaged   map[identity.ID]struct{} // rows that cannot be read and were put aside
	nextAlarm event.Time               // earliest committed alarm
	heard     atomic.Int64             // customers' events applied
	late      int64                    // entries dropped because their person was erased
	due       []identity.ID
	crowd     *store.Row // the last of a full page of due alarms; nil: all that are due are known
	entries   []entry    // of the record that is applied
	ahead     []ahead    // of each of them
	arrivals  []arrival  // for the record, on their way into the cache
	first     []int      // the places in entries of each customer's first
	breath    time.Time  // when the lane last had nothing to do; only its goroutine asks
	spare     *batch     // a finished one, whose memory the next uses
	scratch   scratch    // of the commit under way

	fan fanOut // of the campaigns; guarded by mu

	sweeping sweeping // how far customers are brought up to the program in force

	numbers  uint64          // of the last forward
	waiting  []store.Forward // committed, not yet appended; guarded by mu
	wakePump chan struct{}

	wantsTick chan struct{} // gets one when the lane asks for a tick
	ticking   atomic.Bool   // until the log has answered

	ackUpTo uint64 // forwards that are appended; guarded by mu
	owed    uint64 // the last forward that is committed, and
	paid    uint64 // the last one that is appended; guarded by mu
}

type result struct {
	err       error
	rows      []packed
	commit    *store.Commit
	nextAlarm event.Time
	unread    error // why nextAlarm is not known
}

func newLane(ctx context.Context, e *Engine, n, of int) (*lane, error) {
	l := &lane{
		e: e, n: n, appender: eventlog.NewAppender(e.o.Log, n, eventlog.AppenderOptions{}),
		cache: newCache(e.o.CacheBytes / int64(of)), committed: make(chan result, 1), packer: feed.NewPacker(),
		wakePump: make(chan struct{}, 1), wantsTick: make(chan struct{}, 1),
	}
	l.sweeping.begun, l.sweeping.ready = make(chan struct{}, 1), make(chan *swept, 1)
	l.sweeping.few, l.sweeping.many, l.sweeping.moment = historySize, sweepSize, fewRows
	first := (n*identity.Partitions + of - 1) / of
	after := ((n+1)*identity.Partitions + of - 1) / of
	l.from[0], l.from[1] = byte(first>>4), byte(first<<4)
	last := after - 1
	l.to[0], l.to[1] = byte(last>>4), byte(last<<4)|0x0f
	for i := 2; i < len(l.to); i++ {
		l.to[i] = 0xff
	}
	return l, l.reset(ctx)
}

// reset goes back to what the store says.
func (l *lane) reset(ctx context.Context) error {
	pos, err := l.e.o.Store.Position(ctx, l.n)
	if err != nil {
		return err
	}
	from := pos
	if pos.Seq == 0 {
		pos.Epoch = l.e.o.Log.Epoch()
	}
	next, err := l.e.o.Store.NextAlarm(ctx, l.from, l.to)
	if err != nil {
		return err
	}
	forwards, err := l.e.o.Store.Forwards(ctx, maxWaiting)
	if err != nil {
		return err
	}
	turns, err := l.turnsOf(ctx, &pos)
	if err != nil {
		return err
	}
	runs, err := l.e.o.Store.Runs(ctx, l.n)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cache.clear()
	l.batches++
	l.pos, l.open, l.nextAlarm, l.due, l.crowd = pos, newBatch(l.batches, from), next, nil, nil
	l.spare, l.leaving = nil, nil
	l.damaged = map[identity.ID]struct{}{}
	l.fan = fanOut{}
	l.putInForce(turns)
	if err := l.loadRuns(runs); err != nil {
		return err
	}
	l.told.Store(pos.Seq)
	l.waiting = nil
	l.numbers = max(l.numbers, pos.Seq<<20)
	for _, f := range forwards {
		if f.Lane == l.n {
			l.waiting = append(l.waiting, f)
			l.numbers, l.owed = max(l.numbers, f.Number), max(l.owed, f.Number)
		}
	}
	l.signal()
	return nil
}

// maxWaiting bounds the forwards read at a start; the rest is read when these are gone.
const maxWaiting = 100_000

func (l *lane) position() store.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pos
}

func (l *lane) program() *core.Program {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.prog
}

func (l *lane) append(ctx context.Context, entries []identity.Addressed) error {
	items := encode(entries)
	for len(items) > 0 {
		n, size := 0, 0
		for n < len(items) && (n == 0 || size+len(items[n]) <= maxAppend) {
			size += len(items[n])
			n++
		}
		err := l.appender.Add(ctx, items[:n])
		l.noteAppend(err)
		if err != nil {
			return err
		}
		items = items[n:]
	}
	killpoint.Hit(killpoint.AfterAppend)
	return nil
}

// maxAppend bounds the bytes of one call to the log: what came in one request
// may be more than one record holds.
const maxAppend = eventlog.MaxBody / 2

// read returns a profile for people to look at.
func (l *lane) read(ctx context.Context, id identity.ID) (*profile.Profile, error) {
	l.mu.Lock()
	if it := l.cache.get(id); it != nil {
		defer l.mu.Unlock()
		if it.damaged {
			return nil, errDamaged
		}
		l.evaluated(it)
		return it.p, nil
	}
	row, ok := l.cache.rows.take(id)
	pos := l.pos
	l.mu.Unlock()
	if ok {
		p, err := profile.Decode(row)
		if err == nil {
			p.Program = pos.Evaluated(p, 0)
		}
		return p, err
	}
	return l.stored(ctx, id)
}

// readLimit is how many records are read at once.
const readLimit = 64

// loop applies the lane's records as they come, until ctx ends or the lane is lost.
func (l *lane) loop(ctx context.Context) error {
	for ctx.Err() == nil {
		err := l.round(ctx)
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil && errors.Is(err, context.Canceled):
			return l.settleInflight(context.WithoutCancel(ctx))
		case fault.Is(err, fault.Conflict), fault.Is(err, fault.Corrupt):
			return err
		}
		l.stuck.Store(&err)
		l.e.log.Error("a lane goes back to its last commit", "lane", l.n, "error", err)
		if err := l.goBack(ctx); err != nil {
			return err
		}
	}
	return l.settleInflight(context.WithoutCancel(ctx))
}

// goBack goes back to what the store says, after the commit under way has ended:
// it may yet move the position, and what it makes true must be told. A lane that
// cannot be reset does nothing else: what it holds is of no commit.
func (l *lane) goBack(ctx context.Context) error {
	if err := l.settleInflight(context.WithoutCancel(ctx)); fault.Is(err, fault.Conflict) {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return l.reset(context.WithoutCancel(ctx))
		case <-time.After(time.Second):
		}
		err := l.reset(ctx)
		if err == nil {
			return nil
		}
		l.e.log.Error("a lane cannot be reset", "lane", l.n, "error", err)
	}
}

// round reads, applies and fires once, and commits if it is time.
func (l *lane) round(ctx context.Context) error {
	records, err := l.hear(ctx)
	if err != nil {
		return err
	}
	// A stop comes between two records: half of one would be applied twice.
	lasting := context.WithoutCancel(ctx)
	for i := range records {
		if err := l.record(lasting, &records[i]); err != nil {
			return err
		}
		if err := l.maybeCommit(ctx, i == len(records)-1 && l.fresh(&records[i])); err != nil {
			return err
		}
	}
	if err := l.fire(lasting, fireSlice); err != nil {
		return err
	}
	if err := l.takeReady(lasting); err != nil {
		return err
	}
	l.letGo(2 * piece)
	if l.inflight == nil && l.open.empty() {
		l.stuck.Store(nil)
	}
	if len(records) == 0 && l.nextAlarm <= l.e.o.Now() && l.pos.Now < l.nextAlarm {
		l.askTick()
	}
	return l.maybeCommit(ctx, len(records) == 0)
}

// hear reads what is in the log. While alarms are due it does not wait: even the
// shortest wait ends when somebody gives a processor back, which took longer than
// the alarms themselves.
func (l *lane) hear(ctx context.Context) ([]eventlog.Record, error) {
	if len(l.due) > 0 || l.crowd != nil {
		last, err := l.e.o.Log.Last(ctx, l.n)
		if err != nil || last.Seq <= l.pos.Seq {
			return nil, err
		}
	}
	read, cancel := context.WithDeadline(ctx, l.patience())
	defer cancel()
	return l.e.o.Log.Read(read, l.n, logPosition(l.pos), readLimit)
}

// fresh reports whether the record was heard a moment ago: then the lane keeps up.
// How many records were read at once does not tell, since under load a record holds
// what thousands of callers brought.
func (l *lane) fresh(rec *eventlog.Record) bool { return l.e.o.Now().Sub(rec.Now) < freshFor }

// fireSlice is how many alarms fire between two looks at the log: a million
// birthdays at midnight must not delay a live event.
const fireSlice = 256

// patience returns until when the lane may wait for a record.
func (l *lane) patience() time.Time {
	wait := time.Second
	if l.inflight != nil {
		wait = 2 * time.Millisecond
	}
	if !l.open.empty() {
		wait = min(wait, lazy)
		if l.open.urgent {
			wait = min(wait, urgentIdle)
		}
	}
	if l.sweeping.under.Load() {
		wait = min(wait, sweepWait)
		if l.sweeping.waits != nil && l.open.from.Seq < l.pos.Seq {
			wait = 0 // it takes the next slice
		}
	}
	if l.nextAlarm != event.Never {
		if d := l.nextAlarm.Sub(l.e.o.Now()); d < wait {
			wait = max(d, time.Millisecond)
		}
	}
	return time.Now().Add(wait)
}

// tick moves a quiet lane's clock. It is a record like any other.
func (l *lane) tick(ctx context.Context, now event.Time) error {
	ev := event.Event{ID: event.ID("tick:" + strconv.FormatInt(int64(now), 36)), Type: event.System, Name: event.Tick, At: now, Trust: event.Own, Source: "rapport"}
	return l.append(ctx, []identity.Addressed{{Event: ev}})
}

// nextRecord sees to it that a record comes, and does not wait for it while the engine
// runs: the log may take its time, and whoever is live does not.
func (l *lane) nextRecord(ctx context.Context) error {
	if l.e.running == nil {
		return l.tick(ctx, max(l.pos.Now, l.e.o.Now()))
	}
	l.askTick()
	return nil
}

func (l *lane) askTick() {
	if l.ticking.CompareAndSwap(false, true) {
		l.wantsTick <- struct{}{}
	}
}

// ticks writes the ticks that the lane asks for.
func (l *lane) ticks(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wantsTick:
		}
		if err := l.tick(ctx, max(l.position().Now, l.e.o.Now())); err != nil {
			select { // [Engine.Trouble] tells why
			case <-ctx.Done():
				return
			case <-time.After(tickRetry):
			}
		}
		l.ticking.Store(false)
	}
}

// tickRetry is how long a lane does not ask a log for a tick that has refused one.
const tickRetry = time.Second

// record applies one record of the log.
func (l *lane) record(ctx context.Context, rec *eventlog.Record) error {
	if rec.Seq != l.pos.Seq+1 {
		return fault.New(fault.Corrupt, fmt.Sprintf("lane %d: record %d follows %d", l.n, rec.Seq, l.pos.Seq))
	}
	all, err := entries(l.entries[:0], rec.Body)
	if err != nil {
		return fmt.Errorf("lane %d, record %d: %w", l.n, rec.Seq, err)
	}
	l.entries = all
	defer clear(all) // they hold on to the record
	if err := l.fetch(ctx, all); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open.events == 0 && l.open.since == 0 {
		l.open.since = event.At(time.Now())
	}
	l.currentAll(ctx, all, rec.Now)
	l.applyAhead(all, rec.Now)
	for i := range all {
		if err := l.entry(ctx, &all[i], &l.ahead[i], rec.Now); err != nil {
			return err
		}
	}
	l.pos.Seq, l.pos.Now = rec.Seq, rec.Now
	l.open.events += max(len(all), 1)
	l.cache.shrink(len(all))
	killpoint.Hit(killpoint.AfterApply)
	return nil
}

// entry applies one entry, or takes what was made of it ahead. The lock is held.
func (l *lane) entry(ctx context.Context, a *entry, made *ahead, now event.Time) error {
	if a.To.Zero() {
		return l.control(ctx, &a.Event, now)
	}
	if l.prog == nil {
		return fault.New(fault.Corrupt, fmt.Sprintf("lane %d has an event before its first program", l.n))
	}
	it := l.cache.get(a.To)
	if it == nil {
		// It was there: an entry before it in the record has brought others in.
		if err := l.bring(ctx, []identity.ID{a.To}); err != nil {
			return err
		}
		it = l.cache.get(a.To)
	}
	if it.damaged {
		return l.aside(ctx, &a.Addressed, now)
	}
	if err := l.current(ctx, it, now); err != nil {
		if p, ok := errors.AsType[*poison](err); ok {
			l.quarantine(now, &a.Addressed, poisonKind, "the core could not bring this customer up to the definitions in force", p.stack)
			return nil
		}
		return err
	}
	repeated, err := l.repeated(ctx, it, &a.Event)
	if err != nil {
		return err
	}
	p, eff, stack := made.next, made.eff, made.stack
	if made.of != it.p || repeated {
		p, eff, stack = l.apply(it.p, &a.Event, now, repeated)
	}
	if stack != "" {
		l.quarantine(now, &a.Addressed, poisonKind, "the core could not apply this event", stack)
		return nil
	}
	home := it.p.Owner.Zero()
	l.take(it, p, &eff, a, now)
	l.forget(it, &eff)
	if home && a.Event.Type == event.System && a.Event.Name == event.Slot && len(eff.Deliveries) == 0 && !knows(it.p, &a.Event) {
		return l.orphan(ctx, &a.Addressed, now, orphanKind)
	}
	if eff.Unfit != "" {
		l.open.quarantine = append(l.open.quarantine, store.Quarantine{
			At: now, To: a.To, Kind: "trait", Reason: "the value cannot be right, so the trait was left as it was; the rest of the event counts", Field: "traits." + eff.Unfit, Entry: a.Append(nil),
		})
	}
	if eff.Quarantine != "" {
		l.quarantine(now, &a.Addressed, "hops", eff.Quarantine, "")
	}
	if len(eff.Joined) > 0 || eff.Undone {
		it.seen, it.gone = nil, nil // the strands brought a history of their own, or a part of it counts no more
		err := l.current(ctx, it, now)
		if p, ok := errors.AsType[*poison](err); ok {
			l.silence(it, "the core could not unite this customer with one who joined", p.stack)
			return nil
		}
		return err
	}
	return nil
}

// apply calls the core. A panic is the entry's poison, not the lane's end.
func (l *lane) apply(p *profile.Profile, e *event.Event, now event.Time, repeated bool) (next *profile.Profile, eff core.Effects, stack string) {
	defer func() {
		if r := recover(); r != nil {
			stack = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	next, eff = l.prog.Apply(p, e, now, repeated)
	return next, eff, ""
}

// take makes what the core returned the lane's state. A is the entry that it
// applied, nil for an alarm.
func (l *lane) take(it *item, p *profile.Profile, eff *core.Effects, a *entry, now event.Time) {
	if p != it.p {
		l.count(it.p, p)
		l.touch(it)
		l.open.portray(it.p, p, now)
		it.p = p
	}
	if eff.Kept {
		l.open.keep(l.e.o.Key, p, a, now)
		l.open.hear(p, &a.Event, now)
		l.heard.Add(1)
		if it.seen != nil || it.gone != nil {
			it.learn(&a.Event, shelf(&a.Event, now))
		}
	}
	l.open.effects(p, l.prog, eff, now)
	for i := range eff.Forwards {
		l.numbers++
		l.open.forwards = append(l.open.forwards, store.Forward{
			Lane: l.n, Number: l.numbers, From: it.p.ID, To: eff.Forwards[i].To, At: now, Entry: eff.Forwards[i].Append(nil),
		})
	}
}

// maxDetail bounds what is kept of an event that was put aside.
const maxDetail = 16 << 10

func (l *lane) quarantine(now event.Time, a *identity.Addressed, kind, reason, detail string) {
	l.open.quarantine = append(l.open.quarantine, store.Quarantine{
		At: now, To: a.To, Kind: kind, Reason: reason, Detail: detail[:min(len(detail), maxDetail)], Entry: a.Append(nil),
	})
	l.e.log.Error("an event was put aside", "kind", kind, "reason", reason, "event", a.Event.ID, "profile", a.To)
}

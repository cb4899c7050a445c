// Package logtest is the conformance suite of the event log: what every
// implementation of [eventlog.Log] promises. A promise that is not here is not a
// promise.
package logtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
)

// Options say what log a test wants.
type Options struct {
	// Dir names the log. Opening the same folder again after a Close opens the
	// same log; what is in the folder is the implementation's affair.
	Dir   string
	Lanes int
	Now   func() event.Time
}

// Open opens a log for a test. The suite closes it.
type Open func(t *testing.T, o Options) eventlog.Log

// Run runs the suite.
func Run(t *testing.T, open Open) {
	tests := []struct {
		name string
		run  func(t *testing.T, open Open)
	}{
		{"what is appended is read, in order and without gaps", order},
		{"records survive a close, and the next goes on behind them", durable},
		{"the epoch stays with the log and differs between logs", epochs},
		{"now never runs backwards, not even over a restart", monotone},
		{"the body is the caller's again after Append", copied},
		{"Read waits for a record", waiting},
		{"Read returns nothing when its context ends", nothing},
		{"Read returns what is there, however short its deadline is", hasty},
		{"Read keeps to its limit and to MaxRead", limits},
		{"trimmed records are gone and the rest stays", trimmed},
		{"the newest record cannot be trimmed", newest},
		{"a foreign position is Corrupt", foreign},
		{"bodies and lanes out of bounds are refused", bounds},
		{"an ended context appends nothing", ended},
		{"lanes are independent", lanes},
		{"concurrent appenders get each a sequence of their own", concurrent},
		{"Close ends all calls", closing},
		{"an Appender's items are all there, once", appender},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open)
		})
	}
}

// opened opens a log that is closed when the test ends.
func opened(t *testing.T, open Open, o Options) eventlog.Log {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Lanes == 0 {
		o.Lanes = 1
	}
	if o.Now == nil {
		o.Now = func() event.Time { return 1 }
	}
	l := open(t, o)
	t.Cleanup(func() { mustClose(t, l) })
	return l
}

func mustClose(t *testing.T, l eventlog.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

func mustAppend(t *testing.T, l eventlog.Log, lane int, body string) eventlog.Record {
	t.Helper()
	r, err := l.Append(t.Context(), lane, []byte(body))
	if err != nil {
		t.Fatalf("Append(lane %d, %.20q) = %v", lane, body, err)
	}
	if string(r.Body) != body {
		t.Fatalf("Append returned body %.20q, want %.20q", r.Body, body)
	}
	return r
}

// all reads everything after seq up to the newest record.
func all(t *testing.T, l eventlog.Log, lane int, seq uint64) []eventlog.Record {
	t.Helper()
	last, err := l.Last(t.Context(), lane)
	if err != nil {
		t.Fatalf("Last = %v", err)
	}
	var out []eventlog.Record
	for seq < last.Seq {
		rs, err := l.Read(t.Context(), lane, eventlog.Position{Epoch: l.Epoch(), Seq: seq}, 7)
		if err != nil || len(rs) == 0 {
			t.Fatalf("Read after %d = %d records, %v", seq, len(rs), err)
		}
		for _, r := range rs {
			if r.Seq != seq+1 {
				t.Fatalf("Read gave sequence %d after %d", r.Seq, seq)
			}
			seq = r.Seq
		}
		out = append(out, rs...)
	}
	return out
}

func wantBodies(t *testing.T, rs []eventlog.Record, want ...string) {
	t.Helper()
	var got []string
	for _, r := range rs {
		got = append(got, string(r.Body))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("bodies = %.200q, want %.200q", got, want)
	}
}

func wantKind(t *testing.T, err error, kind fault.Kind, what string) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("%s = %v, want a fault that is %v", what, err, kind)
	}
}

func numbered(from, to int) (bodies []string) {
	for i := from; i <= to; i++ {
		bodies = append(bodies, fmt.Sprintf("body %d", i))
	}
	return bodies
}

func order(t *testing.T, open Open) {
	l := opened(t, open, Options{})
	for i, body := range numbered(1, 50) {
		if r := mustAppend(t, l, 0, body); r.Seq != uint64(i+1) {
			t.Fatalf("record %d got sequence %d", i+1, r.Seq)
		}
	}
	wantBodies(t, all(t, l, 0, 0), numbered(1, 50)...)
	wantBodies(t, all(t, l, 0, 48), numbered(49, 50)...)
	rs, err := l.Read(t.Context(), 0, eventlog.Position{}, 2)
	if err != nil {
		t.Fatalf("Read after the zero position = %v", err)
	}
	wantBodies(t, rs, numbered(1, 2)...)
}

func durable(t *testing.T, open Open) {
	dir := t.TempDir()
	var epoch uint64
	for round := range 4 {
		l := open(t, Options{Dir: dir, Lanes: 2, Now: func() event.Time { return event.Time(round) }})
		if round == 0 {
			epoch = l.Epoch()
		}
		last, err := l.Last(t.Context(), 1)
		if want := (eventlog.Position{Epoch: epoch, Seq: uint64(round * 10)}); err != nil || last != want {
			t.Fatalf("round %d: Last = %v, %v, want %v", round, last, err, want)
		}
		wantBodies(t, all(t, l, 1, 0), numbered(1, round*10)...)
		for _, r := range all(t, l, 1, 0) {
			if want := event.Time((r.Seq - 1) / 10); r.Now != want {
				t.Fatalf("record %d: now = %d after reopening, want %d", r.Seq, r.Now, want)
			}
		}
		for _, body := range numbered(round*10+1, round*10+10) {
			mustAppend(t, l, 1, body)
		}
		wantBodies(t, all(t, l, 1, 0), numbered(1, round*10+10)...)
		mustClose(t, l)
	}
}

func epochs(t *testing.T, open Open) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, Lanes: 1, Now: func() event.Time { return 1 }})
	epoch := l.Epoch()
	mustClose(t, l)
	if epoch == 0 {
		t.Fatal("a log has the epoch of the zero position")
	}
	if l = opened(t, open, Options{Dir: dir}); l.Epoch() != epoch {
		t.Fatalf("the epoch was %x and is %x after reopening", epoch, l.Epoch())
	}
	if other := opened(t, open, Options{}); other.Epoch() == epoch {
		t.Fatalf("two logs have the epoch %x", epoch)
	}
}

func monotone(t *testing.T, open Open) {
	dir := t.TempDir()
	var clock atomic.Int64
	now := func() event.Time { return event.Time(clock.Load()) }
	l := open(t, Options{Dir: dir, Lanes: 1, Now: now})
	var want []event.Time
	add := func(time, expected int64) {
		t.Helper()
		clock.Store(time)
		if r := mustAppend(t, l, 0, "tick"); r.Now != event.Time(expected) {
			t.Fatalf("now = %d with the clock at %d, want %d", r.Now, time, expected)
		}
		want = append(want, event.Time(expected))
	}
	add(1000, 1000)
	add(2000, 2000)
	add(500, 2000)
	add(1999, 2000)
	if err := l.Trim(t.Context(), 0, 4); err != nil { // only the newest is left to know the time
		t.Fatalf("Trim = %v", err)
	}
	mustClose(t, l)
	l = opened(t, open, Options{Dir: dir, Now: now})
	add(700, 2000)
	add(2001, 2001)
	for i, r := range all(t, l, 0, 3) {
		if r.Now != want[3+i] {
			t.Fatalf("record %d was read with now %d, want %d", r.Seq, r.Now, want[3+i])
		}
	}
}

func copied(t *testing.T, open Open) {
	l := opened(t, open, Options{})
	body := []byte("before")
	if _, err := l.Append(t.Context(), 0, body); err != nil {
		t.Fatal(err)
	}
	copy(body, "AFTER!")
	wantBodies(t, all(t, l, 0, 0), "before")
}

func waiting(t *testing.T, open Open) {
	l := opened(t, open, Options{})
	mustAppend(t, l, 0, "first")
	const readers = 4
	got := make(chan string, readers)
	for range readers {
		go func() {
			rs, err := l.Read(t.Context(), 0, eventlog.Position{Epoch: l.Epoch(), Seq: 1}, 10)
			if err != nil || len(rs) != 1 {
				got <- fmt.Sprintf("%d records, %v", len(rs), err)
				return
			}
			got <- string(rs[0].Body)
		}()
	}
	select {
	case g := <-got:
		t.Fatalf("Read did not wait: %s", g)
	case <-time.After(20 * time.Millisecond): // long enough to catch one that does not wait at all
	}
	mustAppend(t, l, 0, "second")
	for range readers {
		if g := <-got; g != "second" {
			t.Fatalf("a waiting Read got %s", g)
		}
	}
}

func nothing(t *testing.T, open Open) {
	l := opened(t, open, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		rs, err := l.Read(ctx, 0, eventlog.Position{}, 10)
		if len(rs) > 0 {
			err = fmt.Errorf("%d records", len(rs))
		}
		done <- err
	}()
	cancel()
	if err := <-done; err != nil {
		t.Fatalf("Read = %v after its context ended, want nothing and no error", err)
	}
}

// Who has an instant to wait for new records reads the old ones all the same, those too
// that are on the disk alone: else whoever looks in now and then would never get them.
func hasty(t *testing.T, open Open) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, Lanes: 1, Now: func() event.Time { return 1 }})
	for _, body := range numbered(1, 20) {
		mustAppend(t, l, 0, body)
	}
	mustClose(t, l)
	l = opened(t, open, Options{Dir: dir})
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	rs, err := l.Read(ctx, 0, eventlog.Position{}, 10)
	if err != nil {
		t.Fatalf("Read = %v", err)
	}
	wantBodies(t, rs, numbered(1, 10)...)
}

func limits(t *testing.T, open Open) {
	l := opened(t, open, Options{})
	large := strings.Repeat("x", eventlog.MaxBody)
	for range 4 {
		mustAppend(t, l, 0, large)
	}
	rs, err := l.Read(t.Context(), 0, eventlog.Position{}, 3)
	if err != nil || len(rs) == 0 || len(rs) > 2 {
		t.Fatalf("Read = %d records of %d bytes, %v: MaxRead is %d", len(rs), len(large), err, eventlog.MaxRead)
	}
	for _, r := range all(t, l, 0, 0) {
		if string(r.Body) != large {
			t.Fatalf("record %d came back with another body of %d bytes", r.Seq, len(r.Body))
		}
	}
	for _, body := range numbered(1, 5) {
		mustAppend(t, l, 0, body)
	}
	rs, err = l.Read(t.Context(), 0, eventlog.Position{Epoch: l.Epoch(), Seq: 4}, 3)
	if err != nil {
		t.Fatal(err)
	}
	wantBodies(t, rs, numbered(1, 3)...)
	_, err = l.Read(t.Context(), 0, eventlog.Position{}, 0)
	wantKind(t, err, fault.Invalid, "Read with a limit of 0")
}

func trimmed(t *testing.T, open Open) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, Lanes: 2, Now: func() event.Time { return 1 }})
	for _, body := range numbered(1, 20) {
		mustAppend(t, l, 0, body)
		mustAppend(t, l, 1, body)
	}
	for _, upTo := range []uint64{0, 5, 12, 12, 3} {
		if err := l.Trim(t.Context(), 0, upTo); err != nil {
			t.Fatalf("Trim(%d) = %v", upTo, err)
		}
	}
	check := func() {
		t.Helper()
		wantBodies(t, all(t, l, 0, 12), numbered(13, 20)...)
		wantBodies(t, all(t, l, 1, 0), numbered(1, 20)...)
		for _, seq := range []uint64{0, 4, 11} {
			_, err := l.Read(t.Context(), 0, eventlog.Position{Epoch: l.Epoch(), Seq: seq}, 1)
			wantKind(t, err, fault.Corrupt, fmt.Sprintf("Read after %d of what was trimmed up to 12", seq))
		}
		_, err := l.Read(t.Context(), 0, eventlog.Position{}, 1)
		wantKind(t, err, fault.Corrupt, "Read from the beginning of a trimmed log")
	}
	check()
	mustClose(t, l)
	l = opened(t, open, Options{Dir: dir, Lanes: 2})
	check()
	if r := mustAppend(t, l, 0, "next"); r.Seq != 21 {
		t.Fatalf("the record after a trim and a restart got sequence %d, want 21", r.Seq)
	}
}

func newest(t *testing.T, open Open) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, Lanes: 1, Now: func() event.Time { return 1 }})
	if err := l.Trim(t.Context(), 0, 10); err != nil {
		t.Fatalf("Trim of an empty lane = %v", err)
	}
	for _, body := range numbered(1, 3) {
		mustAppend(t, l, 0, body)
	}
	if err := l.Trim(t.Context(), 0, 100); err != nil {
		t.Fatalf("Trim = %v", err)
	}
	wantBodies(t, all(t, l, 0, 2), "body 3")
	mustClose(t, l)
	l = opened(t, open, Options{Dir: dir})
	wantBodies(t, all(t, l, 0, 2), "body 3")
	mustAppend(t, l, 0, "body 4")
	wantBodies(t, all(t, l, 0, 2), "body 3", "body 4")
}

func foreign(t *testing.T, open Open) {
	l := opened(t, open, Options{})
	mustAppend(t, l, 0, "body")
	for name, p := range map[string]eventlog.Position{
		"a position of another epoch":         {Epoch: l.Epoch() + 1, Seq: 1},
		"a position without an epoch":         {Seq: 1},
		"the beginning of another epoch":      {Epoch: l.Epoch() + 1},
		"a position beyond the newest record": {Epoch: l.Epoch(), Seq: 2},
	} {
		_, err := l.Read(t.Context(), 0, p, 1)
		wantKind(t, err, fault.Corrupt, "Read after "+name)
	}
}

func bounds(t *testing.T, open Open) {
	l := opened(t, open, Options{Lanes: 2})
	if n := l.Lanes(); n != 2 {
		t.Fatalf("Lanes = %d, want 2", n)
	}
	_, err := l.Append(t.Context(), 0, make([]byte, eventlog.MaxBody+1))
	wantKind(t, err, fault.TooLarge, "Append of more than MaxBody")
	_, err = l.Append(t.Context(), 0, nil)
	wantKind(t, err, fault.Invalid, "Append of nothing")
	for _, lane := range []int{-1, 2} {
		_, err = l.Append(t.Context(), lane, []byte("x"))
		wantKind(t, err, fault.Invalid, "Append to no lane")
		_, err = l.Read(t.Context(), lane, eventlog.Position{}, 1)
		wantKind(t, err, fault.Invalid, "Read of no lane")
		_, err = l.Last(t.Context(), lane)
		wantKind(t, err, fault.Invalid, "Last of no lane")
		wantKind(t, l.Trim(t.Context(), lane, 1), fault.Invalid, "Trim of no lane")
	}
	if last, _ := l.Last(t.Context(), 0); last.Seq != 0 {
		t.Fatalf("a refused Append left record %d", last.Seq)
	}
}

func ended(t *testing.T, open Open) {
	l := opened(t, open, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(ctx, 0, []byte("x")); err != context.Canceled {
		t.Fatalf("Append with an ended context = %v, want %v", err, context.Canceled)
	}
	if r := mustAppend(t, l, 0, "y"); r.Seq != 1 {
		t.Fatalf("the first record got sequence %d", r.Seq)
	}
}

func lanes(t *testing.T, open Open) {
	const n = 8
	l := opened(t, open, Options{Lanes: n})
	var group sync.WaitGroup
	for lane := range n {
		group.Go(func() {
			for i := range lane + 1 {
				if _, err := l.Append(t.Context(), lane, fmt.Appendf(nil, "lane %d record %d", lane, i+1)); err != nil {
					t.Errorf("lane %d: Append = %v", lane, err)
				}
			}
		})
	}
	group.Wait()
	for lane := range n {
		rs := all(t, l, lane, 0)
		if len(rs) != lane+1 {
			t.Fatalf("lane %d has %d records, want %d", lane, len(rs), lane+1)
		}
		for i, r := range rs {
			if want := fmt.Sprintf("lane %d record %d", lane, i+1); string(r.Body) != want {
				t.Fatalf("lane %d record %d = %q, want %q", lane, i+1, r.Body, want)
			}
		}
	}
}

func concurrent(t *testing.T, open Open) {
	var clock atomic.Int64
	clock.Store(1000)
	l := opened(t, open, Options{Now: func() event.Time {
		// Two steps forward, sometimes one back.
		return event.Time(clock.Add(2) - 3*rand.Int64N(2))
	}})
	const writers, each = 8, 25
	var mu sync.Mutex
	bodies := map[uint64]string{}
	read := make(chan []eventlog.Record)
	go func() { // a reader that keeps up, beside the writers
		var rs []eventlog.Record
		for p := (eventlog.Position{}); len(rs) < writers*each; {
			some, err := l.Read(t.Context(), 0, p, 100)
			if err != nil || len(some) == 0 {
				t.Errorf("Read beside writers = %d records, %v", len(some), err)
				break
			}
			rs = append(rs, some...)
			p = eventlog.Position{Epoch: l.Epoch(), Seq: some[len(some)-1].Seq}
		}
		read <- rs
	}()
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			before := uint64(0)
			for i := range each {
				body := fmt.Sprintf("writer %d record %d", w, i)
				r, err := l.Append(t.Context(), 0, []byte(body))
				if err != nil || r.Seq <= before {
					t.Errorf("writer %d: Append = %d after %d, %v", w, r.Seq, before, err)
					return
				}
				before = r.Seq
				mu.Lock()
				bodies[r.Seq] = body
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for _, rs := range [][]eventlog.Record{<-read, all(t, l, 0, 0)} {
		if len(rs) != writers*each || len(bodies) != writers*each {
			t.Fatalf("%d records and %d sequences, want %d", len(rs), len(bodies), writers*each)
		}
		var before event.Time
		for i, r := range rs {
			if r.Seq != uint64(i+1) || bodies[r.Seq] != string(r.Body) || r.Now < before {
				t.Fatalf("record %d at %d = %q at %d; it was acknowledged as %q, the one before at %d", i+1, r.Seq, r.Body, r.Now, bodies[r.Seq], before)
			}
			before = r.Now
		}
	}
}

func closing(t *testing.T, open Open) {
	l := opened(t, open, Options{})
	done := make(chan error, 1)
	go func() {
		_, err := l.Read(t.Context(), 0, eventlog.Position{}, 1)
		done <- err
	}()
	mustClose(t, l)
	wantKind(t, <-done, fault.Unavailable, "a Read that waited while the log was closed")
	mustClose(t, l)
	_, err := l.Append(t.Context(), 0, []byte("x"))
	wantKind(t, err, fault.Unavailable, "Append to a closed log")
	_, err = l.Read(t.Context(), 0, eventlog.Position{}, 1)
	wantKind(t, err, fault.Unavailable, "Read of a closed log")
	_, err = l.Last(t.Context(), 0)
	wantKind(t, err, fault.Unavailable, "Last of a closed log")
	wantKind(t, l.Trim(t.Context(), 0, 1), fault.Unavailable, "Trim of a closed log")
}

func appender(t *testing.T, open Open) {
	l := opened(t, open, Options{})
	a := eventlog.NewAppender(l, 0, eventlog.AppenderOptions{})
	const writers, each = 32, 10
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				if err := a.Add(t.Context(), [][]byte{fmt.Appendf(nil, "%d.%d.a", w, i), fmt.Appendf(nil, "%d.%d.b", w, i)}); err != nil {
					t.Errorf("Add = %v", err)
				}
			}
		})
	}
	group.Wait()
	a.Close()
	seen := map[string]int{}
	for _, r := range all(t, l, 0, 0) {
		var before string
		err := eventlog.EachItem(r.Body, func(item []byte) error {
			if name, isSecond := strings.CutSuffix(string(item), ".b"); isSecond && before != name+".a" {
				return fmt.Errorf("%q follows %q", item, before)
			}
			before = string(item)
			seen[before]++
			return nil
		})
		if err != nil {
			t.Fatalf("record %d: %v", r.Seq, err)
		}
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("item %s is in the log %d times", name, n)
		}
	}
	if len(seen) != writers*each*2 {
		t.Errorf("%d items, want %d", len(seen), writers*each*2)
	}
}

package eventlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/fault"
)

// gate is a log whose appends wait until they are let through.
type gate struct {
	eventlog.Log
	pass chan error // one value lets one Append through; an error makes it fail
}

func (g *gate) Append(ctx context.Context, lane int, body []byte) (eventlog.Record, error) {
	if err := <-g.pass; err != nil {
		return eventlog.Record{}, err
	}
	return g.Log.Append(ctx, lane, body)
}

func newGate() *gate {
	return &gate{Log: memlog.New(1, func() event.Time { return 1 }), pass: make(chan error)}
}

// items returns the items of every record of lane 0.
func items(t *testing.T, l eventlog.Log) (records [][]string) {
	t.Helper()
	last, err := l.Last(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for p := (eventlog.Position{}); p.Seq < last.Seq; {
		rs, err := l.Read(t.Context(), 0, p, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			var in []string
			if err := eventlog.EachItem(r.Body, func(item []byte) error {
				in = append(in, string(item))
				return nil
			}); err != nil {
				t.Fatalf("record %d: %v", r.Seq, err)
			}
			records = append(records, in)
			p = eventlog.Position{Epoch: l.Epoch(), Seq: r.Seq}
		}
	}
	return records
}

func one(s string) [][]byte { return [][]byte{[]byte(s)} }

func wantKind(t *testing.T, err error, kind fault.Kind, what string) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s = %v, want a fault that is %v", what, err, kind)
	}
}

func TestWhatArrivesDuringAWriteSharesTheNextRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := eventlog.NewAppender(g, 0, eventlog.AppenderOptions{})
		var group sync.WaitGroup
		add := func(items ...string) {
			group.Go(func() {
				var bs [][]byte
				for _, i := range items {
					bs = append(bs, []byte(i))
				}
				if err := a.Add(t.Context(), bs); err != nil {
					t.Errorf("Add = %v", err)
				}
			})
			synctest.Wait() // it stands in line
		}
		add("first")
		add("a", "b")
		add("c")
		add("", "d")
		g.pass <- nil
		g.pass <- nil
		group.Wait()
		a.Close()
		want := [][]string{{"first"}, {"a", "b", "c", "", "d"}}
		if got := items(t, g.Log); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("records = %q, want %q", got, want)
		}
	})
}

func TestNobodyIsAnsweredBeforeTheRecordIsDurable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := eventlog.NewAppender(g, 0, eventlog.AppenderOptions{})
		answered := make(chan error, 1)
		go func() { answered <- a.Add(t.Context(), one("x")) }()
		synctest.Wait()
		select {
		case err := <-answered:
			t.Errorf("Add = %v before the log had it", err)
		default:
		}
		g.pass <- nil
		if err := <-answered; err != nil {
			t.Errorf("Add = %v", err)
		}
		a.Close()
	})
}

func TestABodyNeverGrowsBeyondMaxBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := eventlog.NewAppender(g, 0, eventlog.AppenderOptions{})
		var group sync.WaitGroup
		large := make([]byte, eventlog.MaxBody/2)
		for range 5 {
			group.Go(func() {
				if err := a.Add(t.Context(), [][]byte{large}); err != nil {
					t.Errorf("Add = %v", err)
				}
			})
			synctest.Wait()
		}
		for range 5 { // half of MaxBody and its length: no two fit
			g.pass <- nil
		}
		group.Wait()
		a.Close()
		if got := len(items(t, g.Log)); got != 5 {
			t.Errorf("%d records, want 5", got)
		}
	})
}

func TestItemsThatFitNoRecordAreTooLarge(t *testing.T) {
	t.Parallel()
	log := memlog.New(1, func() event.Time { return 1 })
	a := eventlog.NewAppender(log, 0, eventlog.AppenderOptions{})
	defer a.Close()
	wantKind(t, a.Add(t.Context(), [][]byte{make([]byte, eventlog.MaxBody)}), fault.TooLarge, "Add of MaxBody bytes and their length")
	if err := a.Add(t.Context(), [][]byte{make([]byte, eventlog.MaxBody-4)}); err != nil {
		t.Errorf("Add of what just fits = %v", err)
	}
	if err := a.Add(t.Context(), nil); err != nil {
		t.Errorf("Add of nothing = %v", err)
	}
	if last, _ := log.Last(t.Context(), 0); last.Seq != 1 {
		t.Errorf("%d records, want 1", last.Seq)
	}
}

func TestTooMuchPendingIsRefusedAtOnceAndTakenLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := eventlog.NewAppender(g, 0, eventlog.AppenderOptions{MaxPending: 100})
		var group sync.WaitGroup
		for range 2 { // one in flight, one in line: 49 bytes and a length each
			group.Go(func() {
				if err := a.Add(t.Context(), [][]byte{make([]byte, 49)}); err != nil {
					t.Errorf("Add = %v", err)
				}
			})
			synctest.Wait()
		}
		wantKind(t, a.Add(t.Context(), one("")), fault.Unavailable, "Add of one byte too many")
		g.pass <- nil
		synctest.Wait()
		group.Go(func() {
			if err := a.Add(t.Context(), one("later")); err != nil {
				t.Errorf("Add after there was room = %v", err)
			}
		})
		synctest.Wait()
		g.pass <- nil
		g.pass <- nil
		group.Wait()
		a.Close()
	})
}

func TestACallerThatLeavesDoesNotTakeItsItemsAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := eventlog.NewAppender(g, 0, eventlog.AppenderOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		answered := make(chan error, 1)
		go func() { answered <- a.Add(ctx, one("left")) }()
		synctest.Wait()
		cancel()
		if err := <-answered; !errors.Is(err, context.Canceled) {
			t.Errorf("Add = %v, want %v", err, context.Canceled)
		}
		if err := a.Add(ctx, one("never")); !errors.Is(err, context.Canceled) {
			t.Errorf("Add with an ended context = %v", err)
		}
		g.pass <- nil
		a.Close()
		if got := items(t, g.Log); fmt.Sprintf("%q", got) != `[["left"]]` {
			t.Errorf("records = %q", got)
		}
	})
}

func TestAFailedRecordIsToldToAllInItAndToNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := eventlog.NewAppender(g, 0, eventlog.AppenderOptions{})
		errs := make([]error, 4)
		var group sync.WaitGroup
		for i := range errs { // the first is alone in its record, the others share one
			group.Go(func() { errs[i] = a.Add(t.Context(), one("x")) })
			synctest.Wait()
		}
		broken := fault.New(fault.Unavailable, "broken")
		g.pass <- nil
		g.pass <- broken
		group.Wait()
		if errs[0] != nil || slices.ContainsFunc(errs[1:], func(err error) bool { return err != broken }) {
			t.Errorf("errors = %v, want none and then three times %v", errs, broken)
		}
		group.Go(func() {
			if err := a.Add(t.Context(), one("after")); err != nil {
				t.Errorf("Add after a failure = %v", err)
			}
		})
		g.pass <- nil
		group.Wait()
		a.Close()
	})
}

func TestCloseWritesWhatWasTakenAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := eventlog.NewAppender(g, 0, eventlog.AppenderOptions{})
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				if err := a.Add(t.Context(), one("taken")); err != nil {
					t.Errorf("Add = %v", err)
				}
			})
			synctest.Wait()
		}
		for range 2 {
			group.Go(a.Close)
		}
		synctest.Wait()
		wantKind(t, a.Add(t.Context(), one("late")), fault.Unavailable, "Add while closing")
		g.pass <- nil
		g.pass <- nil
		group.Wait()
		if got := items(t, g.Log); fmt.Sprintf("%q", got) != `[["taken"] ["taken" "taken"]]` {
			t.Errorf("records = %q", got)
		}
	})
}

func TestEachItemStopsAtAnErrorAndReportsBrokenBodies(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	n := 0
	if err := eventlog.EachItem([]byte("\x01a\x01b"), func([]byte) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("EachItem = %v after %d items, want %v after 1", err, n, stop)
	}
	for _, body := range []string{"\x02a", "\x01a\x05bc", "\x80", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"} {
		wantKind(t, eventlog.EachItem([]byte(body), func([]byte) error { return nil }), fault.Corrupt, fmt.Sprintf("EachItem(%q)", body))
	}
}

// FuzzEachItem holds that any bytes give items inside them or Corrupt.
func FuzzEachItem(f *testing.F) {
	f.Add([]byte("\x01a\x00\x02bc"))
	f.Add([]byte("\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, body []byte) {
		rest := body
		err := eventlog.EachItem(body, func(item []byte) error {
			i := bytes.Index(rest, item)
			if i < 0 || cap(item) != len(item) {
				t.Fatalf("item %q of capacity %d is not in %q", item, cap(item), rest)
			}
			rest = rest[i+len(item):]
			return nil
		})
		if err != nil && !fault.Is(err, fault.Corrupt) {
			t.Fatalf("EachItem = %v", err)
		}
	})
}

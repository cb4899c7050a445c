package live_test

import (
	"testing"
	"testing/synctest"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/live"
)

func now() event.Time { return 1000 }

func entry(name, user, source string) identity.Addressed {
	return identity.Addressed{To: identity.ID{1}, Event: event.Event{Type: event.Track, Name: name, User: user, Source: source}}
}

func watch(t *testing.T, h *live.Hub, f live.Filter) *live.Watch {
	t.Helper()
	w, err := h.Watch(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func next(t *testing.T, w *live.Watch) ([]live.Line, int64) {
	t.Helper()
	lines, lost, err := w.Next(t.Context(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return lines, lost
}

func TestEachReaderSeesWhatItAskedFor(t *testing.T) {
	t.Parallel()
	h := live.New(now)
	h.Heard([]identity.Addressed{entry("Lost Before", "ada", "web")}) // nobody watches yet
	all, orders, tills, ada, bad := watch(t, h, live.Filter{}), watch(t, h, live.Filter{Name: "ORDER"}), watch(t, h, live.Filter{Source: "till"}),
		watch(t, h, live.Filter{Who: "ada"}), watch(t, h, live.Filter{Outcome: live.Rejected})
	h.Heard([]identity.Addressed{
		entry("Order Completed", "ada", "web"), entry("Order Refunded", "bob", "till"), entry("Page Viewed", "ada", "web"),
		{Event: event.Event{Type: event.System, Name: event.Tick}},
	})
	h.Tell(live.Line{Outcome: live.Rejected, Reason: "no user", Name: "Order Completed", Source: "web"})
	for _, want := range []struct {
		who  string
		w    *live.Watch
		n    int
		last string
	}{{"everybody", all, 4, "Order Completed"}, {"orders", orders, 3, "Order Completed"}, {"tills", tills, 1, "Order Refunded"}, {"ada", ada, 2, "Page Viewed"}, {"what was rejected", bad, 1, "Order Completed"}} {
		lines, lost := next(t, want.w)
		if len(lines) != want.n || lost != 0 || lines[len(lines)-1].Name != want.last {
			t.Errorf("%s: %d lines, %d lost, want %d: %+v", want.who, len(lines), lost, want.n, lines)
		}
	}
}

func TestASlowReaderLosesTheOldestAndIsToldHowMany(t *testing.T) {
	t.Parallel()
	h := live.New(now)
	w := watch(t, h, live.Filter{})
	for i := range 5000 {
		e := entry("Page Viewed", "ada", "web")
		e.Event.At = event.Time(i)
		h.Heard([]identity.Addressed{e})
	}
	lines, lost := next(t, w)
	if lost+int64(len(lines)) != 5000 || lost == 0 {
		t.Fatalf("%d lines and %d lost of 5000", len(lines), lost)
	}
	for i, l := range lines {
		if l.Event.At != event.Time(lost)+event.Time(i) {
			t.Fatalf("line %d is that of %d, want the newest in order", i, l.Event.At)
		}
	}
	h.Heard([]identity.Addressed{entry("Page Viewed", "ada", "web")})
	if lines, lost := next(t, w); len(lines) != 1 || lost != 0 {
		t.Errorf("afterwards: %d lines, %d lost", len(lines), lost)
	}
}

func TestNobodyWaitsForEverAndAClosedHubSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := live.New(now)
		w := watch(t, h, live.Filter{})
		if lines, lost := next(t, w); len(lines) != 0 || lost != 0 {
			t.Errorf("nothing came, and %d lines are told", len(lines))
		}
		for range live.MaxWatches - 1 {
			watch(t, h, live.Filter{})
		}
		if _, err := h.Watch(live.Filter{}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("one more = %v", err)
		}
		h.Close()
		if _, _, err := w.Next(t.Context(), time.Hour); !fault.Is(err, fault.Unavailable) {
			t.Errorf("after Close = %v", err)
		}
		if h.Watched() {
			t.Error("a closed hub is watched")
		}
	})
}

func TestHearingCostsNothingWhileNobodyWatches(t *testing.T) {
	h := live.New(now)
	entries := []identity.Addressed{entry("Page Viewed", "ada", "web")}
	if n := testing.AllocsPerRun(1000, func() { h.Heard(entries) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHeard(b *testing.B) {
	for _, readers := range []int{0, 1, 8} {
		b.Run([]string{"nobody", "one", 8: "eight"}[readers], func(b *testing.B) {
			h := live.New(now)
			for range readers {
				w, err := h.Watch(live.Filter{})
				if err != nil {
					b.Fatal(err)
				}
				defer w.Close()
			}
			entries := []identity.Addressed{entry("Page Viewed", "ada", "web")}
			for b.Loop() {
				h.Heard(entries)
			}
		})
	}
}

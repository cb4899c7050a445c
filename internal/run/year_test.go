package run_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/demo"
	"rapport/internal/killpoint"
)

// weeks is how much of the year the runs replay that compare stores, lanes and
// deaths; the whole of it is for make chaos.
const weeks = demo.GoLive + 21*24*demo.Step

// forgetful is SQLite under an engine that has room for a few dozen customers, so
// that everybody is dropped and read again between two of their orders.
const forgetful = "sqlite, little memory"

func TestTheYearIsTheSameOnEveryStoreOnOneLaneAndEight(t *testing.T) { sameEverywhere(t, weeks) }

func TestTheYearIsTheSameHoweverOftenTheProcessIsKilled(t *testing.T) { sameHoweverKilled(t, weeks) }

func TestChaosTheWholeYearIsTheSame(t *testing.T) {
	if os.Getenv("RAPPORT_CHAOS") == "" {
		t.Skip("RAPPORT_CHAOS is not set")
	}
	t.Run("everywhere", func(t *testing.T) { sameEverywhere(t, 0) })
	t.Run("however killed", func(t *testing.T) { sameHoweverKilled(t, 0) })
}

func sameEverywhere(t *testing.T, until event.Time) {
	first := newWorld(t, "memory", 1, nil)
	mails := first.year(until).Digest()
	want := first.outcome()
	if len(want.deliveries) < 500 || first.catcher.Count() < 300 {
		t.Fatalf("%d deliveries and %d mails are too few to compare", len(want.deliveries), first.catcher.Count())
	}
	for _, c := range []struct {
		kind  string
		lanes int
	}{{"memory", 8}, {"sqlite", 1}, {"sqlite", 8}, {forgetful, 1}} {
		t.Run(fmt.Sprintf("%s, %d lanes", c.kind, c.lanes), func(t *testing.T) {
			w := newWorld(t, c.kind, c.lanes, nil)
			if got := w.year(until).Digest(); got != mails {
				t.Error("the mails differ")
			}
			alike(t, want, w.outcome())
		})
	}
}

func sameHoweverKilled(t *testing.T, until event.Time) {
	first := newWorld(t, "memory", 1, nil)
	first.year(until)
	want := first.outcome()
	for _, c := range []struct {
		kind  string
		lanes int
	}{{"memory", 1}, {"memory", 8}, {"sqlite", 1}} {
		t.Run(fmt.Sprintf("%s, %d lanes", c.kind, c.lanes), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(c.lanes)))
			w := newWorld(t, c.kind, c.lanes, func(deaths int) fate {
				switch {
				case deaths < 20:
					return fate{calls: 1 + r.IntN(120)}
				case deaths < 20+2*len(killpoint.Points):
					return fate{point: killpoint.Points[(deaths-20)/2], hits: 1 + r.IntN(8)}
				}
				return fate{}
			})
			w.year(until)
			if w.deaths < 20+2*len(killpoint.Points) {
				t.Errorf("the process died %d times only", w.deaths)
			}
			got := w.outcome()
			t.Logf("%d deaths, %d mails, outcome unknown for %d customers", w.deaths, w.catcher.Count(), len(got.unknown))
			alike(t, want, got)
			if n := w.catcher.Stats().Duplicates; n > 0 {
				t.Errorf("%d mails were sent twice", n)
			}
			if len(got.unknown) == 0 || len(got.unknown) > 40*64 {
				t.Errorf("the outcome is unknown for %d customers: the deaths missed what they were to hit", len(got.unknown))
			}
		})
	}
}

package run_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/demo"
	"rapport/internal/report"
)

// TestEvalHoldoutIntervalsOverSeeds assigns the customers of the replayed year
// to holdouts anew, by as many seeds as RAPPORT_EVAL says. Mails cannot change
// what people bought in 2011, so every lift is zero, and at most one interval in
// twenty may exclude it. It also looks at each interval twice as the year goes
// on: they are to be valid while watched.
func TestEvalHoldoutIntervalsOverSeeds(t *testing.T) {
	seeds, err := strconv.Atoi(os.Getenv("RAPPORT_EVAL"))
	if err != nil || seeds < 1 {
		t.Skip("RAPPORT_EVAL does not say over how many seeds")
	}
	w := newWorld(t, "memory", 1, nil)
	w.year(0)
	l := report.New(w.store, 1)
	if err := l.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	prog, err := w.node.Program(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var asked []report.Asked
	for _, j := range prog.Journeys {
		asked = append(asked, report.Asked{Journey: j.Name, Share: j.Holdout})
	}
	intervals, spoke, excluding := 0, 0, 0
	for seed := range seeds {
		held := func(journey string, p *profile.Profile) bool {
			return p.Person().Chance(fmt.Sprintf("holdout:%s:%d", journey, seed)) < 0.10
		}
		for _, ago := range []event.Time{90 * 24 * demo.Step, 0} {
			learnt, err := l.Learn(t.Context(), asked, w.clock.Now()-ago, demo.Currency, w.node.Engine.Profile, held)
			if err != nil {
				t.Fatal(err)
			}
			for i := range learnt {
				r := &learnt[i].Report
				for _, in := range []struct{ enough, excludes bool }{
					{r.Buyers.Enough, r.Buyers.ExcludesZero}, {r.Orders.Enough, r.Orders.ExcludesZero}, {r.Revenue.Enough, r.Revenue.ExcludesZero},
				} {
					intervals++
					if in.enough {
						spoke++
					}
					if in.excludes {
						excluding++
					}
				}
			}
		}
	}
	t.Logf("over %d assignment seeds %d of %d holdout intervals exclude 0 (%d had enough people to speak)", seeds, excluding, intervals, spoke)
	if spoke == 0 {
		t.Error("no interval had enough people: the evaluation says nothing")
	}
	if excluding*20 > spoke {
		t.Errorf("%d of %d intervals exclude 0; at most one in twenty may", excluding, spoke)
	}
}

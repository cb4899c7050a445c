package condition_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// A series forgets observations that no bound can need. What is left must give the
// answer that all of them give: in any order of hearing, with some told ahead of
// their time, and at instants after the last.
func TestTheNewestObservationsAnswerEveryBound(t *testing.T) {
	t.Parallel()
	bounds := map[string]func(n int) bool{
		">= 34":    func(n int) bool { return n >= 34 },
		"<= 35":    func(n int) bool { return n <= 35 },
		"33 to 36": func(n int) bool { return n >= 33 && n <= 36 },
		"!= 34":    func(n int) bool { return n != 34 },
	}
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{">= 34", "<= 35", "33 to 36", "!= 34"}).Draw(t, "bound")
		distinct := rapid.Bool().Draw(t, "distinct")
		rolling := !distinct || rapid.Bool().Draw(t, "rolling")
		ask := "times"
		if distinct {
			ask = "distinct(sku)"
		}
		q := fmt.Sprintf(`{'did':'Product Viewed','%s':'%s'`, ask, text)
		if rolling {
			q += `,'within':'2d'`
		}
		e := env()
		cond := compile(outer, e, q+"}")
		p := profile.New(identity.ID{1})
		type seen struct {
			at  event.Time
			sku string
		}
		var all []seen
		now := noon
		for i := range rapid.IntRange(20, 120).Draw(t, "events") {
			now += event.Time(rapid.IntRange(0, 90).Draw(t, "pause")) * event.Time(time.Minute/time.Millisecond)
			at := now + event.Time(rapid.SampledFrom([]int{0, 0, 0, 0, -600, -60, 300}).Draw(t, "off"))*event.Time(time.Minute/time.Millisecond)
			sku := fmt.Sprintf("s%d", rapid.IntRange(0, 60).Draw(t, "sku"))
			v := ago(noon.Sub(at), event.ProductViewed, "sku", sku)
			v.ID = event.ID(fmt.Sprintf("e%d", i))
			e.Set.Fold(p, &v, nil, now)
			all = append(all, seen{v.At, sku})
			if i%5 != 0 {
				continue
			}
			for _, later := range []time.Duration{0, time.Hour, 26 * time.Hour, 49 * time.Hour} {
				at := now + event.At(time.UnixMilli(0).Add(later))
				n, skus := 0, map[string]bool{}
				for _, s := range all {
					if s.at <= at && (!rolling || s.at > at-event.Time(48*time.Hour/time.Millisecond)) {
						n++
						skus[s.sku] = true
					}
				}
				did := true
				if distinct {
					// "Did" means at least once, where nothing is said of times.
					did, n = n > 0 || !bounds[text](0), len(skus)
				}
				if got := cond.Eval(&condition.Context{P: p, Now: at}).True; got != (did && bounds[text](n)) {
					t.Fatalf("%s: with %d the answer is %t", q, n, got)
				}
			}
		}
		for _, s := range p.Series {
			past := 0
			for _, o := range s.Obs {
				if o.At <= now {
					past++
				}
			}
			if past > 37 {
				t.Fatalf("%d past observations are kept where 37 answer everything", past)
			}
		}
	})
}

func TestAReasonBeyondWhatIsKeptSaysOrMore(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		views int
		want  string
	}{{1, "(1 time, "}, {5, "(5 times, "}, {31, "(31 times, "}, {40, "(32 or more times, "}} {
		e := env()
		cond := compile(t, e, `{'did':'Product Viewed','times':'>= 1','within':'30d'}`)
		p := profile.New(identity.ID{1})
		for i := range tt.views {
			v := ago(time.Duration(tt.views-i)*time.Minute, event.ProductViewed)
			e.Set.Fold(p, &v, nil, v.At)
		}
		because := cond.Eval(&condition.Context{P: p, Now: noon, Explain: true}).Because
		if got := because[0].Sentence(noon); !strings.Contains(got, tt.want) {
			t.Errorf("after %d views: %q, want %q in it", tt.views, got, tt.want)
		}
	}
}

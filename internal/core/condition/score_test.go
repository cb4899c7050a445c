package condition_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/spec"
)

// scored defines scores and affinities, the name of each being its first field.
func scored(t testing.TB, e *condition.Env, ps *spec.Problems, texts ...string) *condition.Scores {
	t.Helper()
	var defs []condition.ScoreSource
	for _, text := range texts {
		n := define(t, text)
		defs = append(defs, condition.ScoreSource{Name: n.Fields[0].Value.Text, Affinity: n.Fields[0].Key == "affinity", Node: n})
	}
	return condition.ParseScores(defs, e, ps)
}

const engagement = `{'score':'engagement','half_life':'30d','cap':{'day':40},'points':[{'did':'Product Viewed','give':1,'most':{'day':5}},` +
	`{'did':'Product Viewed','where':{'category':'shoes'},'per':'session','give':2},{'did':'Order Completed','give':20,'back':{'did':'Order Refunded','by':'order_id'}}],` +
	`'tiers':[{'tier':'warm','from':3},{'tier':'hot','from':15.5}]}`

func TestProblemsOfScoresSayWhatIsWrongAndWhatToWrite(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		texts         []string
		what, instead string
	}{
		{"no points", []string{`{'score':'s'}`}, "does not say what gives points", "points: ["},
		{"an unknown field", []string{`{'score':'s','point':[]}`}, `"point" is not known here`, "points"},
		{"a rule that gives nothing", []string{`{'score':'s','points':[{'did':'Cart Viewed'}]}`}, "not said how many points", "give: 1"},
		{"no points at all", []string{`{'score':'s','points':[{'did':'Cart Viewed','give':0}]}`}, `"0" is no number of points`, "give: 1"},
		{"more points than there are", []string{`{'score':'s','points':[{'did':'Cart Viewed','give':1000001}]}`}, "up to 1000000", ""},
		{"a rule about nothing", []string{`{'score':'s','points':[{'give':1}]}`}, "a rule says did or when", "did: Product Viewed"},
		{"per what", []string{`{'score':'s','points':[{'did':'Cart Viewed','give':1,'per':'sesion'}]}`}, `"sesion" is none of event, session`, "session"},
		{"a bound on taking", []string{`{'score':'s','points':[{'did':'Cart Viewed','give':-1,'most':{'day':3}}]}`}, "most bounds what is given", ""},
		{"no bound", []string{`{'score':'s','points':[{'did':'Cart Viewed','give':1,'most':{}}]}`}, "most takes the points", "most: {day: 5"},
		{"a bound below zero", []string{`{'score':'s','points':[{'did':'Cart Viewed','give':1,'most':{'day':-3}}]}`}, "it is above 0", "day: 5"},
		{"a half-life that is none", []string{`{'score':'s','half_life':'soon','points':[{'did':'Cart Viewed','give':1}]}`}, `"soon" is no duration`, "14d"},
		{"a half-life of an age", []string{`{'score':'s','half_life':'3655d','points':[{'did':'Cart Viewed','give':1}]}`}, "between a second and ten years", "half_life: 30d"},
		{"what cannot fade", []string{`{'score':'s','half_life':'3d','points':[{'when':{'segment':'vip'},'give':1}]}`}, "half_life is about points that events give", ""},
		{"a wrong condition", []string{`{'score':'s','points':[{'when':{'segment':'vpi'},'give':1}]}`}, `no segment "vpi"`, "vip"},
		{"each of nothing", []string{`{'score':'s','points':[{'did':'Order Completed','give':1,'each':0}]}`}, `each: "0" is no amount above 0`, "each: 10"},
		{"of what, without each", []string{`{'score':'s','points':[{'did':'Order Completed','give':1,'of':'net'}]}`}, "for how much of it", "each: 10"},
		{"back by nothing", []string{`{'score':'s','points':[{'did':'Order Completed','give':1,'back':'Order Refunded'}]}`}, "which event takes the points back", "by: order_id"},
		{"limits upside down", []string{`{'score':'s','least':3,'most':2,'points':[{'did':'Cart Viewed','give':1}]}`}, "least is above most", ""},
		{"tiers upside down", []string{`{'score':'s','points':[{'did':'Cart Viewed','give':1}],'tiers':[{'tier':'a','from':3},{'tier':'b','from':2}]}`}, "does not begin above a", "from the lowest"},
		{"a tier twice", []string{`{'score':'s','points':[{'did':'Cart Viewed','give':1}],'tiers':[{'tier':'a','from':3},{'tier':'a','from':4}]}`}, "two tiers called a", ""},
		{"two of a name", []string{`{'score':'s','points':[{'did':'Cart Viewed','give':1}]}`, `{'score':'s','points':[{'did':'Cart Viewed','give':1}]}`}, "two scores or affinities called s", ""},
		{"the sum of what is not there", []string{`{'score':'s','sum':[{'score':'t'}]}`}, `no score "t"`, ""},
		{"a sum of a sum", []string{`{'score':'s','sum':[{'score':'t'}]}`, `{'score':'t','sum':[{'score':'u'}]}`, `{'score':'u','points':[{'did':'Cart Viewed','give':1}]}`}, "t sums up others itself", ""},
		{"a circle", []string{`{'score':'s','sum':[{'score':'s'}]}`}, "in a circle", "take one of the references out"},
		{"a circle by a condition", []string{`{'score':'s','points':[{'when':{'score':'t','is':'> 3'},'give':1}]}`, `{'score':'t','points':[{'when':{'tier':'s','is':'a'},'give':1}]}`}, "in a circle", ""},
		{"an affinity of nothing", []string{`{'affinity':'material'}`}, "which property the affinity material is about", "of: ["},
		{"an affinity that weighs nothing", []string{`{'affinity':'brand','weigh':{'Product Viewed':0}}`}, `"0" is no number of points`, ""},
		{"bands upside down", []string{`{'affinity':'price_band','bands':[10,5]}`}, "no amount above the one before", "bands: ["},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var ps spec.Problems
			e := env()
			got := scored(t, e, &ps, tt.texts...)
			if !ps.Bad() {
				t.Fatal("nothing is wrong with it")
			}
			first := ps.All()[0]
			if !strings.Contains(first.What, tt.what) || !strings.Contains(first.Instead, tt.instead) || first.Pos.Line != 1 {
				t.Errorf("%s", first.Error())
			}
			if got.Score("s") != nil && tt.name != "two of a name" && tt.name != "a sum of a sum" {
				t.Error("and yet there is a score")
			}
		})
	}
}

func TestProblemsOfQuestionsAboutScores(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, what, instead string }{
		{"a misspelt score", `{'score':'engagment','is':'> 3'}`, `no score "engagment"`, "engagement"},
		{"no comparison", `{'score':'engagement'}`, "not said what the score should be", `is: ">= 50"`},
		{"a comparison that is none", `{'score':'engagement','is':'many'}`, `"many" is no comparison`, `is: ">= 50"`},
		{"a misspelt tier", `{'tier':'engagement','is':'wram'}`, `no tier "wram"; it has warm, hot`, "warm"},
		{"no tier", `{'tier':'engagement'}`, "not said which tier", "is: hot"},
		{"tiers by two ways", `{'tier':'engagement','is':'hot','from':'warm'}`, "three ways to say one thing", ""},
		{"a score without tiers", `{'tier':'plain','is':'hot'}`, "the score plain has no tiers", "tiers: ["},
		{"an affinity for nothing", `{'affinity':{'by':'category','is':'> 3%'}}`, "which category", "of: lamps"},
		{"an affinity by what nobody keeps", `{'affinity':{'by':'material','of':'oak','is':'> 3%'}}`, `no affinity "material"; there are category, brand`, ""},
		{"a share of more than all", `{'affinity':{'by':'category','of':'oak','is':'> 103%'}}`, "is no comparison with a share", ">= 0.3"},
		{"a band that is none", `{'affinity':{'by':'price_band','of':'10 to 20','is':'> 30%'}}`, `"10 to 20" is no band`, "one of under 10, 10 to 25"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var ps spec.Problems
			e := env()
			scored(t, e, &ps, engagement, `{'score':'plain','points':[{'did':'Cart Viewed','give':1}]}`)
			q := condition.Parse(define(t, tt.text), e, &ps)
			if q != nil || !ps.Bad() {
				t.Fatal("nothing is wrong with it")
			}
			if first := ps.All()[0]; !strings.Contains(first.What, tt.what) || !strings.Contains(first.Instead, tt.instead) {
				t.Errorf("%s", first.Error())
			}
		})
	}
}

func TestQuestionsAboutScoresReadAsSentences(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{'score':'engagement','is':'>= 50'}`:                                                  "has 50 or more of the score engagement",
		`{'not':{'score':'engagement','is':'2 to 5'}}`:                                         "does not have 2 to 5 of the score engagement",
		`{'tier':'engagement','from':'warm'}`:                                                  "is warm or hot by the score engagement",
		`{'affinity':{'by':'category','of':'lamps','is':'>= 30%'}}`:                            "has 30% or more of their interest by category in lamps",
		`{'affinity':{'by':'price_band','of':'25 to 50','is':'> 0.5','weight':'>= 3'}}`:        "has more than 0.5 of their interest by price band in 25 to 50, weighing 3 or more",
		`{'did':'Product Viewed','where':{'device':'mobile','channel':'till'},'times':'>= 1'}`: "viewed a product where channel is till and device is mobile",
	} {
		var ps spec.Problems
		e := env()
		scored(t, e, &ps, engagement)
		q := condition.Parse(define(t, text), e, &ps)
		if q == nil {
			t.Errorf("%s: %v", text, ps.All())
		} else if q.Sentence() != want {
			t.Errorf("%s reads %q, want %q", text, q.Sentence(), want)
		}
	}
}

// Points for an order's sum come back by the share that a refund has of it, whichever is
// heard first; a cancellation, which names no sum, takes the rest.
func TestPointsByAmountComeBackByTheirShare(t *testing.T) {
	t.Parallel()
	bought := ago(10*hour, event.OrderCompleted, "order_id", "1", "revenue", "99.99", "currency", "GBP")
	refunded := ago(8*hour, event.OrderRefunded, "order_id", "1", "revenue", 30, "currency", "GBP")
	again := ago(7*hour, event.OrderRefunded, "order_id", "1", "revenue", "20.50", "currency", "GBP")
	cancelled := ago(6*hour, event.OrderCancelled, "order_id", "1")
	francs := ago(9*hour, event.OrderCompleted, "order_id", "2", "revenue", 500, "currency", "CHF")
	for _, tt := range []struct {
		name   string
		events []event.Event
		want   float64
	}{
		{"points for each so much, to the millionth", []event.Event{bought}, 14.284285},
		{"other money gives none", []event.Event{bought, francs}, 14.284285},
		{"a part comes back", []event.Event{bought, refunded}, 9.998571},
		{"and another", []event.Event{bought, refunded, again}, 7.07},
		{"whichever is heard first", []event.Event{again, refunded, bought}, 7.07},
		{"the rest", []event.Event{bought, refunded, cancelled}, 0},
		{"once and for all", []event.Event{cancelled, bought}, 0},
	} {
		var ps spec.Problems
		e := env()
		list := scored(t, e, &ps, `{'score':'worth','points':[{'did':'Order Completed','give':1,'each':7,'back':{'did':['Order Refunded','Order Cancelled'],'by':'order_id'}}]}`)
		if ps.Bad() {
			t.Fatal(ps.All())
		}
		p := ada()
		hear(e.Set, p, tt.events...)
		c := &condition.Context{P: p, Now: noon}
		s := list.Score("worth")
		if got := s.Level(c).Float(); math.Abs(got-tt.want) > 2e-6 {
			t.Errorf("%s: %.6f points, want %.6f", tt.name, got, tt.want)
		}
		var history []*event.Event
		for i := range tt.events {
			history = append(history, &tt.events[i])
		}
		a := s.Explain(c, slices.Values(history))
		sum := 0.0
		for _, entry := range a.Parts[0].Entries {
			sum += entry.Now.Float()
		}
		if rule := a.Parts[0].Rules[0]; math.Abs(sum-tt.want) > 2e-6 || rule.What != "completed an order, for each 7 of net" {
			t.Errorf("%s: the events explain %.6f points, want %.6f: %s", tt.name, sum, tt.want, rule.What)
		}
	}
}

// The bounds that keep what one customer can make us remember.
func TestWhatAScoreRemembersIsBounded(t *testing.T) {
	t.Parallel()
	var ps spec.Problems
	e := env()
	scored(t, e, &ps, engagement, `{'affinity':'category'}`)
	p := ada()
	for i := range 5000 {
		n := 5000 - i // the oldest last: nothing may be lost by lateness alone
		if i%2 == 0 {
			n = i
		}
		hear(e.Set, p, ago(hour*9*5000-hour*9*timeOf(n), event.ProductViewed, "category", fmt.Sprint("c", i%700)))
		hear(e.Set, p, ago(hour*9*5000-hour*9*timeOf(n), event.OrderCompleted, "order_id", fmt.Sprint(i), "total", 3))
	}
	if row := len(p.Append(nil)) - len(ada().Append(nil)); row > 24<<10 {
		t.Errorf("ten thousand events make a row of %d bytes", row)
	}
	regular := ada()
	for i := range 200 {
		hear(e.Set, regular, ago(hour*10*timeOf(200-i), event.ProductViewed, "category", fmt.Sprint("category ", i%6)))
	}
	if row := len(regular.Append(nil)) - len(ada().Append(nil)); row > 1<<10 {
		t.Errorf("a score and an affinity of a regular customer take %d bytes of a row", row)
	}
	if n := len(p.Tastes[0].Of); n > 32 {
		t.Errorf("%d categories are kept apart", n)
	}
	if n := len(p.Scores[0].Marks); n > 5*32 {
		t.Errorf("%d marks are kept", n)
	}
}

func TestEvaluatingAScoreAllocatesNothing(t *testing.T) {
	var ps spec.Problems
	e := env()
	scored(t, e, &ps, engagement, `{'score':'known','points':[{'when':{'reachable':'email'},'give':2}]}`, `{'score':'both','sum':[{'score':'engagement','most':50},{'score':'known'}]}`)
	for _, text := range []string{
		`{'score':'engagement','is':'>= 5'}`, `{'tier':'engagement','is':'hot'}`, `{'score':'both','is':'>= 5'}`,
		`{'affinity':{'by':'category','of':'shoes','is':'>= 0.3','weight':'>= 2'}}`, `{'affinity':{'by':'brand','of':'acme','is':'>= 0.3'}}`,
	} {
		q := condition.Parse(define(t, text), e, &ps)
		if q == nil {
			t.Fatal(ps.All())
		}
		p := ada()
		for i := range 30 {
			hear(e.Set, p, ago(hour*timeOf(30-i), event.ProductViewed, "category", "shoes"))
		}
		c := &condition.Context{P: p, Now: noon}
		if n := testing.AllocsPerRun(10, func() { q.Eval(c) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

// BenchmarkScore is what a score and an affinity cost of one event: the points,
// and until when the answers about them stand.
func BenchmarkScore(b *testing.B) {
	var ps spec.Problems
	e := env()
	scored(b, e, &ps, engagement, `{'affinity':'category'}`)
	var asked []*condition.Cond
	for _, text := range []string{`{'score':'engagement','is':'>= 5'}`, `{'tier':'engagement','from':'warm'}`, `{'affinity':{'by':'category','of':'shoes','is':'>= 0.3','weight':'>= 2'}}`} {
		asked = append(asked, condition.Parse(define(b, text), e, &ps))
	}
	p := ada()
	for i := range 200 {
		hear(e.Set, p, ago(hour*timeOf(200-i), event.ProductViewed, "category", fmt.Sprint("c", i%6)))
	}
	one := ago(0, event.ProductViewed, "category", "shoes", "sku", "1")
	b.Run("fold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			own := *p
			e.Set.Fold(&own, &one, nil, noon)
		}
	})
	b.Run("eval", func(b *testing.B) {
		c := &condition.Context{P: p, Now: noon}
		b.ReportAllocs()
		for b.Loop() {
			for _, q := range asked {
				q.Eval(c)
			}
		}
	})
}

func timeOf(n int) time.Duration { return time.Duration(n) }

package condition_test

import (
	"fmt"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
)

// busy is a customer with 60 series, of which one has n observations.
func busy(b testing.TB, text string, n int) (*condition.Cond, *condition.Context, *condition.Set) {
	e := env()
	q := compile(b, e, text)
	for i := range 60 {
		compile(b, e, fmt.Sprintf(`{'did':'Page Viewed','where':{'sku':'%d'},'within':'30d'}`, i))
	}
	p := ada()
	for i := range 60 {
		hear(e.Set, p, ago(hour, event.PageViewed, "sku", fmt.Sprint(i)))
	}
	for i := range n {
		hear(e.Set, p, ago(day-time.Duration(i)*35*time.Minute, event.ProductViewed, "category", "shoes", "sku", fmt.Sprint(i%7), "price", 3))
	}
	return q, &condition.Context{P: p, Now: noon, Zones: zone}, e.Set
}

func BenchmarkEval(b *testing.B) {
	for _, bb := range []struct{ name, text string }{
		{"count", `{'did':'Product Viewed','where':{'category':'shoes'},'times':'>= 3','within':'14d'}`},
		{"total", `{'did':'Product Viewed','times':'>= 3'}`},
		{"sum", `{'did':'Product Viewed','sum(price)':'>= 9','within':'14d'}`},
		{"sessions", `{'did':'Product Viewed','sessions':'>= 3','within':'14d'}`},
		{"trait", `{'trait':'country','in':['IE','GB']}`},
		{"clock", `{'local_time':{'from':'09:00','to':'18:00'}}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			q, c, _ := busy(b, bb.text, 30)
			if bb.name == "clock" {
				london := zone("Europe/London")
				c.Zones = func(string) *time.Location { return london }
			}
			if n := testing.AllocsPerRun(100, func() { q.Eval(c) }); n != 0 {
				b.Fatalf("%v allocations", n)
			}
			b.ReportAllocs()
			for b.Loop() {
				q.Eval(c)
			}
		})
	}
}

func BenchmarkFold(b *testing.B) {
	_, c, set := busy(b, `{'all':[{'did':'Product Viewed','times':'>= 3','within':'14d'},{'did':'Product Viewed','sessions':'>= 3','within':'14d'}]}`, 30)
	e := ago(0, event.ProductViewed, "category", "shoes", "sku", "1")
	b.ReportAllocs()
	for b.Loop() {
		p := *c.P
		set.Fold(&p, &e, nil, noon)
	}
}

func TestEvalAllocatesNothing(t *testing.T) {
	for _, text := range []string{
		`{'at_least':2,'of':[{'did':'Product Viewed','times':'>= 3','within':'14d'},{'did':'Product Viewed','sessions':'>= 3','within':'14d'},{'did':'Product Viewed','sum(price)':'>= 9','within':'14d'}]}`,
		`{'all':[{'trait':'country','in':['IE','GB']},{'trait':'birthday','anniversary':'in the next 7d'},{'consent':'marketing','channel':'email'},{'any':[{'segment':'lapsed'},{'reachable':'email'}]},{'random':{'name':'x','share':0.5}}]}`,
		`{'dwell':'3d','when':{'weekday':'mon'}}`,
	} {
		q, c, _ := busy(t, text, 10)
		c.Zones = nil
		if n := testing.AllocsPerRun(10, func() { q.Eval(c) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

package value_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"rapport/internal/core/insight/value"
	"rapport/internal/fault"
)

// shop simulates customers who come and leave as a model says.
type shop struct {
	src        *rand.Rand
	weeks      float64
	afterFirst bool // who leaves may leave right after the first order
	anytime    bool // leaving does not wait for an order
	r, alpha   float64
	a, b       float64 // or s and beta
	p, q, v    float64
	horizon    float64
	customers  []value.Customer
	spends     []value.Spend
	later      []int
	stillThere []bool
}

func (s *shop) gamma(shape, rate float64) float64 {
	return distuv.Gamma{Alpha: shape, Beta: rate, Src: s.src}.Rand()
}

func (s *shop) fill(n int) {
	for range n {
		t := s.weeks * (1 - .3*s.src.Float64())
		rate := s.gamma(s.r, s.alpha)
		leaves, quit := math.Inf(1), 0.0
		if s.anytime {
			leaves = s.src.ExpFloat64() / s.gamma(s.a, s.b)
		} else {
			quit = distuv.Beta{Alpha: s.a, Beta: s.b, Src: s.src}.Rand()
			if s.afterFirst && s.src.Float64() < quit {
				leaves = 0
			}
		}
		c, later := value.Customer{T: t}, 0
		for at := s.src.ExpFloat64() / rate; at < leaves && at < t+s.horizon; at += s.src.ExpFloat64() / rate {
			if at < t {
				c.X, c.Tx = c.X+1, at
			} else {
				later++
			}
			if !s.anytime && s.src.Float64() < quit {
				leaves = at
			}
		}
		s.customers, s.later, s.stillThere = append(s.customers, c), append(s.later, later), append(s.stillThere, leaves > t)
		if s.p > 0 {
			scale := s.gamma(s.q, s.v)
			sum := 0.0
			for range c.X {
				sum += s.gamma(s.p, scale)
			}
			spend := value.Spend{}
			if c.X > 0 {
				spend = value.Spend{X: c.X, Mean: sum / float64(c.X)}
			}
			s.spends = append(s.spends, spend)
		}
	}
}

func within(t *testing.T, what string, got []value.Param, want []float64, relative float64) {
	t.Helper()
	for i, p := range got {
		if math.IsNaN(p.Value) || math.Abs(math.Log(p.Value/want[i])) > relative {
			t.Errorf("%s: %s is found as %.3f, want %.3f", what, p.Name, p.Value, want[i])
		}
	}
}

func TestSimulatedCustomersGiveBackTheirParameters(t *testing.T) {
	t.Parallel()
	const people = 12000
	for _, c := range []struct {
		name string
		shop shop
		want string // the model that should be the likeliest
	}{
		{"they leave after an order", shop{r: .6, alpha: 4, a: .8, b: 2}, "bg_nbd"},
		{"they leave after any order", shop{r: .8, alpha: 4, a: .9, b: 1.8, afterFirst: true}, "mbg_nbd"},
		{"they leave at any time", shop{r: .9, alpha: 4, a: .7, b: 8, anytime: true}, "pareto_nbd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := c.shop
			s.src, s.weeks, s.horizon, s.p, s.q, s.v = rand.New(rand.NewPCG(7, 7)), 78, 26, 6, 4, 15
			s.fill(people)
			fit, err := value.FitOrders(s.customers, s.spends)
			if err != nil {
				t.Fatal(err)
			}
			if fit.Chosen.Name() != c.want {
				t.Errorf("%s is chosen, want %s", fit.Chosen.Name(), c.want)
			}
			for _, m := range fit.Models {
				if m.Name() == c.want {
					within(t, c.want, m.Params(), []float64{s.r, s.alpha, s.a, s.b}, .25)
				}
			}
			if fit.Spend == nil {
				t.Fatalf("there is no spend model: %s", fit.NoSpend)
			}
			within(t, "gamma-gamma", fit.Spend.Params(), []float64{s.p, s.q, s.v}, .15)
			// What the model says of those customers comes true on the whole.
			alive, there, expected, came := 0.0, 0.0, 0.0, 0.0
			for i, who := range s.customers {
				w := fit.Worth(who, s.spends[i], s.horizon, 1, 0)
				alive, expected, came = alive+w.Alive, expected+w.Soon, came+float64(s.later[i])
				if s.stillThere[i] {
					there++
				}
			}
			near(t, "the share that is there", alive/people, there/people, .02)
			if math.Abs(expected/came-1) > .03 {
				t.Errorf("%.0f orders are expected and %.0f came", expected, came)
			}
		})
	}
}

func TestTooLittleIsRefusedAndWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	many := func(n, back int, weeks float64) (list []value.Customer) {
		for i := range n {
			c := value.Customer{T: weeks}
			if i < back {
				c.X, c.Tx = 1, weeks/2
			}
			list = append(list, c)
		}
		return list
	}
	for _, c := range []struct {
		name string
		list []value.Customer
		want string
	}{
		{"nobody", nil, "too little to learn from: there are 0 customers who ordered, of at least 200, and 0 who ordered again on another day, of at least 50, and 0 weeks since the first order, of at least 13"},
		{"few customers", many(199, 60, 30), "too little to learn from: there are 199 customers who ordered, of at least 200"},
		{"few who came back", many(300, 49, 30), "too little to learn from: there are 49 who ordered again on another day, of at least 50"},
		{"a short time", many(300, 60, 12.9), "too little to learn from: there are 12 weeks since the first order, of at least 13"},
	} {
		_, err := value.FitOrders(c.list, nil)
		if _, said := fault.Of(err); !fault.Is(err, fault.Unavailable) || said != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	fit, err := value.FitOrders(many(300, 60, 30), nil)
	if err != nil {
		t.Fatal(err)
	}
	if fit.Spend != nil || fit.NoSpend != "too little to learn from: there are 0 customers who spent something in a second order, of at least 50" {
		t.Errorf("without sums there is a spend model: %q", fit.NoSpend)
	}
	if w := fit.Worth(many(1, 1, 30)[0], value.Spend{}, 13, 1, .1); w.Value != 0 || w.Year <= 0 {
		t.Errorf("without sums a customer is worth %+v", w)
	}
}

func TestMoneyLaterAndAPartOfItIsWorthLess(t *testing.T) {
	t.Parallel()
	fit := &value.Fit{Chosen: &mbgnbd, Spend: &spend}
	c, s := value.Customer{X: 6, Tx: 26, T: 28}, value.Spend{X: 6, Mean: 40}
	plain := fit.Worth(c, s, 13, 1, 0)
	near(t, "a year's orders at their sums", plain.Value, plain.Year*plain.Mean, 1e-9)
	near(t, "at half the margin", fit.Worth(c, s, 13, .5, 0).Value, plain.Value/2, 1e-9)
	if d := fit.Worth(c, s, 13, 1, .1).Value; d >= plain.Value*.97 || d <= plain.Value/1.1 {
		t.Errorf("at a discount of a tenth %.2f is %.2f", plain.Value, d)
	}
	if !(plain.Soon > 0 && plain.Soon < plain.Year) {
		t.Errorf("%.2f orders in a quarter and %.2f in a year", plain.Soon, plain.Year)
	}
}

func TestTheNextOrderIsWhenItIsRatherThereThanNot(t *testing.T) {
	t.Parallel()
	for _, m := range []value.Model{&bgnbd, &mbgnbd, &pareto} {
		c := value.Customer{X: 8, Tx: 34, T: 36}
		before := 0.0
		for silent := 0.0; silent <= 6; silent++ { // the date moves on as long as nothing comes
			weeks, due := m.Wait(value.Customer{X: c.X, Tx: c.Tx, T: c.T + silent}, value.Even)
			if !due || weeks <= before {
				t.Errorf("%s: after %.0f silent weeks the next order is in %.2f (%v), before it was in %.2f", m.Name(), silent+2, weeks, due, before)
			}
			before = weeks
		}
		if weeks, due := m.Wait(value.Customer{X: 8, Tx: 10, T: 200}, value.Even); due {
			t.Errorf("%s: somebody who left orders in %.1f weeks", m.Name(), weeks)
		}
	}
	// By simulation: of those who are like her, half have ordered by then.
	src := rand.New(rand.NewPCG(3, 3))
	c := value.Customer{X: 3, Tx: 30, T: 31}
	weeks, due := pareto.Wait(c, .3)
	if !due {
		t.Fatal("she is not waited for")
	}
	const n = 200000
	came := 0
	for range n {
		rate := distuv.Gamma{Alpha: pareto.R + float64(c.X), Beta: pareto.Alpha + c.T, Src: src}.Rand()
		quit := distuv.Gamma{Alpha: pareto.S, Beta: pareto.Beta + c.T, Src: src}.Rand()
		next, leaves := src.ExpFloat64()/rate, src.ExpFloat64()/quit
		if next < leaves && next < weeks {
			came++
		}
	}
	near(t, "the share that has ordered by then", float64(came)/n*pareto.Alive(c), .3, .005)
}

package value_test

import (
	"math/rand/v2"
	"testing"

	"rapport/internal/core/insight/value"
)

// 25,000 customers are to be fitted within five seconds.
func BenchmarkFit(b *testing.B) {
	s := shop{r: .6, alpha: 4, a: .8, b: 2, src: rand.New(rand.NewPCG(7, 7)), weeks: 78, p: 6, q: 4, v: 15}
	s.fill(25000)
	for i := range s.customers { // orders come on days
		c := &s.customers[i]
		c.Tx, c.T = float64(int(c.Tx*7))/7, float64(int(c.T*7))/7
	}
	b.Run("bg_nbd", func(b *testing.B) {
		for b.Loop() {
			if _, err := value.FitBGNBD(s.customers); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("pareto_nbd", func(b *testing.B) {
		for b.Loop() {
			if _, err := value.FitPareto(s.customers); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			if _, err := value.FitOrders(s.customers, s.spends); err != nil {
				b.Fatal(err)
			}
		}
	})
	fit, err := value.FitOrders(s.customers, s.spends)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("worth", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			fit.Worth(s.customers[i%len(s.customers)], s.spends[i%len(s.spends)], 13, 1, .1)
		}
	})
}

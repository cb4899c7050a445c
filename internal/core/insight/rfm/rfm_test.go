package rfm_test

import (
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/insight/rfm"
)

func base(n int) (list []rfm.Customer) {
	for i := range n {
		list = append(list, rfm.Customer{Recency: float64(i), Frequency: float64(1 + i%7), Monetary: float64(i * i), Engagement: float64(n - i)})
	}
	return list
}

func TestFifthsOfABaseHoldAFifthEach(t *testing.T) {
	t.Parallel()
	list := base(1000)
	cuts := rfm.CutsOf(list)
	var r, m [6]int
	for _, c := range list {
		s := cuts.Score(c)
		r[s.R]++
		m[s.M]++
	}
	for k := 1; k <= 5; k++ {
		if r[k] != 200 || m[k] != 200 {
			t.Errorf("in fifth %d are %d by recency and %d by money, want 200", k, r[k], m[k])
		}
	}
	if s := cuts.Score(rfm.Customer{Recency: 0, Frequency: 7, Monetary: 1e9, Engagement: 1e9}); s.Engaged() != "5555" || s.Persona(7) != rfm.Champion {
		t.Errorf("the best customer is %s, %s", s.Engaged(), s.Persona(7))
	}
}

func TestWhereAThirdOrderedOnceTheyAreOneGroup(t *testing.T) {
	t.Parallel()
	list := base(100)
	for i := range list {
		list[i].Frequency = 1
		if i >= 34 {
			list[i].Frequency = float64(i)
		}
	}
	cuts := rfm.CutsOf(list)
	for i := range 34 {
		if s := cuts.Score(list[i]); s.F != 1 {
			t.Fatalf("who ordered once is in fifth %d", s.F)
		}
	}
}

func TestPersonasSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		score  rfm.Score
		orders int
		want   rfm.Persona
	}{
		{rfm.Score{R: 5, F: 5, M: 5}, 9, rfm.Champion},
		{rfm.Score{R: 3, F: 4, M: 2}, 6, rfm.Loyal},
		{rfm.Score{R: 5, F: 5, M: 3}, 9, rfm.Loyal},
		{rfm.Score{R: 3, F: 2, M: 5}, 2, rfm.Promising},
		{rfm.Score{R: 5, F: 1, M: 1}, 1, rfm.Newcomer},
		{rfm.Score{R: 3, F: 1, M: 1}, 1, rfm.Promising},
		{rfm.Score{R: 2, F: 5, M: 5}, 9, rfm.Slipping},
		{rfm.Score{R: 1, F: 1, M: 4}, 1, rfm.Slipping},
		{rfm.Score{R: 1, F: 2, M: 2}, 2, rfm.Inactive},
	} {
		if got := c.score.Persona(c.orders); got != c.want {
			t.Errorf("%s with %d orders is %s, want %s", c.score, c.orders, got, c.want)
		}
	}
}

func TestAMovementCountsEverybodyOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) map[int]rfm.Persona {
			return rapid.MapOf(rapid.IntRange(0, 50), rapid.Custom(func(t *rapid.T) rfm.Persona { return rfm.Persona(rapid.IntRange(0, rfm.Personas-1).Draw(t, "p")) })).Draw(t, name)
		}
		before, after := draw("before"), draw("after")
		m := rfm.Move(before, after)
		rows, columns := 0, 0
		for i := range m {
			for k := range m[i] {
				if i != rfm.None {
					rows += m[i][k]
				}
				if k != rfm.None {
					columns += m[i][k]
				}
			}
		}
		if rows != len(before) || columns != len(after) || m[rfm.None][rfm.None] != 0 {
			t.Fatalf("%d and %d are counted of %d and %d", rows, columns, len(before), len(after))
		}
	})
}

func TestNobodyHasNoCuts(t *testing.T) {
	t.Parallel()
	if c := rfm.CutsOf(nil); c.N != 0 || c.Recency != [4]float64{} {
		t.Errorf("nobody has the cuts %+v", c)
	}
	if q := rfm.Quantile([]float64{1, 2, 4}, .75); q != 3 {
		t.Errorf("the quantile is %g, want 3", q)
	}
}

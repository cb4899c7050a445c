package value_test

import (
	"math"
	"testing"

	"rapport/internal/core/insight/value"
)

func TestTwoWaysToTheChanceOfHavingLeftAgree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ r, alpha, s, beta, x, tx, t float64 }{
		{.55, 10.6, .6, 11.7, 2, 30.4, 38.9},
		{.55, 10.6, .6, 11.7, 0, 0, 38.9},
		{.7, 9.5, .3, 2400, 26, 30.9, 31},
		{.7, 9.5, 1, 2400, 0, 0, 39},
		{.3, 2400, .6, 9.5, 40, 3, 39},
		{1, 2300, 2, 11, 254, 1, 39},
		{.7, 9.5, .3, 2600, 254, 1, 39},
		{.3, 2600, .6, 9.5, 1, 3, 39}, // 0.3 + 1 orders: near the pole of neither
		{.001, 10, .5, 3000, 1, 2, 39},
	} {
		// By brute force: trapezoids of the integral itself.
		const n = 400000
		sum, step := 0.0, (c.t-c.tx)/n
		scale := -(c.r+c.x)*math.Log(c.alpha+c.tx) - (c.s+1)*math.Log(c.beta+c.tx)
		for i := 0; i <= n; i++ {
			at, w := c.tx+float64(i)*step, 1.0
			if i == 0 || i == n {
				w = .5
			}
			sum += w * step * math.Exp(-(c.r+c.x)*math.Log(c.alpha+at)-(c.s+1)*math.Log(c.beta+at)-scale)
		}
		want := math.Log(c.s) + scale + math.Log(sum)
		if got := value.Gone(c.r, c.alpha, c.s, c.beta, c.x, c.tx, c.t); math.IsNaN(got) || math.Abs(got-want) > 1e-6 {
			t.Errorf("%+v: %.10f, want %.10f", c, got, want)
		}
	}
}

func TestTheFractionIsTheSeries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, c, z float64 }{{.5, 2, .3}, {26.2, 28, .9}, {1.6, 4.1, .97}, {.01, 1.02, .5}, {300, 302, .8}, {2, 2, 0}} {
		sum, term := 1.0, 1.0
		for n := 0.0; n < 3000; n++ {
			term *= (c.a + n) / (c.c + n) * c.z
			sum += term
		}
		if got := value.LogF1(c.a, c.c, c.z); math.Abs(got-math.Log(sum)) > 1e-11 {
			t.Errorf("F(1, %g; %g; %g) is e^%.12f, want e^%.12f", c.a, c.c, c.z, got, math.Log(sum))
		}
	}
}

package measure_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"rapport/internal/core/measure"
)

// watched reports whether an interval excludes zero at any look, when a toss
// without any effect divides what people spend and somebody looks every so many
// people.
func watched(s measure.Sequence, spend []float64, share float64, every int, toss *rand.Rand) (atEnd, ever bool) {
	var treated, held measure.Moments
	order := toss.Perm(len(spend))
	for i, k := range order {
		if toss.Float64() < share {
			held.Add(spend[k])
		} else {
			treated.Add(spend[k])
		}
		if i%every == 0 || i == len(order)-1 {
			atEnd = s.Compare(treated, held).ExcludesZero
			ever = ever || atEnd
		}
	}
	return atEnd, ever
}

func TestAWatchedIntervalKeepsItsError(t *testing.T) {
	t.Parallel()
	const seeds = 200
	for _, c := range []struct {
		name  string
		share float64
		draw  func(*rand.Rand) float64
	}{
		{"normal, halves", 0.5, func(r *rand.Rand) float64 { return r.NormFloat64() }},
		{"normal, a tenth held out", 0.1, func(r *rand.Rand) float64 { return r.NormFloat64() }},
		{"one in a hundred buys", 0.1, func(r *rand.Rand) float64 {
			if r.IntN(100) == 0 {
				return 1
			}
			return 0
		}},
		{"one in a thousand buys", 0.1, func(r *rand.Rand) float64 {
			if r.IntN(1000) == 0 {
				return 1
			}
			return 0
		}},
		{"one in ten buys, for a log-normal sum", 0.1, func(r *rand.Rand) float64 {
			if r.IntN(10) > 0 {
				return 0
			}
			return math.Exp(2 * r.NormFloat64())
		}},
		{"a Pareto tail without a variance", 0.1, func(r *rand.Rand) float64 { return math.Pow(1-r.Float64(), -1/1.5) }},
		{"one in twenty held out", 0.05, func(r *rand.Rand) float64 { return math.Exp(2 * r.NormFloat64()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wrong := 0
			for seed := range uint64(seeds) {
				r := rand.New(rand.NewPCG(seed, 17))
				spend := make([]float64, 10_000)
				for i := range spend {
					spend[i] = c.draw(r)
				}
				if _, ever := watched(measure.Sequence{}, spend, c.share, 50, r); ever {
					wrong++
				}
			}
			t.Logf("%d of %d excluded 0 at any of 200 looks", wrong, seeds)
			if wrong > seeds*5/100 {
				t.Errorf("%d of %d excluded 0 although nothing was there, want at most 5 %%", wrong, seeds)
			}
		})
	}
}

func TestARealEffectIsSeen(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var treated, held measure.Moments
	for i := range 50_000 {
		buys := 0.05
		if i%10 > 0 {
			buys = 0.065 // 30 % more orders
		}
		x := 0.0
		if r.Float64() < buys {
			x = 1
		}
		if i%10 == 0 {
			held.Add(x)
		} else {
			treated.Add(x)
		}
	}
	in := measure.Sequence{}.Compare(treated, held)
	if !in.ExcludesZero || in.Low > 0.015 || in.High < 0.015 {
		t.Errorf("interval = %+v, want one that excludes 0 and holds .015", in)
	}
	if all := in.Times(45_000); !near(all.Low, in.Low*45_000) || !all.ExcludesZero || all.N1 != in.N1 {
		t.Errorf("of all people: %+v", all)
	}
}

func TestTooFewPeopleAreRefused(t *testing.T) {
	t.Parallel()
	many := measure.MomentsOf(100_000, 100_000, 200_000)
	few := measure.MomentsOf(measure.DefaultMinPerArm-1, 0, 0)
	in := measure.Sequence{}.Compare(many, few)
	if in.Enough || in.ExcludesZero || !strings.HasPrefix(in.Why, "not enough people yet") || in.Lift != 1 {
		t.Errorf("interval = %+v", in)
	}
	few.N++
	if in := (measure.Sequence{}).Compare(many, few); !in.Enough || in.Why != "" {
		t.Errorf("with one more: %+v", in)
	}
	if in := (measure.Sequence{}).Compare(measure.Moments{N: 500, Mean: 1, M2: math.Inf(1)}, many); in.Enough || in.Why == "" {
		t.Errorf("infinite: %+v", in)
	}
}

func TestTheIntervalIsThePublishedOne(t *testing.T) {
	t.Parallel()
	// With ρ² = 1/1000 and variance 4 in both arms of 500 people the boundary at
	// t = 1000 is √(2·2/1000 · ln(√2/.05)) = .115630, times σ̂ = √(1000·(4/500+4/500)) = 4.
	arm := func(mean float64) measure.Moments { return measure.Moments{N: 500, Mean: mean, M2: 4 * 499} }
	l := -2 * math.Log(0.05)
	tightest := int64(math.Round(1000 * (l + math.Log(l+1))))
	in := measure.Sequence{Tightest: tightest}.Compare(arm(1), arm(1))
	// Both arms have one mean, so together their variance is 4·998/999: the floor is not at work.
	if half := in.High; math.Abs(half-4*0.115630) > 1e-4 || !near(in.Low, -in.High) {
		t.Errorf("half width = %v, want %v", half, 4*0.115630)
	}
}

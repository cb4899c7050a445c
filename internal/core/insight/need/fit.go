package need

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"rapport/internal/core/event"
)

// above returns the chance that a standard normal is above z. It keeps its
// precision far out, where one minus the cumulative one would be zero.
func above(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// farthest is the z beyond which the tail no longer has a float64 of its own.
const farthest = 37

// quantileAbove returns the z above which a standard normal is with chance p.
func quantileAbove(p float64) float64 {
	switch {
	case p <= 1e-300:
		return farthest
	case p < 1e-8:
		// The inverse loses its digits here; the tail is monotone, so halve.
		lo, hi := 5.0, float64(farthest)
		for range 60 {
			if mid := (lo + hi) / 2; above(mid) > p {
				lo = mid
			} else {
				hi = mid
			}
		}
		return lo
	}
	return -distuv.UnitNormal.Quantile(p)
}

// beyond returns the mean of a standard normal that is known to be above z.
func beyond(z float64) float64 {
	if z > 8 {
		return z + 1/z // the tail's own asymptote
	}
	return distuv.UnitNormal.Prob(z) / above(z)
}

// fit holds the work of [Fit]: an expectation of the gaps that have not ended,
// and a step of each part given the others, in turn.
type fit struct {
	pairs []pair
	names struct{ families, people []string }
	ended int // gaps that ended, and
	by    int // the people who had one

	mean               float64
	gone               [habits]float64
	familyVar          float64
	personVar          float64
	habitVar           float64
	noise              float64
	family, person     []effect
	ofFamily, ofPerson [][]int // pairs
}

func (f *fit) read(sorted []History, now event.Time) {
	families, people := map[string]int{}, map[string]int{}
	number := func(m map[string]int, list *[]string, name string) int {
		n, known := m[name]
		if !known {
			n = len(*list)
			m[name] = n
			*list = append(*list, name)
		}
		return n
	}
	for _, h := range sorted {
		if len(h.At) == 0 || h.At[0] > now {
			continue
		}
		p := pair{person: number(people, &f.names.people, h.Person), family: number(families, &f.names.families, h.Family)}
		p.gaps, p.open = gaps(h.At, now)
		f.ended += len(p.gaps)
		f.pairs = append(f.pairs, p)
	}
	f.family, f.person = make([]effect, len(families)), make([]effect, len(people))
	f.ofFamily, f.ofPerson = make([][]int, len(families)), make([][]int, len(people))
	for i := range f.pairs {
		p := &f.pairs[i]
		f.family[p.family].gaps += len(p.gaps)
		f.person[p.person].gaps += len(p.gaps)
		f.ofFamily[p.family] = append(f.ofFamily[p.family], i)
		f.ofPerson[p.person] = append(f.ofPerson[p.person], i)
	}
	for _, e := range f.person {
		if e.gaps > 0 {
			f.by++
		}
	}
}

func (f *fit) run() {
	for i := range f.pairs {
		for _, g := range f.pairs[i].gaps {
			f.mean += g
		}
	}
	f.mean /= float64(f.ended)
	v := startSpread * startSpread
	f.familyVar, f.personVar, f.habitVar, f.noise = v, v, v, v
	f.gone = [habits]float64{0.5, 0.5, 0.5}
	for range rounds {
		before := f.parameters()
		f.expect()
		f.step()
		moved := 0.0
		for i, after := range f.parameters() {
			moved = max(moved, math.Abs(after-before[i]))
		}
		if moved < settled {
			return
		}
	}
}

func (f *fit) parameters() [5 + habits]float64 {
	return [...]float64{f.mean, f.familyVar, f.personVar, f.habitVar, f.noise, f.gone[0], f.gone[1], f.gone[2]}
}

// expect fills in what is expected of the gaps that have not ended: whether they
// will, and how long they will have been.
func (f *fit) expect() {
	for i := range f.pairs {
		p := &f.pairs[i]
		mean := f.mean + f.family[p.family].mean + f.person[p.person].mean + p.habit
		spread := math.Sqrt(f.noise + f.left(p))
		z := (p.open - mean) / spread
		still := above(z)
		p.coming = coming(f.gone[habitOf(len(p.gaps))], still)
		p.expect = mean + spread*beyond(z)
	}
}

// left is the variance of what is not known of a pair's own habit.
func (f *fit) left(p *pair) float64 {
	n := float64(len(p.gaps)) + p.coming
	return f.habitVar * f.noise / (f.noise + n*f.habitVar)
}

// step moves each part to its best given the others, with what is expected of the
// gaps that have not ended weighed by the chance that they end.
func (f *fit) step() {
	n, sum := 0.0, 0.0
	for i := range f.pairs {
		p := &f.pairs[i]
		base := f.family[p.family].mean + f.person[p.person].mean + p.habit
		for _, g := range p.gaps {
			sum += g - base
			n++
		}
		sum += p.coming * (p.expect - base)
		n += p.coming
	}
	f.mean = sum / n

	habitSum, noiseSum, noises := 0.0, 0.0, 0.0
	var last, bought [habits]float64
	familySum, personSum := 0.0, 0.0
	for j, pairs := range f.ofFamily {
		e := f.part(pairs, f.familyVar, func(p *pair) float64 { return f.person[p.person].mean })
		f.family[j].mean, f.family[j].left = e.mean, e.left
		familySum += e.mean*e.mean + e.left
	}
	for j, pairs := range f.ofPerson {
		e := f.part(pairs, f.personVar, func(p *pair) float64 { return f.family[p.family].mean })
		f.person[j].mean, f.person[j].left = e.mean, e.left
		personSum += e.mean*e.mean + e.left
	}
	f.mean += centre(f.family) + centre(f.person)
	for i := range f.pairs {
		p := &f.pairs[i]
		base := f.mean + f.family[p.family].mean + f.person[p.person].mean
		s, w := p.coming*(p.expect-base), float64(len(p.gaps))+p.coming
		for _, g := range p.gaps {
			s += g - base
		}
		left := f.habitVar * f.noise / (f.noise + w*f.habitVar)
		p.habit = s * left / f.noise
		habitSum += p.habit*p.habit + left
		for _, g := range p.gaps {
			d := g - base - p.habit
			noiseSum += d*d + left
		}
		// The spread of a gap that has not ended is that of a normal cut off at its
		// beginning.
		mean := base + p.habit
		spread := math.Sqrt(f.noise + left)
		z := (p.open - mean) / spread
		h := beyond(z)
		cut := max(0, 1-h*(h-z))
		d := p.expect - mean
		noiseSum += p.coming * (d*d + f.noise*cut)
		noises += w
		for k := range len(p.gaps) + 1 {
			bought[habitOf(k)]++
		}
		last[habitOf(len(p.gaps))] += 1 - p.coming
	}
	f.habitVar = max(least, habitSum/float64(len(f.pairs)))
	f.noise = max(least, noiseSum/noises)
	f.familyVar = max(least, familySum/float64(len(f.family)))
	f.personVar = max(least, personSum/float64(len(f.person)))
	// Every purchase but the last of a pair was followed by another.
	for k := range f.gone {
		if bought[k] > 0 {
			f.gone[k] = min(0.99, max(0.001, last[k]/bought[k]))
		}
	}
}

// centre takes the mean out of effects and returns it. Left in, it would wander
// into the mean over all a little each round.
func centre(list []effect) float64 {
	mean := 0.0
	for _, e := range list {
		mean += e.mean
	}
	mean /= float64(len(list))
	for i := range list {
		list[i].mean -= mean
	}
	return mean
}

// part returns the effect of one family or person, drawn towards zero, and the
// variance of what is not known of it. Other is the effect that is not meant.
func (f *fit) part(pairs []int, prior float64, other func(*pair) float64) effect {
	weights, sum := 0.0, 0.0
	for _, i := range pairs {
		p := &f.pairs[i]
		w := float64(len(p.gaps)) + p.coming
		if w < least {
			continue
		}
		base := f.mean + other(p)
		s := p.coming * (p.expect - base)
		for _, g := range p.gaps {
			s += g - base
		}
		// The mean of a pair's gaps tells of the effect up to the pair's own habit.
		weight := 1 / (f.habitVar + f.noise/w)
		weights += weight
		sum += weight * s / w
	}
	left := 1 / (1/prior + weights)
	return effect{mean: sum * left, left: left}
}

func (f *fit) model() *Model {
	m := &Model{
		Mean: f.mean, Family: math.Sqrt(f.familyVar), Person: math.Sqrt(f.personVar), Habit: math.Sqrt(f.habitVar), Chance: math.Sqrt(f.noise),
		Gone: f.gone, Gaps: f.ended, Open: len(f.pairs), People: len(f.names.people),
		families: make(map[string]effect, len(f.family)), people: make(map[string]effect, len(f.person)),
	}
	for j, name := range f.names.families {
		m.families[name] = f.family[j]
	}
	for j, name := range f.names.people {
		m.people[name] = f.person[j]
	}
	return m
}

// Usual returns the usual days between purchases of a family and how many gaps
// say so.
func (m *Model) Usual(family string) (days float64, gaps int) {
	e := m.families[family]
	return math.Exp(m.Mean + e.mean), e.gaps
}

package persona

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// division is points around centres.
type division struct {
	centres [][]float64
	of      []int   // the centre of each point
	spread  float64 // squared distances of all points from their centres
}

// seed is a source of numbers that only look like chance: the same model comes of
// the same customers, on every machine.
type seed uint64

// next returns a number from 0 to 1 (splitmix64).
func (s *seed) next() float64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}

// divide puts points around k centres: from those given, if there are as many, and
// from seeded starts; the tightest is kept, and that of the centres given if it is
// about as tight, so that nothing changes without a reason.
func divide(points [][]float64, k int, given [][]float64) *division {
	var best *division
	for start := range starts {
		s := seed(start + 1)
		d := settle(points, scatter(points, k, &s))
		if best == nil || d.spread < best.spread {
			best = d
		}
	}
	if len(given) == k {
		const reason = 1.01
		if d := settle(points, given); d.spread <= best.spread*reason {
			best = d
		}
	}
	return best
}

// scatter picks k points to begin with, each far from those before (k-means++).
func scatter(points [][]float64, k int, s *seed) [][]float64 {
	centres := [][]float64{points[int(s.next()*float64(len(points)))]}
	near := make([]float64, len(points))
	for i := range near {
		near[i] = math.Inf(1)
	}
	for len(centres) < k {
		sum := 0.0
		for i, p := range points {
			near[i] = min(near[i], distance(p, centres[len(centres)-1]))
			sum += near[i]
		}
		toss, pick := s.next()*sum, len(points)-1
		for i, d := range near {
			if toss -= d; toss < 0 {
				pick = i
				break
			}
		}
		centres = append(centres, points[pick])
	}
	return centres
}

// settle moves centres to the middle of what is nearest to them until nothing moves.
func settle(points, from [][]float64) *division {
	d := &division{of: make([]int, len(points))}
	for _, c := range from {
		d.centres = append(d.centres, slices.Clone(c))
	}
	for i := range d.of {
		d.of[i] = -1
	}
	for range rounds {
		moved := false
		d.spread = 0
		sums, counts := make([][]float64, len(d.centres)), make([]int, len(d.centres))
		for k := range sums {
			sums[k] = make([]float64, len(points[0]))
		}
		for i, p := range points {
			best, at := math.Inf(1), 0
			for k, c := range d.centres {
				if v := distance(p, c); v < best {
					best, at = v, k
				}
			}
			moved = moved || d.of[i] != at
			d.of[i] = at
			d.spread += best
			counts[at]++
			for j, v := range p {
				sums[at][j] += v
			}
		}
		if !moved {
			break
		}
		for k, n := range counts {
			for j := range sums[k] {
				if n > 0 {
					d.centres[k][j] = sums[k][j] / float64(n)
				}
			}
		}
	}
	return d
}

// number returns how many kinds the points fall into, 1 being none, and the gap
// statistic of each number that was tried: the least number whose gap is as large as
// that of one more, less what chance makes of it.
func number(points [][]float64) (k int, gaps []float64) {
	sets := make([][][]float64, references)
	for b := range sets {
		sets[b] = without(points, seed(1000+b))
	}
	var errors []float64
	for k := 1; k <= Most; k++ {
		own := divide(points, k, nil)
		mean, square := 0.0, 0.0
		for _, set := range sets {
			s := seed(k)
			d := settle(set, scatter(set, k, &s))
			for again := range 2 {
				s := seed(100*k + again)
				if other := settle(set, scatter(set, k, &s)); other.spread < d.spread {
					d = other
				}
			}
			v := math.Log(d.spread)
			mean += v / references
			square += v * v / references
		}
		gaps = append(gaps, mean-math.Log(max(own.spread, 1e-300)))
		errors = append(errors, math.Sqrt(max(0, square-mean*mean))*math.Sqrt(1+1.0/references))
	}
	return choose(points, gaps, errors), gaps
}

// choose returns the number by the gaps, of those whose kinds are all large enough
// to speak of.
func choose(points [][]float64, gaps, errors []float64) int {
	for k := 1; k < Most; k++ {
		if gaps[k-1] < gaps[k]-errors[k] {
			continue
		}
		for ; k > 1; k-- {
			if smallest(divide(points, k, nil)) >= leastShare {
				return k
			}
		}
		return 1
	}
	return Most
}

func smallest(d *division) float64 {
	counts := make([]int, len(d.centres))
	for _, k := range d.of {
		counts[k]++
	}
	return float64(slices.Min(counts)) / float64(len(d.of))
}

// without returns as many points without any kinds, even over the box that the
// points fill along their own axes: what is only drawn out has no kinds.
func without(points [][]float64, s seed) [][]float64 {
	v := axes(points)
	n := len(points[0])
	if v == nil {
		return points
	}
	_, dims := v.Dims()
	lo, hi := make([]float64, dims), make([]float64, dims)
	for j := range dims {
		lo[j], hi[j] = math.Inf(1), math.Inf(-1)
	}
	along := func(p []float64, j int) float64 {
		sum := 0.0
		for i, x := range p {
			sum += x * v.At(i, j)
		}
		return sum
	}
	for _, p := range points {
		for j := range dims {
			a := along(p, j)
			lo[j], hi[j] = min(lo[j], a), max(hi[j], a)
		}
	}
	out := make([][]float64, len(points))
	turned := mat.NewVecDense(dims, nil)
	for i := range out {
		for j := range dims {
			turned.SetVec(j, lo[j]+s.next()*(hi[j]-lo[j]))
		}
		back := mat.NewVecDense(n, nil)
		back.MulVec(v, turned)
		out[i] = back.RawVector().Data
	}
	return out
}

// silhouette returns how much nearer points are to their own centre than to the
// next, from −1 to 1, over all.
func silhouette(points [][]float64, d *division) float64 {
	sum := 0.0
	for i, p := range points {
		own, next := math.Sqrt(distance(p, d.centres[d.of[i]])), math.Inf(1)
		for k, c := range d.centres {
			if k != d.of[i] {
				next = min(next, math.Sqrt(distance(p, c)))
			}
		}
		if far := max(own, next); far > 0 {
			sum += (next - own) / far
		}
	}
	return sum / float64(len(points))
}

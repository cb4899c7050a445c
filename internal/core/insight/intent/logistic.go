package intent

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// ridge is how strongly weights of standardised features are drawn towards zero:
// enough that a feature that tells the answer by chance in a few visits stays
// small, too little to be seen where there are thousands.
const ridge = 1.0

// linear is a logistic regression over standardised features.
type linear struct {
	mean, scale []float64
	weight      []float64 // of each feature, then the constant
}

func (l *linear) score(x []float64) float64 {
	z := l.weight[len(x)]
	for i, v := range x {
		z += l.weight[i] * l.standard(i, v)
	}
	return z
}

// standard returns a feature in standard deviations from its mean. What is far
// beyond all that was learned from is taken for the furthest of it.
func (l *linear) standard(i int, v float64) float64 {
	const far = 6
	return min(far, max(-far, (v-l.mean[i])/l.scale[i]))
}

// fitLogistic maximises the penalised likelihood by Newton's method.
func fitLogistic(samples []Sample) *linear {
	n := len(samples[0].X)
	l := &linear{mean: means(samples), scale: make([]float64, n), weight: make([]float64, n+1)}
	for _, s := range samples {
		for i, v := range s.X {
			l.scale[i] += (v - l.mean[i]) * (v - l.mean[i]) / float64(len(samples))
		}
	}
	for i, v := range l.scale {
		if l.scale[i] = math.Sqrt(v); l.scale[i] == 0 {
			l.scale[i] = 1
		}
	}
	rows := make([][]float64, len(samples))
	y := make([]bool, len(samples))
	for r, s := range samples {
		rows[r], y[r] = make([]float64, n), s.Bought
		for i, v := range s.X {
			rows[r][i] = l.standard(i, v)
		}
	}
	newton(rows, y, l.weight, ridge)
	return l
}

// newton moves the weights, the last of which is the constant and not drawn to
// zero, to where the penalised likelihood is greatest.
func newton(rows [][]float64, y []bool, weight []float64, ridge float64) {
	n := len(weight)
	const rounds, settled = 50, 1e-8
	for range rounds {
		hessian, gradient := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
		for i := range n - 1 {
			hessian.SetSym(i, i, ridge)
			gradient.SetVec(i, -ridge*weight[i])
		}
		hessian.SetSym(n-1, n-1, 1e-9)
		at := func(row []float64, i int) float64 {
			if i == n-1 {
				return 1
			}
			return row[i]
		}
		for r, row := range rows {
			z := weight[n-1]
			for i, v := range row {
				z += weight[i] * v
			}
			p := logistic(z)
			left := -p
			if y[r] {
				left = 1 - p
			}
			w := max(p*(1-p), 1e-10)
			for i := range n {
				a := at(row, i)
				if a == 0 {
					continue
				}
				gradient.SetVec(i, gradient.AtVec(i)+left*a)
				for j := i; j < n; j++ {
					hessian.SetSym(i, j, hessian.At(i, j)+w*a*at(row, j))
				}
			}
		}
		var c mat.Cholesky
		if !c.Factorize(hessian) {
			return // two features say the same to the last digit: what stands is as good as any
		}
		var step mat.VecDense
		if c.SolveVecTo(&step, gradient) != nil {
			return
		}
		moved := 0.0
		for i := range n {
			// A step is kept short: far from the answer Newton's goes too far.
			d := min(2, max(-2, step.AtVec(i)))
			weight[i] += d
			moved = max(moved, math.Abs(d))
		}
		if moved < settled {
			return
		}
	}
}

// correct returns the slope and offset that make log odds right.
func correct(said []float64, came []bool) (slope, offset float64) {
	rows := make([][]float64, len(said))
	for i := range said {
		rows[i] = said[i : i+1]
	}
	w := []float64{1, 0}
	newton(rows, came, w, 1e-6)
	return w[0], w[1]
}

package intent

import (
	"math"
	"slices"
)

// How trees grow. The values are common ones for tables of some thousand rows;
// how many trees there are is decided by visits that they did not learn from.
const (
	treeDepth  = 4
	mostTrees  = 300
	checked    = 6    // one in so many samples decides how many trees there are
	patience   = 30   // trees without being better before it ends
	learnRate  = 0.08 // share of each tree that is taken
	leafWeight = 1.0  // drawn towards zero
	leastLeaf  = 4.0  // sum of p(1−p) in a leaf
	maxCuts    = 48   // cuts tried of a feature
)

// node is a cut, or a leaf if it has no feature.
type node struct {
	feature     int // −1: a leaf
	cut         float64
	left, right int32
	value       float64
}

// forest is trees that add up to log odds.
type forest struct {
	base  float64
	trees [][]node
}

func (f *forest) score(x []float64) float64 {
	z := f.base
	for _, t := range f.trees {
		z += leaf(t, x)
	}
	return z
}

func leaf(t []node, x []float64) float64 {
	n := &t[0]
	for n.feature >= 0 {
		if x[n.feature] <= n.cut {
			n = &t[n.left]
		} else {
			n = &t[n.right]
		}
	}
	return n.value
}

// growTrees boosts trees on the loss of the log odds. How many is decided by a
// part of the samples that the trees do not learn from.
func growTrees(all []Sample) *forest {
	var samples, check []Sample
	for _, s := range all {
		// Another hash than that of the parts, which has divided them already.
		if s.Key*0x9e3779b97f4a7c15>>32%checked == 0 {
			check = append(check, s)
		} else {
			samples = append(samples, s)
		}
	}
	if len(samples) == 0 || len(check) == 0 {
		return &forest{base: logit(0.5)}
	}
	g := grower{samples: samples, grad: make([]float64, len(samples)), hess: make([]float64, len(samples))}
	g.bins()
	bought := 0.0
	for _, s := range samples {
		if s.Bought {
			bought++
		}
	}
	f := &forest{base: logit(bought / float64(len(samples)))}
	z, zc := make([]float64, len(samples)), make([]float64, len(check))
	for i := range z {
		z[i] = f.base
	}
	for i := range zc {
		zc[i] = f.base
	}
	best, keep := math.Inf(1), 0
	for len(f.trees) < mostTrees && len(f.trees)-keep < patience {
		for i, s := range samples {
			p := logistic(z[i])
			g.grad[i], g.hess[i] = p, p*(1-p)
			if s.Bought {
				g.grad[i]--
			}
		}
		t := g.tree()
		f.trees = append(f.trees, t)
		for i, s := range samples {
			z[i] += leaf(t, s.X)
		}
		loss := 0.0
		for i, s := range check {
			zc[i] += leaf(t, s.X)
			loss += entropy(logistic(zc[i]), s.Bought)
		}
		if loss < best {
			best, keep = loss, len(f.trees)
		}
	}
	f.trees = f.trees[:keep]
	return f
}

// grower grows one tree at a time on the same samples.
type grower struct {
	samples    []Sample
	grad, hess []float64
	cuts       [][]float64 // by feature
	bin        [][]uint8   // by feature: the cut at or below which each sample is first
	nodes      []node
}

// bins prepares the cuts of each feature: between values that occur, spread evenly
// over the samples.
func (g *grower) bins() {
	n := len(g.samples[0].X)
	g.cuts, g.bin = make([][]float64, n), make([][]uint8, n)
	values := make([]float64, len(g.samples))
	for f := range n {
		for i, s := range g.samples {
			values[i] = s.X[f]
		}
		slices.Sort(values)
		for c := 1; c < maxCuts; c++ {
			v := values[c*len(values)/maxCuts]
			if v < values[len(values)-1] && (len(g.cuts[f]) == 0 || v > g.cuts[f][len(g.cuts[f])-1]) {
				g.cuts[f] = append(g.cuts[f], v)
			}
		}
		g.bin[f] = make([]uint8, len(g.samples))
		for i, s := range g.samples {
			at, _ := slices.BinarySearch(g.cuts[f], s.X[f])
			g.bin[f][i] = uint8(at)
		}
	}
}

func (g *grower) tree() []node {
	g.nodes = nil
	all := make([]int32, len(g.samples))
	for i := range all {
		all[i] = int32(i)
	}
	g.grow(all, treeDepth)
	return g.nodes
}

// grow appends the tree over the samples and returns the place of its root.
func (g *grower) grow(of []int32, depth int) int32 {
	at := int32(len(g.nodes))
	grad, hess := 0.0, 0.0
	for _, i := range of {
		grad += g.grad[i]
		hess += g.hess[i]
	}
	g.nodes = append(g.nodes, node{feature: -1, value: -learnRate * grad / (hess + leafWeight)})
	if depth == 0 || hess < 2*leastLeaf {
		return at
	}
	feature, cut := g.split(of, grad, hess)
	if feature < 0 {
		return at
	}
	var left, right []int32
	for _, i := range of {
		if int(g.bin[feature][i]) <= cut {
			left = append(left, i)
		} else {
			right = append(right, i)
		}
	}
	l := g.grow(left, depth-1)
	r := g.grow(right, depth-1)
	g.nodes[at] = node{feature: feature, cut: g.cuts[feature][cut], left: l, right: r}
	return at
}

// split returns the feature and the cut that gain most; no feature, −1, if none
// gains anything.
func (g *grower) split(of []int32, grad, hess float64) (feature, cut int) {
	feature = -1
	gain := func(g, h float64) float64 { return g * g / (h + leafWeight) }
	best := gain(grad, hess) + 1e-6
	var gs, hs [maxCuts + 1]float64
	for f, cuts := range g.cuts {
		if len(cuts) == 0 {
			continue
		}
		clear(gs[:])
		clear(hs[:])
		for _, i := range of {
			b := g.bin[f][i]
			gs[b] += g.grad[i]
			hs[b] += g.hess[i]
		}
		lg, lh := 0.0, 0.0
		for c := range cuts {
			lg += gs[c]
			lh += hs[c]
			if lh < leastLeaf || hess-lh < leastLeaf {
				continue
			}
			if v := gain(lg, lh) + gain(grad-lg, hess-lh); v > best {
				best, feature, cut = v, f, c
			}
		}
	}
	return feature, cut
}

package intent

import (
	"encoding/json"
	"slices"
)

// kept is a model as it lies in a file. What was measured of it is in the report
// and is not kept twice.
type kept struct {
	Names  []string    `json:"names"`
	Method string      `json:"method"`
	Visits int         `json:"visits"`
	Orders int         `json:"orders"`
	Slope  float64     `json:"slope"`
	Offset float64     `json:"offset"`
	Usual  [][]float64 `json:"usual"`

	Linear *keptLinear `json:"linear,omitempty"`
	Forest *keptForest `json:"forest,omitempty"`
}

type keptLinear struct {
	Mean   []float64 `json:"mean"`
	Scale  []float64 `json:"scale"`
	Weight []float64 `json:"weight"`
}

type keptForest struct {
	Base  float64      `json:"base"`
	Trees [][]keptNode `json:"trees"`
}

// keptNode is a cut, with its feature, value, left and right; or a leaf with −1, its
// value, and nothing.
type keptNode struct {
	Feature int     `json:"f"`
	Value   float64 `json:"v"`
	Left    int32   `json:"l,omitempty"`
	Right   int32   `json:"r,omitempty"`
}

// Keepsake returns the model for [Remember].
func (m *Model) Keepsake() []byte {
	k := kept{Names: m.Names, Method: m.Method, Visits: m.Visits, Orders: m.Orders, Slope: m.slope, Offset: m.offset, Usual: m.usual}
	switch by := m.by.(type) {
	case *linear:
		k.Linear = &keptLinear{by.mean, by.scale, by.weight}
	case *forest:
		f := &keptForest{Base: by.base, Trees: make([][]keptNode, len(by.trees))}
		for i, tree := range by.trees {
			for _, n := range tree {
				one := keptNode{Feature: n.feature, Value: n.value}
				if n.feature >= 0 {
					one = keptNode{n.feature, n.cut, n.left, n.right}
				}
				f.Trees[i] = append(f.Trees[i], one)
			}
		}
		k.Forest = f
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return nil // unreachable: numbers that are fitted are finite
	}
	return raw
}

// Remember returns the model of the features of which [Model.Keepsake] gave the
// bytes, without what was measured of it. It is nil if they are none, or of other
// features.
func Remember(raw []byte, names []string) *Model {
	var k kept
	if json.Unmarshal(raw, &k) != nil || !slices.Equal(k.Names, names) || len(k.Usual) == 0 {
		return nil
	}
	n := len(k.Names)
	for _, u := range k.Usual {
		if len(u) != n {
			return nil
		}
	}
	m := &Model{Names: k.Names, Method: k.Method, Visits: k.Visits, Orders: k.Orders, slope: k.Slope, offset: k.Offset, usual: k.Usual}
	switch l, f := k.Linear, k.Forest; {
	case l != nil && f == nil && len(l.Mean) == n && len(l.Scale) == n && len(l.Weight) == n+1 && !slices.Contains(l.Scale, 0):
		m.by = &linear{l.Mean, l.Scale, l.Weight}
	case f != nil && l == nil:
		trees := make([][]node, len(f.Trees))
		for i, tree := range f.Trees {
			if len(tree) == 0 {
				return nil
			}
			for at, one := range tree {
				if one.Feature < 0 {
					trees[i] = append(trees[i], node{feature: -1, value: one.Value})
					continue
				}
				// Whoever walks a tree goes on in it, and so comes to an end.
				forward := func(to int32) bool { return int(to) > at && int(to) < len(tree) }
				if one.Feature >= n || !forward(one.Left) || !forward(one.Right) {
					return nil
				}
				trees[i] = append(trees[i], node{feature: one.Feature, cut: one.Value, left: one.Left, right: one.Right})
			}
		}
		m.by = &forest{f.Base, trees}
	default:
		return nil
	}
	return m
}

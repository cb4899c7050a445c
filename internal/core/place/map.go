package place

import (
	"cmp"
	"container/heap"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/golang/geo/s2"
)

// Map is the stores and fences of a shop. The zero Map has none. It is immutable
// and may be used by many goroutines.
type Map struct {
	stores []Store // by id
	points []s2.Point
	fences []*Fence // by name
	cells  map[s2.CellID][]int32
	levels []int // of the cells, coarse first
}

// New returns the map of the stores and fences; each store with a Fence gets one
// of the name [StoreFence]. Of two with one name the first counts: whoever reads
// definitions reports it.
func New(stores []Store, fences []*Fence) *Map {
	m := &Map{cells: map[s2.CellID][]int32{}}
	m.stores = slices.Clone(stores)
	slices.SortStableFunc(m.stores, func(a, b Store) int { return strings.Compare(a.ID, b.ID) })
	m.stores = slices.CompactFunc(m.stores, func(a, b Store) bool { return a.ID == b.ID })
	m.fences = slices.Clone(fences)
	for i := range m.stores {
		s := &m.stores[i]
		m.points = append(m.points, s.At.s2())
		if s.Fence > 0 {
			if f, err := Circle(StoreFence(s.ID), s.At, s.Fence); err == nil {
				f.Store = s.ID
				m.fences = append(m.fences, f)
			}
		}
	}
	slices.SortStableFunc(m.fences, func(a, b *Fence) int { return strings.Compare(a.Name, b.Name) })
	m.fences = slices.CompactFunc(m.fences, func(a, b *Fence) bool { return a.Name == b.Name })
	m.index()
	return m
}

// index covers each fence with a few cells, so that a point is compared with the
// fences around it only.
func (m *Map) index() {
	coverer := &s2.RegionCoverer{MaxLevel: 20, MaxCells: cellsOf}
	levels := map[int]bool{}
	for i, f := range m.fences {
		for _, c := range coverer.Covering(f.region) {
			m.cells[c] = append(m.cells[c], int32(i))
			levels[c.Level()] = true
		}
	}
	m.levels = slices.Sorted(maps.Keys(levels))
}

// Stores returns the stores in order of their ids. The caller must not change them.
func (m *Map) Stores() []Store {
	if m == nil {
		return nil
	}
	return m.stores
}

// Fences returns the fences in order of their names. The caller must not change them.
func (m *Map) Fences() []*Fence {
	if m == nil {
		return nil
	}
	return m.fences
}

// Store returns the store of the id; nil if there is none.
func (m *Map) Store(id string) *Store {
	if m == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(m.stores, id, func(s Store, id string) int { return strings.Compare(s.ID, id) })
	if !ok {
		return nil
	}
	return &m.stores[i]
}

// Fence returns the fence of the name; nil if there is none.
func (m *Map) Fence(name string) *Fence {
	if m == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(m.fences, name, func(f *Fence, name string) int { return strings.Compare(f.Name, name) })
	if !ok {
		return nil
	}
	return m.fences[i]
}

// Around returns the fences that hold the point, in order of their names.
func (m *Map) Around(p Point) []*Fence {
	if m == nil || len(m.fences) == 0 || !p.Valid() {
		return nil
	}
	at := p.s2()
	leaf := s2.CellIDFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lon))
	var found []int32
	for _, level := range m.levels {
		for _, i := range m.cells[leaf.Parent(level)] {
			if m.fences[i].inside(at) {
				found = append(found, i)
			}
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	list := make([]*Fence, len(found))
	for k, i := range found {
		list[k] = m.fences[i]
	}
	return list
}

// Near is a store and how far away it is.
type Near struct {
	Store  *Store
	Metres float64
}

// Nearest returns at most limit stores within metres of the point that pass, the
// nearest first; of two equally far, the first by id. Metres zero or less: however
// far. Pass is asked in that order and no more often than needed; nil: all pass.
func (m *Map) Nearest(p Point, metres float64, limit int, pass func(*Store) bool) []Near {
	if m == nil || limit <= 0 || !p.Valid() {
		return nil
	}
	at := p.s2()
	most := math.Inf(1)
	if metres > 0 {
		most = float64(angle(metres))
	}
	queue := make(nearest, 0, len(m.stores))
	for i := range m.points {
		if d := float64(at.Distance(m.points[i])); d <= most {
			queue = append(queue, candidate{d, int32(i)})
		}
	}
	heap.Init(&queue)
	var list []Near
	for len(queue) > 0 && len(list) < limit {
		c := queue[0]
		last := len(queue) - 1
		queue[0] = queue[last]
		if queue = queue[:last]; last > 0 {
			heap.Fix(&queue, 0)
		}
		if s := &m.stores[c.store]; pass == nil || pass(s) {
			list = append(list, Near{s, c.distance * EarthRadius})
		}
	}
	return list
}

type candidate struct {
	distance float64
	store    int32
}

// nearest is a heap: only as many are put in order as are asked for.
type nearest []candidate

func (q nearest) Len() int { return len(q) }
func (q nearest) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].distance, q[j].distance), cmp.Compare(q[i].store, q[j].store)) < 0
}
func (q nearest) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *nearest) Push(any)     {} // never grows
func (q *nearest) Pop() any     { return nil }

package place

import (
	"strconv"

	"github.com/golang/geo/s2"

	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// Limits of fences: a country's coast has a hundred thousand corners, and nobody
// is told apart by them.
const (
	MaxFences  = 20_000
	MaxCorners = 100_000  // of one fence
	MaxRadius  = 500_000. // metres: a circle around a city is a tenth of it
	// cellsOf is how many cells cover a fence in the index: more answer faster and
	// take more memory.
	cellsOf = 16
)

// Fence is an area with a name. It is immutable.
type Fence struct {
	Name   string
	Key    uint64 // under which a profile remembers it: of the name
	Store  string // the store whose surroundings it is; empty: none
	region s2.Region
	inside func(s2.Point) bool
}

// FenceKey returns the key under which a profile remembers the fence.
func FenceKey(name string) uint64 { return wire.Hash("fence", name) }

// Contains reports whether the point is within the fence.
func (f *Fence) Contains(p Point) bool { return f.inside(p.s2()) }

// Bound returns the middle and the radius in metres of a circle around the fence: of a
// circle it is the fence itself, of anything else it holds all of it and more.
func (f *Fence) Bound() (Point, float64) {
	c := f.region.CapBound()
	at := s2.LatLngFromPoint(c.Center())
	return Point{Lat: at.Lat.Degrees(), Lon: at.Lng.Degrees()}, c.Radius().Radians() * EarthRadius
}

// Circle returns the fence of all points at most radius metres from the middle.
func Circle(name string, middle Point, radius float64) (*Fence, error) {
	switch {
	case !middle.Valid():
		return nil, fault.New(fault.Invalid, "the middle of a circle is a latitude from -90 to 90 and a longitude from -180 to 180, and not 0, 0")
	case !(radius > 0 && radius <= MaxRadius):
		return nil, fault.New(fault.Invalid, "the radius of a circle is more than 0 and at most "+strconv.Itoa(MaxRadius/1000)+" km")
	}
	disc := s2.CapFromCenterAngle(middle.s2(), angle(radius))
	return &Fence{Name: name, Key: FenceKey(name), region: disc, inside: disc.ContainsPoint}, nil
}

// Polygon returns the fence of the rings: of each polygon the first is its rim and
// the others are holes. A ring may name its first corner again at its end, and may
// go either way round; where a ring crosses itself, its two sides lie inside by turns.
// Edges are the shortest ways between corners.
func Polygon(name string, polygons [][][]Point) (*Fence, error) {
	var loops []*s2.Loop
	corners := 0
	for _, rings := range polygons {
		for _, ring := range rings {
			if len(ring) > 1 && ring[0] == ring[len(ring)-1] {
				ring = ring[:len(ring)-1]
			}
			if corners += len(ring); corners > MaxCorners {
				return nil, fault.New(fault.TooLarge, "a fence has more than "+strconv.Itoa(MaxCorners)+" corners")
			}
			loop, err := loopOf(ring)
			if err != nil {
				return nil, err
			}
			loops = append(loops, loop)
		}
	}
	if len(loops) == 0 {
		return nil, fault.New(fault.Invalid, "a fence without corners holds nothing")
	}
	// Nested rings are rim and hole by turns, however they are wound.
	shape := s2.PolygonFromLoops(loops)
	return &Fence{Name: name, Key: FenceKey(name), region: shape, inside: shape.ContainsPoint}, nil
}

func loopOf(ring []Point) (*s2.Loop, error) {
	points := make([]s2.Point, 0, len(ring))
	for _, c := range ring {
		if !c.Valid() {
			return nil, fault.New(fault.Invalid, "a corner is a latitude from -90 to 90 and a longitude from -180 to 180, and not 0, 0")
		}
		if p := c.s2(); len(points) == 0 || p != points[len(points)-1] {
			points = append(points, p)
		}
	}
	if len(points) < 3 {
		return nil, fault.New(fault.Invalid, "a fence needs at least three corners")
	}
	loop := s2.LoopFromPoints(points)
	if err := loop.Validate(); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the corners of a fence make no area: "+err.Error())
	}
	loop.Normalize()
	return loop, nil
}

// Package place knows where things are: the shop's stores, with when they are
// open, and fences, areas that have a name.
//
// A [Map] holds the stores and fences of one program. It is immutable, answers in
// microseconds and never asks a clock: whether a store is open is a function of
// the instant, daylight saving and holidays included.
//
// Distances are along the surface of a sphere of the Earth's mean radius. That is
// wrong by half a percent at most, and a shopper does not walk in a straight line.
package place

import (
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// EarthRadius is the mean radius of the Earth in metres (IUGG).
const EarthRadius = 6_371_008.8

// Point is a place on the ground, in degrees (WGS 84).
type Point struct{ Lat, Lon float64 }

// Valid reports whether the point is on the Earth. 0, 0, in the Gulf of Guinea, is
// what broken clients send for "nowhere", and no shop is there.
func (p Point) Valid() bool {
	return p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180 && (p.Lat != 0 || p.Lon != 0)
}

func (p Point) s2() s2.Point { return s2.PointFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lon)) }

// Distance returns how far it is from p to q, in metres.
func (p Point) Distance(q Point) float64 {
	return s2.LatLngFromDegrees(p.Lat, p.Lon).Distance(s2.LatLngFromDegrees(q.Lat, q.Lon)).Radians() * EarthRadius
}

// angle is how far metres on the ground are as seen from the middle of the Earth.
func angle(metres float64) s1.Angle { return s1.Angle(metres / EarthRadius) }

// gridOf is how many steps a degree has in a [Grid]: 11 metres, about as good as
// a telephone knows where it is out of doors.
const gridOf = 10_000

// Grid is a point as it is kept of a person: rounded, so that it tells a shop and
// not a door.
type Grid struct{ Lat, Lon int32 }

// Round returns the grid point that is nearest to p.
func (p Point) Round() Grid {
	return Grid{int32(math.Round(p.Lat * gridOf)), int32(math.Round(p.Lon * gridOf))}
}

// Point returns the place that the grid point stands for.
func (g Grid) Point() Point { return Point{float64(g.Lat) / gridOf, float64(g.Lon) / gridOf} }

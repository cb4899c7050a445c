package profile

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/place"
	"rapport/internal/core/wire"
)

// Whereabouts is where the customer was last. The town is what the address of the
// network tells and needs no consent; the point on the grid is kept only while the
// customer agrees to [event.LocationPurpose], and forgotten with the consent.
type Whereabouts struct {
	Country string // ISO 3166, two letters
	Region  string
	City    string
	TownAt  event.Time // when they were there; zero: not known

	Point   place.Grid
	PointAt event.Time // zero: not known
}

// Visit is a stay within a fence, or in a store.
type Visit struct {
	Key     uint64     // of the fence: [place.FenceKey]
	Entered event.Time // when they were first seen there
	Last    event.Time // when last
	In      bool       // nothing else was heard of since
}

// MaxVisits bounds the fences and stores of which visits are remembered, one each:
// those that were left longest ago go first.
const MaxVisits = 48

// Locatable reports whether precise places may be kept of the customer: they
// agreed on some channel, and refused on none.
func (p *Profile) Locatable(now event.Time) bool {
	agreed := false
	for i := range p.Consents {
		c := &p.Consents[i]
		if c.Purpose != event.LocationPurpose {
			continue
		}
		if !c.Granted {
			return false
		}
		agreed = agreed || c.Expires == 0 || now < c.Expires
	}
	return agreed
}

// foldWhere notes where an event says that the customer is. A place that is older
// than the one that is known changes nothing.
func (p *Profile) foldWhere(e *event.Event, now event.Time, f *Folded) {
	if f.Consent && p.Where.PointAt != 0 && !p.Locatable(now) {
		p.Where.Point, p.Where.PointAt, p.Visits, f.Place = place.Grid{}, 0, nil, true
	}
	if e.Trust == event.Own || e.Context == "" && e.Props == "" {
		return
	}
	country, city := e.Context.Text("location.country"), e.Context.Text("location.city")
	if (country != "" || city != "") && e.At >= p.Where.TownAt {
		region := e.Context.Text("location.region")
		w := &p.Where
		if w.Country != country || w.Region != region || w.City != city {
			w.Country, w.Region, w.City = clip(country, 64), clip(region, 64), clip(city, 64)
			f.Place = true
		}
		w.TownAt = e.At
	}
	at, ok := pointOf(e)
	if !ok || e.At < p.Where.PointAt || !p.Locatable(now) {
		return
	}
	p.Where.Point, p.Where.PointAt = at.Round(), e.At
	f.Place, f.Located = true, true
}

// pointOf returns the point that an event names.
func pointOf(e *event.Event) (place.Point, bool) {
	for _, from := range [...]struct {
		o        event.Object
		lat, lon string
	}{{e.Context, "location.latitude", "location.longitude"}, {e.Props, "latitude", "longitude"}} {
		if from.lat == "latitude" && e.Name != event.LocationReported {
			continue
		}
		lat, ok1 := from.o.Get(from.lat)
		lon, ok2 := from.o.Get(from.lon)
		if !ok1 || !ok2 {
			continue
		}
		y, ok1 := lat.Float()
		x, ok2 := lon.Float()
		if p := (place.Point{Lat: y, Lon: x}); ok1 && ok2 && p.Valid() {
			return p, true
		}
	}
	return place.Point{}, false
}

// Enter notes that the customer is within exactly the fences of the keys, which
// are sorted: those that they were in before are left. A visit begins anew when
// they were elsewhere meanwhile, or not heard of for longer than stay: whoever
// comes back tomorrow enters again.
func (p *Profile) Enter(keys []uint64, at, stay event.Time) {
	visits := slices.Clone(p.Visits)
	for i := range visits {
		if _, still := slices.BinarySearch(keys, visits[i].Key); !still && visits[i].Last <= at {
			visits[i].In = false
		}
	}
	for _, key := range keys {
		visits = visit(visits, Visit{key, at, at, true}, stay)
	}
	p.Visits = visits
}

// Drop notes that the customer was in a store, whether or not anything is known
// of their way there.
func (p *Profile) Drop(key uint64, at, stay event.Time) {
	p.Visits = visit(slices.Clone(p.Visits), Visit{key, at, at, false}, stay)
}

// visit adds what was seen to visits, which it may change.
func visit(visits []Visit, seen Visit, stay event.Time) []Visit {
	i, found := slices.BinarySearchFunc(visits, seen.Key, func(v Visit, key uint64) int { return cmp.Compare(v.Key, key) })
	if found {
		v := &visits[i]
		switch {
		case seen.Entered >= v.Last && seen.Entered-v.Last <= stay && (v.In || !seen.In):
			v.Last, v.In = seen.Last, seen.In || v.In // it goes on
		case seen.Entered >= v.Last:
			*v = seen
		case seen.Entered < v.Entered && v.Entered-seen.Entered <= stay:
			v.Entered = seen.Entered // heard late
		}
		return visits
	}
	return newest(slices.Insert(visits, i, seen))
}

// newest drops the visits that ended first, which it may do in place.
func newest(visits []Visit) []Visit {
	for len(visits) > MaxVisits {
		oldest := 0
		for j := range visits {
			if visits[j].Last < visits[oldest].Last {
				oldest = j
			}
		}
		visits = slices.Delete(visits, oldest, oldest+1)
	}
	return visits
}

// Visited returns the last visit of the key, and whether there was one.
func (p *Profile) Visited(key uint64) (Visit, bool) {
	i, found := slices.BinarySearchFunc(p.Visits, key, func(v Visit, key uint64) int { return cmp.Compare(v.Key, key) })
	if !found {
		return Visit{}, false
	}
	return p.Visits[i], true
}

// joinWhere takes in where a strand was.
func (p *Profile) joinWhere(s *Profile) {
	a, b := &p.Where, &s.Where
	if b.TownAt > a.TownAt || b.TownAt == a.TownAt && strings.Compare(b.City, a.City) > 0 {
		a.Country, a.Region, a.City, a.TownAt = b.Country, b.Region, b.City, b.TownAt
	}
	if b.PointAt > a.PointAt || b.PointAt == a.PointAt && cmp.Or(cmp.Compare(b.Point.Lat, a.Point.Lat), cmp.Compare(b.Point.Lon, a.Point.Lon)) > 0 {
		a.Point, a.PointAt = b.Point, b.PointAt
	}
	visits := slices.Clone(p.Visits)
	for _, v := range s.Visits {
		i, found := slices.BinarySearchFunc(visits, v.Key, func(v Visit, key uint64) int { return cmp.Compare(v.Key, key) })
		switch {
		case !found:
			visits = slices.Insert(visits, i, v)
		case cmp.Or(cmp.Compare(v.Last, visits[i].Last), cmp.Compare(visits[i].Entered, v.Entered)) > 0:
			visits[i] = v
		case v.Last == visits[i].Last && v.Entered == visits[i].Entered:
			visits[i].In = visits[i].In && v.In
		}
	}
	p.Visits = newest(visits)
	if len(visits) == 0 {
		p.Visits = nil
	}
}

func (p *Profile) nowhere() bool { return p.Where == Whereabouts{} && len(p.Visits) == 0 }

func (p *Profile) appendWhere(dst []byte) []byte {
	w := &p.Where
	dst = wire.Text(dst, w.Country)
	dst = wire.Text(dst, w.Region)
	dst = wire.Text(dst, w.City)
	dst = wire.Varint(dst, int64(w.TownAt))
	dst = wire.Varint(dst, int64(w.Point.Lat))
	dst = wire.Varint(dst, int64(w.Point.Lon))
	dst = wire.Varint(dst, int64(w.PointAt))
	dst = wire.Uvarint(dst, uint64(len(p.Visits)))
	for i := range p.Visits {
		v := &p.Visits[i]
		dst = wire.Fixed(dst, v.Key)
		dst = wire.Varint(dst, int64(v.Entered))
		dst = wire.Varint(dst, int64(v.Last-v.Entered))
		dst = wire.Bool(dst, v.In)
	}
	return dst
}

func (p *Profile) readWhere(r *wire.Reader) {
	w := &p.Where
	w.Country, w.Region, w.City, w.TownAt = r.Text(), r.Text(), r.Text(), event.Time(r.Varint())
	w.Point = place.Grid{Lat: int32(r.Varint()), Lon: int32(r.Varint())}
	w.PointAt = event.Time(r.Varint())
	p.Visits = read(r, 11, func(r *wire.Reader) (v Visit) {
		v.Key, v.Entered = r.Fixed(), event.Time(r.Varint())
		v.Last, v.In = v.Entered+event.Time(r.Varint()), r.Bool()
		return v
	})
}

package condition

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	atlas "rapport/internal/core/place"
	"rapport/internal/core/spec"
)

// seenWithin is how old the last place of a customer may be where the question
// does not say: yesterday's place says nothing of where somebody is.
const seenWithin = 24 * time.Hour

// nearNode asks how far the customer's last place is from a store, from any store,
// or from a point.
type nearNode struct {
	places *atlas.Map
	store  string // of one store; empty: any, or the point
	at     atlas.Point
	point  bool
	within float64 // metres; zero: however far
	beyond float64 // metres: at least so far
	open   bool    // any: of stores that are open then
	seen   event.Time
}

// fresh says whether a place of the instant still counts at now, and when that
// changes.
func fresh(at, now, seen event.Time) (bool, event.Time) {
	switch {
	case at == 0:
		return false, event.Never
	case at > now:
		return false, at
	case now < plus(at, seen):
		return true, plus(at, seen)
	}
	return false, event.Never
}

func (n *nearNode) eval(c Context) (bool, event.Time) {
	is, until, _ := n.look(c)
	return is, until
}

// look also returns the distance, or a negative number if nothing is there.
func (n *nearNode) look(c Context) (is bool, until event.Time, metres float64) {
	counts, until := fresh(c.P.Where.PointAt, c.Now, n.seen)
	if !counts {
		return false, until, -1
	}
	from := c.P.Where.Point.Point()
	if n.point || n.store != "" {
		metres = from.Distance(n.at)
		return n.fits(metres), until, metres
	}
	if !n.open {
		near := n.places.Nearest(from, 0, 1, nil)
		if len(near) == 0 {
			return false, until, -1
		}
		return n.fits(near[0].Metres), until, near[0].Metres
	}
	// Of the stores around, some open and close before the place is too old.
	metres = -1
	n.places.Nearest(from, n.within, maxOpen, func(s *atlas.Store) bool {
		open, known, change := s.Open(c.Now)
		if known {
			until = min(until, change)
		}
		if d := from.Distance(s.At); open && metres < 0 && d >= n.beyond {
			metres = d
		}
		return true
	})
	return metres >= 0, until, metres
}

// maxOpen bounds the stores that are asked whether they are open: a customer in
// the middle of a city has a few dozen around.
const maxOpen = 200

func (n *nearNode) fits(metres float64) bool {
	return (n.within == 0 || metres <= n.within) && metres >= n.beyond
}

func (n *nearNode) because(c Context, out *[]Reason) {
	is, _, metres := n.look(c)
	r := Reason{Kind: "place", Holds: is, What: n.words(!is), At: c.P.Where.PointAt}
	if metres >= 0 {
		r.Value = sayMetres(metres) + " away"
	}
	*out = append(*out, r)
}

func (n *nearNode) mention(d *Deps) { d.Place = true }

func (n *nearNode) words(not bool) string {
	s := "is "
	if not {
		s = "is not "
	}
	switch {
	case n.within > 0 && n.beyond > 0:
		s += sayMetres(n.beyond) + " to " + sayMetres(n.within) + " from "
	case n.beyond > 0:
		s += "at least " + sayMetres(n.beyond) + " from "
	default:
		s += "within " + sayMetres(n.within) + " of "
	}
	switch {
	case n.point:
		s += "a point"
	case n.store != "":
		s += "the store " + n.store
	case n.open:
		s += "an open store"
	default:
		s += "a store"
	}
	return s + ", seen in the last " + sayDuration(n.seen.Sub(0))
}

func (n *nearNode) canon(b *strings.Builder) {
	float := func(f float64) string { return " " + strconv.FormatFloat(f, 'g', -1, 64) }
	b.WriteString("near " + strconv.Quote(n.store) + float(n.at.Lat) + float(n.at.Lon) + float(n.within) + float(n.beyond) + " " + strconv.FormatBool(n.open) + " " + strconv.FormatInt(int64(n.seen), 10))
}

// sayMetres returns a distance in words.
func sayMetres(m float64) string {
	if m < 1000 {
		return strconv.FormatFloat(m, 'f', 0, 64) + " m"
	}
	return strings.TrimSuffix(strconv.FormatFloat(m/1000, 'f', 1, 64), ".0") + " km"
}

func parseNear(p *parser, _, v spec.Node, _ int) node {
	const example = "near: {store: any, within: 2km}"
	if v.Kind != spec.Map {
		return p.fail(v.Pos, example, "near takes a store or a point, and a distance")
	}
	p.known(v, "", []string{"store", "lat", "lon", "within", "beyond", "open", "seen_within"})
	n := &nearNode{places: p.env.Places, seen: span(seenWithin)}
	store, named := v.Get("store")
	lat, ok1 := v.Get("lat")
	lon, ok2 := v.Get("lon")
	switch {
	case named == (ok1 || ok2):
		return p.fail(v.Pos, example, "near is a store, or lat and lon of a point")
	case named:
		id, ok := p.text(store, "the id of a store, or any", example)
		if !ok {
			return nil
		}
		if id != "any" {
			s := p.env.Places.Store(id)
			if s == nil {
				return p.noStore(store, id)
			}
			n.store, n.at = id, s.At
		}
	default:
		y, err1 := strconv.ParseFloat(lat.Text, 64)
		x, err2 := strconv.ParseFloat(lon.Text, 64)
		n.at, n.point = atlas.Point{Lat: y, Lon: x}, true
		if err1 != nil || err2 != nil || !n.at.Valid() {
			return p.fail(v.Pos, "near: {lat: 51.5074, lon: -0.1278, within: 2km}", "this is no point on the ground")
		}
	}
	for _, d := range [...]struct {
		key string
		to  *float64
	}{{"within", &n.within}, {"beyond", &n.beyond}} {
		if v, there := v.Get(d.key); there {
			m, ok := atlas.Metres(v.Text)
			if !ok {
				return p.fail(v.Pos, d.key+": 2km", "%s: %q is no distance: a number of m or km", d.key, v.Text)
			}
			*d.to = m
		}
	}
	if n.within == 0 && n.beyond == 0 || n.within > 0 && n.within < n.beyond {
		return p.fail(v.Pos, example, "near needs a distance: within, beyond, or both with beyond the smaller")
	}
	if open, there := v.Get("open"); there {
		if n.open = open.Text == "true"; open.Kind != spec.Bool || n.open && (n.point || n.store != "" || n.within == 0) {
			return p.fail(open.Pos, "near: {store: any, within: 2km, open: true}", "open goes with store: any and within")
		}
	}
	if seen, there := v.Get("seen_within"); there {
		var ok bool
		if n.seen, ok = p.duration(seen, "seen_within"); !ok {
			return nil
		}
	}
	return n
}

// noStore reports that there is no store of the id.
func (p *parser) noStore(v spec.Node, id string) node {
	stores := p.env.Places.Stores()
	if len(stores) == 0 {
		return p.fail(v.Pos, "rapport import stores FILE, or stores/soho.yaml", "there are no stores")
	}
	ids := make([]string, len(stores))
	for i := range stores {
		ids[i] = stores[i].ID
	}
	return p.fail(v.Pos, Nearest(id, ids), "there is no store %q", id)
}

package place

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/spec"
	"rapport/internal/fault"
)

// Env is what reading places needs of its surroundings.
type Env struct {
	Zone  *time.Location              // the shop's own, for stores that name none
	Zones func(string) *time.Location // nil if there is no such zone
}

// Bounds of one definition: a name stands in conditions and reports, a staff list
// on a page.
const (
	maxName = 100
	maxText = 200
	maxList = 200
	maxDays = 400 // exceptions: a year of them, and the next Christmas
)

var storeKeys = []string{
	"store", "name", "kind", "lat", "lon", "street", "city", "region", "postal", "country", "phone", "zone", "hours", "holidays", "stock", "staff", "services", "fence",
}

// ParseStore reads one store; false if something is wrong with it, which is in ps.
func ParseStore(n spec.Node, env *Env, ps *spec.Problems) (Store, bool) {
	r := reader{ps: ps, good: true}
	if n.Kind != spec.Map {
		r.bad(n.Pos, "store: soho", "a store is a map")
		return Store{}, false
	}
	r.known(n, "a store", storeKeys)
	s := Store{
		ID: r.text(n, "store", maxName), Name: r.text(n, "name", maxText), Kind: r.text(n, "kind", maxName), Street: r.text(n, "street", maxText),
		City: r.text(n, "city", maxText), Region: r.text(n, "region", maxText), Postal: r.text(n, "postal", maxName), Country: strings.ToUpper(r.text(n, "country", maxName)),
		Phone: r.text(n, "phone", maxName), Stock: r.text(n, "stock", maxText), Staff: r.texts(n, "staff"), Services: r.texts(n, "services"), Zone: env.Zone,
	}
	if s.ID == "" {
		r.bad(n.Pos, "store: soho", "a store needs an id: receipts, stock and conditions name it")
	}
	s.At = r.point(n, n.Pos)
	if s.Stock == "" {
		s.Stock = s.ID
	}
	if zone := r.text(n, "zone", maxName); zone != "" {
		if s.Zone = env.Zones(zone); s.Zone == nil {
			r.bad(where(n, "zone"), "Europe/London", "there is no time zone %q", zone)
		}
	}
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	if v, ok := n.Get("hours"); ok {
		s.Hours.Known = true
		r.week(v, &s.Hours)
	}
	if v, ok := n.Get("holidays"); ok {
		r.holidays(v, &s.Hours)
	}
	if v, ok := n.Get("fence"); ok {
		s.Fence = r.distance(v)
		if s.Fence > MaxRadius {
			r.bad(v.Pos, "300m", "the surroundings of a store reach %s at most", strconv.Itoa(MaxRadius/1000)+"km")
		}
	}
	return s, r.good
}

// ParseFence reads one fence; nil if something is wrong with it, which is in ps.
func ParseFence(n spec.Node, ps *spec.Problems) *Fence {
	r := reader{ps: ps, good: true}
	const example = "fence: city-centre, circle: {lat: 51.5, lon: -0.12, radius: 800m}"
	if n.Kind != spec.Map {
		r.bad(n.Pos, example, "a fence is a map")
		return nil
	}
	r.known(n, "a fence", []string{"fence", "circle", "polygon"})
	name := r.text(n, "fence", maxName)
	if name == "" || strings.HasPrefix(name, "store/") {
		r.bad(n.Pos, example, "a fence needs a name, and store/… are the surroundings of stores")
		return nil
	}
	circle, round := n.Get("circle")
	corners, cornered := n.Get("polygon")
	if round == cornered {
		r.bad(n.Pos, example, "a fence is a circle or a polygon")
		return nil
	}
	var f *Fence
	var err error
	if round {
		r.known(circle, "a circle", []string{"lat", "lon", "radius"})
		radius, _ := circle.Get("radius")
		middle := r.point(circle, circle.Pos)
		metres := r.distance(radius)
		if !r.good {
			return nil
		}
		f, err = Circle(name, middle, metres)
	} else {
		ring := make([]Point, 0, len(corners.Items))
		for _, c := range corners.Items {
			if len(c.Items) != 2 {
				r.bad(c.Pos, "[51.5081, -0.0759]", "a corner is its latitude and longitude")
				return nil
			}
			ring = append(ring, Point{r.number(c.Items[0], 90), r.number(c.Items[1], 180)})
		}
		if !r.good {
			return nil
		}
		f, err = Polygon(name, [][][]Point{{ring}})
	}
	if err != nil {
		_, why := fault.Of(err)
		r.bad(n.Pos, "", "the fence %s: %s", name, why)
		return nil
	}
	return f
}

type reader struct {
	ps   *spec.Problems
	good bool
}

func (r *reader) bad(pos spec.Pos, instead, what string, args ...any) {
	r.good = false
	r.ps.Add(pos, instead, what, args...)
}

func (r *reader) known(n spec.Node, what string, keys []string) {
	for i, f := range n.Fields {
		switch {
		case !slices.Contains(keys, f.Key):
			r.bad(f.Pos, "one of "+strings.Join(keys, ", "), "%q is no part of %s", f.Key, what)
		case slices.ContainsFunc(n.Fields[:i], func(g spec.Field) bool { return g.Key == f.Key }):
			r.bad(f.Pos, "", "%s is said twice", f.Key)
		}
	}
}

func where(n spec.Node, key string) spec.Pos {
	if v, ok := n.Get(key); ok {
		return v.Pos
	}
	return n.Pos
}

func (r *reader) text(n spec.Node, key string, most int) string {
	v, ok := n.Get(key)
	if !ok || v.Kind == spec.Null {
		return ""
	}
	if !v.Scalar() || len(v.Text) > most {
		r.bad(v.Pos, "", "%s is a text of at most %d bytes", key, most)
		return ""
	}
	return strings.TrimSpace(v.Text)
}

func (r *reader) texts(n spec.Node, key string) (list []string) {
	v, ok := n.Get(key)
	if !ok || v.Kind == spec.Null {
		return nil
	}
	if v.Kind != spec.List || len(v.Items) > maxList {
		r.bad(v.Pos, key+": [one, two]", "%s is a list of at most %d texts", key, maxList)
		return nil
	}
	for _, item := range v.Items {
		if !item.Scalar() || len(item.Text) > maxText {
			r.bad(item.Pos, "", "a text of at most %d bytes is expected", maxText)
			return nil
		}
		list = append(list, strings.TrimSpace(item.Text))
	}
	return list
}

func (r *reader) number(v spec.Node, most float64) float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(v.Text), 64)
	if err != nil || !v.Scalar() || !(f >= -most && f <= most) {
		r.bad(v.Pos, "lat: 51.5074, lon: -0.1278", "%q is no number of degrees from %v to %v", v.Text, -most, most)
		return 0
	}
	return f
}

func (r *reader) point(n spec.Node, pos spec.Pos) Point {
	lat, ok1 := n.Get("lat")
	lon, ok2 := n.Get("lon")
	if !ok1 || !ok2 {
		r.bad(pos, "lat: 51.5074, lon: -0.1278", "its place is not named: lat and lon, in degrees")
		return Point{}
	}
	p := Point{r.number(lat, 90), r.number(lon, 180)}
	if r.good && !p.Valid() {
		r.bad(lat.Pos, "lat: 51.5074, lon: -0.1278", "0, 0 is in the sea off Africa: it stands for a place that is not known")
	}
	return p
}

func (r *reader) distance(v spec.Node) float64 {
	m, ok := Metres(v.Text)
	if !ok || !v.Scalar() {
		r.bad(v.Pos, "500m or 2km", "%q is no distance: a number of m or km", v.Text)
	}
	return m
}

// Metres reads a distance: "500m", "2km", "1.5 km", "3mi".
func Metres(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	for _, unit := range [...]struct {
		name   string
		metres float64
	}{{"km", 1000}, {"mi", 1609.344}, {"m", 1}} {
		number, ok := strings.CutSuffix(s, unit.name)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		f *= unit.metres
		return f, err == nil && f > 0 && f < EarthRadius*4
	}
	return 0, false
}

var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// week reads the hours of a week: days and runs of days, each with its spans.
func (r *reader) week(n spec.Node, h *Hours) {
	const example = `hours: {mon-fri: "09:00-18:00", sat: "09:00-12:00, 13:00-17:00", sun: closed}`
	if n.Kind != spec.Map {
		r.bad(n.Pos, example, "hours are a map of weekdays")
		return
	}
	for _, f := range n.Fields {
		first, last, run := strings.Cut(strings.ToLower(f.Key), "-")
		from, to := slices.Index(weekdays[:], first), slices.Index(weekdays[:], last)
		switch {
		case f.Key == "daily":
			from, to = 1, 0
		case !run:
			to = from
		}
		if from < 0 || to < 0 {
			r.bad(f.Pos, example, "%q is no weekday: mon, tue, wed, thu, fri, sat, sun, a run of them such as mon-fri, or daily", f.Key)
			continue
		}
		spans, ok := r.spans(f.Value)
		if !ok {
			return
		}
		for day := from; ; day = (day + 1) % 7 {
			h.Week[day] = spans
			if day == to {
				break
			}
		}
	}
}

func (r *reader) holidays(n spec.Node, h *Hours) {
	const example = `holidays: {"12-25": closed, "2026-12-24": "09:00-14:00"}`
	if n.Kind != spec.Map || len(n.Fields) > maxDays {
		r.bad(n.Pos, example, "holidays are a map of at most %d days", maxDays)
		return
	}
	for _, f := range n.Fields {
		text, year := f.Key, true
		if len(text) == len("12-25") {
			text, year = "2024-"+text, false // a leap year: 29 February is a day
		}
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			r.bad(f.Pos, example, "%q is no day: 2026-12-25, or 12-25 for every year", f.Key)
			return
		}
		spans, ok := r.spans(f.Value)
		if !ok {
			return
		}
		day := Day{t.Year(), t.Month(), t.Day()}
		if !year {
			day.Year = 0
		}
		h.Exceptions = append(h.Exceptions, Exception{day, spans})
	}
	slices.SortFunc(h.Exceptions, func(a, b Exception) int { return compareDay(a.Day, b.Day) })
}

// spans reads "09:00-12:00, 13:00-18:00", a list of such, or closed.
func (r *reader) spans(v spec.Node) ([]Span, bool) {
	text := v.Text
	if v.Kind == spec.List {
		var parts []string
		for _, item := range v.Items {
			parts = append(parts, item.Text)
		}
		text = strings.Join(parts, ",")
	}
	spans, ok := Spans(text)
	if !ok || v.Kind == spec.Map || v.Kind == spec.Null {
		r.bad(v.Pos, `"09:00-18:00", "09:00-12:00, 13:00-18:00" or closed`, "%q are no opening hours", v.Text)
		return nil, false
	}
	return spans, true
}

// Spans reads opening hours of one day: "09:00-12:00, 13:00-18:00"; none if it is
// "closed". What ends at or before its beginning ends on the next day.
func Spans(text string) (spans []Span, ok bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "closed" {
		return nil, true
	}
	for part := range strings.SplitSeq(text, ",") {
		a, b, found := strings.Cut(strings.ReplaceAll(strings.TrimSpace(part), "–", "-"), "-")
		from, ok1 := minuteOf(strings.TrimSpace(a))
		to, ok2 := minuteOf(strings.TrimSpace(b))
		if !found || !ok1 || !ok2 || from == 24*60 {
			return nil, false
		}
		if to <= from {
			to += 24 * 60
		}
		if len(spans) > 0 && spans[len(spans)-1].To > from {
			return nil, false // they overlap, or are not in order
		}
		spans = append(spans, Span{from, to})
	}
	return spans, len(spans) > 0
}

func minuteOf(s string) (int, bool) {
	h, m, found := strings.Cut(s, ":")
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if !found || err1 != nil || err2 != nil || len(m) != 2 || hour < 0 || minute < 0 || minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return 0, false
	}
	return hour*60 + minute, true
}

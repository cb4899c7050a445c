package condition

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// taste is one affinity: how interest is spread over what products have. It is a
// question of the [Set], made again from the history where its rules change.
type taste struct {
	name   string
	paths  []string // where events say it; the first that is there counts
	half   int64    // in seconds
	weigh  []weight // by name of the event
	where  []*filter
	bands  []money.Micros // ascending: what is said is a number, and counts as its band
	key    uint64
	number int
}

// weight is what one event says about interest.
type weight struct {
	event string
	of    profile.Points
}

// The affinities that need no definition, and what all start from: looking says
// little, putting into the cart more, buying most.
var (
	tastePaths = map[string][]string{
		"category":   {"category", "products.category"},
		"brand":      {"brand", "products.brand"},
		"colour":     {"colour", "color", "products.colour", "products.color"},
		"price_band": {"price", "products.price"},
	}
	tasteWeights = []weight{
		{event.OrderCompleted, 6 * profile.OnePoint}, {event.ProductAdded, 3 * profile.OnePoint}, {event.ProductViewed, profile.OnePoint},
	}
	priceBands = []money.Micros{10 * money.One, 25 * money.One, 50 * money.One, 100 * money.One, 250 * money.One}
)

// tasteHalf is the half-life of an affinity that names none.
const tasteHalf = 60 * 24 * 60 * 60

func (t *taste) canon() string {
	b := strconv.AppendQuote([]byte("affinity "), t.name)
	b = strconv.AppendInt(append(b, " half "...), t.half, 10)
	for _, p := range t.paths {
		b = strconv.AppendQuote(append(b, " of "...), p)
	}
	for _, w := range t.weigh {
		b = strconv.AppendInt(strconv.AppendQuote(append(b, " weigh "...), w.event), int64(w.of), 10)
	}
	for _, f := range t.where {
		b = append(append(b, " where "...), f.canon()...)
	}
	for _, m := range t.bands {
		b = strconv.AppendInt(append(b, " band "...), int64(m), 10)
	}
	return string(b)
}

func (t *taste) names() []string {
	names := make([]string, len(t.weigh))
	for i := range t.weigh {
		names[i] = t.weigh[i].event
	}
	return names
}

// hear weighs an event. P is the caller's own copy.
func (t *taste) hear(p *profile.Profile, e *event.Event, order *event.Order, _ profile.Session, now event.Time) bool {
	i, known := slices.BinarySearchFunc(t.weigh, e.Name, func(w weight, name string) int { return strings.Compare(w.event, name) })
	if !known || mechanical(e) {
		return false
	}
	for _, f := range t.where {
		if !f.holds(e, order) {
			return false
		}
	}
	var few [8]string
	names := t.said(few[:0], e)
	if len(names) == 0 {
		return false
	}
	old := p.TasteOf(t.key)
	if old == nil {
		old = &profile.Taste{Key: t.key, Half: t.half}
	}
	p.Tastes = place(p.Tastes, old.Weigh(e.At, names, t.weigh[i].of, now), func(t *profile.Taste) uint64 { return t.Key })
	return true
}

// said appends what the event is about, each once.
func (t *taste) said(dst []string, e *event.Event) []string {
	for _, path := range t.paths {
		each(e.Props, path, func(v event.Value) bool {
			if v.Kind != event.String && v.Kind != event.Number {
				return true
			}
			name := strings.TrimSpace(v.Raw)
			if t.bands != nil {
				m, err := money.Parse(name)
				if err != nil {
					return true
				}
				name = bandOf(m, t.bands)
			}
			if name != "" && len(name) <= profile.MaxLiking && !slices.Contains(dst, name) {
				dst = append(dst, name)
			}
			return len(dst) < profile.MaxLikings
		})
		if len(dst) > 0 {
			return dst
		}
	}
	return dst
}

// bandOf returns the name of the band of an amount: "under 10", "10 to 25", "25
// and over".
func bandOf(m money.Micros, bands []money.Micros) string {
	say := func(m money.Micros) string { return strings.TrimSuffix(m.String(), ".00") }
	for i, upto := range bands {
		switch {
		case m >= upto:
		case i == 0:
			return "under " + say(upto)
		default:
			return say(bands[i-1]) + " to " + say(upto)
		}
	}
	return say(bands[len(bands)-1]) + " and over"
}

// bandNames returns the names of all bands.
func bandNames(bands []money.Micros) []string {
	names := []string{bandOf(bands[0]-1, bands)}
	for _, m := range bands {
		names = append(names, bandOf(m, bands))
	}
	return names
}

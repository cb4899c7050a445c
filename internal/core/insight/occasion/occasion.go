// Package occasion finds what happens in customers' lives from what they buy: a
// new baby, a move, and the gift that is bought every November.
//
// A shop declares which occasions it wants to know of, by what categories show
// them ([Parse]); nothing is looked for that nobody declared. One category shows
// nothing: whoever buys nappies may be an aunt. It takes at least two, within a
// time. Each says by how much likelier it is among those who have the occasion,
// and from the share of customers who have it at all the chance follows
// ([Definition.Detect]). These numbers are the shop's own statement, and the
// evidence names the purchases, so that a person can judge it.
//
// What is found is about a private life. Every definition names the purpose to
// which the customer must have agreed; [Set.Allows] is what the core asks before
// it keeps anything.
package occasion

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// Prefix begins the names of predictions about occasions.
const Prefix = "occasion."

// LeastSignals is how many different signals it takes at least: one category is no
// occasion, whatever a definition says.
const LeastSignals = 2

// Definition is an occasion that a shop wants to know of.
type Definition struct {
	Name    string
	Label   string
	Purpose string // of the consent without which nothing is kept
	Signals []Signal
	AtLeast int           // different signals; LeastSignals or more
	Within  time.Duration // between the first and the last of them
	InOrder bool          // the signals come in the order declared
	Begins  time.Duration // after the first signal; negative: before it
	Lasts   time.Duration // from its beginning
	Share   float64       // of customers who have the occasion at any time
	Yearly  bool          // instead of signals: whatever is bought in the same month every year
	Only    []string      // of Yearly: categories; none means each that is bought
}

// Signal is a group of categories that show the same thing.
type Signal struct {
	Name       string
	Categories []string
	// Strength is how many times likelier a purchase of them is among those who have
	// the occasion. One that is only looked at counts as the square root of it.
	Strength float64
}

// What a definition has where it does not say.
const (
	defaultStrength = 10
	defaultShare    = 0.02
	defaultWithin   = 60 * 24 * time.Hour
	defaultLasts    = 365 * 24 * time.Hour
)

// Sign is something that a customer did with a category.
type Sign struct {
	At       event.Time
	Category string
	Bought   bool // else it was looked at or put into the cart
}

// Seen is a signal that was seen.
type Seen struct {
	Signal string
	Sign
}

// Found is an occasion of one customer.
type Found struct {
	Name        string
	Label       string
	Probability float64
	Start       event.Time
	End         event.Time // when it is expected to be over
	Seen        []Seen     // the first of each signal, by instant
	Years       int        // of a yearly one: in how many it was so, one after the other
}

// Matches reports whether a category, which may be a path such as "Baby > Nappies"
// or "baby/nappies", is one of the signal's or below it.
func (s *Signal) Matches(category string) bool { return matches(s.Categories, category) }

func matches(list []string, category string) bool {
	for part := range strings.FieldsFuncSeq(category, func(r rune) bool { return r == '>' || r == '/' || r == '|' }) {
		part = strings.TrimSpace(part)
		for _, c := range list {
			if strings.EqualFold(c, part) {
				return true
			}
		}
	}
	return slices.ContainsFunc(list, func(c string) bool { return strings.EqualFold(c, category) })
}

// Detect returns the occasion that goes on at now, by the signs of one customer,
// which are in order. It reports false if there is none.
func (d *Definition) Detect(signs []Sign, now event.Time) (Found, bool) {
	var seen []Seen
	for _, s := range signs {
		if s.At > now {
			break
		}
		for i := range d.Signals {
			if d.Signals[i].Matches(s.Category) {
				seen = append(seen, Seen{d.Signals[i].Name, s})
			}
		}
	}
	for first := 0; first < len(seen); first++ {
		found, ok := d.from(seen[first:])
		if !ok {
			continue
		}
		if now < found.End {
			return found, true
		}
		// It is over: what comes after its end may be another.
		for first+1 < len(seen) && seen[first+1].At < found.End {
			first++
		}
	}
	return Found{}, false
}

// from returns the occasion that begins with the first of what was seen.
func (d *Definition) from(seen []Seen) (Found, bool) {
	start := seen[0].At
	f := Found{Name: d.Name, Label: d.Label, Start: start.Add(d.Begins)}
	f.End = f.Start.Add(d.Lasts)
	// A strength that comes later, while the occasion goes on, adds to it: but the
	// least number must come within the time.
	inTime := 0
	strength := map[string]float64{}
	next := 0 // in order: the place of the signal that may come
	for _, s := range seen {
		if s.At >= f.End {
			break
		}
		if inTime < d.AtLeast && s.At > start.Add(d.Within) {
			break
		}
		place := slices.IndexFunc(d.Signals, func(g Signal) bool { return g.Name == s.Signal })
		by := d.Signals[place].Strength
		if !s.Bought {
			by = math.Sqrt(by)
		}
		was, known := strength[s.Signal]
		switch {
		case known && by <= was:
			continue
		case !known && d.InOrder && place < next:
			continue
		case !known:
			next = place + 1
			inTime++
			f.Seen = append(f.Seen, s)
		default:
			f.Seen[slices.IndexFunc(f.Seen, func(o Seen) bool { return o.Signal == s.Signal })] = s
		}
		strength[s.Signal] = by
	}
	if inTime < d.AtLeast {
		return Found{}, false
	}
	odds := d.Share / (1 - d.Share)
	for _, g := range d.Signals {
		if by, ok := strength[g.Name]; ok {
			odds *= by
		}
	}
	f.Probability = odds / (1 + odds)
	slices.SortStableFunc(f.Seen, func(a, b Seen) int { return cmp.Compare(a.At, b.At) })
	return f, true
}

// Evidence says in one sentence what the occasion rests on.
func (f *Found) Evidence(zone *time.Location) string {
	if f.Years > 0 {
		return "bought " + f.Seen[0].Category + " in " + f.Start.In(zone).Month().String() + " in each of the last " + strconv.Itoa(f.Years) + " years"
	}
	parts := make([]string, 0, len(f.Seen))
	for _, s := range f.Seen {
		did := "looked at "
		if s.Bought {
			did = "bought "
		}
		parts = append(parts, did+s.Category+" on "+s.At.In(zone).Format("2 January 2006"))
	}
	return strings.Join(parts, ", ")
}

// Set is the occasions of a program. The nil Set has none, and allows none.
type Set struct{ list []*Definition }

// NewSet returns the set of the definitions.
func NewSet(list []*Definition) *Set { return &Set{list} }

// All returns the definitions, in the order of their files.
func (s *Set) All() []*Definition {
	if s == nil {
		return nil
	}
	return s.list
}

// Purpose returns the purpose to which a customer must have agreed so that the
// prediction of the name is kept; false if it is about an occasion that nobody
// declared, which is never kept.
func (s *Set) Purpose(prediction string) (string, bool) {
	name, _ := strings.CutPrefix(prediction, Prefix)
	name, _, _ = strings.Cut(name, ".") // "occasion.new-baby.start"
	for _, d := range s.All() {
		if d.Name == name {
			return d.Purpose, true
		}
	}
	return "", false
}

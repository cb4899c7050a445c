package condition

import (
	"math/bits"
	"slices"
)

// Deps is what a condition looks at: as long as none of it changes, only the
// clock can change the answer.
type Deps struct {
	Events   []string // names of events it asks about, sorted
	Series   []int    // numbers of its series in their [Set], sorted
	Traits   []string // first parts of trait names, sorted
	Segments []uint64 // keys of the segments it refers to, hidden ones too, sorted
	Consent  bool     // the customer's consents
	Reach    bool     // addresses and their health
	Device   bool     // class of the last device
	Locale   bool
	Zone     bool // the customer's time zone
	Place    bool // where the customer is
	Props    bool // properties of the triggering event
	Life     bool // orders, identifiers and visits: the stage of life

	Predictions []string // names, sorted
	Kept        []string // lists and types of objects, as profile.OfList and OfObject name them, sorted
}

func (d *Deps) tidy() {
	slices.Sort(d.Events)
	d.Events = slices.Compact(d.Events)
	slices.Sort(d.Series)
	d.Series = slices.Compact(d.Series)
	slices.Sort(d.Traits)
	d.Traits = slices.Compact(d.Traits)
	slices.Sort(d.Segments)
	d.Segments = slices.Compact(d.Segments)
	slices.Sort(d.Predictions)
	d.Predictions = slices.Compact(d.Predictions)
	slices.Sort(d.Kept)
	d.Kept = slices.Compact(d.Kept)
}

// Touches reports whether something that the condition looks at was touched.
// Changes of segments are not in t: see [Deps.Mentions].
func (d *Deps) Touches(t *Touched) bool {
	if d.Consent && t.Consent || d.Reach && t.Reach || d.Device && t.Device || d.Locale && t.Locale || d.Zone && t.Zone || d.Place && t.Place || d.Life && t.Life {
		return true
	}
	for _, n := range d.Series {
		if t.Has(n) {
			return true
		}
	}
	for _, name := range t.Traits {
		if _, found := slices.BinarySearch(d.Traits, root(name)); found {
			return true
		}
	}
	return mentionsAny(d.Predictions, t.Predictions) || mentionsAny(d.Kept, t.Kept)
}

// mentionsAny reports whether one of the names stands in the sorted list.
func mentionsAny(sorted, names []string) bool {
	for _, name := range names {
		if _, found := slices.BinarySearch(sorted, name); found {
			return true
		}
	}
	return false
}

// Mentions reports whether the condition refers to the segment of the key.
func (d *Deps) Mentions(segment uint64) bool {
	_, found := slices.BinarySearch(d.Segments, segment)
	return found
}

// Touched says what an event changed of a profile. [Set.Fold] fills in the
// series; whoever changes the rest of the profile sets the rest.
type Touched struct {
	Traits  []string // names of traits that changed
	Consent bool
	Reach   bool // an address, or what is known of its health
	Device  bool
	Locale  bool
	Zone    bool
	Life    bool // an order, an identifier, or a visit of who has not ordered
	Place   bool

	Predictions []string // names of predictions that were made or taken back
	Kept        []string // lists and types of objects, as profile.OfList and OfObject name them

	near [4]uint64 // series 0 to 255: no allocation for an ordinary program
	far  []uint64  // the rest
}

// Has reports whether the series with the number was touched.
func (t *Touched) Has(series int) bool {
	w := series >> 6
	if w < len(t.near) {
		return t.near[w]&(1<<(series&63)) != 0
	}
	w -= len(t.near)
	return w < len(t.far) && t.far[w]&(1<<(series&63)) != 0
}

// Any reports whether anything was touched.
func (t *Touched) Any() bool {
	if len(t.Traits) > 0 || len(t.Predictions) > 0 || len(t.Kept) > 0 || t.Consent || t.Reach || t.Device || t.Locale || t.Zone || t.Place || t.Life {
		return true
	}
	return t.near != [4]uint64{} || len(t.far) > 0
}

// Series calls yield with the number of each touched series, ascending, until
// it returns false.
func (t *Touched) Series(yield func(int) bool) {
	for w, word := range t.near {
		for ; word != 0; word &= word - 1 {
			if !yield(w<<6 | bits.TrailingZeros64(word)) {
				return
			}
		}
	}
	for w, word := range t.far {
		for ; word != 0; word &= word - 1 {
			if !yield((w+len(t.near))<<6 | bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}

func (t *Touched) mark(series int) {
	w := series >> 6
	if w < len(t.near) {
		t.near[w] |= 1 << (series & 63)
		return
	}
	w -= len(t.near)
	for len(t.far) <= w {
		t.far = append(t.far, 0)
	}
	t.far[w] |= 1 << (series & 63)
}

// root returns the part of a trait's name before the first dot: the trait that
// is stored.
func root(name string) string {
	for i := 0; i < len(name); i++ {
		if name[i] == '.' {
			return name[:i]
		}
	}
	return name
}

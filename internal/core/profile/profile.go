// Package profile remembers one customer.
//
// A [Profile] is the state that follows from the events of one person, and
// nothing else: the same events in the same order give the same bytes. It is
// immutable with structural sharing: what changes a profile makes a copy of the
// part it touches, so a reader, a commit under way and the next event never see
// each other. Slices inside are never changed in place below their length. Behind
// it they may be: the history of a profile is a line, and [Profile.Fork] is for
// who wants two futures of one.
//
// The profile holds what decisions need at once; the events themselves lie in
// the history, which the store keeps for ever under the strand that first heard
// them. What [Series] and [Bought] hold is a cache of that history.
package profile

import (
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
)

// What a profile has for a program while a catch-up must come, whatever the sweep of
// a program has passed by. No program has such a hash.
const (
	JoinedLive    uint64 = iota // a strand has joined: the customer lives through what that changes
	JoinedImport                // an import brought the join about: it must not send
	UndoneImport                // an import was undone, and what it brought is still in here
	CatchUpFailed               // the catch-up failed, and is tried again when something happens
)

// Pending reports whether a program is none but says that a catch-up must come.
func Pending(program uint64) bool { return program <= CatchUpFailed }

// Profile is the state of one customer, or a signpost to the profile that owns
// the identifier whose home this is.
type Profile struct {
	ID    identity.ID         // the id it was born with
	Owner identity.ID         // not zero: everything that arrives here is forwarded there
	Birth identity.Identifier // the identifier whose home this is
	Born  event.Time          // `now` of the first record that it heard; zero: not yet born

	Program  uint64        // the program under which it was last evaluated
	Strands  []identity.ID // birth ids of the profiles that joined it, in order of id
	Held     []Held        // identifiers of the person, and those that were refused
	Traits   []Trait       // by name
	Consents []Consent     // by channel, then purpose
	Health   []Health      // addresses that bounced or complained, by channel, then address; at most MaxHealth
	Orders   []Order       // by instant, then id; exact for ever
	Bought   []Bought      // by SKU; at most MaxBought, the latest bought stay
	Session  Session       // the visit that goes on, or went on last
	Series   []*Series     // by key; frozen once in a profile
	Segments []Membership  // by key; only those in or with an Until
	Untils   []event.Time  // empty, or instead of those of Segments, one for each; see [Profile.Until]
	Journeys []Instance    // live instances, in order of entry
	Past     []Past        // what re-entry rules need of journeys gone by
	Open     []Delivery    // messages planned, claimed or started
	Contacts []Contact     // messages that count towards caps, by instant

	Predictions []Prediction // by name; at most MaxPredictions
	Scores      []*Score     // those that have points; frozen once in a profile
	Tastes      []*Taste     // affinities; frozen once in a profile
	Lists       []Listing    // kept by hand, by name; at most MaxLists
	Objects     []Object     // by type, then id; at most MaxObjects
	Tallies     []*Tally     // by key; frozen once in a profile

	Where     Whereabouts // where they were last
	Visits    []Visit     // by key; at most MaxVisits, the newest stay
	Glances   []Glance    // what was looked at on which class of device, by item, then device; see [Profile.Looked]
	Looks     []Glance    // newer looks, in the order in which they were heard of
	HandOvers []HandOver  // by the class left, then the one that was bought on

	Zone    string     // the customer's time zone by IANA name; empty: the shop's
	Locale  string     // BCP 47; empty: the shop's
	Device  string     // class of the last device: see event.Desktop and its like
	First   event.Time // earliest At of a customer's own event
	Last    event.Time // latest At
	Count   int64      // events applied
	Month   int32      // the month of Last, and
	InMonth int32      // how many events it brought: beyond HotAfter the profile is hot

	Seen    []uint64   // fingerprints of the newest ids, newest last; at most SeenKept
	Newest  event.Time // the latest time of its own that any event carried
	Halfway event.Time // Newest when the older half of Seen was complete
	Evicted event.Time // no id that Seen let go has a later time; zero: it let none go
	Alarm   event.Time // the earliest instant at which anything changes by itself; event.Never: none
}

// HotAfter is how many events a month make a profile hot: it is counted, and no
// longer walks journeys. No shopper does so much; a robot or a shared id does.
const HotAfter = 20_000

// Hot reports whether the profile is too busy to be a person.
func (p *Profile) Hot() bool { return p.InMonth > HotAfter }

// Lives reports whether somebody lives here: it is no signpost, and was born.
func (p *Profile) Lives() bool { return p.Owner.Zero() && p.Born != 0 }

// New returns the profile at the home id, before it has heard anything.
func New(id identity.ID) *Profile { return &Profile{ID: id, Alarm: event.Never} }

// Fork returns a copy of p that may grow apart from it, for a rehearsal where both
// go on: what is appended to the one never stands in the other.
func (p *Profile) Fork() *Profile {
	f := *p
	f.Orders, f.Seen, f.Looks = slices.Clip(p.Orders), slices.Clip(p.Seen), slices.Clip(p.Looks)
	f.Series = slices.Clone(p.Series)
	for i, s := range f.Series {
		own := *s
		own.Obs = slices.Clip(s.Obs)
		f.Series[i] = &own
	}
	return &f
}

// Rank returns the rank by which p meets other profiles.
func (p *Profile) Rank() identity.Rank {
	_, known := p.Identifier(identity.User)
	return identity.Rank{Known: known, Born: p.Born, ID: p.ID}
}

// Holding is the state of an identifier at a profile that saw it.
type Holding uint8

// The states of an identifier. They are stored: never renumber.
const (
	Asked   Holding = 0 // its home was asked and has not answered
	Owned   Holding = 1 // it is this person's
	Refused Holding = 2 // its home refused: it is someone else's, or a limit would break
)

// Held is an identifier that was seen with a profile.
type Held struct {
	Identifier identity.Identifier
	State      Holding
	At         event.Time // when the state was reached
}

// Holds returns the state of an identifier and whether it was ever seen here.
func (p *Profile) Holds(id identity.Identifier) (Holding, bool) {
	for i := range p.Held {
		if p.Held[i].Identifier == id {
			return p.Held[i].State, true
		}
	}
	return 0, false
}

// Identifier returns the identifier of the kind that p has owned longest. A later
// one, which anybody who knows a customer's id may bring, never takes its place:
// mail would go to it.
func (p *Profile) Identifier(kind identity.Kind) (string, bool) {
	var oldest *Held
	for i := range p.Held {
		if h := &p.Held[i]; h.Identifier.Kind == kind && h.State == Owned && (oldest == nil || h.At < oldest.At) {
			oldest = h
		}
	}
	if oldest == nil {
		return "", false
	}
	return oldest.Identifier.Value, true
}

// Trait is one fact about the customer, with the event that said it last.
type Trait struct {
	Name  string
	Value event.Value
	At    event.Time
	By    uint64 // fingerprint of the event, which settles equal instants
}

// Trait returns a trait's value and whether there is one. A name with dots
// looks into nested traits.
func (p *Profile) Trait(name string) (event.Value, bool) {
	i, ok := slices.BinarySearchFunc(p.Traits, name, func(t Trait, n string) int { return compare(t.Name, n) })
	if ok {
		return p.Traits[i].Value, p.Traits[i].Value.Kind != event.Null
	}
	for i := 0; i < len(name); i++ {
		if name[i] == '.' {
			if v, ok := p.Trait(name[:i]); ok && v.Kind == event.Map {
				return v.Object().Get(name[i+1:])
			}
		}
	}
	return event.Value{}, false
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Consent is the last word on one purpose over one channel, with the entry that
// proves it.
type Consent struct {
	Channel  string // "email", "sms" …
	Purpose  string // "marketing", "track.email" …
	Granted  bool
	At       event.Time // when it was said
	Proof    event.ID   // the event that said it: the entry in the history
	Evidence string     // how it was said: "checkout box", "one-click unsubscribe"
	Wording  string     // version of the text that was agreed to
	Expires  event.Time // zero: does not expire
}

// Consent returns the last word on a purpose over a channel, and whether there
// is one. Nothing said means no.
func (p *Profile) Consent(channel, purpose string) (Consent, bool) {
	for i := range p.Consents {
		if c := &p.Consents[i]; c.Channel == channel && c.Purpose == purpose {
			return *c, true
		}
	}
	return Consent{}, false
}

// Allows reports whether the customer agreed to the purpose over the channel,
// as of now.
func (p *Profile) Allows(channel, purpose string, now event.Time) bool {
	c, ok := p.Consent(channel, purpose)
	return ok && c.Granted && (c.Expires == 0 || now < c.Expires)
}

// Address returns the customer's address on a channel; empty if there is none.
func (p *Profile) Address(channel string) string {
	switch channel {
	case "email":
		if v, ok := p.Trait("email"); ok && v.Kind == event.String {
			return v.Raw
		}
		email, _ := p.Identifier(identity.Email)
		return email
	case "sms", "whatsapp":
		if v, ok := p.Trait("phone"); ok && v.Kind == event.String {
			return v.Raw
		}
		phone, _ := p.Identifier(identity.Phone)
		return phone
	}
	return ""
}

// Order is one order, refund or cancellation, exact.
type Order struct {
	ID       string
	Kind     OrderKind
	At       event.Time
	Net      money.Micros // negative on refunds and cancellations
	Currency money.Currency
	Units    int64  // thousandths of pieces; negative on refunds
	Where    string // the channel of the sale as its source names it: "web", "till" …
	By       uint64 // fingerprint of the event
}

// OrderKind tells an order from what undoes it.
type OrderKind uint8

// The kinds of order. They are stored: never renumber.
const (
	Completed OrderKind = 0
	Refunded  OrderKind = 1
	Cancelled OrderKind = 2
)

// Bought is what the customer bought of one SKU.
type Bought struct {
	SKU      string
	Product  string
	Name     string
	Category string
	First    event.Time
	Last     event.Time
	Count    int32 // orders with it, less returns
	Where    string
}

// MaxBought bounds the SKUs remembered of one customer; those bought longest
// ago go first. The orders in the history keep them all.
const MaxBought = 1000

// Rhythm returns the customer's own mean time between purchases of the SKU;
// zero if it was bought fewer than three times or only at one instant.
func (b *Bought) Rhythm() time.Duration {
	if b.Count < 3 || b.Last <= b.First {
		return 0
	}
	return b.Last.Sub(b.First) / time.Duration(b.Count-1)
}

// Session is a run of events with no pause of SessionGap or more.
type Session struct {
	Start event.Time
	Last  event.Time
	Count int64 // sessions so far
}

// SessionGap is the pause that ends a session, as web analytics counts it.
const SessionGap = 30 * time.Minute

// Series is what one question about events must remember of them. Which
// question, says condition: it names the series by a hash of the question.
type Series struct {
	Key   uint64
	Obs   []Obs        // by instant, then tag: the observations that windows may still ask about
	Count int64        // of all time
	Sum   money.Micros // of all time
	First event.Time   // of all time; zero: none
	Last  event.Time
}

// Obs is one event as a series saw it.
type Obs struct {
	At    event.Time
	Value money.Micros // what is summed; zero if nothing is
	Tag   uint64       // what is counted apart: a session, a hash of a property; else zero
}

// SeriesOf returns the series of the key; nil if it has seen nothing.
func (p *Profile) SeriesOf(key uint64) *Series {
	lo, hi := 0, len(p.Series)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if p.Series[mid].Key < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(p.Series) && p.Series[lo].Key == key {
		return p.Series[lo]
	}
	return nil
}

// Membership is the answer of one segment, or of a hidden one that serves a
// condition with a memory.
type Membership struct {
	Key   uint64 // hash of the segment's name
	In    bool
	Since event.Time // when the answer became what it is
	Until event.Time // before this instant the answer stays, unless an event changes it; event.Never
}

// Member returns the membership of the segment's key; the zero Membership with
// Until Never if the customer is not in it and nothing is pending.
func (p *Profile) Member(key uint64) Membership {
	i, ok := slices.BinarySearchFunc(p.Segments, key, func(m Membership, k uint64) int {
		switch {
		case m.Key < k:
			return -1
		case m.Key > k:
			return 1
		}
		return 0
	})
	if ok {
		m := p.Segments[i]
		m.Until = p.Until(i)
		return m
	}
	return Membership{Key: key, Until: event.Never}
}

// Until returns the Until of the membership at i. Nearly every event moves some, and
// seldom anything else of a membership: they have a list of their own from then on
// until somebody enters or leaves, so that an event copies a quarter.
func (p *Profile) Until(i int) event.Time {
	if len(p.Untils) > 0 {
		return p.Untils[i]
	}
	return p.Segments[i].Until
}

// Memberships returns the memberships as they are. The caller must not change them.
func (p *Profile) Memberships() []Membership {
	if len(p.Untils) == 0 {
		return p.Segments
	}
	return p.AppendMemberships(make([]Membership, 0, len(p.Segments)))
}

// AppendMemberships appends the memberships as they are.
func (p *Profile) AppendMemberships(list []Membership) []Membership {
	for i, m := range p.Segments {
		m.Until = p.Until(i)
		list = append(list, m)
	}
	return list
}

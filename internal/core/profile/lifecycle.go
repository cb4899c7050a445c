package profile

import (
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
)

// Stage is where a customer is in their life with the shop. It follows from what
// the profile remembers and the instant alone, so nothing has to be kept of it, a
// refund moves it back, and it changes by itself when it is time to.
type Stage uint8

// The stages. They are shown and counted: never renumber.
const (
	Anonymous   Stage = 0 // a device, nobody by name
	Prospect    Stage = 1 // known by name, address or number, and has not ordered
	Considering Stage = 2 // a prospect who was here lately, and not for the first time
	FirstOrder  Stage = 3 // ordered once
	Repeat      Stage = 4 // ordered again
	Loyal       Stage = 5 // keeps ordering
	Advocate    Stage = 6 // loyal, and speaks for the shop
	AtRisk      Stage = 7 // silent for longer than is usual for them
	Lapsed      Stage = 8 // silent for so long that they are taken to have left
	Back        Stage = 9 // ordered again after having lapsed
	Stages            = 10
)

var stageNames = [Stages]string{"anonymous", "prospect", "considering", "first", "repeat", "loyal", "advocate", "at-risk", "lapsed", "back"}

// String returns the stage's name, as definitions write it.
func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return "unknown"
}

// StageOf returns the stage of a name, and whether there is one.
func StageOf(name string) (Stage, bool) {
	for i, n := range stageNames {
		if n == name {
			return Stage(i), true
		}
	}
	return 0, false
}

// Quarter returns the quarter of the loop that a stage is worked on in: lead,
// orchestrate, optimise, provide reasons to return.
func (s Stage) Quarter() string {
	switch s {
	case Anonymous, Prospect:
		return "lead"
	case Considering, FirstOrder:
		return "orchestrate"
	case Repeat, Loyal, Advocate:
		return "optimise"
	}
	return "provide reasons to return"
}

// What the stages rest on.
const (
	// ConsiderFor is how long a visit says that somebody considers buying.
	ConsiderFor = 14 * 24 * time.Hour
	// UsualGap is the time between orders of who has no rhythm of their own yet: most
	// who come back to a shop do so within two months.
	UsualGap = 60 * 24 * time.Hour
	// OwnRhythm is from how many orders on the mean of a customer's own gaps counts.
	OwnRhythm = 3
	// RiskAfter and LapseAfter are how many gaps of silence are unusual, and too many.
	RiskAfter, LapseAfter = 2, 4
	// A gap is taken as no shorter and no longer than this: who ordered three times in
	// a week is not lost after a month, and who orders each Christmas not before two.
	leastGap, longestGap = 14 * 24 * time.Hour, 365 * 24 * time.Hour
	// LoyalFrom is from how many orders on a customer is loyal.
	LoyalFrom = 4
)

// advocacy are the traits that say that a customer speaks for the shop: numbers
// above zero, as a shop's referral or review system keeps them.
var advocacy = []string{"referrals", "reviews"}

// Advocacy returns their names.
func Advocacy() []string { return slices.Clone(advocacy) }

// Lifecycle returns the customer's stage as of now, and a lower bound, later than
// now, on when it changes without an event; event.Never if it does not.
func (p *Profile) Lifecycle(now event.Time) (Stage, event.Time) {
	kept := p.kept(now)
	if kept.n == 0 {
		return p.before(now)
	}
	// Stages of those who ordered follow from the gaps between their orders. Who is
	// back stays so until they order again in time.
	back := kept.n > 1 && kept.last.Sub(kept.before) >= LapseAfter*usualGap(kept.n-1, kept.first, kept.before)
	gap := usualGap(kept.n, kept.first, kept.last)
	risk, lapse := kept.last.Add(RiskAfter*gap), kept.last.Add(LapseAfter*gap)
	switch {
	case now >= lapse:
		return Lapsed, event.Never
	case now >= risk:
		return AtRisk, lapse
	case back:
		return Back, risk
	case kept.n == 1:
		return FirstOrder, risk
	case kept.n < LoyalFrom:
		return Repeat, risk
	case p.speaks():
		return Advocate, risk
	}
	return Loyal, risk
}

// usualGap returns the time between orders of who has ordered n times.
func usualGap(n int, first, last event.Time) time.Duration {
	if n < OwnRhythm {
		return UsualGap
	}
	return min(max(last.Sub(first)/time.Duration(n-1), leastGap), longestGap)
}

// before returns the stage of who has not ordered.
func (p *Profile) before(now event.Time) (Stage, event.Time) {
	if !p.Named() {
		return Anonymous, event.Never
	}
	if until := p.Session.Last.Add(ConsiderFor); p.Session.Count > 1 && now < until {
		return Considering, until
	}
	return Prospect, event.Never
}

// Named reports whether the customer is known by more than a device: a name, a
// number or an address by which they would be recognised anywhere.
func (p *Profile) Named() bool {
	for i := range p.Held {
		if h := &p.Held[i]; h.State != Refused && h.Identifier.Kind != identity.Anonymous {
			return true
		}
	}
	return p.Address("email") != "" || p.Address("sms") != ""
}

func (p *Profile) speaks() bool {
	for _, name := range advocacy {
		if v, ok := p.Trait(name); ok {
			if n, ok := v.Float(); ok && n > 0 {
				return true
			}
		}
	}
	return false
}

// orders says how many orders there were, and when the first and the last two.
type orders struct {
	n                   int
	first, before, last event.Time
}

func (o *orders) add(at event.Time) {
	if o.n++; o.n == 1 {
		o.first = at
	}
	o.before, o.last = o.last, at
}

// kept returns when the customer ordered what they kept: orders up to now without
// those that were cancelled or came back whole. Most customers return nothing, and
// of their orders the list is not gone through: a stage is asked with each event.
func (p *Profile) kept(now event.Time) (o orders) {
	n := len(p.Orders)
	for n > 0 && p.Orders[n-1].At > now {
		n--
	}
	list := p.Orders[:n]
	for i := range list {
		if list[i].Kind != Completed {
			return keptOf(list)
		}
	}
	if o.n = n; n > 0 {
		o.first, o.last = list[0].At, list[n-1].At
	}
	if n > 1 {
		o.before = list[n-2].At
	}
	return o
}

// keptOf is kept for orders of which some came back. What comes back under the
// number of an order is of that order; without one, as at many tills, of the latest
// before it.
func keptOf(all []Order) (kept orders) {
	type bought struct {
		id   string
		at   event.Time
		left money.Micros
		back bool
	}
	list := make([]bought, 0, len(all))
	for i := range all {
		o := &all[i]
		if o.Kind == Completed {
			list = append(list, bought{id: o.ID, at: o.At, left: o.Net})
			continue
		}
		back, found := -o.Net, false
		for k := range list {
			if list[k].id != o.ID {
				continue
			}
			found, list[k].back = true, true
			if list[k].left -= back; o.Kind == Cancelled {
				list[k].left = 0
			}
		}
		for k := len(list) - 1; k >= 0 && !found && back > 0; k-- {
			took := min(back, max(list[k].left, 0))
			if took > 0 {
				list[k].left, list[k].back = list[k].left-took, true
				back -= took
			}
		}
	}
	for i := range list {
		if !list[i].back || list[i].left > 0 {
			kept.add(list[i].at)
		}
	}
	return kept
}

// StageNames returns the names of all stages, in their order, for people.
func StageNames() string { return strings.Join(stageNames[:], ", ") }

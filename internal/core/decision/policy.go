package decision

import (
	"time"

	"rapport/internal/core/money"
	"rapport/internal/core/recommend"
)

// Policy is what a workspace wants of the gate. It is data: two equal policies
// decide alike. The zero Policy allows nothing, because it has no Zone; use
// [Defaults] or [ParsePolicy].
type Policy struct {
	// Zone is the shop's own time zone, used for customers of whom nothing
	// better is known. Default "UTC".
	Zone string
	// Currency is the shop's own, for amounts that come without one. Default
	// none.
	Currency money.Currency

	// Caps bound how many marketing messages a customer gets in rolling
	// windows. Default three in seven days over all channels. Empty: no bound.
	Caps []Cap
	// Gap is the least time between two marketing messages, over all channels.
	// Default 4 h. 0: none.
	Gap time.Duration
	// Quiet are the hours in which no marketing goes out, by the customer's own
	// clock. Default 21:00 to 08:00. Empty: none. Legal windows hold besides.
	Quiet []Quiet

	// AtCap, AtQuiet and AtConversation say what becomes of a message that a
	// rule holds. Default Defer.
	AtCap, AtQuiet, AtConversation Then
	// MaxDeferral is how far ahead one deferral may reach; what would have to
	// wait longer is dropped. Default 7 days.
	MaxDeferral time.Duration
	// Expires is after which time a message is of no use if its step does not
	// say. Default 3 days.
	Expires time.Duration

	// OwnedFor is how long something counts as just bought. Default 90 days.
	// 0: not at all, beyond what was bought since the message was planned.
	OwnedFor time.Duration
	// OwnedIn overrides OwnedFor for what is in a category or below it; the
	// longest category that fits wins.
	OwnedIn []Owned
	// Substitutes says what else counts as the same thing. Default NoSubstitutes.
	Substitutes Substitutes
	// Alike are groups of SKUs or products that count as the same thing. Default
	// none.
	Alike [][]string

	// Auction is how long marketing intents of one person wait to compete. Only
	// 0, first come, is taken.
	Auction time.Duration
	// Holdout is the share of all customers, from 0 to MaxHoldout, who get no
	// marketing at all, so that its worth can be seen. Default 0: each journey
	// has its own holdout.
	Holdout float64
}

// Cap is a bound on marketing messages in a rolling window.
type Cap struct {
	Channel string        // empty: all channels together
	Per     time.Duration // the window: at any instant, of the Per before it
	Most    int           // so many messages at most; 0: none ever
}

// Quiet are hours of the day in which nothing is sent. From 21:00 to 08:00 goes
// over midnight; From itself is quiet, To no longer.
type Quiet struct {
	From, To  int      // minutes after midnight, 0 to 1440
	Days      [7]bool  // the weekdays on which it holds, Sunday first; none: every day
	Channels  []string // the channels on which it holds; empty: all
	Countries []string // the customers' countries in which it holds, as two letters; empty: all

	region string // of the country; empty: all of it. Only legal windows have one.
	source string // of a legal window
}

// Owned is how long things of one category count as just bought.
type Owned = recommend.Owned

// Then is what becomes of a message that a rule holds.
type Then uint8

// What may become of a message that is held.
const (
	Defer Then = 0 // it waits until the rule lets it go
	Drop  Then = 1 // it is not sent
)

// Substitutes says which other things are as good as the one bought.
type Substitutes uint8

// The kinds of substitute.
const (
	NoSubstitutes Substitutes = 0 // only the item and its variants
	SameCategory  Substitutes = 1 // everything of the same category
)

const day = 24 * time.Hour

// Limits of a policy.
const (
	// MaxHoldout bounds the global holdout: more than half of the customers
	// without any message is a mistake in the number, not an experiment.
	MaxHoldout = 0.5
	// MaxPeriod bounds every period, so that instants cannot overflow.
	MaxPeriod = 3660 * day
	// MaxCaps and MaxQuiet bound the lists, which are walked at each decision.
	MaxCaps, MaxQuiet = 32, 32
	// MaxOwned bounds the categories with an own period, likewise.
	MaxOwned = 256
	// MaxAlike and MaxGroup bound the groups of substitutes, likewise.
	MaxAlike, MaxGroup = 1000, 100
	// RecheckAfter is how long a message waits for the end of a complaint, a
	// late order or a conversation, which nobody knows beforehand, until the
	// gate looks again.
	RecheckAfter = 6 * time.Hour
	// keepContacts is how long contacts are remembered at least, so that a
	// policy whose windows are made longer finds what it needs.
	keepContacts = 31 * day
)

// Defaults returns the policy of a workspace that has not written one.
func Defaults() Policy {
	return Policy{
		Zone:        "UTC",
		Caps:        []Cap{{Per: 7 * day, Most: 3}},
		Gap:         4 * time.Hour,
		Quiet:       []Quiet{{From: 21 * 60, To: 8 * 60}},
		MaxDeferral: 7 * day,
		Expires:     3 * day,
		OwnedFor:    90 * day,
	}
}

// longest returns the time for which contacts must be remembered.
func (p *Policy) longest() time.Duration {
	longest := max(p.Gap, keepContacts)
	for _, c := range p.Caps {
		longest = max(longest, c.Per)
	}
	return longest
}

// Owning is what the policy says of what somebody just bought, for every list and
// slot that must not show it either.
func (p *Policy) Owning() recommend.Owning {
	return recommend.Owning{For: p.OwnedFor, In: p.OwnedIn, Category: p.Substitutes == SameCategory, Alike: p.Alike}
}

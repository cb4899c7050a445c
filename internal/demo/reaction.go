package demo

import (
	"cmp"
	"slices"
	"time"

	"rapport/internal/core/event"
)

// ReactionKind is what someone, or something, does with a mail.
type ReactionKind string

// The kinds of reaction.
const (
	Open        ReactionKind = "open"        // the pixel is fetched, if the mail has one
	Click       ReactionKind = "click"       // one link is followed
	Unsubscribe ReactionKind = "unsubscribe" // one-click: a POST to the List-Unsubscribe address
	Scan        ReactionKind = "scan"        // a machine fetches the pixel and every link, hidden ones too, within [ScanTime]
)

// Reaction is one thing that happens to one mail. It is invented, and what comes
// of it is never shown as insight.
type Reaction struct {
	At   event.Time   `json:"at"`
	Kind ReactionKind `json:"kind"`

	// LinkIndex chooses the link of a Click: the link at LinkIndex modulo the
	// number of links in the mail that a person sees. It is −1 for every other kind.
	LinkIndex int `json:"link"`
}

// The times of reactions. None comes sooner than [MinDelay], because the virtual
// clock hands reactions of one step to a later one.
const (
	MinDelay = time.Hour       // one step of the virtual clock
	MaxDelay = 72 * time.Hour  // of an open, beyond MinDelay; a mail is old by then
	ScanTime = 2 * time.Second // within which a scanner has fetched everything

	maxRead  = 10 * time.Minute // from an open to the click or the unsubscribe
	someLink = 1 << 16          // more links than a mail has
)

// Reactions returns what becomes of a delivery that was accepted at sent, in the
// order of time, every one at least [MinDelay] later. It depends on the seed, the
// person and the delivery's id alone. An address that bounces gets no mail and
// has none. Whether the person lets opens and clicks be measured is not asked
// here: a mail to one who does not has no pixel and no personal links to fetch.
func Reactions(seed uint64, p Person, delivery string, sent event.Time) []Reaction {
	if p.Bounces {
		return nil
	}
	u := func(what string) float64 { return draw(seed, p.Customer, what+"/"+delivery) }
	var all []Reaction
	if p.Scanner {
		all = append(all, Reaction{sent.Add(MinDelay), Scan, -1})
	}
	if u("open") < p.Opens {
		late := u("open after")
		opened := sent.Add(MinDelay + share(late*late*late, MaxDelay)) // most within a day, few after two
		all = append(all, Reaction{opened, Open, -1})
		if u("click") < p.Clicks {
			link := int(hash(seed, p.Customer, "link/"+delivery) % someLink)
			all = append(all, Reaction{opened.Add(share(u("click after"), maxRead)), Click, link})
		}
		if u("leave") < Leaves {
			all = append(all, Reaction{opened.Add(share(u("leave after"), maxRead)), Unsubscribe, -1})
		}
	}
	slices.SortStableFunc(all, func(a, b Reaction) int { return cmp.Compare(a.At, b.At) })
	return all
}

// share returns a part of d in whole seconds.
func share(part float64, d time.Duration) time.Duration {
	return time.Duration(part*d.Seconds()) * time.Second
}

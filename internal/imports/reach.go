package imports

import (
	"context"
	"fmt"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// Standing is why a customer can be written to on a channel for a purpose, or the
// first reason why not. Every customer has exactly one, so counts add up.
type Standing uint8

// The standings, in the order in which they are asked: what is graver comes first.
const (
	Absent       Standing = iota // not a customer: not known yet, or joined with another
	NoAddress                    // has no address on the channel
	Bounced                      // the address does not exist
	Complained                   // called a message spam
	HeldBack                     // suppressed by hand, or for a reason that is not known
	Erased                       // asked to be forgotten
	Unsubscribed                 // left
	Withdrawn                    // said no
	Expired                      // said yes, and that has run out
	NeverAsked                   // said nothing: that is no
	Reachable
	standings
)

var standingNames = [standings]string{
	"not a customer", "no address", "address bounced", "complained", "held back", "erased", "unsubscribed", "consent withdrawn", "consent expired", "no consent said", "reachable",
}

// String returns the standing for people.
func (s Standing) String() string { return standingNames[s] }

// Reach is how every customer stands at one moment.
type Reach struct {
	Channel, Purpose string
	Counts           [standings]int64
	people           []placed // by id
}

type placed struct {
	id       identity.ID
	standing Standing
}

// Customers is how many there are: the sum of all standings.
func (r *Reach) Customers() (n int64) {
	for _, c := range r.Counts {
		n += c
	}
	return n
}

// Funnel returns what is asked first of a list: customers, of them those with an
// address, with consent now, suppressed, bounced, and those who can be written to.
func (r *Reach) Funnel() (customers, address, consent, suppressed, bounced, reachable int64) {
	c := &r.Counts
	customers = r.Customers()
	address = customers - c[NoAddress]
	suppressed = c[Complained] + c[HeldBack] + c[Erased] + c[Unsubscribed]
	bounced = c[Bounced]
	consent = c[Reachable]
	return customers, address, consent, suppressed, bounced, c[Reachable]
}

// reachPage is how many customers are read at once.
const reachPage = 1000

// Measure says how every customer stands. It reads what is committed; who wants the
// present waits for it first.
func Measure(ctx context.Context, s store.Store, ledger store.Ledger, node Node, channel, purpose string, now event.Time) (*Reach, error) {
	r := &Reach{Channel: channel, Purpose: purpose}
	counts, err := ledger.Suppressions(ctx)
	if err != nil {
		return nil, err
	}
	m := &measure{ledger: ledger, node: node, channel: channel, purpose: purpose, now: now, any: len(counts) > 0}
	var from identity.ID
	for {
		rows, err := s.Profiles(ctx, from, reachPage)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			p, err := profile.Decode(string(rows[i].Body))
			if err != nil {
				return nil, fmt.Errorf("profile %s: %w", rows[i].ID, err)
			}
			if !p.Owner.Zero() || p.Born == 0 {
				continue
			}
			standing, err := m.standing(ctx, p)
			if err != nil {
				return nil, err
			}
			r.Counts[standing]++
			r.people = append(r.people, placed{p.ID, standing})
		}
		if len(rows) < reachPage {
			return r, nil
		}
		if from = next(rows[len(rows)-1].ID); from.Zero() {
			return r, nil
		}
	}
}

// next returns the id after id; zero after the last.
func next(id identity.ID) identity.ID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			return id
		}
	}
	return id
}

type measure struct {
	ledger           store.Ledger
	node             Node
	channel, purpose string
	now              event.Time
	any              bool // anybody is suppressed at all
}

func (m *measure) standing(ctx context.Context, p *profile.Profile) (Standing, error) {
	address := p.Address(m.channel)
	if address == "" {
		return NoAddress, nil
	}
	worst := Reachable
	graver := func(s Standing) { worst = min(worst, s) }
	for i := range p.Health {
		switch h := &p.Health[i]; {
		case h.Channel != m.channel:
		case h.State == profile.Complained:
			graver(Complained)
		case h.State == profile.Bounced && h.Address == address:
			graver(Bounced)
		}
	}
	if v, set := p.Trait("suppressed"); set && v.Kind == event.True {
		graver(HeldBack)
	}
	if m.any {
		subjects := [][16]byte{p.ID, m.node.Subject(m.channel, address)}
		for _, s := range p.Strands {
			subjects = append(subjects, s)
		}
		for _, subject := range subjects {
			s, stopped, err := m.ledger.Suppressed(ctx, subject, m.channel, m.purpose)
			if err != nil {
				return 0, err
			}
			if stopped {
				graver(standingOf(s.Reason))
			}
		}
	}
	c, said := p.Consent(m.channel, m.purpose)
	switch {
	case !said:
		graver(NeverAsked)
	case !c.Granted:
		graver(Withdrawn)
	case !p.Allows(m.channel, m.purpose, m.now):
		graver(Expired)
	}
	return worst, nil
}

func standingOf(reason string) Standing {
	switch reason {
	case store.Unsubscribed:
		return Unsubscribed
	case store.Bounced:
		return Bounced
	case store.Complained:
		return Complained
	case store.Erased:
		return Erased
	}
	return HeldBack
}

// Move is how many customers went from one standing to another.
type Move struct {
	From, To Standing
	Count    int64
}

// Moves explains the difference between two measures: of each standing, what was
// before and what came and what went is what is after.
func Moves(before, after *Reach) []Move {
	var counts [standings][standings]int64
	a, b := before.people, after.people
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].id.Compare(b[0].id) < 0:
			counts[a[0].standing][Absent]++
			a = a[1:]
		case len(a) == 0 || a[0].id.Compare(b[0].id) > 0:
			counts[Absent][b[0].standing]++
			b = b[1:]
		default:
			counts[a[0].standing][b[0].standing]++
			a, b = a[1:], b[1:]
		}
	}
	var list []Move
	for from := range standings {
		for to := range standings {
			if n := counts[from][to]; n > 0 && from != to {
				list = append(list, Move{from, to, n})
			}
		}
	}
	return list
}

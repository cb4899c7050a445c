package report

import (
	"context"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/measure"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Window is how long after entering a journey a person's orders count for it.
const Window = 60 * 24 * time.Hour

// Learnt is what a journey brought, beside those who were held out of it.
type Learnt struct {
	Journey string         `json:"journey"`
	Share   float64        `json:"share"` // of people held out
	People  int            `json:"people"`
	Pending int            `json:"pending"` // entered too lately to be measured
	Report  measure.Report `json:"report"`
}

// Asked is one journey to be measured.
type Asked struct {
	Journey string
	Share   float64
}

// Learn measures the journeys as of now. Held says who is held out; nil: who was
// when they entered.
func (l *Loader) Learn(ctx context.Context, asked []Asked, now event.Time, currency money.Currency, find func(context.Context, identity.ID) (*profile.Profile, error), held func(journey string, p *profile.Profile) bool) ([]Learnt, error) {
	entries := map[string][]Entry{}
	for _, j := range l.Journeys() {
		entries[j.Name] = j.Entries
	}
	var all []Learnt
	for _, a := range asked {
		out := Learnt{Journey: a.Journey, Share: a.Share}
		people, err := first(ctx, entries[a.Journey], find)
		if err != nil {
			return nil, err
		}
		var h measure.Holdout
		for _, one := range people {
			if !measure.Ended(one.At, Window, now) {
				out.Pending++
				continue
			}
			isHeld := one.Held
			if held != nil {
				isHeld = held(a.Journey, one.p)
			}
			o, _ := measure.OutcomeOf(one.p, one.At, Window, currency, currency)
			h.Add(isHeld, o)
			out.People++
		}
		out.Report = h.Report(measure.Sequence{}, a.Share)
		all = append(all, out)
	}
	return all, nil
}

type entrant struct {
	Entry
	p *profile.Profile
}

// first returns each person with their first entry. Two who entered and turned out
// to be one person are one, with one outcome; who was held out under either name
// got less than everybody else and counts as held out.
func first(ctx context.Context, entries []Entry, find func(context.Context, identity.ID) (*profile.Profile, error)) ([]entrant, error) {
	var people []entrant
	at := map[identity.ID]int{}
	for _, e := range entries {
		p, err := find(ctx, e.Person)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		i, again := at[p.ID]
		if !again {
			at[p.ID] = len(people)
			people = append(people, entrant{e, p})
			continue
		}
		one := &people[i]
		one.At, one.Held = min(one.At, e.At), one.Held || e.Held
	}
	return people, nil
}

package bench

import (
	"math/rand/v2"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// Mix is what the bench of the engine feeds, for who measures a part of its way alone:
// the shop's definitions, customers with the same past, and events as they come to
// them.
type Mix struct {
	Program *core.Program
	People  map[identity.ID]*profile.Profile // as they are before the first event
	Homes   []identity.ID                    // of those who have a past
	Entries []string                         // encoded as the log has them
	Heard   []identity.Addressed             // what they say
	Now     []event.Time                     // when each was heard
}

// NewMix makes a mix. It is the same in every run.
func NewMix(customers, history, events int) (*Mix, error) {
	prog, err := compile(bigShop())
	if err != nil {
		return nil, err
	}
	m := &Mix{Program: prog.Core, People: map[identity.ID]*profile.Profile{}}
	begin := event.At(time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC))
	past := shopper(begin, history)
	for i := range customers {
		m.Homes = append(m.Homes, home(identity.User, userOf(i)))
		for _, e := range past(i) {
			e.User = userOf(i)
			m.hear([]identity.Addressed{{To: m.Homes[i], Event: e}}, begin)
		}
	}
	l, err := newLoad(m.Homes, 1)
	if err != nil {
		return nil, err
	}
	who, dice := zipf(9, customers), rand.New(rand.NewPCG(9, 1))
	for k := range events {
		now := begin + 1 + event.Time(k/30)
		body := string(l.write(nil, who(), &l.shapes[dice.IntN(shapes)], now))
		a, err := identity.DecodeAddressed(body)
		if err != nil {
			return nil, err
		}
		m.Entries, m.Heard, m.Now = append(m.Entries, body), append(m.Heard, a), append(m.Now, now)
	}
	return m, nil
}

// hear applies entries and what they forward.
func (m *Mix) hear(entries []identity.Addressed, now event.Time) {
	for len(entries) > 0 {
		a := entries[0]
		p := m.People[a.To]
		if p == nil {
			p = profile.New(a.To)
		}
		next, eff := m.Program.Apply(p, &a.Event, now, false)
		m.People[a.To] = next
		entries = append(entries[1:], eff.Forwards...)
	}
}

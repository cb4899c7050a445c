package profile

import (
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// Refold returns p as it would be if only the events kept had come, in this order.
// Gone are the fingerprints of those that count no more. Held are the identifiers
// that stay; visit says to which session an event belongs.
//
// What does not come from events stays as it is: journeys, messages, bounces, and
// traits that the product set itself. Series and segments are for those who
// understand them.
func (p *Profile) Refold(kept []*event.Event, gone map[uint64]struct{}, held []Held, visit func(Session, *event.Event) Session, now event.Time) *Profile {
	q := New(p.ID)
	q.Birth, q.Born, q.Program, q.Strands, q.Held = p.Birth, p.Born, p.Program, p.Strands, held
	for _, e := range kept {
		if f := q.Fold(e, now); !f.Repeated {
			q.Session = visit(q.Session, e)
		}
	}
	for _, t := range p.Traits {
		if _, out := gone[t.By]; !out && t.Name != DueTrait { // promises were folded
			q.setTrait(t, MaxTraits)
		}
	}
	for _, h := range p.Health {
		if h.State != Complained { // complaints are events, and were folded
			q.Ails(h)
		}
	}
	if len(p.Strands) > 0 {
		q.keepStrict(p, kept, gone)
	}
	q.Segments, q.Untils, q.Journeys, q.Past, q.Open, q.Contacts, q.Series = p.Segments, p.Untils, p.Journeys, p.Past, p.Open, p.Contacts, p.Series
	q.Visits, q.Glances, q.Looks, q.HandOvers = p.Visits, p.Glances, p.Looks, p.HandOvers
	q.Scores, q.Tastes, q.Tallies, q.Alarm = p.Scores, p.Tastes, p.Tallies, p.Alarm
	q.TakeSeen(p, gone)
	return q
}

// TakeSeen takes over from p which ids are remembered, but for those that are gone:
// the others that were let go are asked of the history as before. Where the older
// half of what stays ends nobody knows, so it ends with the newest.
func (q *Profile) TakeSeen(p *Profile, gone map[uint64]struct{}) {
	q.Newest, q.Halfway, q.Evicted = p.Newest, p.Newest, p.Evicted
	q.Seen = slices.DeleteFunc(slices.Clone(p.Seen), func(f uint64) bool {
		_, out := gone[f]
		return out
	})
}

// keepStrict settles the consents of a customer whose strands have joined: when
// they joined is not known any more, and at that moment the stricter word held. A
// word that stood and still counts stands; in place of one that counts no more,
// the newest refusal holds, if anybody ever refused.
func (p *Profile) keepStrict(old *Profile, kept []*event.Event, gone map[uint64]struct{}) {
	for i := range p.Consents {
		c := &p.Consents[i]
		before, said := old.Consent(c.Channel, c.Purpose)
		if _, out := gone[Fingerprint(before.Proof)]; said && !out {
			*c = before
			continue
		}
		for _, e := range kept {
			no := New(identity.ID{})
			no.Fold(e, e.At)
			for _, word := range no.Consents {
				if word.Channel == c.Channel && word.Purpose == c.Purpose && !word.Granted && (c.Granted || word.At > c.At) {
					*c = word
				}
			}
		}
	}
}

package memory

import (
	"context"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Commit implements [store.Store]. Everything that can be refused is refused
// before the first change.
func (s *Store) Commit(ctx context.Context, c *store.Commit) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	st := s.state
	st.mu.Lock()
	defer st.mu.Unlock()
	if at := st.positions[c.Lane]; at.Epoch != c.From.Epoch || at.Seq != c.From.Seq {
		return fault.New(fault.Conflict, "another engine has taken over the lane: its position is no longer where this commit begins")
	}
	st.positions[c.Lane] = c.To
	for _, row := range c.Profiles {
		st.keepProfile(row)
	}
	for _, b := range c.History {
		st.blocks++
		st.history[b.Strand] = append(st.history[b.Strand], block{ownBlock(b), st.blocks})
	}
	for _, m := range c.Memberships {
		st.keepMember(m)
	}
	for i := range c.Deliveries {
		st.keepDelivery(c.Deliveries[i])
	}
	for _, f := range c.Forwards {
		f.Lane, f.Entry = c.Lane, cloned(f.Entry)
		st.forwards[number{c.Lane, f.Number}] = f
	}
	if c.Forwarded > 0 {
		for n := range st.forwards {
			if n.lane == c.Lane && n.number <= c.Forwarded {
				delete(st.forwards, n)
			}
		}
	}
	for _, q := range c.Quarantine {
		q.Entry = slices.Clone(q.Entry)
		st.quarantine = append(st.quarantine, q)
	}
	st.forget(c.Forget)
	st.keepRuns(c)
	if len(c.Feed) > 0 {
		st.feed[c.Lane] = append(st.feed[c.Lane], store.Feed{
			Lane: c.Lane, Epoch: c.To.Epoch, From: c.From.Seq, To: c.To.Seq, Body: cloned(c.Feed),
		})
	}
	return nil
}

func (st *state) keepProfile(row store.Row) {
	old, known := st.profiles[row.ID]
	if !known {
		st.order, st.numbered = append(st.order, row.ID), append(st.numbered, row.ID)
		st.sorted = false
		old.Number = int64(len(st.numbered))
	}
	row.Number = old.Number
	row.Body, row.Rest = cloned(row.Body), kept(old.Rest, row.Rest)
	if known && row.KeepAlarm {
		row.Alarm = old.Alarm
	}
	if known && !row.Turned {
		row.Signpost = old.Signpost
	}
	row.KeepAlarm, row.Turned = false, false
	st.profiles[row.ID] = row
	if row.Alarm == event.Never {
		delete(st.alarms, row.ID)
	} else {
		st.alarms[row.ID] = row.Alarm
	}
}

func (st *state) keepMember(m store.Membership) {
	in := st.members[m.Segment]
	switch {
	case m.In && in == nil:
		st.members[m.Segment] = map[identity.ID]struct{}{m.Profile: {}}
	case m.In:
		in[m.Profile] = struct{}{}
	default:
		delete(in, m.Profile)
		if len(in) == 0 {
			delete(st.members, m.Segment)
		}
	}
}

func (st *state) keepDelivery(d store.Delivery) {
	old, known := st.deliveries[d.ID]
	if !known {
		st.of[d.Profile] = append(st.of[d.Profile], d.ID)
	} else if old.Profile != d.Profile {
		st.of[old.Profile] = slices.DeleteFunc(st.of[old.Profile], func(id profile.DeliveryID) bool { return id == d.ID })
		st.of[d.Profile] = append(st.of[d.Profile], d.ID)
	}
	d.Plan, d.Claim = kept(old.Plan, d.Plan), kept(old.Claim, d.Claim)
	if d.Outcome == "" {
		d.Outcome = old.Outcome
	}
	st.deliveries[d.ID] = d
	if d.State == profile.Planned {
		st.planned[d.ID] = struct{}{}
	} else {
		delete(st.planned, d.ID)
	}
}

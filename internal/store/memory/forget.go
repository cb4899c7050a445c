package memory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// forget deletes what lies under the ids, as [store.Commit.Forget] says.
func (st *state) forget(ids []identity.ID) {
	for _, id := range ids {
		delete(st.history, id)
		for segment, in := range st.members {
			delete(in, id)
			if len(in) == 0 {
				delete(st.members, segment)
			}
		}
		for _, d := range st.of[id] {
			st.deliveries[d] = store.Stripped(st.deliveries[d])
			delete(st.planned, d)
			st.of[identity.ID{}] = append(st.of[identity.ID{}], d)
		}
		delete(st.of, id)
		st.quarantine = slices.DeleteFunc(st.quarantine, func(q store.Quarantine) bool { return q.To == id })
	}
}

// RewriteFeed implements [store.Store].
func (s *Store) RewriteFeed(ctx context.Context, clean func(store.Feed) ([]byte, bool, error)) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	st := s.state
	for lane := range st.lanes() {
		st.mu.Lock()
		blocks := slices.Clone(st.feed[lane])
		st.mu.Unlock()
		for _, b := range blocks {
			to := b.To
			b.Body = cloned(b.Body)
			body, changed, err := clean(b)
			if err != nil {
				return err
			}
			if !changed {
				continue
			}
			st.mu.Lock()
			i := slices.IndexFunc(st.feed[lane], func(f store.Feed) bool { return f.To == to })
			if i >= 0 && len(body) == 0 {
				st.feed[lane] = slices.Delete(st.feed[lane], i, i+1)
			} else if i >= 0 {
				st.feed[lane][i].Body = cloned(body)
			}
			st.mu.Unlock()
		}
	}
	return nil
}

// lanes yields the lanes that have a feed, in order.
func (st *state) lanes() func(func(int) bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	var all []int
	for lane := range st.feed {
		all = append(all, lane)
	}
	slices.Sort(all)
	return func(yield func(int) bool) {
		for _, lane := range all {
			if !yield(lane) {
				return
			}
		}
	}
}

// PruneQuarantine implements [store.Store].
func (s *Store) PruneQuarantine(ctx context.Context, gone func(store.Quarantine) bool) (int64, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	before := len(s.state.quarantine)
	s.state.quarantine = slices.DeleteFunc(s.state.quarantine, gone)
	return int64(before - len(s.state.quarantine)), nil
}

// Compact implements [store.Store].
func (s *Store) Compact(ctx context.Context) error { return s.usable(ctx) }

// Forget implements [store.Ledger].
func (l *Ledger) Forget(ctx context.Context, profiles ...identity.ID) error {
	b, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer b.mu.Unlock()
	var gone []profile.DeliveryID
	for id, s := range b.starts {
		if slices.Contains(profiles, s.Profile) {
			gone = append(gone, id)
		}
	}
	for _, id := range gone {
		delete(b.starts, id)
	}
	return nil
}

// Compact implements [store.Ledger].
func (l *Ledger) Compact(ctx context.Context) error {
	b, err := l.lock(ctx)
	if err != nil {
		return err
	}
	b.mu.Unlock()
	return nil
}

// Everything implements [store.Store].
func (s *Store) Everything(ctx context.Context, yield func(table string, cell []byte) error) error {
	st, err := s.read(ctx)
	if err != nil {
		return err
	}
	defer st.mu.RUnlock()
	var errs []error
	say := func(table string, cell []byte) {
		if len(cell) > 0 && len(errs) == 0 {
			if err := yield(table, cell); err != nil {
				errs = append(errs, err)
			}
		}
	}
	for _, row := range st.profiles {
		say("profiles", row.Body)
		say("rests", row.Rest)
	}
	for _, blocks := range st.history {
		for i := range blocks {
			say("history", blocks[i].Body)
		}
	}
	for _, d := range st.deliveries {
		say("deliveries", profile.AppendDelivery(nil, &d.Delivery))
		say("deliveries", d.Plan)
		say("deliveries", d.Claim)
		say("deliveries", []byte(d.Outcome))
	}
	for _, f := range st.forwards {
		say("forwards", f.Entry)
	}
	for _, blocks := range st.feed {
		for i := range blocks {
			say("feed", blocks[i].Body)
		}
	}
	for _, q := range st.quarantine {
		say("quarantine", []byte(q.Reason+"\n"+q.Field+"\n"+q.Detail))
		say("quarantine", q.Entry)
	}
	return errors.Join(errs...)
}

// SuppressionsOf implements [store.Ledger].
func (l *Ledger) SuppressionsOf(ctx context.Context, subject [16]byte) ([]store.Suppression, error) {
	b, err := l.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer b.mu.Unlock()
	var all []store.Suppression
	for t, found := range b.suppressed {
		if t.subject == subject {
			all = append(all, found...)
		}
	}
	slices.SortFunc(all, func(a, b store.Suppression) int {
		return cmp.Or(strings.Compare(a.Channel, b.Channel), strings.Compare(a.Purpose, b.Purpose), strings.Compare(a.Reason, b.Reason), strings.Compare(a.By, b.By))
	})
	return all, nil
}

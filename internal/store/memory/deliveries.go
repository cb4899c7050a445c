package memory

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// DueDeliveries implements [store.Store].
func (s *Store) DueDeliveries(ctx context.Context, channel string, now event.Time, limit int) ([]store.Ref, error) {
	return s.dueOf(ctx, now, limit, func(d *store.Delivery) bool { return channel == "" || d.Channel == channel })
}

// DueWithin implements [store.Store].
func (s *Store) DueWithin(ctx context.Context, from, to int32, now event.Time, limit int) ([]store.Ref, error) {
	return s.dueOf(ctx, now, limit, func(d *store.Delivery) bool { return from <= d.Priority && d.Priority <= to })
}

func (s *Store) dueOf(ctx context.Context, now event.Time, limit int, asked func(*store.Delivery) bool) ([]store.Ref, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var due []store.Delivery
	for id := range st.planned {
		if d := st.deliveries[id]; d.NotBefore <= now && asked(&d) {
			due = append(due, d)
		}
	}
	slices.SortFunc(due, func(a, b store.Delivery) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.NotBefore, b.NotBefore), byID(a, b))
	})
	return refs(due, limit), nil
}

// NextDelivery implements [store.Store].
func (s *Store) NextDelivery(ctx context.Context) (event.Time, error) {
	st, err := s.read(ctx)
	if err != nil {
		return 0, err
	}
	defer st.mu.RUnlock()
	next := event.Never
	for id := range st.planned {
		next = min(next, st.deliveries[id].NotBefore)
	}
	return next, nil
}

// InState implements [store.Store].
func (s *Store) InState(ctx context.Context, state profile.State, after profile.DeliveryID, limit int) ([]store.Ref, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var found []store.Delivery
	for id, d := range st.deliveries {
		if d.State == state && bytes.Compare(id[:], after[:]) > 0 {
			found = append(found, d)
		}
	}
	slices.SortFunc(found, byID)
	return refs(found, limit), nil
}

// Delivery implements [store.Store].
func (s *Store) Delivery(ctx context.Context, id profile.DeliveryID) (store.Delivery, error) {
	st, err := s.read(ctx)
	if err != nil {
		return store.Delivery{}, err
	}
	defer st.mu.RUnlock()
	d, ok := st.deliveries[id]
	if !ok {
		return store.Delivery{}, fault.New(fault.NotFound, "there is no delivery "+id.String())
	}
	return owned(d), nil
}

// DeliveriesOf implements [store.Store].
func (s *Store) DeliveriesOf(ctx context.Context, id identity.ID, limit int) ([]store.Delivery, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var found []store.Delivery
	for _, d := range st.of[id] {
		found = append(found, owned(st.deliveries[d]))
	}
	slices.SortFunc(found, func(a, b store.Delivery) int {
		return cmp.Or(cmp.Compare(b.Planned, a.Planned), byID(a, b))
	})
	return found[:min(len(found), max(limit, 0))], nil
}

// Deliveries implements [store.Store].
func (s *Store) Deliveries(ctx context.Context) iter.Seq2[store.Delivery, error] {
	return func(yield func(store.Delivery, error) bool) {
		st, err := s.read(ctx)
		if err != nil {
			yield(store.Delivery{}, err)
			return
		}
		all := make([]store.Delivery, 0, len(st.deliveries))
		for _, d := range st.deliveries {
			all = append(all, owned(d))
		}
		st.mu.RUnlock() // the caller may commit between two rows
		slices.SortFunc(all, byID)
		for _, d := range all {
			if err := ctx.Err(); err != nil {
				yield(store.Delivery{}, err)
				return
			}
			if !yield(d, nil) {
				return
			}
		}
	}
}

// DeliveryCounts implements [store.Store].
func (s *Store) DeliveryCounts(ctx context.Context) ([]store.DeliveryCount, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	counts := map[store.DeliveryCount]int64{}
	for _, d := range st.deliveries {
		counts[store.DeliveryCount{State: d.State, Journey: d.Journey, Channel: d.Channel, Because: d.Because}]++
	}
	var alike []store.DeliveryCount
	for c, n := range counts {
		c.Count = n
		alike = append(alike, c)
	}
	slices.SortFunc(alike, func(a, b store.DeliveryCount) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.Journey, b.Journey), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Because, b.Because))
	})
	return alike, nil
}

func byID(a, b store.Delivery) int { return bytes.Compare(a.ID[:], b.ID[:]) }

func refs(found []store.Delivery, limit int) []store.Ref {
	refs := make([]store.Ref, min(len(found), max(limit, 0)))
	for i := range refs {
		d := &found[i]
		refs[i] = store.Ref{
			ID: d.ID, Profile: d.Profile, Channel: d.Channel, NotBefore: d.NotBefore, Deadline: d.Deadline, Fence: d.Fence, Priority: d.Priority,
		}
	}
	return refs
}

// owned returns d with bytes that are the caller's.
func owned(d store.Delivery) store.Delivery {
	d.Plan, d.Claim = bytes.Clone(d.Plan), bytes.Clone(d.Claim)
	return d
}

package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Members implements [store.Store].
func (s *Store) Members(ctx context.Context, segment uint64, after identity.ID, limit int) ([]identity.ID, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var ids []identity.ID
	for id := range st.members[segment] {
		if id.Compare(after) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, identity.ID.Compare)
	return ids[:min(len(ids), max(limit, 0))], nil
}

// SegmentCounts implements [store.Store].
func (s *Store) SegmentCounts(ctx context.Context) (map[uint64]int64, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	counts := map[uint64]int64{}
	for key, in := range st.members {
		counts[key] = int64(len(in))
	}
	return counts, nil
}

// Forwards implements [store.Store].
func (s *Store) Forwards(ctx context.Context, limit int) ([]store.Forward, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var all []store.Forward
	for _, f := range st.forwards {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b store.Forward) int {
		return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Number, b.Number))
	})
	all = all[:min(len(all), max(limit, 0))]
	for i := range all {
		all[i].Entry = cloned(all[i].Entry)
	}
	return all, nil
}

// Feed implements [store.Store].
func (s *Store) Feed(ctx context.Context, lane int, after uint64, limit int) ([]store.Feed, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var blocks []store.Feed
	for _, f := range st.feed[lane] {
		if f.To > after && len(blocks) < limit {
			f.Body = cloned(f.Body)
			blocks = append(blocks, f)
		}
	}
	return blocks, nil
}

// Quarantined implements [store.Store].
func (s *Store) Quarantined(ctx context.Context, limit int) ([]store.Quarantine, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var found []store.Quarantine
	for i := len(st.quarantine) - 1; i >= 0 && len(found) < limit; i-- {
		q := st.quarantine[i]
		q.Entry = bytes.Clone(q.Entry)
		found = append(found, q)
	}
	return found, nil
}

// SaveProgram implements [store.Store].
func (s *Store) SaveProgram(ctx context.Context, hash uint64, source []byte) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if _, known := s.state.programs[hash]; !known {
		s.state.programs[hash] = cloned(source)
	}
	return nil
}

// Program implements [store.Store].
func (s *Store) Program(ctx context.Context, hash uint64) ([]byte, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	source, ok := st.programs[hash]
	if !ok {
		return nil, fault.New(fault.NotFound, "this program was never saved here")
	}
	return cloned(source), nil
}

// Stats implements [store.Store]. Bytes on disk are zero.
func (s *Store) Stats(ctx context.Context) (map[string]int64, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	living := int64(0)
	for _, row := range st.profiles {
		if !row.Signpost {
			living++
		}
	}
	stats := map[string]int64{
		"profiles":   int64(len(st.profiles)),
		"living":     living,
		"history":    st.blocks,
		"deliveries": int64(len(st.deliveries)),
		"forwards":   int64(len(st.forwards)),
		"quarantine": int64(len(st.quarantine)),
		"programs":   int64(len(st.programs)),
		"bytes":      0,
	}
	for _, in := range st.members {
		stats["members"] += int64(len(in))
	}
	for _, blocks := range st.feed {
		stats["feed"] += int64(len(blocks))
	}
	return stats, nil
}

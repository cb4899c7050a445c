package memory

import (
	"bytes"
	"context"
	"slices"

	"rapport/internal/store"
)

// keepRuns takes the runs of campaigns that a commit has changed.
func (st *state) keepRuns(c *store.Commit) {
	for _, r := range c.Runs {
		r.Body = cloned(r.Body)
		same := func(x store.Run) bool { return x.Campaign == r.Campaign && x.Name == r.Name }
		if i := slices.IndexFunc(st.runs[c.Lane], same); i >= 0 {
			st.runs[c.Lane][i] = r
		} else {
			st.runs[c.Lane] = append(st.runs[c.Lane], r)
		}
	}
}

// Runs implements [store.Store].
func (s *Store) Runs(ctx context.Context, lane int) ([]store.Run, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	runs := slices.Clone(st.runs[lane])
	for i := range runs {
		runs[i].Body = bytes.Clone(runs[i].Body)
	}
	return runs, nil
}

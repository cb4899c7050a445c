package engine_test

import (
	"context"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// counting holds the rows of each commit against what was heard up to its position.
type counting struct {
	store.Store
	t     *testing.T
	heard map[identity.ID][]uint64 // at which records
	held  int
}

func (c *counting) Commit(ctx context.Context, commit *store.Commit) error {
	if err := c.Store.Commit(ctx, commit); err != nil {
		return err
	}
	for i := range commit.Profiles {
		id := commit.Profiles[i].ID
		rows, err := c.Load(ctx, []identity.ID{id})
		if err != nil {
			return err
		}
		p, err := profile.Decode(string(rows[0].Body))
		if err != nil {
			return err
		}
		want := 0
		for _, seq := range c.heard[id] {
			if seq <= commit.To.Seq {
				want++
			}
		}
		if int(p.Count) != want {
			c.t.Errorf("the commit up to record %d has a customer after %d events, want %d", commit.To.Seq, p.Count, want)
		}
		c.held++
	}
	return nil
}

// What a commit writes of a customer is how they were at its position, whatever they do
// until it comes to them.
func TestACommitHasEverybodyAsTheyWereAtItsPosition(t *testing.T) {
	t.Parallel()
	const events = 500
	s, again := lookers(t, true, 1) // each record begins a commit, and the next one does not wait for it
	home := s.key.Home(identity.Identifier{Kind: identity.User, Value: "ann"})
	c := &counting{Store: s.store, t: t, heard: map[identity.ID][]uint64{}}
	again(c)
	for range events {
		s.says("ann", "", event.ProductViewed, nil)
		last, err := s.log.Last(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		c.heard[home] = append(c.heard[home], last.Seq)
	}
	s.settle()
	if c.held < events/2 {
		t.Errorf("%d rows were committed: the test tests little", c.held)
	}
}

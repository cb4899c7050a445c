package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Interests is one opening of interests in memory. It implements [store.Interests].
type Interests struct {
	held   *interests
	closed atomic.Bool
}

// interests is what survives a Close.
type interests struct {
	mu        sync.Mutex
	rows      []store.Interest // in order
	positions map[int]uint64
	told      int64
}

var _ store.Interests = (*Interests)(nil)

// NewInterests returns interests of nobody.
func NewInterests() *Interests { return &Interests{held: &interests{positions: map[int]uint64{}}} }

// Reopen closes i and returns another opening of the same interests.
func (i *Interests) Reopen() *Interests {
	_ = i.Close() // cannot fail
	return &Interests{held: i.held}
}

// Close implements [store.Interests].
func (i *Interests) Close() error {
	i.closed.Store(true)
	return nil
}

// use locks what is held; the caller unlocks it.
func (i *Interests) use(ctx context.Context) (*interests, error) {
	if i.closed.Load() {
		return nil, fault.New(fault.Unavailable, "the interests are closed")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i.held.mu.Lock()
	return i.held, nil
}

func compareInterest(a, b store.Interest) int {
	return cmp.Or(strings.Compare(a.Key, b.Key), bytes.Compare(a.Profile[:], b.Profile[:]), cmp.Compare(a.Kind, b.Kind))
}

// Position implements [store.Interests].
func (i *Interests) Position(ctx context.Context, lane int) (uint64, error) {
	h, err := i.use(ctx)
	if err != nil {
		return 0, err
	}
	defer h.mu.Unlock()
	return h.positions[lane], nil
}

// Told implements [store.Interests].
func (i *Interests) Told(ctx context.Context) (int64, error) {
	h, err := i.use(ctx)
	if err != nil {
		return 0, err
	}
	defer h.mu.Unlock()
	return h.told, nil
}

// SetTold implements [store.Interests].
func (i *Interests) SetTold(ctx context.Context, number int64) error {
	h, err := i.use(ctx)
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	h.told = number
	return nil
}

// Note implements [store.Interests].
func (i *Interests) Note(ctx context.Context, c *store.InterestCommit) error {
	h, err := i.use(ctx)
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	for _, n := range c.Noted {
		n.Key = strings.Clone(n.Key)
		at, found := slices.BinarySearchFunc(h.rows, n, compareInterest)
		if !found {
			h.rows = slices.Insert(h.rows, at, n)
			continue
		}
		h.rows[at].At, h.rows[at].Count = max(h.rows[at].At, n.At), h.rows[at].Count+n.Count
	}
	for _, d := range c.Dropped {
		if at, found := slices.BinarySearchFunc(h.rows, d, compareInterest); found && h.rows[at].At <= d.At {
			h.rows = slices.Delete(h.rows, at, at+1)
		}
	}
	h.positions[c.Lane] = c.To
	return nil
}

// Interested implements [store.Interests].
func (i *Interests) Interested(ctx context.Context, key string, since event.Time, after identity.ID, limit int) (list []store.Interest, err error) {
	h, err := i.use(ctx)
	if err != nil {
		return nil, err
	}
	defer h.mu.Unlock()
	people := 0
	at, _ := slices.BinarySearchFunc(h.rows, store.Interest{Key: key, Profile: after, Kind: 255}, compareInterest)
	for at < len(h.rows) && h.rows[at].Key == key {
		end, recent := at, false
		for ; end < len(h.rows) && h.rows[end].Key == key && h.rows[end].Profile == h.rows[at].Profile; end++ {
			recent = recent || h.rows[end].At >= since
		}
		if recent {
			if people++; people > limit {
				break
			}
			list = append(list, h.rows[at:end]...)
		}
		at = end
	}
	return list, nil
}

// Prune implements [store.Interests].
func (i *Interests) Prune(ctx context.Context, before event.Time, gone func(identity.ID) bool) (int64, error) {
	h, err := i.use(ctx)
	if err != nil {
		return 0, err
	}
	defer h.mu.Unlock()
	had := len(h.rows)
	h.rows = slices.DeleteFunc(h.rows, func(n store.Interest) bool { return n.At < before || gone != nil && gone(n.Profile) })
	return int64(had - len(h.rows)), nil
}

package suggest

import (
	"context"
	"strings"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/core/recommend"
	"rapport/internal/feed"
)

const (
	// blocks is how many feed blocks are read at once.
	blocks = 32
	// followEvery is how often the feed is looked at.
	followEvery = time.Second
	// maxMembers bounds the customers whose segments are known for the lists of
	// segments: some 100 bytes each.
	maxMembers = 1_000_000
	// failPause is how long to wait after the feed could not be read.
	failPause = 10 * time.Second
)

// follower reads the feed. What was heard by a process before this one is learnt
// from it; what this one heard it knows already. Of both it takes who is in which
// segment.
type follower struct {
	r       *Room
	after   []uint64
	members map[identity.ID][]string
	names   map[string]string // of segments, once each: what a row says is a piece of its whole block
	fresh   *knowledge        // is filled until the feed has been read once; then nil
}

func (r *Room) follow(ctx context.Context) {
	f := follower{r: r, after: make([]uint64, r.o.Lanes), members: map[identity.ID][]string{}, names: map[string]string{}, fresh: newKnowledge(r.o.Clicks)}
	for pause := time.Duration(0); ; pause = followEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if err := f.read(ctx); err != nil {
			if ctx.Err() != nil {
				return
			}
			r.o.Log.Warn("the feed cannot be read for recommendations", "error", err)
			pause = failPause
		}
	}
}

// read takes all that the feed has to tell.
func (f *follower) read(ctx context.Context) error {
	for lane := range f.after {
		for {
			list, err := f.r.o.Store.Feed(ctx, lane, f.after[lane], blocks)
			if err != nil {
				return err
			}
			for i := range list {
				var rows []feed.Row
				if err := feed.Each(list[i].Body, func(row feed.Row) error { rows = append(rows, row); return nil }); err != nil {
					return err
				}
				f.rows(rows)
				f.after[lane] = list[i].To
			}
			if len(list) < blocks {
				break
			}
		}
	}
	if f.fresh != nil {
		f.r.settle(f.fresh)
		f.fresh = nil
	}
	return nil
}

// settle puts what was read of the time before in place, and on top of it what was
// heard meanwhile.
func (r *Room) settle(k *knowledge) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.waiting {
		if r.waiting[i].kind != nothing {
			r.learn(k, &r.waiting[i])
		}
	}
	r.know, r.waiting, r.loading = k, nil, false
}

func (f *follower) rows(rows []feed.Row) {
	r := f.r
	k := f.fresh
	if k == nil {
		// What an earlier process left in the log comes when it is applied.
		r.mu.Lock()
		defer r.mu.Unlock()
		k = r.know
	}
	for i := range rows {
		row := &rows[i]
		switch row.Kind {
		case feed.Segment:
			f.member(row)
		case feed.Event:
			h := r.read(row.Profile, row.Name, row.At, row.Props)
			if h.kind == nothing {
				continue
			}
			h.heard = row.Now
			if row.Now < r.began {
				r.learn(k, &h)
			}
			if h.kind == ordered {
				f.segments(k, row.Profile, &h)
			}
		}
	}
}

func (f *follower) member(row *feed.Row) {
	list, known := f.members[row.Profile]
	if !known && len(f.members) >= maxMembers {
		return
	}
	next := make([]string, 0, len(list)+1)
	for _, s := range list {
		if s != row.Name {
			next = append(next, s)
		}
	}
	if row.In {
		name, known := f.names[row.Name]
		if !known {
			name = strings.Clone(row.Name)
			f.names[name] = name
		}
		next = append(next, name)
	}
	if len(next) == 0 {
		delete(f.members, row.Profile)
		return
	}
	f.members[row.Profile] = next
}

// segments counts an order for the segments that the customer is in.
func (f *follower) segments(k *knowledge, id identity.ID, h *heard) {
	for _, s := range f.members[id] {
		t := scope(k.segments, s)
		for i := range h.items {
			t.Add(h.items[i].name, 1, h.at)
		}
	}
}

// shelfEvery is how often descriptions are read anew if the catalogue changed. A
// hundred thousand products take about a second.
const shelfEvery = time.Minute

// shelve keeps the descriptions of what is sold.
func (r *Room) shelve(ctx context.Context) {
	if r.o.Shelf == nil {
		return
	}
	round, read := uint64(0), false
	for pause := time.Duration(0); ; pause = shelfEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		now := r.o.Shelf.Round()
		if read && now == round {
			continue
		}
		if err := r.Describe(ctx); err != nil {
			if ctx.Err() == nil {
				r.o.Log.Warn("the catalogue cannot be read for recommendations", "error", err)
			}
			continue
		}
		round, read = now, true
	}
}

// Describe reads the descriptions of everything that is sold now.
func (r *Room) Describe(ctx context.Context) error {
	c := recommend.NewCorpus()
	var names []string
	for d, err := range r.o.Shelf.Descriptions(ctx) {
		if err != nil {
			return err
		}
		c.Put(d)
		names = append(names, d.Name)
	}
	r.corpus.Store(c)
	r.arrivals.see(names, r.o.Now())
	return nil
}

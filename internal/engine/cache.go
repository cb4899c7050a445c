package engine

import (
	"container/list"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// cache holds decoded profiles of one lane, the least recently used goes first.
// A profile with changes that are not committed is pinned: the store does not
// have it yet.
type cache struct {
	limit int64
	size  int64
	items map[identity.ID]*item
	order *list.List // of *item, most recently used in front
}

// item is one cached profile with what the lane knows of its history.
type item struct {
	p    *profile.Profile
	row  int   // bytes of its row when it was last read or written
	size int64 // bytes of memory, about
	pins int   // batches, open or in flight, that hold a change of it
	at   *list.Element
	// damaged: the row in the store cannot be read, p stands for nothing.
	damaged bool
	// seen holds the fingerprints of the history by month, for the months that
	// somebody asked about. What is applied later is added.
	seen map[int32]map[uint64]struct{}
}

// itemOverhead is what a cached profile costs beside itself: the item, its entry
// in the map, its element in the list.
const itemOverhead = 240

func newCache(limit int64) *cache {
	return &cache{limit: limit, items: map[identity.ID]*item{}, order: list.New()}
}

func (c *cache) get(id identity.ID) *item {
	it := c.items[id]
	if it != nil {
		c.order.MoveToFront(it.at)
	}
	return it
}

func (c *cache) put(p *profile.Profile, encoded int) *item {
	it := &item{p: p, row: encoded, size: int64(encoded + p.Weight() + itemOverhead)}
	it.at = c.order.PushFront(it)
	c.items[p.ID] = it
	c.size += it.size
	return it
}

// resize notes how large the profile has become.
func (c *cache) resize(it *item, encoded int) {
	n := int64(encoded + it.p.Weight() + itemOverhead)
	it.row = encoded
	for _, set := range it.seen {
		n += int64(len(set)) * 16
	}
	c.size += n - it.size
	it.size = n
}

// shrink drops what was not used for longest until the limit holds. Pinned
// profiles stay, so the size may lie above the limit until the next commit.
func (c *cache) shrink() {
	for e := c.order.Back(); e != nil && c.size > c.limit; {
		it := e.Value.(*item)
		e = e.Prev()
		if it.pins > 0 {
			continue
		}
		c.order.Remove(it.at)
		delete(c.items, it.p.ID)
		c.size -= it.size
	}
}

func (c *cache) clear() {
	c.items, c.size = map[identity.ID]*item{}, 0
	c.order.Init()
}

// learn notes that the event's id is now part of the profile's history.
func (it *item) learn(e *event.Event, month int32) {
	f := profile.Fingerprint(e.ID)
	if set := it.seen[month]; set != nil {
		set[f] = struct{}{}
	}
	if set := it.seen[anyMonth]; set != nil {
		set[f] = struct{}{}
	}
}

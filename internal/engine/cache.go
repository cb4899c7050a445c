package engine

import (
	"container/list"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// cache holds decoded profiles of one lane, the least recently used goes first.
// A profile with changes that are not committed is pinned: the store does not
// have it yet. What goes is kept encoded for a while: bytes are a third of the
// decoded profile and nothing to the garbage collector, and asking the store costs
// ten times as much as decoding.
type cache struct {
	limit int64
	size  int64
	items map[identity.ID]*item
	order *list.List // of *item, most recently used in front
	rows  rows
}

// rowsShare is which part of the memory rows take, in eighths.
const rowsShare = 3

// rows are encoded profiles that are not decoded: as the store has them. The newer
// half is in fresh; what was not asked for while that filled up goes.
type rows struct {
	limit        int64 // of fresh
	size         int64 // of fresh
	fresh, stale map[identity.ID]string
	scratch      []byte
}

// put keeps the row of a profile that goes.
func (r *rows) put(p *profile.Profile) {
	r.scratch = p.Append(r.scratch[:0])
	if r.size > r.limit {
		r.fresh, r.stale, r.size = map[identity.ID]string{}, r.fresh, 0
	}
	r.fresh[p.ID] = string(r.scratch)
	r.size += int64(len(r.scratch)) + rowOverhead
}

// rowOverhead is what a row costs beside its bytes: its entry in the map.
const rowOverhead = 64

// take returns a row and forgets it: it will change.
func (r *rows) take(id identity.ID) (string, bool) {
	for _, half := range []map[identity.ID]string{r.fresh, r.stale} {
		if row, ok := half[id]; ok {
			delete(half, id)
			return row, true
		}
	}
	return "", false
}

// item is one cached profile with what the lane knows of its history.
type item struct {
	p *profile.Profile
	// base is the profile as the commits that were begun leave it in the store; nil:
	// it is not there, or not in parts, so the next commit writes all of it.
	base *profile.Profile
	// alarm is never before the one that the store has: profiles whose alarm moved
	// away keep the earlier one there.
	alarm event.Time
	early bool  // the store's alarm has come and the profile's has not
	row   int   // bytes of its row when it was last read or written
	size  int64 // bytes of memory, about
	rest  int   // bytes of them that are its rest, or unknownRest
	pins  int   // batches, open or in flight, that hold a change of it
	at    *list.Element
	// damaged: the row in the store cannot be read, p stands for nothing.
	damaged bool
	// seen holds the fingerprints of the history by month, for the months that
	// somebody asked about. What is applied later is added.
	seen map[int32]map[uint64]struct{}
	// gone holds the fingerprints of events that count no more, since their import
	// was undone; nil: nobody asked.
	gone map[uint64]struct{}
}

// unknownRest is the size of a rest that was read and never written: a row does not
// say where its rest begins.
const unknownRest = -1

// itemOverhead is what a cached profile costs beside itself: the item, its entry
// in the map, its element in the list.
const itemOverhead = 240

func newCache(limit int64) *cache {
	c := &cache{limit: limit - limit*rowsShare/8, items: map[identity.ID]*item{}, order: list.New()}
	c.rows.limit = (limit - c.limit) / 2
	c.rows.fresh = map[identity.ID]string{}
	return c
}

func (c *cache) get(id identity.ID) *item {
	it := c.items[id]
	if it != nil {
		c.order.MoveToFront(it.at)
	}
	return it
}

func (c *cache) put(p *profile.Profile, encoded int) *item {
	it := &item{p: p, row: encoded, rest: unknownRest, alarm: p.Alarm, size: int64(encoded + p.Weight() + itemOverhead)}
	it.at = c.order.PushFront(it)
	c.items[p.ID] = it
	c.size += it.size
	c.rows.take(p.ID) // whoever decoded it had a row of the store's
	return it
}

// resize notes how large the profile has become.
func (c *cache) resize(it *item, encoded int) {
	n := int64(encoded+it.p.Weight()+itemOverhead) + int64(len(it.gone))*16
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
		if !it.damaged && it.base != nil { // without a base, how the store has it would be forgotten
			c.rows.put(it.p)
		}
		c.order.Remove(it.at)
		delete(c.items, it.p.ID)
		c.size -= it.size
	}
}

func (c *cache) clear() {
	c.items, c.size = map[identity.ID]*item{}, 0
	c.rows.fresh, c.rows.stale, c.rows.size = map[identity.ID]string{}, nil, 0
	c.order.Init()
}

// learn notes that the event's id is now part of the profile's history.
func (it *item) learn(e *event.Event, month int32) {
	f := profile.Fingerprint(e.ID)
	delete(it.gone, f)
	if set := it.seen[month]; set != nil {
		set[f] = struct{}{}
	}
	if set := it.seen[anyMonth]; set != nil {
		set[f] = struct{}{}
	}
}

package engine

import (
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// cache holds the profiles of one lane, the least recently used goes first. Few are
// decoded: those that are used now. The others are rows, a fifth as large and nothing
// to the garbage collector, which would look at every piece of a decoded profile again
// and again; decoding one costs a tenth of what asking the store does.
//
// A profile with changes that are not committed may go like every other. Its item then
// rests: its row, which the store does not have, is held until it is.
type cache struct {
	limit   int64 // of what is decoded
	size    int64
	items   map[identity.ID]*item // decoded
	resting map[identity.ID]*item // encoded, and not committed
	newest  *item
	oldest  *item
	rows    rows
	scratch []byte
}

// decodedShare is which part of the memory decoded profiles take, in eighths.
const decodedShare = 1

// item is one cached profile with what the lane knows of its history.
type item struct {
	id identity.ID
	p  *profile.Profile // nil: it rests
	// base is the profile as the commits that were begun leave it in the store; nil:
	// it is not there, or not in parts, so the next commit writes all of it.
	base *profile.Profile
	// packed is the profile whose encoding the cache has as a row, if it has one; nil: none.
	packed *profile.Profile
	// otherRest: the rest is not what base has, although that cannot be seen any more.
	otherRest bool
	// alarm is never before the one that the store has: profiles whose alarm moved
	// away keep the earlier one there.
	alarm event.Time
	early bool       // the store's alarm has come and the profile's has not
	wakes event.Time // the profile's alarm while it rests
	home  bool       // whether somebody lives there, while it rests
	// signpost: the store has it as one.
	signpost bool
	settled  uint64 // the batch whose commit makes of it the row of somebody who lives
	number   int64  // of its row in the store; zero: it is not known
	row      int    // bytes of its row when it was last read or written
	size     int64  // bytes of memory, about
	rest     int    // bytes of them that are its rest, or unknownRest
	pins     int    // batches, open or in flight, that hold a change of it
	batch    uint64 // the newest batch that did, and
	place    int    // its place among those of that batch
	newer    *item
	older    *item
	// passes: it came with a sweep, and nothing has happened to the customer since.
	passes bool
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

// itemOverhead is what a cached profile costs beside itself: the item and its entry
// in the map.
const itemOverhead = 240

// unseen stands for the base of an item that rests: it is in the store, in parts.
var unseen = &profile.Profile{}

func newCache(limit int64) *cache {
	c := &cache{limit: limit * decodedShare / 8, items: map[identity.ID]*item{}, resting: map[identity.ID]*item{}}
	c.rows = newRows(limit - c.limit)
	return c
}

func (c *cache) get(id identity.ID) *item {
	it := c.items[id]
	switch {
	case it == nil:
	case it.passes:
		it.passes = false
		c.link(it)
		c.size += it.size
	case c.newest != it:
		c.unlink(it)
		c.link(it)
	}
	return it
}

// pass notes that nobody asked for an item: it takes nobody's place, and is not kept
// once it is in the store. Until then it stays decoded, for its commit encodes it.
func (c *cache) pass(it *item) {
	it.passes = true
	c.unlink(it)
	c.size -= it.size
}

func (c *cache) link(it *item) {
	it.older = c.newest
	if c.newest != nil {
		c.newest.newer = it
	}
	if c.newest = it; c.oldest == nil {
		c.oldest = it
	}
}

func (c *cache) unlink(it *item) {
	if it.newer != nil {
		it.newer.older = it.older
	} else {
		c.newest = it.older
	}
	if it.older != nil {
		it.older.newer = it.newer
	} else {
		c.oldest = it.newer
	}
	it.newer, it.older = nil, nil
}

// put takes a profile that was decoded from a row of so many bytes, or is new.
func (c *cache) put(p *profile.Profile, encoded int) *item {
	it := c.resting[p.ID]
	if it != nil {
		delete(c.resting, p.ID)
		c.rows.hold(p.ID, false)
		if it.p = p; it.base != nil {
			it.base = p // and otherRest remembers what was
		}
	} else {
		it = &item{id: p.ID, p: p, row: encoded, rest: unknownRest, alarm: p.Alarm, signpost: !p.Lives()}
	}
	it.size = int64(encoded + p.Weight() + itemOverhead)
	if it.packed = nil; c.rows.has(p.ID) {
		it.packed = p
	}
	c.link(it)
	c.items[p.ID] = it
	c.size += it.size
	return it
}

// resize notes how large the profile has become.
func (c *cache) resize(it *item, encoded int) {
	it.row = encoded
	if it.p == nil {
		return
	}
	n := int64(encoded+it.p.Weight()+itemOverhead) + int64(len(it.gone))*16
	for _, set := range it.seen {
		n += int64(len(set)) * 16
	}
	if !it.passes {
		c.size += n - it.size
	}
	it.size = n
}

// shrink encodes what was not used for longest until the limit holds, given how many
// have come: what a commit lets go is many at once, and whoever is live does not wait
// until all of them have gone. What a commit under way packs stays, so the size may lie
// above the limit until it has ended.
func (c *cache) shrink(come int) {
	most := 2*come + piece
	for it, look := c.oldest, 16*most; it != nil && c.size > c.limit && most > 0 && look > 0; look-- {
		next := it.newer
		if c.mayGo(it) {
			c.away(it)
			most--
		}
		it = next
	}
	c.rows.shrink()
}

// mayGo reports whether an item need not stay decoded. Its commit encodes who is
// packed now, and damaged ones stand in the open batch as they are.
func (c *cache) mayGo(it *item) bool {
	return it.pins == 0 || !it.damaged && (it.base != it.p || c.encoded(it))
}

// away turns an item into a row. One without changes is forgotten, with them it rests.
func (c *cache) away(it *item) {
	switch {
	case it.pins > 0:
		c.encode(it)
		c.rows.hold(it.id, true)
		if it.base != nil {
			it.otherRest = it.otherRest || !it.p.SameRest(it.base)
			it.base = unseen
		}
		it.wakes, it.home = it.p.Alarm, it.p.Lives()
		c.resting[it.id] = it
	case it.damaged || it.passes || it.base == nil: // of the last, how the store has it would be forgotten
		c.rows.drop(it.id)
	default:
		c.encode(it)
	}
	if delete(c.items, it.id); !it.passes {
		c.unlink(it)
		c.size -= it.size
	}
	it.p, it.packed, it.seen, it.gone = nil, nil, nil, nil
}

// encode sees to it that the row of an item is what its profile is.
func (c *cache) encode(it *item) {
	switch {
	case c.encoded(it):
		return
	case c.restEncoded(it, it.p):
		c.scratch = it.p.AppendHot(c.scratch[:0])
		c.rows.putHot(it.id, c.scratch)
	default:
		c.scratch = it.p.AppendHot(c.scratch[:0])
		hot := len(c.scratch)
		c.scratch = it.p.AppendRest(c.scratch)
		c.rows.put(it.id, c.scratch[:hot], c.scratch[hot:])
	}
	it.packed = it.p
}

// encoded reports whether the row of an item is what its profile is.
func (c *cache) encoded(it *item) bool { return it.packed == it.p && c.rows.has(it.id) }

// restEncoded reports whether the rest of an item's row is that of the profile.
func (c *cache) restEncoded(it *item, p *profile.Profile) bool {
	return it.packed != nil && c.rows.has(it.id) && p.SameRest(it.packed)
}

// written notes what a commit has put into the store of an item. What it encoded need
// not be encoded again.
func (c *cache) written(r *packed) {
	it := r.it
	if it.row = r.size(it); !it.passes {
		c.resize(it, it.row)
	}
	switch {
	case it.p == nil: // it rests: it is a row
	case it.p != r.p || c.encoded(it) || it.passes: // it has changed since, or is a row already, or need not be
	case r.rest != unknownRest:
		c.rows.put(it.id, r.body[:r.hot], r.body[r.hot:])
		it.packed = it.p
	case c.restEncoded(it, it.p):
		c.rows.putHot(it.id, r.body)
		it.packed = it.p
	}
}

// release notes that a batch with changes of the item is no longer under way.
func (c *cache) release(it *item) {
	switch it.pins--; {
	case it.pins > 0:
	case it.passes:
		c.away(it)
	case it.p == nil:
		delete(c.resting, it.id)
		c.rows.hold(it.id, false)
	}
}

// lives reports whether somebody lives at the profile.
func (it *item) lives() bool {
	if it.p == nil {
		return it.home
	}
	return it.p.Lives()
}

// due returns when the profile's alarm comes.
func (it *item) due() event.Time {
	if it.p == nil {
		return it.wakes
	}
	return it.p.Alarm
}

func (c *cache) clear() {
	c.items, c.resting, c.size = map[identity.ID]*item{}, map[identity.ID]*item{}, 0
	c.newest, c.oldest = nil, nil
	c.rows.clear()
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

package engine

import (
	"encoding/binary"

	"rapport/internal/core/identity"
)

// rows keeps encoded profiles in memory that the garbage collector does not look
// into, the least recently put goes first. A row lies in blocks of one size, each of
// which begins with the number of the next: rows come and go and grow, and no memory
// is lost to the gaps between them.
type rows struct {
	limit int // blocks
	used  int // blocks in use
	slabs [][]byte
	free  uint32 // the first free block; numbers count from 1
	fresh uint32 // blocks that were never in use begin behind it
	at    map[identity.ID]uint32
	list  [][]row // places, so many at a time: all of them in one would be copied as they grow
	count uint32  // places that were in use once, and the one that none has: they count from 1
	spare uint32  // the first free place
	first uint32  // most recently put
	last  uint32
	held  int // rows that must not go
}

// row is one encoded profile, in its two parts.
type row struct {
	id             identity.ID
	hot, rest      uint32 // their first blocks
	hotLen, length int32  // bytes of the hot part, and of both
	newer, older   uint32
	held           bool // the store does not have it yet
}

const (
	blockSize  = 256
	blockRoom  = blockSize - 4
	slabBlocks = 1024
	rowsAtOnce = 1024
	// rowOverhead is what a row costs beside its blocks: its place and its entry in
	// the map.
	rowOverhead = 96
)

func newRows(limit int64) rows {
	return rows{limit: int(limit / (blockSize + rowOverhead/12)), at: map[identity.ID]uint32{}, list: [][]row{make([]row, rowsAtOnce)}, count: 1}
}

// row returns a place; nobody has the one of number 0.
func (r *rows) row(n uint32) *row { return &r.list[n/rowsAtOnce][n%rowsAtOnce] }

func (r *rows) has(id identity.ID) bool { return r.at[id] != 0 }

// put keeps both parts of a profile. The limit may be passed until the next shrink.
func (r *rows) put(id identity.ID, hot, rest []byte) {
	w := r.place(id)
	w.hot, w.rest = r.fill(w.hot, hot), r.fill(w.rest, rest)
	w.hotLen, w.length = int32(len(hot)), int32(len(hot)+len(rest))
}

// putHot keeps a new hot part of a profile that has a row.
func (r *rows) putHot(id identity.ID, hot []byte) {
	w := r.place(id)
	w.hot = r.fill(w.hot, hot)
	w.length += int32(len(hot)) - w.hotLen
	w.hotLen = int32(len(hot))
}

// take returns the row of a profile, which stays.
func (r *rows) take(id identity.ID) (string, bool) {
	n := r.at[id]
	if n == 0 {
		return "", false
	}
	w := r.row(n)
	b := r.parts(make([]byte, 0, w.length), w)
	return text(b), true
}

// copy lays the row of a profile into slabs, and returns how long its parts are.
func (r *rows) copy(into *slabs, id identity.ID) (row []byte, hot, rest int) {
	w := r.row(r.at[id])
	return into.end(r.parts(into.begin(int(w.length)), w)), int(w.hotLen), int(w.length - w.hotLen)
}

// hold says whether a row must stay whatever the limit is.
func (r *rows) hold(id identity.ID, held bool) {
	if n := r.at[id]; n != 0 && r.row(n).held != held {
		w := r.row(n)
		w.held = held
		if held {
			r.held++
		} else {
			r.held--
		}
	}
}

// drop forgets a row.
func (r *rows) drop(id identity.ID) {
	n := r.at[id]
	if n == 0 {
		return
	}
	r.hold(id, false)
	w := r.row(n)
	r.release(w.hot)
	r.release(w.rest)
	r.unlink(n)
	*w = row{older: r.spare}
	r.spare = n
	delete(r.at, id)
}

// clear forgets all rows, and keeps the memory.
func (r *rows) clear() {
	*r = rows{limit: r.limit, slabs: r.slabs, at: map[identity.ID]uint32{}, list: r.list, count: 1}
}

func (r *rows) parts(dst []byte, w *row) []byte {
	return r.read(r.read(dst, w.hot, int(w.hotLen)), w.rest, int(w.length-w.hotLen))
}

// shrink drops rows until the limit holds, the oldest first.
func (r *rows) shrink() {
	for n := r.last; n != 0 && r.used > r.limit && r.held < len(r.at); {
		w := r.row(n)
		n = w.newer
		if !w.held {
			r.drop(w.id)
		}
	}
}

// place returns the place of a row, in front of all others.
func (r *rows) place(id identity.ID) *row {
	n := r.at[id]
	switch {
	case n != 0:
		r.unlink(n)
	case r.spare != 0:
		n, r.spare = r.spare, r.row(r.spare).older
		*r.row(n) = row{id: id}
	default:
		n = r.count
		if int(n/rowsAtOnce) == len(r.list) {
			r.list = append(r.list, make([]row, rowsAtOnce))
		}
		*r.row(n) = row{id: id}
		r.count++
	}
	r.at[id] = n
	w := r.row(n)
	w.newer, w.older = 0, r.first
	if r.first != 0 {
		r.row(r.first).newer = n
	}
	if r.first = n; r.last == 0 {
		r.last = n
	}
	return w
}

func (r *rows) unlink(n uint32) {
	w := r.row(n)
	if w.newer != 0 {
		r.row(w.newer).older = w.older
	} else {
		r.first = w.older
	}
	if w.older != 0 {
		r.row(w.older).newer = w.newer
	} else {
		r.last = w.newer
	}
}

func (r *rows) block(n uint32) []byte {
	n--
	from := n % slabBlocks * blockSize
	return r.slabs[n/slabBlocks][from : from+blockSize : from+blockSize]
}

// take1 returns a block that is not in use.
func (r *rows) take1() uint32 {
	r.used++
	if n := r.free; n != 0 {
		r.free = binary.LittleEndian.Uint32(r.block(n))
		return n
	}
	r.fresh++
	if int(r.fresh) > len(r.slabs)*slabBlocks {
		r.slabs = append(r.slabs, make([]byte, slabBlocks*blockSize))
	}
	return r.fresh
}

// release gives back a chain of blocks.
func (r *rows) release(n uint32) {
	for n != 0 {
		b := r.block(n)
		next := binary.LittleEndian.Uint32(b)
		binary.LittleEndian.PutUint32(b, r.free)
		r.free = n
		r.used--
		n = next
	}
}

// fill writes data into a chain, which grows or shrinks, and returns its beginning.
func (r *rows) fill(chain uint32, data []byte) uint32 {
	var before []byte // the block that was written last
	first, n := chain, chain
	for len(data) > 0 {
		next := uint32(0)
		if n != 0 {
			next = binary.LittleEndian.Uint32(r.block(n))
		} else {
			n = r.take1()
		}
		if before == nil {
			first = n
		} else {
			binary.LittleEndian.PutUint32(before, n)
		}
		before = r.block(n)
		binary.LittleEndian.PutUint32(before, 0)
		data = data[copy(before[4:], data):]
		n = next
	}
	r.release(n) // what was longer before
	if before == nil {
		return 0
	}
	return first
}

// read appends a chain of so many bytes.
func (r *rows) read(dst []byte, n uint32, length int) []byte {
	for length > 0 {
		b := r.block(n)
		m := min(length, blockRoom)
		dst = append(dst, b[4:4+m]...)
		length -= m
		n = binary.LittleEndian.Uint32(b)
	}
	return dst
}

package sqlite

import (
	"context"
	"database/sql/driver"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/store"
)

// recent are the newest pieces of history, in memory for a while. When a program asks
// something new, the histories of whoever is live are read before anything else happens
// to them; their visits are a piece for each commit, and each lies on a page of its own
// that is found in the WAL. All of them read from the newest on are a tenth of that work,
// and what is committed meanwhile joins them.
//
// Pieces never change and are deleted only where a customer is erased: then all are
// forgotten. They are bytes behind one another, so the collector has nothing to look at.
type recent struct {
	limit int // bytes of all, about

	mu      sync.RWMutex
	wanted  bool           // what is committed joins them
	commits []recentPieces // their numbers follow one another
	size    int
	newest  map[identity.ID]int64 // number of the newest piece of whoever has one of them
	epoch   int                   // of forgetting
	wants   int                   // how often they were wanted
}

// recentPieces are those of one commit, or of some.
type recentPieces struct {
	first  int64 // number of the first
	pieces []recentPiece
	bodies []byte
}

// recentPiece is one of them. Its body ends where the next one's begins.
type recentPiece struct {
	strand identity.ID
	before int64
	body   int
}

const (
	recentPieceSize = 32          // bytes of a piece beside its body
	recentFor       = time.Minute // how long they stay: whoever is live has come by then
	recentAtOnce    = 2 << 20     // bytes that are read at once, about
	mostMisses      = 8           // how often what is read may come too late
)

func (p *recentPieces) add(strand []byte, before int64, body []byte) {
	p.pieces = append(p.pieces, recentPiece{strand: identity.ID(strand), before: before, body: len(p.bodies)})
	p.bodies = append(p.bodies, body...)
}

func (p *recentPieces) size() int { return len(p.pieces)*recentPieceSize + len(p.bodies) }

// end is the number behind the last.
func (p *recentPieces) end() int64 { return p.first + int64(len(p.pieces)) }

// WarmHistories implements [store.Store].
func (s *Store) WarmHistories(ctx context.Context) error {
	r := &s.recent
	r.want()
	for misses := 0; misses < mostMisses; {
		next, epoch, room := r.oldest()
		if room <= 0 {
			return nil
		}
		older, err := s.before(ctx, next, min(room, recentAtOnce))
		if err != nil || len(older.pieces) == 0 {
			return err
		}
		if !r.prepend(older, epoch) {
			misses++
		}
	}
	return nil
}

// want makes what is committed from now on join what is in memory, for a while.
func (r *recent) want() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.wanted {
		r.wanted = true
		r.clear()
	}
	r.wants++
	wants := r.wants
	time.AfterFunc(recentFor, func() { r.cool(wants) })
}

// cool forgets all of them, and that they were wanted, unless they were wanted again since
// they had been so often.
func (r *recent) cool(wants int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if wants == r.wants {
		r.wanted = false
		r.clear()
	}
}

func (r *recent) clear() {
	r.commits, r.size, r.newest = nil, 0, map[identity.ID]int64{}
	r.epoch++
}

// oldest returns the number of the oldest piece, beyond all if there is none, and how much
// room there is for older ones.
func (r *recent) oldest() (first int64, epoch, room int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if first = math.MaxInt64; len(r.commits) > 0 {
		first = r.commits[0].first
	}
	return first, r.epoch, r.limit - r.size
}

// before reads pieces before one, the newest, of so many bytes about: none behind a gap,
// where somebody was erased, and none that is too large to be of a visit.
func (s *Store) before(ctx context.Context, next int64, room int) (found recentPieces, err error) {
	newest := recentPieces{bodies: make([]byte, 0, room)} // the newest is the first
	last := next
	err = s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 4, func(row []driver.Value) error {
			number, strand, body := integer(row[0]), bytesOf(row[1]), bytesOf(row[3])
			gap := last != math.MaxInt64 && number != last-1
			if gap || newest.size() > room || s.recent.tooLarge(len(body)) || len(strand) != len(identity.ID{}) {
				return io.EOF
			}
			newest.add(strand, integer(row[2]), body)
			last = number
			return nil
		}, "SELECT number, strand, before, body FROM history WHERE number < ? ORDER BY number DESC", next)
	})
	found = recentPieces{first: last, pieces: make([]recentPiece, 0, len(newest.pieces)), bodies: make([]byte, 0, len(newest.bodies))}
	end := len(newest.bodies)
	for _, p := range slices.Backward(newest.pieces) {
		found.add(p.strand[:], p.before, newest.bodies[p.body:end])
		end = p.body
	}
	return found, err
}

// tooLarge reports whether so many bytes would push out the visits of whoever is live.
func (r *recent) tooLarge(size int) bool { return size > r.limit/4 }

// prepend puts older pieces in front, and reports whether they belong there: something may
// have been committed, or forgotten, since they were asked for. Where nobody wants them any
// more, what is committed next would be missing behind them.
func (r *recent) prepend(older recentPieces, epoch int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.wanted || epoch != r.epoch || len(r.commits) > 0 && r.commits[0].first != older.end() {
		return false
	}
	r.commits, r.size = slices.Insert(r.commits, 0, older), r.size+older.size()
	for i, p := range slices.Backward(older.pieces) {
		if r.newest[p.strand] == 0 {
			r.newest[p.strand] = older.first + int64(i)
		}
	}
	return true
}

// gather makes what is to be learnt of a commit once it is true, given the number of its
// first block and the links of all of them. It is nothing where there is too much of it,
// or where nobody wants it.
func (r *recent) gather(first int64, blocks []store.Block, befores []int64) (added recentPieces) {
	size := len(blocks) * recentPieceSize
	for i := range blocks {
		size += len(blocks[i].Body)
	}
	r.mu.RLock()
	wanted := r.wanted
	r.mu.RUnlock()
	if !wanted || r.tooLarge(size) {
		return added
	}
	added = recentPieces{first: first, pieces: make([]recentPiece, 0, len(blocks)), bodies: make([]byte, 0, size-len(blocks)*recentPieceSize)}
	for i := range blocks {
		added.add(blocks[i].Strand[:], befores[i], blocks[i].Body)
	}
	return added
}

// learn takes what a commit made true. The numbers in memory have no gap: where nothing was
// gathered of a commit, what came before it is forgotten.
func (r *recent) learn(added recentPieces) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.wanted {
		return
	}
	if n := len(r.commits); len(added.pieces) == 0 || n > 0 && r.commits[n-1].end() != added.first {
		r.clear()
	}
	if len(added.pieces) == 0 {
		return
	}
	r.commits, r.size = append(r.commits, added), r.size+added.size()
	for i, p := range added.pieces {
		r.newest[p.strand] = added.first + int64(i)
	}
	drop := 0
	for ; r.size > r.limit; drop++ {
		r.size -= r.commits[drop].size()
	}
	r.commits = slices.Delete(r.commits, 0, drop)
}

// forget forgets all of them.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
}

// piece returns a piece, whose body nobody may write into. The lock is held for reading.
func (r *recent) piece(number int64) (p piece, known bool) {
	at, _ := slices.BinarySearchFunc(r.commits, number, func(c recentPieces, number int64) int {
		if c.end() <= number {
			return -1
		}
		return 1
	})
	if at == len(r.commits) || r.commits[at].first > number {
		return piece{}, false
	}
	c := &r.commits[at]
	i := int(number - c.first)
	end := len(c.bodies)
	if i+1 < len(c.pieces) {
		end = c.pieces[i+1].body
	}
	found := &c.pieces[i]
	return piece{owner: found.strand[:], before: found.before, body: c.bodies[found.body:end:end]}, true
}

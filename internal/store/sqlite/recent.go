package sqlite

import (
	"slices"
	"sync"

	"rapport/internal/core/identity"
	"rapport/internal/store"
)

// recent are the pieces of history that were committed last, in memory. When a program
// asks something new, the histories of whoever is live are read before anything else
// happens to them; their visits are a piece for each commit, and each lies on a page of its
// own that is found in the WAL.
//
// Pieces never change and are deleted only where a customer is erased: then all are
// forgotten. They are bytes behind one another, so the collector has nothing to look at.
type recent struct {
	limit int // bytes of all, about

	mu      sync.RWMutex
	commits []recentPieces // their numbers follow one another
	size    int
}

// recentPieces are those of one commit.
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

const recentPieceSize = 32 // bytes of a piece beside its body

// gather makes what is to be learnt of a commit once it is true, given the number of its
// first block and the links of all of them. It is nothing where there is too much of it.
func (r *recent) gather(first int64, blocks []store.Block, befores []int64) recentPieces {
	size := len(blocks) * recentPieceSize
	for i := range blocks {
		size += len(blocks[i].Body)
	}
	if size > r.limit/4 {
		return recentPieces{} // an import: it would push out the visits of whoever is live
	}
	added := recentPieces{first: first, pieces: make([]recentPiece, len(blocks)), bodies: make([]byte, 0, size-len(blocks)*recentPieceSize)}
	for i := range blocks {
		added.pieces[i] = recentPiece{strand: blocks[i].Strand, before: befores[i], body: len(added.bodies)}
		added.bodies = append(added.bodies, blocks[i].Body...)
	}
	return added
}

func (p *recentPieces) size() int { return len(p.pieces)*recentPieceSize + len(p.bodies) }

// end is the number behind the last.
func (p *recentPieces) end() int64 { return p.first + int64(len(p.pieces)) }

// learn takes what a commit made true. The numbers in memory have no gap: where nothing was
// gathered of a commit, what came before it is forgotten.
func (r *recent) learn(added recentPieces) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.commits); len(added.pieces) == 0 || n > 0 && r.commits[n-1].end() != added.first {
		r.commits, r.size = nil, 0
	}
	if len(added.pieces) > 0 {
		r.commits, r.size = append(r.commits, added), r.size+added.size()
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
	r.commits, r.size = nil, 0
}

// piece returns a piece with a body of the caller's own. The lock is held for reading.
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
	return piece{owner: found.strand[:], before: found.before, body: slices.Clone(c.bodies[found.body:end])}, true
}

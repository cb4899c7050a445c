package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/store"
)

const (
	findHead = `SELECT number, newest, month, earlier FROM profiles WHERE id = ?`

	addPiece = `INSERT INTO history (number, strand, month, before, earlier, prints, body) VALUES (?, ?, ?, ?, ?, ?, ?)`

	addProfileAndHead = `INSERT INTO profiles (id, alarm, newest, month, earlier, body, signpost) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET alarm = excluded.alarm, newest = excluded.newest, month = excluded.month,
			earlier = excluded.earlier, body = excluded.body`

	// putProfileAndHead finds the row by its number, which the head knows: the index
	// of ids is not asked again. Who deletes rows of profiles must forget the heads.
	putProfileAndHead = `UPDATE profiles SET alarm = ?, newest = ?, month = ?, earlier = ?, body = ? WHERE number = ?`

	// putBodyAndHead is putProfileAndHead for a row whose alarm stays: SQLite writes an
	// index anew when a column of it is set, were it to what it is.
	putBodyAndHead = `UPDATE profiles SET newest = ?, month = ?, earlier = ?, body = ? WHERE number = ?`

	putHead = `INSERT INTO profiles (id, newest, month, earlier) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET newest = excluded.newest, month = excluded.month, earlier = excluded.earlier`
)

// head is where the chain of a strand's history begins.
type head struct {
	row     int64 // number of the strand's row in profiles; zero: there is none
	newest  int64 // number of the newest piece; zero: none
	month   int32 // of the newest piece
	earlier int64 // number of the newest piece of another month before those; zero: none
	written bool
}

// add puts a piece in front of the chain and returns what the piece remembers
// of the chain behind it.
func (h *head) add(number int64, month int32) (before, earlier int64) {
	before = h.newest
	if h.newest != 0 && h.month != month {
		h.earlier = h.newest
	}
	h.newest, h.month = number, month
	return before, h.earlier
}

// knownHeads are the heads of the strands that were written last, as committed: a
// strand that comes again in the next commit need not be looked for. The newer
// half of them is in fresh; what was not asked for while that filled up goes.
// The writer's lock guards it.
type knownHeads struct {
	fresh, stale map[identity.ID]head
}

// maxFreshHeads bounds the heads kept, twice of which take about 20 MB.
const maxFreshHeads = 1 << 17

func (k *knownHeads) find(strand identity.ID) (head, bool) {
	h, ok := k.fresh[strand]
	if !ok {
		h, ok = k.stale[strand]
	}
	return h, ok
}

// learn takes what a commit made true.
func (k *knownHeads) learn(c *heads) {
	for strand, h := range c.of { // order does not matter: each strand is its own
		if h.row == 0 {
			continue // its row is new; the next commit finds it
		}
		if len(k.fresh) >= maxFreshHeads {
			k.fresh, k.stale = nil, k.fresh
		}
		if k.fresh == nil {
			k.fresh = make(map[identity.ID]head, len(c.of))
		}
		k.fresh[strand] = head{row: h.row, newest: h.newest, month: h.month, earlier: h.earlier}
	}
}

// forget is for writers who change chains beside commits, and for commits that failed.
func (k *knownHeads) forget() { *k = knownHeads{} }

// heads are the heads that a commit changes, in the order in which it met them.
type heads struct {
	of    map[identity.ID]*head
	order []identity.ID
}

// take returns the head of a strand, which the caller will write; nil if the
// commit does not change it.
func (h *heads) take(strand identity.ID) *head {
	found := h.of[strand]
	if found != nil {
		found.written = true
	}
	return found
}

// rest calls write for the heads that nobody took.
func (h *heads) rest(write func(identity.ID, *head) error) error {
	for _, strand := range h.order {
		if found := h.of[strand]; !found.written {
			if err := write(strand, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// commitHistory appends the pieces and returns the heads that have changed by it, and what
// is to be kept in memory of the pieces.
func commitHistory(ctx context.Context, w *conn, blocks []store.Block, known *knownHeads, last *recent) (*heads, recentPieces, error) {
	changed := &heads{}
	if len(blocks) == 0 {
		return changed, recentPieces{}, nil
	}
	changed.of = make(map[identity.ID]*head, len(blocks))
	var number int64
	err := w.query(ctx, 1, func(row []driver.Value) error {
		number = integer(row[0])
		return nil
	}, "SELECT number FROM history_end WHERE one = 1")
	if err != nil {
		return nil, recentPieces{}, err
	}
	first, befores := number+1, make([]int64, len(blocks))
	var prints []byte
	for i := range blocks {
		b := &blocks[i]
		h := changed.of[b.Strand]
		if h == nil {
			if was, ok := known.find(b.Strand); ok {
				h = &was
			} else if h, err = findHeadOf(w, b.Strand); err != nil {
				return nil, recentPieces{}, err
			}
			changed.of[b.Strand] = h
			changed.order = append(changed.order, b.Strand)
		}
		number++
		var month int32
		month, prints = shelved(prints[:0], b)
		before, earlier := h.add(number, month)
		if err := w.exec(addPiece, number, b.Strand[:], month, before, earlier, prints, blob(b.Body)); err != nil {
			return nil, recentPieces{}, err
		}
		befores[i] = before
	}
	return changed, last.gather(first, blocks, befores), w.exec("UPDATE history_end SET number = ? WHERE one = 1", number)
}

// findHeadOf reads where the chain of a strand begins.
func findHeadOf(c *conn, strand identity.ID) (*head, error) {
	h := &head{}
	err := c.find(4, func(row []driver.Value) error {
		h.row, h.newest, h.month, h.earlier = integer(row[0]), integer(row[1]), int32(integer(row[2])), integer(row[3])
		return nil
	}, findHead, strand[:])
	return h, err
}

// History implements [store.Store].
func (s *Store) History(ctx context.Context, strands ...identity.ID) ([]store.Block, error) {
	var of []store.Strand
	for i, strand := range strands {
		if !slices.Contains(strands[:i], strand) {
			of = append(of, store.Strand{ID: strand})
		}
	}
	type numbered struct { // by which pieces are in the order of commits
		number int64
		block  store.Block
	}
	var found []numbered
	err := s.chains(ctx, of, piecesWithPrints, func(l link, p *piece) error {
		block := store.Block{Strand: of[l.strand].ID, Body: p.body}
		var err error
		block.Shelf, block.Others, err = p.shelves()
		found = append(found, numbered{l.number, block})
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	blocks := make([]store.Block, len(found))
	for i := range found {
		blocks[i] = found[i].block
	}
	return blocks, nil
}

// Histories implements [store.Store].
func (s *Store) Histories(ctx context.Context, strands []store.Strand) ([][]store.Block, error) {
	all := make([][]store.Block, len(strands))
	err := s.chains(ctx, strands, piecesAlone, func(l link, p *piece) error {
		all[l.strand] = append(all[l.strand], store.Block{Strand: strands[l.strand].ID, Body: p.body})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, blocks := range all {
		slices.Reverse(blocks)
	}
	return all, nil
}

// chains calls found for the pieces of the strands, of each strand the newest first.
// Pieces are read many at a time, the newest of all strands, then those before them:
// each statement finds them in the order in which they lie in the file, and pieces that
// one commit wrote of neighbours share their pages.
func (s *Store) chains(ctx context.Context, strands []store.Strand, query *bundled, found func(link, *piece) error) error {
	links := make([]link, len(strands))
	for i, strand := range strands {
		links[i] = link{strand.Head, i}
	}
	if query == piecesAlone {
		// Before the view begins: it has whatever those that are in memory lead to.
		var err error
		if links, err = s.recall(strands, links, found); err != nil {
			return err
		}
	}
	if len(links) == 0 {
		return nil
	}
	return s.file.snapshot(ctx, func(c *conn) error {
		heads := links
		links = links[:0]
		for _, l := range heads {
			if l.number == 0 {
				h, err := findHeadOf(c, strands[l.strand].ID)
				if err != nil {
					return err
				}
				l.number = h.newest
			}
			if l.number != 0 {
				links = append(links, l)
			}
		}
		for len(links) > 0 {
			slices.SortFunc(links, func(a, b link) int { return cmp.Compare(a.number, b.number) })
			next := make([]link, 0, len(links))
			for part := range slices.Chunk(links, piecesAtOnce) {
				if err := ctx.Err(); err != nil {
					return err
				}
				err := readPieces(c, part, query, func(l link, p *piece) error {
					if err := p.check(strands[l.strand].ID, l.number); err != nil {
						return err
					}
					if p.before != 0 {
						next = append(next, link{p.before, l.strand})
					}
					return found(l, p)
				})
				if err != nil {
					return err
				}
			}
			links = next
		}
		return nil
	})
}

// recall calls found for those pieces of the chains that are in memory, and returns where
// the chains go on; at zero of whom that is not known.
func (s *Store) recall(strands []store.Strand, links []link, found func(link, *piece) error) ([]link, error) {
	s.recent.mu.RLock()
	defer s.recent.mu.RUnlock()
	rest := links[:0]
	for _, l := range links {
		if l.number == 0 {
			if l.number = s.recent.newest[strands[l.strand].ID]; l.number == 0 {
				rest = append(rest, l)
				continue
			}
		}
		for l.number != 0 {
			p, known := s.recent.piece(l.number)
			if !known {
				rest = append(rest, l)
				break
			}
			if err := p.check(strands[l.strand].ID, l.number); err != nil {
				return nil, err
			}
			if err := found(l, &p); err != nil {
				return nil, err
			}
			l.number = p.before
		}
	}
	return rest, nil
}

// link is a piece that is to be read, and the place of its strand.
type link struct {
	number int64
	strand int
}

// piecesAtOnce is how many pieces a statement reads.
const piecesAtOnce = 32

// What is read of some pieces, by their numbers; those that are not there are left out.
var (
	piecesWithPrints = somePieces("prints")
	piecesAlone      = somePieces("NULL")
)

func somePieces(prints string) *bundled {
	return newBundled(7, "number, strand, month, before, earlier, prints, body", "SELECT number, strand, month, before, earlier, "+prints+" AS prints, body FROM history "+
		"WHERE number IN (?"+strings.Repeat(",?", piecesAtOnce-1)+") ORDER BY number LIMIT "+strconv.Itoa(piecesAtOnce))
}

// readPieces calls found for the pieces that are there of links in the order of their
// numbers. A strand that is asked for twice has its pieces twice.
func readPieces(c *conn, links []link, query *bundled, found func(link, *piece) error) error {
	var args [piecesAtOnce]any
	for i := range args {
		args[i] = int64(0) // there is no such piece
		if i < len(links) {
			args[i] = links[i].number
		}
	}
	at := 0
	return c.bundle(nil, func(row []cell) error {
		number := row[0].integer()
		p := piece{owner: row[1].maybe(), month: int32(row[2].integer()), before: row[3].integer(), earlier: row[4].integer(), prints: row[5].maybe(), body: row[6].maybe()}
		for ; at < len(links) && links[at].number <= number; at++ {
			if links[at].number < number {
				continue // retention has deleted it
			}
			if err := found(links[at], &p); err != nil {
				return err
			}
			if at+1 < len(links) && links[at+1].number == number {
				p.body = bytes.Clone(p.body) // each has bytes of its own
			}
		}
		return nil
	}, query, args[:]...)
}

// Fingerprints implements [store.Store].
func (s *Store) Fingerprints(ctx context.Context, strand identity.ID, month int32) ([]uint64, error) {
	var all []uint64
	err := s.file.snapshot(ctx, func(c *conn) error {
		h, err := findHeadOf(c, strand)
		at := h.newest
		if month != store.AnyMonth && h.month != month && h.month != severalMonths {
			at = h.earlier
		}
		for at != 0 && err == nil {
			if err = ctx.Err(); err != nil {
				break
			}
			var p piece
			if p, err = readPrints(c, strand, at); err != nil {
				break
			}
			if month != store.AnyMonth && p.month != month && p.month != severalMonths {
				at = p.earlier // over all pieces of a month that was not asked for
				continue
			}
			var block store.Block
			block.Shelf, block.Others, err = p.shelves()
			block.Shelves(func(s store.Shelf) {
				if month == store.AnyMonth || s.Month == month {
					all = append(all, s.Fingerprints...)
				}
			})
			at = p.before
		}
		return err
	})
	return all, err
}

// piece is one link of a chain.
type piece struct {
	owner           []byte // the id of its strand
	month           int32
	before, earlier int64
	prints          []byte
	body            []byte
}

// severalMonths is the month of a piece whose events are of more than one: an import
// brings years of a customer at once, and a piece for each month would be read one by
// one. Before the fingerprints of each month stands which it is and how many they are.
const severalMonths int32 = math.MinInt32

// readLink reads strand, month, before, earlier, prints and body.
func readLink(row []driver.Value) piece {
	return piece{bytesOf(row[0]), int32(integer(row[1])), integer(row[2]), integer(row[3]), bytesOf(row[4]), bytesOf(row[5])}
}

// readPrints reads a piece of the strand without its events. A piece that is not there
// ends the chain: retention deletes the oldest.
func readPrints(c *conn, strand identity.ID, number int64) (p piece, err error) {
	err = c.find(6, func(row []driver.Value) (err error) {
		p = readLink(row)
		return p.check(strand, number)
	}, "SELECT strand, month, before, earlier, prints, NULL FROM history WHERE number = ?", number)
	return p, err
}

// check reports whether a piece can be the one with the number in the chain of a strand.
func (p *piece) check(strand identity.ID, number int64) error {
	if string(p.owner) != string(strand[:]) || p.before >= number || p.earlier > p.before {
		return fault.New(fault.Corrupt, "the history of customer "+strand.String()+" is damaged: its chain leads astray")
	}
	return nil
}

var errPrints = fault.New(fault.Corrupt, "the fingerprints of a piece of history are damaged")

// shelves returns the fingerprints of a piece by month.
func (p *piece) shelves() (first store.Shelf, others []store.Shelf, err error) {
	if len(p.prints)%8 != 0 {
		return first, nil, errPrints
	}
	words := make([]uint64, len(p.prints)/8)
	for i := range words {
		words[i] = binary.LittleEndian.Uint64(p.prints[8*i:])
	}
	if p.month != severalMonths {
		return store.Shelf{Month: p.month, Fingerprints: words}, nil, nil
	}
	for len(words) > 0 {
		month, n := int32(words[0]>>32), int(uint32(words[0]))
		if words = words[1:]; n > len(words) {
			return first, nil, errPrints
		}
		others = append(others, store.Shelf{Month: month, Fingerprints: words[:n:n]})
		words = words[n:]
	}
	if len(others) == 0 {
		return first, nil, errPrints
	}
	return others[0], others[1:], nil
}

// shelved returns the month under which a block stands, and appends its fingerprints as
// they are stored.
func shelved(dst []byte, b *store.Block) (month int32, prints []byte) {
	if dst == nil {
		dst = []byte{} // no fingerprints are stored as no bytes, not as NULL
	}
	if len(b.Others) == 0 {
		return b.Month, printed(dst, b.Fingerprints)
	}
	b.Shelves(func(s store.Shelf) {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(uint32(s.Month))<<32|uint64(uint32(len(s.Fingerprints))))
		dst = printed(dst, s.Fingerprints)
	})
	return severalMonths, dst
}

// printed appends fingerprints, 8 bytes each.
func printed(dst []byte, prints []uint64) []byte {
	for _, p := range prints {
		dst = binary.LittleEndian.AppendUint64(dst, p)
	}
	return dst
}

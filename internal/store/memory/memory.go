// Package memory keeps the state and the ledger in memory, for tests, stories
// and rehearsals.
//
// It keeps every promise of [store.Store] and [store.Ledger] but the one it
// cannot: what it holds ends with the process. A restart is played by
// [Store.Reopen] and [Ledger.Reopen], which give a new opening of the same
// state, as a new process would find it. Questions are answered by looking at
// everything that could be meant, so it is meant for thousands of customers,
// not for millions.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Store is one opening of a state in memory. It implements [store.Store].
type Store struct {
	state  *state
	closed atomic.Bool
}

// state is what survives a Close.
type state struct {
	mu         sync.RWMutex
	positions  map[int]store.Position
	profiles   map[identity.ID]store.Row // Body and Rest apart
	numbered   []identity.ID             // of profiles, in the order in which they came
	order      []identity.ID             // of profiles, sorted when sorted is set
	sorted     bool
	alarms     map[identity.ID]event.Time // of profiles that have one
	history    map[identity.ID][]block
	blocks     int64 // how many were ever committed
	members    map[uint64]map[identity.ID]struct{}
	deliveries map[profile.DeliveryID]store.Delivery
	planned    map[profile.DeliveryID]struct{} // those in the state Planned
	of         map[identity.ID][]profile.DeliveryID
	forwards   map[number]store.Forward
	feed       map[int][]store.Feed
	quarantine []store.Quarantine
	programs   map[uint64][]byte
	runs       map[int][]store.Run // by lane
}

// block is a piece of history with its place in the order of commits.
type block struct {
	store.Block
	at int64
}

// number names a forward.
type number struct {
	lane   int
	number uint64
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{state: &state{
		positions:  map[int]store.Position{},
		profiles:   map[identity.ID]store.Row{},
		alarms:     map[identity.ID]event.Time{},
		history:    map[identity.ID][]block{},
		members:    map[uint64]map[identity.ID]struct{}{},
		deliveries: map[profile.DeliveryID]store.Delivery{},
		planned:    map[profile.DeliveryID]struct{}{},
		of:         map[identity.ID][]profile.DeliveryID{},
		forwards:   map[number]store.Forward{},
		feed:       map[int][]store.Feed{},
		programs:   map[uint64][]byte{},
		runs:       map[int][]store.Run{},
	}}
}

// Reopen closes s and returns another opening of the same state.
func (s *Store) Reopen() *Store {
	_ = s.Close() // cannot fail
	return &Store{state: s.state}
}

// Close ends this opening; the state stays for Reopen.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}

// read locks the state for reading, or says why it cannot be read.
func (s *Store) read(ctx context.Context) (*state, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	s.state.mu.RLock()
	return s.state, nil
}

func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return fault.New(fault.Unavailable, "the store is closed")
	}
	return ctx.Err()
}

// Position implements [store.Store].
func (s *Store) Position(ctx context.Context, lane int) (store.Position, error) {
	st, err := s.read(ctx)
	if err != nil {
		return store.Position{}, err
	}
	defer st.mu.RUnlock()
	return st.positions[lane], nil
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, ids []identity.ID) ([]store.Row, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	rows := make([]store.Row, len(ids))
	for i, id := range ids {
		rows[i].ID = id
		if row, ok := st.profiles[id]; ok {
			rows[i].Number, rows[i].Body = row.Number, whole(row)
		}
	}
	return rows, nil
}

// History implements [store.Store].
func (s *Store) History(ctx context.Context, strands ...identity.ID) ([]store.Block, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var found []block
	for i, strand := range strands {
		if !slices.Contains(strands[:i], strand) {
			found = append(found, st.history[strand]...)
		}
	}
	slices.SortFunc(found, func(a, b block) int { return cmp.Compare(a.at, b.at) })
	blocks := make([]store.Block, len(found))
	for i, b := range found {
		blocks[i] = ownBlock(b.Block)
	}
	return blocks, nil
}

// Histories implements [store.Store].
func (s *Store) Histories(ctx context.Context, strands []store.Strand) ([][]store.Block, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	all := make([][]store.Block, len(strands))
	for i, strand := range strands {
		for _, b := range st.history[strand.ID] {
			all[i] = append(all[i], store.Block{Strand: strand.ID, Body: cloned(b.Body)})
		}
	}
	return all, nil
}

// WarmHistories implements [store.Store]. Everything is in memory.
func (s *Store) WarmHistories(ctx context.Context) error { return s.usable(ctx) }

// Fingerprints implements [store.Store].
func (s *Store) Fingerprints(ctx context.Context, strand identity.ID, month int32) ([]uint64, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var prints []uint64
	for _, b := range st.history[strand] {
		b.Shelves(func(s store.Shelf) {
			if month == store.AnyMonth || s.Month == month {
				prints = append(prints, s.Fingerprints...)
			}
		})
	}
	return prints, nil
}

// ownBlock returns a copy of a block that shares no memory with it.
func ownBlock(b store.Block) store.Block {
	b.Fingerprints, b.Others, b.Body = slices.Clone(b.Fingerprints), slices.Clone(b.Others), cloned(b.Body)
	for i := range b.Others {
		b.Others[i].Fingerprints = slices.Clone(b.Others[i].Fingerprints)
	}
	return b
}

// Profiles implements [store.Store].
func (s *Store) Profiles(ctx context.Context, from identity.ID, limit int) ([]store.Row, error) {
	return s.between(ctx, from, lastID, limit, func(r store.Row) (store.Row, bool) { return copied(r), true })
}

// lastID is that behind which there is none.
var lastID = identity.ID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// Living implements [store.Store].
func (s *Store) Living(ctx context.Context, from, to identity.ID, limit int) ([]store.Row, error) {
	return s.between(ctx, from, to, limit, apart)
}

// apart answers with the parts of a row where somebody lives.
func apart(r store.Row) (answer store.Row, wanted bool) {
	answer = store.Row{ID: r.ID, Number: r.Number, Alarm: r.Alarm, Body: cloned(r.Body)}
	if len(r.Rest) > 0 {
		answer.Rest = cloned(r.Rest)
	}
	return answer, !r.Signpost
}

// Census implements [store.Store].
func (s *Store) Census(ctx context.Context, first, last int64, from, to identity.ID, limit int, into *store.Page) ([]store.Row, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var rows []store.Row
	for n := max(first, 1); n <= min(last, int64(len(st.numbered))) && len(rows) < limit; n++ {
		id := st.numbered[n-1]
		if row, wanted := apart(st.profiles[id]); wanted && between(id, from, to) {
			rows = append(rows, row)
		}
	}
	return paged(rows, into), nil
}

// paged lays rows into the page, if there is one, and spoils what was there: who still uses
// that finds out.
func paged(rows []store.Row, page *store.Page) []store.Row {
	if page == nil {
		return rows
	}
	for i := range page.Bytes {
		page.Bytes[i] = 0xff
	}
	clear(page.Rows)
	need := 0
	for i := range rows {
		need += len(rows[i].Body) + len(rows[i].Rest)
	}
	bytes := slices.Grow(page.Bytes[:0], need)
	lay := func(part []byte) []byte {
		if part == nil {
			return nil
		}
		from := len(bytes)
		bytes = append(bytes, part...)
		return bytes[from:len(bytes):len(bytes)]
	}
	for i := range rows {
		rows[i].Body, rows[i].Rest = lay(rows[i].Body), lay(rows[i].Rest)
	}
	page.Rows, page.Bytes = append(page.Rows[:0], rows...), bytes
	return page.Rows
}

// LastNumber implements [store.Store].
func (s *Store) LastNumber(ctx context.Context) (int64, error) {
	st, err := s.read(ctx)
	if err != nil {
		return 0, err
	}
	defer st.mu.RUnlock()
	return int64(len(st.numbered)), nil
}

func (s *Store) between(ctx context.Context, from, to identity.ID, limit int, as func(store.Row) (answer store.Row, wanted bool)) ([]store.Row, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	st := s.state
	st.mu.Lock() // sorting writes
	defer st.mu.Unlock()
	if !st.sorted {
		slices.SortFunc(st.order, identity.ID.Compare)
		st.sorted = true
	}
	at, _ := slices.BinarySearchFunc(st.order, from, identity.ID.Compare)
	var rows []store.Row
	for ; at < len(st.order) && st.order[at].Compare(to) <= 0 && len(rows) < limit; at++ {
		if row, wanted := as(st.profiles[st.order[at]]); wanted {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// Due implements [store.Store].
func (s *Store) Due(ctx context.Context, from, to identity.ID, now event.Time, limit int) ([]store.Row, error) {
	return s.due(ctx, func(event.Time, identity.ID) bool { return true }, from, to, now, limit)
}

// DueAfter implements [store.Store].
func (s *Store) DueAfter(ctx context.Context, last store.Row, from, to identity.ID, now event.Time, limit int) ([]store.Row, error) {
	behind := func(at event.Time, id identity.ID) bool {
		return at > last.Alarm || at == last.Alarm && id.Compare(last.ID) > 0
	}
	return s.due(ctx, behind, from, to, now, limit)
}

func (s *Store) due(ctx context.Context, asked func(event.Time, identity.ID) bool, from, to identity.ID, now event.Time, limit int) ([]store.Row, error) {
	st, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer st.mu.RUnlock()
	var due []store.Row
	for id, at := range st.alarms {
		if at <= now && between(id, from, to) && asked(at, id) {
			due = append(due, st.profiles[id])
		}
	}
	slices.SortFunc(due, func(a, b store.Row) int {
		return cmp.Or(cmp.Compare(a.Alarm, b.Alarm), a.ID.Compare(b.ID))
	})
	due = due[:min(len(due), max(limit, 0))]
	for i := range due {
		due[i] = copied(due[i])
	}
	return due, nil
}

// NextAlarm implements [store.Store].
func (s *Store) NextAlarm(ctx context.Context, from, to identity.ID) (event.Time, error) {
	st, err := s.read(ctx)
	if err != nil {
		return 0, err
	}
	defer st.mu.RUnlock()
	next := event.Never
	for id, at := range st.alarms {
		if at < next && between(id, from, to) {
			next = at
		}
	}
	return next, nil
}

func between(id, from, to identity.ID) bool { return id.Compare(from) >= 0 && id.Compare(to) <= 0 }

// copied returns a row as an answer has it.
func copied(r store.Row) store.Row {
	r.Body, r.Rest, r.Signpost = whole(r), nil, false
	return r
}

// whole returns the parts of a row behind one another.
func whole(r store.Row) []byte { return append(cloned(r.Body), r.Rest...) }

// cloned returns a copy of b that is not nil: a row without bytes is still a row.
func cloned(b []byte) []byte { return append([]byte{}, b...) }

// kept returns b, or a copy of what is new if there is something new.
func kept(b, fresh []byte) []byte {
	if fresh == nil {
		return b
	}
	return bytes.Clone(fresh)
}

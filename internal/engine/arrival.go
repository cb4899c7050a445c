package engine

import (
	"context"
	"unsafe"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// fetch brings the profiles of the entries into the cache with one question to the store.
func (l *lane) fetch(ctx context.Context, all []entry) error {
	l.mu.Lock()
	var missing []identity.ID
	asked := map[identity.ID]bool{}
	for i := range all {
		if id := all[i].To; !id.Zero() && l.cache.items[id] == nil && !asked[id] {
			asked[id] = true
			missing = append(missing, id)
		}
	}
	l.mu.Unlock()
	return l.load(ctx, missing)
}

func (l *lane) load(ctx context.Context, missing []identity.ID) error {
	if len(missing) == 0 {
		return nil
	}
	l.mu.Lock()
	unknown, known := missing[:0], l.arrivals[:0]
	for _, id := range missing {
		if row, ok := l.cache.rows.take(id); ok {
			known = append(known, arrival{id: id, body: row})
		} else {
			unknown = append(unknown, id)
		}
	}
	l.mu.Unlock()
	var found []store.Row
	var err error
	if len(unknown) > 0 {
		if found, err = l.e.o.Store.Load(ctx, unknown); err != nil {
			return err
		}
	}
	for i, id := range unknown {
		known = append(known, arrival{id: id, body: text(found[i].Body), number: found[i].Number})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.enterAll(known)
	return nil
}

// enterAll decodes rows on every processor and puts the profiles into the cache. The
// lock is held.
func (l *lane) enterAll(come []arrival) {
	each(len(come), fewAtOnce, func(i int) { come[i].read() })
	for i := range come {
		l.enter(&come[i])
	}
	clear(come) // it holds on to rows
	l.arrivals = come
}

// text returns bytes that nobody writes into any more as what they say.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// admit puts a row of the store into the cache. A row that cannot be read stops
// nobody else: it stays in the store as it is, its alarm is switched off, and what
// arrives for the customer from now on is put aside with the events themselves,
// so that it can be sent again once the row is mended. Nothing is sent to them,
// because nobody can know what they agreed to. The lock is held.
func (l *lane) admit(id identity.ID, body string, number int64) *item {
	a := l.arriving(id, body, number)
	a.read()
	return l.enter(&a)
}

// arrival is a profile on its way into the cache.
type arrival struct {
	id     identity.ID
	body   string // empty: there is no row
	number int64  // of the row in the store; zero: it is not known, as of what was in memory
	p      *profile.Profile
	err    error // why the row cannot be read
}

// arriving returns who comes with a row of the store. The lock is held.
func (l *lane) arriving(id identity.ID, body string, number int64) arrival {
	if l.cache.resting[id] != nil {
		body, _ = l.cache.rows.take(id) // what the store has is old
		number = 0
	}
	return arrival{id: id, body: body, number: number}
}

func (a *arrival) read() {
	if a.body == "" {
		a.p = profile.New(a.id)
		return
	}
	a.p, a.err = readRow(a.id, a.body, "")
}

// enter puts what was read into the cache. The lock is held.
func (l *lane) enter(a *arrival) *item {
	id, body, err := a.id, a.body, a.err
	if it := l.cache.items[id]; it != nil {
		return it // asked for twice
	}
	switch {
	case err != nil:
	case body == "":
		return l.cache.put(a.p, 0)
	default:
		a.p.Program = l.pos.Evaluated(a.p, a.number)
		return l.hold(a.p, len(body), profile.InParts(body), a.number)
	}
	delete(l.cache.resting, id) // unreachable that it is there: we wrote its row
	it := l.cache.put(profile.New(id), len(body))
	it.damaged = true
	if _, known := l.damaged[id]; !known {
		l.damaged[id] = struct{}{}
		l.open.raw = append(l.open.raw, store.Row{ID: id, Alarm: event.Never, Body: []byte(body), Rest: []byte{}})
		l.open.quarantine = append(l.open.quarantine, store.Quarantine{
			At: l.pos.Now, To: id, Kind: damagedKind, Reason: "the row of this customer cannot be read: restore it from a backup", Detail: err.Error(),
		})
		l.e.log.Error("a customer's row is damaged and was put aside; the others go on", "profile", id, "error", err)
	}
	return it
}

// hold puts a profile that was read from a row of so many bytes, which may be in parts and
// whose number may be known, into the cache. The lock is held.
func (l *lane) hold(p *profile.Profile, size int, parts bool, number int64) *item {
	known := l.cache.resting[p.ID] != nil
	it := l.cache.put(p, size)
	if !known && parts {
		it.base = p
	}
	if number != 0 {
		it.number = number
	}
	return it
}

// readRow returns the profile of a row, in one piece or with its rest apart; nil if
// the row is damaged.
func readRow(id identity.ID, body, rest string) (*profile.Profile, error) {
	p, err := profile.DecodeParts(body, rest)
	if err == nil && p.ID != id {
		err = fault.New(fault.Corrupt, "it is the row of "+p.ID.String())
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

package engine

import (
	"runtime"
	"slices"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
	"rapport/internal/feed"
	"rapport/internal/store"
)

// batch is what a lane has applied and not committed.
type batch struct {
	number     uint64 // no other batch of the lane has it
	from       store.Position
	dirty      []*item               // whose changes it holds, each once
	noted      bool                  // its commit knows what it writes of all of them
	raw        []store.Row           // rows that cannot be read, as they are, with their alarm off
	kept       []kept                // events for the history, in the order in which they were applied
	chains     map[identity.ID]chain // by strand: its events in kept
	members    map[membership]store.Membership
	deliveries map[profile.DeliveryID]*store.Delivery
	forwards   []store.Forward
	forwarded  uint64
	quarantine []store.Quarantine
	runs       []store.Run
	feed       []byte
	claims     []Claim
	stops      []Stop
	grants     []Grant
	forget     []identity.ID
	events     int
	bytes      int        // estimate of what a commit writes
	urgent     bool       // an effect waits for the commit
	fired      bool       // alarms that the store still calls due have fired
	since      event.Time // real time of the first change, by the engine's timer
}

// kept is an applied event that waits for its place in the history. Its bytes are
// those of the log's record: what was encoded once is not encoded again.
type kept struct {
	now   event.Time
	print uint64 // fingerprint of its id
	month int32  // its shelf
	next  int32  // the strand's next one in kept; 0: none
	raw   string
}

// chain is where a strand's events begin and end in kept; places count from 1.
type chain struct{ first, last int32 }

type membership struct {
	segment uint64
	profile identity.ID
}

// Grant is a consent that a customer gave.
type Grant struct {
	Profile *profile.Profile
	Channel string
	Purpose string
	At      event.Time
}

// Claim is a delivery that the gate has let through: dispatch may hand it over
// until the deadline. The profile is as the gate saw it.
type Claim struct {
	Delivery profile.Delivery
	Profile  *profile.Profile
	Program  *core.Program
}

// Stop is a claim that is no longer wanted: it is not to be handed over if it has not
// begun, and a receipt says which.
type Stop struct {
	Claim
	Why string
}

func newBatch(number uint64, from store.Position) *batch {
	return &batch{
		number: number, from: from, chains: map[identity.ID]chain{},
		members: map[membership]store.Membership{}, deliveries: map[profile.DeliveryID]*store.Delivery{},
	}
}

// renew returns a batch that uses the memory of b, which nobody needs any more.
func (b *batch) renew(number uint64, from store.Position) *batch {
	if b == nil {
		return newBatch(number, from)
	}
	clear(b.dirty) // they may have left the cache
	clear(b.chains)
	clear(b.members)
	clear(b.deliveries)
	clear(b.kept) // it holds on to records of the log
	return &batch{
		number: number, from: from, dirty: b.dirty[:0], chains: b.chains, members: b.members, deliveries: b.deliveries, kept: b.kept[:0], feed: b.feed[:0],
	}
}

func (b *batch) empty() bool {
	return len(b.dirty) == 0 && len(b.quarantine) == 0 && b.forwarded == 0 && b.events == 0
}

// touch notes that the profile changed.
func (b *batch) touch(it *item) {
	if it.batch != b.number {
		it.batch, it.place = b.number, len(b.dirty)
		b.dirty = append(b.dirty, it)
		it.pins++
		b.bytes += it.row - max(it.rest, 0) + 64
	}
}

// keep adds an applied event to the history, under the strand at whose home it
// would arrive: a merge that is undone later takes its own events back.
func (b *batch) keep(key identity.Key, p *profile.Profile, a *entry, now event.Time) {
	strand := p.ID
	if len(p.Strands) > 0 {
		if ids := identity.Of(&a.Event); len(ids) > 0 {
			if home := key.Home(ids[0]); slices.Contains(p.Strands, home) {
				strand = home
			}
		}
	}
	b.kept = append(b.kept, kept{now: now, print: profile.Fingerprint(a.Event.ID), month: shelf(&a.Event, now), raw: a.raw})
	place := int32(len(b.kept))
	c, known := b.chains[strand]
	if known {
		b.kept[c.last-1].next = place
	} else {
		c.first = place
	}
	c.last = place
	b.chains[strand] = c
	b.bytes += 64 + len(a.raw)
}

// past calls each for the strand's events that are in the batch, in order.
func (b *batch) past(strand identity.ID, each func(k *kept)) {
	for at := b.chains[strand].first; at != 0; at = b.kept[at-1].next {
		each(&b.kept[at-1])
	}
}

// effects adds what an applied entry asks for.
func (b *batch) effects(p *profile.Profile, prog *core.Program, eff *core.Effects, now event.Time) {
	for _, c := range eff.Changes {
		if c.Hidden {
			continue
		}
		b.members[membership{c.Key, p.ID}] = store.Membership{Segment: c.Key, Profile: p.ID, In: c.In}
		if c.Segment != "" {
			b.tell(&feed.Row{Kind: feed.Segment, Profile: p.ID, At: c.At, Now: now, Name: c.Segment, In: c.In})
		}
	}
	for i := range eff.Facts {
		f := &eff.Facts[i]
		b.tell(&feed.Row{Kind: feed.Fact, Profile: p.ID, At: f.At, Now: now, Name: f.Name, Props: f.Props})
	}
	for _, c := range eff.Granted {
		b.grants = append(b.grants, Grant{p, c.Channel, c.Purpose, c.At})
	}
	for i := range eff.Deliveries {
		b.deliver(p, prog, &eff.Deliveries[i], now)
	}
	for i := range eff.Stops {
		s := &eff.Stops[i]
		// Nobody hears of a claim that did not last until its commit.
		b.claims = slices.DeleteFunc(b.claims, func(c Claim) bool { return c.Delivery.ID == s.Delivery.ID })
		b.stops = append(b.stops, Stop{Claim{s.Delivery, p, prog}, s.Why})
	}
	if len(eff.Forwards) > 0 || len(eff.Deliveries) > 0 || len(eff.Stops) > 0 {
		b.urgent = true
	}
}

func (b *batch) deliver(p *profile.Profile, prog *core.Program, d *core.Delivery, now event.Time) {
	row := b.deliveries[d.ID]
	if row == nil {
		row = &store.Delivery{}
		b.deliveries[d.ID] = row
	}
	row.Delivery, row.Profile, row.Because, row.Changed = d.Delivery, p.ID, d.Because, now
	if d.Outcome != "" {
		row.Outcome = d.Outcome
	}
	if d.Record != nil {
		record := d.Record.Append(nil)
		if d.Claim {
			row.Claim = record
		} else {
			row.Plan = record
		}
		b.bytes += len(record)
	}
	b.bytes += 300 + len(d.Props)
	told := feed.OfDelivery(p, d, now)
	b.tell(&told)
	if d.State == profile.Claimed {
		b.claims = append(b.claims, Claim{d.Delivery, p, prog})
	}
}

// hear tells the feed of an event.
func (b *batch) hear(p *profile.Profile, e *event.Event, now event.Time) {
	row := feed.OfEvent(p, e, now)
	b.tell(&row)
}

// portray tells the feed what is known of a customer, if that changed.
func (b *batch) portray(was, is *profile.Profile, now event.Time) {
	if row, changed := feed.OfPerson(was, is, now); changed {
		b.tell(&row)
	}
}

func (b *batch) tell(row *feed.Row) { b.feed = row.Append(b.feed) }

// scratch is memory that one commit after another packs its rows in. The store is
// done with it when a commit returns.
type scratch struct {
	noted  []packed // by place in the batch, and then by id
	rows   slabs
	events slabs
	raw    []byte
	prints []uint64
	others []store.Shelf
	blocks []store.Block
	ids    []identity.ID
}

// pack turns the batch into a commit. It only reads, so the lane may go on with
// its next batch meanwhile: profiles are immutable and were noted by pointer.
func (b *batch) pack(lane int, to store.Position, rows []packed, packer *feed.Packer, s *scratch) *store.Commit {
	c := &store.Commit{Lane: lane, From: b.from, To: to, Forwards: b.forwards, Forwarded: b.forwarded, Quarantine: b.quarantine, Forget: b.forget, Runs: b.runs}
	c.Profiles = append(packRows(rows, s, len(b.raw)), b.raw...)
	c.History = b.packHistory(s)
	for _, m := range b.members {
		c.Memberships = append(c.Memberships, m)
	}
	slices.SortFunc(c.Memberships, func(a, b store.Membership) int {
		switch {
		case a.Segment < b.Segment:
			return -1
		case a.Segment > b.Segment:
			return 1
		}
		return a.Profile.Compare(b.Profile)
	})
	for _, d := range b.deliveries {
		c.Deliveries = append(c.Deliveries, *d)
	}
	slices.SortFunc(c.Deliveries, func(a, b store.Delivery) int { return slices.Compare(a.ID[:], b.ID[:]) })
	c.Feed = packer.Pack(b.feed)
	return c
}

// maxBlock is where the events of a block end, in bytes before they are packed: what
// one sender pours out between two commits is read again piece by piece.
const maxBlock = 1 << 20

// packHistory returns the blocks of the strands, in order of strand.
func (b *batch) packHistory(s *scratch) []store.Block {
	s.ids, s.blocks, s.others, s.prints = s.ids[:0], s.blocks[:0], s.others[:0], slices.Grow(s.prints[:0], len(b.kept))
	s.events.clear()
	for strand := range b.chains {
		s.ids = append(s.ids, strand)
	}
	slices.SortFunc(s.ids, identity.ID.Compare)
	for i, strand := range s.ids {
		if i%piece == piece-1 {
			runtime.Gosched() // whoever is live goes first
		}
		for at := b.chains[strand].first; at != 0; {
			block := store.Block{Strand: strand}
			s.raw = s.raw[:0]
			block.Shelf, at = b.shelve(s, at)
			others := len(s.others)
			for at != 0 && len(s.raw) < maxBlock {
				var next store.Shelf
				next, at = b.shelve(s, at)
				s.others = append(s.others, next)
			}
			block.Others = s.others[others:len(s.others):len(s.others)]
			block.Body = s.events.end(appendBlock(s.events.begin(mostPacked(len(s.raw))), s.raw))
			s.blocks = append(s.blocks, block)
		}
	}
	return s.blocks
}

// shelve appends the events of one month that were applied after one another to the
// block that is packed, from the place at on, and returns the place behind them.
func (b *batch) shelve(s *scratch, at int32) (store.Shelf, int32) {
	month, first := b.kept[at-1].month, len(s.prints)
	for ; at != 0 && b.kept[at-1].month == month && len(s.raw) < maxBlock; at = b.kept[at-1].next {
		k := &b.kept[at-1]
		s.raw = append(wire.Varint(s.raw, int64(k.now)), k.raw...)
		s.prints = append(s.prints, k.print)
	}
	return store.Shelf{Month: month, Fingerprints: s.prints[first:len(s.prints):len(s.prints)]}, at
}

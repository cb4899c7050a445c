package engine

import (
	"slices"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/feed"
	"rapport/internal/store"
)

// batch is what a lane has applied and not committed.
type batch struct {
	from       store.Position
	dirty      map[identity.ID]*item
	raw        []store.Row             // rows that cannot be read, as they are, with their alarm off
	history    map[identity.ID][]Heard // by strand
	members    map[membership]store.Membership
	deliveries map[profile.DeliveryID]*store.Delivery
	forwards   []store.Forward
	forwarded  uint64
	quarantine []store.Quarantine
	feed       []byte
	claims     []Claim
	grants     []Grant
	events     int
	bytes      int        // estimate of what a commit writes
	urgent     bool       // an effect waits for the commit
	since      event.Time // real time of the first change, by the engine's timer
}

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

func newBatch(from store.Position) *batch {
	return &batch{
		from: from, dirty: map[identity.ID]*item{}, history: map[identity.ID][]Heard{},
		members: map[membership]store.Membership{}, deliveries: map[profile.DeliveryID]*store.Delivery{},
	}
}

func (b *batch) empty() bool {
	return len(b.dirty) == 0 && len(b.quarantine) == 0 && b.forwarded == 0 && b.events == 0
}

// touch notes that the profile changed.
func (b *batch) touch(it *item) {
	if _, ok := b.dirty[it.p.ID]; !ok {
		b.dirty[it.p.ID] = it
		it.pins++
		b.bytes += int(it.size / 2)
	}
}

// keep adds an applied event to the history, under the strand at whose home it
// would arrive: a merge that is undone later takes its own events back.
func (b *batch) keep(key identity.Key, p *profile.Profile, e *event.Event, now event.Time) {
	strand := p.ID
	if len(p.Strands) > 0 {
		if ids := identity.Of(e); len(ids) > 0 {
			if home := key.Home(ids[0]); slices.Contains(p.Strands, home) {
				strand = home
			}
		}
	}
	b.history[strand] = append(b.history[strand], Heard{now, *e})
	b.bytes += 64 + len(e.Props) + len(e.Context) + len(e.Traits)
}

// effects adds what an applied entry asks for.
func (b *batch) effects(p *profile.Profile, prog *core.Program, eff *core.Effects, now event.Time) {
	for _, c := range eff.Changes {
		if c.Hidden {
			continue
		}
		b.members[membership{c.Key, p.ID}] = store.Membership{Segment: c.Key, Profile: p.ID, In: c.In, Since: c.At}
		b.tell(&feed.Row{Kind: feed.Segment, Profile: p.ID, At: c.At, Now: now, Name: c.Segment, In: c.In})
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
	if len(eff.Forwards) > 0 || len(eff.Deliveries) > 0 {
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
	b.tell(&feed.Row{
		Kind: feed.Delivery, Profile: p.ID, At: now, Now: now, Name: d.Journey, ID: d.ID, State: d.State,
		Class: d.Class, Channel: d.Channel, Step: d.Step, Because: d.Because,
	})
	if d.State == profile.Claimed {
		b.claims = append(b.claims, Claim{d.Delivery, p, prog})
	}
}

// hear tells the feed of an event.
func (b *batch) hear(p *profile.Profile, e *event.Event, now event.Time) {
	_, known := p.Identifier(identity.User)
	row := feed.Row{Kind: feed.Event, Known: known, Profile: p.ID, At: e.At, Now: now, Name: e.Name, Origin: e.Origin, Props: e.Props}
	if event.IsOrder(e.Name) {
		if o, err := event.OrderOf(e.Name, e.Props); err == nil {
			row.Order = &feed.Order{ID: o.ID, Net: money.Micros(o.Net), Currency: o.Currency, Units: o.Units}
		}
	}
	if row.Name == "" {
		row.Name = e.Type.String()
	}
	b.tell(&row)
}

func (b *batch) tell(row *feed.Row) { b.feed = row.Append(b.feed) }

// pack turns the batch into a commit. It only reads, so the lane may go on with
// its next batch meanwhile: profiles are immutable and were noted by pointer.
func (b *batch) pack(lane int, to store.Position, rows []*profile.Profile, hint int, packer *feed.Packer) (*store.Commit, []int) {
	c := &store.Commit{Lane: lane, From: b.from, To: to, Forwards: b.forwards, Forwarded: b.forwarded, Quarantine: b.quarantine}
	sizes := make([]int, len(rows))
	c.Profiles = make([]store.Row, len(rows))
	// One buffer for all rows: thousands of small ones that grow step by step would
	// cost as much again as writing them.
	all, ends := make([]byte, 0, hint), make([]int, len(rows))
	for i, p := range rows {
		all = p.Append(all)
		ends[i] = len(all)
	}
	start := 0
	for i, p := range rows {
		sizes[i] = ends[i] - start
		c.Profiles[i] = store.Row{ID: p.ID, Alarm: p.Alarm, Body: all[start:ends[i]:ends[i]]}
		start = ends[i]
	}
	c.Profiles = append(c.Profiles, b.raw...)
	for strand, events := range b.history {
		for len(events) > 0 {
			month, n := shelf(&events[0].Event, events[0].Now), 1
			for n < len(events) && shelf(&events[n].Event, events[n].Now) == month {
				n++
			}
			prints := make([]uint64, n)
			for i := range prints {
				prints[i] = profile.Fingerprint(events[i].Event.ID)
			}
			c.History = append(c.History, store.Block{Strand: strand, Month: month, Fingerprints: prints, Body: packHistory(events[:n])})
			events = events[n:]
		}
	}
	slices.SortStableFunc(c.History, func(a, b store.Block) int { return a.Strand.Compare(b.Strand) })
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
	return c, sizes
}

package loader_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/feed"
	"rapport/internal/loader"
	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/warehouse"
)

// shelf is a warehouse that keeps loads and can fail: before a load is kept, or
// behind it, when the answer is lost.
type shelf struct {
	warehouse.Warehouse
	at     map[int]warehouse.Key
	names  []string // of events, in order
	loads  []warehouse.Load
	owners map[identity.ID]identity.ID
	fail   func() (before, behind bool)
	gone   []identity.ID
}

var errKilled = errors.New("the process was killed")

func newShelf() *shelf {
	return &shelf{at: map[int]warehouse.Key{}, owners: map[identity.ID]identity.ID{}, fail: func() (bool, bool) { return false, false }}
}

func (s *shelf) Visit(context.Context) error { return nil }

func (s *shelf) Position(_ context.Context, lane int) (warehouse.Key, error) { return s.at[lane], nil }

func (s *shelf) LoadFeed(_ context.Context, l *warehouse.Load) error {
	before, behind := s.fail()
	if before {
		return errKilled
	}
	if s.at[l.Lane] != l.From {
		return fault.New(fault.Conflict, "not there")
	}
	s.at[l.Lane] = l.To
	for i := range l.Events {
		s.names = append(s.names, l.Events[i].Name)
	}
	for _, j := range l.Joins {
		s.owners[j.Strand] = j.Profile
	}
	kept := *l
	kept.Events, kept.Orders, kept.Lines, kept.Deliveries = slices.Clone(l.Events), slices.Clone(l.Orders), slices.Clone(l.Lines), slices.Clone(l.Deliveries)
	kept.Decisions, kept.Memberships, kept.Profiles, kept.Joins = slices.Clone(l.Decisions), slices.Clone(l.Memberships), slices.Clone(l.Profiles), slices.Clone(l.Joins)
	s.loads = append(s.loads, kept)
	if behind {
		return errKilled
	}
	return nil
}

func (s *shelf) Clear(context.Context) error {
	clear(s.at)
	clear(s.owners)
	s.names, s.loads = nil, nil
	return nil
}

func (s *shelf) Forget(_ context.Context, ids ...identity.ID) error {
	s.gone = append(s.gone, ids...)
	return nil
}

// Query answers the one question of the loader: who is whom.
func (s *shelf) Query(_ context.Context, _ string, args []any, _ warehouse.Limits) (warehouse.Rows, error) {
	var list answer
	for strand, owner := range s.owners {
		if slices.Contains(args, any(strand)) || slices.Contains(args, any(owner)) {
			list = append(list, []any{strand, owner})
		}
	}
	return &list, nil
}

type answer [][]any

func (a *answer) Columns() []warehouse.Column { return nil }
func (a *answer) Err() error                  { return nil }
func (a *answer) Truncated() bool             { return false }
func (a *answer) Close() error                { return nil }

func (a *answer) Next() []any {
	if len(*a) == 0 {
		return nil
	}
	row := (*a)[0]
	*a = (*a)[1:]
	return row
}

// shop is a store that is told rows.
type shop struct {
	t      testing.TB
	store  *memory.Store
	packer *feed.Packer
	pos    [2]store.Position
}

func newShop(t testing.TB) *shop { return &shop{t: t, store: memory.New(), packer: feed.NewPacker()} }

func (s *shop) tell(lane int, rows ...feed.Row) {
	s.t.Helper()
	var raw []byte
	for i := range rows {
		raw = rows[i].Append(raw)
	}
	from := s.pos[lane]
	to := store.Position{Epoch: 1, Seq: from.Seq + 2}
	if err := s.store.Commit(s.t.Context(), &store.Commit{Lane: lane, From: from, To: to, Feed: s.packer.Pack(raw)}); err != nil {
		s.t.Fatal(err)
	}
	s.pos[lane] = to
}

func happened(name string, props ...string) feed.Row {
	var b event.Builder
	for i := 0; i < len(props); i += 2 {
		b.SetText(props[i], props[i+1])
	}
	return feed.Row{Kind: feed.Event, Profile: identity.ID{1}, At: 1000, Now: 2000, Type: event.Track, Name: name, Props: b.Object()}
}

func load(t *testing.T, s *shop, w warehouse.Warehouse) {
	t.Helper()
	if err := loader.New(s.store, w, len(s.pos), nil, nil).Load(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// sink is a warehouse that keeps nothing of what it is given.
type sink struct {
	*shelf
	rows int
}

func (s *sink) LoadFeed(_ context.Context, l *warehouse.Load) error {
	s.at[l.Lane], s.rows = l.To, s.rows+l.Rows()
	return nil
}

// A loader that has caught up holds the memory of its rows, and not the blocks of
// the feed that they were read from.
func TestALoaderAtRestKeepsNothingOfTheFeed(t *testing.T) { // alone: it weighs the heap
	s, w := newShop(t), &sink{shelf: newShelf()}
	const blocks = 100
	words := strings.Repeat("x", 100<<10)
	for range blocks {
		s.tell(0, happened("Looked", "words", words), feed.Row{Kind: feed.Segment, Profile: identity.ID{1}, Name: "regulars", In: true})
	}
	before := heap()
	l := loader.New(s.store, w, len(s.pos), nil, nil)
	if err := l.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if grown := heap() - before; grown > blocks*10<<10 {
		t.Errorf("a loader of %d blocks of 100 kB takes %d kB", blocks, grown>>10)
	}
	if w.rows < 2*blocks || l.Behind() {
		t.Errorf("%d rows were loaded; behind: %v", w.rows, l.Behind())
	}
	runtime.KeepAlive(s) // what it takes is weighed both times
}

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Whatever dies and however often the feed is read: each block is loaded once, in
// the order of its lane.
func TestAKilledLoaderLeavesNothingTwiceAndNothingOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s, w := newShop(t), newShelf()
		w.fail = func() (bool, bool) {
			switch rapid.IntRange(0, 5).Draw(rt, "fate") {
			case 0:
				return true, false
			case 1:
				return false, true
			}
			return false, false
		}
		want := [2][]string{}
		n := 0
		for range rapid.IntRange(1, 8).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 40).Draw(rt, "blocks") {
				lane := rapid.IntRange(0, 1).Draw(rt, "lane")
				var rows []feed.Row
				for range rapid.IntRange(0, 3).Draw(rt, "rows") {
					n++
					rows = append(rows, happened(fmt.Sprint(lane, ":", n)))
					want[lane] = append(want[lane], fmt.Sprint(lane, ":", n))
				}
				s.tell(lane, rows...)
			}
			_ = loader.New(s.store, w, 2, nil, nil).Load(t.Context()) // it may die: the next goes on
		}
		w.fail = func() (bool, bool) { return false, false }
		for range 2 { // the second time there is nothing to do
			if err := loader.New(s.store, w, 2, nil, nil).Load(t.Context()); err != nil {
				rt.Fatal(err)
			}
		}
		for lane := range want {
			var got []string
			for _, name := range w.names {
				if strings.HasPrefix(name, fmt.Sprint(lane, ":")) {
					got = append(got, name)
				}
			}
			if !slices.Equal(got, want[lane]) {
				rt.Fatalf("lane %d has %v, want %v", lane, got, want[lane])
			}
		}
	})
}

func TestAWarehouseThatIsAheadOfTheStateIsMadeAnew(t *testing.T) {
	t.Parallel()
	s, w := newShop(t), newShelf()
	s.tell(0, happened("a"))
	s.tell(0, happened("lost with the backup"))
	load(t, s, w)
	restored := newShop(t)
	restored.tell(0, happened("a"))
	load(t, restored, w)
	if !slices.Equal(w.names, []string{"a"}) {
		t.Errorf("it holds %v", w.names)
	}
	other := newShop(t)
	other.pos[0] = store.Position{}
	w.at[0] = warehouse.Key{Epoch: 9, Seq: 1}
	load(t, restored, w)
	if !slices.Equal(w.names, []string{"a"}) {
		t.Errorf("of another epoch's warehouse it holds %v", w.names)
	}
}

func TestWhoJoinedWhomIsToldWithEverybodyBehindThem(t *testing.T) {
	t.Parallel()
	joins := func(strand, to byte) feed.Row {
		var b event.Builder
		b.SetText("joined", identity.ID{strand}.String())
		return feed.Row{Kind: feed.Fact, Name: event.ProfilesJoined, Profile: identity.ID{to}, Props: b.Object()}
	}
	for name, told := range map[string][][]feed.Row{
		"one after the other":       {{joins(1, 2)}, {joins(2, 3)}, {joins(3, 4)}},
		"in one load":               {{joins(1, 2), joins(2, 3), joins(3, 4)}},
		"the later first":           {{joins(3, 4)}, {joins(2, 3)}, {joins(1, 2)}},
		"the later first, together": {{joins(3, 4), joins(2, 3), joins(1, 2)}},
		"the middle last":           {{joins(1, 2)}, {joins(3, 4)}, {joins(2, 3)}},
		"told twice":                {{joins(1, 2), joins(2, 3)}, {joins(1, 2), joins(3, 4), joins(2, 3)}},
	} {
		s, w := newShop(t), newShelf()
		for _, rows := range told {
			s.tell(0, rows...)
			load(t, s, w)
		}
		want := map[identity.ID]identity.ID{{1}: {4}, {2}: {4}, {3}: {4}}
		if !maps.Equal(w.owners, want) {
			t.Errorf("%s: %v, want everybody to be 4", name, w.owners)
		}
	}
}

func TestRowsAreWhatTheFeedSaid(t *testing.T) {
	t.Parallel()
	s, w := newShop(t), newShelf()
	viewed := happened("Product Viewed", "sku", "LAMP-1", "product_id", "LAMP", "category", "lighting", "query", "lamps", "price", "12.50", "currency", "GBP", "colour", "red",
		"note", "for Ada Lovelace", "long", strings.Repeat("x", 500))
	viewed.Print, viewed.Source, viewed.Session, viewed.Device, viewed.Where, viewed.Known = 7, "web", 900, "mobile", "web", true
	var line event.Builder
	line.SetText("sku", "LAMP-1").SetText("price", "12.50").SetText("quantity", "2").SetText("name", "Lamp")
	var props event.Builder
	props.SetText("order_id", "o1").SetText("store", "Leeds").Set("products", event.ListOf(event.Nested(line.Object())))
	bought := feed.Row{Kind: feed.Event, Profile: identity.ID{1}, At: 5000, Now: 5000, Type: event.Track, Name: event.OrderCompleted, Props: props.Object(), Where: "till", Order: &feed.Order{ID: "o1", Net: 25 * money.One, Currency: "GBP", Units: 2000}}
	again := bought
	again.Order = &feed.Order{ID: "o1", Net: 25 * money.One, Currency: "GBP", Units: 2000, Repeated: true}
	clicked := happened(event.MessageClicked, "delivery", profile.DeliveryID{9}.String(), "actor", "machine", "detail", "by Ada")
	clicked.Type = event.System
	sent := feed.Row{Kind: feed.Delivery, Profile: identity.ID{1}, At: 6000, Now: 6000, ID: profile.DeliveryID{9}, Name: "welcome", Step: "hello", Channel: "email", State: profile.Dropped, Because: "no_consent", Asked: &feed.Asked{Outcome: 0, Rule: 2, Reason: "no_consent", Chance: 1}}
	who := feed.Row{Kind: feed.Person, Profile: identity.ID{1}, At: 1000, Now: 1000, Portrait: feed.Portrait{Born: 1000, City: "Leeds", Consents: "email/marketing"}}
	s.tell(0, who, viewed, bought, again, clicked, sent, feed.Row{Kind: feed.Segment, Profile: identity.ID{1}, Name: "vip", In: true, At: 1000})
	load(t, s, w)
	l := w.loads[0]
	e := l.Events[0]
	want := warehouse.Event{
		Profile: identity.ID{1}, At: 1000, Now: 2000, ID: 7, Type: "track", Name: "Product Viewed", Source: "web", Origin: "live", Known: true, Session: 900, Device: "mobile", Channel: "web",
		SKU: "LAMP-1", Product: "LAMP", Category: "lighting", Search: "lamps", Value: 12_500_000, HasValue: true, Currency: "GBP", Properties: `{"price":"12.50","colour":"red"}`,
	}
	if e != want {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
	if len(l.Orders) != 1 || l.Orders[0].Net != 25*money.One || l.Orders[0].Channel != "till" || l.Orders[0].Store != "Leeds" || l.Orders[0].Kind != "completed" {
		t.Errorf("orders are %+v: an order told twice is one", l.Orders)
	}
	if len(l.Lines) != 1 || l.Lines[0].Quantity != 2000 || l.Lines[0].SKU != "LAMP-1" || l.Events[1].Value != 25*money.One || strings.Contains(l.Events[1].Properties, "products") {
		t.Errorf("lines are %+v of %+v", l.Lines, l.Events[1])
	}
	if len(l.Deliveries) != 2 || l.Deliveries[0].State != "clicked" || l.Deliveries[0].Actor != "machine" || l.Deliveries[1].State != "dropped" || l.Events[3].Type != "system" {
		t.Errorf("deliveries are %+v", l.Deliveries)
	}
	if len(l.Decisions) != 1 || l.Decisions[0].Outcome != "never" || l.Decisions[0].Stage != "plan" || len(l.Memberships) != 1 || !l.Memberships[0].In {
		t.Errorf("decisions are %+v, memberships %+v", l.Decisions, l.Memberships)
	}
	seen := slices.IndexFunc(l.Profiles, func(p warehouse.Profile) bool { return p.Seen })
	if len(l.Profiles) != 2 || seen < 0 || l.Profiles[seen].First != 1000 || l.Profiles[seen].Last != 5000 {
		t.Errorf("profiles are %+v: receipts are nothing that a customer does", l.Profiles)
	}
	for i := range l.Events {
		if strings.Contains(l.Events[i].Properties, "Ada") {
			t.Errorf("what somebody wrote is in %s", l.Events[i].Properties)
		}
	}
}

func TestLinesThatComeBackCountAgainstWhatWasBought(t *testing.T) {
	t.Parallel()
	s, w := newShop(t), newShelf()
	for i, quantity := range []string{"2", "-2"} { // a till writes the one, a file of orders the other
		var line, props event.Builder
		line.SetText("sku", "LAMP-1").SetText("price", "12.50").SetText("quantity", quantity)
		props.SetText("order_id", "o1").Set("products", event.ListOf(event.Nested(line.Object())))
		s.tell(0, feed.Row{Kind: feed.Event, Profile: identity.ID{1}, At: 5000, Now: 5000, Print: uint64(i + 1), Type: event.Track, Name: event.OrderRefunded, Props: props.Object(), Order: &feed.Order{ID: "o1", Net: -25 * money.One, Units: -2000}})
	}
	load(t, s, w)
	var lines []warehouse.Line
	for _, l := range w.loads {
		lines = append(lines, l.Lines...)
	}
	for _, l := range lines {
		if l.Quantity != -2000 || l.Net != -25*money.One || l.Price != 12_500_000 {
			t.Errorf("a line that came back: %+v", l)
		}
	}
	if len(lines) != 2 {
		t.Errorf("%d lines, want 2", len(lines))
	}
}

func TestDamageIsReportedAndLoadsNothing(t *testing.T) {
	t.Parallel()
	s, w := newShop(t), newShelf()
	if err := s.store.Commit(t.Context(), &store.Commit{To: store.Position{Epoch: 1, Seq: 1}, Feed: []byte{1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	if err := loader.New(s.store, w, 1, nil, nil).Load(t.Context()); !fault.Is(err, fault.Corrupt) || len(w.loads) != 0 {
		t.Errorf("%v, %d loads", err, len(w.loads))
	}
}

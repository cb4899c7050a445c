package report_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/feed"
	"rapport/internal/report"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

var start = event.At(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))

const day = 24 * time.Hour

// shop is a store that is told rows, and a loader of them.
type shop struct {
	t      *testing.T
	store  *memory.Store
	loader *report.Loader
	packer *feed.Packer
	pos    [2]store.Position
}

func open(t *testing.T) *shop {
	s := &shop{t: t, store: memory.New(), packer: feed.NewPacker()}
	s.loader = report.New(s.store, len(s.pos))
	return s
}

// tell commits one block of rows.
func (s *shop) tell(lane int, rows ...feed.Row) {
	s.t.Helper()
	var raw []byte
	for i := range rows {
		raw = rows[i].Append(raw)
	}
	s.commit(lane, s.packer.Pack(raw))
}

func (s *shop) commit(lane int, block []byte) {
	s.t.Helper()
	from := s.pos[lane]
	to := store.Position{Epoch: 1, Seq: from.Seq + 1}
	if err := s.store.Commit(s.t.Context(), &store.Commit{Lane: lane, From: from, To: to, Feed: block}); err != nil {
		s.t.Fatal(err)
	}
	s.pos[lane] = to
}

func (s *shop) load() {
	s.t.Helper()
	if err := s.loader.Load(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// What the sums hold grows with the people in them and not with what the feed says:
// a name that is kept must not keep the whole block that it was read from.
func TestSumsKeepNothingOfTheFeed(t *testing.T) { // alone: it weighs the heap
	s := open(t)
	const blocks = 200
	words := strings.Repeat("x", 100<<10)
	for i := range blocks {
		s.tell(0,
			feed.Row{Kind: feed.Event, Profile: identity.ID{byte(i), 1}, At: start, Now: start, Name: "Looked " + strconv.Itoa(i), Props: props("words", words)},
			feed.Row{Kind: feed.Event, Profile: identity.ID{byte(i), 1}, At: start, Now: start, Name: event.MessageClicked, Props: props("actor", "human")},
			feed.Row{Kind: feed.Fact, Profile: identity.ID{byte(i), 1}, At: start, Now: start, Name: event.JourneyEntered, Props: props("journey", "welcome")})
	}
	before := heap()
	s.load()
	if grown := heap() - before; grown > blocks*10<<10 {
		t.Errorf("the sums over %d blocks of 100 kB take %d kB", blocks, grown>>10)
	}
	if j := s.loader.Journeys(); len(j) != 1 || len(j[0].Entries) != blocks {
		t.Errorf("the journeys are %v", j)
	}
}

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// props takes key, value, key, value …; lines are an order's.
func props(kv ...string) event.Object {
	var b event.Builder
	for i := 0; i < len(kv); i += 2 {
		b.SetText(kv[i], kv[i+1])
	}
	return b.Object()
}

// order makes the row of an order with one line for each price.
func order(who byte, known bool, name, id string, prices ...string) feed.Row {
	var lines []event.Value
	for _, p := range prices {
		lines = append(lines, event.Nested(props("sku", "s", "price", p)))
	}
	o := props("order_id", id).With("products", event.ListOf(lines...))
	read, err := event.OrderOf(name, o)
	if err != nil {
		panic(err)
	}
	return feed.Row{Kind: feed.Event, Name: name, Profile: identity.ID{who}, Known: known, At: start, Now: start, Props: o, Order: &feed.Order{ID: id, Net: read.Net, Units: read.Units}}
}

func TestEachBlockCountsOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	for range 100 { // more than are read at once
		s.tell(0, feed.Row{Kind: feed.Event, Name: "Visited", Now: start})
		s.tell(1, feed.Row{Kind: feed.Event, Name: "Visited", Now: start + 5}, feed.Row{Kind: feed.Segment, Name: "vip", In: true})
	}
	s.load()
	s.load()
	s.tell(0, feed.Row{Kind: feed.Event, Name: "Bought", Now: start + 9})
	s.load()
	h := s.loader.Heard()
	if h.Events != 201 || h.ByName["Visited"] != 200 || h.ByName["Bought"] != 1 || h.Now != start+9 {
		t.Errorf("heard = %+v", h)
	}
	h.ByName["Visited"] = 0
	if s.loader.Heard().ByName["Visited"] != 200 {
		t.Error("a reader can change what was counted")
	}
}

func TestADamagedBlockIsReportedAndNothingOfItCounts(t *testing.T) {
	t.Parallel()
	s := open(t)
	row := feed.Row{Kind: feed.Event, Name: "Visited"}
	s.tell(0, row)
	s.commit(0, s.packer.Pack(append(row.Append(row.Append(nil)), 77)))
	for range 3 {
		if err := s.loader.Load(t.Context()); !fault.Is(err, fault.Corrupt) {
			t.Fatalf("a damaged block: %v", err)
		}
	}
	if n := s.loader.Heard().Events; n != 1 {
		t.Errorf("%d events, want the one before the damage", n)
	}
}

func TestOrdersAreCountedAsTheShopCountsThem(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.tell(0,
		order(1, true, event.OrderCompleted, "a", "10", "5.50"),
		order(1, true, event.OrderCompleted, "b", "1", "0"), // a gift beside something that was paid for
		order(1, true, event.OrderRefunded, "a", "5.50"),
		order(2, true, event.OrderCompleted, "c", "0"),  // nothing paid for at all
		order(3, false, event.OrderCompleted, "d", "7"), // nobody knows who
	)
	s.load()
	h := s.loader.Heard()
	if h.Orders != (report.Totals{Rows: 7, Invoices: 5, Customers: 2, Sum: 18 * money.One}) {
		t.Errorf("orders = %+v", h.Orders)
	}
	if h.Clean != (report.Totals{Rows: 3, Invoices: 2, Customers: 1, Sum: 16_500_000}) || h.Unknown != 1 {
		t.Errorf("clean = %+v, unknown %d", h.Clean, h.Unknown)
	}
}

func TestWhatAMachineClickedIsNotWhatAPersonDid(t *testing.T) {
	t.Parallel()
	s := open(t)
	hit := func(name, actor string) feed.Row {
		return feed.Row{Kind: feed.Event, Name: name, Props: props("actor", actor)}
	}
	s.tell(0, hit(event.MessageClicked, "human"), hit(event.MessageClicked, "machine"), hit(event.MessageClicked, "machine"), hit(event.MessageOpened, ""), hit(event.Unsubscribed, ""), hit("Visited", "human"))
	s.load()
	want := map[string]int64{"Message Clicked/human": 1, "Message Clicked/machine": 2, "Message Opened/unknown": 1, "Message Unsubscribed/human": 1}
	if got := s.loader.Receipts(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("receipts = %v, want %v", got, want)
	}
}

func entered(who byte, journey string, held bool, at event.Time) feed.Row {
	return feed.Row{Kind: feed.Fact, Name: event.JourneyEntered, Profile: identity.ID{who}, At: at, Now: at, Props: props("journey", journey).With("held_out", event.Yes(held))}
}

func TestAPersonEntersAJourneyForTheFirstTimeOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.tell(0, entered(1, "welcome", false, start), entered(1, "welcome", false, start+5), entered(2, "welcome", true, start+1), entered(1, "back", false, start))
	s.load()
	list := s.loader.Journeys()
	if len(list) != 2 || list[0].Name != "back" || list[1].Name != "welcome" || len(list[1].Entries) != 2 {
		t.Fatalf("journeys = %+v", list)
	}
	if e := list[1].Entries; e[0] != (report.Entry{Person: identity.ID{1}, At: start}) || e[1] != (report.Entry{Person: identity.ID{2}, At: start + 1, Held: true}) {
		t.Errorf("entries = %+v", e)
	}
}

func TestWhatAPersonOrderedCountsUnderEveryNameTheyHad(t *testing.T) {
	t.Parallel()
	s := open(t)
	at := func(r feed.Row, at event.Time) feed.Row { r.At = at; return r }
	joins := func(who, strand byte) feed.Row {
		return feed.Row{Kind: feed.Fact, Name: event.ProfilesJoined, Profile: identity.ID{who}, Props: props("joined", identity.ID{strand}.String())}
	}
	s.tell(0, at(order(3, false, event.OrderCompleted, "a", "1"), start), at(order(2, false, event.OrderCompleted, "b", "2"), start+1), joins(2, 3), joins(1, 2),
		at(order(1, true, event.OrderCompleted, "c", "4"), start+2), at(order(1, true, event.OrderRefunded, "b", "2"), start+3), at(order(9, true, event.OrderCompleted, "z", "100"), start+1))
	s.load()
	for _, c := range []struct {
		from, to event.Time
		orders   int
		net      money.Micros
	}{
		{start - 1, start + 9, 3, 5 * money.One},
		{start, start + 2, 2, 6 * money.One}, // the first instant is not in the window, the last is
		{start + 2, start + 9, 0, -2 * money.One},
	} {
		if orders, net := s.loader.Outcome(identity.ID{1}, c.from, c.to); orders != c.orders || net != c.net {
			t.Errorf("from %s to %s: %d orders of %s, want %d of %s", c.from, c.to, orders, net, c.orders, c.net)
		}
	}
}

// people are the profiles as they are at the end, under every id they had.
type people map[byte]*profile.Profile

func (p people) find(_ context.Context, id identity.ID) (*profile.Profile, error) {
	return p[id[0]], nil
}

func buyer(id byte, pounds money.Micros) *profile.Profile {
	p := profile.New(identity.ID{id})
	if pounds > 0 {
		p.Orders = []profile.Order{{ID: "o", At: start.Add(day), Net: pounds * money.One}}
	}
	return p
}

func TestTwoWhoTurnedOutToBeOnePersonAreMeasuredOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.tell(0, entered(1, "welcome", false, start), entered(2, "welcome", true, start-5), entered(3, "welcome", false, start), entered(4, "welcome", false, start.Add(80*day)), entered(5, "welcome", false, start))
	s.load()
	one := buyer(1, 10)
	all := people{1: one, 2: one, 3: buyer(3, 0), 4: buyer(4, 0)} // 5 has been erased
	learnt, err := s.loader.Learn(t.Context(), []report.Asked{{Journey: "welcome", Share: 0.5}, {Journey: "nobody", Share: 0.1}}, start.Add(100*day), "GBP", all.find, nil)
	if err != nil || len(learnt) != 2 {
		t.Fatalf("%+v, %v", learnt, err)
	}
	got := learnt[0]
	if got.People != 2 || got.Pending != 1 || got.Report.Orders.N0 != 1 || got.Report.Orders.N1 != 1 || got.Report.Orders.Lift != -1 {
		t.Errorf("learnt = %+v", got)
	}
	if learnt[1].People != 0 || learnt[1].Pending != 0 {
		t.Errorf("of a journey that nobody entered: %+v", learnt[1])
	}
	asked, err := s.loader.Learn(t.Context(), []report.Asked{{Journey: "welcome"}}, start.Add(100*day), "GBP", all.find, func(_ string, p *profile.Profile) bool { return p.ID[0] == 3 })
	if err != nil || asked[0].Report.Orders.N0 != 1 || asked[0].Report.Orders.Lift != 1 {
		t.Errorf("with another division: %+v, %v", asked, err)
	}
}

func TestTheLedgerIsCountedByStateAndReason(t *testing.T) {
	t.Parallel()
	s := open(t)
	var rows []store.Delivery
	add := func(n int, state profile.State, because string) {
		for range n {
			rows = append(rows, store.Delivery{Delivery: profile.Delivery{ID: profile.DeliveryID{byte(len(rows) + 1)}, State: state, Journey: "welcome", Channel: "email"}, Profile: identity.ID{1}, Because: because})
		}
	}
	add(3, profile.Accepted, "")
	add(2, profile.Dropped, "cap")
	add(1, profile.Planned, "deferred")
	if err := s.store.Commit(t.Context(), &store.Commit{To: store.Position{Epoch: 1, Seq: 1}, Deliveries: rows}); err != nil {
		t.Fatal(err)
	}
	d, err := report.CountDeliveries(t.Context(), s.store)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(d.ByState, d.ByReason, d.ByStep) != "map[accepted:3 dropped:2 planned:1] map[cap:2] map[welcome:map[accepted:3 dropped:2 planned:1]]" {
		t.Errorf("%v %v %v", d.ByState, d.ByReason, d.ByStep)
	}
}

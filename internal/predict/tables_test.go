package predict_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	retail "rapport/examples/online-retail"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/occasion"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/feed"
	"rapport/internal/loader"
	"rapport/internal/predict"
	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
)

// told is a store that hears rows, a block each call.
type fed struct {
	t      testing.TB
	store  *memory.Store
	packer *feed.Packer
	at     map[int]store.Position
}

func newFed(t testing.TB) *fed {
	return &fed{t: t, store: memory.New(), packer: feed.NewPacker(), at: map[int]store.Position{}}
}

func (f *fed) tell(lane int, rows ...feed.Row) {
	f.t.Helper()
	var raw []byte
	for i := range rows {
		raw = rows[i].Append(raw)
	}
	from := f.at[lane]
	to := store.Position{Epoch: 1, Seq: from.Seq + 1}
	if err := f.store.Commit(f.t.Context(), &store.Commit{Lane: lane, From: from, To: to, Feed: f.packer.Pack(raw)}); err != nil {
		f.t.Fatal(err)
	}
	f.at[lane] = to
}

// asked is a warehouse that notes how many rows an answer had at most.
type asked struct {
	warehouse.Warehouse
	most int
}

type counted struct {
	warehouse.Rows
	of *asked
	n  int
}

func (a *asked) Query(ctx context.Context, sql string, args []any, limits warehouse.Limits) (warehouse.Rows, error) {
	rows, err := a.Warehouse.Query(ctx, sql, args, limits)
	return &counted{Rows: rows, of: a}, err
}

func (c *counted) Next() []any {
	row := c.Rows.Next()
	if row != nil {
		c.n++
		c.of.most = max(c.of.most, c.n)
	}
	return row
}

// tables returns the source on a warehouse that was filled from the feed.
func (f *fed) tables(lanes int, gone func(identity.ID) bool) *predict.Tables {
	f.t.Helper()
	w, err := duckdb.Open(f.t.Context(), duckdb.Options{Dir: f.t.TempDir(), MemoryMB: 64})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := w.Close(); err != nil {
			f.t.Error(err)
		}
	})
	if err := loader.New(f.store, w, lanes, gone, nil).Load(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return &predict.Tables{Warehouse: &asked{Warehouse: w}}
}

func sold(n int, id string, day int, net money.Micros, name string) feed.Row {
	props := new(event.Builder).SetText("order_id", id).SetText("channel", "web").Object()
	return feed.Row{
		Kind: feed.Event, Profile: who(n), At: at(day), Now: at(day), Name: name, Known: true, Type: event.Track, Where: "web", Device: "mobile", Props: props,
		Order: &feed.Order{ID: id, Net: net * money.One, Currency: "GBP"},
	}
}

func joins(strand, to identity.ID, at event.Time) feed.Row {
	return feed.Row{Kind: feed.Fact, Profile: to, At: at, Now: at, Name: event.ProfilesJoined, Props: new(event.Builder).SetText("joined", strand.String()).Object()}
}

func TestTablesTellOrdersOnceUnderWhoTheyAreNow(t *testing.T) {
	t.Parallel()
	f := newFed(t)
	again := sold(7, "b", 6, 20, event.OrderCompleted)
	again.Order.Repeated = true
	f.tell(0, sold(7, "b", 3, 20, event.OrderCompleted), sold(8, "a", 1, 10, event.OrderCompleted), sold(9, "x", 1, 99, event.OrderCompleted), sold(7, "a", 2, 10, event.OrderCompleted))
	f.tell(0, again, sold(7, "b", 4, -5, event.OrderRefunded), sold(7, "b", 5, -5, event.OrderRefunded), sold(6, "c", 2, 7, event.OrderCompleted), sold(6, "late", 9, 7, event.OrderCompleted))
	f.tell(0, joins(who(8), who(7), at(8)))
	src := f.tables(1, func(id identity.ID) bool { return id == who(9) })
	asked := 0
	src.Named = func(_ context.Context, id identity.ID) (bool, error) { asked++; return id == who(7), nil }
	for range 2 {
		got := ""
		for o, err := range src.Orders(t.Context(), at(9)) {
			if err != nil {
				t.Fatal(err)
			}
			got += o.ID + " " + strings.TrimSuffix(o.Net.String(), ".00") + "|"
			if o.Channel != "web" || o.Device != "mobile" || o.Nobody != (o.Profile != who(7)) || o.ID == "a" && o.Kind != profile.Completed {
				t.Errorf("%+v", o)
			}
		}
		if want := "c 7|a 10|b 20|b -5|b -5|"; got != want {
			t.Errorf("the orders are %q, want %q", got, want)
		}
	}
	if asked != 2 {
		t.Errorf("who is known was asked %d times of two customers", asked)
	}
}

func TestAReaderOfTablesMayEndAtAnyRow(t *testing.T) {
	t.Parallel()
	f := newFed(t)
	f.tell(0, sold(1, "a", 1, 1, event.OrderCompleted), sold(2, "b", 1, 1, event.OrderCompleted), sold(3, "c", 1, 1, event.OrderCompleted))
	src := f.tables(1, nil)
	for range 5 { // more often than queries run at once
		for o, err := range src.Orders(t.Context(), at(9)) {
			if err != nil || o.ID != "a" {
				t.Fatal(o, err)
			}
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range src.Events(ctx, at(9)) {
		if err == nil {
			t.Error("an ended context reads on")
		}
	}
}

// scattered returns an id as profiles have them: any.
func scattered(name string) identity.ID {
	h := sha256.Sum256([]byte(name))
	return identity.ID(h[:16])
}

// retailFeed tells an eighth of the customers of the Online Retail year, with what
// makes reading hard: two lanes, profiles that joined others, orders told again, an
// erased customer, receipts of nobody, and invented visits, mails and consents.
func retailFeed(t *testing.T) (f *fed, owner func(identity.ID) (identity.ID, bool), named func(identity.ID) bool, end event.Time) {
	t.Helper()
	f = newFed(t)
	invoices, err := retail.Invoices()
	if err != nil {
		t.Fatal(err)
	}
	owners, known := map[identity.ID]identity.ID{}, map[identity.ID]bool{}
	erased := scattered("12680")
	var lanes [2][]feed.Row
	add := func(customer string, r feed.Row) {
		lane := int(r.Profile[15]) % 2
		r.Now = r.At
		lanes[lane] = append(lanes[lane], r)
		if len(lanes[lane]) == 500 {
			f.tell(lane, lanes[lane]...)
			lanes[lane] = lanes[lane][:0]
		}
	}
	for i, v := range invoices {
		n, _ := strconv.Atoi(v.Customer)
		if n%8 != 0 || v.Customer == "" && i%17 != 0 {
			continue
		}
		id := scattered(v.Customer)
		if v.Customer == "" {
			id = scattered(v.Number)
		} else if known[id] = true; n%5 == 0 && v.At < event.At(time.Date(2011, 6, 1, 0, 0, 0, 0, time.UTC)) {
			id = scattered("strand of " + v.Customer) // joined below
			owners[id] = scattered(v.Customer)
		}
		base := feed.Row{Kind: feed.Event, Profile: id, At: v.At, Type: event.Track, Known: v.Customer != "", Where: "web", Device: []string{"mobile", "desktop"}[i%2]}
		var lines []event.Value
		for _, l := range v.Lines {
			var b event.Builder
			b.SetText("sku", l.SKU).SetText("name", l.Description).SetText("category", "kind "+l.SKU[:1]).Set("price", event.Num(l.Price.Float())).Set("quantity", event.Int(l.Quantity))
			lines = append(lines, event.Nested(b.Object()))
			if l.Product && len(lines) < 4 {
				seen := base
				seen.Name, seen.At = event.ProductViewed, v.At.Add(-time.Minute) // at one instant: only the order heard tells them apart
				seen.Props = new(event.Builder).SetText("sku", l.SKU).SetText("category", "kind "+l.SKU[:1]).SetText("utm_campaign", strings.Repeat("spring", i%2)).Object()
				add(v.Customer, seen)
				if i%4 > 0 {
					seen.Name = event.ProductAdded
					add(v.Customer, seen)
				}
			}
		}
		for k := range i % 3 { // visits that led to nothing
			seen := base
			seen.Name, seen.At = event.ProductViewed, v.At.Add(-time.Duration(k+1)*30*time.Hour)
			seen.Props = new(event.Builder).SetText("product_id", "P"+strconv.Itoa(i%50)).Object()
			add(v.Customer, seen)
		}
		name := event.OrderCompleted
		if v.Return || v.Net() < 0 {
			name = event.OrderRefunded
		}
		row := base
		row.Name = name
		row.Props = new(event.Builder).SetText("order_id", v.Number).SetText("currency", "GBP").Set("revenue", event.Num(v.Net().Float())).Set("products", event.ListOf(lines...)).Object()
		o, err := event.OrderOf(name, row.Props)
		if err != nil {
			t.Fatal(err)
		}
		row.Order = &feed.Order{ID: o.ID, Net: o.Net, Currency: o.Currency, Units: o.Units}
		add(v.Customer, row)
		if name == event.OrderCompleted && i%11 == 0 {
			row.At = row.At.Add(time.Hour)
			again := *row.Order
			again.Repeated = true
			row.Order = &again
			add(v.Customer, row)
		}
		for k := range 3 {
			mail := base
			mail.Type, mail.Name, mail.Where, mail.At = event.System, event.MessageSent, "", v.At.Add(time.Duration(k)*24*time.Hour)
			delivery := new(event.Builder).SetText("delivery", fmt.Sprintf("%s-%d", v.Number, k))
			mail.Props = delivery.Object()
			add(v.Customer, mail)
			mail.Name, mail.At = event.MessageOpened, mail.At.Add(2*time.Hour)
			mail.Props = delivery.SetText("actor", []string{"human", "machine", "human"}[k]).Object()
			add(v.Customer, mail)
		}
		if i%4 == 0 {
			yes := base
			yes.Name, yes.Props = event.ConsentChanged, new(event.Builder).SetText("purpose", "occasions").SetText("state", []string{"granted", "denied"}[i/4%2]).Object()
			add(v.Customer, yes)
		}
		end = max(end, v.At)
	}
	for strand, to := range owners {
		add("", joins(strand, to, end))
	}
	for lane, rows := range lanes {
		f.tell(lane, rows...)
	}
	owner = func(id identity.ID) (identity.ID, bool) {
		if to, joined := owners[id]; joined {
			id = to
		}
		return id, id != erased
	}
	return f, owner, func(id identity.ID) bool { return known[id] }, end + 1
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) (list []T) {
	t.Helper()
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

func equal[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s: the %d. is\n%+v, want\n%+v", what, i, got[i], want[i])
		}
	}
	if len(got) != len(want) || len(got) == 0 {
		t.Fatalf("%s: %d are told, of %d", what, len(got), len(want))
	}
}

func TestTablesTellTheRetailYearAsTheFeedDoesAndModelsSayTheSame(t *testing.T) {
	t.Parallel()
	f, owner, named, end := retailFeed(t)
	held, err := readWhole(t.Context(), f.store, 2, owner, named)
	if err != nil {
		t.Fatal(err)
	}
	src := f.tables(2, func(id identity.ID) bool { _, lives := owner(id); return !lives })
	src.Named = func(_ context.Context, id identity.ID) (bool, error) { return named(id), nil }
	src.Part = 4000
	ctx := t.Context()
	for _, before := range []event.Time{end, event.At(time.Date(2011, 3, 1, 0, 0, 0, 0, time.UTC))} {
		equal(t, "orders", collect(t, src.Orders(ctx, before)), collect(t, held.Orders(ctx, before)))
		equal(t, "lines", collect(t, src.Lines(ctx, before)), collect(t, held.Lines(ctx, before)))
		equal(t, "events", collect(t, src.Events(ctx, before)), collect(t, held.Events(ctx, before)))
		names := []string{event.MessageOpened, event.ConsentChanged}
		equal(t, "events of names", collect(t, src.Events(ctx, before, names...)), collect(t, held.Events(ctx, before, names...)))
	}
	// Parts are equal shares of ids, not of rows: a few customers may weigh on one.
	if most := src.Warehouse.(*asked).most; most > 5*int(src.Part) {
		t.Errorf("an answer had %d rows, where about %d were to be in memory", most, src.Part)
	}
	gift := &occasion.Definition{
		Name: "gift", Label: "A gift", Purpose: "occasions", AtLeast: 2, Within: 60 * day, Lasts: 300 * day, Share: 0.3,
		Signals: []occasion.Signal{{Name: "one", Categories: []string{"kind 2"}, Strength: 10}, {Name: "other", Categories: []string{"kind 8"}, Strength: 10}},
	}
	models := append(predict.Models(), predict.Behaviour("", func() []*occasion.Definition { return []*occasion.Definition{gift} })...)
	m := predict.Moment{Now: end, Zone: time.UTC, Currency: "GBP", Margin: 0.4, Discount: 0.1}
	for _, model := range models {
		name := model.About().Name
		got, err := model.Fit(ctx, src, m)
		if err != nil {
			t.Fatal(name, err)
		}
		want, err := model.Fit(ctx, held, m)
		if err != nil {
			t.Fatal(name, err)
		}
		if got.Report.Refused != "" && name != "personas" || len(got.People) == 0 && name != "personas" && name != predict.IntentName {
			t.Errorf("%s says nothing of this year: %s", name, got.Report.Refused)
		}
		if !reflect.DeepEqual(got.Report, want.Report) {
			t.Errorf("%s reports\n%+v, by the feed\n%+v", name, got.Report, want.Report)
		}
		if !slices.EqualFunc(got.People, want.People, func(a, b predict.Of) bool { return reflect.DeepEqual(a, b) }) {
			t.Errorf("%s says something else of people than by the feed", name)
		}
	}
}

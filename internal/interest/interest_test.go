package interest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/feed"
	"rapport/internal/interest"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// shop is a catalogue, a feed and a watcher between them.
type shop struct {
	t         testing.TB
	now       event.Time
	blocks    []store.Feed
	interests *memory.Interests
	store     *memory.Catalogue
	keeper    *catalogue.Keeper
	told      []identity.Addressed
	fails     error
	deaf      bool // nothing asks about changes
	*interest.Watcher
}

var began = event.At(time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC))

func open(t testing.TB) *shop {
	s := &shop{t: t, now: began, interests: memory.NewInterests(), store: memory.NewCatalogue()}
	clock := func() event.Time { return s.now }
	s.keeper = catalogue.New(s.store, clock)
	s.Watcher = interest.New(interest.Options{
		Lanes: 1, Interests: s.interests, Catalogue: s.store, Now: clock, Asked: func(string) bool { return !s.deaf },
		Feed: func(_ context.Context, _ int, after uint64, limit int) ([]store.Feed, error) {
			list := s.blocks[after:]
			return list[:min(limit, len(list))], nil
		},
		Append: func(_ context.Context, entries []identity.Addressed) error {
			if s.fails != nil {
				return s.fails
			}
			s.told = append(s.told, entries...)
			return nil
		},
	})
	return s
}

// did lets somebody do something with a product.
func (s *shop) did(who byte, name, sku string) {
	var b event.Builder
	if name == event.OrderCompleted {
		var line event.Builder
		b.Set("products", event.ListOf(event.Nested(line.SetText("sku", sku).Object()), event.Nested(line.Object())))
	} else {
		b.SetText("sku", sku)
	}
	row := feed.Row{Kind: feed.Event, Profile: identity.ID{who + 1}, At: s.now, Now: s.now, Name: name, Props: b.Object()}
	s.blocks = append(s.blocks, store.Feed{To: uint64(len(s.blocks) + 1), Body: feed.NewPacker().Pack(row.Append(nil))})
	s.now++
}

// sells puts a product of one variant into the catalogue.
func (s *shop) sells(sku string, price money.Micros, stock int64) {
	s.t.Helper()
	v := product.Variant{ID: "v-" + sku, SKU: sku, Currency: "GBP", Price: price * money.One, Counted: true, Stock: stock}
	v.Restate()
	s.now++
	_, err := s.keeper.Apply(s.t.Context(), []catalogue.Update{{Product: product.Product{Ref: product.Ref{Source: "shop", ID: "p-" + sku}, Title: "A " + sku, Variants: []product.Variant{v}, Updated: s.now}}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// hears is what one customer heard.
func (s *shop) want(want ...string) {
	s.t.Helper()
	if _, err := s.Learn(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.Tell(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	var got []string
	for _, a := range s.told {
		e := &a.Event
		if e.Trust != event.Own || e.Source != event.CatalogueSource || e.Props.Text("name") == "" {
			s.t.Errorf("an event that is not the product's own: %+v", e)
		}
		line := string('a'+rune(a.To[0]-1)) + " " + e.Name + " " + e.Props.Text("sku") + " " + e.Props.Text("interest")
		if d := e.Props.Text("drop"); d != "" {
			line += " " + d
		}
		got = append(got, line)
	}
	s.told = nil
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestAChangeReachesTheInterestedAndNobodyElse(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.sells("lamp", 50, 20)
	s.sells("boots", 80, 20)
	s.did(0, event.ProductViewed, "lamp")
	s.did(1, event.ProductAdded, "lamp")
	s.did(1, event.ProductViewed, "lamp")
	s.did(2, "Product Added to Wishlist", "lamp")
	s.did(3, event.ProductViewed, "boots")
	s.did(4, event.ProductAdded, "lamp")
	s.did(4, event.OrderCompleted, "lamp") // has one now
	s.did(5, event.OrderCompleted, "lamp")
	s.did(5, event.OrderCompleted, "lamp") // buys it again and again
	s.did(6, event.ProductAdded, "lamp")
	s.did(6, event.ProductRemoved, "lamp")
	s.did(7, event.OrderCompleted, "lamp")
	s.did(7, event.ProductViewed, "lamp") // wants another
	s.want()
	s.sells("lamp", 40, 20)
	s.want("a Product Price Dropped lamp viewed 20", "b Product Price Dropped lamp carted 20", "c Product Price Dropped lamp wished 20",
		"f Product Price Dropped lamp bought 20", "h Product Price Dropped lamp viewed 20")
	s.want()
	s.sells("boots", 80, 0)
	s.want() // that it is sold out helps nobody
	s.sells("boots", 80, 30)
	s.want("d Product Back In Stock boots viewed")
	s.sells("boots", 80, 3)
	s.want("d Product Low In Stock boots viewed")
	s.now = s.now.Add(100 * 24 * time.Hour)
	s.sells("boots", 60, 3)
	s.want() // whoever looked has boots by now
}

func TestAPriceThatMovesIsToldWhereItEnds(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.sells("lamp", 50, 20)
	s.did(0, event.ProductViewed, "lamp")
	s.sells("lamp", 45, 20)
	s.sells("lamp", 40, 20)
	s.want("a Product Price Dropped lamp viewed 20")
	s.sells("lamp", 30, 20)
	s.sells("lamp", 60, 20)
	s.want() // it fell and rose before anybody was told
	s.sells("lamp", 30, 20)
	s.sells("lamp", 30, 0)
	s.want() // cheaper, and nobody can have it
}

func TestWhatNobodyAsksAboutAndWhatIsOldIsNotTold(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.sells("lamp", 50, 20)
	s.did(0, event.ProductViewed, "lamp")
	s.deaf = true
	s.sells("lamp", 40, 20)
	s.want()
	s.deaf = false
	s.want() // the change is behind us
	s.sells("lamp", 30, 20)
	s.now = s.now.Add(25 * time.Hour)
	s.want()
}

// Killed between the log and its own note, the watcher tells the same events under
// the same ids: a profile takes the first.
func TestWhatIsToldAgainIsTheSameEvent(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.sells("lamp", 50, 20)
	s.did(0, event.ProductViewed, "lamp")
	s.sells("lamp", 40, 20)
	s.fails = errors.New("the disk is full")
	if _, err := s.Learn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Tell(t.Context()); err == nil || len(s.told) != 0 {
		t.Fatalf("Tell = %v, told %d", err, len(s.told))
	}
	s.fails = nil
	if n, err := s.Tell(t.Context()); err != nil || n != 1 {
		t.Fatalf("told %d, %v", n, err)
	}
	first := s.told[0]
	if err := s.interests.SetTold(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.told) != 2 || s.told[1].Event.ID != first.Event.ID || s.told[1].To != first.To {
		t.Errorf("told again: %+v, want %+v", s.told, first)
	}
}

// A feed knows a product by its id; the shop's pages name a SKU beside it.
func TestWhoLooksByANameThatTheCatalogueDoesNotKnowIsToldByTheOther(t *testing.T) {
	t.Parallel()
	s := open(t)
	looks := func(who byte, names ...string) {
		var b event.Builder
		for i := 0; i < len(names); i += 2 {
			b.SetText(names[i], names[i+1])
		}
		row := feed.Row{Kind: feed.Event, Profile: identity.ID{who + 1}, At: s.now, Now: s.now, Name: event.ProductViewed, Props: b.Object()}
		s.blocks = append(s.blocks, store.Feed{To: uint64(len(s.blocks) + 1), Body: feed.NewPacker().Pack(row.Append(nil))})
		s.now++
	}
	s.sells("lamp", 50, 20) // as p-lamp, v-lamp and lamp
	s.sells("vase", 50, 20)
	looks(0, "sku", "ERP-9", "product_id", "p-lamp")
	looks(1, "sku", "ERP-9", "variant_id", "v-lamp", "product_id", "p-lamp")
	looks(2, "sku", "lamp", "product_id", "p-lamp")
	looks(3, "sku", "ERP-9", "product_id", "ERP-10")
	looks(4, "sku", "vase", "product_id", "p-lamp") // a variant of it, whose price stays
	s.want()
	s.sells("lamp", 40, 20)
	s.want("c Product Price Dropped lamp viewed 20", "b Product Price Dropped lamp viewed 20", "a Product Price Dropped lamp viewed 20")
}

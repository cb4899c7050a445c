package catalogue_test

import (
	"fmt"
	"strings"
	"testing"

	"rapport/internal/catalogue"
	"rapport/internal/catalogue/feed"
	"rapport/internal/core/product"
	"rapport/internal/fault"
)

const feedHead = "id,title,price,availability\n"

// feedOf is a feed of so many lamps.
func feedOf(n int) string {
	var b strings.Builder
	b.WriteString(feedHead)
	for i := range n {
		fmt.Fprintf(&b, "%d,Lamp %d,20 GBP,in_stock\n", i, i)
	}
	return b.String()
}

// bring brings a complete feed of the source "shop" at an instant.
func (s *shop) bring(at int64, text string, change func(*catalogue.Bringing)) (catalogue.Brought, error) {
	s.t.Helper()
	s.clock.Store(at)
	o := catalogue.Bringing{Options: feed.Options{Source: "shop"}, Complete: true}
	if change != nil {
		change(&o)
	}
	return s.Bring(s.t.Context(), strings.NewReader(text), o)
}

func (s *shop) sold() int64 {
	s.t.Helper()
	n, _, err := s.store.Sizes(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestACompleteFeedEndsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	other, foreign := lamp("1", 1, 5), lamp("1", 1, 5)
	other.ID, foreign.Source = "8", "elsewhere"
	s.apply(put(other), put(foreign), put(lamp("20", 9, 10)))
	b, err := s.bring(1000, feedHead+"7,Lamp,20 GBP,in_stock\n", nil)
	if b.Gone != 1 || b.Taken != 1 || err != nil {
		t.Fatalf("%+v, %v", b, err)
	}
	cards, err := s.Products(t.Context(), "8", "7")
	if err != nil || cards[0] != nil || cards[1] == nil {
		t.Errorf("%v, %v", cards, err)
	}
	if n := s.sold(); n != 2 {
		t.Errorf("%d products are sold", n)
	}
}

func TestAFeedThatWasCutOffTakesNothingOut(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if b, err := s.bring(1000, feedOf(1000), nil); err != nil || b.Taken != 1000 {
		t.Fatalf("%+v, %v", b, err)
	}
	b, err := s.bring(2000, feedOf(10), nil)
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "leaves out 990 of the 1000 products") || b.Gone != 0 {
		t.Fatalf("one per cent of the feed: %+v, %v", b, err)
	}
	if n := s.sold(); n != 1000 {
		t.Fatalf("%d products are sold after it", n)
	}
	s.want() // and nobody is told that something is back when the whole feed comes again
	if _, err := s.bring(3000, feedOf(1000), nil); err != nil {
		t.Fatal(err)
	}
	s.want()

	if b, err := s.bring(4000, feedOf(701), nil); err != nil || b.Gone != 299 {
		t.Errorf("a season's change: %+v, %v", b, err)
	}
	all := func(o *catalogue.Bringing) { o.MostGone = 100 }
	if b, err := s.bring(5000, feedOf(1), func(o *catalogue.Bringing) { all(o); o.DryRun = true }); err != nil || b.Gone != 700 || s.sold() != 701 {
		t.Errorf("a dry run: %+v, %v", b, err)
	}
	if b, err := s.bring(6000, feedOf(1), all); err != nil || b.Gone != 700 || s.sold() != 1 {
		t.Errorf("a shop that closes: %+v, %v", b, err)
	}
}

// What a feed names and cannot be read is still sold: its price has a mistake.
func TestWhatIsRefusedIsNotTakenOut(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if _, err := s.bring(1000, feedOf(3), nil); err != nil {
		t.Fatal(err)
	}
	b, err := s.bring(2000, feedHead+"0,Lamp 0,20 GBP,in_stock\n1,Lamp 1,twenty,in_stock\n", nil)
	if err != nil || b.Refused != 1 || b.Gone != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	cards, err := s.Products(t.Context(), "0", "1", "2")
	if err != nil || cards[0] == nil || cards[1] == nil || cards[2] != nil {
		t.Errorf("%v, %v", cards, err)
	}
	if _, err := s.bring(3000, feedHead+",Lamp 0,20 GBP,in_stock\n1,Lamp 1,20 GBP,in_stock\n", nil); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "without an id that can be read (1)") {
		t.Errorf("a line without an id: %v", err)
	}
	if n := s.sold(); n != 2 {
		t.Errorf("%d products are sold", n)
	}
}

func TestTheStockOfAProductIsThatOfItsVariants(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := lamp("20", 9, 1)
	p.Variants = append(p.Variants, product.Variant{ID: "72", SKU: "LAMP-L", Currency: "GBP"})
	s.apply(put(p))
	for _, l := range []struct {
		sku, place string
		n          int64
	}{{"LAMP", "leeds", 2}, {"LAMP-L", "leeds", 3}, {"LAMP-L", "soho", -1}} {
		if _, err := s.Patch(t.Context(), []catalogue.Patch{{SKU: l.sku, Counted: true, Stock: l.n, Place: l.place, At: 5}}); err != nil {
			t.Fatal(err)
		}
	}
	for sku, want := range map[string]string{"LAMP": "leeds:2 ", "LAMP-L": "leeds:3 soho:-1 ", "7": "leeds:5 soho:0 "} {
		list, found, err := s.Levels(t.Context(), sku)
		got := ""
		for _, l := range list {
			got += fmt.Sprint(l.Place, ":", l.Stock, " ")
		}
		if err != nil || !found || got != want {
			t.Errorf("%s: %q %t %v, want %q", sku, got, found, err, want)
		}
	}
}

package product_test

import (
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
)

func lamp() product.Product {
	return product.Product{
		Ref: product.Ref{Source: "shop", ID: "7"}, Title: "Lamp", Brand: "Glow", URL: "https://shop.example/lamp", Images: []string{"https://shop.example/lamp.png"},
		Categories: []string{"Home", "Lighting"}, Group: "g", Updated: 1_772_442_000_000,
		Variants: []product.Variant{
			{ID: "71", SKU: "LAMP-RED", Title: "Red", GTIN: "4006381333931", Item: "9007199254740993", Currency: "GBP", Price: 20 * money.One, State: product.InStock, Counted: true, Stock: 9, Levels: []product.Level{{Place: "1", Stock: 4, At: 400}, {Place: "2", Stock: 5, At: 500}}},
			{ID: "72", SKU: "LAMP-BLUE", Title: "Blue", Currency: "GBP", Price: 25 * money.One, Sale: product.Sale{On: true, Price: 15 * money.One, From: 1000, To: 2000}, State: product.OutOf},
		},
	}
}

func TestAPriceIsAFunctionOfTheInstant(t *testing.T) {
	t.Parallel()
	p := lamp()
	v := p.Find("LAMP-BLUE")
	for _, c := range []struct {
		name string
		now  event.Time
		want money.Micros
		next event.Time
	}{
		{"before the sale", 999, 25 * money.One, 1000},
		{"at its first instant", 1000, 15 * money.One, 2000},
		{"at its last", 1999, 15 * money.One, 2000},
		{"at its end", 2000, 25 * money.One, event.Never},
	} {
		if got := v.At(c.now); got != c.want || v.Reduced(c.now) != (got == v.Sale.Price) {
			t.Errorf("%s it costs %s, want %s", c.name, got, c.want)
		}
		if got := p.Next(c.now); got != c.next {
			t.Errorf("%s the next change is at %d, want %d", c.name, got, c.next)
		}
	}
}

func TestWhatAChangeMeans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(p *product.Product)
		want   []string
	}{
		{"nothing changes", func(*product.Product) {}, nil},
		{"a price falls", func(p *product.Product) { p.Variants[0].Price = 19 * money.One }, []string{product.PriceDropped}},
		{"a price rises", func(p *product.Product) { p.Variants[0].Price = 21 * money.One }, nil},
		{"a price in another currency", func(p *product.Product) { p.Variants[0].Price, p.Variants[0].Currency = money.One, "EUR" }, nil},
		{"the price of what nobody can buy falls", func(p *product.Product) { p.Variants[1].Price = money.One }, nil},
		{"a sale begins", func(p *product.Product) { p.Variants[0].Sale = product.Sale{On: true, Price: 18 * money.One} }, []string{product.PriceDropped}},
		{"a sale of tomorrow", func(p *product.Product) {
			p.Variants[0].Sale = product.Sale{On: true, Price: 18 * money.One, From: 9_999}
		}, nil},
		{"it is back", func(p *product.Product) { p.Variants[1].State = product.InStock }, []string{product.BackInStock}},
		{"it can be ordered ahead", func(p *product.Product) { p.Variants[1].State = product.Preorder }, []string{product.BackInStock}},
		{"it is sold out", func(p *product.Product) { p.Variants[0].State = product.OutOf; p.Variants[0].Stock = 0 }, []string{product.OutOfStock}},
		{"few are left", func(p *product.Product) { p.Variants[0].Stock = product.LowStock }, []string{product.LowInStock}},
		{"one less of many", func(p *product.Product) { p.Variants[0].Stock = product.LowStock + 1 }, nil},
		{"cheaper and few", func(p *product.Product) { p.Variants[0].Stock, p.Variants[0].Price = 1, money.One }, []string{product.PriceDropped, product.LowInStock}},
		{"a new variant", func(p *product.Product) {
			p.Variants = append(p.Variants, product.Variant{ID: "73", Price: money.One})
		}, nil},
		{"it is not sold any more", func(p *product.Product) { p.Gone = true; p.Variants[0].Price = 0 }, nil},
	} {
		old, next := lamp(), lamp()
		c.change(&next)
		var got []string
		for _, change := range product.Changes(&old, &next, 500, 500, product.LowStock) {
			got = append(got, change.Name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	fresh := lamp()
	if list := product.Changes(nil, &fresh, 500, 500, product.LowStock); list != nil {
		t.Errorf("a new product has changed: %v", list)
	}
}

func TestASaleThatBeginsByTheClockIsAPriceDrop(t *testing.T) {
	t.Parallel()
	p := lamp()
	p.Variants[1].State = product.InStock
	list := product.Changes(&p, &p, 999, 1000, product.LowStock)
	if len(list) != 1 || list[0].Name != product.PriceDropped || list[0].Before != 25*money.One || list[0].After != 15*money.One {
		t.Errorf("at the beginning of the sale: %+v", list)
	}
	e := list[0].Event()
	if e.Props.Text("price") != "15.00" || e.Props.Text("price_before") != "25.00" || e.Props.Text("sku") != "LAMP-BLUE" {
		t.Errorf("the event is %s", e.AppendJSON(nil))
	}
	if list := product.Changes(&p, &p, 1999, 2000, product.LowStock); list != nil {
		t.Errorf("at its end: %+v", list)
	}
}

// The catalogue holds these bytes. If this test fails, the encoding needs a new
// version and the old one must still be read.
func TestTheBytesOfAProductNeverChange(t *testing.T) {
	t.Parallel()
	const golden = "010473686f700137044c616d7004476c6f771968747470733a2f2f73686f702e6578616d706c652f6c616d700167011d68747470733a2f2f73686f702e6578616d706c652f6c616d702e706e670204486f6d65084c69676874696e670080eab4dc956702023731084c414d502d524544035265640d34303036333831333333393331103930303731393932353437343039393303474250000080b48913000000000001120002013108a00601320ae807023732094c414d502d424c554504426c7565000003474250000080e1eb17018087a70ed00fa01f0100000000"
	p := lamp()
	if got := hex.EncodeToString(p.Append(nil)); got != golden {
		t.Errorf("the product is\n%s\nwant\n%s", got, golden)
	}
	b, err := hex.DecodeString(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, err := product.Decode(string(b))
	if diff := cmp.Diff(p, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestAProductComesBackFromItsBytesAndDamageIsNoticed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 8, -1)
		p := product.Product{Ref: product.Ref{Source: text.Draw(t, "source"), ID: text.Draw(t, "id")}, Title: text.Draw(t, "title"), Gone: rapid.Bool().Draw(t, "gone"), Updated: event.Time(rapid.Int64().Draw(t, "at"))}
		for range rapid.IntRange(0, 3).Draw(t, "variants") {
			p.Variants = append(p.Variants, product.Variant{ID: text.Draw(t, "variant"), Price: money.Micros(rapid.Int64().Draw(t, "price")), Stock: rapid.Int64().Draw(t, "stock"), State: product.State(rapid.Byte().Draw(t, "state"))})
		}
		b := p.Append(nil)
		got, err := product.Decode(string(b))
		if diff := cmp.Diff(p, got); err != nil || diff != "" {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
		for cut := range len(b) {
			if _, err := product.Decode(string(b[:cut])); !fault.Is(err, fault.Corrupt) {
				t.Fatalf("the first %d of %d bytes are read: %v", cut, len(b), err)
			}
		}
		if _, err := product.Decode(string(b) + "x"); !fault.Is(err, fault.Corrupt) {
			t.Fatalf("a byte behind it: %v", err)
		}
	})
}

func TestAPlaceSaysWhatItHas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		level product.Level
		news  bool
		stock int64
		state product.State
	}{
		{"one less", product.Level{Place: "1", Stock: 3, At: 600}, true, 8, product.InStock},
		{"none left anywhere", product.Level{Place: "2", Stock: -4, At: 600}, true, 0, product.OutOf},
		{"the same word again", product.Level{Place: "2", Stock: 1, At: 500}, false, 9, product.InStock},
		{"an older word", product.Level{Place: "2", Stock: 1, At: 499}, false, 9, product.InStock},
		{"a word that is in the picture", product.Level{Place: "1", Stock: 1, At: 450}, true, 9, product.InStock},
		{"a place that was silent", product.Level{Place: "3", Stock: 7, At: 600}, true, 9, product.InStock},
	} {
		p := lamp()
		v := &p.Variants[0]
		if news := v.Count(c.level, 480); news != c.news || v.Stock != c.stock || v.State != c.state {
			t.Errorf("%s: news %t, stock %d, %s", c.name, news, v.Stock, v.State)
		}
	}
	p := lamp()
	v := &p.Variants[0]
	v.Oversell = true
	if v.Count(product.Level{Place: "1", Stock: -9, At: 600}, 0); v.State != product.Backorder {
		t.Errorf("what is sold though there is none is %s", v.State)
	}
}

func FuzzDecode(f *testing.F) {
	p := lamp()
	f.Add(string(p.Append(nil)))
	f.Fuzz(func(t *testing.T, s string) {
		p, err := product.Decode(s)
		if err != nil {
			return
		}
		if again, err := product.Decode(string(p.Append(nil))); err != nil || !cmp.Equal(p, again) {
			t.Fatalf("read again it is %+v, %v", again, err)
		}
	})
}

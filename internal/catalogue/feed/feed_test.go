package feed_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/catalogue/feed"
	"rapport/internal/core/event"
	"rapport/internal/core/product"
	"rapport/internal/fault"
)

// got is what a file says.
type got struct {
	feed.Totals
	products []product.Product
	refused  []string
}

func read(t testing.TB, text string, change func(*feed.Options)) (g got, err error) {
	t.Helper()
	o := feed.Options{Source: "feed", Currency: "GBP", Website: "https://shop.example", Now: 1000}
	o.Put = func(p product.Product) error { g.products = append(g.products, p); return nil }
	o.Refuse = func(r feed.Refusal) error { g.refused = append(g.refused, r.Error()); return nil }
	if change != nil {
		change(&o)
	}
	g.Totals, err = feed.Read(t.Context(), strings.NewReader(text), o)
	return g, err
}

// rss is a feed as Google documents it.
const rss = `<?xml version="1.0"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><title>Shop</title><link>https://shop.example</link><description>x</description>
<item>
<g:id>TV_123456</g:id><g:title>Google Chromecast with Google TV</g:title><g:description><![CDATA[<b>x</b>]]></g:description>
<g:link>https://shop.example/tv?a=1&amp;b=2</g:link><g:image_link>https://shop.example/tv.jpg</g:image_link>
<g:additional_image_link>https://shop.example/tv2.jpg</g:additional_image_link><g:additional_image_link>https://shop.example/tv3.jpg</g:additional_image_link>
<g:condition>new</g:condition><g:availability>in_stock</g:availability><g:price>59.50 USD</g:price><g:sale_price>49 USD</g:sale_price>
<g:sale_price_effective_date>2026-02-24T11:07+0100/2026-02-29T23:07+0100</g:sale_price_effective_date>
<g:shipping><g:country>US</g:country><g:price>6.49 USD</g:price></g:shipping>
<g:gtin>71919219405200</g:gtin><g:brand>Google</g:brand><g:product_type>Home &gt; Video &gt; Streaming</g:product_type><g:item_group_id>G</g:item_group_id><g:color>Snow</g:color><g:size>M</g:size>
</item>
<item><g:id>X</g:id><g:title>No price</g:title></item>
<item><g:id>Y</g:id><g:title>Ordered ahead</g:title><g:price>JPY 1980</g:price><g:availability>preorder</g:availability><g:google_product_category>2271</g:google_product_category></item>
</channel></rss>`

func TestAGoogleFeedIsReadFromXML(t *testing.T) {
	t.Parallel()
	g, err := read(t, strings.Replace(rss, "2026-02-29", "2026-02-28", 1), nil)
	if err != nil || g.Format != feed.GoogleXML || len(g.products) != 2 || len(g.refused) != 1 {
		t.Fatalf("%+v, %v", g, err)
	}
	p := g.products[0]
	v := p.Variants[0]
	from := event.At(time.Date(2026, 2, 24, 10, 7, 0, 0, time.UTC))
	if p.ID != "TV_123456" || p.Title != "Google Chromecast with Google TV" || p.URL != "https://shop.example/tv?a=1&b=2" || len(p.Images) != 3 || p.Category() != "Streaming" || len(p.Categories) != 3 || p.Group != "G" || p.Brand != "Google" || p.Updated != 1000 {
		t.Errorf("%+v", p)
	}
	if v.Price.String() != "59.50" || v.Currency != "USD" || v.At(from-1).String() != "59.50" || v.At(from).String() != "49.00" || v.GTIN != "71919219405200" || v.Title != "Snow / M" {
		t.Errorf("%+v", v)
	}
	if y := g.products[1]; y.Variants[0].State != product.Preorder || y.Variants[0].Currency != "JPY" || y.Variants[0].Price.String() != "1980.00" || len(y.Categories) != 0 {
		t.Errorf("%+v", y)
	}
	if !strings.HasPrefix(g.refused[0], `line 12: "X": it has no price`) {
		t.Errorf("%s", g.refused[0])
	}
}

func TestAGoogleFeedIsReadFromAtom(t *testing.T) {
	t.Parallel()
	g, err := read(t, `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title><entry><g:id>a</g:id><title>Lamp</title><link href="https://shop.example/lamp"/><g:price>5 EUR</g:price><g:availability>out of stock</g:availability></entry></feed>`, nil)
	if err != nil || len(g.products) != 1 || g.products[0].URL != "https://shop.example/lamp" || g.products[0].Title != "Lamp" || g.products[0].State() != product.OutOf {
		t.Errorf("%+v, %v", g, err)
	}
}

func TestAGoogleFeedIsReadFromLines(t *testing.T) {
	t.Parallel()
	text := "id\ttitle\tprice\tavailability\titem group id\tquantity\timage link\n1\tLamp \"x\"\t1.234,50 EUR\tin stock\tg\t3\ta.png\n2\tShade\t12,345 EUR\tin stock\t\t\t\n3\tBulb\t1,234,567 USD\tgone\t\t\t\n4\tPlug\t5 Pfund\tin_stock\t\t\t\n5\tCord\t7\tin_stock\t\tmany\t\n6\tBox\t7\t\t\t0\t\n"
	g, err := read(t, text, nil)
	if err != nil || g.Format != feed.Google || g.Refused != 4 || len(g.products) != 2 {
		t.Fatalf("%+v, %v", g, err)
	}
	if v := g.products[0].Variants[0]; v.Price.String() != "1234.50" || v.Currency != "EUR" || v.Stock != 3 || !v.Counted || g.products[0].Group != "g" || g.products[0].Images[0] != "a.png" {
		t.Errorf("%+v", g.products[0])
	}
	if v := g.products[1].Variants[0]; v.Currency != "GBP" || v.State != product.OutOf {
		t.Errorf("%+v", v)
	}
	for i, want := range []string{`line 3: "2": the price "12,345" can be read in two ways`, `line 4: "3": its availability "gone"`, `line 5: "4": the price "5 Pfund" has no currency`, `line 6: "5": its quantity "many"`} {
		if !strings.HasPrefix(g.refused[i], want) {
			t.Errorf("%s; want %s", g.refused[i], want)
		}
	}
}

func TestAShopifyFileIsReadByProduct(t *testing.T) {
	t.Parallel()
	text := "Handle,Title,Vendor,Type,Published,Option1 Name,Option1 Value,Option2 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Image Src\n" +
		"lamp,Lamp,Glow,Lighting > Lamps,true,Colour,Red,M,LAMP-R,shopify,2,deny,15.00,20.00,a.png\n" +
		"lamp,,,,,,Blue,M,,shopify,0,continue,16,,b.png\n" +
		"lamp,,,,,,,,,,,,,,c.png\n" +
		"shade,Shade,Glow,,false,Title,Default Title,,,,,deny,5,,\n" +
		"bulb,Bulb,Glow,,true,Title,Default Title,,,shopify,many,deny,5,,\n" +
		",,,,,,,,,,,,5,,\n"
	g, err := read(t, text, nil)
	if err != nil || g.Format != feed.Shopify || len(g.products) != 2 || g.Variants != 3 || len(g.refused) != 1 {
		t.Fatalf("%+v, %v", g, err)
	}
	p := g.products[0]
	if p.ID != "lamp" || p.URL != "https://shop.example/products/lamp" || p.Category() != "Lamps" || len(p.Images) != 3 || p.Gone || len(p.Variants) != 2 {
		t.Errorf("%+v", p)
	}
	if v := p.Variants[0]; v.ID != "LAMP-R" || v.Title != "Red / M" || v.Price.String() != "20.00" || v.At(5).String() != "15.00" || v.Stock != 2 {
		t.Errorf("%+v", v)
	}
	if v := p.Variants[1]; v.ID != "lamp:Blue / M" || v.State != product.Backorder || v.Sale.On {
		t.Errorf("%+v", v)
	}
	if s := g.products[1]; !s.Gone || s.Variants[0].ID != "shade" || s.Variants[0].Counted {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(g.refused[0], `line 6: "bulb": the stock "many"`) {
		t.Errorf("%v", g.refused)
	}
}

// TestTheRealShopifyFiles reads files that Shopify gives its partners to try imports.
func TestTheRealShopifyFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"apparel.csv", "home-and-garden.csv", "jewelery.csv"} {
		body, err := os.ReadFile(filepath.Join("../../../../shared/data/shopify-product-csvs", name))
		if err != nil {
			t.Skip("the files are not here: they may not be shipped")
		}
		g, err := read(t, string(body), nil)
		if err != nil || g.Products != 20 || g.Refused != 0 || g.Format != feed.Shopify {
			t.Errorf("%s: %+v, %v", name, g.Totals, err)
		}
	}
}

func TestJSONLinesAreRead(t *testing.T) {
	t.Parallel()
	text := `{"id":"7","title":"Lamp","brand":"Glow","url":"u","image":"a.png","category":"Home > Lamps","currency":"kwd","price":12.345,"sale_price":"10.5","sale_from":"2026-03-01T00:00:00Z","stock":4}
{"id":"8","title":"Shade","currency":"JPY","variants":[{"id":"81","sku":"S","title":"Red","price":1980},{"id":"82","price":"2000","availability":"backorder"}]}

{"id":"9","title":"No price"}
{"title":"No id","price":1}
not json
{"id":"10","title":"Free","price":"free"}
{"id":"11","title":"Gone","price":1,"gone":true}
`
	g, err := read(t, text, nil)
	if err != nil || g.Format != feed.JSONLines || len(g.products) != 3 || g.Refused != 4 {
		t.Fatalf("%+v, %v", g, err)
	}
	march := event.At(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	if v := g.products[0].Variants[0]; v.Currency != "KWD" || v.At(march-1).String() != "12.345" || v.At(march).String() != "10.50" || v.Stock != 4 || g.products[0].Category() != "Lamps" {
		t.Errorf("%+v", g.products[0])
	}
	if p := g.products[1]; len(p.Variants) != 2 || p.Variants[0].Currency != "JPY" || p.Variants[1].State != product.Backorder {
		t.Errorf("%+v", p)
	}
	if !g.products[2].Gone || !strings.HasPrefix(g.refused[0], `line 4: "9": it has no price`) || !strings.HasPrefix(g.refused[2], "line 6: the line is not a product") {
		t.Errorf("%+v", g.refused)
	}
}

func TestAPackedFileIsRead(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte("\xef\xbb\xbfid,title,price\n1,Lamp,5\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if g, err := read(t, b.String(), nil); err != nil || g.Products != 1 {
		t.Errorf("%+v, %v", g, err)
	}
	if _, err := read(t, b.String()[:b.Len()-9], nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("one that is cut off: %v", err)
	}
}

func TestWhatIsNoFeedIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	quote := "id,title,price\n1,\"" + strings.Repeat("x\n", 2<<20)
	for name, text := range map[string]string{
		"nothing": "", "blanks": "  \n", "prose": "Dear shop,\nplease find attached\n", "another XML": "<html><body>Not found</body></html>", "XML that breaks off": `<rss><channel><item><g:id>1</g:id>`,
		"a quote that never closes": quote, "an item without end": `<rss><channel><item><title>` + strings.Repeat("x", 4<<20),
		"entities": `<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;">]><rss><channel><item><title>&b;</title></item></channel></rss>`,
	} {
		g, err := read(t, text, nil)
		if kind, _ := fault.Of(err); kind != fault.Invalid && kind != fault.TooLarge {
			t.Errorf("%s: %+v, %v", name, g.Totals, err)
		}
	}
}

func TestAnErrorOfWhoTakesEndsTheReading(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	calls := 0
	_, err := read(t, "id,title,price\n1,a,1\n2,b,1\n", func(o *feed.Options) { o.Put = func(product.Product) error { calls++; return full } })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%v after %d", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := feed.Read(ctx, strings.NewReader("id,title,price\n1,a,1\n"), feed.Options{Source: "s", Currency: "GBP"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(rss)
	f.Add("id\ttitle\tprice\n1\ta\t1 GBP\n")
	f.Add("Handle,Title,Variant Price\na,A,1\n")
	f.Add(`{"id":"1","title":"a","price":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		g, err := read(t, text, nil)
		if err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
			t.Fatal(err)
		}
		for i := range g.products {
			p := &g.products[i]
			if p.ID == "" || p.Title == "" || len(p.Variants) == 0 {
				t.Fatalf("%+v", p)
			}
			if again, err := product.Decode(string(p.Append(nil))); err != nil || again.ID != p.ID {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkRead is how many products of a feed are read a second.
func BenchmarkRead(b *testing.B) {
	var text strings.Builder
	text.WriteString("id\ttitle\tprice\tavailability\tlink\timage_link\tproduct_type\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "%d\tLamp number %d\t12.50 GBP\tin_stock\thttps://shop.example/%d\thttps://shop.example/%d.png\tHome > Lamps\n", i, i, i, i)
	}
	n := int64(0)
	for b.Loop() {
		t, err := feed.Read(b.Context(), strings.NewReader(text.String()), feed.Options{Source: "s"})
		if err != nil {
			b.Fatal(err)
		}
		n += t.Products
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "products/s")
}

package feed_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"rapport/internal/catalogue/feed"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// wide is a text as UTF-16, with its mark.
func wide(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// A letter that cannot be read is refused and never becomes a question mark.
func TestLettersAreReadAsTheFileWasWritten(t *testing.T) {
	t.Parallel()
	const latin = "Wei\xdfe M\xf6bel \x80"
	for name, c := range map[string]struct {
		text     string
		encoding table.Encoding
	}{
		"windows-1252":            {"id,title,price\n1," + latin + ",5\n", table.Windows1252},
		"windows-1252 of Shopify": {"Handle,Title,Variant Price\n1," + latin + ",5\n", table.Windows1252},
		"UTF-16":                  {wide("id\ttitle\tprice\n1\tWeiße Möbel €\t5\n"), table.UTF8},
		"XML in ISO-8859-1":       {`<?xml version="1.0" encoding="ISO-8859-1"?><rss><channel><item><id>1</id><title>` + latin + `</title><price>5</price></item></channel></rss>`, table.Windows1252},
		"XML in UTF-16":           {wide(`<?xml version="1.0" encoding="UTF-16"?><rss><channel><item><id>1</id><title>Weiße Möbel €</title><price>5</price></item></channel></rss>`), table.UTF8},
	} {
		g, err := read(t, c.text, nil)
		if err != nil || len(g.products) != 1 || g.products[0].Title != "Weiße Möbel €" || g.Encoding != c.encoding {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
	}
	said := func(o *feed.Options) { o.Encoding = table.Windows1252 }
	for name, text := range map[string]string{
		"lines of JSON":     `{"id":"1","title":"` + latin + `","price":5}`,
		"XML that does not": `<rss><channel><item><id>1</id><title>` + latin + `</title><price>5</price></item></channel></rss>`,
	} {
		if g, err := read(t, text, said); err != nil || len(g.products) != 1 || g.products[0].Title != "Weiße Möbel €" {
			t.Errorf("%s says so: %+v, %v", name, g, err)
		}
	}
	if g, err := read(t, `{"id":"1","title":"`+latin+`","price":5}`+"\n"+`{"id":"2","title":"Plain","price":5}`, nil); err != nil || g.Refused != 1 || len(g.products) != 1 || !strings.Contains(g.refused[0], `line 1: "1": it is not UTF-8`) {
		t.Errorf("JSON that is not UTF-8: %+v, %v", g, err)
	}
	long := "id,title,price\n" + strings.Repeat("x,Möbel,5\n", 40_000) + "last," + latin + ",5\n"
	if g, err := read(t, long, nil); err != nil || !strings.Contains(g.refused[len(g.refused)-1], `"last": it is not UTF-8`) {
		t.Errorf("a file of two encodings: %+v, %v", g.Totals, err)
	}
	for name, c := range map[string][2]string{
		"XML":              {`<rss><channel><item><id>1</id><title>` + latin + `</title></item></channel></rss>`, "it is not UTF-8"},
		"XML of elsewhere": {`<?xml version="1.0" encoding="KOI8-R"?><rss><channel><item><id>1</id></item></channel></rss>`, `it is written in "KOI8-R"`},
	} {
		_, err := read(t, c[0], nil)
		if kind, why := fault.Of(err); kind != fault.Invalid || !strings.Contains(why, c[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAListInJSONIsRead(t *testing.T) {
	t.Parallel()
	list := "[\n  {\"id\": \"7\", \"title\": \"Lamp\",\n   \"price\": 5},\n  {\"id\": \"8\", \"title\": \"Shade\"},\n  7,\n  {\"id\": \"9\", \"title\": \"Bulb\", \"price\": 3}\n]\n"
	for name, text := range map[string]string{"a list": list, "an object": "{\n\"products\": " + list + ", \"more\": 1}"} {
		g, err := read(t, text, nil)
		if err != nil || g.Format != feed.JSON || len(g.products) != 2 || g.products[1].ID != "9" || g.Refused != 2 || !strings.Contains(g.refused[0], `"8": it has no price`) {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
	}
	for name, text := range map[string]string{"cut off": list[:40], "broken": "[{\"id\": }]", "no list": "{\"products\": {}}", "cut off between": "[{\"id\":\"7\",\"title\":\"Lamp\",\"price\":5},"} {
		o := func(o *feed.Options) { o.Format = feed.JSON }
		if g, err := read(t, text, o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
	}
	if g, err := read(t, "["+strings.Repeat(" ", 1<<20)+`{"id":"`+strings.Repeat("x", 3<<20)+`"}]`, nil); err == nil {
		t.Errorf("a record of 3 MiB: %+v", g.Totals)
	}
}

func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for name, c := range map[string][2]string{
		"an id without end":          {`{"id":"` + long + `","title":"a","price":1}`, "its id is longer than 256 bytes"},
		"a SKU without end":          {`{"id":"1","title":"a","price":1,"sku":"` + long + `"}`, "its SKU is longer than 256 bytes"},
		"a control character":        {`{"id":"1\u0007","title":"a","price":1}`, "holds a control character"},
		"a title of nothing":         {`{"id":"1","title":"\u0001 ","price":1}`, "it has no title"},
		"a barcode as the stock":     {`{"id":"1","title":"a","price":1,"stock":5012345678900}`, "its stock 5012345678900 is more than anybody has"},
		"more than any price":        {`{"id":"1","title":"a","price":99999999999999999999}`, "is not one"},
		"two variants with one id":   {`{"id":"1","title":"a","variants":[{"id":"x","price":1},{"id":"x","price":2}]}`, `two of its variants have the id "x"`},
		"the same product once more": {`{"id":"1","title":"a","price":1}` + "\n" + `{"id":"1","title":"a","price":2}`, "its id came before in the file"},
	} {
		g, err := read(t, c[0], nil)
		if err != nil || len(g.refused) != 1 || !strings.Contains(g.refused[0], c[1]) {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
	}
	g, err := read(t, "Handle,Title,Option1 Value,Variant SKU,Variant Price\nlamp,Lamp,Red,L,5\nlamp,,Blue,L,6\n", nil)
	if err != nil || len(g.products) != 1 || fmt.Sprint(g.products[0].Variants[0].ID, g.products[0].Variants[1].ID) != "Llamp:Blue" {
		t.Errorf("a SKU that two variants have: %+v, %v", g, err)
	}
}

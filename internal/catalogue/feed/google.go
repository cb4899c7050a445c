package feed

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// item is an entry of a Google Merchant feed, by the names of its fields in small
// letters, with _ for blanks and without the g: of XML. Of a field that comes
// several times all values are kept.
type item map[string][]string

func (i item) text(names ...string) string {
	for _, n := range names {
		for _, v := range i[n] {
			if v = strings.TrimSpace(v); v != "" {
				return v
			}
		}
	}
	return ""
}

// offer makes a product of an item. Each item is a product of its own with one
// variant, and item_group_id joins them: an item is what Google's pages and a shop's
// events name, and items of one group need not stand together.
func (r *reader) offer(it item, line int64) error {
	id := it.text("id")
	if id == "" {
		return r.refuse(line, "", "it has no id")
	}
	title := it.text("title")
	if title == "" {
		return r.refuse(line, id, "it has no title")
	}
	v := product.Variant{ID: id, SKU: it.text("sku"), GTIN: it.text("gtin"), URL: clip(it.text("link"), maxText)}
	var why string
	if v.Price, v.Currency, why = r.price(it.text("price")); why != "" {
		return r.refuse(line, id, why)
	}
	if sale := it.text("sale_price"); sale != "" {
		m, currency, why := r.price(sale)
		if why == "" && currency != v.Currency {
			why = "its sale price is in another currency than its price"
		}
		if why == "" {
			v.Sale.On, v.Sale.Price = true, m
			v.Sale.From, v.Sale.To, why = interval(it.text("sale_price_effective_date"))
		}
		if why != "" {
			return r.refuse(line, id, why)
		}
	}
	word := it.text("availability")
	state, ok := product.StateOf(word)
	if !ok && word != "" {
		return r.refuse(line, id, "its availability "+strconv.Quote(clip(word, 40))+" is not in_stock, out_of_stock, preorder or backorder")
	}
	v.State = state
	if q := it.text("quantity", "sell_on_google_quantity", "inventory"); q != "" {
		n, err := strconv.ParseInt(q, 10, 64)
		if err != nil {
			return r.refuse(line, id, "its quantity "+strconv.Quote(clip(q, 40))+" is not a whole number")
		}
		v.Counted, v.Stock = true, n
		if word == "" {
			v.Restate()
		}
	}
	var parts []string
	for _, name := range [...]string{"color", "size", "material", "pattern"} {
		if s := it.text(name); s != "" {
			parts = append(parts, s)
		}
	}
	v.Title = clip(strings.Join(parts, " / "), maxText)
	p := product.Product{
		Ref: product.Ref{ID: id}, Title: title, Brand: it.text("brand"), URL: it.text("link"), Group: clip(it.text("item_group_id"), 256),
		Categories: it.categories(), Variants: []product.Variant{v},
	}
	for _, name := range [...]string{"image_link", "additional_image_link"} {
		for _, value := range it[name] {
			for link := range strings.SplitSeq(value, ",") {
				if link = strings.TrimSpace(link); link != "" {
					p.Images = append(p.Images, link)
				}
			}
		}
	}
	return r.put(line, p)
}

// categories are the shop's own, and Google's where there are none and it is a
// name and no number.
func (i item) categories() []string {
	path := i.text("product_type")
	if path == "" {
		path = i.text("google_product_category")
		if _, err := strconv.Atoi(path); err == nil {
			return nil
		}
	}
	var list []string
	for part := range strings.SplitSeq(path, ">") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// interval reads two instants of ISO 8601 with a slash between.
func interval(s string) (from, to event.Time, why string) {
	if s == "" {
		return 0, 0, ""
	}
	a, b, ok := strings.Cut(s, "/")
	if !ok {
		return 0, 0, "sale_price_effective_date is two instants with a slash between, not " + strconv.Quote(clip(s, 60))
	}
	for _, x := range [...]struct {
		text string
		at   *event.Time
	}{{a, &from}, {b, &to}} {
		text := strings.TrimSpace(x.text)
		for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04-0700", "2006-01-02T15:04:05-0700"} {
			if t, err := time.Parse(layout, text); err == nil {
				*x.at = event.At(t)
			}
		}
		if *x.at == 0 {
			return 0, 0, "sale_price_effective_date: " + strconv.Quote(clip(text, 40)) + " is no instant such as 2026-02-24T11:07+01:00"
		}
	}
	if to <= from {
		return 0, 0, "sale_price_effective_date ends before it begins"
	}
	return from, to, ""
}

// xml reads RSS 2.0 or Atom. Entities that a document defines are not expanded
// (the decoder knows none), and one item is bounded.
func (r *reader) xml(in io.Reader) error {
	bounded := &meter{in: in}
	d := xml.NewDecoder(bounded)
	d.CharsetReader = r.letters
	items := 0
	for {
		bounded.left = maxRecord
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			if items == 0 {
				return fault.New(fault.Invalid, "the file has no <item> and no <entry>: it is no product feed")
			}
			return nil
		}
		if err != nil {
			return unreadable(d, err)
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "item" && start.Name.Local != "entry" {
			continue
		}
		items++
		line, _ := d.InputPos()
		it, err := fieldsOf(d)
		if err != nil {
			return unreadable(d, err)
		}
		if err := r.offer(it, int64(line)); err != nil {
			return err
		}
	}
}

// letters reads an encoding that the declaration of a document names.
func (r *reader) letters(name string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "utf-8", "utf8", "utf-16", "us-ascii", "ascii": // UTF-16 was turned into UTF-8 where the file was opened
		return in, nil
	case "windows-1252", "cp1252", "iso-8859-1", "latin1", "iso8859-1": // browsers read these as one, too
		if r.totals.Encoding == table.Windows1252 {
			return in, nil // it was said, and has been turned
		}
		r.totals.Encoding = table.Windows1252
		return table.FromWindows(in), nil
	}
	return nil, fault.New(fault.Invalid, "it is written in "+strconv.Quote(clip(name, 40))+"; UTF-8, UTF-16 and windows-1252 (ISO-8859-1) can be read")
}

// unreadable says where a document breaks, and how if that helps.
func unreadable(d *xml.Decoder, err error) error {
	line, _ := d.InputPos()
	why := ""
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		why = " (" + clip(syntax.Msg, 200) + ")"
		if syntax.Msg == "invalid UTF-8" {
			why = ": it is not UTF-8; if it comes from an old Windows program, say that its encoding is windows-1252"
		}
	} else if fault.Is(err, fault.Invalid) {
		_, said := fault.Of(err)
		why = ": " + said
	}
	return fault.Wrap(fault.Invalid, err, "the feed cannot be read on at line "+strconv.Itoa(line)+why+"; what was read before stays")
}

// fieldsOf reads the fields of an item to its end. Fields within fields, such as
// shipping, are not kept.
func fieldsOf(d *xml.Decoder) (item, error) {
	it := item{}
	var text strings.Builder
	name, depth := "", 0
	for {
		t, err := d.Token()
		if err != nil {
			return it, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				name = strings.ToLower(t.Name.Local)
				text.Reset()
				for _, a := range t.Attr {
					if name == "link" && a.Name.Local == "href" { // Atom
						text.WriteString(a.Value)
					}
				}
			}
		case xml.CharData:
			if depth == 1 {
				text.Write(t)
			}
		case xml.EndElement:
			if depth == 0 {
				return it, nil
			}
			if depth--; depth == 0 && len(it[name]) < maxList {
				it[name] = append(it[name], text.String())
			}
		}
	}
}

// meter lets so many bytes through between two records.
type meter struct {
	in   io.Reader
	left int
}

// ahead is how much the decoder reads before it needs it.
const ahead = 64 << 10

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= -ahead {
		return 0, fault.New(fault.TooLarge, "a record of more than 1 MiB")
	}
	n, err := m.in.Read(p[:min(len(p), ahead)])
	m.left -= n
	return n, err
}

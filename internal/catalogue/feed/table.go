package feed

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
)

// table reads lines with columns: Google's or Shopify's.
func (r *reader) table(in io.Reader, head []byte) error {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	// A quote that is never closed would take the rest of the file into memory.
	bounded := &meter{in: in, left: maxRecord}
	c := csv.NewReader(bounded)
	c.FieldsPerRecord, c.ReuseRecord, c.LazyQuotes = -1, true, true
	if bytes.Count(first, []byte("\t")) > bytes.Count(first, []byte(",")) {
		c.Comma = '\t'
	}
	names, err := c.Read()
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the line with the names of the columns cannot be read")
	}
	columns := make([]string, len(names))
	for i, n := range names {
		columns[i] = strings.ReplaceAll(strings.TrimSpace(strings.ToLower(n)), " ", "_")
		if r.o.Format == Shopify {
			columns[i] = strings.TrimSpace(strings.ToLower(n))
		}
	}
	var g *group
	for {
		bounded.left = maxRecord
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			if g != nil {
				return r.close(g)
			}
			return nil
		}
		line, _ := c.FieldPos(0)
		if _, ok := errors.AsType[*csv.ParseError](err); ok {
			if err := r.refuse(int64(line), "", "the line is broken: "+err.Error()); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the file cannot be read on after line "+strconv.Itoa(line))
		}
		it := item{}
		for i, v := range record {
			if i < len(columns) && strings.TrimSpace(v) != "" {
				it[columns[i]] = append(it[columns[i]], strings.Clone(v))
			}
		}
		if r.o.Format == Google {
			if err := r.offer(it, int64(line)); err != nil {
				return err
			}
			continue
		}
		if handle := it.text("handle", "url handle"); g == nil || handle != "" && handle != g.p.ID {
			if g != nil {
				if err := r.close(g); err != nil {
					return err
				}
			}
			g = &group{line: int64(line), p: product.Product{Ref: product.Ref{ID: handle}}}
		}
		r.row(g, it)
	}
}

// group is the lines of one product of a Shopify file, which stand together.
type group struct {
	line int64
	p    product.Product
	why  string // it is left out
}

// row adds a line: a variant, a picture, or both. The first line of a product says
// what all have in common.
func (r *reader) row(g *group, it item) {
	p := &g.p
	if t := it.text("title"); t != "" && p.Title == "" {
		p.Title, p.Brand = t, it.text("vendor")
		for part := range strings.SplitSeq(it.text("type", "product category", "google shopping / google product category"), ">") {
			if part = strings.TrimSpace(part); part != "" {
				p.Categories = append(p.Categories, part)
			}
		}
		published, status := strings.ToLower(it.text("published", "published on online store")), strings.ToLower(it.text("status"))
		p.Gone = published == "false" || status == "draft" || status == "archived"
		if r.o.Website != "" {
			p.URL = strings.TrimSuffix(r.o.Website, "/") + "/products/" + p.ID
		}
	}
	if src := it.text("image src", "product image url"); src != "" {
		p.Images = append(p.Images, src)
	}
	price := it.text("variant price", "price")
	if price == "" || g.why != "" {
		return
	}
	v := product.Variant{SKU: it.text("variant sku", "sku"), GTIN: strings.TrimPrefix(it.text("variant barcode", "barcode"), "'"), Image: it.text("variant image", "variant image url"), Oversell: strings.EqualFold(it.text("variant inventory policy", "continue selling when out of stock"), "continue")}
	var options []string
	for n := range 3 {
		value := it.text("option" + strconv.Itoa(n+1) + " value")
		if value != "" && value != "Default Title" {
			options = append(options, value)
		}
	}
	v.Title = strings.Join(options, " / ")
	// A file names no ids: the SKU is one if there is one, else what tells the variant
	// from its siblings.
	if v.ID = v.SKU; v.ID == "" || p.Find(v.ID) != nil {
		v.ID = strings.TrimSuffix(p.ID+":"+v.Title, ":")
	}
	if v.Price, v.Currency, g.why = r.price(price); g.why != "" {
		return
	}
	if compare := it.text("variant compare at price", "compare-at price"); compare != "" {
		m, _, why := r.price(compare)
		if why != "" {
			g.why = why
			return
		}
		if m > v.Price {
			v.Sale = product.Sale{On: true, Price: v.Price}
			v.Price = m
		}
	}
	if q := it.text("variant inventory qty", "inventory quantity"); q != "" && it.text("variant inventory tracker", "inventory tracker") != "" {
		n, err := strconv.ParseInt(q, 10, 64)
		if err != nil {
			g.why = "the stock " + strconv.Quote(clip(q, 40)) + " is not a whole number"
			return
		}
		v.Counted, v.Stock = true, n
		v.Restate()
	}
	if len(p.Variants) == maxVariants {
		g.why = "it has more than " + strconv.Itoa(maxVariants) + " variants"
		return
	}
	p.Variants = append(p.Variants, v)
}

// close puts a product of a Shopify file.
func (r *reader) close(g *group) error {
	switch {
	case g.p.ID == "":
		g.why = "it has no handle"
	case g.why != "":
	case g.p.Title == "":
		g.why = "it has no title"
	case len(g.p.Variants) == 0:
		g.why = "it has no variant with a price"
	}
	if g.why != "" {
		return r.refuse(g.line, g.p.ID, g.why)
	}
	return r.put(g.line, g.p)
}

// record is a product of a file of JSON lines.
type record struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Brand      string   `json:"brand"`
	URL        string   `json:"url"`
	Image      string   `json:"image"`
	Images     []string `json:"images"`
	Categories []string `json:"categories"`
	Category   string   `json:"category"`
	Group      string   `json:"group"`
	Gone       bool     `json:"gone"`
	recordOffer
	Variants []recordVariant `json:"variants"`
}

type recordVariant struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	URL   string `json:"url"`
	Image string `json:"image"`
	recordOffer
}

type recordOffer struct {
	SKU          string      `json:"sku"`
	GTIN         string      `json:"gtin"`
	Currency     string      `json:"currency"`
	Price        json.Number `json:"price"`
	SalePrice    json.Number `json:"sale_price"`
	SaleFrom     string      `json:"sale_from"`
	SaleTo       string      `json:"sale_to"`
	Availability string      `json:"availability"`
	Stock        *int64      `json:"stock"`
}

// jsonLines reads a product a line.
func (r *reader) jsonLines(in io.Reader) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 64<<10), maxRecord)
	line := int64(0)
	for s.Scan() {
		line++
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := r.object(line, "the line", text); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fault.Wrap(fault.Invalid, err, "the file cannot be read on after line "+strconv.FormatInt(line, 10))
	}
	return nil
}

// object takes one product that is written as JSON.
func (r *reader) object(line int64, what string, text []byte) error {
	var rec record
	if err := json.Unmarshal(text, &rec); err != nil {
		return r.refuse(line, rec.ID, what+" is not a product: "+clip(err.Error(), 200))
	}
	if !utf8.Valid(text) {
		return r.refuse(line, rec.ID, notUTF8)
	}
	p, why := r.product(&rec)
	if why != "" {
		return r.refuse(line, rec.ID, why)
	}
	return r.put(line, p)
}

// json reads a list of products, which may stand in an object under "products".
func (r *reader) json(in io.Reader) error {
	lines := &newlines{in: in}
	bounded := &meter{in: lines, left: maxRecord}
	d := json.NewDecoder(bounded)
	broken := func(err error) error {
		return fault.Wrap(fault.Invalid, err, "the file cannot be read on at line "+strconv.FormatInt(lines.at(d.InputOffset()), 10)+" ("+clip(err.Error(), 200)+"); what was read before stays")
	}
	t, err := d.Token()
	if err == nil && t == json.Delim('{') {
		if t, err = d.Token(); err == nil && t == "products" {
			t, err = d.Token()
		}
	}
	switch {
	case err != nil:
		return broken(err)
	case t != json.Delim('['):
		return fault.New(fault.Invalid, "a list of products is expected, or an object that begins with one as \"products\"")
	}
	for d.More() {
		bounded.left = maxRecord
		var text json.RawMessage
		line := lines.at(d.InputOffset())
		if err := d.Decode(&text); err != nil {
			return broken(err)
		}
		if err := r.object(line, "what begins behind this line", text); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return broken(err)
	}
	return nil
}

// newlines notes where lines end in what was read and not asked about yet.
type newlines struct {
	in   io.Reader
	n    int64
	line int64
	ends []int64
}

func (l *newlines) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.n+int64(i))
		}
	}
	l.n += int64(n)
	return n, err
}

// at returns the line in which an offset stands; offsets must not fall.
func (l *newlines) at(offset int64) int64 {
	i := 0
	for i < len(l.ends) && l.ends[i] < offset {
		i++
	}
	l.line, l.ends = l.line+int64(i), l.ends[i:]
	return l.line + 1
}

func (r *reader) product(rec *record) (p product.Product, why string) {
	if rec.ID == "" || rec.Title == "" {
		return p, "a product needs an id and a title"
	}
	p = product.Product{Ref: product.Ref{ID: rec.ID}, Title: rec.Title, Brand: rec.Brand, URL: rec.URL, Images: rec.Images, Categories: rec.Categories, Group: rec.Group, Gone: rec.Gone}
	if rec.Image != "" {
		p.Images = append([]string{rec.Image}, p.Images...)
	}
	if rec.Category != "" && len(p.Categories) == 0 {
		p.Categories = item{"product_type": {rec.Category}}.categories()
	}
	variants := rec.Variants
	if len(variants) == 0 {
		variants = []recordVariant{{ID: rec.ID, recordOffer: rec.recordOffer}}
	}
	if len(variants) > maxVariants {
		return p, "it has more than " + strconv.Itoa(maxVariants) + " variants"
	}
	for i := range variants {
		v, why := r.variant(&variants[i], rec.Currency)
		if why != "" {
			return p, why
		}
		p.Variants = append(p.Variants, v)
	}
	return p, ""
}

func (r *reader) variant(rec *recordVariant, currency string) (v product.Variant, why string) {
	v = product.Variant{ID: rec.ID, SKU: rec.SKU, GTIN: rec.GTIN, Title: rec.Title, URL: rec.URL, Image: rec.Image, Currency: r.o.Currency}
	if v.ID == "" {
		v.ID = v.SKU
	}
	if v.ID == "" {
		return v, "a variant needs an id or a SKU"
	}
	for _, c := range [...]string{currency, rec.Currency} {
		if c != "" {
			parsed, err := money.ParseCurrency(c)
			if err != nil {
				_, why := fault.Of(err)
				return v, why
			}
			v.Currency = parsed
		}
	}
	if v.Currency == "" {
		return v, "the price names no currency: say which one it is"
	}
	for _, x := range [...]struct {
		text json.Number
		into *money.Micros
	}{{rec.Price, &v.Price}, {rec.SalePrice, &v.Sale.Price}} {
		if x.text == "" {
			continue
		}
		m, err := money.Parse(x.text.String())
		if err != nil || m < 0 {
			return v, "the price " + strconv.Quote(clip(x.text.String(), 40)) + " is not one"
		}
		*x.into = m
	}
	if rec.Price == "" {
		return v, "it has no price"
	}
	if v.Sale.On = rec.SalePrice != ""; v.Sale.On && (rec.SaleFrom != "" || rec.SaleTo != "") {
		from, to := rec.SaleFrom, rec.SaleTo
		if from == "" {
			from = event.Time(1).String()
		}
		if to == "" {
			to = "9999-12-31T00:00:00Z"
		}
		if v.Sale.From, v.Sale.To, why = interval(from + "/" + to); why != "" {
			return v, why
		}
	}
	if rec.Availability != "" {
		state, ok := product.StateOf(rec.Availability)
		if !ok {
			return v, "its availability " + strconv.Quote(clip(rec.Availability, 40)) + " is not in_stock, out_of_stock, preorder or backorder"
		}
		v.State = state
	}
	if rec.Stock != nil {
		v.Counted, v.Stock = true, *rec.Stock
		if rec.Availability == "" {
			v.Restate()
		}
	}
	return v, ""
}

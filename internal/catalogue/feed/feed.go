// Package feed reads products from files: Google Merchant feeds (RSS 2.0, Atom,
// tab- or comma-separated), Shopify's products CSV, JSON lines and JSON.
//
// A file is read as a stream, packed or not, in UTF-8, UTF-16 or windows-1252. What
// is wrong with one product leaves out that product, says where it stands and why,
// and goes on. A price is read exactly; one that could mean two things is refused and
// not guessed, and so are letters.
package feed

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// Format is the kind of a file.
type Format string

// The formats.
const (
	Auto      Format = ""        // found out by the beginning of the file
	GoogleXML Format = "xml"     // RSS 2.0 or Atom with the g: names
	Google    Format = "google"  // lines with a tab or a comma between, and Google's names of columns
	Shopify   Format = "shopify" // Shopify's products CSV
	JSONLines Format = "jsonl"   // a product a line, in our own words
	JSON      Format = "json"    // a list of products in our own words, by itself or as "products"
)

// Options say how a file is to be read.
type Options struct {
	Source   string         // of the products
	Currency money.Currency // of prices that name none
	Website  string         // what the addresses of a Shopify file begin with
	Format   Format
	Encoding table.Encoding // of its letters. Default: told by the file
	Now      event.Time     // what the file says is so at this instant

	// Put takes a product. An error ends the reading.
	Put func(product.Product) error
	// Refuse hears of what is left out. An error ends the reading.
	Refuse func(Refusal) error
}

// Refusal is a product that is left out.
type Refusal struct {
	Line   int64  `json:"line"` // at which it begins, or stands; of the unpacked file
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason"`
}

// Error says where and why.
func (r *Refusal) Error() string {
	s := "line " + strconv.FormatInt(r.Line, 10) + ": "
	if r.ID != "" {
		s += strconv.Quote(clip(r.ID, 60)) + ": "
	}
	return s + r.Reason
}

// Totals counts what was read.
type Totals struct {
	Format   Format         `json:"format"`
	Encoding table.Encoding `json:"encoding" doc:"How its letters were read: utf-8 or windows-1252."`
	Products int64          `json:"products"`
	Variants int64          `json:"variants"`
	Refused  int64          `json:"refused"`
}

// Limits.
const (
	// maxRecord is the longest line, and the longest item of XML.
	maxRecord = 1 << 20
	// maxVariants is how many variants one product may have: Shopify's own limit.
	maxVariants = 2048
	// maxText is the longest text of a product that is kept.
	maxText = 2000
	// maxList is how many pictures and categories are kept.
	maxList = 20
	// maxID is the longest id and SKU: what events and pages name.
	maxID = 256
	// maxStock is how many pieces there may be: more is another number that slipped in.
	maxStock = 1_000_000_000
	// maxKnown is of how many products it is remembered that they came already: 100 MB.
	maxKnown = 2_000_000
	// sample is how much of a file is looked at to tell its format.
	sample = 8 << 10
)

// reader is one reading.
type reader struct {
	o      Options
	ctx    context.Context
	totals Totals
	known  map[uint64]struct{} // ids that came
}

// Read reads a file. It returns what it counted even with an error. The error is
// Invalid if the file as a whole cannot be read, and that of Put or Refuse otherwise.
func Read(ctx context.Context, in io.Reader, o Options) (Totals, error) {
	if o.Source == "" {
		return Totals{}, fault.New(fault.Invalid, "the source of the products needs a name")
	}
	if o.Now == 0 {
		o.Now = event.At(time.Now())
	}
	f, err := table.Open(in)
	if err != nil {
		return Totals{}, err
	}
	r := &reader{o: o, ctx: ctx, known: map[uint64]struct{}{}}
	head := f.Sample[:min(len(f.Sample), sample)]
	if r.o.Format == Auto {
		if r.o.Format, err = formatOf(head); err != nil {
			return r.totals, err
		}
	}
	r.totals.Format, r.totals.Encoding = r.o.Format, table.UTF8
	lines := r.o.Format == Google || r.o.Format == Shopify
	var text io.Reader = f.Text
	switch {
	case o.Encoding != "" && o.Encoding != table.UTF8 && o.Encoding != table.Windows1252:
		return r.totals, fault.New(fault.Invalid, "the encoding is utf-8 or windows-1252, not "+strconv.Quote(clip(string(o.Encoding), 40))+"; UTF-16 is told by its first bytes")
	case o.Encoding == table.Windows1252, o.Encoding == "" && lines && f.Encoding == table.Windows1252:
		// What spreadsheets in Western Europe write; JSON and XML say themselves what they are.
		r.totals.Encoding = table.Windows1252
		text = table.FromWindows(text)
	}
	switch r.o.Format {
	case GoogleXML:
		err = r.xml(text)
	case JSONLines:
		err = r.jsonLines(text)
	case JSON:
		err = r.json(text)
	case Google, Shopify:
		err = r.table(text, head)
	default:
		err = fault.New(fault.Invalid, "the format is "+string(GoogleXML)+", "+string(Google)+", "+string(Shopify)+", "+string(JSONLines)+" or "+string(JSON)+", not "+strconv.Quote(string(r.o.Format)))
	}
	return r.totals, err
}

// listKey is how an object begins that holds a list of products.
var listKey = regexp.MustCompile(`^\{\s*"products"\s*:\s*\[`)

// formatOf tells the format by the beginning.
func formatOf(head []byte) (Format, error) {
	text := bytes.TrimLeft(head, " \t\r\n")
	line, _, _ := bytes.Cut(text, []byte("\n"))
	names := strings.ToLower(string(line))
	switch {
	case len(text) == 0:
		return "", fault.New(fault.Invalid, "the file is empty")
	case text[0] == '<':
		return GoogleXML, nil
	case text[0] == '[', listKey.Match(text):
		return JSON, nil
	case text[0] == '{':
		return JSONLines, nil
	case strings.HasPrefix(strings.TrimLeft(names, `"`), "handle") || strings.Contains(names, "variant sku"):
		return Shopify, nil
	case strings.Contains(names, "id") && (strings.Contains(names, "price") || strings.Contains(names, "availability")):
		return Google, nil
	}
	return "", fault.New(fault.Invalid, "the file is neither a Google Merchant feed nor Shopify's products CSV nor JSON; its first line is "+strconv.Quote(clip(string(line), 120)))
}

// put takes a product that was read and begins at a line.
func (r *reader) put(line int64, p product.Product) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if why := r.wrong(&p); why != "" {
		return r.refuse(line, p.ID, why)
	}
	p.Source, p.Updated = r.o.Source, r.o.Now
	p.Title, p.Brand, p.URL = clip(printable(p.Title), maxText), clip(printable(p.Brand), maxText), clip(p.URL, maxText)
	p.Images, p.Categories = p.Images[:min(len(p.Images), maxList)], p.Categories[:min(len(p.Categories), maxList)]
	r.totals.Products++
	r.totals.Variants += int64(len(p.Variants))
	if r.o.Put == nil {
		return nil
	}
	return r.o.Put(p)
}

// wrong says what is wrong with a product, however its file is written.
func (r *reader) wrong(p *product.Product) string {
	if why := badID("id", p.ID); why != "" {
		return why
	}
	if printable(p.Title) == "" {
		return "it has no title"
	}
	for _, text := range append([]string{p.Title, p.Brand, p.URL, p.Group}, p.Categories...) {
		if !utf8.ValidString(text) {
			return notUTF8
		}
	}
	seen := make(map[string]struct{}, len(p.Variants))
	for i := range p.Variants {
		v := &p.Variants[i]
		for _, name := range [...][2]string{{"variant's id", v.ID}, {"SKU", v.SKU}} {
			if why := badID(name[0], name[1]); why != "" {
				return why
			}
		}
		if !utf8.ValidString(v.Title) {
			return notUTF8
		}
		if _, twice := seen[v.ID]; twice {
			return "two of its variants have the id " + strconv.Quote(clip(v.ID, 60))
		}
		seen[v.ID] = struct{}{}
		if v.Stock > maxStock || v.Stock < -maxStock {
			return "its stock " + strconv.FormatInt(v.Stock, 10) + " is more than anybody has: is it another number?"
		}
	}
	// Two prices under one id would be a price drop with each feed.
	key := wire.Hash("product", p.ID)
	if _, again := r.known[key]; again {
		return "its id came before in the file, and that one counts"
	}
	if len(r.known) < maxKnown {
		r.known[key] = struct{}{}
	}
	return ""
}

// notUTF8 is what is said of letters that cannot be read.
const notUTF8 = "it is not UTF-8; if the file comes from an old Windows program, say that its encoding is windows-1252"

// badID says what is wrong with an id or SKU.
func badID(what, id string) string {
	switch {
	case len(id) > maxID:
		return "its " + what + " is longer than " + strconv.Itoa(maxID) + " bytes"
	case !utf8.ValidString(id):
		return notUTF8
	case strings.ContainsFunc(id, unicode.IsControl):
		return "its " + what + " " + strconv.Quote(clip(id, 60)) + " holds a control character"
	}
	return ""
}

// printable is a text without the control characters that spreadsheets leave in one.
func printable(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return strings.TrimSpace(s)
	}
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c):
			return -1
		}
		return c
	}, s))
}

// refuse leaves a product out.
func (r *reader) refuse(line int64, id, why string) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	r.totals.Refused++
	if r.o.Refuse == nil {
		return nil
	}
	return r.o.Refuse(Refusal{Line: line, ID: id, Reason: why})
}

// price reads "12.50 GBP", "GBP 12.50", "12.50" or "12,50 EUR". With two marks the
// last stands before the places; one comma before three digits could be either
// and is refused, and so is a currency that no code tells.
func (r *reader) price(text string) (m money.Micros, currency money.Currency, why string) {
	currency = r.o.Currency
	text = strings.TrimSpace(strings.ReplaceAll(text, "\u00a0", " "))
	if text == "" {
		return 0, "", "it has no price"
	}
	for _, cut := range [...]func(string) (string, string, bool){cutFirst, cutLast} {
		if code, rest, ok := cut(text); ok {
			c, err := money.ParseCurrency(code)
			if err != nil {
				return 0, "", "the price " + strconv.Quote(clip(text, 40)) + " has no currency that is a code such as GBP"
			}
			currency, text = c, strings.TrimSpace(rest)
			break
		}
	}
	if currency == "" {
		return 0, "", "the price " + strconv.Quote(clip(text, 40)) + " names no currency: say which one it is"
	}
	comma, dot := strings.LastIndexByte(text, ','), strings.LastIndexByte(text, '.')
	switch {
	case comma >= 0 && dot > comma: // 1,234.50
		text = strings.ReplaceAll(text, ",", "")
	case comma >= 0 && dot >= 0: // 1.234,50
		text = strings.ReplaceAll(strings.ReplaceAll(text, ".", ""), ",", ".")
	case strings.Count(text, ",") > 1: // 1,234,567
		text = strings.ReplaceAll(text, ",", "")
	case comma >= 0 && len(text)-comma-1 == 3:
		return 0, "", "the price " + strconv.Quote(clip(text, 40)) + " can be read in two ways: write it with a point before the places"
	case comma >= 0:
		text = strings.Replace(text, ",", ".", 1)
	}
	m, err := money.Parse(text)
	if err != nil {
		_, why := fault.Of(err)
		return 0, "", "the price: " + why
	}
	if m < 0 {
		return 0, "", "the price is below zero"
	}
	return m, currency, ""
}

// cutFirst and cutLast part the letters at one end of a price from the rest.
func cutFirst(s string) (code, rest string, ok bool) {
	i := strings.IndexAny(s, "0123456789.-,")
	if i <= 0 {
		return "", "", false
	}
	return strings.TrimSpace(s[:i]), s[i:], true
}

func cutLast(s string) (code, rest string, ok bool) {
	i := strings.LastIndexAny(s, "0123456789.,")
	if i < 0 || i == len(s)-1 {
		return "", "", false
	}
	return strings.TrimSpace(s[i+1:]), s[:i+1], true
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

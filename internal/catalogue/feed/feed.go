// Package feed reads products from files: Google Merchant feeds (RSS 2.0, Atom,
// tab- or comma-separated), Shopify's products CSV, and JSON lines.
//
// A file is read as a stream, packed with gzip or not. What is wrong with one
// product leaves out that product, says where it stands and why, and goes on. A
// price is read exactly; one that could mean two things is refused and not guessed.
package feed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
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
)

// Options say how a file is to be read.
type Options struct {
	Source   string         // of the products
	Currency money.Currency // of prices that name none
	Website  string         // what the addresses of a Shopify file begin with
	Format   Format
	Now      event.Time // what the file says is so at this instant

	// Put takes a product. An error ends the reading.
	Put func(product.Product) error
	// Refuse hears of what is left out. An error ends the reading.
	Refuse func(Refusal) error
}

// Refusal is a product that is left out.
type Refusal struct {
	Line   int64 // at which it begins, or stands; of the unpacked file
	ID     string
	Reason string
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
	Format   Format `json:"format"`
	Products int64  `json:"products"`
	Variants int64  `json:"variants"`
	Refused  int64  `json:"refused"`
}

// Limits.
const (
	// maxUnpacked is how much a packed file may become: a feed of ten million products
	// has 10 GB, and a bomb has more.
	maxUnpacked = 20 << 30
	// maxRecord is the longest line, and the longest item of XML.
	maxRecord = 1 << 20
	// maxVariants is how many variants one product may have: Shopify's own limit.
	maxVariants = 2048
	// maxText is the longest text of a product that is kept.
	maxText = 2000
	// maxList is how many pictures and categories are kept.
	maxList = 20
	// sample is how much of a file is looked at to tell its format.
	sample = 8 << 10
)

// reader is one reading.
type reader struct {
	o      Options
	ctx    context.Context
	totals Totals
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
	b := bufio.NewReaderSize(in, 64<<10)
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return Totals{}, fault.Wrap(fault.Invalid, err, "the file begins like gzip and cannot be unpacked")
		}
		defer z.Close()
		b = bufio.NewReaderSize(io.LimitReader(z, maxUnpacked), 64<<10)
	}
	if head, _ := b.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		_, _ = b.Discard(3) // they were there just now
	}
	r := &reader{o: o, ctx: ctx}
	head, err := b.Peek(sample)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return r.totals, fault.Wrap(fault.Invalid, err, "the file cannot be read")
	}
	if r.o.Format == Auto {
		if r.o.Format, err = formatOf(head); err != nil {
			return r.totals, err
		}
	}
	r.totals.Format = r.o.Format
	switch r.o.Format {
	case GoogleXML:
		err = r.xml(b)
	case JSONLines:
		err = r.jsonLines(b)
	case Google, Shopify:
		err = r.table(b, head)
	default:
		err = fault.New(fault.Invalid, "the format is "+string(GoogleXML)+", "+string(Google)+", "+string(Shopify)+" or "+string(JSONLines)+", not "+strconv.Quote(string(r.o.Format)))
	}
	return r.totals, err
}

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
	case text[0] == '{':
		return JSONLines, nil
	case strings.HasPrefix(strings.TrimLeft(names, `"`), "handle") || strings.Contains(names, "variant sku"):
		return Shopify, nil
	case strings.Contains(names, "id") && (strings.Contains(names, "price") || strings.Contains(names, "availability")):
		return Google, nil
	}
	return "", fault.New(fault.Invalid, "the file is neither a Google Merchant feed nor Shopify's products CSV nor JSON lines; its first line is "+strconv.Quote(clip(string(line), 120)))
}

// put takes a product that was read.
func (r *reader) put(p product.Product) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	p.Source, p.Updated = r.o.Source, r.o.Now
	p.Title, p.Brand, p.URL = clip(p.Title, maxText), clip(p.Brand, maxText), clip(p.URL, maxText)
	p.Images, p.Categories = p.Images[:min(len(p.Images), maxList)], p.Categories[:min(len(p.Categories), maxList)]
	r.totals.Products++
	r.totals.Variants += int64(len(p.Variants))
	if r.o.Put == nil {
		return nil
	}
	return r.o.Put(p)
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

// Package retail holds the Online Retail year: every order line of a UK gift
// shop from December 2010 to December 2011, complete and unchanged.
//
// The file is embedded, so whoever has the program has the data. [Rows] reads it
// line by line in the order of the file, [Invoices] puts the lines of one number
// together, and [Tally] counts what others have published about it, so that the
// reader itself can be checked. Money is exact. SOURCE.md says where the data
// comes from, who gave it and under which licence.
package retail

import (
	"bytes"
	_ "embed" // the data
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// Attribution names the source. It is shown wherever the data is.
const Attribution = "UCI Online Retail, Dr. Daqing Chen, doi 10.24432/C5BW33"

// Currency is the currency of every price in the file.
const Currency money.Currency = "GBP"

//go:embed online_retail.csv.zst
var packed []byte

// Row is one line of the file: one stock code on one invoice.
type Row struct {
	Invoice     string // six digits; with C in front a return, with A a book entry
	SKU         string // the stock code as written
	Description string // as written; empty on 1,454 rows
	Quantity    int64  // pieces; below zero on returns and stock corrections
	At          event.Time
	Price       money.Micros // pounds for one piece
	Customer    string       // five digits; empty: unknown
	Country     string       // as written, such as "EIRE"
}

// Net returns quantity × price, which is below zero on a return.
func (r Row) Net() money.Micros { return r.Price * money.Micros(r.Quantity) } // cannot overflow: see maxQuantity and maxPrice

// Returned reports whether the row belongs to a return: its number begins with C.
func (r Row) Returned() bool { return returned(r.Invoice) }

// Clean reports whether the row belongs to the part of the file that published
// figures are about: the customer is known, it is not a return, and quantity and
// price are above zero.
func (r Row) Clean() bool {
	return r.Customer != "" && !r.Returned() && r.Quantity > 0 && r.Price > 0
}

func returned(invoice string) bool { return invoice != "" && invoice[0] == 'C' }

// Quantities and prices beyond these are not of this file (its greatest are
// 80,995 and 38,970), and below them quantity × price always fits.
const (
	maxQuantity = 1_000_000
	maxPrice    = 1_000_000 * money.One
)

// CSV returns the file as plain CSV. The caller closes it.
func CSV() (io.ReadCloser, error) {
	// One goroutine less matters more on a small machine than decoding ahead.
	d, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "the embedded order file cannot be opened; build the program again from a fresh clone")
	}
	return d.IOReadCloser(), nil
}

// Rows calls yield for each row, in the order of the file, until it returns
// false. The error is Corrupt and names the line if the embedded file is not
// what was packed.
func Rows(yield func(Row) bool) error {
	r, err := CSV()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // a decoder over memory has nothing to fail at
	return Read(r, yield)
}

// header is the first line of the file. Other columns would be another file.
const header = `"InvoiceNo","StockCode","Description","Quantity","InvoiceDate","UnitPrice","CustomerID","Country"`

// Read does the work of [Rows] for any reader of the same CSV: one line a row,
// texts in double quotes. A row that it cannot understand is Corrupt, with its line.
func Read(r io.Reader, yield func(Row) bool) error {
	lines := newLines(r)
	p := parser{seen: make(map[string]string, 16<<10)}
	for n := 1; ; n++ {
		line, err := lines.next()
		switch {
		case errors.Is(err, io.EOF) && n > 1:
			return nil
		case errors.Is(err, io.EOF):
			return fault.New(fault.Corrupt, "the order file is empty")
		case err != nil:
			return fault.Wrap(fault.Corrupt, err, "the order file cannot be read at line "+strconv.Itoa(n))
		case n == 1:
			if string(line) != header {
				return fault.New(fault.Corrupt, "line 1 of the order file does not name the eight columns of Online Retail")
			}
			continue
		}
		row, why := p.row(line)
		if why != "" {
			return fault.New(fault.Corrupt, "line "+strconv.Itoa(n)+" of the order file: "+why)
		}
		if !yield(row) {
			return nil
		}
	}
}

// parser turns lines into rows. The file repeats its texts hundreds of times, so
// each is kept once, and time and number are usually those of the line before.
type parser struct {
	seen    map[string]string
	fields  [8][]byte
	invoice string
	minute  []byte
	at      event.Time
}

// row returns the row of a line, or why there is none.
func (p *parser) row(line []byte) (row Row, why string) {
	if !p.split(line) {
		return Row{}, "eight columns are expected, texts in double quotes"
	}
	f := &p.fields
	if string(f[0]) != p.invoice {
		p.invoice = string(f[0])
	}
	if p.invoice == "" || len(f[1]) == 0 {
		return Row{}, "an invoice number and a stock code are expected"
	}
	quantity, err := strconv.ParseInt(string(f[3]), 10, 64)
	if err != nil || quantity > maxQuantity || quantity < -maxQuantity {
		return Row{}, "the quantity must be a whole number of at most " + strconv.Itoa(maxQuantity)
	}
	if !bytes.Equal(f[4], p.minute) {
		t, err := time.Parse(time.DateTime, string(f[4]))
		if err != nil {
			return Row{}, "the time must look like 2010-12-01 08:26:00"
		}
		p.at, p.minute = event.At(t), append(p.minute[:0], f[4]...)
	}
	price, err := money.Parse(string(f[5]))
	if err != nil || price > maxPrice || price < -maxPrice {
		return Row{}, "the price must be a sum of money of at most " + maxPrice.String()
	}
	return Row{
		Invoice: p.invoice, SKU: p.text(f[1]), Description: p.text(f[2]), Quantity: quantity,
		At: p.at, Price: price, Customer: p.text(f[6]), Country: p.text(f[7]),
	}, ""
}

// text returns b as a string, the same one for the same bytes.
func (p *parser) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	s, ok := p.seen[string(b)]
	if !ok {
		s = string(b)
		p.seen[s] = s
	}
	return s
}

// split cuts a line into its eight columns. It changes the line where a quote is
// written twice.
func (p *parser) split(line []byte) bool {
	for i := range p.fields {
		if i > 0 {
			if len(line) == 0 || line[0] != ',' {
				return false
			}
			line = line[1:]
		}
		if len(line) == 0 || line[0] != '"' {
			end := bytes.IndexByte(line, ',')
			if end < 0 {
				end = len(line)
			}
			p.fields[i], line = line[:end], line[end:]
			continue
		}
		line = line[1:]
		end := bytes.IndexByte(line, '"')
		if end >= 0 && end+1 < len(line) && line[end+1] == '"' {
			end = undouble(&line)
		}
		if end < 0 {
			return false
		}
		p.fields[i], line = line[:end], line[end+1:]
	}
	return len(line) == 0
}

// undouble writes "" as " up to the quote that closes, in place, and returns
// where that one then stands; −1 if there is none.
func undouble(line *[]byte) int {
	b := *line
	w := 0
	for i := 0; i < len(b); i++ {
		if b[i] == '"' {
			if i+1 == len(b) || b[i+1] != '"' {
				*line = append(b[:w], b[i:]...)
				return w
			}
			i++
		}
		b[w] = b[i]
		w++
	}
	return -1
}

// lines cuts a stream into lines without their ends.
type lines struct {
	r          io.Reader
	buf        []byte
	start, end int
	err        error
}

// maxLine bounds a line, in bytes; the longest of the file has 114.
const maxLine = 64 << 10

func newLines(r io.Reader) *lines { return &lines{r: r, buf: make([]byte, 4*maxLine)} }

// next returns the next line, which is valid until the call after. At the end it
// returns io.EOF.
func (l *lines) next() ([]byte, error) {
	for searched := l.start; ; {
		if i := bytes.IndexByte(l.buf[searched:l.end], '\n'); i >= 0 {
			line := l.buf[l.start : searched+i]
			l.start = searched + i + 1
			return bytes.TrimSuffix(line, []byte{'\r'}), nil
		}
		if l.err != nil {
			line := l.buf[l.start:l.end]
			l.start = l.end
			if len(line) > 0 && errors.Is(l.err, io.EOF) {
				return line, nil
			}
			return nil, l.err
		}
		if l.end-l.start > maxLine {
			return nil, errors.New("a line has more than " + strconv.Itoa(maxLine) + " bytes")
		}
		if l.start > 0 {
			copy(l.buf, l.buf[l.start:l.end])
			l.start, l.end = 0, l.end-l.start
		}
		searched = l.end
		n, err := l.r.Read(l.buf[l.end:])
		l.end, l.err = l.end+n, err
	}
}

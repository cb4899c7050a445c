package csv

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
	"rapport/internal/sources/table"
)

// How far lines of one order may lie apart. Orders wait until one of these is
// reached, so together they bound the memory of an import to some tens of
// megabytes, whatever the file.
const (
	maxOpen      = 1000     // orders
	maxOpenLines = 50_000   // lines of all of them
	maxOpenBytes = 32 << 20 // bytes of these lines
)

// maxRemembered is how many order numbers are remembered after their order has
// gone, so that a late line is told from a new order. It takes some 150 MB, and
// only for a file that has so many.
const maxRemembered = 8_000_000

// maxPeople is how many customers are told apart in the totals.
const maxPeople = 4_000_000

// A batch is what is appended at once: a few milliseconds of the disk.
const (
	batchEvents = 256
	batchLines  = 8192
)

// earliest is the first instant that is believed: before it a date is a misread
// number.
var earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// order is an order in the making.
type order struct {
	number   string
	hash     uint64
	line     int64 // of its first line
	offset   int64
	at       time.Time // the earliest of its lines
	currency money.Currency
	text     [numFields]string // of the order as a whole: customer, address …
	items    []item
	raw      []byte // the lines, for a report if one of them is refused
	bad      int64  // the line with an error: the whole order is left out; 0: none
	reason   string
}

// item is one line of an order.
type item struct {
	line                int64
	raw                 int // where its text ends in the order's raw
	sku, name, category string
	quantity            int64
	price               money.Micros
	priced              bool // the price of one piece is known
	net                 money.Micros
}

// run is one import.
type run struct {
	o      *Options
	rows   table.Rows
	m      Mapping
	setup  uint64
	clock  table.Dates
	totals Totals

	open     map[string]*order
	queue    []*order // by first line; those before head are gone
	head     int
	lines    int
	bytes    int
	last     *order // of the line before
	gone     *set   // hashes of the numbers of orders that have left
	people   *set
	seen     map[string]string
	broken   int64 // the line before this one could not be split: it may be of the order around it
	brokenOf *order

	batch   []event.Event
	pending int // lines in batch
	point   Checkpoint
	sent    chan parcel
	failed  chan error
}

// parcel is a batch with what is durable once it is.
type parcel struct {
	events []event.Event
	then   Progress
}

func newRun(o *Options, m Mapping, setup uint64) *run {
	return &run{
		o: o, m: m, setup: setup, clock: table.Dates{Zone: o.Zone, Order: o.Dates}, open: map[string]*order{}, gone: newSet(maxRemembered),
		people: newSet(maxPeople), seen: map[string]string{}, totals: Totals{Sums: Sums{}}, point: Checkpoint{Setup: setup},
	}
}

// run reads to the end. Appending runs beside reading, one batch after the other.
func (r *run) run(ctx context.Context, s table.Rows) (Totals, error) {
	r.rows = s
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r.sent, r.failed = make(chan parcel, 2), make(chan error, 1)
	go func() { r.failed <- r.append(ctx, stop) }()
	err := r.read(ctx, s)
	if err == nil {
		err = r.end(ctx)
	}
	close(r.sent)
	// What failed first ended the rest by ending ctx.
	if appended := <-r.failed; appended != nil {
		err = appended
	}
	return r.totals, err
}

// append sends batches as they come.
func (r *run) append(ctx context.Context, stop context.CancelFunc) error {
	for p := range r.sent {
		if len(p.events) > 0 {
			if err := r.o.Append(ctx, p.events); err != nil {
				stop()
				return err
			}
		}
		if r.o.Progress != nil {
			if err := r.o.Progress(p.then); err != nil {
				stop()
				return err
			}
		}
	}
	return nil
}

func (r *run) read(ctx context.Context, s table.Rows) error {
	for {
		rec, err := s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return table.Unreadable(err, s.Line())
		}
		r.totals.Rows++
		if rec.Why == "" && len(rec.Fields) != len(r.m.header) {
			rec.Why = "it has " + strconv.Itoa(len(rec.Fields)) + " columns, and the first line names " + strconv.Itoa(len(r.m.header))
		}
		if rec.Why == "" && bytes.IndexByte(rec.Raw, 0) >= 0 {
			rec.Why = "it holds a NUL byte: the file is damaged or no text"
		}
		if rec.Why != "" {
			// It may have been a line of the order around it, which then is incomplete.
			r.broken, r.brokenOf = rec.Line, r.last
			if err := r.refuse(&rec, "", rec.Why); err != nil {
				return err
			}
			continue
		}
		if err := r.take(&rec); err != nil {
			return err
		}
		for len(r.open) > maxOpen || r.lines > maxOpenLines || r.bytes > maxOpenBytes {
			if err := r.close(ctx); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (r *run) refuse(rec *table.Record, column, reason string) error {
	r.totals.Refused++
	if r.o.Refuse == nil {
		return nil
	}
	return r.o.Refuse(Refusal{Line: rec.Line, Column: column, Reason: reason, Raw: rec.Raw[:min(len(rec.Raw), table.MaxKept)], Fields: rec.Fields})
}

// field returns the text of a field of the record; empty if the file has none.
func (r *run) field(rec *table.Record, f Field) ([]byte, string) {
	i := r.m.column[f]
	if i < 0 {
		return nil, ""
	}
	return table.Cell(rec.Fields[i], r.o.Encoding)
}

// take puts one line to its order.
func (r *run) take(rec *table.Record) error {
	number, why := r.field(rec, Order)
	switch {
	case why != "":
		return r.refuse(rec, r.m.Column(Order), why)
	case len(number) == 0:
		return r.refuse(rec, r.m.Column(Order), "the line has no order number")
	case len(number) > identity.MaxValue:
		return r.refuse(rec, r.m.Column(Order), "an order number has at most "+strconv.Itoa(identity.MaxValue)+" bytes")
	}
	o := r.last
	if o == nil || o.number != string(number) || r.open[o.number] != o {
		if o = r.open[string(number)]; o == nil {
			h := wire.Hash(string(number))
			if r.gone.has(h) {
				return r.refuse(rec, "", "order "+strconv.Quote(table.Clip(string(number), 60))+" was imported without this line, which stands too far from the others: sort the file by order")
			}
			o = &order{number: string(number), hash: h, line: rec.Line, offset: rec.Offset}
			r.open[o.number] = o
			r.queue = append(r.queue, o)
		}
	}
	if r.broken != 0 && r.brokenOf == o && o.bad == 0 {
		if err := r.spoil(o, r.broken, "it cannot be read"); err != nil {
			return err
		}
	}
	r.broken, r.brokenOf = 0, nil
	r.last = o
	column, why := Field(numFields), "an order has at most "+strconv.Itoa(event.MaxLines)+" lines"
	if len(o.items) < event.MaxLines {
		column, why = r.line(o, rec)
	}
	if why == "" && o.bad == 0 {
		return nil
	}
	if why != "" {
		name := ""
		if column < numFields {
			name = r.m.Column(column)
		}
		if err := r.refuse(rec, name, why); err != nil {
			return err
		}
		if o.bad == 0 {
			return r.spoil(o, rec.Line, why)
		}
		return nil
	}
	return r.refuse(rec, "", o.leftOut())
}

// leftOut says of a line in order why it is refused.
func (o *order) leftOut() string {
	return "order " + strconv.Quote(table.Clip(o.number, 60)) + " is left out because of line " + strconv.FormatInt(o.bad, 10) + " (" + o.reason + "): no order is imported in part"
}

// spoil leaves an order out and reports the lines that it has so far.
func (r *run) spoil(o *order, line int64, why string) error {
	o.bad, o.reason = line, table.Clip(why, 200)
	from := 0
	for i := range o.items {
		it := &o.items[i]
		raw := o.raw[from:it.raw]
		from = it.raw
		rec := table.Record{Line: it.line, Raw: raw, Fields: r.rows.Split(raw)}
		if err := r.refuse(&rec, "", o.leftOut()); err != nil {
			return err
		}
	}
	r.lines -= len(o.items)
	r.bytes -= len(o.raw)
	o.items, o.raw = nil, nil
	return nil
}

// line reads what a line says and adds it to the order. Without a reason the order
// has it; with one the order is as before, and the field is where the fault is.
func (r *run) line(o *order, rec *table.Record) (Field, string) {
	var it item
	at, f, why := r.date(rec)
	if why != "" {
		return f, why
	}
	if f, why := r.numbers(rec, &it); why != "" {
		return f, why
	}
	for _, f := range []Field{SKU, Name, Category} {
		b, why := r.field(rec, f)
		if why != "" {
			return f, why
		}
		switch f {
		case SKU:
			if len(b) > maxSKU {
				return f, "a stock code has at most " + strconv.Itoa(maxSKU) + " bytes"
			}
			it.sku = r.text(b)
		case Name:
			it.name = r.text(b)
		case Category:
			it.category = r.text(b)
		}
	}
	if f, why := r.whole(o, rec); why != "" {
		return f, why
	}
	if o.bad != 0 {
		return numFields, ""
	}
	if len(o.items) == 0 || at.Before(o.at) {
		o.at = at
	}
	it.line = rec.Line
	o.raw = append(o.raw, rec.Raw...)
	it.raw = len(o.raw)
	o.items = append(o.items, it)
	r.lines++
	r.bytes += len(rec.Raw)
	return numFields, ""
}

// maxSKU is the longest stock code that a profile remembers.
const maxSKU = 128

func (r *run) date(rec *table.Record) (time.Time, Field, string) {
	b, why := r.field(rec, Date)
	if why != "" {
		return time.Time{}, Date, why
	}
	if len(b) == 0 {
		return time.Time{}, Date, "the date is missing"
	}
	t, why := r.clock.Parse(b)
	switch {
	case why != "":
		return t, Date, strconv.Quote(table.Clip(string(b), 40)) + ": " + why
	case t.Before(earliest):
		return t, Date, "the date lies before 1980"
	case event.At(t) > r.o.Now.Add(24*time.Hour):
		return t, Date, "the date lies in the future"
	}
	return t, Date, ""
}

func (r *run) numbers(rec *table.Record, it *item) (Field, string) {
	it.quantity = 1000
	q, why := r.field(rec, Quantity)
	if why == "" && len(q) > 0 {
		it.quantity, why = table.Pieces(q, r.o.Decimal)
	}
	if why != "" {
		return Quantity, why
	}
	if r.m.column[Price] >= 0 {
		b, why := r.field(rec, Price)
		if why == "" && len(b) == 0 {
			why = "the price is missing"
		}
		if why == "" {
			it.price, why = table.Sum(b, r.o.Decimal)
		}
		if why != "" {
			return Price, why
		}
		net, err := it.price.Times(it.quantity)
		if it.net = net / 1000; err != nil || it.net > table.MaxSum || it.net < -table.MaxSum {
			return Price, "quantity and price come to more than a thousand million"
		}
		it.priced = true
		return 0, ""
	}
	b, why := r.field(rec, Amount)
	if why == "" && len(b) == 0 {
		why = "the amount is missing"
	}
	if why == "" {
		it.net, why = table.Sum(b, r.o.Decimal)
	}
	if why != "" {
		return Amount, why
	}
	if it.quantity != 0 && (it.net*1000)%money.Micros(it.quantity) == 0 {
		it.price, it.priced = it.net*1000/money.Micros(it.quantity), true
	}
	return 0, ""
}

// whole reads what is about the order and not the line. Who bought and in what
// currency cannot differ between the lines of one order; of the rest the first
// word counts.
func (r *run) whole(o *order, rec *table.Record) (Field, string) {
	for f := Customer; f < numFields; f++ {
		b, why := r.field(rec, f)
		if why != "" {
			return f, why
		}
		if len(b) == 0 {
			continue
		}
		if have := o.text[f]; have != "" {
			if have != string(b) && (f <= Phone || f == Currency) {
				return f, "line " + strconv.FormatInt(o.line, 10) + " of the same order says " + strconv.Quote(table.Clip(have, 60)) + ", this one " + strconv.Quote(table.Clip(string(b), 60))
			}
			continue
		}
		text := r.text(b)
		switch f {
		case Customer:
			if len(text) > identity.MaxValue {
				return f, "a customer number has at most " + strconv.Itoa(identity.MaxValue) + " bytes"
			}
		case Email:
			if _, ok := identity.Normal(identity.Email, text); !ok {
				return f, strconv.Quote(table.Clip(text, 60)) + " is no e-mail address"
			}
		case Currency:
			c, err := money.ParseCurrency(text)
			if err != nil {
				return f, "a currency is three letters such as GBP, not " + strconv.Quote(table.Clip(text, 40))
			}
			o.currency = c
		}
		o.text[f] = text
	}
	return 0, ""
}

// maxTexts is how many different texts are kept once; then the book begins anew.
const maxTexts = 100_000

// text returns b as a string, the same one for the same bytes: files repeat
// their texts thousands of times.
func (r *run) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	s, ok := r.seen[string(b)]
	if !ok {
		if len(r.seen) >= maxTexts {
			clear(r.seen)
		}
		s = string(b)
		r.seen[s] = s
	}
	return s
}

package csv

import (
	"context"
	"io"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// Options say how a file is to be read and where its orders go. Only Source is
// required.
type Options struct {
	// Source names where the orders come from. It is part of every message id: a
	// file imported under another name counts again. Small letters, digits, - and _.
	Source string
	// Map maps columns to fields ("InvoiceNo" → "order"), or to "-" for nothing.
	// What it leaves out is guessed from the names.
	Map map[string]string
	// Currency is that of every order without one of its own. Default: that of the
	// shop that reads it.
	Currency money.Currency
	// Zone is that of dates without an offset. Default: UTC.
	Zone *time.Location
	// Dates says whether days or months come first. Default: found out.
	Dates DateOrder
	// Decimal is the mark before decimal places, '.' or ','. Default: '.'.
	Decimal byte
	// Delimiter stands between columns. Default: found out.
	Delimiter byte
	// Encoding is how letters are written. Default: found out.
	Encoding Encoding
	// ReturnsPrefix begins the numbers of returns, such as "C". Default: none;
	// quantities below zero are returns with or without it.
	ReturnsPrefix string
	// Now is the present: an order more than a day later has a wrong date. Default:
	// time.Now.
	Now event.Time

	// Import is the id of the import, by which it can be undone. Default: none.
	Import string
	// Live says that the orders happen now and may trigger messages. Default: they
	// are history, and never do.
	Live bool

	// Append makes the events durable. Nil: a dry run.
	Append func(ctx context.Context, events []event.Event) error
	// Erased reports whether an event would be about somebody who was erased. The
	// lines of such an order are refused, with the word erased. Default: nobody was.
	Erased func(e *event.Event) bool
	// Columns hears how the columns were understood, before the first line is read.
	// An error ends the import.
	Columns func(Mapping) error
	// Refuse hears of each line that is not imported. An error ends the import.
	Refuse func(Refusal) error
	// Progress hears from time to time how far the import is, with what is durable.
	// An error ends the import.
	Progress func(Progress) error
	// After is the progress of an import of the same file that was cut short: orders
	// that were durable then are read again, and not sent again.
	After Checkpoint
}

// What a table is made of, in the words of those who import orders.
type (
	// Refusal is a line that is not imported.
	Refusal = table.Refusal
	// Report writes refused lines so that they can be corrected and imported.
	Report = table.Report
	// DateOrder says in which order a file writes day and month.
	DateOrder = table.DateOrder
	// Encoding is how the letters of a file are written.
	Encoding = table.Encoding
)

// The orders of dates, and the encodings.
const (
	AnyOrder    = table.AnyOrder
	DayFirst    = table.DayFirst
	MonthFirst  = table.MonthFirst
	UTF8        = table.UTF8
	Windows1252 = table.Windows1252
)

// NewReport begins a report of refused lines on w.
func NewReport(w io.Writer, m Mapping) (*table.Report, error) { return table.NewReport(w, m.Header()) }

// Progress is how far an import is.
type Progress struct {
	Totals     Totals     // of everything read
	Checkpoint Checkpoint // of what is durable
}

// Checkpoint is a place in a file before which every order is durable.
type Checkpoint struct {
	Offset int64  `json:"offset"` // bytes of the unpacked file: orders whose first line begins before it
	Orders int64  `json:"orders"` // how many these are
	Chain  uint64 `json:"chain"`  // hash of their numbers and dates, to tell another file
	Setup  uint64 `json:"setup"`  // hash of how the file was read
	Done   bool   `json:"done"`   // the file was read to its end
}

// maxSource is the longest name of a source: it stands in every message id, of
// which there are 100 bytes.
const maxSource = 32

func (o *Options) check() error {
	bad := func(why string) error { return fault.New(fault.Invalid, why) }
	if o.Source == "" || len(o.Source) > maxSource {
		return bad("the source needs a name of at most " + strconv.Itoa(maxSource) + " small letters, digits, - and _")
	}
	for _, c := range o.Source {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return bad("the name of a source has small letters, digits, - and _ only, not " + strconv.Quote(string(c)))
		}
	}
	switch o.Dates {
	case AnyOrder, DayFirst, MonthFirst:
	default:
		return bad("dates are dmy or mdy, not " + strconv.Quote(string(o.Dates)))
	}
	switch o.Encoding {
	case "", UTF8, Windows1252:
	default:
		return bad("the encoding is " + string(UTF8) + " or " + string(Windows1252) + ", not " + strconv.Quote(string(o.Encoding)))
	}
	switch o.Decimal {
	case 0:
		o.Decimal = '.'
	case '.', ',':
	default:
		return bad("decimals are written with . or ,")
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == 0 {
		o.Now = event.At(time.Now())
	}
	return nil
}

// Import reads orders from a file and appends them as history. It returns what
// it read even with an error; lines that were refused are no error but are
// counted. The error is Invalid if the file as a whole cannot be understood or
// is not the one of o.After, and that of Append, Refuse or Progress otherwise.
func Import(ctx context.Context, r io.Reader, o Options) (Totals, error) {
	if err := o.check(); err != nil {
		return Totals{}, err
	}
	t, err := table.OpenTable(r, o.Delimiter, o.Encoding)
	if err != nil {
		return Totals{}, err
	}
	o.Delimiter, o.Encoding = t.Delimiter(), t.Encoding
	m, err := mappingOf(t.Header, o.Map)
	if err != nil {
		return Totals{}, err
	}
	if o.Dates == AnyOrder {
		if o.Dates, err = table.OrderOf(dates(t, m.column[Date])); err != nil {
			return Totals{}, err
		}
	}
	if o.Columns != nil {
		if err := o.Columns(m); err != nil {
			return Totals{}, err
		}
	}
	setup := wire.Hash(o.Source, string(o.Currency), o.Zone.String(), string(o.Dates), string([]byte{o.Decimal, o.Delimiter}), string(o.Encoding), o.ReturnsPrefix, m.String())
	if o.After != (Checkpoint{}) && o.After.Setup != setup {
		return Totals{}, fault.New(fault.Invalid, "the import that was cut short read its file in another way (source, mapping, currency, zone or columns): give the same options, or begin anew without --resume")
	}
	return newRun(&o, m, setup).run(ctx, t.Rows)
}

// maxSamples is how many dates are looked at to find out their order.
const maxSamples = 5000

// dates returns the dates at the beginning of a table.
func dates(t *table.Table, column int) (list [][]byte) {
	t.Begin(maxSamples, func(fields [][]byte) bool {
		list = append(list, fields[column])
		return true
	})
	return list
}

package csv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
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
	// Encoding is how letters are written. Default: UTF8.
	Encoding Encoding
	// ReturnsPrefix begins the numbers of returns, such as "C". Default: none;
	// quantities below zero are returns with or without it.
	ReturnsPrefix string
	// Now is the present: an order more than a day later has a wrong date. Default:
	// time.Now.
	Now event.Time

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

// Refusal is a line that is not imported.
type Refusal struct {
	Line   int64  // its number in the file, from 1
	Column string // that holds the fault; empty: the line as a whole, or another line of its order
	Reason string
	// Raw is the line as it stands in the file, at most 4 KiB of it. It is valid
	// until the call returns.
	Raw []byte
	// Fields are its columns, if it could be split; valid until the call returns.
	Fields [][]byte
}

// Error says line and reason.
func (r *Refusal) Error() string {
	s := "line " + strconv.FormatInt(r.Line, 10) + ": "
	if r.Column != "" {
		s += "column " + strconv.Quote(clip(r.Column, 60)) + ": "
	}
	return s + r.Reason
}

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
	case "":
		o.Encoding = UTF8
	case UTF8, Windows1252:
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
	text, sample, err := open(r)
	if err != nil {
		return Totals{}, err
	}
	if o.Delimiter == 0 {
		o.Delimiter = guessDelimiter(sample)
	}
	s := newScanner(text, o.Delimiter)
	head, err := s.next()
	switch {
	case errors.Is(err, io.EOF):
		return Totals{}, fault.New(fault.Invalid, "the file has no line with the names of the columns")
	case err != nil:
		return Totals{}, unreadable(err, 1)
	case head.why != "":
		return Totals{}, fault.New(fault.Invalid, "the line with the names of the columns is broken: "+head.why)
	}
	header := make([]string, len(head.fields))
	for i, f := range head.fields {
		name, why := cell(f, o.Encoding)
		if why != "" {
			return Totals{}, fault.New(fault.Invalid, "the name of column "+strconv.Itoa(i+1)+": "+why)
		}
		header[i] = string(name)
	}
	m, err := mappingOf(header, o.Map)
	if err != nil {
		return Totals{}, err
	}
	if o.Dates == AnyOrder {
		if o.Dates, err = orderOf(dates(sample, o.Delimiter, m.column[Date])); err != nil {
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
	return newRun(&o, m, setup).run(ctx, s)
}

// maxSamples is how many dates are looked at to find out their order.
const maxSamples = 5000

// dates returns the dates of the lines of a sample, without the last, which may be
// cut off.
func dates(sample []byte, delimiter byte, column int) [][]byte {
	s := newScanner(&once{b: sample}, delimiter)
	var list [][]byte
	for len(list) < maxSamples {
		rec, err := s.next()
		if err != nil {
			break
		}
		if rec.line > 1 && rec.why == "" && column < len(rec.fields) {
			list = append(list, append([]byte(nil), rec.fields[column]...))
		}
	}
	if len(list) > 1 && len(sample) >= sampleBytes {
		list = list[:len(list)-1]
	}
	return list
}

// once is a reader of bytes that are there already.
type once struct{ b []byte }

func (o *once) Read(p []byte) (int, error) {
	if len(o.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, o.b)
	o.b = o.b[n:]
	return n, nil
}

// unreadable is an error of the file itself: of the disk, or of its packing.
func unreadable(err error, line int64) error {
	return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file cannot be read on after line %d; it may be cut off or damaged", line))
}

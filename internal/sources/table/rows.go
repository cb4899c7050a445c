package table

import (
	"bufio"
	"errors"
	"io"
	"strconv"

	"rapport/internal/fault"
)

// Rows are the records of a table, whatever it is written in.
type Rows interface {
	// Next returns the next record; io.EOF at the end. What is wrong with a record is
	// in it and ends nothing.
	Next() (Record, error)
	// Line returns how many lines were read.
	Line() int64
	// Split cuts a record's Raw into its columns again; nil if it cannot be.
	Split(raw []byte) [][]byte
}

// Table is an open table.
type Table struct {
	Header   []string
	Rows     Rows
	Encoding Encoding
	Format   string // "csv" with the delimiter, or "jsonl", for people
	JSON     bool

	delimiter byte
	sample    []byte
	whole     bool
}

// OpenTable opens a table and reads the names of its columns. A zero delimiter and
// an empty encoding are found out.
func OpenTable(r io.Reader, delimiter byte, enc Encoding) (*Table, error) {
	o, err := Open(r)
	if err != nil {
		return nil, err
	}
	t := &Table{Encoding: enc, sample: o.Sample, whole: o.Whole}
	if t.Encoding == "" {
		t.Encoding = o.Encoding
	}
	if IsLines(o.Sample) {
		return t, t.lines(o.Text)
	}
	if delimiter == 0 {
		delimiter = GuessDelimiter(o.Sample)
	}
	t.delimiter, t.Format = delimiter, "csv with "+strconv.QuoteRune(rune(delimiter))
	return t, t.separated(o.Text)
}

func (t *Table) lines(text *bufio.Reader) error {
	l, err := NewLines(text, t.sample, t.whole)
	if err != nil {
		return err
	}
	t.Header, t.Rows, t.Format, t.JSON, t.Encoding = l.Header(), l, "jsonl", true, UTF8
	return nil
}

func (t *Table) separated(text *bufio.Reader) error {
	s := NewScanner(text, t.delimiter)
	head, err := s.Next()
	switch {
	case errors.Is(err, io.EOF):
		return fault.New(fault.Invalid, "the file has no line with the names of the columns")
	case err != nil:
		return Unreadable(err, 1)
	case head.Why != "":
		return fault.New(fault.Invalid, "the line with the names of the columns is broken: "+head.Why)
	}
	t.Header, t.Rows = make([]string, len(head.Fields)), s
	for i, f := range head.Fields {
		name, why := Cell(f, t.Encoding)
		if why != "" {
			return fault.New(fault.Invalid, "the name of column "+strconv.Itoa(i+1)+": "+why)
		}
		t.Header[i] = string(name)
	}
	return nil
}

// Delimiter returns what stands between columns; 0 if the table is JSON.
func (t *Table) Delimiter() byte { return t.delimiter }

// Begin calls yield for the records at the beginning of the file, at most n, until it
// returns false. It reads nothing: they come again by Rows.
func (t *Table) Begin(n int, yield func(fields [][]byte) bool) {
	var rows Rows = NewScanner(&once{b: t.sample}, t.delimiter)
	if t.JSON {
		l, err := NewLines(&once{b: t.sample}, t.sample, t.whole)
		if err != nil {
			return
		}
		rows = l
	}
	var held [][]byte // the last record may be cut off, so each waits for the next
	for i := 0; i <= n; {
		rec, err := rows.Next()
		if err != nil {
			if t.whole && held != nil {
				yield(held)
			}
			return
		}
		if rec.Line == 1 && !t.JSON || rec.Why != "" || len(rec.Fields) != len(t.Header) {
			continue
		}
		if held != nil && !yield(held) {
			return
		}
		held = make([][]byte, len(rec.Fields))
		for k, f := range rec.Fields {
			held[k] = append([]byte(nil), f...)
		}
		i++
	}
}

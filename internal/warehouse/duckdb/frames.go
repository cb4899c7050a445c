package duckdb

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

// The kinds of values between the two processes of a query.
const (
	valueNil = iota
	valueFalse
	valueTrue
	valueInt
	valueFloat
	valueText
	valueTime
	valueID
	valueList
)

// deepest is how many lists may stand in each other.
const deepest = 100

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, valueTrue)
		}
		return append(b, valueFalse)
	case int64:
		return wire.Varint(append(b, valueInt), v)
	case float64:
		return wire.Float(append(b, valueFloat), v)
	case string:
		return wire.Text(append(b, valueText), v)
	case time.Time:
		return wire.Varint(wire.Varint(append(b, valueTime), v.Unix()), int64(v.Nanosecond()))
	case identity.ID:
		return append(append(b, valueID), v[:]...)
	case []any:
		b = wire.Uvarint(append(b, valueList), uint64(len(v)))
		for _, x := range v {
			b = appendValue(b, x)
		}
		return b
	}
	return append(b, valueNil)
}

func readValue(r *wire.Reader, depth int) any {
	switch r.Byte() {
	case valueFalse:
		return false
	case valueTrue:
		return true
	case valueInt:
		return r.Varint()
	case valueFloat:
		return r.Float()
	case valueText:
		return r.Text()
	case valueTime:
		seconds := r.Varint()
		return time.Unix(seconds, r.Varint()).UTC()
	case valueID:
		return identity.ID([]byte(padded(r.Bytes(len(identity.ID{})))))
	case valueList:
		if depth >= deepest {
			r.Fail("lists stand too deep in each other")
			return nil
		}
		list := make([]any, r.Len(1))
		for i := range list {
			list[i] = readValue(r, depth+1)
		}
		return list
	}
	return nil
}

// padded keeps a short id from a panic; the reader has the error.
func padded(s string) string {
	for len(s) < len(identity.ID{}) {
		s += "\x00"
	}
	return s
}

// pack writes the question behind its length.
func (q *question) pack() []byte {
	var b []byte
	for _, s := range []string{q.Path, q.Dir, q.SQL, string(q.Format)} {
		b = wire.Text(b, s)
	}
	for _, n := range []int64{int64(q.Threads), q.Limits.Rows, q.Limits.Bytes, int64(q.Limits.Time), q.Limits.Memory} {
		b = wire.Varint(b, n)
	}
	b = wire.Uvarint(b, uint64(len(q.args)))
	for _, a := range q.args {
		b = appendValue(b, a.Value)
	}
	return append(wire.Uvarint(nil, uint64(len(b))), b...)
}

// maxQuestion bounds what a process takes for a question.
const maxQuestion = 64 << 20

type byteReader interface {
	io.Reader
	io.ByteReader
}

func readQuestion(in byteReader) (q question, err error) {
	n, err := binary.ReadUvarint(in)
	if err != nil || n > maxQuestion {
		return q, errors.Join(err, errors.New("no question was asked"))
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); err != nil {
		return q, err
	}
	r := wire.NewReader(string(b))
	q.Path, q.Dir, q.SQL, q.Format = r.Text(), r.Text(), r.Text(), warehouse.Format(r.Text())
	q.Threads = int(r.Varint())
	q.Limits = warehouse.Limits{Rows: r.Varint(), Bytes: r.Varint(), Time: time.Duration(r.Varint()), Memory: r.Varint()}
	q.args = make([]driver.NamedValue, r.Len(1))
	for i := range q.args {
		q.args[i] = driver.NamedValue{Ordinal: i + 1, Value: readValue(r, 0)}
	}
	return q, r.Err()
}

func appendColumns(b []byte, columns []warehouse.Column) []byte {
	b = wire.Uvarint(b, uint64(len(columns)))
	for _, c := range columns {
		b = wire.Text(wire.Text(b, c.Name), string(c.Type))
	}
	return b
}

func readColumns(r *wire.Reader) []warehouse.Column {
	columns := make([]warehouse.Column, r.Len(2))
	for i := range columns {
		columns[i] = warehouse.Column{Name: r.Text(), Type: warehouse.Type(r.Text())}
	}
	return columns
}

// appendEnd writes how an answer ended.
func appendEnd(b []byte, truncated bool, err error) []byte {
	b = wire.Bool(b, truncated)
	if err == nil {
		return b
	}
	kind, message := fault.Of(err)
	if kind == fault.Internal {
		message = err.Error()
	}
	return wire.Text(append(b, byte(kind)), message)
}

func readEnd(r *wire.Reader) (truncated bool, err error) {
	truncated = r.Bool()
	if r.Done() {
		return truncated, r.Err()
	}
	kind, message := fault.Kind(r.Byte()), r.Text()
	if r.Err() != nil {
		return truncated, r.Err()
	}
	if kind == fault.Internal {
		return truncated, fmt.Errorf("in the process of a query: %s", message)
	}
	return truncated, fault.New(kind, message)
}

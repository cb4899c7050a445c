package table

import (
	"bytes"
	"io"
	"slices"
	"strconv"

	"github.com/valyala/fastjson"

	"rapport/internal/fault"
)

// Lines reads one JSON object a line as a table: a key is a column, an object or a
// list within is the JSON text of its cell. The columns are the keys of the lines at
// the beginning of the file.
type Lines struct {
	s      *Scanner
	header []string
	parser fastjson.Parser
	fields [][]byte
	buf    []byte
}

// jsonDelimiter is a byte that no text has: a line is one column.
const jsonDelimiter = 0xff

// IsLines reports whether a text is JSON, one object a line.
func IsLines(sample []byte) bool {
	b := bytes.TrimLeft(sample, " \t\r\n")
	return len(b) > 0 && b[0] == '{'
}

// NewLines returns a reader of lines whose first ones are the sample.
func NewLines(r io.Reader, sample []byte, whole bool) (*Lines, error) {
	l := &Lines{s: NewScanner(r, jsonDelimiter)}
	var p fastjson.Parser
	for len(sample) > 0 && len(l.header) < maxColumns {
		line, rest, full := bytes.Cut(sample, []byte{'\n'})
		sample = rest
		if !full && !whole {
			break
		}
		v, err := p.ParseBytes(line)
		if err != nil {
			continue // its reading says why
		}
		o, err := v.Object()
		if err != nil {
			continue
		}
		o.Visit(func(key []byte, _ *fastjson.Value) {
			if !slices.Contains(l.header, string(key)) {
				l.header = append(l.header, string(key))
			}
		})
	}
	if len(l.header) == 0 {
		return nil, fault.New(fault.Invalid, "no line at the beginning of the file is a JSON object")
	}
	return l, nil
}

// Header returns the keys.
func (l *Lines) Header() []string { return l.header }

// Line returns how many lines were read.
func (l *Lines) Line() int64 { return l.s.Line() }

// Next returns the next record; io.EOF at the end.
func (l *Lines) Next() (Record, error) {
	rec, err := l.s.nextLine()
	if err != nil || rec.Why != "" {
		return rec, err
	}
	rec.Fields, rec.Why = l.split(rec.Raw)
	return rec, nil
}

// Split cuts one line that was read before into its columns; nil if it cannot be.
func (l *Lines) Split(raw []byte) [][]byte {
	fields, why := (&Lines{header: l.header}).split(raw)
	if why != "" {
		return nil
	}
	return fields
}

// maxNested bounds the depth of what stands in a line.
const maxNested = 32

func (l *Lines) split(raw []byte) (fields [][]byte, why string) {
	if TooDeep(raw, maxNested) {
		return nil, "it is nested deeper than " + strconv.Itoa(maxNested) + " levels"
	}
	v, err := l.parser.ParseBytes(raw)
	if err != nil {
		return nil, "it is no JSON: " + Clip(err.Error(), 80)
	}
	o, err := v.Object()
	if err != nil {
		return nil, "it is no JSON object"
	}
	l.fields = append(l.fields[:0], make([][]byte, len(l.header))...)
	l.buf = l.buf[:0]
	o.Visit(func(key []byte, v *fastjson.Value) {
		i := slices.Index(l.header, string(key))
		if i < 0 {
			if why == "" && v.Type() != fastjson.TypeNull {
				why = "it has the key " + strconv.Quote(Clip(string(key), 60)) + ", which no line at the beginning of the file has: write it, as null, in the first line"
			}
			return
		}
		switch v.Type() {
		case fastjson.TypeNull:
			l.fields[i] = nil
		case fastjson.TypeString:
			l.fields[i], _ = v.StringBytes() // it is a string
		default:
			from := len(l.buf)
			l.buf = v.MarshalTo(l.buf)
			l.fields[i] = l.buf[from:len(l.buf):len(l.buf)]
		}
	})
	return l.fields, why
}

// TooDeep reports whether brackets outside of texts nest deeper than most: too deep
// for a parser that calls itself.
func TooDeep(raw []byte, most int) bool {
	depth, text := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

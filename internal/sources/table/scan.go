package table

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// The limits of a record. A line of an order is seldom longer than 500 bytes.
const (
	// maxrecord is the longest record in bytes. It bounds what an unclosed
	// quotation mark or a line without an end brings into memory.
	maxRecord = 1 << 20
	// maxColumns is how many columns a record may have.
	maxColumns = 512
	// MaxKept is how much of a refused line is kept, in bytes.
	MaxKept = 4 << 10
	// firstBuffer is how much is read at once.
	firstBuffer = 256 << 10
)

// Record is one record of a file. Its bytes are valid until the next one is read.
type Record struct {
	Line   int64 // number of its first line, from 1
	Offset int64 // of its first byte, after decompression
	Raw    []byte
	Fields [][]byte
	Why    string // what is wrong with it; empty: it could be split
}

// Scanner cuts a stream into records by RFC 4180. It is lenient where nothing is
// ambiguous: a quotation mark inside an unquoted field is itself. A record that
// is broken costs one line: reading goes on with the next.
type Scanner struct {
	r         io.Reader
	delimiter byte
	buf       []byte
	start     int // of what is not consumed, in buf
	end       int
	base      int64 // offset of buf[0] in the stream
	line      int64 // lines consumed
	err       error // of the reader, once
	fields    [][]byte
	scratch   []byte // unquoted texts of the present record
}

// NewScanner returns a scanner of r.
func NewScanner(r io.Reader, delimiter byte) *Scanner {
	return &Scanner{r: r, delimiter: delimiter, buf: make([]byte, firstBuffer)}
}

// Next returns the next record; io.EOF at the end. Empty lines are passed over.
func (s *Scanner) Next() (Record, error) {
	for {
		rest := s.buf[s.start:s.end]
		eof := s.err != nil
		if len(rest) == 0 {
			if eof {
				return Record{}, s.ended()
			}
			s.fill()
			continue
		}
		if rest[0] == '\n' || rest[0] == '\r' && len(rest) > 1 && rest[1] == '\n' {
			n := bytes.IndexByte(rest, '\n') + 1
			s.start += n
			s.line++
			continue
		}
		size, lines, why := s.split(rest, eof)
		if size > 0 {
			rec := Record{Line: s.line + 1, Offset: s.base + int64(s.start), Raw: trimEnd(rest[:size]), Fields: s.fields, Why: why}
			s.start += size
			s.line += lines
			return rec, nil
		}
		if !eof && len(rest) < maxRecord {
			s.fill()
			continue
		}
		// Too long, or a quotation mark that nobody closes: only the first line is
		// given up, since what follows it may be in order.
		if why == "" {
			why = "the line is longer than " + strconv.Itoa(maxRecord>>20) + " MB"
		}
		rec := Record{Line: s.line + 1, Offset: s.base + int64(s.start), Raw: rest[:min(len(rest), MaxKept)], Why: why}
		n := bytes.IndexByte(rest, '\n')
		if n >= 0 {
			rec.Raw = trimEnd(rest[:n+1])
			s.start += n + 1
			s.line++
			return rec, nil
		}
		rec.Raw = bytes.Clone(rec.Raw) // skipping reads over it
		s.skipLine()
		return rec, nil
	}
}

// nextLine returns the next line as one record, whatever marks it holds.
func (s *Scanner) nextLine() (Record, error) {
	for {
		rest := s.buf[s.start:s.end]
		n := bytes.IndexByte(rest, '\n') + 1
		switch {
		case n == 0 && s.err == nil && len(rest) < maxRecord:
			s.fill()
			continue
		case n == 0 && len(rest) == 0:
			return Record{}, s.ended()
		case n == 0 && len(rest) >= maxRecord:
			rec := Record{Line: s.line + 1, Offset: s.base + int64(s.start), Raw: bytes.Clone(rest[:MaxKept]), Why: "the line is longer than " + strconv.Itoa(maxRecord>>20) + " MB"}
			s.skipLine()
			return rec, nil
		case n == 0:
			n = len(rest)
		}
		rec := Record{Line: s.line + 1, Offset: s.base + int64(s.start), Raw: trimEnd(rest[:n])}
		s.start += n
		s.line++
		if len(bytes.TrimSpace(rec.Raw)) > 0 {
			return rec, nil
		}
	}
}

// Line returns how many lines were read.
func (s *Scanner) Line() int64 { return s.line }

// Split cuts one line that was read before into its columns; nil if it cannot be.
func (s *Scanner) Split(raw []byte) [][]byte {
	again, err := NewScanner(&once{b: raw}, s.delimiter).Next()
	if err != nil || again.Why != "" {
		return nil
	}
	return again.Fields
}

// ended returns why there is nothing more: io.EOF, or the error of the reader.
func (s *Scanner) ended() error {
	if errors.Is(s.err, io.EOF) {
		return io.EOF
	}
	return s.err
}

// fill reads more, making room as far as maxRecord allows.
func (s *Scanner) fill() {
	if s.start > 0 {
		copy(s.buf, s.buf[s.start:s.end])
		s.base += int64(s.start)
		s.end -= s.start
		s.start = 0
	}
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 { // as often as io.Reader may return nothing
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err != nil {
			s.err = err
		}
		if n > 0 || err != nil {
			return
		}
	}
	s.err = io.ErrNoProgress
}

// skipLine passes over the rest of a line of any length.
func (s *Scanner) skipLine() {
	for {
		if n := bytes.IndexByte(s.buf[s.start:s.end], '\n'); n >= 0 {
			s.start += n + 1
			s.line++
			return
		}
		s.start = s.end
		if s.err != nil {
			s.line++
			return
		}
		s.fill()
	}
}

// split cuts the record at the beginning of b into s.fields. It returns the bytes
// and lines that the record takes; no bytes if b does not hold all of it. Why is
// set if the record is broken; without bytes it says what is missing.
func (s *Scanner) split(b []byte, eof bool) (size int, lines int64, why string) {
	s.fields = s.fields[:0]
	if cap(s.scratch) < len(b) {
		s.scratch = make([]byte, 0, 2*len(b))
	}
	s.scratch = s.scratch[:0]
	for i := 0; ; {
		var field []byte
		if i < len(b) && b[i] == '"' {
			var after int
			var more bool
			if field, after, more = s.quoted(b, i+1, eof); more {
				return 0, 0, ""
			}
			if after < 0 {
				return 0, 0, "a quotation mark opens in column " + strconv.Itoa(len(s.fields)+1) + " and is never closed"
			}
			lines += int64(bytes.Count(field, []byte{'\n'}))
			i = after
			if i < len(b) && b[i] != s.delimiter && b[i] != '\n' && b[i] != '\r' {
				n := bytes.IndexByte(b, '\n') + 1
				if n == 0 {
					if !eof {
						return 0, 0, ""
					}
					n = len(b)
				}
				return n, 1, "in column " + strconv.Itoa(len(s.fields)+1) + " text follows the closing quotation mark; a quotation mark inside a text is written twice"
			}
			if i < len(b) && b[i] == '\r' {
				i++
			}
		} else {
			from := i
			for i < len(b) && b[i] != s.delimiter && b[i] != '\n' {
				i++
			}
			field = b[from:i]
			if (i == len(b) || b[i] == '\n') && len(field) > 0 && field[len(field)-1] == '\r' {
				field = field[:len(field)-1]
			}
		}
		if i == len(b) && !eof {
			return 0, 0, ""
		}
		if len(s.fields) < maxColumns {
			s.fields = append(s.fields, field)
		} else {
			why = "the line has more than " + strconv.Itoa(maxColumns) + " columns"
		}
		switch {
		case i == len(b):
			return i, lines + 1, why
		case b[i] == '\n':
			return i + 1, lines + 1, why
		case b[i] == s.delimiter:
			i++
		default: // a carriage return that ends nothing, after a quoted text
			n := bytes.IndexByte(b[i:], '\n')
			if n < 0 && !eof {
				return 0, 0, ""
			}
			if n < 0 {
				return len(b), lines + 1, "a carriage return stands inside the line"
			}
			return i + n + 1, lines + 1, "a carriage return stands inside the line"
		}
	}
}

// quoted returns the text that begins behind a quotation mark, and the place
// behind the one that closes it: −1 if there is none and nothing more comes, more
// if it may still come.
func (s *Scanner) quoted(b []byte, from int, eof bool) (text []byte, after int, more bool) {
	mark := len(s.scratch)
	doubled := false
	for i := from; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return nil, -1, !eof && len(b) < maxRecord
		}
		at := i + n
		if at+1 == len(b) && !eof {
			return nil, 0, true
		}
		if at+1 < len(b) && b[at+1] == '"' {
			s.scratch = append(s.scratch, b[i:at+1]...)
			doubled = true
			i = at + 2
			continue
		}
		if !doubled {
			return b[from:at], at + 1, false
		}
		s.scratch = append(s.scratch, b[i:at]...)
		return s.scratch[mark:len(s.scratch):len(s.scratch)], at + 1, false
	}
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

// trimEnd cuts the end of the line off.
func trimEnd(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte{'\n'}), []byte{'\r'})
}

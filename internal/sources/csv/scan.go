package csv

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// The limits of a record. A line of an order is seldom longer than 500 bytes.
const (
	// maxRecord is the longest record in bytes. It bounds what an unclosed
	// quotation mark or a line without an end brings into memory.
	maxRecord = 1 << 20
	// maxColumns is how many columns a record may have.
	maxColumns = 512
	// firstBuffer is how much is read at once.
	firstBuffer = 256 << 10
)

// record is one record of a file. Its bytes are valid until the next one is read.
type record struct {
	line   int64 // number of its first line, from 1
	offset int64 // of its first byte, after decompression
	raw    []byte
	fields [][]byte
	why    string // what is wrong with it; empty: it could be split
}

// scanner cuts a stream into records by RFC 4180. It is lenient where nothing is
// ambiguous: a quotation mark inside an unquoted field is itself. A record that
// is broken costs one line: reading goes on with the next.
type scanner struct {
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

func newScanner(r io.Reader, delimiter byte) *scanner {
	return &scanner{r: r, delimiter: delimiter, buf: make([]byte, firstBuffer)}
}

// next returns the next record; io.EOF at the end. Empty lines are passed over.
func (s *scanner) next() (record, error) {
	for {
		rest := s.buf[s.start:s.end]
		eof := s.err != nil
		if len(rest) == 0 {
			if eof {
				return record{}, s.ended()
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
			rec := record{line: s.line + 1, offset: s.base + int64(s.start), raw: trimEnd(rest[:size]), fields: s.fields, why: why}
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
		rec := record{line: s.line + 1, offset: s.base + int64(s.start), raw: rest[:min(len(rest), maxKept)], why: why}
		n := bytes.IndexByte(rest, '\n')
		if n >= 0 {
			rec.raw = trimEnd(rest[:n+1])
			s.start += n + 1
			s.line++
			return rec, nil
		}
		rec.raw = bytes.Clone(rec.raw) // skipping reads over it
		s.skipLine()
		return rec, nil
	}
}

// ended returns why there is nothing more: io.EOF, or the error of the reader.
func (s *scanner) ended() error {
	if errors.Is(s.err, io.EOF) {
		return io.EOF
	}
	return s.err
}

// fill reads more, making room as far as maxRecord allows.
func (s *scanner) fill() {
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
func (s *scanner) skipLine() {
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
func (s *scanner) split(b []byte, eof bool) (size int, lines int64, why string) {
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
func (s *scanner) quoted(b []byte, from int, eof bool) (text []byte, after int, more bool) {
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

// trimEnd cuts the end of the line off.
func trimEnd(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte{'\n'}), []byte{'\r'})
}

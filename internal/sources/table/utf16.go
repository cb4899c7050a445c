package table

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

type endian uint8

const (
	littleEndian endian = iota
	bigEndian
)

// wide reports whether a text is UTF-16, and in which order: by its mark, or because
// every other byte of its beginning is zero.
func wide(b []byte) (endian, bool) {
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return littleEndian, true
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return bigEndian, true
	case len(b) < 4:
		return 0, false
	case b[0] != 0 && b[1] == 0 && b[2] != 0 && b[3] == 0:
		return littleEndian, true
	case b[0] == 0 && b[1] != 0 && b[2] == 0 && b[3] != 0:
		return bigEndian, true
	}
	return 0, false
}

// utf16Reader turns UTF-16 into UTF-8 as it is read. What is no character becomes
// U+FFFD, as everywhere.
type utf16Reader struct {
	r    *bufio.Reader
	big  bool
	rest []byte // of the last character, that did not fit
	held rune   // a unit that was read too far; 0: none
}

func (u *utf16Reader) Read(p []byte) (n int, err error) {
	for {
		n += copy(p[n:], u.rest)
		if u.rest = u.rest[min(n, len(u.rest)):]; len(u.rest) > 0 || n == len(p) {
			return n, nil
		}
		for n+utf8.UTFMax <= len(p) {
			r, err := u.next()
			if err != nil {
				if n > 0 {
					return n, nil // the error comes again
				}
				return 0, err
			}
			n += utf8.EncodeRune(p[n:], r)
		}
		if n > 0 {
			return n, nil
		}
		r, err := u.next() // fewer bytes are asked for than a character may take
		if err != nil {
			return 0, err
		}
		u.rest = utf8.AppendRune(nil, r)
	}
}

func (u *utf16Reader) next() (rune, error) {
	r := u.held
	if u.held = 0; r == 0 {
		var err error
		if r, err = u.unit(); err != nil {
			return 0, err
		}
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	second, err := u.unit()
	if err != nil {
		return utf8.RuneError, nil
	}
	if both := utf16.DecodeRune(r, second); both != utf8.RuneError {
		return both, nil
	}
	u.held = second
	return utf8.RuneError, nil
}

func (u *utf16Reader) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.r, b[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, errHalf
		}
		return 0, err
	}
	if u.big {
		return rune(b[0])<<8 | rune(b[1]), nil
	}
	return rune(b[1])<<8 | rune(b[0]), nil
}

var errHalf = errors.New("the file ends within a character of UTF-16")

// Package wire is the product's one binary encoding: varints and
// length-prefixed text, written by hand for speed, always behind a version
// byte. It is the encoding of the log, of the hot rows and of the history.
//
// A [Reader] reads from a string and hands out pieces of it, so reading copies
// nothing. It remembers its first error and gives zero values after it; callers
// check [Reader.Err] once, at the end.
package wire

import (
	"encoding/binary"
	"math"

	"rapport/internal/fault"
)

// Uvarint appends an unsigned number.
func Uvarint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

// Varint appends a signed number; small ones of either sign are short.
func Varint(dst []byte, v int64) []byte { return binary.AppendVarint(dst, v) }

// Text appends a length and the bytes.
func Text[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// Bool appends one byte.
func Bool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// Fixed appends eight bytes: for hashes, which a varint would make longer.
func Fixed(dst []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(dst, v) }

// Float appends a float in eight bytes.
func Float(dst []byte, f float64) []byte { return Fixed(dst, math.Float64bits(f)) }

// Reader reads what the functions of this package appended.
type Reader struct {
	all string
	at  int // a place, not what is left: to note a number costs the collector nothing
	err error
}

// NewReader returns a reader of s.
func NewReader(s string) *Reader { return &Reader{all: s} }

// Err returns the first error: a fault of kind Corrupt.
func (r *Reader) Err() error { return r.err }

// Rest returns what has not been read.
func (r *Reader) Rest() string { return r.all[r.at:] }

// Done reports whether all is read or an error stopped the reading.
func (r *Reader) Done() bool { return r.at == len(r.all) }

// Fail makes the reader fail with the reason.
func (r *Reader) Fail(why string) {
	if r.err == nil {
		r.err = fault.New(fault.Corrupt, "stored bytes are damaged: "+why)
	}
	r.at = len(r.all)
}

// Uvarint reads an unsigned number.
func (r *Reader) Uvarint() uint64 {
	if r.at < len(r.all) && r.all[r.at] < 0x80 { // most are short
		r.at++
		return uint64(r.all[r.at-1])
	}
	return r.long()
}

func (r *Reader) long() uint64 {
	var v uint64
	rest := r.all[r.at:]
	for i := 0; i < len(rest) && i < 10; i++ {
		c := rest[i]
		v |= uint64(c&0x7f) << (7 * uint(i))
		if c < 0x80 {
			r.at += i + 1
			return v
		}
	}
	r.Fail("a number is cut off")
	return 0
}

// Varint reads a signed number.
func (r *Reader) Varint() int64 {
	u := r.Uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// Len reads a count of things of at least size bytes each; more than can follow
// is an error, so damaged bytes cannot make a caller allocate at will.
func (r *Reader) Len(size int) int {
	n := r.Uvarint()
	if n > uint64((len(r.all)-r.at)/max(size, 1)) {
		r.Fail("a count is too large")
		return 0
	}
	return int(n)
}

// Text reads a length and so many bytes.
func (r *Reader) Text() string {
	n := r.Uvarint()
	if n > uint64(len(r.all)-r.at) {
		r.Fail("a text is cut off")
		return ""
	}
	from := r.at
	r.at += int(n)
	return r.all[from:r.at]
}

// Bytes reads n bytes.
func (r *Reader) Bytes(n int) string {
	if n > len(r.all)-r.at {
		r.Fail("a text is cut off")
		return string(make([]byte, n))
	}
	from := r.at
	r.at += n
	return r.all[from:r.at]
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.at == len(r.all) {
		r.Fail("a byte is missing")
		return 0
	}
	r.at++
	return r.all[r.at-1]
}

// Bool reads one byte as a bool.
func (r *Reader) Bool() bool { return r.Byte() != 0 }

// Fixed reads eight bytes.
func (r *Reader) Fixed() uint64 {
	if len(r.all)-r.at < 8 {
		r.Fail("a hash is cut off")
		return 0
	}
	b := r.all[r.at : r.at+8]
	r.at += 8
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// Float reads a float.
func (r *Reader) Float() float64 { return math.Float64frombits(r.Fixed()) }

// Hash returns a well-mixed 64-bit hash of the parts: FNV-1a with each part's
// length folded in, then the finaliser of MurmurHash3. It names series and
// segments, fingerprints message ids and tosses the product's coins, so it is
// stored and must never change. It is not a secret and resists no attacker.
func Hash(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for i := 0; i < len(p); i++ {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
		h = (h ^ uint64(len(p)) ^ 0xff00) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

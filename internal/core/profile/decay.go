package profile

import (
	"math/big"
	"math/bits"
	"slices"

	"rapport/internal/core/event"
)

// Points are points as a definition writes them, in millionths of one.
type Points int64

// OnePoint is one point.
const OnePoint Points = 1_000_000

// MaxPoints bounds what one event gives: with it no sum of one person comes near
// the end of what a [Sum] can hold.
const MaxPoints = 1_000_000 * OnePoint

// Level is what points are worth at an instant, in 2^-32 of a point: finer than
// anybody asks, and whole, so that every machine answers the same.
type Level int64

// levelBits are the binary places of a Level.
const levelBits = 32

// OneLevel is one point that has not faded.
const OneLevel Level = 1 << levelBits

// Level returns the points before they fade, rounded to the nearest.
func (p Points) Level() Level {
	hi, lo := bits.Mul64(magnitude(int64(p)), 1<<levelBits)
	lo, carry := bits.Add64(lo, uint64(OnePoint)/2, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(OnePoint))
	if p < 0 {
		return -Level(q)
	}
	return Level(q)
}

// Float returns the level in points, for whoever shows it.
func (l Level) Float() float64 { return float64(l) / (1 << levelBits) }

// A Sum is points that fade by half with each half-life, from the second in which
// each was given. It is exact: the points of a block of time are added up at what
// they are worth at its beginning, each rounded alone, so the order in which they
// come does not matter, and nothing is ever computed anew but by asking what the
// sum is worth. The half-life is known to whoever keeps it.
//
// Sums are not changed in place.
type Sum []Block

// Block is the points of one block of time.
type Block struct {
	N  int64  // the block: from N × blockLives half-lives after 1970 on; zero if nothing fades
	Hi int64  // the sum in units of 2^-sumBits of a point, as two's complement
	Lo uint64 // its lower half
}

const (
	// sumBits are the binary places of a block's sum. With the 16 by which points
	// grow towards the end of a block, 35 are left before the point: more than
	// thirty thousand million points, which no person comes to.
	sumBits = 76
	// blockLives is how many half-lives a block is long.
	blockLives = 16
	// blocksKept are the blocks that count beside the newest. What is older has lost
	// all but 2^-64 of its worth.
	blocksKept = 4
)

// second returns the second in which an instant lies.
func second(t event.Time) int64 { return floorDiv(int64(t), 1000) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Plus returns the sum with points that were given at an instant. Half is the
// half-life in seconds, zero if nothing fades.
func (s Sum) Plus(at event.Time, half int64, p Points) Sum {
	n, lives, rest := int64(0), int64(0), int64(0)
	if half > 0 {
		sec := second(at)
		n = floorDiv(sec, blockLives*half)
		inside := sec - n*blockLives*half
		lives, rest = inside/half, inside%half
	}
	if len(s) > 0 && n < s[len(s)-1].N-blocksKept {
		return s
	}
	hi, lo := worth(magnitude(int64(p)), uint(lives), rest, half)
	if p < 0 {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	i, found := slices.BinarySearchFunc(s, n, func(b Block, n int64) int {
		switch {
		case b.N < n:
			return -1
		case b.N > n:
			return 1
		}
		return 0
	})
	grown := make(Sum, 0, len(s)+1)
	grown = append(grown, s...)
	if !found {
		grown = slices.Insert(grown, i, Block{N: n})
	}
	b := &grown[i]
	var carry uint64
	b.Lo, carry = bits.Add64(b.Lo, lo, 0)
	sum, _ := bits.Add64(uint64(b.Hi), hi, carry)
	b.Hi = int64(sum)
	for grown[0].N < grown[len(grown)-1].N-blocksKept {
		grown = grown[1:]
	}
	return grown
}

// worth returns points so many half-lives, and the rest of one, before they were
// given, in the unit of a block.
func worth(micros uint64, lives uint, rest, half int64) (hi, lo uint64) {
	// micros × 2^sumBits / 10^6, rounded down: less than 2^-76 of a point is lost.
	hi, lo = micros<<(sumBits-64), uint64(0)
	var r uint64
	hi, r = hi/uint64(OnePoint), hi%uint64(OnePoint)
	lo, _ = bits.Div64(r, lo, uint64(OnePoint))
	a, b, c := times(hi, lo, power(rest, half))
	// times power is in 2^-63: shift by 63 − lives.
	hi, lo, _ = shiftRight(a, b, c, 63-lives, false)
	return hi, lo
}

// times multiplies 128 bits by 64.
func times(hi, lo, m uint64) (a, b, c uint64) {
	b1, c := bits.Mul64(lo, m)
	a, b2 := bits.Mul64(hi, m)
	b, carry := bits.Add64(b1, b2, 0)
	return a + carry, b, c
}

// shiftRight shifts 192 bits and reports whether what is left fits into 128. If it
// rounds, then to the nearest.
func shiftRight(a, b, c uint64, n uint, round bool) (hi, lo uint64, fits bool) {
	if n > 192 {
		return 0, 0, true
	}
	if round && n > 0 {
		var carry uint64
		half := [3]uint64{}
		half[(n-1)/64] = 1 << ((n - 1) % 64)
		c, carry = bits.Add64(c, half[0], 0)
		b, carry = bits.Add64(b, half[1], carry)
		a, _ = bits.Add64(a, half[2], carry) // a has room: its top bits are never all set
	}
	for n >= 64 {
		a, b, c, n = 0, a, b, n-64
	}
	if n > 0 {
		c = c>>n | b<<(64-n)
		b = b>>n | a<<(64-n)
		a >>= n
	}
	return b, c, a == 0
}

// At returns what the sum is worth at an instant, rounded to the nearest Level. It
// moves towards zero as time goes by, in steps of a second, and never away from it.
func (s Sum) At(now event.Time, half int64) Level {
	if len(s) == 0 {
		return 0
	}
	newest := s[len(s)-1].N
	hi, lo := s.total()
	negative := hi < 0
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		top, _ := bits.Sub64(0, uint64(hi), borrow)
		hi = int64(top)
	}
	lives, rest := int64(0), int64(0)
	if half > 0 {
		age := second(now) - newest*blockLives*half
		lives = -floorDiv(-age, half) // the half-lives, rounded up
		rest = lives*half - age       // by so much less than a whole half-life
	}
	shift := 63 + sumBits - levelBits + lives
	if shift < 1 {
		shift = 1 // unreachable: nobody asks about a time long before what is known
	}
	a, b, c := times(uint64(hi), lo, power(rest, half))
	top, level, fits := shiftRight(a, b, c, uint(min(shift, 1000)), true)
	if !fits || top != 0 || level >= 1<<63 {
		level = 1<<63 - 1
	}
	if negative {
		return -Level(level)
	}
	return Level(level)
}

// total returns what all blocks are worth at the beginning of the newest.
func (s Sum) total() (hi int64, lo uint64) {
	newest := s[len(s)-1].N
	for i := range s {
		h, l := s[i].Hi, s[i].Lo
		switch n := uint(newest-s[i].N) * blockLives; {
		case n >= 64:
			h, l = h>>63, uint64(h>>min(n-64, 63))
		case n > 0:
			h, l = h>>n, l>>n|uint64(h)<<(64-n)
		}
		var carry uint64
		lo, carry = bits.Add64(lo, l, 0)
		top, _ := bits.Add64(uint64(hi), uint64(h), carry)
		hi = int64(top)
	}
	return hi, lo
}

// power returns 2^(rest/half) in units of 2^-63, for 0 ≤ rest < half; 1 if nothing
// fades. It is a product of whole numbers: floating-point functions differ from
// one processor to another, and a replay on another machine must not.
func power(rest, half int64) uint64 {
	if rest == 0 {
		return 1 << 63
	}
	x, _ := bits.Div64(uint64(rest), 0, uint64(half)) // rest/half in 2^-64
	m := powers[0][x>>56]
	for i := 1; i < 8; i++ {
		if d := x >> (56 - 8*i) & 0xff; d != 0 {
			hi, lo := bits.Mul64(m, powers[i][d])
			m = hi<<1 | lo>>63
		}
	}
	return m
}

// powers holds 2^(d × 2^(−8(i+1))) in units of 2^-63, rounded down.
var powers = func() (t [8][256]uint64) {
	const precision = 160
	root := new(big.Float).SetPrec(precision).SetInt64(2)
	scale := new(big.Float).SetPrec(precision).SetMantExp(big.NewFloat(1), 63)
	for i := range t {
		for range 8 {
			root = new(big.Float).SetPrec(precision).Sqrt(root)
		}
		p := new(big.Float).SetPrec(precision).SetInt64(1)
		for d := range t[i] {
			t[i][d], _ = new(big.Float).SetPrec(precision).Mul(p, scale).Uint64()
			p = new(big.Float).SetPrec(precision).Mul(p, root)
		}
	}
	return t
}()

// Heavier reports whether a is worth more than b, at whatever instant: both fade
// alike.
func Heavier(a, b Sum) bool { return Compare(a, 1, b, 1) > 0 }

// Compare compares a × m with b × n, of two sums that fade alike: what it answers
// holds at every instant. M and n are not negative; the sums must not be either.
func Compare(a Sum, m int64, b Sum, n int64) int {
	var x, y [3]uint64
	newest := int64(0)
	if len(a) > 0 {
		newest = a[len(a)-1].N
	}
	if len(b) > 0 && (len(a) == 0 || b[len(b)-1].N > newest) {
		newest = b[len(b)-1].N
	}
	x[0], x[1], x[2] = a.times(newest, m)
	y[0], y[1], y[2] = b.times(newest, n)
	return slices.Compare(x[:], y[:])
}

// times returns the sum at the beginning of a block that is not before its newest,
// times m.
func (s Sum) times(newest, m int64) (a, b, c uint64) {
	if len(s) == 0 {
		return 0, 0, 0
	}
	hi, lo := s.total()
	if hi < 0 {
		return 0, 0, 0
	}
	h, l := uint64(hi), lo
	switch n := uint64(newest-s[len(s)-1].N) * blockLives; {
	case n >= 128:
		h, l = 0, 0
	case n >= 64:
		h, l = 0, h>>(n-64)
	case n > 0:
		h, l = h>>n, l>>n|h<<(64-n)
	}
	return times(h, l, uint64(m))
}

// Share returns which share of a sum a part of it is, for whoever shows it. Both
// fade alike, so it is the same at every instant.
func Share(part, whole Sum) float64 {
	if len(part) == 0 || len(whole) == 0 {
		return 0
	}
	newest := max(part[len(part)-1].N, whole[len(whole)-1].N)
	x, y := part.float(newest), whole.float(newest)
	if y == 0 {
		return 0
	}
	return x / y
}

// float returns the sum at the beginning of a block, in whatever unit.
func (s Sum) float(newest int64) float64 {
	_, hi, lo := s.times(newest, 1)
	return float64(hi)*(1<<64) + float64(lo)
}

// Package money holds exact sums of money.
//
// An [Amount] counts millionths of a currency's main unit, so that a unit price
// of 0.001 and a turnover of nine trillion are both exact. Amounts of two
// currencies are never added: [Amount.Add] refuses, and callers keep one total
// for each currency.
package money

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"rapport/internal/fault"
)

// Micros is a number of millionths of a currency's main unit.
type Micros int64

// One is one main unit: a pound, a euro, a yen.
const One Micros = 1_000_000

// Currency is an ISO 4217 code in capitals, such as "GBP". The empty Currency is unknown.
type Currency string

// Amount is an exact sum in one currency.
type Amount struct {
	Micros   Micros
	Currency Currency
}

// ParseCurrency returns the currency of a three-letter code in any case.
func ParseCurrency(s string) (Currency, error) {
	if len(s) != 3 {
		return "", fault.New(fault.Invalid, "a currency is three letters such as GBP, not "+strconv.Quote(clip(s)))
	}
	for _, c := range []byte(s) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return "", fault.New(fault.Invalid, "a currency is three letters such as GBP, not "+strconv.Quote(s))
		}
	}
	return Currency(strings.ToUpper(s)), nil
}

// Parse returns the exact sum that a decimal text says: "12.5", "-0.001",
// "1e3". More than six decimal places, or more than nine trillion, is Invalid.
// What String says of a sum is read back as the same sum; only the least Micros,
// which no text means, is out of reach.
func Parse(s string) (Micros, error) {
	if m, ok := parsePlain(s); ok {
		return m, nil
	}
	bad := func(why string) (Micros, error) {
		return 0, fault.New(fault.Invalid, "not an amount of money: "+strconv.Quote(clip(s))+" ("+why+")")
	}
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil {
			return bad("exponent")
		}
		// Beyond these every sum but zero is too large or too fine, however many digits.
		mantissa, exponent = s[:i], min(max(n, -maxExponent), maxExponent)
	}
	negative := strings.HasPrefix(mantissa, "-")
	if negative || strings.HasPrefix(mantissa, "+") {
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || len(digits) > 30 {
		return bad("digits expected")
	}
	shift := 6 + exponent - len(fraction) // value = digits × 10^shift micros
	var v uint64
	for i := 0; i < len(digits); i++ {
		c := digits[i]
		if c < '0' || c > '9' {
			return bad("digits expected")
		}
		if shift < 0 && i >= len(digits)+shift {
			if c != '0' {
				return bad("more than six decimal places")
			}
			continue
		}
		d := uint64(c - '0')
		if v > (math.MaxInt64-d)/10 {
			return bad("too large")
		}
		v = v*10 + d
	}
	for ; shift > 0 && v > 0; shift-- {
		if v > math.MaxInt64/10 {
			return bad("too large")
		}
		v *= 10
	}
	if negative {
		return -Micros(v), nil
	}
	return Micros(v), nil
}

// parsePlain is Parse for how prices are written: digits, and perhaps a point and at
// most six digits more.
func parsePlain(s string) (Micros, bool) {
	const most = 18 // digits of which no number is too large
	var v Micros
	point, digits := -1, 0
	for i := 0; i < len(s); i++ {
		c := s[i] - '0'
		switch {
		case c <= 9:
			v = v*10 + Micros(c)
			digits++
		case s[i] == '.' && point < 0:
			point = i
		default:
			return 0, false
		}
	}
	shift := 6
	if point >= 0 {
		shift -= len(s) - point - 1
	}
	if digits == 0 || shift < 0 || digits+shift > most {
		return 0, false
	}
	for ; shift > 0; shift-- {
		v *= 10
	}
	return v, true
}

// maxExponent bounds exponents: more than the digits of any sum.
const maxExponent = 64

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// String returns the sum as a decimal text with at least two places: "12.50", "0.001".
func (m Micros) String() string {
	sign, u := "", uint64(m)
	if m < 0 {
		sign, u = "-", uint64(-m)
	}
	fraction := strconv.FormatUint(u%uint64(One)+uint64(One), 10)[1:]
	fraction = strings.TrimRight(fraction, "0")
	for len(fraction) < 2 {
		fraction += "0"
	}
	return sign + strconv.FormatUint(u/uint64(One), 10) + "." + fraction
}

// Float returns the sum as a float, for statistics; never for adding up.
func (m Micros) Float() float64 { return float64(m) / float64(One) }

// Times returns m × n; an overflow is Invalid.
func (m Micros) Times(n int64) (Micros, error) {
	p := m * Micros(n)
	if n != 0 && (p/Micros(n) != m || (n == -1 && m == math.MinInt64)) {
		return 0, tooLarge()
	}
	return p, nil
}

// Thousandths returns m × n/1000, rounded towards zero: the price of n thousandths
// of a piece. It is Invalid only if the result itself is too large.
func (m Micros) Thousandths(n int64) (Micros, error) {
	hi, lo := bits.Mul64(magnitude(int64(m)), magnitude(n))
	if hi >= 1000 {
		return 0, tooLarge()
	}
	q, _ := bits.Div64(hi, lo, 1000)
	if q > math.MaxInt64 {
		return 0, tooLarge()
	}
	if (m < 0) != (n < 0) {
		return -Micros(q), nil
	}
	return Micros(q), nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func tooLarge() error { return fault.New(fault.Invalid, "an amount of money is too large") }

// Plus returns m + n; an overflow is Invalid.
func (m Micros) Plus(n Micros) (Micros, error) {
	s := m + n
	if (s > m) != (n > 0) && n != 0 {
		return 0, tooLarge()
	}
	return s, nil
}

// Add returns a + b. It refuses amounts of two currencies; the zero Amount adds to any.
func (a Amount) Add(b Amount) (Amount, error) {
	switch {
	case a == Amount{}:
		return b, nil
	case b == Amount{}:
		return a, nil
	case a.Currency != b.Currency:
		return Amount{}, fault.New(fault.Invalid, "amounts in "+string(a.Currency)+" and "+string(b.Currency)+" cannot be added")
	}
	s, err := a.Micros.Plus(b.Micros)
	if err != nil {
		return Amount{}, err
	}
	return Amount{s, a.Currency}, nil
}

// String returns the sum with its currency: "12.50 GBP".
func (a Amount) String() string {
	if a.Currency == "" {
		return a.Micros.String()
	}
	return a.Micros.String() + " " + string(a.Currency)
}

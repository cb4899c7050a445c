package content

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"rapport/internal/core/money"
)

// Customs are how the people of a language and a country write sums of money and dates.
// The table of them is that of CLDR, see customs_table.go. The zero pointer writes as
// programs do: commas at the thousands, and English months.
type Customs struct {
	sums, plain  separators // of sums in a currency, and of others
	minus        string
	shape, below string // where the sign of the currency (¤) stands beside the amount (#), and below zero
	signs        string // of currencies: a line for each, its three letters and the sign

	months, monthsAlone       [12]string // beside a day (2 stycznia), and by themselves (styczeń)
	short, shortAlone         [12]string
	days, daysAlone           [7]string // from Sunday on
	daysShort, daysShortAlone [7]string
	noon                      [2]string // before and after it

	dates [4]string // full, long, medium and short, as formats of strftime
	clock string
}

// separators are how a number is parted.
type separators struct {
	group, decimal string
	least          int // digits from which on thousands are parted
	second         int // digits of the groups behind the first: two in India
}

// CustomsOf returns the customs of a locale such as "de-AT", those of its language if
// the country has none of its own, and nil if nothing is known of either.
func CustomsOf(locale string) *Customs {
	if c := customs[locale]; c != nil {
		return c // the frequent case allocates nothing
	}
	tag := strings.ToLower(strings.ReplaceAll(locale, "_", "-"))
	if tag == "no" || strings.HasPrefix(tag, "no-") {
		tag = "nb" + tag[2:]
	}
	for tag != "" {
		if c := customs[tag]; c != nil {
			return c
		}
		tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
	}
	return nil
}

// Speaks reports whether two locales are of one language, so that what is said in the one
// may be written as is the custom of the other.
func Speaks(a, b string) bool {
	language := func(tag string) string {
		if i := strings.IndexAny(tag, "-_"); i >= 0 {
			tag = tag[:i]
		}
		return tag
	}
	return strings.EqualFold(language(a), language(b))
}

// sign is how a currency is written; its letters if it has no sign.
func (c *Customs) sign(of money.Currency) string {
	i := strings.Index(c.signs, "\n"+string(of))
	if len(of) != 3 || i < 0 {
		return string(of)
	}
	rest := c.signs[i+4:]
	return rest[:strings.IndexByte(rest, '\n')]
}

// plainly is how a sum is written where no customs are known.
var plainly = &Customs{sums: separators{",", ".", 4, 3}, plain: separators{",", ".", 4, 3}, minus: "-", shape: "¤#", below: "-¤#"}

// appendMoney appends an amount in a currency, or a bare number if that is empty. It is
// the same text in HTML: no sign and no separator is one of its own.
func (c *Customs) appendMoney(b []byte, m money.Micros, currency money.Currency) []byte {
	digits, known := decimals[string(currency)]
	if !known {
		digits = 2
	}
	if c == nil {
		return appendPlainly(b, m, currency, digits)
	}
	how, shape := c.sums, c.shape
	if m < 0 {
		shape = c.below
	}
	if currency == "" {
		how, shape = c.plain, "#"
		if m < 0 {
			shape = "-#"
		}
	}
	sign := c.sign(currency)
	for i, r := range shape {
		switch r {
		case '-':
			b = append(b, c.minus...)
		case '¤':
			// Letters do not touch digits: CHF 12, and £12.
			if i > 0 && shape[i-1] == '#' && !symbolic(utf8.DecodeRuneInString(sign)) {
				b = append(b, nbsp...)
			}
			b = append(b, sign...)
			if next := i + len("¤"); next < len(shape) && shape[next] == '#' && !symbolic(utf8.DecodeLastRuneInString(sign)) {
				b = append(b, nbsp...)
			}
		case '#':
			b = how.append(b, m, digits)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

const nbsp = "\u00a0"

// symbolic reports whether a sign may touch a digit there: $ and € may, letters may not.
func symbolic(r rune, _ int) bool { return unicode.IsSymbol(r) }

// append appends the amount without its sign.
func (s *separators) append(b []byte, m money.Micros, digits int) []byte {
	unit, scale := money.One, int64(1)
	for range digits {
		unit, scale = unit/10, scale*10
	}
	n := uint64(m)
	if m < 0 {
		n = -n // the least of all has no positive
	}
	n = (n + uint64(unit)/2) / uint64(unit)
	whole, rest := n/uint64(scale), n%uint64(scale)
	var buf [20]byte
	text := strconv.AppendUint(buf[:0], whole, 10)
	for i, d := range text {
		if left := len(text) - i; i > 0 && len(text) >= s.least && left >= 3 && (left == 3 || left > 3 && (left-3)%s.second == 0) {
			b = append(b, s.group...)
		}
		b = append(b, d)
	}
	if digits > 0 {
		b = append(b, s.decimal...)
		for scale /= 10; scale > 0; scale /= 10 {
			b = append(b, byte('0'+rest/uint64(scale)%10))
		}
	}
	return b
}

// appendPlainly writes as no locale asks for: a known sign before, other letters behind.
func appendPlainly(b []byte, m money.Micros, currency money.Currency, digits int) []byte {
	if m < 0 {
		b = append(b, '-')
	}
	sign := signOf(currency)
	b = append(b, sign...)
	b = plainly.sums.append(b, m, digits)
	if currency != "" && sign == "" {
		b = append(append(b, ' '), currency...)
	}
	return b
}

// styles are the formats of the filter date that mean what is the custom.
var styles = map[string]int{"full": 0, "long": 1, "medium": 2, "short": 3}

// english are the customs of dates where none are known.
var english = customs["en"]

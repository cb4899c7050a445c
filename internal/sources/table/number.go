package table

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// The largest numbers that are taken. What is beyond them is a slip of a column,
// and below them no sum within an order overflows.
const (
	maxQuantity = 10_000_000 * 1000         // thousandths
	MaxSum      = 1_000_000_000 * money.One // of one piece
	signs       = "£$€¥₹ \u00a0\u202f'"     // currency signs, spaces and the apostrophe of Swiss thousands
)

// Sum reads an amount of money. Decimal is the mark before the decimal places; the
// other one may group thousands.
func Sum(b []byte, decimal byte) (money.Micros, string) {
	s, why := Number(b, decimal)
	if why != "" {
		return 0, why
	}
	m, err := money.Parse(s)
	if err != nil {
		_, text := fault.Of(err)
		return 0, text
	}
	if m > MaxSum || m < -MaxSum {
		return 0, strconv.Quote(Clip(s, 40)) + " is more than a thousand million"
	}
	return m, ""
}

// Pieces reads a quantity, in thousandths.
func Pieces(b []byte, decimal byte) (int64, string) {
	s, why := Number(b, decimal)
	if why != "" {
		return 0, why
	}
	m, err := money.Parse(s)
	switch {
	case err != nil || m%1000 != 0:
		return 0, strconv.Quote(Clip(s, 40)) + " is not a number with at most three decimal places"
	case m/1000 > maxQuantity || m/1000 < -maxQuantity:
		return 0, strconv.Quote(Clip(s, 40)) + " is more than ten million pieces"
	}
	return int64(m) / 1000, ""
}

// Number writes a number of the file with a decimal point and without groups.
func Number(b []byte, decimal byte) (string, string) {
	simple := true
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '-' {
			simple = false
			break
		}
	}
	if simple && decimal == '.' {
		return string(b), ""
	}
	text := string(b)
	bad := func(why string) (string, string) {
		return "", strconv.Quote(Clip(text, 40)) + " is not a number: " + why
	}
	negative := false
	s := strings.TrimSpace(text)
	if len(s) > 2 && s[0] == '(' && s[len(s)-1] == ')' { // as accountants write what is below zero
		s, negative = s[1:len(s)-1], true
	}
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(signs, r) {
			return -1
		}
		return r
	}, s)
	if strings.HasSuffix(s, "-") && !strings.HasPrefix(s, "-") {
		s, negative = s[:len(s)-1], true
	}
	group := byte(',')
	if decimal == ',' {
		group = '.'
	}
	whole, fraction, _ := strings.Cut(s, string(decimal))
	if strings.IndexByte(fraction, group) >= 0 {
		return bad("it has " + string(group) + " behind " + string(decimal) + "; say --decimal if the file writes decimals with a comma")
	}
	if parts := strings.Split(whole, string(group)); len(parts) > 1 {
		for i, p := range parts {
			p = strings.TrimLeft(p, "+-")
			if i == 0 && (len(p) < 1 || len(p) > 3) || i > 0 && len(p) != 3 {
				return bad("say --decimal " + string(group) + " if the file writes decimals with it")
			}
		}
		whole = strings.Join(parts, "")
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative {
		whole = "-" + whole
	}
	return whole, ""
}

// MaxCell is the longest text of a column in bytes: it stands in an event, and an
// order of 2,000 lines must fit into one.
const MaxCell = 500

// Cell returns a text as it may be kept. A formula is refused, because it is a
// program and no value; ="00123", by which spreadsheets keep leading zeros, is its
// text, and so is what stands behind the apostrophe with which [Report] and careful
// exports keep a text from being one.
func Cell(b []byte, enc Encoding) ([]byte, string) {
	b, why := Text(b, enc)
	if why == "" && len(b) > MaxCell {
		return nil, "it is longer than " + strconv.Itoa(MaxCell) + " bytes"
	}
	return b, why
}

// Text is [Cell] for texts of any length that a record can have.
func Text(b []byte, enc Encoding) ([]byte, string) {
	b = bytes.TrimSpace(b)
	if len(b) > 3 && b[0] == '=' && b[1] == '"' && b[len(b)-1] == '"' && bytes.IndexByte(b[2:len(b)-1], '"') < 0 {
		b = b[2 : len(b)-1]
	}
	switch {
	case len(b) > 1 && b[0] == '\'' && Escaped(b[1:]):
		b = b[1:]
	case len(b) > 0 && b[0] == '=':
		return nil, "it holds a formula, not a value: " + strconv.Quote(Clip(string(b), 40)) + "; put an apostrophe before it if it is a text"
	}
	plain := true
	for _, c := range b {
		if c >= utf8.RuneSelf || c < ' ' {
			plain = false
			break
		}
	}
	if plain {
		return b, ""
	}
	if enc == Windows1252 {
		w, ok := fromWindows(b)
		if !ok {
			return nil, "it holds a byte that windows-1252 does not have"
		}
		b = w
	}
	for i, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return nil, "it holds the control character " + strconv.Itoa(int(c)) + " at byte " + strconv.Itoa(i+1)
		}
	}
	if !utf8.Valid(b) {
		return nil, "it is not UTF-8; if the file comes from an old Windows program, say --encoding windows-1252"
	}
	return b, ""
}

// Clip returns at most n bytes of s, whole characters, and a mark if it was longer.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

package csv

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
	maxLine     = 1_000_000_000 * money.One // what one line comes to
	maxPrice    = 1_000_000_000 * money.One // of one piece
	signs       = "£$€¥₹ \u00a0\u202f'"     // currency signs, spaces and the apostrophe of Swiss thousands
)

// sum reads an amount of money. Decimal is the mark before the decimal places; the
// other one may group thousands.
func sum(b []byte, decimal byte) (money.Micros, string) {
	s, why := number(b, decimal)
	if why != "" {
		return 0, why
	}
	m, err := money.Parse(s)
	if err != nil {
		_, text := fault.Of(err)
		return 0, text
	}
	if m > maxPrice || m < -maxPrice {
		return 0, strconv.Quote(clip(s, 40)) + " is more than a thousand million"
	}
	return m, ""
}

// pieces reads a quantity, in thousandths.
func pieces(b []byte, decimal byte) (int64, string) {
	s, why := number(b, decimal)
	if why != "" {
		return 0, why
	}
	m, err := money.Parse(s)
	switch {
	case err != nil || m%1000 != 0:
		return 0, strconv.Quote(clip(s, 40)) + " is not a number with at most three decimal places"
	case m/1000 > maxQuantity || m/1000 < -maxQuantity:
		return 0, strconv.Quote(clip(s, 40)) + " is more than ten million pieces"
	}
	return int64(m) / 1000, ""
}

// number writes a number of the file with a decimal point and without groups.
func number(b []byte, decimal byte) (string, string) {
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
		return "", strconv.Quote(clip(text, 40)) + " is not a number: " + why
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

// maxCell is the longest text of a column in bytes: it stands in an event, and an
// order of 2,000 lines must fit into one.
const maxCell = 500

// cell returns a text as it may be kept. A formula is refused, because it is a
// program and no value; ="00123", by which spreadsheets keep leading zeros, is its
// text.
func cell(b []byte, enc Encoding) ([]byte, string) {
	b = bytes.TrimSpace(b)
	if len(b) > 3 && b[0] == '=' && b[1] == '"' && b[len(b)-1] == '"' && bytes.IndexByte(b[2:len(b)-1], '"') < 0 {
		b = b[2 : len(b)-1]
	}
	switch {
	case len(b) > 0 && b[0] == '=':
		return nil, "it holds a formula, not a value: " + strconv.Quote(clip(string(b), 40))
	case len(b) > maxCell:
		return nil, "it is longer than " + strconv.Itoa(maxCell) + " bytes"
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

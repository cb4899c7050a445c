package condition

import (
	"math"
	"strconv"
	"strings"

	"rapport/internal/core/money"
)

// bound is a comparison with a number: within [min, max], or outside of it.
type bound struct {
	min, max int64
	not      bool
}

const (
	minBound = math.MinInt64
	maxBound = math.MaxInt64
)

func (b bound) holds(n int64) bool { return (n >= b.min && n <= b.max) != b.not }

func (b bound) hasMax() bool { return b.max != maxBound }

// turn returns by which rank from the newest the answer turns while observations
// leave a window that holds n of them: it turns when that one leaves. Zero: it
// does not turn by leaving.
func (b bound) turn(n int64) int64 {
	switch {
	case n > b.max:
		return b.max + 1 // down to max; never below zero, see parse
	case n >= b.min && b.min > 0:
		return b.min
	}
	return 0
}

// parseBound reads ">= 3", "> 3", "<= 3", "< 3", "3", "= 3", "!= 3", "2 to 5".
// Numbers are read by number, in its unit of 1.
func parseBound(s string, number func(string) (int64, bool)) (bound, bool) {
	s = strings.TrimSpace(s)
	if lo, hi, found := strings.Cut(s, " to "); found {
		from, ok1 := number(strings.TrimSpace(lo))
		upto, ok2 := number(strings.TrimSpace(hi))
		return bound{min: from, max: upto}, ok1 && ok2 && from <= upto
	}
	op := s[:len(s)-len(strings.TrimLeft(s, "<>=!≥≤"))]
	n, ok := number(strings.TrimSpace(s[len(op):]))
	if !ok {
		return bound{}, false
	}
	switch op {
	case ">=", "≥":
		return bound{min: n, max: maxBound}, true
	case ">":
		return bound{min: n + 1, max: maxBound}, true
	case "<=", "≤":
		return bound{min: minBound, max: n}, true
	case "<":
		return bound{min: minBound, max: n - 1}, true
	case "", "=", "==":
		return bound{min: n, max: n}, true
	case "!=":
		return bound{min: n, max: n, not: true}, true
	}
	return bound{}, false
}

// whole reads a count.
func whole(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && n <= maxCount
}

// maxCount bounds counts in definitions, far beyond what one person can do.
const maxCount = 1_000_000_000

// micros reads an amount.
func micros(s string) (int64, bool) {
	m, err := money.Parse(s)
	return int64(m), err == nil && m < maxBound-1 && m > minBound+1
}

// words returns the bound with its unit: "3 or more times".
func (b bound) words(one, many string) string {
	unit := func(n int64) string {
		if n == 1 {
			return one
		}
		return many
	}
	num := func(n int64) string { return strconv.FormatInt(n, 10) }
	switch {
	case b.not:
		return "not exactly " + num(b.min) + " " + unit(b.min)
	case b.min == b.max:
		return "exactly " + num(b.min) + " " + unit(b.min)
	case !b.hasMax():
		return num(b.min) + " or more " + many
	case b.min <= 0:
		return "at most " + num(b.max) + " " + unit(b.max)
	}
	return num(b.min) + " to " + num(b.max) + " " + many
}

func (b bound) moneyWords(say func(money.Micros) string) string {
	switch {
	case b.not:
		return "anything but " + say(money.Micros(b.min))
	case b.min == b.max:
		return "exactly " + say(money.Micros(b.min))
	case !b.hasMax():
		return say(money.Micros(b.min)) + " or more"
	case b.min == minBound:
		return "at most " + say(money.Micros(b.max))
	}
	return say(money.Micros(b.min)) + " to " + say(money.Micros(b.max))
}

func (b bound) canon() string {
	return strconv.FormatInt(b.min, 10) + " " + strconv.FormatInt(b.max, 10) + " " + strconv.FormatBool(b.not)
}

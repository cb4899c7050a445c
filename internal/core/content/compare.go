package content

import (
	"math"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// number returns v as a whole number or a fraction, and whether it is one. Text
// counts as the number it begins with.
func number(v any) (i int64, f float64, whole, ok bool) {
	switch v := v.(type) {
	case int64:
		return v, float64(v), true, true
	case float64:
		return 0, v, false, true
	case safe:
		return number(string(v))
	case string:
		s := strings.TrimSpace(v)
		end, dot := 0, false
		for end < len(s) {
			c := s[end]
			if c >= '0' && c <= '9' || end == 0 && (c == '-' || c == '+') {
				end++
			} else if c == '.' && !dot && end+1 < len(s) && s[end+1] >= '0' && s[end+1] <= '9' {
				dot = true
				end++
			} else {
				break
			}
		}
		if dot || end > 18 {
			f, err := strconv.ParseFloat(s[:end], 64)
			return 0, f, false, err == nil
		}
		n, err := strconv.ParseInt(s[:end], 10, 64)
		return n, float64(n), true, err == nil
	}
	return 0, 0, true, false
}

// integer returns v as a whole number; a fraction is cut off.
func integer(v any) (int64, bool) {
	i, f, whole, ok := number(v)
	if !ok {
		return 0, false
	}
	if whole {
		return i, true
	}
	if math.Abs(f) > 1e18 || math.IsNaN(f) {
		return 0, false
	}
	return int64(f), true
}

// equal compares as Liquid does: numbers by their value, empty and blank by what
// they stand for, lists item by item.
func (r *run) equal(a, b any, depth int) bool {
	if !r.step(1) || depth > maxNesting {
		return false
	}
	if w, ok := a.(word); ok {
		return r.isWord(w, b)
	}
	if w, ok := b.(word); ok {
		return r.isWord(w, a)
	}
	switch x := a.(type) {
	case int64, float64:
		switch b.(type) {
		case int64, float64:
			_, fa, _, _ := number(a)
			_, fb, _, _ := number(b)
			return fa == fb
		}
		return false
	case string, safe:
		switch b.(type) {
		case string, safe:
			r.touch(a)
			return r.text(a) == r.text(b)
		}
		return false
	case []any, pair, span:
		if !isList(b) {
			return false
		}
		l, m := r.items(x), r.items(b)
		if len(l) != len(m) {
			return false
		}
		for i := range l {
			if !r.equal(l[i], m[i], depth+1) {
				return false
			}
		}
		return true
	case event.Object, map[string]any:
		if !isObject(b) {
			return false
		}
		l, m := r.pairs(a), r.pairs(b)
		if len(l) != len(m) {
			return false
		}
		for _, p := range l {
			other, ok := r.field(b, p.(pair).key)
			if !ok || !r.equal(p.(pair).value, other, depth+1) {
				return false
			}
		}
		return true
	case *loop:
		return false
	}
	switch b.(type) {
	case []any, map[string]any, pair, *loop:
		return false
	}
	return a == b
}

func (r *run) isWord(w word, v any) bool {
	if other, ok := v.(word); ok {
		return w == other
	}
	if w == isBlank {
		return blank(v)
	}
	return empty(v)
}

func isList(v any) bool {
	switch v.(type) {
	case []any, pair, span:
		return true
	}
	return false
}

// ordered compares numbers with numbers and texts with texts. Nothing is neither
// more nor less than anything.
func (r *run) ordered(op string, a, b any) bool {
	way := 0
	switch x := a.(type) {
	case int64, float64:
		switch b.(type) {
		case int64, float64:
			way = compareNumbers(a, b)
		case nil, word, bool:
			return false
		default:
			r.fail(fault.Invalid, "a number is compared with something that is none")
			return false
		}
	case event.Time:
		y, ok := b.(event.Time)
		if !ok {
			return false
		}
		way = int(min(max(x-y, -1), 1))
	case string, safe:
		switch b.(type) {
		case string, safe:
			way = strings.Compare(r.text(a), r.text(b))
		case int64, float64:
			r.fail(fault.Invalid, "a text is compared with a number")
			return false
		default:
			return false
		}
	default:
		return false
	}
	switch op {
	case "<":
		return way < 0
	case "<=":
		return way <= 0
	case ">":
		return way > 0
	}
	return way >= 0
}

func compareNumbers(a, b any) int {
	i, f, wholeA, _ := number(a)
	j, g, wholeB, _ := number(b)
	switch {
	case wholeA && wholeB && i < j, !(wholeA && wholeB) && f < g:
		return -1
	case wholeA && wholeB && i > j, !(wholeA && wholeB) && f > g:
		return 1
	}
	return 0
}

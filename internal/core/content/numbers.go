package content

import (
	"math"
	"strconv"

	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// arithmetic computes with two numbers. What is no number counts as 0; dividing
// by 0 is an error. Whole numbers stay whole and division rounds down.
func (r *run) arithmetic(op byte, a, b any) any {
	i, f, wholeA, _ := number(a)
	j, g, wholeB, _ := number(b)
	if op == '/' || op == '%' {
		if g == 0 {
			r.fail(fault.Invalid, "a number is divided by 0")
			return nil
		}
	}
	if wholeA && wholeB {
		switch op {
		case '+':
			if s := i + j; (s > i) == (j > 0) {
				return s
			}
		case '-':
			if d := i - j; (d < i) == (j > 0) {
				return d
			}
		case '*':
			if i == 0 || j == 0 {
				return int64(0)
			}
			if p := i * j; p/j == i && !(i == -1 && j == math.MinInt64) && !(j == -1 && i == math.MinInt64) {
				return p
			}
		case '/':
			q := i / j
			if i%j != 0 && (i < 0) != (j < 0) {
				q--
			}
			return q
		case '%':
			m := i % j
			if m != 0 && (m < 0) != (j < 0) {
				m += j
			}
			return m
		}
	}
	switch op {
	case '+':
		return tidy(f + g)
	case '-':
		return tidy(f - g)
	case '*':
		return tidy(f * g)
	case '/':
		return f / g
	}
	m := math.Mod(f, g)
	if m != 0 && (m < 0) != (g < 0) {
		m += g
	}
	return tidy(m)
}

// tidy rounds to 15 digits, so that 0.1 + 0.2 reads 0.3: Liquid computes with
// decimals.
func tidy(f float64) any {
	t, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
	if err != nil {
		return f
	}
	return t
}

func abs(_ *run, v any, _ []any, _ map[string]any) any {
	i, f, whole, _ := number(v)
	if !whole {
		return math.Abs(f)
	}
	if i < 0 {
		return -i
	}
	return i
}

// limit bounds a number by another: way −1 from below, 1 from above.
func limit(v, bound any, way int) any {
	v, bound = numeric(v), numeric(bound)
	if compareNumbers(v, bound) == way {
		return bound
	}
	return v
}

// numeric returns v as a number; what is none is 0.
func numeric(v any) any {
	i, f, whole, _ := number(v)
	if whole {
		return i
	}
	return f
}

type way func(float64) float64

var (
	ceilWay  way = math.Ceil
	floorWay way = math.Floor
)

func roundTo(v any, w way) any {
	i, f, whole, _ := number(v)
	if whole {
		return i
	}
	return int64(w(f))
}

func round(_ *run, v any, args []any, _ map[string]any) any {
	digits := int64(0)
	if len(args) > 0 {
		digits, _ = integer(args[0])
	}
	i, f, whole, _ := number(v)
	if whole && digits >= 0 {
		return i
	}
	digits = min(max(digits, -18), 15)
	shift := math.Pow(10, float64(digits))
	rounded := math.Round(f*shift) / shift
	if digits <= 0 {
		return int64(rounded)
	}
	return tidy(rounded)
}

// amount returns a number as an amount, if it is one without a doubt: a fraction
// of a float that is not one of millionths is left to exact decimals.
func amount(v any) (money.Micros, bool) {
	const most = 1e9 // with six decimals a float is exact to more digits than that
	switch v := v.(type) {
	case int64:
		if v > -most && v < most {
			return money.Micros(v) * money.One, true
		}
	case float64:
		if x := v * float64(money.One); math.Abs(v) < most {
			m := math.Round(x)
			return money.Micros(m), math.Abs(x-m) < 1e-3
		}
	}
	return 0, false
}

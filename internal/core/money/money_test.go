package money_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// exact reads a decimal text as a number of millionths without bounds; nil if it
// is not a whole number of them.
func exact(s string) *big.Int {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	r.Mul(r, big.NewRat(1_000_000, 1))
	if !r.IsInt() {
		return nil
	}
	return r.Num()
}

func TestASumIsReadExactlyOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringMatching(`[+-]?[0-9]{1,20}(\.[0-9]{0,9})?([eE][+-]?[0-9]{1,2})?`),
			rapid.StringMatching(`-?922337203685[0-9](\.[0-9]{1,6})?`),
		).Draw(t, "text")
		got, err := money.Parse(s)
		want := exact(s)
		switch {
		case err == nil && (want == nil || want.Cmp(big.NewInt(int64(got))) != 0):
			t.Fatalf("%q is read as %d, want %s", s, got, want)
		case err != nil && !fault.Is(err, fault.Invalid):
			t.Fatalf("%q: %v, want an Invalid one", s, err)
		case err != nil && want != nil && want.IsInt64() && len(s) < 18 && want.Int64() != math.MinInt64:
			t.Fatalf("%q: %v, want %s", s, err, want)
		}
	})
}

func TestASumThatIsWrittenIsReadAsItself(t *testing.T) {
	t.Parallel()
	check := func(t interface{ Fatalf(string, ...any) }, m money.Micros) {
		s := m.String()
		if want := exact(s); want == nil || !want.IsInt64() || want.Int64() != int64(m) {
			t.Fatalf("%d is written as %q", int64(m), s)
		}
		if _, fraction, ok := strings.Cut(s, "."); !ok || len(fraction) < 2 || len(fraction) > 6 {
			t.Fatalf("%d is written as %q: two to six places are expected", int64(m), s)
		}
		if m == math.MinInt64 {
			return // the one sum that no text means
		}
		if got, err := money.Parse(s); err != nil || got != m {
			t.Fatalf("%q is read as %d, %v; want %d", s, int64(got), err, int64(m))
		}
	}
	for _, m := range []money.Micros{0, 1, -1, money.One, -money.One, math.MaxInt64, math.MinInt64, -math.MaxInt64, 999_999, 1_000_001} {
		check(t, m)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, money.Micros(rapid.Int64().Draw(t, "m"))) })
}

func TestSumsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, want string
	}{
		{"12.5", "12.50"},
		{"-0.001", "-0.001"},
		{"1e3", "1000.00"},
		{"+5", "5.00"},
		{".5", "0.50"},
		{"5.", "5.00"},
		{"-0", "0.00"},
		{"1.500000000", "1.50"},
		{"2500e-2", "25.00"},
		{"0e18", "0.00"},
		{"0.000001", "0.000001"},
		{"000012", "12.00"},
	} {
		if m, err := money.Parse(c.text); err != nil || m.String() != c.want {
			t.Errorf("%q is %s, %v; want %s", c.text, m, err, c.want)
		}
	}
	for _, text := range []string{"", ".", "-", "+", "-+5", "--5", "+-5", "1,000", "£5", " 5", "5 ", "1e", "e5", "1e99", "1e1.5", "0x10", "NaN", "Inf", "1_000", "0.0000001", "9223372036854.775808", "1e13", strings.Repeat("0", 31)} {
		if m, err := money.Parse(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is read as %s, %v", text, m, err)
		}
	}
}

func TestAddingAndMultiplyingIsExactOrRefused(t *testing.T) {
	t.Parallel()
	edge := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, -1, 1000, -1000, math.MaxInt64, math.MinInt64, math.MaxInt64 / 2, 3_037_000_500}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := edge.Draw(t, "a"), edge.Draw(t, "b")
		if rapid.IntRange(0, 9).Draw(t, "corner") == 0 {
			a, b = 1<<62, 4000 // where dividing the product by a thousand would overflow
		}
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		for _, c := range []struct {
			what string
			f    func() (money.Micros, error)
			want *big.Int
		}{
			{"times", func() (money.Micros, error) { return money.Micros(a).Times(b) }, product},
			{"thousandths", func() (money.Micros, error) { return money.Micros(a).Thousandths(b) }, new(big.Int).Quo(product, big.NewInt(1000))},
			{"plus", func() (money.Micros, error) { return money.Micros(a).Plus(money.Micros(b)) }, new(big.Int).Add(big.NewInt(a), big.NewInt(b))},
			{"add", func() (money.Micros, error) {
				sum, err := money.Amount{Micros: money.Micros(a), Currency: "GBP"}.Add(money.Amount{Micros: money.Micros(b), Currency: "GBP"})
				return sum.Micros, err
			}, new(big.Int).Add(big.NewInt(a), big.NewInt(b))},
		} {
			got, err := c.f()
			switch {
			case err == nil && (!c.want.IsInt64() || c.want.Int64() != int64(got)):
				t.Fatalf("%d %s %d = %d, want %s", a, c.what, b, int64(got), c.want)
			case err != nil && c.want.IsInt64() && c.want.Int64() != math.MinInt64:
				t.Fatalf("%d %s %d: %v, want %s", a, c.what, b, err, c.want)
			}
		}
	})
}

func TestAmountsOfTwoCurrenciesAreNotAdded(t *testing.T) {
	t.Parallel()
	pound, euro := money.Amount{Micros: money.One, Currency: "GBP"}, money.Amount{Micros: money.One, Currency: "EUR"}
	if sum, err := pound.Add(euro); !fault.Is(err, fault.Invalid) {
		t.Errorf("1 GBP + 1 EUR = %s, %v", sum, err)
	}
	for _, pair := range [][2]money.Amount{{pound, {}}, {{}, pound}} {
		if sum, err := pair[0].Add(pair[1]); err != nil || sum != pound {
			t.Errorf("1 GBP and nothing is %s, %v", sum, err)
		}
	}
	if two, err := pound.Add(pound); err != nil || two.String() != "2.00 GBP" {
		t.Errorf("1 GBP + 1 GBP = %s, %v", two, err)
	}
}

func TestACurrencyIsThreeLetters(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"GBP", "gbp", "Gbp"} {
		if c, err := money.ParseCurrency(s); err != nil || c != "GBP" {
			t.Errorf("%q is %q, %v", s, c, err)
		}
	}
	for _, s := range []string{"", "GB", "GBPX", "G1P", "[{]", "@`@", "£", "ÄÖ", "G P"} {
		if c, err := money.ParseCurrency(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is %q, %v", s, c, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("-9223372036854.775807")
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := money.Parse(s); err == nil {
			if again, err := money.Parse(m.String()); err != nil || again != m {
				t.Fatalf("%q is %s, which is %s, %v", s, m, again, err)
			}
		}
	})
}

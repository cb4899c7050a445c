package csv

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// Totals are what a file holds. They count lines as the file has them; orders,
// customers and sums are of what is imported.
type Totals struct {
	Rows      int64 `json:"rows"`      // lines below the header that are not empty
	Refused   int64 `json:"refused"`   // lines that are not imported
	Orders    int64 `json:"orders"`    // Order Completed
	Refunds   int64 `json:"refunds"`   // Order Refunded
	Customers int64 `json:"customers"` // different customers, by number, address or telephone
	Nobodys   int64 `json:"orders_without_customer"`
	// More says that there are more customers than are told apart: maxPeople.
	More  bool       `json:"more_customers,omitempty"`
	Sums  Sums       `json:"sums"` // orders less refunds, by currency; the shop's own has an empty name
	First event.Time `json:"first"`
	Last  event.Time `json:"last"`
}

// Sums are exact sums by currency.
type Sums map[money.Currency]*big.Int

func (s Sums) add(c money.Currency, m money.Micros) {
	if s[c] == nil {
		s[c] = new(big.Int)
	}
	s[c].Add(s[c], big.NewInt(int64(m)))
}

// clone returns sums that do not change any more.
func (s Sums) clone() Sums {
	out := make(Sums, len(s))
	for c, v := range s {
		out[c] = new(big.Int).Set(v)
	}
	return out
}

// Amount returns the sum of a currency as a decimal text with at least two places.
func (s Sums) Amount(c money.Currency) string {
	whole, fraction := new(big.Int).QuoRem(s[c], big.NewInt(int64(money.One)), new(big.Int))
	sign := ""
	if s[c].Sign() < 0 {
		sign = "-"
		whole.Abs(whole)
		fraction.Abs(fraction)
	}
	_, places, _ := strings.Cut(money.Micros(fraction.Int64()).String(), ".")
	return sign + whole.String() + "." + places
}

// String returns the sums for people, by currency: "9747747.934 GBP".
func (s Sums) String() string {
	var parts []string
	for _, c := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, strings.TrimSpace(s.Amount(c)+" "+string(c)))
	}
	return strings.Join(parts, ", ")
}

// MarshalJSON returns the sums as an object of exact numbers.
func (s Sums) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, c := range slices.Sorted(maps.Keys(s)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(event.AppendQuoted(b, string(c)), ':')
		b = append(b, s.Amount(c)...)
	}
	return append(b, '}'), nil
}

// set is a set of hashes that never grows beyond a limit: it forgets what came
// before the last limit/2 additions. Two texts of one hash are as likely as a
// disk that lies.
type set struct {
	limit      int
	young, old map[uint64]struct{}
	full       bool
}

func newSet(limit int) *set { return &set{limit: limit, young: map[uint64]struct{}{}} }

func (s *set) has(h uint64) bool {
	if _, ok := s.young[h]; ok {
		return true
	}
	_, ok := s.old[h]
	return ok
}

// add adds and reports whether the hash is new.
func (s *set) add(h uint64) bool {
	if s.has(h) {
		return false
	}
	if len(s.young) >= s.limit/2 {
		s.old, s.young, s.full = s.young, map[uint64]struct{}{}, true
	}
	s.young[h] = struct{}{}
	return true
}

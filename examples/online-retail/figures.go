package retail

import (
	"fmt"
	"math/bits"
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// Pounds is an exact sum that stands in JSON as a number of pounds: 9747747.934.
type Pounds money.Micros

// String returns the sum in pounds with at least two places.
func (p Pounds) String() string { return money.Micros(p).String() }

// MarshalJSON returns the sum as a number in pounds.
func (p Pounds) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalJSON reads a number in pounds, exactly.
func (p *Pounds) UnmarshalJSON(b []byte) error {
	m, err := money.Parse(string(b))
	*p = Pounds(m)
	return err
}

// Figures are what others have published about the file, as our own reader
// counts it, so that whoever knows the data set can check the reader at a glance.
type Figures struct {
	Orders Totals `json:"orders"` // every row
	Clean  Totals `json:"clean"`  // the rows that are [Row.Clean]

	// Cohorts are customers by the month of their first row, over all rows with a
	// customer, returns included; CohortsBought leaves the returns out.
	Cohorts       []Cohort `json:"cohorts"`
	CohortsBought []Cohort `json:"cohorts_bought"`

	// Weekdays and Hours count the clean invoices by the day (Sunday first, as in
	// [time.Weekday]) and the hour of their first row.
	Weekdays [7]int  `json:"weekdays"`
	Hours    [24]int `json:"hours"`

	// SaturdayRows counts rows of any kind that were written on a Saturday.
	SaturdayRows int        `json:"saturday_rows"`
	First        event.Time `json:"first"`
	Last         event.Time `json:"last"`
}

// Totals are the sizes of a part of the file.
type Totals struct {
	Rows                int    `json:"rows"`
	Invoices            int    `json:"invoices"`
	StockCodes          int    `json:"stock_codes"`
	Customers           int    `json:"customers"`
	RowsWithoutCustomer int    `json:"rows_without_customer"`
	ReturnRows          int    `json:"return_rows"`
	NotProductRows      int    `json:"not_product_rows"` // by [ProductRule]
	Countries           int    `json:"countries"`
	Sum                 Pounds `json:"sum"`
}

// Cohort is how many customers of one first month came back in each month since.
type Cohort struct {
	Month     string `json:"month"`     // "2010-12"
	Customers []int  `json:"customers"` // in the month itself, the month after, and so on to the last of the file
}

// Wholesale says in a sentence what every reader of the demo should know about
// these customers, with its proof from the file.
func (f Figures) Wholesale() string {
	from, to := -1, -1
	for h, n := range f.Hours {
		if n > 0 {
			if from < 0 {
				from = h
			}
			to = h
		}
	}
	return fmt.Sprintf("Many of these customers are wholesalers and buy in office hours: of %d orders %d came on a Saturday, none before %02d:00 and none after %02d:59.",
		f.Clean.Invoices, f.Weekdays[6], from, to)
}

// Tally counts [Figures] row by row. The zero Tally is ready to use.
type Tally struct {
	all, clean        part
	months            map[string]uint32 // customer → bit m for month m since the file's first
	bought            map[string]uint32
	weekdays          [7]int
	hours             [24]int
	saturday          int
	first, last       event.Time
	minute            event.Time // the minute that the next four are about
	month, hour, wday int
}

type part struct {
	rows, unknown, returns, other int
	sum                           money.Micros
	invoices, codes               map[string]bool
	customers, countries          map[string]bool
	last                          string // the invoice of the row before
}

// add counts a row, and reports whether it is the first of its invoice.
func (p *part) add(r Row) (first bool) {
	if p.invoices == nil {
		p.invoices, p.codes = make(map[string]bool, invoicesHint), make(map[string]bool)
		p.customers, p.countries = make(map[string]bool), make(map[string]bool)
	}
	p.rows++
	p.sum += r.Net()
	if r.Invoice != p.last {
		first = !p.invoices[r.Invoice]
		p.invoices[r.Invoice], p.last = true, r.Invoice
		p.countries[r.Country] = true
		if r.Customer != "" {
			p.customers[r.Customer] = true
		}
	}
	p.codes[r.SKU] = true
	if r.Customer == "" {
		p.unknown++
	}
	if r.Returned() {
		p.returns++
	}
	if !IsProduct(r.SKU) {
		p.other++
	}
	return first
}

func (p *part) totals() Totals {
	return Totals{
		Rows: p.rows, Invoices: len(p.invoices), StockCodes: len(p.codes), Customers: len(p.customers), Countries: len(p.countries),
		RowsWithoutCustomer: p.unknown, ReturnRows: p.returns, NotProductRows: p.other, Sum: Pounds(p.sum),
	}
}

// firstMonth is the month of the file's first row; cohorts count from it.
const firstMonth = 2010*12 + 11

// Add counts a row. Rows must come in the order of the file, in which the first
// row of an invoice is its earliest.
func (t *Tally) Add(r Row) {
	if r.At != t.minute {
		at := r.At.Time()
		t.minute, t.hour, t.wday = r.At, at.Hour(), int(at.Weekday())
		t.month = int(r.At.Month()) - firstMonth
	}
	if t.first == 0 {
		t.first = r.At
		t.months, t.bought = make(map[string]uint32), make(map[string]uint32)
	}
	t.first, t.last = min(t.first, r.At), max(t.last, r.At)
	if t.wday == 6 {
		t.saturday++
	}
	first := t.all.add(r)
	if r.Customer != "" && first {
		t.months[r.Customer] |= 1 << t.month
		if !r.Returned() {
			t.bought[r.Customer] |= 1 << t.month
		}
	}
	if r.Clean() && t.clean.add(r) {
		t.weekdays[t.wday]++
		t.hours[t.hour]++
	}
}

// Figures returns what has been counted.
func (t *Tally) Figures() Figures {
	return Figures{
		Orders: t.all.totals(), Clean: t.clean.totals(), Cohorts: cohorts(t.months), CohortsBought: cohorts(t.bought),
		Weekdays: t.weekdays, Hours: t.hours, SaturdayRows: t.saturday, First: t.first, Last: t.last,
	}
}

// Count returns the figures of rows, such as [Rows].
func Count(rows func(yield func(Row) bool) error) (Figures, error) {
	var t Tally
	err := rows(func(r Row) bool {
		t.Add(r)
		return true
	})
	return t.Figures(), err
}

// cohorts returns the triangle of customers whose months are given as bits.
func cohorts(months map[string]uint32) []Cohort {
	var all uint32
	for _, m := range months {
		all |= m
	}
	n := bits.Len32(all)
	out := make([]Cohort, n)
	for i := range out {
		m := firstMonth + i
		out[i] = Cohort{Month: strconv.Itoa(m/12) + "-" + fmt.Sprintf("%02d", m%12+1), Customers: make([]int, n-i)}
	}
	for _, m := range months { // sums only: the order of the map does not show
		first := bits.TrailingZeros32(m)
		for i := first; i < n; i++ {
			if m&(1<<i) != 0 {
				out[first].Customers[i-first]++
			}
		}
	}
	return out
}

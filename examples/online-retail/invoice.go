package retail

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// Invoice is what the shop wrote under one number.
type Invoice struct {
	Number   string
	Customer string // empty: unknown
	Country  string
	At       event.Time // the first minute of its rows; 43 invoices have two
	Return   bool       // the number begins with C
	Lines    []Line     // in the order of the file
}

// Line is one row of an invoice.
type Line struct {
	SKU         string
	Description string
	Quantity    int64
	Price       money.Micros
	Product     bool // by [ProductRule]
}

// Net returns quantity × price.
func (l Line) Net() money.Micros { return l.Price * money.Micros(l.Quantity) }

// Net returns the exact sum of the lines, with postage and corrections: the sum
// over all invoices is that of the file.
func (v Invoice) Net() money.Micros {
	var sum money.Micros
	for _, l := range v.Lines {
		sum += l.Net()
	}
	return sum
}

// Pieces returns the sum of the quantities of all lines.
func (v Invoice) Pieces() int64 {
	var n int64
	for _, l := range v.Lines {
		n += l.Quantity
	}
	return n
}

// ProductRule says which lines are products, for people to read.
const ProductRule = "A line is a product if its stock code begins with five digits or with DCGS. " +
	"The rest is postage (POST, DOT, C2), fees (BANK CHARGES, AMAZONFEE, CRUK), discounts (D), corrections by hand (M, B), " +
	"samples (S), spare cushion pads (PADS) and gift vouchers (gift_…): it counts as money and never as a product."

// IsProduct reports whether a stock code is that of a product, by [ProductRule].
func IsProduct(sku string) bool {
	if strings.HasPrefix(sku, "DCGS") {
		return true
	}
	if len(sku) < 5 {
		return false
	}
	for i := range 5 {
		if sku[i] < '0' || sku[i] > '9' {
			return false
		}
	}
	return true
}

// invoicesHint is the number of invoices of the file, to reserve memory once.
const invoicesHint = 25_900

// Invoices returns the whole year as invoices, by time and, within a minute, by
// number. It takes about 40 MB, as long as the caller holds on to it.
func Invoices() ([]Invoice, error) {
	invoices := make([]Invoice, 0, invoicesHint)
	place := make(map[string]int, invoicesHint)
	open, run := -1, []Line(nil) // the invoice that is being read and its lines so far
	flush := func() {
		if open >= 0 {
			invoices[open].Lines = append(invoices[open].Lines, run...)
		}
		run = run[:0]
	}
	err := Rows(func(r Row) bool {
		if open < 0 || invoices[open].Number != r.Invoice {
			flush()
			i, ok := place[r.Invoice] // the lines of one number stand together but once
			if !ok {
				i = len(invoices)
				place[r.Invoice] = i
				invoices = append(invoices, Invoice{
					Number: r.Invoice, Customer: r.Customer, Country: r.Country, At: r.At, Return: r.Returned(),
				})
			}
			open = i
		}
		invoices[open].At = min(invoices[open].At, r.At)
		run = append(run, Line{
			SKU: r.SKU, Description: r.Description, Quantity: r.Quantity, Price: r.Price, Product: IsProduct(r.SKU),
		})
		return true
	})
	if err != nil {
		return nil, err
	}
	flush()
	slices.SortFunc(invoices, func(a, b Invoice) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Number, b.Number))
	})
	return invoices, nil
}

package suggest

import (
	"rapport/examples/online-retail"
	"rapport/internal/core/recommend"
)

// Baskets returns the baskets of the Online Retail year by the published protocol of
// last baskets: known customers, no returns, quantity and price above zero, stock
// codes that begin with five digits; a basket is an invoice, and its instant the
// first minute of those rows.
func Baskets() ([]recommend.Basket, error) {
	at := map[string]int{}
	seen := map[[2]string]bool{}
	var list []recommend.Basket
	err := retail.Rows(func(r retail.Row) bool {
		if !r.Clean() || !fiveDigits(r.SKU) {
			return true
		}
		i, known := at[r.Invoice]
		if !known {
			i = len(list)
			at[r.Invoice] = i
			list = append(list, recommend.Basket{Customer: r.Customer, Order: r.Invoice, At: r.At})
		}
		b := &list[i]
		b.At = min(b.At, r.At)
		if k := [2]string{r.Invoice, r.SKU}; !seen[k] {
			seen[k] = true
			b.Items = append(b.Items, r.SKU)
		}
		return true
	})
	return list, err
}

func fiveDigits(sku string) bool {
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

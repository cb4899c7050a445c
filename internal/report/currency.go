package report

import (
	"context"

	"rapport/internal/core/money"
)

// inCurrency returns the currency in which sums are told, and SQL that says whether a
// row is in it: that of most orders, and of those that name none, which are in the
// shop's own. Amounts of two currencies are never added up. It is empty if no order
// names one.
func (t *Tables) inCurrency(ctx context.Context) (most money.Currency, is string, err error) {
	err = t.each(ctx, "SELECT currency, count(*) AS n FROM orders WHERE currency != '' GROUP BY currency ORDER BY n DESC, currency LIMIT 1", nil, func(row []any) error {
		most, err = money.ParseCurrency(word(row[0])) // three letters: it may stand in SQL
		return err
	})
	return most, "currency IN ('', '" + string(most) + "')", err
}

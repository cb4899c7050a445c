package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/money"
	"rapport/internal/sources/csv"
)

type importOrdersCmd struct {
	importFlags
	Currency      string `placeholder:"GBP" help:"Currency of orders whose lines name none. Default: the shop's own."`
	Decimal       string `default:"." help:"Mark before decimal places: . or , ."`
	ReturnsPrefix string `placeholder:"C" help:"What the numbers of returns begin with. Quantities below zero are returns anyway."`
}

// Run imports the file. It fails if a line was refused.
func (c *importOrdersCmd) Run(ctx context.Context, e *env) (err error) {
	i, err := c.start(e, "orders")
	if err != nil {
		return err
	}
	o, err := c.options(i)
	if err != nil {
		return err
	}
	in, err := i.input()
	if err != nil {
		return err
	}
	defer in.Close()
	var mapping csv.Mapping
	o.Columns = func(m csv.Mapping) error {
		mapping = m
		fmt.Fprintf(e.err, "columns: %s\n", m)
		if unused := m.Unused(); len(unused) > 0 {
			fmt.Fprintf(e.err, "not used: %s\n", strings.Join(unused, ", "))
		}
		return i.understood(m.Header(), mapFile{Columns: m.Said(), Dates: i.Dates, Zone: i.Zone, Delimiter: i.Delimiter, Encoding: i.Encoding})
	}
	o.Refuse = i.refuse
	o.Progress = func(p csv.Progress) error {
		i.tell(p.Totals.Rows, p.Totals.Refused, fmt.Sprintf("%d orders", p.Totals.Orders+p.Totals.Refunds))
		return nil
	}
	var totals csv.Totals
	err = i.work(ctx, func() (err error) {
		if i.imp == nil {
			totals, err = csv.Import(ctx, in, o)
		} else {
			totals, err = i.imp.Orders(ctx, in, o)
		}
		return err
	})
	if report := i.closeReport(); err == nil {
		err = report
	}
	return errors.Join(err, c.print(i, mapping, totals, err))
}

// options turns the flags into options; what is wrong with them is misuse.
func (c *importOrdersCmd) options(i *importing) (csv.Options, error) {
	o := csv.Options{
		Source: c.Source, Map: i.said, Zone: i.zone, Dates: csv.DateOrder(strings.ToLower(c.Dates)), Delimiter: i.delimiter,
		Encoding: csv.Encoding(strings.ToLower(c.Encoding)), ReturnsPrefix: c.ReturnsPrefix, Live: c.Live,
	}
	var err error
	if c.Currency != "" {
		if o.Currency, err = money.ParseCurrency(c.Currency); err != nil {
			return o, fmt.Errorf("%w: --currency: %w", errMisuse, err)
		}
	}
	if len(c.Decimal) != 1 {
		return o, fmt.Errorf("%w: --decimal is . or ,", errMisuse)
	}
	o.Decimal = c.Decimal[0]
	return o, nil
}

// print says what was in the file.
func (c *importOrdersCmd) print(i *importing, m csv.Mapping, t csv.Totals, failed error) error {
	if c.JSON {
		if err := i.e.printJSON(struct {
			csv.Totals
			Mapping string `json:"mapping"`
			result
		}{t, m.String(), i.result(t.Rows, failed)}); err != nil {
			return err
		}
	} else if m.Header() != nil {
		c.write(i, t)
		if err := i.writeReached(); err != nil {
			return err
		}
	}
	return i.finish(failed, t.Rows, t.Refused)
}

// write says it for people.
func (c *importOrdersCmd) write(i *importing, t csv.Totals) {
	what := "imported"
	if c.DryRun {
		what = "would be imported"
	}
	more := ""
	if t.More {
		more = " or more"
	}
	out := i.e.out
	fmt.Fprintf(out, "%d lines: %d orders and %d refunds of %d%s customers %s", t.Rows, t.Orders, t.Refunds, t.Customers, more, what)
	if t.Nobodys > 0 {
		fmt.Fprintf(out, "; %d order numbers are without a customer, and each of them counts as one whom nobody knows", t.Nobodys)
	}
	fmt.Fprintln(out)
	if t.First != 0 {
		fmt.Fprintf(out, "from %s to %s\n", t.First, t.Last)
	}
	for _, cur := range slices.Sorted(maps.Keys(t.Sums)) {
		name := string(cur)
		if cur == "" {
			name = "(the shop's own currency)"
		}
		fmt.Fprintf(out, "sum %s %s\n", t.Sums.Amount(cur), name)
	}
	fmt.Fprintf(out, "%.1f s, %.0f lines/s\n", time.Since(i.began).Seconds(), i.rate(t.Rows))
	i.writeProblems(t.Refused)
}

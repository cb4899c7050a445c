package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"rapport/internal/predict"
	"rapport/internal/sources/table"
)

type predictCmd struct {
	Fit  predictFit  `cmd:"" help:"Fit models to a file."`
	Now  predictRun  `cmd:"" name:"run" help:"Fit the models to what a data directory heard, and tell its customers what changed. A server does it each night."`
	List predictList `cmd:"" help:"List the models."`
	Show predictShow `cmd:"" help:"Show how far a model can be believed, or what is said of a customer."`
}

type predictFit struct {
	CLV fitCLV `cmd:"" name:"clv" help:"What customers will be worth: fit a file of orders, and check it on the days that were held out."`
}

type fitCLV struct {
	Orders  string   `required:"" type:"existingfile" placeholder:"FILE" help:"Orders: a table with the names of its columns, or columns apart by blanks; may be packed."`
	End     string   `name:"calibration-end" placeholder:"DATE" help:"The last day to learn from; later ones check it. Default: the last order."`
	Map     []string `sep:"," placeholder:"COLUMN=FIELD,…" help:"What columns mean, where their names do not tell: customer, date, sum, price, quantity, or - for nothing."`
	Dates   string   `placeholder:"dmy|mdy" help:"Whether day or month comes first, where the file does not tell."`
	Decimal string   `default:"." help:"Mark before decimal places: . or , ."`
	JSON    bool     `help:"Print it as JSON."`
}

// Run fits the file.
func (c *fitCLV) Run(e *env) error {
	o := predict.FileOptions{Map: map[string]string{}, Dates: table.DateOrder(strings.ToLower(c.Dates))}
	for _, m := range c.Map {
		column, field, ok := strings.Cut(m, "=")
		if !ok {
			return fmt.Errorf("%w: --map %s: COLUMN=FIELD is expected", errMisuse, m)
		}
		o.Map[column] = field
	}
	if len(c.Decimal) != 1 {
		return fmt.Errorf("%w: --decimal is . or ,", errMisuse)
	}
	o.Decimal = c.Decimal[0]
	end := time.Time{}
	if c.End != "" {
		var err error
		if end, err = time.Parse(time.DateOnly, c.End); err != nil {
			return fmt.Errorf("%w: --calibration-end %s is no date such as 2011-09-30", errMisuse, c.End)
		}
	}
	f, err := os.Open(c.Orders)
	if err != nil {
		return err
	}
	defer f.Close()
	orders, err := predict.ReadOrders(f, o)
	if err != nil {
		return err
	}
	last := orders.Last
	if c.End != "" {
		last = predict.Day(end)
	}
	r, _, err := predict.Learn(orders, last)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(r)
	}
	c.write(e, orders, r)
	return nil
}

func (c *fitCLV) write(e *env, o *predict.Orders, r *predict.CLV) {
	fmt.Fprintf(e.out, "%d rows, columns: %s\n", o.Rows, o.Columns)
	if o.Nobodys > 0 {
		fmt.Fprintf(e.out, "%d rows are without a customer and were left out\n", o.Nobodys)
	}
	k := &r.Calibration
	fmt.Fprintf(e.out, "%d customers from %s to %s, %d of them came back for %d orders\n\n", r.Customers, k.From, k.To, k.Returning, k.Orders)
	for _, name := range []string{"bg_nbd", "mbg_nbd", "pareto_nbd", "gamma_gamma"} {
		m, fitted := r.Models[name]
		if !fitted {
			continue
		}
		mark := ' '
		if name == r.Chosen {
			mark = '*'
		}
		var params []string
		for p, v := range m.Params {
			params = append(params, fmt.Sprintf("%s %.4f", p, v))
		}
		slices.Sort(params)
		fmt.Fprintf(e.out, "%c %-12s log-likelihood %14.4f   %s\n", mark, name, m.LogLikelihood, strings.Join(params, "  "))
	}
	fmt.Fprintln(e.out, "\n* the likeliest model of when customers order; it is the one that counts")
	if r.NoSpend != "" {
		fmt.Fprintf(e.out, "No values in money: %s.\n", r.NoSpend)
	}
	h := r.Holdout
	if h == nil {
		fmt.Fprintln(e.out, "No days follow the calibration, so nothing is checked.")
		return
	}
	fmt.Fprintf(e.out, "\nHeld out, %.1f weeks to %s: %d orders came, %.0f were expected\n", h.Weeks, h.To, h.Orders, h.Expected[r.Chosen])
	writeBins(e, "orders before", "orders", h.Groups)
	what := "orders"
	if r.NoSpend == "" {
		what = "spent"
	}
	writeBins(e, "tenth, by what was expected", what, h.Deciles)
}

// writeBins prints a table of what was predicted beside what came.
func writeBins(e *env, group, what string, bins []predict.Bin) {
	fmt.Fprintf(e.out, "\n%28s  %9s  %14s  %14s\n", group, "customers", what+", expected", "came")
	for _, b := range bins {
		fmt.Fprintf(e.out, "%28s  %9d  %14.3f  %14.3f\n", b.Group, b.N, b.Predicted, b.Actual)
	}
}

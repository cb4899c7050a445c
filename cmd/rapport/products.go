package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"rapport/internal/catalogue"
	"rapport/internal/catalogue/feed"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/store/sqlite"
)

type importProductsCmd struct {
	File     string `arg:"" help:"Google Merchant feed (XML, TSV, CSV), Shopify's products CSV, or JSON lines; gzip is unpacked; - reads standard input."`
	Data     string `type:"path" help:"Data directory that no server is using. Not needed with --dry-run."`
	Source   string `default:"products" help:"Name of where the products come from."`
	Currency string `placeholder:"GBP" help:"Currency of prices that name none, as in Shopify's CSV."`
	Website  string `placeholder:"https://shop.example" help:"Where products of Shopify's CSV are shown: the file names no addresses."`
	Format   string `enum:",xml,google,shopify,jsonl" default:"" help:"xml, google, shopify or jsonl. Default: found out."`
	Complete bool   `help:"The file names everything that the source sells: what is not in it is not sold any more."`
	Errors   string `type:"path" placeholder:"FILE" help:"Where products go that are left out, with line, id and reason. Default: FILE.errors.csv, if there are any."`
	DryRun   bool   `help:"Say what is in the file and what is wrong with it, and write nothing."`
	JSON     bool   `help:"Print the result as JSON."`
}

// productsResult is what the command prints as JSON.
type productsResult struct {
	feed.Totals
	catalogue.Applied
	Gone     int      `json:"gone"`
	Problems []string `json:"first_problems,omitempty"`
	Errors   string   `json:"errors_file,omitempty"`
	DryRun   bool     `json:"dry_run"`
	Seconds  float64  `json:"seconds"`
}

// productBatch is how many products are written at once, and shownProblems how
// many of those that were left out are shown.
const (
	productBatch  = 500
	shownProblems = 10
)

// productsImport is one run of the command.
type productsImport struct {
	c      *importProductsCmd
	keeper *catalogue.Keeper // nil: a dry run
	batch  []catalogue.Update
	file   *os.File    // of what is left out; nil until there is something
	report *csv.Writer // into it
	result productsResult
}

// refuse notes a product that is left out.
func (i *productsImport) refuse(r feed.Refusal) error {
	if len(i.result.Problems) < shownProblems {
		i.result.Problems = append(i.result.Problems, r.Error())
	}
	path := i.c.Errors
	if path == "" && i.c.File != "-" {
		path = i.c.File + ".errors.csv"
	}
	if path == "" || i.c.DryRun && i.c.Errors == "" {
		return nil
	}
	if i.report == nil {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "the file of errors cannot be made")
		}
		i.file, i.report, i.result.Errors = f, csv.NewWriter(f), path
		if err := i.report.Write([]string{"line", "id", "reason"}); err != nil {
			return err
		}
	}
	return i.report.Write([]string{strconv.FormatInt(r.Line, 10), r.ID, r.Reason})
}

// closeReport ends the file of errors, if there is one.
func (i *productsImport) closeReport() error {
	if i.file == nil {
		return nil
	}
	i.report.Flush()
	return errors.Join(i.report.Error(), i.file.Close())
}

// Run imports the file. It fails if a product was refused, so that nobody who only
// looks at the exit code believes that all is there.
func (c *importProductsCmd) Run(ctx context.Context, e *env) (err error) {
	i := &productsImport{c: c, result: productsResult{DryRun: c.DryRun}}
	o := feed.Options{Source: c.Source, Website: c.Website, Format: feed.Format(c.Format), Now: event.At(time.Now())}
	if c.Currency != "" {
		if o.Currency, err = money.ParseCurrency(c.Currency); err != nil {
			return fmt.Errorf("%w: --currency: %w", errMisuse, err)
		}
	}
	in := os.Stdin
	if c.File != "-" {
		if in, err = os.Open(c.File); err != nil {
			return fault.Wrap(fault.NotFound, err, "the file cannot be opened")
		}
		defer in.Close()
	}
	if !c.DryRun {
		if c.Data == "" {
			return fmt.Errorf("%w: say with --data where the products go, or look at the file with --dry-run", errMisuse)
		}
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return fault.Wrap(fault.Invalid, err, "the data directory cannot be made")
		}
		unlock, err := sqlite.LockDir(c.Data)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unlock()) }()
		shops, serr := openShops(ctx, c.Data, clock.Wall().Now, e.logger)
		if serr != nil {
			return serr
		}
		defer func() { err = errors.Join(err, shops.close()) }()
		i.keeper = shops.keeper
	}
	began := time.Now()
	o.Put = func(p product.Product) error { return i.put(ctx, p) }
	o.Refuse = i.refuse
	i.result.Totals, err = feed.Read(ctx, in, o)
	err = errors.Join(err, i.flush(ctx), i.closeReport())
	if err == nil && c.Complete && i.keeper != nil {
		if i.result.Products == 0 {
			return fault.New(fault.Invalid, "the file has no product that can be read: nothing is taken out of the catalogue")
		}
		i.result.Gone, err = i.keeper.Finish(ctx, c.Source, o.Now)
	}
	i.result.Seconds = time.Since(began).Seconds()
	return errors.Join(err, i.print(e, err))
}

func (i *productsImport) put(ctx context.Context, p product.Product) error {
	i.batch = append(i.batch, catalogue.Update{Product: p})
	if len(i.batch) < productBatch {
		return nil
	}
	return i.flush(ctx)
}

func (i *productsImport) flush(ctx context.Context) error {
	batch := i.batch
	i.batch = nil
	if i.keeper == nil || len(batch) == 0 {
		return nil
	}
	a, err := i.keeper.Apply(ctx, batch)
	i.result.Taken, i.result.Stale, i.result.Changes = i.result.Taken+a.Taken, i.result.Stale+a.Stale, i.result.Changes+a.Changes
	return err
}

// print says what was in the file. The error is why it failed, if it did not fail
// already.
func (i *productsImport) print(e *env, failed error) error {
	r := &i.result
	if i.c.JSON {
		if err := e.printJSON(r); err != nil {
			return err
		}
	} else {
		what := "are in the catalogue"
		if r.DryRun {
			what = "would be in the catalogue"
		}
		fmt.Fprintf(e.out, "%s: %d products with %d variants %s; %d changes to tell, %d not sold any more\n", r.Format, r.Products, r.Variants, what, r.Changes, r.Gone)
		fmt.Fprintf(e.out, "%.1f s, %.0f products/s\n", r.Seconds, float64(r.Products)/max(r.Seconds, 1e-9))
		if len(r.Problems) > 0 {
			fmt.Fprintln(e.out, "refused:", strings.Join(r.Problems, "\nrefused: "))
		}
	}
	if failed == nil && r.Refused > 0 {
		return fault.New(fault.Invalid, fmt.Sprintf("%d of %d products were left out; see %s", r.Refused, r.Refused+r.Products, cmp.Or(r.Errors, "the reasons above")))
	}
	return nil
}

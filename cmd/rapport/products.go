package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"rapport/internal/api"
	"rapport/internal/catalogue"
	"rapport/internal/catalogue/feed"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
	"rapport/internal/store/sqlite"
)

type importProductsCmd struct {
	File     string `arg:"" help:"Google Merchant feed (XML, TSV, CSV), Shopify's products CSV, JSON lines, or JSON; gzip is unpacked; - reads standard input."`
	Data     string `type:"path" help:"Data directory. If a server uses it, the server takes the file, with --key. Default: the server takes it."`
	Server   string `default:"http://127.0.0.1:8080" env:"RAPPORT_SERVER" placeholder:"URL" help:"The running server. Default: ${default}."`
	Key      string `env:"RAPPORT_KEY" placeholder:"rp_s_…" help:"A key that may write, for the server. Better set in the environment, RAPPORT_KEY."`
	Source   string `default:"products" help:"Name of where the products come from."`
	Currency string `placeholder:"GBP" help:"Currency of prices that name none, as in Shopify's CSV."`
	Website  string `placeholder:"https://shop.example" help:"Where products of Shopify's CSV are shown: the file names no addresses."`
	Format   string `enum:",xml,google,shopify,jsonl,json" default:"" help:"xml, google, shopify, jsonl or json. Default: found out."`
	Encoding string `enum:",utf-8,windows-1252" default:"" help:"utf-8 or windows-1252. Default: found out; UTF-16 always is."`
	Complete bool   `help:"The file names everything that the source sells: what is not in it is not sold any more. What is refused stays as it was."`
	MostGone int    `default:"30" placeholder:"PERCENT" help:"With --complete: how much of what the source sells may go at once; a file that leaves out more is taken for a broken one. Default: ${default}."`
	Errors   string `type:"path" placeholder:"FILE" help:"Where products go that are left out, with line, id and reason. Default: FILE.errors.csv, if there are any."`
	DryRun   bool   `help:"Say what is in the file and what is wrong with it, and write nothing."`
	JSON     bool   `help:"Print the result as JSON."`
}

// productsResult is what the command prints as JSON.
type productsResult struct {
	catalogue.Brought
	Problems []string `json:"first_problems,omitempty"`
	Errors   string   `json:"errors_file,omitempty"`
	DryRun   bool     `json:"dry_run"`
	Seconds  float64  `json:"seconds"`
}

// shownProblems is how many of the products that were left out are shown.
const shownProblems = 10

// productsImport is one run of the command.
type productsImport struct {
	c      *importProductsCmd
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
	o := catalogue.Bringing{Complete: c.Complete, MostGone: c.MostGone, DryRun: c.DryRun}
	o.Source, o.Website, o.Format, o.Encoding, o.Now = c.Source, c.Website, feed.Format(c.Format), table.Encoding(c.Encoding), event.At(time.Now())
	if c.MostGone < 1 || c.MostGone > 100 {
		return fmt.Errorf("%w: --most-gone is from 1 to 100 per cent", errMisuse)
	}
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
	began := time.Now()
	o.Refuse = i.refuse
	i.result.Brought, err = c.bring(ctx, e, in, o)
	err = errors.Join(err, i.closeReport())
	i.result.Seconds = time.Since(began).Seconds()
	return errors.Join(err, i.print(e, err))
}

// bring takes the file into the data directory, or lets the server that uses it do so.
func (c *importProductsCmd) bring(ctx context.Context, e *env, in io.Reader, o catalogue.Bringing) (b catalogue.Brought, err error) {
	switch {
	case c.Data == "" && c.Key != "":
		return c.remotely(ctx, in, o)
	case c.DryRun:
		return catalogue.Bring(ctx, nil, in, o)
	case c.Data == "":
		return b, fmt.Errorf("%w: name a data directory with --data, set RAPPORT_KEY so that the server at %s takes the file, or look at it with --dry-run", errMisuse, c.Server)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return b, fault.Wrap(fault.Invalid, err, "the data directory cannot be made")
	}
	unlock, err := sqlite.LockDir(c.Data)
	switch {
	case fault.Is(err, fault.Conflict) && c.Key != "": // a server has it open
		return c.remotely(ctx, in, o)
	case fault.Is(err, fault.Conflict):
		return b, fault.Wrap(fault.Conflict, err, "a server uses "+c.Data+"; it takes the file too: set RAPPORT_KEY to a key that may write, and --server unless it is the default")
	case err != nil:
		return b, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	shops, err := openShops(ctx, c.Data, clock.Wall().Now, e.logger)
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, shops.close()) }()
	return catalogue.Bring(ctx, shops.keeper, in, o)
}

// remotely sends the file to a server and hands on what it refused.
func (c *importProductsCmd) remotely(ctx context.Context, in io.Reader, o catalogue.Bringing) (b catalogue.Brought, err error) {
	query := url.Values{"source": {o.Source}, "complete": {strconv.FormatBool(o.Complete)}, "most_gone": {strconv.Itoa(o.MostGone)}, "dry_run": {strconv.FormatBool(o.DryRun)}}
	for name, v := range map[string]string{"format": string(o.Format), "encoding": string(o.Encoding), "currency": string(o.Currency), "website": o.Website} {
		if v != "" {
			query.Set(name, v)
		}
	}
	var said api.FeedRead
	r := remote{Server: c.Server, Key: c.Key}
	if err := r.stream(ctx, http.MethodPost, "products/feed?"+query.Encode(), "application/octet-stream", in, &said); err != nil {
		return b, err
	}
	for _, p := range said.Problems {
		if err := o.Refuse(p); err != nil {
			return said.Brought, err
		}
	}
	return said.Brought, nil
}

// print says what was in the file. The error is why it failed, if it did not fail
// already.
func (i *productsImport) print(e *env, failed error) error {
	r := &i.result
	if i.c.JSON {
		if err := e.printJSON(r); err != nil {
			return err
		}
	} else if r.Format != "" { // else nothing was read, or a server refused it
		what := "are in the catalogue"
		if r.DryRun {
			what = "would be in the catalogue"
		}
		form := string(r.Format)
		if r.Encoding != "" && r.Encoding != table.UTF8 {
			form += " in " + string(r.Encoding)
		}
		fmt.Fprintf(e.out, "%s: %d products with %d variants %s; %d changes to tell, %d not sold any more\n", form, r.Products, r.Variants, what, r.Changes, r.Gone)
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

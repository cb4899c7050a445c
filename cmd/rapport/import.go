package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/sources/csv"
)

type importCmd struct {
	Orders   importOrdersCmd   `cmd:"" help:"Bring in orders from a CSV or TSV file; gzip and zstd are unpacked."`
	Products importProductsCmd `cmd:"" help:"Bring in what the shop sells, from a feed or a file."`
}

type importOrdersCmd struct {
	File          string            `arg:"" help:"The file; - reads standard input. Its first line names the columns."`
	Data          string            `type:"path" help:"Data directory that no server is using; made if it is not there. Not needed with --dry-run."`
	Map           map[string]string `mapsep:"," placeholder:"COLUMN=FIELD,…" help:"What columns mean, where their names do not tell: order date sku name category quantity price amount customer email phone first_name last_name country currency channel, or - for nothing."`
	DryRun        bool              `help:"Say what is in the file and what is wrong with it, and write nothing."`
	Errors        string            `type:"path" placeholder:"FILE" help:"Where lines go that are not imported, with number and reason. Default: FILE.errors.csv, if there are any."`
	Source        string            `default:"orders" help:"Name of where the orders come from. It is part of their ids: under another name they count again."`
	Currency      string            `placeholder:"GBP" help:"Currency of orders whose lines name none. Default: the shop's own."`
	Zone          string            `default:"UTC" help:"Time zone of dates without an offset."`
	Dates         string            `placeholder:"dmy|mdy" help:"Whether day or month comes first, where the file does not tell."`
	Decimal       string            `default:"." help:"Mark before decimal places: . or , ."`
	Delimiter     string            `placeholder:"CHAR" help:"What stands between columns; tab for a tab. Default: found out."`
	Encoding      string            `default:"utf-8" help:"utf-8 or windows-1252."`
	ReturnsPrefix string            `placeholder:"C" help:"What the numbers of returns begin with. Quantities below zero are returns anyway."`
	Resume        bool              `help:"Go on where an import of this file was cut short. Without it the file is read anew, which changes nothing that is there already."`
	JSON          bool              `help:"Print the result as JSON."`
}

// firstProblems is how many refused lines are shown; all of them are in the file.
const firstProblems = 10

// ordersImport is one run of the command.
type ordersImport struct {
	c        *importOrdersCmd
	e        *env
	mapping  csv.Mapping
	file     *os.File // of errors; nil until there is one
	report   *csv.Report
	problems []string
	point    string // where the place is kept
	saved    time.Time
	shown    time.Time
	began    time.Time
}

// importResult is what the command prints as JSON.
type importResult struct {
	csv.Totals
	Mapping     string   `json:"mapping"`
	Problems    []string `json:"first_problems,omitempty"`
	Errors      string   `json:"errors_file,omitempty"`
	DryRun      bool     `json:"dry_run"`
	Seconds     float64  `json:"seconds"`
	RowsPerSec  float64  `json:"rows_per_second"`
	Interrupted bool     `json:"interrupted,omitempty"`
}

// Run imports the file. It fails if a line was refused, so that nobody who only
// looks at the exit code believes that all is there.
func (c *importOrdersCmd) Run(ctx context.Context, e *env) (err error) {
	o, err := c.options()
	if err != nil {
		return err
	}
	if c.Data == "" && !c.DryRun {
		return fmt.Errorf("%w: say with --data where the orders go, or look at the file with --dry-run", errMisuse)
	}
	in, err := c.input()
	if err != nil {
		return err
	}
	defer in.Close()
	i := &ordersImport{c: c, e: e, began: time.Now()}
	o.Columns, o.Refuse, o.Progress = i.columns, i.refuse, i.progress
	totals, err := i.read(ctx, in, o)
	if report := i.closeReport(); err == nil {
		err = report
	}
	return errors.Join(err, i.print(totals, err))
}

// options turns the flags into options; what is wrong with them is misuse.
func (c *importOrdersCmd) options() (csv.Options, error) {
	o := csv.Options{
		Source: c.Source, Map: c.Map, Dates: csv.DateOrder(strings.ToLower(c.Dates)), Encoding: csv.Encoding(strings.ToLower(c.Encoding)), ReturnsPrefix: c.ReturnsPrefix,
	}
	var err error
	if o.Zone, err = time.LoadLocation(c.Zone); err != nil {
		return o, fmt.Errorf("%w: --zone %s is no time zone such as Europe/London", errMisuse, c.Zone)
	}
	if c.Currency != "" {
		if o.Currency, err = money.ParseCurrency(c.Currency); err != nil {
			return o, fmt.Errorf("%w: --currency: %w", errMisuse, err)
		}
	}
	if len(c.Decimal) != 1 {
		return o, fmt.Errorf("%w: --decimal is . or ,", errMisuse)
	}
	o.Decimal = c.Decimal[0]
	switch {
	case c.Delimiter == "tab" || c.Delimiter == `\t`:
		o.Delimiter = '\t'
	case len(c.Delimiter) == 1:
		o.Delimiter = c.Delimiter[0]
	case c.Delimiter != "":
		return o, fmt.Errorf("%w: --delimiter is one character, or tab", errMisuse)
	}
	return o, nil
}

func (c *importOrdersCmd) input() (io.ReadCloser, error) {
	if c.File == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, "the file cannot be opened: "+err.Error())
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return nil, errors.Join(f.Close(), fault.New(fault.Invalid, c.File+" is a folder"))
	}
	return f, nil
}

// read imports, or only reads if it is a dry run.
func (i *ordersImport) read(ctx context.Context, in io.Reader, o csv.Options) (totals csv.Totals, err error) {
	if i.c.DryRun {
		return csv.Import(ctx, in, o)
	}
	clock := clock.Wall()
	d, err := openDirectory(ctx, i.c.Data, opening{clock: clock, create: true, logger: i.e.logger})
	if err != nil {
		return totals, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for _, k := range d.fresh {
		fmt.Fprintf(i.e.err, "%s key (%s), shown once: %s\n", k.Kind, k.Name, k.Text)
	}
	i.point = filepath.Join(i.c.Data, "import-"+i.c.Source+".json")
	if i.c.Resume {
		if o.After, err = lastPoint(i.point); err != nil {
			return totals, err
		}
	}
	n, err := run.Open(ctx, run.Options{
		Log: d.log, Store: d.store, Ledger: d.ledger, Workspace: workspace, Key: d.key, Clock: clock, Logger: i.e.logger, Erasures: d.erasures, NoSending: true,
	})
	if err != nil {
		return totals, err
	}
	if err := n.Start(ctx); err != nil {
		return totals, err
	}
	// What is in the log is applied even if the import is stopped.
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	if n.Engine.Program() == nil {
		if _, err := n.Apply(ctx, program.Default()); err != nil {
			return totals, err
		}
	}
	o.Append, o.Erased = n.Hear, n.Erased
	return csv.Import(ctx, in, o)
}

// lastPoint reads where an import was cut short.
func lastPoint(path string) (p csv.Checkpoint, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, fault.New(fault.NotFound, "no import from this source was cut short: there is nothing to resume")
	}
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		return p, fault.Wrap(fault.Corrupt, err, path+" cannot be read: remove it and import without --resume, which changes nothing that is there")
	}
	return p, nil
}

// columns shows how the columns were understood.
func (i *ordersImport) columns(m csv.Mapping) error {
	i.mapping = m
	fmt.Fprintf(i.e.err, "columns: %s\n", m)
	if unused := m.Unused(); len(unused) > 0 {
		fmt.Fprintf(i.e.err, "not used: %s\n", strings.Join(unused, ", "))
	}
	return nil
}

// refuse writes a line that is not imported into the file of errors.
func (i *ordersImport) refuse(r csv.Refusal) error {
	if len(i.problems) < firstProblems {
		i.problems = append(i.problems, r.Error())
	}
	if i.report == nil {
		path := i.errorsPath()
		if path == "" {
			return nil
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "the file of errors cannot be made: "+err.Error())
		}
		i.file = f
		if i.report, err = csv.NewReport(f, i.mapping); err != nil {
			return err
		}
	}
	return i.report.Add(r)
}

// errorsPath returns where refused lines go; empty: nowhere.
func (i *ordersImport) errorsPath() string {
	switch {
	case i.c.Errors != "":
		return i.c.Errors
	case i.c.DryRun:
		return ""
	case i.c.File == "-":
		return i.c.Source + ".errors.csv"
	}
	return i.c.File + ".errors.csv"
}

func (i *ordersImport) closeReport() error {
	if i.file == nil {
		return nil
	}
	return errors.Join(i.report.Close(), i.file.Close())
}

// How often the place is kept and shown.
const (
	saveEvery = time.Second
	showEvery = 500 * time.Millisecond
)

// progress keeps the place and shows it.
func (i *ordersImport) progress(p csv.Progress) error {
	now := time.Now()
	if done := p.Checkpoint.Done; i.point != "" && (done || now.Sub(i.saved) >= saveEvery) {
		b, err := json.Marshal(p.Checkpoint)
		if err != nil {
			return err // unreachable: numbers only
		}
		if err := writeDurably(i.point, append(b, '\n')); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the place in the file cannot be kept")
		}
		i.saved = now
	}
	if now.Sub(i.shown) >= showEvery && !i.c.JSON {
		i.shown = now
		rate := float64(p.Totals.Rows) / time.Since(i.began).Seconds()
		fmt.Fprintf(i.e.err, "%d lines, %d orders, %d refused (%.0f lines/s)\n", p.Totals.Rows, p.Totals.Orders+p.Totals.Refunds, p.Totals.Refused, rate)
	}
	return nil
}

// print says what was in the file. The error is why it failed, if it did not
// fail already.
func (i *ordersImport) print(t csv.Totals, failed error) error {
	took := time.Since(i.began).Seconds()
	if i.c.JSON {
		r := importResult{Totals: t, Mapping: i.mapping.String(), Problems: i.problems, DryRun: i.c.DryRun, Seconds: took, RowsPerSec: float64(t.Rows) / took, Interrupted: failed != nil}
		if i.file != nil {
			r.Errors = i.file.Name()
		}
		if err := i.e.printJSON(r); err != nil {
			return err
		}
	} else if i.mapping.Header() != nil {
		i.write(t, took)
	}
	switch {
	case failed != nil && i.point != "" && t.Rows > 0:
		return errors.New("what was imported stays; the same command with --resume goes on")
	case failed != nil:
		return nil
	case t.Refused > 0 && i.file != nil:
		return fault.New(fault.Invalid, fmt.Sprintf("%d of %d lines were not imported; they stand in %s, each with its reason", t.Refused, t.Rows, i.file.Name()))
	case t.Refused > 0:
		return fault.New(fault.Invalid, fmt.Sprintf("%d of %d lines would not be imported", t.Refused, t.Rows))
	}
	return nil
}

// write says it for people.
func (i *ordersImport) write(t csv.Totals, took float64) {
	what := "imported"
	if i.c.DryRun {
		what = "would be imported"
	}
	more := ""
	if t.More {
		more = " or more"
	}
	fmt.Fprintf(i.e.out, "%d lines: %d orders and %d refunds of %d%s customers %s", t.Rows, t.Orders, t.Refunds, t.Customers, more, what)
	if t.Nobodys > 0 {
		fmt.Fprintf(i.e.out, "; %d order numbers are without a customer", t.Nobodys)
	}
	fmt.Fprintln(i.e.out)
	if t.First != 0 {
		fmt.Fprintf(i.e.out, "from %s to %s\n", t.First, t.Last)
	}
	for _, c := range slices.Sorted(maps.Keys(t.Sums)) {
		name := string(c)
		if c == "" {
			name = "(the shop's own currency)"
		}
		fmt.Fprintf(i.e.out, "sum %s %s\n", t.Sums.Amount(c), name)
	}
	fmt.Fprintf(i.e.out, "%.1f s, %.0f lines/s\n", took, float64(t.Rows)/took)
	for _, p := range i.problems {
		fmt.Fprintln(i.e.out, "refused:", p)
	}
	if n := t.Refused - int64(len(i.problems)); n > 0 {
		fmt.Fprintf(i.e.out, "and %d more\n", n)
	}
}

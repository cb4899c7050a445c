package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"rapport/internal/clock"
	"rapport/internal/fault"
	"rapport/internal/imports"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/sources/people"
	"rapport/internal/sources/table"
)

type importCmd struct {
	Suppressions importSuppressionsCmd `cmd:"" help:"Bring in who must not be written to. Begin with these: they hold in any order."`
	Consents     importConsentsCmd     `cmd:"" help:"Bring in who agreed to what, when, and how that is known."`
	Customers    importCustomersCmd    `cmd:"" help:"Bring in customers with their traits and static lists."`
	Orders       importOrdersCmd       `cmd:"" help:"Bring in orders."`
	Products     importProductsCmd     `cmd:"" help:"Bring in what the shop sells, from a feed or a file."`
	Stores       importStoresCmd       `cmd:"" help:"Turn a list of stores into definitions."`
	Events       importEventsCmd       `cmd:"" help:"Bring in other events."`
	List         importListCmd         `cmd:"" help:"List the imports of a data directory."`
	Undo         importUndoCmd         `cmd:"" help:"Take an import back: customers become what they would be without it."`
}

// importFlags are those that every kind of file has.
type importFlags struct {
	File        string   `arg:"" help:"CSV, TSV or JSON lines; gzip, zstd and zip are unpacked; - reads standard input."`
	Data        string   `type:"path" help:"Data directory that no server is using; made if it is not there. Not needed with --dry-run."`
	Map         []string `sep:"," placeholder:"COLUMN=FIELD,…|FILE" help:"What columns mean, where their names do not tell, or - for nothing; or a file that --save-map wrote."`
	SaveMap     string   `type:"path" placeholder:"FILE" help:"Write how the file was understood, to say it again with --map."`
	DryRun      bool     `help:"Say how the file is understood and what is wrong with it, and write nothing."`
	Errors      string   `type:"path" placeholder:"FILE" help:"Where lines go that are not imported, with number and reason. Default: FILE.errors.csv, if there are any."`
	Source      string   `help:"Name of where the file comes from. It is part of the ids: under another name it counts again. Default: the kind."`
	Zone        string   `placeholder:"UTC" help:"Time zone of dates without an offset."`
	Dates       string   `placeholder:"dmy|mdy" help:"Whether day or month comes first, where the file does not tell."`
	Delimiter   string   `placeholder:"CHAR" help:"What stands between columns; tab for a tab. Default: found out."`
	Encoding    string   `help:"utf-8 or windows-1252. Default: found out."`
	Live        bool     `help:"What the file tells happens now and may trigger messages. Without it the file is history, which never sends."`
	Resume      bool     `help:"Go on where an import of this file was cut short. Without it the file is read anew, which changes nothing that is there already."`
	By          string   `help:"Who imports; it is kept. Default: the user of the machine."`
	NoReachable bool     `help:"Do not count who can be written to before and after."`
	JSON        bool     `help:"Print the result as JSON."`
}

// firstProblems is how many refused lines are shown; all of them are in the file.
const firstProblems = 10

// mapFile is how a file was understood, to be said again.
type mapFile struct {
	From      string            `json:"from,omitempty"`
	Columns   map[string]string `json:"columns"`
	Dates     string            `json:"dates,omitempty"`
	Zone      string            `json:"zone,omitempty"`
	Delimiter string            `json:"delimiter,omitempty"`
	Encoding  string            `json:"encoding,omitempty"`
}

// importing is one run of an import command.
type importing struct {
	*importFlags
	e         *env
	kind      string
	from      string
	said      map[string]string // columns
	zone      *time.Location
	delimiter byte

	header   []string
	file     *os.File // of errors; nil until there is one
	report   *table.Report
	problems []string
	shown    time.Time
	began    time.Time

	d      *directory
	n      *run.Node
	imp    *imports.Import
	before *imports.Reach
	after  *imports.Reach
}

// start reads the flags; what is wrong with them is misuse.
func (f *importFlags) start(e *env, kind string) (*importing, error) {
	i := &importing{importFlags: f, e: e, kind: kind, said: map[string]string{}, began: time.Now()}
	if f.Data == "" && !f.DryRun {
		return nil, fmt.Errorf("%w: say with --data where the %s go, or look at the file with --dry-run", errMisuse, kind)
	}
	for _, m := range f.Map {
		if k := strings.LastIndexByte(m, '='); k > 0 {
			i.said[m[:k]] = m[k+1:]
			continue
		}
		if err := i.readMap(m); err != nil {
			return nil, err
		}
	}
	if f.Source == "" {
		f.Source = kind
	}
	if f.Zone == "" {
		f.Zone = "UTC"
	}
	var err error
	if i.zone, err = time.LoadLocation(f.Zone); err != nil {
		return nil, fmt.Errorf("%w: --zone %s is no time zone such as Europe/London", errMisuse, f.Zone)
	}
	switch table.Encoding(strings.ToLower(f.Encoding)) {
	case "", table.UTF8, table.Windows1252:
	default:
		return nil, fmt.Errorf("%w: --encoding %s is neither %s nor %s; save the file as one of them", errMisuse, f.Encoding, table.UTF8, table.Windows1252)
	}
	switch {
	case f.Delimiter == "tab" || f.Delimiter == `\t`:
		i.delimiter = '\t'
	case len(f.Delimiter) == 1:
		i.delimiter = f.Delimiter[0]
	case f.Delimiter != "":
		return nil, fmt.Errorf("%w: --delimiter is one character, or tab", errMisuse)
	}
	if f.By == "" {
		if u, err := user.Current(); err == nil {
			f.By = u.Username
		}
	}
	return i, nil
}

// readMap takes what a file of --save-map says, where no flag says otherwise.
func (i *importing) readMap(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%w: --map %s is neither COLUMN=FIELD nor a file: %w", errMisuse, path, err)
	}
	var m mapFile
	if err := json.Unmarshal(b, &m); err != nil {
		return fault.Wrap(fault.Invalid, err, path+" is no file that --save-map wrote")
	}
	for column, field := range m.Columns {
		if _, said := i.said[column]; !said {
			i.said[column] = field
		}
	}
	for _, x := range []struct {
		to   *string
		from string
	}{{&i.from, m.From}, {&i.Dates, m.Dates}, {&i.Zone, m.Zone}, {&i.Delimiter, m.Delimiter}, {&i.Encoding, m.Encoding}} {
		if *x.to == "" {
			*x.to = x.from
		}
	}
	return nil
}

// understood keeps how the file was understood, and writes it if that is wanted.
func (i *importing) understood(header []string, m mapFile) error {
	i.header = header
	if i.SaveMap == "" {
		return nil
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err // unreachable: texts only
	}
	if err := os.WriteFile(i.SaveMap, append(b, '\n'), 0o600); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the mapping cannot be written")
	}
	return nil
}

func (i *importing) input() (io.ReadCloser, error) {
	if i.File == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(i.File)
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, "the file cannot be opened")
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return nil, errors.Join(f.Close(), fault.New(fault.Invalid, i.File+" is a folder"))
	}
	return f, nil
}

// open opens the data directory and the book, and counts who can be written to before.
func (i *importing) open(ctx context.Context) (err error) {
	wall := clock.Wall()
	if i.d, err = openDirectory(ctx, i.Data, opening{clock: wall, create: true, logger: i.e.logger}); err != nil {
		return err
	}
	for _, k := range i.d.fresh {
		fmt.Fprintf(i.e.err, "%s key (%s), shown once: %s\n", k.Kind, k.Name, k.Text)
	}
	n, err := run.Open(ctx, run.Options{
		Log: i.d.log, Store: i.d.store, Ledger: i.d.ledger, Workspace: workspace, Key: i.d.key, Clock: wall, Logger: i.e.logger, Erasures: i.d.erasures, NoSending: true,
	})
	if err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	i.n = n
	if n.Engine.Program() == nil {
		if _, err := n.Apply(ctx, program.Default()); err != nil {
			return err
		}
	}
	if i.before, err = i.measure(ctx); err != nil {
		return err
	}
	i.imp, err = imports.Begin(imports.Open(i.Data, wall.Now), n, i.d.ledger, imports.Plan{
		Kind: i.kind, Source: i.Source, From: i.from, File: filepath.Base(i.File), By: i.By, Live: i.Live, Resume: i.Resume,
	})
	if err == nil {
		fmt.Fprintf(i.e.err, "import %s\n", i.imp.ID)
	}
	return err
}

// measure counts who can be written to, when all that was brought has arrived.
func (i *importing) measure(ctx context.Context) (*imports.Reach, error) {
	if i.NoReachable {
		return nil, nil
	}
	if err := i.n.Engine.Arrived(ctx); err != nil {
		return nil, err
	}
	return measured(ctx, i.d, i.n, "email", "marketing")
}

// work runs an import between opening and closing.
func (i *importing) work(ctx context.Context, read func() error) (err error) {
	if i.DryRun {
		return read()
	}
	defer func() {
		if i.imp != nil {
			err = errors.Join(err, i.imp.Close())
		}
		if i.n != nil { // what is in the log is applied even if the import is stopped
			err = errors.Join(err, i.n.Close(context.WithoutCancel(ctx)))
		}
		if i.d != nil {
			err = errors.Join(err, i.d.close())
		}
	}()
	if err := i.open(ctx); err != nil {
		return err
	}
	if err := read(); err != nil {
		return err
	}
	i.after, err = i.measure(ctx)
	return err
}

// refuse writes a line that is not imported into the file of errors.
func (i *importing) refuse(r table.Refusal) error {
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
			return fault.Wrap(fault.Unavailable, err, "the file of errors cannot be made")
		}
		i.file = f
		if i.report, err = table.NewReport(f, i.header); err != nil {
			return err
		}
	}
	return i.report.Add(r)
}

// errorsPath returns where refused lines go; empty: nowhere.
func (i *importing) errorsPath() string {
	switch {
	case i.Errors != "":
		return i.Errors
	case i.DryRun:
		return ""
	case i.File == "-":
		return i.Source + ".errors.csv"
	}
	return i.File + ".errors.csv"
}

func (i *importing) closeReport() error {
	if i.file == nil {
		return nil
	}
	return errors.Join(i.report.Close(), i.file.Close())
}

// showEvery is how often people hear how far it is.
const showEvery = 500 * time.Millisecond

// tell shows how far the import is.
func (i *importing) tell(rows, refused int64, what string) {
	if now := time.Now(); now.Sub(i.shown) >= showEvery && !i.JSON {
		i.shown = now
		fmt.Fprintf(i.e.err, "%d lines, %s, %d refused (%.0f lines/s)\n", rows, what, refused, i.rate(rows))
	}
}

func (i *importing) rate(rows int64) float64 { return float64(rows) / time.Since(i.began).Seconds() }

// show prints how the columns were understood, by the first rows.
func (i *importing) show(s people.Shown) {
	from := ""
	if s.From != people.AnyVendor {
		from = ", an export of " + string(s.From)
	}
	fmt.Fprintf(i.e.err, "%s, %s%s\n", s.Format, s.Encoding, from)
	w := tabwriter.NewWriter(i.e.err, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "column\tfield\ttype\tfirst rows\t")
	for _, c := range s.Columns {
		field, read := c.Field, ""
		if field == "" {
			field = "(its own name)"
			if i.kind != string(people.Customers) && i.kind != string(people.Events) {
				field = "(not used)"
			}
		}
		if c.Read != "" {
			read = " → " + c.Read
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s%s\t\n", table.Clip(c.Name, 40), field, c.Type, strings.Join(c.Examples, " | "), read)
	}
	w.Flush() //nolint:errcheck // what cannot be shown is not needed
}

// finish says why the import failed if it did not fail already, so that nobody who
// only looks at the exit code believes that all is there.
func (i *importing) finish(failed error, rows, refused int64) error {
	switch {
	case failed != nil && i.imp != nil && rows > 0:
		return errors.New("what was imported stays; the same command with --resume goes on, and rapport import undo " + i.imp.ID + " takes it back")
	case failed != nil:
		return nil
	case refused > 0 && i.file != nil:
		return fault.New(fault.Invalid, fmt.Sprintf("%d of %d lines were not imported; they stand in %s, each with its reason", refused, rows, i.file.Name()))
	case refused > 0:
		return fault.New(fault.Invalid, fmt.Sprintf("%d of %d lines would not be imported", refused, rows))
	}
	return nil
}

// writeProblems prints the first refused lines.
func (i *importing) writeProblems(refused int64) {
	for _, p := range i.problems {
		fmt.Fprintln(i.e.out, "refused:", p)
	}
	if n := refused - int64(len(i.problems)); n > 0 {
		fmt.Fprintf(i.e.out, "and %d more\n", n)
	}
}

// writeReached prints who can be written to, before and after.
func (i *importing) writeReached() error {
	if i.after == nil {
		return nil
	}
	return writeReach(i.e.out, i.before, i.after)
}

// result is what every kind prints as JSON beside its totals.
type result struct {
	Import      string   `json:"import,omitempty"`
	Problems    []string `json:"first_problems,omitempty"`
	Errors      string   `json:"errors_file,omitempty"`
	DryRun      bool     `json:"dry_run"`
	Seconds     float64  `json:"seconds"`
	RowsPerSec  float64  `json:"rows_per_second"`
	Interrupted bool     `json:"interrupted,omitempty"`
	Before      *reach   `json:"reachable_before,omitempty"`
	After       *reach   `json:"reachable_after,omitempty"`
	Moves       []string `json:"moves,omitempty"`
}

func (i *importing) result(rows int64, failed error) result {
	r := result{Problems: i.problems, DryRun: i.DryRun, Seconds: time.Since(i.began).Seconds(), RowsPerSec: i.rate(rows), Interrupted: failed != nil}
	if i.imp != nil {
		r.Import = i.imp.ID
	}
	if i.file != nil {
		r.Errors = i.file.Name()
	}
	if i.after != nil {
		before, after := reachJSON(i.before), reachJSON(i.after)
		r.Before, r.After = &before, &after
		for _, m := range imports.Moves(i.before, i.after) {
			r.Moves = append(r.Moves, fmt.Sprintf("%d: %s → %s", m.Count, m.From, m.To))
		}
	}
	return r
}

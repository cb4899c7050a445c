package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"rapport/internal/api"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

type sqlCmd struct {
	SQL     string `arg:"" help:"One statement that selects, such as 'SELECT name, count(*) FROM events GROUP BY name'. docs/warehouse.md names the tables."`
	Data    string `type:"path" help:"Data directory. If a server uses it, the server is asked, with --key. Default: the server is asked."`
	Server  string `default:"http://127.0.0.1:8080" env:"RAPPORT_SERVER" placeholder:"URL" help:"The running server. Default: ${default}."`
	Key     string `env:"RAPPORT_KEY" placeholder:"rp_s_…" help:"A key that may read, for asking a server. Better set in the environment, RAPPORT_KEY."`
	JSON    bool   `xor:"format" help:"Print columns and rows as JSON."`
	CSV     bool   `xor:"format" help:"Print every row as CSV, without the limits."`
	Parquet string `xor:"format" type:"path" placeholder:"FILE" help:"Write every row into a Parquet file, without the limits."`
	Rows    int64  `default:"10000" help:"How many rows come at most, except in exports. Default: ${default}."`
	Seconds int64  `default:"30" help:"How long the query may take. Default: ${default}."`
}

// asker is who answers: the warehouse itself, or a server that has it open.
type asker interface {
	table(ctx context.Context, sql string, limits warehouse.Limits) (api.Table, error)
	export(ctx context.Context, sql string, format warehouse.Format, w io.Writer) error
	report(ctx context.Context, name string, query url.Values) (api.Report, error)
}

// Run asks, and prints or writes the answer.
func (c *sqlCmd) Run(ctx context.Context, e *env) error {
	return withWarehouse(ctx, e, c.Data, remote{Server: c.Server, Key: c.Key}, func(who asker) error {
		switch {
		case c.CSV:
			return who.export(ctx, c.SQL, warehouse.CSV, e.out)
		case c.Parquet != "":
			return writeWhole(c.Parquet, func(w io.Writer) error { return who.export(ctx, c.SQL, warehouse.Parquet, w) })
		}
		t, err := who.table(ctx, c.SQL, warehouse.Limits{Rows: c.Rows, Time: time.Duration(c.Seconds) * time.Second})
		if err != nil {
			return err
		}
		if c.JSON {
			return e.printJSON(t)
		}
		return printTable(e, &t)
	})
}

// withWarehouse calls do with who answers questions about a data directory, or with
// the server if none is named.
func withWarehouse(ctx context.Context, e *env, dir string, server remote, do func(asker) error) (err error) {
	if dir != "" {
		d, n, err := audit(ctx, e, dir)
		switch {
		case fault.Is(err, fault.Conflict) && server.Key != "": // a server has it open
		case fault.Is(err, fault.Conflict):
			return fault.Wrap(fault.Conflict, err, "a server uses "+dir+"; it answers too: set RAPPORT_KEY to a key that may read, and --server unless it is the default")
		case err != nil:
			return err
		default:
			defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
			if err := d.openTables(ctx, "duckdb", e.logger); err != nil {
				return err
			}
			if err := d.tables.loader.Load(ctx); err != nil {
				return err
			}
			return do(local{d.tables.warehouse, clock.Wall().Now})
		}
	}
	if server.Key == "" {
		return fmt.Errorf("%w: name a data directory with --data, or set RAPPORT_KEY to ask the server at %s", errMisuse, server.Server)
	}
	return do(&server)
}

// local asks the warehouse itself.
type local struct {
	w   warehouse.Warehouse
	now func() event.Time
}

func (l local) table(ctx context.Context, sql string, limits warehouse.Limits) (api.Table, error) {
	return api.ReadTable(ctx, l.w, sql, limits)
}

func (l local) export(ctx context.Context, sql string, format warehouse.Format, w io.Writer) error {
	return l.w.Export(ctx, sql, format, remoteTimeout, w)
}

func (r *remote) table(ctx context.Context, sql string, limits warehouse.Limits) (t api.Table, err error) {
	var said json.RawMessage
	if err := r.call(ctx, http.MethodPost, "sql", map[string]any{"sql": sql, "rows": limits.Rows, "seconds": int64(limits.Time / time.Second)}, &said); err != nil {
		return t, err
	}
	// As it stands there: a float64 would round what is longer than 15 digits, such as
	// the fingerprints of events.
	d := json.NewDecoder(bytes.NewReader(said))
	d.UseNumber()
	return t, d.Decode(&t)
}

func (r *remote) export(ctx context.Context, sql string, format warehouse.Format, w io.Writer) error {
	body, err := json.Marshal(map[string]any{"sql": sql, "format": format})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(r.Server, "/")+"/api/v1/exports", bytes.NewReader(body))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, r.Server+" is not the address of a server")
	}
	request.Header.Set("Authorization", "Bearer "+r.Key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the server at "+r.Server+" does not answer: is rapport serve running there?")
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var problem struct {
			Detail string `json:"detail"`
		}
		said, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if json.Unmarshal(said, &problem) != nil || problem.Detail == "" {
			problem.Detail = "the server answered " + response.Status
		}
		return fault.New(fault.Invalid, problem.Detail)
	}
	_, err = io.Copy(w, response.Body)
	return err
}

// writeWhole makes a file that is there whole or not at all.
func writeWhole(path string, write func(io.Writer) error) error {
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the file cannot be made")
	}
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, path)
}

// printTable prints an answer for people.
func printTable(e *env, t *api.Table) error {
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	fmt.Fprintln(w, strings.Join(names, "\t"))
	for _, row := range t.Rows {
		var cells []string
		for _, v := range row {
			cells = append(cells, cell(v))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if t.Truncated {
		fmt.Fprintf(e.err, "There are more rows than these %d: narrow the query, or raise --rows, or export with --csv.\n", len(t.Rows))
	}
	return nil
}

// cell writes one value for people.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case time.Time:
		return v.Format("2006-01-02 15:04:05")
	case identity.ID:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strings.NewReplacer("\t", " ", "\n", " ").Replace(fmt.Sprint(v))
}

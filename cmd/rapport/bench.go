package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"rapport/internal/bench"
	"rapport/internal/channels"
	"rapport/internal/channels/email"
	"rapport/internal/channels/null"
	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/natslog"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
)

type benchCmd struct {
	Name      string  `arg:"" help:"What to measure: log engine http freshness dispatch campaign service import recommend start reports."`
	JSON      bool    `help:"Print the result as JSON."`
	Seconds   float64 `placeholder:"N" help:"How long the main measurement lasts. Default: the bench's own, 10 to 60 s."`
	Customers int     `placeholder:"N" help:"How many customers, orders or messages there are. Default: the bench's own."`
	History   int     `placeholder:"N" help:"How many events each customer of the engine bench has behind them. Default: 200."`
	BacklogMB int64   `name:"backlog-mb" placeholder:"N" help:"How much log the start bench leaves unread. Default: 200, with --full 2048."`
	Short     bool    `help:"Everything tiny: to see in about a second that the bench works."`
	Full      bool    `help:"A million customers where the default has a hundred thousand."`
	Dir       string  `type:"path" placeholder:"DIR" help:"Folder on the disk to be measured. Default: that of temporary files."`
	Profiles  string  `type:"path" placeholder:"DIR" help:"Write where processor and memory go during the main measurement, for go tool pprof."`
}

// Run measures and prints the figure beside the limit of this machine.
func (c *benchCmd) Run(ctx context.Context, e *env) (err error) {
	if !slices.Contains(bench.Names(), c.Name) {
		return fmt.Errorf("%w: there is no bench %q; there are %v", errMisuse, c.Name, bench.Names())
	}
	o := bench.Options{Seconds: c.Seconds, Customers: c.Customers, History: c.History, Backlog: c.BacklogMB << 20, Short: c.Short, Full: c.Full, Profiles: c.Profiles}
	o.Progress = func(what string) { fmt.Fprintln(e.err, what) }
	r, err := bench.Run(ctx, c.Name, embeddedRig(c.Dir, e.logger), o)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(r)
	}
	fmt.Fprintf(e.out, "%s: %.4g %s, limit %.4g %s (ratio %.2f)\n", r.Name, r.Value, r.Unit, r.Limit, r.Unit, r.Ratio)
	fmt.Fprintf(e.out, "target: %s\nmeasured: %s\nlimit: %s\n", r.Target, r.Inside, r.LimitIs)
	for _, name := range slices.Sorted(maps.Keys(r.Figures)) {
		fmt.Fprintf(e.out, "  %-40s %.6g\n", name, r.Figures[name])
	}
	fmt.Fprintf(e.out, "on %d cores, %s, %d MB\n", r.Machine.Cores, r.Machine.CPU, r.Machine.MemoryMB)
	return nil
}

// embeddedRig is the embedded column of adapters on the disk of the folder.
func embeddedRig(dir string, logger *slog.Logger) bench.Rig {
	return bench.Rig{
		Dir: dir,
		Log: func(ctx context.Context, dir string, now func() event.Time) (eventlog.Log, error) {
			return natslog.Open(ctx, natslog.Options{Dir: dir, Now: now, Log: logger})
		},
		Store: func(ctx context.Context, dir string) (store.Store, error) {
			return sqlite.Open(ctx, sqlite.Options{Dir: dir, Log: logger})
		},
		Ledger: func(ctx context.Context, dir string) (store.Ledger, error) {
			return sqlite.OpenLedger(ctx, sqlite.Options{Dir: dir, Log: logger})
		},
		SMTP:   func(addr string) (bench.Carrier, error) { return email.New(email.Options{Addr: addr}) },
		Signed: signedCarrier,
		Null:   func() channels.Channel { return &null.Channel{} },
		Warehouse: func(ctx context.Context, dir string, megabytes int) (warehouse.Warehouse, error) {
			return duckdb.Open(ctx, duckdb.Options{Dir: dir, MemoryMB: megabytes})
		},
		Logger: logger,
	}
}

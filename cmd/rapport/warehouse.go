package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/loader"
	"rapport/internal/report"
	"rapport/internal/run"
	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
)

// warehouseDir is the folder of the warehouse in a data directory. All of it is made
// of the feed: who deletes it loses an hour of the machine's time.
const warehouseDir = "warehouse"

// queryProcess is the command line of the process in which one query of a stranger
// runs: this binary, even if its file was replaced since the start. It is no command
// for people.
var queryProcess = []string{"/proc/self/exe", "answer-query"}

// answersQuery reports whether a command line is that of such a process.
func answersQuery(args []string) bool { return len(args) == 2 && args[1] == queryProcess[1] }

// answerQuery is such a process, and returns its exit code.
func answerQuery() int {
	if err := duckdb.Answer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rapport:", err)
		return exitFailed
	}
	return exitDone
}

// tables are the warehouse of a data directory and who fills it. Nil: there is none.
type tables struct {
	warehouse warehouse.Warehouse
	loader    *loader.Loader
	stop      context.CancelFunc
	done      chan struct{}
}

// openTables opens the warehouse of the directory. Kind none deletes it: it would
// keep who is erased from now on.
func (d *directory) openTables(ctx context.Context, kind string, logger *slog.Logger) error {
	dir := filepath.Join(d.dir, warehouseDir)
	if kind == "none" {
		return os.RemoveAll(dir)
	}
	shareMemory(warehouseMB)
	w, err := duckdb.Open(ctx, duckdb.Options{Dir: dir, MemoryMB: warehouseMB, Apart: queryProcess})
	if err != nil {
		return err
	}
	d.tables = &tables{warehouse: w, loader: loader.New(d.store, w, d.log.Lanes(), d.erasures.Has, logger)}
	if len(d.erasures.Entries()) > 0 {
		return d.tables.loader.Finish(ctx)
	}
	return nil
}

// start lets the loader follow the feed until close.
func (t *tables) start(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, t.stop = context.WithCancel(context.WithoutCancel(ctx))
	t.done = make(chan struct{})
	go func() {
		defer close(t.done)
		t.loader.Run(ctx)
	}()
}

func (t *tables) close() error {
	if t == nil {
		return nil
	}
	if t.stop != nil {
		t.stop()
		<-t.done
	}
	return t.warehouse.Close()
}

// fresh returns once the tables hold all that was heard when it was called.
func (t *tables) fresh(ctx context.Context, n *run.Node) error {
	if t == nil {
		return fault.New(fault.Unavailable, "this server keeps no tables to ask: it was started with --warehouse none")
	}
	if err := n.Engine.Arrived(ctx); err != nil {
		return err
	}
	return t.loader.Load(ctx)
}

// store is the warehouse; nil if there is none.
func (t *tables) store() warehouse.Warehouse {
	if t == nil {
		return nil
	}
	return t.warehouse
}

// forgetter is who forgets people in the tables; nil if there are none.
func (t *tables) forgetter() run.Tables {
	if t == nil {
		return nil
	}
	return t.loader
}

// shut is the warehouse of a data directory that no server uses, for erasures: it is
// deleted whole, which no reader of files can undo, and the next server makes it
// anew.
type shut struct{ dir string }

// Forget deletes the warehouse.
func (s shut) Forget(context.Context, []identity.ID) error {
	return errors.Join(os.RemoveAll(filepath.Join(s.dir, warehouseDir)), syncFolder(s.dir))
}

// Everything yields nothing: the scan reads the files as they are.
func (shut) Everything(context.Context, func(string, []byte) error) error { return nil }

// tablesAgree says whether the report of messages holds what the delivery ledger
// does: an error names where they differ.
func (s *server) tablesAgree(ctx context.Context) error {
	t := report.Tables{Warehouse: s.d.tables.warehouse, Now: s.clock.Now}
	v, err := t.Ask(ctx, "messages", report.Params{})
	if err != nil {
		return err
	}
	got := map[string]int64{}
	for _, m := range v.(report.Messages).Rows {
		for state, n := range m.States {
			got[m.Origin+" "+m.Channel+" "+state] += n
		}
	}
	counts, err := s.d.store.DeliveryCounts(ctx)
	if err != nil {
		return err
	}
	want := map[string]int64{}
	for _, c := range counts {
		for state, n := range report.LedgerStates(map[profile.State]int64{c.State: c.Count}) {
			want[c.Journey+" "+c.Channel+" "+state] += n
		}
	}
	if !maps.Equal(got, want) {
		return fault.New(fault.Corrupt, fmt.Sprintf("the report of messages and the delivery ledger differ: %v and %v", got, want))
	}
	return nil
}

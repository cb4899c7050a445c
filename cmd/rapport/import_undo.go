package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"text/tabwriter"

	"rapport/internal/clock"
	"rapport/internal/imports"
	"rapport/internal/run"
)

type importListCmd struct {
	Data string `required:"" type:"path" help:"Data directory."`
	JSON bool   `help:"Print JSON lines."`
}

// Run lists the imports, the last one first.
func (c *importListCmd) Run(e *env) error {
	if err := mustBeThere(c.Data); err != nil {
		return err
	}
	list, err := imports.Open(c.Data, clock.Wall().Now).List()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(w, "import\tstate\tfile\tby\tundone by\t")
	}
	for i := range list {
		x := &list[i]
		if c.JSON {
			if err := e.printJSON(x); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\n", x.ID, x.State, x.File, x.By, x.UndoneBy)
	}
	return w.Flush()
}

type importUndoCmd struct {
	ID        string `arg:"" help:"The import's id: rapport import list names them."`
	Data      string `required:"" type:"path" help:"Data directory that no server is using."`
	By        string `help:"Who undoes it; it is kept. Default: the user of the machine."`
	YesReally bool   `help:"Take back what the import suppressed, too: these people may be written to again."`
}

// Run takes an import back, and says who can be written to before and after.
func (c *importUndoCmd) Run(ctx context.Context, e *env) (err error) {
	if c.By == "" {
		if u, err := user.Current(); err == nil {
			c.By = u.Username
		}
	}
	wall := clock.Wall()
	d, err := openDirectory(ctx, c.Data, opening{clock: wall, logger: e.logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	n, err := run.Open(ctx, run.Options{
		Log: d.log, Store: d.store, Ledger: d.ledger, Workspace: workspace, Key: d.key, Clock: wall, Logger: e.logger, Erasures: d.erasures, NoSending: true,
	})
	if err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	if err := n.Engine.Arrived(ctx); err != nil {
		return err
	}
	before, err := measured(ctx, d, n, "email", "marketing")
	if err != nil {
		return err
	}
	entry, err := imports.Undo(ctx, imports.Open(c.Data, wall.Now), n, d.ledger, c.ID, c.By, c.YesReally)
	if err != nil {
		return err
	}
	after, err := measured(ctx, d, n, "email", "marketing")
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "import %s was undone by %s; %d suppressions were taken back\n", entry.ID, entry.UndoneBy, entry.Retracted)
	return writeReach(e.out, before, after)
}

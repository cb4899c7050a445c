package main

import (
	"context"
	"errors"
	"fmt"

	"rapport/internal/dossier"
)

type exportCmd struct {
	Who  string `arg:"" help:"Customer id, user id, e-mail address, phone number or anonymous id."`
	Data string `required:"" type:"path" help:"Data directory that no server is using."`
	Out  string `required:"" type:"path" placeholder:"DIR" help:"Folder to make; it must not exist."`
	JSON bool   `help:"Print the result as JSON."`
}

// exported is what the command prints as JSON.
type exported struct {
	Out  string         `json:"out"`
	Rows map[string]int `json:"rows"` // of each table
}

// Run writes everything about a customer.
func (c *exportCmd) Run(ctx context.Context, e *env) (err error) {
	d, n, err := audit(ctx, e, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	p, err := n.Lookup(ctx, c.Who)
	if err != nil {
		return err
	}
	tables, err := dossier.Of(ctx, dossier.Source{Store: d.store, Ledger: d.ledger, Program: n.Engine.Program(), Subjects: n.Subjects(p)}, p)
	if err != nil {
		return err
	}
	if err := dossier.Write(c.Out, tables); err != nil {
		return err
	}
	r := exported{Out: c.Out, Rows: map[string]int{}}
	for i := range tables {
		r.Rows[tables[i].Name] = len(tables[i].Rows)
	}
	if c.JSON {
		return e.printJSON(r)
	}
	fmt.Fprintf(e.out, "everything about customer %s is in %s\n", p.ID, c.Out)
	for i := range tables {
		fmt.Fprintf(e.out, "%-18s %d\n", tables[i].Name, len(tables[i].Rows))
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/program"
	"rapport/internal/store/sqlite"
	"rapport/internal/story"
)

type validateCmd struct {
	Dir  string `arg:"" type:"path" help:"Folder of definitions."`
	JSON bool   `help:"Print the problems as JSON."`
	Cost bool   `help:"Say what each segment makes every customer carry along."`
}

// Run prints every problem with its place and what to write instead.
func (c *validateCmd) Run(e *env) error {
	src, err := definitions(c.Dir)
	if err != nil {
		return err
	}
	prog, problems := program.Compile(src, program.Options{Workspace: workspace, Known: &condition.Known{Predictions: predicted()}})
	bad, err := e.problems(problems, c.JSON)
	if bad == 0 && c.Cost && !c.JSON {
		printCosts(e.out, prog)
	}
	switch {
	case err != nil:
		return err
	case bad > 0:
		return fault.New(fault.Invalid, fmt.Sprintf("%d mistakes in %s", bad, c.Dir))
	case !c.JSON:
		fmt.Fprintln(e.out, "the definitions are in order")
	}
	return nil
}

func (e *env) problems(problems []spec.Problem, asJSON bool) (bad int, err error) {
	for _, p := range problems {
		if !p.Warning {
			bad++
		}
	}
	if asJSON {
		if problems == nil {
			problems = []spec.Problem{}
		}
		return bad, e.printJSON(map[string]any{"problems": problems, "ok": bad == 0})
	}
	for _, p := range problems {
		kind := "mistake"
		if p.Warning {
			kind = "warning"
		}
		fmt.Fprintf(e.out, "%s: %s\n", kind, p.Error())
	}
	return bad, nil
}

type testCmd struct {
	Dir  string `arg:"" type:"path" help:"Folder of definitions with stories (*.story) in it."`
	JSON bool   `help:"Print the result as JSON."`
}

// Run plays the stories against the definitions.
func (c *testCmd) Run(e *env) error {
	src, err := definitions(c.Dir)
	if err != nil {
		return err
	}
	p, problems := program.Compile(src, program.Options{Workspace: workspace, Known: &condition.Known{Predictions: predicted()}})
	if bad, err := e.problems(problems, false); err != nil || bad > 0 {
		return errors.Join(err, fault.New(fault.Invalid, "the definitions are not in order"))
	}
	result, err := story.Run(os.DirFS(c.Dir), p)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := e.printJSON(result); err != nil {
			return err
		}
	} else {
		for _, f := range result.Failures {
			fmt.Fprintln(e.out, f)
		}
		fmt.Fprintf(e.out, "%d passed, %d failed\n", result.Passed, result.Failed)
	}
	if result.Failed > 0 {
		return fault.New(fault.Invalid, "a story does not hold")
	}
	return nil
}

type keysCmd struct {
	List keysListCmd `cmd:"" default:"withargs" help:"List, rotate and revoke keys."`
	Add  keysAddCmd  `cmd:"" help:"Make a restricted key, which may do what its scopes say."`
}

type keysListCmd struct {
	Data   string    `required:"" type:"path" help:"Data directory."`
	JSON   bool      `help:"Print as JSON."`
	Rotate keys.Kind `placeholder:"KIND" help:"Make a new key: write or secret. The old one works until it is revoked."`
	Revoke string    `placeholder:"ID" help:"End a key."`
}

// Run lists, rotates and revokes keys.
func (c *keysListCmd) Run(e *env) error {
	if _, err := os.Stat(c.Data); err != nil {
		return fault.New(fault.NotFound, c.Data+" is no data directory")
	}
	ring, _, err := keys.Open(c.Data)
	if err != nil {
		return err
	}
	if c.Revoke != "" {
		if err := ring.Revoke(c.Revoke); err != nil {
			return err
		}
	}
	if c.Rotate != "" {
		k, err := ring.Rotate(c.Rotate)
		if err != nil {
			return err
		}
		if !c.JSON {
			fmt.Fprintf(e.out, "%s key, shown once: %s\n", k.Kind, k.Text)
		} else if k.Kind != keys.Write {
			return e.printJSON([]keys.New{k})
		}
	}
	list := ring.List()
	if c.JSON {
		return e.printJSON(list)
	}
	for _, k := range list {
		state := "active"
		if !k.Active() {
			state = "revoked"
		}
		text := k.Text
		if text == "" {
			text = k.Prefix + "…" + k.Last4
		}
		fmt.Fprintf(e.out, "%-10s %-10s %-8s %-8s %s", k.ID, k.Kind, k.Name, state, text)
		for _, s := range k.Scopes {
			fmt.Fprint(e.out, " ", s)
		}
		fmt.Fprintln(e.out)
	}
	return nil
}

type keysAddCmd struct {
	Data  string       `required:"" type:"path" help:"Data directory."`
	Name  string       `required:"" help:"What the key is for."`
	Scope []keys.Scope `required:"" placeholder:"SCOPE" help:"What it may do: read, analyse (read without names and addresses), write, send, erase or sql; may be repeated."`
	JSON  bool         `help:"Print as JSON."`
}

// Run makes a restricted key. A running server takes it within a second.
func (c *keysAddCmd) Run(e *env) error {
	if _, err := os.Stat(c.Data); err != nil {
		return fault.New(fault.NotFound, c.Data+" is no data directory")
	}
	ring, _, err := keys.Open(c.Data)
	if err != nil {
		return err
	}
	k, err := ring.Add(c.Name, c.Scope)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(k)
	}
	fmt.Fprintf(e.out, "%s key (%s), shown once: %s\n", k.Kind, k.Name, k.Text)
	return nil
}

type backupCmd struct {
	Data string `required:"" type:"path" help:"Data directory that no server is using."`
	To   string `arg:"" type:"path" help:"Folder to make; it must not exist."`
}

// Run copies the directory under its lock, so that log, state and ledger belong
// together.
func (c *backupCmd) Run(e *env) (err error) {
	if _, err := os.Stat(filepath.Join(c.Data, "state.db")); err != nil { // locking would make the folder
		return fault.New(fault.NotFound, c.Data+" is no data directory: it has no state.db")
	}
	unlock, err := sqlite.LockDir(c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	from, err := filepath.Abs(c.Data)
	if err != nil {
		return err
	}
	to, err := filepath.Abs(c.To)
	if err != nil {
		return err
	}
	if strings.HasPrefix(to+string(filepath.Separator), from+string(filepath.Separator)) {
		return fault.New(fault.Invalid, "a backup cannot lie in what it copies")
	}
	if err := copyPrivate(c.Data, c.To, nil); err != nil {
		return err
	}
	fmt.Fprintln(e.out, "copied to", c.To)
	return nil
}

type doctorCmd struct {
	Data string `required:"" type:"path" help:"Data directory that no server is using."`
	JSON bool   `help:"Print as JSON."`
}

// diagnosis is what doctor finds.
type diagnosis struct {
	Profiles    int64            `json:"profiles"`
	Empty       int64            `json:"empty"` // nobody is left in them: their import was undone
	Signposts   int64            `json:"signposts"`
	Overdue     int64            `json:"overdue_alarms"`
	Stuck       []string         `json:"stuck"`
	Quarantined int              `json:"quarantined"`
	Sizes       map[string]int64 `json:"sizes"`
}

// Run scans the state for what must not be.
func (c *doctorCmd) Run(ctx context.Context, e *env) (err error) {
	d, n, err := audit(ctx, e, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	var found diagnosis
	pos, err := d.store.Position(ctx, 0)
	if err != nil {
		return err
	}
	if err := eachProfile(ctx, d, func(p *profile.Profile) error {
		if !p.Owner.Zero() {
			found.Signposts++
			return nil
		}
		if p.Born == 0 {
			found.Empty++
		} else {
			found.Profiles++
		}
		if p.Alarm <= pos.Now {
			found.Overdue++
		}
		if prog := n.Engine.Program(); prog != nil && len(found.Stuck) < 100 {
			found.Stuck = append(found.Stuck, prog.Journeys.Stuck(p)...)
		}
		return nil
	}); err != nil {
		return err
	}
	list, err := d.store.Quarantined(ctx, 1_000_000)
	if err != nil {
		return err
	}
	found.Quarantined = len(list)
	if found.Sizes, err = d.store.Stats(ctx); err != nil {
		return err
	}
	if c.JSON {
		err = e.printJSON(found)
	} else {
		writeDiagnosis(e.out, &found)
	}
	if err == nil && (len(found.Stuck) > 0 || found.Overdue > 0) {
		err = fault.New(fault.Corrupt, "the state breaks an invariant: see above")
	}
	return err
}

func writeDiagnosis(w io.Writer, d *diagnosis) {
	fmt.Fprintf(w, "%d customers, %d empty, %d signposts, %d put aside\n", d.Profiles, d.Empty, d.Signposts, d.Quarantined)
	fmt.Fprintf(w, "%d alarms overdue, %d journeys stuck\n", d.Overdue, len(d.Stuck))
	if n := d.Sizes["members_mended"]; n > 0 {
		fmt.Fprintf(w, "the list of a segment's members was damaged: %d memberships were made anew from the customers\n", n)
	}
	for _, s := range d.Stuck {
		fmt.Fprintln(w, "stuck:", s)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"unicode/utf8"

	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/run"
)

// errDiffers makes the exit code of diff that of a difference.
var errDiffers = errors.New("the definitions differ")

// target is where definitions are in force: a data directory that no server is
// using, or a running server.
type target struct {
	Data   string `type:"path" xor:"target" help:"Data directory that no server is using."`
	Server string `xor:"target" placeholder:"URL" help:"A running server, instead of a data directory."`
	Key    string `env:"RAPPORT_KEY" placeholder:"rp_s_…" help:"A key for the server. Better set in the environment, RAPPORT_KEY, than written in the history of a shell."`
	JSON   bool   `help:"Print the result as JSON."`
}

// bundle is how the server is told definitions, and tells them.
type bundle struct {
	Tag   string       `json:"tag,omitempty"`
	Files []bundleFile `json:"files"`
}

type bundleFile struct {
	Path string `json:"path"`
	Body string `json:"body"`
}

func bundleOf(src *program.Source) (w bundle, err error) {
	for _, f := range src.Files() {
		if !utf8.ValidString(f.Body) {
			return w, fault.New(fault.Invalid, f.Path+" is not text in UTF-8")
		}
		w.Files = append(w.Files, bundleFile{f.Path, f.Body})
	}
	return w, nil
}

// remote returns the server to speak to; nil: a data directory is meant.
func (t *target) remote() (*remote, error) {
	switch {
	case t.Data != "" && t.Server != "", t.Data == "" && t.Server == "":
		return nil, fmt.Errorf("%w: say --data DIR or --server URL", errMisuse)
	case t.Data != "":
		return nil, nil
	case t.Key == "":
		return nil, fmt.Errorf("%w: a server asks for --key or RAPPORT_KEY", errMisuse)
	}
	return &remote{Server: t.Server, Key: t.Key}, nil
}

// on opens the data directory and calls do with its node.
func (t *target) on(ctx context.Context, e *env, do func(d *directory, n *run.Node) error) (err error) {
	d, n, err := audit(ctx, e, t.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	return do(d, n)
}

type exportDefs struct {
	target
	Dir string `arg:"" type:"path" help:"Folder to write; made if it is not there. What it holds of other definitions is removed, everything else is left alone."`
}

// Run writes the definitions in force, every byte as it was applied.
func (c *exportDefs) Run(ctx context.Context, e *env) error {
	server, err := c.remote()
	if err != nil {
		return err
	}
	var src *program.Source
	if server != nil {
		var w bundle
		if err := server.call(ctx, http.MethodGet, "definitions", nil, &w); err != nil {
			return err
		}
		files := make([]program.File, len(w.Files))
		for i, f := range w.Files {
			files[i] = program.File{Path: f.Path, Body: f.Body}
		}
		src, err = program.New(files)
	} else {
		err = c.on(ctx, e, func(_ *directory, n *run.Node) error {
			p, err := n.Program(ctx)
			if err == nil && p == nil {
				err = fault.New(fault.NotFound, "no definitions are in force yet")
			}
			if err == nil {
				src = p.Source
			}
			return err
		})
	}
	if err != nil {
		return err
	}
	if err := writeDefinitions(c.Dir, src); err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(map[string]any{"out": c.Dir, "tag": run.Tag(src), "files": len(src.Files())})
	}
	fmt.Fprintf(e.out, "%d files of definitions are in %s\n", len(src.Files()), c.Dir)
	return nil
}

// writeDefinitions makes a folder hold exactly these definitions. A folder that
// holds other things and no definitions is somebody's mistake, and is left alone.
func writeDefinitions(dir string, src *program.Source) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder cannot be made")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	var old *program.Source
	there, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	if len(there) > 0 {
		if _, err := root.Stat("shop.yaml"); errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Conflict, dir+" holds something and no shop.yaml: name an empty folder, or one of definitions")
		}
		if old, err = program.Read(root.FS()); err != nil {
			return err
		}
		for _, f := range old.Files() {
			if _, kept := src.File(f.Path); !kept {
				if err := root.Remove(f.Path); err != nil {
					return err
				}
			}
		}
	}
	for _, f := range src.Files() {
		if old != nil {
			if body, there := old.File(f.Path); there && body == f.Body {
				continue // as it is: of a picture, the picture itself
			}
		}
		if folder := path.Dir(f.Path); folder != "." {
			if err := root.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
		if err := root.WriteFile(f.Path, []byte(f.Body), 0o644); err != nil {
			return err
		}
	}
	return nil
}

type diffCmd struct {
	target
	Dir string `arg:"" type:"path" help:"Folder of definitions."`
}

// Help says what the exit code means.
func (diffCmd) Help() string {
	return "Exit code: 0 nothing differs, 1 something does, 2 it could not be told."
}

// Run compares a folder with the definitions in force.
func (c *diffCmd) Run(ctx context.Context, e *env) error {
	d, err := c.compare(ctx, e)
	if err != nil {
		return misused{err}
	}
	if c.JSON {
		err = e.printJSON(d)
	} else {
		err = printDifference(e.out, d)
	}
	switch {
	case err != nil:
		return misused{err}
	case !d.Same:
		return errDiffers
	}
	return nil
}

// misused gives an error the exit code of misuse: to diff, 1 means a difference.
type misused struct{ error }

func (m misused) Is(target error) bool { return target == errMisuse }

func (m misused) Unwrap() error { return m.error }

func (c *diffCmd) compare(ctx context.Context, e *env) (*run.Difference, error) {
	src, err := definitions(c.Dir)
	if err != nil {
		return nil, err
	}
	server, err := c.remote()
	if err != nil {
		return nil, err
	}
	var d run.Difference
	if server != nil {
		w, err := bundleOf(src)
		if err == nil {
			err = server.call(ctx, http.MethodPost, "definitions/diff", w, &d)
		}
		return &d, err
	}
	err = c.on(ctx, e, func(_ *directory, n *run.Node) error {
		d, err = n.Diff(ctx, src)
		return err
	})
	return &d, err
}

func printDifference(w io.Writer, d *run.Difference) error {
	if d.Same {
		_, err := fmt.Fprintln(w, "nothing differs")
		return err
	}
	signs := map[string]string{program.Added: "+", program.Changed: "~", program.Removed: "-"}
	for i := range d.Changes {
		c := &d.Changes[i]
		name := c.Kind
		if c.Name != "" {
			name += " " + c.Name
		}
		fmt.Fprintf(w, "%s %s (%s)", signs[c.What], name, c.File)
		if a := c.Affects; c.What != program.Added {
			switch {
			case c.Kind == "segment":
				fmt.Fprintf(w, ": %d customers are in it", a.Members)
			case c.Kind == "shop", c.Kind == "policy":
				fmt.Fprintf(w, ": %d customers, %d messages planned", d.Customers, a.Planned)
			default:
				fmt.Fprintf(w, ": %d inside, %d messages planned", a.Inside, a.Planned)
			}
		}
		fmt.Fprintln(w)
		for _, line := range c.Lines {
			fmt.Fprintln(w, "    "+line)
		}
	}
	for _, p := range d.Problems {
		kind := "mistake"
		if p.Warning {
			kind = "warning"
		}
		fmt.Fprintf(w, "%s: %s\n", kind, p.Error())
	}
	_, err := fmt.Fprintln(w, d.Summary())
	return err
}

type applyCmd struct {
	target
	Dir string `arg:"" type:"path" help:"Folder of definitions."`
}

// Run puts the definitions in force and brings every customer up to them.
func (c *applyCmd) Run(ctx context.Context, e *env) error {
	src, err := definitions(c.Dir)
	if err != nil {
		return err
	}
	server, err := c.remote()
	if err != nil {
		return err
	}
	var problems []spec.Problem
	if server != nil {
		problems, err = applyTo(ctx, server, src, c.Dir)
	} else {
		err = c.on(ctx, e, func(d *directory, n *run.Node) (err error) {
			if err := d.holdPictures(ctx, src, c.Dir); err != nil {
				return err
			}
			if problems, err = n.Apply(ctx, src); err == nil {
				err = n.Engine.CatchUp(ctx)
			}
			return err
		})
	}
	if _, perr := e.problems(problems, c.JSON); perr != nil {
		return errors.Join(err, perr)
	}
	if err == nil && !c.JSON {
		fmt.Fprintln(e.out, "the definitions are in force")
	}
	return err
}

// applyTo puts definitions in force on a running server, which brings its customers
// up to them by and by. Mistakes are returned, and nothing is changed.
func applyTo(ctx context.Context, server *remote, src *program.Source, dir string) ([]spec.Problem, error) {
	w, err := bundleOf(src)
	if err != nil {
		return nil, err
	}
	// What is in force now is what the folder replaces: if somebody changes it while this
	// is checked and its pictures are sent, they are not undone unseen.
	var before struct {
		Tag string `json:"tag"`
	}
	var match []string
	if server.call(ctx, http.MethodGet, "program", nil, &before) == nil { // a server without definitions asks for no tag
		match = []string{"If-Match", `"` + before.Tag + `"`}
	}
	var found struct {
		OK       bool           `json:"ok"`
		Problems []spec.Problem `json:"problems"`
	}
	if err := server.call(ctx, http.MethodPost, "definitions/validate", w, &found); err != nil {
		return nil, err
	}
	if !found.OK {
		return found.Problems, fault.New(fault.Invalid, "the definitions are not in order")
	}
	if err := sendPictures(ctx, server, src, dir); err != nil {
		return found.Problems, err
	}
	var done struct{}
	return found.Problems, server.call(ctx, http.MethodPut, "definitions", w, &done, match...)
}

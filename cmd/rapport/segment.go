package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"rapport/internal/audience"
	"rapport/internal/fault"
	"rapport/internal/program"
)

type segmentCmd struct {
	Preview segmentPreviewCmd `cmd:"" help:"Count whom a condition is about, and whom of them a message would reach. Saves nothing."`
	Overlap segmentOverlapCmd `cmd:"" help:"Say how segments in force lie over each other."`
}

// maxCondition bounds a file with a condition: the API takes no more.
const maxCondition = 60_000

type segmentPreviewCmd struct {
	remote
	File    string `arg:"" help:"A file with a condition, or with the definition of a segment, in YAML; - reads it from the input."`
	Sample  int    `default:"5" help:"How many customers to show. Default: ${default}."`
	Purpose string `default:"marketing" help:"The consent that is asked for. Default: ${default}."`
}

// Run prints the figures while they grow, on the error output, and at last whole.
func (c *segmentPreviewCmd) Run(ctx context.Context, e *env) error {
	text, err := readCondition(c.File)
	if err != nil {
		return err
	}
	var f struct {
		audience.Figures
		People []struct {
			ID, Email string
			Orders    int
		} `json:"people"`
	}
	body := map[string]any{"text": text, "sample": c.Sample, "purpose": c.Purpose, "wait": 10}
	for err = c.call(ctx, http.MethodPost, "segments/preview", body, &f); err == nil && (f.State == audience.Waiting || f.State == audience.Counting); {
		fmt.Fprintf(e.err, "looked at %d of %d: %d so far\n", f.Looked, f.Of, f.Members)
		err = c.call(ctx, http.MethodGet, "previews/"+url.PathEscape(f.ID)+"?wait=10", nil, &f)
	}
	switch {
	case err != nil:
		return err
	case f.State == audience.Failed:
		return fault.New(fault.Unavailable, f.Trouble)
	case c.JSON:
		return e.printJSON(f)
	}
	for _, p := range f.Warnings {
		fmt.Fprintln(e.err, "warning:", p.Error())
	}
	fmt.Fprintf(e.out, "who %s\n%10d  of %d customers\n", f.Sentence, f.Members, f.Customer)
	for _, r := range f.Funnel {
		fmt.Fprintf(e.out, "%10d  reachable by %s\n%10d  who agreed to %s\n%10d  to whom a message could go now, %d later\n", r.Reachable, r.Channel, r.Agreed, r.Purpose, r.Free, r.Later)
		for _, s := range r.Stopped {
			fmt.Fprintf(e.out, "%14d  %s\n", s.Count, strings.ReplaceAll(s.Reason, "_", " "))
		}
	}
	for _, p := range f.People {
		fmt.Fprintf(e.out, "  %s  %s  %d orders\n", p.ID, p.Email, p.Orders)
	}
	if f.Behind > 0 {
		fmt.Fprintf(e.out, "%d customers were not asked: the definitions in force have not come to them yet\n", f.Behind)
	}
	return nil
}

// printCosts prints what the segments of a program take.
func printCosts(out io.Writer, prog *program.Program) {
	for _, s := range prog.Segments {
		fmt.Fprintf(out, "%s\n", s.Name)
		costs := prog.Core.Segments.Cond(s.Name).Costs()
		for _, c := range costs {
			fmt.Fprintf(out, "    %s: %s\n", c.What, c.Sentence())
		}
		if len(costs) == 0 {
			fmt.Fprintln(out, "    asks nothing about events: it takes nothing")
		}
	}
}

// readCondition reads a small file, or the input.
func readCondition(name string) (string, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxCondition+1))
	if err == nil && len(text) > maxCondition {
		err = fault.New(fault.TooLarge, fmt.Sprintf("%s is longer than the %d bytes of a condition", name, maxCondition))
	}
	return string(text), err
}

type segmentOverlapCmd struct {
	remote
	Names []string `arg:"" help:"Two to eight segments."`
}

// Run prints how many customers each two of them share.
func (c *segmentOverlapCmd) Run(ctx context.Context, e *env) error {
	if len(c.Names) < audience.MinSegments {
		return fmt.Errorf("%w: two segments at least are laid over each other", errMisuse)
	}
	query := url.Values{"with": c.Names[1:]}
	var o audience.Overlap
	if err := c.call(ctx, http.MethodGet, "segments/"+url.PathEscape(c.Names[0])+"/overlap?"+query.Encode(), nil, &o); err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(o)
	}
	for _, s := range o.Segments {
		fmt.Fprintf(e.out, "%10d  in %s, %d of them in no other\n", s.Members, s.Name, s.Only)
	}
	for _, p := range o.Pairs {
		fmt.Fprintf(e.out, "%10d  in both %s and %s\n", p.Both, p.A, p.B)
	}
	fmt.Fprintf(e.out, "%10d  in all of them\n%10d  in at least one\n", o.All, o.Any)
	return nil
}

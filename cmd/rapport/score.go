package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"unicode/utf8"

	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/run"
)

// scoreCmd looks at scores.
type scoreCmd struct {
	Show    scoreShowCmd    `cmd:"" default:"withargs" help:"Say what a customer's scores are, and which rules and events made them."`
	Preview scorePreviewCmd `cmd:"" help:"Say whose tier would change if files of scores came into force."`
}

type scoreShowCmd struct {
	target
	Customer string `arg:"" help:"A customer's id, user id, e-mail address or phone number."`
}

// Run explains the scores of one customer.
func (c *scoreShowCmd) Run(ctx context.Context, e *env) error {
	server, err := c.remote()
	if err != nil {
		return err
	}
	var s run.CustomerScores
	if server != nil {
		var found struct {
			ID string `json:"id"`
		}
		if err := server.call(ctx, http.MethodPost, "customers/search", map[string]string{"identifier": c.Customer}, &found); err != nil {
			return err
		}
		err = server.call(ctx, http.MethodGet, "customers/"+found.ID+"/scores", nil, &s)
	} else {
		err = c.on(ctx, e, func(_ *directory, n *run.Node) error {
			p, err := n.Lookup(ctx, c.Customer)
			if err == nil {
				s, err = n.Scores(ctx, p)
			}
			return err
		})
	}
	switch {
	case err != nil:
		return err
	case c.JSON:
		return e.printJSON(s)
	}
	return tellScores(e.out, &s)
}

// fewEvents is how many events of a score are told on a screen; --json has more.
const fewEvents = 10

// tellScores writes scores for people.
func tellScores(w io.Writer, s *run.CustomerScores) error {
	p := printer{w: w}
	if len(s.Scores)+len(s.Affinities) == 0 {
		p.line("No scores are defined: they are files in scores/.")
	}
	for i := range s.Scores {
		v := &s.Scores[i]
		p.line("%s: %.2f%s%s", v.Label, v.Value, before(", ", v.Tier), before(", half of it fades in ", v.Halves))
		for j := range v.Parts {
			part := &v.Parts[j]
			if part.Score != v.Score {
				p.line("  %.2f from %s", part.Value, part.Score)
				continue // it is told by itself
			}
			for _, r := range part.Rules {
				if r.Events > 0 {
					p.line("  %8.2f  %s (%d times, %g points each)", r.Now, r.What, r.Events, r.Gives)
				} else {
					p.line("  %8.2f  %s (%g points)", r.Now, r.What, r.Gives)
				}
			}
			for k, one := range part.Events {
				if k == fewEvents {
					p.line("            … and %d events before", len(part.Events)-k+part.More)
					break
				}
				taken := ""
				if one.Taken {
					taken = ", taken back"
				}
				p.line("            %s  %s: %g then, %.2f now%s", one.At.Format("2006-01-02 15:04"), one.Name, one.Then, one.Now, taken)
			}
		}
	}
	for i := range s.Affinities {
		a := &s.Affinities[i]
		for k, l := range a.Likes {
			if k == fewEvents {
				p.line("  … and %d more", len(a.Likes)-k)
				break
			}
			if k == 0 {
				p.line("Interest by %s", a.Affinity)
			}
			p.line("  %5.1f %%  %s (weighs %.2f)", 100*l.Share, l.Name, l.Weight)
		}
	}
	return p.err
}

// before returns text with something in front of it, if there is any.
func before(lead, text string) string {
	if text == "" {
		return ""
	}
	return lead + text
}

// printer writes lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

type scorePreviewCmd struct {
	target
	Files []string `arg:"" type:"existingfile" help:"Files of scores. Each takes the place of the one in force in scores/ with its name, or joins them."`
}

// Run says whose tier would change.
func (c *scorePreviewCmd) Run(ctx context.Context, e *env) error {
	server, err := c.remote()
	if err != nil {
		return err
	}
	files, err := scoreFiles(c.Files)
	if err != nil {
		return err
	}
	var d run.ScoreDifference
	if server != nil {
		var w bundle
		for _, f := range files {
			w.Files = append(w.Files, bundleFile{f.Path, f.Body})
		}
		err = server.call(ctx, http.MethodPost, "scores/preview", w, &d)
	} else {
		err = c.on(ctx, e, func(_ *directory, n *run.Node) error {
			p, err := n.Program(ctx)
			switch {
			case err != nil:
				return err
			case p == nil:
				return fault.New(fault.NotFound, "no definitions are in force yet")
			}
			src, err := p.Source.With(files, nil)
			if err == nil {
				d, err = n.PreviewScores(ctx, src)
			}
			return err
		})
	}
	if err != nil {
		return err
	}
	if c.JSON {
		if err := e.printJSON(d); err != nil {
			return err
		}
	} else if err := tellPreviewed(e.out, &d); err != nil {
		return err
	}
	for i := range d.Problems {
		if !d.Problems[i].Warning {
			return fault.New(fault.Invalid, "the scores have mistakes, so nothing was compared")
		}
	}
	return nil
}

// scoreFiles reads files as definitions in scores/.
func scoreFiles(names []string) (files []program.File, err error) {
	for _, name := range names {
		body, err := os.ReadFile(name)
		switch {
		case err != nil:
			return nil, err
		case !utf8.Valid(body):
			return nil, fault.New(fault.Invalid, name+" is not text in UTF-8")
		}
		files = append(files, program.File{Path: "scores/" + filepath.Base(name), Body: string(body)})
	}
	return files, nil
}

// tellPreviewed writes what would change for people.
func tellPreviewed(w io.Writer, d *run.ScoreDifference) error {
	p := printer{w: w}
	for i := range d.Problems {
		p.line("%s", d.Problems[i].Error())
	}
	for i := range d.Scores {
		s := &d.Scores[i]
		p.line("%s (of %d customers; %.2f points on average before, %.2f after)", s.Summary(), d.Customers, s.Before, s.After)
		for _, m := range s.Moves {
			p.line("  %8d  %s → %s", m.Customers, tierName(m.From), tierName(m.To))
		}
		for k, one := range s.Sample {
			if k == fewEvents {
				break
			}
			p.line("            %s  %.2f → %.2f  %s → %s", one.ID, one.Before, one.After, tierName(one.From), tierName(one.To))
		}
	}
	if d.Unread > 0 {
		p.line("%d customers are left out: their history is damaged, and rapport doctor tells of it", d.Unread)
	}
	return p.err
}

func tierName(s string) string {
	if s == "" {
		return "no tier"
	}
	return s
}

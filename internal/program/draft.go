package program

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"rapport/internal/core/condition"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/spec"
)

// Draft is a journey that somebody is writing: read as far as it can be, and never
// walked.
type Draft struct {
	Tree     spec.Node           // as written, with comments as notes
	Shown    *journey.Definition // for its steps and sentences; nil: it is no journey at all
	Problems []Flaw
}

// Flaw is a problem of a draft, with the place in its tree.
type Flaw struct {
	spec.Problem
	Place []string // keys and indices from the root; empty: the journey as a whole
}

// folder is where journeys stand.
const folder = "journeys/"

// JourneyFile returns the file of a journey: that which defines it, else the one that
// a new journey of the name would have. The body is empty if there is none.
func (s *Source) JourneyFile(name string) File {
	for _, f := range s.files {
		dir, base := path.Split(f.Path)
		if dir != folder || path.Ext(base) != ".yaml" || !strings.Contains(f.Path+f.Body, name) {
			continue
		}
		var unheard spec.Problems
		docs := ParseYAML(f.Path, 1, f.Body, &unheard)
		if len(docs) != 1 {
			continue
		}
		own := strings.TrimSuffix(base, ".yaml")
		if v, ok := docs[0].Get("journey"); ok && v.Scalar() && v.Text != "" {
			own = v.Text
		}
		if own == name {
			return f
		}
	}
	return File{Path: folder + name + ".yaml"}
}

// Draft reads a journey that would stand in a file among these definitions, and says
// all that is wrong with it there.
func (p *Program) Draft(f File, check func(*Source) []spec.Problem) (Draft, error) {
	var d Draft
	var ps spec.Problems
	docs := ParseYAML(f.Path, 1, f.Body, &ps)
	if len(docs) != 1 || docs[0].Kind != spec.Map {
		for _, problem := range ps.All() {
			d.Problems = append(d.Problems, Flaw{Problem: problem})
		}
		if !ps.Bad() {
			ps.Add(spec.Pos{File: f.Path, Line: 1}, "", "one journey is expected here")
			d.Problems = append(d.Problems, Flaw{Problem: ps.All()[0]})
		}
		return d, nil
	}
	d.Tree = noted(f.Body, docs[0])
	src, err := p.Source.With([]File{f}, nil)
	if err != nil {
		return d, err
	}
	for _, problem := range check(src) {
		switch {
		case problem.Pos.File == f.Path:
			d.Problems = append(d.Problems, Flaw{problem, placeOf(docs[0], problem.Pos, nil)})
		case !problem.Warning:
			d.Problems = append(d.Problems, Flaw{Problem: problem}) // it breaks something elsewhere
		}
	}
	d.Shown = journey.Draft(strings.TrimSuffix(path.Base(f.Path), ".yaml"), docs[0], p.surroundings())
	return d, nil
}

// surroundings returns what a draft may ask for.
func (p *Program) surroundings() *journey.Env {
	zones, err := loadZones()
	if err != nil {
		return &journey.Env{Conditions: &condition.Env{Set: condition.NewSet()}} // unreachable: the program was compiled with them
	}
	_, env, sources := p.apart(zones)
	insight.Compile(sources, env, &spec.Problems{}) // what is in force compiled before
	return &journey.Env{Conditions: env, Channels: Channels}
}

// placeOf returns the keys and indices that lead to what stands at a place of the file:
// to the very value or key, else to the last one that begins before it.
func placeOf(n spec.Node, at spec.Pos, within []string) []string {
	best, exact := within, n.Pos == at
	if exact {
		return within
	}
	before := func(p spec.Pos) bool { return p.Line < at.Line || p.Line == at.Line && p.Col <= at.Col }
	switch n.Kind {
	case spec.Map:
		for _, f := range n.Fields {
			if here := append(slices.Clip(within), f.Key); before(f.Pos) {
				if f.Pos == at {
					return here
				}
				best = placeOf(f.Value, at, here)
			}
		}
	case spec.List:
		for i := range n.Items {
			if before(n.Items[i].Pos) {
				best = placeOf(n.Items[i], at, append(slices.Clip(within), strconv.Itoa(i)))
			}
		}
	}
	return best
}

// noted returns the journey with the comments of its file as notes: those of a step on
// the step, all others in its description. An editor that writes the file anew would
// lose them otherwise.
func noted(body string, n spec.Node) spec.Node {
	n.Fields = slices.Clone(n.Fields)
	at := slices.IndexFunc(n.Fields, func(f spec.Field) bool { return f.Key == "steps" })
	var steps spec.Node
	if at >= 0 {
		steps = n.Fields[at].Value
		steps.Items = slices.Clone(steps.Items)
		n.Fields[at].Value = steps
	}
	code := map[int]bool{} // lines that hold more than a comment
	var comments []*token.Token
	for _, t := range lexer.Tokenize(strings.ReplaceAll(body, "\r\n", "\n")) {
		if t.Type == token.CommentType {
			comments = append(comments, t)
		} else {
			code[t.Position.Line] = true
		}
	}
	last := strings.Count(body, "\n") + 1
	for _, c := range comments {
		line := c.Position.Line
		for !code[line] && line < last {
			line++ // a comment of its own stands before what it is about
		}
		step := -1
		for i := range steps.Items {
			if steps.Items[i].Pos.Line <= line {
				step = i
			}
		}
		text := strings.TrimSpace(strings.TrimLeft(c.Value, "#"))
		switch {
		case text == "":
		case step >= 0 && steps.Items[step].Kind == spec.Map:
			steps.Items[step] = addText(steps.Items[step], "note", text)
		default:
			n = addText(n, "description", text)
		}
	}
	return n
}

// addText adds a line to a field of texts.
func addText(n spec.Node, key, text string) spec.Node {
	n.Fields = slices.Clone(n.Fields)
	for i := range n.Fields {
		if f := &n.Fields[i]; f.Key == key && f.Value.Scalar() {
			f.Value.Text = strings.TrimRight(f.Value.Text, "\n") + "\n" + text
			return n
		}
	}
	n.Fields = append(n.Fields, spec.Field{Key: key, Pos: n.Pos, Value: spec.Node{Kind: spec.Text, Text: text, Pos: n.Pos}})
	return n
}

// JourneyVersion is a journey as it was in one of the sets of definitions that are
// still known.
type JourneyVersion struct {
	*Source          // the definitions with which it came into force
	Body    string   // of its file; empty: it was taken away
	Lines   []string // how it differs from the version before, as diff -u writes it
}

// JourneyVersions returns the versions of a journey that are still known, the newest
// first. What is in force is the first.
func (p *Program) JourneyVersions(name string) []JourneyVersion {
	var list []JourneyVersion
	was := ""
	for _, src := range append(slices.Clip(p.Behind), p.Source) {
		body := src.JourneyFile(name).Body
		if body == was {
			continue
		}
		list = append(list, JourneyVersion{Source: src, Body: body, Lines: lineDiff(was, body)})
		was = body
	}
	slices.Reverse(list)
	return list
}

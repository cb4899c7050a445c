package journey

import (
	"slices"

	"rapport/internal/core/spec"
)

// moves says which people inside older versions an edit takes along. By default
// nobody: people inside keep their version.
type moves struct {
	all   bool // everybody whose step still exists
	steps []moveStep
}

type moveStep struct {
	from string
	to   int
}

// Move is one line of what an edit does with people inside an older version.
type Move struct {
	From string
	To   string // empty: they keep their version
}

// move reads `move: all`, or the steps of older versions with their new ones.
func (r *reader) move(n spec.Node) {
	switch {
	case n.Kind == spec.Text && n.Text == "all":
		r.def.moves.all = true
	case n.Kind == spec.Map && len(n.Fields) > 0:
		for _, f := range n.Fields {
			r.def.moves.steps = append(r.def.moves.steps, moveStep{f.Key, r.target(f.Value)})
		}
	default:
		r.ps.Add(n.Pos, "all, or {old-step: new-step}", "move says who goes along into this version")
	}
}

// place returns the step to which people at a step of an older version are
// taken, and whether they are taken at all.
func (m *moves) place(d *Definition, from string) (int, bool) {
	i := slices.IndexFunc(m.steps, func(s moveStep) bool { return s.from == from })
	if i >= 0 {
		return m.steps[i].to, true
	}
	if m.all {
		to := d.step(from)
		return to, to >= 0
	}
	return 0, false
}

// Mapping returns what d does with people inside the older version, for whoever
// publishes d to see first: one line for each step at which somebody can stand.
func (d *Definition) Mapping(old *Definition) []Move {
	var list []Move
	for i := range old.steps {
		s := &old.steps[i]
		if s.kind != Wait && s.kind != WaitFor && (s.kind != Send || !s.send.accepted) {
			continue
		}
		m := Move{From: s.name}
		if to, ok := d.moves.place(d, s.name); ok {
			m.To = "end"
			if to >= 0 {
				m.To = d.steps[to].name
			}
		}
		list = append(list, m)
	}
	return list
}

// CatchUp takes the customer along into newer versions, as far as those say so,
// and lets out whoever is inside a journey of which no version is known any
// more. It is called when a profile first meets a new program.
func (s *Set) CatchUp(w *World) Out {
	if s == nil || len(w.P.Journeys) == 0 {
		return Out{}
	}
	r := s.begin(w)
	for i := 0; i < len(r.live); {
		in := &r.live[i]
		d := s.Definition(in.Journey)
		if d == nil || d.Version == in.Version {
			i++
			continue
		}
		to, ok := d.moves.place(d, in.Step)
		if !ok {
			i++
			continue
		}
		r.own()
		in = &r.live[i]
		since := in.Since
		in.Version = d.Version
		r.walked = true
		if !r.walk(i, to) {
			continue
		}
		// The wait began when the old step was reached, not when the edit came.
		in = &r.live[i]
		if at := d.step(in.Step); at == to && in.Since == w.Now {
			r.backdate(d, i, since)
		}
		i++
	}
	r.leaveAll()
	r.wakes()
	return r.finish()
}

package journey

import (
	"strings"

	"rapport/internal/core/spec"
)

// Step is one step as a page shows it.
type Step struct {
	Name  string
	Kind  Kind
	Title string // what it does, in words
	Edges []Edge
	Pos   spec.Pos
}

// Edge leads from a step to another.
type Edge struct {
	Label string // when it is taken; empty: always
	To    string // the step's name; empty: the journey ends
}

// edge is an edge inside a definition.
type edge struct {
	label string
	to    int
	pause bool // who takes it has waited: a loop needs one
}

// Steps returns the steps in the order of the source, each with its edges, for
// pages that draw the journey. The first is where customers begin.
func (d *Definition) Steps() []Step {
	list := make([]Step, len(d.steps))
	for i := range d.steps {
		s := &d.steps[i]
		out := Step{Name: s.name, Kind: s.kind, Title: d.title(i), Pos: s.pos}
		for _, e := range d.edges(i) {
			to := ""
			if e.to >= 0 {
				to = d.steps[e.to].name
			}
			out.Edges = append(out.Edges, Edge{e.label, to})
		}
		list[i] = out
	}
	return list
}

// Audience returns the audience as the predicate of a sentence; empty if
// everybody may enter.
func (d *Definition) Audience() string {
	if d.audience == nil {
		return ""
	}
	return d.audience.Sentence()
}

// Ends returns what takes customers out, and what counts as the goal, in words.
func (d *Definition) Ends() (exits, goals []string) {
	for _, w := range d.exit.items {
		exits = append(exits, w.text)
	}
	for _, w := range d.goal.items {
		goals = append(goals, w.text)
	}
	return exits, goals
}

// Templates returns the names of the templates that the journey sends, in the
// order of its steps, each once.
func (d *Definition) Templates() []string {
	var names []string
	for i := range d.steps {
		if s := d.steps[i].send; s != nil && !contains(names, s.template) {
			names = append(names, s.template)
		}
	}
	return names
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// title says in words what the step does.
func (d *Definition) title(i int) string {
	s := &d.steps[i]
	switch s.kind {
	case Send:
		return "Send " + s.send.template + " by " + s.send.channel
	case Wait:
		w := s.wait
		switch w.mode {
		case waitTime:
			return "Wait until " + w.clock.String() + " on " + w.days.String()
		case waitDate:
			at := "Wait until " + w.date.name
			if w.offset != 0 {
				at += " " + span(w.offset)
			}
			if w.timed {
				at += " at " + w.clock.String()
			}
			return at
		case waitRhythm:
			if w.within != "" {
				return "Wait until the next " + w.within + " is due by the customer's own rhythm"
			}
			return "Wait until a product is due by the customer's own rhythm"
		}
		return "Wait " + span(w.length)
	case WaitFor:
		var texts []string
		for _, a := range s.await.any {
			texts = append(texts, a.text)
		}
		title := "Wait for " + strings.Join(texts, " or ")
		if s.await.timeout > 0 {
			title += ", at most " + span(s.await.timeout)
		}
		return title
	case Branch:
		return "Branch"
	case Split:
		return "Split " + s.split.name
	case Update:
		var names []string
		for _, a := range s.update {
			names = append(names, a.trait)
		}
		return "Set " + strings.Join(names, ", ")
	case Jump:
		return "Jump"
	case Goal:
		return "Goal"
	}
	if s.why != "" {
		return "Leave: " + s.why
	}
	return "Leave"
}

// edges returns where the step leads.
func (d *Definition) edges(i int) []edge {
	s := &d.steps[i]
	switch s.kind {
	case Send:
		if s.otherwise == absent {
			return []edge{{to: s.next}}
		}
		return []edge{{to: s.next}, {label: "not sent", to: s.otherwise}}
	case Wait:
		list := []edge{{to: s.next, pause: true}}
		switch {
		case s.wait.mode == waitRhythm && s.otherwise != absent:
			list = append(list, edge{label: "no rhythm known", to: s.otherwise})
		case s.wait.mode == waitDate && s.wait.late == lateNow:
			list = append(list, edge{label: "in the past", to: s.next})
		case s.wait.mode == waitDate && s.wait.late == lateSkip:
			list = append(list, edge{label: "in the past", to: d.past(s)})
		case s.wait.mode == waitDate:
			list = append(list, edge{label: "in the past", to: end})
		}
		return list
	case WaitFor:
		var list []edge
		for _, a := range s.await.any {
			list = append(list, edge{label: a.text, to: a.next, pause: a.match != nil})
		}
		if s.await.timeout > 0 {
			list = append(list, edge{label: "after " + span(s.await.timeout), to: s.instead(), pause: true})
		}
		return list
	case Branch:
		var list []edge
		for _, a := range s.branch {
			list = append(list, edge{label: a.text, to: a.next})
		}
		return list
	case Split:
		var list []edge
		for _, a := range s.split.arms {
			list = append(list, edge{label: a.name + " " + percent(a.part), to: a.next})
		}
		return list
	case Exit, Goal:
		return nil
	}
	return []edge{{to: s.next}}
}

// past returns where a wait leads whose date has passed and whose rule is to
// skip: its `otherwise` edge, else past the step that was waited for.
func (d *Definition) past(s *step) int {
	if s.otherwise != absent {
		return s.otherwise
	}
	if s.next < 0 {
		return end
	}
	return d.steps[s.next].next
}

package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/admin/page"
	"rapport/internal/core/condition"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// perPage is how many customers, messages or moments a page lists.
const perPage = 100

func (s *site) segments(r *http.Request) (page.View, error) {
	p, err := s.inForce(r.Context())
	if err != nil {
		return nil, err
	}
	return &page.Groups{Frame: s.frame(p, "Segments", "segments"), List: segmentRows(p, s.figures.now(r.Context()))}, nil
}

func (s *site) segment(r *http.Request) (page.View, error) {
	ctx := r.Context()
	p, err := s.inForce(ctx)
	if err != nil {
		return nil, err
	}
	g, ok := p.Segment(r.PathValue("name"))
	if !ok {
		return nil, fault.New(fault.NotFound, "No segment of that name is in force.")
	}
	key := condition.SegmentKey(g.Name)
	v := &page.Group{
		Frame: s.frame(p, g.Label, "segments"), Name: g.Name, Label: g.Label, About: g.About, Sentence: labelled(p, g.Sentence),
		Count: page.Count(s.figures.now(ctx).members[key]),
	}
	after, _ := identity.ParseID(r.FormValue("after")) // what is no id begins at the beginning
	ids, err := s.o.Store.Members(ctx, key, after, perPage+1)
	if err != nil {
		return nil, fmt.Errorf("listing the members of %s: %w", g.Name, err)
	}
	if len(ids) > perPage {
		ids = ids[:perPage]
		v.More = "/segments/" + url.PathEscape(g.Name) + "?after=" + ids[perPage-1].String()
	}
	for _, id := range ids {
		who, err := s.o.Node.Engine.Profile(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("reading member %s: %w", id, err)
		}
		if who != nil {
			v.List = append(v.List, s.person(p, who))
		}
	}
	v.Shown = "The first " + page.Count(int64(len(v.List)))
	if !after.Zero() {
		v.Shown = "The next " + page.Count(int64(len(v.List)))
	}
	return v, nil
}

func (s *site) journeys(r *http.Request) (page.View, error) {
	p, err := s.inForce(r.Context())
	if err != nil {
		return nil, err
	}
	f := s.figures.now(r.Context())
	v := &page.Journeys{Frame: s.frame(p, "Journeys", "journeys")}
	for _, d := range p.Core.Journeys.Definitions() {
		n := numbersOf(f, d.Name)
		v.List = append(v.List, page.JourneyRow{
			Link: journeyLink(p, d.Name), Trigger: triggers(p, d), Entered: page.Count(n.entered), Inside: page.Count(n.inside),
			Sent: page.Count(n.sent), NotSent: page.Count(n.not), Share: page.Count(n.held),
		})
	}
	return v, nil
}

// triggers says in words what lets customers in.
func triggers(p *program.Program, d *journey.Definition) string {
	s := ""
	for i := range d.Triggers {
		t := &d.Triggers[i]
		if i > 0 {
			s += ", or "
		}
		switch {
		case t.Fence != "", t.Life != "":
			s += t.String()
		case t.Segment != "":
			label := t.Segment
			if g, ok := p.Segment(t.Segment); ok {
				label = g.Label
			}
			if t.Leave {
				s += "leaves “" + label + "”"
			} else {
				s += "enters “" + label + "”"
			}
		default:
			s += t.String()
		}
	}
	return s
}

// numbers are what happened in a journey. Entered and inside count runs, the rest
// messages.
type numbers struct{ entered, inside, goals, sent, not, held, waits int64 }

func numbersOf(f snapshot, name string) (n numbers) {
	if w := f.tally.journeys[name]; w != nil {
		n.entered, n.inside, n.goals = w.entered, max(0, w.entered-w.left), w.goals
	}
	for _, c := range f.counts {
		if c.Journey != name {
			continue
		}
		switch {
		case c.State == profile.Accepted, c.State == profile.Unknown:
			n.sent += c.Count
		case c.State == profile.Withheld:
			n.held += c.Count
		case c.State.Open():
			n.waits += c.Count
		default:
			n.not += c.Count
		}
	}
	return n
}

func (s *site) journey(r *http.Request) (page.View, error) {
	p, err := s.inForce(r.Context())
	if err != nil {
		return nil, err
	}
	d := p.Core.Journeys.Definition(r.PathValue("name"))
	if d == nil {
		return nil, fault.New(fault.NotFound, "No journey of that name is in force.")
	}
	f := s.figures.now(r.Context())
	n := numbersOf(f, d.Name)
	v := &page.Journey{Frame: s.frame(p, d.Title, "journeys"), Name: d.Name, NotSent: notSent(f.counts, d.Name)}
	v.Numbers = []page.Fact{
		{Label: "Entered", Value: page.Count(n.entered)},
		{Label: "Inside now", Value: page.Count(n.inside)},
		{Label: "Messages waiting", Value: page.Count(n.waits)},
		{Label: "Sent", Value: page.Count(n.sent)},
		{Label: "Not sent", Value: page.Count(n.not)},
		{Label: "Held out", Value: page.Count(n.held)},
	}
	v.About = rules(p, d)
	if _, goals := d.Ends(); len(goals) > 0 {
		v.Numbers = append(v.Numbers, page.Fact{Label: "Reached the goal", Value: page.Count(n.goals)})
	}
	w := f.tally.journeys[d.Name]
	for i, step := range d.Steps() {
		v.Steps = append(v.Steps, drawn(p, i, &step, d.Steps(), w))
	}
	return v, nil
}

// rules say who enters a journey, who leaves it and what it is for.
func rules(p *program.Program, d *journey.Definition) []page.Fact {
	list := []page.Fact{{Label: "Begins with", Value: page.Title(triggers(p, d))}}
	if a := d.Audience(); a != "" {
		list = append(list, page.Fact{Label: "For who", Value: labelled(p, a)})
	}
	exits, goals := d.Ends()
	for _, e := range exits {
		list = append(list, page.Fact{Label: "Ends early when", Value: labelled(p, e), Note: "what still waits is taken back"})
	}
	for _, g := range goals {
		list = append(list, page.Fact{Label: "Its goal", Value: labelled(p, g)})
	}
	again := map[journey.Rule]string{journey.Never: "never", journey.OncePerKey: "once for each key", journey.AfterExit: "as soon as they have left", journey.After: page.Span(d.Reentry.After) + " after they entered"}
	return append(list,
		page.Fact{Label: "Again", Value: again[d.Reentry.Rule]},
		page.Fact{Label: "Held out", Value: page.Percent(d.Holdout), Note: "walk it and get nothing, so that its effect can be measured"})
}

// labelled returns a text about segments with the labels of those that it names.
func labelled(p *program.Program, s string) string {
	const before = "segment "
	if !strings.Contains(s, before) {
		return s
	}
	names := slices.Clone(p.Segments)
	slices.SortStableFunc(names, func(a, b program.Segment) int { return len(b.Name) - len(a.Name) }) // of two that begin alike, the longer is meant
	var pairs []string
	for _, g := range names {
		pairs = append(pairs, before+g.Name, "“"+g.Label+"”")
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// drawn returns a step as it is drawn, with what happened there.
func drawn(p *program.Program, i int, step *journey.Step, all []journey.Step, w *walk) page.JourneyStep {
	id := func(name string) string {
		for i := range all {
			if all[i].Name == name {
				return "step-" + strconv.Itoa(i+1)
			}
		}
		return ""
	}
	v := page.JourneyStep{ID: "step-" + strconv.Itoa(i+1), Number: step.Name, Kind: string(step.Kind), Title: labelled(p, page.Title(step.Title))}
	for _, e := range step.Edges {
		to := page.Link{Text: "the journey ends"}
		if e.To != "" {
			to = page.Link{Text: e.To, Href: "#" + id(e.To)}
		}
		// That a step leads to the one below it, the drawing says already.
		if e.Label == "" && (i+1 < len(all) && e.To == all[i+1].Name || e.To == "" && i+1 == len(all)) {
			continue
		}
		v.Edges = append(v.Edges, page.Edge{Label: labelled(p, e.Label), To: to})
	}
	if w == nil {
		w = &walk{}
	}
	if step.Kind == journey.Send {
		n := w.steps[step.Name]
		if n == nil {
			n = &passage{}
		}
		v.Numbers = []page.Fact{{Label: "Sent", Value: page.Count(n.sent)}, {Label: "Not sent", Value: page.Count(n.notSent)}, {Label: "Held out", Value: page.Count(n.withheld)}}
	}
	return v
}

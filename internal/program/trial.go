package program

import (
	"rapport/internal/core/condition"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// TrialName is the name of a segment that is tried and not saved.
const TrialName = "trial"

// Trial is a condition that nobody saved, compiled beside the segments in force.
type Trial struct {
	Cond     *condition.Cond
	segments *insight.Segments
	series   *condition.Set
	in       *Program
}

// Read reads a condition in YAML or JSON as this program would: by itself, or as what
// is behind the when of a definition. Trigger says that there is an event whose
// properties may be asked for. The node is what could be read, the condition is nil if
// a problem is more than a warning. Problems stand in the file "condition".
func (p *Program) Read(body string, trigger bool) (spec.Node, *condition.Cond, []spec.Problem) {
	var ps spec.Problems
	zones, err := loadZones()
	if err != nil {
		ps.Add(spec.Pos{}, "", "%s", err.Error())
		return spec.Node{}, nil, ps.All()
	}
	when, ok := oneCondition(body, &ps)
	if !ok {
		return spec.Node{}, nil, ps.All()
	}
	_, env, sources := p.apart(zones)
	env.Segments, env.Properties = insight.Names(sources), trigger
	cond := condition.Parse(when, env, &ps)
	return when, cond, ps.All()
}

// Try compiles a condition as a segment of this program: a condition by itself, or
// the definition of a segment, in YAML or JSON. Problems stand in the file
// "condition"; the trial is nil if one of them is more than a warning.
func (p *Program) Try(body string) (*Trial, []spec.Problem) {
	var ps spec.Problems
	zones, err := loadZones()
	if err != nil {
		ps.Add(spec.Pos{}, "", "%s", err.Error())
		return nil, ps.All()
	}
	when, ok := oneCondition(body, &ps)
	if !ok {
		return nil, ps.All()
	}
	c, env, sources := p.apart(zones)
	var unheard spec.Problems
	// Parsed once by itself, so that only its own problems are told.
	env.Segments = insight.Names(sources)
	if condition.Parse(when, env, &ps) == nil {
		return nil, ps.All()
	}
	t := &Trial{in: p}
	env = &condition.Env{Set: condition.NewSet(), Currency: p.Currency, Zone: p.Zone, Zones: zones.Zone, Places: p.Places, Lists: env.Lists}
	again := &compiler{src: p.Source, ps: &unheard, zones: zones, p: &Program{Source: p.Source}, traits: c.traits, scored: c.scored}
	again.readTraits(env)
	again.readScores(env, sources)
	t.segments, t.series = insight.Compile(append(sources, insight.SegmentSource{Name: TrialName + "\x00", Node: when}), env, &unheard), env.Set
	if t.Cond = t.segments.Cond(TrialName + "\x00"); t.Cond == nil {
		ps.Add(when.Pos, "", "the condition refers to a segment that is not in force")
		return nil, ps.All()
	}
	return t, ps.All()
}

// NeedsHistory reports whether the condition asks for something that the program in
// force does not keep, so that each customer's events must be read.
func (t *Trial) NeedsHistory() bool { return !t.in.Core.Series.Covers(t.series) }

// Holds answers for a customer as of now, as if the condition had just been saved as
// a segment. History holds all of the customer's events if [Trial.NeedsHistory] says
// so. It does not change p, which the program in force must have evaluated.
func (t *Trial) Holds(p *profile.Profile, history []*event.Event, now event.Time) bool {
	own := *p
	if t.NeedsHistory() {
		t.series.Rebuild(&own, func(yield func(*event.Event) bool) {
			for _, e := range history {
				if !yield(e) {
					return
				}
			}
		}, now)
	}
	return t.segments.Trial(&own, TrialName+"\x00", t.in.Core.Segments.Has, now).True
}

// oneCondition reads the one condition of a text.
func oneCondition(body string, ps *spec.Problems) (spec.Node, bool) {
	docs := ParseYAML("condition", 1, body, ps)
	if len(docs) != 1 {
		if !ps.Bad() {
			ps.Add(spec.Pos{File: "condition", Line: 1}, "did: Product Viewed", "one condition is expected here")
		}
		return spec.Node{}, false
	}
	when := docs[0]
	// The question how long something has been so has a "when" of its own.
	if _, dwell := when.Get("dwell"); !dwell {
		if w, there := when.Get("when"); there {
			when = w
		}
	}
	return when, true
}

// apart compiles once more what conditions refer to, apart from the program in force,
// so that a condition on trial leaves no series in it. What is in force compiled
// before; its problems are not this condition's.
func (p *Program) apart(zones *decision.Zones) (*compiler, *condition.Env, []insight.SegmentSource) {
	var unheard spec.Problems
	c := &compiler{src: p.Source, ps: &unheard, zones: zones, p: &Program{Source: p.Source}}
	c.sort()
	env := &condition.Env{Set: condition.NewSet(), Currency: p.Currency, Zone: p.Zone, Zones: zones.Zone, Places: p.Places}
	c.readTraits(env)
	c.readLists(env)
	sources, _ := c.readSegments()
	c.readScores(env, sources)
	return c, env, sources
}

package insight

import (
	"slices"
	"strings"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// MaxSegments bounds the segments of one program, hidden ones included: each
// costs every profile a membership.
const MaxSegments = 2000

// maxName bounds a segment's name: it stands in every change in every feed block.
const maxName = 100

// Existing is the trigger of segments whose customers count as entering also when
// they are found by catching up with a new program.
const Existing = "existing"

// SegmentSource is the definition of one segment.
type SegmentSource struct {
	Name    string
	Node    spec.Node // its condition
	Trigger string    // empty: catching up is silent; or [Existing]
}

// Names returns the names of the segments, for condition.Env.
func Names(defs []SegmentSource) []string {
	names := make([]string, len(defs))
	for i := range defs {
		names[i] = defs[i].Name
	}
	return names
}

// segment is one segment in its place.
type segment struct {
	name     string
	key      uint64
	cond     *condition.Cond
	hidden   bool
	existing bool
}

// Segments are the segments of one program. Parsing fills them; after that they
// are immutable and may be used by many goroutines at once.
type Segments struct {
	list  []segment // each after those that it refers to
	names []string  // in the order of their definitions, hidden ones not
	byKey map[uint64]int

	// Who looks at what: places in the list, ascending.
	bySeries     [][]int // by number of the series
	byTrait      map[string][]int
	consent      []int
	reach        []int
	device       []int
	locale       []int
	zone         []int
	life         []int
	users        [][]int // by place: the segments that refer to this one
	byPrediction map[string][]int
	byKept       map[string][]int // lists and types of objects
	place        []int

	around      uint64 // see condition.Env
	zones       func(string) *time.Location
	defaultZone *time.Location
}

// Compile compiles the segments of a program and adds what is wrong with them to
// ps; what is wrong is left out of the result. It sets env.Segments, so
// conditions of journeys may be parsed with the same env afterwards: the hidden
// segments that they need are taken up as they come. They may be parsed before
// too, if the caller sets env.Segments to [Names] first.
func Compile(defs []SegmentSource, env *condition.Env, ps *spec.Problems) *Segments {
	s := &Segments{byKey: map[uint64]int{}, byTrait: map[string][]int{}, byPrediction: map[string][]int{}, byKept: map[string][]int{}, around: env.Around, zones: env.Zones, defaultZone: env.Zone}
	env.Segments = Names(defs)
	if len(defs) > MaxSegments {
		ps.Add(defs[MaxSegments].Node.Pos, "", "there are %d segments; at most %d are taken", len(defs), MaxSegments)
		return s
	}
	c := compiler{ps: ps, byKey: map[uint64]int{}}
	for i, def := range defs {
		if !c.named(def, defs[:i]) {
			continue
		}
		// What a condition needs hidden stands before it in the order of parsing.
		cond := condition.Parse(def.Node, env, ps)
		if cond == nil {
			continue
		}
		s.names = append(s.names, def.Name)
		c.add(segment{name: def.Name, key: condition.SegmentKey(def.Name), cond: cond, existing: def.Trigger == Existing}, def.Node.Pos)
	}
	linked := false
	env.OnHidden(func(h condition.Hidden) {
		g := segment{name: h.Name, key: condition.SegmentKey(h.Name), cond: h.Cond, hidden: true}
		if linked {
			s.append(g)
			return
		}
		c.add(g, h.Cond.Pos())
	})
	for _, g := range c.ordered() {
		s.append(g)
	}
	linked = true
	s.names = slices.DeleteFunc(s.names, func(name string) bool {
		_, there := s.byKey[condition.SegmentKey(name)]
		return !there
	})
	return s
}

// append puts a segment behind those that it refers to and indexes it.
func (s *Segments) append(g segment) {
	n := len(s.list)
	s.list = append(s.list, g)
	s.users = append(s.users, nil)
	s.byKey[g.key] = n
	d := g.cond.Deps()
	for _, series := range d.Series {
		for len(s.bySeries) <= series {
			s.bySeries = append(s.bySeries, nil)
		}
		s.bySeries[series] = append(s.bySeries[series], n)
	}
	for _, t := range d.Traits {
		s.byTrait[t] = append(s.byTrait[t], n)
	}
	for _, name := range d.Predictions {
		s.byPrediction[name] = append(s.byPrediction[name], n)
	}
	for _, name := range d.Kept {
		s.byKept[name] = append(s.byKept[name], n)
	}
	for _, x := range []struct {
		mentions bool
		list     *[]int
	}{{d.Consent, &s.consent}, {d.Reach, &s.reach}, {d.Device, &s.device}, {d.Locale, &s.locale}, {d.Zone, &s.zone}, {d.Place, &s.place}, {d.Life, &s.life}} {
		if x.mentions {
			*x.list = append(*x.list, n)
		}
	}
	for _, key := range d.Segments {
		if used, known := s.byKey[key]; known {
			s.users[used] = append(s.users[used], n)
		}
	}
}

// Len returns how many segments there are, hidden ones included.
func (s *Segments) Len() int { return len(s.list) }

// Names returns the names of the segments in the order of their definitions.
func (s *Segments) Names() []string { return slices.Clone(s.names) }

// Cond returns the condition of a segment, nil if there is no such segment.
func (s *Segments) Cond(name string) *condition.Cond {
	if n, known := s.byKey[condition.SegmentKey(name)]; known {
		return s.list[n].cond
	}
	return nil
}

// Members returns the names of the segments that the customer is in, in the
// order of their definitions.
func (s *Segments) Members(p *profile.Profile) []string {
	var in []string
	for _, name := range s.names {
		if p.Member(condition.SegmentKey(name)).In {
			in = append(in, name)
		}
	}
	return in
}

// compiler orders segments.
type compiler struct {
	ps    *spec.Problems
	list  []segment
	at    []spec.Pos
	byKey map[uint64]int
}

// named reports whether the segment has a name of its own.
func (c *compiler) named(def SegmentSource, before []SegmentSource) bool {
	switch {
	case strings.TrimSpace(def.Name) == "" || len(def.Name) > maxName || strings.HasPrefix(def.Name, condition.HiddenPrefix):
		c.ps.Add(def.Node.Pos, "segment: loyal-customers", "%q is no name for a segment: 1 to %d bytes that do not begin with %s", def.Name, maxName, condition.HiddenPrefix)
	case def.Trigger != "" && def.Trigger != Existing:
		c.ps.Add(def.Node.Pos, "trigger: "+Existing, "the trigger of segment %s is %q; it is left out or %s", def.Name, def.Trigger, Existing)
	case slices.ContainsFunc(before, func(o SegmentSource) bool { return o.Name == def.Name }):
		c.ps.Add(def.Node.Pos, "", "there are two segments called %s", def.Name)
	default:
		return true
	}
	return false
}

func (c *compiler) add(g segment, at spec.Pos) {
	c.byKey[g.key] = len(c.list)
	c.list = append(c.list, g)
	c.at = append(c.at, at)
}

// ordered returns the segments so that each comes after those that it refers to.
// Those on a circle are reported, with the circle, and left out together with
// what rests on them.
func (c *compiler) ordered() []segment {
	const (
		unseen = iota
		open
		good
		bad
	)
	state := make([]int, len(c.list))
	order := make([]segment, 0, len(c.list))
	var path []int
	var visit func(n int) bool
	visit = func(n int) bool {
		switch state[n] {
		case good:
			return true
		case bad:
			return false
		case open:
			c.circle(append(path[slices.Index(path, n):], n))
			return false
		}
		state[n], path = open, append(path, n)
		ok := true
		for _, key := range c.list[n].cond.Deps().Segments {
			// A segment that did not parse has its own problem already.
			used, known := c.byKey[key]
			if !known || !visit(used) {
				ok = false
			}
		}
		path = path[:len(path)-1]
		if state[n] = bad; ok {
			state[n] = good
			order = append(order, c.list[n])
		}
		return ok
	}
	for n := range c.list {
		visit(n)
	}
	return order
}

// circle reports segments that refer to each other in a circle.
func (c *compiler) circle(path []int) {
	var names []string
	for _, n := range path {
		if !c.list[n].hidden {
			names = append(names, c.list[n].name)
		}
	}
	if c.list[path[0]].hidden {
		names = append(names, names[0])
	}
	c.ps.Add(c.at[path[0]], "take one of the references out", "segments refer to each other in a circle: %s", strings.Join(names, " → "))
}

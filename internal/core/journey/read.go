package journey

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/spec"
)

// Env is the surroundings in which journeys are parsed. It is used by one
// goroutine.
type Env struct {
	// Conditions are the surroundings of conditions; it must not be nil. Parsing
	// allows properties of the trigger in them.
	Conditions *condition.Env
	// Template reports whether there is a template of the name. nil: not checked.
	Template func(name string) bool
	// Channels are the channels that a send step may name. Empty: not checked.
	Channels []string
}

// reader reads one definition.
type reader struct {
	env *Env
	ps  *spec.Problems
	def *Definition
}

// known reports every field of n that is not in the list. It reports false if n
// is no Map at all.
func (r *reader) known(n spec.Node, what string, keys ...string) bool {
	if n.Kind != spec.Map {
		r.ps.Add(n.Pos, keys[0]+": …", "%s is a list of fields", what)
		return false
	}
	for _, f := range n.Fields {
		found := false
		for _, k := range keys {
			found = found || k == f.Key
		}
		if !found {
			instead := condition.Nearest(f.Key, keys)
			if instead == "" {
				instead = "one of " + strings.Join(keys, ", ")
			}
			r.ps.Add(f.Pos, instead, "%s has no field %q", what, f.Key)
		}
	}
	return true
}

// text returns the text of a field; empty if it is not there.
func (r *reader) text(n spec.Node, key string) string {
	v, ok := n.Get(key)
	if !ok {
		return ""
	}
	if !v.Scalar() {
		r.ps.Add(v.Pos, "", "%s is a text", key)
		return ""
	}
	return v.Text
}

// truth returns the yes or no of a field.
func (r *reader) truth(n spec.Node, key string, absent bool) bool {
	v, ok := n.Get(key)
	if !ok {
		return absent
	}
	if v.Kind != spec.Bool {
		r.ps.Add(v.Pos, "true or false", "%s is yes or no", key)
		return absent
	}
	return v.Text == "true"
}

// duration returns the length of time of a field; absent if it is not there.
func (r *reader) duration(n spec.Node, key string, absent time.Duration) time.Duration {
	v, ok := n.Get(key)
	if !ok {
		return absent
	}
	return r.length(v, key)
}

// length reads a length of time that is more than nothing.
func (r *reader) length(v spec.Node, what string) time.Duration {
	d, ok := parseDuration(v.Text, false)
	if !v.Scalar() || !ok {
		r.ps.Add(v.Pos, "3d", "%s is a length of time: a number with s, m, h, d or w, at most two years", what)
		return time.Hour
	}
	if d == 0 {
		r.ps.Add(v.Pos, "1m", "%s is no time at all", what)
		return time.Hour
	}
	return d
}

// offset returns how long before or after a date something is meant; whole
// allows days only.
func (r *reader) offset(n spec.Node, whole bool) time.Duration {
	v, ok := n.Get("offset")
	if !ok {
		return 0
	}
	d, ok := parseDuration(v.Text, true)
	if !v.Scalar() || !ok || whole && d%(24*time.Hour) != 0 {
		r.ps.Add(v.Pos, "-3d", "offset is a number of days before or after")
		return 0
	}
	return d
}

// clock returns the time of day of a field.
func (r *reader) clock(v spec.Node, what string) clockTime {
	c, ok := parseClock(v.Text)
	if !v.Scalar() || !ok {
		r.ps.Add(v.Pos, `"09:00"`, "%s is a time of day", what)
		return 9 * 60
	}
	return c
}

// number returns the whole number of a field.
func (r *reader) number(n spec.Node, key string) int32 {
	v, ok := n.Get(key)
	if !ok {
		return 0
	}
	i, err := strconv.ParseInt(v.Text, 10, 32)
	if !v.Scalar() || err != nil {
		r.ps.Add(v.Pos, "10", "%s is a whole number", key)
	}
	return int32(i)
}

// cond reads a condition; nil if there is none or it is wrong, which is
// reported.
func (r *reader) cond(n spec.Node) *condition.Cond {
	return condition.Parse(n, r.env.Conditions, r.ps)
}

// texts returns the texts of a scalar or a list of scalars.
func (r *reader) texts(n spec.Node, what string) []string {
	switch {
	case n.Scalar() && n.Text != "":
		return []string{n.Text}
	case n.Kind == spec.List && len(n.Items) > 0:
		var list []string
		for _, item := range n.Items {
			if !item.Scalar() || item.Text == "" {
				r.ps.Add(item.Pos, "", "%s is a text", what)
				continue
			}
			list = append(list, item.Text)
		}
		return list
	}
	r.ps.Add(n.Pos, "", "%s is a text or a list of texts", what)
	return nil
}

// match reads the recognition of an event: names is the node of its names, n the
// Map that may have a `where`.
func (r *reader) match(names, n spec.Node) *match {
	m := &match{names: r.texts(names, "an event's name")}
	for i, name := range m.names {
		at := names.Pos
		if names.Kind == spec.List && len(names.Items) == len(m.names) {
			at = names.Items[i].Pos
		}
		r.env.Conditions.CheckEvent(at, name, r.ps)
	}
	if len(m.names) == 0 {
		return nil
	}
	if w, ok := n.Get("where"); ok {
		m.where = r.where(w)
	}
	return m
}

// where reads a filter on an event's own properties: the same as the filter of a
// question about events, asked of one event.
func (r *reader) where(n spec.Node) *condition.Cond {
	if n.Kind != spec.Map || len(n.Fields) == 0 {
		r.ps.Add(n.Pos, "category: shoes", "where names properties of the event and their values")
		return nil
	}
	all := spec.Node{Kind: spec.List, Pos: n.Pos}
	for _, f := range n.Fields {
		ask := spec.Node{Kind: spec.Map, Pos: f.Pos, Fields: []spec.Field{
			{Key: "property", Pos: f.Pos, Value: spec.Node{Kind: spec.Text, Text: f.Key, Pos: f.Pos}},
		}}
		switch f.Value.Kind {
		case spec.Map:
			ask.Fields = append(ask.Fields, f.Value.Fields...)
		case spec.List:
			ask.Fields = append(ask.Fields, spec.Field{Key: "in", Pos: f.Value.Pos, Value: f.Value})
		default:
			ask.Fields = append(ask.Fields, spec.Field{Key: "is", Pos: f.Value.Pos, Value: f.Value})
		}
		all.Items = append(all.Items, ask)
	}
	return r.cond(spec.Node{Kind: spec.Map, Pos: n.Pos, Fields: []spec.Field{{Key: "all", Pos: n.Pos, Value: all}}})
}

// watch reads what ends a run. A bare `did` means: since the customer entered;
// `any` may mix it with conditions. Everything else is a condition as in a
// segment.
func (r *reader) watch(n spec.Node) watch {
	var w watch
	if any, ok := n.Get("any"); ok && len(n.Fields) == 1 && any.Kind == spec.List && len(any.Items) > 0 {
		for _, item := range any.Items {
			w.items = append(w.items, r.watched(item)...)
		}
		return w
	}
	w.items = r.watched(n)
	return w
}

func (r *reader) watched(n spec.Node) []watched {
	q := r.cond(n)
	if q == nil {
		return nil
	}
	if names, bare := bareDid(n); bare {
		m := r.match(names, n)
		if m == nil {
			return nil
		}
		m.whole = q
		return []watched{{match: m, text: q.Sentence()}}
	}
	return []watched{{cond: q, text: q.Sentence()}}
}

// bareDid returns the names of a `did` that asks nothing but that it happened.
func bareDid(n spec.Node) (names spec.Node, bare bool) {
	names, bare = n.Get("did")
	for _, f := range n.Fields {
		bare = bare && (f.Key == "did" || f.Key == "where")
	}
	return names, bare
}

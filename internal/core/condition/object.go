package condition

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// objectNode asks how many of the customer's objects of a type are as described: one
// or more, unless it says otherwise. Each is asked for all that is described, so two
// subscriptions do not answer half each.
type objectNode struct {
	kind  string
	where []described
	bound bound
}

// described is one thing that is asked of an object's property.
type described struct {
	path   string
	match  // unless one of the following is there
	rel    *relative
	yearly *anniversary
	text   string
}

// holds answers for one object, and says until when the answer stands.
func (d *described) holds(o event.Object, now event.Time, loc *time.Location) (bool, event.Time) {
	if d.rel == nil && d.yearly == nil {
		any := !each(o, d.path, func(v event.Value) bool { return !d.one(v, loc) })
		return any != d.not, event.Never
	}
	// Of several dates any may be the right one.
	is, first, last := false, event.Never, event.Time(0)
	each(o, d.path, func(v event.Value) bool {
		ok, until := d.date(v, now, loc)
		switch {
		case ok:
			is, last = true, max(last, until)
		default:
			first = min(first, until)
		}
		return true
	})
	if is {
		return true, last
	}
	return false, first
}

func (d *described) date(v event.Value, now event.Time, loc *time.Location) (bool, event.Time) {
	if d.rel != nil {
		if at, ok := instantOf(v, loc); ok {
			return d.rel.at(at, now)
		}
		return false, event.Never
	}
	if m, day, ok := monthDay(v, loc); ok {
		return d.yearly.at(m, day, now, loc)
	}
	return false, event.Never
}

// object answers for one object as all does for its children.
func (n *objectNode) object(o *profile.Object, now event.Time, loc *time.Location) (bool, event.Time) {
	if o.Gone {
		return false, event.Never
	}
	first, last, is := event.Never, event.Time(0), true
	for i := range n.where {
		ok, until := n.where[i].holds(o.Props, now, loc)
		switch {
		case ok:
			first = min(first, until)
		case until == event.Never:
			return false, event.Never
		default:
			is, last = false, max(last, until)
		}
	}
	if is {
		return true, first
	}
	return false, last
}

// eval counts. With yes the ones that are as described now and no the others, the
// count cannot fall below the bound before so many of yes have turned, nor rise above
// it before so many of no have.
func (n *objectNode) eval(c Context) (bool, event.Time) {
	loc := c.zone()
	var yes, no [profile.MaxObjects]event.Time
	k, f := 0, 0
	list := c.P.ObjectsOf(n.kind)
	for i := range list[:min(len(list), len(yes))] {
		if is, until := n.object(&list[i], c.Now, loc); is {
			yes[k] = until
			k++
		} else {
			no[f] = until
			f++
		}
	}
	is := n.bound.holds(int64(k))
	slices.Sort(yes[:k])
	slices.Sort(no[:f])
	until := event.Never
	// Falling to v takes k − v of yes to turn, rising to v takes v − k of no.
	for v := range k {
		if n.bound.holds(int64(v)) != is {
			until = min(until, yes[k-v-1])
		}
	}
	for v := k + 1; v <= k+f; v++ {
		if n.bound.holds(int64(v)) != is {
			until = min(until, no[v-k-1])
			break
		}
	}
	return is, until
}

func (n *objectNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	r := Reason{Kind: "object", Holds: is, What: n.words(!is), Name: n.kind}
	list := c.P.ObjectsOf(n.kind)
	var ids []string
	for i := range list {
		if fits, _ := n.object(&list[i], c.Now, c.zone()); fits {
			r.Count++
			r.At = max(r.At, list[i].At)
			ids = append(ids, list[i].ID)
		}
	}
	r.Value = clip(strings.Join(ids, ", "))
	*out = append(*out, r)
}

func (n *objectNode) mention(d *Deps) {
	d.Kept = append(d.Kept, profile.OfObject(n.kind))
	d.Zone = d.Zone || slices.ContainsFunc(n.where, func(w described) bool {
		return w.rel != nil || w.yearly != nil || w.op == opBefore || w.op == opAfter
	})
}

func (n *objectNode) words(not bool) string {
	s := "has a " + sayName(n.kind)
	if n.bound != (bound{min: 1, max: maxBound}) {
		s = "has " + n.bound.words(sayName(n.kind), sayName(n.kind)+"s")
	}
	if not {
		s = "it is not so that the customer " + s
	}
	for i := range n.where {
		if i == 0 {
			s += " where "
		} else {
			s += " and "
		}
		s += sayName(n.where[i].path) + " " + n.where[i].text
	}
	return s
}

func (n *objectNode) canon(b *strings.Builder) {
	b.WriteString("object " + strconv.Quote(n.kind) + " " + n.bound.canon())
	for i := range n.where {
		b.WriteString(" " + n.where[i].canon())
	}
}

func (d *described) canon() string {
	switch {
	case d.rel != nil:
		return strconv.Quote(d.path) + " rel " + strconv.FormatInt(int64(d.rel.from), 10) + " " + strconv.FormatInt(int64(d.rel.upto), 10)
	case d.yearly != nil:
		return strconv.Quote(d.path) + " yearly " + strconv.Itoa(d.yearly.before) + " " + strconv.Itoa(d.yearly.until)
	}
	return strconv.Quote(d.path) + " " + d.match.canon()
}

// parseObject reads {object: subscription, where: {status: active, renews: {within:
// in the next 3d}}, times: ">= 2"}.
func parseObject(p *parser, n, v spec.Node, _ int) node {
	const example = "{object: subscription, where: {renews: {within: in the next 3d}}}"
	kind, ok := p.text(v, "the type of an object", example)
	if !ok {
		return nil
	}
	q := &objectNode{kind: kind, bound: bound{min: 1, max: maxBound}}
	if w, there := n.Get("where"); there {
		if w.Kind != spec.Map || len(w.Fields) == 0 {
			return p.fail(w.Pos, example, "where takes properties with the values that they must have")
		}
		for _, f := range w.Fields {
			p.describe(f, &q.where)
		}
	}
	for _, f := range n.Fields {
		if f.Key == "times" {
			if q.bound, ok = p.counts(f, true); !ok {
				return nil
			}
		}
	}
	if p.bad {
		return nil
	}
	slices.SortStableFunc(q.where, func(a, b described) int { return cmp.Compare(a.canon(), b.canon()) })
	return q
}

// describe reads what is asked of one property.
func (p *parser) describe(f spec.Field, list *[]described) {
	add := func(op string, v spec.Node) {
		d := described{path: f.Key}
		ok := false
		switch op {
		case "within":
			var rel relative
			if rel, ok = p.relative(v); ok {
				d.rel, d.text = &rel, "is "+rel.text
			}
		case "anniversary":
			var a anniversary
			if a, ok = p.anniversary(v); ok {
				d.yearly, d.text = &a, "is "+a.text
			}
		default:
			if d.match, ok = p.match(op, v); ok {
				d.text = d.match.words()
			}
		}
		if ok {
			*list = append(*list, d)
		}
	}
	switch v := f.Value; v.Kind {
	case spec.List:
		add("in", v)
	case spec.Map:
		p.known(v, "", append(slices.Clone(valueOps), "within", "anniversary"))
		for _, op := range v.Fields {
			add(op.Key, op.Value)
		}
	default:
		op, value := "is", v
		if parts := comparison.FindStringSubmatch(v.Text); parts != nil && v.Kind == spec.Text {
			op, value.Text, value.Kind = parts[1], parts[2], spec.Number
		}
		add(op, value)
	}
}

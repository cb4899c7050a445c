package content

import (
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// node is a piece of a compiled template.
type node interface {
	render(r *run)
}

// textNode is text as it stands.
type textNode struct {
	pos int
	s   string
}

// outputNode shows a value.
type outputNode struct {
	pos  int
	x    *filtered
	mode mode // how it is escaped where it stands

	field *path // x if it is a field of a variable and nothing else, or as money
	money *path // the currency, if field is shown as money in it

	shared *path // x if it is names alone, such as a colour of the brand
}

// assignNode gives a value a name.
type assignNode struct {
	pos  int
	name string
	x    *filtered
}

// captureNode gives what its body writes a name.
type captureNode struct {
	pos  int
	name string
	body []node
	html bool
}

// branch is one body of an if or case. A nil condition always holds.
type branch struct {
	pos  int
	cond expr
	not  bool // unless
	body []node
}

// ifNode renders the first branch whose condition holds.
type ifNode struct{ branches []branch }

// caseNode renders each branch that names the value, or the last if none does.
type caseNode struct {
	pos  int
	x    expr
	when []whenBranch
}

type whenBranch struct {
	values []expr // nil: else
	body   []node
}

// forNode renders its body for each item.
type forNode struct {
	pos           int
	name          string
	in            expr
	label         string // "item-products"
	limit, offset expr
	cols          expr  // of a tablerow
	goOn          bool  // offset: continue
	noted         *bool // whether any loop of the part goes on, so that it is noted where each ended
	reversed      bool
	body          []node
	otherwise     []node
}

// cycleNode shows its values in turn.
type cycleNode struct {
	pos    int
	group  expr
	key    string
	values []expr
	mode   mode
}

// counterNode shows a counter and moves it.
type counterNode struct {
	name string
	down bool
}

// changedNode shows its body if it differs from the last time.
type changedNode struct{ body []node }

// jumpNode ends a loop or a round of it.
type jumpNode struct{ to jump }

// silentNode renders its body, which shows nothing but white space, for what it
// does.
type silentNode struct{ node node }

func (r *run) render(nodes []node) {
	for _, n := range nodes {
		if r.err != nil || r.jump != onward || !r.tick() {
			return
		}
		n.render(r)
	}
}

func (n *textNode) render(r *run) { r.write(n.s) }

func (n *outputNode) render(r *run) {
	r.pos = n.pos
	switch {
	case n.money != nil:
		if r.showMoney(n) {
			return
		}
	case n.field != nil:
		if r.showField(n) {
			return
		}
	case n.shared != nil:
		if s, ok := r.fromShared(n.shared).(string); ok && s != "" && n.mode == styleMode && r.step(2+len(n.shared.steps)) {
			r.showText(s, n.mode)
			return
		}
	}
	r.show(n.x.shown(r), n.mode)
}

// showField shows a text of an event's object without making a value of it, which
// is most of what a message of many products does. It reports false, having done
// nothing, if it is anything else.
func (r *run) showField(n *outputNode) bool {
	o, ok := r.objectOf(n.field.root)
	if !ok {
		return false
	}
	v, ok := r.fieldOf(o, n.field)
	if !ok || v.Kind != event.String || n.mode&outlookBit != 0 || !r.lax && blankText(v.Raw) {
		return false
	}
	if r.step(2 + len(o)/perStep + len(v.Raw)/perStep) {
		r.showText(v.Raw, n.mode)
	}
	return true
}

func (n *assignNode) render(r *run) {
	r.pos = n.pos
	v := n.x.eval(r)
	if r.err == nil {
		r.assign(n.name, v)
	}
}

func (r *run) assign(name string, v any) {
	if !r.look() {
		return
	}
	if i := r.assignedAt(name); i >= 0 {
		r.assigned[i] = scope{name: name, value: v}
		return
	}
	r.assigned = append(r.assigned, scope{name: name, value: v})
}

// assignedAt returns where a name is among those assigned; −1 if it is not. Most
// templates assign fewer than ten.
func (f *frame) assignedAt(name string) int {
	for i := range f.assigned {
		if f.assigned[i].name == name {
			return i
		}
	}
	return -1
}

func (n *captureNode) render(r *run) {
	r.pos = n.pos
	outer, room := r.out, r.room
	r.out, r.room = nil, min(r.made, r.env.Output)
	r.render(n.body)
	body := r.out
	r.out, r.room = outer, room
	if r.make(len(body)) {
		if n.html {
			r.assign(n.name, safe(body))
		} else {
			r.assign(n.name, string(body))
		}
	}
}

func (n *ifNode) render(r *run) {
	for i := range n.branches {
		b := &n.branches[i]
		r.pos = b.pos
		if b.cond == nil || truthy(b.cond.eval(r)) != b.not {
			if r.err == nil {
				r.render(b.body)
			}
			return
		}
	}
}

func (n *caseNode) render(r *run) {
	r.pos = n.pos
	v := n.x.eval(r)
	found := false
	for i := range n.when {
		w := &n.when[i]
		if w.values == nil {
			if !found {
				r.render(w.body)
			}
			continue
		}
		for _, x := range w.values {
			if r.err == nil && r.equal(v, x.eval(r), 0) {
				found = true
				r.render(w.body)
			}
		}
	}
}

// loop is what a template sees as forloop.
type loop struct {
	name   string
	at, of int
	parent *loop
	cols   int // of a tablerow; 0: it is none
}

func (l *loop) field(name string) (any, bool) {
	switch name {
	case "index":
		return int64(l.at + 1), true
	case "index0":
		return int64(l.at), true
	case "rindex":
		return int64(l.of - l.at), true
	case "rindex0":
		return int64(l.of - l.at - 1), true
	case "first":
		return l.at == 0, true
	case "last":
		return l.at == l.of-1, true
	case "length":
		return int64(l.of), true
	case "name":
		return l.name, true
	case "parentloop":
		if l.parent != nil {
			return l.parent, true
		}
	}
	if l.cols > 0 {
		return l.column(name)
	}
	return nil, false
}

func (n *forNode) render(r *run) {
	r.pos = n.pos
	from, to, in := n.bounds(r)
	if r.err != nil {
		return
	}
	listed := len(r.listed) - len(in.objects)
	if from >= to {
		r.listed = r.listed[:listed]
		r.render(n.otherwise)
		return
	}
	l := &loop{name: n.label, of: to - from}
	for i := len(r.scopes) - 1; i >= 0 && l.parent == nil; i-- {
		if r.scopes[i].name == "forloop" {
			l.parent, _ = r.scopes[i].value.(*loop)
		}
	}
	base := len(r.scopes)
	r.scopes = append(r.scopes, scope{name: "forloop", value: l}, scope{name: n.name})
	for i := from; i < to && r.err == nil; i++ {
		k := i
		if n.reversed {
			k = to - 1 - (i - from)
		}
		l.at = i - from
		if in.objects != nil && in.objects[k].Kind == event.Map {
			r.scopes[base+1] = scope{name: n.name, object: event.Object(in.objects[k].Raw), bare: true}
		} else {
			r.scopes[base+1] = scope{name: n.name, value: in.at(k)}
		}
		if !r.step(1) {
			break
		}
		r.render(n.body)
		if j := r.jump; j != onward {
			r.jump = onward
			if j == breaking {
				break
			}
		}
	}
	r.scopes, r.listed = r.scopes[:base], r.listed[:listed]
}

// bounds returns which items the loop goes over, and how to get one.
func (n *forNode) bounds(r *run) (from, to int, in rounds) {
	size := 0
	in.some = true
	var over any
	if in.objects = r.list(n.in); in.objects == nil {
		over = n.in.eval(r)
	}
	switch v := over.(type) {
	case []any:
		in.items = v
	case span:
		// A range is counted, not made: its rounds are paid for one by one.
		in.first, size = v.a, v.len()
	case pair:
		in.items = r.items(v)
	case event.Object, map[string]any:
		in.items = r.pairs(v)
	case string, safe:
		if s := r.text(v); s != "" {
			in.items = []any{v}
		} else {
			in.some = false
		}
	default:
		in.some = in.objects != nil
	}
	size = max(size, len(in.items), len(in.objects))
	if n.goOn {
		from = r.rarely().resume[n.label]
	} else if n.offset != nil {
		from = n.bound(r, n.offset, "offset")
	}
	to = size
	if n.limit != nil {
		if limit := n.bound(r, n.limit, "limit"); limit < to-from {
			to = from + limit
		}
	}
	if *n.noted {
		r.rarely().resume[n.label] = max(to, from)
	}
	return from, to, in
}

// list returns the items of a list of an event's object, such as the products of a
// basket, without making values of them, on top of r.listed; nil if x is anything
// else.
func (r *run) list(x expr) []event.Value {
	p, ok := x.(*path)
	if !ok || !p.plain {
		return nil
	}
	o, ok := r.objectOf(p.root)
	if !ok {
		return nil
	}
	v, ok := r.fieldOf(o, p)
	if !ok || v.Kind != event.List || v.Raw == "" || !r.step(2+len(o)/perStep) {
		return nil
	}
	base := len(r.listed)
	v.Items(func(item event.Value) bool {
		r.listed = append(r.listed, item)
		return len(r.listed)-base < maxItems
	})
	items := r.listed[base:len(r.listed):len(r.listed)]
	if !r.step(len(items)) {
		r.listed = r.listed[:base]
		return nil
	}
	return items
}

// rounds are what a loop goes over: items, or numbers from the first on.
type rounds struct {
	some    bool          // it is something to go over, although it may be empty
	objects []event.Value // items that are not values yet; on top of run.listed
	items   []any
	first   int64
}

func (in *rounds) at(i int) any {
	switch {
	case in.objects != nil:
		return liftValue(in.objects[i])
	case in.items != nil:
		return in.items[i]
	}
	return in.first + int64(i)
}

func (n *forNode) bound(r *run, x expr, what string) int {
	v := x.eval(r)
	i, ok := integer(v)
	if !ok && v != nil {
		r.fail(fault.Invalid, "the %s of a loop is no number", what)
	}
	return int(min(max(i, 0), 1<<30))
}

func (n *cycleNode) render(r *run) {
	r.pos = n.pos
	key := n.key
	if n.group != nil {
		key = "group:" + r.text(n.group.eval(r))
	}
	cycles := r.rarely().cycles
	i := cycles[key]
	if cycles[key] = i + 1; i+1 >= len(n.values) {
		cycles[key] = 0
	}
	if i < len(n.values) { // a group of the same name may have had more values
		r.show(n.values[i].eval(r), n.mode)
	}
}

func (n *counterNode) render(r *run) {
	counters := r.rarely().counters
	if n.down {
		counters[n.name]--
		r.write(strconv.FormatInt(counters[n.name], 10))
		return
	}
	r.write(strconv.FormatInt(counters[n.name], 10))
	counters[n.name]++
}

func (n *changedNode) render(r *run) {
	from := len(r.out)
	r.render(n.body)
	if r.err != nil {
		return
	}
	if known := r.rarely(); string(r.out[from:]) == known.changed {
		r.room += len(known.changed)
		r.out = r.out[:from]
	} else {
		known.changed = string(r.out[from:])
	}
}

func (n *jumpNode) render(r *run) { r.jump = n.to }

func (n *silentNode) render(r *run) {
	from, room := len(r.out), r.room
	n.node.render(r)
	if r.err == nil {
		r.out, r.room = r.out[:from], room
	}
}

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
	cols          expr // of a tablerow
	goOn          bool // offset: continue
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
		if r.err != nil || r.jump != onward || !r.step(1) {
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
	o, ok := r.lookup(n.field.root).(event.Object)
	if !ok {
		return false
	}
	v, ok := r.get(o, n.field.steps[0].name)
	if !ok || v.Kind != event.String || n.mode&outlookBit != 0 || !r.lax && blankText(v.Raw) {
		return false
	}
	r.touch(o)
	if r.step(2 + len(v.Raw)/perStep) {
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
		r.assigned[i].value = v
		return
	}
	r.assigned = append(r.assigned, scope{name, v})
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
	from, to, at := n.bounds(r)
	if r.err != nil {
		return
	}
	if from >= to {
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
	r.scopes = append(r.scopes, scope{"forloop", l}, scope{n.name, nil})
	for i := from; i < to && r.err == nil; i++ {
		k := i
		if n.reversed {
			k = to - 1 - (i - from)
		}
		l.at = i - from
		r.scopes[base+1].value = at(k)
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
	r.scopes = r.scopes[:base]
}

// bounds returns which items the loop goes over, and how to get one.
func (n *forNode) bounds(r *run) (from, to int, at func(int) any) {
	size := 0
	switch v := n.in.eval(r).(type) {
	case []any:
		size, at = len(v), func(i int) any { return v[i] }
	case span:
		// A range is counted, not made: its rounds are paid for one by one.
		size, at = v.len(), func(i int) any { return v.a + int64(i) }
	case pair:
		items := r.items(v)
		size, at = len(items), func(i int) any { return items[i] }
	case event.Object, map[string]any:
		items := r.pairs(v)
		size, at = len(items), func(i int) any { return items[i] }
	case string, safe:
		if s := r.text(v); s != "" {
			size, at = 1, func(int) any { return v }
		}
	}
	if n.goOn {
		from = r.resume[n.label]
	} else if n.offset != nil {
		from = n.bound(r, n.offset, "offset")
	}
	to = size
	if n.limit != nil {
		if limit := n.bound(r, n.limit, "limit"); limit < to-from {
			to = from + limit
		}
	}
	if r.resume == nil {
		r.resume = map[string]int{}
	}
	r.resume[n.label] = max(to, from)
	return from, to, at
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
	if r.cycles == nil {
		r.cycles = map[string]int{}
	}
	i := r.cycles[key]
	if r.cycles[key] = i + 1; i+1 >= len(n.values) {
		r.cycles[key] = 0
	}
	if i < len(n.values) { // a group of the same name may have had more values
		r.show(n.values[i].eval(r), n.mode)
	}
}

func (n *counterNode) render(r *run) {
	if r.counters == nil {
		r.counters = map[string]int64{}
	}
	if n.down {
		r.counters[n.name]--
		r.write(strconv.FormatInt(r.counters[n.name], 10))
		return
	}
	r.write(strconv.FormatInt(r.counters[n.name], 10))
	r.counters[n.name]++
}

func (n *changedNode) render(r *run) {
	from := len(r.out)
	r.render(n.body)
	if r.err != nil {
		return
	}
	if body := string(r.out[from:]); body == r.changed {
		r.room += len(body)
		r.out = r.out[:from]
	} else {
		r.changed = body
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

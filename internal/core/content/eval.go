package content

import (
	"strings"

	"rapport/internal/core/event"
)

// perLook is how many names are looked through in the time of a step.
const perLook = 16

// look pays for looking through the names that are known and reports whether to go
// on.
func (r *run) look() bool {
	n := (len(r.scopes) + len(r.assigned)) / perLook
	return n == 0 || r.step(n)
}

// scopeOf returns a variable of a loop, or one assigned or handed; nil if there is
// none of the name. It is to be read at once.
func (r *run) scopeOf(name string) *scope {
	if !r.look() {
		return nil
	}
	for i := len(r.scopes) - 1; i >= 0; i-- {
		if r.scopes[i].name == name {
			return &r.scopes[i]
		}
	}
	if i := r.assignedAt(name); i >= 0 {
		return &r.assigned[i]
	}
	return nil
}

// objectOf returns a variable that is an object of an event, and whether it is one.
func (r *run) objectOf(name string) (event.Object, bool) {
	if s := r.scopeOf(name); s != nil && s.bare {
		return s.object, true
	}
	if r.err != nil {
		return "", false
	}
	o, ok := r.lookup(name).(event.Object)
	return o, ok
}

// lookup returns a variable by its name: of a loop, assigned, a counter, or
// passed in.
func (r *run) lookup(name string) any {
	s := r.scopeOf(name)
	switch {
	case s != nil:
		return s.of()
	case r.err != nil:
		return nil
	}
	v, ok := any(nil), false
	if !r.alone {
		v, ok = r.vars[name]
	}
	if !ok {
		v, ok = r.env.Shared[name]
	}
	if ok {
		v = lift(v)
		r.touch(v)
		return v
	}
	if r.rare != nil {
		if n, ok := r.rare.counters[name]; ok {
			return n
		}
	}
	return nil
}

// fromShared returns a value of [Env.Shared], such as a colour of the brand, which a
// message asks for again with each product; nil if the path is none or is nothing.
func (r *run) fromShared(p *path) any {
	if !p.free {
		if !r.look() {
			return nil
		}
		for i := range r.scopes {
			if r.scopes[i].name == p.root {
				return nil
			}
		}
		if r.assignedAt(p.root) >= 0 {
			return nil
		}
	}
	if v := r.shared[p.id]; v != nil {
		return v
	}
	v, ok := r.env.Shared[p.root]
	if _, passed := r.vars[p.root]; !ok || passed {
		return nil
	}
	v = lift(v)
	for _, s := range p.steps {
		v = r.property(v, s.name)
	}
	if r.touch(v); r.err != nil {
		return nil
	}
	r.shared[p.id] = v
	return v
}

func (p *path) eval(r *run) any {
	if !r.step(1 + len(p.steps)) {
		return nil
	}
	if p.fixed {
		if v := r.fromShared(p); v != nil {
			return v
		}
	}
	if p.plain {
		if s := r.scopeOf(p.root); s != nil && s.bare {
			if v, ok := r.fieldOf(s.object, p); ok && v.Kind != event.List {
				if !r.step(len(s.object)/perStep + len(v.Raw)/perStep) {
					return nil
				}
				return liftValue(v)
			}
		}
	}
	if p.count {
		if n, ok := r.count(p); ok {
			return n
		}
	}
	name := p.root
	if p.by != nil {
		name = r.text(p.by.eval(r))
	}
	v := r.lookup(name)
	for _, s := range p.steps {
		if v == nil {
			return nil
		}
		if s.by != nil {
			v = r.index(v, s.by.eval(r))
		} else {
			v = r.property(v, s.name)
		}
	}
	r.touch(v)
	if r.err != nil {
		return nil
	}
	return v
}

// count returns how many items a list of an event's object has, without making
// values of them, and whether it is such a list.
func (r *run) count(p *path) (int64, bool) {
	o, ok := r.objectOf(p.root)
	if !ok {
		return 0, false
	}
	v, ok := r.fieldOf(o, p)
	if !ok || v.Kind != event.List {
		return 0, false
	}
	n := 0
	for range v.Items {
		if n++; n == maxItems {
			break
		}
	}
	return int64(n), r.step(len(o)/perStep + n)
}

// property is v.name.
func (r *run) property(v any, name string) any {
	if isObject(v) {
		if f, ok := r.field(v, name); ok {
			return f
		}
		if _, isLoop := v.(*loop); isLoop {
			return nil
		}
	}
	switch name {
	case "size":
		if n, ok := r.size(v); ok {
			return n
		}
	case "first":
		return r.end(v, false)
	case "last":
		if !isObject(v) {
			return r.end(v, true)
		}
	}
	return nil
}

// end returns the first or the last part of a value.
func (r *run) end(v any, last bool) any {
	var items []any
	switch v := v.(type) {
	case []any, pair:
		items = r.items(v)
	case span:
		switch {
		case v.len() == 0:
			return nil
		case last:
			return v.b
		}
		return v.a
	case event.Object, map[string]any:
		items = r.pairs(v)
	default:
		return nil
	}
	switch {
	case len(items) == 0:
		return nil
	case last:
		return items[len(items)-1]
	}
	return items[0]
}

// index is v[key].
func (r *run) index(v, key any) any {
	if isObject(v) {
		switch key.(type) {
		case string, safe:
			return r.property(v, r.text(key))
		}
		f, _ := r.field(v, r.text(key))
		return f
	}
	switch key := key.(type) {
	case int64:
		switch v.(type) {
		case []any, pair, span:
			items := r.items(v)
			if key < 0 {
				key += int64(len(items))
			}
			if key >= 0 && key < int64(len(items)) {
				return items[key]
			}
		}
	case string:
		if key == "first" || key == "last" || key == "size" {
			return r.property(v, key)
		}
	}
	return nil
}

func (x rangeOf) eval(r *run) any {
	a, _ := integer(x.from.eval(r)) // what is no number counts as 0, as in Shopify
	b, _ := integer(x.to.eval(r))
	return span{a, b}
}

func (l logical) eval(r *run) any {
	if !r.step(1) {
		return false
	}
	if a := truthy(l.a.eval(r)); a != l.and {
		return a
	}
	return truthy(l.b.eval(r))
}

func (c comparison) eval(r *run) any {
	if !r.step(1) {
		return false
	}
	a, b := c.a.eval(r), c.b.eval(r)
	switch c.op {
	case "==":
		return r.equal(a, b, 0)
	case "!=":
		return !r.equal(a, b, 0)
	case "contains":
		return r.contains(a, b)
	}
	return r.ordered(c.op, a, b)
}

// contains reports whether a list has the item, a text the piece, or an object
// the field.
func (r *run) contains(a, b any) bool {
	if a == nil || !truthy(b) {
		return false
	}
	switch a.(type) {
	case string, safe:
		s := r.text(a)
		return r.make(len(s)) && strings.Contains(s, r.text(b))
	case []any, pair, span:
		for _, item := range r.items(a) {
			if r.equal(item, b, 0) {
				return true
			}
		}
	case event.Object, map[string]any:
		_, ok := r.field(a, r.text(b))
		return ok
	}
	return false
}

// missing reports whether a value is so little that a sentence around it would
// sound broken.
func missing(v any) bool {
	switch v.(type) {
	case nil, string, word:
		return blank(v)
	}
	return false
}

// eval runs the filters. Unless the rendering is lax, a variable that goes into a
// filter must not be missing, except into default with a text of the template's
// own: what it gives is what the author wanted, even if it is nothing.
func (f *filtered) eval(r *run) any {
	v := f.x.eval(r)
	wanted := false
	for i := range f.calls {
		c := &f.calls[i]
		if g, lacking := v.(gap); lacking {
			return g
		}
		r.touch(v)
		if !r.step(1) {
			return nil
		}
		fallback := c.defaults
		if _, isPath := f.x.(*path); !r.lax && isPath && !wanted && !fallback && missing(v) {
			return r.absent(f)
		}
		if fallback && c.named == nil && !missing(v) && v != false && !empty(v) {
			wanted = true // what the default would have been does not matter
			continue
		}
		if len(c.args) == 0 && c.named == nil {
			v = c.apply(r, v, nil, nil)
			wanted = wanted || fallback
			continue
		}
		base := len(r.args)
		var named map[string]any
		for _, a := range c.args {
			x := a.eval(r)
			if p, isPath := a.(*path); !r.lax && isPath && missing(x) {
				r.args = r.args[:base]
				return r.lack(p.src)
			}
			r.args = append(r.args, x)
		}
		for _, n := range c.named {
			x := n.x.eval(r)
			if p, isPath := n.x.(*path); !r.lax && isPath && missing(x) {
				r.args = r.args[:base]
				return r.lack(p.src)
			}
			if named == nil {
				named = map[string]any{}
			}
			named[n.name] = x
		}
		if r.err == nil {
			v = c.apply(r, v, r.args[base:len(r.args):len(r.args)], named)
		}
		r.args = r.args[:base]
		if r.err != nil {
			return nil
		}
		wanted = wanted || fallback
	}
	return v
}

// shown evaluates an output, which must not be missing.
func (f *filtered) shown(r *run) any {
	v := f.eval(r)
	if r.err != nil || r.lax || !missing(v) {
		return v
	}
	if f.defaults {
		return v
	}
	if _, isLiteral := f.x.(literal); isLiteral && len(f.calls) == 0 {
		return v
	}
	return r.absent(f)
}

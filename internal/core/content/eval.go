package content

import (
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// lookup returns a variable by its name: of a loop, assigned, a counter, or
// passed in.
func (r *run) lookup(name string) any {
	for i := len(r.scopes) - 1; i >= 0; i-- {
		if r.scopes[i].name == name {
			return r.scopes[i].value
		}
	}
	if v, ok := r.assigned[name]; ok {
		return v
	}
	if v, ok := r.vars(name); ok {
		v = lift(v)
		r.touch(v)
		return v
	}
	if n, ok := r.counters[name]; ok {
		return n
	}
	return nil
}

func (p *path) eval(r *run) any {
	if !r.step(1 + len(p.steps)) {
		return nil
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
		r.touch(v)
		if !r.step(1) {
			return nil
		}
		fallback := c.filter == filters["default"]
		if _, isPath := f.x.(*path); !r.lax && isPath && !wanted && !fallback && missing(v) {
			r.absent(f)
			return nil
		}
		if fallback && c.named == nil && !missing(v) && v != false && !empty(v) {
			wanted = true // what the default would have been does not matter
			continue
		}
		args := make([]any, len(c.args), 4)
		for j, a := range c.args {
			args[j] = a.eval(r)
			if _, isPath := a.(*path); !r.lax && isPath && missing(args[j]) {
				r.pathMissing(a.(*path))
				return nil
			}
		}
		var named map[string]any
		for _, n := range c.named {
			if named == nil {
				named = map[string]any{}
			}
			named[n.name] = n.x.eval(r)
		}
		if r.err != nil {
			return nil
		}
		v = c.apply(r, v, args, named)
		wanted = wanted || fallback
	}
	return v
}

func (r *run) absent(f *filtered) {
	r.fail(fault.Invalid, "%s is missing or empty; write what to say instead: {{ %s | default: \"…\" }}", f.src, f.src)
}

func (r *run) pathMissing(p *path) {
	r.fail(fault.Invalid, "%s is missing or empty; assign it with a default first", p.src)
}

// shown evaluates an output, which must not be missing.
func (f *filtered) shown(r *run) any {
	v := f.eval(r)
	if r.err != nil || r.lax || !missing(v) {
		return v
	}
	for i := range f.calls {
		if f.calls[i].filter == filters["default"] {
			return v
		}
	}
	if _, isLiteral := f.x.(literal); isLiteral && len(f.calls) == 0 {
		return v
	}
	r.absent(f)
	return nil
}

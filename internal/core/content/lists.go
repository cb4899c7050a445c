package content

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

func join(r *run, v any, args []any, _ map[string]any) any {
	by := " "
	if len(args) > 0 {
		by = r.text(args[0])
	}
	items := flat(r, v)
	words := make([]string, len(items))
	n := 0
	for i, item := range items {
		words[i] = r.text(item)
		if n += len(words[i]) + len(by); n > r.made {
			r.make(-1)
			return nil
		}
	}
	if !r.make(n) {
		return nil
	}
	return strings.Join(words, by)
}

// flat returns the items of a list with the lists in it opened.
func flat(r *run, v any) []any {
	items := r.items(v)
	if !slices.ContainsFunc(items, isList) {
		return items
	}
	var out []any
	var open func(items []any, depth int)
	open = func(items []any, depth int) {
		for _, item := range items {
			if !r.step(1) || depth > maxNesting {
				return
			}
			if isList(item) {
				open(r.items(item), depth+1)
			} else {
				out = append(out, item)
			}
		}
	}
	open(items, 0)
	return out
}

func reverse(r *run, v any, _ []any, _ map[string]any) any {
	items := r.items(v)
	if !r.make(len(items) * perItem) {
		return nil
	}
	items = slices.Clone(items)
	slices.Reverse(items)
	return items
}

func concat(r *run, v any, args []any, _ map[string]any) any {
	if !isList(args[0]) {
		r.fail(fault.Invalid, "concat takes a list")
		return nil
	}
	a, b := flat(r, v), r.items(args[0])
	if !r.make((len(a) + len(b)) * perItem) {
		return nil
	}
	return slices.Concat(a, b)
}

// key returns what a filter of lists compares of an item: the item, or its
// property if there is a name. Only objects have properties.
func (r *run) key(item any, args []any) any {
	if len(args) == 0 || args[0] == nil {
		r.touch(item)
		return item
	}
	return r.named(item, args[0])
}

// named returns an item's property.
func (r *run) named(item, name any) any {
	if p, ok := item.(pair); ok {
		return r.index(p, name)
	}
	if !isObject(item) {
		r.fail(fault.Invalid, "an item of the list has no property %s", quote(r.text(name)))
		return nil
	}
	if name == nil {
		return nil
	}
	v, _ := r.field(item, r.text(name))
	r.touch(v)
	return v
}

// objects returns the items that where and its kin look at: an object alone is a
// list of one.
func (r *run) objects(v any) []any { return flat(r, v) }

func mapFilter(r *run, v any, args []any, _ map[string]any) any {
	items := r.objects(v)
	if !r.make(len(items) * perItem) {
		return nil
	}
	out := make([]any, len(items))
	for i, item := range items {
		if out[i] = r.named(item, args[0]); !r.step(1) {
			return nil
		}
	}
	return out
}

func compact(r *run, v any, args []any, _ map[string]any) any {
	return r.choose(v, func(item any) bool { return r.key(item, args) != nil })
}

// choose returns the items that are wanted.
func (r *run) choose(v any, want func(any) bool) any {
	items := r.objects(v)
	if !r.make(len(items) * perItem) {
		return nil
	}
	out := []any{}
	for _, item := range items {
		if !r.step(1) {
			return nil
		}
		if want(item) {
			out = append(out, item)
		}
	}
	return out
}

func uniq(r *run, v any, args []any, _ map[string]any) any {
	seen := map[string]bool{}
	return r.choose(v, func(item any) bool {
		k := r.key(item, args)
		kind := "o:"
		switch k.(type) {
		case string, safe:
			kind = "s:"
		case int64, float64:
			kind = "n:"
		case nil:
			kind = "-:"
		case bool:
			kind = "b:"
		}
		name := kind + r.str(k)
		if seen[name] {
			return false
		}
		seen[name] = true
		return true
	})
}

// matcher returns what where, reject, find and has ask of an item: that a
// property is true, or equals a value. The property of a text is the text asked
// for, if it is in there. Whole is false for an item that has nothing of the
// kind; then Liquid gives up on the list.
func (r *run) matcher(args []any) func(item any) (yes, whole bool) {
	return func(item any) (bool, bool) {
		var v any
		switch item.(type) {
		case nil, bool, float64:
			return false, false
		case string, safe:
			if args[0] == nil {
				return false, false
			}
			r.touch(item)
			if name := r.text(args[0]); strings.Contains(r.text(item), name) {
				v = name
			}
		case int64:
			if _, bit := args[0].(int64); bit {
				return true, true // in Ruby a number has bits, and each of them is something
			}
			v = r.named(item, args[0])
		default:
			v = r.named(item, args[0])
		}
		if len(args) > 1 && args[1] != nil {
			return r.equal(v, args[1], 0), true
		}
		return truthy(v), true
	}
}

func where(want bool) func(*run, any, []any, map[string]any) any {
	return func(r *run, v any, args []any, _ map[string]any) any {
		match, all := r.matcher(args), true
		list := r.choose(v, func(item any) bool {
			yes, whole := match(item)
			all = all && whole
			return yes == want
		})
		if !all {
			return nil
		}
		return list
	}
}

// search returns the first item that matches and its place; whole as matcher.
func (r *run) search(v any, args []any) (item any, at int, whole bool) {
	match := r.matcher(args)
	for i, item := range r.objects(v) {
		if !r.step(1) {
			break
		}
		yes, whole := match(item)
		if !whole {
			return nil, -1, false
		}
		if yes {
			return item, i, true
		}
	}
	return nil, -1, true
}

func find(r *run, v any, args []any, _ map[string]any) any {
	item, _, _ := r.search(v, args)
	return item
}

func findIndex(r *run, v any, args []any, _ map[string]any) any {
	if _, i, _ := r.search(v, args); i >= 0 {
		return int64(i)
	}
	return nil
}

func has(r *run, v any, args []any, _ map[string]any) any {
	_, i, whole := r.search(v, args)
	if !whole {
		return nil
	}
	return i >= 0
}

func sum(r *run, v any, args []any, _ map[string]any) any {
	var total any = int64(0)
	for _, item := range r.objects(v) {
		if !r.step(1) {
			return nil
		}
		total = r.arithmetic('+', total, numeric(r.key(item, args)))
	}
	return total
}

// sorting sorts a copy of the items; nothing comes last.
func (r *run) sorting(v any, args []any, prepare func(any) any, compare func(a, b any) int) any {
	items := r.objects(v)
	steps := len(items)
	for n := len(items); n > 1; n /= 2 {
		steps += len(items)
	}
	if !r.step(steps) || !r.make(2*len(items)*perItem) {
		return nil
	}
	type keyed struct{ key, item any }
	list := make([]keyed, len(items))
	for i, item := range items {
		k := r.key(item, args)
		if k != nil {
			k = prepare(k)
		}
		list[i] = keyed{k, item}
	}
	if r.err != nil {
		return nil
	}
	slices.SortStableFunc(list, func(a, b keyed) int {
		switch {
		case a.key == nil && b.key == nil:
			return 0
		case a.key == nil:
			return 1
		case b.key == nil:
			return -1
		}
		return compare(a.key, b.key)
	})
	out := make([]any, len(list))
	for i, k := range list {
		out[i] = k.item
	}
	return out
}

func sortFilter(r *run, v any, args []any, _ map[string]any) any {
	return r.sorting(v, args, func(k any) any { return k }, func(a, b any) int {
		switch a.(type) {
		case int64, float64:
			switch b.(type) {
			case int64, float64:
				return compareNumbers(a, b)
			}
		case string, safe:
			switch b.(type) {
			case string, safe:
				return strings.Compare(r.text(a), r.text(b))
			}
		case event.Time:
			if t, ok := b.(event.Time); ok {
				return cmp.Compare(a.(event.Time), t)
			}
		}
		r.fail(fault.Invalid, "the list has items that cannot be put in order")
		return 0
	})
}

func sortNatural(r *run, v any, args []any, _ map[string]any) any {
	lower := func(k any) any { return strings.ToLower(r.str(k)) }
	return r.sorting(v, args, lower, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
}

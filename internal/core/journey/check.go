package journey

import (
	"slices"
	"strings"

	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// check looks at the journey as a whole: steps nobody reaches, loops that never
// wait, dates that skip into the unknown, promotions without a reason.
func (r *reader) check(n spec.Node) {
	r.reach()
	r.loops()
	r.skips()
	r.occasions(n)
}

// reach warns of steps to which no path leads.
func (r *reader) reach() {
	d := r.def
	reached := make([]bool, len(d.steps))
	for queue := []int{0}; len(queue) > 0; {
		i := queue[0]
		queue = queue[1:]
		if i < 0 || reached[i] {
			continue
		}
		reached[i] = true
		for _, e := range d.edges(i) {
			queue = append(queue, e.to)
		}
	}
	for i, ok := range reached {
		if !ok {
			r.ps.Warn(d.steps[i].pos, "", "no path leads to the step %q", d.steps[i].name)
		}
	}
}

// loops reports a circle that a customer would run around without ever waiting.
func (r *reader) loops() {
	d := r.def
	const (
		fresh = iota
		open
		done
	)
	state := make([]int, len(d.steps))
	var trail []int
	var visit func(i int) bool
	visit = func(i int) bool {
		if i < 0 || state[i] == done {
			return false
		}
		if state[i] == open {
			var names []string
			for _, j := range append(trail[slices.Index(trail, i):], i) {
				names = append(names, d.steps[j].name)
			}
			r.ps.Add(d.steps[i].pos, "a wait step in the loop", "the loop %s never waits", strings.Join(names, " → "))
			return true
		}
		state[i] = open
		trail = append(trail, i)
		for _, e := range d.edges(i) {
			if !e.pause && visit(e.to) {
				return true
			}
		}
		trail = trail[:len(trail)-1]
		state[i] = done
		return false
	}
	for i := range d.steps {
		if visit(i) {
			return // one loop at a time: the next is often the same
		}
	}
}

// skips reports a date whose rule is to skip the step behind it when that step
// has no one step behind itself.
func (r *reader) skips() {
	d := r.def
	for i := range d.steps {
		s := &d.steps[i]
		if s.kind != Wait || s.wait.mode != waitDate || s.wait.late != lateSkip || s.otherwise != absent || s.next < 0 {
			continue
		}
		switch next := &d.steps[s.next]; next.kind {
		case Branch, Split, WaitFor:
			r.ps.Add(s.pos, "otherwise: a-step", "the wait skips the %s step %q when its date has passed, which leads to several steps", next.kind, next.name)
		}
	}
}

// occasions warns of promotions whose only condition is that time has passed. A
// helpful friend has a reason: something the customer did, needs or is part of.
//
// A path brings a reason when it begins with something about the person (an
// event, a segment, a date of theirs, an audience that asks for more than
// absence) or passes a branch, an awaited event, a date or a rhythm of theirs. A
// message uses it up. A message that names a product, or whose own reason names
// something about the person, needs no other.
func (r *reader) occasions(n spec.Node) {
	d := r.def
	begins := false
	for i := range d.Triggers {
		begins = begins || d.Triggers[i].Schedule == nil
	}
	if audience, ok := n.Get("audience"); ok && !begins {
		begins = !onlyTime(audience)
	}
	type place struct {
		step   int
		reason bool
	}
	seen := map[place]bool{}
	warned := make([]bool, len(d.steps))
	for queue := []place{{0, begins}}; len(queue) > 0; {
		at := queue[0]
		queue = queue[1:]
		if at.step < 0 || seen[at] {
			continue
		}
		seen[at] = true
		s := &d.steps[at.step]
		reason := at.reason
		if s.kind == Send && s.send.class == profile.Marketing {
			own := s.send.product.root != fromNowhere || s.send.category.root != fromNowhere
			for i := range s.send.reasons {
				own = own || s.send.reasons[i].personal()
			}
			if !reason && !own && !warned[at.step] {
				warned[at.step] = true
				r.ps.Warn(s.pos, "a branch or a wait_for before it, or a reason that names something about this person",
					"the only condition of the promotion %q is that time has passed", s.send.template)
			}
			reason = false
		}
		for k, e := range d.edges(at.step) {
			next := reason
			switch s.kind {
			case Branch:
				next = next || k < len(s.branch)-1
			case WaitFor:
				next = next || k < len(s.await.any)
			case Wait:
				next = next || s.wait.mode == waitDate || s.wait.mode == waitRhythm
			}
			queue = append(queue, place{e.to, next})
		}
	}
}

// onlyTime reports whether a condition asks for nothing but absence, chance or
// the clock: what becomes true by waiting.
func onlyTime(n spec.Node) bool {
	for _, f := range n.Fields {
		switch f.Key {
		case "all", "any", "of":
			for _, item := range f.Value.Items {
				if !onlyTime(item) {
					return false
				}
			}
			return true
		case "not":
			_, did := f.Value.Get("did")
			return did || onlyTime(f.Value)
		case "did_not", "local_time", "weekday", "random":
			return true
		}
	}
	return false
}

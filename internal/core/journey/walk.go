package journey

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
)

// waits moves on whoever waited for this event or for a condition that holds
// now, and starts timers again whose trigger repeats.
func (r *run) waits() {
	for i := 0; i < len(r.live); {
		in := &r.live[i]
		d := r.s.Version(in.Journey, in.Version) // known: leaveAll has looked
		at := d.step(in.Step)
		st := &d.steps[at]
		if r.repeats(d, in) {
			r.restart(i, st)
			in = &r.live[i]
		}
		if st.kind != WaitFor {
			r.refresh(i, st)
			i++
			continue
		}
		if next, found := r.awaited(st.await, in); found {
			if !r.walk(i, next) {
				continue
			}
		}
		i++
	}
}

// awaited returns where the instance goes on if something that it waits for has
// come.
func (r *run) awaited(a *awaitStep, in *profile.Instance) (int, bool) {
	for k := range a.any {
		x := &a.any[k]
		switch {
		case x.cond != nil:
			if r.ask(x.cond, in.Props).True {
				r.glance(nil, in, Glance{What: Awaited, Text: x.text, Holds: true, Because: r.why(x.cond, in.Props)})
				return x.next, true
			}
		case r.e != nil && r.e.ID != in.Trigger && r.e.At >= in.TriggerAt && r.hears(x.match, r.e):
			r.glance(nil, in, Glance{What: Awaited, Text: x.text, Holds: true})
			return x.next, true
		}
	}
	return 0, false
}

// repeats reports whether the event would let the customer in once more, with
// the same key.
func (r *run) repeats(d *Definition, in *profile.Instance) bool {
	e := r.e
	if e == nil || e.Origin != event.Live || e.ID == in.Trigger || e.At < in.TriggerAt || r.late > d.MaxLateness {
		return false
	}
	for k := range d.Triggers {
		if t := &d.Triggers[k]; t.Event != nil && t.key(e.Props) == in.Key && r.hears(t.Event, e) {
			return true
		}
	}
	return false
}

// restart starts the timer of a waiting step again, if the step says so. The
// instance now speaks of the newer event: the cart as it is.
func (r *run) restart(i int, st *step) {
	length := time.Duration(0)
	switch {
	case st.kind == WaitFor && st.await.restart:
		length = st.await.timeout
	case st.kind == Wait && st.wait.restart && st.wait.mode == waitLength:
		length = st.wait.length
	default:
		return
	}
	r.own()
	in := &r.live[i]
	in.TriggerAt, in.Name = r.e.At, strings.Clone(r.e.Name)
	in.Trigger, in.Props = event.ID(strings.Clone(string(r.e.ID))), event.Object(strings.Clone(string(carry(r.e.Props))))
	in.Since = r.w.Now
	in.Burst = 0
	if length > 0 {
		in.Wake = r.w.Now.Add(length)
	}
}

// refresh moves the end of a wait that hangs on the profile: who buys early is
// due later, a date that was put off is waited for.
func (r *run) refresh(i int, st *step) {
	if st.kind != Wait || r.e == nil {
		return
	}
	in := &r.live[i]
	switch {
	case st.wait.mode == waitRhythm && event.IsOrder(r.e.Name):
		if at, sku := due(&r.w, st.wait, in.Since); at != event.Never && (at != in.Wake || sku != in.Product) {
			r.own()
			r.live[i].Wake, r.live[i].Product = max(at, r.w.Now), sku
		}
	case st.wait.mode == waitDate && st.wait.date.root == fromTrait && (r.e.Traits != "" || r.e.Type == event.Identify):
		if at, ok := r.until(st.wait, in); ok && at != in.Wake {
			r.own()
			r.live[i].Wake = max(at, r.w.Now)
		}
	}
}

// wakes moves on whoever is due.
func (r *run) wakes() {
	for i := 0; i < len(r.live); {
		in := &r.live[i]
		if in.Wake > r.w.Now {
			i++
			continue
		}
		d := r.s.Version(in.Journey, in.Version)
		st := &d.steps[d.step(in.Step)]
		next := st.next
		switch st.kind {
		case WaitFor:
			next = st.instead()
		case Send:
			// Nobody told what became of the message: it does not count as sent.
			r.unsent(i, "nothing was heard of it")
			next = st.instead()
		}
		if r.walk(i, next) {
			i++
		}
	}
}

// walk takes the instance at i to the step and on, until it waits. It returns
// false if the instance has left, and another stands at i.
func (r *run) walk(i, to int) bool {
	r.own()
	r.walked = true
	in := &r.live[i]
	d := r.s.Version(in.Journey, in.Version)
	for {
		if to < 0 {
			r.leave(i, event.JourneyLeft, "the path ends", false)
			return false
		}
		st := &d.steps[to]
		if in.Since != r.w.Now {
			in.Since, in.Burst = r.w.Now, 0
		}
		in.Step, in.Wake, in.Check, in.Waiting = st.name, event.Never, event.Never, profile.DeliveryID{}
		in.Arrivals++
		in.Burst++
		r.says(d, in, Glance{What: Reached}, func() string { return d.title(to) })
		r.reached(in)
		if in.Burst > MaxBurst {
			r.leave(i, event.JourneyLeft, "it took more than "+strconv.Itoa(MaxBurst)+" steps at one instant", true)
			return false
		}
		switch st.kind {
		case Send:
			r.out.Intents = append(r.out.Intents, r.intent(d, st, in))
			in.Wake = r.w.Now.Add(DecisionLimit)
			return true
		case Wait:
			next, waits := r.sleep(d, st, in)
			if waits {
				r.says(d, in, Glance{What: Stays, Until: in.Wake, Holds: true}, func() string { return d.title(to) })
				return true
			}
			r.says(d, in, Glance{What: Stays}, func() string { return d.title(to) })
			to = next
		case WaitFor:
			if st.await.timeout > 0 {
				in.Wake = r.w.Now.Add(st.await.timeout)
			}
			next, found := r.met(st.await, in)
			if !found {
				r.says(d, in, Glance{What: Stays, Until: in.Wake, Holds: true}, func() string { return d.title(to) })
				return true
			}
			to = next
		case Branch:
			for k := range st.branch {
				a := &st.branch[k]
				taken := a.when == nil || r.ask(a.when, in.Props).True
				r.glance(d, in, Glance{What: Case, Text: a.text, Holds: taken, Because: r.why(a.when, in.Props)})
				if taken {
					to = a.next
					break
				}
			}
		case Split:
			to = r.split(st.split, in)
		case Update:
			for k := range st.update {
				r.update(d, in, &st.update[k])
			}
			to = st.next
		case Jump:
			to = st.next
		case Exit:
			why := st.why
			if why == "" {
				why = "the path ends"
			}
			r.leave(i, event.JourneyLeft, why, st.recall)
			return false
		case Goal:
			r.leave(i, event.GoalReached, st.why, st.recall)
			return false
		}
	}
}

// met returns where an instance goes on that reaches a wait_for step at which a
// condition holds already. Events count from now on only.
func (r *run) met(a *awaitStep, in *profile.Instance) (int, bool) {
	for k := range a.any {
		if q := a.any[k].cond; q != nil && r.ask(q, in.Props).True {
			r.glance(nil, in, Glance{What: Awaited, Text: a.any[k].text, Holds: true, Because: r.why(q, in.Props)})
			return a.any[k].next, true
		}
	}
	return 0, false
}

// sleep sets the wake-up of a wait that was just reached. It returns false, and
// where to go on, if there is nothing to wait for.
func (r *run) sleep(d *Definition, st *step, in *profile.Instance) (int, bool) {
	w := st.wait
	switch w.mode {
	case waitLength:
		in.Wake = r.w.Now.Add(w.length)
		return 0, true
	case waitTime:
		in.Wake = nextClock(r.w.Now, w.clock, w.days, r.w.zone())
		return 0, true
	case waitRhythm:
		at, sku := due(&r.w, w, r.w.Now)
		if at == event.Never {
			if st.otherwise != absent {
				return st.otherwise, false
			}
			return end, false
		}
		in.Wake, in.Product = at, sku
		return 0, true
	}
	if at, ok := r.until(w, in); ok && at > r.w.Now {
		in.Wake = at
		return 0, true
	}
	switch w.late {
	case lateNow:
		return st.next, false
	case lateExit:
		return end, false
	}
	return d.past(st), false
}

// until returns the instant that a wait until a date names; false if there is no date.
func (r *run) until(w *waitStep, in *profile.Instance) (event.Time, bool) {
	v, ok := w.date.value(r.w.P, in.Props)
	if !ok {
		return 0, false
	}
	at, on, exact, ok := instant(v)
	if !ok {
		return 0, false
	}
	loc := r.w.zone()
	const whole = 24 * time.Hour
	switch {
	case exact && !w.timed:
		return at.Add(w.offset), true
	case exact:
		on = dayOf(at, loc)
	}
	// Days are the customer's own: three days before is the same time of day
	// whatever daylight saving does.
	on += day(w.offset / whole)
	return on.at(w.clock, loc).Add(w.offset % whole), true
}

// backdate lets a wait that an edit has moved begin when its old step was
// reached.
func (r *run) backdate(d *Definition, i int, since event.Time) {
	in := &r.live[i]
	st := &d.steps[d.step(in.Step)]
	length := time.Duration(0)
	switch {
	case st.kind == Wait && st.wait.mode == waitLength:
		length = st.wait.length
	case st.kind == WaitFor:
		length = st.await.timeout
	}
	if length > 0 {
		in.Wake, in.Since = max(since.Add(length), r.w.Now), since
	}
}

// split tosses the customer's coin: the same for ever for one person.
func (r *run) split(sp *splitStep, in *profile.Instance) int {
	chance := r.w.P.Person().Chance("split:" + sp.name)
	for k := range sp.arms {
		a := &sp.arms[k]
		if chance < a.upTo {
			r.says(nil, in, Glance{What: Arm, Holds: true}, func() string { return a.name + " " + percent(a.part) })
			r.fact(SplitTaken, in, event.Field{Key: "split", Value: event.Text(sp.name)}, event.Field{Key: "arm", Value: event.Text(a.name)}, event.Field{Key: "propensity", Value: event.Num(a.part)})
			return a.next
		}
	}
	return end // unreachable: the last arm reaches to 1
}

// update sets a trait of the profile at once, so that the next step sees it, and
// tells the caller, who asks again what mentions it.
func (r *run) update(d *Definition, in *profile.Instance, a *assignment) {
	v, ok := a.of(func(p path) string { return r.look(d, in, "", "", p) })
	if !ok {
		return // a placeholder has no value: an empty trait would be a lie
	}
	t := profile.Trait{Name: a.trait, Value: v, At: r.w.Now, By: wire.Hash(in.Journey, in.Step, a.trait)}
	p := r.w.P
	p.Traits = setTrait(p.Traits, t)
	r.says(d, in, Glance{What: Sets, Holds: true}, func() string { return a.trait + " = " + v.String() })
	r.out.Traits = append(r.out.Traits, TraitUpdate{in.Journey, in.Step, a.trait, v, r.w.Now})
}

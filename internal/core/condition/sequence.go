package condition

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// A sequence asks for one event after another. Its steps are series like those of
// any other question, so the same observations serve both.
//
// A step comes later than the one before it. Many sources tell time in seconds, so
// different events of one instant count as in order; an event never follows itself.
//
// What the last step says decides from when and until when a run of the steps before it
// makes the answer yes:
//
//	did B within T       from the instant of B, for the window
//	did not B within T   from T after the step before it if no B came by then, until
//	                     that step leaves the window
//	did not B for T      the same, and only until B comes after all
//
// Without a window the first two, once true, stay so.
const (
	minSteps  = 2
	mostSteps = 5 // more than five steps are a journey
	// stepObs is how many of the newest past observations of one step are looked at:
	// more happen to robots only, and every evaluation walks them.
	stepObs = 1000
)

// step is one event of a sequence.
type step struct {
	q   *question
	gap event.Time // at most so long after the step before it; zero in the first

	together bool // at the instant of the step before it is after it: they ask about different events
}

// ending says what the last step of a sequence asks.
type ending uint8

const (
	endDid    ending = iota // did B within gap
	endNot                  // did not B within gap
	endNotYet               // did not B so far, and gap has gone by
)

type sequenceNode struct {
	steps  []step
	end    ending
	window event.Time // zero: the whole history
}

// stretch is a time in which one run of the steps makes the answer yes.
type stretch struct{ from, to event.Time }

func (n *sequenceNode) eval(c Context) (bool, event.Time) {
	is, until, _ := n.look(c)
	return is, until
}

// look walks the runs in the order of time. Their stretches begin and end in that
// order too, so it stops at the first that begins after what is known by then.
func (n *sequenceNode) look(c Context) (is bool, until, since event.Time) {
	var w walk
	if !w.begin(n, c) {
		return false, event.Never, 0
	}
	until = event.Never
	for {
		s, more := w.next()
		switch {
		case !more:
			return is, until, since
		case s.to <= s.from || s.to <= c.Now:
		case s.from <= c.Now:
			if is {
				until = max(until, s.to)
			} else {
				is, until, since = true, s.to, s.from
			}
		case !is:
			return false, s.from, 0
		case s.from <= until:
			until = max(until, s.to)
		default:
			return is, until, since
		}
		if is && until == event.Never {
			return is, until, since
		}
	}
}

// walk goes through the observations of all steps in the order of time and finds
// those that complete a run.
type walk struct {
	n     *sequenceNode
	obs   [mostSteps][]profile.Obs
	at    [mostSteps]int
	last  [mostSteps]event.Time // newest observation of the step that continues a run
	run   int                   // steps that make a run: all but a last one that did not happen
	ended int                   // observations of that last one that are looked at already
}

// begin reports false if the first step never happened.
func (w *walk) begin(n *sequenceNode, c Context) bool {
	w.n, w.run = n, len(n.steps)
	if n.end != endDid {
		w.run--
	}
	for i := range n.steps {
		w.last[i] = distantPast
		s := c.P.SeriesOf(n.steps[i].q.key)
		if s == nil {
			if i < w.run {
				return false
			}
			continue
		}
		w.obs[i] = s.Obs
		if past := newestPast(s.Obs, c.Now) + 1; past > stepObs {
			w.obs[i] = s.Obs[past-stepObs:]
		}
	}
	return true
}

// next returns the stretch of the next run.
func (w *walk) next() (stretch, bool) {
	for {
		now := event.Never
		for i := range w.run {
			if w.at[i] < len(w.obs[i]) {
				now = min(now, w.obs[i][w.at[i]].At)
			}
		}
		if now == event.Never {
			return stretch{}, false
		}
		complete := false
		before := distantPast // of the step before, the newest that went on before this instant
		for i := range w.run {
			from := before
			before = w.last[i]
			if i > 0 && w.n.steps[i].together {
				from = w.last[i-1]
			}
			here := false
			for w.at[i] < len(w.obs[i]) && w.obs[i][w.at[i]].At == now {
				w.at[i]++
				here = true
			}
			if !here || i > 0 && (from == distantPast || now-from > w.n.steps[i].gap) {
				continue
			}
			w.last[i] = now
			complete = complete || i == w.run-1
		}
		if complete {
			return w.stretch(now), true
		}
	}
}

// stretch returns when the run that ends at the instant makes the answer yes.
func (w *walk) stretch(at event.Time) stretch {
	leaves := event.Never
	if w.n.window != 0 {
		leaves = plus(at, w.n.window)
	}
	if w.n.end == endDid {
		return stretch{at, leaves}
	}
	due := plus(at, w.n.steps[w.run].gap)
	after := event.Never
	for then := w.obs[w.run]; w.ended < len(then); w.ended++ {
		if then[w.ended].At > at || then[w.ended].At == at && w.n.steps[w.run].together {
			after = then[w.ended].At
			break
		}
	}
	switch {
	case after > due:
		if w.n.end == endNotYet {
			leaves = min(leaves, after)
		}
		return stretch{due, leaves}
	}
	return stretch{due, due} // it came in time: this run says nothing
}

func (n *sequenceNode) because(c Context, out *[]Reason) {
	is, _, since := n.look(c)
	*out = append(*out, Reason{Kind: "sequence", Holds: is, What: n.words(!is), Event: strings.Join(n.steps[0].q.names, ", "), At: since})
}

func (n *sequenceNode) mention(d *Deps) {
	for i := range n.steps {
		d.Events = append(d.Events, n.steps[i].q.names...)
		d.Series = append(d.Series, n.steps[i].q.number)
	}
}

func (n *sequenceNode) words(not bool) string {
	var b strings.Builder
	if not {
		b.WriteString("it is not so that: ")
	}
	for i := range n.steps {
		s := &n.steps[i]
		gap := sayDuration(s.gap.Sub(0))
		switch {
		case i == 0:
			b.WriteString(s.q.verb(false))
		case i < len(n.steps)-1 || n.end == endDid:
			b.WriteString(", then " + s.q.verb(false) + " within " + gap)
		case n.end == endNot:
			b.WriteString(", then " + s.q.verb(true) + " within " + gap)
		default:
			b.WriteString(", and " + s.q.verb(true) + " since, for " + gap + " or longer")
		}
	}
	if n.window != 0 {
		b.WriteString(", all" + inLast(n.window))
	}
	return b.String()
}

func (n *sequenceNode) canon(b *strings.Builder) {
	b.WriteString("sequence " + strconv.Itoa(int(n.end)) + " " + strconv.FormatInt(int64(n.window), 10))
	for i := range n.steps {
		b.WriteString(" " + strconv.FormatUint(n.steps[i].q.key, 16) + " " + strconv.FormatInt(int64(n.steps[i].gap), 10))
	}
}

// parseSequence reads a list of steps: {did: A}, {did: B, within: 2h} … and, as the
// last, {did_not: C, within: 2h} or {did_not: C, for: 2h}.
func parseSequence(p *parser, n, v spec.Node, _ int) node {
	const example = "sequence: [{did: Product Added}, {did_not: Order Completed, for: 1h}]"
	if v.Kind != spec.List || len(v.Items) < minSteps || len(v.Items) > mostSteps {
		return p.fail(v.Pos, example, "a sequence has %d to %d steps", minSteps, mostSteps)
	}
	q := &sequenceNode{}
	if w, there := n.Get("within"); there {
		q.window, _ = p.duration(w, "within")
	}
	questions := make([]question, len(v.Items))
	gaps := make([]event.Time, len(v.Items))
	for i, item := range v.Items {
		last := i == len(v.Items)-1
		if item.Kind != spec.Map {
			return p.fail(item.Pos, example, "a step says what was done")
		}
		p.known(item, "", []string{"did", "did_not", "where", "within", "for"})
		names, did := item.Get("did")
		nots, not := item.Get("did_not")
		switch {
		case did == not:
			return p.fail(item.Pos, example, "a step says either did or did_not")
		case not && !last:
			return p.fail(nots.Pos, "it as the last step", "only the last step of a sequence can be something that was not done")
		case not:
			names, q.end = nots, endNot
		}
		if questions[i] = (question{to: event.Never}); true {
			questions[i].names = p.names(names)
		}
		if w, there := item.Get("where"); there {
			questions[i].where = p.where(w)
			p.warnLines(questions[i].names, w)
		}
		within, hasWithin := item.Get("within")
		wait, hasFor := item.Get("for")
		switch {
		case i == 0 && (hasWithin || hasFor):
			return p.fail(item.Pos, "within beside sequence, for the whole of it", "the first step comes after nothing, so no time can be given for it")
		case i == 0:
		case hasFor && (!not || hasWithin):
			return p.fail(wait.Pos, example, "for goes with did_not alone")
		case hasFor:
			q.end = endNotYet
			gaps[i], _ = p.duration(wait, "for")
		case hasWithin:
			gaps[i], _ = p.duration(within, "within")
		default:
			return p.fail(item.Pos, "within: 2h", "it is not said how long after the step before it")
		}
	}
	if p.bad {
		return nil
	}
	if wait := gaps[len(gaps)-1]; q.end != endDid && q.window != 0 && q.window <= wait {
		return p.fail(n.Pos, "a longer within beside sequence", "this is never so: %s have gone by before it is known, and by then it has left the window", sayDuration(wait.Sub(0)))
	}
	keep := event.Time(event.Never)
	if q.window != 0 {
		keep = q.window
	}
	q.steps = make([]step, len(questions))
	for i := len(questions) - 1; i >= 0; i-- {
		s := questions[i]
		s.names, s.where = slices.Clone(s.names), slices.Clone(s.where)
		s.keep, s.most = keep, stepObs
		q.steps[i] = step{q: p.env.Set.add(s), gap: gaps[i], together: i > 0 && !slices.ContainsFunc(s.names, func(name string) bool { return slices.Contains(questions[i-1].names, name) })}
		if i == len(questions)-1 && q.end != endDid {
			continue // the step before it is what must lie in the window
		}
		keep = plus(keep, gaps[i])
	}
	return q
}

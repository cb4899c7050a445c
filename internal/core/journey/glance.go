package journey

import (
	"strconv"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Looked says what a [Glance] is of.
type Looked string

// What a walk looks at.
const (
	Began     Looked = "trigger"   // an event of the trigger's name that is not such an event
	Again     Looked = "again"     // the re-entry rule kept somebody out
	Audience  Looked = "audience"  // for whom the journey is
	Satisfied Looked = "satisfied" // an exit or a goal was met at the door
	CameIn    Looked = "entered"   // somebody came in
	Reached   Looked = "reached"   // a step
	Stays     Looked = "waits"     // until Until; if it does not hold there was nothing to wait for
	Awaited   Looked = "awaited"   // what a wait_for step waits for came
	Case      Looked = "case"      // of a branch
	Arm       Looked = "arm"       // of a split
	Sets      Looked = "sets"      // a trait
	ExitMet   Looked = "exit"      // what takes people out is true
	GoalMet   Looked = "goal"      // what the journey is for is true
	Left      Looked = "left"      // somebody left; if it holds by a goal
)

// Glance is one thing that a walk looked at, and what it saw.
type Glance struct {
	Journey string
	Key     string
	Step    string // empty: at the door
	At      event.Time
	What    Looked
	Text    string             // in words
	Holds   bool               // whether what was asked is so
	Because []condition.Reason // what made it so, with the values that were seen
	Until   event.Time         // of a wait
}

// glance tells whoever watches. D or in may be nil: there is none yet.
func (r *run) glance(d *Definition, in *profile.Instance, g Glance) {
	if r.w.Watch == nil {
		return
	}
	g.At = r.w.Now
	switch {
	case in != nil:
		g.Journey, g.Key, g.Step = in.Journey, in.Key, in.Step
	case d != nil:
		g.Journey = d.Name
	}
	r.w.Watch(g)
}

// says is glance with a text that is put together only if somebody watches. The
// function is asked here or never, so who calls this makes none on the heap.
func (r *run) says(d *Definition, in *profile.Instance, g Glance, text func() string) {
	if r.w.Watch != nil {
		g.Text = text()
		r.glance(d, in, g)
	}
}

// why explains an answer, if somebody watches.
func (r *run) why(q *condition.Cond, props event.Object) []condition.Reason {
	if r.w.Watch == nil || q == nil {
		return nil
	}
	c := r.w.context(props)
	c.Explain = true
	return q.Eval(&c).Because
}

// what says whether a watch is the definition's goal or its exit.
func (w *watch) what(d *Definition) Looked {
	if w == &d.goal {
		return GoalMet
	}
	return ExitMet
}

// StepReached is the fact that a customer reached a step. It says nothing but which,
// so that whoever counts can count equal facts.
const StepReached = "Journey Step Reached"

// reached tells the feed that an instance is at a step.
func (r *run) reached(in *profile.Instance) {
	var b event.Builder
	b.Set("journey", event.Text(in.Journey)).Set("step", event.Text(in.Step)).Set("held_out", event.Yes(in.Held))
	r.tell(StepReached, in, b.Object(), strconv.FormatInt(int64(in.Entered), 36)+" "+string(in.Trigger))
}

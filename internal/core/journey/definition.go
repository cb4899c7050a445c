package journey

import (
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// Limits of a definition. Each bounds what one profile, or one page that shows
// the journey, has to carry.
const (
	// MaxSteps bounds the steps of one journey: more cannot be read on a page.
	MaxSteps = 200
	// MaxBurst bounds the steps that one instance takes at one instant. Twice the
	// longest sensible path; beyond it the instance leaves with a fact.
	MaxBurst = 100
	// MaxLive bounds the live instances of one customer, who would otherwise open
	// one for each cart id that a robot invents.
	MaxLive = 64
	// MaxKey bounds an instance's key in bytes; a longer one is kept as its hash.
	MaxKey = 128
	// MaxReason bounds a filled-in reason in bytes: it is read on a line.
	MaxReason = 400
	// MaxWait bounds a wait: who is spoken to after two years has forgotten why.
	MaxWait = 2 * 366 * 24 * time.Hour
)

// What holds when a definition does not say.
const (
	// DefaultHoldout is the share of customers who walk a journey and get nothing,
	// so that a report can say what the journey brings.
	DefaultHoldout = 0.10
	// DefaultLateness is how late an event may be heard and still trigger.
	DefaultLateness = time.Hour
	// DefaultExpires is how long a marketing wish stays worth fulfilling. A service
	// message does not expire.
	DefaultExpires = 3 * 24 * time.Hour
	// DecisionLimit is how long a send step waits to be told what the gate decided.
	// The gate answers within the same record; the limit keeps an instance from
	// being stuck if it does not.
	DecisionLimit = time.Hour
	// AcceptLimit is how long a step with `await: accepted` waits for a message
	// that does not expire.
	AcceptLimit = 7 * 24 * time.Hour
)

// Definition is one journey in one version. It is immutable.
type Definition struct {
	Name        string
	Title       string // for people; the name if the source has none
	Serves      string // the move in a customer's life that it serves, such as "first → repeat"; may be empty
	Version     uint64 // hash of the canonical source
	Triggers    []Trigger
	Reentry     Reentry
	Holdout     float64       // share of customers held out, from 0 to 1
	Announced   bool          // the source names the holdout itself
	MaxLateness time.Duration // how late an event may be heard and still trigger
	Retest      bool          // the audience is tested again at the moment of sending
	Pos         spec.Pos

	audience *condition.Cond // nil: everybody
	exit     watch
	goal     watch
	steps    []step // the first one is where an instance begins
	moves    moves
	campaign *Campaign // nil: no campaign
	service  bool      // a service message
}

// HeldOut reports whether the customer is in the journey's holdout. The answer
// is the same for ever for one person, and most merges keep it.
func (d *Definition) HeldOut(p *profile.Profile) bool {
	return p.Person().Chance("holdout:"+d.Name) < d.Holdout
}

// Notice returns what a publisher is told before the journey goes live; empty if
// nothing. A holdout that nobody asked for must not come as a surprise.
func (d *Definition) Notice() string {
	if d.Announced || d.Holdout == 0 {
		return ""
	}
	return percent(d.Holdout) + " of customers walk the journey " + d.Name +
		" and get none of its messages, so that its effect can be measured; write `holdout: 0` to send to everybody"
}

// step returns the index of the step, -1 if there is none of the name.
func (d *Definition) step(name string) int {
	for i := range d.steps {
		if d.steps[i].name == name {
			return i
		}
	}
	return -1
}

// Rule says whether a customer may enter a journey again.
type Rule uint8

// The re-entry rules. The zero Rule is the one that can do no harm.
const (
	Never      Rule = 0 // one run for ever
	OncePerKey Rule = 1 // one run for each key
	AfterExit  Rule = 2 // again as soon as the run with the key has ended
	After      Rule = 3 // again when a period has passed since the last entry
)

// Reentry is a re-entry rule with its period.
type Reentry struct {
	Rule  Rule
	After time.Duration // for After
}

// String returns the rule as a definition says it.
func (r Reentry) String() string {
	switch r.Rule {
	case OncePerKey:
		return "once_per_key"
	case AfterExit:
		return "after_exit"
	case After:
		return "after " + r.After.String()
	}
	return "never"
}

// Kind is the kind of a step.
type Kind string

// The kinds of step.
const (
	Send    Kind = "send"
	Wait    Kind = "wait"
	WaitFor Kind = "wait_for"
	Branch  Kind = "branch"
	Split   Kind = "split"
	Update  Kind = "update"
	Jump    Kind = "jump"
	Exit    Kind = "exit"
	Goal    Kind = "goal"
)

// kinds are those that are described: the parser takes no others.
var kinds = keys(stepShapes)

// Places that a step's edge may lead to beside the index of a step.
const (
	end    = -1 // the path ends here
	absent = -2 // the source names no such edge
)

// step is one step, compiled.
type step struct {
	name      string
	kind      Kind
	pos       spec.Pos
	next      int
	otherwise int

	send   *sendStep
	wait   *waitStep
	await  *awaitStep
	branch []arm
	split  *splitStep
	update []assignment
	why    string // of exit and goal
	recall bool   // of exit and goal: what still waits is recalled too
}

// instead returns where a message that was not sent, or a date that has passed,
// leads.
func (s *step) instead() int {
	if s.otherwise != absent {
		return s.otherwise
	}
	return s.next
}

type sendStep struct {
	template string
	channel  string
	purpose  string
	class    profile.Class
	reasons  []sentence
	product  path // root none: no product
	category path
	delay    time.Duration // the message is planned at once and leaves no sooner than this later
	expires  time.Duration // after that; zero: never
	priority int32
	lateness time.Duration
	accepted bool // wait until the provider has taken the message
}

// hurry says what happens to a wait whose date has passed already.
type hurry uint8

const (
	lateSkip hurry = 0 // take the `otherwise` edge, or go past the step that was waited for
	lateNow  hurry = 1 // go on at once
	lateExit hurry = 2 // leave the journey
)

var hurries = []string{"skip", "now", "exit"}

// waitStep holds exactly one of the ways to wait.
type waitStep struct {
	mode    waitMode
	length  time.Duration // for
	restart bool
	clock   clockTime // until_time, and the hour of until_date
	timed   bool      // until_date has an hour of its own
	days    weekdays
	date    path
	offset  time.Duration
	late    hurry
	within  string // rhythm: only products of this category; empty: any
}

type waitMode uint8

const (
	waitLength waitMode = iota
	waitTime
	waitDate
	waitRhythm
)

// awaitStep waits for the first of several things.
type awaitStep struct {
	any     []awaited
	timeout time.Duration // zero: none
	restart bool
}

type awaited struct {
	match *match          // an event
	cond  *condition.Cond // or a condition
	next  int
	text  string
}

type arm struct {
	when *condition.Cond // nil: else
	next int
	text string
}

type splitStep struct {
	name string // of the experiment
	arms []share
}

type share struct {
	name string
	upTo float64 // the arm's end on the line from 0 to 1
	part float64
	next int
}

type assignment struct {
	trait string
	value sentence
	fixed bool // value has no placeholders
	kind  spec.Kind
}

// watch is what ends a run: the first of its items that comes true.
type watch struct{ items []watched }

type watched struct {
	match *match          // a bare `did`: since the customer entered
	cond  *condition.Cond // any other condition
	text  string
}

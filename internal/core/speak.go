package core

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// wake fires the alarms that are due up to the end, each with `now` equal to its
// own instant: how late the shell comes to it changes nothing that follows. But
// time does not run backwards: what has just come with an entry of the log, such
// as the wishes of a profile that joined, is not older than floor, the entry's now.
func (r *run) wake(end, floor event.Time) {
	if r.p.Alarm <= end { // seldom, and the watch is not for nothing
		r.ring(end, floor)
	}
}

func (r *run) ring(end, floor event.Time) {
	now := r.now
	var watch insight.Watch
	pause := event.Time(1)
	for r.p.Alarm <= end {
		at := max(r.p.Alarm, floor)
		r.now = at
		changes := r.note(r.Segments.Due(r.p, at, &watch))
		r.follow(r.Journeys.OnAlarm(r.world(), changes))
		r.settle()
		if r.p.Alarm > at {
			pause = 1
			continue
		}
		// A bound that does not move is a mistake of ours; a customer must not make
		// the lane spin for it, however long ago it was.
		r.p.Alarm = at + pause
		pause = min(2*pause, maxPause)
	}
	r.now = now
	r.eff.Stuck = append(r.eff.Stuck, watch.Stuck()...)
}

// maxPause bounds the pause after an alarm that changes nothing and does not move,
// in milliseconds: other alarms behind it come so late at most.
const maxPause = event.Time(time.Hour / time.Millisecond)

// settle names the next alarm: the earliest instant at which a segment or a
// journey may change by itself. Nobody waits for one at a signpost, nor where
// nobody was born yet.
func (r *run) settle() { r.settleFrom(r.now) }

// settleFrom is settle with the dates and schedules after the instant.
func (r *run) settleFrom(after event.Time) {
	if !r.p.Owner.Zero() || r.p.Born == 0 {
		r.p.Alarm = event.Never
		return
	}
	r.p.Alarm = min(r.Segments.Next(r.p), r.Journeys.Next(r.p), r.Journeys.NextTrigger(r.world(), after))
}

func (r *run) world() *journey.World {
	return &journey.World{P: r.p, Now: r.now, Zones: r.Zones, DefaultZone: r.Zone, Watch: r.Watch}
}

func (r *run) note(changes []insight.Change) []insight.Change {
	if r.eff.Changes == nil {
		r.eff.Changes = slices.Clip(changes)
		return changes
	}
	r.eff.Changes = append(r.eff.Changes, changes...)
	return changes
}

// maxRounds bounds how often a journey's update may change a segment that lets
// into a journey that updates: definitions that chase each other end here. Each
// message that follows another without a wait takes a round too, so it is more
// than the longest run of steps that a journey takes at one instant.
const maxRounds = journey.MaxBurst + 8

// follow does what a walk asks for: recalls first, so that what is no longer
// wanted makes room, then new wishes through the gate, whose answers may move
// the walk on.
func (r *run) follow(out journey.Out) {
	for range maxRounds {
		r.eff.Facts = append(r.eff.Facts, out.Facts...)
		for i := range out.Recalls {
			r.recall(&out.Recalls[i])
		}
		var next journey.Out
		for i := range out.Intents {
			join(&next, r.plan(out.Intents[i]))
		}
		if len(out.Traits) > 0 {
			var touched condition.Touched
			for i := range out.Traits {
				touched.Traits = append(touched.Traits, out.Traits[i].Name)
			}
			changes := r.note(r.Segments.Touched(r.p, touched, r.now))
			join(&next, r.Journeys.OnAlarm(r.world(), changes))
		}
		if len(next.Intents)+len(next.Recalls)+len(next.Traits)+len(next.Facts) == 0 {
			return
		}
		out = next
	}
}

func join(to *journey.Out, from journey.Out) {
	to.Intents = append(to.Intents, from.Intents...)
	to.Recalls = append(to.Recalls, from.Recalls...)
	to.Traits = append(to.Traits, from.Traits...)
	to.Facts = append(to.Facts, from.Facts...)
}

// plan takes a wish through the gate and tells the journey the answer.
func (r *run) plan(in journey.Intent) journey.Out {
	if !r.Journeys.Stands(r.p, &in) {
		return journey.Out{} // the answer to an earlier wish ended the run that this one is of
	}
	d, record := r.Gate.Plan(r.p, in, r.now)
	if record.Reason != decision.Duplicate {
		if d.State == profile.Planned {
			r.p.Open = append(slices.Clip(r.p.Open), d)
		}
		r.eff.Deliveries = append(r.eff.Deliveries, Delivery{Delivery: d, Because: because(&record), Record: &record})
	}
	return r.Journeys.OnDecision(r.world(), &in, d.ID, d.State, string(record.Reason))
}

func because(record *decision.Record) string {
	if record.Reason == decision.Allowed {
		return ""
	}
	return string(record.Reason)
}

// drop takes a delivery from the open ones.
func (r *run) drop(i int) { r.p.Open = slices.Delete(slices.Clone(r.p.Open), i, i+1) }

// put replaces an open delivery.
func (r *run) put(i int, d profile.Delivery) {
	r.p.Open = slices.Clone(r.p.Open)
	r.p.Open[i] = d
}

func (r *run) find(id profile.DeliveryID) int {
	return slices.IndexFunc(r.p.Open, func(d profile.Delivery) bool { return d.ID == id })
}

// slot offers a planned delivery its turn: the gate is asked again, on the
// profile as it is now. A claim whose deadline passed is offered again the same way.
func (r *run) slot(e *event.Event) {
	id, err := profile.ParseDelivery(e.Props.Text("delivery"))
	if err != nil {
		return // unreachable: only dispatch writes slots
	}
	i := r.find(id)
	if i < 0 {
		return // it was recalled or is told of already
	}
	d := r.p.Open[i]
	lost := truth(e.Props, "lost") && d.State == profile.Claimed // dispatch vouches that the claim before was never begun
	if d.Unwanted {
		r.unwanted(i, lost)
		return
	}
	if lost {
		d.State = profile.Planned
	}
	if r.holdRun(i, d) {
		return
	}
	if why, wanted := r.Journeys.Wanted(r.world(), &d); !wanted {
		if lost {
			r.put(i, d)
		}
		if r.recall(&journey.Recall{Delivery: d.ID, Journey: d.Journey, Key: d.Key, Why: why}) {
			r.follow(r.Journeys.OnDelivery(r.world(), d.ID, profile.Recalled, why))
		}
		return
	}
	record := r.Gate.Claim(r.p, &d, r.now)
	if record.Reason == decision.Closed {
		return
	}
	if d.State == profile.Claimed {
		d.Deadline = r.now.Add(ClaimFor)
	}
	r.eff.Deliveries = append(r.eff.Deliveries, Delivery{Delivery: d, Because: because(&record), Record: &record, Claim: true})
	if d.State.Open() {
		r.put(i, d)
		return
	}
	r.drop(i)
	r.follow(r.Journeys.OnDelivery(r.world(), d.ID, d.State, string(record.Reason)))
}

// receipt notes what became of a delivery. It reports whether the customer's
// reachability changed.
func (r *run) receipt(e *event.Event) (reach bool) {
	id, err := profile.ParseDelivery(e.Props.Text("delivery"))
	if err != nil {
		return false
	}
	i := r.find(id)
	if i < 0 {
		return false
	}
	d := r.p.Open[i]
	if fence, err := strconv.ParseUint(e.Props.Text("fence"), 10, 64); err == nil && fence != d.Fence {
		return false // the answer to a claim that was lost: the newer one counts
	}
	outcome, because := clone(e.Props.Text("detail")), ""
	if d.Unwanted && nothingLeft(e) {
		r.takeBack(i, outcome)
		return false
	}
	switch e.Name {
	case event.MessageSent:
		d.State = profile.Accepted
		r.Gate.Sent(r.p, &d, e.At)
	case event.MessageUnknown:
		d.State = profile.Unknown
		r.Gate.Sent(r.p, &d, e.At)
	case event.MessageRejected:
		d.State, because = profile.Rejected, "rejected"
		if truth(e.Props, "hard") {
			because, reach = "bounced", true
			r.p.Ails(profile.Health{Channel: d.Channel, Address: r.p.Address(d.Channel), State: profile.Bounced, At: e.At, Why: outcome})
		} else if e.Props.Text("cause") == "soft" {
			reach = r.p.SoftBounce(d.Channel, e.At, outcome)
		}
	case event.MessageDeferred:
		if truth(e.Props, "paced") {
			// Our own pace put it off, and no provider was asked: that decides when, and
			// nothing is given up for it but what expires.
			d.State, d.NotBefore, because = profile.Planned, r.now.Add(retry(e)), "paced"
			break
		}
		if d.Tried == 0 {
			d.Tried = e.At
		}
		if r.now.Sub(d.Tried) >= GiveUp || r.now >= d.Expires {
			d.State, because = profile.Rejected, "gave_up"
			reach = r.p.SoftBounce(d.Channel, e.At, outcome)
			break
		}
		d.State, d.NotBefore = profile.Planned, r.now.Add(retry(e))
		because = "deferred"
	case event.MessageStopped:
		d.State, because = profile.Dropped, stopper(e)
		if outcome == string(decision.SameAddress) {
			because = outcome
		}
	case event.RenderFailed:
		d.State, because = profile.Failed, "render_failed"
	}
	r.eff.Deliveries = append(r.eff.Deliveries, Delivery{Delivery: d, Because: because, Outcome: outcome})
	if d.State.Open() {
		r.put(i, d)
		return reach
	}
	r.drop(i)
	r.follow(r.Journeys.OnDelivery(r.world(), d.ID, d.State, because))
	return reach
}

// clone returns a text of its own: what a profile keeps must not hold on to the
// record that it came in.
func clone(s string) string { return strings.Clone(s) }

// The least and the longest wait before a deferred message goes again: a provider
// that asks for less would be asked without a pause, and one that asks for more
// would decide how long a message lives.
const (
	minRetry = time.Minute
	maxRetry = 6 * time.Hour
)

// retry returns how long to wait before a deferred message goes again.
func retry(e *event.Event) time.Duration {
	s, err := strconv.ParseFloat(e.Props.Text("retry_after"), 64)
	switch {
	case !(s > minRetry.Seconds()): // also if it is no number
		return minRetry
	case s > maxRetry.Seconds(), err != nil:
		return maxRetry
	}
	return time.Duration(s * float64(time.Second))
}

// Step is what a catch-up from one program to the next needs to know of both.
type Step struct {
	older    uint64
	segments *insight.Segments // of the older one
	beyond   insight.Beyond
	fresh    *condition.Fresh
}

// From returns the step from the older program to this one; nil: it is not known
// which one was in force.
func (pr *Program) From(older *Program) *Step {
	if older == nil {
		return nil
	}
	return &Step{older: older.Hash, segments: older.Segments, beyond: pr.Segments.Beyond(older.Segments), fresh: pr.Series.Beyond(older.Series)}
}

// Reads says which part of a history a catch-up needs.
type Reads int

// Parts of a history.
const (
	ReadsNothing Reads = iota
	ReadsSome          // the events that [Step.Wants] says
	ReadsAll
)

// Reads returns what a catch-up must read of the customer's events: some if the
// program asks something that the one before did not, and all if the profile was not
// evaluated under that one, or strands have joined.
func (s *Step) Reads(p *profile.Profile) Reads {
	switch {
	case p.Count == 0:
		return ReadsNothing
	case s == nil || p.Program != s.older:
		return ReadsAll
	case s.fresh.Any():
		return ReadsSome
	}
	return ReadsNothing
}

// Light reports whether no history is read of whom the older program evaluated.
func (s *Step) Light() bool { return s != nil && !s.fresh.Any() }

// Wants reports whether an event of a history counts for what is new.
func (s *Step) Wants(t event.Type, name string) bool {
	return s.fresh.Wants(t, name) || t == event.System && name == event.ImportUndone
}

// before returns the segments of the older program; nil: it is not known.
func (s *Step) before() *insight.Segments {
	if s == nil {
		return nil
	}
	return s.segments
}

// CatchUp brings a profile that was last evaluated under another program up to
// this one, by the step from the one that was in force before. History holds the
// events that [Step.Reads] says. What the customer turns out to be in has not just
// begun: segments are entered in silence, unless their definition says otherwise.
// Only customers whose strands have just joined, and not because of an import, live
// through it. If nothing but the program changes, what is returned is
// [profile.Profile.Same] as p.
func (pr *Program) CatchUp(p *profile.Profile, history []*event.Event, now event.Time, step *Step) (*profile.Profile, Effects) {
	return pr.CatchUpInto(new(profile.Profile), p, history, now, step)
}

// CatchUpInto is CatchUp in memory of the caller's, of whom hardly anybody changes: what
// is returned is own, or grew from it.
func (pr *Program) CatchUpInto(own, p *profile.Profile, history []*event.Event, now event.Time, step *Step) (*profile.Profile, Effects) {
	*own = *p
	r := &run{Program: pr, now: now, p: own}
	switch step.Reads(p) {
	case ReadsAll:
		kept, gone := Counting(history)
		if p.Program == profile.UndoneImport && len(gone) > 0 && !r.refold(kept, gone) {
			return r.p, r.eff // nobody is left
		}
		pr.Series.Rebuild(r.p, slices.Values(once(kept)), now)
	case ReadsSome:
		kept, _ := Counting(history)
		step.fresh.Rebuild(r.p, slices.Values(once(kept)), now)
	case ReadsNothing:
		pr.Series.Drop(r.p)
	}
	lived := p.Program == profile.JoinedLive
	after := now
	if p.Alarm > 0 && p.Alarm <= now {
		after = p.Alarm - 1 // an alarm that is due still fires, under the new program, at its own instant
	}
	r.p.Program = pr.Hash
	r.forget()
	r.note(pr.Segments.Gone(r.p, step.before(), now))
	var changes []insight.Change
	if step != nil && p.Program == step.older {
		changes = r.note(pr.Segments.Since(step.beyond, r.p, now, !lived))
	} else {
		changes = r.note(pr.Segments.All(r.p, now, !lived))
	}
	r.follow(pr.Journeys.CatchUp(r.world()))
	r.follow(pr.Journeys.OnAlarm(r.world(), changes))
	r.settleFrom(after)
	return r.p, r.eff
}

// Home returns the id at which everything about an identifier arrives.
func (pr *Program) Home(id identity.Identifier) identity.ID { return pr.Key.Home(id) }

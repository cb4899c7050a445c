package story

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
)

// campaign orders what a line says of a campaign: send, pause, resume or stop.
func (w *world) campaign(l *line, rest string) error {
	args := append(words(rest), l.args...)
	if len(args) != 2 {
		return wrong(l.n, "write what is ordered of which campaign: campaign send summer-lights; also pause, resume and stop")
	}
	verb, name := args[0], args[1]
	d := w.core.Journeys.Definition(name)
	if d == nil || d.Campaign() == nil {
		return wrong(l.n, "there is no campaign %q", name)
	}
	last := w.lastRun(name)
	if verb == "send" {
		if last != nil && last.Active() {
			return wrong(l.n, "the campaign %s is under way", name)
		}
		number := 1
		for _, r := range w.core.Runs {
			if r.Campaign == name {
				number++
			}
		}
		c := d.Campaign()
		r := &journey.Run{}
		r.Take(journey.Order{Campaign: name, Run: strconv.Itoa(number), Version: d.Version, Serial: 1, Rate: c.Rate, Sent: w.now, Begins: w.now.Add(c.Undo)})
		w.core.Runs = append(slices.Clip(w.core.Runs), r)
		return w.walk()
	}
	if last == nil || !last.Active() {
		return wrong(l.n, "the campaign %s is not under way", name)
	}
	o := last.Ordered()
	o.Serial++
	switch verb {
	case "pause":
		o.State = journey.Paused
	case "resume":
		o.State = journey.Running
	case "stop":
		o.State = journey.Stopped
		w.tally()
	default:
		return wrong(l.n, "a campaign is told to send, pause, resume or stop, not %q", verb)
	}
	last.Take(o)
	return w.walk()
}

func (w *world) lastRun(campaign string) *journey.Run {
	for _, r := range slices.Backward(w.core.Runs) {
		if r.Campaign == campaign {
			return r
		}
	}
	return nil
}

// nextWalk returns when a run has somebody to come to.
func (w *world) nextWalk() event.Time {
	next := event.Never
	w.tally()
	for _, r := range w.core.Runs {
		if from, walks := r.Walks(); walks {
			next = min(next, max(from, w.now))
		}
	}
	return next
}

// tally counts the messages of each run that wait or are on their way.
func (w *world) tally() {
	for _, r := range w.core.Runs {
		r.Open = 0
	}
	for _, p := range w.people { // order does not matter: counted
		for i := range p.Open {
			if r := w.core.Runs.Of(&p.Open[i]); r != nil {
				r.Open++
			}
		}
	}
}

// walk lets every run come to everybody it may come to now.
func (w *world) walk() error {
	for {
		if err := w.settle(); err != nil {
			return err
		}
		walked := false
		for _, r := range w.core.Runs {
			from, walks := r.Walks()
			d := w.core.Journeys.Version(r.Campaign, r.Version)
			if !walks || from > w.now || d == nil {
				continue
			}
			walked = true
			if err := w.pass(r, d); err != nil {
				return err
			}
		}
		if !walked {
			return nil
		}
	}
}

// pass lets a run look at everybody whom its rate allows.
func (w *world) pass(r *journey.Run, d *journey.Definition) error {
	ids := slices.SortedFunc(maps.Keys(w.people), identity.ID.Compare)
	planned, most := 0, len(ids)
	if r.State == journey.Running {
		most = r.Allowance(w.now, 1, len(ids))
	}
	for _, id := range ids {
		if id.Compare(r.Cursor) < 0 {
			continue
		}
		if planned == most && most < len(ids) {
			r.Cursor = id
			r.Spend(planned, 1)
			return nil
		}
		if err := w.round(); err != nil {
			return err
		}
		if w.people[id].Born == 0 || !w.people[id].Owner.Zero() {
			continue
		}
		if r.State == journey.Stopped {
			p, eff := w.core.CallBack(w.people[id], r, w.now)
			w.take(p, &eff, nil)
			continue
		}
		w.current(id)
		p, eff, found := w.core.Enrol(w.people[id], d, r, w.now)
		w.take(p, &eff, nil)
		switch found.Place {
		case journey.Waits:
			r.Next = min(r.Next, found.Until)
		case journey.Entered:
			r.Entered++
		}
		if found.Planned {
			planned++
		}
	}
	r.Spend(planned, 1)
	r.EndPass()
	return nil
}

// service asks for a service message by its name, as the shop's back end does by
// the API.
func (w *world) service(l *line, name string) error {
	d := w.core.Journeys.Definition(name)
	if d == nil || !d.IsService() {
		return wrong(l.n, "there is no service message %q", name)
	}
	e := w.speaker(l.who, l.n, event.System, event.ServiceAsked)
	e.Trust = event.Server
	var b event.Builder
	if err := w.properties(l, &b, &e, nil); err != nil {
		return err
	}
	e.Props = b.SetText("service", strings.Clone(name)).Object()
	if l.who.email != "" {
		var traits event.Builder
		e.Traits = traits.SetText("email", l.who.email).Object()
	}
	return w.say(l, e)
}

package story

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/program"
)

// maxRounds bounds the alarms and entries between two lines: definitions that
// chase each other must not make a story run for ever. A year of one customer is
// some thousand.
const maxRounds = 2_000_000

// world is everything around the core that a story needs: what log, store,
// engine and dispatch are in a running node, for a handful of people.
type world struct {
	prog *program.Program
	core *core.Program // the program's, with the journeys and holdouts of the story
	now  event.Time

	people  map[identity.ID]*profile.Profile
	history map[identity.ID][]*event.Event // by strand
	queue   []identity.Addressed
	planned map[profile.DeliveryID]planned

	answers map[identity.ID]answer // what the provider says to a person's mail
	said    []said                 // what became of messages, in order
	number  int                    // of entries so far: makes their ids
	rounds  int
}

// planned is a message that waits.
type planned struct {
	to        identity.ID
	notBefore event.Time
	fence     uint64
}

// answer is what the provider says.
type answer uint8

const (
	works answer = iota
	bounces
	defers
)

// said is a message that was sent, or that will not be.
type said struct {
	at      event.Time
	to      identity.ID
	d       profile.Delivery
	because string // why not
	subject string
	told    bool // a line has named it
}

func newWorld(p *program.Program, c *core.Program, start event.Time) *world {
	return &world{
		prog: p, core: c, now: start, people: map[identity.ID]*profile.Profile{}, history: map[identity.ID][]*event.Event{},
		planned: map[profile.DeliveryID]planned{}, answers: map[identity.ID]answer{},
	}
}

// at returns the profile at the id, born or not.
func (w *world) at(id identity.ID) *profile.Profile {
	p := w.people[id]
	if p == nil {
		p = profile.New(id)
		w.people[id] = p
	}
	return p
}

// owner follows the signposts from an identifier's home to the profile.
func (w *world) owner(id identity.ID) *profile.Profile {
	p := w.at(id)
	for range identity.MaxHops {
		if p.Owner.Zero() {
			return p
		}
		p = w.at(p.Owner)
	}
	return p
}

// until lets everything happen that is due up to the instant, each at its own.
func (w *world) until(t event.Time) error {
	for {
		if err := w.walk(); err != nil {
			return err
		}
		next := w.nextWalk()
		for _, p := range w.people { // order does not matter: the least counts
			next = min(next, p.Alarm)
		}
		for _, d := range w.planned { // as above
			next = min(next, d.notBefore)
		}
		if next > t {
			w.now = t
			return nil
		}
		w.now = max(w.now, next)
		if err := w.ring(); err != nil {
			return err
		}
	}
}

// ring fires the alarms that are due now, person by person.
func (w *world) ring() error {
	var due []identity.ID
	for id, p := range w.people { // order does not matter: sorted below
		if p.Alarm <= w.now {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, identity.ID.Compare)
	for _, id := range due {
		if err := w.round(); err != nil {
			return err
		}
		w.current(id)
		p, eff := w.core.Wake(w.people[id], w.now)
		w.take(p, &eff, nil)
	}
	return nil
}

func (w *world) round() error {
	if w.rounds++; w.rounds > maxRounds {
		return fmt.Errorf("the story does not come to rest: more than %d things have happened", maxRounds)
	}
	return nil
}

// settle applies what has been said until nothing more follows from it at this
// instant.
func (w *world) settle() error {
	for {
		for len(w.queue) > 0 {
			if err := w.round(); err != nil {
				return err
			}
			a := w.queue[0]
			w.queue = w.queue[1:]
			w.apply(&a)
		}
		if !w.offer() {
			return nil
		}
	}
}

// apply applies one entry.
func (w *world) apply(a *identity.Addressed) {
	w.current(a.To)
	before := w.at(a.To)
	p, eff := w.core.Apply(before, &a.Event, w.now, w.heard(before, &a.Event))
	w.take(p, &eff, &a.Event)
	if len(eff.Joined) > 0 {
		w.current(p.ID)
	}
}

// heard reports whether the history knows the event's id, where the profile
// itself cannot tell.
func (w *world) heard(p *profile.Profile, e *event.Event) bool {
	if s := p.Sees(e); s != profile.AskMonth && s != profile.AskAll {
		return false
	}
	for _, strand := range append([]identity.ID{p.ID}, p.Strands...) {
		if slices.ContainsFunc(w.history[strand], func(x *event.Event) bool { return x.ID == e.ID }) {
			return true
		}
	}
	return false
}

// current brings a profile up to the program in force.
func (w *world) current(id identity.ID) {
	p := w.at(id)
	if w.core.Current(p) {
		return
	}
	var history []*event.Event
	for _, strand := range append([]identity.ID{p.ID}, p.Strands...) {
		history = append(history, w.history[strand]...)
	}
	next, eff := w.core.CatchUp(p, history, w.now, nil)
	w.take(next, &eff, nil)
}

// take makes what the core returned the state of the world.
func (w *world) take(p *profile.Profile, eff *core.Effects, e *event.Event) {
	w.people[p.ID] = p
	if eff.Kept && e != nil {
		strand := p.ID
		if ids := identity.Of(e); len(ids) > 0 && slices.Contains(p.Strands, w.core.Key.Home(ids[0])) {
			strand = w.core.Key.Home(ids[0])
		}
		kept := *e
		w.history[strand] = append(w.history[strand], &kept)
	}
	for i := range eff.Deliveries {
		w.deliver(p, &eff.Deliveries[i])
	}
	w.queue = append(w.queue, eff.Forwards...)
}

// deliver notes what became of a message.
func (w *world) deliver(p *profile.Profile, d *core.Delivery) {
	switch d.State {
	case profile.Planned:
		w.planned[d.ID] = planned{p.ID, max(d.NotBefore, w.now), d.Fence}
	case profile.Claimed:
		delete(w.planned, d.ID)
		w.send(p, &d.Delivery)
	default:
		delete(w.planned, d.ID)
		because := d.Because
		if d.Outcome != "" {
			because += " (" + d.Outcome + ")"
		}
		w.said = append(w.said, said{at: w.now, to: p.ID, d: d.Delivery, because: because})
		if d.State == profile.Accepted {
			w.subject(d.ID)
		}
	}
}

// subjects of messages wait in said until their receipt is applied.
func (w *world) subject(id profile.DeliveryID) {
	last := &w.said[len(w.said)-1]
	for i := range w.said[:len(w.said)-1] {
		if w.said[i].d.ID == id && w.said[i].d.State == profile.Started {
			last.subject = w.said[i].subject
			w.said = slices.Delete(w.said, i, i+1)
			return
		}
	}
}

// offer grants a slot to every message whose instant has come; it reports
// whether there was one.
func (w *world) offer() bool {
	var due []profile.DeliveryID
	for id, d := range w.planned { // order does not matter: sorted below
		if d.notBefore <= w.now {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b profile.DeliveryID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range due {
		var b event.Builder
		b.Set("delivery", event.Text(id.String()))
		w.queue = append(w.queue, identity.Addressed{To: w.owner(w.planned[id].to).ID, Event: w.own(event.Slot, "slot:"+id.String(), b.Object())})
		delete(w.planned, id)
	}
	return len(due) > 0
}

// own makes an entry of the product's own.
func (w *world) own(name, id string, props event.Object) event.Event {
	w.number++
	return event.Event{
		ID: event.ID(id + ":" + strconv.Itoa(w.number)), Type: event.System, Name: name, At: w.now, Raw: w.now, Trust: event.Own, Source: "story", Props: props,
	}
}

// send renders a claimed message, hands it to the provider of the story and
// tells of the outcome.
func (w *world) send(p *profile.Profile, d *profile.Delivery) {
	m, err := w.prog.Render(d, p, w.now, links{})
	name, detail := event.MessageSent, ""
	var b event.Builder
	switch {
	case givenUp(err, &detail):
		name = event.MessageStopped
		b.SetText("by", event.ByTemplate)
	case err != nil:
		name, detail = event.RenderFailed, err.Error()
	case w.answers[p.ID] == bounces:
		name, detail = event.MessageRejected, "there is no such mailbox"
		b.Set("hard", event.Yes(true))
	case w.answers[p.ID] == defers:
		name, detail = event.MessageDeferred, "try again later"
		b.Set("retry_after", event.Num(time.Hour.Seconds()))
	default:
		begun := *d
		begun.State = profile.Started
		w.said = append(w.said, said{at: w.now, to: p.ID, d: begun, subject: m.Subject, told: true})
	}
	b.Set("delivery", event.Text(d.ID.String())).Set("fence", event.Text(strconv.FormatUint(d.Fence, 10)))
	b.SetText("channel", d.Channel).SetText("journey", d.Journey).SetText("step", d.Step).SetText("template", d.Template)
	b.SetText("reason", d.Reason).SetText("product", d.Product).SetText("category", d.Category)
	b.SetText("detail", channels.Clip(detail))
	w.queue = append(w.queue, identity.Addressed{To: p.ID, Event: w.own(name, "receipt:"+d.ID.String(), b.Object())})
}

// born returns the profiles that are people: born, and no signposts.
func (w *world) born() []*profile.Profile {
	var list []*profile.Profile
	for _, id := range slices.SortedFunc(maps.Keys(w.people), identity.ID.Compare) {
		if p := w.people[id]; p.Owner.Zero() && p.Born != 0 {
			list = append(list, p)
		}
	}
	return list
}

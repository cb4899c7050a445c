package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/product"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// Limits of a test run.
const (
	// MaxRehearsed bounds how long a customer is followed: as long as the longest wait.
	MaxRehearsed = journey.MaxWait
	// DefaultRehearsed is how long a customer is followed if nobody says.
	DefaultRehearsed = 60 * 24 * time.Hour
	// MaxSupposed bounds the events that somebody makes up.
	MaxSupposed = 50
	// maxStops bounds the instants at which anything happens in a test run, and
	// maxMoments what is told of it: nobody reads more.
	maxStops   = 5000
	maxMoments = 1000
)

// Rehearsal is a question: how would a journey go for a customer?
type Rehearsal struct {
	Journey  string
	Source   *program.Source // all definitions, that of the journey edited; nil: those in force
	Customer string          // whom [Node.Lookup] finds
	At       event.Time      // when it begins; zero: now. Before now the customer is what they were then.
	Trigger  int             // which of the journey's triggers is supposed to happen, from 1; 0: none, only what follows
	Props    event.Object    // of the trigger's event; empty: those of the newest such event of the customer
	Events   []Supposed      // what the customer is supposed to do afterwards
	For      time.Duration   // how long the customer is followed; 0: DefaultRehearsed
	Anew     bool            // as if they had never been in this journey
	Holdout  bool            // who is held out gets nothing, as in earnest; else everybody is treated

	// Shown changes what a message is worded from, for those who may not read it as it
	// is. Default: nothing is changed.
	Shown func(program.Sample) program.Sample
}

// Supposed is an event that nobody has sent.
type Supposed struct {
	After time.Duration // the beginning
	Name  string
	Props event.Object
}

// Rehearsed is how it went.
type Rehearsed struct {
	Customer identity.ID    `json:"customer"`
	Began    event.Time     `json:"began"`
	Ended    event.Time     `json:"ended"`
	Entered  bool           `json:"entered"`
	HeldOut  bool           `json:"held_out"` // the customer is in the journey's holdout
	Inside   string         `json:"inside,omitempty"`
	Path     []string       `json:"path"` // the steps in the order in which they were reached
	Moments  []Moment       `json:"moments"`
	Cut      bool           `json:"cut"` // more happened than is told
	Problems []spec.Problem `json:"problems"`
}

// Moment is one thing that happened, or was asked, in a test run.
type Moment struct {
	At       event.Time  `json:"at"`
	What     string      `json:"what"` // event, message, other (a message of another journey), or one of journey.Looked
	Step     string      `json:"step,omitempty"`
	Text     string      `json:"text"`
	Holds    bool        `json:"holds"`
	Criteria []Criterion `json:"criteria"`
	Until    event.Time  `json:"until,omitempty"`
	Message  *Worded     `json:"message,omitempty"`
}

// Criterion is one thing that was asked, with the value that was seen.
type Criterion struct {
	Text  string `json:"text"`
	Holds bool   `json:"holds"`
}

// Worded is a message of a test run.
type Worded struct {
	Template string           `json:"template"`
	Channel  string           `json:"channel"`
	State    string           `json:"state"`  // what became of it
	Reason   string           `json:"reason"` // what it says of why this person gets it
	Why      string           `json:"why"`    // why it was sent or not, in a sentence
	Decision *decision.Record `json:"decision,omitempty"`
	Preview  *program.Preview `json:"preview,omitempty"`
	Frame    string           `json:"frame,omitempty"` // under which the API shows it
	Wrong    string           `json:"wrong,omitempty"` // why it cannot be worded
}

// Rehearse follows a customer through a journey, with the very functions that walk
// it in earnest. It sends nothing, tells nobody and changes nothing.
//
// NotFound: there is no such customer or journey. Invalid: the definitions have
// mistakes, which Problems lists, or something supposed cannot happen.
func (n *Node) Rehearse(ctx context.Context, q Rehearsal) (out Rehearsed, err error) {
	out = Rehearsed{Path: []string{}, Moments: []Moment{}, Problems: []spec.Problem{}}
	force, err := n.inForce(ctx)
	if err != nil {
		return out, err
	}
	src := q.Source
	if src == nil {
		src = force.Source
	}
	prog, problems := program.Compile(src, program.Options{Workspace: n.o.Workspace, Key: n.o.Key, Older: append(slices.Clip(force.Behind), force.Source), Products: n.o.Products})
	if prog == nil {
		out.Problems = problems
		return out, fault.New(fault.Invalid, "the definitions have mistakes: "+firstBad(problems))
	}
	def := prog.Core.Journeys.Definition(q.Journey)
	if def == nil || def.Campaign() != nil || def.IsService() {
		return out, fault.New(fault.NotFound, "there is no journey "+strconv.Quote(q.Journey))
	}
	who, err := n.Lookup(ctx, q.Customer)
	if err != nil {
		return out, err
	}
	r := &rehearsal{n: n, q: q, prog: prog, def: def, out: &out}
	return out, r.run(ctx, who, force)
}

// wrongOf returns what is wrong in words that may be shown.
func wrongOf(err error) string {
	_, text := fault.Of(err)
	return text
}

func firstBad(problems []spec.Problem) string {
	for i := range problems {
		if !problems[i].Warning {
			return problems[i].Error()
		}
	}
	return ""
}

// rehearsal is one test run.
type rehearsal struct {
	n    *Node
	q    Rehearsal
	prog *program.Program
	core *core.Program
	def  *journey.Definition
	out  *Rehearsed

	p       *profile.Profile
	now     event.Time
	stops   int
	waiting []due
	claims  map[profile.DeliveryID]*decision.Record // what the gate said when a message was about to leave
	timed   bool                                    // what lets in is a date or a schedule, which comes by itself
}

// due is a supposed event and its instant.
type due struct {
	at event.Time
	e  event.Event
}

func (r *rehearsal) run(ctx context.Context, who *profile.Profile, force *program.Program) error {
	history, err := r.n.heard(ctx, who)
	if err != nil {
		return err
	}
	now := r.n.o.Clock.Now()
	if r.q.At == 0 {
		r.q.At = now
	}
	if r.q.For <= 0 {
		r.q.For = DefaultRehearsed
	}
	r.q.For = min(r.q.For, MaxRehearsed)
	r.out.Customer = who.ID
	quiet := *r.prog.Core
	quiet.Journeys = journey.NewSet(nil, nil)
	if r.q.At < now {
		if r.p, err = r.then(ctx, &quiet, who, history); err != nil {
			return err
		}
	} else {
		r.p, _ = r.prog.Core.CatchUp(who.Fork(), eventsOf(history), now, r.prog.Core.From(force.Core))
	}
	r.now = min(now, r.q.At)
	if r.q.Anew {
		r.forget()
	}
	r.out.HeldOut = r.def.HeldOut(r.p)
	if !r.q.Holdout {
		r.def.Holdout = 0 // the program was compiled for this run alone
	}
	watched := *r.prog.Core
	r.core = &watched
	// What lies between now and the beginning happens too, and is not told.
	if err := r.live(r.q.At); err != nil {
		return err
	}
	r.now = r.q.At
	watched.Watch = r.see
	r.out.Began = r.q.At
	end := r.q.At.Add(r.q.For)
	if err := r.suppose(history, &end); err != nil {
		return err
	}
	if err := r.live(end); err != nil {
		return err
	}
	r.out.Ended = r.now
	for i := range r.p.Journeys {
		if in := &r.p.Journeys[i]; in.Journey == r.def.Name {
			r.out.Inside = in.Step
		}
	}
	return nil
}

// heard returns what was heard of a customer and counts, in order.
func (n *Node) heard(ctx context.Context, who *profile.Profile) ([]engine.Heard, error) {
	var all []engine.Heard
	for _, strand := range engine.StrandsOf(who.ID, who.Strands) {
		blocks, err := n.o.Store.History(ctx, strand)
		if err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", strand, err)
		}
		for i := range blocks {
			events, err := engine.UnpackHistory(blocks[i].Body)
			if err != nil {
				return nil, fmt.Errorf("reading the history of %s: %w", strand, err)
			}
			all = append(all, events...)
		}
	}
	engine.HeardInOrder(all)
	return all, nil
}

func eventsOf(history []engine.Heard) []*event.Event {
	list := make([]*event.Event, len(history))
	for i := range history {
		list[i] = &history[i].Event
	}
	return list
}

// then returns the customer as they were at the beginning: what had been heard by
// then, folded anew. What messages count towards the caps the ledger tells, and which
// journeys they had been in the profile.
func (r *rehearsal) then(ctx context.Context, quiet *core.Program, who *profile.Profile, history []engine.Heard) (*profile.Profile, error) {
	at := map[*event.Event]event.Time{}
	for i := range history {
		at[&history[i].Event] = history[i].Now
	}
	p := profile.New(who.ID)
	for _, e := range core.Counted(eventsOf(history)) {
		if at[e] <= r.q.At {
			p, _ = quiet.Apply(p, e, at[e], false)
		}
	}
	if p.Born == 0 {
		return nil, fault.New(fault.Invalid, "nothing had been heard of this customer by then")
	}
	own := *p
	own.Held, own.Strands, own.Birth, own.Open = who.Held, who.Strands, who.Birth, nil
	own.Past = slices.DeleteFunc(slices.Clone(who.Past), func(past profile.Past) bool { return past.Entered > r.q.At })
	own.Contacts = nil
	for _, strand := range engine.StrandsOf(who.ID, who.Strands) {
		rows, err := r.n.o.Store.DeliveriesOf(ctx, strand, fewMessages)
		if err != nil {
			return nil, fmt.Errorf("reading the messages of %s: %w", strand, err)
		}
		for i := range rows {
			d := &rows[i]
			if (d.State == profile.Accepted || d.State == profile.Unknown) && d.Changed <= r.q.At {
				r.prog.Core.Gate.Sent(&own, &d.Delivery, d.Changed)
			}
		}
	}
	slices.SortFunc(own.Contacts, func(a, b profile.Contact) int { return cmp.Compare(a.At, b.At) })
	return &own, nil
}

// forget lets the customer begin as if they had never been in the journey.
func (r *rehearsal) forget() {
	own := *r.p
	name := r.def.Name
	own.Journeys = slices.DeleteFunc(slices.Clone(own.Journeys), func(in profile.Instance) bool { return in.Journey == name })
	own.Past = slices.DeleteFunc(slices.Clone(own.Past), func(p profile.Past) bool { return p.Journey == name })
	own.Open = slices.DeleteFunc(slices.Clone(own.Open), func(d profile.Delivery) bool { return d.Journey == name })
	r.p = &own
}

// suppose brings about the trigger, and notes what is supposed to follow.
func (r *rehearsal) suppose(history []engine.Heard, end *event.Time) error {
	if r.q.Trigger < 0 || r.q.Trigger > len(r.def.Triggers) {
		return fault.New(fault.Invalid, "the journey has "+strconv.Itoa(len(r.def.Triggers))+" triggers")
	}
	if r.q.Trigger > 0 {
		switch t := &r.def.Triggers[r.q.Trigger-1]; {
		case t.Event != nil:
			name := t.Event.Names()[0]
			props := r.q.Props
			if props == "" {
				props = newest(history, name, r.q.At)
			}
			if err := r.add(0, name, props); err != nil {
				return err
			}
		case t.Segment != "":
			change := insight.Change{Segment: t.Segment, Key: condition.SegmentKey(t.Segment), In: !t.Leave, At: r.now, Hidden: t.Fence != ""}
			r.tell(Moment{At: r.now, What: "event", Text: t.String(), Holds: true})
			var eff core.Effects
			r.p, eff = r.core.Suppose(r.p, []insight.Change{change}, r.now)
			r.effects(&eff)
		default:
			w := journey.World{P: r.p, Now: r.now, Zones: r.core.Zones, DefaultZone: r.core.Zone}
			at := journey.NewSet([]*journey.Definition{r.def}, nil).NextTrigger(&w, r.now-1)
			if at == event.Never {
				return fault.New(fault.Invalid, "this customer has no such date")
			}
			*end, r.timed = at.Add(r.q.For), true // it begins only then
		}
	}
	for _, s := range r.q.Events {
		if err := r.add(s.After, s.Name, s.Props); err != nil {
			return err
		}
	}
	slices.SortStableFunc(r.waiting, func(a, b due) int { return cmp.Compare(a.at, b.at) })
	return nil
}

// newest returns the properties of the newest event of the name that had been heard.
func newest(history []engine.Heard, name string, by event.Time) event.Object {
	for i := len(history) - 1; i >= 0; i-- {
		if e := &history[i].Event; e.Name == name && history[i].Now <= by {
			return e.Props
		}
	}
	return ""
}

func (r *rehearsal) add(after time.Duration, name string, props event.Object) error {
	e := event.Event{
		ID: event.ID("test:" + strconv.Itoa(len(r.waiting)) + ":" + strconv.FormatInt(int64(r.q.At), 36)), Type: event.Track, Name: name,
		At: r.q.At.Add(after), Trust: event.Server, Source: "test", Props: props,
	}
	if name == "" || event.Control(name) || event.Receipt(name) {
		return fault.New(fault.Invalid, strconv.Quote(name)+" is nothing that a customer does")
	}
	if slices.Contains([]string{product.PriceDropped, product.BackInStock, product.LowInStock}, name) {
		e.Trust, e.Source = event.Own, event.CatalogueSource
	}
	if event.IsOrder(name) {
		if _, err := event.OrderOf(name, props); err != nil {
			return fault.Wrap(fault.Invalid, err, "this is no order: it needs an order_id, a currency, and products or a total")
		}
	}
	r.waiting = append(r.waiting, due{e.At, e})
	return nil
}

// live lets everything happen that is due up to the end.
func (r *rehearsal) live(end event.Time) error {
	for ; r.stops < maxStops; r.stops++ {
		if r.over() {
			return nil
		}
		next := r.p.Alarm
		open := -1
		for i := range r.p.Open {
			if d := &r.p.Open[i]; d.State == profile.Planned && d.NotBefore < next {
				next, open = d.NotBefore, i
			}
		}
		supposed := len(r.waiting) > 0 && r.waiting[0].at <= max(next, r.now)
		if supposed {
			next = r.waiting[0].at
		}
		if next > end {
			r.now = max(r.now, min(end, next))
			return nil
		}
		r.now = max(r.now, next)
		var eff core.Effects
		switch {
		case supposed:
			e := r.waiting[0].e
			r.waiting = r.waiting[1:]
			r.tell(Moment{At: r.now, What: "event", Text: e.Name, Holds: true, Criteria: said(e.Props)})
			r.p, eff = r.core.Apply(r.p, &e, r.now, false)
		case open >= 0:
			if err := r.offer(r.p.Open[open].ID); err != nil {
				return err
			}
			continue
		default:
			r.p, eff = r.core.Wake(r.p, r.now)
		}
		r.effects(&eff)
	}
	r.out.Cut = true
	return nil
}

// over reports whether nothing more can happen that the run is about.
func (r *rehearsal) over() bool {
	if r.core.Watch == nil || len(r.waiting) > 0 || r.timed && !r.out.Entered {
		return false
	}
	for i := range r.p.Journeys {
		if r.p.Journeys[i].Journey == r.def.Name {
			return false
		}
	}
	return !slices.ContainsFunc(r.p.Open, func(d profile.Delivery) bool { return d.Journey == r.def.Name })
}

// said lists what an event says, for whoever reads what happened.
func said(props event.Object) []Criterion {
	const few = 12
	list := []Criterion{}
	props.Each(func(key string, v event.Value) bool {
		if v.Kind != event.Map && v.Kind != event.List {
			list = append(list, Criterion{key + ": " + v.String(), true})
		}
		return len(list) < few
	})
	return list
}

// offer gives a planned message its turn, as dispatch would, and says that it went
// out if the gate lets it.
func (r *rehearsal) offer(id profile.DeliveryID) error {
	r.apply(event.Slot, id, nil)
	i := slices.IndexFunc(r.p.Open, func(d profile.Delivery) bool { return d.ID == id })
	if i < 0 || r.p.Open[i].State != profile.Claimed {
		return nil
	}
	fence := r.p.Open[i].Fence
	r.apply(event.MessageSent, id, func(b *event.Builder) { b.Set("fence", event.Text(strconv.FormatUint(fence, 10))) })
	return nil
}

func (r *rehearsal) apply(name string, id profile.DeliveryID, more func(*event.Builder)) {
	var b event.Builder
	b.Set("delivery", event.Text(id.String()))
	if more != nil {
		more(&b)
	}
	e := event.Event{
		ID: event.ID("test:" + name + ":" + id.String() + ":" + strconv.Itoa(r.stops)), Type: event.System, Name: name, At: r.now, Trust: event.Own,
		Source: "rapport", Props: b.Object(),
	}
	var eff core.Effects
	r.p, eff = r.core.Apply(r.p, &e, r.now, false)
	r.effects(&eff)
}

// see notes what the journey looked at.
func (r *rehearsal) see(g journey.Glance) {
	if g.Journey != r.def.Name {
		return
	}
	m := Moment{At: g.At, What: string(g.What), Step: g.Step, Text: g.Text, Holds: g.Holds, Until: g.Until}
	if m.Until == event.Never {
		m.Until = 0
	}
	for i := range g.Because {
		m.Criteria = append(m.Criteria, Criterion{g.Because[i].Sentence(g.At), g.Because[i].Holds})
	}
	switch g.What {
	case journey.CameIn:
		r.out.Entered = true
	case journey.Reached:
		r.out.Path = append(r.out.Path, g.Step)
	}
	r.tell(m)
}

// effects notes what became of messages.
func (r *rehearsal) effects(eff *core.Effects) {
	if r.core.Watch == nil {
		return
	}
	for i := range eff.Deliveries {
		d := &eff.Deliveries[i]
		if d.State == profile.Claimed {
			if r.claims == nil {
				r.claims = map[profile.DeliveryID]*decision.Record{}
			}
			r.claims[d.ID] = d.Record
			continue // it leaves in the same moment
		}
		if d.Record == nil {
			d.Record = r.claims[d.ID]
		}
		m := Moment{At: r.now, What: "message", Step: d.Step, Text: d.Template, Holds: d.State.Open() || d.State == profile.Accepted}
		if d.Journey != r.def.Name {
			if d.State != profile.Accepted {
				continue
			}
			m.What, m.Step, m.Text = "other", "", d.Journey+": "+d.Template
			r.tell(m)
			continue
		}
		v := &Worded{Template: d.Template, Channel: d.Channel, State: d.State.String(), Reason: d.Reason}
		if d.Record != nil {
			v.Decision, v.Why = d.Record, d.Record.Sentence(r.p, d.Record.Now)
			for k := range d.Record.Checks {
				c := &d.Record.Checks[k]
				m.Criteria = append(m.Criteria, Criterion{c.Sentence(d.Record), c.Pass})
			}
		}
		if d.State == profile.Planned {
			m.Until = d.NotBefore
		}
		// Worded when it leaves; and at once if it never will, to be looked at all the same.
		if d.State == profile.Accepted || !d.State.Open() {
			sample := program.Sample{Template: d.Template, Customer: r.p, Delivery: d.Delivery}
			if r.q.Shown != nil {
				sample = r.q.Shown(sample)
			}
			preview, err := r.prog.Preview(sample, r.now)
			if v.Preview = &preview; err != nil {
				v.Preview, v.Wrong = nil, wrongOf(err)
			}
		}
		m.Message = v
		r.tell(m)
	}
}

func (r *rehearsal) tell(m Moment) {
	if len(r.out.Moments) == maxMoments {
		r.out.Cut = true
		return
	}
	if m.Criteria == nil {
		m.Criteria = []Criterion{}
	}
	m.Text = strings.TrimSpace(m.Text)
	at := len(r.out.Moments)
	if m.What == "message" {
		// The gate has answered before the walk went on: its word belongs to the step.
		for i := at - 1; i >= 0 && r.out.Moments[i].At == m.At; i-- {
			if x := &r.out.Moments[i]; x.What == string(journey.Reached) && x.Step == m.Step {
				for at = i + 1; at < len(r.out.Moments) && r.out.Moments[at].What == "message"; at++ {
				}
				break
			}
		}
	}
	r.out.Moments = slices.Insert(r.out.Moments, at, m)
}

package journey

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// Campaign is what makes a definition a one-off campaign: a journey of one step
// that nothing triggers. A [Run] of it walks the customers instead and gives
// each of the audience one arrival at the step.
type Campaign struct {
	// At is when a customer is written to; Moment.Set is false: as soon as the run
	// comes to them.
	At Moment
	// Rate is how many messages an hour a run plans; 0: as many as are taken.
	Rate int64
	// Undo is how long a run waits before it comes to the first customer: a
	// mistake that is seen by then has reached nobody.
	Undo time.Duration
	// Expires is how long after its moment a message is of use.
	Expires time.Duration
	// Each is set if two customers with one address both get the message.
	Each bool
	// Segment is a segment in which everybody of the audience is; empty: none is
	// known. Whoever walks the customers may leave out all others.
	Segment string
}

// Moment is a wall clock's time on a day.
type Moment struct {
	Set   bool
	day   day
	clock clockTime
	zone  *time.Location // nil: the customer's own
	shown string
}

// String returns the moment as the definition says it.
func (m Moment) String() string { return m.shown }

// Zone returns the zone whose clock shows the moment; empty: each customer's own.
func (m Moment) Zone() string {
	if m.zone == nil {
		return ""
	}
	return m.zone.String()
}

// In returns the instant of the moment for a customer in loc.
func (m Moment) In(loc *time.Location) event.Time {
	if m.zone != nil {
		loc = m.zone
	}
	return m.day.at(m.clock, loc)
}

// Last returns the latest instant that the moment is for anybody: no clock is
// further behind than twelve hours.
func (m Moment) Last() event.Time {
	if m.zone != nil {
		return m.day.at(m.clock, m.zone)
	}
	return m.day.at(m.clock, time.UTC).Add(12 * time.Hour)
}

// What holds when a campaign does not say.
const (
	// DefaultUndo is long enough to read the first line of the message once more.
	DefaultUndo = 10 * time.Minute
	// MaxUndo bounds the wait: whoever wants to think for longer does not send.
	MaxUndo = 7 * 24 * time.Hour
	// MaxRate bounds a rate in messages an hour: more than the product hands over.
	MaxRate = 100_000_000
	// campaignStep is the name of the one step.
	campaignStep = "send"
	// runKey begins the key of an instance that a run has entered.
	runKey = "run:"
	// PropOnce is set on messages of which one address gets only one in a run.
	PropOnce = "once_per_address"
)

// Campaign returns what makes d a campaign; nil if it is none.
func (d *Definition) Campaign() *Campaign { return d.campaign }

// IsService reports whether d is a service message: see [ParseService].
func (d *Definition) IsService() bool { return d.service }

// RunOf returns the name of the run from an instance's key; false if no run
// entered it.
func RunOf(key string) (name string, ok bool) { return strings.CutPrefix(key, runKey) }

// ParseCampaign reads one campaign. Everything that is wrong is added to ps; the
// result is nil if it is too wrong to be sent. The name is that of the file and
// counts if the source has no `campaign`.
func ParseCampaign(name string, n spec.Node, env *Env, ps *spec.Problems) *Definition {
	had := len(ps.All())
	r := &reader{env: env, ps: ps, def: &Definition{
		Name: name, Holdout: DefaultHoldout, Retest: true, Pos: n.Pos, Reentry: Reentry{Rule: OncePerKey}, campaign: &Campaign{},
	}}
	d, c := r.def, r.def.campaign
	if !r.known(n, "a campaign", "campaign", "title", "description", "serves", "audience", "template", "channel", "purpose", "reason",
		"product", "category", "at", "zone", "rate", "undo", "expires", "priority", "holdout", "exit", "goal", "retest", "same_address") {
		return nil
	}
	r.named(n, "campaign")
	audience, ok := n.Get("audience")
	if !ok {
		ps.Add(n.Pos, "audience: {segment: everybody}", "the campaign does not say whom it is for")
	} else {
		d.audience = r.cond(audience)
		c.Segment = within(audience)
	}
	r.ends(n)
	d.Retest = r.truth(n, "retest", true)
	r.moment(n, c)
	if v, ok := n.Get("rate"); ok {
		c.Rate = r.rate(v)
	}
	c.Undo = DefaultUndo
	if v, ok := n.Get("undo"); ok {
		if c.Undo = 0; v.Text != "0" && v.Text != "none" {
			c.Undo = r.length(v, "undo")
		}
		if c.Undo > MaxUndo {
			ps.Add(v.Pos, "undo: 10m", "nobody waits longer than seven days to see a mistake")
		}
	}
	switch v, _ := n.Get("same_address"); v.Text {
	case "", "once":
	case "each":
		c.Each = true
	default:
		ps.Add(v.Pos, "once or each", "two customers with one address get the message once, or each of them")
	}
	s := step{name: campaignStep, kind: Send, pos: n.Pos, next: end, otherwise: absent}
	r.send(&s, only(n, "template", "channel", "purpose", "reason", "product", "category", "expires", "priority"))
	d.steps = []step{s}
	if s.send.expires == 0 {
		v, _ := n.Get("expires")
		ps.Add(v.Pos, "expires: 3d", "a campaign has an end: after an outage nobody wants the greeting of last month")
	}
	c.Expires = s.send.expires
	return r.done(n, had)
}

// named reads the name and the title, which campaigns and service messages have
// like journeys.
func (r *reader) named(n spec.Node, key string) {
	d := r.def
	if s := r.text(n, key); s != "" {
		d.Name = s
	}
	if !validName(d.Name) {
		r.ps.Add(n.Pos, key+": summer-lights", "the name %q is not one of letters, digits, - and _, at most %d", d.Name, maxName)
	}
	d.Title = d.Name
	if s := r.text(n, "title"); s != "" {
		d.Title = s
	}
	d.Serves = r.text(n, "serves")
}

// ends reads what a campaign has of a journey's ways to end.
func (r *reader) ends(n spec.Node) {
	properties := r.env.Conditions.Properties
	r.env.Conditions.Properties = true
	defer func() { r.env.Conditions.Properties = properties }()
	if v, ok := n.Get("exit"); ok {
		r.def.exit = r.watch(v)
	}
	if v, ok := n.Get("goal"); ok {
		r.def.goal = r.watch(v)
	}
	if v, ok := n.Get("holdout"); ok {
		r.holdout(v)
	}
}

// done looks at the whole and names the version; nil if something is wrong.
func (r *reader) done(n spec.Node, had int) *Definition {
	bad := func() bool {
		for _, p := range r.ps.All()[had:] {
			if !p.Warning {
				return true
			}
		}
		return false
	}
	if bad() {
		return nil
	}
	if r.check(n); bad() {
		return nil
	}
	r.def.Version = versionOf(r.def.Name, n)
	return r.def
}

// only returns n with the fields of these names.
func only(n spec.Node, keys ...string) spec.Node {
	out := spec.Node{Kind: spec.Map, Pos: n.Pos}
	for _, f := range n.Fields {
		for _, k := range keys {
			if f.Key == k {
				out.Fields = append(out.Fields, f)
			}
		}
	}
	return out
}

// within returns a segment in which everybody of whom the condition is true is:
// the condition itself, or one of those that must all hold.
func within(n spec.Node) string {
	if s, ok := n.Get("segment"); ok && s.Kind == spec.Text && len(n.Fields) == 1 {
		return s.Text
	}
	if all, ok := n.Get("all"); ok && len(n.Fields) == 1 {
		for _, item := range all.Items {
			if s := within(item); s != "" {
				return s
			}
		}
	}
	return ""
}

// moment reads `at` and `zone`.
func (r *reader) moment(n spec.Node, c *Campaign) {
	zone, zoned := n.Get("zone")
	v, ok := n.Get("at")
	if !ok || v.Text == "now" {
		if zoned {
			r.ps.Add(zone.Pos, "at: 2026-12-01 09:00", "zone says whose clock shows the time of `at`, and there is none")
		}
		return
	}
	const example = "2026-12-01 09:00"
	on, clock, _ := strings.Cut(v.Text, " ")
	y, m, dom, ok := parseDate(on)
	hour, fine := parseClock(strings.TrimSpace(clock))
	if !v.Scalar() || !ok || y == 0 || !fine {
		r.ps.Add(v.Pos, example, "at is a day and a time of day")
		return
	}
	c.At = Moment{Set: true, day: date(y, m, dom), clock: hour, shown: v.Text}
	switch zone.Text {
	case "", "customer":
	case "shop":
		c.At.zone = time.UTC
		if z := r.env.Conditions.Zone; z != nil {
			c.At.zone = z
		}
	default:
		if zones := r.env.Conditions.Zones; zones != nil {
			c.At.zone = zones(zone.Text)
		}
		if c.At.zone == nil {
			r.ps.Add(zone.Pos, "zone: customer, shop or Europe/London", "there is no time zone %q", zone.Text)
		}
	}
}

// rate reads "5000/h" as messages an hour.
func (r *reader) rate(v spec.Node) int64 {
	n, ok := ParseRate(v.Text)
	if !v.Scalar() || !ok {
		r.ps.Add(v.Pos, "5000/h", "rate is a number of messages by s, m or h, at most %d an hour", MaxRate)
	}
	return n
}

// ParseRate reads "5000/h", "100/m" or "20/s" as messages an hour; "none" is 0.
func ParseRate(s string) (int64, bool) {
	if s == "none" {
		return 0, true
	}
	number, unit, _ := strings.Cut(s, "/")
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	per, ok := map[string]int64{"h": 1, "m": 60, "s": 3600}[strings.TrimSpace(unit)]
	if err != nil || !ok || n < 1 || n > MaxRate/per {
		return 0, false
	}
	return n * per, true
}

// Due returns the instant at which the run wants to write to the customer.
func (c *Campaign) Due(w *World, run *Run) event.Time {
	if !c.At.Set {
		return run.Begins
	}
	return max(c.At.In(w.zone()), run.Begins)
}

// Place is what a run has found for a customer.
type Place uint8

// What a run may find.
const (
	Outside Place = iota // not in the audience, or what the campaign wants is reached already
	Already              // the run was here
	Waits                // in the audience, and the moment has not come
	Entered
)

// Enrol gives the customer their place in the run at w.Now. If it is Entered, the
// wish is in Out and its answer goes to [Set.OnDecision] as always; if Waits, the
// instant is when to come back, and nothing has changed.
func (s *Set) Enrol(w *World, d *Definition, run *Run) (Out, Place, event.Time) {
	r := s.begin(w)
	key := runKey + run.Name
	in := profile.Instance{Key: key, Name: d.Title}
	switch {
	case d.campaign == nil || w.P.Born == 0 || !w.P.Owner.Zero():
		return Out{}, Outside, 0
	case !r.mayEnter(d, key):
		return Out{}, Already, 0
	case d.audience != nil && !r.ask(d.audience, "").True:
		return Out{}, Outside, 0
	}
	if in.TriggerAt = d.campaign.Due(w, run); in.TriggerAt > w.Now {
		return Out{}, Waits, in.TriggerAt
	}
	if !d.campaign.Each {
		var b event.Builder
		in.Props = b.Set(PropOnce, event.Yes(true)).Object()
	}
	r.enter(d, in)
	out := r.finish()
	if len(out.Intents) == 0 && len(out.Facts) == 0 {
		return Out{}, Outside, 0 // an exit or the goal is met at the door
	}
	return out, Entered, 0
}

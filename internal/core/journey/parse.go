package journey

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/spec"
	"rapport/internal/core/wire"
)

// maxName bounds the name of a journey or a step in bytes: it stands in every
// delivery.
const maxName = 64

// Parse reads one journey. Everything that is wrong is added to ps; the result
// is nil if it is too wrong to be walked. The name is that of the file and
// counts if the source has no `journey`.
func Parse(name string, n spec.Node, env *Env, ps *spec.Problems) *Definition {
	properties := env.Conditions.Properties
	env.Conditions.Properties = true
	defer func() { env.Conditions.Properties = properties }()

	had := len(ps.All())
	r := newReader(name, n, env, ps)
	d := r.def
	if !r.read(n) {
		return nil
	}
	for _, p := range ps.All()[had:] {
		if !p.Warning {
			return nil
		}
	}
	r.check(n)
	for _, p := range ps.All()[had:] {
		if !p.Warning {
			return nil
		}
	}
	d.Version = versionOf(d.Name, n)
	return d
}

// Draft reads a journey that somebody is still writing, as far as it can be read: to
// show its steps, and never to walk it. What is wrong with it, [Parse] says.
func Draft(name string, n spec.Node, env *Env) *Definition {
	properties := env.Conditions.Properties
	env.Conditions.Properties = true
	defer func() { env.Conditions.Properties = properties }()
	r := newReader(name, n, env, &spec.Problems{})
	r.read(n)
	return r.def
}

func newReader(name string, n spec.Node, env *Env, ps *spec.Problems) *reader {
	return &reader{env: env, ps: ps, def: &Definition{
		Name: name, Holdout: DefaultHoldout, MaxLateness: DefaultLateness, Retest: true, Pos: n.Pos,
	}}
}

// read reads the journey's fields. It reports false if the source is no map at all.
func (r *reader) read(n spec.Node) bool {
	d, ps := r.def, r.ps
	if !r.known(n, "a journey", names(journeyShape.Fields)...) {
		return false
	}
	if s := r.text(n, "journey"); s != "" {
		d.Name = s
	}
	if !validName(d.Name) {
		ps.Add(n.Pos, "abandoned-cart", "the name %q is not one of letters, digits, - and _, at most %d", d.Name, maxName)
	}
	d.Title = d.Name
	if s := r.text(n, "title"); s != "" {
		d.Title = s
	}
	d.Serves = r.text(n, "serves")
	if t, ok := n.Get("trigger"); ok {
		r.triggers(t)
	} else {
		ps.Add(n.Pos, "trigger: {event: Order Completed}", "the journey has no trigger: nobody can enter it")
	}
	if v, ok := n.Get("audience"); ok {
		d.audience = r.cond(v)
	}
	d.Reentry = d.usual()
	if v, ok := n.Get("reentry"); ok {
		r.reentry(v)
	}
	if v, ok := n.Get("exit"); ok {
		d.exit = r.watch(v)
	}
	if v, ok := n.Get("goal"); ok {
		d.goal = r.watch(v)
	}
	if v, ok := n.Get("holdout"); ok {
		r.holdout(v)
	}
	d.MaxLateness = r.duration(n, "max_lateness", DefaultLateness)
	d.Retest = r.truth(n, "retest", true)
	if v, ok := n.Get("steps"); ok {
		r.steps(v)
	} else {
		ps.Add(n.Pos, "steps: [{send: {template: …}}]", "the journey has no steps")
	}
	if v, ok := n.Get("move"); ok {
		r.move(v)
	}
	return true
}

// versionOf names a version: a hash of the canonical source. Notes on steps are no
// part of it: people inside must not fall behind because somebody wrote one.
func versionOf(name string, n spec.Node) uint64 {
	return wire.Hash(name, string(appendCanonical(nil, unnoted(n))))
}

// unnoted returns a journey without the notes on its steps.
func unnoted(n spec.Node) spec.Node {
	n.Fields = slices.Clone(n.Fields)
	for i := range n.Fields {
		if n.Fields[i].Key != "steps" {
			continue
		}
		steps := n.Fields[i].Value
		steps.Items, steps.Fields = slices.Clone(steps.Items), slices.Clone(steps.Fields)
		for k := range steps.Items {
			steps.Items[k] = without(steps.Items[k], "note")
		}
		for k := range steps.Fields {
			steps.Fields[k].Value = without(steps.Fields[k].Value, "note")
		}
		n.Fields[i].Value = steps
	}
	return n
}

// usual returns the re-entry rule of a journey that names none: the stricter the
// less the trigger says by itself.
func (d *Definition) usual() Reentry {
	for i := range d.Triggers {
		t := &d.Triggers[i]
		switch {
		case t.Date != "" || t.Schedule != nil:
			return Reentry{Rule: AfterExit}
		case t.Key != "":
			return Reentry{Rule: OncePerKey}
		}
	}
	return Reentry{Rule: Never}
}

func validName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// triggers reads one trigger or a list of them.
func (r *reader) triggers(n spec.Node) {
	list := []spec.Node{n}
	if n.Kind == spec.List {
		list = n.Items
	}
	for _, item := range list {
		if t, ok := r.trigger(item); ok {
			r.def.Triggers = append(r.def.Triggers, t)
		}
	}
}

func (r *reader) trigger(n spec.Node) (t Trigger, ok bool) {
	const example = "{event: Order Completed}, {segment: vip, on: enter}, {date: birthday, at: \"09:00\"} or {schedule: every monday 09:00}"
	if n.Kind != spec.Map {
		r.ps.Add(n.Pos, example, "a trigger says what lets customers in")
		return t, false
	}
	if names, is := n.Get("event"); is {
		r.known(n, "an event trigger", takes(triggerShapes, "event", "")...)
		t.Key = r.text(n, "key")
		t.Event = r.match(names, n)
		return t, t.Event != nil
	}
	if v, is := n.Get("segment"); is {
		r.known(n, "a segment trigger", takes(triggerShapes, "segment", "")...)
		t.Segment = r.text(n, "segment")
		r.segment(v, t.Segment)
		switch on := r.text(n, "on"); on {
		case "", "enter":
		case "leave":
			t.Leave = true
		default:
			r.ps.Add(n.Pos, "on: enter or on: leave", "a customer cannot %q a segment", on)
		}
		return t, t.Segment != ""
	}
	if v, is := n.Get("fence"); is {
		return r.fenceTrigger(n, v)
	}
	if v, is := n.Get("lifecycle"); is {
		return r.lifeTrigger(n, v)
	}
	if v, is := n.Get("catalogue"); is {
		return r.catalogueTrigger(n, v)
	}
	if _, is := n.Get("date"); is {
		r.known(n, "a date trigger", takes(triggerShapes, "date", "")...)
		t.Date = strings.TrimPrefix(strings.TrimPrefix(r.text(n, "date"), "trait."), "profile.")
		t.Offset = int(r.offset(n, true).Hours() / 24)
		t.At = 9 * 60
		if at, is := n.Get("at"); is {
			t.At = r.clock(at, "at")
		}
		switch repeat := r.text(n, "repeat"); repeat {
		case "", "yearly":
		case "never":
			t.Once = true
		default:
			r.ps.Add(n.Pos, "repeat: yearly or repeat: never", "a date does not repeat %q", repeat)
		}
		return t, t.Date != ""
	}
	if v, is := n.Get("schedule"); is {
		r.known(n, "a schedule", takes(triggerShapes, "schedule", "")...)
		return r.schedule(n, v)
	}
	r.ps.Add(n.Pos, example, "a trigger is an event, a segment, a stage of life, a date or a schedule")
	return t, false
}

func (r *reader) segment(v spec.Node, name string) {
	for _, s := range r.env.Conditions.Segments {
		if s == name {
			return
		}
	}
	r.ps.Add(v.Pos, condition.Nearest(name, r.env.Conditions.Segments), "there is no segment %q", name)
}

func (r *reader) schedule(n, v spec.Node) (t Trigger, ok bool) {
	if !v.Scalar() {
		r.ps.Add(v.Pos, "every monday 09:00", "a schedule is a text")
		return t, false
	}
	sc, wrong := parseSchedule(v.Text)
	if wrong != "" {
		r.ps.Add(v.Pos, "every monday 09:00, on 2026-12-01 09:00 or FREQ=WEEKLY;BYDAY=MO;BYHOUR=9", "the schedule is not understood: %s", wrong)
		return t, false
	}
	if zone, is := n.Get("zone"); is && zone.Text != "customer" {
		if r.env.Conditions.Zones != nil {
			sc.Zone = r.env.Conditions.Zones(zone.Text)
		}
		if sc.Zone == nil {
			r.ps.Add(zone.Pos, "Europe/London, or leave it out for each customer's own", "there is no time zone %q", zone.Text)
		}
	}
	if start, is := n.Get("start"); is {
		y, m, d, ok := parseDate(start.Text)
		if !ok || y == 0 {
			r.ps.Add(start.Pos, "2026-01-05", "start is a date")
		} else if !sc.once {
			sc.start = date(y, m, d)
		}
	}
	t.Schedule = sc
	return t, true
}

func (r *reader) reentry(n spec.Node) {
	d := r.def
	if n.Kind == spec.Map {
		if r.known(n, "reentry", "after") {
			d.Reentry = Reentry{After, r.duration(n, "after", 0)}
		}
		if d.Reentry.After == 0 {
			r.ps.Add(n.Pos, "{after: 30d}", "reentry names no period")
		}
		return
	}
	rules := []string{"never", "once_per_key", "after_exit"}
	for i, rule := range rules {
		if n.Text == rule {
			d.Reentry = Reentry{Rule: Rule(i)}
			return
		}
	}
	r.ps.Add(n.Pos, strings.Join(rules, ", ")+" or {after: 30d}", "there is no re-entry rule %q", n.Text)
}

func (r *reader) holdout(n spec.Node) {
	r.def.Announced = true
	share, ok := parseShare(n)
	if !ok || share < 0 || share >= 1 {
		r.ps.Add(n.Pos, "10%, or 0 for none", "holdout is a share of customers from 0 to below 100%%")
		return
	}
	r.def.Holdout = share
}

// parseShare reads "10%" as 0.1, and 0. A bare number is not taken: 10 and 0.1
// are told apart by nobody.
func parseShare(n spec.Node) (float64, bool) {
	s, isPercent := strings.CutSuffix(strings.TrimSpace(n.Text), "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if !n.Scalar() || err != nil || f != f || !isPercent && f != 0 {
		return 0, false
	}
	return f / 100, true
}

// appendCanonical appends a source in one way of writing: without places,
// comments and quotes. The order of fields stays, for that of steps and of the
// arms of a split means something.
func appendCanonical(b []byte, n spec.Node) []byte {
	b = append(b, byte('0'+n.Kind))
	b = wire.Text(b, n.Text)
	b = wire.Uvarint(b, uint64(len(n.Items)))
	for i := range n.Items {
		b = appendCanonical(b, n.Items[i])
	}
	b = wire.Uvarint(b, uint64(len(n.Fields)))
	for i := range n.Fields {
		b = appendCanonical(wire.Text(b, n.Fields[i].Key), n.Fields[i].Value)
	}
	return b
}

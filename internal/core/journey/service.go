package journey

import (
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// serviceLateness is how late what brings a service message may be heard: a till
// that was offline for the night still owes its customers the receipt.
const serviceLateness = 24 * time.Hour

// ParseService reads one service message: what the shop owes a customer who has
// ordered. It is a journey of one step, brought by an event or asked for by the
// shop's back end ([event.ServiceAsked]); it has no audience, no holdout and no
// reason to give. The result is nil if it is too wrong to be sent.
func ParseService(name string, n spec.Node, env *Env, ps *spec.Problems) *Definition {
	had := len(ps.All())
	properties := env.Conditions.Properties
	env.Conditions.Properties = true
	defer func() { env.Conditions.Properties = properties }()
	r := &reader{env: env, ps: ps, def: &Definition{
		Name: name, Announced: true, MaxLateness: serviceLateness, Pos: n.Pos, Reentry: Reentry{Rule: AfterExit}, service: true,
	}}
	d := r.def
	if !r.known(n, "a service message", "service", "title", "description", "trigger", "template", "channel", "reason", "expires", "max_lateness", "exit") {
		return nil
	}
	r.named(n, "service")
	if t, ok := n.Get("trigger"); ok {
		r.triggers(t)
	}
	for i := range d.Triggers {
		switch t := &d.Triggers[i]; {
		case t.Event == nil:
			v, _ := n.Get("trigger")
			ps.Add(v.Pos, "trigger: {event: Order Shipped, key: order_id}", "a service message is brought by an event or asked for by the API; a date or a segment brings a promotion")
		case t.Key != "":
			d.Reentry.Rule = OncePerKey
		}
	}
	d.Triggers = append(d.Triggers, Trigger{Service: d.Name})
	if v, ok := n.Get("exit"); ok {
		d.exit = r.watch(v)
	}
	d.MaxLateness = r.duration(n, "max_lateness", serviceLateness)
	s := step{name: campaignStep, kind: Send, pos: n.Pos, next: end, otherwise: absent}
	send := only(n, "template", "channel", "reason", "expires", "max_lateness")
	send.Fields = append(send.Fields, spec.Field{Key: "class", Pos: n.Pos, Value: spec.Node{Kind: spec.Text, Text: profile.Service.String(), Pos: n.Pos}})
	r.send(&s, send)
	d.steps = []step{s}
	return r.done(n, had)
}

// enterByRequest lets the customer in where the shop's back end asks for a service
// message. A page's key, which everybody knows, asks for none.
func (r *run) enterByRequest(e *event.Event) {
	if e.Name != event.ServiceAsked || e.Trust == event.Public {
		return
	}
	d := r.s.byName[e.Props.Text("service")]
	if d == nil || !d.service || r.late > d.MaxLateness {
		return
	}
	asked := carry(e.Props)
	r.enter(d, profile.Instance{Key: askedKey + string(e.ID), Trigger: e.ID, TriggerAt: e.At, Name: d.Title, Props: asked})
}

// askedKey begins the key of an instance that the API asked for.
const askedKey = "asked:"

func clone(s string) string { return strings.Clone(s) }

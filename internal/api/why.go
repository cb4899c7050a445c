package api

import (
	"context"
	"fmt"
	"slices"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// why says how one customer stands to one journey, campaign or service message: what
// was decided, and what would be decided now.
type why struct {
	Name     string     `json:"name"`
	Title    string     `json:"title"`
	Kind     string     `json:"kind" enum:"journey,campaign,service"`
	Now      event.Time `json:"now" doc:"As of when it is said."`
	Inside   []instance `json:"inside" doc:"Where they are in it now."`
	Times    int32      `json:"times" doc:"How often they entered it."`
	Entered  event.Time `json:"entered" doc:"When they did so last."`
	Left     event.Time `json:"left" doc:"When they left it last; null: they are inside, or never were."`
	Again    bool       `json:"again" doc:"Whether what it says of entering again would let them in."`
	Full     bool       `json:"full" doc:"Whether they are inside as many journeys as anybody may be."`
	HeldOut  bool       `json:"held_out" doc:"Whether they walk it and get nothing, so that its effect can be measured."`
	Everyone bool       `json:"everyone" doc:"Whether it has no audience."`
	Audience bool       `json:"audience" doc:"Whether they are in its audience now."`
	Because  []string   `json:"because" doc:"Why they are, or are not, as ends of sentences about them."`
	Met      []string   `json:"met" doc:"Exits and goals that are met already: who meets one is not let in."`
	Triggers []string   `json:"triggers" doc:"What lets customers in."`
	Messages []verdict  `json:"messages" doc:"What would become of each of its messages, if it were wanted now."`
	Recorded []Delivery `json:"recorded" doc:"What became of those that were wanted, the newest first; at most twenty."`
}

// verdict is what the gate says of a message now.
type verdict struct {
	Step       string          `json:"step"`
	Template   string          `json:"template"`
	Suppressed string          `json:"suppressed,omitempty" doc:"Why nothing may be sent to the address; absent: it may."`
	Says       string          `json:"says" doc:"The decision in a sentence."`
	Record     decision.Record `json:"record" doc:"The decision with every rule that was asked."`
}

// maxRecorded bounds the recorded messages that are shown beside a verdict.
const maxRecorded = 20

func (a *API) why(ctx context.Context, in *struct {
	Who
	Of string `query:"of" required:"true" minLength:"1" maxLength:"100" doc:"The name of a journey, campaign or service message."`
},
) (*body[why], error) {
	p, err := a.person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	d := pr.Core.Journeys.Definition(in.Of)
	if d == nil {
		return nil, fault.New(fault.NotFound, "no journey, campaign or service message of that name is in force")
	}
	now := a.o.Now()
	w := &journey.World{P: p, Now: now, Zones: pr.Core.Zones, DefaultZone: pr.Core.Zone}
	st := pr.Core.Journeys.Standing(w, d)
	v := why{
		Name: d.Name, Title: d.Title, Kind: "journey", Now: now, Inside: []instance{}, Again: st.Again, Full: st.Full, HeldOut: st.HeldOut,
		Everyone: st.Audience == nil, Audience: st.Audience == nil || st.Audience.True, Because: []string{}, Met: append([]string{}, st.Met...), Triggers: []string{},
		Messages: []verdict{}, Recorded: []Delivery{},
	}
	switch {
	case d.Campaign() != nil:
		v.Kind = "campaign"
	case d.IsService():
		v.Kind = "service"
	}
	for i := range st.Inside {
		one := &st.Inside[i]
		v.Inside = append(v.Inside, instance{one.Journey, one.Step, one.Entered, one.Wake, one.Held})
	}
	if st.Past != nil {
		v.Times, v.Entered, v.Left = st.Past.Times, st.Past.Entered, st.Past.Left
	}
	if st.Audience != nil {
		for i := range st.Audience.Because {
			v.Because = append(v.Because, st.Audience.Because[i].Sentence(now))
		}
	}
	for i := range d.Triggers {
		v.Triggers = append(v.Triggers, d.Triggers[i].String())
	}
	for i := range st.Wants {
		wish := &st.Wants[i]
		_, record := pr.Core.Gate.Plan(p, *wish, now)
		one := verdict{Step: wish.Step, Template: wish.Template, Says: record.Sentence(p, now), Record: record}
		if one.Suppressed, err = a.suppressedFor(ctx, p, wish.Channel, wish.Purpose); err != nil {
			return nil, err
		}
		v.Messages = append(v.Messages, one)
	}
	v.Recorded, err = a.recorded(ctx, p, d.Name)
	return answer(v, err)
}

// suppressedFor returns why nothing may be sent to the customer on a channel for a
// purpose; empty if it may.
func (a *API) suppressedFor(ctx context.Context, p *profile.Profile, channel, purpose string) (string, error) {
	for _, subject := range a.o.Node.Subjects(p) {
		s, stopped, err := a.o.Ledger.Suppressed(ctx, subject, channel, purpose)
		if err != nil || stopped {
			return s.Reason, err
		}
	}
	return "", nil
}

// recorded returns the newest messages to the customer that a journey wanted.
func (a *API) recorded(ctx context.Context, p *profile.Profile, journey string) ([]Delivery, error) {
	var rows []store.Delivery
	for _, id := range append([]identity.ID{p.ID}, p.Strands...) {
		part, err := a.o.Store.DeliveriesOf(ctx, id, maxMessages)
		if err != nil {
			return nil, fmt.Errorf("reading the messages of %s: %w", id, err)
		}
		for i := range part {
			if part[i].Journey == journey {
				rows = append(rows, part[i])
			}
		}
	}
	slices.SortFunc(rows, func(x, y store.Delivery) int { return int(min(max(y.Planned-x.Planned, -1), 1)) })
	list := []Delivery{}
	for i := range rows[:min(len(rows), maxRecorded)] {
		one, err := deliveryOf(&rows[i], p)
		if err != nil {
			return nil, err
		}
		list = append(list, one.Delivery)
	}
	return list, nil
}

// joined is one earlier profile of the same person.
type joined struct {
	ID      identity.ID   `json:"id" doc:"Under which it was known: it leads here still."`
	Kind    identity.Kind `json:"kind" doc:"Of the identifier that it began with."`
	Value   string        `json:"value"`
	Born    event.Time    `json:"born" doc:"When it was first heard of."`
	Joined  event.Time    `json:"joined" doc:"When it became a part of this one; null: not known any more."`
	Current bool          `json:"current" doc:"Whether it is the one that the others joined."`
}

// strandsOf says of which profiles a person was put together, the oldest first.
func (a *API) strandsOf(ctx context.Context, p *profile.Profile) ([]joined, error) {
	list := []joined{{ID: p.ID, Kind: p.Birth.Kind, Value: p.Birth.Value, Born: p.Born, Current: true}}
	rows, err := a.o.Store.Load(ctx, p.Strands)
	if err != nil {
		return nil, fmt.Errorf("reading the strands of %s: %w", p.ID, err)
	}
	for i, id := range p.Strands {
		one := joined{ID: id}
		if body := rows[i].Body; body != nil {
			if q, err := profile.Decode(string(body)); err == nil {
				one.Kind, one.Value, one.Born = q.Birth.Kind, q.Birth.Value, q.Born
			}
		}
		for j := range p.Held {
			if h := &p.Held[j]; h.Identifier.Kind == one.Kind && h.Identifier.Value == one.Value && h.State == profile.Owned {
				one.Joined = h.At
			}
		}
		list = append(list, one)
	}
	slices.SortStableFunc(list, func(x, y joined) int { return int(min(max(x.Born-y.Born, -1), 1)) })
	return list, nil
}

// handOver is how often a customer looked on one class of device and bought on another.
type handOver struct {
	From  string     `json:"from"`
	To    string     `json:"to"`
	Times int32      `json:"times"`
	Last  event.Time `json:"last"`
}

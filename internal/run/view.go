package run

import (
	"encoding/json"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/program"
)

// view is a customer as JSON lines show them.
type view struct {
	ID          identity.ID            `json:"id"`
	Identifiers []string               `json:"identifiers"`
	Strands     []identity.ID          `json:"strands,omitempty"`
	Traits      map[string]event.Value `json:"traits"`
	Consents    []profile.Consent      `json:"consents"`
	Orders      int                    `json:"orders"`
	Spent       map[string]string      `json:"spent"`
	Segments    []string               `json:"segments"`
	Journeys    []string               `json:"journeys"`
	Open        int                    `json:"open_messages"`
	Events      int64                  `json:"events"`
	First       event.Time             `json:"first"`
	Last        event.Time             `json:"last"`
	Alarm       event.Time             `json:"next_alarm"`
}

// ProfileJSON returns the customer as one JSON object. Prog names the segments;
// nil: none are named.
func ProfileJSON(p *profile.Profile, prog *program.Program) ([]byte, error) {
	v := view{
		ID: p.ID, Strands: p.Strands, Identifiers: []string{}, Traits: map[string]event.Value{}, Consents: p.Consents, Spent: map[string]string{},
		Segments: []string{}, Journeys: []string{}, Open: len(p.Open), Events: p.Count, First: p.First, Last: p.Last, Alarm: p.Alarm,
	}
	for i := range p.Held {
		if p.Held[i].State == profile.Owned {
			v.Identifiers = append(v.Identifiers, p.Held[i].Identifier.String())
		}
	}
	for _, t := range p.Traits {
		v.Traits[t.Name] = t.Value
	}
	for i := range p.Orders {
		o := &p.Orders[i]
		if o.Kind == profile.Completed {
			v.Orders++
		}
		if _, known := v.Spent[string(o.Currency)]; !known {
			v.Spent[string(o.Currency)] = p.Spent(o.Currency, "").String()
		}
	}
	if prog != nil {
		v.Segments = append(v.Segments, prog.Core.Segments.Members(p)...)
	}
	for i := range p.Journeys {
		v.Journeys = append(v.Journeys, p.Journeys[i].Journey+"/"+p.Journeys[i].Step)
	}
	return json.Marshal(v)
}

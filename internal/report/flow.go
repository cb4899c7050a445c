package report

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/measure"
	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// Flow is how customers went through one journey, over all its versions.
type Flow struct {
	Entered   int64          `json:"entered"`   // runs that began
	People    int64          `json:"people"`    // customers who began one
	HeldOut   int64          `json:"held_out"`  // runs of them that got nothing
	Converted int64          `json:"converted"` // runs that reached the goal
	Currency  money.Currency `json:"currency"`
	Steps     []StepFlow     `json:"steps"` // by name
	// Brought is what the journey brought beside who was held out of it, of all whose
	// window has ended; Pending entered too lately to be measured.
	Brought measure.Report `json:"brought"`
	Pending int64          `json:"pending"`
}

// StepFlow is how customers went through one step.
type StepFlow struct {
	Step    string       `json:"step"`
	Reached int64        `json:"reached"` // how often anybody came to it
	Left    int64        `json:"left"`    // runs that ended there
	Goals   int64        `json:"goals"`   // of those by the goal
	Sent    int64        `json:"sent"`
	Waiting int64        `json:"open"` // messages on their way
	Unsent  []Unsent     `json:"unsent"`
	Clicked int64        `json:"clicked"`
	Orders  int64        `json:"orders"` // of whom it was the last message within a week
	Revenue money.Micros `json:"revenue_micros"`
}

// Unsent counts the messages that were not sent for a reason.
type Unsent struct {
	State  string `json:"state"`
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// Flow counts how customers went through a journey. Share is that of people held out.
func (t *Tables) Flow(ctx context.Context, name string, share float64) (out Flow, err error) {
	steps := map[string]*StepFlow{}
	step := func(s string) *StepFlow {
		if steps[s] == nil {
			steps[s] = &StepFlow{Step: s, Unsent: []Unsent{}}
		}
		return steps[s]
	}
	of := `%"journey":"` + name + `"%`
	err = t.each(ctx, "SELECT properties, count(*) AS n FROM events WHERE type = 'fact' AND name = ? AND properties LIKE ? GROUP BY properties", []any{journey.StepReached, of}, func(row []any) error {
		if s, ok := factOf(row[0], name); ok {
			step(s.Step).Reached += whole(row[1])
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	for _, ended := range []string{event.JourneyLeft, event.GoalReached} {
		err = t.each(ctx, "SELECT properties FROM events WHERE type = 'fact' AND name = ? AND properties LIKE ?", []any{ended, of}, func(row []any) error {
			s, ok := factOf(row[0], name)
			if !ok {
				return nil
			}
			step(s.Step).Left++
			if ended == event.GoalReached {
				step(s.Step).Goals++
				out.Converted++
			}
			return nil
		})
		if err != nil {
			return out, err
		}
	}
	if err := t.unsent(ctx, name, step); err != nil {
		return out, err
	}
	p := Params{}
	if err := p.fill(t.Now()); err != nil {
		return out, err
	}
	messages, err := t.Messages(ctx, p)
	if err != nil {
		return out, err
	}
	out.Currency = messages.Currency
	for i := range messages.Rows {
		m := &messages.Rows[i]
		if m.Origin != name {
			continue
		}
		s := step(m.Step)
		s.Sent += m.Sent
		s.Waiting += m.States["open"]
		s.Clicked += m.Clicked
		s.Orders += m.Orders
		s.Revenue += m.Revenue
	}
	for _, s := range steps {
		// Before steps were told of, a message or an end was all that was told of
		// reaching one.
		told := s.Sent + s.Waiting
		for _, u := range s.Unsent {
			told += u.Count
		}
		s.Reached = max(s.Reached, told, s.Left)
		out.Steps = append(out.Steps, *s)
	}
	slices.SortFunc(out.Steps, func(a, b StepFlow) int { return strings.Compare(a.Step, b.Step) })
	if out.Steps == nil {
		out.Steps = []StepFlow{}
	}
	return out, t.brought(ctx, name, share, &out)
}

// fact is what a fact of a journey says.
type fact struct {
	Journey string `json:"journey"`
	Step    string `json:"step"`
	Held    bool   `json:"held_out"`
}

func factOf(cell any, name string) (f fact, ok bool) {
	err := json.Unmarshal([]byte(word(cell)), &f)
	return f, err == nil && f.Journey == name
}

// unsent counts the messages that were not sent, by step and reason.
func (t *Tables) unsent(ctx context.Context, name string, step func(string) *StepFlow) error {
	query := "SELECT step, stands, why, count(*) AS n FROM (SELECT delivery, max(origin) AS origin, max(step) AS step, max(" + rank() + ") AS stands, argMax(reason, " + rank() +
		") AS why FROM deliveries GROUP BY delivery) AS one WHERE origin = ? GROUP BY step, stands, why ORDER BY n DESC, step, stands, why"
	return t.each(ctx, query, []any{name}, func(row []any) error {
		state := ended[whole(row[1])]
		if state == "open" || state == "accepted" || state == "unknown" {
			return nil
		}
		s := step(word(row[0]))
		s.Unsent = append(s.Unsent, Unsent{state, word(row[2]), whole(row[3])})
		return nil
	})
}

// brought compares who was treated with who was held out, each from their first
// entry on.
func (t *Tables) brought(ctx context.Context, name string, share float64, out *Flow) error {
	type entrant struct {
		at   int64
		held bool
		all  measure.Outcome
		paid map[string]bool
	}
	people := map[identity.ID]*entrant{}
	err := t.each(ctx, "SELECT profile, ms(ts) AS at_ms, properties FROM events WHERE type = 'fact' AND name = ? AND properties LIKE ?", []any{event.JourneyEntered, `%"journey":"` + name + `"%`}, func(row []any) error {
		f, ok := factOf(row[2], name)
		if !ok {
			return nil
		}
		out.Entered++
		if f.Held {
			out.HeldOut++
		}
		who, at := row[0].(identity.ID), whole(row[1])
		if e := people[who]; e != nil {
			e.at, e.held = min(e.at, at), e.held || f.Held
		} else {
			people[who] = &entrant{at: at, held: f.Held, paid: map[string]bool{}}
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.People = int64(len(people))
	if len(people) == 0 {
		return nil
	}
	_, main, err := t.inCurrency(ctx)
	if err != nil {
		return err
	}
	window := Window.Milliseconds()
	err = t.each(ctx, "SELECT profile, order_id, kind, ms(ts) AS at_ms, if("+main+", net, 0) AS net FROM orders ORDER BY at_ms, if(kind = 'completed', 0, 1)", nil, func(row []any) error {
		e := people[row[0].(identity.ID)]
		if e == nil {
			return nil
		}
		id, at := word(row[1]), whole(row[3])
		switch {
		case word(row[2]) != "completed":
			if !e.paid[id] {
				return nil
			}
		case at < e.at || at >= e.at+window:
			return nil
		default:
			e.all.Orders++
			e.paid[id] = true
		}
		e.all.Revenue += micros(row[4])
		return nil
	})
	if err != nil {
		return err
	}
	var h measure.Holdout
	ids := make([]identity.ID, 0, len(people))
	for id := range people {
		ids = append(ids, id)
	}
	// In one order, so that the same data give the same last digit.
	slices.SortFunc(ids, identity.ID.Compare)
	for _, id := range ids {
		e := people[id]
		if !measure.Ended(event.Time(e.at), Window, t.Now()) {
			out.Pending++
			continue
		}
		h.Add(e.held, e.all)
	}
	out.Brought = h.Report(measure.Sequence{}, share)
	return nil
}

// FlowPeople returns the customers who reached a step, or an end of the journey: who is
// reached, left, goal, or entered for the journey as a whole; or a state of messages as
// in [Tables.Ask].
//
// A reason narrows a state down to the messages that it stopped.
func (t *Tables) FlowPeople(ctx context.Context, name, step, who, reason string, after identity.ID, limit int) (People, error) {
	p := Params{After: after, Limit: limit}
	if err := p.fill(t.Now()); err != nil {
		return People{}, err
	}
	facts := map[string]string{"reached": journey.StepReached, "entered": event.JourneyEntered, "left": event.JourneyLeft, "goal": event.GoalReached}
	fact, known := facts[who]
	if state := slices.Index(ended, who); !known && reason != "" && state >= 0 {
		return t.people(ctx, p, "SELECT profile FROM (SELECT delivery, max(profile) AS profile, max(origin) AS origin, max(step) AS step, max("+rank()+") AS stands, argMax(reason, "+rank()+
			") AS why FROM deliveries GROUP BY delivery) AS one WHERE origin = ? AND step = ? AND stands = "+string(rune('0'+state))+" AND why = ?", name, step, reason)
	}
	if !known {
		p.Who, p.Key = who, name+"/"+step
		v, err := t.Ask(ctx, "messages", p)
		if err != nil {
			return People{}, err
		}
		return v.(People), nil
	}
	if who != "entered" && who != "goal" && step == "" {
		return People{}, fault.New(fault.Invalid, "say which step")
	}
	query, args := "SELECT profile FROM events WHERE type = 'fact' AND name = ? AND visitParamExtractString(properties, 'journey') = ?", []any{fact, name}
	if step != "" && who != "entered" {
		query, args = query+" AND visitParamExtractString(properties, 'step') = ?", append(args, step)
	}
	return t.people(ctx, p, query, args...)
}

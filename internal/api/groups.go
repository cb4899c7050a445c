package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/condition/sentence"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// SegmentLine is one segment in force.
type SegmentLine struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	About   string `json:"about,omitempty"`
	When    string `json:"when" doc:"Its condition, as the end of a sentence about a customer."`
	Members int64  `json:"members" doc:"How many customers are in it now."`
	Tree    any    `json:"tree" doc:"Its condition, as in its definition."`
	English string `json:"english" doc:"Its condition as a sentence that can be read back."`
	German  string `json:"german"`
	Costs   []cost `json:"costs" doc:"What its questions about events make each customer who did so carry along."`
}

// segmentShown is a segment with where it is defined and what depends on it.
type segmentShown struct {
	SegmentLine
	File string        `json:"file" doc:"Where it is defined."`
	Line int           `json:"line" doc:"Where its definition begins."`
	Uses []program.Use `json:"uses" doc:"What names it: it cannot be taken away as long as these do."`
}

// JourneyLine is one journey in force.
type JourneyLine struct {
	Name     string           `json:"name"`
	Title    string           `json:"title"`
	Triggers []string         `json:"triggers" doc:"What lets customers in."`
	Audience string           `json:"audience,omitempty" doc:"For whom it is, as the end of a sentence about a customer."`
	Exits    []string         `json:"exits"`
	Goals    []string         `json:"goals"`
	Holdout  float64          `json:"holdout" doc:"The share that walks it and gets nothing."`
	Messages map[string]int64 `json:"messages" doc:"By the state that they have come to."`
}

// journeyShown is a journey with its steps and the customers inside it.
type journeyShown struct {
	JourneyLine
	Steps  []step `json:"steps"`
	Inside int64  `json:"inside" doc:"How many times a customer is inside it now."`
}

type step struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Title string `json:"title"`
	Next  []edge `json:"next"`
}

type edge struct {
	When string `json:"when,omitempty" doc:"When it is taken; absent: always."`
	To   string `json:"to,omitempty" doc:"The step it leads to; absent: the journey ends."`
}

// groups adds the operations about segments and journeys.
func (a *API) groups() {
	route(a, get("/segments", "segments", "List the segments with their sizes", "In order of their names."), func(ctx context.Context, in *Paging) (*body[page[SegmentLine]], error) {
		list, err := a.segments(ctx)
		if err != nil {
			return nil, err
		}
		return answer(keep(list, *in, "segments", func(s *SegmentLine) string { return s.Name }))
	})
	route(a, get("/segments/{name}", "segments", "Show a segment", ""), func(ctx context.Context, in *Named) (*body[segmentShown], error) {
		list, err := a.segments(ctx)
		if err != nil {
			return nil, err
		}
		n := slices.IndexFunc(list, func(s SegmentLine) bool { return s.Name == in.Name })
		if n < 0 {
			return nil, errNoSegment
		}
		pr, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		one, _ := pr.Segment(in.Name)
		return answer(segmentShown{list[n], one.Pos.File, one.Pos.Line, pr.Source.Uses(in.Name)}, nil)
	})
	route(a, get("/segments/{name}/members", "segments", "List who is in a segment", "In order of their ids, with since when, until when at least, and why. What changed within the last second may be missing."), a.members)
	route(a, get("/journeys", "journeys", "List the journeys", "In order of their names. Campaigns and service messages have lists of their own."), func(ctx context.Context, in *Paging) (*body[page[JourneyLine]], error) {
		pr, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		counts, err := a.messagesByJourney(ctx)
		if err != nil {
			return nil, err
		}
		var list []JourneyLine
		for _, d := range pr.Core.Journeys.Definitions() {
			if d.Campaign() == nil && !d.IsService() {
				list = append(list, journeyOf(d, counts[d.Name]))
			}
		}
		slices.SortFunc(list, func(x, y JourneyLine) int { return strings.Compare(x.Name, y.Name) })
		return answer(keep(list, *in, "journeys", func(j *JourneyLine) string { return j.Name }))
	})
	route(a, get("/journeys/{name}", "journeys", "Show a journey with its steps", "Counting who is inside reads every customer."), func(ctx context.Context, in *Named) (*body[journeyShown], error) {
		pr, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		d := pr.Core.Journeys.Definition(in.Name)
		if d == nil {
			return nil, errNoJourney
		}
		counts, err := a.messagesByJourney(ctx)
		if err != nil {
			return nil, err
		}
		inside, err := a.o.Node.Inside(ctx)
		if err != nil {
			return nil, err
		}
		return answer(journeyShown{JourneyLine: journeyOf(d, counts[d.Name]), Steps: shownSteps(d), Inside: inside[d.Name]}, nil)
	})
}

func shownSteps(d *journey.Definition) []step {
	list := []step{}
	for _, s := range d.Steps() {
		one := step{Name: s.Name, Kind: string(s.Kind), Title: s.Title, Next: []edge{}}
		for _, e := range s.Edges {
			one.Next = append(one.Next, edge{e.Label, e.To})
		}
		list = append(list, one)
	}
	return list
}

var errNoSegment = fault.New(fault.NotFound, "no segment of that name is in force")

// segments returns every segment by name.
func (a *API) segments(ctx context.Context) ([]SegmentLine, error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := a.o.Store.SegmentCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("counting members: %w", err)
	}
	list := make([]SegmentLine, len(pr.Segments))
	for i := range pr.Segments {
		s := &pr.Segments[i]
		list[i] = SegmentLine{s.Name, s.Label, s.About, s.Sentence, counts[condition.SegmentKey(s.Name)], json.RawMessage(sentence.JSON(s.When)), sentence.Say(s.When, sentence.English), german(s.When), costsOf(pr.Core.Segments.Cond(s.Name))}
	}
	slices.SortFunc(list, func(x, y SegmentLine) int { return strings.Compare(x.Name, y.Name) })
	return list, nil
}

// people returns the customers of the ids who are still there.
func (a *API) people(ctx context.Context, ids []identity.ID) (list []*profile.Profile, err error) {
	for _, id := range ids {
		p, err := a.o.Node.Profile(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("reading the customer %s: %w", id, err)
		}
		if p != nil {
			list = append(list, p)
		}
	}
	return list, nil
}

func journeyOf(d *journey.Definition, messages map[string]int64) JourneyLine {
	v := JourneyLine{Name: d.Name, Title: d.Title, Triggers: []string{}, Audience: d.Audience(), Exits: []string{}, Goals: []string{}, Holdout: d.Holdout, Messages: messages}
	if messages == nil {
		v.Messages = map[string]int64{}
	}
	for i := range d.Triggers {
		v.Triggers = append(v.Triggers, d.Triggers[i].String())
	}
	exits, goals := d.Ends()
	v.Exits, v.Goals = append(v.Exits, exits...), append(v.Goals, goals...)
	return v
}

// messagesByJourney counts the messages of each journey by their state.
func (a *API) messagesByJourney(ctx context.Context) (map[string]map[string]int64, error) {
	counts, err := a.o.Store.DeliveryCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("counting messages: %w", err)
	}
	by := map[string]map[string]int64{}
	for _, c := range counts {
		if by[c.Journey] == nil {
			by[c.Journey] = map[string]int64{}
		}
		by[c.Journey][c.State.String()] += c.Count
	}
	return by, nil
}

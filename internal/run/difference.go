package run

import (
	"context"
	"fmt"
	"strconv"

	"rapport/internal/core/condition"
	"rapport/internal/core/identity"
	"rapport/internal/core/spec"
	"rapport/internal/program"
)

// Difference is what would change if definitions came into force.
type Difference struct {
	InForce   string         `json:"in_force"`  // the tag of the definitions in force; empty: there are none
	Proposed  string         `json:"proposed"`  // the tag of those that were compared
	Same      bool           `json:"same"`      // nothing differs
	Customers int64          `json:"customers"` // everybody
	Changes   []Changed      `json:"changes"`
	Problems  []spec.Problem `json:"problems"` // what is wrong with the definitions
}

// Changed is one definition that differs, with whom it concerns now.
type Changed struct {
	program.Change
	Affects Affected `json:"affects"`
}

// Affected counts whom a definition in force concerns, as of now. What a changed
// condition would make of them is known once it is in force.
type Affected struct {
	Members int64 `json:"members"` // of a segment: customers in it
	Inside  int64 `json:"inside"`  // of journeys that it is, or is used by: runs that are under way
	Planned int64 `json:"planned"` // messages of those that are planned or on their way
}

// Tag names definitions: equal files have equal tags.
func Tag(src *program.Source) string { return fmt.Sprintf("%016x", src.Hash()) }

// Diff says what would change if the definitions came into force, and whom that
// concerns now. It changes nothing.
func (n *Node) Diff(ctx context.Context, src *program.Source) (Difference, error) {
	d := Difference{Proposed: Tag(src), Changes: []Changed{}, Problems: n.Check(ctx, src)}
	if d.Problems == nil {
		d.Problems = []spec.Problem{}
	}
	now, err := n.Program(ctx)
	if err != nil {
		return d, err
	}
	var old *program.Source
	if now != nil {
		old, d.InForce = now.Source, Tag(now.Source)
	}
	changes := program.Diff(old, src)
	if d.Same = d.InForce == d.Proposed; d.Same {
		return d, nil
	}
	inside := map[string]int64{}
	for p, err := range n.Customers(ctx, identity.ID{}) {
		if err != nil {
			return d, err
		}
		d.Customers++
		for i := range p.Journeys {
			inside[p.Journeys[i].Journey]++
		}
	}
	members, err := n.o.Store.SegmentCounts(ctx)
	if err != nil {
		return d, fmt.Errorf("counting members: %w", err)
	}
	counts, err := n.o.Store.DeliveryCounts(ctx)
	if err != nil {
		return d, fmt.Errorf("counting messages: %w", err)
	}
	planned := map[string]int64{}
	for _, c := range counts {
		if c.State.Open() {
			planned[c.Journey] += c.Count
		}
	}
	for _, c := range changes {
		v := Changed{Change: c}
		if c.Kind == "segment" || c.Kind == "trait" || c.Kind == "list" {
			v.Affects.Members = members[condition.SegmentKey(c.Name)]
		}
		for _, journey := range concerned(now, &c) {
			v.Affects.Inside += inside[journey]
			v.Affects.Planned += planned[journey]
		}
		d.Changes = append(d.Changes, v)
	}
	return d, nil
}

// concerned returns the journeys in force that a changed definition is, or is used
// by. A segment is used by whoever names it in a question, which shows when it is
// compiled; so it concerns none here. What is no journey and no template is used by
// all.
func concerned(p *program.Program, c *program.Change) (names []string) {
	if p == nil || c.What == program.Added || c.Kind == "segment" {
		return nil
	}
	for _, d := range p.Journeys {
		switch c.Kind {
		case "journey", "campaign", "service":
			if d.Name != c.Name {
				continue
			}
		case "template":
			used := false
			for _, t := range d.Templates() {
				used = used || t == c.Name
			}
			if !used {
				continue
			}
		}
		names = append(names, d.Name)
	}
	return names
}

// Summary says the difference in a line.
func (d *Difference) Summary() string {
	by := map[string]int{}
	for i := range d.Changes {
		by[d.Changes[i].What]++
	}
	return strconv.Itoa(by[program.Added]) + " added, " + strconv.Itoa(by[program.Changed]) + " changed, " + strconv.Itoa(by[program.Removed]) + " removed"
}

package core

import (
	"slices"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// undo takes note that an import was undone. The profile is made again by the
// catch-up that follows: only the history knows what it was without it.
func (r *run) undo(e *event.Event) {
	if r.p.Born == 0 {
		return // nobody is here, so nothing can be taken back
	}
	r.p.Remember(e)
	r.p.Program = profile.UndoneImport
	r.eff.Kept, r.eff.Undone = true, true
}

// Counting returns the events of a history that count: those of no import that was
// undone, and without the notes that say so. Gone holds the fingerprints of those
// that count no more; an event that was imported once more since is not gone.
func Counting(history []*event.Event) (kept []*event.Event, gone map[uint64]struct{}) {
	undone := map[string]struct{}{}
	for _, e := range history {
		if e.Type == event.System && e.Name == event.ImportUndone {
			undone[event.ImportSource(e.Props.Text("import"))] = struct{}{}
		}
	}
	if len(undone) == 0 {
		return history, nil
	}
	kept, gone = make([]*event.Event, 0, len(history)), map[uint64]struct{}{}
	for _, e := range history {
		if e.Type == event.System && e.Name == event.ImportUndone {
			continue
		}
		if _, out := undone[e.Source]; out {
			gone[profile.Fingerprint(e.ID)] = struct{}{}
		} else {
			kept = append(kept, e)
		}
	}
	for _, e := range kept {
		delete(gone, profile.Fingerprint(e.ID))
	}
	return kept, gone
}

// refold makes the profile again as it would be had the events that are gone never
// come. What the product did meanwhile stays: messages that were sent were sent,
// and whoever is in a journey walks on. It reports false if nobody is left.
//
// People whom an import joined stay joined, as nothing undoes a merge yet; but an
// identifier that no other event names is let go, so that nobody is written to at
// an address that only the import knew.
func (r *run) refold(kept []*event.Event, gone map[uint64]struct{}) bool {
	old := r.p
	// What only reminds a customer of a suppression says nothing of who they are.
	telling := slices.DeleteFunc(slices.Clone(kept), reminds)
	r.p = old.Refold(kept, gone, r.identifiers(telling), condition.Visit, r.now)
	if len(telling)+len(old.Contacts) > 0 {
		return true
	}
	for _, d := range slices.Clone(r.p.Open) {
		r.recall(&journey.Recall{Delivery: d.ID, Journey: d.Journey, Key: d.Key, Why: "the import that brought this customer was undone"})
	}
	if len(r.p.Open) > 0 {
		return true // a message is being handed over: who it goes to must be known until it is told of
	}
	for _, name := range r.Segments.Members(old) {
		r.eff.Changes = append(r.eff.Changes, insight.Change{Segment: name, Key: condition.SegmentKey(name), At: r.now, Silent: true})
	}
	nobody := profile.New(old.ID)
	nobody.Strands = old.Strands
	nobody.TakeSeen(old, gone)
	r.p = nobody
	return false
}

// reminds reports whether an import told a customer whom it found what the ledger
// knows of their address.
func reminds(e *event.Event) bool { return event.Imported(e.Source) && truth(e.Props, "reminder") }

// identifiers returns what the person is still known by, and lets go of the rest.
func (r *run) identifiers(kept []*event.Event) []profile.Held {
	named := map[identity.Identifier]struct{}{}
	for _, e := range kept {
		for _, id := range identity.Of(e) {
			named[id] = struct{}{}
		}
	}
	var held []profile.Held
	for _, h := range r.p.Held {
		home := r.Key.Home(h.Identifier)
		_, still := named[h.Identifier]
		switch {
		case still, home == r.p.ID && len(kept) > 0, slices.Contains(r.p.Strands, home):
			held = append(held, h)
		case home != r.p.ID && h.State != profile.Refused:
			var b event.Builder
			b.Set("by", event.Text(r.p.ID.String()))
			r.send(home, r.system(event.Released, "released:"+h.Identifier.String()+":"+r.p.ID.String()+":"+r.now.String(), &b))
		}
	}
	return held
}

// released returns the home as nobody's, if it still points to who lets it go.
func released(p *profile.Profile, e *event.Event) *profile.Profile {
	by, err := identity.ParseID(e.Props.Text("by"))
	if err != nil || p.Owner != by {
		return p
	}
	return profile.New(p.ID)
}

// releases reports whether a consent that the event gives ends what its person
// unsubscribed from before. Of history only what says so itself does: a list that
// somebody kept for years must not bring back who has left since.
func releases(e *event.Event) bool {
	return e.Origin != event.Import || truth(e.Props, "explicit")
}

// once leaves out of a history the orders that tell what an earlier event told
// already: they were kept and not counted when they came.
func once(history []*event.Event) []*event.Event {
	type order struct{ name, id string }
	told := func(e *event.Event) bool { return e.Name == event.OrderCompleted || e.Name == event.OrderCancelled }
	if !slices.ContainsFunc(history, told) {
		return history
	}
	seen := map[order]struct{}{}
	out := make([]*event.Event, 0, len(history))
	for _, e := range history {
		if told(e) {
			if o, err := event.OrderOf(e.Name, e.Props); err == nil {
				key := order{e.Name, o.ID}
				if _, again := seen[key]; again {
					continue
				}
				seen[key] = struct{}{}
			}
		}
		out = append(out, e)
	}
	return out
}

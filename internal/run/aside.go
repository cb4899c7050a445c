package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/intake"
	"rapport/internal/store"
)

// Aside is something that was put aside, under an id that its contents make.
type Aside struct {
	store.Quarantine
	ID     string
	Name   string // of the event, if it can be told
	Source string
	Body   []byte // the event as JSON, or what was sent in its place; empty: nothing of it was kept
	Whole  bool   // Body is JSON that can be mended and heard

	from  intake.Defaults
	entry *identity.Addressed // the event itself, if it could be read
}

// mostAside is how much of what was put aside is looked at: beyond that a shop has
// another trouble than single events.
const mostAside = 10_000

// Asides returns what was put aside, the newest first, at most limit.
func (n *Node) Asides(ctx context.Context, limit int) ([]Aside, error) {
	list, err := n.o.Store.Quarantined(ctx, min(limit, mostAside))
	if err != nil {
		return nil, fmt.Errorf("reading what was put aside: %w", err)
	}
	out := make([]Aside, len(list))
	for i := range list {
		out[i] = asideOf(&list[i])
	}
	return out, nil
}

func asideID(q *store.Quarantine) string {
	return fmt.Sprintf("%016x", wire.Hash(q.At.String(), q.Kind, q.Reason, q.Field, q.Detail, string(q.Entry)))
}

func asideOf(q *store.Quarantine) Aside {
	a := Aside{Quarantine: *q, ID: asideID(q)}
	a.from = intake.Defaults{Received: q.At, MaxEvent: intake.MaxEventServer}
	if len(q.Entry) > 0 {
		if e, err := identity.DecodeAddressed(string(q.Entry)); err == nil {
			a.entry = &e
		}
	}
	switch {
	case a.entry != nil && a.entry.Event.Name == event.Reject && a.entry.Event.Type == event.System:
		p := a.entry.Event.Props
		a.Source, a.entry = p.Text("source"), nil
		a.from.Source = a.Source
		for t := event.Track; t <= event.Alias; t++ {
			if t.String() == p.Text("type") {
				a.from.Type = t
			}
		}
		if p.Text("trust") == "server" {
			a.from.Trust = event.Server
		}
		if p.Text("origin") == event.Import.String() {
			a.from.Origin = event.Import
		}
		a.Body = []byte(q.Detail)
	case a.entry != nil:
		e := &a.entry.Event
		a.Source, a.Name, a.Body = e.Source, e.Name, e.AppendJSON(nil)
		a.from.Type, a.from.Source, a.from.Trust, a.from.Origin = e.Type, e.Source, e.Trust, e.Origin
		if e.Type == event.System { // ours: nobody can mend it
			a.entry = nil
			return a
		}
	case q.Kind == "rejected":
		a.Body = []byte(q.Detail)
	}
	a.Whole = len(a.Body) > 0 && bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) && json.Valid(a.Body)
	if a.Name == "" && a.Whole {
		var said struct {
			Event string `json:"event"`
			Type  string `json:"type"`
		}
		if json.Unmarshal(a.Body, &said) == nil {
			a.Name = said.Event
		}
	}
	return a
}

// Aside returns something that was put aside by its id, or a fault of kind NotFound.
func (n *Node) Aside(ctx context.Context, id string) (Aside, error) {
	list, err := n.Asides(ctx, mostAside)
	if err != nil {
		return Aside{}, err
	}
	for i := range list {
		if list[i].ID == id {
			return list[i], nil
		}
	}
	return Aside{}, fault.New(fault.NotFound, "nothing of this id is put aside: it was replayed or discarded")
}

// Replay hears again what was put aside, as it was or as somebody has mended it, as if
// it had come when it came. It returns why it still cannot be taken; nil: it is durable,
// and is put aside no longer.
func (n *Node) Replay(ctx context.Context, a *Aside, mended []byte) (*intake.Reject, error) {
	if n.Engine.Program() == nil {
		return nil, errNoProgram
	}
	if a.entry != nil && mended == nil {
		if err := n.append(ctx, n.remembered([]identity.Addressed{*a.entry})); err != nil {
			return nil, err
		}
		return nil, n.Discard(ctx, a.ID)
	}
	body := mended
	if body == nil {
		body = a.Body
	}
	d, err := intake.DecodeOne(body, a.from)
	if err != nil {
		_, why := fault.Of(err)
		return &intake.Reject{Reason: why}, nil
	}
	if d.Reject != nil {
		return d.Reject, nil
	}
	var said struct {
		ID string `json:"messageId"`
	}
	if json.Unmarshal(body, &said) != nil || said.ID == "" {
		d.Event.ID = event.ID("replay:" + a.ID) // a second try must not count twice
	} else if a.Kind == "trait" {
		d.Event.ID += event.ID(":mended:" + a.ID) // the rest of the event counted under its own
	}
	if err := n.Take(ctx, []intake.Addressed{{To: n.o.Key.Home(d.Who), Event: d.Event}}); err != nil {
		return nil, err
	}
	return nil, n.Discard(ctx, a.ID)
}

// Discard deletes what was put aside.
func (n *Node) Discard(ctx context.Context, ids ...string) error {
	_, err := n.o.Store.PruneQuarantine(ctx, func(q store.Quarantine) bool { return slices.Contains(ids, asideID(&q)) })
	if err != nil {
		return fmt.Errorf("deleting what was put aside: %w", err)
	}
	return nil
}

// trustWord writes how far a key is believed, for [asideOf].
func trustWord(t event.Trust) string {
	if t >= event.Server {
		return "server"
	}
	return "public"
}

// typeWord writes which call a path said; empty: each message says its own.
func typeWord(t event.Type) string {
	if t < event.Track || t > event.Alias {
		return ""
	}
	return strings.ToLower(t.String())
}

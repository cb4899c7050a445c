package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"rapport/internal/api"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/drafts"
	"rapport/internal/imports"
	"rapport/internal/intake"
	"rapport/internal/live"
	"rapport/internal/report"
	"rapport/internal/sender"
)

// api returns the management API of the present node.
func (s *server) api() (*api.API, error) {
	domains, err := s.domains()
	if err != nil {
		return nil, err
	}
	s.predictor = predictor(s.d, s.node, defaultMargin, defaultDiscount)
	return api.New(api.Options{
		Predictions: s.predictor, Scheduled: s.scheduled, People: s.d.people, Drafts: drafts.Open(s.d.dir, time.Now), PublicURL: s.public, TLS: strings.HasPrefix(s.public, "https:"),
		Node: s.node, Store: s.d.store, Ledger: s.d.ledger, Keys: s.d.ring, Imports: s.book(), Desk: s.desk, Live: s.live, Learn: s.learn, Interests: s.shops.likes, Domains: domains,
		Catalogue: s.shops.keeper, Pictures: s.d.library(), Room: s.room, Home: s.d.key.Home, Warehouse: s.d.tables.store(), Now: s.clock.Now, Log: s.logger, DNS: s.dns(),
	}), nil
}

// learn measures journeys and campaigns by all that was heard up to now.
func (s *server) learn(ctx context.Context, asked []report.Asked, currency money.Currency) ([]report.Learnt, error) {
	if err := s.loader.Load(ctx); err != nil {
		return nil, err
	}
	return s.loader.Learn(ctx, asked, s.clock.Now(), currency, s.node.Engine.Profile, nil)
}

// book returns the book of imports.
func (s *server) book() *imports.Book { return imports.Open(s.d.dir, s.clock.Now) }

// heard tells whoever learns or watches of events that are durable.
func (s *server) heard(entries []identity.Addressed) {
	s.room.Hear(entries)
	s.live.Heard(entries)
}

// refused tells whoever watches of what failed the checks at the edge.
func (s *server) refused(rejects []intake.Reject) {
	if !s.live.Watched() {
		return
	}
	lines := make([]live.Line, len(rejects))
	for i := range rejects {
		r := &rejects[i]
		lines[i] = live.Line{Outcome: live.Rejected, Name: nameOf(r), Source: r.From.Source, Reason: r.Reason, Field: r.Field, Raw: strings.ToValidUTF8(string(r.Raw), "")}
	}
	s.live.Tell(lines...)
}

// nameOf names an event that could not be taken, as far as it can be told.
func nameOf(r *intake.Reject) string {
	var said struct {
		Event string `json:"event"`
		Type  string `json:"type"`
	}
	if json.Unmarshal(r.Raw, &said) == nil && said.Event+said.Type != "" {
		return cmp.Or(said.Event, said.Type)
	}
	if r.From.Type >= event.Track && r.From.Type <= event.Alias {
		return r.From.Type.String()
	}
	return "?"
}

// domains returns the sending domains, which the demo has none of.
func (s *server) domains() (*sender.Book, error) {
	if s.sending != nil {
		return s.sending.book, nil
	}
	return sender.Open(s.d.dir, s.d.key[:], time.Now)
}

// dns is who is asked about sending domains.
func (s *server) dns() sender.Resolver {
	if s.sending != nil {
		return sender.NewResolver(s.sending.flags.Resolver)
	}
	return sender.NewResolver("")
}

// invite prints the link by which the first person comes in, while there is none.
func (s *server) invite(out io.Writer) {
	if text := s.d.people.SetUp(); text != "" {
		fmt.Fprintf(out, "Nobody works here yet. Open this once to be the owner: %s/setup#%s\n", s.public, text)
	}
}

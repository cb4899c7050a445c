package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"rapport/internal/api"
	"rapport/internal/core/money"
	"rapport/internal/imports"
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
		Predictions: s.predictor, People: s.d.people, PublicURL: s.public, TLS: strings.HasPrefix(s.public, "https:"),
		Node: s.node, Store: s.d.store, Ledger: s.d.ledger, Keys: s.d.ring, Imports: imports.Open(s.d.dir, s.clock.Now), Domains: domains,
		Catalogue: s.shops.keeper, Pictures: s.d.library(), Room: s.room, Home: s.d.key.Home, Warehouse: s.d.tables.store(), Now: s.clock.Now, Log: s.logger, DNS: s.dns(), Effect: s.effect,
	}), nil
}

// domains returns the sending domains, which the demo has none of.
func (s *server) domains() (*sender.Book, error) {
	if s.sending != nil {
		return s.sending.book, nil
	}
	return sender.Open(s.d.dir, s.d.key[:], time.Now)
}

// effect measures a campaign against those who were held out of it. The loader reads
// what is new in the feed, the whole of it the first time.
func (s *server) effect(ctx context.Context, name string, share float64, currency money.Currency) (report.Learnt, error) {
	if err := s.loader.Load(ctx); err != nil {
		return report.Learnt{}, err
	}
	all, err := s.loader.Learn(ctx, []report.Asked{{Journey: name, Share: share}}, s.clock.Now(), currency, s.node.Engine.Profile, nil)
	if err != nil {
		return report.Learnt{}, err
	}
	return all[0], nil
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

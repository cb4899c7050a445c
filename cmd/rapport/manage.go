package main

import "rapport/internal/api"

// api returns the management API of the present node.
func (s *server) api() *api.API {
	return api.New(api.Options{
		Node: s.node, Store: s.d.store, Ledger: s.d.ledger, Keys: s.d.ring, Now: s.clock.Now, Version: version, Log: s.logger,
	})
}

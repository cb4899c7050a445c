package catalogue

import (
	"context"
	"sync"

	"rapport/internal/core/product"
)

// seen is what was looked up since the last update. While messages are worded,
// the same few products are asked for a thousand times a second.
type seen struct {
	mu    sync.RWMutex
	round uint64
	found map[string]*product.Product // nil: nothing is sold under the key
}

// maxSeen bounds it: 20,000 products of 1 KB.
const maxSeen = 20_000

func (s *seen) look(key string) (p *product.Product, known bool, round uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, known = s.found[key]
	return p, known, s.round
}

// keep remembers what was read in a round, unless there was an update meanwhile.
func (s *seen) keep(key string, p *product.Product, round uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.round != round {
		return
	}
	if s.found == nil || len(s.found) >= maxSeen {
		s.found = map[string]*product.Product{}
	}
	s.found[key] = p
}

func (s *seen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.round++
	s.found = nil
}

// Look returns the card of an id or SKU, mostly from memory; false if nothing is
// sold under it, or nobody can tell now.
func (k *Keeper) Look(id string) (Card, bool) {
	p, ok := k.Item(id)
	if !ok {
		return Card{}, false
	}
	return *card(p, id, k.now()), true
}

// Item returns the product that is sold under an id or SKU, mostly from memory; false
// if none is, or nobody can tell now. It must not be changed.
func (k *Keeper) Item(id string) (*product.Product, bool) {
	p, known, round := k.seen.look(id)
	if !known {
		found, err := k.store.Find(context.Background(), []string{id})
		if err != nil {
			return nil, false
		}
		p = found[0]
		k.seen.keep(id, p, round)
	}
	return p, p != nil && !p.Gone
}

// Round grows with each update.
func (k *Keeper) Round() uint64 {
	k.seen.mu.RLock()
	defer k.seen.mu.RUnlock()
	return k.seen.round
}

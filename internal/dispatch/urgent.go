package dispatch

import (
	"context"
	"crypto/sha256"
	"math"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/store"
)

// What the shop owes goes ahead of what it offers, here as in the order of slots:
// service messages have room of their own in flight, a queue and workers of their
// own. So a campaign of a million, or one whose provider takes a second for each
// message, does not hold back that an order has shipped.
const (
	// serviceInFlight is how many service messages may be offered or held beside
	// InFlight: some seconds of the busiest day of a large shop.
	serviceInFlight = 500
	// serviceWorkers hand over service messages only. Two: one may wait for a
	// provider while the other renders.
	serviceWorkers = 2
)

// urgent reports whether the delivery is a service message.
func urgent(ref *store.Ref) bool { return ref.Priority == decision.ServiceFirst }

// queue returns where a claim waits for a worker.
func (d *Dispatch) queue(c *engine.Claim) chan engine.Claim {
	if c.Delivery.Class == profile.Service {
		return d.service
	}
	return d.work
}

// room returns how many more deliveries may be offered of each kind. The lock is
// held.
func (d *Dispatch) room() (marketing, service int) {
	marketing, service = d.flight, serviceInFlight
	if d.o.Virtual {
		return marketing, service
	}
	for _, h := range d.held { // order does not matter: counted
		if h.service {
			service--
		} else {
			marketing--
		}
	}
	return max(marketing, 0), max(service, 0)
}

// due returns the deliveries that are due, the most urgent first, each class up to
// its own room: however many service messages wait behind a provider that hangs,
// marketing is seen behind them.
func (d *Dispatch) due(ctx context.Context, now event.Time, marketing, service int) ([]store.Ref, error) {
	owed, err := d.o.Store.DueWithin(ctx, decision.ServiceFirst, decision.ServiceFirst, now, service)
	if err != nil || marketing == 0 {
		return owed, err
	}
	offered, err := d.o.Store.DueWithin(ctx, decision.ServiceFirst+1, math.MaxInt32, now, marketing)
	return append(owed, offered...), err
}

// only returns the key of which one delivery is begun: one address in one run of a
// campaign that writes once to each. The zero key asks for nothing.
func (d *Dispatch) only(c *engine.Claim, address string) (key [16]byte) {
	run, ok := journey.RunOf(c.Delivery.Key)
	once, _ := c.Delivery.Props.Get(journey.PropOnce)
	if !ok || once.Kind != event.True {
		return key
	}
	subject := d.o.Subject(c.Delivery.Channel, address)
	sum := sha256.Sum256(append(subject[:], c.Delivery.Journey+"\x00"+run...))
	copy(key[:], sum[:])
	return key
}

// twins parts claims into those that may be handed over side by side, and those
// whose address another of them has: so that, under a virtual clock, which of two
// is the first does not hang on which worker is faster.
func (d *Dispatch) twins(claims []engine.Claim) (first, second []engine.Claim) {
	seen := map[[16]byte]struct{}{}
	for _, c := range claims {
		key := d.only(&c, c.Profile.Address(c.Delivery.Channel))
		_, again := seen[key]
		if key != ([16]byte{}) && again {
			second = append(second, c)
			continue
		}
		seen[key] = struct{}{}
		first = append(first, c)
	}
	return first, second
}

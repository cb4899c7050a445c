package profile

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
)

// Health is what a channel said of an address.
type Health struct {
	Channel string
	Address string
	State   AddressState
	At      event.Time
	Why     string // the provider's words
	Soft    int32  // soft bounces in a row
}

// AddressState says whether an address may be written to.
type AddressState uint8

// The states of an address. They are stored: never renumber.
const (
	Healthy    AddressState = 0
	Bounced    AddressState = 1 // it does not exist
	Complained AddressState = 2 // its owner called our mail spam
)

// Limits of what is remembered of addresses.
const (
	// MaxHealth bounds the addresses of one customer: nobody has fifty, and a
	// provider that makes up a new one for each report must not grow the hot row.
	MaxHealth = 50
	// maxWhy bounds the provider's words, in bytes: two lines on a page.
	maxWhy = 200
	// maxAddress bounds an address in bytes: the longest that RFC 5321 allows.
	maxAddress = 320
)

// Ails notes what a channel said of an address. Of two ills the graver holds,
// whichever was heard first; that it is healthy again holds over what was said
// before. Beyond [MaxHealth] the oldest word goes that is no complaint.
func (p *Profile) Ails(h Health) {
	h.Channel, h.Address, h.Why = clip(h.Channel, 32), clip(h.Address, maxAddress), clip(h.Why, maxWhy)
	i, found := slices.BinarySearchFunc(p.Health, h, compareHealth)
	if found {
		if h.outweighs(&p.Health[i]) {
			p.Health = slices.Clone(p.Health)
			p.Health[i] = h
		}
		return
	}
	list := slices.Insert(slices.Clip(p.Health), i, h)
	if len(list) > MaxHealth {
		oldest := -1
		for k := range list {
			if list[k].State != Complained && (oldest < 0 || list[k].At < list[oldest].At) {
				oldest = k
			}
		}
		if oldest < 0 {
			return // so many complaints: marketing has ended for this customer
		}
		list = slices.Delete(list, oldest, oldest+1)
	}
	p.Health = list
}

func compareHealth(a, b Health) int {
	return cmp.Or(strings.Compare(a.Channel, b.Channel), strings.Compare(a.Address, b.Address))
}

// outweighs reports whether h holds rather than o, which speaks of the same
// address. It is a total order of any two, so it does not matter which is known.
func (h *Health) outweighs(o *Health) bool {
	// Soft bounces in a row weigh least: they never take back that an address does
	// not exist.
	if h.soft() || o.soft() {
		if h.soft() != o.soft() {
			return o.soft()
		}
		return cmp.Or(cmp.Compare(h.Soft, o.Soft), cmp.Compare(h.At, o.At), strings.Compare(h.Why, o.Why)) > 0
	}
	if (h.State == Healthy) != (o.State == Healthy) {
		return h.At > o.At || h.At == o.At && o.State == Healthy
	}
	return cmp.Or(cmp.Compare(h.State, o.State), cmp.Compare(h.At, o.At), strings.Compare(h.Why, o.Why)) > 0
}

func (h *Health) soft() bool { return h.State == Healthy && h.Soft > 0 }

// HealthOf returns what is known of an address; the zero Health if nothing.
func (p *Profile) HealthOf(channel, address string) Health {
	for i := range p.Health {
		if h := &p.Health[i]; h.Channel == channel && h.Address == address {
			return *h
		}
	}
	return Health{Channel: channel, Address: address}
}

// Reachable reports whether the customer has an address on the channel that may
// be written to. It says nothing of consent.
func (p *Profile) Reachable(channel string) bool {
	a := p.Address(channel)
	return a != "" && p.HealthOf(channel, a).State == Healthy
}

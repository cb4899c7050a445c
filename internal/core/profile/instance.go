package profile

import (
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Instance is one customer in one journey.
type Instance struct {
	Journey string
	Version uint64 // of the journey's definition: people inside keep theirs
	Key     string // what makes the instance one of its kind: an order id, a cart id; may be empty
	Step    string // where the customer is

	Entered  event.Time
	Since    event.Time // when the step was reached
	Wake     event.Time // when the step goes on by itself; event.Never: only an event moves it
	Check    event.Time // when an exit, a goal or an awaited condition may change by itself; event.Never: not by itself
	Arrivals int32      // steps reached so far: makes a step in a loop a new occurrence
	Burst    int32      // steps reached at the instant Since: a path that never waits is stopped by it
	Sent     int32      // messages of this run that were let on their way
	Unsent   int32      // messages of this run that were not
	Held     bool       // in the journey's holdout: walks it and gets nothing

	Trigger   event.ID // the event that let the customer in; empty: no event did
	TriggerAt event.Time
	Name      string       // of the trigger event
	Props     event.Object // of the trigger event, for conditions and templates; at most MaxTrigger bytes

	Product string     // the SKU whose own rhythm the customer waits for; empty: none
	Waiting DeliveryID // the message that the step waits for; zero: none
}

// MaxTrigger bounds the properties that an instance carries. A larger trigger
// is carried without its lists.
const MaxTrigger = 4 << 10

// Past is what re-entry rules need of a customer's earlier runs of a journey.
type Past struct {
	Journey string
	Entered event.Time // last
	Left    event.Time // last; zero: still inside
	Times   int32      // entries so far
	Keys    []uint64   // hashes of the keys that entered, newest last; at most MaxKeys
}

// MaxKeys bounds the keys that a re-entry rule remembers.
const MaxKeys = 64

// appendWalk appends where the customer is: the part of an instance that changes
// with every step, for the hot row.
func appendWalk(dst []byte, in *Instance) []byte {
	dst = wire.Text(dst, in.Step)
	dst = wire.Varint(dst, int64(in.Since))
	dst = appendInstant(dst, in.Wake, in.Since)
	dst = appendInstant(dst, in.Check, in.Since)
	dst = wire.Varint(dst, int64(in.Arrivals))
	dst = wire.Varint(dst, int64(in.Burst))
	dst = wire.Varint(dst, int64(in.Sent))
	dst = wire.Varint(dst, int64(in.Unsent))
	if in.Waiting == (DeliveryID{}) {
		return append(dst, 0)
	}
	return append(append(dst, 1), in.Waiting[:]...)
}

func readWalk(r *wire.Reader) (in Instance) {
	in.Step = r.Text()
	in.Since = event.Time(r.Varint())
	in.Wake, in.Check = readInstant(r, in.Since), readInstant(r, in.Since)
	in.Arrivals, in.Burst, in.Sent, in.Unsent = int32(r.Varint()), int32(r.Varint()), int32(r.Varint()), int32(r.Varint())
	if r.Bool() {
		copy(in.Waiting[:], r.Bytes(len(in.Waiting)))
	}
	return in
}

// appendEntry appends what an instance was entered with, for the rest.
func appendEntry(dst []byte, in *Instance) []byte {
	dst = wire.Text(dst, in.Journey)
	dst = wire.Fixed(dst, in.Version)
	dst = wire.Text(dst, in.Key)
	dst = wire.Varint(dst, int64(in.Entered))
	dst = wire.Bool(dst, in.Held)
	dst = wire.Text(dst, in.Trigger)
	dst = wire.Varint(dst, int64(in.TriggerAt))
	dst = wire.Text(dst, in.Name)
	dst = wire.Text(dst, in.Props)
	return wire.Text(dst, in.Product)
}

func readEntry(r *wire.Reader, in *Instance) {
	in.Journey, in.Version, in.Key = r.Text(), r.Fixed(), r.Text()
	in.Entered, in.Held = event.Time(r.Varint()), r.Bool()
	in.Trigger, in.TriggerAt = event.ID(r.Text()), event.Time(r.Varint())
	in.Name, in.Props, in.Product = r.Text(), event.Object(r.Text()), r.Text()
}

// sameEntries reports whether the instances were entered with the same.
func sameEntries(a, b []Instance) bool {
	if same(a, b) {
		return true
	}
	return slices.EqualFunc(a, b, func(a, b Instance) bool {
		a.Step, a.Since, a.Wake, a.Check, a.Waiting = b.Step, b.Since, b.Wake, b.Check, b.Waiting
		a.Arrivals, a.Burst, a.Sent, a.Unsent = b.Arrivals, b.Burst, b.Sent, b.Unsent
		return a == b
	})
}

func appendPast(dst []byte, p *Past) []byte {
	dst = wire.Text(dst, p.Journey)
	dst = wire.Varint(dst, int64(p.Entered))
	dst = wire.Varint(dst, int64(p.Left))
	dst = wire.Varint(dst, int64(p.Times))
	dst = wire.Uvarint(dst, uint64(len(p.Keys)))
	for _, k := range p.Keys {
		dst = wire.Fixed(dst, k)
	}
	return dst
}

func readPast(r *wire.Reader) (p Past) {
	p.Journey = r.Text()
	p.Entered = event.Time(r.Varint())
	p.Left = event.Time(r.Varint())
	p.Times = int32(r.Varint())
	for n := r.Len(8); n > 0; n-- {
		p.Keys = append(p.Keys, r.Fixed())
	}
	return p
}

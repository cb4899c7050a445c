package store

import (
	"context"

	"rapport/internal/core/profile"
)

// Cleaner is how a store forgets what a commit does not reach when it forgets a
// person: what stands among others' in one block, what nobody looks for by
// person, and what is deleted and still lies in the files. These calls are slow
// and rare, and run beside commits.
type Cleaner interface {
	// RewriteFeed calls clean with every feed block of every lane, each lane's in
	// order. If clean reports a change, its body takes the block's place; an empty
	// one deletes the block. Blocks that are committed meanwhile may be missed. The
	// caller may commit meanwhile.
	RewriteFeed(ctx context.Context, clean func(Feed) (body []byte, changed bool, err error)) error

	// PruneQuarantine deletes what gone reports true of, and returns how much that
	// was. What is put aside meanwhile may be missed.
	PruneQuarantine(ctx context.Context, gone func(Quarantine) bool) (int64, error)

	// Everything yields every text and every run of bytes that the store holds, with
	// the name of its table, whatever leads to it or not. It serves the proof that
	// something is in none of them.
	Everything(ctx context.Context, yield func(table string, cell []byte) error) error

	// Compact returns once nothing that was deleted or overwritten before is left
	// in the files. It may write all of them anew, and holds back commits for as
	// long; readers go on. A store without files has nothing to do.
	Compact(ctx context.Context) error
}

// Stripped returns what is kept of a delivery whose customer was erased: that a
// message of a journey was in this state, so that sums stay right. It names no
// customer, no product and no reason.
func Stripped(d Delivery) Delivery {
	state, because := d.State, d.Because
	if state.Open() {
		state, because = profile.Dropped, Erased
	}
	return Delivery{
		Delivery: profile.Delivery{
			ID: d.ID, State: state, Class: d.Class, Channel: d.Channel, Purpose: d.Purpose, Journey: d.Journey, Version: d.Version, Step: d.Step,
			Template: d.Template, Priority: d.Priority, Fence: d.Fence, Planned: d.Planned, NotBefore: d.NotBefore, Expires: d.Expires,
		},
		Because: because, Changed: d.Changed,
	}
}

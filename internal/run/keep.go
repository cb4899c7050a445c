package run

import (
	"context"
	"time"

	"rapport/internal/core/event"
)

// KeepLog is how long the log keeps what every reader has passed. It is a buffer:
// the archive is the history of each profile. So it is also how long an erasure
// takes at most, a day's work after it.
const KeepLog = 24 * time.Hour

// KeepEvery is how often a [Keeper] should look.
const KeepEvery = time.Hour

// Keeper lets the log forget what is old, and takes those who were erased out of
// the files once the log has forgotten them. It is used by one goroutine.
type Keeper struct {
	n      *Node
	passed []passed // the oldest first
}

// passed says how far a lane's readers were at an instant.
type passed struct {
	at   event.Time
	lane int
	seq  uint64
}

// Keeper returns a keeper, to be called every [KeepEvery]. A new one trims nothing
// for the first [KeepLog], because it cannot know how old records are.
func (n *Node) Keeper() *Keeper { return &Keeper{n: n} }

// Round does what is due.
func (k *Keeper) Round(ctx context.Context) error {
	now := k.n.o.Clock.Now()
	for lane := range k.n.o.Log.Lanes() {
		pos, err := k.n.o.Store.Position(ctx, lane)
		if err != nil {
			return err
		}
		k.passed = append(k.passed, passed{now, lane, pos.Seq})
	}
	for len(k.passed) > 0 && now.Sub(k.passed[0].at) >= KeepLog {
		if err := k.n.o.Log.Trim(ctx, k.passed[0].lane, k.passed[0].seq); err != nil {
			return err
		}
		k.passed = k.passed[1:]
	}
	if since, wait := k.n.erasures.Waiting(); wait && now.Sub(since) >= KeepLog {
		return k.n.Sweep(ctx)
	}
	return nil
}

// Package storetest is the conformance suite of the store and of the ledger:
// what every implementation of [store.Store] and [store.Ledger] promises. A
// promise that is not here is not a promise.
package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Open opens an empty store. Each call of reopen closes the opening before it
// and opens the same state again, as a new process would. The suite closes the
// last opening.
type Open func(t *testing.T) (s store.Store, reopen func() store.Store)

// Run runs the suite of the store.
func Run(t *testing.T, open Open) {
	tests := []struct {
		name string
		run  func(t *testing.T, open Open)
	}{
		{"a lane that was never committed is before everything", before},
		{"a commit moves the position of its lane and of no other", moves},
		{"a stale commit is a Conflict and changes nothing", stale},
		{"a commit in another epoch is a Conflict", otherEpoch},
		{"of two engines with one position exactly one commits", twoEngines},
		{"a commit that is only seen in part is never seen", wholeOnly},
		{"an ended context commits nothing", endedCommit},
		{"the bytes of a commit are the caller's again", copiedIn},
		{"the bytes of an answer are the caller's", copiedOut},
		{"of two rows with one key in a commit the later is true", later},

		{"Load keeps the order and says nil where there is nothing", loads},
		{"Load finds thousands of rows", loadsMany},
		{"profiles come in order of id from the one asked for", profiles},
		{"who lives somewhere comes without the signposts", signposts},
		{"rows keep their numbers", numbers},
		{"what seldom changes stays until it is written or taken away", rests},

		{"history comes in the order of its commits", history},
		{"history of several strands is one sequence", strands},
		{"histories of many strands come one by one", histories},
		{"history keeps its order when months go back and forth", months},
		{"fingerprints are found by month and in all months", fingerprints},

		{"due alarms come earliest first within the range and the limit", due},
		{"an alarm that is gone is not due", alarmGone},
		{"an alarm that is kept stays what it was", alarmKept},
		{"the next alarm is the earliest in the range", nextAlarm},

		{"due deliveries come by priority, instant and id", dueDeliveries},
		{"a delivery that is no longer planned is not due", noLongerPlanned},
		{"a delivery that never comes is not due", neverDue},
		{"the next delivery is the earliest that is planned", nextDelivery},
		{"deliveries are found by state after an id", inState},
		{"a delivery comes back whole", wholeDelivery},
		{"a new state keeps what it does not tell", keeps},
		{"a delivery that does not exist is NotFound", noDelivery},
		{"deliveries of a customer come last planned first", deliveriesOf},
		{"all deliveries come in order of id", allDeliveries},
		{"a caller may stop and commit between two deliveries", commitBetween},
		{"deliveries are counted by state, journey, channel and reason", counts},

		{"members come in order of id", members},
		{"members are counted once however often they enter and leave", segmentCounts},

		{"the runs of a lane's campaigns come back whole, in the order of their first commit", runs},

		{"forwards wait in order until they are forwarded", forwards},
		{"forwards of another lane stay", forwardsOfOthers},
		{"feed blocks come in order after a sequence", feed},
		{"a commit with nothing to tell has no feed block", noFeed},
		{"quarantine comes back whole, the last first", quarantine},
		{"a program is kept under its hash", programs},
		{"numbers keep all their bits", bits},
		{"sizes are counted", stats},

		{"a commit that forgets a person leaves nothing of them and all of the others", forgets},
		{"feed blocks are rewritten and deleted as the caller says", rewritesFeed},
		{"quarantine is pruned as the caller says", prunes},

		{"everything is there after a reopening", durable},
		{"after Close every call is Unavailable", closed},
		{"readers and writers do not disturb each other", concurrent},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open)
		})
	}
}

// opened opens a store that is closed when the test ends.
func opened(t *testing.T, open Open) store.Store {
	t.Helper()
	s, _ := open(t)
	t.Cleanup(func() { mustClose(t, s) })
	return s
}

func mustClose(t *testing.T, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// writer commits one batch after another to a lane.
type writer struct {
	t    *testing.T
	s    store.Store
	lane int
	pos  store.Position
}

// turns are those of every position that a writer leaves.
var turns = [store.MaxTurns]store.Turn{{Program: 3, Since: 1, Swept: store.Everybody}, {Program: 4, Since: 2, Swept: 9}}

func newWriter(t *testing.T, s store.Store) *writer { return &writer{t: t, s: s} }

// commit commits c at the writer's position and moves on by ten.
func (w *writer) commit(c store.Commit) {
	w.t.Helper()
	c.Lane, c.From = w.lane, w.pos
	c.To = store.Position{Epoch: 7, Seq: w.pos.Seq + 10, Now: w.pos.Now + 1, Turns: turns}
	if err := w.s.Commit(w.t.Context(), &c); err != nil {
		w.t.Fatalf("Commit = %v", err)
	}
	w.pos = c.To
}

// person returns the n-th id: in the order of n, and spread over the partitions.
func person(n int) (id identity.ID) {
	binary.BigEndian.PutUint16(id[:], uint16(n))
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

// parcel returns the n-th delivery id, in the order of n.
func parcel(n int) profile.DeliveryID { return profile.DeliveryID(person(n)) }

// row is a hot row without an alarm.
func row(n int, body string) store.Row {
	return store.Row{ID: person(n), Alarm: event.Never, Body: []byte(body)}
}

// planned is a delivery to one person that waits.
func planned(n, to int, channel string, priority int32, notBefore event.Time) store.Delivery {
	return store.Delivery{
		Delivery: profile.Delivery{
			ID: parcel(n), State: profile.Planned, Channel: channel, Journey: "welcome", Priority: priority,
			Planned: event.Time(1000 + n), NotBefore: notBefore, Expires: event.Never,
		},
		Profile: person(to),
		Changed: 5,
	}
}

// equal fails the test if the two differ. Nothing and an empty list are the same.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	// The numbers of rows have a test of their own.
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(store.Row{}, "Number")); diff != "" {
		t.Fatalf("%s differs (-want +got):\n%s", what, diff)
	}
}

// must returns v, and fails the test if there is an error.
func must[V any](t *testing.T, v V, err error) V {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
	return v
}

// refused fails the test unless err is a fault of the kind.
func refused(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("error = %v, want a fault of kind %q", err, kind)
	}
}

// cancelled is a context that has ended.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func ended(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error = %v, want that of the context", err)
	}
}

func ids(rows []store.Row) []identity.ID {
	found := make([]identity.ID, len(rows))
	for i := range rows {
		found[i] = rows[i].ID
	}
	return found
}

func people(numbers ...int) []identity.ID {
	found := make([]identity.ID, len(numbers))
	for i, n := range numbers {
		found[i] = person(n)
	}
	return found
}

func parcelsOf(refs []store.Ref) []profile.DeliveryID {
	found := make([]profile.DeliveryID, len(refs))
	for i := range refs {
		found[i] = refs[i].ID
	}
	return found
}

func parcels(numbers ...int) []profile.DeliveryID {
	found := make([]profile.DeliveryID, len(numbers))
	for i, n := range numbers {
		found[i] = parcel(n)
	}
	return found
}

// last is the greatest id.
var last = identity.ID{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}

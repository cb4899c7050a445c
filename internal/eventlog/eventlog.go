// Package eventlog is the port to the log: where everything that the product
// hears becomes durable, in the order in which it was heard.
//
// There is one log for each lane. A [Record] is the group-committed batch of
// everything that arrived while the batch before it was being written; what is
// inside is the engine's affair. The log stamps each record with `now`, the one
// clock that the core may believe: it never runs backwards within a lane.
package eventlog

import (
	"context"

	"rapport/internal/core/event"
)

// Position is a place in a lane's log. A new log has a new epoch, so a position
// of a lost or restored log is never taken for one in this log. The zero
// Position is before the first record of any epoch.
type Position struct {
	Epoch uint64
	Seq   uint64 // of the last record that was read; the first record has Seq 1
}

// Record is one durable batch.
type Record struct {
	Seq  uint64
	Now  event.Time
	Body []byte
}

// Log is the log of every lane. All its methods may be called from many
// goroutines. There is one implementation to use, natslog; memlog serves tests
// and rehearsals. logtest is the conformance suite.
type Log interface {
	// Append makes body the next record of the lane and returns once it is
	// durable: fsynced, or replicated and fsynced. Records get `now` from the
	// log's clock, never less than the record before. The body is copied: it is
	// the caller's again once Append returns. An error means that the record may
	// or may not be in the log: whoever was promised nothing may send again. A
	// failed fsync makes every later Append fail with Unavailable until the
	// process is started anew; a full disk gives Unavailable and recovers once
	// there is space. More than MaxBody bytes is TooLarge, no bytes or a lane
	// that does not exist is Invalid. When ctx ends first, the error is ctx's.
	Append(ctx context.Context, lane int, body []byte) (Record, error)

	// Read returns the records of the lane after the position, in order and
	// without gaps, at most limit of them; fewer, but at least one, when they
	// come to more than MaxRead bytes. It waits until there is one or ctx ends;
	// then it returns none and no error. A position of another epoch, one whose
	// next record was trimmed away, one beyond the newest record, and a record
	// that can no longer be read are Corrupt: state and log do not belong
	// together. Bodies are shared between readers: nobody may change them.
	Read(ctx context.Context, lane int, after Position, limit int) ([]Record, error)

	// Last returns the position of the lane's newest record, with Seq 0 if there
	// is none.
	Last(ctx context.Context, lane int) (Position, error)

	// Trim forgets the records of the lane up to and including the sequence. The
	// newest record always stays, because the lane's clock continues from it: who
	// must forget that one too appends another first. Readers that still need the
	// records are the caller's care. Trimming twice is trimming once.
	Trim(ctx context.Context, lane int, upTo uint64) error

	// Epoch returns the epoch of the log: chosen at random when it was made.
	Epoch() uint64

	// Lanes returns how many lanes the log has.
	Lanes() int

	// Close ends all calls, which return Unavailable, and releases the files.
	Close() error
}

// MaxBody is the largest body of a record. It bounds what one read brings into
// memory; a batch of 4 MB still holds thousands of events.
const MaxBody = 6 << 20

// TrimSlack is how many bytes must have been appended behind a record, in records
// of a megabyte or less, before a Trim also takes its bytes off the disk and not
// only out of sight: a log is kept in files, and the newest stays. It is more than
// one file of any implementation.
const TrimSlack = 10 << 20

// MaxRead is after how many bytes of bodies a Read stops before its limit of
// records: a reader that is far behind must not fill the memory.
const MaxRead = 8 << 20

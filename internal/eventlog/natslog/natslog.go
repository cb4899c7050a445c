// Package natslog is the event log on NATS JetStream, in this process.
//
// The server is embedded: no port is opened, and nothing has to be installed.
// Each lane is one stream with one subject and a file store that syncs every
// write, so a record is acknowledged only once it is on disk. (The server's own
// default syncs every two minutes and loses acknowledged records.)
//
// What the server does not give is added here:
//
//   - `now`: the first eight bytes of every message. It is taken and the message
//     published under the lane's lock, so the order of `now` is the order of
//     sequences; at opening it continues from the newest record.
//   - The epoch: in a file that is made before the streams, and on each stream.
//     If they do not agree, streams were lost or brought from elsewhere, and the
//     log gets a new epoch.
//   - Bad disks. The server answers nothing when a write fails, so its log is
//     listened to. A failed fsync ends appending for good, because nobody knows
//     what is on disk; a full disk ends it until there is space, and then the
//     server is started again over what it has. See trouble.go and settle.go.
//   - The newest records stay in memory: a reader that keeps up never asks the
//     server.
package natslog

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
)

// MaxLanes is how many lanes a log may have: each holds files and memory, and
// more than this many owners share no machine.
const MaxLanes = 256

// Options say where the log is and how it behaves.
type Options struct {
	// Dir is the folder of the log. It is made if it is not there. One process
	// at a time may have it open.
	Dir string
	// Lanes is how many lanes the log has. A log that was made with another
	// number cannot be opened. Default: 1.
	Lanes int
	// Now is the clock of the records. Default: the system's clock.
	Now func() event.Time
	// Log hears what an operator should know. Default: nothing is said.
	Log *slog.Logger
}

// Log is the log of all lanes. It implements [eventlog.Log].
type Log struct {
	dir   string
	now   func() event.Time
	say   *slog.Logger
	epoch uint64
	lanes []*lane
	lock  *os.File

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	once   sync.Once
	err    error // of Close

	mu      sync.Mutex // held while the engine is exchanged
	engine  *engine    // nil between a full disk and the next start that works
	probeAt time.Time  // when space may be looked for again; under mu
	startAt time.Time  // when the next start may be tried; under mu
	failed  atomic.Pointer[trouble]
}

// Open opens the log in o.Dir, or makes it. What a crash left is brought in
// order first. The error is Conflict if another process has the log open,
// Invalid if the options do not fit the log, Unavailable if the disk does not
// take what opening writes, and Corrupt if the newest record of a lane cannot be
// read.
func Open(ctx context.Context, o Options) (*Log, error) {
	if o.Lanes == 0 {
		o.Lanes = 1
	}
	if o.Lanes < 1 || o.Lanes > MaxLanes {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("a log has 1 to %d lanes, not %d", MaxLanes, o.Lanes))
	}
	if o.Dir == "" {
		return nil, fault.New(fault.Invalid, "the log needs a folder")
	}
	if o.Now == nil {
		o.Now = func() event.Time { return event.At(time.Now()) }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding the folder of the log: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, diskFault(err, "the folder of the log cannot be made")
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	l := &Log{dir: dir, now: o.Now, say: o.Log, lock: lock}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	for i := range o.Lanes {
		l.lanes = append(l.lanes, newLane(i))
	}
	if l.epoch, err = loadEpoch(dir, o.Lanes); err == nil {
		err = l.start(ctx, true)
	}
	if err != nil {
		l.cancel()
		_ = lock.Close() // the error that matters is err
		return nil, fmt.Errorf("opening the log in %s: %w", dir, err)
	}
	return l, nil
}

// Last implements [eventlog.Log].
func (l *Log) Last(_ context.Context, n int) (eventlog.Position, error) {
	ln, err := l.lane(n)
	if err != nil {
		return eventlog.Position{}, err
	}
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return eventlog.Position{Epoch: l.epoch, Seq: ln.last}, nil
}

// Epoch implements [eventlog.Log].
func (l *Log) Epoch() uint64 { return l.epoch }

// Lanes implements [eventlog.Log].
func (l *Log) Lanes() int { return len(l.lanes) }

// Close implements [eventlog.Log].
func (l *Log) Close() error {
	l.once.Do(func() {
		l.cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.engine != nil {
			l.engine.stop()
			l.engine = nil
		}
		l.err = l.lock.Close()
	})
	return l.err
}

// lane returns the lane of a call; an error if there is none or the log is closed.
func (l *Log) lane(n int) (*lane, error) {
	if l.ctx.Err() != nil {
		return nil, errClosed()
	}
	if n < 0 || n >= len(l.lanes) {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("lane %d does not exist: the log has %d", n, len(l.lanes)))
	}
	return l.lanes[n], nil
}

func errClosed() error { return fault.New(fault.Unavailable, "the log is closed") }

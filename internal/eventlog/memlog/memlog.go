// Package memlog is the event log in memory, for tests, stories and rehearsals.
//
// It keeps every promise of [eventlog.Log] but the one it cannot: its records
// end with the process. A crash is played by [Log.Reopen], which gives a new log
// over the same records, as a new process would find them.
package memlog

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
)

// Log is one opening of a log in memory. It implements [eventlog.Log].
type Log struct {
	now    func() event.Time
	disk   *disk
	closed chan struct{}
	once   sync.Once
}

// disk is what survives a Close.
type disk struct {
	epoch uint64
	lanes []*lane
}

type lane struct {
	mu      sync.Mutex
	first   uint64            // sequence of the oldest record that is left, at least 1
	records []eventlog.Record // first, first+1, …
	grown   chan struct{}     // closed and replaced by every Append
}

// New returns an empty log with a new epoch. It panics if lanes is not positive.
func New(lanes int, now func() event.Time) *Log {
	if lanes < 1 {
		panic("memlog: a log needs at least one lane")
	}
	d := &disk{epoch: newEpoch()}
	for range lanes {
		d.lanes = append(d.lanes, &lane{first: 1, grown: make(chan struct{})})
	}
	return &Log{now: now, disk: d, closed: make(chan struct{})}
}

// Reopen closes l and returns another log over the same records with the same
// epoch. A nil clock keeps the one of l.
func (l *Log) Reopen(now func() event.Time) *Log {
	_ = l.Close() // cannot fail
	if now == nil {
		now = l.now
	}
	return &Log{now: now, disk: l.disk, closed: make(chan struct{})}
}

// Append implements [eventlog.Log].
func (l *Log) Append(ctx context.Context, n int, body []byte) (eventlog.Record, error) {
	ln, err := l.lane(n)
	if err != nil {
		return eventlog.Record{}, err
	}
	switch {
	case len(body) > eventlog.MaxBody:
		return eventlog.Record{}, fault.New(fault.TooLarge, fmt.Sprintf("a record of %d bytes is over the limit of %d", len(body), eventlog.MaxBody))
	case len(body) == 0:
		return eventlog.Record{}, fault.New(fault.Invalid, "a record without a body")
	case ctx.Err() != nil:
		return eventlog.Record{}, ctx.Err()
	}
	ln.mu.Lock()
	defer ln.mu.Unlock()
	r := eventlog.Record{Seq: ln.last() + 1, Now: l.now(), Body: slices.Clone(body)}
	if len(ln.records) > 0 {
		r.Now = max(r.Now, ln.records[len(ln.records)-1].Now)
	}
	ln.records = append(ln.records, r)
	close(ln.grown)
	ln.grown = make(chan struct{})
	return r, nil
}

// Read implements [eventlog.Log].
func (l *Log) Read(ctx context.Context, n int, after eventlog.Position, limit int) ([]eventlog.Record, error) {
	ln, err := l.lane(n)
	if err != nil {
		return nil, err
	}
	if limit < 1 {
		return nil, fault.New(fault.Invalid, "a limit of at least one record is expected")
	}
	if after != (eventlog.Position{}) && after.Epoch != l.disk.epoch {
		return nil, fault.New(fault.Corrupt, fmt.Sprintf("lane %d: the position is of epoch %x, the log is of %x", n, after.Epoch, l.disk.epoch))
	}
	for {
		rs, grown, err := ln.after(n, after.Seq, limit)
		if err != nil || len(rs) > 0 {
			return rs, err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, nil
		case <-l.closed:
			return nil, errClosed()
		}
	}
}

// after returns the records after seq; if there are none yet, a channel that is
// closed when there are.
func (ln *lane) after(n int, seq uint64, limit int) ([]eventlog.Record, <-chan struct{}, error) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	switch last := ln.last(); {
	case seq > last:
		return nil, nil, fault.New(fault.Corrupt, fmt.Sprintf("lane %d: the position %d is beyond the newest record %d", n, seq, last))
	case seq+1 < ln.first:
		return nil, nil, fault.New(fault.Corrupt, fmt.Sprintf("lane %d: record %d was trimmed away, the oldest is %d", n, seq+1, ln.first))
	}
	var out []eventlog.Record
	bytes := 0
	for _, r := range ln.records[seq+1-ln.first:] {
		if len(out) == limit || bytes > eventlog.MaxRead {
			break
		}
		out = append(out, r)
		bytes += len(r.Body)
	}
	return out, ln.grown, nil
}

// Last implements [eventlog.Log].
func (l *Log) Last(_ context.Context, n int) (eventlog.Position, error) {
	ln, err := l.lane(n)
	if err != nil {
		return eventlog.Position{}, err
	}
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return eventlog.Position{Epoch: l.disk.epoch, Seq: ln.last()}, nil
}

// Trim implements [eventlog.Log].
func (l *Log) Trim(_ context.Context, n int, upTo uint64) error {
	ln, err := l.lane(n)
	if err != nil {
		return err
	}
	ln.mu.Lock()
	defer ln.mu.Unlock()
	for ln.first <= upTo && len(ln.records) > 1 {
		ln.records[0] = eventlog.Record{} // let the body go
		ln.records, ln.first = ln.records[1:], ln.first+1
	}
	return nil
}

// Epoch implements [eventlog.Log].
func (l *Log) Epoch() uint64 { return l.disk.epoch }

// Lanes implements [eventlog.Log].
func (l *Log) Lanes() int { return len(l.disk.lanes) }

// Close implements [eventlog.Log]. The records stay for Reopen.
func (l *Log) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *Log) lane(n int) (*lane, error) {
	select {
	case <-l.closed:
		return nil, errClosed()
	default:
	}
	if n < 0 || n >= len(l.disk.lanes) {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("lane %d does not exist: the log has %d", n, len(l.disk.lanes)))
	}
	return l.disk.lanes[n], nil
}

func (ln *lane) last() uint64 { return ln.first + uint64(len(ln.records)) - 1 }

func errClosed() error { return fault.New(fault.Unavailable, "the log is closed") }

// newEpoch returns a random epoch; zero is left to the zero Position.
func newEpoch() uint64 {
	for {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		if e := binary.LittleEndian.Uint64(b[:]); e != 0 {
			return e
		}
	}
}

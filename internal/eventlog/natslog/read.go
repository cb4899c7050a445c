package natslog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rapport/internal/eventlog"
	"rapport/internal/fault"
)

const (
	// maxBatch bounds the records of one Read, however small they are.
	maxBatch = 4096
	// readLimit is how long the server may take for one Read from disk.
	readLimit = time.Minute
	// readLeast is how long it may, however soon the caller's patience ends.
	readLeast = time.Second
	// readPrefix begins the subjects to which the server sends what was asked for.
	readPrefix = "read."
)

// Read implements [eventlog.Log]. Records that are no longer in memory are asked
// from the server, a batch with one request.
func (l *Log) Read(ctx context.Context, n int, after eventlog.Position, limit int) ([]eventlog.Record, error) {
	ln, err := l.lane(n)
	if err != nil {
		return nil, err
	}
	if limit < 1 {
		return nil, fault.New(fault.Invalid, "a limit of at least one record is expected")
	}
	if after != (eventlog.Position{}) && after.Epoch != l.epoch {
		return nil, fault.New(fault.Corrupt, fmt.Sprintf("lane %d: the position is of epoch %x, the log is of %x", n, after.Epoch, l.epoch))
	}
	limit = min(limit, maxBatch)
	for {
		ln.mu.Lock()
		first, last := ln.first, ln.last
		found := ln.tail.from(after.Seq+1, limit)
		var grown <-chan struct{}
		if after.Seq == last {
			grown = ln.wait()
		}
		ln.mu.Unlock()
		switch {
		case after.Seq > last:
			return nil, fault.New(fault.Corrupt, fmt.Sprintf("lane %d: the position %d is beyond the newest record %d", n, after.Seq, last))
		case after.Seq+1 < first:
			return nil, fault.New(fault.Corrupt, fmt.Sprintf("lane %d: record %d was trimmed away, the oldest is %d", n, after.Seq+1, first))
		case len(found) > 0:
			return found, nil
		case grown == nil:
			return l.fetch(ctx, ln, after.Seq+1, min(limit, int(last-after.Seq)))
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, nil
		case <-l.ctx.Done():
			return nil, errClosed()
		}
	}
}

// fetch reads up to limit records, from seq on, from the server. The caller knows
// that they were there: a deadline is how long to wait for what is not, and a reader
// that has a millisecond for that would never get what is in the server alone.
func (l *Log) fetch(ctx context.Context, ln *lane, seq uint64, limit int) ([]eventlog.Record, error) {
	l.mu.Lock()
	e := l.engine
	l.mu.Unlock()
	if e == nil {
		return nil, l.why()
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, nil
	}
	within := readLimit
	if until, ends := ctx.Deadline(); ends {
		within = min(max(time.Until(until), readLeast), readLimit)
	}
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})()
	inbox := readPrefix + strconv.FormatUint(e.reads.Add(1), 10)
	sub, err := e.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the log's server is not there: read again")
	}
	defer func() { _ = sub.Unsubscribe() }()             // fails only if the connection is gone
	if err := sub.SetPendingLimits(-1, -1); err != nil { // the request bounds what comes
		return nil, fault.Wrap(fault.Unavailable, err, "the log's server is not there: read again")
	}
	request := fmt.Appendf(nil, `{"seq":%d,"batch":%d,"max_bytes":%d}`, seq, limit, eventlog.MaxRead)
	if err := e.nc.PublishRequest("$JS.API.DIRECT.GET."+ln.stream, inbox, request); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the log's server is not there: read again")
	}
	var out []eventlog.Record
	for len(out) < limit {
		m, err := sub.NextMsgWithContext(timed)
		switch {
		case err != nil && l.ctx.Err() != nil:
			return nil, errClosed()
		case err != nil && ctx.Err() != nil:
			return out, nil
		case err != nil:
			return nil, fault.Wrap(fault.Unavailable, err, "the log's server does not answer: read again")
		}
		if m.Header.Get("Status") != "" {
			break // the end of the batch, or there is no such record
		}
		r, err := recordOf(m)
		if err != nil {
			return nil, fmt.Errorf("lane %d: %w", ln.n, err)
		}
		if r.Seq != seq {
			break
		}
		out = append(out, r)
		seq++
	}
	if len(out) > 0 {
		return out, nil // if there is a gap behind it, the next Read finds it
	}
	return nil, l.missing(ln, seq)
}

// missing says why a record that should be there is not.
func (l *Log) missing(ln *lane, seq uint64) error {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if seq < ln.first {
		return fault.New(fault.Corrupt, fmt.Sprintf("lane %d: record %d was trimmed away, the oldest is %d", ln.n, seq, ln.first))
	}
	return fault.New(fault.Corrupt, fmt.Sprintf("lane %d: record %d is lost or can no longer be read: restore the log from a backup, or sign for going on behind it", ln.n, seq))
}

func recordOf(m *nats.Msg) (eventlog.Record, error) {
	seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return eventlog.Record{}, fault.Wrap(fault.Corrupt, err, "the log's server sent a record without a sequence")
	}
	now, body, err := decode(m.Data)
	if err != nil {
		return eventlog.Record{}, fmt.Errorf("record %d: %w", seq, err)
	}
	return eventlog.Record{Seq: seq, Now: now, Body: body}, nil
}

package eventlog

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"

	"rapport/internal/fault"
)

// MaxPending is how many bytes an [Appender] holds that are not durable yet. It
// is some hundred milliseconds of the fastest disk: more would only turn a slow
// disk into a full memory and late answers.
const MaxPending = 64 << 20

// Appender turns many small writes into few large records. While one record is
// being written, everything that arrives is collected into the next: the busier
// the lane, the larger the records, and nobody waits for a timer. It is the
// group commit above [Log.Append], and its records are read with [EachItem].
//
// All its methods may be called from many goroutines.
type Appender struct {
	log  Log
	lane int
	max  int

	mu      sync.Mutex
	wake    sync.Cond // there is a batch, or closing has begun; its lock is mu
	batches []*batch  // oldest first; only the last one still grows
	pending int       // bytes in batches and in flight
	closing bool
	done    chan struct{} // closed when the last batch was answered
	spare   [][]byte      // buffers to use again, at most maxSpare
}

// AppenderOptions are the choices of an [Appender]. The zero value is good.
type AppenderOptions struct {
	// MaxPending is how many bytes may wait, the record in flight included.
	// Default: the constant MaxPending.
	MaxPending int
}

// batch is a record in the making and the answer to all who are in it.
type batch struct {
	body     []byte
	err      error         // set before answered is closed
	answered chan struct{} // closed once the record is durable or has failed
}

// NewAppender returns an [Appender] of the log's lane. It runs until Close.
func NewAppender(log Log, lane int, o AppenderOptions) *Appender {
	if o.MaxPending <= 0 {
		o.MaxPending = MaxPending
	}
	a := &Appender{log: log, lane: lane, max: o.MaxPending, done: make(chan struct{})}
	a.wake.L = &a.mu
	go a.run()
	return a
}

// Add appends the items, each an encoded entry, and returns once they are
// durable. The items of one call are in one record, next to each other and in
// their order; they are copied at once. Items of calls that overlap have no
// order.
//
// Items that do not fit into one record are TooLarge. Too much waiting already
// is Unavailable, at once and with nothing written: the sender should come back
// later. An error of the log is passed on: the items may or may not be in it.
// When ctx ends first Add returns its error, and the items may still be written.
func (a *Appender) Add(ctx context.Context, items [][]byte) error {
	size := 0
	for _, item := range items {
		size += uvarintLen(len(item)) + len(item)
	}
	switch {
	case size == 0:
		return nil
	case size > MaxBody:
		return fault.New(fault.TooLarge, fmt.Sprintf("%d bytes in one call are more than the log takes at once (%d): send fewer items a call", size, MaxBody))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := a.enqueue(items, size)
	if err != nil {
		return err
	}
	select {
	case <-b.answered:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *Appender) enqueue(items [][]byte, size int) (*batch, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closing {
		return nil, fault.New(fault.Unavailable, "shutting down: send again to the next process")
	}
	if a.pending+size > a.max {
		return nil, fault.New(fault.Unavailable, "more is arriving than the disk can take: send again in a moment")
	}
	a.pending += size
	var b *batch
	if n := len(a.batches); n > 0 && len(a.batches[n-1].body)+size <= MaxBody {
		b = a.batches[n-1]
	} else {
		b = &batch{answered: make(chan struct{})}
		if n := len(a.spare); n > 0 {
			b.body, a.spare = a.spare[n-1], a.spare[:n-1]
		}
		a.batches = append(a.batches, b)
		a.wake.Signal()
	}
	for _, item := range items {
		b.body = binary.AppendUvarint(b.body, uint64(len(item)))
		b.body = append(b.body, item...)
	}
	return b, nil
}

// run writes one batch after the other. A batch is closed to newcomers when its
// writing begins, never earlier: that is what makes records large under load.
func (a *Appender) run() {
	defer close(a.done)
	for {
		b := a.next()
		if b == nil {
			return
		}
		// Not the context of any caller: the record belongs to all of them.
		_, b.err = a.log.Append(context.Background(), a.lane, b.body)
		a.mu.Lock()
		a.pending -= len(b.body)
		if len(a.spare) < maxSpare && cap(b.body) <= maxSpareBytes {
			a.spare = append(a.spare, b.body[:0])
		}
		b.body = nil
		a.mu.Unlock()
		close(b.answered)
		// Those who were just answered often have the next item ready. Letting them
		// run first puts them into the coming record instead of the one after it:
		// with 512 writers records are twice as large, and a quarter more is written
		// in less time each.
		runtime.Gosched()
	}
}

// next waits for a batch and takes it; nil once closing and everything is written.
func (a *Appender) next() *batch {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.batches) == 0 {
		if a.closing {
			return nil
		}
		a.wake.Wait()
	}
	b := a.batches[0]
	a.batches[0] = nil
	a.batches = a.batches[1:]
	return b
}

// Close refuses what comes from now on and returns when everything that was
// accepted has been answered. It may be called twice. It does not close the log.
func (a *Appender) Close() {
	a.mu.Lock()
	a.closing = true
	a.wake.Signal()
	a.mu.Unlock()
	<-a.done
}

// One buffer is in flight while another fills. A buffer that a burst has blown
// up is given back to the collector.
const (
	maxSpare      = 2
	maxSpareBytes = 2 << 20
)

// EachItem calls yield for each item of a body that an [Appender] wrote, in
// order, until it returns an error, and returns that error. The items share the
// body's bytes. A body that is cut off or was written otherwise is Corrupt; the
// items before the fault have been yielded.
func EachItem(body []byte, yield func(item []byte) error) error {
	for at := 0; at < len(body); {
		size, n := binary.Uvarint(body[at:])
		if n <= 0 || size > uint64(len(body)-at-n) {
			return fault.New(fault.Corrupt, fmt.Sprintf("the record is broken at byte %d of %d: an item does not end inside it", at, len(body)))
		}
		at += n
		end := at + int(size)
		if err := yield(body[at:end:end]); err != nil {
			return err
		}
		at = end
	}
	return nil
}

func uvarintLen(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

package natslog

import (
	"encoding/binary"
	"fmt"
	"sync"

	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
)

// lane is what the process knows of one lane. Everything under mu.
type lane struct {
	n      int
	stream string // its stream and the stream's only subject

	mu    sync.Mutex
	now   event.Time    // of the newest record that was published
	first uint64        // the oldest record that may be read, at least 1
	last  uint64        // the newest record known to be durable
	tail  tail          // the newest records
	grown chan struct{} // closed when last grows; nil while nobody waits
}

func newLane(n int) *lane {
	return &lane{n: n, stream: fmt.Sprintf("lane-%04d", n), first: 1}
}

// wake ends the waiting of readers. mu is held.
func (ln *lane) wake() {
	if ln.grown != nil {
		close(ln.grown)
		ln.grown = nil
	}
}

// wait returns a channel that is closed when the lane grows. mu is held.
func (ln *lane) wait() <-chan struct{} {
	if ln.grown == nil {
		ln.grown = make(chan struct{})
	}
	return ln.grown
}

// durable takes a record that the server has acknowledged. mu is held.
func (ln *lane) durable(r eventlog.Record) {
	if r.Seq != ln.last+1 {
		ln.tail = tail{} // it must not have gaps
	}
	ln.last = max(ln.last, r.Seq)
	ln.tail.push(r)
	ln.wake()
}

// tailBytes is how many bytes of the newest bodies a lane keeps in memory. An
// engine that commits every 250 ms stays within it at full speed.
const tailBytes = 16 << 20

// tail is a run of records without gaps that ends with the newest.
type tail struct {
	records []eventlog.Record
	bytes   int
}

func (t *tail) push(r eventlog.Record) {
	t.records = append(t.records, r)
	t.bytes += len(r.Body)
	for t.bytes > tailBytes {
		t.bytes -= len(t.records[0].Body)
		t.records[0] = eventlog.Record{} // let the body go before the array is copied
		t.records = t.records[1:]
	}
}

// from returns records from seq on; none if seq is not in the tail.
func (t *tail) from(seq uint64, limit int) []eventlog.Record {
	if len(t.records) == 0 || seq < t.records[0].Seq {
		return nil
	}
	i := int(seq - t.records[0].Seq)
	bytes := 0
	var out []eventlog.Record
	for ; i < len(t.records) && len(out) < limit && bytes < eventlog.MaxRead; i++ {
		out = append(out, t.records[i])
		bytes += len(t.records[i].Body)
	}
	return out
}

// The head of a message: `now`, little endian. The version of this layout is in
// the epoch file.
const headSize = 8

// encode returns the message of a body; its head is still to be set.
func encode(body []byte) []byte {
	message := make([]byte, headSize+len(body))
	copy(message[headSize:], body)
	return message
}

func setNow(message []byte, now event.Time) { binary.LittleEndian.PutUint64(message, uint64(now)) }

func decode(message []byte) (event.Time, []byte, error) {
	if len(message) <= headSize {
		return 0, nil, fault.New(fault.Corrupt, "a message too short to be a record")
	}
	return event.Time(binary.LittleEndian.Uint64(message)), message[headSize:len(message):len(message)], nil
}

package sqlite

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"sync"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// reserve is space on the disk that was taken in good times, for the
// suppressions that cannot be written when the disk is full or the ledger does not
// work: a person who wants no more messages must not be told to come back later.
// What stands in it counts at once, and goes into the ledger before anything
// begins.
//
// The file is written over in place, so it needs no new blocks. A record is its
// length, its checksum and its body; the first that does not hold ends the list.
type reserve struct {
	mu      sync.Mutex
	f       *os.File
	waiting []store.Suppression
	end     int64
	size    int64 // reserveSize; a test has less
	failed  error // the disk did not confirm a write
}

// reserveSize is room for some eight thousand suppressions: as many as come in
// the hours that it takes somebody to make space.
const reserveSize = 1 << 20

// recordHead is length and checksum.
const recordHead = 8

// openReserve opens the reserve at path and takes its space if it has none.
func openReserve(path string) (*reserve, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, diskFault(err, "the reserve for unsubscribes cannot be opened")
	}
	r := &reserve{f: f, size: reserveSize}
	if err := r.read(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	info, err := f.Stat()
	if err == nil && info.Size() < reserveSize {
		if _, err = f.WriteAt(make([]byte, reserveSize-r.end), r.end); err == nil {
			err = f.Sync()
		}
		if err != nil {
			// On a full disk the server must start all the same; there is no reserve then.
			r.failed = diskFault(err, "there is no room for the reserve for unsubscribes")
		}
	}
	return r, nil
}

func (r *reserve) read() error {
	all, err := io.ReadAll(io.NewSectionReader(r.f, 0, reserveSize))
	if err != nil {
		return diskFault(err, "the reserve for unsubscribes cannot be read")
	}
	for rest := all; len(rest) >= recordHead; {
		n := int(binary.LittleEndian.Uint32(rest))
		if n == 0 || n > len(rest)-recordHead {
			break
		}
		body := rest[recordHead : recordHead+n]
		if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(rest[4:]) {
			break // the end of the machine came while it was written: nobody was told that it is kept
		}
		w := wire.NewReader(string(body))
		s := store.Suppression{Subject: [16]byte([]byte(w.Bytes(16))), Channel: w.Text(), Purpose: w.Text(), Reason: w.Text(), At: event.Time(w.Varint()), By: w.Text()}
		if w.Err() != nil {
			return fault.Wrap(fault.Corrupt, w.Err(), "the reserve for unsubscribes is damaged")
		}
		r.waiting = append(r.waiting, s)
		rest = rest[recordHead+n:]
		r.end = int64(len(all) - len(rest))
	}
	return nil
}

// keep writes a suppression into the reserve. It is durable when keep returns nil.
func (r *reserve) keep(s store.Suppression) error {
	body := append([]byte(nil), s.Subject[:]...)
	body = wire.Text(wire.Text(wire.Text(body, s.Channel), s.Purpose), s.Reason)
	body = wire.Text(wire.Varint(body, int64(s.At)), s.By)
	record := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	record = append(binary.LittleEndian.AppendUint32(record, crc32.ChecksumIEEE(body)), body...)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.failed != nil:
		return r.failed
	case r.end+int64(len(record)) > r.size:
		return fault.New(fault.Unavailable, "the reserve for unsubscribes is full too: free some space on the disk")
	}
	_, err := r.f.WriteAt(record, r.end)
	if err == nil {
		err = r.f.Sync()
	}
	if err != nil {
		// A second sync would say yes to what is gone.
		r.failed = diskFault(err, "the disk did not confirm a write to the reserve for unsubscribes: check it, then start the server again")
		return r.failed
	}
	r.end += int64(len(record))
	r.waiting = append(r.waiting, s)
	return nil
}

// list returns what waits.
func (r *reserve) list() []store.Suppression {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting
}

// drain writes what waits into the ledger. It comes first in each transaction: no
// delivery begins, and no suppression is taken back, before it is there. And it
// comes there once: a second time would bring back what was taken back since.
func (r *reserve) drain(c *conn) (then func(), err error) {
	waiting := r.list()
	for _, s := range waiting {
		if err := suppress(c, s); err != nil {
			return nil, err
		}
	}
	return func() { r.drained(len(waiting)) }, nil
}

// drained forgets the first n of what waits, and the file when nothing does.
func (r *reserve) drained(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = r.waiting[n:]
	if len(r.waiting) > 0 || r.failed != nil || r.end == 0 {
		return
	}
	r.waiting = nil
	// Zeros over the first length end the list; they need not be on disk at once,
	// since suppressing twice is once.
	if _, err := r.f.WriteAt(make([]byte, r.end), 0); err != nil {
		r.failed = diskFault(err, "the reserve for unsubscribes cannot be written")
		return
	}
	r.end = 0
}

// stops returns the first of a list that stops a delivery to the subject; nil: none
// does. An empty channel or purpose is every one.
func stops(list []store.Suppression, subject [16]byte, channel, purpose string) *store.Suppression {
	for i := range list {
		s := &list[i]
		if s.Subject == subject && (s.Channel == "" || s.Channel == channel) && (s.Purpose == "" || s.Purpose == purpose) {
			return s
		}
	}
	return nil
}

// Waiting returns how many suppressions wait in the reserve for the ledger.
func (l *Ledger) Waiting() int { return len(l.reserve.list()) }

func (r *reserve) close() error { return r.f.Close() }

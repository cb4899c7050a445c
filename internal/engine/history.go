package engine

import (
	"sync"

	"github.com/klauspost/compress/zstd"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/store"
)

const anyMonth = store.AnyMonth

// Heard is one event of a history with the instant at which its lane heard it.
type Heard struct {
	Now   event.Time
	Event event.Event
}

// shelf returns the month under which an event stands in the history: that of
// the raw client time, which a client repeats with the message, or of the instant
// heard if it sent none.
func shelf(e *event.Event, now event.Time) int32 {
	if e.Raw != 0 {
		return e.Raw.Month()
	}
	return now.Month()
}

const blockVersion = 1

// smallBlock is the size below which compressing costs more than it saves: one or
// two events shrink by a quarter, for as much time as it takes to apply them.
const smallBlock = 1 << 10

// historyWindow is how far back an encoder looks for repetitions. What one customer
// does between two commits is seldom as much; an encoder keeps twice its window.
const historyWindow = 128 << 10

// encoder compresses with as many encoders as there are processors. They stay: out of
// a pool the collector takes them several times a second, and each that is made anew
// takes megabytes with it.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(historyWindow), zstd.WithEncoderCRC(true))
	if err != nil {
		panic(err) // unreachable: the options are constants
	}
	return z
})

var decoder, _ = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(0))

// unpacked is room for what is decompressed.
var unpacked = sync.Pool{New: func() any { return new([]byte) }}

// appendBlock appends a history block with the events in raw, each the instant at
// which it was heard and then itself.
func appendBlock(dst, raw []byte) []byte {
	if len(raw) < smallBlock {
		return append(append(dst, blockVersion, 0), raw...)
	}
	return encoder().EncodeAll(raw, append(dst, blockVersion, 1))
}

// UnpackHistory returns the events of a history block in the order in which they
// were applied. Damaged bytes give a fault of kind Corrupt.
func UnpackHistory(block []byte) ([]Heard, error) { return unpack(block, nil) }

// unpack is UnpackHistory of the wanted events alone; nil: of all.
func unpack(block []byte, wanted func(event.Type, string) bool) ([]Heard, error) {
	if len(block) < 2 || block[0] != blockVersion {
		return nil, fault.New(fault.Corrupt, "a history block of an unknown version")
	}
	raw := block[2:]
	if block[1] == 1 {
		room := unpacked.Get().(*[]byte)
		defer unpacked.Put(room)
		var err error
		if raw, err = decoder.DecodeAll(raw, (*room)[:0]); err != nil {
			return nil, fault.Wrap(fault.Corrupt, err, "a history block is damaged")
		}
		*room = raw
	}
	var events []Heard
	r := wire.NewReader(string(raw)) // the events are pieces of this copy
	for !r.Done() {
		h := Heard{Now: event.Time(r.Varint()), Event: event.Read(r)}
		if wanted == nil || wanted(h.Event.Type, h.Event.Name) {
			events = append(events, h)
		}
	}
	return events, r.Err()
}

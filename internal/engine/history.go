package engine

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"sync"
	"unsafe"

	"github.com/klauspost/compress/s2"
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

// blockVersion is the first byte of a block. Version 1 had no checksum of its own and
// is still read.
const blockVersion = 2

// How a block is packed, in its second byte: stored, never renumber.
const (
	packedNot  = 0
	packedZstd = 1
	packedS2   = 2
)

// What one customer does between two commits is mostly a few events. For so little
// zstd takes ten times as long as s2, for reading and for writing, since it begins by
// making its tables, and leaves a tenth less.
const (
	smallBlock = 512      // below it nothing is packed: little would be gained
	largeBlock = 16 << 10 // some eighty events: from here on the third that zstd leaves less is worth its tables
)

// blockHead is version, how it is packed, and the checksum of what is packed.
const blockHead = 2 + crc32.Size

// historyWindow is how far back an encoder looks for repetitions; it keeps twice its
// window.
const historyWindow = 128 << 10

// encoder compresses with as many encoders as there are processors. They stay: out of
// a pool the collector takes them several times a second, and each that is made anew
// takes megabytes with it.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(historyWindow), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // unreachable: the options are constants
	}
	return z
})

var decoder, _ = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(0))

var castagnoli = crc32.MakeTable(crc32.Castagnoli) // processors have an instruction for it

// appendBlock appends a history block with the events in raw, each the instant at
// which it was heard and then itself.
func appendBlock(dst, raw []byte) []byte {
	how := byte(packedNot)
	switch {
	case len(raw) >= largeBlock:
		how = packedZstd
	case len(raw) >= smallBlock:
		how = packedS2
	}
	dst = binary.LittleEndian.AppendUint32(append(dst, blockVersion, how), crc32.Checksum(raw, castagnoli))
	switch how {
	case packedZstd:
		return encoder().EncodeAll(raw, dst)
	case packedS2:
		dst = slices.Grow(dst, s2.MaxEncodedLen(len(raw)))
		return dst[:len(dst)+len(s2.Encode(dst[len(dst):cap(dst)], raw))]
	}
	return append(dst, raw...)
}

// mostPacked returns how long a block of so many bytes of events may be.
func mostPacked(raw int) int { return blockHead + s2.MaxEncodedLen(raw) }

// reading is memory that one history after another is read into: the events of the one
// before, and their texts, are written over.
type reading struct {
	events []Heard
	raw    []byte // what was unpacked last, and room for more
}

// readings wait for whoever reads histories next: whoever is live reads a few at a time,
// and each time their memory would be made anew.
var readings = sync.Pool{New: func() any { return &reading{} }}

// done gives the memory back.
func (r *reading) done() {
	r.begin()
	readings.Put(r)
}

// maxReading bounds what stays of it, in bytes: few customers have more.
const maxReading = 1 << 20

// room returns memory for n bytes behind what is in use. If there is none behind it, it
// lies elsewhere: what was unpacked is never copied, however many blocks there are.
func (r *reading) room(n int) []byte {
	used := len(r.raw)
	if cap(r.raw)-used < n {
		r.raw, used = make([]byte, 0, max(n, min(2*cap(r.raw), maxReading))), 0
	}
	return r.raw[used : used : used+n]
}

// fewEvents are as many as there is room for at first; of whom there are more it doubles.
const fewEvents = 32

// begin makes room for the next history.
func (r *reading) begin() {
	if cap(r.raw) > maxReading || cap(r.events) > maxReading/int(unsafe.Sizeof(Heard{})) {
		*r = reading{}
	}
	clear(r.events) // they hold on to blocks
	r.events, r.raw = r.events[:0], r.raw[:0]
}

// unpack returns what is packed in a block; what is not packed is a piece of it.
func (r *reading) unpack(block []byte) (raw []byte, err error) {
	damaged := func(err error) ([]byte, error) {
		return nil, fault.Wrap(fault.Corrupt, err, "a history block is damaged")
	}
	if len(block) < 2 || block[0] == 0 || block[0] > blockVersion {
		return nil, fault.New(fault.Corrupt, "a history block of an unknown version")
	}
	how, packed := block[1], block[2:]
	if block[0] > 1 {
		if len(block) < blockHead {
			return damaged(io.ErrUnexpectedEOF)
		}
		packed = block[blockHead:]
	}
	switch how {
	case packedNot:
		raw = packed
	case packedZstd:
		n := zstdRoom(packed)
		raw, err = decoder.DecodeAll(packed, r.room(n))
		r.raw = r.raw[:len(r.raw)+n] // what is more, in frames that nobody wrote, lies elsewhere
	case packedS2:
		var n int
		if n, err = s2.DecodedLen(packed); err == nil && n >= largeBlock {
			err = s2.ErrTooLarge // we never pack so much with it
		}
		if err == nil {
			raw, err = s2.Decode(r.room(n)[:n], packed)
			r.raw = r.raw[:len(r.raw)+n]
		}
	default:
		return nil, fault.New(fault.Corrupt, "a history block is packed as nothing known")
	}
	if err != nil {
		return damaged(err)
	}
	if block[0] > 1 && crc32.Checksum(raw, castagnoli) != binary.LittleEndian.Uint32(block[2:]) {
		return damaged(errors.New("its checksum is another"))
	}
	return raw, nil
}

// zstdRoom returns how many bytes what is packed with zstd needs to be unpacked into;
// zero: it does not say so, or more than memory is kept for, and takes its own.
func zstdRoom(packed []byte) int {
	var h zstd.Header
	if err := h.Decode(packed); err != nil || !h.HasFCS || h.FrameContentSize > maxReading {
		return 0
	}
	return int(h.FrameContentSize)
}

// UnpackHistory returns the events of a history block in the order in which they
// were applied. They are pieces of the block, which nobody may write into. Damaged
// bytes give a fault of kind Corrupt.
func UnpackHistory(block []byte) ([]Heard, error) {
	r := &reading{}
	err := r.add(block, nil)
	return r.events, err
}

// add appends the wanted events of a block; wanted nil: all of them.
func (r *reading) add(block []byte, wanted func(event.Type, string) bool) error {
	raw, err := r.unpack(block)
	if err != nil {
		return err
	}
	w := wire.NewReader(text(raw))
	for !w.Done() {
		n := len(r.events)
		if n == cap(r.events) {
			r.events = slices.Grow(r.events, max(n, fewEvents))
		}
		r.events = r.events[:n+1]
		h := &r.events[n]
		*h = Heard{Now: event.Time(w.Varint())}
		if wanted == nil {
			h.Event = event.Read(w)
		} else if !h.Event.ReadWanted(w, wanted) {
			*h, r.events = Heard{}, r.events[:n]
		}
	}
	return w.Err()
}

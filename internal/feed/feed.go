// Package feed is what each commit tells whoever learns from it: the events,
// the decisions, the deliveries and the memberships that changed, as rows in the
// order in which they came about. Loaders keep the position of the last block
// together with its rows, so what they count is exact.
//
// A feed holds no names and no addresses: rows carry profile ids, and the
// properties of events without those that identify a person, see [Clean].
package feed

import (
	"github.com/klauspost/compress/zstd"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// Kind says what a [Row] tells.
type Kind uint8

// The kinds of row. They are stored: never renumber.
const (
	Event    Kind = 1 // a customer's event or a receipt
	Fact     Kind = 2 // something the core says of a customer: a journey entered, profiles joined
	Segment  Kind = 3 // a segment entered or left
	Delivery Kind = 4 // a delivery reached a state
	Person   Kind = 5 // what is known of a customer changed
)

// Row is one thing that happened.
type Row struct {
	Kind    Kind
	Profile identity.ID
	At      event.Time // when it happened
	Now     event.Time // when the lane heard it

	Name   string       // event or fact: its name; segment: its name; delivery: the journey
	Origin event.Origin // event
	Known  bool         // event: of a customer who was known by more than a device
	Props  event.Object // event, fact
	Order  *Order       // event: of an order event

	Print   uint64     // event: fingerprint of its id
	Type    event.Type // event
	Source  string     // event: the key that sent it
	Session event.Time // event: when the visit began that it belongs to; 0: none
	Device  string     // event: class of the device; person: of the last one
	Where   string     // event: the channel it came by, as its source names it

	In bool // segment

	ID      profile.DeliveryID // delivery
	State   profile.State
	Class   profile.Class
	Channel string
	Step    string
	Because string

	Version  uint64
	Product  string
	Category string
	Asked    *Asked // the decision that led to it; nil: none did

	Portrait Portrait // person
}

// Order is the money of an order event.
type Order struct {
	ID       string
	Net      money.Micros
	Currency money.Currency
	Units    int64
	Repeated bool // it was told before, and counts once
}

// Asked is what the gate answered.
type Asked struct {
	Claim   bool // asked at the claim, not at planning
	Outcome decision.Outcome
	Rule    decision.Rule
	Reason  string
	Chance  float64
}

// version is that of blocks written now; blocks of version 1 lack what version 2
// added to each row, and blocks before version 3 the stage of life in portraits.
const version = 3

// Append appends the row in the product's own encoding, its properties cleaned.
func (r *Row) Append(dst []byte) []byte {
	dst = append(dst, byte(r.Kind))
	dst = append(dst, r.Profile[:]...)
	dst = wire.Varint(dst, int64(r.Now))
	dst = wire.Varint(dst, int64(r.At-r.Now))
	dst = wire.Text(dst, r.Name)
	switch r.Kind {
	case Event, Fact:
		dst = append(dst, byte(r.Origin))
		dst = wire.Bool(dst, r.Known)
		dst = wire.Text(dst, Clean(r.Props))
		dst = wire.Bool(dst, r.Order != nil)
		if r.Order != nil {
			dst = wire.Text(dst, r.Order.ID)
			dst = wire.Varint(dst, int64(r.Order.Net))
			dst = wire.Text(dst, r.Order.Currency)
			dst = wire.Varint(dst, r.Order.Units)
			dst = wire.Bool(dst, r.Order.Repeated)
		}
		dst = r.appendHeard(dst)
	case Segment:
		dst = wire.Bool(dst, r.In)
	case Delivery:
		dst = append(dst, r.ID[:]...)
		dst = append(dst, byte(r.State), byte(r.Class))
		dst = wire.Text(dst, r.Channel)
		dst = wire.Text(dst, r.Step)
		dst = wire.Text(dst, r.Because)
		dst = r.appendSent(dst)
	case Person:
		dst = r.Portrait.append(dst)
	}
	return dst
}

func read(r *wire.Reader, version byte) (row Row) {
	row.Kind = Kind(r.Byte())
	copy(row.Profile[:], r.Bytes(len(row.Profile)))
	row.Now = event.Time(r.Varint())
	row.At = row.Now + event.Time(r.Varint())
	row.Name = r.Text()
	switch row.Kind {
	case Event, Fact:
		row.Origin = event.Origin(r.Byte())
		row.Known = r.Bool()
		row.Props = event.Object(r.Text())
		if r.Bool() {
			row.Order = &Order{ID: r.Text(), Net: money.Micros(r.Varint()), Currency: money.Currency(r.Text()), Units: r.Varint()}
			if version > 1 {
				row.Order.Repeated = r.Bool()
			}
		}
		if version > 1 {
			row.readHeard(r)
		}
	case Segment:
		row.In = r.Bool()
	case Delivery:
		copy(row.ID[:], r.Bytes(len(row.ID)))
		row.State, row.Class = profile.State(r.Byte()), profile.Class(r.Byte())
		row.Channel, row.Step, row.Because = r.Text(), r.Text(), r.Text()
		if version > 1 {
			row.readSent(r)
		}
	case Person:
		row.Portrait.read(r, version)
	default:
		r.Fail("a feed row of an unknown kind")
	}
	return row
}

// Packer compresses blocks. It is not for use by two goroutines at once.
type Packer struct{ z *zstd.Encoder }

// NewPacker returns a packer.
func NewPacker() *Packer {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // unreachable: the options are constants
	}
	return &Packer{z}
}

// Pack compresses rows that were appended one after the other; nothing gives nothing.
func (p *Packer) Pack(rows []byte) []byte {
	if len(rows) == 0 {
		return nil
	}
	return p.z.EncodeAll(rows, append(make([]byte, 0, len(rows)/3+16), version))
}

// MaxBlock bounds what a block unpacks to.
const MaxBlock = 512 << 20

var unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxBlock), zstd.WithDecoderConcurrency(1))

// Each yields the rows of a packed block in order. Damaged bytes give a fault of
// kind Corrupt.
func Each(block []byte, yield func(Row) error) error {
	if len(block) == 0 {
		return nil
	}
	if block[0] == 0 || block[0] > version {
		return fault.New(fault.Corrupt, "a feed block of an unknown version")
	}
	rows, err := unpacker.DecodeAll(block[1:], nil)
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "a feed block is damaged")
	}
	r := wire.NewReader(string(rows))
	for !r.Done() {
		row := read(r, block[0])
		if r.Err() != nil {
			break
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return r.Err()
}

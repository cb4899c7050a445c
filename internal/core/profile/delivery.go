package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// DeliveryID names one message to one person: the hash of workspace, origin,
// version, step, occurrence, profile and channel. The same decision made twice
// names the same delivery, so it is sent once.
type DeliveryID [16]byte

// String returns the id in hex.
func (d DeliveryID) String() string { return hex.EncodeToString(d[:]) }

// MarshalText returns the id in hex.
func (d DeliveryID) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Zero reports whether d names no delivery.
func (d DeliveryID) Zero() bool { return d == DeliveryID{} }

// ParseDelivery reads a delivery id in hex.
func ParseDelivery(s string) (d DeliveryID, err error) {
	if len(s) != 2*len(d) {
		return DeliveryID{}, fault.New(fault.Invalid, "a delivery id is 32 hex digits")
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return DeliveryID{}, fault.New(fault.Invalid, "a delivery id is 32 hex digits")
	}
	return d, nil
}

// NameDelivery returns the id of a delivery.
func NameDelivery(workspace, origin string, version uint64, step, occurrence string, to identity.ID, channel string) DeliveryID {
	var b []byte
	for _, s := range []string{workspace, origin, strconv.FormatUint(version, 16), step, occurrence, string(to[:]), channel} {
		b = wire.Text(b, s)
	}
	sum := sha256.Sum256(b)
	return DeliveryID(sum[:16])
}

// State is where a delivery stands.
type State uint8

// The states of a delivery. They are stored: never renumber. Planned to Started
// are open; the others are final but for receipts, which may still tell that an
// accepted message bounced later.
const (
	Planned  State = 1 // waits for its instant and a slot
	Claimed  State = 2 // the gate let it through: dispatch may hand it over until the deadline
	Started  State = 3 // dispatch wrote that it begins; from here on the outcome may be unknown
	Accepted State = 4 // the provider took it
	Rejected State = 5 // the provider refused it
	Unknown  State = 6 // handed over, and no answer came; counts as sent
	Dropped  State = 7 // a rule stopped it; the decision names the rule
	Withheld State = 8 // the customer is in a holdout: the counterfactual
	Recalled State = 9 // planned, then no longer wanted: the customer bought, left, reached the goal
	Expired  State = 10
	Failed   State = 11 // it could not be rendered
)

var stateNames = [...]string{"", "planned", "claimed", "started", "accepted", "rejected", "unknown", "dropped", "withheld", "recalled", "expired", "render_failed"}

// String returns the state's name.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "state " + strconv.Itoa(int(s))
}

// Open reports whether the delivery may still be handed over.
func (s State) Open() bool { return s == Planned || s == Claimed || s == Started }

// Class says which rules a message obeys.
type Class uint8

// The classes. Service messages (an order shipped) neither wait nor count.
const (
	Marketing Class = 0
	Service   Class = 1
)

// String returns the class's name.
func (c Class) String() string {
	if c == Service {
		return "service"
	}
	return "marketing"
}

// Delivery is one message to one person on its way.
type Delivery struct {
	ID       DeliveryID
	State    State
	Class    Class
	Channel  string
	Purpose  string // the consent that it needs
	Journey  string // journey or campaign
	Version  uint64
	Step     string
	Key      string // the instance's key
	Template string
	Reason   string // why this person gets it, a sentence
	Product  string // the SKU or product that it promotes; empty: none in particular
	Category string // the category that it promotes
	Priority int32  // lower goes first
	Fence    uint64 // grows with each claim: a result with an older fence is void
	Unwanted bool   // recalled while it was claimed: dispatch says whether it had begun

	Planned   event.Time // when it was wanted
	NotBefore event.Time
	Expires   event.Time // event.Never: does not expire
	Deadline  event.Time // of the claim
	Tried     event.Time // when a provider first asked for more time; zero: none has

	Props event.Object // what the template needs beside the profile
}

// Contact is a message that counts towards the customer's attention.
type Contact struct {
	At      event.Time
	Channel string
	Journey string
	Class   Class
	ID      DeliveryID
}

func appendDelivery(dst []byte, d *Delivery) []byte {
	dst = append(dst, d.ID[:]...)
	class := byte(d.Class)
	if d.Unwanted {
		class |= unwanted
	}
	dst = append(dst, byte(d.State), class)
	for _, s := range []string{d.Channel, d.Purpose, d.Journey, d.Step, d.Key, d.Template, d.Reason, d.Product, d.Category} {
		dst = wire.Text(dst, s)
	}
	dst = wire.Fixed(dst, d.Version)
	dst = wire.Varint(dst, int64(d.Priority))
	dst = wire.Uvarint(dst, d.Fence)
	dst = wire.Varint(dst, int64(d.Planned))
	dst = wire.Varint(dst, int64(d.NotBefore))
	dst = wire.Varint(dst, int64(d.Expires))
	dst = wire.Varint(dst, int64(d.Deadline))
	dst = wire.Varint(dst, int64(d.Tried))
	return wire.Text(dst, d.Props)
}

// unwanted is the bit of Delivery.Unwanted in the byte of the class, so that rows
// which were written before there was one read as they are.
const unwanted = 0x80

func readDelivery(r *wire.Reader) (d Delivery) {
	copy(d.ID[:], r.Bytes(len(d.ID)))
	d.State = State(r.Byte())
	class := r.Byte()
	d.Class, d.Unwanted = Class(class&^unwanted), class&unwanted != 0
	for _, s := range []*string{&d.Channel, &d.Purpose, &d.Journey, &d.Step, &d.Key, &d.Template, &d.Reason, &d.Product, &d.Category} {
		*s = r.Text()
	}
	d.Version = r.Fixed()
	d.Priority = int32(r.Varint())
	d.Fence = r.Uvarint()
	d.Planned = event.Time(r.Varint())
	d.NotBefore = event.Time(r.Varint())
	d.Expires = event.Time(r.Varint())
	d.Deadline = event.Time(r.Varint())
	d.Tried = event.Time(r.Varint())
	d.Props = event.Object(r.Text())
	return d
}

// deliveryVersion is the first byte of an encoded delivery.
const deliveryVersion = 2

// AppendDelivery appends d in the product's own encoding: a row of the ledger.
func AppendDelivery(dst []byte, d *Delivery) []byte {
	return appendDelivery(append(dst, deliveryVersion), d)
}

// DecodeDelivery reads what AppendDelivery wrote. Damaged bytes give a fault of
// kind Corrupt.
func DecodeDelivery(s string) (Delivery, error) {
	r := wire.NewReader(s)
	if r.Byte() != deliveryVersion && r.Err() == nil {
		r.Fail("a delivery of an unknown version")
	}
	d := readDelivery(r)
	if r.Err() == nil && r.Rest() != "" {
		r.Fail("something follows the delivery")
	}
	return d, r.Err()
}

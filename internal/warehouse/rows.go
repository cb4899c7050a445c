package warehouse

import (
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Event is a row of events: one thing that a customer did, that became of a
// message, or that the core says of a customer.
type Event struct {
	Profile    identity.ID
	At, Now    event.Time
	ID         uint64 // fingerprint of the event's id; 0: a fact of the core
	Type       string // track, identify, page, screen, group, alias, system; "fact": what the core says
	Name       string
	Source     string
	Origin     string     // live, import, replay
	Known      bool       // the customer was known by more than a device
	Session    event.Time // when the visit began; 0: none
	Device     string
	Channel    string // web, app, till …: as the source names it
	Store      string
	SKU        string
	Product    string
	Category   string
	Search     string
	Value      money.Micros // of an order its net
	HasValue   bool         // false: the event has none
	Currency   string
	Properties string // JSON, without what has a column and without what names a person
}

// Order is a row of orders: an order, or what undoes one. An order that was told
// twice is one row.
type Order struct {
	Profile  identity.ID
	OrderID  string
	Kind     string // completed, refunded, cancelled
	At       event.Time
	Net      money.Micros // negative on what undoes
	Currency string
	Units    int64 // thousandths of pieces
	Channel  string
	Device   string
	Store    string
	Origin   string
	Known    bool
}

// Line is a row of order_lines.
type Line struct {
	Profile  identity.ID
	OrderID  string
	Kind     string
	At       event.Time
	Line     int64 // from 0
	SKU      string
	Product  string
	Name     string
	Category string
	Quantity int64 // thousandths of pieces
	Price    money.Micros
	Net      money.Micros
	Currency string
	Known    bool
}

// Delivery is a row of deliveries: a message reached a state.
type Delivery struct {
	Profile  identity.ID
	Delivery profile.DeliveryID
	At       event.Time
	Channel  string
	Origin   string // the journey or campaign
	Version  uint64
	Step     string
	Class    string // marketing, service
	State    string // planned … render_failed; and of receipts: delivered, bounced, opened, clicked, complained, unsubscribed, replied
	Reason   string
	Actor    string // of receipts: human, machine, unknown
	Product  string
	Category string
}

// Decision is a row of decisions: the gate was asked about a message.
type Decision struct {
	Profile  identity.ID
	Delivery profile.DeliveryID
	At       event.Time
	Stage    string // plan, claim
	Outcome  string // never, later, send
	Rule     int64  // the first that failed; 0: none did
	Reason   string
	Chance   float64 // with which it was sent and not withheld
	Channel  string
	Origin   string
	Version  uint64
	Step     string
}

// Membership is a row of memberships: a customer entered or left a segment.
type Membership struct {
	Profile identity.ID
	Segment string
	In      bool
	At      event.Time
}

// Profile is what was learnt of a customer. The view profiles shows the last word
// on each; a row of one kind leaves what the other says alone.
type Profile struct {
	Profile identity.ID
	At      event.Time
	// Seen: only First and Last are said, the earliest and latest event of the
	// customer's own among the rows of the load.
	Seen        bool
	First, Last event.Time

	Born      event.Time
	Known     bool
	Country   string
	City      string
	Locale    string
	Zone      string
	Device    string
	Consents  string // "email/marketing sms/marketing": those granted, by channel and purpose
	Reachable string // "email sms": channels with an address that is not known to fail
	Lifecycle string
	Gone      bool // nobody is left: the import that brought them was undone
}

// Join says that one profile became another.
type Join struct {
	Strand  identity.ID // who it was
	Profile identity.ID // who it is
}

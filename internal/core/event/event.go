// Package event defines what the product hears.
//
// An [Event] says that one person did one thing at one moment. Everything else
// is computed from events, in the order in which they were heard, so an Event in
// the log is never changed, only forgotten when its person asks. A correction is
// another Event.
//
// What the product says to itself (a message was sent, an identifier is claimed,
// a slot is granted) has the same shape, so the loop closes through the log.
package event

import (
	"fmt"
	"math"
	"time"
)

// ID identifies one fact at its source. A profile takes the first event with an
// ID and drops the rest, so a source may repeat itself until it is answered.
type ID string

// Time is an instant in Unix milliseconds. The zero Time is unknown.
type Time int64

// Never is later than every instant.
const Never Time = 1<<63 - 1

// At returns the instant of t.
func At(t time.Time) Time { return Time(t.UnixMilli()) }

// Time returns t as the standard library's, in UTC.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// In returns t as the standard library's, in loc.
func (t Time) In(loc *time.Location) time.Time { return time.UnixMilli(int64(t)).In(loc) }

// Add returns t + d; beyond the ends of time it stays there.
func (t Time) Add(d time.Duration) Time {
	if t == Never {
		return t
	}
	ms := Time(d.Milliseconds())
	switch {
	case ms > 0 && t > Never-ms:
		return Never
	case ms < 0 && t < math.MinInt64-ms:
		return math.MinInt64
	}
	return t + ms
}

// Sub returns t − u; what is longer than a Duration can say, 292 years, is the
// longest or the shortest Duration.
func (t Time) Sub(u Time) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	d := int64(t) - int64(u)
	switch overflow := (d > 0) != (t > u) && t != u; {
	case t > u && (overflow || d > most):
		return math.MaxInt64
	case t < u && (overflow || d < -most):
		return math.MinInt64
	}
	return time.Duration(d) * time.Millisecond
}

// String returns t as RFC 3339 in UTC with milliseconds; empty if unknown.
func (t Time) String() string {
	switch t {
	case 0:
		return ""
	case Never:
		return "never"
	}
	return t.Time().Format("2006-01-02T15:04:05.000Z")
}

// MarshalJSON returns t as RFC 3339, or null if unknown or never.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 || t == Never {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote: null is unknown.
func (t *Time) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*t = 0
		return nil
	}
	at, err := time.Parse(`"`+time.RFC3339+`"`, string(raw))
	if err != nil {
		return fmt.Errorf("an instant is written as 2026-11-29T10:00:00.000Z: %w", err)
	}
	*t = Time(at.UnixMilli())
	return nil
}

// Month returns the month of t in UTC as years × 12 + months, counted from year
// 0: the shelf of a history on which the event stands. Every instant before year
// 0 is on the first shelf, and every one after year 9999 on the last: no clock
// means them, and a shelf must have a number.
func (t Time) Month() int32 {
	y, m, _ := t.Time().Date()
	switch {
	case y < 0:
		return 0
	case y > lastYear:
		return lastYear*12 + 11
	}
	return int32(y*12 + int(m) - 1)
}

// lastYear is the last year that RFC 3339 can write.
const lastYear = 9999

// Type is the call by which an event came, in the words of the Segment spec.
type Type uint8

// The types. They are stored: never renumber.
const (
	Track    Type = 1
	Identify Type = 2
	Page     Type = 3
	Screen   Type = 4
	Group    Type = 5
	Alias    Type = 6
	System   Type = 7 // the product's own: receipts, claims, slots, ticks
)

var typeNames = [...]string{"", "track", "identify", "page", "screen", "group", "alias", "system"}

// String returns the name of the call.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown"
}

// TypeOf returns the type of a call's name, and whether there is one. "system"
// is not a call.
func TypeOf(name string) (Type, bool) {
	for i, n := range typeNames {
		if n == name && i > 0 && Type(i) != System {
			return Type(i), true
		}
	}
	return 0, false
}

// IsVisit reports whether the event is something that its customer came for. What the
// product says of them is not, nor is a line of an imported file that says who
// somebody is or what they agreed to.
func (e *Event) IsVisit() bool {
	switch {
	case e.Type == System, e.Name == PredictionMade:
		return false
	case e.Origin != Import:
		return true
	}
	return e.Type != Identify && e.Type != Group && e.Type != Alias && e.Name != ConsentChanged
}

// Origin says whether an event may trigger a message.
type Origin uint8

// The origins. Only live events trigger; imports and replays never do.
const (
	Live   Origin = 0
	Import Origin = 1
	Replay Origin = 2
)

var originNames = [...]string{"live", "import", "replay"}

// String returns the origin's name.
func (o Origin) String() string {
	if int(o) < len(originNames) {
		return originNames[o]
	}
	return "unknown"
}

// Trust says how far the sender of an event is believed.
type Trust uint8

// The trusts. A public write key sits in every shop page's source: it may create
// and link, and never overwrites what an identified profile knows.
const (
	Public Trust = 0 // a write key in a browser or app
	Server Trust = 1 // a secret key
	Own    Trust = 2 // the product itself
)

// Event says that one person did one thing at one moment.
type Event struct {
	ID     ID
	Type   Type
	Name   string // Track: the event's name. Page, Screen: "Page Viewed", "Screen Viewed". System: one of ours.
	User   string // the shop's own id of the customer; empty if not known
	Anon   string // the device's or browser's id
	At     Time   // when it happened, by our clock: received − (sentAt − timestamp), clamped to at most received
	Raw    Time   // the client's own timestamp, uncorrected; zero if it sent none
	Origin Origin
	Trust  Trust
	Source string // which source sent it: the name of the key
	Hops   uint8  // how often it was forwarded between homes

	Props   Object // properties
	Traits  Object // of identify and group, and context.traits of the others
	Context Object // context: device, page, campaign, locale, timezone …
}

// Names of the retail events of Segment's e-commerce spec that the core itself
// understands. Every other name is kept and counted all the same.
const (
	PageViewed      = "Page Viewed"
	ScreenViewed    = "Screen Viewed"
	ProductSearched = "Products Searched"
	ListViewed      = "Product List Viewed"
	ProductViewed   = "Product Viewed"
	ProductAdded    = "Product Added"
	ProductRemoved  = "Product Removed"
	CartViewed      = "Cart Viewed"
	CheckoutStarted = "Checkout Started"
	OrderCompleted  = "Order Completed"
	OrderRefunded   = "Order Refunded"
	OrderCancelled  = "Order Cancelled"
	OrderDelayed    = "Order Delayed"
	OrderShipped    = "Order Shipped"
	OrderReady      = "Order Ready To Collect"
	OrderCollected  = "Order Collected"
	OrderDelivered  = "Order Delivered"
	OrderReturned   = "Order Returned"
)

// Names of the product's own events about a person. They have the shape of every
// other event and can be asked about in conditions.
const (
	ConsentChanged   = "Consent Changed" // channel, purpose, state, evidence, wording
	MessageSent      = "Message Sent"    // the provider accepted it
	MessageRejected  = "Message Rejected"
	MessageDeferred  = "Message Deferred"
	MessageUnknown   = "Message Unknown" // handed over, and no answer came
	MessageDelivered = "Message Delivered"
	MessageBounced   = "Message Bounced" // after it was accepted: delivery, hard, soft, policy, enhanced, code, detail
	MessageOpened    = "Message Opened"  // actor: human, machine or unknown
	MessageClicked   = "Message Clicked" // actor
	MessageReplied   = "Message Replied"
	Complained       = "Message Complained"
	Unsubscribed     = "Message Unsubscribed"
	RenderFailed     = "Message Render Failed"
	// ServiceAsked asks for a service message by its name: service, and what its
	// template needs. Only the shop's own servers may ask.
	ServiceAsked = "Service Message Requested"
)

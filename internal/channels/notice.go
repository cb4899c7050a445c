package channels

import (
	"context"

	"rapport/internal/core/event"
)

// What a [Notice] tells. The zero Told tells nothing.
const (
	Delivered    Told = 1 // it reached the person's mailbox or device
	Bounced      Told = 2 // it was taken, and then could not be delivered; Failure says why
	Delayed      Told = 3 // not yet delivered; somebody goes on trying
	Complained   Told = 4 // the person called it spam
	Unsubscribed Told = 5 // the person asked for no more of this kind
	Opened       Told = 6
	Clicked      Told = 7
	Replied      Told = 8
)

// Told is what became of a message after it was handed over.
type Told uint8

var toldNames = [...]string{"", "delivered", "bounced", "delayed", "complained", "unsubscribed", "opened", "clicked", "replied"}

// String returns the name as in logs and counters.
func (t Told) String() string {
	if int(t) < len(toldNames) {
		return toldNames[t]
	}
	return ""
}

// Notice is what somebody tells about one message after the call to Send: a
// bounce by mail, a feedback loop's complaint, a provider's webhook. It is the
// one type that all of them speak, so that an address is judged by one state
// machine, whoever told.
//
// Whoever makes a Notice has checked that it is genuine: the signature of the
// webhook, or the signed address to which the mail came. A Notice that nobody
// vouches for is not made.
type Notice struct {
	Told Told

	// Delivery is our id of the message, 32 hex digits, as it was put into the
	// message's address for bounces, or into the provider's tags or arguments.
	// It is required: a notice about no message of ours is ignored.
	Delivery string

	// Address is the person's address as it was told; empty means the one to which
	// the delivery went. An address that is not the customer's changes nothing.
	Address string

	At     event.Time // when it happened, by who tells; zero means now
	Source string     // who tells: "mail", "smtp", "sendgrid" …
	ID     string     // the teller's own id of this notice, so that one told twice counts once; empty: made of the rest

	Failure        // of Bounced and Delayed
	Link    string // of Clicked: where it leads
	Actor   string // of Opened and Clicked: "human", "machine" or "unknown"; empty means unknown
}

// Receiver takes notices to the log.
type Receiver interface {
	// Receive returns nil once everything that the notices mean is durable: the
	// events are in the log, the suppressions in the ledger. Until then whoever
	// told must be asked to tell again. A notice about an unknown delivery is
	// counted and passed over; the same notice twice counts once.
	Receive(ctx context.Context, notices []Notice) error
}

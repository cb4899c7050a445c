// Package channels is the port to whoever carries a message to a person: a mail
// server, an SMS provider, a push service.
//
// A [Channel] takes messages that the gate has let through and says what became
// of each. The hard part is the truth: a provider that was asked and did not
// answer may or may not have taken the message, and only the ledger of
// deliveries, which knows whether the message is marketing, may decide what to
// do about it. So an adapter never hides [Unknown], never sends again by itself
// what may have been taken, and never lets one bad recipient colour the answer
// for the others of its batch.
//
// Adapters import this package and no other adapter. The suite in channeltest is
// the specification in code.
package channels

import (
	"context"
	"time"

	"rapport/internal/core/event"
)

// MaxBatch is how many messages one call of Send may carry. A batch is claimed
// only if it can be handed over within half a second (a slow provider takes some
// 1,000 in that time); a larger one would hold claims it cannot use.
const MaxBatch = 1000

// Party is one end of a message: who speaks or who is spoken to.
type Party struct {
	Name    string // as the person writes it, any text; may be empty
	Address string // the channel's own: an e-mail address, an E.164 number, a device token
}

// Header is one extra header of a message, such as List-Unsubscribe. Its order
// among the others is kept: a signature covers it.
type Header struct {
	Name  string
	Value string
}

// Message is one delivery, rendered and ready to leave. Two messages with the
// same fields are carried as the same bytes, whenever they are sent.
type Message struct {
	Delivery string // the delivery's id, 32 hex digits: the key under which it happens once
	Channel  string // "email", "sms" …: the name under which the program knows the channel

	From    Party  // the sender that the person sees
	ReplyTo Party  // where an answer goes; without an address it goes to From
	To      Party  // one person; the address has passed the channel's own grammar before, and is checked again
	Bounce  string // where a failure is reported (SMTP MAIL FROM); empty means From's address

	// Domain answers for the message: it signs, and its standing is at stake. It is
	// From's domain or one above it; empty means From's domain.
	Domain string

	Subject string // text; line breaks and control characters in it are flattened, never obeyed
	HTML    string // empty for channels and messages of plain text
	Text    string
	Headers []Header

	// MessageID is the same at each attempt, so that a receiver who looks can
	// drop the second copy. For e-mail it is an RFC 5322 msg-id with its angle
	// brackets; empty means one made from Delivery and From's domain.
	MessageID string
	Date      event.Time // what the message says about when it was written
	Service   bool       // true: the person is waiting for it (receipt, password). False: marketing, which needs a way out
}

// State is what became of a message.
type State uint8

// The states. The zero State is Unknown: an adapter that forgets to answer has
// not promised anything. They are stored: never renumber.
const (
	Unknown  State = 0 // the message may have been taken, but no answer came. Nobody may send it again without asking the ledger
	Accepted State = 1 // the provider took it and is responsible now
	Rejected State = 2 // the provider refused it and would refuse it again
	Deferred State = 3 // not taken, and the same message may succeed later
)

var stateNames = [...]string{"unknown", "accepted", "rejected", "deferred"}

// String returns the state's name as in the ledger.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return stateNames[Unknown]
}

// Outcome is what a provider said about one message.
type Outcome struct {
	State    State
	Code     int    // the provider's own code: an SMTP reply code, an HTTP status; zero if there was no answer
	Enhanced string // RFC 3463 status such as "5.1.1"; empty if none was given
	Detail   string // the provider's words, or ours if it said nothing; at most MaxDetail bytes of printable text

	// RetryAfter is how long the provider wants to be left alone before the same
	// message is tried again. It is set exactly when State is Deferred.
	RetryAfter time.Duration

	// Hard says that the address itself is bad and will stay bad, so that it
	// should be suppressed. It is set only on Rejected, and never for an answer
	// that is about the sender (reputation, authentication, policy, content).
	Hard bool
}

// MaxDetail bounds Outcome.Detail: it is stored with each delivery, and a
// stranger's server writes it.
const MaxDetail = 300

// Channel carries messages. Its methods may be called from many goroutines.
type Channel interface {
	// Send hands the batch over and returns one outcome for each message, in the
	// order of the batch, never fewer and never more. An empty batch has no
	// outcomes. More than MaxBatch messages are not sent: the surplus is Deferred.
	//
	// Each outcome is the truth about its own message: a refusal of one says
	// nothing about the others.
	//
	// Accepted, Rejected: the provider said so. Deferred: nothing of the message
	// can have been taken, whatever the reason (no connection, busy, a broken
	// connection before the last byte). Unknown: the whole message may have
	// reached the provider, and its answer did not reach us. Send never hands a
	// message over a second time after it may have been taken, and never returns
	// anything but Unknown for it.
	//
	// A message that cannot be carried as it is (a bad address, marketing without
	// a way out) is Rejected before a byte of it leaves. Errors do not exist
	// beside outcomes.
	//
	// When ctx ends, Send returns soon: what had not left is Deferred, what had
	// left without an answer is Unknown.
	Send(ctx context.Context, batch []Message) []Outcome
}

// Clip returns s as it may stand in Outcome.Detail: control characters become
// spaces and more than MaxDetail bytes are cut off at a whole character.
func Clip(s string) string {
	b := make([]rune, 0, min(len(s), MaxDetail))
	n := 0
	for _, r := range s {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			r = ' '
		}
		size := 1
		switch {
		case r >= 0x10000:
			size = 4
		case r >= 0x800:
			size = 3
		case r >= 0x80:
			size = 2
		}
		if n += size; n > MaxDetail {
			break
		}
		b = append(b, r)
	}
	return string(b)
}

// ValidDelivery reports whether id is a delivery's id: 32 lower-case hex digits.
func ValidDelivery(id string) bool {
	if len(id) != 32 {
		return false
	}
	for i := 0; i < len(id); i++ {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// Recipient says to whom a service message goes: exactly one field is set.
type Recipient struct {
	Profile string `json:"profile,omitempty"` // a profile id
	User    string `json:"user_id,omitempty"` // the shop's own customer id
	Email   string `json:"email,omitempty"`   // an address; whoever is known by it, or a new customer
	Phone   string `json:"phone,omitempty"`
}

// Limits of a request for a service message.
const (
	// MaxServiceProps bounds what the message is told: as much as an instance keeps.
	MaxServiceProps = 4 << 10
	// MaxServiceKey bounds an idempotency key.
	MaxServiceKey = 200
)

// SendService asks for a service message of the definitions in force. The request
// is durable when it returns, and the message leaves ahead of every campaign. The
// same key asks once, however often it is called: for one message to one
// recipient. It returns the id under which the request stands in the customer's
// history.
//
// NotFound: there is no such service message, or no customer with the profile id.
// Invalid: the recipient cannot be written to, or the key is missing.
func (n *Node) SendService(ctx context.Context, name string, to Recipient, props event.Object, key string) (event.ID, error) {
	p, err := n.inForce(ctx)
	if err != nil {
		return "", err
	}
	switch {
	case p.Service(name) == nil:
		return "", fault.New(fault.NotFound, "there is no service message "+strconv.Quote(name)+": service messages are files in the folder service")
	case key == "" || len(key) > MaxServiceKey:
		return "", fault.New(fault.Invalid, "a request needs an idempotency key of 1 to "+strconv.Itoa(MaxServiceKey)+" bytes: the same key sends once")
	case len(props) > MaxServiceProps:
		return "", fault.New(fault.TooLarge, "what the message is told is longer than "+strconv.Itoa(MaxServiceProps)+" bytes")
	}
	now := n.Engine.Now()
	e := event.Event{
		Type: event.System, Name: event.ServiceAsked, At: now, Raw: now, Trust: event.Server, Source: "api",
		Props: props.With("service", event.Text(name)),
	}
	a, err := n.addressed(ctx, &e, to)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(name + "\x00" + key))
	a.Event.ID = event.ID("service:" + hex.EncodeToString(sum[:16]))
	// A client that repeats its request does not repeat our time, and an id that has
	// fallen out of the profile is looked for on the shelf of its time: without one
	// on all of them.
	a.Event.Raw = 0
	return a.Event.ID, n.Engine.Append(ctx, []identity.Addressed{a})
}

// addressed gives the event its recipient.
func (n *Node) addressed(ctx context.Context, e *event.Event, to Recipient) (identity.Addressed, error) {
	given := 0
	for _, s := range []string{to.Profile, to.User, to.Email, to.Phone} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return identity.Addressed{}, fault.New(fault.Invalid, "a service message goes to exactly one of profile, user_id, email and phone")
	}
	if to.Profile != "" {
		id, err := identity.ParseID(to.Profile)
		if err != nil {
			return identity.Addressed{}, err
		}
		p, err := n.Engine.Profile(ctx, id)
		if err != nil {
			return identity.Addressed{}, err
		}
		if p == nil || p.Born == 0 {
			return identity.Addressed{}, fault.New(fault.NotFound, "no customer has the profile id "+to.Profile)
		}
		return identity.Addressed{To: p.ID, Event: *e}, nil
	}
	var traits event.Builder
	e.User = to.User
	traits.SetText("email", to.Email).SetText("phone", to.Phone)
	if e.Traits = traits.Object(); to.User != "" {
		e.Traits = ""
	}
	a, ok := n.o.Key.Address(*e)
	if !ok {
		return a, fault.New(fault.Invalid, "the recipient is none: an address or a number that nobody can have, or a word for nobody")
	}
	return a, nil
}

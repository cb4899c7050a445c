package run

import (
	"context"
	"fmt"
	"iter"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/store"
)

// Profile returns a customer by any id they ever had; nil if there is none.
func (n *Node) Profile(ctx context.Context, id identity.ID) (*profile.Profile, error) {
	return n.Engine.Profile(ctx, id)
}

// Check returns what is wrong with definitions, for this workspace: also with what
// they name that models do not say, or that was never heard. It changes nothing.
func (n *Node) Check(ctx context.Context, src *program.Source) []spec.Problem {
	_, problems := program.Compile(src, program.Options{Workspace: n.o.Workspace, Key: n.o.Key, Known: n.Known(ctx)})
	return problems
}

// Known returns what definitions may name; nil if that cannot be said.
func (n *Node) Known(ctx context.Context) *condition.Known {
	if n.o.Known == nil {
		return nil
	}
	return n.o.Known(ctx)
}

// State is what a node has done since it began, and how far it is.
type State struct {
	Events int64      `json:"events"` // customers' events applied since the process began
	Lag    int64      `json:"lag"`    // records in the log that are not applied yet
	Cached int64      `json:"cached"` // customers in memory
	Late   int64      `json:"late"`   // events of people who were erased, dropped
	Now    event.Time `json:"now"`    // by the clock of the data directory

	// To how many of the parts of the range of customers the definitions in force have
	// come, and how many there are.
	Swept    int64 `json:"swept"`
	Sweeping int64 `json:"sweeping"`

	// Silent: nothing is sent, because the data directory may be a copy of another.
	Silent bool `json:"silent"`
}

// State returns how the node is.
func (n *Node) State() State {
	s := n.Engine.Stats()
	done, of := n.Engine.Swept()
	return State{Swept: done, Sweeping: of, Events: int64(s.Events), Lag: int64(s.Lag), Cached: int64(s.Cached), Late: n.Late(), Now: n.o.Clock.Now(), Silent: n.o.NoSending}
}

// AddressSuppression forbids an address, known or not.
type AddressSuppression struct {
	Channel, Address string
	Purpose          string // empty: every purpose
	Reason           string // one of the reasons of package store
	At               event.Time
	By               string
}

// addressKinds are the identifiers that channels write to.
var addressKinds = map[string]identity.Kind{"email": identity.Email, "sms": identity.Phone, "whatsapp": identity.Phone}

// SuppressAddress stops messages to an address, whoever it belongs to now or later.
// It is durable when it returns; no address is kept, only its keyed hash.
func (n *Node) SuppressAddress(ctx context.Context, s AddressSuppression) error {
	kind, known := addressKinds[s.Channel]
	if !known {
		return fault.New(fault.Invalid, "a channel with addresses is email, sms or whatsapp")
	}
	id, ok := identity.Normal(kind, s.Address)
	if !ok {
		return fault.New(fault.Invalid, "the address is none that anybody can have on this channel")
	}
	err := n.o.Ledger.Suppress(ctx, store.Suppression{
		Subject: n.Subject(s.Channel, id.Value), Channel: s.Channel, Purpose: s.Purpose, Reason: s.Reason, At: s.At, By: s.By,
	})
	if err != nil {
		return fmt.Errorf("suppressing an address: %w", err)
	}
	return nil
}

// Customers yields everybody, as [engine.Engine.Customers] does.
func (n *Node) Customers(ctx context.Context, from identity.ID) iter.Seq2[*profile.Profile, error] {
	return n.Engine.Customers(ctx, from)
}

// Inside counts how often customers are inside each journey now. It reads every
// customer.
func (n *Node) Inside(ctx context.Context) (map[string]int64, error) {
	inside := map[string]int64{}
	for p, err := range n.Customers(ctx, identity.ID{}) {
		if err != nil {
			return inside, err
		}
		for i := range p.Journeys {
			inside[p.Journeys[i].Journey]++
		}
	}
	return inside, nil
}

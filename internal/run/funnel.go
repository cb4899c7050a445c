package run

import (
	"context"

	"rapport/internal/core/decision"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/program"
	"rapport/internal/store"
)

// unreachable are the reasons that say that nobody can write to the customer.
var unreachable = map[decision.Reason]bool{
	decision.Suppressed: true, decision.Bounced: true, decision.Complained: true, decision.Hot: true, decision.Unreachable: true, decision.Merged: true,
}

// place counts one customer of the audience by what the gate says of the message,
// and what only dispatch would find out: that they have unsubscribed a moment ago,
// or that the address is another customer's too.
func (n *Node) place(ctx context.Context, f *Funnel, p *profile.Profile, d *journey.Definition, r *decision.Record, reasons map[Count]int64, addresses map[[16]byte]struct{}) error {
	state, why := "dropped", r.Reason
	defer func() {
		if why != "" {
			reasons[Count{State: state, Reason: string(why)}]++
		}
	}()
	// Who has not agreed is told so first, whether anybody could write to them or not.
	if unreachable[why] || p.Address(r.Channel) == "" {
		return nil
	}
	address := n.Subject(r.Channel, p.Address(r.Channel))
	for _, subject := range append([][16]byte{p.ID, address}, idsOf(p.Strands)...) {
		s, stopped, err := n.o.Ledger.Suppressed(ctx, subject, r.Channel, r.Purpose)
		if err != nil {
			return err
		}
		if !stopped {
			continue
		}
		if s.Reason == store.Unsubscribed {
			f.Reachable++ // the address takes mail, and its owner does not want it
		}
		if why != decision.NoConsent {
			why = decision.Suppressed
		}
		return nil
	}
	f.Reachable++
	if why == decision.NoConsent {
		return nil
	}
	f.Agreed++
	switch {
	case why == decision.Held:
		state = "withheld"
		f.Withheld++
		return nil
	case r.Outcome == decision.Never:
		return nil
	}
	if _, taken := addresses[address]; taken && !d.Campaign().Each {
		why = decision.SameAddress
		f.SameAddress++
		return nil
	}
	addresses[address] = struct{}{}
	f.Sent++
	if r.Outcome == decision.Later {
		state = "planned"
		f.Later++
		return nil
	}
	why = ""
	return nil
}

func idsOf(strands []identity.ID) [][16]byte {
	ids := make([][16]byte, len(strands))
	for i, s := range strands {
		ids[i] = s
	}
	return ids
}

func nextID(id identity.ID) identity.ID { return engine.Next(id) }

// inForce returns the program in force; Unavailable before the first.
func (n *Node) inForce(ctx context.Context) (*program.Program, error) {
	p, err := n.Program(ctx)
	if err == nil && p == nil {
		err = errNoProgram
	}
	return p, err
}

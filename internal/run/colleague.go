package run

import (
	"context"

	"rapport/internal/channels"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// ToColleagues hands messages to people of the shop to their channel, and returns one
// outcome for each. They are no deliveries: no rule about customers is asked, and
// nothing of them is written down, counted or measured. An address that is suppressed,
// or whose owner opted out, is Rejected before a byte of its message leaves. A node
// that sends nothing is Unavailable.
func (n *Node) ToColleagues(ctx context.Context, batch []channels.Message) ([]channels.Outcome, error) {
	const channel = "email"
	if n.o.NoSending {
		return nil, fault.New(fault.Unavailable, "nothing is sent from this data directory: it may be a copy")
	}
	carrier := n.o.Channels[channel]
	if carrier == nil {
		return nil, fault.New(fault.Unavailable, "no mail server is set up")
	}
	out := make([]channels.Outcome, len(batch))
	var leave []channels.Message
	var index []int
	for i, m := range batch {
		id, ok := identity.Normal(identity.Email, m.To.Address)
		if !ok {
			out[i] = channels.Outcome{State: channels.Rejected, Detail: "this is no e-mail address"}
			continue
		}
		switch why, err := n.silenced(ctx, channel, id.Value); {
		case err != nil:
			return nil, err
		case why != "":
			out[i] = channels.Outcome{State: channels.Rejected, Detail: channels.Clip("this address is not written to (" + why + ")")}
		default:
			leave, index = append(leave, m), append(index, i)
		}
	}
	if len(leave) == 0 {
		return out, nil
	}
	for k, o := range carrier.Send(ctx, leave) { // who is not answered for stays Unknown
		if k < len(index) {
			out[index[k]] = o
		}
	}
	return out, nil
}

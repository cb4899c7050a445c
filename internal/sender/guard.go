package sender

import (
	"context"
	"strings"

	"rapport/internal/channels"
)

// Guard stands before the channel that carries mail: marketing from a domain that
// DNS has not proved does not reach it. It counts what was taken, by domain, and
// hears what servers say of a domain's standing.
type Guard struct {
	Book    *Book
	Traffic *Traffic
	Carrier channels.Channel // to the world
	Catcher channels.Channel // keeps what may not leave, to be looked at; nil: it is only refused
	Vouched bool             // whoever carries proves and signs domains itself: all may leave, and are counted
}

// DomainOf returns the domain that answers for a message.
func DomainOf(m *channels.Message) string {
	if m.Domain != "" {
		return m.Domain
	}
	_, domain, _ := strings.Cut(m.From.Address, "@")
	return strings.ToLower(domain)
}

// Send keeps the promise of [channels.Channel]. Marketing that may not leave is
// Rejected, and the outcome says why: nobody got it.
func (g *Guard) Send(ctx context.Context, batch []channels.Message) []channels.Outcome {
	out := make([]channels.Outcome, len(batch))
	leave := make([]channels.Message, 0, len(batch))
	var index []int
	var caught []channels.Message
	refused := map[string]string{}
	for i := range batch {
		m := &batch[i]
		if m.Service {
			leave, index = append(leave, *m), append(index, i)
			continue
		}
		key := DomainOf(m) + " " + m.From.Address
		why, known := refused[key]
		if !known {
			why = g.why(m)
			refused[key] = why
		}
		if why == "" {
			leave, index = append(leave, *m), append(index, i)
			continue
		}
		if g.Catcher != nil {
			caught = append(caught, *m)
			why += "; the message is kept in the mail catcher"
		}
		out[i] = channels.Outcome{State: channels.Rejected, Detail: channels.Clip(why)}
	}
	if len(caught) > 0 {
		g.Catcher.Send(ctx, caught) // a copy to look at: what becomes of it changes nothing
	}
	if len(leave) == 0 {
		return out
	}
	for n, o := range g.Carrier.Send(ctx, leave) {
		if n >= len(index) {
			break
		}
		out[index[n]] = o
		g.count(&leave[n], &o)
	}
	return out
}

// why returns why marketing may not leave; empty if it may.
func (g *Guard) why(m *channels.Message) string {
	if g.Vouched {
		return ""
	}
	name := DomainOf(m)
	d, err := g.Book.Domain(name)
	if err != nil {
		return name + " is not set up as a sending domain: rapport domain add " + name
	}
	_, from, _ := strings.Cut(m.From.Address, "@")
	switch {
	case !d.Speaks(from):
		return from + " is not among the From domains of " + name + ": rapport domain add " + name + " --from " + from
	case d.Verified.IsZero() && d.Checked.IsZero():
		return name + " is not verified yet: rapport domain check " + name
	case d.Verified.IsZero():
		for _, p := range d.Problems {
			if !p.Warning {
				return name + " is not verified (" + p.Check + ": " + p.What + "): rapport domain check " + name
			}
		}
		return name + " is not verified: rapport domain check " + name
	}
	return ""
}

// count notes what a server said.
func (g *Guard) count(m *channels.Message, o *channels.Outcome) {
	domain := DomainOf(m)
	switch o.State {
	case channels.Accepted, channels.Unknown:
		g.Traffic.Sent(domain, !m.Service, 1)
	case channels.Rejected:
		f := channels.Failure{Status: o.Enhanced, Code: o.Code, Detail: o.Detail}
		if f.Auth() && f.Cause() == channels.Policy {
			g.Traffic.Refused(domain, strings.TrimSpace(itoa(o.Code)+" "+o.Detail))
		}
	}
}

var _ channels.Channel = (*Guard)(nil)

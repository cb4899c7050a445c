package run

import (
	"context"
	"fmt"

	"rapport/internal/channels"
	"rapport/internal/channels/mail"
	"rapport/internal/core/identity"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// Try compiles definitions as they would be compiled if they came into force, to
// look at what their messages would say. It changes nothing. The program is of use
// only if no problem is more than a warning.
func (n *Node) Try(src *program.Source) (*program.Program, []spec.Problem) {
	return program.Compile(src, program.Options{Workspace: n.o.Workspace, Key: n.o.Key, Products: n.o.Products})
}

// TestSent is what became of a test.
type TestSent struct {
	To        string `json:"to"`
	Subject   string `json:"subject" doc:"It begins with [Test]."`
	State     string `json:"state" enum:"accepted,rejected,deferred,unknown" doc:"What the mail server said."`
	Code      int    `json:"code,omitempty" doc:"Its code."`
	Detail    string `json:"detail,omitempty" doc:"Its words."`
	MessageID string `json:"message_id"`
}

// TestAddress returns the address of a test as an identifier; Invalid if there can be
// no such address.
func TestAddress(to string) (identity.Identifier, error) {
	id, ok := identity.Normal(identity.Email, to)
	if _, err := mail.ParseAddress(id.Value); !ok || err != nil {
		return identity.Identifier{}, fault.New(fault.Invalid, "this is no e-mail address")
	}
	return id, nil
}

// SendTest words a template of p as the customer of s would read it and hands it to
// the channel, addressed to somebody of the shop. It is no delivery: nothing of it is
// written down, counted or measured, and it stands in nobody's history. An address
// that is suppressed, or whose owner opted out, is a Conflict; a node that sends
// nothing is Unavailable.
func (n *Node) SendTest(ctx context.Context, p *program.Program, s program.Sample, to string) (out TestSent, err error) {
	const channel = "email"
	if n.o.NoSending {
		return out, fault.New(fault.Unavailable, "nothing is sent from this data directory: it may be a copy")
	}
	carrier := n.o.Channels[channel]
	if carrier == nil {
		return out, fault.New(fault.Unavailable, "no mail server is set up")
	}
	id, err := TestAddress(to)
	if err != nil {
		return out, err
	}
	if err := n.mayTest(ctx, channel, id.Value); err != nil {
		return out, err
	}
	if s.Media == nil {
		s.Media = n.o.Links
	}
	m, err := p.Test(s, id.Value, n.o.Clock.Now())
	if err != nil {
		return out, err
	}
	out = TestSent{To: id.Value, Subject: m.Subject, MessageID: m.MessageID}
	answers := carrier.Send(ctx, []channels.Message{m})
	if len(answers) == 1 { // an adapter that forgets to answer has promised nothing
		out.Code, out.Detail = answers[0].Code, answers[0].Detail
		out.State = answers[0].State.String()
		return out, nil
	}
	out.State = channels.Unknown.String()
	return out, nil
}

// mayTest refuses an address that is not written to: who asked for silence, or whose
// mailbox is gone, gets no test either.
func (n *Node) mayTest(ctx context.Context, channel, address string) error {
	why, err := n.silenced(ctx, channel, address)
	if err == nil && why != "" {
		err = fault.New(fault.Conflict, "this address is not written to ("+why+"): choose another for the test")
	}
	return err
}

// silenced returns why an address is not written to at all: it is suppressed, or its
// owner is. Empty: it may be.
func (n *Node) silenced(ctx context.Context, channel, address string) (string, error) {
	subjects := [][16]byte{n.Subject(channel, address)}
	who, err := n.Lookup(ctx, address)
	switch {
	case err == nil:
		subjects = append(subjects, n.Subjects(who)...)
	case !fault.Is(err, fault.NotFound):
		return "", err
	}
	for _, subject := range subjects {
		list, err := n.o.Ledger.SuppressionsOf(ctx, subject)
		if err != nil {
			return "", fmt.Errorf("asking whether an address is suppressed: %w", err)
		}
		for i := range list {
			measuring := list[i].Purpose == program.TrackPurpose(channel) // it is not measured
			if c := list[i].Channel; !measuring && (c == channel || c == "") {
				return list[i].Reason, nil
			}
		}
	}
	return "", nil
}

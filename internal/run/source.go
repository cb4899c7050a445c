package run

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
	"rapport/internal/intake"
)

// Refused reports whether a person has refused what a consent event says that they
// agreed to: in a message, on a page, at a till; by complaining, or because their
// address is dead. What the event's own source said before does not count: its
// later word replaces its earlier one.
//
// The answer is right also for who refuses while it is given: their refusal is
// younger than the consent, and the younger one holds.
func (n *Node) Refused(ctx context.Context, e *event.Event) (bool, error) {
	channel, purpose := cmp.Or(e.Props.Text("channel"), "email"), cmp.Or(e.Props.Text("purpose"), "marketing")
	for _, id := range identity.Of(e) {
		if kind, ok := map[string]identity.Kind{"email": identity.Email, "sms": identity.Phone}[channel]; ok && id.Kind == kind {
			if _, stopped, err := n.o.Ledger.Suppressed(ctx, n.Subject(channel, id.Value), channel, purpose); stopped || err != nil {
				return stopped, err
			}
		}
		p, err := n.Find(ctx, id)
		if err != nil {
			return false, err
		}
		if p == nil {
			continue
		}
		no, err := n.refused(ctx, p, e.Source, channel, purpose)
		if no || err != nil {
			return no, err
		}
	}
	return false, nil
}

func (n *Node) refused(ctx context.Context, p *profile.Profile, source, channel, purpose string) (bool, error) {
	if c, said := p.Consent(channel, purpose); said && !c.Granted && !strings.Contains(string(c.Proof), ":"+source+":consent:") {
		return true, nil
	}
	subjects := append([]identity.ID{p.ID}, p.Strands...)
	if address := p.Address(channel); address != "" {
		subjects = append(subjects, n.Subject(channel, address))
		if slices.ContainsFunc(p.Health, func(h profile.Health) bool {
			return h.Channel == channel && h.Address == address && h.State == profile.Complained
		}) {
			return true, nil
		}
	}
	for _, s := range subjects {
		if _, stopped, err := n.o.Ledger.Suppressed(ctx, s, channel, purpose); stopped || err != nil {
			return stopped, err
		}
	}
	return false, nil
}

// PutAside keeps a body that a source sent and nobody can read, through the log
// like everything that is remembered.
func (n *Node) PutAside(ctx context.Context, source, topic, reason string, body []byte) error {
	now := n.o.Clock.Now()
	if n.o.Refused != nil {
		n.o.Refused([]intake.Reject{{Reason: reason, Field: topic, Raw: body[:min(len(body), maxBody)], From: intake.Defaults{Source: source}}})
	}
	var b event.Builder
	b.SetText("reason", reason).SetText("field", topic).SetText("source", source)
	b.SetText("body", strings.ToValidUTF8(string(body[:min(len(body), maxBody)]), ""))
	return n.Engine.Append(ctx, []identity.Addressed{{Event: event.Event{
		ID: event.ID("reject:hook:" + strconv.FormatInt(int64(now), 36) + ":" + strconv.FormatUint(wire.Hash(string(body)), 36)), Type: event.System, Name: event.Reject,
		At: now, Trust: event.Own, Source: source, Props: b.Object(),
	}}})
}

package run

import (
	"context"
	"slices"
	"strings"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/site"
)

// Shop returns what the public pages show of the shop.
func (p Public) Shop(ctx context.Context) (site.Shop, error) {
	prog, err := p.n.Program(ctx)
	if err != nil || prog == nil {
		return site.Shop{}, err
	}
	s := site.Shop{Name: prog.Shop.Name, Locale: prog.Shop.Locale, Look: prog.Shop.Kit.Look(), Website: prog.Shop.Website}
	for channel := range prog.Senders {
		s.Channels = append(s.Channels, channel)
	}
	slices.Sort(s.Channels)
	for _, purpose := range prog.Shop.Purposes {
		s.Purposes = append(s.Purposes, site.Purpose{Name: purpose.Name, Label: purpose.Label, Labels: purpose.Labels, Abouts: purpose.Abouts, About: purpose.About})
	}
	_, mails := prog.Senders["email"]
	s.SignUp = mails && len(s.Purposes) > 0 && prog.Hears(site.SignupRequested)
	return s, nil
}

// Customer returns what a customer chose, beside purposes.
func (p Public) Customer(ctx context.Context, id identity.ID) (c site.Customer, err error) {
	customer, err := p.n.Engine.Profile(ctx, id)
	if err != nil || customer == nil {
		return c, err
	}
	c.Locale = customer.Locale
	if v, ok := customer.Trait(decision.TraitFewer); ok {
		c.Fewer = v.Kind == event.True
	}
	if v, ok := customer.Trait(decision.TraitPausedUntil); ok {
		if f, ok := v.Float(); ok {
			c.PausedUntil = event.Time(f)
		}
	}
	return c, nil
}

var errNoMessage = fault.New(fault.NotFound, "there is no such message to show")

// View words a message that was sent to a customer anew, for the browser.
func (p Public) View(ctx context.Context, d site.Delivery) (string, error) {
	id, err := profile.ParseDelivery(d.ID)
	if err != nil {
		return "", errNoMessage
	}
	row, err := p.n.o.Store.Delivery(ctx, id)
	if err != nil {
		return "", err
	}
	customer, err := p.n.Engine.Profile(ctx, d.Profile)
	if err != nil {
		return "", err
	}
	prog, err := p.n.Program(ctx)
	switch {
	case err != nil:
		return "", err
	case customer == nil || prog == nil || row.State != profile.Accepted && row.State != profile.Unknown:
		return "", errNoMessage
	case row.Profile != customer.ID && !slices.Contains(customer.Strands, row.Profile):
		return "", errNoMessage
	}
	html, err := prog.Show(&row.Delivery, customer, row.Changed, strings.TrimRight(p.n.o.OwnCopy, "/"), p.n.o.Links)
	switch {
	case fault.Is(err, fault.Invalid), err == nil && html == "":
		// The template is gone, or asks for what is known no longer.
		return "", errNoMessage
	}
	return html, err
}

var _ site.Customers = Public{}

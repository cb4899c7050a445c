package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rapport/internal/admin/page"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/demo"
	"rapport/internal/fault"
	"rapport/internal/program"
)

const (
	// maxQuery bounds what is searched for: no identifier is longer.
	maxQuery = identity.MaxValue
	// someCustomers is how many customers the search page lists to begin with.
	someCustomers = 50
	// maxLooked bounds the profiles that are looked at for that list: most may be
	// visitors of whom nothing is known, or signposts.
	maxLooked = 2000
)

// customers finds a customer, or lists some.
func (s *site) customers(r *http.Request) (page.View, error) {
	ctx := r.Context()
	p, err := s.inForce(ctx)
	if err != nil {
		return nil, err
	}
	q := strings.TrimSpace(r.FormValue("q"))
	v := &page.Customers{Frame: s.frame(p, "Customers", "customers"), Query: clip(q, maxQuery)}
	switch {
	case len(q) > maxQuery:
		v.Missing = "No identifier is that long."
	case q != "":
		found, err := s.o.Node.Lookup(ctx, q)
		if fault.Is(err, fault.NotFound) {
			_, message := fault.Of(err)
			v.Missing = page.Title(message) + "."
			return v, nil
		}
		if err != nil {
			return nil, fmt.Errorf("looking for a customer: %w", err)
		}
		return nil, moved("/customers/" + found.ID.String())
	}
	if v.Missing == "" {
		v.List, v.More, err = s.some(ctx, p, r.FormValue("from"))
	}
	return v, err
}

// some lists customers who are known by more than a device, in order of id.
func (s *site) some(ctx context.Context, p *program.Program, from string) (list []page.Person, more string, err error) {
	at, _ := identity.ParseID(from) // what is no id begins at the beginning
	for looked := 0; looked < maxLooked; {
		rows, err := s.o.Store.Profiles(ctx, at, perPage)
		if err != nil {
			return nil, "", fmt.Errorf("listing customers: %w", err)
		}
		for _, row := range rows {
			if len(list) == someCustomers {
				return list, "/customers?from=" + row.ID.String(), nil
			}
			who, err := profile.Decode(string(row.Body))
			if err != nil {
				return nil, "", fmt.Errorf("reading customer %s: %w", row.ID, err)
			}
			_, user := who.Identifier(identity.User)
			_, email := who.Identifier(identity.Email)
			if who.Owner.Zero() && who.Born != 0 && (user || email) {
				list = append(list, s.person(p, who))
			}
		}
		looked += len(rows)
		if len(rows) < perPage {
			return list, "", nil
		}
		at = follower(rows[len(rows)-1].ID)
	}
	return list, "/customers?from=" + at.String(), nil
}

// follower returns the id behind another.
func follower(id identity.ID) identity.ID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}

// person returns a customer as lists show one.
func (s *site) person(p *program.Program, who *profile.Profile) page.Person {
	orders, spent := worth(who, p.Currency)
	v := page.Person{
		Link: page.Link{Text: nameOf(who), Href: "/customers/" + who.ID.String()}, Invented: invented(who) != "",
		Orders: page.Count(orders), Spent: strings.Join(spent, ", "), Last: s.clock(p).When(who.Last), Note: knownBy(who),
	}
	return v
}

// nameOf returns what a customer is called on pages.
func nameOf(p *profile.Profile) string {
	text := func(name string) string {
		v, _ := p.Trait(name)
		if v.Kind != event.String {
			return ""
		}
		return strings.TrimSpace(clip(v.Raw, maxValue))
	}
	if full := strings.TrimSpace(text("first_name") + " " + text("last_name")); full != "" {
		return full
	}
	if name := text("name"); name != "" {
		return name
	}
	if user, ok := p.Identifier(identity.User); ok {
		return "Customer " + user
	}
	if email, ok := p.Identifier(identity.Email); ok {
		return email
	}
	return "Visitor " + p.ID.String()[:8]
}

// knownBy returns the strongest identifiers of a customer in a line.
func knownBy(p *profile.Profile) string {
	var list []string
	for _, kind := range []identity.Kind{identity.User, identity.Email, identity.Phone, identity.Loyalty, identity.Anonymous} {
		if v, ok := p.Identifier(kind); ok && len(list) < 2 {
			if kind == identity.User {
				v = "Customer " + v
			}
			list = append(list, v)
		}
	}
	return strings.Join(list, " · ")
}

// invented returns the label if the demonstration made the person up.
func invented(p *profile.Profile) string {
	if v, ok := p.Trait("invented"); ok && v.Kind == event.True {
		return demo.Invented
	}
	return ""
}

// worth returns how many orders a customer completed, and what was spent less
// refunds, one text for each currency. Own is the currency of orders that name
// none.
func worth(p *profile.Profile, own money.Currency) (orders int64, spent []string) {
	var sums []money.Amount
	for i := range p.Orders {
		o := &p.Orders[i]
		if o.Kind == profile.Completed {
			orders++
		}
		c := o.Currency
		if c == "" {
			c = own
		}
		found := false
		for k := range sums {
			if sums[k].Currency == c {
				sums[k].Micros += o.Net
				found = true
			}
		}
		if !found {
			sums = append(sums, money.Amount{Micros: o.Net, Currency: c})
		}
	}
	for _, a := range sums {
		spent = append(spent, page.Money(a.Micros, a.Currency))
	}
	if spent == nil {
		spent = []string{page.Money(0, own)}
	}
	return orders, spent
}

// found returns the customer that the path names. Any identifier will do; an id
// that is not the customer's own leads to the one that is.
func (s *site) found(r *http.Request) (*profile.Profile, error) {
	text := r.PathValue("id")
	id, err := identity.ParseID(text)
	if err != nil {
		return nil, moved("/customers?q=" + url.QueryEscape(clip(text, maxQuery)))
	}
	p, err := s.o.Node.Engine.Profile(r.Context(), id)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading customer %s: %w", id, err)
	case p == nil || p.Born == 0:
		return nil, fault.New(fault.NotFound, "No customer has this id. They may have been forgotten, as they can ask to be.")
	case p.ID.String() != text:
		return nil, moved("/customers/" + p.ID.String())
	}
	return p, nil
}

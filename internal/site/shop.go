package site

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// Shop is what the pages show of the shop.
type Shop struct {
	Name     string
	Locale   string    // of whoever shows no language of their own
	Look     Look      // the zero Look is ours
	Website  string    // empty: none
	Channels []string  // on which it speaks, in the order to show them
	Purposes []Purpose // that somebody may sign up for; On means nothing
	SignUp   bool      // a journey waits for sign-ups, so the form is open
}

// Look is a brand's look on the pages.
type Look struct {
	Accent string // of buttons and links, as #rrggbb; empty: ours
	Logo   string // the address of a picture; empty: the name in letters
}

// Customer is what a customer chose, beside purposes.
type Customer struct {
	Locale      string
	Fewer       bool       // at most one marketing message in seven days
	PausedUntil event.Time // no marketing until then; zero: not paused
}

// Customers knows the shop and its customers, as far as the pages show them.
type Customers interface {
	// Shop returns what the pages show of the shop.
	Shop(ctx context.Context) (Shop, error)

	// Customer returns what a customer chose; the zero Customer if nobody knows
	// them, for a link never tells whether somebody is known.
	Customer(ctx context.Context, profile identity.ID) (Customer, error)

	// View returns the HTML of a message that was sent to the customer, worded anew,
	// without links that act for the customer. It is NotFound if there is no such
	// message of theirs, or if it has no HTML.
	View(ctx context.Context, d Delivery) (html string, err error)
}

// nobody knows no shop: the pages are in English and there is no form.
type nobody struct{}

func (nobody) Shop(context.Context) (Shop, error)                      { return Shop{}, nil }
func (nobody) Customer(context.Context, identity.ID) (Customer, error) { return Customer{}, nil }
func (nobody) View(context.Context, Delivery) (string, error)          { return "", errNoView }

// askFor is how long a page waits for what only makes it nicer: the language of
// the customer and the look of the shop. The way out depends on neither.
const askFor = time.Second

// visit is one request for a page: for whom it is, and how it is to look.
type visit struct {
	shop     Shop
	customer Customer
	lang     string
}

// visit finds out how a page is to look. What cannot be found out is left at our
// own look and the browser's language.
func (s *Site) visit(r *http.Request, profile identity.ID) visit {
	ctx, cancel := context.WithTimeout(r.Context(), askFor)
	defer cancel()
	var v visit
	var err error
	if v.shop, err = s.o.Customers.Shop(ctx); err != nil {
		s.o.Log.Warn("a page does not know its shop", "error", err)
		v.shop = Shop{}
	}
	if !profile.Zero() {
		if v.customer, err = s.o.Customers.Customer(ctx, profile); err != nil {
			s.o.Log.Warn("a page does not know its customer", "error", err)
			v.customer = Customer{}
		}
	}
	if v.shop.Name == "" {
		v.shop.Name = s.o.Brand
	}
	for _, lang := range []string{languageOf(v.customer.Locale), accepted(r), languageOf(v.shop.Locale), fallback} {
		if lang != "" {
			v.lang = lang
			break
		}
	}
	return v
}

// Say returns a text in the visit's language.
func (v *visit) Say(key string) string { return catalogue[v.lang][key] }

// label returns what a purpose is called in the visit's language.
func (v *visit) label(p Purpose) string {
	if l := p.Labels[v.lang]; l != "" {
		return l
	}
	return p.Label
}

// about returns what a purpose means in the visit's language; empty if nobody said.
func (v *visit) about(p Purpose) string {
	if p.Labels[v.lang] != "" {
		return p.Abouts[v.lang]
	}
	return p.About
}

// safeAccent reports whether a colour can stand in a style sheet: #rrggbb and
// nothing else.
func safeAccent(c string) bool {
	if len(c) != 7 || c[0] != '#' {
		return false
	}
	return strings.Trim(strings.ToLower(c[1:]), "0123456789abcdef") == ""
}

// safeLogo returns the origin of a logo's address for the policy, and whether the
// address can stand on a page.
func safeLogo(logo string) (origin string, ok bool) {
	u, err := url.Parse(logo)
	if err != nil || CheckTarget(logo) != nil || strings.ContainsAny(u.Host, "'\";, ") {
		return "", false
	}
	return u.Scheme + "://" + u.Host, true
}

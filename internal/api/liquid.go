package api

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"rapport/internal/core/content"
	"rapport/internal/core/identity"
	"rapport/internal/program"
	"rapport/internal/suggest"
)

// language is what templates may speak of.
type language struct {
	Tags      []liquidTag      `json:"tags"`
	Filters   []content.Filter `json:"filters"`
	Variables []variable       `json:"variables"`
	Blocks    []string         `json:"blocks" doc:"Names for {% render %}."`
	Layouts   []string         `json:"layouts"`
	Locales   []string         `json:"locales" doc:"Languages that have sentences of their own, the shop's own first."`
	Lists     []string         `json:"lists" doc:"Names for the filter recommend."`
}

type liquidTag struct {
	Name string `json:"name"`
	End  string `json:"end,omitempty" doc:"The tag that ends it."`
}

type variable struct {
	Path  string `json:"path" example:"customer.first_name"`
	About string `json:"about,omitempty"`
}

// seenProfiles is how many customers are looked at for the traits that they have:
// what every customer of a shop may have is had by some of these.
const seenProfiles = 300

func (a *API) language(ctx context.Context, _ *struct{}) (*body[language], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	out := language{Filters: content.Filters(), Tags: []liquidTag{}, Variables: []variable{}, Blocks: []string{}, Layouts: []string{}, Locales: []string{pr.Locale}, Lists: suggest.Lists()}
	tags := content.Tags()
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		out.Tags = append(out.Tags, liquidTag{name, tags[name]})
	}
	known := map[string]string{
		"customer.email": "", "customer.first_name": "", "customer.last_name": "",
		"product.sku": "What the message is about", "product.name": "", "product.category": "", "product.price": "", "product.was": "Before it was reduced", "product.url": "", "product.image": "",
		"product.currency": "", "product.available": "", "order.id": "Of a message about an order", "order.total": "", "order.currency": "", "order.items": "Each with sku, name, quantity, price and total",
		"reason": "Why this person gets it", "shop.name": "", "shop.website": "", "shop.postal": "Has to stand in every marketing message", "shop.currency": "", "locale": "The reader's language",
		"unsubscribe_url": "Has to stand in every marketing message", "preferences_url": "", "view_url": "The message in a browser", "confirm_url": "In the mail that answers a sign-up",
		"trigger": "The properties of what let them into the journey",
	}
	for name := range pr.Shop.Kit.Colors {
		known["brand.colors."+name] = pr.Shop.Kit.Colors[name]
	}
	for name := range pr.Shop.Kit.Fonts {
		known["brand.fonts."+name] = pr.Shop.Kit.Fonts[name]
	}
	if pr.Shop.Kit.Logo.URL != "" {
		known["brand.logo.url"], known["brand.logo.alt"] = "", ""
	}
	if err := a.customerWords(ctx, pr, known); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		out.Variables = append(out.Variables, variable{name, known[name]})
	}
	for _, f := range pr.Source.Files() {
		dir, base := path.Split(f.Path)
		name, _, _ := strings.Cut(base, ".")
		switch {
		case dir == "blocks/" && !slices.Contains(out.Blocks, name):
			out.Blocks = append(out.Blocks, name)
		case dir == "layouts/" && !slices.Contains(out.Layouts, name):
			out.Layouts = append(out.Layouts, name)
		case dir == "locales/" && !slices.Contains(out.Locales, name):
			out.Locales = append(out.Locales, name)
		}
	}
	return answer(out, nil)
}

// customerWords adds what is known of customers: what is computed, and what was sent of
// some of them.
func (a *API) customerWords(ctx context.Context, pr *program.Program, known map[string]string) error {
	looked := 0
	for p, err := range a.o.Node.Customers(ctx, identity.ID{}) {
		if err != nil {
			return err
		}
		if looked++; looked > seenProfiles {
			break
		}
		for k := range p.Traits {
			if name := p.Traits[k].Name; liquidName(name) {
				if _, there := known["customer."+name]; !there {
					known["customer."+name] = ""
				}
			}
		}
	}
	for i := range pr.Traits {
		known["customer."+pr.Traits[i].Name] = pr.Traits[i].Label
	}
	return nil
}

// liquidName reports whether a trait's name can be written behind a dot.
func liquidName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rapport/internal/catalogue"
	"rapport/internal/catalogue/feed"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	sold "rapport/internal/core/product"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/sources/table"
	"rapport/internal/sources/till"
)

// Limits of what one call may bring. A thousand products are some megabytes and one
// sync of the disk for each five hundred.
const (
	maxBatch     = 1000
	maxGoodsBody = 8 << 20
)

// defaultSource is whose products the API's are where a call does not say.
const defaultSource = "api"

// refusedItem is one item of a batch that was left out.
type refusedItem struct {
	Index  int    `json:"index"`
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason"`
}

// appliedBatch is what became of a batch for the catalogue.
type appliedBatch struct {
	Taken   int           `json:"taken" doc:"What replaced something older."`
	Stale   int           `json:"stale" doc:"What said nothing new, or something older."`
	Unknown int           `json:"unknown" doc:"SKUs that are not in the catalogue."`
	Changes int           `json:"changes" doc:"Price drops, returns to stock and low stock that followed."`
	Strange []string      `json:"unknown_stores,omitempty" doc:"Names of stores that no store of the definitions has: what they have is noted, and no nearest store is found by it."`
	Refused []refusedItem `json:"refused"`
}

func appliedOf(a catalogue.Applied, refused []refusedItem) appliedBatch {
	if refused == nil {
		refused = []refusedItem{}
	}
	return appliedBatch{Taken: a.Taken, Stale: a.Stale, Unknown: a.Unknown, Changes: a.Changes, Refused: refused}
}

// goods adds the operations that change the catalogue, and the one that takes
// receipts.
func (a *API) goods() {
	route(a, operation{
		method: http.MethodPut, path: "/products", scope: keys.Edit, tag: "products", summary: "Put products into the catalogue", maxBody: maxGoodsBody,
		about: "Each product replaces what was known under its id. What the change means, a price drop or a return to stock, follows by itself and is told to whoever is interested. What is wrong with single products is in the answer; the others are taken.",
	}, a.putProducts)
	route(a, operation{
		method: http.MethodPost, path: "/products/feed", scope: keys.Edit, tag: "products", status: http.StatusOK, summary: "Bring a feed of products into the catalogue",
		about: "The body is the file: a Google Merchant feed (XML, TSV, CSV), Shopify's products CSV, JSON lines, or a list in JSON, packed or not, of at most 2 GB. What is wrong with single products is in the answer, with its line; the others are taken. " +
			"A feed that is complete takes out what it does not name, unless that is so much that it must be a broken one: then nothing is taken out, and the answer is 400.",
		file: "The file.", answers: reflect.TypeFor[FeedRead](),
	}, a.feed)
	route(a, operation{
		method: http.MethodPost, path: "/products/stock", scope: keys.Edit, tag: "products", summary: "Say how many pieces there are", maxBody: maxGoodsBody,
		about: "Of a SKU altogether, or in one store. An older word than what is known changes nothing.",
	}, a.stock)
	route(a, operation{
		method: http.MethodPost, path: "/products/prices", scope: keys.Edit, tag: "products", summary: "Say what things cost", maxBody: maxGoodsBody,
		about: "The price of a SKU, with or without a sale for some time.",
	}, a.prices)
	route(a, operation{
		method: http.MethodPost, path: "/receipts", scope: keys.Edit, tag: "till", summary: "Take what tills sold", maxBody: maxGoodsBody,
		about: "Each receipt is an order at the instant of its sale, however late it comes and in whatever order. Sent again, it changes nothing; with another content under the same number it is refused: send a return of the old one and the new one under a number of its own. Receipts of nobody are counted and not kept. The answer comes once all that is taken is durable.",
	}, a.receipts)
}

func (a *API) putProducts(ctx context.Context, in *struct {
	Body struct {
		Source   string            `json:"source,omitempty" maxLength:"64" doc:"Whose products they are. Default: api."`
		Currency string            `json:"currency,omitempty" maxLength:"3" doc:"Of prices that name none. Default: the shop's own."`
		Products []json.RawMessage `json:"products" minItems:"1" maxItems:"1000" doc:"Each as a line of a JSON lines file: id, title, brand, url, image, categories, and either price, sale_price, sku, stock, availability or variants with them."`
	}
},
) (*body[appliedBatch], error) {
	currency, err := a.currency(ctx, in.Body.Currency)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for i, raw := range in.Body.Products {
		if err := json.Compact(&text, raw); err != nil {
			return nil, fault.New(fault.Invalid, "products["+strconv.Itoa(i)+"]: an object is expected")
		}
		text.WriteByte('\n')
	}
	var updates []catalogue.Update
	var refused []refusedItem
	_, err = feed.Read(ctx, &text, feed.Options{
		Source: source(in.Body.Source), Currency: currency, Format: feed.JSONLines, Now: a.o.Now(),
		Put: func(p sold.Product) error { updates = append(updates, catalogue.Update{Product: p}); return nil },
		Refuse: func(r feed.Refusal) error {
			refused = append(refused, refusedItem{int(r.Line) - 1, r.ID, r.Reason})
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	done, err := a.o.Catalogue.Apply(ctx, updates)
	return answer(appliedOf(done, refused), err)
}

// FeedRead is what became of a feed.
type FeedRead struct {
	catalogue.Brought
	DryRun   bool           `json:"dry_run"`
	Problems []feed.Refusal `json:"problems" doc:"What was refused: the first thousand."`
}

// maxFeed bounds a feed, and shownRefusals what is said of what was refused.
const (
	maxFeed       = 2 << 30
	shownRefusals = 1000
)

// feedCall says how a feed is to be read.
type feedCall struct {
	Source   string `query:"source" maxLength:"64" doc:"Whose products they are. Default: products, as of rapport import products."`
	Format   string `query:"format" enum:"xml,google,shopify,jsonl,json" doc:"Default: found out."`
	Encoding string `query:"encoding" enum:"utf-8,windows-1252" doc:"Default: found out; UTF-16 always is."`
	Currency string `query:"currency" maxLength:"3" doc:"Of prices that name none. Default: the shop's own."`
	Website  string `query:"website" maxLength:"300" doc:"Where products of Shopify's CSV are shown: the file names no addresses."`
	Complete bool   `query:"complete" doc:"The feed names everything that the source sells: what is not in it is not sold any more. What is refused stays as it was."`
	MostGone int    `query:"most_gone" minimum:"1" maximum:"100" default:"30" doc:"How many per cent of what the source sells may go at once."`
	DryRun   bool   `query:"dry_run" doc:"Say what is in the feed and what would go, and write nothing."`
}

func (a *API) feed(ctx context.Context, in *feedCall) (*huma.StreamResponse, error) {
	currency, err := a.currency(ctx, in.Currency)
	if err != nil {
		return nil, err
	}
	out := FeedRead{DryRun: in.DryRun, Problems: []feed.Refusal{}}
	o := catalogue.Bringing{Complete: in.Complete, MostGone: in.MostGone, DryRun: in.DryRun}
	if o.Source = in.Source; o.Source == "" {
		o.Source = "products"
	}
	o.Currency, o.Website, o.Format, o.Encoding, o.Now = currency, in.Website, feed.Format(in.Format), table.Encoding(in.Encoding), a.o.Now()
	o.Refuse = func(r feed.Refusal) error {
		if len(out.Problems) < shownRefusals {
			out.Problems = append(out.Problems, r)
		}
		return nil
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		r, w := humago.Unwrap(c)
		var err error
		if out.Brought, err = a.o.Catalogue.Bring(r.Context(), patient(w, http.MaxBytesReader(w, r.Body, maxFeed)), o); err != nil {
			if kind, why := fault.Of(err); kind == fault.Invalid && out.Taken > 0 {
				err = fault.Wrap(kind, err, why+" ("+strconv.Itoa(out.Taken)+" products of the feed were taken)")
			}
			a.refuse(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // who is gone cannot be told
	}}, nil
}

// source is whose products a call speaks of.
func source(said string) string {
	if said == "" {
		return defaultSource
	}
	return said
}

// currency reads a currency; the shop's own if none is said.
func (a *API) currency(ctx context.Context, said string) (money.Currency, error) {
	if said != "" {
		return money.ParseCurrency(said)
	}
	p, err := a.o.Node.Program(ctx)
	if err != nil || p == nil {
		return "", err
	}
	return p.Currency, nil
}

// instant reads when something was so; now if it is not said.
func (a *API) instant(field, text string) (event.Time, error) {
	now := a.o.Now()
	if text == "" {
		return now, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fault.New(fault.Invalid, field+": an instant such as 2026-12-24T15:00:00Z is expected")
	}
	return min(event.At(t), now), nil
}

func (a *API) stock(ctx context.Context, in *struct {
	Body struct {
		Source string `json:"source,omitempty" maxLength:"64" doc:"Only of products of this source. Default: of any."`
		Stock  []struct {
			SKU    string `json:"sku" minLength:"1" maxLength:"128"`
			Store  string `json:"store,omitempty" maxLength:"200" doc:"The store's name in the catalogue. Default: all together."`
			Pieces int64  `json:"pieces" minimum:"-1000000000" maximum:"1000000000"`
			At     string `json:"at,omitempty" maxLength:"40" doc:"When it was so. Default: now."`
		} `json:"stock" minItems:"1" maxItems:"1000"`
	}
},
) (*body[appliedBatch], error) {
	patches := make([]catalogue.Patch, len(in.Body.Stock))
	for i, s := range in.Body.Stock {
		at, err := a.instant("stock["+strconv.Itoa(i)+"] ("+s.SKU+").at", s.At)
		if err != nil {
			return nil, err
		}
		patches[i] = catalogue.Patch{SKU: s.SKU, Source: in.Body.Source, Counted: true, Stock: s.Pieces, Place: s.Store, At: at}
	}
	done, err := a.o.Catalogue.Patch(ctx, patches)
	if err != nil {
		return nil, err
	}
	out := appliedOf(done, nil)
	out.Strange, err = a.strangers(ctx, patches)
	return answer(out, err)
}

// strangers are the names of stores that no store has, each once; none of a shop that
// defines no stores.
func (a *API) strangers(ctx context.Context, patches []catalogue.Patch) (names []string, err error) {
	p, err := a.o.Node.Program(ctx)
	if err != nil || p == nil || len(p.Places.Stores()) == 0 {
		return nil, err
	}
	known := map[string]bool{"": true}
	for i := range p.Places.Stores() {
		known[p.Places.Stores()[i].Stock] = true
	}
	for i := range patches {
		if place := patches[i].Place; !known[place] {
			known[place] = true
			names = append(names, place)
		}
	}
	return names, nil
}

func (a *API) prices(ctx context.Context, in *struct {
	Body struct {
		Source string `json:"source,omitempty" maxLength:"64" doc:"Only of products of this source. Default: of any."`
		Prices []struct {
			SKU      string      `json:"sku" minLength:"1" maxLength:"128"`
			Price    till.Amount `json:"price"`
			Sale     till.Amount `json:"sale_price,omitempty"`
			From     string      `json:"sale_from,omitempty" maxLength:"40"`
			To       string      `json:"sale_to,omitempty" maxLength:"40"`
			Currency string      `json:"currency,omitempty" maxLength:"3" doc:"Default: as before."`
			At       string      `json:"at,omitempty" maxLength:"40" doc:"When it was so. Default: now."`
		} `json:"prices" minItems:"1" maxItems:"1000"`
	}
},
) (*body[appliedBatch], error) {
	patches := make([]catalogue.Patch, len(in.Body.Prices))
	for i, s := range in.Body.Prices {
		field := func(name string) string { return "prices[" + strconv.Itoa(i) + "] (" + s.SKU + ")." + name }
		at, err := a.instant(field("at"), s.At)
		if err != nil {
			return nil, err
		}
		p := catalogue.Patch{SKU: s.SKU, Source: in.Body.Source, Priced: true, At: at}
		if p.Price, err = price(field("price"), s.Price); err != nil {
			return nil, err
		}
		if s.Currency != "" {
			if p.Currency, err = money.ParseCurrency(s.Currency); err != nil {
				_, why := fault.Of(err)
				return nil, fault.New(fault.Invalid, field("currency")+": "+why)
			}
		}
		if till.Decimal(s.Sale) != "" {
			p.Sale.On = true
			if p.Sale.Price, err = price(field("sale_price"), s.Sale); err != nil {
				return nil, err
			}
			for _, end := range [...]struct {
				name, text string
				to         *event.Time
			}{{"sale_from", s.From, &p.Sale.From}, {"sale_to", s.To, &p.Sale.To}} {
				if end.text == "" {
					continue
				}
				t, err := time.Parse(time.RFC3339, end.text)
				if err != nil {
					return nil, fault.New(fault.Invalid, field(end.name)+": an instant such as 2026-12-24T15:00:00Z is expected")
				}
				*end.to = event.At(t)
			}
		}
		patches[i] = p
	}
	done, err := a.o.Catalogue.Patch(ctx, patches)
	return answer(appliedOf(done, nil), err)
}

func price(field string, text till.Amount) (money.Micros, error) {
	m, err := money.Parse(till.Decimal(text))
	if err != nil || m < 0 {
		return 0, fault.New(fault.Invalid, field+": a sum of zero or more is expected, such as 12.50")
	}
	return m, nil
}

// taken is what became of receipts.
type taken struct {
	Taken   int           `json:"taken" doc:"Durable, now or before."`
	Nobody  int           `json:"nobody" doc:"Receipts that name no customer."`
	Refused []refusedItem `json:"refused" doc:"What is wrong with the others: send them again once it is mended."`
}

func (a *API) receipts(ctx context.Context, in *struct {
	Body struct {
		Source   string         `json:"source,omitempty" maxLength:"64" doc:"The name of the tills; receipts of two sources may have one number. Default: till."`
		Receipts []till.Receipt `json:"receipts" minItems:"1" maxItems:"1000"`
	}
},
) (*body[taken], error) {
	from := in.Body.Source
	if from == "" {
		from = "till"
	}
	out := taken{Refused: []refusedItem{}}
	var events []event.Event
	seen := map[event.ID]*event.Event{} // of this call
	now := a.o.Now()
	for i := range in.Body.Receipts {
		r := &in.Body.Receipts[i]
		list, err := till.Events(r, from, now)
		switch kind, why := fault.Of(err); {
		case err == nil:
			before := seen[list[0].ID]
			if before == nil {
				if before, err = a.receipt(ctx, &list[0]); err != nil {
					return nil, err
				}
				seen[list[0].ID] = &list[0]
			}
			if before != nil && till.Differs(before, &list[0]) {
				out.Refused = append(out.Refused, refusedItem{i, r.ID, "id: a receipt of this number was taken before with another content: send a return of it, and this one under a number of its own"})
				continue
			}
			out.Taken++
			events = append(events, list...)
		case kind == fault.NotFound:
			out.Nobody++
		default:
			out.Refused = append(out.Refused, refusedItem{i, r.ID, why})
		}
	}
	if len(events) == 0 {
		return answer(out, nil)
	}
	if err := a.o.Node.Ready(); err != nil {
		return nil, err
	}
	return answer(out, a.o.Node.Hear(ctx, events))
}

// receipt returns the event of a receipt's number that was heard of its customer
// before; nil if there is none. History is read only if the customer has an order by
// that event.
func (a *API) receipt(ctx context.Context, sale *event.Event) (*event.Event, error) {
	for _, who := range identity.Of(sale) {
		p, err := a.o.Node.Find(ctx, who)
		if err != nil {
			return nil, err
		}
		if p == nil || !slices.ContainsFunc(p.Orders, func(o profile.Order) bool { return o.By == profile.Fingerprint(sale.ID) }) {
			continue
		}
		blocks, err := a.o.Store.History(ctx, append([]identity.ID{p.ID}, p.Strands...)...)
		if err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", p.ID, err)
		}
		for b := len(blocks) - 1; b >= 0; b-- {
			events, err := engine.UnpackHistory(blocks[b].Body)
			if err != nil {
				return nil, fmt.Errorf("reading the history of %s: %w", p.ID, err)
			}
			for i := range events {
				if events[i].Event.ID == sale.ID {
					return &events[i].Event, nil
				}
			}
		}
	}
	return nil, nil
}

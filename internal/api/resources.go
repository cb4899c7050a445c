package api

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	sold "rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/imports"
	"rapport/internal/keys"
	"rapport/internal/sender"
)

// Catalogue says what is sold; [catalogue.Keeper] is one.
type Catalogue interface {
	Products(ctx context.Context, ids ...string) ([]*catalogue.Card, error)
	Apply(ctx context.Context, updates []catalogue.Update) (catalogue.Applied, error)
	Bring(ctx context.Context, in io.Reader, o catalogue.Bringing) (catalogue.Brought, error)
	Patch(ctx context.Context, patches []catalogue.Patch) (catalogue.Applied, error)
	Levels(ctx context.Context, sku string) ([]sold.Level, bool, error)
	Whole(ctx context.Context, id string) (*sold.Product, error)
	All(ctx context.Context) iter.Seq2[sold.Product, error]
}

// reachable is who can be written to, and why the others cannot.
type reachable struct {
	Channel   string           `json:"channel"`
	Purpose   string           `json:"purpose"`
	Customers int64            `json:"customers"`
	Address   int64            `json:"with_address"`
	Stopped   int64            `json:"suppressed"`
	Bounced   int64            `json:"bounced"`
	Reachable int64            `json:"reachable"`
	Standings map[string]int64 `json:"standings" doc:"Each customer once, by what stands in the way; they add up to customers."`
}

// imported is one import in the book.
type imported struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind"`
	Source     string     `json:"source"`
	File       string     `json:"file,omitempty"`
	State      string     `json:"state" enum:"running,done,failed,undoing,undone" doc:"Running, or cut short: it can be resumed. Failed: nothing of it was taken."`
	By         string     `json:"by,omitempty"`
	Began      event.Time `json:"began"`
	Ended      string     `json:"ended,omitempty"`
	UndoneBy   string     `json:"undone_by,omitempty"`
	UndoneAt   string     `json:"undone_at,omitempty"`
	Suppressed int64      `json:"suppressions" doc:"How many addresses it suppressed."`
	Retracted  int64      `json:"suppressions_retracted"`

	Totals    map[string]any  `json:"totals,omitempty" doc:"What was taken so far, by the kind of the file."`
	Progress  *ImportProgress `json:"progress,omitempty" doc:"How far this server is with it; absent: it does not work on it."`
	Resumable bool            `json:"resumable,omitempty" doc:"It was cut short, and its file is here."`
	HasErrors bool            `json:"has_errors,omitempty" doc:"Refused rows are kept, to be downloaded."`
}

func (a *API) importedOf(e *imports.Entry) imported {
	v := imported{
		ID: e.ID, Kind: e.Kind, Source: e.Source, File: e.File, State: string(e.State), By: e.By, Began: event.Time(e.BeganAt), Ended: e.Ended, UndoneBy: e.UndoneBy, UndoneAt: e.UndoneAt,
		Suppressed: e.Suppressed, Retracted: e.Retracted, Totals: totalsOf(e.Totals),
	}
	if a.o.Desk != nil && e.ID != "" {
		v.Progress, v.HasErrors = progressOf(a.o.Desk.Outcome(e.ID)), a.o.Desk.HasErrors(e.ID)
		v.Resumable = e.State == imports.Running && (v.Progress == nil || !v.Progress.Running) && a.o.Desk.Resumable(e.ID)
	}
	return v
}

// domain is one domain that mail is sent from. Its keys are not shown.
type domain struct {
	Name      string           `json:"name"`
	Froms     []string         `json:"froms" doc:"Further domains that may stand in From."`
	Verified  *time.Time       `json:"verified,omitempty" doc:"When DNS last had everything; absent: the domain may not send marketing."`
	Checked   *time.Time       `json:"checked,omitempty" doc:"When DNS was last asked."`
	Paused    *time.Time       `json:"paused,omitempty" doc:"Since when marketing is stopped."`
	Why       string           `json:"why,omitempty" doc:"Why it is."`
	Hourly    int              `json:"hourly,omitempty" doc:"Most messages of marketing an hour; absent: no limit."`
	Warmup    []int            `json:"warmup,omitempty" doc:"Most messages of marketing a day, from the day of began on."`
	Began     *time.Time       `json:"began,omitempty"`
	Problems  []sender.Problem `json:"problems"`
	Records   []sender.Record  `json:"records" doc:"What to publish in DNS."`
	Selecting string           `json:"selector_tag" doc:"Tells our DKIM selectors from others'."`
}

// domainCall sets up a domain.
type domainCall struct {
	Name    string   `json:"name" minLength:"3" maxLength:"253" example:"news.shop.example" doc:"That signs, and that providers judge."`
	Froms   []string `json:"froms,omitempty" maxItems:"50" doc:"Further domains that may stand in From, below or beside it."`
	Bounces string   `json:"bounces,omitempty" maxLength:"253" doc:"Domain of the envelope, to which failures come back. Default: the domain."`
	Hosts   []string `json:"hosts,omitempty" maxItems:"50" doc:"IP addresses of the servers that hand the mail on, for SPF."`
	Hourly  int      `json:"hourly,omitempty" minimum:"0" doc:"Most messages of marketing an hour. Default: no limit."`
	Warmup  bool     `json:"warmup,omitempty" doc:"Let its volume grow from fifty a day on, as providers want it of a new domain."`
}

func domainOf(d *sender.Domain) domain {
	when := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	return domain{
		Name: d.Name, Froms: append([]string{}, d.Froms...), Verified: when(d.Verified), Checked: when(d.Checked), Paused: when(d.Paused), Why: d.Why, Hourly: d.Hourly,
		Warmup: d.Warm, Began: when(d.Began),
		Problems: append([]sender.Problem{}, d.Problems...), Records: append([]sender.Record{}, d.Records("")...), Selecting: d.Tag,
	}
}

// product is one thing that is sold, as a message shows it.
type product struct {
	ID           string `json:"id"`
	SKU          string `json:"sku"`
	Title        string `json:"title"`
	Variant      string `json:"variant,omitempty"`
	Brand        string `json:"brand,omitempty"`
	Category     string `json:"category,omitempty"`
	URL          string `json:"url,omitempty"`
	Image        string `json:"image,omitempty"`
	Price        string `json:"price" example:"12.50 GBP"`
	Regular      string `json:"regular_price" doc:"Without the sale."`
	Availability string `json:"availability" enum:"in_stock,out_of_stock,preorder,backorder"`
}

// resources adds the operations about imports, domains and products, and the count
// of who is reachable.
func (a *API) resources() {
	route(a, get("/reachable", "customers", "Count who can be written to, and why the others cannot", "Reads every customer."), a.reachable)
	route(a, get("/imports", "imports", "List the imports", "In order of their ids."), func(_ context.Context, in *Paging) (*body[page[imported]], error) {
		all, err := a.o.Imports.List()
		if err != nil {
			return nil, err
		}
		list := make([]imported, len(all))
		for i := range all {
			list[i] = a.importedOf(&all[i])
		}
		slices.SortFunc(list, func(x, y imported) int { return strings.Compare(x.ID, y.ID) })
		return answer(keep(list, *in, "imports", func(i *imported) string { return i.ID }))
	})
	route(a, get("/imports/{name}", "imports", "Show an import", ""), func(_ context.Context, in *Named) (*body[imported], error) {
		e, err := a.o.Imports.Entry(in.Name)
		return answer(a.importedOf(&e), err)
	})
	route(a, operation{
		method: http.MethodPost, path: "/imports/{name}/undo", scope: keys.Edit, tag: "imports", summary: "Take an import back",
		about: "Its customers become what they would be without it. Undoing once more what was cut short finishes it.",
	}, a.undo)
	route(a, get("/domains", "domains", "List the domains that mail is sent from", "In order of their names."), func(_ context.Context, in *Paging) (*body[page[domain]], error) {
		all, err := a.o.Domains.Domains()
		if err != nil {
			return nil, err
		}
		list := make([]domain, len(all))
		for i := range all {
			list[i] = domainOf(&all[i])
		}
		slices.SortFunc(list, func(x, y domain) int { return strings.Compare(x.Name, y.Name) })
		return answer(keep(list, *in, "domains", func(d *domain) string { return d.Name }))
	})
	route(a, get("/domains/{name}", "domains", "Show a domain, with what to publish in DNS", ""), func(_ context.Context, in *Named) (*body[domain], error) {
		d, err := a.o.Domains.Domain(in.Name)
		return answer(domainOf(&d), err)
	})
	route(a, operation{method: http.MethodPost, path: "/domains/{name}/pause", scope: keys.Send, tag: "domains", summary: "Stop marketing from a domain"}, func(_ context.Context, in *struct {
		Named
		Body struct {
			Why string `json:"why" minLength:"1" maxLength:"200" doc:"A sentence, for whoever finds it paused."`
		}
	},
	) (*body[domain], error) {
		if _, err := a.o.Domains.Pause(in.Name, in.Body.Why); err != nil {
			return nil, err
		}
		d, err := a.o.Domains.Domain(in.Name)
		return answer(domainOf(&d), err)
	})
	route(a, operation{method: http.MethodPost, path: "/domains/{name}/resume", scope: keys.Send, tag: "domains", summary: "Lift the pause of a domain"}, func(_ context.Context, in *Named) (*body[domain], error) {
		d, err := a.o.Domains.Resume(in.Name)
		return answer(domainOf(&d), err)
	})
	route(a, operation{
		method: http.MethodPost, path: "/domains", scope: keys.Edit, roles: heads, tag: "domains", status: http.StatusCreated, summary: "Set up a domain that mail is sent from",
		about: "Its keys are made, and the answer says what to publish in DNS. Of a domain that is there, what is said is changed.",
	}, func(_ context.Context, in *struct{ Body domainCall }) (*body[domain], error) {
		d := sender.Domain{Name: in.Body.Name, Bounces: strings.ToLower(in.Body.Bounces), Hosts: in.Body.Hosts, Hourly: in.Body.Hourly}
		for _, f := range in.Body.Froms {
			d.Froms = append(d.Froms, strings.ToLower(f))
		}
		if in.Body.Warmup {
			d.Began, d.Warm = time.Now(), sender.Warmup
		}
		d, err := a.o.Domains.Add(d)
		return answer(domainOf(&d), err)
	})
	route(a, operation{
		method: http.MethodPost, path: "/domains/{name}/check", scope: keys.Edit, tag: "domains", summary: "Ask DNS about a domain, now",
		about: "SPF, DKIM and DMARC. If DNS does not answer, nothing is changed.",
	}, func(ctx context.Context, in *Named) (*body[domain], error) {
		d, err := a.o.Domains.Check(ctx, a.o.DNS, in.Name)
		return answer(domainOf(&d), err)
	})
	route(a, operation{
		method: http.MethodPost, path: "/domains/{name}/rotate", scope: keys.Edit, roles: heads, tag: "domains", summary: "Make the next keys of a domain",
		about: "They sign once a check has seen their records in DNS; those of before go on until then.",
	}, func(_ context.Context, in *Named) (*body[domain], error) {
		d, err := a.o.Domains.Rotate(in.Name)
		return answer(domainOf(&d), err)
	})
	route(a, get("/products/{id}", "products", "Show a product", "By its id, a variant's id or a SKU. Of a product, the variant that costs least of those that can be bought."), func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"200"`
	},
	) (*body[product], error) {
		cards, err := a.o.Catalogue.Products(ctx, in.ID)
		if err != nil {
			return nil, fmt.Errorf("looking for a product: %w", err)
		}
		if len(cards) == 0 || cards[0] == nil {
			return nil, fault.New(fault.NotFound, "nothing of that name is sold")
		}
		c := cards[0]
		return answer(product{c.ID, c.SKU, c.Title, c.Variant, c.Brand, c.Category, c.URL, c.Image, c.PriceText(), c.RegularText(), c.Availability}, nil)
	})
}

func (a *API) reachable(ctx context.Context, in *struct {
	Channel string `query:"channel" enum:"email,sms,whatsapp" default:"email"`
	Purpose string `query:"purpose" maxLength:"64" default:"marketing"`
},
) (*body[reachable], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	if err := pr.Shop.CheckPurpose(in.Purpose); err != nil {
		return nil, err
	}
	r, err := imports.Measure(ctx, a.o.Store, a.o.Ledger, a.o.Node, in.Channel, in.Purpose, a.o.Now())
	if err != nil {
		return nil, err
	}
	v := reachable{Channel: r.Channel, Purpose: r.Purpose, Standings: map[string]int64{}}
	v.Customers, v.Address, _, v.Stopped, v.Bounced, v.Reachable = r.Funnel()
	for s, n := range r.Counts {
		if n > 0 {
			v.Standings[imports.Standing(s).String()] = n
		}
	}
	return answer(v, nil)
}

func (a *API) undo(ctx context.Context, in *struct {
	Named
	Body struct {
		By      string `json:"by" minLength:"1" maxLength:"200" doc:"Who answers for it; it is kept. Of a person who is signed in it is their address, whatever stands here."`
		Retract bool   `json:"retract_suppressions,omitempty" doc:"Take back what it suppressed, too: these people may be written to again. An import that suppressed anybody is not undone without it."`
	}
},
) (*body[imported], error) {
	a.undoing.Lock()
	defer a.undoing.Unlock()
	undo := func(ctx context.Context, id, by string, really bool) (imports.Entry, error) {
		return imports.Undo(ctx, a.o.Imports, a.o.Node, a.o.Ledger, id, by, really)
	}
	if a.o.Desk != nil {
		undo = a.o.Desk.Undo
	}
	by := in.Body.By
	if c := callerOf(ctx); c.person != nil {
		by = c.person.Email
	}
	e, err := undo(ctx, in.Name, by, in.Body.Retract)
	if fault.Is(err, fault.Denied) {
		return nil, fault.New(fault.Conflict, "the import suppressed addresses; undone, they may be written to again. Say retract_suppressions if that is meant")
	}
	return answer(a.importedOf(&e), err)
}

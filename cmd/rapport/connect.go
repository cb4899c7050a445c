package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/sources/connect"
)

type connectCmd struct {
	Shopify     connectShopifyCmd `cmd:"" help:"Connect a shop on Shopify, or change how it is connected."`
	Woocommerce connectWooCmd     `cmd:"" name:"woocommerce" help:"Connect a shop on WooCommerce, or change how it is connected."`
	List        connectListCmd    `cmd:"" help:"List the shops that are connected."`
	Settle      connectSettleCmd  `cmd:"" help:"Forget the previous secret of a shop, after a rotation: what it signs is not taken any more."`
}

// connecting is what both platforms are asked.
type connecting struct {
	Name      string `arg:"" help:"Name of the source, such as shop: it is part of every id, so it stays."`
	Data      string `required:"" type:"path" help:"Data directory."`
	Currency  string `placeholder:"GBP" help:"Currency of the shop's prices. Default: the shop is asked."`
	PublicURL string `placeholder:"URL" help:"Where the shop reaches this server. With it, the shop is asked to send its webhooks there."`
	Identify  string `enum:"user,external" default:"user" help:"user: the platform's customer ids are the userIds of the shop's pages. external: they are ids beside others."`
	JSON      bool   `help:"Print the result as JSON."`
	NoAPI     bool   `name:"no-api" help:"Do not call the shop: take its webhooks only."`
}

type connectShopifyCmd struct {
	connecting
	Shop   string `required:"" placeholder:"NAME.myshopify.com" help:"The shop's own address at Shopify."`
	Secret string `required:"" env:"RAPPORT_SHOPIFY_SECRET" help:"The app's API secret key, which signs webhooks."`
	Token  string `env:"RAPPORT_SHOPIFY_TOKEN" help:"Admin API access token: read_orders, read_all_orders, read_customers, read_products, read_inventory, write_discounts, write_price_rules."`
}

// Run connects the shop.
func (c *connectShopifyCmd) Run(ctx context.Context, e *env) error {
	s := connect.Source{Platform: "shopify", URL: address(c.Shop), Secrets: connect.Secrets{Current: c.Secret}, Token: c.Token}
	return c.run(ctx, e, s)
}

type connectWooCmd struct {
	connecting
	URL         string `required:"" placeholder:"https://shop.example" help:"The shop's address."`
	Key         string `env:"RAPPORT_WOO_KEY" placeholder:"ck_…" help:"Consumer key of the REST API, read and write."`
	KeySecret   string `env:"RAPPORT_WOO_SECRET" placeholder:"cs_…" help:"Its consumer secret."`
	Secret      string `env:"RAPPORT_WOO_HOOK_SECRET" help:"Secret that signs webhooks. Default: the one that is known, or a new one."`
	ConsentMeta string `placeholder:"KEY" help:"Meta datum by which a plug-in says that a customer agreed to news, such as mailchimp_woocommerce_is_subscribed."`
}

// Run connects the shop.
func (c *connectWooCmd) Run(ctx context.Context, e *env) error {
	s := connect.Source{Platform: "woocommerce", URL: address(c.URL), Secrets: connect.Secrets{Current: c.Secret}, ID: c.Key, Token: c.KeySecret, ConsentMeta: c.ConsentMeta}
	if s.Secrets.Current == "" {
		if old, err := connect.OpenBook(c.Data).Find(c.Name); err == nil {
			s.Secrets.Current = old.Secrets.Current
		} else {
			var b [32]byte
			if _, err := rand.Read(b[:]); err != nil {
				return err
			}
			s.Secrets.Current = hex.EncodeToString(b[:])
		}
	}
	return c.run(ctx, e, s)
}

// address is a shop's address as the book has it.
func address(s string) string {
	s = strings.TrimSuffix(strings.TrimSpace(s), "/")
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	return s
}

// connected is what the command prints as JSON. No secret is among it.
type connected struct {
	Name     string `json:"name"`
	Platform string `json:"platform"`
	URL      string `json:"url"`
	Currency string `json:"currency"`
	Hooks    string `json:"hooks"` // path at which its webhooks are taken
	API      bool   `json:"api"`
	Rotating bool   `json:"rotating"` // a previous secret is still good
	Made     int    `json:"webhooks_made,omitempty"`
}

func shown(s *connect.Source) connected {
	return connected{
		Name: s.Name, Platform: s.Platform, URL: s.URL, Currency: string(s.Currency), Hooks: "/hooks/" + s.Platform + "/" + s.Name,
		API: s.Token != "", Rotating: s.Secrets.Previous != "",
	}
}

func (c *connecting) run(ctx context.Context, e *env, s connect.Source) error {
	s.Name, s.Identify, s.Currency = c.Name, c.Identify, money.Currency(strings.ToUpper(c.Currency))
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fault.Wrap(fault.Invalid, err, "the data directory cannot be made")
	}
	if err := s.Check(); err != nil {
		return err
	}
	var api connect.API
	if s.Token != "" && !c.NoAPI {
		var err error
		if api, err = shopAPI(&s); err != nil {
			return err
		}
		// Asking is also how a wrong token is found out, before anything is kept.
		currency, err := api.Currency(ctx)
		if err != nil {
			return err
		}
		if s.Currency == "" {
			s.Currency = currency
		}
	}
	if s.Currency == "" {
		return fmt.Errorf("%w: say the shop's --currency, since the shop is not asked", errMisuse)
	}
	fresh, err := connect.OpenBook(c.Data).Put(s)
	if err != nil {
		return err
	}
	if s, err = connect.OpenBook(c.Data).Find(s.Name); err != nil {
		return err
	}
	out := shown(&s)
	if c.PublicURL != "" && api != nil {
		if out.Made, err = api.Subscribe(ctx, strings.TrimSuffix(c.PublicURL, "/")+out.Hooks, s.Secrets.Current); err != nil {
			return err
		}
	}
	if c.JSON {
		return e.printJSON(out)
	}
	what := "is connected"
	if !fresh {
		what = "is connected as said now"
	}
	fmt.Fprintf(e.out, "%s (%s, %s) %s; webhooks are taken at %s\n", s.Name, s.URL, s.Currency, what, out.Hooks)
	switch {
	case out.Made > 0:
		fmt.Fprintf(e.out, "%d webhooks were set up there\n", out.Made)
	case c.PublicURL == "" || api == nil:
		fmt.Fprintln(e.out, "no webhooks were set up: that takes --public-url and access to the API")
	}
	if out.Rotating {
		fmt.Fprintf(e.out, "the previous secret stays good until: rapport connect settle %s\n", s.Name)
	}
	return nil
}

type connectListCmd struct {
	Data string `required:"" type:"path" help:"Data directory."`
	JSON bool   `help:"Print JSON lines."`
}

// Run lists the shops, without their secrets.
func (c *connectListCmd) Run(e *env) error {
	if err := mustBeThere(c.Data); err != nil {
		return err
	}
	list, err := connect.OpenBook(c.Data).List()
	if err != nil {
		return err
	}
	for i := range list {
		out := shown(&list[i])
		if c.JSON {
			if err := e.printJSON(out); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(e.out, "%s\t%s\t%s\t%s\tapi %t\trotating %t\n", out.Name, out.Platform, out.URL, out.Currency, out.API, out.Rotating)
	}
	return nil
}

type connectSettleCmd struct {
	Name string `arg:"" help:"The source."`
	Data string `required:"" type:"path" help:"Data directory."`
}

// Run forgets the previous secret.
func (c *connectSettleCmd) Run() error {
	if err := mustBeThere(c.Data); err != nil {
		return err
	}
	return connect.OpenBook(c.Data).Settle(c.Name)
}

type backfillCmd struct {
	Source string `arg:"" help:"Name of a connected shop."`
	Data   string `required:"" type:"path" help:"Data directory that no server is using; made if it is not there."`
	Again  bool   `help:"Begin anew, although the last back-fill was cut short. What is known already stays as it is."`
	JSON   bool   `help:"Print the result as JSON."`
}

// Run reads a shop's past: products, customers and orders, as history. It sends
// nothing. One that was cut short goes on where it was.
func (c *backfillCmd) Run(ctx context.Context, e *env) (err error) {
	clock := clock.Wall()
	d, err := openDirectory(ctx, c.Data, opening{clock: clock, create: true, logger: e.logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for _, k := range d.fresh {
		fmt.Fprintf(e.err, "%s key (%s), shown once: %s\n", k.Kind, k.Name, k.Text)
	}
	shops, err := openShops(ctx, c.Data, clock.Now, e.logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shops.close()) }()
	src, err := shops.book.Find(c.Source)
	if err != nil {
		return err
	}
	api, err := shopAPI(&src)
	if err != nil {
		return err
	}
	n, err := run.Open(ctx, run.Options{
		Log: d.log, Store: d.store, Ledger: d.ledger, Workspace: workspace, Key: d.key, Clock: clock, Logger: e.logger, NoSending: true,
	})
	if err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	// What is in the log is applied even if the back-fill is stopped.
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	if n.Engine.Program() == nil {
		if _, err := n.Apply(ctx, program.Default()); err != nil {
			return err
		}
	}
	b := &connect.Backfill{
		Source: &src, API: api, Keeper: shops.keeper, Append: n.Hear, Refused: n.Refused, Now: clock.Now, Dir: c.Data, Again: c.Again, Tell: c.tell(e),
	}
	p, err := b.Run(ctx)
	if c.JSON {
		err = errors.Join(err, e.printJSON(p))
	} else {
		for _, r := range api.Resources() {
			fmt.Fprintf(e.out, "%d %s\n", p.Items[r], r)
		}
		fmt.Fprintf(e.out, "%d events, %d products; nothing was sent\n", p.Events, p.Products)
	}
	if err != nil {
		return fmt.Errorf("the back-fill of %s was cut short; the same command goes on: %w", src.Name, err)
	}
	return nil
}

// tellEvery is how often a back-fill shows how far it is.
const tellEvery = 500 * time.Millisecond

// tell shows how far it is.
func (c *backfillCmd) tell(e *env) func(connect.Progress) {
	shown := time.Time{}
	return func(p connect.Progress) {
		if c.JSON || time.Since(shown) < tellEvery {
			return
		}
		shown = time.Now()
		of := ""
		if total := p.Total[p.Resource]; total > 0 {
			of = fmt.Sprintf(" of %d", total)
		}
		fmt.Fprintf(e.err, "%s: %d%s read\n", p.Resource, p.Items[p.Resource], of)
	}
}

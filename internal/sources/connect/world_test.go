package connect_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/catalogue"
	"rapport/internal/channels"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/sources/connect"
	"rapport/internal/sources/shopify"
	"rapport/internal/sources/woocommerce"
	"rapport/internal/store/memory"
)

// now is when everything is heard: after all that the documents tell of.
var now = event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))

const secret, oldSecret = "hush", "hush before"

// world is a node with a shop on each platform.
type world struct {
	t      testing.TB
	node   *run.Node
	clock  *clock.Clock
	hooks  *connect.Hooks
	book   *connect.Book
	keeper *catalogue.Keeper
	store  *memory.Catalogue
	broken error // of the log
}

func newWorld(t testing.TB, get connect.Doer) *world {
	t.Helper()
	w := &world{t: t, clock: clock.Virtual(now), book: connect.OpenBook(t.TempDir()), store: memory.NewCatalogue()}
	n, err := run.Open(t.Context(), run.Options{
		Log: memlog.New(1, w.clock.Now), Store: memory.New(), Ledger: memory.NewLedger(), Channels: map[string]channels.Channel{},
		Workspace: "default", Key: identity.Key{7}, Clock: w.clock, Links: signer(t), NoSending: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.node = n
	if _, err := n.Apply(t.Context(), program.Default()); err != nil {
		t.Fatal(err)
	}
	w.keeper = catalogue.New(w.store, w.clock.Now)
	token := ""
	if get != nil {
		token = "token"
	}
	for _, s := range []connect.Source{
		{Name: "shop", Platform: "shopify", URL: "https://jsmith.myshopify.com", Currency: "USD", Token: token, Secrets: connect.Secrets{Current: secret, Previous: oldSecret}},
		{Name: "woo", Platform: "woocommerce", URL: "https://example.com", Currency: "USD", Identify: connect.AsExternal, ID: "ck", Token: token, Secrets: connect.Secrets{Current: secret}, ConsentMeta: "news"},
	} {
		if _, err := w.book.Put(s); err != nil {
			t.Fatal(err)
		}
	}
	w.hooks = connect.NewHooks(connect.Options{
		Book: w.book, Platforms: []connect.Platform{shopify.Platform{}, woocommerce.Platform{}}, Keeper: w.keeper, Get: get, Now: w.clock.Now,
		Append: func(ctx context.Context, events []event.Event) error {
			if w.broken != nil {
				return w.broken
			}
			return n.Hear(ctx, events)
		},
		Refused: n.Refused, Quarantine: n.PutAside, Log: slog.New(slog.DiscardHandler),
	})
	return w
}

func signer(t testing.TB) *site.Signer {
	s, err := site.NewSigner("https://shop.test", "default", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(body []byte, secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// hook is a webhook on its way.
type hook struct {
	platform, topic string
	body            []byte
}

// send sends a webhook signed with the secret and returns status and answer.
func (w *world) send(h hook, secret string, change ...func(r *http.Request)) (int, string) {
	w.t.Helper()
	name := map[string]string{"shopify": "shop", "woocommerce": "woo"}[h.platform]
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "/hooks/"+h.platform+"/"+name, strings.NewReader(string(h.body)))
	if h.platform == "shopify" {
		r.Header.Set("X-Shopify-Topic", h.topic)
		r.Header.Set("X-Shopify-Shop-Domain", "jsmith.myshopify.com")
		r.Header.Set("X-Shopify-Hmac-Sha256", sign(h.body, secret))
	} else {
		r.Header.Set("X-WC-Webhook-Topic", h.topic)
		r.Header.Set("X-WC-Webhook-Signature", sign(h.body, secret))
	}
	for _, c := range change {
		c(r)
	}
	rec := httptest.NewRecorder()
	w.hooks.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

// hear sends webhooks, each of which must be taken.
func (w *world) hear(hooks ...hook) {
	w.t.Helper()
	for _, h := range hooks {
		if code, answer := w.send(h, secret); code != http.StatusOK {
			w.t.Fatalf("%s: %d %s", h.topic, code, answer)
		}
	}
	w.settle()
}

func (w *world) settle() {
	w.t.Helper()
	if err := w.node.Settle(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(text string) *profile.Profile {
	w.t.Helper()
	p, err := w.node.Lookup(w.t.Context(), text)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// picture is what is known of a person, apart from the order in which it was heard.
func picture(p *profile.Profile) string {
	var b strings.Builder
	for _, t := range p.Traits {
		fmt.Fprintf(&b, "trait %s=%s at %s\n", t.Name, t.Value, t.At)
	}
	for _, c := range p.Consents {
		fmt.Fprintf(&b, "consent %s %s %t at %s by %s\n", c.Channel, c.Purpose, c.Granted, c.At, c.Proof)
	}
	for _, o := range p.Orders {
		fmt.Fprintf(&b, "order %s %d %s %s %s %d at %s\n", o.ID, o.Kind, o.Net, o.Currency, o.Where, o.Units, o.At)
	}
	for _, x := range p.Bought {
		fmt.Fprintf(&b, "bought %s ×%d, first %s, last %s\n", x.SKU, x.Count, x.First, x.Last)
	}
	held := []string{}
	for _, h := range p.Held {
		if h.State == profile.Owned {
			held = append(held, h.Identifier.String())
		}
	}
	slices.Sort(held)
	fmt.Fprintf(&b, "known by %s\nspent %s; %d events from %s to %s", strings.Join(held, " "), p.Spent("USD", "USD"), p.Count, p.First, p.Last)
	return b.String()
}

// document returns the n-th document of a file of fixtures, out of its wrapping.
func document(t testing.TB, file string, n int) json.RawMessage {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var list []json.RawMessage
	if json.Unmarshal(body, &list) != nil {
		list = []json.RawMessage{body}
	}
	doc := list[n]
	var outer map[string]json.RawMessage
	if json.Unmarshal(doc, &outer) == nil && len(outer) <= 2 {
		for _, inner := range outer {
			if inner[0] == '{' {
				return inner
			}
			var items []json.RawMessage
			if json.Unmarshal(inner, &items) == nil && len(items) > 0 {
				return items[0]
			}
		}
	}
	return doc
}

// edit changes fields of a document.
func edit(t testing.TB, doc json.RawMessage, changes map[string]any) json.RawMessage {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(string(doc)))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	for k, v := range changes {
		m[k] = v
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

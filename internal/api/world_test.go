package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"rapport/internal/api"
	"rapport/internal/catalogue"
	"rapport/internal/channels"
	"rapport/internal/channels/null"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/drafts"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/imports"
	"rapport/internal/keys"
	"rapport/internal/live"
	"rapport/internal/people"
	"rapport/internal/program"
	"rapport/internal/report"
	"rapport/internal/run"
	"rapport/internal/sender"
	"rapport/internal/site"
	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/studio/picture"
	"rapport/internal/suggest"
)

// world is the example shop on stores in memory, with its API.
type world struct {
	t      testing.TB
	clock  *clock.Clock
	node   *run.Node
	ring   *keys.Ring
	api    *api.API
	secret string

	store   store.Store
	ledger  store.Ledger
	imports *imports.Book
	domains *sender.Book
	shelf   *catalogue.Keeper
	people  *people.Book
	mail    *box
	dns     zone
	live    *live.Hub
	models  *models
	drafts  *drafts.Shelf
}

// box notes to whom mail went.
type box struct {
	mu   sync.Mutex
	sent []string
}

func (b *box) take(m channels.Message) channels.Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, m.To.Address)
	return channels.Outcome{State: channels.Accepted, Code: 250}
}

// to returns who got mail, in order.
func (b *box) to() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent)
}

// zone is DNS as a map of names to texts.
type zone map[string]string

func (z zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	if text, there := z[strings.TrimSuffix(name, ".")]; there {
		return []string{text}, nil
	}
	return nil, &net.DNSError{IsNotFound: true}
}

func (zone) LookupMX(context.Context, string) ([]*net.MX, error) {
	return nil, &net.DNSError{IsNotFound: true}
}

func (zone) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, &net.DNSError{IsNotFound: true}
}

// ledgerRows counts the deliveries.
func (w *world) ledgerRows() (n int64, err error) {
	w.t.Helper()
	counts, err := w.store.DeliveryCounts(w.t.Context())
	w.must(err)
	for _, c := range counts {
		n += c.Count
	}
	return n, nil
}

// shelf is a catalogue of one lamp, which is on sale.
func shelf(t testing.TB, now func() event.Time) *catalogue.Keeper {
	t.Helper()
	k := catalogue.New(memory.NewCatalogue(), now)
	lamp := product.Product{Ref: product.Ref{Source: "shop", ID: "p-lamp"}, Title: "A lamp", Updated: 1, Variants: []product.Variant{{
		ID: "v-lamp", SKU: "LAMP", Currency: "GBP", Price: 25_000_000, Sale: product.Sale{On: true, Price: 19_900_000},
	}}}
	if _, err := k.Apply(t.Context(), []catalogue.Update{{Product: lamp}}); err != nil {
		t.Fatal(err)
	}
	return k
}

var noon = event.At(time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC))

func newWorld(t testing.TB) *world {
	t.Helper()
	return worldOn(t, memory.New())
}

// worldOn is a world whose customers are in the store already.
func worldOn(t testing.TB, s store.Store) *world {
	t.Helper()
	w := &world{t: t, clock: clock.Virtual(noon), mail: &box{}, dns: zone{}}
	l := memory.NewLedger()
	signer, err := site.NewSigner("https://shop.test", "default", site.Key{ID: 1, Secret: [32]byte{1}})
	w.must(err)
	w.live = live.New(w.clock.Now)
	room := suggest.New(suggest.Options{Store: s, Lanes: 1, Now: w.clock.Now})
	w.node, err = run.Open(t.Context(), run.Options{
		Log: memlog.New(1, w.clock.Now), Store: s, Ledger: l, Channels: map[string]channels.Channel{"email": &null.Channel{Answer: w.mail.take}}, Workspace: "default",
		Key: identity.Key{7}, Clock: w.clock, Links: signer, OwnCopy: signer.OwnCopy(), Heard: func(e []identity.Addressed) { room.Hear(e); w.live.Heard(e) }, Gone: room.Forget,
	})
	w.must(err)
	var fresh []keys.New
	w.ring, fresh, err = keys.Open(t.TempDir())
	w.must(err)
	w.secret = fresh[1].Text
	src, err := program.Read(os.DirFS("../../examples/shop"))
	w.must(err)
	_, err = w.node.Apply(t.Context(), src)
	w.must(err)
	w.settle()
	dir := t.TempDir()
	w.domains, err = sender.Open(dir, make([]byte, 32), time.Now)
	w.must(err)
	w.imports = imports.Open(dir, w.clock.Now)
	w.store, w.ledger = s, l
	w.shelf = shelf(t, w.clock.Now)
	w.people, err = people.Open(dir, time.Now)
	w.must(err)
	t.Cleanup(func() { w.must(w.people.Close()) })
	desk := imports.NewDesk(w.imports, w.node, l, nil)
	t.Cleanup(func() { w.must(desk.Close()) })
	w.models = &models{}
	w.drafts = drafts.Open(dir, time.Now)
	w.api = api.New(api.Options{
		Predictions: w.models,
		Node:        w.node, Store: s, Ledger: l, Keys: w.ring, Now: w.clock.Now, Rate: -1, Imports: w.imports, Domains: w.domains, Catalogue: w.shelf, Pictures: picture.Open(dir + "/pictures"),
		Room: room, Home: identity.Key{7}.Home, People: w.people, Drafts: w.drafts, PublicURL: "https://shop.test", TLS: true, DNS: w.dns, Live: w.live, Desk: desk,
		Learn: func(ctx context.Context, asked []report.Asked, currency money.Currency) ([]report.Learnt, error) {
			l := report.New(s, 1)
			if err := l.Load(ctx); err != nil {
				return nil, err
			}
			return l.Learn(ctx, asked, w.clock.Now(), currency, w.node.Engine.Profile, nil)
		},
	})
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) settle() {
	w.t.Helper()
	w.must(w.node.Settle(w.t.Context()))
}

// hear lets the node hear an event of a customer known by a user id and an address.
func (w *world) hear(user, name string, set func(*event.Builder)) {
	w.t.Helper()
	var props, traits event.Builder
	if set != nil {
		set(&props)
	}
	traits.SetText("email", user+"@people.example")
	now := w.clock.Now()
	e := event.Event{
		ID: event.ID(fmt.Sprint(user, name, now)), Type: event.Track, Name: name, User: user, At: now, Raw: now, Trust: event.Server, Source: "test",
		Props: props.Object(), Traits: traits.Object(),
	}
	w.must(w.node.Hear(w.t.Context(), []event.Event{e}))
	w.settle()
	w.clock.Set(now.Add(time.Second))
}

// ask calls the API as the key and decodes its answer into v, which may be nil.
func (w *world) ask(key, method, path string, sent, v any, headers ...string) int {
	w.t.Helper()
	var body []byte
	if sent != nil {
		var err error
		body, err = json.Marshal(sent)
		w.must(err)
	}
	r := httptest.NewRequest(method, "/api/v1"+path, bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a := httptest.NewRecorder()
	w.api.ServeHTTP(a, r)
	if v != nil && a.Code < 300 {
		if err := json.Unmarshal(a.Body.Bytes(), v); err != nil {
			w.t.Fatalf("%s %s: %d %s: %v", method, path, a.Code, a.Body, err)
		}
	}
	if kind := a.Header().Get("Content-Type"); a.Code >= 400 && kind != "application/problem+json" {
		w.t.Errorf("%s %s: %d is answered as %q", method, path, a.Code, kind)
	}
	w.t.Logf("%s %s: %d %.300s", method, path, a.Code, a.Body)
	return a.Code
}

// get calls the API with the secret key and wants 200.
func (w *world) get(path string, v any) {
	w.t.Helper()
	if code := w.ask(w.secret, "GET", path, nil, v); code != http.StatusOK {
		w.t.Fatalf("GET %s = %d", path, code)
	}
}

type list struct {
	Data []map[string]any `json:"data"`
	Next string           `json:"next"`
}

// idOf finds a customer by address.
func (w *world) idOf(user string) string {
	w.t.Helper()
	var c struct{ ID string }
	if code := w.ask(w.secret, "POST", "/customers/search", map[string]string{"identifier": user + "@people.example"}, &c); code != 200 {
		w.t.Fatalf("%s is not found: %d", user, code)
	}
	return c.ID
}

func TestEveryPageOfAListHasOthersAndTogetherTheyHaveAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 7 {
		w.hear(fmt.Sprintf("person-%d", i), "Product Viewed", func(b *event.Builder) { b.SetText("sku", "LAMP") })
	}
	who := w.idOf("person-3")
	for i := range 6 {
		w.hear("person-3", "Product Viewed", func(b *event.Builder) { b.SetText("sku", fmt.Sprint("MUG-", i)) })
	}
	for path, want := range map[string]int{"/customers": 7, "/customers/" + who + "/timeline": 7, "/segments": 1, "/journeys": 1} {
		for _, limit := range []int{1, 2, 500} {
			seen := map[string]bool{}
			cursor, pages := "", 0
			for {
				var l list
				w.get(fmt.Sprintf("%s?limit=%d&cursor=%s", path, limit, cursor), &l)
				if len(l.Data) > limit {
					t.Fatalf("%s: a page of %d has %d", path, limit, len(l.Data))
				}
				for _, one := range l.Data {
					text, _ := json.Marshal(one)
					if seen[string(text)] {
						t.Errorf("%s by %d: %s is there twice", path, limit, text)
					}
					seen[string(text)] = true
				}
				if pages++; l.Next == "" || pages > 50 {
					break
				}
				cursor = l.Next
			}
			if len(seen) < want || strings.HasPrefix(path, "/customers") && len(seen) != want {
				t.Errorf("%s by %d: %d in %d pages, want %d", path, limit, len(seen), pages, want)
			}
		}
	}
	var l list
	w.get("/customers?limit=1", &l)
	if code := w.ask(w.secret, "GET", "/segments?cursor="+l.Next, nil, nil); code != 400 {
		t.Errorf("the cursor of another list = %d, want 400", code)
	}
}

func TestACustomerIsShownWithEverythingAndWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Order Completed", func(b *event.Builder) {
		var line event.Builder
		line.SetText("sku", "LAMP").Set("price", event.Value{Kind: event.Number, Raw: "19.90"}).Set("quantity", event.Int(1))
		b.SetText("order_id", "A7").SetText("currency", "GBP").Set("total", event.Value{Kind: event.Number, Raw: "19.90"}).Set("products", event.ListOf(event.Nested(line.Object())))
	})
	who := w.idOf("ada")
	agree := map[string]any{"channel": "email", "purpose": "marketing", "granted": true, "evidence": "form at the till", "wording": "v3"}
	var first, again struct{ ID string }
	if code := w.ask(w.secret, "POST", "/customers/"+who+"/consents", agree, &first, "Idempotency-Key", "k1"); code != 202 {
		t.Fatalf("the consent = %d", code)
	}
	w.ask(w.secret, "POST", "/customers/"+who+"/consents", agree, &again, "Idempotency-Key", "k1")
	w.settle()
	if first.ID == "" || first != again {
		t.Errorf("the same key noted %q and %q", first.ID, again.ID)
	}
	var c struct {
		Email       string
		UserID      string `json:"user_id"`
		Orders      int
		Spent       map[string]string
		Traits      map[string]any
		Identifiers []map[string]any
		Consents    []struct {
			Granted  bool
			Proof    string
			Evidence string
			Wording  string
		}
		LastOrders []map[string]any `json:"last_orders"`
	}
	w.get("/customers/"+who, &c)
	if c.Email != "ada@people.example" || c.UserID != "ada" || c.Orders != 1 || c.Spent["GBP"] != "19.90" || len(c.Identifiers) != 2 || len(c.LastOrders) != 1 {
		t.Errorf("she is shown as %+v", c)
	}
	if len(c.Consents) != 1 || !c.Consents[0].Granted || c.Consents[0].Proof != first.ID || c.Consents[0].Evidence != "form at the till" || c.Consents[0].Wording != "v3" {
		t.Errorf("her consents are %+v, want one of %s", c.Consents, first.ID)
	}
	var l list
	w.get("/customers/"+who+"/timeline", &l)
	consents := 0
	for _, one := range l.Data {
		if e, _ := one["event"].(map[string]any); e["event"] == event.ConsentChanged {
			consents++
		}
	}
	if consents != 1 {
		t.Errorf("the timeline has %d consents, want the one that was asked for twice", consents)
	}
	w.get("/customers/"+who+"/segments", &l)
	because := 0
	for _, one := range l.Data {
		if reasons, _ := one["because"].([]any); len(reasons) > 0 {
			because++
		}
	}
	if because == 0 {
		t.Errorf("no segment says why: %v", l.Data)
	}
	var dossier map[string][]map[string]any
	w.get("/customers/"+who+"/export", &dossier)
	if len(dossier["orders"]) != 1 || len(dossier["events"]) == 0 {
		t.Errorf("the export has %d orders and %d events", len(dossier["orders"]), len(dossier["events"]))
	}
	if code := w.ask(w.secret, "POST", "/customers/"+who+"/consents", map[string]any{"channel": "email", "purpose": "nonsense", "granted": true, "evidence": "x"}, nil); code != 400 {
		t.Errorf("a purpose that nobody named = %d, want 400", code)
	}
}

func TestAForgottenCustomerIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", func(b *event.Builder) { b.SetText("sku", "LAMP") })
	who := w.idOf("ada")
	var e struct{ Identifiers int }
	if code := w.ask(w.secret, "DELETE", "/customers/"+who, nil, &e); code != 200 || e.Identifiers < 2 {
		t.Fatalf("forgetting = %d, %d identifiers", code, e.Identifiers)
	}
	for _, path := range []string{"", "/timeline", "/export", "/segments", "/deliveries"} {
		if code := w.ask(w.secret, "GET", "/customers/"+who+path, nil, nil); code != 404 {
			t.Errorf("her %s = %d, want 404", path, code)
		}
	}
	if code := w.ask(w.secret, "DELETE", "/customers/"+who, nil, nil); code != 404 {
		t.Errorf("forgetting twice = %d, want 404", code)
	}
	var l list
	w.get("/customers", &l)
	if len(l.Data) != 0 {
		t.Errorf("the list has %v", l.Data)
	}
	var counts struct{ Reasons map[string]int64 }
	w.get("/suppressions", &counts)
	if counts.Reasons["erased"] == 0 {
		t.Errorf("the suppressions are %v", counts.Reasons)
	}
}

func TestAMessageSaysWhyAndASuppressedAddressGetsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", nil)
	who := w.idOf("ada")
	send := func(key string) {
		t.Helper()
		ask := map[string]any{"to": map[string]string{"profile": who}, "props": map[string]any{"order_id": "A7"}}
		if code := w.ask(w.secret, "POST", "/service/order-shipped", ask, nil, "Idempotency-Key", key); code != 202 {
			t.Fatalf("the service message = %d", code)
		}
		w.settle()
		w.clock.Set(w.clock.Now().Add(time.Hour)) // what the provider says is heard in the next step
		_, err := w.node.Dispatch.Receipts(t.Context())
		w.must(err)
		w.settle()
	}
	send("k1")
	send("k1")
	var l list
	w.get("/customers/"+who+"/deliveries", &l)
	if len(l.Data) != 1 || l.Data[0]["state"] != "accepted" || l.Data[0]["why"] == "" {
		t.Fatalf("her messages are %v, want one that was accepted", l.Data)
	}
	var shown struct {
		Customer string
		Claim    map[string]any `json:"decision_at_claim"`
	}
	w.get("/deliveries/"+l.Data[0]["id"].(string), &shown)
	if shown.Customer != who || shown.Claim["outcome"] == nil {
		t.Errorf("the message is shown as %+v", shown)
	}
	w.get("/deliveries?state=accepted", &l)
	if len(l.Data) != 1 {
		t.Errorf("%d are accepted", len(l.Data))
	}
	if code := w.ask(w.secret, "POST", "/suppressions", map[string]string{"channel": "email", "address": " Ada@People.example", "reason": "complained"}, nil); code != 201 {
		t.Fatalf("suppressing = %d", code)
	}
	send("k2")
	w.get("/deliveries?state=accepted", &l)
	if len(l.Data) != 1 {
		t.Errorf("%d are accepted after the address was suppressed", len(l.Data))
	}
	var counts struct{ Reasons map[string]int64 }
	w.get("/suppressions", &counts)
	if counts.Reasons["complained"] != 1 {
		t.Errorf("the suppressions are %v", counts.Reasons)
	}
}

package admin_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"golang.org/x/net/html"

	"rapport/examples/shop"
	"rapport/internal/admin"
	"rapport/internal/channels"
	"rapport/internal/channels/null"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// monday is when every test begins: a Monday morning in London.
var monday = event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))

// world is the example shop in memory under a virtual clock, with its pages.
type world struct {
	t     *testing.T
	clock *clock.Clock
	store store.Store
	node  *run.Node
	pages http.Handler
	n     int
}

// open opens the shop; change may be nil.
func open(t *testing.T, change func(*admin.Options)) *world {
	t.Helper()
	src, err := program.Read(shop.Files)
	if err != nil {
		t.Fatal(err)
	}
	return openWith(t, src, change)
}

func openWith(t *testing.T, src *program.Source, change func(*admin.Options)) *world {
	t.Helper()
	signer, err := site.NewSigner("http://127.0.0.1", "w", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: clock.Virtual(monday), store: memory.New()}
	w.node, err = run.Open(t.Context(), run.Options{
		Log: memlog.New(1, w.clock.Now), Store: w.store, Ledger: memory.NewLedger(), Channels: map[string]channels.Channel{"email": &null.Channel{}},
		Workspace: "w", Key: identity.Key{1}, Clock: w.clock, Links: signer,
	})
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := w.node.Apply(t.Context(), src); err != nil {
		t.Fatal(problems, err)
	}
	w.settle()
	o := admin.Options{Node: w.node, Store: w.store, Now: w.clock.Now, MailsPath: "/mails"}
	if change != nil {
		change(&o)
	}
	w.pages = admin.New(o)
	return w
}

func (w *world) settle() {
	w.t.Helper()
	if err := w.node.Settle(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// pass lets time pass in steps of an hour; receipts come a step later.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.clock.Now().Add(d); w.clock.Now() < end; {
		w.clock.Set(w.clock.Now().Add(time.Hour))
		if _, err := w.node.Dispatch.Receipts(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.settle()
	}
}

// hear hears an event of a customer now.
func (w *world) hear(e event.Event) {
	w.t.Helper()
	w.n++
	if e.ID == "" {
		e.ID = event.ID("m" + strconv.Itoa(w.n))
	}
	if e.Type == 0 {
		e.Type = event.Track
	}
	if e.At == 0 {
		e.At = w.clock.Now()
	}
	e.Raw, e.Trust = e.At, event.Server
	if err := w.node.Hear(w.t.Context(), []event.Event{e}); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

// props makes an object of text keys and values.
func props(pairs ...string) event.Object {
	var b event.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.SetText(pairs[i], pairs[i+1])
	}
	return b.Object()
}

// order makes the properties of an order of one line.
func order(id, sku, name, category, price string) event.Object {
	line := props("sku", sku, "name", name, "category", category, "quantity", "1", "price", price)
	var b event.Builder
	b.SetText("order_id", id).SetText("currency", "GBP").Set("products", event.ListOf(event.Nested(line)))
	return b.Object()
}

// meet lets a customer say who they are and what they agree to.
func (w *world) meet(user, name string, agrees bool) {
	w.t.Helper()
	w.hear(event.Event{Type: event.Identify, Name: "", User: user, Traits: props("email", user+"@mail.example", "first_name", name, "last_name", "Lovelace", "country", "GB", "gender", "female")})
	state := "denied"
	if agrees {
		state = "granted"
	}
	w.hear(event.Event{Name: event.ConsentChanged, User: user, Props: props("channel", "email", "purpose", "marketing", "state", state, "evidence", "checkout box")})
}

func (w *world) find(user string) *profile.Profile {
	w.t.Helper()
	p, err := w.node.Lookup(w.t.Context(), user)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// messages returns the ledger of a customer, the newest first.
func (w *world) messages(user string) []store.Delivery {
	w.t.Helper()
	list, err := w.store.DeliveriesOf(w.t.Context(), w.find(user).ID, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// ask requests a page as it is.
func (w *world) ask(method, path string) *httptest.ResponseRecorder {
	return ask(w.pages, method, path)
}

func ask(h http.Handler, method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRecorder()
	h.ServeHTTP(r, httptest.NewRequest(method, path, nil))
	return r
}

// page requests a page that is there and returns its text, spaces as one.
func (w *world) page(path string) string {
	w.t.Helper()
	r := w.ask(http.MethodGet, path)
	if r.Code != http.StatusOK {
		w.t.Fatalf("%s answered %d: %s", path, r.Code, textOf(parse(w.t, r.Body.String())))
	}
	return textOf(parse(w.t, r.Body.String()))
}

func parse(t *testing.T, body string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// textOf returns what a reader sees of a document.
func textOf(doc *html.Node) string {
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// has fails the test for each text that is not on the page.
func has(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(page, s) {
			t.Errorf("the page does not say %q; it says: %s", s, page)
		}
	}
}

// lacks fails the test for each text that is on the page.
func lacks(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if strings.Contains(page, s) {
			t.Errorf("the page says %q and should not", s)
		}
	}
}

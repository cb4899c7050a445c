package run_test

import (
	"io"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/mailcatcher"
	"rapport/internal/site"
	"rapport/internal/store"
)

// visit answers a request to the public pages.
func (w *world) visit(method, link string, pairs ...string) (int, string) {
	w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(method, strings.TrimPrefix(link, baseURL), strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Browser/1")
	r.Header.Set("Accept-Language", "de")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	w.clock.Set(w.clock.Now() + 1000)
	if err := w.node.Settle(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(rec.Result().Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return rec.Code, string(body)
}

// mails returns the sources of all mails, the newest first.
func (w *world) mails() (list []string) {
	w.t.Helper()
	for _, m := range w.catcher.Mails(mailcatcher.Filter{}, mailcatcher.Page{Limit: 100}) {
		whole, err := w.catcher.Mail(m.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, string(whole.Source))
	}
	return list
}

// TestASignUpNeedsTwoYesesAndTheFirstBringsOneMail is the whole way: form, mail,
// confirmation, replay, preferences, unsubscribe and view in the browser.
func TestASignUpNeedsTwoYesesAndTheFirstBringsOneMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "memory", 1, nil)
	ctx := t.Context()
	const form = baseURL + "/signup"
	if status, page := w.visit("GET", form); status != 200 || !strings.Contains(page, "Ihre E-Mail-Adresse") {
		t.Fatalf("the form: %d\n%s", status, page)
	}
	for range 2 { // a form that is sent twice
		if status, _ := w.visit("POST", form, "email", "ada@people.example", "on", "marketing"); status != 200 {
			t.Fatalf("the sign-up: %d", status)
		}
	}
	got := w.mails()
	if len(got) != 1 {
		t.Fatalf("%d mails came, want the one that asks", len(got))
	}
	if !strings.Contains(got[0], "=?utf-8?") || strings.Contains(got[0], "List-Unsubscribe:") {
		t.Errorf("the mail is no German service message:\n%.600s", got[0])
	}
	p, err := w.node.Lookup(ctx, "ada@people.example")
	if err != nil || p.Allows("email", "marketing", w.clock.Now()) {
		t.Fatalf("after one yes she is %+v, %v", p, err)
	}
	// Pending, she is written to about nothing else.
	order := event.Event{
		ID: "o1", Type: event.Track, Name: event.OrderCompleted, At: w.clock.Now(), Raw: w.clock.Now(), Trust: event.Server,
		Props: object("order_id", "1", "currency", "GBP", "total", "900", "email", "ada@people.example"),
	}
	if err := w.node.Hear(ctx, []event.Event{order}); err != nil {
		t.Fatal(err)
	}
	w.pass(72 * time.Hour)
	if n := len(w.mails()); n != 1 {
		t.Fatalf("%d mails came to somebody who has not confirmed", n)
	}

	link := unfold(got[0], `https://shop\.test/s/[A-Za-z0-9_-]+`)
	if link == "" {
		t.Fatalf("the mail has no link that confirms:\n%s", got[0])
	}
	for range 20 {
		w.visit("GET", link)
		w.visit("HEAD", link)
	}
	if p, _ = w.node.Lookup(ctx, "ada@people.example"); p.Allows("email", "marketing", w.clock.Now()) {
		t.Fatal("a scanner has confirmed")
	}
	if status, page := w.visit("POST", link); status != 200 || !strings.Contains(page, "Vielen Dank") {
		t.Fatalf("the confirmation: %d\n%s", status, page)
	}
	p, _ = w.node.Lookup(ctx, "ada@people.example")
	c, _ := p.Consent("email", "marketing")
	if !c.Granted || c.Evidence != "double opt-in" || !strings.HasPrefix(c.Wording, "de:") {
		t.Errorf("the consent is %+v", c)
	}

	// Unsubscribed, and the old link again: she stays unsubscribed.
	prefs := unfold(string(w.page("POST", link)), `https://shop\.test/p/[A-Za-z0-9_-]+`)
	if status, _ := w.visit("POST", prefs, "all", "off"); status != 200 {
		t.Fatal("she cannot unsubscribe")
	}
	w.visit("POST", link)
	p, _ = w.node.Lookup(ctx, "ada@people.example")
	if _, stopped, _ := w.ledger.Suppressed(ctx, p.ID, "email", "marketing"); !stopped || p.Allows("email", "marketing", w.clock.Now()) {
		t.Error("a replayed link has undone an unsubscribe")
	}

	// The mail in a browser acts for nobody.
	rows, err := w.store.DeliveriesOf(ctx, p.ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	sent := store.Delivery{}
	for _, row := range rows {
		if row.State == profile.Accepted {
			sent = row
		}
	}
	view := w.viewLink(sent)
	status, page := w.visit("GET", view)
	if status != 200 || !strings.Contains(page, "Anmeldung best") || strings.Contains(page, "/s/") || strings.Contains(page, "/p/") || strings.Contains(page, "/u/") {
		t.Errorf("the mail in a browser: %d\n%.900s", status, page)
	}
	other := sent
	other.Profile[0] ^= 1
	if status, _ := w.visit("GET", w.viewLink(other)); status != 404 {
		t.Errorf("somebody else's mail: %d", status)
	}

	// Erased, she may sign up as often as she likes: the answer is the same, and
	// nothing is sent.
	if _, err := w.node.Erase(ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	before := len(w.mails())
	if status, page := w.visit("POST", form, "email", "ada@people.example", "on", "marketing"); status != 200 || !strings.Contains(page, "Postfach") {
		t.Errorf("the form after the erasure: %d", status)
	}
	w.pass(time.Hour)
	if n := len(w.mails()) - before; n != 0 {
		t.Errorf("%d mails went to somebody who was erased", n)
	}
	if status, _ := w.visit("GET", view); status != 404 {
		t.Errorf("an erased customer's mail in the browser: %d", status)
	}
}

// viewLink is where a message is shown in the browser.
func (w *world) viewLink(d store.Delivery) string {
	w.t.Helper()
	signer, err := site.NewSigner(baseURL, "default", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		w.t.Fatal(err)
	}
	return signer.View(site.Delivery{ID: d.ID.String(), Profile: d.Profile, Channel: d.Channel, Purpose: d.Purpose})
}

// page returns what a page says, as bytes.
func (w *world) page(method, link string) []byte {
	_, body := w.visit(method, link)
	return []byte(body)
}

// pass lets time pass, hour by hour.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.clock.Now().Add(d); w.clock.Now() < end; {
		w.clock.Set(w.clock.Now().Add(time.Hour))
		if _, err := w.node.Dispatch.Receipts(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if err := w.node.Settle(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// unfold finds the first match in a mail or a page, over soft line breaks.
func unfold(source, pattern string) string {
	return regexp.MustCompile(pattern).FindString(strings.ReplaceAll(strings.ReplaceAll(source, "=\r\n", ""), "=3D", "="))
}

package admin_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rapport/internal/admin"
	"rapport/internal/core/event"
	"rapport/internal/core/measure"
	"rapport/internal/core/profile"
	"rapport/internal/demo"
	"rapport/internal/report"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

func TestTheDemonstrationAnswersBeforeThereIsAnything(t *testing.T) {
	t.Parallel()
	h := admin.New(admin.Options{Demo: func() *admin.DemoStatus { return nil }})
	r := ask(h, http.MethodGet, "/demo")
	body := textOf(parse(t, r.Body.String()))
	has(t, body, "The year has not begun", "This page fills by itself", "Being added up", "The orders are real")
	if !strings.Contains(r.Body.String(), `<meta http-equiv="refresh" content="1">`) {
		t.Error("the page does not ask again")
	}
	if r := ask(h, http.MethodGet, "/"); r.Code != http.StatusFound || r.Header().Get("Location") != "/demo" {
		t.Errorf("/ answers %d %s", r.Code, r.Header().Get("Location"))
	}
	for _, path := range []string{"/customers", "/customers/" + strings.Repeat("0", 32), "/segments", "/segments/x", "/journeys", "/journeys/x", "/messages/" + strings.Repeat("0", 32), "/quarantine"} {
		if r := ask(h, http.MethodGet, path); r.Code != http.StatusServiceUnavailable || r.Header().Get("Retry-After") == "" {
			t.Errorf("%s answers %d before there is anything", path, r.Code)
		}
	}
}

func TestWithoutADemonstrationThereIsNoPageOfIt(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	if r := w.ask(http.MethodGet, "/demo"); r.Code != http.StatusFound || r.Header().Get("Location") != "/" {
		t.Errorf("/demo answers %d %s", r.Code, r.Header().Get("Location"))
	}
}

func TestTheDemonstrationShowsHowFarItIsAndStopsAskingAtTheEnd(t *testing.T) {
	t.Parallel()
	from := demo.GoLive
	status := &admin.DemoStatus{From: from, To: from.Add(100 * 24 * time.Hour), Now: from.Add(25 * 24 * time.Hour), Messages: 1234, Of: 5000, EventsPerSecond: 2345.6, Mails: 77}
	w := open(t, func(o *admin.Options) { o.Demo = func() *admin.DemoStatus { return status } })
	body := w.page("/demo")
	has(t, body, "26 March 2011", "25 %", "1,234", "of 5,000 messages", "2,345", "77", "1 March 2011", "9 June 2011")
	lacks(t, body, "Where to look next", "One shopper")
	raw := w.ask(http.MethodGet, "/demo").Body.String()
	if !strings.Contains(raw, "http-equiv") {
		t.Error("a running page does not ask again")
	}
	if strings.Contains(w.ask(http.MethodGet, "/demo?still=1").Body.String(), "http-equiv") {
		t.Error("a page that shall stand still asks again")
	}

	learning := *status
	learning.Now, learning.Doing = learning.To, "The models learn from the year; value is done."
	status = &learning
	has(t, w.page("/demo"), "The models learn from the year; value is done.", "100 %")
	if !strings.Contains(w.ask(http.MethodGet, "/demo").Body.String(), "http-equiv") {
		t.Error("the page does not ask again while models learn")
	}

	enough := measure.Interval{Lift: .02, Low: -.1, High: .15, N1: 2999, N0: 338, Enough: true}
	id := profile.DeliveryID{7}
	end := *status
	end.Now, end.Done = end.To.Add(time.Hour), true
	end.Highlights = admin.Highlights{Customer: "15719", About: "buys jumbo bags", NotSent: id.String(), Why: "She bought a lamp 4 s ago in the shop.", Mail: "/mails/mail/7", Subject: "Thank you"}
	end.Shopper = []admin.ShopperLine{{At: end.Now, What: "Mia looks at a lamp", Detail: "white lantern"}}
	end.Holdouts = []report.Learnt{{Journey: "welcome", Report: measure.Report{Orders: enough}}, {Journey: "christmas"}}
	end.Found = []demo.Section{{Title: "Who came back", Notes: []string{"Customers by <month>."}, Head: []string{"first in", "+0", "+1"}, Rows: [][]string{{"2010-12", "948", "362"}, {"2011-01", "421"}}}}
	status = &end
	raw = w.ask(http.MethodGet, "/demo").Body.String()
	if strings.Contains(raw, "http-equiv") {
		t.Error("the page asks again after the end")
	}
	body = textOf(parse(t, raw))
	has(t, body, "The year is over", "100 %", "Where to look next", "Customer 15719 Buys jumbo bags.", "She bought a lamp 4 s ago in the shop.", "One shopper, now", "invented", "Mia looks at a lamp White lantern.",
		"Welcome after the first order 2,999 walked it, 338 held out", "+2.0 orders per 100 customers (between −10.0 and +15.0)", "No effect can be told from chance.", "at least 200 people on each side", "The lift is zero by construction")
	has(t, body, "Who came back", "Customers by <month>.", "first in +0 +1", "2010-12 948 362")
	if !strings.Contains(raw, `<th scope="row">2011-01</th><td class="num">421</td><td class="num"></td></tr>`) {
		t.Error("a short row is not as wide as the table")
	}
	for _, link := range []string{`href="/customers?q=15719"`, `href="/messages/` + id.String() + `"`, `href="/mails/mail/7"`} {
		if !strings.Contains(raw, link) {
			t.Errorf("the page has no %s", link)
		}
	}
}

// After the year the product opens anew for the shopper, and its figures begin anew:
// who loads the page then sees them come.
func TestTheDemonstrationAsksAgainWhileItsFiguresGrow(t *testing.T) {
	t.Parallel()
	status := &admin.DemoStatus{From: demo.GoLive, To: demo.GoLive.Add(time.Hour), Now: demo.GoLive.Add(time.Hour), Done: true}
	h := admin.New(admin.Options{Demo: func() *admin.DemoStatus { return status }}) // nothing was added up yet
	if raw := ask(h, http.MethodGet, "/demo").Body.String(); !strings.Contains(raw, "Being added up") || !strings.Contains(raw, "http-equiv") {
		t.Error("the page does not ask again while its figures are added up")
	}
	if strings.Contains(ask(h, http.MethodGet, "/demo?still=1").Body.String(), "http-equiv") {
		t.Error("a page that shall stand still asks again")
	}
}

func TestTheDemonstrationSaysWhatEndedItTooEarly(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *admin.Options) {
		o.Demo = func() *admin.DemoStatus { return &admin.DemoStatus{Err: "The disk is full."} }
	})
	raw := w.ask(http.MethodGet, "/demo").Body.String()
	has(t, textOf(parse(t, raw)), "The replay has stopped", "The disk is full.")
	if strings.Contains(raw, "http-equiv") {
		t.Error("the page asks again although nothing goes on")
	}
}

func TestALinkThatLeadsElsewhereIsNotShown(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "javascript:alert(1)", "mails"} {
		w := open(t, func(o *admin.Options) {
			o.Demo = func() *admin.DemoStatus {
				return &admin.DemoStatus{Done: true, Highlights: admin.Highlights{Mail: link}}
			}
		})
		tame(t, link, w.ask(http.MethodGet, "/demo").Body.String())
		lacks(t, w.page("/demo"), "A mail as it was caught")
	}
}

func TestAnInventedPersonIsCalledInventedWhereverTheyAreShown(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	var b event.Builder
	b.SetText("email", "mia@shop.example").SetText("first_name", "Mia").Set("invented", event.Yes(true))
	w.hear(event.Event{Type: event.Identify, User: "mia", Traits: b.Object()})
	w.hear(event.Event{Name: event.OrderCompleted, User: "mia", Props: order("o1", "lamp", "Lamp", "lighting", "12")})
	w.pass(2 * 24 * time.Hour)
	for _, path := range []string{"/customers", "/customers/" + w.find("mia").ID.String(), "/segments/new", "/messages/" + w.messages("mia")[0].ID.String()} {
		body := w.page(path)
		if at := strings.Index(body, "Mia"); at < 0 || !strings.Contains(body[at:], "Mia "+demo.Invented) {
			t.Errorf("%s does not say that Mia is invented: %s", path, body)
		}
	}
}

// slowStore answers questions about the feed only when it is let.
type slowStore struct {
	store.Store
	let chan struct{}
}

func (s *slowStore) Feed(ctx context.Context, lane int, after uint64, limit int) ([]store.Feed, error) {
	<-s.let
	return s.Store.Feed(ctx, lane, after, limit)
}

func TestPagesDoNotWaitForFiguresThatTakeLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &slowStore{memory.New(), make(chan struct{})}
		h := admin.New(admin.Options{Store: slow})
		began := time.Now() // on the clock of the bubble, which knows no slow machine
		for range 2 {
			has(t, textOf(parse(t, ask(h, http.MethodGet, "/").Body.String())), "Being added up")
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("two pages took %s while the figures were added up", took)
		}
		close(slow.let)
		time.Sleep(time.Minute)
		ask(h, http.MethodGet, "/") // begins the next round
		time.Sleep(time.Minute)
		lacks(t, textOf(parse(t, ask(h, http.MethodGet, "/").Body.String())), "Being added up")
	})
}

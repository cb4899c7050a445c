package admin_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/program"
)

func TestACustomersPageSaysWhatIsKnownAndWhy(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.meet("ada", "Ada", true)
	w.hear(event.Event{Name: event.OrderCompleted, User: "ada", Props: order("o1", "lamp", "Brass Lamp", "lighting", "12.50")})
	w.pass(4 * 24 * time.Hour)
	w.hear(event.Event{Name: event.OrderRefunded, User: "ada", Props: order("o1", "lamp", "Brass Lamp", "lighting", "2.50")})
	body := w.page("/customers/" + w.find("ada").ID.String())
	has(t, body,
		"Ada Lovelace", "Customer ada", "ada@mail.example", "£10.00", // 12.50 less 2.50
		"News and offers by e-mail agreed", "Checkout box", "Proof: entry m2",
		"New customers", "They first completed an order in the last 30 days",
		"Welcome after the first order sent", "This was your first order with us, with Brass Lamp",
		"Ordered 1 product for £12.50", "Order o1: Brass Lamp", "Was refunded £2.50 for 1 product",
		"Agreed to “News and offers” by e-mail", "Was sent “Welcome after the first order” by e-mail",
	)
	lacks(t, body, "invented")
}

func TestBoughtProductsShowTheCustomersOwnRhythm(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.meet("ada", "Ada", true)
	for i := range 3 {
		w.hear(event.Event{Name: event.OrderCompleted, User: "ada", Props: order("o"+strconv.Itoa(i), "bag", "Jumbo Bag", "bags", "2")})
		if i < 2 {
			w.pass(30 * 24 * time.Hour)
		}
	}
	has(t, w.page("/customers/"+w.find("ada").ID.String()), "Jumbo Bag", "every 30 days", "due again in 30 days", "3×")
}

func TestAMessageThatWasNotSentSaysWhichProtectionStoppedIt(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.meet("eve", "Eve", false)
	w.hear(event.Event{Name: event.OrderCompleted, User: "eve", Props: order("o1", "lamp", "Brass Lamp", "lighting", "12.50")})
	w.pass(2 * 24 * time.Hour)
	list := w.messages("eve")
	if len(list) != 1 || list[0].State != profile.Dropped {
		t.Fatalf("the ledger has %v", list)
	}
	body := w.page("/messages/" + list[0].ID.String())
	has(t, body, "not sent", "She said no to marketing by e-mail on 2 March 2026 (checkout box)", "Consent They said no to “News and offers” by e-mail", "stops here", "Eve Lovelace", "no_consent")
	lacks(t, body, "Read it as it was caught")
	has(t, w.page("/customers/"+w.find("eve").ID.String()), "She said no to marketing by e-mail")
}

func TestASentMessageShowsEveryCheckWithItsValues(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.meet("ada", "Ada", true)
	w.hear(event.Event{Name: event.OrderCompleted, User: "ada", Props: order("o1", "lamp", "Brass Lamp", "lighting", "12.50")})
	w.pass(3 * 24 * time.Hour)
	list := w.messages("ada")
	if len(list) != 1 || list[0].State != profile.Accepted {
		t.Fatalf("the ledger has %v", list)
	}
	r := w.ask(http.MethodGet, "/messages/"+list[0].ID.String())
	body := textOf(parse(t, r.Body.String()))
	has(t, body, "sent", "She agreed to marketing by e-mail on 2 March 2026 (checkout box). It is number 1 of 2 in 7 days.",
		"They agreed to “News and offers” by e-mail on 2 March 2026: checkout box. Proof: entry m2.", "0 of at most 2 messages by e-mail in 7 days",
		"No message before this one; between two there are at least 24 hours.", "No quiet hours where they may be.", "They are not held out of this journey.",
		"When it was to leave", "When it was wanted")
	lacks(t, body, "stops here")
	if want := `href="/mails/?to=ada%40mail.example"`; !strings.Contains(r.Body.String(), want) {
		t.Errorf("the page has no link %s to the catcher", want)
	}
}

func TestAMessageThatWasTakenBackSaysWhatTheCustomerBought(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.meet("ada", "Ada", true)
	w.pass(10 * time.Hour) // seven in the evening: what comes of it waits for the morning
	for i := range 3 {
		w.hear(event.Event{Name: event.ProductViewed, User: "ada", Props: props("sku", "lamp"+strconv.Itoa(i), "name", "Brass Lamp", "category", "lighting")})
	}
	w.pass(2 * time.Hour)
	list := w.messages("ada")
	if len(list) != 1 || list[0].State != profile.Planned {
		t.Fatalf("the ledger has %v", list)
	}
	path := "/messages/" + list[0].ID.String()
	has(t, w.page(path), "waits", "Held until 3 March 2026, 08:00 and then asked again")
	has(t, w.page("/customers/"+w.find("ada").ID.String()), "Looking for a lamp", "viewed a product where category is lighting 3 or more times in the last 14 days (3 times, last 2 hours ago)")
	w.hear(event.Event{Name: event.OrderCompleted, User: "ada", Props: order("o1", "lamp2", "Brass Lamp", "lighting", "12.50")})
	has(t, w.page(path), "taken back She bought Brass Lamp", "When it was to leave")
}

func TestTheTimelineIsPagedWithoutGapsOrRepeats(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	const events = 250
	for i := range events {
		w.hear(event.Event{Name: "Thing Done", User: "ada", Props: props("number", "#"+strconv.Itoa(i)+"#")})
	}
	seen := map[string]int{}
	path, pages := "/customers/"+w.find("ada").ID.String(), 0
	for path != "" && pages < 10 {
		pages++
		r := w.ask(http.MethodGet, path)
		found := regexp.MustCompile(`#\d+#`).FindAllString(r.Body.String(), -1)
		if len(found) > 100 {
			t.Errorf("a page shows %d events", len(found))
		}
		for _, f := range found {
			seen[f]++
		}
		path = ""
		if next := regexp.MustCompile(`href="(/customers/[^"]*before=[^"]*)"`).FindStringSubmatch(r.Body.String()); next != nil {
			path = next[1]
		}
	}
	if pages != 3 || len(seen) != events {
		t.Errorf("%d pages show %d of %d events", pages, len(seen), events)
	}
	for f, n := range seen {
		if n != 1 {
			t.Errorf("%s is shown %d times", f, n)
		}
	}
}

func TestAPlaceInTheTimelineThatIsNoneShowsTheNewest(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.meet("ada", "Ada", true)
	for _, before := range []string{"x", "-1.4", "99.0", "0", "1.-2", "9999999999999999999.1"} {
		has(t, w.page("/customers/"+w.find("ada").ID.String()+"?before="+before), "Agreed to “News and offers”")
	}
}

func TestSearchFindsACustomerByAnyIdentifier(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.hear(event.Event{Type: event.Identify, User: "ada", Anon: "phone-7", Traits: props("email", "Ada@Mail.example", "phone", "+441632960961")})
	want := "/customers/" + w.find("ada").ID.String()
	for _, q := range []string{"ada", " ada ", "ada%40mail.example", "ADA@mail.example", "%2B441632960961", "phone-7", w.find("ada").ID.String()} {
		r := w.ask(http.MethodGet, "/customers?q="+strings.ReplaceAll(q, " ", "+"))
		if r.Code != http.StatusFound || r.Header().Get("Location") != want {
			t.Errorf("%q leads to %d %s, want %s", q, r.Code, r.Header().Get("Location"), want)
		}
	}
	has(t, w.page("/customers?q=nobody"), `No customer is known by "nobody".`)
	has(t, w.page("/customers?q="+strings.Repeat("x", 300)), "No identifier is that long.")
}

func TestEveryIdOfACustomerLeadsToTheirOnePage(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.hear(event.Event{Name: "Page Viewed", Anon: "phone-7"})
	before, err := w.node.Lookup(t.Context(), "phone-7")
	if err != nil {
		t.Fatal(err)
	}
	w.hear(event.Event{Name: "Signed In", User: "ada", Anon: "phone-7"})
	ada := w.find("ada").ID
	if before.ID == ada {
		t.Fatal("nothing was joined")
	}
	r := w.ask(http.MethodGet, "/customers/"+before.ID.String())
	if r.Header().Get("Location") != "/customers/"+ada.String() {
		t.Errorf("the old id leads to %d %q", r.Code, r.Header().Get("Location"))
	}
	if r = w.ask(http.MethodGet, "/customers/ada"); r.Header().Get("Location") != "/customers?q=ada" {
		t.Errorf("a customer number as path leads to %d %q", r.Code, r.Header().Get("Location"))
	}
	if r = w.ask(http.MethodGet, "/customers/"+identity.ID{9}.String()); r.Code != http.StatusNotFound {
		t.Errorf("an id of nobody answers %d", r.Code)
	}
}

func TestASegmentsPageSaysItsConditionAndPagesItsMembers(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	const customers = 130
	for i := range customers {
		w.hear(event.Event{Name: event.OrderCompleted, User: "c" + strconv.Itoa(i), Props: order("o"+strconv.Itoa(i), "lamp", "Lamp", "lighting", "1")})
	}
	r := w.ask(http.MethodGet, "/segments/new")
	has(t, textOf(parse(t, r.Body.String())), "New customers", "130", "first completed an order in the last 30 days", "The first 100")
	next := regexp.MustCompile(`href="(/segments/new\?after=[^"]*)"`).FindStringSubmatch(r.Body.String())
	if next == nil {
		t.Fatal("there is no second page")
	}
	names := regexp.MustCompile(`Customer c\d+<`)
	seen := map[string]bool{}
	for _, page := range []string{"/segments/new", next[1]} {
		for _, name := range names.FindAllString(w.ask(http.MethodGet, page).Body.String(), -1) {
			seen[name] = true
		}
	}
	if len(seen) != customers {
		t.Errorf("two pages show %d of %d members", len(seen), customers)
	}
	has(t, w.page("/segments"), "Looking for a lamp", "viewed a product where category is lighting 3 or more times")
	if r := w.ask(http.MethodGet, "/segments/none"); r.Code != http.StatusNotFound {
		t.Errorf("a segment that is none answers %d", r.Code)
	}
}

func TestCustomersAreListedPageByPage(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	for i := range 120 {
		w.hear(event.Event{Name: "Signed In", User: "c" + strconv.Itoa(i)})
		w.hear(event.Event{Name: "Page Viewed", Anon: "device" + strconv.Itoa(i)}) // nobody known: not listed
	}
	seen, path := map[string]bool{}, "/customers"
	for pages := 0; path != "" && pages < 10; pages++ {
		body := w.ask(http.MethodGet, path).Body.String()
		for _, name := range regexp.MustCompile(`Customer c\d+<`).FindAllString(body, -1) {
			seen[name] = true
		}
		path = ""
		if next := regexp.MustCompile(`href="(/customers\?from=[^"]*)"`).FindStringSubmatch(body); next != nil {
			path = next[1]
		}
	}
	if len(seen) != 120 {
		t.Errorf("the pages list %d of 120 customers", len(seen))
	}
}

func TestAJourneysPageCountsWhatHappenedAtEachStep(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	const agree, refuse = 12, 5
	for i := range agree + refuse {
		user := "c" + strconv.Itoa(i)
		w.meet(user, "Ada", i < agree)
		w.hear(event.Event{Name: event.OrderCompleted, User: user, Props: order("o"+user, "lamp", "Lamp", "lighting", "1")})
	}
	body := w.page("/journeys/welcome")
	has(t, body, "Welcome after the first order", "Entered 17", "Inside now 17", "Sent 0", "Wait 1d settle", "Send welcome by email hello", "Held out 10 %")
	w.pass(2 * 24 * time.Hour)
	// Figures are added up beside the requests; one round later they are there.
	var sent, not, held int64
	for i := range agree + refuse {
		for _, d := range w.messages("c" + strconv.Itoa(i)) {
			switch d.State {
			case profile.Accepted:
				sent++
			case profile.Withheld:
				held++
			default:
				not++
			}
		}
	}
	fresh := openPages(w)
	numbers := "Sent " + strconv.FormatInt(sent, 10) + " Not sent " + strconv.FormatInt(not, 10) + " Held out " + strconv.FormatInt(held, 10)
	body = textOf(parse(t, ask(fresh, http.MethodGet, "/journeys/welcome").Body.String()))
	if strings.Count(body, numbers) != 2 {
		t.Errorf("the page does not say %q for the journey and for its step: %s", numbers, body)
	}
	if sent == 0 || not == 0 {
		t.Errorf("the test is about nothing: %d sent, %d not", sent, not)
	}
	has(t, body, "They have not agreed to it")
	has(t, textOf(parse(t, ask(fresh, http.MethodGet, "/").Body.String())), "Orders and returns 17", "Sent "+strconv.FormatInt(sent, 10))
}

func TestEveryJourneyOfTheExampleShopIsDrawn(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p, err := w.node.Program(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range p.Journeys {
		body := w.ask(http.MethodGet, "/journeys/"+d.Name).Body.String()
		if got := strings.Count(body, `<li id="step-`); got != len(d.Steps()) {
			t.Errorf("%s: %d steps are drawn of %d", d.Name, got, len(d.Steps()))
		}
		for _, to := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(body, -1) {
			if to[1] != "main" && !strings.Contains(body, `id="`+to[1]+`"`) {
				t.Errorf("%s: an edge leads to #%s, which is not there", d.Name, to[1])
			}
		}
	}
	has(t, w.page("/journeys"), "Win back regulars who have gone quiet", "enters “At risk”")
}

func TestWhatWasPutAsideIsShownWithItsReasonAndField(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	has(t, w.page("/quarantine"), "Nothing was put aside")
	quarantine(t, w, "the timestamp is no date", "timestamp", `{"event":"x"}`)
	has(t, w.page("/quarantine"), "The timestamp is no date", "field timestamp", `{"event":"x"}`, "Failed the checks where it came in")
}

func TestBeforeTheFirstDefinitionsTheOverviewSaysWhatToDo(t *testing.T) {
	t.Parallel()
	src, err := program.New([]program.File{{Path: "shop.yaml", Body: "name: Empty\ncurrency: GBP\n"}})
	if err != nil {
		t.Fatal(err)
	}
	w := openWith(t, src, nil)
	has(t, w.page("/"), "Empty", "Nothing yet.", "No segments are in force yet.")
	has(t, w.page("/segments"), "No segments are in force")
	has(t, w.page("/journeys"), "No journeys are in force")
}

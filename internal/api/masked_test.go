package api_test

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"rapport/internal/api"
	"rapport/internal/core/event"
	"rapport/internal/keys"
	"rapport/internal/people"
)

// secrets are what nobody may read of zebulon who only analyses, in small letters.
var secrets = []string{"zebulon", "quixley", "zeb.q@", "elsewhere.example", "7700", "900123", "cedar lane", "zeb-4711", "brightgate", "zq9 1xx"}

// zebulon is a customer whose name stands wherever a shop can put it.
func (w *world) zebulon() string {
	w.t.Helper()
	w.with(map[string]string{"segments/zebs.yaml": "segment: zebs\nlabel: All Zebs\nwhen: {trait: first_name, is: Zebulon}\n"})
	var traits, street, props, buyer, line event.Builder
	street.SetText("street", "12 Cedar Lane").SetText("city", "Brightgate")
	traits.SetText("email", "zeb.q@elsewhere.example").SetText("first_name", "Zebulon").SetText("lastName", "Quixley").SetText("phone", "+447700900123").
		Set("address", event.Nested(street.Object())).SetText("postcode", "ZQ9 1XX").SetText("tier", "gold").SetText("note", "write to zeb.q@elsewhere.example or +44 7700 900123")
	buyer.SetText("full name", "Zebulon Quixley")
	line.SetText("sku", "LAMP").SetText("name", "Brass lamp").Set("price", event.Value{Kind: event.Number, Raw: "19.90"}).Set("quantity", event.Int(1))
	props.SetText("order_id", "A7").SetText("currency", "GBP").Set("total", event.Value{Kind: event.Number, Raw: "19.90"}).SetText("email", "zeb.q@elsewhere.example").
		Set("buyer", event.Nested(buyer.Object())).Set("products", event.ListOf(event.Nested(line.Object()))).SetText("url", "https://shop.example/thanks?m=zeb.q%40elsewhere.example&p=lamp")
	now := w.clock.Now()
	var batch []event.Event
	for i, name := range []string{"Product Viewed", "Order Completed"} {
		batch = append(batch, event.Event{ID: event.ID("zeb-4711-" + name), Type: event.Track, Name: name, User: "zeb-4711", Anon: "zeb-4711-phone", At: now + event.Time(i), Raw: now, Trust: event.Server, Source: "test", Props: props.Object(), Traits: traits.Object()})
	}
	w.must(w.node.Hear(w.t.Context(), batch))
	w.settle()
	var c struct{ ID string }
	w.ask(w.secret, "POST", "/customers/search", map[string]string{"identifier": "zeb-4711"}, &c)
	w.ask(w.secret, "POST", "/customers/"+c.ID+"/consents", map[string]any{"channel": "email", "purpose": "marketing", "granted": true, "evidence": "told Quixley's sister"}, nil)
	w.ask(w.secret, "POST", "/service/order-shipped", map[string]any{"to": map[string]string{"profile": c.ID}, "props": map[string]any{"order_id": "A7", "recipient": "Zebulon"}}, nil, "Idempotency-Key", "k")
	w.settle()
	return c.ID
}

// reads are the answers of whatever may be read, by what was asked.
func (w *world) reads(customer string, ask func(method, path string, sent any) *httptest.ResponseRecorder) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	var deliveries list
	w.get("/customers/"+customer+"/deliveries", &deliveries)
	wildcard := regexp.MustCompile(`\{[a-z]+\}`)
	read := func(method, path string, sent any) {
		out[method+" "+path] = ask(method, path, sent).Body.String()
	}
	for _, r := range w.api.Routes() {
		path := strings.TrimPrefix(r.Path, api.Prefix)
		if r.Method != "GET" || strings.HasSuffix(path, "/stream") {
			continue
		}
		switch {
		case strings.HasPrefix(path, "/customers/"):
			path = wildcard.ReplaceAllString(path, customer)
		case strings.HasPrefix(path, "/deliveries/"):
			path = wildcard.ReplaceAllString(path, deliveries.Data[0]["id"].(string))
		case strings.HasPrefix(path, "/segments/"):
			path = wildcard.ReplaceAllString(path, "zebs")
		case strings.HasPrefix(path, "/templates/"):
			path = wildcard.ReplaceAllString(path, "order-shipped") + "?customer=" + customer
		default:
			path = wildcard.ReplaceAllString(path, "welcome")
		}
		if strings.HasSuffix(path, "/why") {
			path += "?of=order-shipped"
		}
		read("GET", path, nil)
	}
	for _, state := range []string{"planned", "accepted", "dropped", "withheld"} {
		read("GET", "/deliveries?state="+state, nil)
	}
	for _, at := range []string{"first_name", "phone", "address.street", "note"} {
		read("GET", "/conditions/choices?from=trait%20values&of="+at, nil)
	}
	read("GET", "/journeys/welcome/people?who=standing", nil)
	read("POST", "/customers/search", map[string]any{"identifier": customer})
	read("POST", "/templates/order-shipped/preview", map[string]any{"customer": customer})
	read("POST", "/journeys/welcome/test", map[string]any{"customer": customer, "trigger": 1, "anew": true})
	return out
}

func TestWhoAnalysesReadsNoNameWhereverItStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.zebulon()
	team := w.team()
	analyse, err := w.ring.Add("figures", []keys.Scope{keys.Analyse, keys.SQL})
	w.must(err)
	read, err := w.ring.Add("till", []keys.Scope{keys.Read})
	w.must(err)
	by := func(key string) func(method, path string, sent any) *httptest.ResponseRecorder {
		return func(method, path string, sent any) *httptest.ResponseRecorder {
			return w.as("", method, path, sent, nil, "Authorization", "Bearer "+key)
		}
	}
	asPerson := func(role people.Role) func(method, path string, sent any) *httptest.ResponseRecorder {
		return func(method, path string, sent any) *httptest.ResponseRecorder {
			return w.as(team[role], method, path, sent, nil)
		}
	}
	seen := func(answers map[string]string) (found []string) {
		for asked, text := range answers {
			if strings.Contains(asked, "/definitions") || asked == "GET /segments" || asked == "GET /segments/zebs" {
				continue // the shop wrote it, in a condition
			}
			for _, s := range secrets {
				if strings.Contains(strings.ToLower(text), s) {
					found = append(found, asked+": "+s)
				}
			}
		}
		return found
	}
	for name, ask := range map[string]func(method, path string, sent any) *httptest.ResponseRecorder{"the analyst": asPerson(people.Analyst), "a key to analyse": by(analyse.Text)} {
		answers := w.reads(who, ask)
		for _, f := range seen(answers) {
			t.Errorf("%s reads %s", name, f)
		}
		for asked, want := range map[string]string{
			"GET /customers/" + who: `"tier":"gold"`, "GET /customers/" + who + "/timeline": "Brass lamp", "POST /templates/order-shipped/preview": "•••, we have handed your order A7",
			"GET /segments/zebs/members": "•••", "GET /customers": who,
		} {
			if !strings.Contains(answers[asked], want) {
				t.Errorf("%s does not read %s in %s: %s", name, want, asked, answers[asked])
			}
		}
	}
	for name, ask := range map[string]func(method, path string, sent any) *httptest.ResponseRecorder{"the marketer": asPerson(people.Marketer), "a key to read": by(read.Text)} {
		if n := len(seen(w.reads(who, ask))); n < 20 {
			t.Errorf("%s reads %d of what names him: the test looks where nothing is", name, n)
		}
	}
	if a := by(analyse.Text)("GET", "/customers/"+who+"/export", nil); a.Code != 403 {
		t.Errorf("a key to analyse gets the dossier: %d", a.Code)
	}
}

// Definitions come back as they are, and so are sent again as they are.
func TestWhoAnalysesReadsTheDefinitionsAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.team()[people.Analyst]
	want, got := w.ask(w.secret, "GET", "/definitions", nil, nil), w.as(analyst, "GET", "/definitions", nil, nil)
	if want != 200 || got.Code != 200 || strings.Contains(got.Body.String(), "•••") || !strings.Contains(got.Body.String(), "@") {
		t.Errorf("the analyst reads %d %.300s", got.Code, got.Body)
	}
	var me struct{ Masked bool }
	if w.as(analyst, "GET", "/session", nil, &me); !me.Masked {
		t.Error("the session does not say that names are masked")
	}
}

package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/people"
)

// sentTest is what a test came to.
type sentTest struct{ To, Subject, State string }

func TestATestGoesToSomebodyOfTheShopAndIsNoDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", func(b *event.Builder) { b.SetText("sku", "LAMP") })
	who := w.idOf("ada")
	tokens := w.team()
	before, _ := w.ledgerRows()
	for _, path := range []string{"/templates/winter-lights/test", "/campaigns/winter-lights/test"} {
		var sent sentTest
		a := w.as(tokens[people.Marketer], "POST", path, map[string]any{"to": " Grace@Shop.example", "customer": who}, &sent)
		if a.Code != 200 || sent.To != "grace@shop.example" || !strings.HasPrefix(sent.Subject, "[Test] ") || sent.State != "accepted" {
			t.Fatalf("%s = %d %s, want an accepted test", path, a.Code, a.Body)
		}
	}
	if to := w.mail.to(); len(to) != 2 || to[0] != "grace@shop.example" {
		t.Errorf("the mail went to %v", to)
	}
	w.settle()
	if after, _ := w.ledgerRows(); after != before {
		t.Errorf("%d deliveries after the test, want the %d of before", after, before)
	}
	var l list
	w.get("/customers/"+who+"/timeline", &l)
	if len(l.Data) != 1 {
		t.Errorf("the customer's history has %d events, want what she did", len(l.Data))
	}
	// It stands in the trail, without the whole address.
	w.as(tokens[people.Owner], "GET", "/audit?object=/templates", nil, &l)
	if len(l.Data) != 1 || l.Data[0]["detail"] != "a test to G…@Shop.example" {
		t.Errorf("the trail says %v", l.Data)
	}
	for _, role := range []people.Role{people.Analyst, people.Support} {
		if code := w.as(tokens[role], "POST", "/templates/winter-lights/test", map[string]any{"to": "x@shop.example"}, nil).Code; code != 403 {
			t.Errorf("a test by the %s = %d, want 403", role, code)
		}
	}
}

func TestATestIsRefusedWhereNobodyMayBeWrittenTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", nil)
	test := func(to string) int {
		return w.ask(w.secret, "POST", "/templates/winter-lights/test", map[string]any{"to": to}, nil)
	}
	if code := test("no address"); code != 400 {
		t.Errorf("to no address = %d", code)
	}
	for _, reason := range []string{"unsubscribed", "bounced", "complained"} {
		w.ask(w.secret, "POST", "/suppressions", map[string]string{"channel": "email", "address": reason + "@shop.example", "reason": reason}, nil)
		if code := test(reason + "@shop.example"); code != 409 {
			t.Errorf("to who %s = %d, want 409", reason, code)
		}
	}
	if code := w.ask(w.secret, "POST", "/templates/none/test", map[string]any{"to": "a@shop.example"}, nil); code != 404 {
		t.Errorf("of no template = %d", code)
	}
	if len(w.mail.to()) != 0 {
		t.Errorf("mail went to %v", w.mail.to())
	}
	// Twenty an hour, whatever came of them.
	last := 0
	for range 25 {
		last = test("b@shop.example")
	}
	if n := len(w.mail.to()); last != http.StatusTooManyRequests || n == 0 || n > 20 {
		t.Errorf("the last of many tests = %d, and %d went out", last, n)
	}
	w.clock.Set(w.clock.Now().Add(time.Hour))
	if code := test("b@shop.example"); code != 200 {
		t.Errorf("an hour later = %d", code)
	}
}

func TestWhatIsBeingWrittenIsReadAndTestedWithoutComingIntoForce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", nil)
	files := func(body string) []map[string]string {
		return []map[string]string{{"path": "templates/fresh.html.liquid", "body": body}, {"path": "templates/fresh.txt.liquid", "body": "Hello"}}
	}
	var v struct {
		Subject, Frame string
		Gaps           []map[string]any
		Problems       []map[string]any
		Dark           bool
	}
	read := func(body string) int {
		v.Frame, v.Problems, v.Gaps = "", nil, nil
		return w.ask(w.secret, "POST", "/templates/fresh/preview", map[string]any{"customer": "ada@people.example", "files": files(body)}, &v)
	}
	const head = "---\nsubject: Fresh\n---\n"
	if code := read(head + "<p>{{ customer.first_name }}</p>"); code != 200 || v.Subject != "Fresh" || len(v.Gaps) != 1 || v.Frame == "" || !v.Dark {
		t.Fatalf("what is being written = %d %+v", code, v)
	}
	frame := v.Frame
	if code := read(head + "<p>{{ customer.first_name </p>"); code != 200 || len(v.Problems) == 0 || v.Frame != "" || v.Problems[0]["where"] == "" {
		t.Errorf("a mistake = %d %+v", code, v)
	}
	tokens := w.team()
	light, dark := w.as(tokens[people.Analyst], "GET", "/frames/"+frame, nil, nil), w.as(tokens[people.Analyst], "GET", "/frames/"+frame+"?screen=dark", nil, nil)
	if light.Code != 200 || dark.Code != 200 || strings.Contains(dark.Body.String(), "prefers-color-scheme") || !strings.Contains(dark.Body.String(), "(min-width:0px)") || !strings.Contains(light.Body.String(), "(max-width:0px)") {
		t.Errorf("the frames are %d %d\n%s", light.Code, dark.Code, dark.Body)
	}
	if p := dark.Header().Get("Content-Security-Policy"); !strings.HasPrefix(p, "sandbox;") || strings.Contains(p, "script") {
		t.Errorf("the frame has the policy %q", p)
	}
	if code := w.ask(w.secret, "POST", "/templates/fresh/test", map[string]any{"to": "a@shop.example", "files": files(head + "<p>Hello</p>")}, nil); code != 200 {
		t.Errorf("a test of what is being written = %d", code)
	}
	if code := w.ask(w.secret, "POST", "/templates/fresh/preview", map[string]any{"customer": "ada@people.example"}, nil); code != 404 {
		t.Errorf("it is in force: %d", code)
	}
}

func TestAPreviewShowsPicturesAndCodesOfTheServerItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", nil)
	line := "picture " + strings.Repeat("a", 32) + ".png 700x350 A lamp"
	const body = "---\nsubject: Fresh\n---\n<img src=\"pictures/half/lamp.png\" alt=\"\"><img src=\"{{ 'x' | qr }}\" alt=\"\"><img src=\"{{ '4006381333931' | ean13 }}\" alt=\"\">"
	var v struct{ HTML string }
	if code := w.ask(w.secret, "POST", "/templates/fresh/preview", map[string]any{"customer": "ada@people.example", "files": []map[string]string{
		{"path": "pictures/lamp.png", "body": line}, {"path": "templates/fresh.html.liquid", "body": body},
	}}, &v); code != 200 {
		t.Fatalf("the preview = %d", code)
	}
	if !strings.Contains(v.HTML, `src="/i/aaaa`) || strings.Count(v.HTML, `src="data:image/png;base64,`) != 2 || strings.Contains(v.HTML, "preview.invalid") {
		t.Errorf("the pictures are not there: %s", v.HTML)
	}
}

func TestTemplatesAreToldWhatTheyMaySpeakOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", nil)
	var l struct {
		Tags, Filters, Variables []map[string]any
		Blocks, Layouts, Lists   []string
	}
	w.get("/liquid", &l)
	has := func(list []map[string]any, key, want string) bool {
		for _, one := range list {
			if one[key] == want {
				return true
			}
		}
		return false
	}
	if !has(l.Tags, "name", "for") || !has(l.Filters, "name", "recommend") || !has(l.Variables, "path", "brand.colors.accent") || !has(l.Variables, "path", "customer.first_name") || len(l.Blocks) == 0 || len(l.Layouts) == 0 || len(l.Lists) == 0 {
		t.Errorf("templates may speak of %+v", l)
	}
}

func TestAFileOfTheDefinitionsIsToldAsATree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var v struct {
		Value struct {
			Name    string
			Senders map[string]map[string]string
		}
	}
	w.get("/definitions/tree?path=shop.yaml", &v)
	if v.Value.Name != "The Example Gift Shop" || v.Value.Senders["email"]["from"] != "hello@shop.example" {
		t.Errorf("the shop is %+v", v)
	}
	for _, path := range []string{"none.yaml", "templates/winter-lights.html.liquid", "../shop.yaml"} {
		if code := w.ask(w.secret, "GET", "/definitions/tree?path="+path, nil, nil); code != 404 {
			t.Errorf("%s = %d", path, code)
		}
	}
}

func TestADomainIsSetUpCheckedAndTurnsGreenWhenDNSHasEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := w.team()
	type told struct {
		Name, Verified, Checked string
		Records                 []struct{ Name, Type, Value string }
		Problems                []struct{ Check, What, Instead string }
	}
	var d told
	sent := map[string]any{"name": "news.shop.example", "hosts": []string{"192.0.2.7"}}
	if code := w.as(tokens[people.Marketer], "POST", "/domains", sent, nil).Code; code != 403 {
		t.Errorf("a domain by the marketer = %d", code)
	}
	if a := w.as(tokens[people.Admin], "POST", "/domains", sent, &d); a.Code != 201 || len(d.Records) != 4 || d.Verified != "" {
		t.Fatalf("a new domain = %d %s", a.Code, a.Body)
	}
	check := func() {
		t.Helper()
		d = told{}
		if a := w.as(tokens[people.Marketer], "POST", "/domains/news.shop.example/check", map[string]any{}, &d); a.Code != 200 {
			t.Fatalf("the check = %d %s", a.Code, a.Body)
		}
	}
	check()
	kinds := map[string]bool{}
	for _, p := range d.Problems {
		kinds[p.Check] = true
	}
	if d.Checked == "" || d.Verified != "" || !kinds["spf"] || !kinds["dkim"] || !kinds["dmarc"] {
		t.Errorf("without records it is %+v", d)
	}
	for _, r := range d.Records {
		w.dns[r.Name] = r.Value
	}
	if check(); d.Verified == "" || len(d.Problems) != 0 {
		t.Errorf("with every record it is %+v", d)
	}
	if code := w.as(tokens[people.Owner], "POST", "/domains/news.shop.example/rotate", map[string]any{}, &d).Code; code != 200 || len(d.Records) != 6 {
		t.Errorf("rotating = %d, %d records", code, len(d.Records))
	}
	if code := w.ask(w.secret, "POST", "/domains/none.example/check", map[string]any{}, nil); code != 404 {
		t.Errorf("of no domain = %d", code)
	}
}

func TestAPictureIsPutInWithWordsAndToldWhereItIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var b bytes.Buffer
	w.must(png.Encode(&b, image.NewGray(image.Rect(0, 0, 700, 350))))
	r := httptest.NewRequest("POST", "/api/v1/pictures", &b)
	r.Header.Set("Authorization", "Bearer "+w.secret)
	r.Header.Set("Content-Type", "application/octet-stream")
	a := httptest.NewRecorder()
	w.api.ServeHTTP(a, r)
	var taken struct{ Line string }
	w.must(json.Unmarshal(a.Body.Bytes(), &taken))
	var d struct {
		Tag   string
		Files []map[string]string
	}
	w.get("/definitions", &d)
	d.Files = append(d.Files, map[string]string{"path": "pictures/lamp.png", "body": taken.Line + " A lamp, <b>lit</b>"},
		map[string]string{"path": "templates/lamp.html.liquid", "body": "---\nsubject: Lamp\n---\n<img src=\"pictures/half/lamp.png\" alt=\"A lamp\" width=\"300\">"})
	var done map[string]any
	if code := w.ask(w.secret, "PUT", "/definitions", map[string]any{"files": d.Files}, &done, "If-Match", "*"); code != 200 {
		t.Fatalf("the picture is not put in: %d", code)
	}
	w.settle()
	var l struct {
		Data []struct {
			Name, Alt string
			Width     int
			Sizes     []struct {
				Name, URL string
				Width     int
			}
			Used []string
		}
	}
	w.get("/pictures", &l)
	if len(l.Data) != 1 || l.Data[0].Alt != "A lamp, <b>lit</b>" || len(l.Data[0].Sizes) != 4 || l.Data[0].Sizes[3].Width != 700 || len(l.Data[0].Used) != 1 || l.Data[0].Used[0] != "templates/lamp.html.liquid" {
		t.Errorf("the library is %+v", l)
	}
}

func TestACampaignIsMeasuredAgainstWhoWasHeldOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d struct {
		Files []map[string]string
	}
	w.get("/definitions", &d)
	d.Files = append(d.Files, map[string]string{"path": "campaigns/all.yaml", "body": "campaign: all\naudience: {did: Product Viewed}\ntemplate: winter-lights\nreason: You looked\nundo: none\nholdout: 50%\n"})
	if code := w.ask(w.secret, "PUT", "/definitions", map[string]any{"files": d.Files}, nil, "If-Match", "*"); code != 200 {
		t.Fatal("it is not put in force")
	}
	w.settle()
	for i := range 12 {
		w.hear(fmt.Sprint("person-", i), "Product Viewed", nil)
		who := w.idOf(fmt.Sprint("person-", i))
		w.ask(w.secret, "POST", "/customers/"+who+"/consents", map[string]any{"channel": "email", "purpose": "marketing", "granted": true, "evidence": "the till", "wording": "v1"}, nil)
	}
	w.settle()
	if code := w.ask(w.secret, "POST", "/campaigns/all/send", map[string]any{}, nil); code != 202 {
		t.Fatalf("the send = %d", code)
	}
	for range 5 {
		w.clock.Set(w.clock.Now().Add(time.Hour))
		_, _, err := w.node.Engine.Walk(t.Context())
		w.must(err)
		w.settle()
	}
	var e struct {
		People, Pending int
		Days            int `json:"window_days"`
		Currency        string
		Orders          struct {
			Treated int
			Held    int `json:"held_out"`
		} `json:"incremental_orders"`
	}
	if w.get("/campaigns/all/effect", &e); e.Pending != 12 || e.People != 0 || e.Days != 60 || e.Currency != "GBP" {
		t.Errorf("at once it is %+v, want everybody pending", e)
	}
	w.clock.Set(w.clock.Now().Add(61 * 24 * time.Hour))
	w.settle()
	if w.get("/campaigns/all/effect", &e); e.People != 12 || e.Pending != 0 || e.Orders.Treated+e.Orders.Held != 12 || e.Orders.Held == 0 {
		t.Errorf("two months later it is %+v", e)
	}
	if code := w.ask(w.secret, "GET", "/campaigns/none/effect", nil, nil); code != 404 {
		t.Errorf("of no campaign = %d", code)
	}
}

func TestATestThatCannotBeSentIsNotCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Order Completed", nil)
	test := func(to string) int {
		return w.ask(w.secret, "POST", "/templates/winter-lights/test", map[string]any{"to": to}, nil)
	}
	for range 25 {
		for _, to := range []string{"nobody", "a b@shop.example", "a@b@shop.example", "a@[127.0.0.1]", "a@shop..example", "@shop.example"} {
			if code := test(to); code != 400 {
				t.Fatalf("a test to %s = %d, want 400", to, code)
			}
		}
	}
	if code := test("anna@shop.example"); code != 200 {
		t.Errorf("the first test that can be sent = %d", code)
	}
}

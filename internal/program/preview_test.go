package program_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"rapport/internal/channels/email"
	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// gift is a small shop with all that templates may use.
func gift(t *testing.T, change map[string]string, products program.Products) *program.Program {
	t.Helper()
	all := map[string]string{
		"shop.yaml":                   brandShop,
		"journeys/hello.yaml":         "trigger: {event: Order Completed}\nsteps:\n  - send: {template: hello, reason: \"You ordered {trigger.order_id}\"}\n",
		"layouts/default.html.liquid": "<html lang=\"{{ locale }}\"><body style=\"font-family:{{ brand.fonts.body }}\"><img src=\"{{ brand.logo.url }}\" alt=\"{{ brand.logo.alt }}\" width=\"{{ brand.logo.width }}\">\n{{ content }}{% render 'foot' %}</body></html>",
		"layouts/default.txt.liquid":  "{{ content }}\n{% render 'foot' %}",
		"blocks/foot.liquid":          "{{ 'foot.why' | t: reason: reason }} {{ unsubscribe_url }} {{ shop.postal }}",
		"blocks/card.html.liquid":     "<td style=\"color:{{ brand.colors.accent }}\">{% if item.image %}<img src=\"{{ item.image }}\" alt=\"\">{% endif %}{{ item.name }} {{ item.price | money: shop.currency }}</td>",
		"blocks/card.txt.liquid":      "- {{ item.name }}\n",
		"locales/en.yaml":             "subject: Hello {name}\nfoot: {why: \"Why: {reason}.\"}\nthings: {one: \"{count} thing\", other: \"{count} things\"}\n",
		"locales/de.yaml":             "subject: Hallo {name}\nfoot: {why: \"Warum: {reason}.\"}\nthings: {one: \"{count} Ding\", other: \"{count} Dinge\"}\n",
		"locales/de-AT.yaml":          "subject: Servus {name}\n",
		"templates/hello.html.liquid": "---\nsubject: {{ 'subject' | t: name: customer.first_name }}\npreheader: {{ 'things' | t: count: order.items.size }}\nfallback: {first_name: there}\n---\n{% if order.items.size == 0 %}{% abort \"nothing was ordered\" %}{% endif %}<p>{{ customer.city }}</p>\n<table><tr>{% render 'card' for order.items as item %}</tr></table>\n{% assign lamp = 'LAMP' | product %}{{ lamp.name | default: 'no lamp' }}",
		"templates/hello.txt.liquid":  "{{ customer.first_name }}\n{% for i in order.items %}{% render 'card', item: i %}{% endfor %}",
		"layouts/bare.txt.liquid":     "{{ content }}",
	}
	for path, body := range change {
		all[path] = body
	}
	list := make([]program.File, 0, len(all))
	for path, body := range all {
		list = append(list, program.File{Path: path, Body: body})
	}
	src, err := program.New(list)
	if err != nil {
		t.Fatal(err)
	}
	p, problems := program.Compile(src, program.Options{Workspace: "test", Products: products})
	for _, problem := range problems {
		if !problem.Warning {
			t.Error(problem)
		}
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

func order(t *testing.T) event.Object {
	t.Helper()
	o, err := program.Example([]byte(`{"order_id": "7", "currency": "GBP", "total": 12, "products": [{"sku": "MUG", "name": "Mug <1>", "price": 5, "quantity": 2}, {"sku": "LAMP", "name": "Old lamp", "price": 2, "quantity": 1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// catalogue knows a lamp.
type catalogue struct{}

func (catalogue) Product(sku string) (program.Product, bool) {
	if sku != "LAMP" {
		return program.Product{}, false
	}
	return program.Product{SKU: sku, Name: "Brass lamp", Image: "https://cdn.shop.example/lamp.jpg", Available: true}, true
}

func TestAPreviewIsWhatTheCustomerWouldReadWithTheGapsMarked(t *testing.T) {
	t.Parallel()
	p := gift(t, nil, catalogue{})
	who := reader("Ada", false)
	who.Locale = "de_CH"
	v, err := p.Preview(program.Sample{Template: "hello", Customer: who, Delivery: profile.Delivery{Props: order(t)}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if v.Subject != "Hallo Ada" || v.Preheader != "2 Dinge" || v.Locale != "de" {
		t.Errorf("%q, %q in %s", v.Subject, v.Preheader, v.Locale)
	}
	for _, want := range []string{
		`<html lang="de">`, `font-family:Georgia, serif`, `<img src="https://shop.example/logo.png" alt="Shop" width="160">`, "⟦customer.city⟧</mark>",
		`<td style="color:#8a3b1f">Mug &lt;1&gt; £ 5.00</td>`, `<img src="https://cdn.shop.example/lamp.jpg" alt="">Old lamp £ 2.00`, "Brass lamp", "Warum: This is a preview. https://shop.example/u/test",
	} {
		if !strings.Contains(v.HTML, want) {
			t.Errorf("the HTML lacks %q: %s", want, v.HTML)
		}
	}
	if !strings.HasPrefix(v.Text, "Ada\n- Mug <1>\n- Old lamp\n") {
		t.Errorf("text %q", v.Text)
	}
	if len(v.Gaps) != 1 || v.Gaps[0] != (program.Gap{What: "customer.city", File: "templates/hello.html.liquid", Line: 6}) {
		t.Errorf("gaps = %v", v.Gaps)
	}
	// And a send fails in the same place.
	_, err = p.Render(delivery("hello", order(t)), who, noon, signer(t))
	if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "templates/hello.html.liquid:6: customer.city is missing") {
		t.Errorf("a send: %v", err)
	}
}

func TestAReaderIsWrittenToInTheNearestLanguage(t *testing.T) {
	t.Parallel()
	p := gift(t, nil, nil)
	for locale, want := range map[string]string{"de-AT": "Servus there|de-AT", "de_AT": "Servus there|de-AT", "DE": "Hallo there|de", "de-CH": "Hallo there|de", "fr": "Hello there|en", "": "Hello there|en", "en-GB": "Hello there|en", "x\x00": "Hello there|en"} {
		who := reader("", false)
		who.Traits, who.Locale = who.Traits[:2], locale
		v, err := p.Preview(program.Sample{Template: "hello", Customer: who, Delivery: profile.Delivery{Props: order(t)}}, noon)
		if got := v.Subject + "|" + v.Locale; err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", locale, got, err, want)
		}
		if locale == "de-AT" && !strings.Contains(v.HTML, "Warum: ") {
			t.Error("what Austria's own file lacks is not taken from the German one")
		}
	}
	v, err := p.Preview(program.Sample{Template: "hello", Customer: reader("Ada", false), Locale: "de", Delivery: profile.Delivery{Props: order(t)}}, noon)
	if err != nil || v.Locale != "de" {
		t.Errorf("asked for de: %s, %v", v.Locale, err)
	}
}

func TestATemplateThatGivesUpSendsNothingAndSaysWhy(t *testing.T) {
	t.Parallel()
	p := gift(t, map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n{% if customer.country == 'GB' %}{% abort \"not in Britain\" %}{% endif %}x", "templates/hello.txt.liquid": "x"}, nil)
	m, err := p.Render(delivery("hello", order(t)), reader("Ada", false), noon, signer(t))
	var gone *content.Aborted
	if !errors.As(err, &gone) || gone.Reason != "not in Britain" || m.HTML != "" {
		t.Errorf("%q, %v", m.HTML, err)
	}
	v, err := p.Preview(program.Sample{Template: "hello", Customer: reader("Ada", false)}, noon)
	if err != nil || v.Aborted != "not in Britain" || v.HTML != "" {
		t.Errorf("preview: %+v, %v", v, err)
	}
}

func TestATestIsMarkedAndChangesNothing(t *testing.T) {
	t.Parallel()
	p := gift(t, nil, nil)
	who := reader("Ada", true) // even if they agreed to being measured
	who.Traits = append(who.Traits, profile.Trait{Name: "city", Value: event.Text("Leeds")})
	m, err := p.Test(program.Sample{Template: "hello", Customer: who, Delivery: profile.Delivery{Props: order(t)}, Public: "https://news.shop.example"}, "boss@shop.example", noon)
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "[Test] Hello Ada" || m.To.Address != "boss@shop.example" || m.To.Name != "" {
		t.Errorf("%q to %v", m.Subject, m.To)
	}
	for _, trace := range []string{"/c/", "/o/", "ada@people.example", "display:none\" tabindex"} {
		if strings.Contains(m.HTML+m.Text, trace) {
			t.Errorf("the test holds %q", trace)
		}
	}
	if !strings.Contains(m.HTML, "https://news.shop.example/u/test") {
		t.Error("the way out of the test is missing")
	}
	for _, h := range m.Headers {
		t.Errorf("the test has the header %v", h)
	}
	if _, err := email.Compose(&m); err != nil {
		t.Error(err)
	}
	who.Traits = who.Traits[:3]
	if _, err := p.Test(program.Sample{Template: "hello", Customer: who, Delivery: profile.Delivery{Props: order(t)}}, "boss@shop.example", noon); !fault.Is(err, fault.Invalid) {
		t.Errorf("a test with a gap: %v", err)
	}
	if _, err := p.Test(program.Sample{Template: "helo", Customer: who}, "boss@shop.example", noon); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "did you mean hello?") {
		t.Errorf("a template that is none: %v", err)
	}
}

func TestWhatIsKnownOfAProductComesFromTheCatalogueThenTheEvent(t *testing.T) {
	t.Parallel()
	change := map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\nlayout: none\n---\n{% assign p = 'LAMP' | product %}{{ p.name }},{{ p.available | default: '-' }}{% assign q = 'MUG' | product %}{{ q.name }}{% assign z = 'NONE' | product %}{% if z %}!{% endif %} {{ unsubscribe_url }}{{ shop.postal }}", "templates/hello.txt.liquid": "x{{ unsubscribe_url }}{{ shop.postal }}"}
	for _, c := range []struct {
		products program.Products
		want     string
	}{{catalogue{}, "Brass lamp,trueMug &lt;1&gt; "}, {nil, "Old lamp,-Mug &lt;1&gt; "}} {
		p := gift(t, change, c.products)
		v, err := p.Preview(program.Sample{Template: "hello", Customer: reader("Ada", false), Delivery: profile.Delivery{Props: order(t)}}, noon)
		if err != nil || !strings.HasPrefix(v.HTML, c.want) {
			t.Errorf("%q, %v; want %q", v.HTML, err, c.want)
		}
	}
}

func TestAnExampleEventIsReadWithinLimits(t *testing.T) {
	t.Parallel()
	for raw, bad := range map[string]bool{
		`{"a": [1, "x", true, null, {"b": 1.50}]}`: false, `[]`: true, `{"a": `: true, `{} {}`: true, "": true,
		strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40): true, `{"a": "` + strings.Repeat("x", 70<<10) + `"}`: true,
	} {
		o, err := program.Example([]byte(raw))
		if fault.Is(err, fault.Invalid) != bad || bad != (err != nil) {
			t.Errorf("%.40s: %v", raw, err)
		}
		if got := string(o.AppendJSON(nil)); !bad && got != `{"a":[1,"x",true,null,{"b":1.50}]}` {
			t.Errorf("it became %s", got)
		}
	}
}

// A message writes sums and dates as is the custom where its reader lives, in the language
// in which it speaks.
func TestSumsAndDatesAreThoseOfTheReaderAsFarAsTheMessageSpeaksTheirLanguage(t *testing.T) {
	t.Parallel()
	write := func(shop string, locales []string, reader1 string) string {
		files := fstest.MapFS{
			"shop.yaml":                  {Data: []byte("name: The Gift Shop\ncurrency: EUR\nlocale: " + shop + "\npostal: 1 Example Street\nwebsite: https://shop.example\nsenders: {email: {from: hello@shop.example}}\n")},
			"templates/bill.html.liquid": {Data: []byte("---\nsubject: Bill\n---\n<p>{{ 1234.5 | money: shop.currency }} {{ '2026-10-02' | date: 'long' }} {{ '2026-10-02' | date: '%B' }}</p>{{ reason }} {{ unsubscribe_url }} {{ shop.postal }}")},
			"templates/bill.txt.liquid":  {Data: []byte("{{ 1234.5 | money: shop.currency }}, {{ '2026-10-02' | date: 'long' }}, {{ '2026-10-02' | date: '%B' }}|{{ reason }} {{ unsubscribe_url }} {{ shop.postal }}")},
		}
		for _, tag := range locales {
			files["locales/"+tag+".yaml"] = &fstest.MapFile{Data: []byte("word: word\n")}
		}
		src, err := program.Read(files)
		if err != nil {
			t.Fatal(err)
		}
		p, problems := program.Compile(src, program.Options{Workspace: "w", Key: identity.Key{1}})
		if p == nil {
			t.Fatal(problems)
		}
		who := reader("Ada", false)
		who.Locale = reader1
		v, err := p.Preview(program.Sample{Template: "bill", Customer: who}, noon)
		if err != nil {
			t.Fatal(err)
		}
		text, _, _ := strings.Cut(v.Text, "|")
		return text
	}
	for _, tt := range []struct {
		shop    string
		locales []string
		reader  string
		want    string
	}{
		{"en-GB", nil, "", "€1,234.50, 2 October 2026, October"},
		{"en-GB", nil, "en-US", "€1,234.50, October 2, 2026, October"},
		{"en-GB", nil, "de-DE", "€1,234.50, 2 October 2026, October"}, // the words are English
		{"en-GB", []string{"en", "de"}, "de-DE", "1.234,50\u00a0€, 2. Oktober 2026, Oktober"},
		{"en-GB", []string{"en", "de"}, "de_AT", "€\u00a01.234,50, 2. Oktober 2026, Oktober"},
		{"de-AT", []string{"de", "en"}, "fr", "€\u00a01.234,50, 2. Oktober 2026, Oktober"},
		{"pl", nil, "", "1234,50\u00a0€, 2 października 2026, październik"},
	} {
		if got := write(tt.shop, tt.locales, tt.reader); got != tt.want {
			t.Errorf("a shop in %s with %v writes to %q: %q, want %q", tt.shop, tt.locales, tt.reader, got, tt.want)
		}
	}
}

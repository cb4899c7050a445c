package program_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	_ "time/tzdata"

	"rapport/internal/demo"
	"rapport/internal/program"
)

// shop compiles the example.
func shop(t *testing.T) *program.Program {
	t.Helper()
	src, err := program.Read(os.DirFS("../../examples/shop"))
	if err != nil {
		t.Fatal(err)
	}
	p, problems := program.Compile(src, program.Options{Workspace: "test"})
	for _, problem := range problems {
		t.Error(problem.Error())
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

func TestTheExampleShopHasNoProblemAndNoWarning(t *testing.T) {
	t.Parallel()
	p := shop(t)
	if len(p.Segments) < 10 || len(p.Journeys) != 16 || len(p.Templates) != 16 {
		t.Errorf("%d segments, %d journeys, %d templates", len(p.Segments), len(p.Journeys), len(p.Templates))
	}
}

// files returns a small sound shop with some files changed or added. An empty
// body takes a file away.
func files(change map[string]string) []program.File {
	sound := map[string]string{
		"shop.yaml":                   "name: Shop\nzone: Europe/London\ncurrency: GBP\npostal: 1 Example Street\npurposes: {marketing: News}\nsenders:\n  email: {from: hello@shop.example}\n",
		"segments/vip.yaml":           "segment: vip\nwhen: {did: Order Completed, times: \">= 3\"}\n",
		"journeys/hello.yaml":         "trigger: {event: Order Completed}\nsteps:\n  - send: {template: hello, reason: \"You ordered {trigger.order_id}\"}\n",
		"templates/hello.html.liquid": "---\nsubject: Hello\n---\n<p>Hello</p>",
		"templates/hello.txt.liquid":  "Hello",
		"layouts/default.html.liquid": "<body>{{ content }} {{ unsubscribe_url }} {{ shop.postal }}</body>",
		"layouts/default.txt.liquid":  "{{ content }} {{ unsubscribe_url }} {{ shop.postal }}",
	}
	for name, body := range change {
		sound[name] = body
	}
	var list []program.File
	for name, body := range sound {
		if body != "" {
			list = append(list, program.File{Path: name, Body: body})
		}
	}
	return list
}

func problems(t *testing.T, change map[string]string) []string {
	t.Helper()
	src, err := program.New(files(change))
	if err != nil {
		t.Fatal(err)
	}
	p, found := program.Compile(src, program.Options{Workspace: "test"})
	var list []string
	bad := false
	for _, problem := range found {
		list = append(list, problem.Error())
		bad = bad || !problem.Warning
	}
	if bad != (p == nil) {
		t.Errorf("a program came back: %v, with problems %q", p != nil, list)
	}
	return list
}

// brandShop is the sound shop with a brand.
const brandShop = "name: Shop\nzone: Europe/London\ncurrency: GBP\npostal: 1 Example Street\npurposes: {marketing: News}\nbrand:\n  colors: {accent: \"#8a3b1f\"}\n  fonts: {body: \"Georgia, serif\"}\n  logo: {url: \"https://shop.example/logo.png\", alt: Shop, width: 160}\nsenders:\n  email: {from: hello@shop.example}\n"

func TestASoundShopHasNoProblems(t *testing.T) {
	t.Parallel()
	if list := problems(t, nil); len(list) > 0 {
		t.Errorf("problems = %q", list)
	}
}

func TestEveryMistakeIsReportedWithItsPlaceAndWhatToWriteInstead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change map[string]string
		want   string
	}{
		{"no shop.yaml", map[string]string{"shop.yaml": ""}, "shop.yaml: the file shop.yaml is missing: it says who speaks (write: name: The Gift Shop)"},
		{"a slip in a key", map[string]string{"shop.yaml": "name: Shop\ncurency: GBP\n"}, "shop.yaml:2:1: shop.yaml has no field \"curency\" (write: currency)"},
		{"no name", map[string]string{"shop.yaml": "currency: GBP\n"}, "shop.yaml:1:1: the shop has no name (write: name: Willow and Finch)"},
		{"a zone that is none", map[string]string{"shop.yaml": "name: S\ncurrency: GBP\nzone: Europe/Londn\n"}, "shop.yaml:3:7: \"Europe/Londn\" is not the name of a time zone (write: Europe/London)"},
		{"a currency that is none", map[string]string{"shop.yaml": "name: S\ncurrency: pounds\n"}, "shop.yaml:2:11: a currency is three letters such as GBP, not \"pounds\" (write: GBP)"},
		{"an address that is none", map[string]string{"shop.yaml": "name: S\ncurrency: GBP\nsenders: {email: {from: hello}}\n"}, "shop.yaml:3:25: \"hello\" is not an e-mail address (write: hello@shop.example)"},
		{"a channel that is none", map[string]string{"shop.yaml": "name: S\ncurrency: GBP\nsenders: {emial: {from: a@b.example}}\n"}, "shop.yaml:3:11: there is no channel \"emial\" (write: email)"},
		{"the postal address is missing", map[string]string{"shop.yaml": "name: S\ncurrency: GBP\npurposes: {marketing: N}\nsenders: {email: {from: a@b.example}}\n"}, "marketing by e-mail needs the shop's postal address"},
		{"nobody to send", map[string]string{"shop.yaml": "name: S\ncurrency: GBP\npostal: X\npurposes: {marketing: N}\n"}, "journeys/hello.yaml:3:11: nobody is set up in shop.yaml to send by email"},
		{"a purpose nobody can agree to", map[string]string{"shop.yaml": "name: S\ncurrency: GBP\npostal: X\nsenders: {email: {from: a@b.example}}\n"}, "customers cannot agree to the purpose \"marketing\": shop.yaml does not name it"},
		{"a policy that contradicts", map[string]string{"policy.yaml": "zone: Europe/Paris\n"}, "policy.yaml:1:7: shop.yaml says the zone is Europe/London (write: Europe/London)"},
		{"a policy's slip", map[string]string{"policy.yaml": "gap: soon\n"}, "policy.yaml:1:6: "},
		{"a folder's slip", map[string]string{"segment/vip.yaml": "a: 1"}, "segment/vip.yaml: no definition is looked for here (write: segments)"},
		{"a file at the top", map[string]string{"vips.yaml": "a: 1"}, "vips.yaml: no definition is looked for here"},
		{"another ending", map[string]string{"segments/a.yml": "a: 1"}, "segments/a.yml: definitions end in .yaml, so that there is one way to write it (write: a.yaml)"},
		{"an empty file", map[string]string{"segments/a.yaml": "\n"}, "segments/a.yaml:1: the file is empty"},
		{"a segment's slip", map[string]string{"segments/vip.yaml": "segment: vip\nwen: {did: X}\n"}, "segments/vip.yaml:2:1: a segment has no field \"wen\" (write: when)"},
		{"a segment of nobody", map[string]string{"segments/vip.yaml": "segment: vip\n"}, "segments/vip.yaml:1:1: the segment vip does not say who is in it"},
		{"a segment's name", map[string]string{"segments/vip.yaml": "segment: Very Important\nwhen: {did: X}\n"}, "segments/vip.yaml:1:10: the segment's name \"Very Important\" is not one of small letters"},
		{"a condition's slip", map[string]string{"segments/vip.yaml": "segment: vip\nwhen:\n  did: Order Completed\n  witin: 3d\n"}, "segments/vip.yaml:4:3: \"witin\" does not go with did (write: within)"},
		{"the second document", map[string]string{"segments/vip.yaml": "segment: vip\nwhen: {did: X}\n---\nsegment: vip2\nwhen: {segment: vop}\n"}, "segments/vip.yaml:5:17: there is no segment \"vop\" (write: vip)"},
		{"a trigger that is none", map[string]string{"segments/vip.yaml": "segment: vip\nwhen: {did: X}\ntrigger: always\n"}, "segments/vip.yaml:3:10: trigger is existing or is left out (write: trigger: existing)"},
		{"a journey's slip", map[string]string{"journeys/hello.yaml": "triger: {event: X}\nsteps: [{wait: 1d}]\n"}, "journeys/hello.yaml:1:1: a journey has no field \"triger\" (write: trigger)"},
		{"no such template", map[string]string{"journeys/hello.yaml": "trigger: {event: X}\nsteps:\n  - send: {template: hallo, reason: \"{trigger.a}\"}\n"}, "journeys/hello.yaml:3:22: there is no template \"hallo\""},
		{"two journeys of one name", map[string]string{"journeys/other.yaml": "journey: hello\ntrigger: {event: X}\nsteps:\n  - send: {template: hello, reason: \"{trigger.a}\"}\n"}, "journeys/other.yaml:1:1: there are two journeys called \"hello\"; the other stands in journeys/hello.yaml"},
		{"two documents in a journey", map[string]string{"journeys/hello.yaml": "a: 1\n---\nb: 2\n"}, "journeys/hello.yaml:3:1: the file holds one definition; a second begins here"},
		{"a template without a subject", map[string]string{"templates/hello.html.liquid": "<p>x</p>"}, "templates/hello.html.liquid:1: the template hello has no subject"},
		{"an output where HTML allows none", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n<p>\n<script>{{ reason }}</script>"}, "templates/hello.html.liquid:5: "},
		{"a message in a script of its layout", map[string]string{"layouts/default.html.liquid": "<script>{{ content }}</script>{{ unsubscribe_url }}{{ shop.postal }}", "templates/hello.html.liquid": "---\nsubject: Hello\n---\n{{ reason }}"}, "layouts/default.html.liquid:1: a variable may not stand in <script>"},
		{"a template's slip", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\npreheder: x\n---\n"}, "templates/hello.html.liquid:3:1: a template has no field \"preheder\" (write: preheader)"},
		{"settings without an end", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n<p>"}, "templates/hello.html.liquid:1: the settings on top have no end"},
		{"Liquid that is none", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n<p>\n{% if x %}\n"}, "templates/hello.html.liquid:5"},
		{"Liquid in a subject that is none", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello {{ x | nosuchfilter: }\n---\n<p>"}, "templates/hello.html.liquid:2"},
		{"Liquid in a layout that is none", map[string]string{"layouts/default.html.liquid": "{{ content }}{{ unsubscribe_url }}{{ shop.postal }}\n{% endif %}"}, "layouts/default.html.liquid:2"},
		{"a layout without the message", map[string]string{"layouts/default.html.liquid": "{{ unsubscribe_url }}{{ shop.postal }}"}, "layouts/default.html.liquid:1: a layout has the message in it exactly once, this one 0 times (write: {{ content }})"},
		{"a layout that is none", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\nlayout: nice\n---\n"}, "templates/hello.html.liquid:3:9: there is no layout \"nice\" for html"},
		{"marketing without a way out", map[string]string{"layouts/default.txt.liquid": "{{ content }}"}, "the template hello is sent as marketing and does not show the way out and the shop's address"},
		{"a name that does not say what it holds", map[string]string{"templates/hello.liquid": "x"}, "templates/hello.liquid: the name of the file does not say what it holds"},
		{"a variable that is none", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n<p>\n{{ custmer.first_name }}"}, "templates/hello.html.liquid:5: there is no variable \"custmer\" (write: customer)"},
		{"a variable in a subject that is none", map[string]string{"templates/hello.html.liquid": "---\nlabel: x\nsubject: Hello {{ first_name }}\n---\n<p>"}, "templates/hello.html.liquid:3: there is no variable \"first_name\""},
		{"a field of the shop that is none", map[string]string{"layouts/default.html.liquid": "{{ content }}{{ unsubscribe_url }}{{ shop.postal }}\n{{ shop.nam }}"}, "layouts/default.html.liquid:2: the shop has no \"nam\" for templates (write: shop.name)"},
		{"a colour that the brand has not", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n<p style=\"color:{{ brand.colors.acent }}\">", "shop.yaml": brandShop}, "templates/hello.html.liquid:4: the brand in shop.yaml has no colors.acent (write: brand.colors.accent)"},
		{"a colour that is none", map[string]string{"shop.yaml": strings.Replace(brandShop, "#8a3b1f", "red;}", 1)}, "shop.yaml:7:20: \"red;}\" may not stand in a style (write: accent: \"#8a3b1f\")"},
		{"a font in quotes", map[string]string{"shop.yaml": strings.Replace(brandShop, "Georgia, serif", "'Times', serif", 1)}, "\"'Times', serif\" may not stand in a style"},
		{"a logo without words", map[string]string{"shop.yaml": strings.Replace(brandShop, ", alt: Shop", "", 1)}, "the logo has no alt"},
		{"a block that is none", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n{% render 'crd' %}", "blocks/card.liquid": "x"}, "templates/hello.html.liquid:4: there is no block \"crd\"; there is card"},
		{"a block of the other kind", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n{% render 'card' %}", "blocks/card.txt.liquid": "x"}, "templates/hello.html.liquid:4: there is no block \"card\""},
		{"a block in itself", map[string]string{"blocks/a.liquid": "x\n{% render 'b' %}", "blocks/b.liquid": "{% render 'a' %}"}, "blocks/b.liquid:1: the block a would stand in itself: a in b in a"},
		{"Liquid in a block that is none", map[string]string{"blocks/a.liquid": "x\n{% if %}"}, "blocks/a.liquid:2: a value is missing"},
		{"a block's name", map[string]string{"blocks/A b.liquid": "x"}, "blocks/A b.liquid: the name of the file does not say what it holds (write: blocks/card.liquid"},
		{"a block in a script", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n<script>{% render 'a', x: reason %}</script>", "blocks/a.liquid": "x\n\n{{ x }}"}, "blocks/a.liquid:3: a variable may not stand in <script>"},
		{"a value that a block is not handed", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n{% render 'a' %}", "blocks/a.liquid": "\n{{ item.name }}"}, "blocks/a.liquid:2: the block a shows item.name, which the template hello does not hand to it (write: {% render 'a', item: … %} in templates/hello.html.liquid)"},
		{"a fallback that is none", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\nfallback: there\n---\nx"}, "templates/hello.html.liquid:3:11: fallback is a map of what may be missing to what to write instead (write: fallback: {first_name: there, product.name: this one})"},
		{"a fallback that nobody needs", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\nfallback: {firstname: there}\n---\n{{ customer.first_name }}"}, "templates/hello.html.liquid:3:11: the template never writes customer.firstname, for which it has a fallback (write: customer.first_name)"},
		{"abort without a reason", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n\n{% abort %}"}, "templates/hello.html.liquid:5: abort says why: {% abort \"sold out\" %}"},
		{"a sentence that is none", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n{{ 'cart.titel' | t }}", "locales/en.yaml": "cart: {title: Basket}\n"}, "templates/hello.html.liquid:4: there is no sentence \"cart.titel\" in locales/en.yaml (write: cart.title)"},
		{"a sentence without a file", map[string]string{"templates/hello.html.liquid": "---\nsubject: \"{{ 'hi' | t }}\"\n---\nx"}, "templates/hello.html.liquid:2: there is no sentence \"hi\" in locales/en.yaml (write: hi: … in locales/en.yaml)"},
		{"a sentence that needs more", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n{{ 'hi' | t }}", "locales/en.yaml": "hi: Hi\n", "locales/de.yaml": "hi: Hallo {name}\n"}, "templates/hello.html.liquid:4: the sentence hi in locales/de.yaml needs {name} (write: {{ \"hi\" | t: name: … }})"},
		{"a count that is not given", map[string]string{"templates/hello.html.liquid": "---\nsubject: Hello\n---\n{{ 'n' | t }}", "locales/en.yaml": "n: {one: A thing, other: Things}\n"}, "the sentence n in locales/en.yaml depends on a count (write: {{ \"n\" | t: count: … }})"},
		{"counts without other", map[string]string{"locales/en.yaml": "n: {one: A thing}\n"}, "locales/en.yaml:1:1: the sentence n has counts and does not say other (write: n: {one: …, other: …})"},
		{"a language that is none", map[string]string{"locales/german_.yaml": "a: b\n"}, "locales/german_.yaml: \"german_\" is not the tag of a language (write: locales/de.yaml)"},
		{"no file in the shop's own language", map[string]string{"locales/de.yaml": "a: b\n"}, "locales: there is no file for the shop's own language, in which everybody else is written to (write: locales/en.yaml)"},
		{"a sentence that is a list", map[string]string{"locales/en.yaml": "a: [b]\n"}, "locales/en.yaml:1:4: the sentence a is a text"},
		{"a sentence that a language lacks", map[string]string{"locales/en.yaml": "a: b\nc: d\n", "locales/de.yaml": "a: b\n"}, "locales/de.yaml: the sentence c is not in locales/de.yaml, so its readers get it in en (write: c: …)"},
		{"a sentence that only one language has", map[string]string{"locales/en.yaml": "a: b\n", "locales/de.yaml": "a: b\nc: d\n"}, "locales/de.yaml:2:1: the sentence c is not in locales/en.yaml, so only readers of de could get it"},
		{"a campaign for nobody", campaign("template: hello\nreason: x\n"), "campaigns/sale.yaml:1:1: the campaign does not say whom it is for (write: audience: "},
		{"a campaign's slip", campaign("audience: {did: X}\ntemplate: hello\nreason: x\nrates: 5/h\n"), "campaigns/sale.yaml:4:1: a campaign has no field \"rates\" (write: rate)"},
		{"a campaign without a reason", campaign("audience: {did: X}\ntemplate: hello\n"), "campaigns/sale.yaml:1:1: the promotion does not say why this person gets it"},
		{"a rate that is none", campaign("audience: {did: X}\ntemplate: hello\nreason: x\nrate: 5000\n"), "campaigns/sale.yaml:4:7: rate is a number of messages by s, m or h"},
		{"a moment that is none", campaign("audience: {did: X}\ntemplate: hello\nreason: x\nat: tomorrow\n"), "campaigns/sale.yaml:4:5: at is a day and a time of day (write: 2026-12-01 09:00)"},
		{"a moment in no zone", campaign("audience: {did: X}\ntemplate: hello\nreason: x\nat: 2026-12-01 09:00\nzone: Mars\n"), "campaigns/sale.yaml:5:7: there is no time zone \"Mars\""},
		{"a zone without a moment", campaign("audience: {did: X}\ntemplate: hello\nreason: x\nzone: shop\n"), "campaigns/sale.yaml:4:7: zone says whose clock shows the time of `at`, and there is none"},
		{"a campaign that never ends", campaign("audience: {did: X}\ntemplate: hello\nreason: x\nexpires: never\n"), "campaigns/sale.yaml:4:10: a campaign has an end"},
		{"a long undo", campaign("audience: {did: X}\ntemplate: hello\nreason: x\nundo: 30d\n"), "campaigns/sale.yaml:4:7: nobody waits longer than seven days"},
		{"one address, some other way", campaign("audience: {did: X}\ntemplate: hello\nreason: x\nsame_address: twice\n"), "campaigns/sale.yaml:4:15: two customers with one address"},
		{"a campaign called like a journey", campaign("campaign: hello\naudience: {did: X}\ntemplate: hello\nreason: x\n"), "campaigns/sale.yaml:1:1: \"hello\" is the name of something else already; that stands in journeys/hello.yaml"},
		{"a service message on a date", service("trigger: {date: birthday}\ntemplate: owed\n", ""), "service/shipped.yaml:1:10: a service message is brought by an event or asked for by the API"},
		{"a service message for an audience", service("audience: {did: X}\ntemplate: owed\n", ""), "service/shipped.yaml:1:1: a service message has no field \"audience\""},
		{"an offer in a service message", service("template: owed\n", "<p>\n{{ offer.code }}</p>"), "templates/owed.html.liquid:6:1: the template owed is sent as a service message, which needs no consent, so it may not sell: \"offer\" does"},
		{"a coupon in a service message", service("template: owed\n", "<p>{% if coupon %}x{% endif %}</p>"), "templates/owed.html.liquid:5:4: the template owed is sent as a service message"},
		{"an offer block in a service message", service("template: owed\n", "{% render 'offer-of-the-day' %}"), "templates/owed.html.liquid:5:1: the template owed is sent as a service message"},
		{"recommendations in the layout of a service message", with(service("template: owed\n", "x"), "layouts/bare.html.liquid", "{{ content }}\n{% for p in recommendations %}{{ p.name }}{% endfor %}"), "layouts/bare.html.liquid:2:1: the template owed is sent as a service message"},
		{"an offer in a journey's service message", with(service("template: owed\n", "{{ coupons.first }}"), "journeys/hello.yaml", "trigger: {event: X}\nsteps:\n  - send: {template: owed, class: service}\n"), "templates/owed.html.liquid:5:1: the template owed is sent"},
		{"a template nobody sends", map[string]string{"templates/bye.html.liquid": "---\nsubject: Bye\n---\nx", "templates/bye.txt.liquid": "x"}, "templates/bye.html.liquid:1: nothing sends the template bye"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list := problems(t, c.change)
			if !slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("problems = %q\nwant one with %q", list, c.want)
			}
		})
	}
}

// campaign is a change that adds a campaign.
func campaign(body string) map[string]string { return map[string]string{"campaigns/sale.yaml": body} }

// service is a change that adds a service message with its template.
func service(body, html string) map[string]string {
	return map[string]string{
		"service/shipped.yaml": body, "layouts/bare.html.liquid": "{{ content }}", "layouts/bare.txt.liquid": "{{ content }}",
		"templates/owed.html.liquid": "---\nsubject: Shipped\nlayout: bare\n---\n" + html, "templates/owed.txt.liquid": "x",
	}
}

func with(change map[string]string, path, body string) map[string]string {
	change[path] = body
	return change
}

func TestAServiceMessageMayTellWhichCouponWasUsed(t *testing.T) {
	t.Parallel()
	for _, html := range []string{"<p>{{ trigger.coupon }} {{ trigger.offer.name }}</p>", "<p>No offer and no coupon: {{ \"a special offer\" }}</p>", "{% if trigger.coupon_used %}x{% endif %}"} {
		for _, p := range problems(t, service("template: owed\n", html)) {
			if strings.Contains(p, "may not sell") {
				t.Errorf("%s: %s", html, p)
			}
		}
	}
}

func TestProblemsComeByFileAndLine(t *testing.T) {
	t.Parallel()
	list := problems(t, map[string]string{"shop.yaml": "nam: x\nzon: y\n", "policy.yaml": "gap: x\nexpires: y\n"})
	if !slices.IsSortedFunc(list[:4], func(a, b string) int { return strings.Compare(a[:strings.Index(a, ": ")], b[:strings.Index(b, ": ")]) }) {
		t.Errorf("problems = %q", list)
	}
}

func TestTheSameSourceIsTheSameProgram(t *testing.T) {
	t.Parallel()
	a, b := shop(t), shop(t)
	if a.Core.Hash != b.Core.Hash || a.Core.Hash == 0 || a.Core.Series.Hash() != b.Core.Series.Hash() {
		t.Error("two compilations of one source differ")
	}
	for i := range a.Journeys {
		if a.Journeys[i].Version != b.Journeys[i].Version {
			t.Errorf("the version of %s differs", a.Journeys[i].Name)
		}
	}
}

func TestTheExampleIsTheShopOfTheDemo(t *testing.T) {
	t.Parallel()
	p := shop(t)
	s := p.Senders["email"]
	if p.Name != demo.ShopName || p.Shop.Postal != demo.Postal || s.From != demo.Sender || s.FromName != demo.SenderName || p.Currency != demo.Currency {
		t.Errorf("the example is %+v", p.Shop)
	}
	for _, name := range []string{demo.PurposeMarketing, demo.PurposeTrack} {
		if !slices.ContainsFunc(p.Purposes, func(q program.Purpose) bool { return q.Name == name }) {
			t.Errorf("customers of the demo agree to %s, which the example does not name", name)
		}
	}
}

func TestTheDefaultDefinitionsCompile(t *testing.T) {
	t.Parallel()
	p, found := program.Compile(program.Default(), program.Options{Workspace: "test"})
	if p == nil || len(found) > 0 || len(p.Journeys) != 0 {
		t.Errorf("problems = %v", found)
	}
}

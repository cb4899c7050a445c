package program_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/channels/email"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/program"
)

const twoBrands = `name: Willow
zone: Europe/London
currency: GBP
locale: en-GB
postal: Willow, 1 Example Street
brand: {colors: {accent: "#b00", paper: "#fff"}, logo: {url: "https://willow.example/logo.png", alt: Willow}}
purposes: {marketing: News, oak.marketing: News from Oak}
brands:
  oak: {name: Oak and Ash, website: "https://oak.example", brand: {colors: {accent: "#0a0"}, logo: {url: "https://oak.example/logo.png", alt: Oak}}, postal: "Oak, 2 Example Street"}
senders:
  email:
    - {from_name: Willow, from: hello@willow.example, reply_to: care@willow.example}
    - {stream: service, from: orders@willow.example}
    - {brand: oak, from_name: Oak, from: hello@news.oak.example, domain: oak.example, bounce_domain: bounces.oak.example}
    - {brand: oak, locale: de, from_name: Eiche, postal: "Eiche, Beispielstr. 2"}
    - {brand: oak, stream: service, from: orders@oak.example}
`

func compiled(t *testing.T, change map[string]string) *program.Program {
	t.Helper()
	src, err := program.New(files(change))
	if err != nil {
		t.Fatal(err)
	}
	p, found := program.Compile(src, program.Options{Workspace: "test"})
	for _, problem := range found {
		t.Error(problem.Error())
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

func TestTheMostSpecificSenderSpeaks(t *testing.T) {
	t.Parallel()
	p := compiled(t, map[string]string{"shop.yaml": twoBrands})
	for _, c := range []struct {
		brand  string
		class  profile.Class
		locale string
		from   string
		name   string
		postal string
		domain string
	}{
		{"", profile.Marketing, "en-GB", "hello@willow.example", "Willow", "Willow, 1 Example Street", "willow.example"},
		{"", profile.Marketing, "de-AT", "hello@willow.example", "Willow", "Willow, 1 Example Street", "willow.example"},
		{"", profile.Service, "en-GB", "orders@willow.example", "Willow", "Willow, 1 Example Street", "willow.example"},
		{"oak", profile.Marketing, "fr", "hello@news.oak.example", "Oak", "Oak, 2 Example Street", "oak.example"},
		{"oak", profile.Marketing, "de-AT", "hello@news.oak.example", "Eiche", "Eiche, Beispielstr. 2", "oak.example"},
		{"oak", profile.Service, "de", "orders@oak.example", "Eiche", "Eiche, Beispielstr. 2", "oak.example"},
	} {
		s, ok := p.Shop.SenderFor("email", c.brand, c.class, c.locale)
		if !ok || s.From != c.from || s.FromName != c.name || s.Postal != c.postal || s.Domain != c.domain {
			t.Errorf("%q %s %s: %+v", c.brand, c.class, c.locale, s)
		}
	}
	if s, ok := p.Shop.SenderFor("email", "elm", profile.Marketing, "en"); ok {
		t.Errorf("a brand that there is not speaks as %s", s.From)
	}
}

// M15: nobody gets a message of one brand in another's name.
func TestNoSenderOfAnotherBrandEverSpeaks(t *testing.T) {
	t.Parallel()
	names := []string{"", "oak", "elm", "fir"}
	rapid.Check(t, func(t *rapid.T) {
		var shop program.Shop
		for _, n := range names[1:] {
			shop.Brands = append(shop.Brands, program.Brand{Name: n, Label: strings.ToUpper(n)})
		}
		own := map[string]string{} // address → brand
		for i := range rapid.IntRange(0, 12).Draw(t, "senders") {
			s := program.Sender{
				Channel: rapid.SampledFrom([]string{"email", "sms"}).Draw(t, "channel"), Brand: rapid.SampledFrom(names).Draw(t, "brand"),
				Stream: rapid.SampledFrom([]string{"", "marketing", "service"}).Draw(t, "stream"), Locale: rapid.SampledFrom([]string{"", "de", "de-AT", "en"}).Draw(t, "locale"),
			}
			if rapid.Bool().Draw(t, "addressed") {
				s.From = fmt.Sprintf("a%d@%s.example", i, "x"+s.Brand)
				own[s.From] = s.Brand
			}
			shop.Speakers = append(shop.Speakers, s)
		}
		for _, brand := range names {
			for _, class := range []profile.Class{profile.Marketing, profile.Service} {
				for _, locale := range []string{"", "de", "de-AT", "en-GB", "fr"} {
					purpose := "marketing"
					if brand != "" {
						purpose = brand + ".marketing"
					}
					if b, _ := shop.BrandOf(purpose); b.Name != brand {
						t.Fatalf("%s is the brand %q's", purpose, b.Name)
					}
					s, ok := shop.SenderFor("email", brand, class, locale)
					if ok && own[s.From] != brand {
						t.Fatalf("%q speaks as %s", brand, s.From)
					}
				}
			}
		}
	})
}

func TestAMessageOfABrandIsTheBrandsThroughout(t *testing.T) {
	t.Parallel()
	p := compiled(t, map[string]string{"shop.yaml": twoBrands, "templates/hello.txt.liquid": "Hello from {{ shop.name }} {{ brand.colors.accent }} {{ brand.colors.paper }} {{ brand.logo.url }}"})
	who := reader("Ada", false)
	who.Consents = append(who.Consents, profile.Consent{Channel: "email", Purpose: "oak.marketing", Granted: true, At: 1})
	d := delivery("hello", event.Object(""))
	d.Purpose, d.Journey = "oak.marketing", "hello"
	m, err := p.Render(d, who, noon, signer(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := email.Compose(&m); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(m.Text, "Hello from Oak and Ash #0a0 #fff https://oak.example/logo.png") || !strings.Contains(m.Text, "Oak, 2 Example Street") || strings.Contains(strings.ToLower(m.Text+m.HTML), "willow") {
		t.Errorf("the text is %q", m.Text)
	}
	head := map[string]string{}
	for _, h := range m.Headers {
		head[h.Name] = h.Value
	}
	if m.Domain != "oak.example" || !strings.HasPrefix(m.Bounce, "b+") || !strings.HasSuffix(m.Bounce, "@bounces.oak.example") {
		t.Errorf("domain %s, bounce %s", m.Domain, m.Bounce)
	}
	if head["List-ID"] != "<oak.marketing.oak.example>" || head["Feedback-ID"] != "hello:oak.marketing:marketing:oak.example" {
		t.Errorf("headers %v", head)
	}
	if v := head["List-Unsubscribe"]; !strings.Contains(v, "<https://news.shop.example/u/") || !strings.Contains(v, "<mailto:u+") || head["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" {
		t.Errorf("the ways out are %q", v)
	}
	if v := head["CFBL-Address"]; !strings.HasPrefix(v, "f+") || !strings.HasSuffix(v, "@bounces.oak.example; report=arf") {
		t.Errorf("complaints go to %q", v)
	}
}

func TestMistakesInSendersAreNamed(t *testing.T) {
	t.Parallel()
	const head = "name: Shop\nzone: Europe/London\ncurrency: GBP\npostal: 1 Example Street\npurposes: {marketing: News, oak.marketing: Oak}\nbrands: {oak: {name: Oak}}\n"
	for name, c := range map[string]struct{ senders, want string }{
		"a brand that there is not":          {"[{from: a@x.example}, {brand: aok, from: b@x.example}]", `there is no brand "aok"`},
		"a stream that there is not":         {"[{from: a@x.example}, {stream: news, from: b@x.example}]", `there is no stream "news"`},
		"one address for two brands":         {"[{from: a@x.example}, {brand: oak, from: A@x.example}]", "is the address of two brands"},
		"a signature of another's domain":    {"{from: a@x.example, domain: y.example}", "y.example cannot answer for mail from x.example"},
		"a sender without an address":        {"[{from_name: Shop}]", "has no from"},
		"a brand's language without address": {"[{from: a@x.example}, {brand: oak, locale: de, from_name: Eiche}]", "for the brand oak has no from"},
		"a logo that is not https":           {"{from: a@x.example, logo: \"http://x.example/l.png\"}", "is not the https address"},
	} {
		if list := problems(t, map[string]string{"shop.yaml": head + "senders: {email: " + c.senders + "}\n"}); !strings.Contains(strings.Join(list, "\n"), c.want) {
			t.Errorf("%s: %q, want one that speaks of %q", name, list, c.want)
		}
	}
	if list := problems(t, map[string]string{"shop.yaml": head + "brand: {logo: {url: \"https://x.example/l.png\", alt: X}}\nsenders: {email: [{from: a@x.example}, {brand: oak, from: b@x.example}]}\n"}); !strings.Contains(strings.Join(list, "\n"), "the brand oak has no logo") {
		t.Errorf("a brand without a logo beside a shop with one: %q", list)
	}
	journey := "trigger: {event: Order Completed}\nsteps:\n  - send: {template: hello, purpose: oak.marketing, reason: \"You ordered {trigger.order_id}\"}\n"
	list := problems(t, map[string]string{"shop.yaml": head + "senders: {email: {from: a@x.example}}\n", "journeys/hello.yaml": journey})
	if len(list) != 1 || !strings.Contains(list[0], "has no sender of its own") {
		t.Errorf("a brand without a sender: %q", list)
	}
}

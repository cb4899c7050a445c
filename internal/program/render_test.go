package program_test

import (
	"strings"
	"testing"

	"rapport/internal/channels/email"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/site"
)

// noon is an instant on a Tuesday.
const noon event.Time = 1_299_585_600_000

func signer(t *testing.T) *site.Signer {
	t.Helper()
	s, err := site.NewSigner("https://news.shop.example", "test", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reader is a customer who agreed to everything but, unless measured is set, to
// being measured.
func reader(first string, measured bool) *profile.Profile {
	p := &profile.Profile{ID: identity.ID{7}, Born: 1}
	for _, name := range []string{"country", "email", "first_name"} {
		v := map[string]string{"country": "GB", "email": "ada@people.example", "first_name": first}[name]
		p.Traits = append(p.Traits, profile.Trait{Name: name, Value: event.Text(v), At: 1})
	}
	p.Consents = []profile.Consent{{Channel: "email", Purpose: "marketing", Granted: true, At: 1}, {Channel: "email", Purpose: "track.email", Granted: measured, At: 1}}
	return p
}

func delivery(template string, props event.Object) *profile.Delivery {
	return &profile.Delivery{
		ID: profile.DeliveryID{1, 2, 3}, Channel: "email", Purpose: "marketing", Template: template, Product: "L1", Category: "lighting",
		Reason: "You looked at it", Props: props,
	}
}

func looked(name string) event.Object {
	var b event.Builder
	b.SetText("sku", "L1").SetText("name", name).SetText("category", "lighting")
	return b.Object()
}

func TestEveryTemplateOfTheExampleMakesAMessageThatTheChannelTakes(t *testing.T) {
	t.Parallel()
	p, links := shop(t), signer(t)
	for name := range p.Templates {
		for _, first := range []string{"Ada", ""} {
			who := reader(first, true)
			if first == "" {
				who.Traits = who.Traits[:2]
			}
			d := delivery(name, looked("Brass lamp"))
			switch {
			case name == "confirm-signup":
				d.Class, d.Purpose, d.Props = profile.Service, "service", d.Props.With("purposes", event.Text("marketing"))
			case strings.HasPrefix(name, "order-"):
				d.Class, d.Purpose, d.Props = profile.Service, "service", d.Props.With("order_id", event.Text("A7"))
			}
			m, err := p.Render(d, who, noon, links)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			mail, err := email.Compose(&m)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if mail.ID != "<01020300000000000000000000000000@shop.example>" {
				t.Errorf("%s has the id %s", name, mail.ID)
			}
			for part, text := range map[string]string{"subject": m.Subject, "HTML": m.HTML, "text": m.Text} {
				if strings.Contains(text, "{{") || strings.Contains(text, "  ,") || strings.TrimSpace(text) == "" {
					t.Errorf("%s for %q: the %s is %q", name, first, part, text)
				}
			}
			for part, text := range map[string]string{"HTML": m.HTML, "text": m.Text} {
				all := []string{p.Shop.Postal, "https://news.shop.example/u/", "https://news.shop.example/p/", "You looked at it."}
				if strings.HasPrefix(name, "order-") {
					all = []string{p.Shop.Postal, "order A7", "whatever else you hear from us"} // it is owed: there is no way out of it
				}
				for _, must := range all {
					if !strings.Contains(text, must) {
						t.Errorf("%s: the %s does not hold %q", name, part, must)
					}
				}
			}
			if strings.Count(m.HTML, "<img") != 1 || !strings.Contains(m.HTML, `src="https://news.shop.example/o/`) {
				t.Errorf("%s: the one picture of a measured message is the pixel", name)
			}
		}
	}
}

func TestWhoDidNotAgreeToBeingMeasuredIsNot(t *testing.T) {
	t.Parallel()
	p, links := shop(t), signer(t)
	m, err := p.Render(delivery("welcome", ""), reader("Ada", false), noon, links)
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range []string{"<img", "/o/", "/c/", "display:none\" tabindex"} {
		if strings.Contains(m.HTML, trace) || strings.Contains(m.Text, trace) {
			t.Errorf("the message holds %q", trace)
		}
	}
	if !strings.Contains(m.HTML, `href="https://shop.example/about"`) {
		t.Error("the link to the shop is not the plain one")
	}
	measured, err := p.Render(delivery("welcome", ""), reader("Ada", true), noon, links)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(measured.HTML, `href="https://shop.example/about"`) || !strings.Contains(measured.HTML, `href="https://news.shop.example/c/`) {
		t.Error("the link of a measured message does not tell of the click")
	}
	if !strings.Contains(measured.HTML, `href="`+links.Unsubscribe(site.Delivery{ID: "01020300000000000000000000000000", Profile: identity.ID{7}, Channel: "email", Purpose: "marketing"})+`"`) {
		t.Error("the way out of a measured message leads over the click counter")
	}
}

func TestWhatPeopleTypeIsTextAndNothingElse(t *testing.T) {
	t.Parallel()
	p, links := shop(t), signer(t)
	const nasty = `"><script>alert(1)</script><a href='javascript:x'>{{ shop.name }}`
	m, err := p.Render(delivery("lighting-reminder", looked(nasty)), reader(nasty, true), noon, links)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, "<a href='javascript") {
		t.Errorf("the HTML holds what somebody typed: %s", m.HTML)
	}
	if !strings.Contains(m.HTML, "&lt;script&gt;") || !strings.Contains(m.HTML, "{{ shop.name }}") {
		t.Error("what somebody typed is not shown as they typed it")
	}
	m, err = p.Render(delivery("welcome", ""), reader("Ada\r\nBcc: eve@people.example", false), noon, links)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(m.Subject, "\r\n") {
		t.Errorf("the subject has a line break: %q", m.Subject)
	}
}

func TestAMessageDoesNotLeaveHalfFilled(t *testing.T) {
	t.Parallel()
	p, links := shop(t), signer(t)
	nobody := reader("Ada", false)
	nobody.Traits = nobody.Traits[:1]
	nothing := delivery("lighting-reminder", "")
	nothing.Product, nothing.Category = "", ""
	sms := delivery("welcome", "")
	sms.Channel = "sms"
	for name, c := range map[string]struct {
		d    *profile.Delivery
		who  *profile.Profile
		want string
	}{
		"no product":        {nothing, reader("Ada", false), "lighting-reminder"},
		"no name of it":     {delivery("lighting-reminder", ""), reader("Ada", false), "lighting-reminder"},
		"no such template":  {delivery("nothing", ""), reader("Ada", false), "no template \"nothing\""},
		"no sender for SMS": {sms, reader("Ada", false), "sms"},
		"no address":        {delivery("welcome", ""), nobody, "no address"},
	} {
		m, err := p.Render(c.d, c.who, noon, links)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a fault that speaks of %q", name, err, c.want)
		}
		_ = m
	}
}

func TestTheSameDeliveryIsTheSameMessage(t *testing.T) {
	t.Parallel()
	p, links := shop(t), signer(t)
	a, err1 := p.Render(delivery("replenish", looked("Brass lamp")), reader("Ada", true), noon, links)
	b, err2 := p.Render(delivery("replenish", looked("Brass lamp")), reader("Ada", true), noon, links)
	if err1 != nil || err2 != nil || a.HTML != b.HTML || a.Text != b.Text || a.Subject != b.Subject {
		t.Errorf("two renderings differ (%v, %v)", err1, err2)
	}
}

var _ program.Links = (*site.Signer)(nil)

func TestQuotesAroundAWholeSettingAreNoPartOfIt(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		`Hello`:                          "Hello",
		`"Hello"`:                        "Hello",
		`'Hello'`:                        "Hello",
		`'It''s here'`:                   "It's here",
		`"{{ 'subject' | t: name: 1 }}"`: "Hello 1",
		`'{{ "subject" | t: name: 1 }}'`: "Hello 1",
		`'Tis the season for 'gifts'`:    "'Tis the season for 'gifts'",
		`Say 'hello'`:                    "Say 'hello'",
	} {
		p := gift(t, map[string]string{"templates/hello.html.liquid": "---\nsubject: " + written + "\n---\n<p>Hello</p>"}, nil)
		m, err := p.Render(delivery("hello", order(t)), reader("Ada", false), noon, signer(t))
		if err != nil || m.Subject != want {
			t.Errorf("%s: the subject is %q, %v; want %q", written, m.Subject, err, want)
		}
	}
}

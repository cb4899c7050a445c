package site_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"rapport/internal/site"
)

func TestEachLanguageHasEveryText(t *testing.T) {
	t.Parallel()
	all := site.Catalogue()
	for lang, words := range all {
		for key, text := range all["en"] {
			if other := words[key]; other == "" || strings.Count(other, "%s") != strings.Count(text, "%s") {
				t.Errorf("%s: %s is %q, in English %q", lang, key, other, text)
			}
		}
		if len(words) != len(all["en"]) {
			t.Errorf("%s has %d texts, English %d", lang, len(words), len(all["en"]))
		}
	}
}

func TestPagesSpeakTheReadersLanguage(t *testing.T) {
	t.Parallel()
	w, s := openShop(t)
	for _, c := range []struct{ customer, accept, shop, lang, says string }{
		{"", "", "en-GB", "en", "Unsubscribe?"},
		{"", "", "de", "de", "Abmelden?"},
		{"", "de-AT,de;q=0.9,en;q=0.5", "en", "de", "Abmelden?"},
		{"", "fr,en;q=0.4,de;q=0.3", "de", "en", "Unsubscribe?"},
		{"", "fr", "en", "en", "Unsubscribe?"},
		{"", "de;q=x,;;;,en;q=0", "de", "de", "Abmelden?"},
		{"de_CH", "en", "en", "de", "Abmelden?"},
		{"fr-FR", "en", "de", "en", "Unsubscribe?"},
	} {
		s.customer.Locale, s.looks.Locale = c.customer, c.shop
		r := w.ask("GET", w.signer.Unsubscribe(ada), nil, "Accept-Language", c.accept)
		page := text(t, r)
		if !strings.Contains(page, `<html lang="`+c.lang+`">`) || !strings.Contains(page, c.says) || r.Header.Get("Content-Language") != c.lang {
			t.Errorf("%+v: %.200s", c, page)
		}
	}
	s.customer.Locale, s.looks.Locale = "", "en"
	page := text(t, w.ask("GET", base+"/signup", nil, "Accept-Language", "de"))
	for _, want := range []string{"Ihre E-Mail-Adresse", "Neues &amp; &lt;Angebote&gt;", "Anmelden", "Back in stock"} {
		if !strings.Contains(page, want) {
			t.Errorf("the German form lacks %q:\n%s", want, page)
		}
	}
}

// pagesOf returns every page that customers see.
func pagesOf(w *world) map[string]*http.Response {
	return map[string]*http.Response{
		"unsubscribe": w.ask("GET", w.signer.Unsubscribe(ada), nil), "unsubscribed": w.post(w.signer.Unsubscribe(ada)),
		"preferences": w.ask("GET", w.signer.Preferences(ada), nil), "signup": w.ask("GET", base+"/signup", nil),
		"refused": w.post(base+"/signup", "email", "nobody"), "sent": w.post(base+"/signup", "email", "ada@shop.example", "on", "stock"),
		"confirm": w.ask("GET", confirmLink(w.signer, noon, "marketing"), nil), "confirmed": w.post(confirmLink(w.signer, noon, "marketing")),
		"missing": w.ask("GET", base+"/x", nil), "own copy": w.ask("GET", w.signer.OwnCopy(), nil),
	}
}

// TestEveryPageCanBeUsedByEverybody looks for what a person needs who cannot see
// the page or uses no mouse: a language, one heading, a label for each field, a
// text for each picture and button, and no script.
func TestEveryPageCanBeUsedByEverybody(t *testing.T) {
	t.Parallel()
	w, s := openShop(t)
	s.looks.Look = site.Look{Accent: "#b5472f", Logo: "https://shop.example/logo.png"}
	for name, r := range pagesOf(w) {
		doc, err := html.Parse(strings.NewReader(text(t, r)))
		if err != nil {
			t.Fatal(err)
		}
		labels, ids, headings, mains := map[string]bool{}, []string{}, 0, 0
		var walk func(n *html.Node, labelled bool)
		walk = func(n *html.Node, labelled bool) {
			attr := func(key string) string {
				for _, a := range n.Attr {
					if a.Key == key {
						return a.Val
					}
				}
				return ""
			}
			if n.Type == html.ElementNode {
				switch n.Data {
				case "html":
					if attr("lang") == "" {
						t.Errorf("%s: the page names no language", name)
					}
				case "h1":
					headings++
				case "main":
					mains++
				case "script":
					t.Errorf("%s: there is a script", name)
				case "label":
					labelled = true
					labels[attr("for")] = true
				case "img":
					if attr("alt") == "" {
						t.Errorf("%s: a picture has no text", name)
					}
				case "button":
					if n.FirstChild == nil || strings.TrimSpace(n.FirstChild.Data) == "" {
						t.Errorf("%s: a button says nothing", name)
					}
				case "fieldset":
					if n.FirstChild == nil || !slices.ContainsFunc([]*html.Node{n.FirstChild, n.FirstChild.NextSibling}, func(c *html.Node) bool { return c != nil && c.Data == "legend" }) {
						t.Errorf("%s: a group of boxes has no legend", name)
					}
				case "input":
					if attr("type") != "hidden" && !labelled {
						ids = append(ids, attr("id"))
					}
				}
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") {
						t.Errorf("%s: %s runs something", name, a.Key)
					}
				}
			}
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c, labelled)
			}
		}
		walk(doc, false)
		for _, id := range ids {
			if id == "" || !labels[id] {
				t.Errorf("%s: a field has no label", name)
			}
		}
		if headings != 1 || mains != 1 {
			t.Errorf("%s: %d headings of the first order, %d mains", name, headings, mains)
		}
		if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "img-src 'self' https://shop.example;") {
			t.Errorf("%s: the policy is %q", name, csp)
		}
	}
}

func TestAColourIsReadOnBothPapersAndNothingElseGetsIntoTheStyle(t *testing.T) {
	t.Parallel()
	w, s := openShop(t)
	for _, accent := range []string{"#ffee00", "#000000", "#ffffff", "#7f7f7f", "#2f3bb5"} {
		s.looks.Look = site.Look{Accent: accent}
		page := text(t, w.ask("GET", base+"/signup", nil))
		parts := strings.Split(page, ":root{--accent:")
		if len(parts) != 3 {
			t.Fatalf("%s: the style sets the accent %d times", accent, len(parts)-1)
		}
		if c := site.Contrast(parts[1][:7], "#ffffff"); c < site.MinContrast {
			t.Errorf("%s is shown as %s with a contrast of %.2f to white", accent, parts[1][:7], c)
		}
		if c := site.Contrast(parts[2][:7], "#181c25"); c < site.MinContrast {
			t.Errorf("%s is shown as %s with a contrast of %.2f to the dark paper", accent, parts[2][:7], c)
		}
	}
	if c := site.Contrast("#ffffff", "#000000"); c < 20.9 || c > 21.1 {
		t.Errorf("white on black has a contrast of %.2f, want 21", c)
	}
	for _, evil := range []string{"red;}body{display:none", "#12345g", "#1234567", "#fff</style><script>", "url(https://evil.example)"} {
		s.looks.Look = site.Look{Accent: evil, Logo: "javascript:alert(1)"}
		page := text(t, w.ask("GET", base+"/signup", nil))
		if strings.Contains(page, evil) || strings.Contains(page, "javascript:") {
			t.Errorf("%q is on the page", evil)
		}
	}
}

// hostile is what strangers and shops may write into any field.
var hostile = []string{
	`<svg onload=alert(1)>`, `"><img src=x onerror=alert(1)>`, `javascript:alert(1)`, `'-alert(1)-'`, `</title><script>alert(1)</script>`, `</style><script>alert(1)</script>`,
	`{{.}}`, `<!--`, `&lt;script&gt;`, "\x00<script>", `<a href="javascript:alert(1)">x</a>`, "\u202e<script>",
}

// Item 54 for the pages that customers see.
func TestItem54NothingThatIsTypedRuns(t *testing.T) {
	t.Parallel()
	for _, h := range hostile {
		w, s := openShop(t)
		s.looks = site.Shop{
			Name: h, Locale: h, Website: h, Look: site.Look{Accent: h, Logo: h}, Channels: []string{"email", h}, SignUp: true,
			Purposes: []site.Purpose{{Name: h, Label: h, About: h, Labels: map[string]string{"en": h}}, {Name: "stock", Label: h}},
		}
		s.customer.Locale = h
		d := ada
		d.Channel, d.Purpose = h[:min(len(h), 20)], h[:min(len(h), 20)]
		answers := pagesOf(w)
		answers["typed back"] = w.post(base+"/signup", "email", h+"@@", "on", h, "website", "")
		answers["all hostile"] = w.post(base+"/signup", h, h, "email", h+"@shop.example", "on", h)
		answers["strange channel"] = w.ask("GET", w.signer.Preferences(d), nil, "User-Agent", h, "Accept-Language", h, "Referer", h)
		for name, r := range answers {
			page := text(t, r)
			doc, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			var walk func(n *html.Node)
			walk = func(n *html.Node) {
				if n.Type == html.ElementNode {
					if slices.Contains([]string{"script", "svg", "iframe", "object", "embed", "a-x"}, n.Data) {
						t.Errorf("%s with %q: there is a %s", name, h, n.Data)
					}
					for _, a := range n.Attr {
						if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") && (a.Key == "href" || a.Key == "src" || a.Key == "action") {
							t.Errorf("%s with %q: %s=%q", name, h, a.Key, a.Val)
						}
					}
				}
				for c := n.FirstChild; c != nil; c = c.NextSibling {
					walk(c)
				}
			}
			walk(doc)
		}
	}
}

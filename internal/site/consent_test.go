package site_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/site"
)

func TestItem33LookingChangesNothing(t *testing.T) {
	t.Parallel()
	w := open(t)
	for _, link := range []string{w.signer.Unsubscribe(ada), w.signer.Preferences(ada)} {
		for range 1000 {
			for _, ask := range [][]string{{"GET"}, {"HEAD"}, {"GET", "Sec-Purpose", "prefetch"}} {
				if r := w.ask(ask[0], link, nil, ask[1:]...); r.StatusCode != 200 || len(r.Cookies()) != 0 {
					t.Fatalf("%s %s: %d", ask[0], link, r.StatusCode)
				}
			}
		}
		for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS"} {
			if r := w.ask(method, link, nil); r.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s: %d, want 405", method, r.StatusCode)
			}
		}
	}
	if !w.quiet() {
		t.Fatalf("looking changed something: %+v, %+v", w.suppressed, w.heard)
	}
	page := text(t, w.ask("GET", w.signer.Unsubscribe(ada), nil))
	if !strings.Contains(page, `<form method="post">`) || !strings.Contains(page, w.signer.Preferences(ada)) || !strings.Contains(page, "Lamp &amp; Co") {
		t.Errorf("the page has no button, no preferences or no name:\n%s", page)
	}
}

func multi() (io.Reader, string) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	m.WriteField("List-Unsubscribe", "One-Click")
	m.Close()
	return &b, m.FormDataContentType()
}

func TestItem34OneClickUnsubscribes(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]func() (io.Reader, string){
		"urlencoded": func() (io.Reader, string) {
			return strings.NewReader("List-Unsubscribe=One-Click"), "application/x-www-form-urlencoded"
		},
		"multipart":          multi,
		"no body":            func() (io.Reader, string) { return nil, "" },
		"a body of nonsense": func() (io.Reader, string) { return strings.NewReader("%%%\x00"), "multipart/form-data; boundary=x" },
		"an endless body":    func() (io.Reader, string) { return strings.NewReader(strings.Repeat("x", 1<<20)), "text/plain" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			link := w.signer.Unsubscribe(ada)
			for range 3 {
				body, kind := request()
				r := w.ask("POST", link, body, "Content-Type", kind, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
				if r.StatusCode != 200 || r.Header.Get("Location") != "" || len(r.Cookies()) != 0 {
					t.Fatalf("%d to %q with cookies %v", r.StatusCode, r.Header.Get("Location"), r.Cookies())
				}
			}
			want := site.Suppression{Profile: ada.Profile, Delivery: ada.ID, Channel: "email", Purpose: "marketing", Reason: "unsubscribed", At: noon}
			if len(w.suppressed) != 3 || w.suppressed[0] != want {
				t.Errorf("suppressed %+v, want %+v", w.suppressed, want)
			}
			if len(w.heard) != 3 || w.heard[0].Event.ID != w.heard[2].Event.ID {
				t.Fatalf("heard %+v, want one fact, told again", w.heard)
			}
			e := w.heard[0].Event
			if w.heard[0].To != ada.Profile || e.Name != event.Unsubscribed || e.Trust != event.Own || e.Props.Text("channel") != "email" || e.Props.Text("purpose") != "marketing" || e.Props.Text("delivery") != ada.ID {
				t.Errorf("heard %+v", w.heard[0])
			}
			if w.calls[0] != "suppress" {
				t.Errorf("the order was %v: the suppression comes first", w.calls)
			}
		})
	}
}

func TestAnUnsubscribeBelowAServiceMessageEndsMarketingAndNotService(t *testing.T) {
	t.Parallel()
	w := open(t)
	receipt := ada
	receipt.Purpose = "service"
	if r := w.ask("POST", w.signer.Unsubscribe(receipt), nil); r.StatusCode != 200 {
		t.Fatalf("answered %d", r.StatusCode)
	}
	var suppressed, heard []string
	for _, s := range w.suppressed {
		suppressed = append(suppressed, s.Purpose)
	}
	for _, h := range w.heard {
		heard = append(heard, h.Event.Name+" "+h.Event.Props.Text("purpose"))
	}
	if got := strings.Join(suppressed, ", "); got != "marketing, stock" {
		t.Errorf("suppressed %q: the one who clicks wants no advertising, and the next order must still be confirmed", got)
	}
	if got := strings.Join(heard, ", "); got != "Message Unsubscribed marketing, Message Unsubscribed stock" || w.heard[0].Event.ID == w.heard[1].Event.ID {
		t.Errorf("heard %q", got)
	}
	w.down["preferences"] = true
	if r := w.ask("POST", w.signer.Unsubscribe(receipt), nil); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("what it ends is unknown, and it was answered %d", r.StatusCode)
	}
}

func TestUnsubscribeIsAnsweredOnlyWhenItIsDurable(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.down["suppress"] = true
	r := w.ask("POST", w.signer.Unsubscribe(ada), nil)
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || len(w.heard) != 0 {
		t.Fatalf("%d, heard %v; want 503 and nothing said", r.StatusCode, w.heard)
	}
}

func TestUnsubscribeWorksWhileTheLogIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		w.down["hear"] = true
		if r := w.ask("POST", w.signer.Unsubscribe(ada), nil); r.StatusCode != 200 || len(w.suppressed) != 1 {
			t.Fatalf("%d, suppressed %v", r.StatusCode, w.suppressed)
		}
		time.Sleep(5 * time.Second)
		w.mu.Lock()
		w.down["hear"] = false
		w.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if heard := w.events(); len(heard) != 1 || heard[0].Event.Name != event.Unsubscribed || heard[0].Event.Props.Text("actor") != "" {
			t.Fatalf("heard %+v, want the unsubscribe once", heard)
		}
	})
}

func TestItem35BadUnsubscribeLinksAllGetTheSamePage(t *testing.T) {
	t.Parallel()
	w := open(t)
	link := w.signer.Unsubscribe(ada)
	changed := []byte(link)
	changed[len(link)-20] ^= 1
	pages := map[string]string{}
	for name, bad := range map[string]string{
		"one byte changed":                 string(changed),
		"cut off":                          link[:len(link)-1],
		"another workspace's":              signer(t, "other", keyA).Unsubscribe(ada),
		"a click link":                     "/u/" + token(w.signer.Click(ada, "https://shop.example/")),
		"a preference link":                "/u/" + token(w.signer.Preferences(ada)),
		"nonsense":                         "/u/x",
		"preferences: changed":             "/p/" + token(string(changed)),
		"preferences: an unsubscribe link": "/p/" + token(link),
	} {
		for _, method := range []string{"GET", "POST"} {
			r := w.ask(method, bad, nil)
			if r.StatusCode != 404 {
				t.Errorf("%s, %s: %d, want 404", name, method, r.StatusCode)
			}
			pages[text(t, r)] = name
		}
	}
	if len(pages) != 1 {
		t.Errorf("there are %d different pages, so a guess learns something", len(pages))
	}
	if !w.quiet() {
		t.Error("a bad link changed something")
	}
	// The previous key, and 59 days old: nothing in a token ages.
	rotated := open(t, func(o *site.Options) {
		o.Signer = signer(t, "shop", keyB, keyA)
		o.Now = func() event.Time { return noon.Add(59 * 24 * time.Hour) }
	})
	if r := rotated.ask("POST", link, nil); r.StatusCode != 200 || len(rotated.suppressed) != 1 {
		t.Errorf("an old link under the previous key: %d", r.StatusCode)
	}
}

func TestPreferencesAreSwitchedOneByOne(t *testing.T) {
	t.Parallel()
	w := open(t)
	link := w.signer.Preferences(ada)
	page := text(t, w.ask("GET", link, nil))
	if !strings.Contains(page, `value="marketing" checked> <span>News &amp; &lt;offers&gt;</span>`) || strings.Contains(page, `value="stock" checked`) || !strings.Contains(page, "e-mail") {
		t.Fatalf("the page shows\n%s", page)
	}
	body, key, kind := form("on", "stock")
	r := w.ask("POST", link, body, key, kind)
	page = text(t, r)
	if r.StatusCode != 200 || !strings.Contains(page, "Saved") || !strings.Contains(page, `value="stock" checked`) || strings.Contains(page, `value="marketing" checked`) {
		t.Fatalf("%d\n%s", r.StatusCode, page)
	}
	if len(w.suppressed) != 1 || w.suppressed[0].Purpose != "marketing" || w.suppressed[0].Channel != "email" || len(w.released) != 1 || w.released[0].Purpose != "stock" {
		t.Errorf("suppressed %+v, released %+v", w.suppressed, w.released)
	}
	if len(w.heard) != 2 {
		t.Fatalf("heard %+v", w.heard)
	}
	for i, want := range []struct{ purpose, state, wording string }{{"marketing", "withdrawn", "News & <offers>"}, {"stock", "granted", "Back in stock"}} {
		e := w.heard[i].Event
		if e.Name != event.ConsentChanged || e.Trust != event.Own || e.Props.Text("purpose") != want.purpose || e.Props.Text("state") != want.state || e.Props.Text("wording") != want.wording || e.Props.Text("channel") != "email" || e.Props.Text("evidence") == "" {
			t.Errorf("heard %+v, want %+v", e, want)
		}
	}
	if got, want := strings.Join(w.calls, " "), "preferences preferences suppress hear hear release preferences"; got != want {
		t.Errorf("the order was %s, want %s: off before on, and the proof of consent before the way is free", got, want)
	}
	// Saving what is so already changes nothing.
	body, key, kind = form("on", "stock", "on", "nonsense", "on", "%3Cscript%3E")
	if w.ask("POST", link, body, key, kind); len(w.suppressed) != 1 || len(w.heard) != 2 {
		t.Errorf("saving again: suppressed %+v, heard %+v", w.suppressed, w.heard)
	}
}

func TestUnsubscribeFromAll(t *testing.T) {
	t.Parallel()
	w := open(t)
	body, key, kind := form("all", "off", "on", "marketing", "on", "stock")
	if r := w.ask("POST", w.signer.Preferences(ada), body, key, kind); r.StatusCode != 200 || strings.Contains(text(t, r), "checked") {
		t.Fatalf("%d", r.StatusCode)
	}
	if len(w.suppressed) != 2 || len(w.released) != 0 || len(w.heard) != 2 {
		t.Fatalf("suppressed %+v, heard %+v", w.suppressed, w.heard)
	}
}

func TestPreferencesWhileSomethingIsDown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		down   string
		status int
	}{{"preferences", 503}, {"suppress", 503}, {"hear", 503}, {"release", 503}} {
		w := open(t)
		w.down[c.down] = true
		body, key, kind := form("on", "stock")
		if r := w.ask("POST", w.signer.Preferences(ada), body, key, kind); r.StatusCode != c.status {
			t.Errorf("%s down: %d, want %d", c.down, r.StatusCode, c.status)
		}
		if c.down == "hear" && len(w.released) != 0 {
			t.Error("the way was freed without a proof of consent")
		}
	}
	w := open(t)
	if r := w.ask("POST", w.signer.Preferences(ada), strings.NewReader(strings.Repeat("on=x&", 10_000)), "Content-Type", "application/x-www-form-urlencoded"); r.StatusCode != 400 || !w.quiet() {
		t.Errorf("a form that is too long: %d", r.StatusCode)
	}
}

func TestEveryRouteHasItsHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base string
		hsts bool
	}{{base, true}, {"http://127.0.0.1:8080", false}} {
		w := open(t, func(o *site.Options) {
			s, err := site.NewSigner(c.base, "shop", keyA)
			if err != nil {
				t.Fatal(err)
			}
			o.Signer = s
		})
		for _, path := range []string{
			"/c/" + token(w.signer.Click(ada, "https://shop.example/")), "/c/x", "/o/" + token(w.signer.Pixel(ada)), "/o/x",
			"/u/" + token(w.signer.Unsubscribe(ada)), "/u/x", "/p/" + token(w.signer.Preferences(ada)), "/p/x", "/", "/nonsense", "/c/", "/c/%2e%2e/x",
		} {
			for _, method := range []string{"GET", "POST", "DELETE"} {
				r := w.ask(method, path, nil)
				h := r.Header
				if p := h.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'; ") || !strings.Contains(p, "frame-ancestors 'none'") || strings.Contains(p, "unsafe") || strings.Contains(p, "script") {
					t.Errorf("%s %s: policy %q", method, path, p)
				}
				if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" {
					t.Errorf("%s %s: %v", method, path, h)
				}
				if (h.Get("Strict-Transport-Security") != "") != c.hsts {
					t.Errorf("%s %s at %s: HSTS %q", method, path, c.base, h.Get("Strict-Transport-Security"))
				}
			}
		}
	}
}

// The policy names the style sheet by its hash; a page whose style does not match
// would be bare.
func TestThePolicyAllowsThePagesStyle(t *testing.T) {
	t.Parallel()
	w := open(t)
	r := w.ask("GET", w.signer.Unsubscribe(ada), nil)
	page := text(t, r)
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, ok := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	if !ok || len(style) < 500 || !strings.Contains(r.Header.Get("Content-Security-Policy"), "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("the style's hash is not in %q", r.Header.Get("Content-Security-Policy"))
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "style=") || strings.Contains(page, " on=") {
		t.Error("the page needs more than the policy allows")
	}
}

func TestASiteNeedsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := site.New(site.Options{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("New without parts = %v, want Invalid", err)
	}
}

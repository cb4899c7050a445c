package site_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/site"
)

var badTargets = []string{
	"//evil.example", "///evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example", "http:\\\\evil.example",
	"https://ok.example@evil.example", "https://ok.example:x@evil.example/", "https://ok.example\\@evil.example", "https://ok.example\t.evil.example",
	"https://evil.example\r\nSet-Cookie: a=b", " https://evil.example", "https://evil.example ", "\x00https://evil.example", "https://e\x7fvil.example",
	"javascript:alert(1)", "JavaScript://shop.example/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://shop.example/",
	"/relative", "relative", "?q", "#f", "", "https://", "http://", "https://?q", "https://#f", "https:// ", "https://[::1", "https://%65vil.example/", "https://ev%00il.example/",
	"https://ok.example%2f@evil.example", "https://ok.example%40evil.example", "https://shop.example:port/", "https://b\u00fccher.example/", "https://ok.example\uff0fevil.example/",
	"https://ok.example;evil.example", "https://ok.example,evil.example", "https://[ok.example]/", "https://shop.example/" + strings.Repeat("x", 2048),
}

func TestItem56TargetsThatCouldLeadElsewhereAreNotSigned(t *testing.T) {
	t.Parallel()
	s := signer(t, "shop", keyA)
	for _, u := range badTargets {
		if site.CheckTarget(u) == nil {
			t.Errorf("%q is taken", u)
		}
		if got := s.Click(ada, u); got != u {
			t.Errorf("%q became %q", u, got)
		}
	}
	for _, u := range []string{
		"https://shop.example", "http://shop.example/", "HTTPS://Shop.Example/p?a=b#c", "https://shop.example:8443/p", "https://xn--bcher-kva.example/", "http://127.0.0.1:8080/p/1",
		"http://[::1]:8080/", "https://shop.example/?next=//evil.example/", "https://shop.example/a@b", "https://shop.example/gr%C3%BC%C3%9Fe?x=%0d%0a", "https://shop.example/grüße", "https://shop_1.example/",
	} {
		if err := site.CheckTarget(u); err != nil {
			t.Errorf("%q: %v", u, err)
		}
	}
}

func TestItem56ClickLinksNeverRedirectElsewhere(t *testing.T) {
	t.Parallel()
	w := open(t)
	const target = "https://shop.example/p/1?a=%2F&b=c d"
	good := strings.ReplaceAll(target, " ", "+")
	link := w.signer.Click(ada, good)
	r := w.ask("GET", link, nil)
	if r.StatusCode != http.StatusFound || r.Header.Get("Location") != good || r.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("a good link: %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	bad := map[string]string{
		"unsigned":                "/c/" + "aHR0cHM6Ly9ldmlsLmV4YW1wbGU",
		"a URL":                   "/c/https%3A%2F%2Fevil.example",
		"nothing":                 "/c/x",
		"cut off":                 link[:len(link)-3],
		"with more behind it":     link + "AAAA",
		"another workspace's":     signer(t, "other", keyA).Click(ada, good),
		"another key's":           signer(t, "shop", keyB).Click(ada, good),
		"an unsubscribe link":     "/c/" + token(w.signer.Unsubscribe(ada)),
		"a preference link":       "/c/" + token(w.signer.Preferences(ada)),
		"a picture's":             "/c/" + token(w.signer.Pixel(ada)),
		"with a target beside it": "/c/x?url=https://evil.example",
	}
	tok := token(link)
	for _, i := range []int{0, 1, 5, 30, len(tok) / 2, len(tok) - 1} {
		c := byte('A')
		if tok[i] == c {
			c = 'B'
		}
		bad["one character changed, "+string(rune('0'+i%10))] = "/c/" + tok[:i] + string(c) + tok[i+1:]
	}
	for name, link := range bad {
		for _, method := range []string{"GET", "HEAD"} {
			r := w.ask(method, link, nil)
			if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" || r.Header.Get("Refresh") != "" {
				t.Errorf("%s, %s: %d to %q, want a 400 page", name, method, r.StatusCode, r.Header.Get("Location"))
			}
		}
	}
}

func TestAClickIsAFactAboutTheDelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		w.ask("GET", w.signer.Click(ada, "https://shop.example/p/1"), nil)
		if len(w.events()) != 0 {
			t.Fatal("the click was judged before it could be")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		heard := w.events()
		if len(heard) != 1 {
			t.Fatalf("%d events, want one", len(heard))
		}
		got := heard[0]
		e := got.Event
		if got.To != ada.Profile || e.Name != event.MessageClicked || e.Type != event.System || e.Trust != event.Own || e.At != noon || e.ID == "" {
			t.Errorf("event = %+v", got)
		}
		for key, want := range map[string]string{"delivery": ada.ID, "channel": "email", "purpose": "marketing", "url": "https://shop.example/p/1", "actor": "human"} {
			if e.Props.Text(key) != want {
				t.Errorf("%s = %q, want %q", key, e.Props.Text(key), want)
			}
		}
	})
}

func TestAnOpeningIsAPictureAndAFact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		r := w.ask("GET", w.signer.Pixel(ada), nil)
		if body := text(t, r); r.StatusCode != 200 || r.Header.Get("Content-Type") != "image/gif" || !strings.HasPrefix(body, "GIF89a") || !strings.Contains(r.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("picture: %d %v %q", r.StatusCode, r.Header, body)
		}
		w.ask("GET", w.signer.Pixel(ada), nil, "User-Agent", "Mozilla/5.0")
		w.ask("GET", w.signer.Pixel(ada), nil, "User-Agent", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)")
		for _, bad := range []string{"/o/x", "/o/" + token(w.signer.Unsubscribe(ada))} {
			if r := w.ask("GET", bad, nil); r.StatusCode != 404 {
				t.Errorf("%s: %d, want 404", bad, r.StatusCode)
			}
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := w.actors(event.MessageOpened); got != "human machine unknown" {
			t.Errorf("openings by %q", got)
		}
	})
}

func TestItem43AScannerThatFollowsEverythingIsAMachine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(*world)
		want string
	}{
		{"all links within two seconds, with the honeypot", func(w *world) {
			w.ask("GET", w.signer.Pixel(ada), nil)
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
			time.Sleep(300 * time.Millisecond)
			w.ask("GET", w.signer.Click(ada, "https://shop.example/2"), nil)
			w.ask("GET", w.signer.Honeypot(ada), nil)
			time.Sleep(10 * time.Second) // and it comes back for the last one
			w.ask("GET", w.signer.Click(ada, "https://shop.example/3"), nil)
		}, "machine machine machine machine"},
		{"the honeypot alone gives the click before it away", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
			time.Sleep(time.Second)
			w.ask("GET", w.signer.Honeypot(ada), nil)
		}, "machine machine"},
		{"the honeypot, and a link ten seconds later", func(w *world) {
			w.ask("GET", w.signer.Honeypot(ada), nil)
			time.Sleep(10 * time.Second)
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
		}, "machine machine"},
		{"one link twice is a double click", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
			time.Sleep(200 * time.Millisecond)
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
		}, "human human"},
		{"two links a minute apart", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
			time.Sleep(time.Minute)
			w.ask("GET", w.signer.Click(ada, "https://shop.example/2"), nil)
		}, "human human"},
		{"a person comes an hour after the scanner", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
			w.ask("GET", w.signer.Click(ada, "https://shop.example/2"), nil)
			time.Sleep(time.Hour)
			w.ask("GET", w.signer.Click(ada, "https://shop.example/2"), nil)
		}, "human machine machine"},
		{"two people at once", func(w *world) {
			eve := ada
			eve.ID = "f" + ada.ID[1:]
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
			w.ask("GET", w.signer.Click(eve, "https://shop.example/2"), nil)
		}, "human human"},
		{"HEAD", func(w *world) { w.ask("HEAD", w.signer.Click(ada, "https://shop.example/1"), nil) }, "machine"},
		{"a browser that fetches ahead", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil, "Sec-Purpose", "prefetch;prerender")
		}, "machine"},
		{"an older one", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil, "Purpose", "prefetch")
		}, "machine"},
		{"a scanner by its name", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil, "User-Agent", "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))")
		}, "machine"},
		{"no name", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil, "User-Agent", "")
		}, "machine"},
		{"a name that says nothing", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil, "User-Agent", "ShopApp 3.1")
		}, "unknown"},
		{"a telephone with an unlucky name", func(w *world) {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil, "User-Agent", "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36")
		}, "human"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := open(t)
				c.do(w)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if got := w.actors(event.MessageClicked); got != c.want {
					t.Errorf("clicks by %q, want %q", got, c.want)
				}
				if got := w.actors(event.MessageOpened); got != "" && got != "machine" {
					t.Errorf("opened by %q", got)
				}
			})
		})
	}
}

func TestTheJudgesMemoryIsBounded(t *testing.T) {
	t.Parallel()
	j := site.NewJudge()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	first := site.Hit{Delivery: "first", Link: "1", At: at, Agent: browser, Honeypot: true}
	j.Note(first)
	for i := range 60_000 {
		j.Note(site.Hit{Delivery: string(rune('a'+i%26)) + time.Duration(i).String(), Link: "1", At: at, Agent: browser})
	}
	first.Honeypot = false
	if got := j.Judge(first); got != site.Human {
		t.Errorf("the oldest of 60,001 deliveries is still remembered: %s", got)
	}
}

func TestClicksWaitWhileTheLogIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		w.down["hear"] = true
		for range 3 {
			w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
		}
		time.Sleep(20 * time.Second)
		w.mu.Lock()
		tries := len(w.calls)
		w.down["hear"] = false
		w.mu.Unlock()
		if tries < 5 {
			t.Errorf("the log was asked %d times in 20 s", tries)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := w.actors(event.MessageClicked); got != "human human human" {
			t.Errorf("heard %q, want each click once", got)
		}
	})
}

func TestCloseHearsWhatIsHeld(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
	w.ask("GET", w.signer.Click(ada, "https://shop.example/2"), nil)
	if err := w.site.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.actors(event.MessageClicked); got != "machine machine" {
		t.Errorf("heard %q", got)
	}
	w = open(t)
	w.down["hear"] = true
	w.ask("GET", w.signer.Click(ada, "https://shop.example/1"), nil)
	if err := w.site.Close(t.Context()); err == nil {
		t.Error("Close says nothing of a click that could not be heard")
	}
}

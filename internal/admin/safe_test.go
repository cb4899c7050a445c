package admin_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"rapport/internal/admin"
	"rapport/internal/admin/page"
	"rapport/internal/core/event"
	"rapport/internal/intake"
)

// hostile are texts that would run, or break out of their place, if a page took
// them for anything but text.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg onload=alert(1)>`, `javascript:alert(1)`, `JaVaScRiPt:alert(1)`,
	`data:text/html,<script>alert(1)</script>`, `" onmouseover="alert(1)`, `' onfocus='alert(1)' autofocus='`, "`onerror=alert(1)`", `</title><script>alert(1)</script>`,
	`</textarea><script>alert(1)</script>`, `</svg><script>alert(1)</script>`, `</style><script>alert(1)</script>`, `<!--<script>alert(1)</script>-->`, `]]><script>alert(1)</script>`,
	`{{.}}`, `{{constructor.constructor('alert(1)')()}}`, `<iframe srcdoc="<script>alert(1)</script>">`, `<math><mi//xlink:href="data:x,<script>alert(1)</script>">`,
	`<a href="javascript:alert(1)">x</a>`, "<img\tsrc=x\nonerror=alert(1)>", `<meta http-equiv="refresh" content="0;url=javascript:alert(1)">`, `<base href="//evil.example/">`,
	`//evil.example/`, `/\evil.example`, "\x00<script>alert(1)</script>", "\u202e<script>alert(1)</script>", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-", `<form action=//evil.example>`, `<style>*{color:red}</style>`,
}

// tame fails the test unless a page holds nothing but what our templates put there.
func tame(t *testing.T, where, body string) {
	t.Helper()
	forbidden := map[string]bool{"script": true, "iframe": true, "object": true, "embed": true, "base": true, "style": true, "img": true, "math": true, "foreignobject": true, "textarea": true}
	for n := range parse(t, body).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if forbidden[n.Data] {
			t.Errorf("%s: holds an element %s", where, n.Data)
		}
		for _, a := range n.Attr {
			switch key := strings.ToLower(a.Key); {
			case strings.HasPrefix(key, "on"), key == "style", key == "srcdoc", key == "formaction", key == "autofocus":
				t.Errorf("%s: <%s> has the attribute %s", where, n.Data, key)
			case key == "href", key == "src", key == "action":
				icon := n.Data == "link" && strings.HasPrefix(a.Val, "data:image/svg+xml,")
				u, err := url.Parse(a.Val)
				if !icon && (err != nil || u.Scheme != "" || u.Host != "" || strings.HasPrefix(a.Val, "//") || strings.Contains(a.Val, `\`)) {
					t.Errorf("%s: <%s> leads to %q", where, n.Data, a.Val)
				}
			case key == "http-equiv":
				if content := attr(n, "content"); content != "1" {
					t.Errorf("%s: a meta %s says %q", where, a.Val, content)
				}
			}
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// fill puts the text into every string of a view, and one item into every list.
// Paths of ours stay paths: package admin makes them, and only of ids.
func fill(v reflect.Value, text, path string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), text, path)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch name := v.Type().Field(i).Name; name {
			case "Href", "Mails", "Path", "More", "Older", "Mail", "Elsewhere":
				v.Field(i).SetString(path)
			default:
				fill(v.Field(i), text, path)
			}
		}
	}
}

func TestAHostileTextInAnyFieldOfAnyPageStaysText(t *testing.T) {
	t.Parallel()
	for _, make := range []func() page.View{
		func() page.View { return &page.Home{} }, func() page.View { return &page.Demo{} }, func() page.View { return &page.Customers{} },
		func() page.View { return &page.Customer{} }, func() page.View { return &page.Message{} }, func() page.View { return &page.Groups{} },
		func() page.View { return &page.Group{} }, func() page.View { return &page.Journeys{} }, func() page.View { return &page.Journey{} },
		func() page.View { return &page.Quarantine{} }, func() page.View { return &page.Trouble{} },
	} {
		for i, text := range hostile {
			v := make()
			fill(reflect.ValueOf(v).Elem(), text, "/somewhere")
			body, err := page.Render(v)
			if err != nil {
				t.Fatalf("%T: %v", v, err)
			}
			tame(t, reflect.TypeOf(v).String()+" with text "+strconv.Itoa(i), string(body))
		}
	}
}

func TestAHostileSourceCannotMakeAnyPageRunAnything(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	var paths []string
	for i, x := range hostile {
		// Each text is an identifier, a trait and its name, a property, a product, a
		// consent's evidence, an event's name and an id, of a customer of its own.
		user := "u" + strconv.Itoa(i)
		w.hear(event.Event{Type: event.Identify, User: user, Anon: x, ID: event.ID(x), Traits: props("email", user+"@mail.example", "first_name", x, "last_name", x, x, x, "phone", x, "locale", x, "timezone", x)})
		w.hear(event.Event{Name: event.ConsentChanged, User: user, ID: event.ID("consent" + x), Props: props("channel", "email", "purpose", "marketing", "state", "granted", "evidence", x, "wording", x)})
		w.hear(event.Event{Name: event.ConsentChanged, User: user, Props: props("channel", x, "purpose", x, "state", "granted", "evidence", x)})
		w.hear(event.Event{Name: x, User: user, Props: props(x, x, "url", x, "delivery", x, "actor", x)})
		w.hear(event.Event{Name: event.OrderCompleted, User: user, Props: order(x, x, x, x, "12")})
		w.hear(event.Event{Name: event.ProductViewed, User: user, Props: props("name", x, "sku", x, "category", x)})
		for _, name := range []string{event.MessageSent, event.MessageClicked, event.MessageBounced, event.Unsubscribed, event.PageViewed, event.ProductSearched} {
			w.hear(event.Event{Name: name, User: user, Props: props("journey", x, "channel", x, "reason", x, "detail", x, "url", x, "query", x, "path", x, "purpose", x, "evidence", x)})
		}
		// Somebody who is nothing but a hostile identifier.
		w.hear(event.Event{Name: "Page Viewed", User: x})
		quarantine(t, w, x, x, x)
		paths = append(paths, "/customers/"+w.find(user).ID.String(), "/customers?q="+url.QueryEscape(x), "/customers/"+url.PathEscape(x), "/segments/"+url.PathEscape(x), "/journeys/"+url.PathEscape(x), "/messages/"+url.PathEscape(x), "/"+url.PathEscape(x), "/customers?from="+url.QueryEscape(x))
	}
	w.pass(3 * 24 * time.Hour)
	for i := range hostile {
		for _, d := range w.messages("u" + strconv.Itoa(i)) {
			paths = append(paths, "/messages/"+d.ID.String())
		}
	}
	w.pages = openPages(w)
	for _, path := range append(paths, "/", "/customers", "/segments", "/segments/new", "/journeys", "/journeys/welcome", "/quarantine") {
		r := w.ask(http.MethodGet, path)
		if r.Code >= http.StatusInternalServerError {
			t.Errorf("%q answered %d", path, r.Code)
		}
		if to := r.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`)) {
			t.Errorf("%q leads out of the house, to %q", path, to)
		}
		safeHeaders(t, path, r.Header())
		tame(t, path, r.Body.String())
	}
}

// safeHeaders fails the test unless an answer forbids the browser everything that
// the pages do not need.
func safeHeaders(t *testing.T, where string, h http.Header) {
	t.Helper()
	for key, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := h.Get(key); got != want {
			t.Errorf("%s: %s = %q, want %q", where, key, got, want)
		}
	}
	policy := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "style-src 'self'", "img-src 'self' data:", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s: the policy %q lacks %q", where, policy, want)
		}
	}
	if strings.Contains(policy, "script") || strings.Contains(policy, "unsafe") {
		t.Errorf("%s: the policy %q allows too much", where, policy)
	}
	if cache := h.Get("Cache-Control"); cache != "no-store" && !strings.Contains(where, "/assets/") {
		t.Errorf("%s: a page with personal data may be kept: %q", where, cache)
	}
}

func TestEveryRouteHasItsHeadersAndReadsOnly(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.meet("ada", "Ada", false)
	w.hear(event.Event{Name: event.OrderCompleted, User: "ada", Props: order("o1", "lamp", "Lamp", "lighting", "12")})
	w.pass(2 * 24 * time.Hour)
	style, _ := page.Style()
	paths := []string{
		"/", "/demo", "/customers", "/customers?q=ada", "/customers/" + w.find("ada").ID.String(), "/messages/" + w.messages("ada")[0].ID.String(), "/segments", "/segments/new",
		"/journeys", "/journeys/welcome", "/quarantine", "/nothing", "/customers/x/y", "/assets/" + style, "/assets/other.css", "/messages/x", "//evil.example/..",
	}
	for _, path := range paths {
		get := w.ask(http.MethodGet, path)
		safeHeaders(t, "GET "+path, get.Header())
		if ct := get.Header().Get("Content-Type"); get.Body.Len() > 0 && ct != "text/html; charset=utf-8" && ct != "text/css; charset=utf-8" {
			t.Errorf("GET %s: the content type is %q", path, ct)
		}
		head := w.ask(http.MethodHead, path)
		safeHeaders(t, "HEAD "+path, head.Header())
		if head.Code != get.Code {
			t.Errorf("HEAD %s answers %d and GET %d", path, head.Code, get.Code)
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, http.MethodConnect, "BREW"} {
			r := w.ask(method, path)
			safeHeaders(t, method+" "+path, r.Header())
			if r.Code != http.StatusMethodNotAllowed || r.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s answers %d, Allow %q", method, path, r.Code, r.Header().Get("Allow"))
			}
		}
	}
}

// openPages returns new pages of the same shop, whose figures are new as well.
func openPages(w *world) http.Handler {
	return admin.New(admin.Options{Node: w.node, Store: w.store, Now: w.clock.Now, MailsPath: "/mails"})
}

func quarantine(t *testing.T, w *world, reason, field, body string) {
	t.Helper()
	if err := w.node.Quarantine(t.Context(), []intake.Reject{{Reason: reason, Field: field, Raw: []byte(body)}}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.clock.Set(w.clock.Now() + 1) // the id of a reject is its instant
}

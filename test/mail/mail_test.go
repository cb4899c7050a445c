package mail_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"rapport/internal/channels"
	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/program"
	"rapport/internal/site"
	"rapport/internal/studio/picture"
)

// needs skips the test if what make test installs is not here.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not here: make test installs it", p)
		}
	}
	if _, err := os.Stat("node_modules/.package-lock.json"); err != nil {
		t.Skip("the packages of test/mail are not here: make test installs them")
	}
}

// node runs a script of this folder and returns what it prints.
func node(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", args...)
	var wrong strings.Builder
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %s: %v\n%s%s", strings.Join(args, " "), err, out, wrong.String())
	}
	return out
}

func TestTheCompilerOfMJMLIsWhatItsSourcesMake(t *testing.T) {
	t.Parallel()
	needs(t, "node")
	node(t, "mjml/build.mjs", "--check")
	node(t, "mjml.mjs")
}

// shops are the folders of definitions whose mails are looked at.
var shops = []string{"shop", "mail"}

// happened has everything that any template of the examples speaks of.
func happened() event.Object {
	product := func(sku, name, category, price string) event.Value {
		var b event.Builder
		b.SetText("sku", sku).SetText("name", name).SetText("category", category).SetText("price", price).Set("quantity", event.Int(2))
		return event.Value{Kind: event.Map, Raw: string(b.Object())}
	}
	var b event.Builder
	for key, text := range map[string]string{ // order does not matter
		"order_id": "10042", "total": "57.20", "currency": "GBP", "sku": "brass-lamp", "name": "Brass desk lamp with a green shade", "category": "lighting", "price": "49.90",
		"percent": "15", "code": "SPRING-7F3K", "ean": "4006381333931", "until": "2026-04-30",
	} {
		b.SetText(key, text)
	}
	b.Set("products", event.ListOf(
		product("brass-lamp", "Brass desk lamp with a green shade", "lighting", "49.90"),
		product("mug", "Mug for people who write long words: Donaudampfschifffahrtsgesellschaft", "kitchen", "4.50"),
		product("candle", "Candle", "candles", "7.00")))
	return b.Object()
}

// mail is one message as a reader gets it.
type mail struct {
	Name string
	channels.Message
}

// world renders all mails and serves what they show.
type world struct {
	mails  []mail
	server *httptest.Server
	dir    string // of the library
}

// nobody is what the site needs and these tests do not ask.
type nobody struct{}

func (nobody) Suppress(context.Context, site.Suppression) error { return nil }
func (nobody) Release(context.Context, site.Suppression) error  { return nil }
func (nobody) Hear(context.Context, []identity.Addressed) error { return nil }
func (nobody) Preferences(context.Context, identity.ID, string) ([]site.Purpose, error) {
	return nil, nil
}

// open compiles the shops and words every template of theirs, once for all tests.
func open(t *testing.T) *world {
	t.Helper()
	w, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// opened makes the world; it ends with the process.
var opened = sync.OnceValues(func() (*world, error) {
	w := &world{}
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	signer, err := site.NewSigner(w.server.URL, "default", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "rapport-mail-")
	if err != nil {
		return nil, err
	}
	w.dir = dir
	library := picture.Open(dir)
	pages, err := site.New(site.Options{Signer: signer, Suppressor: nobody{}, Hearer: nobody{}, Preferences: nobody{}, Pictures: library, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	mux.Handle("/", pages)
	for _, shop := range shops {
		folder := os.DirFS("../../examples/" + shop)
		if err := library.Import(context.Background(), folder); err != nil {
			return nil, err
		}
		src, err := program.Read(folder)
		if err != nil {
			return nil, err
		}
		p, problems := program.Compile(src, program.Options{Workspace: "default"})
		if p == nil {
			return nil, fmt.Errorf("examples/%s: %v", shop, problems)
		}
		for _, name := range sortedNames(p.Templates) {
			m, err := word(p, name, signer)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			w.mails = append(w.mails, mail{shop + "-" + name, m})
		}
	}
	for _, m := range w.mails {
		mux.HandleFunc("GET /mail/"+m.Name, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(rw, m.HTML)
		})
	}
	return w, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if w, err := opened(); err == nil {
		w.server.Close()
		if err := os.RemoveAll(w.dir); err != nil && code == 0 {
			code = 1
		}
	}
	os.Exit(code)
}

func sortedNames(templates map[string]*program.Template) (names []string) {
	for name := range templates {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// owed reports whether a mail is about a customer's own order: it needs no way out.
func owed(name string) bool { return strings.Contains(name, "-order-") }

// word renders a template for a customer who agreed to everything.
func word(p *program.Program, name string, links program.Links) (channels.Message, error) {
	now := event.At(time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC))
	who := &profile.Profile{ID: identity.ID{1}, Born: 1, Locale: "en-GB"}
	for _, trait := range [][2]string{{"email", "ada@people.example"}, {"first_name", "Ada"}} {
		who.Traits = append(who.Traits, profile.Trait{Name: trait[0], Value: event.Text(trait[1]), At: 1})
	}
	for _, purpose := range []string{"marketing", "track.email"} {
		who.Consents = append(who.Consents, profile.Consent{Channel: "email", Purpose: purpose, Granted: true, At: 1})
	}
	d := &profile.Delivery{ID: profile.DeliveryID{1}, Template: name, Channel: "email", Purpose: "marketing", Product: "brass-lamp", Category: "lighting", Props: happened(), Reason: "You looked at lamps three times this week"}
	switch {
	case name == "confirm-signup":
		d.Class, d.Props = profile.Service, new(event.Builder).SetText("purposes", "marketing").Object()
	case strings.HasPrefix(name, "order-"):
		d.Class = profile.Service
	}
	return p.Render(d, who, now, links)
}

var once sync.Once

// shots is where pictures of the mails are left to look at.
func shots(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("RAPPORT_SHOTS"); dir != "" {
		once.Do(func() {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		})
		return dir
	}
	return t.TempDir()
}

// seen is what the browser says of one mail in one way to look at it.
type seen struct {
	Mail, Way     string
	Width, Scroll int      // of the window, and how wide the page is
	Wide          []string // what reaches over the edge
	Missing       []string // pictures that did not come
	Words         string   // what is shown
	Low           []string // words that can hardly be told from what is behind them
	Shot          string
	Outside       []string // what was asked of other machines
}

func TestEveryMailFitsEveryScreen(t *testing.T) {
	t.Parallel()
	needs(t, "node", "chromium", "zbarimg")
	w := open(t)
	dir := shots(t)
	names := make([]string, len(w.mails))
	for i, m := range w.mails {
		names[i] = m.Name
	}
	var all []seen
	if err := json.Unmarshal(node(t, "look.mjs", w.server.URL, dir, strings.Join(names, ",")), &all); err != nil {
		t.Fatal(err)
	}
	if want := len(names) * 5; len(all) != want {
		t.Fatalf("%d looks at %d mails, want %d", len(all), len(names), want)
	}
	for _, s := range all {
		at := s.Mail + ", " + s.Way
		if s.Scroll > s.Width || len(s.Wide) > 0 {
			t.Errorf("%s: the page is %d wide in a window of %d; over the edge: %q", at, s.Scroll, s.Width, s.Wide)
		}
		if len(s.Missing) > 0 && s.Way != "images off" {
			t.Errorf("%s: pictures did not come: %q", at, s.Missing)
		}
		if len(s.Low) > 0 {
			t.Errorf("%s: cannot be read: %q", at, s.Low)
		}
		if len(s.Outside) > 0 {
			t.Errorf("%s: asks other machines: %q", at, s.Outside)
		}
		musts := []string{"1 Example Street"}
		if !owed(s.Mail) {
			musts = append(musts, "Unsubscribe", "Why you get this")
		}
		for _, must := range musts {
			if !strings.Contains(s.Words, must) {
				t.Errorf("%s: does not show %q", at, must)
			}
		}
		if s.Mail == "mail-coupon" && s.Way == "320" {
			codes(t, s.Shot)
		}
	}
}

// codes reads the codes of a screenshot as a till does.
func codes(t *testing.T, shot string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "zbarimg", "-q", shot).Output()
	if err != nil {
		t.Errorf("zbarimg reads nothing in %s: %v", shot, err)
	}
	for _, want := range []string{"EAN-13:4006381333931", "QR-Code:https://shop.example/c/SPRING-7F3K"} {
		if !slices.Contains(strings.Split(string(out), "\n"), want) {
			t.Errorf("%s is not read at 320 px, but %q", want, out)
		}
	}
}

func TestEveryMailReadsWellAsText(t *testing.T) {
	t.Parallel()
	w := open(t)
	for _, m := range w.mails {
		for i, line := range strings.Split(content.Plain(m.HTML), "\n") {
			if n := utf8.RuneCountInString(line); n > 78 && strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, "://") {
				t.Errorf("%s: line %d has %d characters: %s", m.Name, i+1, n, line)
			}
			if strings.ContainsAny(line, "<>{}") || strings.Contains(line, "&nbsp;") || strings.Contains(line, "&#") {
				t.Errorf("%s: markup in line %d: %s", m.Name, i+1, line)
			}
		}
		for _, text := range []string{m.Text, content.Plain(m.HTML)} {
			musts := []string{"1 Example Street"}
			if !owed(m.Name) {
				musts = append(musts, "Unsubscribe", "/u/")
			}
			for _, must := range musts {
				if !strings.Contains(text, must) {
					t.Errorf("%s: the text does not say %q:\n%s", m.Name, must, text)
				}
			}
		}
		if strings.Contains(content.Plain(m.HTML), "\n\n\n") {
			t.Errorf("%s: holes in the text:\n%s", m.Name, content.Plain(m.HTML))
		}
	}
	if dir := os.Getenv("RAPPORT_SHOTS"); dir != "" {
		for _, m := range w.mails {
			if err := os.WriteFile(filepath.Join(shots(t), m.Name+".txt"), []byte(m.Text+"\n#### from HTML ####\n"+content.Plain(m.HTML)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

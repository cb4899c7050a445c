package site_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/site"
)

// world is everything around the site: what is suppressed, what was heard.
type world struct {
	mu         sync.Mutex
	suppressed []site.Suppression
	released   []site.Suppression
	heard      []identity.Addressed
	on         map[string]bool
	calls      []string
	down       map[string]bool // "suppress", "hear", "preferences", "release"
	site       *site.Site
	signer     *site.Signer
}

func (w *world) call(name string) error {
	w.calls = append(w.calls, name)
	if w.down[name] {
		return errors.New(name + " is down")
	}
	return nil
}

func (w *world) Suppress(_ context.Context, s site.Suppression) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("suppress"); err != nil {
		return err
	}
	w.suppressed = append(w.suppressed, s)
	w.on[s.Purpose] = false
	return nil
}

func (w *world) Release(_ context.Context, s site.Suppression) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("release"); err != nil {
		return err
	}
	w.released = append(w.released, s)
	w.on[s.Purpose] = true
	return nil
}

func (w *world) Hear(_ context.Context, entries []identity.Addressed) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("hear"); err != nil {
		return err
	}
	w.heard = append(w.heard, entries...)
	return nil
}

func (w *world) Preferences(context.Context, identity.ID, string) ([]site.Purpose, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("preferences"); err != nil {
		return nil, err
	}
	return []site.Purpose{
		{Name: "marketing", Label: "News & <offers>", On: w.on["marketing"]},
		{Name: "stock", Label: "Back in stock", On: w.on["stock"]},
	}, nil
}

// events returns what was heard so far.
func (w *world) events() []identity.Addressed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.heard)
}

// quiet reports whether nothing about the customer has changed.
func (w *world) quiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.suppressed) == 0 && len(w.released) == 0 && len(w.heard) == 0
}

var (
	keyA = site.Key{ID: 1, Secret: [32]byte{1, 2, 3}}
	keyB = site.Key{ID: 2, Secret: [32]byte{4, 5, 6}}
	ada  = site.Delivery{ID: "0123456789abcdef0123456789abcdef", Profile: identity.ID{1, 2, 3}, Channel: "email", Purpose: "marketing"}
	noon = event.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
)

const (
	base    = "https://news.shop.example"
	browser = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15"
)

func signer(t *testing.T, workspace string, keys ...site.Key) *site.Signer {
	t.Helper()
	s, err := site.NewSigner(base, workspace, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t *testing.T, change ...func(*site.Options)) *world {
	t.Helper()
	w := &world{on: map[string]bool{"marketing": true}, down: map[string]bool{}, signer: signer(t, "shop", keyA)}
	o := site.Options{
		Signer: w.signer, Suppressor: w, Hearer: w, Preferences: w, Pictures: shelf{"0123456789abcdef0123456789abcdef-600.jpg": "a picture"}, Brand: "Lamp & Co",
		Now: func() event.Time { return noon }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	s, err := site.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.site = s
	return w
}

// ask sends a request. A link is a whole one, as the signer makes it.
func (w *world) ask(method, link string, body io.Reader, header ...string) *http.Response {
	r := httptest.NewRequest(method, strings.TrimPrefix(link, base), body)
	r.Header.Set("User-Agent", browser)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.site.ServeHTTP(rec, r)
	return rec.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func form(pairs ...string) (io.Reader, string, string) {
	var b bytes.Buffer
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pairs[i] + "=" + pairs[i+1])
	}
	return &b, "Content-Type", "application/x-www-form-urlencoded"
}

// actors returns the actors of the events with a name, sorted.
func (w *world) actors(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, a := range w.heard {
		if a.Event.Name == name {
			out = append(out, a.Event.Props.Text("actor"))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

package hooks_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"rapport/internal/channels"
	"rapport/internal/channels/postmark"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
	"rapport/internal/hooks"
)

const (
	password  = "correct-horse-battery-staple"
	complaint = `{"RecordType":"SpamComplaint","ID":1,"Metadata":{"rapport_delivery":"0123456789abcdef0123456789abcdef"},"BouncedAt":"2026-03-01T10:00:00Z"}`
)

// heard is a log that keeps what it was told, or fails.
type heard struct {
	mu      sync.Mutex
	notices []channels.Notice
	fail    error
}

func (h *heard) Receive(_ context.Context, notices []channels.Notice) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		return h.fail
	}
	h.notices = append(h.notices, notices...)
	return nil
}

func make1(s hooks.Source) (provider.Reader, error) {
	if s.Provider != "postmark" {
		return nil, fault.New(fault.Invalid, "no provider "+s.Provider)
	}
	return postmark.NewReader(postmark.Hook{User: "rapport", Password: provider.Secret(s.Secret)})
}

type door struct {
	*hooks.Server
	heard *heard
	log   bytes.Buffer
	url   string
}

func open(t *testing.T) *door {
	t.Helper()
	book := hooks.OpenBook(t.TempDir(), make1)
	if err := book.Add(hooks.Source{Provider: "postmark", Name: "main", Secret: password}); err != nil {
		t.Fatal(err)
	}
	d := &door{heard: &heard{}}
	d.Server = hooks.New(hooks.Options{Reader: book.Reader, Receiver: d.heard, Log: slog.New(slog.NewTextHandler(&d.log, nil))})
	mux := http.NewServeMux()
	mux.Handle(hooks.Pattern, d.Server)
	// Another door stands beside this one with a line of its own.
	mux.HandleFunc("POST /hooks/shopify/{source}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func (d *door) post(t *testing.T, path, user, password string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

// count returns how many bodies had a result, over all providers.
func (d *door) count(t *testing.T, result string) (n float64) {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(d.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == "rapport_hooks_total" && l.GetName() == "result" && l.GetValue() == result {
					n += m.GetCounter().GetValue()
				}
			}
		}
	}
	return n
}

func TestAGenuineWebhookIsAnsweredOnceItIsKept(t *testing.T) {
	t.Parallel()
	d := open(t)
	if res := d.post(t, hooks.Path("postmark", "main"), "rapport", password, strings.NewReader(complaint)); res.StatusCode != http.StatusOK {
		t.Fatalf("answered %d", res.StatusCode)
	}
	if len(d.heard.notices) != 1 || d.heard.notices[0].Told != channels.Complained || d.count(t, "taken") != 1 {
		t.Errorf("heard %v", d.heard.notices)
	}
	for _, fail := range []error{fault.New(fault.Unavailable, "the log is behind"), errors.New("the disk is full")} {
		d.heard.fail = fail
		res := d.post(t, hooks.Path("postmark", "main"), "rapport", password, strings.NewReader(complaint))
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("while %v: answered %d", fail, res.StatusCode)
		}
	}
	if d.count(t, "later") != 2 || d.count(t, "taken") != 1 {
		t.Error("what could not be kept counts as taken")
	}
}

func TestItem46AForgedWebhookIsCountedAndDoesNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	for range 50 {
		if res := d.post(t, hooks.Path("postmark", "main"), "rapport", "wrong", strings.NewReader(complaint)); res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("answered %d", res.StatusCode)
		}
	}
	if len(d.heard.notices) != 0 || d.count(t, "forged") != 50 {
		t.Errorf("heard %v, counted %v", d.heard.notices, d.count(t, "forged"))
	}
	if n := strings.Count(d.log.String(), "\n"); n != 1 || strings.Contains(d.log.String(), password) {
		t.Errorf("%d lines in the log: %s", n, d.log.String())
	}
}

func TestWhatIsNotAWebhookIsRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	for name, c := range map[string]struct {
		path string
		body io.Reader
		want int
	}{
		"another source":   {hooks.Path("postmark", "other"), strings.NewReader(complaint), http.StatusNotFound},
		"another provider": {hooks.Path("sendgrid", "main"), strings.NewReader(complaint), http.StatusNotFound},
		"no source":        {"/hooks/postmark/", strings.NewReader(complaint), http.StatusNotFound},
		"cut off":          {hooks.Path("postmark", "main"), strings.NewReader(complaint[:20]), http.StatusBadRequest},
		"too large":        {hooks.Path("postmark", "main"), bytes.NewReader(make([]byte, hooks.MaxBody+1)), http.StatusRequestEntityTooLarge},
		"another door":     {"/hooks/shopify/main", strings.NewReader(complaint), http.StatusTeapot},
	} {
		if res := d.post(t, c.path, "rapport", password, c.body); res.StatusCode != c.want {
			t.Errorf("%s: answered %d, want %d", name, res.StatusCode, c.want)
		}
	}
	if len(d.heard.notices) != 0 {
		t.Errorf("heard %v", d.heard.notices)
	}
}

func TestABookKeepsItsSourcesForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := hooks.OpenBook(dir, make1), hooks.OpenBook(dir, make1)
	if list, err := a.Sources(); err != nil || len(list) != 0 {
		t.Fatalf("a new book: %v, %v", list, err)
	}
	source := hooks.Source{Provider: "postmark", Name: "main", Secret: password}
	if err := a.Add(source); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reader("postmark", "main"); err != nil {
		t.Errorf("another process does not see it: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "hooks.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := a.Add(hooks.Source{Provider: "postmark", Name: "main", Secret: password + "2"}); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Sources(); err != nil || len(list) != 1 || list[0].Secret != password+"2" {
		t.Errorf("another secret: %v, %v", list, err)
	}
	for name, s := range map[string]hooks.Source{
		"a short secret":       {Provider: "postmark", Name: "x", Secret: "short"},
		"nobody's provider":    {Provider: "pigeon", Name: "x", Secret: password},
		"a name with a slash":  {Provider: "postmark", Name: "x/y", Secret: password},
		"no name":              {Provider: "postmark", Secret: password},
		"a secret without end": {Provider: "postmark", Name: "x", Secret: strings.Repeat("x", 5000)},
	} {
		if err := a.Add(s); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.Remove("postmark", "main"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Reader("postmark", "main"); !fault.Is(err, fault.NotFound) {
		t.Errorf("after it was removed: %v", err)
	}
	if err := b.Remove("postmark", "main"); !fault.Is(err, fault.NotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hooks.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Sources(); !fault.Is(err, fault.Corrupt) {
		t.Errorf("a damaged file: %v", err)
	}
}

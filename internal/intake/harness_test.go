package intake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/intake"
	"rapport/internal/keys"
)

// harness is a server with real keys over a log in memory.
type harness struct {
	server        *intake.Server
	ring          *keys.Ring
	write, secret string
	writeID       string
	keep          bool // remember what is appended
	now           atomic.Int64

	mu          sync.Mutex
	appended    []intake.Addressed
	quarantined []intake.Reject
	appendErr   error
	keepErr     error
	beforeWrite func()
}

var workspace = identity.Key{1, 2, 3}

func newHarness(t testing.TB, change ...func(*intake.Options)) *harness {
	t.Helper()
	ring, created, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{ring: ring, write: created[0].Text, writeID: created[0].ID, secret: created[1].Text, keep: true}
	h.now.Store(int64(noon))
	opt := intake.Options{
		Keys: ring, Workspace: workspace,
		Now: func() event.Time { return event.Time(h.now.Load()) },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Append: func(_ context.Context, events []intake.Addressed) error {
			if h.beforeWrite != nil {
				h.beforeWrite()
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.appendErr != nil {
				return h.appendErr
			}
			if h.keep {
				h.appended = append(h.appended, events...)
			}
			return nil
		},
		Quarantine: func(_ context.Context, rejects []intake.Reject) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.quarantined = append(h.quarantined, rejects...)
			return h.keepErr
		},
	}
	for _, c := range change {
		c(&opt)
	}
	h.server = intake.New(opt)
	return h
}

// do sends a request with the headers, given as name, value, name, value …
func (h *harness) do(method, path string, body []byte, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return w
}

// post sends a body with the write key.
func (h *harness) post(path, body string, headers ...string) *httptest.ResponseRecorder {
	return h.do("POST", path, []byte(body), append(headers, "X-Write-Key", h.write)...)
}

// nothingHappened checks that a request left no trace in the log.
func (h *harness) nothingHappened(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.appended) != 0 {
		t.Errorf("%d events were appended: %+v", len(h.appended), h.appended[0])
	}
}

// reply is the JSON of an answer.
type reply struct {
	Success       bool
	Error, Field  string
	MessageID     string
	Index         *int
	RejectedTotal int
	Rejected      []struct {
		Index                   int
		MessageID, Field, Error string
	}
}

func replyOf(t *testing.T, w *httptest.ResponseRecorder) (r reply) {
	t.Helper()
	if ct := w.Header().Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %q, want JSON", ct)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatalf("the answer is not JSON: %v: %s", err, w.Body)
	}
	return r
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d %s, want %d; body %s", w.Code, http.StatusText(w.Code), status, strings.TrimSpace(w.Body.String()))
	}
}

package intake_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/intake"
	"rapport/internal/keys"
)

const (
	track  = `{"type":"track","messageId":"m1","event":"X","userId":"u1"}`
	nobody = `{"type":"track","messageId":"m2","event":"X"}`
)

func batchOf(messages ...string) string { return `{"batch":[` + strings.Join(messages, ",") + `]}` }

func basic(user string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"))
}

func TestSuccessIsAnsweredOnceTheEventsAreAppended(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.post("/v1/batch", batchOf(track, `{"type":"page","messageId":"m2","anonymousId":"a1"}`))
	wantStatus(t, w, 200)
	if w.Body.String() != `{"success":true}` {
		t.Errorf("body %s", w.Body)
	}
	if len(h.appended) != 2 || len(h.quarantined) != 0 {
		t.Fatalf("%d appended, %d quarantined", len(h.appended), len(h.quarantined))
	}
	for i, want := range []identity.Identifier{{Kind: identity.User, Value: "u1"}, {Kind: identity.Anonymous, Value: "a1"}} {
		if h.appended[i].To != workspace.Home(want) {
			t.Errorf("event %d went to %v, want the home of %v", i, h.appended[i].To, want)
		}
	}
}

func TestAnEventGoesToTheHomeOfItsStrongestIdentifier(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	body := `{"type":"track","messageId":"m1","event":"X","anonymousId":"a1","context":{"traits":{"email":"Ada@Shop.example"},"externalIds":[{"type":"loyalty_id","id":"L9"}]}}`
	wantStatus(t, h.post("/v1/batch", batchOf(track, track, body, track)), 200)
	for i, e := range h.appended {
		if want := workspace.Home(identity.Of(&e.Event)[0]); e.To != want {
			t.Errorf("event %d went to %v, want %v", i, e.To, want)
		}
	}
}

func TestEveryPathOfEverySDKIsHeard(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/v1/track", "/v1/t", "/v1/identify", "/v1/i", "/v1/page", "/v1/p", "/v1/screen", "/v1/s", "/v1/group", "/v1/g", "/v1/alias", "/v1/a",
		"/api/s/track", "/api/s/page", "/api/s/identify", "/api/s/s2s/track", "/v1/track/",
	} {
		h := newHarness(t)
		w := h.post(path, `{"messageId":"m1","event":"X","userId":"u1","groupId":"g1","previousId":"p1"}`)
		if w.Code != 200 || len(h.appended) != 1 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
			continue
		}
		e := h.appended[0].Event
		if name := strings.Split(strings.Trim(path, "/"), "/"); !strings.HasPrefix(e.Type.String(), name[len(name)-1]) {
			t.Errorf("%s became %v", path, e.Type)
		}
	}
	for path, origin := range map[string]event.Origin{"/v1/batch": event.Live, "/v1/b": event.Live, "/v1/import": event.Import, "/api/s/batch": event.Live, "/v1/batch/": event.Live} {
		h := newHarness(t)
		w := h.post(path, batchOf(track))
		if w.Code != 200 || len(h.appended) != 1 || h.appended[0].Event.Origin != origin {
			t.Errorf("%s: %d %s %+v", path, w.Code, w.Body, h.appended)
		}
	}
}

func TestThePatternsFitAMux(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	mux := http.NewServeMux()
	for _, p := range intake.Patterns() {
		mux.Handle(p, h.server)
	}
	mux.HandleFunc("/v1/decide", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for path, want := range map[string]int{
		"/v1/batch": 400, "/v1/t": 400, "/v1/batch/": 400, "/v1/decide": http.StatusTeapot, "/v1/unknown": 404, "/api/s/s2s/track": 400,
	} {
		r := httptest.NewRequest("POST", path, strings.NewReader(`{`))
		r.SetBasicAuth(h.write, "")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	h.nothingHappened(t)
}

func TestTheKeyIsTakenFromWhereverAnSDKPutsIt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inBody := func(key string) string { return `{"writeKey":"` + key + `","batch":[` + track + `]}` }
	single := func(key string) string {
		return `{"type":"track","messageId":"m1","event":"X","userId":"u1","writeKey":"` + key + `"}`
	}
	for _, tt := range []struct {
		name, path, body string
		headers          []string
		trust            event.Trust
		source           string
	}{
		{"basic", "/v1/batch", batchOf(track), []string{"Authorization", basic(h.write)}, event.Public, "web"},
		{"basic, a secret key", "/v1/batch", batchOf(track), []string{"Authorization", basic(h.secret)}, event.Server, "server"},
		{"bearer", "/v1/batch", batchOf(track), []string{"Authorization", "Bearer " + h.secret}, event.Server, "server"},
		{"X-Write-Key", "/v1/batch", batchOf(track), []string{"X-Write-Key", h.write}, event.Public, "web"},
		{"X-Write-Key as id:secret", "/v1/batch", batchOf(track), []string{"X-Write-Key", "site1:" + h.secret}, event.Server, "server"},
		{"X-Write-Key as key:***", "/v1/batch", batchOf(track), []string{"X-Write-Key", h.write + ":***"}, event.Public, "web"},
		{"in a batch", "/v1/batch", inBody(h.write), nil, event.Public, "web"},
		{"in a message", "/v1/t", single(h.write), nil, event.Public, "web"},
		{"empty in the headers", "/v1/batch", inBody(h.write), []string{"Authorization", basic("")}, event.Public, "web"},
		{"something else in the headers", "/v1/batch", inBody(h.write), []string{"Authorization", "Digest x"}, event.Public, "web"},
		{"the header before the body", "/v1/batch", inBody(h.write), []string{"Authorization", basic(h.secret)}, event.Server, "server"},
	} {
		h.appended = nil
		w := h.do("POST", tt.path, []byte(tt.body), tt.headers...)
		if w.Code != 200 || len(h.appended) != 1 {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
			continue
		}
		if e := h.appended[0].Event; e.Trust != tt.trust || e.Source != tt.source {
			t.Errorf("%s: trust %v source %q", tt.name, e.Trust, e.Source)
		}
	}
}

func TestWithoutAKeyNothingIsHeard(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	other := newHarness(t).write
	if err := h.ring.Revoke(h.writeID); err != nil {
		t.Fatal(err)
	}
	for name, headers := range map[string][]string{
		"none":        nil,
		"unknown":     {"Authorization", basic("rp_w_unknown")},
		"another's":   {"Authorization", basic(other)},
		"revoked":     {"Authorization", basic(h.write)},
		"not base64":  {"Authorization", "Basic !!"},
		"only a word": {"Authorization", "Bearer"},
	} {
		for path, body := range map[string]string{
			"/v1/batch": batchOf(track, nobody), "/v1/track": track, "/v1/t": `{"writeKey":"` + h.write + `"}`, "/v1/b": `{"batch":`, "/v1/import": `{"writeKey":17,"batch":[` + track + `]}`,
		} {
			w := h.do("POST", path, []byte(body), headers...)
			if w.Code != 401 || replyOf(t, w).Error != "the key is missing or unknown" {
				t.Errorf("%s, %s: %d %s", name, path, w.Code, w.Body)
			}
			if w.Header().Get("WWW-Authenticate") != "" {
				t.Errorf("%s: a shopper's browser would ask for a password", name)
			}
		}
	}
	h.nothingHappened(t)
	if len(h.quarantined) != 0 {
		t.Errorf("strangers filled the quarantine with %d messages", len(h.quarantined))
	}
}

func TestARotatedKeyIsTakenUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	second, err := h.ring.Rotate("write")
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, h.do("POST", "/v1/t", []byte(track), "X-Write-Key", second.Text), 200)
	wantStatus(t, h.do("POST", "/v1/t", []byte(track), "X-Write-Key", h.write), 200)
	if err := h.ring.Revoke(h.writeID); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, h.do("POST", "/v1/t", []byte(track), "X-Write-Key", h.write), 401)
	wantStatus(t, h.do("POST", "/v1/t", []byte(track), "X-Write-Key", second.Text), 200)
	if len(h.appended) != 3 {
		t.Errorf("%d events were appended, want 3", len(h.appended))
	}
}

func TestInABatchTheGoodIsTakenAndTheBadIsKeptAside(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.post("/v1/batch", batchOf(nobody, track, `{"type":"track","messageId":"m3","userId":"u1","event":"X","timestamp":"soon"}`))
	wantStatus(t, w, 200)
	r := replyOf(t, w)
	if !r.Success || len(r.Rejected) != 2 || r.Rejected[1].Index != 2 || r.Rejected[1].MessageID != "m3" || r.Rejected[1].Field != "timestamp" || r.Rejected[1].Error == "" {
		t.Errorf("answer %+v", r)
	}
	if len(h.appended) != 1 || h.appended[0].Event.ID != "m1" {
		t.Errorf("appended %+v", h.appended)
	}
	if len(h.quarantined) != 2 || string(h.quarantined[0].Raw) != nobody || h.quarantined[0].Reason == "" || h.quarantined[1].From.Source != "web" {
		t.Errorf("quarantined %+v", h.quarantined)
	}
}

func TestWhenNothingIsGoodTheAnswerIs400(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.post("/v1/batch", batchOf(nobody, nobody))
	wantStatus(t, w, 400)
	if r := replyOf(t, w); r.Success || r.Field != "userId" || r.MessageID != "m2" || r.Index == nil || *r.Index != 0 || len(r.Rejected) != 2 {
		t.Errorf("answer %s", w.Body)
	}
	w = h.post("/v1/track", `{"messageId":"m5","userId":"u1","event":"Order Completed","properties":{"order_id":"o1","products":[{"price":"x"}]}}`)
	wantStatus(t, w, 400)
	if r := replyOf(t, w); r.Field != "properties.products[0].price" || r.MessageID != "m5" || *r.Index != 0 || r.Error == "" {
		t.Errorf("answer %s", w.Body)
	}
	h.nothingHappened(t)
	if len(h.quarantined) != 3 {
		t.Errorf("%d quarantined, want 3", len(h.quarantined))
	}
}

func TestABodyThatCannotBeReadIs400AndIsKeptAside(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, path := range []string{"/v1/batch", "/v1/track"} {
		w := h.post(path, `{"batch":[{]`)
		wantStatus(t, w, 400)
		if r := replyOf(t, w); !strings.Contains(r.Error, "not JSON") {
			t.Errorf("answer %s", w.Body)
		}
	}
	h.nothingHappened(t)
	if len(h.quarantined) != 2 || h.quarantined[0].Index != -1 || string(h.quarantined[0].Raw) != `{"batch":[{]` {
		t.Errorf("quarantined %+v", h.quarantined)
	}
}

func TestAnEmptyBatchIsASuccess(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	wantStatus(t, h.post("/v1/batch", `{"batch":[]}`), 200)
	h.nothingHappened(t)
}

func TestALongListOfRejectsIsCut(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.post("/v1/batch", batchOf(append([]string{track}, strings.Split(strings.Repeat(nobody+"\n", 500), "\n")[:500]...)...))
	wantStatus(t, w, 200)
	if r := replyOf(t, w); len(r.Rejected) != 100 || r.RejectedTotal != 500 {
		t.Errorf("%d listed of %d", len(r.Rejected), r.RejectedTotal)
	}
	if len(h.quarantined) != 500 {
		t.Errorf("%d quarantined", len(h.quarantined))
	}
}

func TestWhatTheLogSaysDecidesTheAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		err    error
		status int
		after  string
		says   string
	}{
		{"it is behind", fault.New(fault.Unavailable, "the log is behind"), 429, "1", "the log is behind"},
		{"its fsync failed", fault.Wrap(fault.Unavailable, fmt.Errorf("fsync: %w", intake.ErrBroken), "the log is stopped"), 503, "30", "the log is stopped"},
		{"the disk is full", fault.Wrap(fault.Unavailable, fmt.Errorf("write: %w", syscall.ENOSPC), "no space"), 503, "30", "no space"},
		{"another process has it", fault.New(fault.Conflict, "another owner"), 503, "1", "another owner"},
		{"a record is too large", fault.New(fault.TooLarge, "too much at once"), 413, "", "too much at once"},
		{"nobody has thought of it", errors.New("panic at secret/path.go:17"), 500, "", "something went wrong on our side"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.appendErr = tt.err
			w := h.post("/v1/batch", batchOf(track, nobody))
			wantStatus(t, w, tt.status)
			if r := replyOf(t, w); r.Success || r.Error != tt.says || w.Header().Get("Retry-After") != tt.after {
				t.Errorf("answer %s, Retry-After %q", w.Body, w.Header().Get("Retry-After"))
			}
			h.nothingHappened(t)
			if len(h.quarantined) != 0 {
				t.Error("the client will send all of it again, and the rejects were kept already")
			}
		})
	}
}

func TestAQuarantineThatFailsLosesNoGoodEvent(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.keepErr = errors.New("disk full")
	w := h.post("/v1/batch", batchOf(track, nobody))
	wantStatus(t, w, 200)
	if r := replyOf(t, w); len(r.Rejected) != 1 || len(h.appended) != 1 {
		t.Errorf("answer %s, %d appended", w.Body, len(h.appended))
	}
}

func TestAPageOfAnotherOriginMaySend(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.do("OPTIONS", "/v1/t", nil, "Origin", "https://shop.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
	wantStatus(t, w, 204)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Allow-Credentials": "true", "Vary": "Origin",
		"Access-Control-Allow-Methods": "GET, POST, OPTIONS",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"authorization", "content-type", "anonymousid", "sentat", "x-write-key", "x-retry-count"} {
		if !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("%s is not allowed", name)
		}
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"a success": h.post("/v1/t", track, "Origin", "https://shop.example", "X-Retry-Count", "3"),
		"a refusal": h.post("/v1/t", nobody, "Origin", "https://shop.example"),
		"no key":    h.do("POST", "/v1/t", []byte(track), "Origin", "https://shop.example"),
	} {
		if w.Header().Get("Access-Control-Allow-Origin") != "https://shop.example" {
			t.Errorf("%s cannot be read by the page that asked", name)
		}
	}
	if w := h.post("/v1/t", track); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("without an origin none is allowed")
	}
}

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "HEAD"} {
		w := h.do(method, "/v1/batch", []byte(batchOf(track)), "X-Write-Key", h.write)
		if w.Code != 405 || w.Header().Get("Allow") != "POST, OPTIONS" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	for _, path := range []string{"/", "/v1", "/v1/tracks", "/v1/system", "/api/s/system", "/v2/batch", "/v1/projects//settings", "/v1/projects/a/b/settings"} {
		wantStatus(t, h.post(path, batchOf(track)), 404)
	}
	h.nothingHappened(t)
}

func TestWhatAnSDKCountsAboutItselfIsAnsweredAndNotKept(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	wantStatus(t, h.do("POST", "/v1/m", []byte(`{"series":[]}`)), 200)
	h.nothingHappened(t)
}

func TestTheHeaderSaysWhenItWasSent(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	body := `{"messageId":"m1","event":"X","anonymousId":"a1","originalTimestamp":"2026-02-28T12:00:00.000Z"}`
	wantStatus(t, h.post("/v1/track", body, "SentAt", "2026-02-28T12:00:05.000Z", "AnonymousId", "YTE="), 200)
	if at := h.appended[0].Event.At; at != noon-5000 {
		t.Errorf("at %v, want five seconds before it was received", at)
	}
}

func TestARestrictedKeySendsNoEvents(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	k, err := h.ring.Add("everything", keys.Scopes)
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, h.do("POST", "/v1/t", []byte(track), "X-Write-Key", k.Text), 401)
	wantStatus(t, h.do("POST", "/v1/t", []byte(strings.Replace(track, "{", `{"writeKey":"`+k.Text+`",`, 1))), 401)
	wantStatus(t, h.do("GET", "/v1/projects/"+k.Text+"/settings", nil), 404)
	if len(h.appended) != 0 {
		t.Errorf("%d events were appended", len(h.appended))
	}
}

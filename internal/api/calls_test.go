package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rapport/internal/api"
	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/run"
)

// node is a node that notes what it is asked.
type node struct {
	api.Node // nil: what a test does not expect panics
	asked    []string
	err      error
}

func (n *node) note(what string) (run.RunStatus, error) {
	n.asked = append(n.asked, what)
	return run.RunStatus{Run: "1", State: "running"}, n.err
}

func (n *node) Campaigns(context.Context) ([]run.CampaignStatus, error) {
	_, err := n.note("list")
	return nil, err
}

func (n *node) Campaign(_ context.Context, name string) (run.CampaignStatus, error) {
	_, err := n.note("show " + name)
	return run.CampaignStatus{Name: name}, err
}

func (n *node) PreviewCampaign(_ context.Context, name string) (run.Funnel, error) {
	_, err := n.note("preview " + name)
	return run.Funnel{Audience: 7}, err
}

func (n *node) SendCampaign(_ context.Context, name string, o run.SendOptions) (run.RunStatus, error) {
	what := "send " + name
	if o.Again {
		what += " again"
	}
	return n.note(what)
}

func (n *node) PauseCampaign(_ context.Context, name string) (run.RunStatus, error) {
	return n.note("pause " + name)
}

func (n *node) ResumeCampaign(_ context.Context, name string) (run.RunStatus, error) {
	return n.note("resume " + name)
}

func (n *node) StopCampaign(_ context.Context, name string) (run.RunStatus, error) {
	return n.note("stop " + name)
}

func (n *node) RateCampaign(_ context.Context, name string, perHour int64) (run.RunStatus, error) {
	return n.note("rate " + name + " " + event.Int(perHour).Raw)
}

func (n *node) SendService(_ context.Context, name string, to run.Recipient, props event.Object, key string) (event.ID, error) {
	_, err := n.note("service " + name + " to " + to.Email + to.User + " by " + key + " with " + event.Nested(props).String())
	return "service:1", err
}

// ring knows one key of each kind.
type ring struct{}

func (ring) Find(text string) (keys.Key, bool) {
	switch text {
	case "secret":
		return keys.Key{Kind: keys.Secret}, true
	case "write":
		return keys.Key{Kind: keys.Write}, true
	}
	return keys.Key{}, false
}

func call(n *node, method, path, key, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	api.NewCalls(n, ring{}, nil).ServeHTTP(w, r)
	return w
}

func TestEachCallAsksTheNodeForWhatItSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/api/v1/campaigns", "", 200, "list"},
		{"GET", "/api/v1/campaigns/sale", "", 200, "show sale"},
		{"GET", "/api/v1/campaigns/sale/preview", "", 200, "preview sale"},
		{"POST", "/api/v1/campaigns/sale/send", "", 202, "send sale"},
		{"POST", "/api/v1/campaigns/sale/send", `{"again":true}`, 202, "send sale again"},
		{"POST", "/api/v1/campaigns/sale/pause", "", 202, "pause sale"},
		{"POST", "/api/v1/campaigns/sale/resume", "", 202, "resume sale"},
		{"POST", "/api/v1/campaigns/sale/stop", "", 202, "stop sale"},
		{"POST", "/api/v1/campaigns/sale/rate", `{"rate":"100/m"}`, 202, "rate sale 6000"},
		{
			"POST", "/api/v1/service/shipped", `{"to":{"email":"a@b.example"},"idempotency_key":"k","props":{"order_id":"A7","total":19.90,"lines":[{"sku":"x"},null,true]}}`, 202,
			`service shipped to a@b.example by k with {"order_id":"A7","total":19.90,"lines":[{"sku":"x"},null,true]}`,
		},
	} {
		n := &node{}
		w := call(n, c.method, c.path, "secret", c.body)
		if w.Code != c.status || len(n.asked) != 1 || n.asked[0] != c.want || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: %d %s, asked %q; want %d and %q", c.method, c.path, w.Code, w.Body, n.asked, c.status, c.want)
		}
	}
	n := &node{}
	call(n, "POST", "/api/v1/service/shipped", "secret", `{"to":{"user_id":"u"},"idempotency_key":"body"}`, "Idempotency-Key", "header")
	if len(n.asked) != 1 || !strings.Contains(n.asked[0], "by header") {
		t.Errorf("asked %q, want the key of the header", n.asked)
	}
}

func TestNobodyGetsInWithoutASecretKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "write", "wrong"} {
		for _, path := range []string{"/api/v1/campaigns/sale/send", "/api/v1/service/shipped", "/api/v1/campaigns/nothing/at/all"} {
			n := &node{}
			if w := call(n, "POST", path, key, `{}`); w.Code != http.StatusUnauthorized || len(n.asked) > 0 {
				t.Errorf("key %q on %s: %d, asked %q", key, path, w.Code, n.asked)
			}
		}
	}
}

func TestWhatCannotBeRightIsRefusedBeforeTheNodeIsAsked(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/api/v1/campaigns/sale/rate", `{"rate":"fast"}`, 400},
		{"/api/v1/campaigns/sale/rate", "", 400},
		{"/api/v1/campaigns/sale/send", `{"agian":true}`, 400},
		{"/api/v1/campaigns/sale/send", `{} {}`, 400},
		{"/api/v1/service/shipped", `[]`, 400},
		{"/api/v1/service/shipped", `{"to":7}`, 400},
		{"/api/v1/service/shipped", `{"to":{"email":["a@b.example"]}}`, 400},
		{"/api/v1/service/shipped", `{"to":{"email":"a@b.example"},"props":[]}`, 400},
		{"/api/v1/service/shipped", `{"to":{"email":"a@b.example"},"props":` + deep + `}`, 400},
		{"/api/v1/service/shipped", `{"to":{"email":"` + strings.Repeat("a", 100<<10) + `"}}`, 413},
	} {
		n := &node{}
		w := call(n, "POST", c.path, "secret", c.body)
		if w.Code != c.status || len(n.asked) > 0 || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %.60s: %d %s, asked %q; want %d", c.path, c.body, w.Code, w.Body, n.asked, c.status)
		}
		if strings.Contains(w.Body.String(), "Go ") || strings.Contains(w.Body.String(), "EOF") {
			t.Errorf("%s %.60s is answered in words of ours: %s", c.path, c.body, w.Body)
		}
	}
}

func TestAFaultBecomesItsStatusAndOursSaysNothing(t *testing.T) {
	t.Parallel()
	for kind, status := range map[fault.Kind]int{
		fault.Invalid: 400, fault.NotFound: 404, fault.Conflict: 409, fault.Unavailable: 503, fault.TooLarge: 413, fault.Corrupt: 500, fault.Internal: 500,
	} {
		w := call(&node{err: fault.New(kind, "what was wrong")}, "POST", "/api/v1/campaigns/sale/stop", "secret", "")
		if w.Code != status {
			t.Errorf("%s: %d, want %d", kind, w.Code, status)
		}
	}
	w := call(&node{err: context.Canceled}, "POST", "/api/v1/campaigns/sale/stop", "secret", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "canceled") {
		t.Errorf("an error of ours says %s", w.Body)
	}
}

package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rapport/internal/api"
	"rapport/internal/keys"
	"rapport/internal/people"
)

// Item 57, within one workspace: what a key may not do it cannot, whatever the
// route, and it is not even told whether the thing is there.
func TestItem57AKeyDoesWhatItsScopesSayAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.live.Close() // a stream has no end
	wildcard := regexp.MustCompile(`\{[a-z]+\}`)
	texts := map[keys.Scope]string{}
	for _, s := range keys.Scopes {
		k, err := w.ring.Add("only "+string(s), []keys.Scope{s})
		w.must(err)
		texts[s] = k.Text
	}
	for _, r := range w.api.Routes() {
		if r.Scope == "anybody" || r.Scope == "person" { // no key is asked for, or none will do: the test of roles has them
			continue
		}
		path := strings.TrimPrefix(wildcard.ReplaceAllString(r.Path, strings.Repeat("0", 32)), api.Prefix)
		for scope, key := range texts {
			// A body that every call refuses: who is let in learns of it, and nothing happens.
			code := w.ask(key, r.Method, path, map[string]any{"nonsense": true}, nil)
			may := r.Scope == scope || scope == keys.Analyse && r.Scope == keys.Read && slices.Contains(r.Roles, people.Analyst)
			if (code == http.StatusForbidden || code == http.StatusUnauthorized) == may {
				t.Errorf("%s %s by a key to %s = %d, and it needs %q", r.Method, r.Path, scope, code, r.Scope)
			}
		}
		if code := w.ask(w.secret, r.Method, path, map[string]any{"nonsense": true}, nil); code == 401 || code == 403 {
			t.Errorf("%s %s by a secret key = %d", r.Method, r.Path, code)
		}
	}
}

func TestAKeyIsWorthlessAtOnceWhenItIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var made struct{ ID, Key string }
	if code := w.ask(w.secret, "POST", "/keys", map[string]any{"name": "till", "scopes": []string{"read"}}, &made); code != 201 || !strings.HasPrefix(made.Key, "rp_r_") {
		t.Fatalf("the key = %d %q", code, made.Key)
	}
	if code := w.ask(made.Key, "GET", "/segments", nil, nil); code != 200 {
		t.Fatalf("reading with it = %d", code)
	}
	var l list
	w.get("/keys", &l)
	used := false
	for _, k := range l.Data {
		used = used || k["id"] == made.ID && k["lastUsed"] != nil
		if k["kind"] != "write" && k["key"] != nil {
			t.Errorf("a key is shown again: %v", k)
		}
	}
	if !used {
		t.Errorf("its last use is not told: %v", l.Data)
	}
	if code := w.ask(w.secret, "DELETE", "/keys/"+made.ID, nil, nil); code != 204 {
		t.Errorf("revoking = %d", code)
	}
	if code := w.ask(made.Key, "GET", "/segments", nil, nil); code != 401 {
		t.Errorf("reading after that = %d, want 401", code)
	}
}

// Item 52: what is no condition of ours is refused where it is said.
func TestItem52AConditionIsATreeAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d struct {
		Files []struct{ Path, Body string } `json:"files"`
	}
	w.get("/definitions", &d)
	before := d.Files
	for _, when := range []string{
		"{trait: country, 'AND 1=1)--': x}", "{trait: country, is: {'$ne': 1}}", "{did: Order Completed, times: '>= 1; drop table profiles'}",
		"{did: Order Completed, where: {\"traits->>'x';drop\": {is_not: }}}", "{script: 'java.lang.Runtime'}",
	} {
		d.Files = append(before[:len(before):len(before)], struct{ Path, Body string }{"segments/hostile.yaml", "segment: hostile\nwhen: " + when + "\n"})
		var found struct {
			OK       bool
			Problems []struct{ Where string }
		}
		if code := w.ask(w.secret, "POST", "/definitions/validate", d, &found); code != 200 || found.OK || !strings.HasPrefix(found.Problems[0].Where, "segments/hostile.yaml") {
			t.Errorf("%s: %d, %+v", when, code, found)
		}
		if code := w.ask(w.secret, "PUT", "/definitions", d, nil, "If-Match", "*"); code != 400 {
			t.Errorf("%s comes into force: %d", when, code)
		}
	}
	var same struct{ Tag string }
	w.get("/program", &same)
}

func TestAKeyThatAsksTooOftenMustWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := api.New(api.Options{Node: w.node, Keys: w.ring, Rate: 2, Now: w.clock.Now})
	ask := func(key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/api/v1/health", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		answer := httptest.NewRecorder()
		a.ServeHTTP(answer, r)
		return answer
	}
	codes := map[int]int{}
	for range 40 {
		answer := ask(w.secret)
		codes[answer.Code]++
		if answer.Code == 429 && answer.Header().Get("Retry-After") == "" {
			t.Error("it is not told when to come back")
		}
	}
	if codes[200] < 10 || codes[429] == 0 {
		t.Errorf("the answers are %v", codes)
	}
	codes = map[int]int{}
	for range 40 {
		codes[ask("rp_s_live_nonsense").Code]++
	}
	if codes[401] != 20 || codes[429] != 20 {
		t.Errorf("wrong keys are answered %v, want 20 of each", codes)
	}
	k, err := w.ring.Add("other", []keys.Scope{keys.Read})
	w.must(err)
	if code := ask(k.Text).Code; code != 200 {
		t.Errorf("a right key from the same address = %d", code)
	}
}

func TestWrongKeysAreCountedByTheNetworkOfIPv6(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	try := func(from string) int {
		r := httptest.NewRequest("GET", "/api/v1/customers", nil)
		r.RemoteAddr = from
		r.Header.Set("Authorization", "Bearer rp_s_live_wrong")
		a := httptest.NewRecorder()
		w.api.ServeHTTP(a, r)
		return a.Code
	}
	codes := map[int]int{}
	for i := range 25 {
		codes[try(fmt.Sprintf("[2001:db8:1:2::%x]:5000", i+1))]++
	}
	if codes[http.StatusTooManyRequests] != 5 {
		t.Errorf("one network with many addresses is answered %v", codes)
	}
	for _, other := range []string{"[2001:db8:1:3::1]:5000", "[::ffff:192.0.2.1]:5000", "192.0.2.2:5000"} {
		if code := try(other); code != http.StatusUnauthorized {
			t.Errorf("%s pays for another network: %d", other, code)
		}
	}
}

func TestAKeyOfEveryScopeIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, scopes := range append([][]keys.Scope{keys.Scopes}, func() (each [][]keys.Scope) {
		for _, s := range keys.Scopes {
			each = append(each, []keys.Scope{s})
		}
		return each
	}()...) {
		if code := w.ask(w.secret, "POST", "/keys", map[string]any{"name": "a tool", "scopes": scopes}, nil); code != 201 {
			t.Errorf("a key to %v = %d", scopes, code)
		}
	}
}

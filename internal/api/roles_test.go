package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"rapport/internal/api"
	"rapport/internal/people"
)

const (
	rolesFile = "testdata/roles.txt"
	phrase    = "three quiet hedgehogs"
)

// team signs in one person of each role; the owner is first.
func (w *world) team() map[people.Role]string {
	w.t.Helper()
	owner, err := w.people.Found(w.people.SetUp(), "owner@shop.example", "owner", phrase)
	w.must(err)
	tokens := map[people.Role]string{people.Owner: owner.Token}
	for _, role := range people.Roles[1:] {
		_, text, err := w.people.Invite(owner.Person, string(role)+"@shop.example", role)
		w.must(err)
		s, err := w.people.Join(text, string(role), phrase)
		w.must(err)
		tokens[role] = s.Token
	}
	return tokens
}

// as calls the API in the browser of a session.
func (w *world) as(session, method, path string, sent, v any, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	var body []byte
	if sent != nil {
		var err error
		body, err = json.Marshal(sent)
		w.must(err)
	}
	r := httptest.NewRequest(method, "/api/v1"+path, bytes.NewReader(body))
	if session != "" {
		r.AddCookie(&http.Cookie{Name: api.Cookie, Value: session})
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a := httptest.NewRecorder()
	w.api.ServeHTTP(a, r)
	if v != nil && a.Code < 300 {
		w.must(json.Unmarshal(a.Body.Bytes(), v))
	}
	return a
}

// The table is what people read to know who may do what; go test -update writes it.
func TestEveryOperationIsForTheRolesOfTheTableAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := w.team()
	w.live.Close() // a stream has no end
	wildcard := regexp.MustCompile(`\{[a-z]+\}`)
	var table strings.Builder
	for _, r := range w.api.Routes() {
		if r.Scope == "anybody" {
			table.WriteString(r.Method + " " + r.Path + " anybody\n")
			if code := w.as("", r.Method, strings.TrimPrefix(r.Path, api.Prefix), map[string]any{"nonsense": true}, nil).Code; code == 401 && r.Method != "GET" || code == 403 {
				t.Errorf("%s %s by nobody = %d", r.Method, r.Path, code)
			}
			continue
		}
		line := r.Method + " " + r.Path
		path := strings.TrimPrefix(wildcard.ReplaceAllString(r.Path, strings.Repeat("0", 32)), api.Prefix)
		if code := w.as("", r.Method, path, map[string]any{"nonsense": true}, nil).Code; code != 401 {
			t.Errorf("%s %s by nobody = %d, want 401", r.Method, r.Path, code)
		}
		for _, role := range people.Roles {
			session := tokens[role]
			if r.Method == "DELETE" && path == "/session" { // it would end what the next lines need
				s, err := w.people.SignIn(string(role)+"@shop.example", phrase)
				w.must(err)
				session = s.Token
			}
			// A body that every call refuses: who is let in learns of it, and nothing happens.
			if code := w.as(session, r.Method, path, map[string]any{"nonsense": true}, nil).Code; code != http.StatusForbidden {
				line += " " + string(role)
				if role == people.Analyst && r.Masked {
					line += "(masked)"
				}
				if code == http.StatusUnauthorized {
					t.Errorf("%s %s by the %s = 401", r.Method, r.Path, role)
				}
			}
		}
		table.WriteString(line + "\n")
	}
	if *update {
		w.must(os.WriteFile(rolesFile, []byte(table.String()), 0o644))
	}
	want, err := os.ReadFile(rolesFile)
	if err != nil || string(want) != table.String() {
		t.Errorf("%s says otherwise (%v): go test ./internal/api -update writes it, if this is what is meant:\n%s", rolesFile, err, &table)
	}
}

func TestAPersonSetsUpSignsInAndASessionDiesWithThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var first struct{ Needed bool }
	if w.as("", "GET", "/setup", nil, &first); !first.Needed {
		t.Fatal("nobody is there, and none is needed")
	}
	text := w.people.SetUp()
	self := map[string]any{"token": "wrong", "email": "Ada@shop.example", "name": "Ada", "password": phrase}
	if code := w.as("", "POST", "/setup", self, nil).Code; code != 401 {
		t.Fatalf("a wrong link = %d", code)
	}
	self["token"], self["password"] = text, "short"
	if code := w.as("", "POST", "/setup", self, nil).Code; code != 400 {
		t.Fatalf("a short password = %d", code)
	}
	self["password"] = phrase
	a := w.as("", "POST", "/setup", self, nil)
	cookie := a.Header().Get("Set-Cookie")
	if a.Code != 201 || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || !strings.Contains(cookie, "Secure") {
		t.Fatalf("setting up = %d %s, %q", a.Code, a.Body, cookie)
	}
	if code := w.as("", "POST", "/setup", self, nil).Code; code != 401 {
		t.Errorf("the link works twice: %d", code)
	}
	session := func(a *httptest.ResponseRecorder) string { return a.Result().Cookies()[0].Value }
	one := session(a)
	in := w.as("", "POST", "/session", map[string]any{"email": "ada@shop.example", "password": phrase}, nil)
	two := session(in)
	var me struct {
		Role people.Role
		May  []string
	}
	if w.as(two, "GET", "/session", nil, &me); me.Role != people.Owner || len(me.May) == 0 {
		t.Errorf("she is %+v", me)
	}
	if code := w.as(two, "GET", "/segments", nil, nil, "Sec-Fetch-Site", "cross-site").Code; code != 200 {
		t.Errorf("reading = %d", code)
	}
	if code := w.as(two, "POST", "/suppressions", map[string]any{"channel": "email", "address": "x@y.example", "reason": "complained"}, nil, "Sec-Fetch-Site", "cross-site").Code; code != 401 {
		t.Errorf("another site's page did something with her cookie: %d", code)
	}
	a = w.as(two, "PUT", "/session/password", map[string]any{"old": phrase, "password": "four loud hedgehogs"}, nil)
	if a.Code != 200 {
		t.Fatalf("another password = %d %s", a.Code, a.Body)
	}
	for name, s := range map[string]string{"the first session": one, "the one that asked": two} {
		if code := w.as(s, "GET", "/session", nil, nil).Code; code != 401 {
			t.Errorf("%s lives: %d", name, code)
		}
	}
	if code := w.as(session(a), "DELETE", "/session", nil, nil).Code; code != 204 {
		t.Errorf("signing out = %d", code)
	}
	if code := w.as(session(a), "GET", "/session", nil, nil).Code; code != 401 {
		t.Errorf("the session outlives it: %d", code)
	}
	wrong := map[string]any{"email": "ada@shop.example", "password": phrase}
	codes := map[int]int{}
	for range 25 {
		codes[w.as("", "POST", "/session", wrong, nil).Code]++
	}
	if codes[401] == 0 || codes[429] == 0 || codes[201] > 0 {
		t.Errorf("trying passwords is answered %v", codes)
	}
}

func TestTheTrailSaysWhoDidWhatByWhateverMeans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := w.team()
	stop := map[string]any{"channel": "email", "address": "x@y.example", "reason": "complained"}
	w.as(tokens[people.Support], "POST", "/suppressions", stop, nil)
	w.ask(w.secret, "POST", "/suppressions", stop, nil)
	w.as(tokens[people.Analyst], "POST", "/suppressions", stop, nil) // refused: not done, not noted
	w.as(tokens[people.Admin], "POST", "/people/none/reset", nil, nil)
	w.get("/segments", nil)
	var trail struct{ Data []people.Deed }
	w.as(tokens[people.Owner], "GET", "/audit", nil, &trail)
	if len(trail.Data) != 3 {
		t.Fatalf("the trail is %+v, want three deeds", trail.Data)
	}
	d := trail.Data
	if d[0].Actor.Name != "admin" || d[0].Status != 404 || d[1].Actor.Kind != "key" || d[2].Actor.Role != people.Support || d[2].Status != 201 {
		t.Errorf("the trail is %+v", d)
	}
	if d[1].Operation != d[2].Operation || d[1].Object != d[2].Object || d[2].Object != "/suppressions" {
		t.Errorf("a key and a person do not leave the same line: %+v", d)
	}
	w.as(tokens[people.Owner], "GET", "/audit?actor="+d[2].Actor.ID, nil, &trail)
	if len(trail.Data) != 1 {
		t.Errorf("of one person there are %d", len(trail.Data))
	}
}

package api_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rapport/internal/imports"
	"rapport/internal/people"
	"rapport/internal/sender"
)

func TestAnImportIsShownAndTakenBackByNameOfWhoAnswersForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", nil)
	i, err := imports.Begin(w.imports, w.node, w.ledger, imports.Plan{Kind: "suppressions", Source: "csv", File: "no.csv", By: "grace"})
	w.must(err)
	w.must(err)
	w.must(i.Close())
	var l list
	w.get("/imports", &l)
	if len(l.Data) != 1 || l.Data[0]["id"] != i.ID || l.Data[0]["by"] != "grace" {
		t.Errorf("the imports are %v", l.Data)
	}
	if code := w.ask(w.secret, "POST", "/imports/"+i.ID+"/undo", map[string]any{}, nil); code != 400 {
		t.Errorf("undone by nobody = %d, want 400", code)
	}
	var undone struct {
		State    string
		UndoneBy string `json:"undone_by"`
	}
	if code := w.ask(w.secret, "POST", "/imports/"+i.ID+"/undo", map[string]any{"by": "grace"}, &undone); code != 200 || undone.State != "undone" || undone.UndoneBy != "grace" {
		t.Errorf("undoing = %d, %+v", code, undone)
	}
	if code := w.ask(w.secret, "POST", "/imports/"+i.ID+"/undo", map[string]any{"by": "grace"}, nil); code != 409 {
		t.Errorf("undoing twice = %d, want 409", code)
	}
	// Whoever is signed in answers for it by their own name.
	other, err := imports.Begin(w.imports, w.node, w.ledger, imports.Plan{Kind: "suppressions", Source: "csv", File: "other.csv", By: "grace"})
	w.must(err)
	w.must(other.Close())
	if r := w.as(w.team()[people.Owner], "POST", "/imports/"+other.ID+"/undo", map[string]any{"by": "somebody else"}, &undone); r.Code != 200 || !strings.Contains(undone.UndoneBy, "@") {
		t.Errorf("undone by a person = %d, by %q", r.Code, undone.UndoneBy)
	}
	if code := w.ask(w.secret, "GET", "/imports/..%2Fkeys", nil, nil); code != 400 && code != 404 {
		t.Errorf("a path in the place of an id = %d", code)
	}
}

func TestADomainIsShownWithoutItsKeysAndCanBePaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, err := w.domains.Add(sender.Domain{Name: "news.shop.example"})
	w.must(err)
	var shown struct {
		Verified *string
		Paused   *string
		Why      string
		Records  []map[string]string
	}
	w.get("/domains/news.shop.example", &shown)
	if shown.Verified != nil || len(shown.Records) == 0 {
		t.Errorf("the domain is %+v", shown)
	}
	r := httptest.NewRequest("GET", "/api/v1/domains", nil)
	r.Header.Set("Authorization", "Bearer "+w.secret)
	a := httptest.NewRecorder()
	w.api.ServeHTTP(a, r)
	if strings.Contains(a.Body.String(), d.Keys[0].RSA) || !strings.Contains(a.Body.String(), d.Keys[0].EdPub) {
		t.Errorf("the list shows a sealed key, or no public one: %.300s", a.Body)
	}
	if code := w.ask(w.secret, "POST", "/domains/news.shop.example/pause", map[string]string{"why": "a complaint"}, &shown); code != 200 || shown.Paused == nil || shown.Why != "a complaint" {
		t.Errorf("pausing = %d, %+v", code, shown)
	}
	shown.Paused = nil
	if code := w.ask(w.secret, "POST", "/domains/news.shop.example/resume", nil, &shown); code != 200 || shown.Paused != nil {
		t.Errorf("resuming = %d, %+v", code, shown)
	}
	if code := w.ask(w.secret, "GET", "/domains/other.example", nil, nil); code != 404 {
		t.Errorf("another domain = %d, want 404", code)
	}
}

func TestAProductIsShownWithItsExactPrice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var p struct{ Price, Title string }
	w.get("/products/LAMP", &p)
	if p.Price != "19.90 GBP" || p.Title != "A lamp" {
		t.Errorf("the lamp is %+v", p)
	}
	if code := w.ask(w.secret, "GET", "/products/MUG", nil, nil); code != 404 {
		t.Errorf("what is not sold = %d, want 404", code)
	}
}

func TestWhoIsReachableIsCountedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", nil)
	w.hear("bob", "Product Viewed", nil)
	who := w.idOf("ada")
	w.ask(w.secret, "POST", "/customers/"+who+"/consents", map[string]any{"channel": "email", "purpose": "marketing", "granted": true, "evidence": "till"}, nil)
	w.settle()
	var r struct {
		Customers, Reachable int64
		Standings            map[string]int64
	}
	w.get("/reachable", &r)
	sum := int64(0)
	for _, n := range r.Standings {
		sum += n
	}
	if r.Customers != 2 || r.Reachable != 1 || sum != 2 {
		t.Errorf("the count is %+v", r)
	}
}

func TestAPictureIsTakenInBeforeDefinitionsShowIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var b bytes.Buffer
	w.must(png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 20, 10))))
	take := func(body []byte) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/api/v1/pictures", bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+w.secret)
		a := httptest.NewRecorder()
		w.api.ServeHTTP(a, r)
		return a
	}
	if a := take([]byte("<svg/>")); a.Code != http.StatusBadRequest {
		t.Errorf("what is no picture = %d %s", a.Code, a.Body)
	}
	var d bundle
	w.get("/definitions", &d)
	const line = "picture 0123456789abcdef0123456789abcdef.png 20x10"
	if code := w.ask(w.secret, "PUT", "/definitions", d.with("pictures/lamp.png", line), nil, "If-Match", "*"); code != 400 {
		t.Errorf("a picture that is not there = %d, want 400", code)
	}
	a := take(b.Bytes())
	if a.Code != http.StatusCreated || !strings.Contains(a.Body.String(), "20x10") {
		t.Fatalf("the picture = %d %s", a.Code, a.Body)
	}
	real := strings.Split(a.Body.String(), `"`)[3]
	if code := w.ask(w.secret, "PUT", "/definitions", d.with("pictures/lamp.png", real), nil, "If-Match", "*"); code != 200 {
		t.Errorf("a picture that is there (%s) = %d, want 200", real, code)
	}
}

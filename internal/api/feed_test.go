package api_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// feedAnswer is what is said of a feed.
type feedAnswer struct {
	Format, Encoding         string
	Products, Refused, Taken int
	Gone, Changes            int
	DryRun                   bool `json:"dry_run"`
	Problems                 []struct {
		Line   int
		ID     string
		Reason string
	}
	Detail string
}

func (w *world) feed(query, text string) (code int, a feedAnswer) {
	w.t.Helper()
	r := httptest.NewRequest("POST", "/api/v1/products/feed"+query, strings.NewReader(text))
	r.Header.Set("Authorization", "Bearer "+w.secret)
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	w.t.Logf("POST /products/feed%s: %d %s", query, out.Code, out.Body)
	w.must(json.Unmarshal(out.Body.Bytes(), &a))
	return out.Code, a
}

// A running server takes the file that a shop exports each night.
func TestAFeedIsBroughtToARunningServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	feed := "id,title,price,availability\n"
	for i := range 40 {
		feed += fmt.Sprintf("f%d,Vase %d,20 GBP,in_stock\n", i, i)
	}
	if code, a := w.feed("?dry_run=true", feed); code != 200 || a.Products != 40 || a.Taken != 0 || !a.DryRun {
		t.Errorf("a dry run is answered %d %+v", code, a)
	}
	if code := w.ask(w.secret, "GET", "/products/f1", nil, nil); code != 404 {
		t.Errorf("a dry run brought something: %d", code)
	}
	code, a := w.feed("?complete=true", feed+"f40,M\xf6bel,x GBP,in_stock\n")
	if code != 200 || a.Format != "google" || a.Encoding != "windows-1252" || a.Taken != 40 || a.Refused != 1 || len(a.Problems) != 1 || a.Problems[0].Line != 42 || a.Problems[0].ID != "f40" {
		t.Errorf("the feed is answered %d %+v", code, a)
	}
	w.get("/products/f1", nil)
	w.clock.Set(w.clock.Now().Add(time.Hour))
	if code, a := w.feed("?complete=true", feed[:60]); code != 400 || !strings.Contains(a.Detail, "leaves out 38 of the 40 products") || !strings.Contains(a.Detail, "most_gone=100") || !strings.Contains(a.Detail, "(1 products of the feed were taken)") {
		t.Errorf("one that is cut off is answered %d %+v", code, a)
	}
	w.get("/products/f39", nil)
	if code, a := w.feed("?complete=true&most_gone=100&dry_run=true", feed[:60]); code != 200 || a.Gone != 38 {
		t.Errorf("a dry run of one that leaves out much is answered %d %+v", code, a)
	}
	for query, want := range map[string]string{"": "neither a Google Merchant feed", "?format=json": "a list of products", "?encoding=koi8": "encoding", "?currency=pounds": "currency"} {
		if code, a := w.feed(query, "7"); code != 400 && code != 422 || a.Detail == "" || want == "" {
			t.Errorf("%q is answered %d %+v, want %s", query, code, a, want)
		}
	}
	if code, a := w.feed("", "id,title,price\n"+strings.Repeat("x", 2<<20)); code != 400 && code != 413 {
		t.Errorf("a line without end is answered %d %+v", code, a)
	}
}

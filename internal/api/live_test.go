package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rapport/internal/api"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/live"
	"rapport/internal/people"
)

type seen struct {
	Lost  int64
	Lines []struct {
		Outcome, Name, Who, Reason, Raw string
		Event                           map[string]any
	}
}

// watch opens the stream as somebody and returns what comes of it.
func (w *world) watch(query, key, cookie string) (<-chan seen, *http.Response) {
	w.t.Helper()
	server := httptest.NewServer(w.api)
	w.t.Cleanup(server.Close)
	ctx, stop := context.WithCancel(w.t.Context())
	w.t.Cleanup(stop)
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v1/events/stream"+query, nil)
	w.must(err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	answer, err := http.DefaultClient.Do(r)
	w.must(err)
	lines := make(chan seen, 100)
	go func() {
		defer close(lines)
		defer answer.Body.Close()
		text := bufio.NewScanner(answer.Body)
		text.Buffer(nil, 64<<20)
		for text.Scan() {
			data, ok := strings.CutPrefix(text.Text(), "data: ")
			var s seen
			if ok && json.Unmarshal([]byte(data), &s) == nil {
				lines <- s
			}
		}
	}()
	return lines, answer
}

func (w *world) sees(lines <-chan seen) seen {
	w.t.Helper()
	select {
	case s := <-lines:
		return s
	case <-time.After(20 * time.Second):
		w.t.Fatal("nothing is seen")
	}
	return seen{}
}

func TestWhatComesInIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lines, answer := w.watch("?name=order", w.secret, "")
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("the stream is answered %d %s", answer.StatusCode, kind)
	}
	w.hear("ada", "Page Viewed", nil)
	w.hear("ada", "Order Completed", func(b *event.Builder) { b.SetText("order_id", "A7") })
	s := w.sees(lines)
	if len(s.Lines) != 1 || s.Lines[0].Name != "Order Completed" || s.Lines[0].Outcome != "accepted" || s.Lines[0].Who != "ada@people.example" || s.Lines[0].Event["event"] != "Order Completed" {
		t.Errorf("seen: %+v", s)
	}
	w.live.Tell(live.Line{Outcome: live.Rejected, Name: "Order Completed", Reason: "no user", Raw: `{"event":"Order Completed"`})
	if s = w.sees(lines); len(s.Lines) != 1 || s.Lines[0].Outcome != "rejected" || s.Lines[0].Reason != "no user" || s.Lines[0].Raw == "" {
		t.Errorf("seen: %+v", s)
	}
	w.live.Close()
	for range lines { // it ends
	}
	if _, answer = w.watch("", "rp_s_live_wrong", ""); answer.StatusCode != 401 {
		t.Errorf("a wrong key sees the stream: %d", answer.StatusCode)
	}
}

func TestWhoAnalysesSeesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie := api.Cookie + "=" + w.team()[people.Analyst]
	lines, _ := w.watch("", "", cookie)
	w.hear("ada", "Order Completed", func(b *event.Builder) { b.SetText("email", "ada@people.example").SetText("order_id", "A7") })
	s := w.sees(lines)
	text := fmt.Sprint(s)
	if len(s.Lines) != 1 || strings.Contains(text, "ada") || s.Lines[0].Event["event"] != "Order Completed" {
		t.Errorf("seen: %s", text)
	}
}

// Shops write addresses where they like: deeper, in other letters, in the middle of a link.
func TestWhoAnalysesSeesNobodyHoweverAShopWritesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lines, _ := w.watch("", "", api.Cookie+"="+w.team()[people.Analyst])
	var person, item event.Builder
	person.SetText("first_name", "Ada").SetText("sku", "LAMP")
	item.SetText("name", "brass lamp").SetText("note", "for ada@people.example")
	w.hear("ada", "Order Completed", func(b *event.Builder) {
		b.SetText("Email", "ada-at-home").SetText("recipient", "ada@people.example").SetText("mobilePhone", "+44 7700 900123").SetText("Full Name", "Ada").
			SetText("url", "https://shop.example/?m=ada%40people.example&p=lamp").
			Set("buyer", event.Nested(person.Object())).Set("products", event.ListOf(event.Nested(item.Object())))
	})
	s := w.sees(lines)
	text := strings.ToLower(fmt.Sprint(s))
	if len(s.Lines) != 1 || strings.Contains(text, "ada") || strings.Contains(text, "900123") {
		t.Errorf("seen: %s", text)
	}
	if !strings.Contains(text, "brass lamp") || !strings.Contains(text, "sku:lamp") || !strings.Contains(text, "p=lamp") {
		t.Errorf("not seen, although it is about nobody: %s", text)
	}
}

// A measure, and no test: go test -run '^$' -bench Stream ./internal/api
func BenchmarkStream(b *testing.B) {
	w := newWorld(b)
	lines, _ := w.watch("", w.secret, "")
	entries := make([]identity.Addressed, 20)
	var props event.Builder
	props.SetText("sku", "LAMP").SetText("url", strings.Repeat("x", 200))
	for i := range entries {
		entries[i] = identity.Addressed{To: identity.ID{1}, Event: event.Event{ID: "m", Type: event.Track, Name: "Product Viewed", User: "ada", At: 1000, Source: "web", Props: props.Object()}}
	}
	for b.Loop() { // five seconds of 2,000 events a second
		var got, lost int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			for got+lost < 10_000 {
				s := <-lines
				got, lost = got+int64(len(s.Lines)), lost+s.Lost
			}
		}()
		tick := time.NewTicker(10 * time.Millisecond)
		for range 500 {
			<-tick.C
			w.live.Heard(entries)
		}
		tick.Stop()
		<-done
		b.ReportMetric(float64(lost), "lost")
		b.ReportMetric(float64(got), "seen")
	}
}

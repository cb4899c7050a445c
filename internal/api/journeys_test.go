package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/run"
)

func order(b *event.Builder) {
	b.Set("order_id", event.Text("o-1")).Set("currency", event.Text("GBP")).Set("total", event.Int(20))
	var line event.Builder
	line.Set("sku", event.Text("LAMP")).Set("name", event.Text("A lamp")).Set("price", event.Int(20)).Set("quantity", event.Int(1))
	b.Set("products", event.ListOf(event.Nested(line.Object())))
}

// agree lets a customer agree to marketing by e-mail.
func (w *world) agree(user string) {
	w.hear(user, event.ConsentChanged, func(b *event.Builder) {
		b.SetText("channel", "email").SetText("purpose", "marketing").SetText("state", "granted").SetText("evidence", "form")
	})
}

// rehearsed is a test run as the API answers it.
type rehearsed struct {
	Entered bool
	Inside  string
	Path    []string
	Moments []moment
}

type moment struct {
	What, Step, Text string
	Holds            bool
	Criteria         []run.Criterion
	Message          *struct {
		State, Reason, Frame string
		Preview              *struct{ Subject string }
	}
}

func (w *world) trial(name string, body map[string]any) (out rehearsed) {
	w.t.Helper()
	if status := w.ask(w.secret, http.MethodPost, "/journeys/"+name+"/test", body, &out); status != http.StatusOK {
		w.t.Fatalf("the test run is answered %d", status)
	}
	return out
}

func find(out rehearsed, what, step string) *moment {
	for i := range out.Moments {
		if m := &out.Moments[i]; m.What == what && (step == "" || m.Step == step) {
			return m
		}
	}
	return nil
}

func TestAJourneyIsTriedOutWithoutAnythingHappening(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agree("eve")
	later := map[string]any{"after": "4d", "event": "Order Completed", "properties": map[string]any{"order_id": "o-2", "currency": "GBP", "total": 30, "products": []any{map[string]any{"sku": "MUG", "price": 30, "quantity": 1}}}}
	first := map[string]any{"order_id": "o-1", "currency": "GBP", "total": 20, "products": []any{map[string]any{"sku": "LAMP", "name": "A lamp", "price": 20, "quantity": 1}}}
	var before, after json.RawMessage
	w.ask(w.secret, http.MethodPost, "/customers/search", map[string]any{"identifier": "eve"}, &before)

	out := w.trial("welcome", map[string]any{"customer": "eve", "properties": first, "events": []any{later}})
	if !out.Entered || !slices.Equal(out.Path, []string{"settle", "hello", "second"}) || out.Inside != "" {
		t.Fatalf("the path is %v, entered %v, inside %q", out.Path, out.Entered, out.Inside)
	}
	m := find(out, "message", "hello")
	for i := range out.Moments {
		if x := &out.Moments[i]; x.What == "message" && x.Message.State == "accepted" {
			m = x
		}
	}
	if m == nil || m.Message.Frame == "" || m.Message.Reason != "This was your first order with us, with A lamp" {
		t.Fatalf("the message is %+v", m)
	}
	if len(m.Criteria) < 5 {
		t.Errorf("the gate's criteria are %v", m.Criteria)
	}
	audience := find(out, "audience", "")
	if audience == nil || !audience.Holds || len(audience.Criteria) == 0 {
		t.Errorf("for whom it is was not told: %+v", audience)
	}
	if left := find(out, "left", "second"); left == nil || !left.Holds {
		t.Errorf("the second order is the goal: %+v", left)
	}
	r := httptest.NewRequest(http.MethodGet, "/api/v1/frames/"+m.Message.Frame, nil)
	r.Header.Set("Authorization", "Bearer "+w.secret)
	a := httptest.NewRecorder()
	w.api.ServeHTTP(a, r)
	if !strings.Contains(a.Body.String(), "<html") || !strings.HasPrefix(a.Header().Get("Content-Security-Policy"), "sandbox;") {
		t.Errorf("the frame is %d %v %.80s", a.Code, a.Header(), a.Body)
	}

	w.settle()
	w.ask(w.secret, http.MethodPost, "/customers/search", map[string]any{"identifier": "eve"}, &after)
	if string(before) != string(after) {
		t.Errorf("the customer was %s and is %s", before, after)
	}
	var planned struct{ Data []any }
	for _, state := range []string{"planned", "accepted", "dropped", "withheld"} {
		if w.ask(w.secret, http.MethodGet, "/deliveries?state="+state, nil, &planned); len(planned.Data) != 0 {
			t.Errorf("the test run left a message that is %s", state)
		}
	}
}

// The very same journey, lived in earnest, takes the same steps and comes to the same
// message.
func TestATestRunSaysWhatComesTrue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agree("eve")
	said := w.trial("welcome", map[string]any{"customer": "eve", "holdout": true, "properties": map[string]any{
		"order_id": "o-1", "currency": "GBP", "total": 20, "products": []any{map[string]any{"sku": "LAMP", "name": "A lamp", "price": 20, "quantity": 1}},
	}})
	w.hear("eve", event.OrderCompleted, order)
	for range 40 {
		w.clock.Set(w.clock.Now().Add(24 * 3600e9))
		w.settle()
	}
	var real struct {
		Data []struct{ ID, State, Reason, Step string }
	}
	var eve struct{ ID string }
	w.ask(w.secret, http.MethodPost, "/customers/search", map[string]any{"identifier": "eve"}, &eve)
	w.ask(w.secret, http.MethodGet, "/customers/"+eve.ID+"/deliveries", nil, &real)
	var hello string
	for _, d := range real.Data {
		if d.Step == "hello" {
			// No provider answers here: what the gate let through stays claimed.
			hello = strings.Replace(d.State, "claimed", "accepted", 1) + ": " + d.Reason
		}
	}
	last := ""
	for _, m := range said.Moments {
		if m.What == "message" && m.Step == "hello" {
			last = m.Message.State + ": " + m.Message.Reason
		}
	}
	if hello == "" || hello != last {
		t.Errorf("the test run says %q, and it came to %q", last, hello)
	}
}

func TestATestRunSaysWhatKeepsSomebodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("eve", event.OrderCompleted, order) // no consent; and the first order is behind her
	w.clock.Set(w.clock.Now().Add(60 * 24 * 3600e9))
	w.settle()
	out := w.trial("welcome", map[string]any{"customer": "eve"})
	if again := find(out, "again", ""); out.Entered || again == nil {
		t.Errorf("she was welcomed before: %+v", out.Moments)
	}
	// The wait is edited, and she is as she was before.
	body := "journey: welcome\ntrigger: {event: Order Completed}\nholdout: 0\nsteps:\n  - {name: soon, wait: 2h}\n  - {name: hello, send: {template: welcome, reason: You ordered}}\n"
	out = w.trial("welcome", map[string]any{"customer": "eve", "text": body, "anew": true, "properties": map[string]any{"order_id": "o-9", "currency": "GBP", "total": 5}})
	m := find(out, "message", "hello")
	if !out.Entered || !slices.Equal(out.Path, []string{"soon", "hello"}) || m == nil || m.Message.State != "dropped" {
		t.Fatalf("%v %+v", out.Path, out.Moments)
	}
	unmet := 0
	for _, c := range m.Criteria {
		if !c.Holds {
			unmet++
		}
	}
	if unmet != 1 || m.Message.Preview == nil {
		t.Errorf("the criteria are %v", m.Criteria)
	}
	// Before her first order nothing had been heard of her.
	status := w.ask(w.secret, http.MethodPost, "/journeys/welcome/test", map[string]any{"customer": "eve", "at": "2020-01-01"}, nil)
	if status != http.StatusBadRequest {
		t.Errorf("a test run before somebody was known is answered %d", status)
	}
}

func TestADraftSaysWhatEachStepLacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d struct {
		OK       bool
		Tree     map[string]any
		Problems []struct {
			Step, What string
			Place      []string
			Warning    bool
		}
		Steps []struct{ Name, Title string }
	}
	get := func(text string) {
		t.Helper()
		d.Tree, d.Problems, d.Steps = nil, nil, nil
		if status := w.ask(w.secret, http.MethodPost, "/journeys/new-one/draft", map[string]any{"text": text}, &d); status != http.StatusOK {
			t.Fatalf("%d", status)
		}
	}
	get("journey: new-one\ntrigger: {event: Order Completed}\nsteps:\n  - name: pause\n    wait: {for: soon}\n  - name: mail # ask Eve\n    send: {}\n")
	if d.OK || len(d.Steps) != 2 {
		t.Fatalf("%+v", d)
	}
	by := map[string]string{}
	for _, p := range d.Problems {
		if !p.Warning {
			by[p.Step] += p.What + "; "
		}
	}
	if !strings.Contains(by["pause"], "length of time") || !strings.Contains(by["mail"], "no template") {
		t.Errorf("the flaws are %v", by)
	}
	if note := d.Tree["steps"].([]any)[1].(map[string]any)["note"]; note != "ask Eve" {
		t.Errorf("the comment became the note %v", note)
	}
	get("{{{")
	if d.OK || len(d.Problems) == 0 {
		t.Errorf("what is no YAML is %+v", d)
	}
	if status := w.ask(w.secret, http.MethodGet, "/journeys/lighting-reminder/draft", nil, &d); status != http.StatusOK || !d.OK || len(d.Steps) != 1 {
		t.Errorf("%d %+v", status, d)
	}
}

func TestVersionsOfAJourneyAreListedWithTheirDifferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all struct {
		Files []map[string]string `json:"files"`
	}
	w.ask(w.secret, http.MethodGet, "/definitions", nil, &all)
	for i := range all.Files {
		if all.Files[i]["path"] == "journeys/welcome.yaml" {
			all.Files[i]["body"] = strings.Replace(all.Files[i]["body"], "wait: 1d", "wait: 2d", 1)
		}
	}
	if status := w.ask(w.secret, http.MethodPut, "/definitions", map[string]any{"files": all.Files}, nil, "If-Match", "*"); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	w.settle()
	var list struct {
		Data []struct {
			InForce bool `json:"in_force"`
			Text    string
			Lines   []string
		}
	}
	w.ask(w.secret, http.MethodGet, "/journeys/welcome/versions", nil, &list)
	if len(list.Data) != 2 || !list.Data[0].InForce || !slices.Contains(list.Data[0].Lines, "+    wait: 2d") || !strings.Contains(list.Data[1].Text, "wait: 1d") {
		t.Errorf("%+v", list.Data)
	}
}

func TestPeopleAtAStepArePaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, user := range []string{"ada", "bob", "eve"} {
		w.hear(user, event.OrderCompleted, order)
	}
	seen, cursor := 0, ""
	for range 5 {
		var list struct {
			Data []struct{ Step, Until string }
			Next string
		}
		path := "/journeys/welcome/people?step=settle&limit=2"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		w.ask(w.secret, http.MethodGet, path, nil, &list)
		seen += len(list.Data)
		for _, p := range list.Data {
			if p.Step != "settle" || p.Until == "" {
				t.Errorf("%+v", p)
			}
		}
		if cursor = list.Next; cursor == "" {
			break
		}
	}
	var f struct {
		Standing map[string]int64
		Learnt   bool
	}
	if w.ask(w.secret, http.MethodGet, "/journeys/welcome/flow", nil, &f); f.Standing["settle"] != 3 || f.Learnt || seen != 3 {
		t.Errorf("%d were listed, %+v", seen, f)
	}
}

func TestPeopleOfAStepThatThereIsNotAreNotNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, who := range []string{"standing", "reached", "goal", "dropped"} {
		a := w.as("", http.MethodGet, "/journeys/welcome/people?step=setle&who="+who, nil, nil, "Authorization", "Bearer "+w.secret)
		if a.Code != http.StatusNotFound || !strings.Contains(a.Body.String(), "settle") {
			t.Errorf("%s of no such step is answered %d %s, want 404 and the steps that there are", who, a.Code, a.Body)
		}
	}
	w.get("/journeys/welcome/people?step=settle", nil)
	w.get("/journeys/welcome/people", nil)
	// A step that is gone still has its past.
	w.with(map[string]string{"journeys/welcome.yaml": "journey: welcome\ntrigger: {event: Order Completed}\nsteps:\n  - name: later\n    wait: 1d\n"})
	w.settle()
	for _, step := range []string{"later", "settle"} {
		w.get("/journeys/welcome/people?step="+step, nil)
	}
}

package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/program"
)

// figures are a preview as a client reads it.
type figures struct {
	ID, State, Sentence, Trouble string
	History                      bool
	Customers, Members           int64
	People                       []struct{ Email string }
	Funnel                       []struct {
		Channel                        string
		Reachable, Agreed, Free, Later int64
		Stopped                        []struct {
			Reason string
			Count  int64
		}
	}
}

// with adds files to the definitions in force.
func (w *world) with(files map[string]string) {
	w.t.Helper()
	fsys := fstest.MapFS{}
	src, err := program.Read(os.DirFS("../../examples/shop"))
	w.must(err)
	for _, f := range src.Files() {
		fsys[f.Path] = &fstest.MapFile{Data: []byte(f.Body)}
	}
	for name, body := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(body)}
	}
	src, err = program.Read(fsys)
	w.must(err)
	problems, err := w.node.Apply(w.t.Context(), src)
	if err != nil {
		w.t.Fatalf("%v: %v", err, problems)
	}
	w.settle()
}

func sku(s string) func(*event.Builder) {
	return func(b *event.Builder) { b.SetText("sku", s).SetText("category", "lighting") }
}

func TestAPreviewCountsWhatIsNotSaved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, who := range []string{"ada", "bob", "cyd"} {
		w.hear(who, "Lamp Touched", sku("a"))
		if who != "cyd" {
			w.hear(who, "Lamp Touched", sku("b"))
		}
	}
	w.hear("ada", event.ConsentChanged, func(b *event.Builder) {
		b.SetText("channel", "email").SetText("purpose", "marketing").SetText("state", "granted").SetText("evidence", "form")
	})
	var f figures
	body := map[string]any{"when": map[string]any{"did": "Lamp Touched", "distinct(sku)": ">= 2", "within": "30d"}, "wait": 20}
	if code := w.ask(w.secret, "POST", "/segments/preview", body, &f); code != 200 || f.State != "done" {
		t.Fatalf("%d %+v", code, f)
	}
	if f.Members != 2 || f.Customers != 3 || len(f.People) != 2 || !f.History {
		t.Errorf("%+v, want two of three, from their histories", f)
	}
	if len(f.Funnel) == 0 || f.Funnel[0].Channel != "email" || f.Funnel[0].Reachable != 2 || f.Funnel[0].Agreed != 1 || f.Funnel[0].Free+f.Funnel[0].Later > 1 {
		t.Errorf("the funnel is %+v", f.Funnel)
	}
	var again figures
	w.get("/previews/"+f.ID, &again)
	if again.Members != 2 || again.ID != f.ID {
		t.Errorf("asked for again: %+v", again)
	}
	if code := w.ask(w.secret, "DELETE", "/previews/"+f.ID, nil, nil); code != http.StatusNoContent {
		t.Errorf("stopped: %d", code)
	}
	if code := w.ask(w.secret, "GET", "/previews/nobody", nil, nil); code != http.StatusNotFound {
		t.Errorf("a preview that is not there: %d", code)
	}
	// The same saved is the same people.
	w.with(map[string]string{"segments/trial.yaml": "segment: handy\nwhen: {did: Lamp Touched, distinct(sku): \">= 2\", within: 30d}\n"})
	var saved struct {
		Members int64
		Costs   []struct {
			Keeps int
			Says  string
		}
	}
	w.get("/segments/handy", &saved)
	if saved.Members != 2 || len(saved.Costs) != 1 || saved.Costs[0].Keeps != 32 || !strings.Contains(saved.Costs[0].Says, "30 days") {
		t.Errorf("saved: %+v", saved)
	}
	var said struct {
		English, German string
		Tree            any
	}
	w.get("/segments/handy", &said)
	if said.English != "did “Lamp Touched”, with at least 2 different “sku”, in the last 30 days" || said.German == "" || said.Tree == nil {
		t.Errorf("said: %+v", said)
	}
	var read struct {
		When    any
		English string
	}
	if code := w.ask(w.secret, "POST", "/conditions/parse", map[string]any{"sentence": said.English}, &read); code != 200 || read.English != said.English {
		t.Errorf("read back: %d %+v", code, read)
	}
	if code := w.ask(w.secret, "POST", "/conditions/parse", map[string]any{"sentence": "who knows"}, nil); code != 400 {
		t.Errorf("no sentence: %d", code)
	}
	w.ask(w.secret, "POST", "/segments/preview", map[string]any{"when": read.When, "wait": 20}, &f)
	if f.State != "done" || f.Members != 2 {
		t.Errorf("the sentence read back means %+v", f)
	}
	// And what is kept already needs no history.
	w.ask(w.secret, "POST", "/segments/preview", map[string]any{"text": "not: {did: Lamp Touched, distinct(sku): \">= 2\", within: 30d}", "wait": 20}, &f)
	if f.State != "done" || f.Members != 1 || f.History {
		t.Errorf("%+v, want cyd alone", f)
	}
}

func TestAPreviewOfAWrongConditionSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		body map[string]any
		code int
	}{
		{map[string]any{"when": map[string]any{"dit": "Lamp Touched"}}, 400},
		{map[string]any{"text": "segment: nobody-knows"}, 400},
		{map[string]any{"text": "a: ["}, 400},
		{map[string]any{}, 400},
	} {
		if code := w.ask(w.secret, "POST", "/segments/preview", tt.body, nil); code != tt.code {
			t.Errorf("%v: %d, want %d", tt.body, code, tt.code)
		}
	}
}

func TestSegmentsLieOverEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(map[string]string{"segments/letters.yaml": `
- {segment: a, when: {did: A}}
- {segment: b, when: {did: B}}
- {segment: c, when: {did: C}}
`})
	for _, both := range []string{"1 A", "2 A", "2 B", "3 A", "3 B", "3 C", "4 C", "5 B"} {
		w.hear("user-"+both[:1], both[2:], nil)
	}
	var o struct {
		Segments []struct {
			Name          string
			Members, Only int64
		}
		Pairs    []struct{ Both int64 }
		All, Any int64
	}
	w.get("/segments/a/overlap?with=b&with=c", &o)
	if o.All != 1 || o.Any != 5 || len(o.Pairs) != 3 || o.Pairs[0].Both != 2 || o.Pairs[1].Both != 1 || o.Pairs[2].Both != 1 {
		t.Errorf("%+v", o)
	}
	if o.Segments[0].Members != 3 || o.Segments[0].Only != 1 || o.Segments[2].Only != 1 {
		t.Errorf("%+v", o.Segments)
	}
	for path, code := range map[string]int{"/segments/a/overlap": 400, "/segments/a/overlap?with=a": 400, "/segments/a/overlap?with=x": 404} {
		if got := w.ask(w.secret, "GET", path, nil, nil); got != code {
			t.Errorf("%s: %d, want %d", path, got, code)
		}
	}
	var l struct {
		Data []struct {
			Since, Until *string
			Because      []string
		}
	}
	w.get("/segments/a/members", &l)
	if len(l.Data) != 3 || l.Data[0].Since == nil || l.Data[0].Until != nil || len(l.Data[0].Because) != 1 {
		t.Errorf("members: %+v", l.Data)
	}
}

func TestAListIsKeptByHandAndStandsInTheTimeline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(map[string]string{
		"lists/press.yaml":     "label: The press\n",
		"segments/press.yaml":  "segment: press\nwhen: {list: press}\n",
		"traits/touched.yaml":  "did: Lamp Touched\ntake: most_frequent(sku)\nwithin: 90d\n",
		"segments/renews.yaml": "segment: renews-soon\nwhen: {object: subscription, where: {status: active, renews: {within: in the next 3d}}}\n",
	})
	w.hear("ada", "Lamp Touched", sku("a"))
	w.hear("ada", event.ObjectUpdated, func(b *event.Builder) {
		var props event.Builder
		props.SetText("status", "active").SetText("renews", "2026-11-12")
		b.SetText("type", "subscription").SetText("id", "S1").Set("properties", event.Nested(props.Object()))
	})
	var found struct{ ID string }
	w.ask(w.secret, "POST", "/customers/search", map[string]string{"identifier": "ada"}, &found)
	if code := w.ask(w.secret, "POST", "/lists/press/members", map[string]any{"add": []string{found.ID}}, nil); code != http.StatusAccepted {
		t.Fatalf("put on the list: %d", code)
	}
	w.settle()
	var ada struct {
		Segments []string
		Computed map[string]any `json:"computed_traits"`
		Lists    []struct{ List string }
		Objects  []struct {
			Type, ID   string
			Properties map[string]any
		}
		Last string
	}
	w.get("/customers/"+found.ID, &ada)
	if ada.Computed["touched"] != "a" || len(ada.Lists) != 1 || ada.Lists[0].List != "press" || len(ada.Objects) != 1 || ada.Objects[0].Properties["status"] != "active" {
		t.Errorf("%+v", ada)
	}
	if !strings.Contains(strings.Join(ada.Segments, " "), "press") || !strings.Contains(strings.Join(ada.Segments, " "), "renews-soon") {
		t.Errorf("segments: %v", ada.Segments)
	}
	w.ask(w.secret, "POST", "/lists/press/members", map[string]any{"remove": []string{found.ID}}, nil)
	w.settle()
	w.get("/customers/"+found.ID, &ada)
	if strings.Contains(strings.Join(ada.Segments, " "), "press") {
		t.Errorf("still there: %v", ada.Segments)
	}
	var said struct{ Detail string }
	r := httptest.NewRequest("POST", "/api/v1/lists/press/members", strings.NewReader(`{"add":["`+found.ID+`","00000000000000000000000000000001"]}`))
	r.Header.Set("Authorization", "Bearer "+w.secret)
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	w.api.ServeHTTP(answer, r)
	if err := json.Unmarshal(answer.Body.Bytes(), &said); err != nil || !strings.Contains(said.Detail, "add[1] (00000000000000000000000000000001): ") {
		t.Errorf("somebody who is not there: %d %s", answer.Code, answer.Body)
	}
	for path, code := range map[string]int{"/lists/presse/members": 404, "/lists/press/members": 404} {
		if got := w.ask(w.secret, "POST", path, map[string]any{"add": []string{strings.Repeat("0", 32)}}, nil); got != code {
			t.Errorf("%s: %d, want %d", path, got, code)
		}
	}
	var kinds, traits, lists struct{ Data []map[string]any }
	w.get("/conditions", &kinds)
	w.get("/traits", &traits)
	w.get("/lists", &lists)
	if len(kinds.Data) < 22 || len(traits.Data) != 4 || len(lists.Data) != 1 || lists.Data[0]["label"] != "The press" {
		t.Errorf("%d kinds, %v, %v", len(kinds.Data), traits.Data, lists.Data)
	}
	if traits.Data[3]["is"] != "the most frequent sku of those where the customer did “Lamp Touched” in the last 90 days" {
		t.Errorf("%v", traits.Data[3])
	}
}

func TestAConditionIsCheckedWithoutCounting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(map[string]string{"segments/fans.yaml": "segment: fans\nwhen: {did: Lamp Touched}\n"})
	var said struct {
		OK                        bool
		Problems                  []struct{ Where, What, Instead string }
		When                      any
		Sentence, English, German string
	}
	check := func(text string, trigger bool) {
		t.Helper()
		said.Problems, said.When, said.Sentence = nil, nil, ""
		if code := w.ask(w.secret, "POST", "/conditions/check", map[string]any{"text": text, "trigger": trigger}, &said); code != 200 {
			t.Fatalf("%s: answered %d", text, code)
		}
	}
	if check("{\n\"segment\": \"fans\"\n}", false); !said.OK || said.When == nil || said.English == "" || said.German == "" || said.Sentence == "" {
		t.Errorf("a condition: %+v", said)
	}
	// What is wrong is said where it stands, and what could be read is there all the same.
	if check("all:\n  - {segment: fan}\n  - {did: A, within: 1y}\n", false); said.OK || len(said.Problems) != 2 || said.When == nil ||
		said.Problems[0].Where != "condition:2:15" || said.Problems[0].Instead != "fans" {
		t.Errorf("wrong: %+v", said)
	}
	if check("{property: total, exists: true}", false); said.OK {
		t.Error("there is no trigger here")
	}
	if check("{property: total, exists: true}", true); !said.OK {
		t.Errorf("a trigger: %+v", said)
	}
	if check("[[[", false); said.OK || said.When != nil || len(said.Problems) == 0 {
		t.Errorf("no text of YAML: %+v", said)
	}
}

func TestChoicesAreWhatIsDefinedAndWhatSeveralHave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(map[string]string{"segments/fans.yaml": "segment: fans\nlabel: Fans of lamps\nwhen: {did: Lamp Touched}\n"})
	for _, who := range []string{"ada", "bea", "cyd"} {
		w.hear(who, "Lamp Touched", sku("red"))
	}
	w.hear("dot", "Lamp Touched", sku("dots-own"))
	w.settle()
	ask := func(query string) string {
		t.Helper()
		var list struct{ Data []struct{ Value string } }
		w.get("/conditions/choices?"+query, &list)
		out := ""
		for _, c := range list.Data {
			out += c.Value + " "
		}
		return out
	}
	for query, want := range map[string]string{
		"from=segments": "fans ", "from=properties&of=Lamp+Touched": "sku ", "from=properties+values&of=Lamp+Touched&at=sku": "red ", "from=nothing": "",
	} {
		if got := ask(query); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if got := ask("from=events"); !strings.HasPrefix(got, "Lamp Touched ") || !strings.Contains(got, "Order Completed ") {
		t.Errorf("events: %q, want what was heard first, then the retail spec", got)
	}
	if got := ask("from=properties+values&of=Lamp+Touched&at=sku"); strings.Contains(got, "dots-own") {
		t.Errorf("what one customer has is shown to choose from: %q", got)
	}
	// Every source that a description names is one that answers.
	var kinds struct {
		Data []struct{ Parts []condition.Part }
	}
	w.get("/conditions", &kinds)
	var all func(parts []condition.Part)
	all = func(parts []condition.Part) {
		for _, p := range parts {
			if p.From != "" {
				ask("from=" + url.QueryEscape(p.From))
			}
			all(p.Parts)
		}
	}
	for _, k := range kinds.Data {
		all(k.Parts)
	}
}

func TestAPreviewAsksWhatASavedSegmentWould(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(map[string]string{
		"stores/soho.yaml":    "store: soho\nlat: 51.5\nlon: -0.13\n",
		"fences/thames.yaml":  "fence: thames\ncircle: {lat: 51.5, lon: -0.12, radius: 800m}\n",
		"segments/local.yaml": "segment: local\nwhen: {near: {store: soho, within: 5km}}\n",
	})
	w.hear("ada", "Lamp Touched", sku("a"))
	w.settle()
	for text, want := range map[string]int64{
		"{near: {store: soho, within: 5km}}": 0, "not: {near: {store: soho, within: 5km}}": 1, "{fence: thames}": 0, "not: {segment: local}": 1,
		// She touched it just now, and not for three days.
		"{dwell: 3d, when: {did: Lamp Touched}}":                      0,
		"segment: long\nwhen: {dwell: 3d, when: {did: Lamp Touched}}": 0,
		"segment: touched\nwhen: {did: Lamp Touched}":                 1,
	} {
		var f figures
		if code := w.ask(w.secret, "POST", "/segments/preview", map[string]any{"text": text, "wait": 20}, &f); code != 200 || f.State != "done" || int64(f.Members) != want {
			t.Errorf("%s: %d %s %d members, want %d", text, code, f.State, f.Members, want)
		}
	}
}

// A condition that holds nobody because nobody could have done it is told so.
func TestAPreviewWarnsOfAnEventInOtherLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var p struct {
		Sentence string
		Warnings []struct {
			Where, What, Instead string
			Warning              bool
		}
	}
	w.ask(w.secret, "POST", "/segments/preview", map[string]any{"text": "did: order completed\nwithin: 7d"}, &p)
	if len(p.Warnings) != 1 || p.Warnings[0].Instead != "Order Completed" || p.Warnings[0].Where != "condition:1:6" || !p.Warnings[0].Warning {
		t.Errorf("the warnings are %+v", p.Warnings)
	}
	if want := "did “order completed”, in the last 7 days"; p.Sentence != want {
		t.Errorf("the sentence is %q, want %q", p.Sentence, want)
	}
	w.ask(w.secret, "POST", "/segments/preview", map[string]any{"when": map[string]any{"did": "Order Completed"}}, &p)
	if len(p.Warnings) != 0 {
		t.Errorf("the warnings are %+v", p.Warnings)
	}
}

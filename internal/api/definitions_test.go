package api_test

import (
	"fmt"
	"strings"
	"testing"

	"rapport/internal/api"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/people"
	"rapport/internal/run"
	"rapport/internal/store/memory"
)

type bundle struct {
	Tag   string `json:"tag,omitempty"`
	Files []one  `json:"files"`
}

type one struct {
	Path string `json:"path"`
	Body string `json:"body"`
}

func (b bundle) with(path, body string) bundle {
	c := bundle{}
	for _, f := range b.Files {
		if f.Path != path {
			c.Files = append(c.Files, f)
		}
	}
	if body != "" {
		c.Files = append(c.Files, one{path, body})
	}
	return c
}

func (b bundle) file(path string) string {
	for _, f := range b.Files {
		if f.Path == path {
			return f.Body
		}
	}
	return ""
}

// Warnings come in order of the files too: a hundred of them must not hide the mistake
// because of which nothing was changed.
func TestAMistakeIsNamedBehindAHundredWarnings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d bundle
	w.get("/definitions", &d)
	for i := range 100 {
		name := fmt.Sprintf("a%03d", i)
		d = d.with("segments/"+name+".yaml", "segment: "+name+"\nwhen: {did: product viewed, within: 30d}\n")
	}
	d = d.with("segments/zz.yaml", "segment: zz\n")
	a := w.as(w.team()[people.Owner], "PUT", "/definitions", d, nil, "If-Match", "*")
	if a.Code != 400 || !strings.Contains(a.Body.String(), "segments/zz.yaml") {
		t.Errorf("%d: %s", a.Code, a.Body)
	}
}

func TestDefinitionsComeIntoForceAllOfThemOrNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d, again bundle
	w.get("/definitions", &d)
	if d.Tag == "" || d.file("shop.yaml") == "" {
		t.Fatalf("the definitions are %d files of %q", len(d.Files), d.Tag)
	}
	const path = "segments/everyone-new.yaml"
	changed := d.with(path, "segment: everyone-new\nwhen: {did: Product Viewed, within: 30d}\n")
	var a struct{ Tag string }
	if code := w.ask(w.secret, "PUT", "/definitions", changed, &a, "If-Match", `"`+d.Tag+`"`); code != 200 || a.Tag == d.Tag {
		t.Fatalf("putting them in force = %d, %q after %q", code, a.Tag, d.Tag)
	}
	w.settle()
	w.get("/definitions", &again)
	if again.Tag != a.Tag || again.file(path) != changed.file(path) || len(again.Files) != len(d.Files)+1 {
		t.Errorf("in force are %d files of %q", len(again.Files), again.Tag)
	}
	if code := w.ask(w.secret, "PUT", "/definitions", d, nil, "If-Match", d.Tag); code != 409 {
		t.Errorf("a change of what is no longer in force = %d, want 409", code)
	}
	asked := w.as("", "PUT", "/definitions", d, nil, "Authorization", "Bearer "+w.secret)
	if asked.Code != 428 || !strings.Contains(asked.Body.String(), "ETag that GET /api/v1/definitions answers") {
		t.Errorf("a change that does not say of what = %d %s, want 428 and how to say it", asked.Code, asked.Body)
	}
	shown := w.as("", "GET", "/definitions", nil, nil, "Authorization", "Bearer "+w.secret)
	if etag := shown.Header().Get("ETag"); etag != `"`+a.Tag+`"` {
		t.Errorf("the ETag of what is in force is %s, want that of %q", etag, a.Tag)
	}
	if code := w.ask(w.secret, "PUT", "/definitions", again.with(path, "segment: everyone-new\n"), nil, "If-Match", "*"); code != 400 {
		t.Errorf("definitions with a mistake = %d, want 400", code)
	}
	if code := w.ask(w.secret, "PUT", "/definitions", again.with("../../etc/passwd", "x"), nil, "If-Match", "*"); code != 400 {
		t.Errorf("a path that leads out = %d, want 400", code)
	}
	var in struct{ Tag string }
	w.get("/program", &in)
	if in.Tag != a.Tag {
		t.Errorf("after what was refused %q is in force, want %q", in.Tag, a.Tag)
	}
	w.hear("ada", "Product Viewed", func(b *event.Builder) { b.SetText("sku", "LAMP") })
	var s struct{ Members int64 }
	w.get("/segments/everyone-new", &s)
	if s.Members != 1 {
		t.Errorf("%d are in the new segment, want 1", s.Members)
	}
}

func TestADifferenceNamesWhatChangesAndWhomItConcerns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d bundle
	w.get("/definitions", &d)
	const path = "segments/lookers.yaml"
	const lookers = "segment: lookers\nwhen: {did: Product Viewed, within: 30d}\n"
	d = d.with(path, lookers).with("journeys/wait.yaml", "journey: wait\ntrigger: {event: Product Viewed}\nholdout: 0\nsteps:\n  - wait: 30d\n")
	if code := w.ask(w.secret, "PUT", "/definitions", d, nil, "If-Match", "*"); code != 200 {
		t.Fatalf("putting them in force = %d", code)
	}
	w.settle()
	for _, user := range []string{"ada", "bob", "cleo"} {
		w.hear(user, "Product Viewed", func(b *event.Builder) { b.SetText("sku", "LAMP") })
	}
	type difference struct {
		Same      bool
		Customers int64
		Changes   []struct {
			Kind, Name, What string
			Lines            []string
			Affects          struct{ Members, Inside, Planned int64 }
		}
	}
	var same difference
	if code := w.ask(w.secret, "POST", "/definitions/diff", d, &same); code != 200 || !same.Same || len(same.Changes) > 0 {
		t.Errorf("the same differs: %d, %+v", code, same)
	}
	var got difference
	next := d.with(path, strings.Replace(lookers, "30d", "7d", 1)).with("journeys/wait.yaml", "").with("segments/more.yaml", "segment: more\nwhen: {trait: country, is: GB}\n")
	if code := w.ask(w.secret, "POST", "/definitions/diff", next, &got); code != 200 || got.Same || len(got.Changes) != 3 || got.Customers != 3 {
		t.Fatalf("the difference = %d, %+v", code, got)
	}
	wait, looked, more := got.Changes[0], got.Changes[1], got.Changes[2]
	if wait.What != "removed" || wait.Name != "wait" || wait.Affects.Inside != 3 {
		t.Errorf("the journey: %+v, want three people inside", wait)
	}
	if looked.What != "changed" || looked.Affects.Members != 3 || !strings.Contains(strings.Join(looked.Lines, "\n"), "-when: {did: Product Viewed, within: 30d}\n+when: {did: Product Viewed, within: 7d}") {
		t.Errorf("the segment: %+v, want three members and the line", looked)
	}
	if more.What != "added" || more.Affects.Members != 0 {
		t.Errorf("the new segment: %+v", more)
	}
}

// A shop that has none yet is not asked from what its first definitions were made.
func TestTheFirstDefinitionsAreMadeFromNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d bundle
	w.get("/definitions", &d)
	s, l := memory.New(), memory.NewLedger()
	n, err := run.Open(t.Context(), run.Options{Log: memlog.New(1, w.clock.Now), Store: s, Ledger: l, Workspace: "new", Key: identity.Key{9}, Clock: w.clock})
	w.must(err)
	w.api = api.New(api.Options{Node: n, Store: s, Ledger: l, Keys: w.ring, Now: w.clock.Now, Rate: -1, Imports: w.imports, Domains: w.domains, Catalogue: w.shelf})
	if code := w.ask(w.secret, "GET", "/definitions", nil, nil); code != 503 {
		t.Fatalf("a new shop's definitions = %d", code)
	}
	if code := w.ask(w.secret, "PUT", "/definitions", d, nil, "If-Match", `"0123456789abcdef"`); code != 409 {
		t.Errorf("definitions made from others that are not there = %d, want 409", code)
	}
	if code := w.ask(w.secret, "PUT", "/definitions", d, nil); code != 200 {
		t.Fatalf("the first definitions = %d, want 200", code)
	}
	w.must(n.Settle(t.Context()))
	if code := w.ask(w.secret, "PUT", "/definitions", d, nil); code != 428 {
		t.Errorf("the second = %d, want 428", code)
	}
	if code := w.ask(w.secret, "PUT", "/definitions", d, nil, "If-Match", "*"); code != 200 {
		t.Errorf("whatever is in force = %d, want 200", code)
	}
}

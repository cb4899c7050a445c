package api_test

import (
	"net/url"
	"strings"
	"testing"

	"rapport/internal/people"
)

func TestADraftIsFoundInEveryBrowserOfItsPersonAndInNobodyElses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	team := w.team()
	s, err := w.people.SignIn("marketer@shop.example", phrase) // another browser
	w.must(err)
	one, two, other := team[people.Marketer], s.Token, team[people.Owner]
	type draft struct{ Kind, Name, Version, At, Body string }
	var first, got draft
	if a := w.as(one, "PUT", "/drafts/segment", map[string]any{"name": "vip", "from": "", "body": "<b>\"one\""}, &first); a.Code != 200 || first.Version == "" || first.Body != "" {
		t.Fatalf("keeping = %d %s", a.Code, a.Body)
	}
	if a := w.as(two, "GET", "/drafts/segment?name=vip", nil, &got); a.Code != 200 || got.Body != "<b>\"one\"" || got.Version != first.Version {
		t.Errorf("another browser finds %d %s", a.Code, a.Body)
	}
	if a := w.as(other, "GET", "/drafts/segment?name=vip", nil, nil); a.Code != 404 {
		t.Errorf("somebody else finds %d %s", a.Code, a.Body)
	}
	if a := w.as(two, "PUT", "/drafts/segment", map[string]any{"name": "vip", "from": first.Version, "body": "two"}, nil); a.Code != 200 {
		t.Fatalf("going on = %d %s", a.Code, a.Body)
	}
	if a := w.as(one, "PUT", "/drafts/segment", map[string]any{"name": "vip", "from": first.Version, "body": "late"}, nil); a.Code != 409 || !strings.Contains(a.Body.String(), "another browser") {
		t.Errorf("the first browser overwrites the second: %d %s", a.Code, a.Body)
	}
	var list struct{ Data []draft }
	w.as(one, "PUT", "/drafts/journey", map[string]any{"name": "", "from": "", "body": "new"}, nil)
	if w.as(one, "GET", "/drafts", nil, &list); len(list.Data) != 2 || list.Data[0].Kind != "journey" || list.Data[1].Name != "vip" {
		t.Errorf("the list is %+v", list)
	}
	for _, wrong := range []string{"/drafts/person?name=x", "/drafts/segment?name=" + url.QueryEscape(strings.Repeat("a", 201))} {
		if a := w.as(one, "GET", wrong, nil, nil); a.Code != 400 {
			t.Errorf("%.40s = %d", wrong, a.Code)
		}
	}
	if a := w.as(one, "PUT", "/drafts/template", map[string]any{"name": "x", "from": "", "body": strings.Repeat("a", 600<<10)}, nil); a.Code != 413 {
		t.Errorf("a long one = %d", a.Code)
	}
	if a := w.as(two, "DELETE", "/drafts/segment?name=vip", nil, nil); a.Code != 204 {
		t.Errorf("giving up = %d %s", a.Code, a.Body)
	}
	if a := w.as(one, "GET", "/drafts/segment?name=vip", nil, nil); a.Code != 404 {
		t.Errorf("what was given up = %d", a.Code)
	}
	if code := w.ask(w.secret, "GET", "/drafts", nil, nil); code != 403 {
		t.Errorf("a key has drafts: %d", code)
	}
	for _, d := range w.people.Deeds(0, 100, func(*people.Deed) bool { return true }) {
		if strings.HasPrefix(d.Object, "/drafts") {
			t.Errorf("a draft is in the trail: %+v", d)
		}
	}
	// Who works here no longer leaves none.
	var me struct{ ID string }
	w.as(one, "GET", "/session", nil, &me)
	if a := w.as(other, "DELETE", "/people/"+me.ID, nil, nil); a.Code != 204 {
		t.Fatalf("taking somebody out = %d %s", a.Code, a.Body)
	}
	if left, err := w.drafts.List(me.ID); err != nil || len(left) > 0 {
		t.Errorf("%v %v are left", left, err)
	}
}

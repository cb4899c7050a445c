package api_test

import (
	"strings"
	"testing"

	"rapport/internal/people"
)

func TestATemplateIsReadAsACustomerInAFrameThatRunsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hear("ada", "Product Viewed", nil)
	var all list
	w.get("/templates?limit=500", &all)
	if len(all.Data) == 0 {
		t.Fatal("there are no templates")
	}
	name := ""
	for _, one := range all.Data {
		if files, _ := one["files"].([]any); len(files) > 0 && one["subject"] != nil {
			name, _ = one["name"].(string)
		}
	}
	var v struct{ Subject, HTML, Text string }
	if code := w.ask(w.secret, "POST", "/templates/"+name+"/preview", map[string]string{"customer": "ada@people.example"}, &v); code != 200 || v.HTML == "" || v.Text == "" {
		t.Fatalf("the preview of %q = %d %+v", name, code, v)
	}
	tokens := w.team()
	a := w.as(tokens[people.Analyst], "GET", "/templates/"+name+"/frame?customer="+w.idOf("ada"), nil, nil)
	policy := a.Header().Get("Content-Security-Policy")
	if a.Code != 200 || a.Body.String() != v.HTML || !strings.HasPrefix(policy, "sandbox;") || strings.Contains(policy, "script") {
		t.Errorf("the frame = %d, policy %q", a.Code, policy)
	}
	for path, want := range map[string]int{"/templates/none/frame?customer=" + w.idOf("ada"): 404, "/templates/" + name + "/frame?customer=ada@people.example": 400} {
		if code := w.as(tokens[people.Analyst], "GET", path, nil, nil).Code; code != want {
			t.Errorf("%s = %d, want %d", path, code, want)
		}
	}
}

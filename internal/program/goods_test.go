package program_test

import (
	"strings"
	"testing"
	"time"

	"rapport/internal/core/profile"
	"rapport/internal/core/recommend"
	"rapport/internal/program"
)

// lights sells lamps in two sizes and recommends them all, whatever was bought: what
// must not be shown is left out by the rule that it is handed.
type lights struct{ asked *program.Asked }

func (lights) Product(sku string) (program.Product, bool) {
	id, _, _ := strings.Cut(sku, "-")
	return program.Product{SKU: sku, Name: "Name of " + id, Names: []string{id, id + "-S", id + "-L"}, Available: true}, strings.HasPrefix(sku, "LAMP")
}

func (l lights) Recommend(a program.Asked) (names []string) {
	*l.asked = a
	for _, id := range []string{"LAMP1", "LAMP2", "LAMP3"} {
		if a.Owning.JustBought(a.Profile, &recommend.Thing{SKU: id, Variants: []string{id + "-S", id + "-L"}}, a.Now) == nil && len(names) < a.N {
			names = append(names, id)
		}
	}
	return names
}

func TestNoBlockOfAMessageShowsWhatTheReaderJustBought(t *testing.T) {
	t.Parallel()
	var asked program.Asked
	p := gift(t, map[string]string{
		"templates/hello.html.liquid": "---\nsubject: Hello\nlayout: none\n---\n{% assign list = 'new' | recommend: 2 %}{% for i in list %}[{{ i.name }}]{% endfor %}{% assign own = 'LAMP1-L' | product %}{% if own %}({{ own.name }}){% endif %} {{ unsubscribe_url }}{{ shop.postal }}",
		"templates/hello.txt.liquid":  "x{{ unsubscribe_url }}{{ shop.postal }}",
	}, lights{&asked})
	who := reader("Ada", false)
	words := func(props ...string) string {
		d := profile.Delivery{Class: profile.Marketing, Product: strings.Join(props, "")}
		v, err := p.Preview(program.Sample{Template: "hello", Customer: who, Delivery: d}, noon)
		if err != nil {
			t.Fatal(err)
		}
		return v.HTML
	}
	if got := words(); !strings.HasPrefix(got, "[Name of LAMP1][Name of LAMP2](Name of LAMP1)") {
		t.Errorf("before a purchase: %s", got)
	}
	who.Bought = []profile.Bought{{SKU: "LAMP1-S", Count: 1, First: noon - 1000, Last: noon - 1000}}
	if got := words(); !strings.HasPrefix(got, "[Name of LAMP2][Name of LAMP3] ") {
		t.Errorf("after a variant was bought: %s", got)
	}
	if got := words("LAMP1-L"); !strings.Contains(got, "(Name of LAMP1)") {
		t.Errorf("a message about the lamp does not name it: %s", got)
	}
	if asked.List != "new" || asked.N != 2 || asked.Profile != who || !asked.Quiet || asked.Owning.For != 90*24*time.Hour {
		t.Errorf("the question was %+v", asked)
	}
}

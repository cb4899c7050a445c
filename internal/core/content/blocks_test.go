package content_test

import (
	"errors"
	"strings"
	"testing"

	"rapport/internal/core/content"
	"rapport/internal/fault"
)

// blocks makes blocks of names and bodies in turn.
func blocks(pairs ...string) content.Blocks {
	b := content.Blocks{}
	for i := 0; i < len(pairs); i += 2 {
		b[pairs[i]] = content.File{Spot: content.Spot{Name: "blocks/" + pairs[i]}, Body: pairs[i+1]}
	}
	return b
}

func TestABlockIsShownWhereItStandsAndEscapesForThatPlace(t *testing.T) {
	t.Parallel()
	list := []any{map[string]any{"name": "A<b>", "url": "https://shop.example/?a=1&b=2"}, map[string]any{"name": "B\"", "url": "https://shop.example/b"}}
	vars := content.Vars{"list": list, "x": "<x>", "shop": map[string]any{"name": "Shop"}, "secret": "s"}
	for _, c := range []struct {
		source string
		blocks content.Blocks
		want   string // "!…": an error with these words
	}{
		{`{% render 'card', item: list[0] %}`, blocks("card", `<a href="{{ item.url }}">{{ item.name }}</a>`), `<a href="https://shop.example/?a=1&amp;b=2">A&lt;b&gt;</a>`},
		{`{% render 'card' for list as item %}`, blocks("card", `{{ forloop.index }}<b title="{{ item.name }}">{{ item.name }}</b>`), `1<b title="A&lt;b&gt;">A&lt;b&gt;</b>2<b title="B&quot;">B&quot;</b>`},
		{`<p title="{% render 'word', w: x %}">{% render 'word', w: x %}</p>`, blocks("word", `{{ w }}!`), `<p title="&lt;x&gt;!">&lt;x&gt;!</p>`},
		{`<a href="{% render 'to' %}">t</a>`, blocks("to", `https://shop.example/`), `<a href="https://shop.example/">t</a>`},
		{`<a href="{% render 'to', u: x %}">t</a>`, blocks("to", `{{ u }}`), "!blocks/to:1: \"<x>\" may not be a link"},
		{`<script>{% render 'word', w: x %}</script>`, blocks("word", "\n{{ w }}"), "!blocks/word:2: a variable may not stand in <script>"},
		{`{% render 'open' %}`, blocks("open", `<p title="`), "!html:1: the HTML ends inside the attribute title"},
		{`{% render 'b' %}`, blocks("b", `{{ shop.name }}`), "!missing"},
		{`{% render 'b' %}`, blocks("b", `{% if secret %}seen{% else %}alone{% endif %}`), "alone"},
		{`{% include 'b' %}`, blocks("b", `{% if secret %}seen{% endif %}`), "seen"},
		{`{% assign n = 1 %}{% render 'b' %}{{ n }}`, blocks("b", `{% assign n = 2 %}{{ n }}`), "21"},
		{`{% assign n = 1 %}{% include 'b' %}{{ n }}`, blocks("b", `{% assign n = 2 %}{{ n }}`), "22"},
		{`{% for i in (1..3) %}{% render 'b' %}{{ i }}{% endfor %}`, blocks("b", `{% break %}`), "!may not leave a capture or a block"},
		{`{% for i in (1..3) %}{{ i }}{% include 'b' %}{% endfor %}`, blocks("b", `{% break %}`), "1"},
		{`{% assign b = "one" %}{% include b %}`, blocks("one", `1`, "two", "2"), "1"},
		{`{% assign b = "three" %}{% include b %}`, blocks("one", `1`), `!there is no block "three" that may stand here`},
		{`{% assign b = "one" %}{% include b %}>t</p>`, blocks("one", `<p`, "two", "2"), "!let all ways end in the same place"},
		{`{% render 'card' %}`, blocks("kard", "", "hero", ""), `!html:1: there is no block "card"; there is hero, kard`},
		{`{% render x %}`, nil, "!a block is shown by its name: {% render 'name' %}"},
		{`{% render 'a' %}`, blocks("a", "\n{% render 'b' %}", "b", "{% render 'a' %}"), "!blocks/b:1: the block a would stand in itself: a in b in a"},
		{`{% render 'a', x %}`, blocks("a", ""), "!a block is handed values as {% render 'name', value: product.name %}"},
		{`<table>{% tablerow p in list cols: 1 %}{{ p.name }}{% endtablerow %}</table>`, nil, "<table><tr class=\"row1\">\n<td class=\"col1\">A&lt;b&gt;</td></tr>\n<tr class=\"row2\"><td class=\"col1\">B&quot;</td></tr>\n</table>"},
		{`<p title="{% tablerow p in list %}{% endtablerow %}">`, nil, "!html:1: a tablerow may not stand in the attribute title"},
		{`{% tablerow p in list %}<p title="{% endtablerow %}`, nil, "!let all ways end in the same place"},
	} {
		tpl, err := content.Compile("t", content.Sources{HTML: c.source, HTMLBlocks: c.blocks})
		got := ""
		if err == nil {
			var out content.Rendered
			out, err = tpl.Render(vars, content.Env{})
			got = out.HTML
		}
		if want, bad := strings.CutPrefix(c.want, "!"); bad {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q, %v; want an error with %q", c.source, got, err, want)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%s = %q, %v; want %q", c.source, got, err, c.want)
		}
	}
}

func TestABlockKnowsWhatEverybodySharesWithoutBeingHandedIt(t *testing.T) {
	t.Parallel()
	tpl := compile(t, content.Sources{Text: `{{ shop }} {% render 'b' %}`, TextBlocks: blocks("b", `{{ shop }}{% if customer %}!{% endif %}`)})
	out, err := tpl.Render(content.Vars{"customer": "Ada"}, content.Env{Shared: content.Vars{"shop": "Shop"}})
	if err != nil || out.Text != "Shop Shop" {
		t.Errorf("%q, %v", out.Text, err)
	}
}

func TestAMessageStandsInItsLayoutAndErrorsNameTheFile(t *testing.T) {
	t.Parallel()
	src := content.Sources{HTML: "<p>{{ word }}</p>\n{{ missing }}", HTMLLayout: content.File{Spot: content.Spot{Name: "layouts/l", Line: 1}, Body: "{% assign word = 'W' %}<body>{{ content }}</body>"}}
	src.Spots.HTML = content.Spot{Name: "templates/t", Line: 5}
	tpl := compile(t, src)
	out, err := tpl.Render(content.Vars{"missing": "!"}, content.Env{})
	if err != nil || out.HTML != "<body><p>W</p>\n!</body>" {
		t.Errorf("%q, %v", out.HTML, err)
	}
	if _, err := tpl.Render(nil, content.Env{}); err == nil || !strings.HasPrefix(err.Error(), "templates/t:6: missing is missing or empty") {
		t.Errorf("the error is %v", err)
	}
	src.HTMLLayout.Body = `<script>{{ content }}</script>`
	if _, err := content.Compile("t", src); err == nil || !strings.HasPrefix(err.Error(), "templates/t:5: a variable may not stand in <script>") {
		t.Errorf("a message in a script: %v", err)
	}
}

func TestAbortGivesUpWithAReasonAndIsNoFault(t *testing.T) {
	t.Parallel()
	tpl := compile(t, content.Sources{HTML: "<p>\n{% if stock == 0 %}{% abort \"sold out\n\x07today\" %}{% endif %}x</p>", Text: "{% if no %}{% abort why %}{% endif %}t"})
	for _, c := range []struct {
		vars content.Vars
		want string
	}{{content.Vars{"stock": 1}, ""}, {content.Vars{"stock": 0}, "sold out today"}, {content.Vars{"no": true, "why": "the <b>shop</b> says so"}, "the <b>shop</b> says so"}} {
		out, err := tpl.Render(c.vars, content.Env{})
		var gone *content.Aborted
		if errors.As(err, &gone) != (c.want != "") || c.want != "" && (gone.Reason != c.want || out != (content.Rendered{})) {
			t.Errorf("%v: %v, want %q", c.vars, err, c.want)
		}
	}
	if _, err := content.Compile("t", content.Sources{Text: "{% abort %}"}); err == nil || !strings.Contains(err.Error(), `abort says why: {% abort "sold out" %}`) {
		t.Errorf("abort without a reason: %v", err)
	}
}

func TestAFallbackStandsWhereAValueIsMissing(t *testing.T) {
	t.Parallel()
	tpl := compile(t, content.Sources{
		Text:       `Hi {{ customer.first_name }}{{ customer.first_name | upcase }}{{ "!" | prepend: customer.first_name }}{% render 'b', n: customer.first_name %}{% if customer.first_name %} known{% endif %}`,
		TextBlocks: blocks("b", `{{ n }}`), Fallback: map[string]string{"customer.first_name": "there"},
	})
	for _, c := range []struct {
		vars content.Vars
		want string
	}{
		{nil, "Hi thereTHEREthere!there"},
		{content.Vars{"customer": map[string]any{"first_name": " "}}, "Hi thereTHEREthere!there known"},
		{content.Vars{"customer": map[string]any{"first_name": "Ada"}}, "Hi AdaADAAda!Ada known"},
	} {
		if out, err := tpl.Render(c.vars, content.Env{}); err != nil || out.Text != c.want {
			t.Errorf("%v: %q, %v; want %q", c.vars, out.Text, err, c.want)
		}
	}
}

func TestAPreviewMarksWhatIsMissingAndASendNeverDoes(t *testing.T) {
	t.Parallel()
	src := content.Sources{
		Subject: "Hi {{ name }}", HTML: "<p style=\"color:{{ c }}\" title='{{ a | upcase }}'>{{ name | append: '!' }}\n<a href=\"{{ u }}\">{{ name | append: other }}</a><a href=\"https://a.example/{{ n }}\">{{ here }}</a>{% assign z = name | upcase %}{{ z | downcase }}</p>",
		Text: "{{ name }} {{ here }}{% for i in none %}{{ i }}{% endfor %}",
	}
	src.Spots.HTML = content.Spot{Name: "t.html", Line: 3}
	tpl := compile(t, src)
	vars := content.Vars{"here": "here"}
	out, gaps, err := tpl.Preview(vars, content.Env{})
	if err != nil {
		t.Fatal(err)
	}
	const mark = `<mark style="background:#ffe08a;color:#000000">⟦`
	want := `<p style="color:inherit" title='⟦a | upcase⟧'>` + mark + `name | append: &#39;!&#39;⟧</mark>` + "\n" + `<a href="#missing">` + mark + `name | append: other⟧</mark></a><a href="https://a.example/missing">here</a>` + mark + `name | upcase⟧</mark></p>`
	if out.Subject != "Hi ⟦name⟧" || out.Text != "⟦name⟧ here" || out.HTML != want {
		t.Errorf("%q\n%q\n%s\nwant\n%s", out.Subject, out.Text, out.HTML, want)
	}
	found := false
	for _, g := range gaps {
		found = found || g == content.Gap{What: "u", Spot: content.Spot{Name: "t.html", Line: 4}}
	}
	if len(gaps) != 9 || !found {
		t.Errorf("gaps = %v", gaps)
	}
	if out, err := tpl.Render(vars, content.Env{}); !fault.Is(err, fault.Invalid) || out != (content.Rendered{}) {
		t.Errorf("a send became %q, %v", out.HTML, err)
	}
}

func TestASentenceIsPutInFromTheLocales(t *testing.T) {
	t.Parallel()
	words := func(key string, count int64, counted bool) (string, bool) {
		switch {
		case key == "hi":
			return "Hallo {name} & {a b}{", true
		case key == "n" && counted && count == 1:
			return "{count} Ding", true
		case key == "n":
			return "{count} Dinge", true
		}
		return "", false
	}
	for source, want := range map[string]string{
		`<p>{{ "hi" | t: name: x }}</p>`: `<p>Hallo &lt;A&gt; &amp; {a b}{</p>`, `<p>{{ "n" | t: count: 1 }} {{ "n" | t: count: list.size }}</p>`: `<p>1 Ding 2 Dinge</p>`,
		`{{ "hi" | t: name: nobody }}`: "!nobody is missing", `{{ "hi" | t }}`: `!the sentence "hi" needs name`, `{{ "no" | t }}`: `!there is no sentence "no"`,
	} {
		out, err := compile(t, content.Sources{HTML: source}).Render(content.Vars{"x": "<A>", "list": []any{1, 2}}, content.Env{Words: words})
		if want, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", source, err, want)
			}
		} else if err != nil || out.HTML != want {
			t.Errorf("%s = %s, %v", source, out.HTML, err)
		}
	}
}

func TestATemplateSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	tpl := compile(t, content.Sources{
		HTML:       "{{ customer.name }}{% if order.id %}{% endif %}{% for i in order.items %}{{ i.name }}{% render 'b', x: i %}{% endfor %}{% assign own = 1 %}{{ own }}\n{{ late | default: 'x' }}{{ 'k' | t: name: 1 }}",
		HTMLBlocks: blocks("b", "{{ x.name }}{{ y }}"),
	})
	var got []string
	for _, u := range tpl.Uses() {
		s := u.Path + "@" + u.Spot.String()
		if u.Shown {
			s += "!"
		}
		if u.Block != "" {
			s += " in " + u.Block
		}
		got = append(got, s)
	}
	const want = "y@blocks/b:1! in b, customer.name@t html:1!, order.id@t html:1, order.items@t html:1, late@t html:2"
	if list := strings.ReplaceAll(strings.Join(got, ", "), "welcome html", "t html"); list != want {
		t.Errorf("%s\nwant\n%s", list, want)
	}
	if w := tpl.Words(); len(w) != 1 || w[0].Key != "k" || len(w[0].Args) != 1 {
		t.Errorf("words = %v", w)
	}
}

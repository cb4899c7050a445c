package content_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/fault"
)

func compile(t *testing.T, src content.Sources) *content.Template {
	t.Helper()
	c, err := content.Compile("welcome", src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// html renders a template of HTML alone.
func html(t *testing.T, source string, vars content.Vars) (string, error) {
	t.Helper()
	out, err := compile(t, content.Sources{HTML: source}).Render(vars, content.Env{})
	return out.HTML, err
}

func TestAMessageIsWorded(t *testing.T) {
	t.Parallel()
	c := compile(t, content.Sources{
		Subject:   "{{ first_name }}, {{ items.size }} things\r\nfor you",
		Preheader: "From {{ items[0].price | money: \"GBP\" }} & up",
		HTML:      "<html><body class=x>{% for i in items %}<p>{{ i.name }}</p>{% endfor %}<a href=\"{{ url }}\">Go</a></body></html>",
		Text:      "Dear {{ first_name }},\n{% for i in items %}- {{ i.name }}\n{% endfor %}",
	})
	var lamp, shade event.Builder
	lamp.Set("name", event.Text("Lamp <s>")).Set("price", event.Num(1234.5))
	shade.Set("name", event.Text("Shade")).Set("price", event.Int(3))
	vars := content.Vars{"first_name": "Ada", "items": event.ListOf(event.Nested(lamp.Object()), event.Nested(shade.Object())), "url": "https://shop.example/?a=b&c=d"}
	out, err := c.Render(vars, content.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if out.Subject != "Ada, 2 things for you" {
		t.Errorf("subject %q", out.Subject)
	}
	if out.Text != "Dear Ada,\n- Lamp <s>\n- Shade\n" {
		t.Errorf("text %q", out.Text)
	}
	if !strings.HasPrefix(out.HTML, `<html><body class=x><div style="display:none;max-height:0;overflow:hidden">From £1,234.50 &amp; up&#847;`) ||
		!strings.HasSuffix(out.HTML, `</div><p>Lamp &lt;s&gt;</p><p>Shade</p><a href="https://shop.example/?a=b&amp;c=d">Go</a></body></html>`) {
		t.Errorf("html %q", out.HTML)
	}
	for range 3 {
		if again, err := c.Render(vars, content.Env{}); err != nil || again != out {
			t.Fatal("the same rendering gave something else")
		}
	}
}

func TestWhatIsMissingIsAnErrorUnlessTheTemplateSaysWhatToSay(t *testing.T) {
	t.Parallel()
	vars := content.Vars{"name": "Ada", "spaces": " \t", "void": "", "none": nil, "list": []any{}, "zero": 0, "no": false, "people": []any{map[string]any{"name": ""}}}
	for _, c := range []struct{ source, want string }{ // want "!": an error
		{"Hi {{ name }},", "Hi Ada,"},
		{"Hi {{ nobody }},", "!"},
		{"Hi {{ name.first }},", "!"},
		{"Hi {{ void }},", "!"},
		{"Hi {{ spaces }},", "!"},
		{"Hi {{ none }},", "!"},
		{"Hi {{ nobody | upcase }},", "!"},
		{"Hi {{ void | append: '!' }},", "!"},
		{"Hi {{ 'dear ' | append: nobody }},", "!"},
		{"Hi {{ spaces | strip }},", "!"},
		{"Hi {{ name | remove: 'Ada' }},", "!"},
		{"Hi {{ people | map: 'name' | first }},", "!"},
		{"Hi {{ list | first }},", "!"},
		{"Hi {{ name | split: '' | last | replace: 'a', '' }},", "!"},
		{"{% assign who = nobody | append: '!' %}Hi {{ who }},", "!"},
		{"{% assign who = nobody %}Hi {{ who }},", "!"},
		{"{% for p in people %}Hi {{ p.name }},{% endfor %}", "!"},
		{"{% capture who %}{{ nobody }}{% endcapture %}Hi {{ who }},", "!"},
		{"{% cycle nobody, 'x' %}", ""},
		{"Hi {{ nobody | default: 'there' }},", "Hi there,"},
		{"Hi {{ void | default: 'there' }},", "Hi there,"},
		{"Hi {{ spaces | default: 'there' }},", "Hi there,"},
		{"Hi {{ nobody | default: 'there' | upcase }},", "Hi THERE,"},
		{"Hi{{ nobody | default: '' }},", "Hi,"},
		{"Hi {{ name | default: nobody }},", "Hi Ada,"},
		{"Hi {{ nobody | default: empty_too }},", "!"},
		{"{% if nobody %}Hi {{ nobody }},{% else %}Hello,{% endif %}", "Hello,"},
		{"{% unless nobody == blank %}x{% endunless %}{% for x in nobody %}x{% else %}none{% endfor %}", "none"},
		{"{{ zero }} {{ no }} {{ list | size }}", "0 false 0"},
	} {
		got, err := compile(t, content.Sources{Text: c.source}).Render(vars, content.Env{})
		if (err != nil) != (c.want == "!") || err == nil && got.Text != c.want {
			t.Errorf("%s = %q, %v; want %q", c.source, got.Text, err, c.want)
		}
		if err != nil && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "welcome text:1: ") || !strings.Contains(err.Error(), "missing or empty")) {
			t.Errorf("%s: the error is %v", c.source, err)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, want string }{
		{"a\nb\n{{ x | nosuch }}", `welcome html:3: there is no filter "nosuch"`},
		{"a\n{% if x %}\nb", "welcome html:2: if has no endif"},
		{"{{ x", "welcome html:1: there is no end to"},
		{"{% nosuch %}", `welcome html:1: there is no tag "nosuch" here`},
		{"\n{% render 'x' %}", `welcome html:2: there is no block "x"; a block is a file in the folder blocks`},
		{"<p>\n<a href={{ x }}>", "welcome html:2: put quotes around the value of href"},
		{"\n\n<p {{ x }}>", "welcome html:3: a variable may not stand in a tag"},
		{"<p class=\"x", "welcome html:1: the HTML ends inside the attribute class"},
		{"{{ x | truncate: 1, 2, 3 }}", "the filter truncate takes 0 to 2 arguments"},
	} {
		_, err := content.Compile("welcome", content.Sources{HTML: c.source})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.source, err, c.want)
		}
	}
	_, err := html(t, "\n<p>{{ x }}</p>", nil)
	if err == nil || !strings.Contains(err.Error(), "welcome html:2: x is missing") {
		t.Errorf("rendering: %v", err)
	}
	if _, err := content.Compile("welcome", content.Sources{Subject: "Hi"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a subject alone: %v", err)
	}
}

func TestASubjectIsOneLine(t *testing.T) {
	t.Parallel()
	c := compile(t, content.Sources{Subject: "For {{ name }}", Text: "x"})
	out, err := c.Render(content.Vars{"name": "A\r\nBcc: x@evil.example\x00\x1b[2J\u2028\u0085<b>"}, content.Env{})
	if err != nil || out.Subject != "For A Bcc: x@evil.example[2J <b>" {
		t.Errorf("%q, %v", out.Subject, err)
	}
	if _, err := compile(t, content.Sources{Subject: "{% if no %}x{% endif %}", Text: "x"}).Render(nil, content.Env{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty subject: %v", err)
	}
}

func TestDatesAreToldInTheCustomersZone(t *testing.T) {
	t.Parallel()
	madrid := time.FixedZone("CET", 3600)
	at := event.At(time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC))
	vars := content.Vars{"at": at, "sent": "2026-03-01T23:30:00Z", "day": "2026-03-01"}
	for source, want := range map[string]string{
		"{{ at | date: '%A %-d %B, %H:%M' }}":   "Monday 2 March, 00:30",
		"{{ sent | date: '%e.%m.%y %l%P' }}":    " 2.03.26 12am",
		"{{ day | date: '%a %d %b %Y %j %%' }}": "Sun 01 Mar 2026 060 %",
		"{{ 'now' | date: '%Y-%m-%d' }}":        "2026-03-02",
		"{{ 'someday' | date: '%Y' }}":          "someday",
		"{{ at | date: '%q %^a' }}":             "%q MON",
	} {
		got, err := compile(t, content.Sources{Text: source}).Render(vars, content.Env{Zone: madrid, Now: at})
		if err != nil || got.Text != want {
			t.Errorf("%s = %q, %v; want %q", source, got.Text, err, want)
		}
	}
	if _, err := compile(t, content.Sources{Text: "{{ 'now' | date: '%Y' }}"}).Render(nil, content.Env{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("now without a clock: %v", err)
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"{{ 1234567.891 | money: 'GBP' }}": "£1,234,567.89", "{{ 5 | money: 'EUR' }}": "€5.00", "{{ '0.005' | money }}": "0.01", "{{ 999 | money: 'JPY' }}": "¥999",
		"{{ -3.5 | money: 'USD' }}": "-$3.50", "{{ 12 | money: 'SEK' }}": "12.00 SEK", "{{ 1000 | money: 'GBP' }}": "£1,000.00", "{{ 'x' | money }}": "!", "{{ 1 | money: 'pounds' }}": "!",
	} {
		got, err := compile(t, content.Sources{Text: source}).Render(nil, content.Env{})
		if (err != nil) != (want == "!") || err == nil && got.Text != want {
			t.Errorf("%s = %q, %v; want %q", source, got.Text, err, want)
		}
	}
}

func FuzzCompileAndRender(f *testing.F) {
	for _, s := range []string{"{{ a }}", "<a href=\"{{ a }}\">{% for x in b %}{{ x | upcase }}{% endfor %}</a>", "{% liquid\nassign x = a\necho x %}", "{% case a %}{% when 1, 2 %}x{% else %}y{% endcase %}", "<!--[if mso]><p>{{ a }}<![endif]-->", "{% raw %}{{{% endraw %}", "{% render 'a', a: a %}{% include 'b' for b as x %}{% render 'c' %}", "<table>{% tablerow x in b cols: 2 %}{{ x }}{% endtablerow %}</table>", "{% if a %}{% abort a %}{% endif %}{{ z }}"} {
		f.Add(s, "<script>")
	}
	f.Fuzz(func(t *testing.T, source, value string) {
		set := blocks("a", "{{ a }}{% include 'b' %}", "b", "<b>{{ x }}</b>", "c", source)
		c, err := content.Compile("fuzz", content.Sources{HTML: source, Text: source, HTMLBlocks: set, TextBlocks: set, Fallback: map[string]string{"z": value}})
		if err != nil {
			return
		}
		vars := content.Vars{"a": value, "b": []any{value, 1, nil, map[string]any{"a": value}}}
		one, err := c.Render(vars, content.Env{Limits: content.Limits{Steps: 2000, Made: 1 << 16, Output: 1 << 16}})
		if two, again := c.Render(vars, content.Env{Limits: content.Limits{Steps: 2000, Made: 1 << 16, Output: 1 << 16}}); one != two || (err == nil) != (again == nil) {
			t.Fatal("two renderings differ")
		}
		scratch := &content.Scratch{}
		for range 2 {
			if two, again := c.Render(vars, content.Env{Scratch: scratch, Limits: content.Limits{Steps: 2000, Made: 1 << 16, Output: 1 << 16}}); one != two || (err == nil) != (again == nil) {
				t.Fatal("a rendering with used memory differs")
			}
		}
		if seen, gaps, again := c.Preview(vars, content.Env{Limits: content.Limits{Steps: 2000, Made: 1 << 16, Output: 1 << 16}}); err == nil && (again != nil || len(gaps) > 0 || seen != one) {
			t.Fatalf("a preview without gaps differs from the send: %v, %v", again, gaps)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	var items []any
	for i := range 6 {
		items = append(items, map[string]any{"name": fmt.Sprint("Blue & white plimsolls ", i), "url": "https://shop.example/p/1", "price": json.Number("29.99"), "image": "https://cdn.shop.example/1.jpg"})
	}
	source := "<html><body><h1>Hi {{ first_name | default: 'there' }}</h1>" + strings.Repeat("<p style=\"color:#333333;font-size:14px\">Three weeks ago you looked at these.</p>\n", 60) +
		"{% for i in items %}<td><a href=\"{{ i.url }}\"><img src=\"{{ i.image }}\" alt=\"{{ i.name }}\"></a>{{ i.name }} {{ i.price | money: 'GBP' }}</td>{% endfor %}</body></html>"
	c, err := content.Compile("bench", content.Sources{Subject: "{{ first_name }}, they are back", HTML: source, Text: "Hi {{ first_name }}"})
	if err != nil {
		b.Fatal(err)
	}
	vars := content.Vars{"first_name": "Ada", "items": items}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Render(vars, content.Env{}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestANameThatIsMadeHidesWhatIsShared(t *testing.T) {
	t.Parallel()
	shared := content.Vars{"brand": map[string]any{"name": "shared"}}
	var one, two event.Builder
	one.SetText("name", "one")
	two.SetText("name", "two")
	var b event.Builder
	b.Set("brands", event.ListOf(event.Nested(one.Object()), event.Nested(two.Object())))
	vars := content.Vars{"trigger": b.Object()}
	for source, want := range map[string]string{
		"{{ brand.name }}": "shared",
		"{{ brand.name }}{% for brand in trigger.brands %}{{ brand.name }}{% endfor %}{{ brand.name }}":                                                                                                                      "sharedonetwoshared",
		"{% for x in trigger.brands %}{{ brand.name }}{% assign brand = x %}{% endfor %}{{ brand.name }}":                                                                                                                    "sharedonetwo",
		"{% render 'show' %}{% for x in trigger.brands %}{% render 'show', brand: x %}{% endfor %}{% render 'show' %}":                                                                                                       "sharedonetwoshared",
		"{% render 'show' for trigger.brands as brand %}{% include 'show' with trigger.brands as brand %}":                                                                                                                   "onetwoonetwo",
		"{% assign which = 'brand' %}{% include which with trigger.brands[1] %}{{ brand.name }}":                                                                                                                             "twoshared",
		"{{ trigger.brands.size }}{% for x in trigger.brands limit: 1 %}{% for y in trigger.brands %}{{ x.name }}{{ y.name }}{% endfor %}{% endfor %}{% for x in trigger.brands offset: continue %}{{ x.name }}{% endfor %}": "2oneoneonetwotwo",
	} {
		blocks := content.Blocks{"show": {Body: "{{ brand.name }}"}, "brand": {Body: "{{ brand.name }}"}}
		tpl, err := content.Compile("hidden", content.Sources{Text: source, TextBlocks: blocks})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := tpl.Render(vars, content.Env{Shared: shared}); err != nil || out.Text != want {
			t.Errorf("%s is %q, %v; want %q", source, out.Text, err, want)
		}
	}
}

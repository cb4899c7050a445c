package content_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	dom "golang.org/x/net/html"

	"rapport/internal/core/content"
	"rapport/internal/fault"
)

// corpus is what strangers type where a name is asked for.
var corpus = []string{
	`<svg onload=alert(1)>`, `"><img src=x onerror=alert(1)>`, `'><img src=x onerror=alert(1)>`, `</script><script>alert(1)</script>`, `<script>alert(1)</script>`,
	`javascript:alert(1)`, `JaVaScRiPt:alert(1)`, "java\tscript:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)", "\x01javascript:alert(1)", `javascript&colon;alert(1)`,
	`data:text/html,<script>alert(1)</script>`, `vbscript:msgbox(1)`, `//evil.example`, `/\evil.example`, `https:evil.example`, `https:///evil.example`, `https://ok@evil.example/`,
	`" onmouseover="alert(1)`, `' onmouseover='alert(1)`, "` onmouseover=alert(1) `", `x onmouseover=alert(1)`, `-->`, `--!><svg onload=alert(1)>`, `--`, `]]>`, `<![endif]-->`,
	`</style><svg onload=alert(1)>`, `</title><svg onload=alert(1)>`, `</textarea><svg onload=alert(1)>`, `expression(alert(1))`, `url(javascript:alert(1))`, `;background:url(//evil.example)`, `red;}body{display:none`,
	`&lt;svg onload=alert(1)&gt;`, `&#60;svg onload=alert(1)&#62;`, `&amp;lt;svg onload=alert(1)&amp;gt;`, `%3Csvg onload=alert(1)%3E`, "\u003csvg onload=alert(1)\u003e", "＜svg onload=alert(1)＞", "<\x00svg onload=alert(1)>", "\xff<svg onload=alert(1)>",
	`{{ 7 | times: 7 }}`, `{% raw %}<svg onload=alert(1)>{% endraw %}`, `PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+`, `<a href="javascript:alert(1)">x</a>`, `<iframe srcdoc="x">`, `<base href=//evil.example>`, `<plaintext>`, `<!--`, `<`, `>`, `"`, `'`, `&`,
}

// places are templates with x in every place where a template may have it.
var places = []string{
	`<p>{{ x }}</p>`, `<p>a{{ x }}b{{ x }}</p>`, `<p title="{{ x }}">t</p>`, `<p title='{{ x }}'>t</p>`, `<p title="a{{ x }}b" class="{{ x }}">t</p>`, `<title>{{ x }}</title>`, `<textarea>{{ x }}</textarea>`,
	`<a href="{{ x }}">t</a>`, `<a href=" {{ x }}">t</a>`, `<a href='{{ x }}'>t</a>`, `<img src="{{ x }}">`, `<a href="https://shop.example/{{ x }}">t</a>`, `<a href="https://shop.example/?q={{ x }}">t</a>`, `<a href="/{{ x }}">t</a>`,
	`<a href="{{ base }}{{ x }}">t</a>`, `<a href="{% if x %}{{ x }}{% endif %}">t</a>`, `<a href="{% if x %}{{ x }}{% else %}https://a.example/{% endif %}">t</a>`, `<a href="mailto:{{ x }}">t</a>`, `<td background="{{ x }}">t</td>`, `<form action="{{ x }}">t</form>`,
	`<p style="color:{{ x }}">t</p>`, `<style>p{color:{{ x }}}</style>`, `<!-- {{ x }} --><p>t</p>`, `<!-- {{ x }}><p>t</p> --><p>t</p>`, `<!--[if mso]>{{ x }}><p>t</p><![endif]--><p>t</p>`, `<!--[if mso]><p title="{{ x }}">{{ x }}</p><![endif]--><p>t</p>`, `<!--[if !mso]><!--><p>{{ x }}</p><!--<![endif]-->`,
	`{% capture c %}<b>{{ x }}</b>{% endcapture %}{{ c }}<p title="{{ c }}">{{ c | strip }}</p><a href="https://a.example/{{ c }}">{{ c | append: x }}{{ x | append: c | prepend: x }}</a>`,
	`{% capture c %}{{ x }}{% endcapture %}<a href="{{ c }}">t</a>`, `{% capture c %}{{ x }}{% endcapture %}<p style="color:{{ c }}">t</p>`,
	`<p>{{ x | upcase }}{{ x | downcase }}{{ x | capitalize }}{{ x | append: x }}{{ x | prepend: "<" | append: ">" }}</p>`,
	`<p>{{ x | url_encode | url_decode }}{{ x | base64_encode | base64_decode }}</p>`, `<p>{{ x | strip_html | default: "-" }}</p>`, `<p>{{ x | escape }}{{ x | escape_once }}{{ x | newline_to_br }}{{ x | escape | newline_to_br }}</p>`,
	`<p>{{ x | escape | replace: "&lt;", "<" }}</p>`, `<p>{{ x | split: "" | join: "" }}{{ x | split: "s" | last | default: "-" }}{{ x | slice: 0, 9 }}{{ x | truncate: 20 }}{{ x | truncatewords: 2 }}</p>`,
	`<p>{{ nobody | default: x }}</p>`, `{% assign y = x %}<p title="{{ y }}">{{ y }}</p>`, `{% for i in list %}<p title="{{ i }}">{{ i }}</p>{% endfor %}`, `<p>{{ list }}{{ list | join: "<" }}</p>`, `<p>{{ map }}{% for f in map %}{{ f }}{{ f[0] }}{% endfor %}</p>`,
	`{% cycle x, "b" %}`, `<p title="{% cycle x, 'b' %}">t</p>`, `{% case x %}{% when "a" %}a{% else %}{{ x }}{% endcase %}`, `{% echo x %}{% liquid
	echo x %}`, `<td width="{{ x }}" bgcolor="{{ x }}" align="{{ x }}">t</td>`, `<p data-x="{{ x }}" aria-label="{{ x }}">t</p>`, `{% ifchanged %}{{ x }}{% endifchanged %}`,
}

// marks are what must not come out of a template in which they do not stand.
func dangerous(n *dom.Node) string {
	if n.Type == dom.ElementNode {
		switch n.Data {
		case "svg", "script", "iframe", "base", "plaintext", "object", "embed":
			return "the element " + n.Data
		}
		for _, a := range n.Attr {
			v := strings.ToLower(strings.Map(func(r rune) rune {
				if r <= ' ' {
					return -1
				}
				return r
			}, a.Val))
			switch {
			case a.Key == "style" && strings.ContainsAny(v, "(;}"):
				return "the style " + a.Val
			case strings.HasPrefix(a.Key, "on") || a.Key == "srcdoc":
				return "the attribute " + a.Key
			case (a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "background") &&
				!strings.HasPrefix(v, "https://") && !strings.HasPrefix(v, "http://") && !strings.HasPrefix(v, "mailto:") && !strings.HasPrefix(v, "tel:") && !strings.HasPrefix(v, "/"):
				return "the address " + a.Val
			case a.Key != "href" && a.Key != "src":
			case strings.HasPrefix(v, "https://ok@") || strings.HasPrefix(v, "https://b.example") && v != "https://b.example" && strings.IndexByte("/?#&", v[len("https://b.example")]) < 0:
				return "the address " + a.Val
			}
		}
	}
	if n.Type == dom.TextNode && n.Parent != nil && n.Parent.Data == "style" && strings.ContainsAny(n.Data, "(<;") {
		return "the style sheet " + n.Data
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if what := dangerous(c); what != "" {
			return what
		}
	}
	return ""
}

// shape is the elements and attributes of a document, without their values.
func shape(n *dom.Node) string {
	var b strings.Builder
	var walk func(*dom.Node)
	walk = func(n *dom.Node) {
		if n.Type == dom.ElementNode && n.Data != "br" { // newline_to_br may make one
			b.WriteString("<" + n.Data)
			for _, a := range n.Attr {
				b.WriteString(" " + a.Key)
			}
			b.WriteString(">")
		}
		if n.Type == dom.CommentNode {
			b.WriteString("<!>")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return b.String()
}

// What a stranger types is never markup: the document has the same elements and
// attributes as with a harmless word, and none of them does anything.
func TestItem54WhatAStrangerTypesIsNeverMarkup(t *testing.T) {
	t.Parallel()
	for _, source := range places {
		c, err := content.Compile("x", content.Sources{HTML: source})
		if err != nil {
			t.Errorf("%s does not compile: %v", source, err)
			continue
		}
		vars := func(x string) content.Vars {
			return content.Vars{"x": x, "base": "https://b.example", "list": []any{x, x}, "map": map[string]any{x: x}}
		}
		harmless := ""
		for _, word := range []string{"word", "https://a.example/", "/word"} {
			if out, err := c.Render(vars(word), content.Env{}); err == nil {
				harmless = out.HTML
				break
			}
		}
		if harmless == "" {
			t.Errorf("%s cannot be rendered at all", source)
			continue
		}
		parse := func(s string) *dom.Node {
			n, err := dom.Parse(strings.NewReader(s))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		want := shape(parse(harmless))
		for _, x := range corpus {
			out, err := c.Render(vars(x), content.Env{})
			if err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("%s with %q: %v", source, x, err)
				}
				continue // refused is safe
			}
			doc := parse(out.HTML)
			if got := shape(doc); got != want {
				t.Errorf("%s with %q became %s\nwhich is %s, not %s", source, x, out.HTML, got, want)
			}
			if what := dangerous(doc); what != "" {
				t.Errorf("%s with %q became %s\nwhich has %s", source, x, out.HTML, what)
			}
		}
	}
}

func TestAVariableWhereNoEscapingIsSafeDoesNotCompile(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`<script>var x = "{{ x }}"</script>`, `<p onclick="f('{{ x }}')">`, `<p ONCLICK="{{ x }}">`, `<a href={{ x }}>`, `<a href= {{ x }}>`, `<p {{ x }}>`, `<p {{ x }}="1">`, `<{{ x }}>`, `</{{ x }}>`, `<p{{ x }}>`, `<p class=a{{ x }}>`,
		`<iframe src="https://a.example/"></iframe>`, `<iframe srcdoc="{{ x }}">`, `<svg><a xlink:href="{{ x }}">`, `<base href="{{ x }}">`, `<object data="{{ x }}">`, `<meta http-equiv="refresh" content="0;url={{ x }}">`,
		`<a href="javascript:{{ x }}">`, `<a href="JAVASCRIPT:f()">`, `<a href="{{ x }}"><a href="vbscript:x">`, `<a href="java{{ x }}">`, `<a href="https:{{ x }}">`, `<a href="https://{{ x }}/">`, `<a href="https://shop.example{{ x }}">`, `<img src="data:image/png;base64,{{ x }}">`,
		`<p {% if x %}title{% else %}onclick{% endif %}="{{ x }}">`, `<p {% if x %}title="{% endif %}{{ x }}">`, `{% if x %}<!--{% endif %}<p>{{ x }}</p>`, `<!--{{ x }}-->{% if x %}<a href="{% endif %}`, `<!-- -{{ x }}-> -->`,
		`{% for i in list %}<a href="{% endfor %}`, `<a href="{% for i in list %}{% if i %}{% break %}{% endif %}">t</a>{% endfor %}">`, `<a href="{% for i in list %}{{ x }}{% endfor %}">`, `<a href="{% if x %}{{ x }}{% endif %}{{ x }}">`,
		`{% capture c %}<a href="{% endcapture %}`, `{% for i in list %}{% capture c %}<a href="{% break %}">{% endcapture %}{% endfor %}`, `<a href="{% break %}">{{ x }}</a>`, `<a href="{% if x %}{% break %}{% endif %}">{{ x }}</a>`,
		`<p title="{% case x %}{% when 1 %}">{% when 2 %}a{% endcase %}">`, `<title>{{ x }}`, `<style>{{ x }}`, `<!--[if mso]><a href="{{ x }}"`,
	} {
		if c, err := content.Compile("x", content.Sources{HTML: source}); !fault.Is(err, fault.Invalid) {
			out, _ := c.Render(content.Vars{"x": "https://x.example/", "list": []any{1}}, content.Env{})
			t.Errorf("%s compiles, %v, and becomes %q", source, err, out.HTML)
		}
	}
}

func TestHonestTemplatesCompile(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<a href="{% case n %}{% when 1 %}https://a.example/{% else %}https://b.example/{% endcase %}{{ x }}">t</a>`: `<a href="https://a.example/w">t</a>`,
		`<p {% if n == 1 %}class="a"{% endif %}>t</p>`:                                                               `<p class="a">t</p>`,
		`<option {% if n == 1 %}selected{% endif %}>t</option>`:                                                      `<option selected>t</option>`,
		`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ x }}</title><style>p{margin:0}</style><script type="application/ld+json">{"a":1}</script></head><body>1 < 2 & 3</body></html>`: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>w</title><style>p{margin:0}</style><script type="application/ld+json">{"a":1}</script></head><body>1 < 2 & 3</body></html>`,
		`{% for i in list %}{% if i == 2 %}{% break %}{% endif %}<a href="https://a.example/{{ i }}">{{ i }}</a>{% endfor %}`:                                                                                `<a href="https://a.example/1">1</a>`,
		`{% for i in list %}{% if i == 1 %}{% continue %}{% else %}<b>{{ i }}</b>{% endif %}{% endfor %}`:                                                                                                    `<b>2</b><b>3</b>`,
		`<td width="{{ n }}" style="color: #{{ hex }}; width: {{ n }}%">{{ n | plus: 1 }}</td>`:                                                                                                              `<td width="1" style="color: #ff00aa; width: 1%">2</td>`,
		`{% capture u %}https://a.example/?a={{ x }}&amp;b={{ amp }}{% endcapture %}<a href="{{ u }}">{{ u }}</a>`:                                                                                           `<a href="https://a.example/?a=w&amp;b=a&amp;b">https://a.example/?a=w&amp;b=a&amp;b</a>`,
		`<a href="mailto:{{ mail }}?subject=Hi">t</a><a href="tel:{{ n }}">t</a><a href="#top">t</a><img src="cid:1">`:                                                                                       `<a href="mailto:a@b.example?subject=Hi">t</a><a href="tel:1">t</a><a href="#top">t</a><img src="cid:1">`,
		`<a href="https://a.example/?q={{ amp | url_encode }}">t</a>`:                                                                                                                                        `<a href="https://a.example/?q=a%26b">t</a>`,
		`<a href="{{ url }}?utm=1&id={{ n }}">t</a>`:                                                                                                                                                         `<a href="https://a.example/gr%C3%BC%20n?utm=1&id=1">t</a>`,
		`{{ amp | escape }} {{ amp }} {{ "a<b" }} {{ "x" | append: "<" }}`:                                                                                                                                   `a&amp;b a&amp;b a&lt;b x&lt;`,
		`<table>{% for i in list %}<tr {% cycle "", "class=odd" %}><td>{{ i }}</td></tr>{% endfor %}</table>`:                                                                                                "!",
		`<table>{% for i in list %}<tr class="{% cycle "even", "odd" %}"><td>{{ i }}</td></tr>{% endfor %}</table>`:                                                                                          `<table><tr class="even"><td>1</td></tr><tr class="odd"><td>2</td></tr><tr class="even"><td>3</td></tr></table>`,
	} {
		c, err := content.Compile("x", content.Sources{HTML: source})
		if err != nil {
			if want != "!" {
				t.Errorf("%s: %v", source, err)
			}
			continue
		}
		vars := content.Vars{"x": "w", "n": 1, "list": []any{1, 2, 3}, "hex": "ff00aa", "amp": "a&b", "mail": "a@b.example", "url": "https://a.example/grü n"}
		if out, err := c.Render(vars, content.Env{}); err != nil || out.HTML != want {
			t.Errorf("%s = %s, %v; want %s", source, out.HTML, err, want)
		}
	}
}

// hostile are templates whose author wants the process to stop.
var hostile = map[string]string{
	"nested loops":                  `{% for i in (1..3000) %}{% for j in (1..3000) %}{% for k in (1..3000) %}{% endfor %}{% endfor %}{% endfor %}`,
	"nested loops that say nothing": `{% for i in (1..100000000) %}{% for j in (1..100000000) %} {% endfor %}{% endfor %}`,
	"loops with text":               `{% for i in (1..3000) %}{% for j in (1..3000) %}xxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}`,
	"a range of everything":         `{{ (1..9223372036854775807) | join: "x" }}`,
	"a range from below":            `{% for i in (-9223372036854775808..9223372036854775807) %}{{ i }}{% endfor %}`,
	"a range as a list":             `{% assign a = (1..1000000000) | reverse | sort | uniq %}{{ a.size }}`,
	"doubling by append":            `{% assign a = "xxxxxxxxxx" %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}{{ a }}`,
	"doubling by capture":           `{% assign a = "xxxxxxxxxx" %}{% for i in (1..60) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}{{ a }}`,
	"doubling by replace":           `{% assign a = "xxxxxxxxxx" %}{% for i in (1..60) %}{% assign a = a | replace: "x", a %}{% endfor %}{{ a }}`,
	"replace of nothing":            `{% assign a = s | replace: "", s | replace: "", s %}{{ a }}`,
	"doubling by concat":            `{% assign a = "1,2,3" | split: "," %}{% for i in (1..60) %}{% assign a = a | concat: a %}{% endfor %}{{ a | join: "," }}`,
	"doubling by join":              `{% assign a = "xxxxxxxxxxxxxxxx" %}{% for i in (1..60) %}{% assign a = a | split: "" | join: a %}{% endfor %}{{ a }}`,
	"doubling by escape":            `{% assign a = "<<<<<<<<<<" %}{% for i in (1..60) %}{% assign a = a | escape | url_encode | append: a %}{% endfor %}{{ a }}`,
	"much work on a long text":      `{% for i in (1..100000) %}{% if s contains "zzz" %}{% endif %}{% if s == t %}{% endif %}{% if s.size > 3 %}{% endif %}{% if s == blank %}{% endif %}{% endfor %}`,
	"work on a text of spaces":      `{% for i in (1..100000) %}{% if spaces == blank %}{% endif %}{% assign a = spaces | default: "x" %}{% endfor %}`,
	"much work on a list":           `{% for i in (1..100000) %}{% assign a = list | sort | uniq | where: "zzz" | first %}{% endfor %}`,
	"looking for a text in a list":  `{% for i in (1..100000) %}{% assign a = texts | find: "zzz" %}{% endfor %}`,
	"work on an object":             `{% for i in (1..100000) %}{% if map.zzz %}{% endif %}{% if map.size > 1 %}{% endif %}{% endfor %}`,
	"words":                         `{% for i in (1..100000) %}{{ s | truncatewords: 1 }}{{ s | slice: 1, 1 }}{{ s | split: " " | size }}{% endfor %}`,
	"a list in itself":              `{% assign a = list %}{% for i in (1..40) %}{% assign a = a | concat: a | uniq %}{{ a }}{% endfor %}`,
	"dates":                         `{% for i in (1..100000) %}{{ 1 | date: s }}{% endfor %}`,
	"padding of a date":             `{{ 1 | date: "%9999999999d" }}{% for i in (1..100000) %}{{ i | date: "%c%c%c%c%c%c%c%c%c%c%c%c" }}{% endfor %}`,
	"a number with many digits":     `{% assign a = 9 %}{% for i in (1..100000) %}{% assign a = a | times: a %}{{ a }}{% endfor %}`,
	"recursion by include":          `{% include "self" %}`,
	"recursion by render":           `{% render "self" %}`,
	"recursion of two":              `{% render "two" %}`,
	"recursion by a chosen name":    `{% assign n = "chosen" %}{% include n %}`,
	"blocks that double":            `{% render "d0" %}`,
	"many blocks":                   strings.Repeat("{% render 'big' %}", 2000),
	"a block for each of many":      `{% for i in (1..3000) %}{% render "word" for list %}{% endfor %}`,
	"a table without end":           `{% tablerow i in (1..3000) cols: 1 %}{% for j in (1..3000) %}x{% endfor %}{% endtablerow %}`,
	"many names":                    manyNames(),
	"a huge capture":                `{% capture a %}{% for i in (1..100000) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endcapture %}{{ a }}`,
	"captures in captures":          strings.Repeat("{% capture a %}{{ a }}{{ s }}", 30) + strings.Repeat("{% endcapture %}", 30) + "{{ a }}",
	"a long reason":                 `{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{% abort s %}`,
	"the environment":               `{{ env }}{{ ENV.HOME }}`,
	"a million braces":              strings.Repeat("{{", 500_000),
	"many braces":                   strings.Repeat("{{", 200_000),
	"many tags":                     strings.Repeat("{% if x %}", 20_000),
	"many outputs":                  strings.Repeat("{{ s }}", 50_000),
	"many brackets":                 "{{ " + strings.Repeat("[", 100_000) + " }}",
	"many ranges":                   "{{ " + strings.Repeat("(1..", 100_000) + " }}",
	"many conditions":               "{% if x " + strings.Repeat("or x ", 50_000) + "%}{% endif %}",
	"many filters":                  "{{ x " + strings.Repeat("| upcase ", 40_000) + " }}",
	"many quotes":                   "{% " + strings.Repeat(`"'`, 100_000),
	"many comments":                 strings.Repeat("{% comment %}", 30_000),
	"many raws":                     strings.Repeat("{% raw %}", 40_000),
	"many fields":                   "{{ x" + strings.Repeat(".a", 100_000) + " }}",
	"many dashes":                   "<!--" + strings.Repeat("-", 400_000),
	"many tags of HTML":             strings.Repeat("<a ", 100_000),
	"a long name of a tag":          "<" + strings.Repeat("a", 400_000) + ">",
	"a long name of an attribute":   "<a " + strings.Repeat("b", 400_000) + ">",
	"5 MB":                          strings.Repeat("x", 5<<20),
}

// hostileBlocks are blocks whose author wants the process to stop.
func hostileBlocks() content.Blocks {
	b := blocks("self", `{% render "self" %}`, "two", `{% render "other" %}`, "other", `{% include "two" %}`, "chosen", `{% include n %}`, "word", "{{ word }}", "big", strings.Repeat("x", 100<<10))
	for i := range 40 { // each shows the next twice
		b["d"+strconv.Itoa(i)] = content.File{Body: strings.Repeat(`{% render "d`+strconv.Itoa(i+1)+`" %}`, 2)}
	}
	return b
}

// manyNames assigns many variables and looks for the first one.
func manyNames() string {
	var b strings.Builder
	for i := range 9_000 {
		b.WriteString("{% assign v" + strconv.Itoa(i) + " = 1 %}")
	}
	return b.String() + "{% for i in (1..30000) %}{% if v8999 %}{% endif %}{% endfor %}"
}

// hostileVars are large values.
func hostileVars() content.Vars {
	long := strings.Repeat("a b ", 64<<10)
	var list, texts []any
	object := map[string]any{}
	for i := range 10_000 {
		list = append(list, i*7919%10_007)
		texts = append(texts, "a text of some length, as people write them, number "+strings.Repeat("x", i%50))
		object["field"+strings.Repeat("x", i%100)+string(rune('a'+i%26))] = i
	}
	return content.Vars{"x": true, "s": long, "t": long[:len(long)-1] + "!", "spaces": strings.Repeat(" ", 256<<10), "list": list, "texts": texts, "map": object}
}

// Item 55: whatever a template does, it is cut off. The budgets are what the test
// holds; the time is only shown, and a hundred times what is expected fails.
func TestItem55AHostileTemplateIsCutOff(t *testing.T) {
	vars := hostileVars()
	for name, source := range hostile {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			c, err := content.Compile("hostile", content.Sources{HTML: source, Text: "{{ 1 }}", HTMLBlocks: hostileBlocks()})
			if err == nil {
				_, err = c.Render(vars, content.Env{})
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			made := (after.TotalAlloc - before.TotalAlloc) >> 10
			t.Logf("%v, %d kB: %v", took, made, err)
			if kind, _ := fault.Of(err); err == nil || kind != fault.TooLarge && kind != fault.Invalid {
				t.Errorf("it ended with %v", err)
			}
			if took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if made > 64<<10 {
				t.Errorf("it made %d kB", made)
			}
		})
	}
}

func TestEachBudgetEndsARendering(t *testing.T) {
	t.Parallel()
	c := compile(t, content.Sources{Text: `{% assign a = "xxxxxxxxxx" %}{% for i in (1..20) %}{% assign a = a | append: a %}{% endfor %}{{ a }}`})
	const huge = 1 << 30
	for name, c2 := range map[string]struct {
		limits content.Limits
		want   string
	}{
		"steps":  {content.Limits{Steps: 30, Made: huge, Output: huge}, "too many steps"},
		"made":   {content.Limits{Steps: huge, Made: 1 << 16, Output: huge}, "texts that are too long"},
		"output": {content.Limits{Steps: huge, Made: huge, Output: 1 << 16}, "the message becomes too long"},
	} {
		out, err := c.Render(nil, content.Env{Limits: c2.limits})
		if !fault.Is(err, fault.TooLarge) || !strings.Contains(err.Error(), c2.want) || out != (content.Rendered{}) {
			t.Errorf("%s: %v, want %q", name, err, c2.want)
		}
	}
	if out, err := c.Render(nil, content.Env{Limits: content.Limits{Steps: huge, Made: huge, Output: huge}}); err != nil || len(out.Text) != 10<<20 {
		t.Errorf("without budgets: %d bytes, %v", len(out.Text), err)
	}
}

func TestTheCallersDeadlineEndsARendering(t *testing.T) {
	t.Parallel()
	asked := 0
	c := compile(t, content.Sources{Text: `{% for i in (1..30000) %}{% endfor %}x`})
	_, err := c.Render(nil, content.Env{Expired: func() bool { asked++; return asked > 5 }})
	if !fault.Is(err, fault.TooLarge) || asked != 6 {
		t.Errorf("%v after %d questions", err, asked)
	}
}

// Item 41: 10,000 merge fields are a matter of budgets, and one that is missing
// of the one recipient.
func TestItem41ManyFieldsAndAMissingOne(t *testing.T) {
	t.Parallel()
	c := compile(t, content.Sources{Text: strings.Repeat("{{ name }} ", 10_000)})
	out, err := c.Render(content.Vars{"name": "Ada"}, content.Env{})
	if err != nil || len(out.Text) != 40_000 {
		t.Errorf("%d bytes, %v", len(out.Text), err)
	}
	if _, err := c.Render(content.Vars{"name": strings.Repeat("x", 500)}, content.Env{}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("5 MB of output: %v", err)
	}
	for _, vars := range []content.Vars{nil, {"name": ""}, {"name": nil}, {"name": "  "}} {
		if out, err := c.Render(vars, content.Env{}); !fault.Is(err, fault.Invalid) || out != (content.Rendered{}) {
			t.Errorf("%v: %.20q, %v", vars, out.Text, err)
		}
	}
	if _, err := content.Compile("x", content.Sources{HTML: strings.Repeat("x", 5<<20)}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("5 MB of template: %v", err)
	}
}

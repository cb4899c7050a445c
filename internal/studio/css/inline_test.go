package css_test

import (
	"strings"
	"testing"

	"rapport/internal/fault"
	"rapport/internal/studio/css"
)

func TestStylesGoWhereBrowsersSeeThem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, style, body, want string }{
		{"a class", ".a { color: red }", `<p class="a">x</p>`, `<p class="a" style="color:red">x</p>`},
		{"the more specific wins, wherever it stands", "#i { color: red } p.a { color: blue } p { color: green }", `<p id="i" class="a">x</p>`, `<p id="i" class="a" style="color:red">x</p>`},
		{"the later wins among equals", ".a { color: red } .b { color: blue }", `<p class="b a">x</p>`, `<p class="b a" style="color:blue">x</p>`},
		{"the attribute wins", ".a { color: red; margin: 0 }", `<p class="a" style="color: blue">x</p>`, `<p class="a" style="margin:0;color:blue">x</p>`},
		{"unless a rule is important", ".a { color: red !important }", `<p class="a" style="color: blue">x</p>`, `<p class="a" style="color:red">x</p>`},
		{"and the attribute's own importance is the last word", ".a { color: red !important }", `<p class="a" style="color: blue !important">x</p>`, `<p class="a" style="color:blue !important">x</p>`},
		{"a shorthand over what it stands for", ".a { margin-left: 4px } #i { margin: 0 }", `<p id="i" class="a">x</p>`, `<p id="i" class="a" style="margin-left:4px;margin:0">x</p>`},
		{"and the other way about", ".a { margin: 0 } #i { margin-left: 4px }", `<p id="i" class="a">x</p>`, `<p id="i" class="a" style="margin:0;margin-left:4px">x</p>`},
		{
			"children, siblings, attributes, places", "td > b + i { color: red } [align=left] { width: 1px } tr td:first-child { height: 2px } p:not(.a) { top: 0 }", `<table><tbody><tr><td align="left"><b>1</b><i>2</i></td><td>3</td></tr></tbody></table><p>4</p>`,
			`<table><tbody><tr><td align="left" style="width:1px;height:2px"><b>1</b><i style="color:red">2</i></td><td>3</td></tr></tbody></table><p style="top:0">4</p>`,
		},
		{"quotation marks in a value", `.a { font-family: "Times New Roman", serif }`, `<p class="a">x</p>`, `<p class="a" style="font-family:'Times New Roman', serif">x</p>`},
		{"a semicolon in an address", `.a { background: url("x;y.png") }`, `<p class=a>x</p>`, `<p class=a style="background:url('x;y.png')">x</p>`},
		{"comments", "/* .a { color: red } */ .a { /* x */ color: /* ; */ blue }", `<p class="a">x</p>`, `<p class="a" style="color:blue">x</p>`},
		{"a tag that closes itself", "img { border: 0 }", `<img src="x" />`, `<img src="x" style="border:0" />`},
		{
			"Liquid is left as it is", "td { color: {{ brand.ink | default: \"black\" }} }", `<table>{% for p in products %}<tr><td>{{ p.name }}</td></tr>{% endfor %}</table>`,
			`<table>{% for p in products %}<tr><td style="color:{{ brand.ink | default: "black" }}">{{ p.name }}</td></tr>{% endfor %}</table>`,
		},
		{"an attribute that depends on the reader keeps its place", "p { color: red; top: 0 !important }", `<p style="{% if sale %}color: blue{% endif %}">x</p>`, `<p style="color:red;{% if sale %}color: blue{% endif %};top:0">x</p>`},
		{"what only Outlook sees is left alone", "td { color: red }", `<!--[if mso]><table><tr><td><![endif]--><p>x</p><!--[if mso]></td></tr></table><![endif]-->`, `<!--[if mso]><table><tr><td><![endif]--><p>x</p><!--[if mso]></td></tr></table><![endif]-->`},
	} {
		got, err := css.Inline("<style>"+test.style+"</style>"+test.body, false)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got = got[strings.Index(got, "</style>")+len("</style>"):]; got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestWhatAnAttributeCannotSayStays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, style, body, want string }{
		{"nothing", ".a { color: red }", `<p class="a">`, ""},
		{"a media query that used to win is made to win", ".a { color: red } @media (max-width: 600px) { .a { color: blue } }", `<p class="a">`, "@media (max-width: 600px) { .a { color:blue !important } }"},
		{"one that used to lose is not", "@media (max-width: 600px) { .a { color: blue } }", `<p class="a" style="color:red">`, "@media (max-width: 600px) { .a { color:blue } }"},
		{"nor one over what is important", ".a { color: red !important } @media print { .a { color: blue } }", `<p class="a">`, "@media print { .a { color:blue } }"},
		{"a finger on a link", "a { color: red } a:hover { color: blue }", `<a href="x">`, "a:hover { color:blue !important }"},
		{"an address with a semicolon", ".b { background: url(a;b.png); top: 0 }", `<p class="a">`, ".b { background:url(a;b.png); top:0 }"},
		{"a font", "@font-face { font-family: x; src: url(x) }", `<p>`, "@font-face { font-family: x; src: url(x) }"},
		{"a rule for what is not here yet", ".ReadMsgBody, .a { width: 100% }", `<p class="a">`, ".ReadMsgBody { width:100% }"},
		{"every rule, if a class depends on the reader", ".a { color: red }", `<p class="a"><p class="{{ x }}">`, ".a { color:red }"},
		{"what cannot be read", "}} .a { color: red } @@ { x", `<p class="b">`, "}} .a { color:red } @@ { x}"},
	} {
		got, err := css.Inline("<style>"+test.style+"</style>"+test.body, false)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got = strings.Join(strings.Fields(got[len("<style>"):strings.Index(got, "</style>")]), " ")
		if got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
	for _, alone := range []string{
		"<style>{% if dark %}p { color: red }{% endif %}</style><p>x</p>", "<style media=print>p{color:red}</style><p>x</p>",
		"<style data-embed>p{color:red}</style><p>x</p>", "<p>no style</p>", "<style>", "",
	} {
		if got, err := css.Inline(alone, false); got != alone || err != nil {
			t.Errorf("%q became %q, %v", alone, got, err)
		}
	}
}

func TestTooMuchIsSaidAndNotTried(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"elements": "<style>p{color:red}</style>" + strings.Repeat("<p>", 30_000),
		"rules":    "<style>" + strings.Repeat("p p p{color:red}", 5_000) + "</style>" + strings.Repeat("<p>", 1_000),
		"queries":  "<style>@media x{" + strings.Repeat("p{color:red}", 5_000) + "}</style>" + strings.Repeat("<p>", 1_000),
	} {
		if _, err := css.Inline(source, false); !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: %v, want TooLarge", name, err)
		}
	}
}

func FuzzInline(f *testing.F) {
	f.Add("<style>p{color:red}@media x{p{top:0}}</style><p style='a:b'>{{ x }}</p>")
	f.Add("<style>a:hover,b{c:d!important}</style><table><b>{% if x %}<td class={{y}}>")
	f.Fuzz(func(t *testing.T, s string) {
		once, err := css.Inline(s, false)
		if err != nil {
			return
		}
		if strings.Count(once, "{{") < strings.Count(s, "{{") && !strings.Contains(s, "<style") {
			t.Errorf("Liquid was lost from %q", s)
		}
	})
}

package mjml_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/studio/mjml"
)

// compile compiles a sound template.
func compile(t *testing.T, c *mjml.Compiler, source string) string {
	t.Helper()
	html, problems, err := c.Compile(source)
	if err != nil || len(problems) > 0 {
		t.Fatalf("Compile: %v %+v", err, problems)
	}
	return html.HTML
}

// TestItIsByteForByteWhatNodeMakes compares with what test/mail/mjml.mjs makes
// with the same compiler under node, which it checks against the same files.
func TestItIsByteForByteWhatNodeMakes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.mjml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d templates, %v", len(files), err)
	}
	var c mjml.Compiler
	defer c.Close()
	for range 2 { // a compiler that was used before makes the same
		for _, f := range files {
			source, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(f, ".mjml") + ".html")
			if err != nil {
				t.Fatal(err)
			}
			if got := compile(t, &c, string(source)); got != string(want) {
				t.Errorf("%s: not what node makes:\n%s", f, firstDifference(got, string(want)))
			}
		}
	}
}

func firstDifference(got, want string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	return "got  …" + got[max(0, i-40):min(len(got), i+80)] + "\nwant …" + want[max(0, i-40):min(len(want), i+80)]
}

const frame = "<mjml><mj-body><mj-section><mj-column>\n%s\n</mj-column></mj-section></mj-body></mjml>"

func TestLiquidComesThroughAsItWasWritten(t *testing.T) {
	t.Parallel()
	var c mjml.Compiler
	defer c.Close()
	for _, liquid := range []string{
		`<mj-text>{% if a < b and c > "d" %}less{% else %}more{% endif %}</mj-text>`,
		`<mj-text>{{ customer.first_name | default: "you & yours" }}</mj-text>`,
		`<mj-raw>{% for p in products %}</mj-raw><mj-text>{{ p.name }}</mj-text><mj-raw>{% endfor %}</mj-raw>`,
		"<mj-raw>{% comment %}\n two\n lines\n{% endcomment %}</mj-raw>",
		`<mj-text><a href="{{ shop.website | append: "/new?a=1&b=2" }}">x</a></mj-text>`,
	} {
		html := compile(t, &c, strings.Replace(frame, "%s", liquid, 1))
		for _, piece := range pieces(liquid) {
			if !strings.Contains(html, piece) {
				t.Errorf("%s is not in the HTML of %s", piece, liquid)
			}
		}
		if strings.Contains(html, "zqliquid") {
			t.Errorf("a word that stood for Liquid is left in:\n%s", html)
		}
	}
	html := compile(t, &c, strings.Replace(frame, "%s", `<mj-button background-color="{{ brand.accent }}" href="{{ url | default: "https://shop.example/" }}">Go</mj-button>`, 1))
	for _, want := range []string{`background:{{ brand.accent }}`, `href="{{ url | default: "https://shop.example/" }}"`} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is not in the HTML", want)
		}
	}
	html = compile(t, &c, strings.Replace(frame, "%s", `<mj-text>zqliquid0z and {{ x }}</mj-text>`, 1))
	if !strings.Contains(html, "zqliquid0z and {{ x }}") {
		t.Error("a text that looks like a stand-in was taken for one")
	}
}

// pieces are the outputs and tags of a text without spaces in comments.
func pieces(s string) (list []string) {
	for s != "" {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return list
		}
		s = s[i:]
		end := strings.Index(s, "}}")
		if s[1] == '%' {
			end = strings.Index(s, "%}")
		}
		list = append(list, s[:end+2])
		s = s[end+2:]
	}
	return list
}

func TestProblemsNameTheLineAndWhatToWrite(t *testing.T) {
	t.Parallel()
	var c mjml.Compiler
	defer c.Close()
	for _, test := range []struct {
		name, source  string
		line          int
		what, instead string
	}{
		{"an element that does not exist", strings.Replace(frame, "%s", "<mj-txt>x</mj-txt>", 1), 2, "mj-txt", "an element of MJML"},
		{"an attribute that does not exist", strings.Replace(frame, "%s", "\n\n<mj-text colour=\"red\">x</mj-text>", 1), 4, "colour", "documentation.mjml.io"},
		{"a line behind Liquid of several lines", strings.Replace(frame, "%s", "<mj-raw>{% comment\n\n%}</mj-raw>\n<mj-text colour=\"red\">x</mj-text>", 1), 5, "colour", ""},
		{"a text in a column", "<mjml><mj-body><mj-text>x</mj-text></mj-body></mjml>", 1, "cannot be used inside", "<mj-section>"},
		{"Liquid where MJML drops text", "<mjml><mj-body><mj-section>\n{% for p in products %}\n<mj-column></mj-column>\n{% endfor %}</mj-section></mj-body></mjml>", 2, "would be lost", "<mj-raw>{% for p in products %}</mj-raw>"},
		{"a length that is a variable's", strings.Replace(frame, "%s", `<mj-image alt="" src="https://x.example/" width="{{ w }}"/>`, 1), 2, "{{ w }}", "20px"},
		{"a picture without words", strings.Replace(frame, "%s", `<mj-image src="https://x.example/"/>`, 1), 2, "no words", `alt="`},
		{"a file to include", strings.Replace(frame, "%s", `<mj-include path="/etc/passwd"/>`, 1), 2, "includes no file", "layouts/"},
		{"Liquid without an end", strings.Replace(frame, "%s", "<mj-text>\n{{ x </mj-text>", 1), 3, "no end", "{{"},
		{"no MJML at all", "<p>Hello</p>", 1, "no MJML document", "<mj-body>"},
		{"nothing", "", 1, "no MJML document", "<mj-body>"},
		{"too deep", "<mjml><mj-body>" + strings.Repeat("<mj-wrapper>", 100), 1, "deeper than", "fewer"},
		{"too long", strings.Repeat("x", mjml.MaxSource+1), 1, "longer than", ""},
	} {
		html, problems, err := c.Compile(test.source)
		if err != nil || html.HTML != "" || len(problems) == 0 {
			t.Errorf("%s: %q, %v, %v", test.name, html.HTML, problems, err)
			continue
		}
		p := problems[0]
		if p.Line != test.line || !strings.Contains(p.What, test.what) || !strings.Contains(p.Instead, test.instead) {
			t.Errorf("%s: %+v, want line %d, %q, %q", test.name, p, test.line, test.what, test.instead)
		}
	}
	// What was wrong before harms nobody after it.
	compile(t, &c, strings.Replace(frame, "%s", "<mj-text>fine</mj-text>", 1))
}

func TestEachLineOfTheHTMLKnowsWhereItsLiquidStood(t *testing.T) {
	t.Parallel()
	var c mjml.Compiler
	defer c.Close()
	source := strings.Replace(frame, "%s", "<mj-text>{{ a }}</mj-text>\n\n<mj-text>{% if b\n%}{{ c }}{% endif %}</mj-text>", 1)
	page, problems, err := c.Compile(source)
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	lines := strings.Split(page.HTML, "\n")
	if len(lines) != len(page.Lines) {
		t.Fatalf("%d lines, %d places", len(lines), len(page.Lines))
	}
	for piece, want := range map[string]int{"{{ a }}": 2, "{% if b": 4, "{{ c }}": 5} {
		found := false
		for i, line := range lines {
			if strings.Contains(line, piece) {
				found = found || page.Lines[i] == want
			}
		}
		if !found {
			t.Errorf("%s is not said to come from line %d", piece, want)
		}
	}
}

package content_test

import (
	"strings"
	"testing"

	dom "golang.org/x/net/html"
	"pgregory.net/rapid"

	"rapport/internal/core/content"
)

// Any template that compiles, however it is put together, gives the same
// elements and attributes whatever a stranger typed.
func TestNoTemplateThatCompilesLetsAValueOut(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"{{ x }}", "{{ x }}", "{{ x }}", "{{ x | append: x }}", "{% cycle x, x %}", "<p>", "</p>", "<p ", "<a href=", "<a href=\"", "<a href='", "<p title=\"", "<p style=\"color:", "\"", "'", ">", "<", " ", "=", "/", "a", "-", "!",
		"\">", "'>", "</a>", "<img src=\"", "<br/>", "<!--", "-->", "--", "<!--[if mso]>", "<![endif]-->", "<!-->", "<!", "<title>", "</title>", "<style>", "</style>", "<textarea>", "</textarea>", "<script>", "</script>", "</",
		"https://a.example", "https://a.example/", "https:", "http", "//", "mailto:", "?", "#", "&amp;", "onclick=\"", "class", "selected", "<td width=\"", "<b", "\n",
		"{% if y %}", "{% else %}", "{% endif %}", "{% for i in list %}", "{% endfor %}", "{% if i == 2 %}{% break %}{% endif %}", "{% capture c %}", "{% endcapture %}", "{{ c }}", "{{ i }}", "{% case y %}{% when 1 %}", "{% when 2 %}", "{% endcase %}", "{%- if z -%}",
	}
	ran := 0
	rapid.Check(t, func(t *rapid.T) {
		source := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 14).Draw(t, "source"), "")
		// Blocks are closed where they were left open, so that more compiles.
		for _, b := range [][2]string{{"{% if y %}", "{% endif %}"}, {"{% for i in list %}", "{% endfor %}"}, {"{% capture c %}", "{% endcapture %}"}} {
			if n := strings.Count(source, b[0]) - strings.Count(source, b[1]); n > 0 {
				source += strings.Repeat(b[1], n)
			}
		}
		c, err := content.Compile("x", content.Sources{HTML: source})
		if err != nil {
			return
		}
		for _, y := range []any{nil, 1, 2} {
			vars := func(x string) content.Vars {
				return content.Vars{"x": x, "y": y, "z": y, "list": []any{x, 2, x}, "c": x, "i": x}
			}
			want, found := "", false
			for _, word := range []string{"w", "https://w.example/", "/w"} {
				if out, err := c.Render(vars(word), content.Env{}); err == nil {
					want, found = shapeOf(t, out.HTML), true
					break
				}
			}
			if !found {
				continue
			}
			ran++
			for _, x := range corpus {
				out, err := c.Render(vars(x), content.Env{})
				if err != nil {
					continue
				}
				if got := shapeOf(t, out.HTML); got != want {
					t.Fatalf("%s with %q became %s\nwhich is %s, not %s", source, x, out.HTML, got, want)
				}
			}
		}
	})
	if ran == 0 {
		t.Error("no template was tried")
	}
}

func shapeOf(t *rapid.T, s string) string {
	n, err := dom.Parse(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return shape(n)
}

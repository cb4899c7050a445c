package content_test

import (
	"strings"
	"testing"

	"rapport/internal/core/content"
)

func TestTextHasTheShapeOfItsHTML(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 40)
	for _, c := range []struct{ name, html, want string }{
		{"headings are underlined", `<h1>Big <b>news</b></h1><h2>Less</h2><h3>Small</h3><p>x</p>`, "Big news\n========\n\nLess\n----\n\nSmall\n\nx\n"},
		{"numbers count", `<ol><li>one</li><li>two</li></ol><ol start="7"><li>seven</li></ol>`, "1. one\n2. two\n\n7. seven\n"},
		{"lists in lists", `<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ul>`, "- a\n  - b\n  - c\n- d\n"},
		{"a paragraph in an item", `<ul><li><p>a</p><p>b</p></li></ul>`, "- a\n\n  b\n"},
		{"quotes", `<blockquote><p>said</p></blockquote><p>x</p>`, "> said\n\nx\n"},
		{"pictures by their words", `<p><img src="x" alt="A lamp"> <img src="y" alt=""><img src="z"></p>`, "[A lamp]\n"},
		{"a picture that is a link", `<a href="https://shop.example/"><img src="x" alt="Our shop"></a>`, "[Our shop] (https://shop.example/)\n"},
		{"figures", `<table><tr><th>What</th><th>Price</th></tr><tr><td>Lamp</td><td></td><td>£12</td></tr></table>`, "What | Price\nLamp | £12\n"},
		{"a table that is the layout", `<table role="presentation"><tr><td>left</td><td>right</td></tr></table>`, "left\nright\n"},
		{"figures in the layout", `<table role="presentation"><tr><td><table><tr><td>a</td><td>b</td></tr></table></td><td>c</td></tr></table>`, "a | b\n\nc\n"},
		{"a line across", `<p>a</p><hr><p>b</p>`, "a\n\n--------------------\n\nb\n"},
		{"closed too often", `</ul></li></table></blockquote><p>x</p></li>`, "x\n"},
	} {
		if got := content.Plain(c.html); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	for _, source := range []string{"<p>" + long + "</p>", "<ul><li>" + long + "</li></ul>", "<blockquote>" + long + "</blockquote>", "<h1>" + long + "</h1>"} {
		lines := strings.Split(strings.TrimSpace(content.Plain(source)), "\n")
		if len(lines) < 3 {
			t.Errorf("%s is not wrapped", source[:10])
		}
		for i, line := range lines {
			if len(line) > 78 {
				t.Errorf("a line of %d characters: %s", len(line), line)
			}
			if i > 0 && strings.HasPrefix(source, "<ul>") && !strings.HasPrefix(line, "  word") {
				t.Errorf("an item goes on as %q", line)
			}
			if strings.HasPrefix(source, "<blockquote>") && !strings.HasPrefix(line, "> ") {
				t.Errorf("a quote goes on as %q", line)
			}
		}
	}
	address := "https://shop.example/" + strings.Repeat("x", 200)
	if got := content.Plain(`<p>` + long + `<a href="` + address + `">here</a></p>`); !strings.Contains(got, "("+address+")") {
		t.Errorf("an address was broken: %s", got)
	}
}

func TestHostileHTMLMakesTextInBoundedTime(t *testing.T) {
	t.Parallel()
	for _, source := range []string{strings.Repeat("<ul><li>", 50_000) + "x", strings.Repeat("<blockquote>", 50_000) + "x", strings.Repeat("<ol><li>a", 20_000), strings.Repeat("<table><tr><td>a", 20_000)} {
		if got := content.Plain(source); len(got) > 20*len(source) {
			t.Errorf("%d bytes became %d", len(source), len(got))
		}
	}
}

package mail_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"rapport/internal/studio/css"
)

// invent makes a page with styles of every sort that attributes can say. Juice
// does not count pseudo-classes as Selectors 4, section 17, does, so they are for
// browsers only.
func invent(r *rand.Rand, pseudo bool) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	simple := func() string {
		if pseudo && r.IntN(4) == 0 {
			return pick(":first-child", ":last-child", "td:nth-child(2)", "p:not(.a)")
		}
		return pick("p", "td", "a", "div", ".a", ".b", ".c", "p.a", "td.b", "#x", "#y", "[align]", `[align="left"]`, "*")
	}
	value := map[string]func() string{
		"color":       func() string { return pick("red", "blue", "#123456", "rgb(1, 2, 3)") },
		"margin":      func() string { return pick("0", "1px 2px", "3px auto") },
		"margin-left": func() string { return pick("4px", "5%") },
		"font-family": func() string { return pick("Arial, sans-serif", "Georgia") },
		"background":  func() string { return pick("url(https://x.example/a;b.png)", "#ffffff") },
		"width":       func() string { return pick("10px", "100%") },
	}
	properties := []string{"color", "margin", "margin-left", "font-family", "background", "width"}
	declaration := func() string {
		p := pick(properties...)
		return p + ": " + value[p]() + pick("", "", "", " !important")
	}
	var b strings.Builder
	b.WriteString("<html><head><style>")
	for range 3 + r.IntN(10) {
		selector := simple()
		for range r.IntN(3) {
			selector += pick(" ", " > ", " + ", " ~ ", ", ") + simple()
		}
		fmt.Fprintf(&b, "%s { %s; %s }\n", selector, declaration(), declaration())
	}
	b.WriteString("</style></head><body>")
	element := func(name string) {
		b.WriteString("<" + name)
		if r.IntN(2) == 0 {
			b.WriteString(` class="` + pick("a", "b", "a b", "c a") + `"`)
		}
		if r.IntN(6) == 0 {
			b.WriteString(` id="` + pick("x", "y") + `"`)
		}
		if r.IntN(4) == 0 {
			b.WriteString(` align="` + pick("left", "right") + `"`)
		}
		if r.IntN(3) == 0 {
			b.WriteString(` style="` + declaration() + `"`)
		}
		b.WriteString(">")
	}
	for range 2 + r.IntN(4) {
		switch r.IntN(3) {
		case 0:
			element("p")
			b.WriteString("x ")
			element("a")
			b.WriteString("y</a></p>")
		case 1:
			element("table")
			b.WriteString("<tbody><tr>")
			for range 1 + r.IntN(3) {
				element("td")
				b.WriteString("z</td>")
			}
			b.WriteString("</tr></tbody></table>")
		default:
			element("div")
			element("p")
			b.WriteString("w</p></div>")
		}
	}
	b.WriteString("</body></html>")
	return b.String()
}

// styles returns what the style attribute of each element says, the last word of
// each property.
func styles(t *testing.T, page string) (list []map[string]string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data == "style" || n.Data == "head" {
			continue
		}
		said := map[string]string{}
		for _, a := range n.Attr {
			if a.Key != "style" {
				continue
			}
			for part := range strings.SplitSeq(strings.ReplaceAll(a.Val, "/a;b", "/a-b"), ";") {
				if property, value, ok := strings.Cut(part, ":"); ok {
					said[strings.TrimSpace(property)] = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
				}
			}
		}
		list = append(list, said)
	}
	return list
}

func TestStylesAreWhereJuicePutsThem(t *testing.T) {
	t.Parallel()
	needs(t, "node")
	r := rand.New(rand.NewPCG(1, 2))
	var pages []string
	for range 300 {
		pages = append(pages, invent(r, false))
	}
	var juiced []string
	ask(t, "styles.mjs", pages, &juiced)
	wrong := 0
	for i, page := range pages {
		got, err := css.Inline(page, false)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := styles(t, got), styles(t, juiced[i])
		for k := range min(len(ours), len(theirs)) {
			if !maps.Equal(ours[k], theirs[k]) {
				if wrong++; wrong <= 3 {
					t.Errorf("page %d, element %d: ours %v, juice's %v\n%s\n%s\n%s", i, k, ours[k], theirs[k], page, got, juiced[i])
				}
			}
		}
		if len(ours) != len(theirs) {
			t.Errorf("page %d: %d elements and %d", i, len(ours), len(theirs))
		}
	}
	if wrong > 0 {
		t.Errorf("%d elements differ", wrong)
	}
}

// ask gives a script of this folder JSON and reads its answer.
func ask(t *testing.T, script string, in, out any) {
	t.Helper()
	asked, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Stdin = bytes.NewReader(asked)
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %s: %v", script, err)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatal(err)
	}
}

func TestABrowserShowsWhatItShowedBefore(t *testing.T) {
	t.Parallel()
	needs(t, "node", "chromium")
	r := rand.New(rand.NewPCG(3, 4))
	var pairs [][2]string
	for range 100 {
		page := invent(r, true)
		styled, err := css.Inline(page, false)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, [2]string{page, styled})
	}
	var wrong []string
	ask(t, "cascade.mjs", pairs, &wrong)
	for i, w := range wrong {
		if i < 5 {
			var page int
			fmt.Sscanf(w, "page %d", &page)
			t.Errorf("%s\n%s\n%s", w, pairs[page][0], pairs[page][1])
		}
	}
	if len(wrong) > 0 {
		t.Errorf("%d styles differ", len(wrong))
	}
}

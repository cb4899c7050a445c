package css

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"rapport/internal/fault"
)

// Limits of one mail.
const (
	// maxElements bounds the elements: a mail of 102 kB, where Gmail cuts, has some
	// two thousand.
	maxElements = 20_000
	// maxMatches bounds how often an element is held against a selector, which is
	// what takes the time: some hundred rules on a thousand elements.
	maxMatches = 2_000_000
)

// Inline returns the HTML with the rules of its style elements in the attributes
// of what they match. HTML that has none is returned as it is. Everything stays on
// its line. The same HTML always gives the same. Too many elements and rules are a
// fault of kind TooLarge.
//
// If keep is true all rules stay in the style elements too: for HTML into which
// more is put later.
func Inline(source string, keep bool) (string, error) {
	if !strings.Contains(strings.ToLower(source), "<style") {
		return source, nil
	}
	p := hide(source)
	p.loose = keep
	if err := p.read(); err != nil {
		return "", err
	}
	if len(p.sheets) == 0 {
		return source, nil
	}
	if err := p.match(); err != nil {
		return "", err
	}
	return p.write(), nil
}

// page is a mail on its way.
type page struct {
	text   string // with words for Liquid
	word   string
	pieces []string

	tags   []startTag
	sheets []*sheet
	loose  bool // what a rule will match is not known: a class or an id holds Liquid
}

// startTag is one start tag of the text.
type startTag struct {
	start, end int // in the text
	node       *html.Node
	own        []declaration // of its style attribute
	raw        string        // the attribute as written
	styled     bool          // it has one
	won        []ranked
}

// ranked is a declaration of a rule with its place in the cascade.
type ranked struct {
	declaration
	weight [3]int
	order  int
}

// sheet is one style element.
type sheet struct {
	start, end int // of its text
	rules      []*statement
}

var liquid = regexp.MustCompile(`(?s)\{\{.*?\}\}|\{%.*?%\}`)

// hide replaces Liquid by words that mean nothing to HTML or CSS.
func hide(source string) *page {
	p := &page{word: "zqliquid"}
	for strings.Contains(source, p.word) {
		p.word += "q"
	}
	p.text = liquid.ReplaceAllStringFunc(source, func(s string) string {
		p.pieces = append(p.pieces, s)
		return p.word + strconv.Itoa(len(p.pieces)-1) + "z"
	})
	return p
}

// show puts the Liquid back.
func (p *page) show(text string) string {
	if len(p.pieces) == 0 {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, p.word)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		number, behind, _ := strings.Cut(rest, "z")
		if n, err := strconv.Atoi(number); err == nil && n >= 0 && n < len(p.pieces) {
			b.WriteString(p.pieces[n])
			text = behind
			continue
		}
		b.WriteString(p.word)
		text = rest
	}
}

// tagged reports whether the text holds a Liquid tag, beside outputs.
func (p *page) tagged(text string) bool { return strings.Contains(p.show(text), "{%") }

// mark is the attribute by which an element of the tree is found in the text.
const mark = "data-zqmark"

// read finds tags and style elements and reads the tree.
func (p *page) read() error {
	var marked strings.Builder
	z := html.NewTokenizer(strings.NewReader(p.text))
	at := 0
	var style *sheet
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		raw := string(z.Raw())
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			marked.WriteString(raw[:1+len(name)] + " " + mark + "=" + strconv.Itoa(len(p.tags)) + " " + raw[1+len(name):])
			p.tags = append(p.tags, startTag{start: at, end: at + len(raw)})
			if len(p.tags) > maxElements {
				return fault.New(fault.TooLarge, "the mail has more than "+strconv.Itoa(maxElements)+" elements")
			}
			style = nil
			if string(name) == "style" && kind == html.StartTagToken && p.forMail(raw) {
				style = &sheet{start: at + len(raw)}
			}
		case html.TextToken:
			if style != nil && !p.tagged(raw) {
				style.end = at + len(raw)
				style.rules = parseSheet(raw)
				p.sheets = append(p.sheets, style)
			}
			style = nil
			marked.WriteString(raw)
		default:
			style = nil
			marked.WriteString(raw)
		}
		at += len(raw)
	}
	root, err := html.Parse(strings.NewReader(marked.String()))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the HTML of the mail cannot be read")
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			p.place(n)
		}
	}
	return nil
}

// forMail reports whether a style element is for every reader: one for print, or
// one that says that it is to be left alone, is not.
func (p *page) forMail(tag string) bool {
	t := strings.ToLower(tag)
	return !strings.Contains(t, "data-embed") && (!strings.Contains(t, "media=") || strings.Contains(t, `media="all"`) || strings.Contains(t, `media="screen"`))
}

// place joins an element of the tree with its tag in the text.
func (p *page) place(n *html.Node) {
	at := -1
	for i, a := range n.Attr {
		if a.Key == mark {
			if k, err := strconv.Atoi(a.Val); err == nil && k < len(p.tags) {
				at = k
			}
			n.Attr = slices.Delete(n.Attr, i, i+1)
			break
		}
	}
	if at < 0 {
		return // made by the parser: it has no tag to write to
	}
	t := &p.tags[at]
	if t.node != nil {
		return // a formatting element that the parser opened again
	}
	t.node = n
	for _, a := range n.Attr {
		switch a.Key {
		case "style":
			t.raw, t.styled = a.Val, true
			t.own = parseDeclarations(a.Val)
		case "class", "id":
			p.loose = p.loose || strings.Contains(a.Val, p.word)
		}
	}
}

// unseen are elements that show nothing, so that a style in them is only weight.
var unseen = map[string]bool{"html": false, "head": true, "title": true, "base": true, "link": true, "style": true, "meta": true, "script": true, "noscript": true, "template": true}

// work returns how often an element will be held against a selector of the rules.
func (p *page) work(rules []*statement) (n int) {
	for _, r := range rules {
		n += len(r.selectors)*max(1, len(r.decls))*len(p.tags) + p.work(r.inner)
	}
	return n
}

// match finds what each rule matches.
func (p *page) match() error {
	work := 0
	for _, s := range p.sheets {
		work += p.work(s.rules)
	}
	if work > maxMatches {
		return fault.New(fault.TooLarge, "the mail has too many rules for its number of elements: send the rules that it needs")
	}
	order := 0
	for _, s := range p.sheets {
		for _, r := range s.rules {
			if r.block {
				continue
			}
			for _, sel := range r.selectors {
				if sel.match == nil {
					continue
				}
				spec := sel.match.Specificity()
				for i := range p.tags {
					t := &p.tags[i]
					if t.node == nil || unseen[t.node.Data] || !sel.match.Match(t.node) {
						continue
					}
					sel.used = true
					for _, d := range r.decls {
						t.won = append(t.won, ranked{d, [3]int(spec), order})
						order++
					}
				}
			}
		}
	}
	for i := range p.tags {
		slices.SortStableFunc(p.tags[i].won, func(a, b ranked) int {
			return cmp.Or(slices.Compare(a.weight[:], b.weight[:]), cmp.Compare(a.order, b.order))
		})
	}
	return nil
}

// write returns the text with the attributes and what is left of the style
// elements.
func (p *page) write() string {
	type edit struct {
		start, end int
		text       string
	}
	var edits []edit
	for _, s := range p.sheets {
		edits = append(edits, edit{s.start, s.end, p.left(s)})
	}
	for i := range p.tags {
		t := &p.tags[i]
		if len(t.won) == 0 {
			continue
		}
		value := `style="` + attribute(p.merged(t)) + `"`
		tag := p.text[t.start:t.end]
		if from, to := span(tag, "style"); from >= 0 {
			lines := strings.Count(p.show(tag[from:to]), "\n") - strings.Count(p.show(value), "\n")
			edits = append(edits, edit{t.start + from, t.start + to, value + strings.Repeat("\n", max(0, lines))})
			continue
		}
		end := len(tag) - 1
		if strings.HasSuffix(tag, "/>") {
			end--
		}
		end = len(strings.TrimRight(tag[:end], " \t\r\n"))
		edits = append(edits, edit{t.start + end, t.start + end, " " + value})
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	done := 0
	for _, e := range edits {
		b.WriteString(p.text[done:e.start])
		b.WriteString(e.text)
		done = e.end
	}
	b.WriteString(p.text[done:])
	return p.show(b.String())
}

// merged returns what an element's style attribute says in the end: the weakest
// first, so that a shorthand and what it stands for keep their order.
func (p *page) merged(t *startTag) string {
	var list []declaration
	put := func(d declaration) {
		list = slices.DeleteFunc(list, func(old declaration) bool { return old.property == d.property && !old.important })
		list = append(list, d)
	}
	strong := func(important bool) {
		for _, r := range t.won {
			if r.important == important {
				d := r.declaration
				d.important = false // in the attribute it would beat a media query that it does not beat in a sheet
				put(d)
			}
		}
	}
	strong(false)
	if p.tagged(t.raw) {
		// What the attribute says depends on the reader: its place in the order is
		// kept, and nothing else can be.
		before := render(list, ";")
		list = nil
		strong(true)
		return join(before, strings.Trim(strings.TrimSpace(t.raw), ";"), render(list, ";"))
	}
	for _, d := range t.own {
		if !d.important {
			put(d)
		}
	}
	strong(true)
	for _, d := range t.own {
		if d.important {
			put(d)
		}
	}
	return render(list, ";")
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ";")
}

func render(list []declaration, between string) string {
	parts := make([]string, len(list))
	for i, d := range list {
		parts[i] = d.property + ":" + strings.Join(strings.Fields(d.value), " ")
		if d.important {
			parts[i] += " !important"
		}
	}
	return strings.Join(parts, between)
}

// attribute writes a style between double quotes. Mail programs know single
// quotes in it better than references.
func attribute(style string) string {
	return strings.NewReplacer(`"`, "'", "&", "&amp;", "<", "&lt;").Replace(style)
}

// span returns where an attribute stands in a tag, with its name; -1 if it has
// none.
func span(tag, name string) (from, to int) {
	i := strings.IndexAny(tag, " \t\r\n/")
	for i >= 0 && i < len(tag) {
		for i < len(tag) && strings.IndexByte(" \t\r\n/", tag[i]) >= 0 {
			i++
		}
		from = i
		for i < len(tag) && strings.IndexByte(" \t\r\n/>=", tag[i]) < 0 {
			i++
		}
		key, end := tag[from:i], i
		for i < len(tag) && strings.IndexByte(" \t\r\n", tag[i]) >= 0 {
			i++
		}
		if i < len(tag) && tag[i] == '=' {
			for i++; i < len(tag) && strings.IndexByte(" \t\r\n", tag[i]) >= 0; i++ {
			}
			if i < len(tag) && (tag[i] == '"' || tag[i] == '\'') {
				close := strings.IndexByte(tag[i+1:], tag[i])
				if close < 0 {
					return -1, -1
				}
				i += close + 2
			} else {
				for i < len(tag) && strings.IndexByte(" \t\r\n>", tag[i]) < 0 {
					i++
				}
			}
			end = i
		} else {
			i = end
		}
		if strings.EqualFold(key, name) {
			return from, end
		}
		if i < len(tag) && tag[i] == '>' || key == "" && i == from {
			return -1, -1
		}
	}
	return -1, -1
}

package program

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"rapport/internal/core/content"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
)

// Template is one message before it has a reader.
type Template struct {
	Name  string
	Label string // for people; the name if the template has none
	Pos   spec.Pos

	Subject string // its subject as written, in Liquid; empty if it has none: then it is no e-mail

	words  *content.Template
	leaves bool // both parts show the way out and the shop's address
}

// placeholder is where a layout puts the message.
var placeholder = regexp.MustCompile(`\{\{-?\s*content\s*-?\}\}`)

// noLayout is what a template says that wants to stand alone.
const noLayout = "none"

// templateName splits "templates/welcome.html.liquid" into the name and the kind
// of part, html or txt.
func templateName(file string) (name, kind string, ok bool) {
	base := strings.TrimSuffix(path.Base(file), ".liquid")
	if strings.HasSuffix(base, markup) {
		base = strings.TrimSuffix(base, markup) + ".html"
	}
	name, kind, _ = strings.Cut(base, ".")
	return name, kind, validName(name) && (kind == "html" || kind == "txt")
}

// part is one file of a template or a layout.
type part struct {
	file  File
	head  spec.Node // the settings on top; Null if there are none
	body  string
	first int  // line of the file on which the body begins
	alone bool // it was MJML: it has its layout in it, and its styles where they belong
}

// templates reads templates, layouts and blocks.
func (c *compiler) templates() {
	c.p.Templates = map[string]*Template{}
	html, text := c.readBlocks()
	layouts := c.parts(c.layouts)
	for _, f := range c.layouts { // by path, so in one order
		name, kind, _ := templateName(f.Path)
		l := layouts[name+"."+kind]
		if l == nil {
			continue
		}
		if n := len(placeholder.FindAllStringIndex(l.body, -1)); n != 1 {
			c.ps.Add(spec.Pos{File: f.Path, Line: 1}, "{{ content }}", "a layout has the message in it exactly once, this one %d times", n)
		}
		c.check(part1(kind, l, html, text))
	}
	parts := c.parts(c.templated)
	for _, f := range c.templated { // by path, so in one order
		name, kind, ok := templateName(f.Path)
		if !ok || kind == "txt" && parts[name+".html"] != nil || c.p.Templates[name] != nil {
			continue
		}
		if t := c.template(name, parts[name+".html"], parts[name+".txt"], layouts, html, text); t != nil {
			c.p.Templates[name] = t
		}
	}
}

// readBlocks reads the blocks: name.liquid is for both parts of a message,
// name.html.liquid and name.txt.liquid are for one.
func (c *compiler) readBlocks() (html, text content.Blocks) {
	html, text = content.Blocks{}, content.Blocks{}
	for _, f := range c.blocks {
		name, kind, _ := strings.Cut(strings.TrimSuffix(path.Base(f.Path), ".liquid"), ".")
		if !validName(name) || kind != "" && kind != "html" && kind != "txt" {
			c.ps.Add(spec.Pos{File: f.Path}, "blocks/card.liquid, or card.html.liquid and card.txt.liquid", "the name of the file does not say what it holds")
			continue
		}
		p := c.pictured(c.part(f))
		if p.head.Kind != spec.Null {
			c.ps.Add(p.head.Pos, "", "a block has no settings: what it needs is handed to it")
		}
		for _, to := range []struct {
			blocks content.Blocks
			kind   string
		}{{html, "html"}, {text, "txt"}} {
			if _, own := to.blocks[name]; kind == to.kind || kind == "" && !own {
				to.blocks[name] = p.text()
			}
		}
	}
	for _, f := range c.blocks { // once all are known: one may stand in another
		name, kind, _ := strings.Cut(strings.TrimSuffix(path.Base(f.Path), ".liquid"), ".")
		for k, blocks := range map[string]content.Blocks{"html": html, "txt": text} { // order does not matter: problems are sorted
			if b, ok := blocks[name]; ok && b.Name == f.Path && (kind == "" || kind == k) {
				c.note(content.CheckBlock(name, b, k == "html", blocks))
			}
		}
	}
	return html, text
}

// text is the part without its settings.
func (p *part) text() content.File {
	name := p.file.Path
	if p.alone {
		name += asHTML
	}
	return content.File{Spot: content.Spot{Name: name, Line: p.first}, Body: p.body}
}

// part1 is one text as a whole template.
func part1(kind string, p *part, html, text content.Blocks) content.Sources {
	if kind == "html" {
		src := content.Sources{HTML: p.body, HTMLBlocks: html}
		src.Spots.HTML = p.text().Spot
		return src
	}
	src := content.Sources{Text: p.body, TextBlocks: text}
	src.Spots.Text = p.text().Spot
	return src
}

// parts reads files by name and kind: "welcome.html".
func (c *compiler) parts(files []File) map[string]*part {
	parts := map[string]*part{}
	for _, f := range files {
		name, kind, ok := templateName(f.Path)
		if !ok {
			c.ps.Add(spec.Pos{File: f.Path}, path.Dir(f.Path)+"/welcome.html.liquid or welcome.txt.liquid", "the name of the file does not say what it holds")
			continue
		}
		if other := parts[name+"."+kind]; other != nil {
			c.ps.Add(spec.Pos{File: f.Path}, "one of the two", "this and %s are both the HTML of %s", other.file.Path, name)
		}
		parts[name+"."+kind] = c.compiled(c.pictured(c.part(f)))
	}
	return parts
}

// part splits a file into the settings between two lines of dashes and the rest.
func (c *compiler) part(f File) *part {
	body := strings.ReplaceAll(strings.TrimPrefix(f.Body, "\ufeff"), "\r\n", "\n")
	p := &part{file: f, body: body, first: 1}
	rest, headed := strings.CutPrefix(body, "---\n")
	if !headed {
		return p
	}
	head, after, closed := strings.Cut("\n"+rest, "\n---\n")
	if !closed {
		c.ps.Add(spec.Pos{File: f.Path, Line: 1}, "a second line of ---", "the settings on top have no end")
		return p
	}
	head = strings.TrimPrefix(head, "\n")
	p.body = after
	if head == "" {
		p.first = 3
		return p
	}
	p.first = 4 + strings.Count(head, "\n")
	p.head = c.settings(f.Path, head)
	return p
}

// settings reads the lines “key: text” on top of a template. They are not YAML:
// a subject with a colon or quotation marks in it, as Liquid has, is a text like
// any other. Quotes around the whole text are taken off, double or single.
func (c *compiler) settings(file, head string) spec.Node {
	n := spec.Node{Kind: spec.Map, Pos: spec.Pos{File: file, Line: 2, Col: 1}}
	for i, line := range strings.Split(head, "\n") {
		pos := spec.Pos{File: file, Line: 2 + i, Col: 1}
		if s := strings.TrimSpace(line); s == "" || s[0] == '#' {
			continue
		}
		key, text, found := strings.Cut(line, ":")
		key = strings.TrimSpace(key)
		if !found || key == "" || strings.ContainsAny(key, " {\t") {
			c.ps.Add(pos, "subject: Welcome", "a setting is a line “key: text”")
			continue
		}
		if old, twice := field(n, key); twice {
			c.ps.Add(pos, "", "%q is written twice; the first stands in line %d", key, old.Pos.Line)
			continue
		}
		value := spec.Node{Kind: spec.Text, Text: strings.TrimSpace(text), Pos: pos}
		value.Pos.Col += strings.Index(line, ":") + 1 + len(text) - len(strings.TrimLeft(text, " \t"))
		value.Text = unquoted(value.Text)
		n.Fields = append(n.Fields, spec.Field{Key: key, Pos: pos, Value: value})
	}
	return n
}

// unquoted takes off the quotes around a whole text: double ones as Go and JSON
// have them, single ones as YAML has them, where two are one.
func unquoted(text string) string {
	if s, err := strconv.Unquote(text); err == nil && text[0] == '"' {
		return s
	}
	inner, opened := strings.CutPrefix(text, "'")
	inner, closed := strings.CutSuffix(inner, "'")
	if !opened || !closed || strings.Contains(strings.ReplaceAll(inner, "''", ""), "'") {
		return text // 'tis the season for 'gifts' is no quotation
	}
	return strings.ReplaceAll(inner, "''", "'")
}

// template puts the parts of one template together. If it does not compile as a
// whole, each part is compiled by itself as well, so that all mistakes are
// reported and not the first.
func (c *compiler) template(name string, html, text *part, layouts map[string]*part, htmlBlocks, textBlocks content.Blocks) *Template {
	first := html
	if first == nil {
		first = text
	}
	t := &Template{Name: name, Label: name, Pos: spec.Pos{File: first.file.Path, Line: 1}}
	src := content.Sources{HTMLBlocks: htmlBlocks, TextBlocks: textBlocks}
	r := fields{c.ps}
	layout, chosen := "default", false
	n := first.head
	if n.Kind != spec.Null && r.known(n, "a template", "label", "subject", "preheader", "layout", "fallback") {
		if s := r.text(n, "label"); s != "" {
			t.Label = s
		}
		if s := r.text(n, "layout"); s != "" {
			layout, chosen = s, true
		}
		src.Subject, src.Preheader, src.Fallback = r.text(n, "subject"), r.text(n, "preheader"), c.fallback(n)
		src.Spots.Subject, src.Spots.Preheader = spotOf(at(n, "subject")), spotOf(at(n, "preheader"))
	}
	t.Subject = src.Subject
	if html != nil && text != nil && text.head.Kind != spec.Null {
		c.ps.Add(text.head.Pos, "the settings in "+html.file.Path, "a template has its settings once, on top of its HTML part")
	}
	if html != nil && t.Subject == "" {
		pos := t.Pos
		if n.Kind != spec.Null {
			pos = at(n, "subject")
		}
		c.ps.Add(pos, "---, subject: Welcome, --- on top of the file", "the template %s has no subject", name)
	}
	if html != nil {
		src.HTML, src.Spots.HTML = html.body, html.text().Spot
		if !html.alone {
			src.HTMLLayout = c.layout(n, layout, "html", chosen, layouts)
		}
	}
	if text != nil {
		src.Text, src.Spots.Text = text.body, text.text().Spot
		src.TextLayout = c.layout(n, layout, "txt", chosen, layouts)
	}
	if html != nil && !html.alone {
		c.inline(t.Pos, &src)
	}
	words, err := content.Compile(name, src)
	if err != nil {
		c.note(err)
		for _, one := range []content.Sources{{Text: src.Subject}, {Text: src.Preheader}, {HTML: src.HTML}, {Text: src.Text}} {
			one.HTMLBlocks, one.TextBlocks, one.Spots = src.HTMLBlocks, src.TextBlocks, src.Spots
			switch one.Text {
			case "":
			case src.Subject:
				one.Spots.Text = src.Spots.Subject
			case src.Preheader:
				one.Spots.Text = src.Spots.Preheader
			}
			c.check(one)
		}
		return t // the problems are noted; whoever names the template is not told that it is missing
	}
	t.words = words
	t.leaves = c.asks(t, n, src)
	return t
}

func spotOf(pos spec.Pos) content.Spot { return content.Spot{Name: pos.File, Line: pos.Line} }

// layout returns what stands around a part; nothing if there is no such layout.
func (c *compiler) layout(head spec.Node, name, kind string, chosen bool, layouts map[string]*part) content.File {
	if name == noLayout {
		return content.File{}
	}
	l := layouts[name+"."+kind]
	if l == nil {
		if chosen {
			c.ps.Add(at(head, "layout"), "layouts/"+name+"."+kind+".liquid, or layout: none", "there is no layout %q for %s", name, kind)
		}
		return content.File{}
	}
	return l.text()
}

// check compiles one text and notes what is wrong.
func (c *compiler) check(src content.Sources) {
	if src.HTML != "" || src.Text != "" {
		_, err := content.Compile("template", src)
		c.note(err)
	}
}

// note adds what is wrong with a template, which begins with the place:
// “templates/welcome.html.liquid:5: …”.
func (c *compiler) note(err error) {
	if err == nil {
		return
	}
	_, why := fault.Of(err)
	pos := spec.Pos{}
	if where, what, found := strings.Cut(why, ": "); found {
		why, pos.File = what, where
		if i := strings.LastIndexByte(where, ':'); i >= 0 {
			if n, err := strconv.Atoi(where[i+1:]); err == nil {
				pos.File, pos.Line = where[:i], n
			}
		}
	}
	c.ps.Add(pos, "", "%s", why)
}

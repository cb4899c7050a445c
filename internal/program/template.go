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
	name, kind, _ = strings.Cut(base, ".")
	return name, kind, validName(name) && (kind == "html" || kind == "txt")
}

// part is one file of a template or a layout.
type part struct {
	file  File
	head  spec.Node // the settings on top; Null if there are none
	body  string
	first int // line of the file on which the body begins
}

// templates reads templates and layouts.
func (c *compiler) templates() {
	c.p.Templates = map[string]*Template{}
	layouts := c.parts(c.layouts)
	for _, l := range layouts {
		if n := len(placeholder.FindAllStringIndex(l.body, -1)); n != 1 {
			c.ps.Add(spec.Pos{File: l.file.Path, Line: 1}, "{{ content }}", "a layout has the message in it exactly once, this one %d times", n)
		}
	}
	parts := c.parts(c.templated)
	for _, f := range c.templated { // by path, so in one order
		name, kind, ok := templateName(f.Path)
		if !ok || kind == "txt" && parts[name+".html"] != nil || c.p.Templates[name] != nil {
			continue
		}
		if t := c.template(name, parts[name+".html"], parts[name+".txt"], layouts); t != nil {
			c.p.Templates[name] = t
		}
	}
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
		parts[name+"."+kind] = c.part(f)
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
// any other. Quotes around the whole text are taken off.
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
		if s, err := strconv.Unquote(value.Text); err == nil && value.Text[0] == '"' {
			value.Text = s
		}
		n.Fields = append(n.Fields, spec.Field{Key: key, Pos: pos, Value: value})
	}
	return n
}

// template puts the parts of one template together. Each is compiled by itself
// first, so that a mistake is reported where it stands; then it is joined with its
// layout as one text, so that escaping sees the whole and the message sees what
// the layout assigns.
func (c *compiler) template(name string, html, text *part, layouts map[string]*part) *Template {
	first := html
	if first == nil {
		first = text
	}
	t := &Template{Name: name, Label: name, Pos: spec.Pos{File: first.file.Path, Line: 1}}
	r := fields{c.ps}
	layout, chosen := "default", false
	n := first.head
	preheader := ""
	if n.Kind != spec.Null && r.known(n, "a template", "label", "subject", "preheader", "layout") {
		if s := r.text(n, "label"); s != "" {
			t.Label = s
		}
		if s := r.text(n, "layout"); s != "" {
			layout, chosen = s, true
		}
		t.Subject, preheader = r.text(n, "subject"), r.text(n, "preheader")
		c.check(content.Sources{Text: t.Subject}, at(n, "subject"))
		c.check(content.Sources{Text: preheader}, at(n, "preheader"))
	}
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
	src := content.Sources{Subject: t.Subject, Preheader: preheader}
	t.leaves = true
	ok1 := c.body(html, "html", layout, chosen, layouts, &src.HTML, t)
	ok2 := c.body(text, "txt", layout, chosen, layouts, &src.Text, t)
	if !ok1 || !ok2 {
		return t // the problems are noted; whoever names the template is not told that it is missing
	}
	var err error
	if t.words, err = content.Compile(name, src); err != nil && !c.ps.Bad() {
		// The parts are sound and their joint is not: a layout that puts the message
		// into an attribute, say.
		_, why := fault.Of(err)
		c.ps.Add(t.Pos, "a layout with {{ content }} where text stands", "the template does not fit into its layout: %s", why)
	}
	return t
}

// body joins one part with its layout.
func (c *compiler) body(p *part, kind, layout string, chosen bool, layouts map[string]*part, whole *string, t *Template) bool {
	if p == nil {
		return true
	}
	*whole = p.body
	ok := c.check(sources(kind, p.body), spec.Pos{File: p.file.Path, Line: p.first})
	if layout != noLayout {
		l := layouts[layout+"."+kind]
		if l == nil && chosen {
			c.ps.Add(at(p.head, "layout"), "layouts/"+layout+"."+kind+".liquid, or layout: none", "there is no layout %q for %s", layout, kind)
			return false
		}
		if l != nil {
			alone := placeholder.ReplaceAllLiteralString(l.body, "")
			ok = c.check(sources(kind, alone), spec.Pos{File: l.file.Path, Line: l.first}) && ok
			*whole = placeholder.ReplaceAllLiteralString(l.body, strings.TrimSuffix(p.body, "\n"))
		}
	}
	t.leaves = t.leaves && strings.Contains(*whole, "unsubscribe_url") && strings.Contains(*whole, "shop.postal")
	return ok
}

func sources(kind, body string) content.Sources {
	if kind == "html" {
		return content.Sources{HTML: body}
	}
	return content.Sources{Text: body}
}

// check compiles one text that begins at the place and notes what is wrong.
func (c *compiler) check(src content.Sources, pos spec.Pos) bool {
	if src == (content.Sources{}) {
		return true
	}
	const name = "template"
	_, err := content.Compile(name, src)
	if err == nil {
		return true
	}
	// The message begins with the name, the part and the line: “template html:5: …”.
	_, why := fault.Of(err)
	head, what, found := strings.Cut(why, ": ")
	if _, number, lined := strings.Cut(head, ":"); found && lined && strings.HasPrefix(head, name+" ") {
		if n, err := strconv.Atoi(number); err == nil {
			if pos.Line += n - 1; n > 1 {
				pos.Col = 0
			}
		}
		why = what
	}
	c.ps.Add(pos, "", "%s", why)
	return false
}

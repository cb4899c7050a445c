package content

import (
	"sort"
	"strconv"
	"strings"

	"rapport/internal/fault"
)

// Limits of a template.
const (
	// maxSource bounds each part of a template. A large mail, made from MJML, has
	// 100 kB.
	maxSource = 512 << 10
	// maxDepth bounds blocks in blocks.
	maxDepth = 32
)

// part is one compiled text: a template's subject, HTML or text, a layout, or a
// block where it stands.
type part struct {
	file  File
	html  bool
	nodes []node
	lines []int // where each line begins
	size  int   // bytes of the text and of all that stands in it
	paths int   // how many variables are asked for in it and in all that stands in it
}

// spot returns where a place in the text is.
func (p *part) spot(pos int) Spot {
	return Spot{p.file.Name, max(p.file.Line, 1) - 1 + sort.SearchInts(p.lines, pos+1)}
}

// at returns "name:line" of a place in the text.
func (p *part) at(pos int) string { return p.spot(pos).String() }

// linesOf returns where each line of a text begins.
func linesOf(text string) []int {
	lines := []int{0}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			lines = append(lines, i+1)
		}
	}
	return lines
}

// compile parses a part. In HTML it also finds where each output stands.
func compile(file File, html bool, k *kit) (*part, error) {
	p, err := parse(file, html, k)
	if err != nil || !html {
		return p, err
	}
	f := &follower{part: p}
	end := f.follow(p.nodes, place{})
	if f.err == nil && (end.at != inText || end.outlook) {
		f.fail(len(file.Body)-1, "the HTML ends inside "+end.where())
	}
	if f.err != nil {
		return nil, f.err
	}
	return p, nil
}

// parse makes the nodes of a text.
func parse(file File, html bool, k *kit) (*part, error) {
	p := &part{file: file, html: html, size: len(file.Body)}
	if p.size > maxSource {
		return nil, fault.New(fault.TooLarge, file.Name+": the template is larger than "+strconv.Itoa(maxSource>>10)+" kB")
	}
	p.lines = linesOf(file.Body)
	tokens, pos, wrong := lex(file.Body)
	if wrong != "" {
		return nil, fault.New(fault.Invalid, p.at(pos)+": "+wrong)
	}
	k.made, k.goesOn = map[string]bool{}, new(bool)
	c := &compiler{part: p, tokens: tokens, kit: k, names: &names{all: k.made}}
	p.nodes = c.block("")
	if c.err != nil {
		return nil, c.err
	}
	c.names.settle(k)
	p.paths = len(k.paths)
	for _, x := range k.paths {
		x.free = x.root != "" && !k.made[x.root]
	}
	return p, nil
}

// compiler makes nodes of tokens.
type compiler struct {
	part   *part
	tokens []token
	i      int
	depth  int
	stop   token // the tag at which the last block ended
	err    error

	kit    *kit
	names  *names
	within []string // the blocks around this one
}

func (c *compiler) fail(pos int, what string) {
	if c.err == nil {
		c.err = fault.New(fault.Invalid, c.part.at(pos)+": "+what)
	}
}

// parser returns a parser of a token's expressions.
func (c *compiler) parser(t token) *parser { return &parser{s: t.text, in: c, pos: t.pos} }

// done reports what a parser found wrong, and anything that is left.
func (c *compiler) done(t token, p *parser) {
	if p.err == "" {
		p.end()
	}
	if p.err != "" {
		c.fail(t.pos, p.err)
	}
}

// block parses until one of the tags in ends, a list of names between spaces,
// and leaves it in c.stop; with none it parses to the end.
func (c *compiler) block(ends string) []node {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > maxDepth {
		c.fail(c.stop.pos, "there are too many blocks in blocks")
		return nil
	}
	var nodes []node
	open := c.stop
	for c.err == nil && c.i < len(c.tokens) {
		t := c.tokens[c.i]
		c.i++
		if t.kind == tagToken && ends != "" && strings.Contains(ends, " "+t.name+" ") {
			c.stop = t
			return nodes
		}
		if n := c.node(t); n != nil {
			nodes = append(nodes, n)
		}
	}
	if c.err == nil && ends != "" {
		c.fail(open.pos, open.name+" has no end"+open.name)
	}
	return nodes
}

// node makes the node of one token and of the block that it begins.
func (c *compiler) node(t token) node {
	switch t.kind {
	case textToken:
		return &textNode{t.pos, t.text}
	case outputToken:
		if strings.TrimSpace(t.text) == "" {
			return nil
		}
		if c.kit.message != nil && strings.TrimSpace(t.text) == "content" {
			return c.message(t)
		}
		p := c.parser(t)
		x := p.shown()
		c.done(t, p)
		return newOutput(t.pos, x)
	}
	p := c.parser(t)
	switch t.name {
	case "#":
		for _, line := range strings.FieldsFunc(t.text, func(r rune) bool { return r == '\n' || r == '\r' })[min(1, len(strings.TrimSpace(t.text))):] {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				c.fail(t.pos, "each line of a comment begins with #")
			}
		}
		return nil
	case "echo":
		if strings.TrimSpace(t.text) == "" {
			return nil
		}
		x := p.shown()
		c.done(t, p)
		return newOutput(t.pos, x)
	case "assign":
		name := p.target()
		c.names.add(name)
		if !p.eat("=") {
			p.fail("assign is written {% assign name = value %}")
		}
		x := p.filtered()
		c.done(t, p)
		return &assignNode{t.pos, name, x}
	case "capture":
		name := p.captureName()
		c.names.add(name)
		c.done(t, p)
		c.stop = t
		return &captureNode{t.pos, name, c.block(" endcapture "), c.part.html}
	case "if", "unless":
		return c.conditional(t, p)
	case "case":
		return c.choice(t, p)
	case "for":
		return c.loop(t, p)
	case "cycle":
		return c.cycle(t, p)
	case "increment", "decrement":
		name := p.target()
		c.names.add(name)
		c.done(t, p)
		return &counterNode{name, t.name == "decrement"}
	case "ifchanged":
		c.done(t, p)
		c.stop = t
		return &changedNode{c.block(" endifchanged ")}
	case "break", "continue":
		c.done(t, p)
		if t.name == "break" {
			return &jumpNode{breaking}
		}
		return &jumpNode{continuing}
	case "liquid":
		return c.liquid(t)
	case "tablerow":
		return c.tableRow(t, p)
	case "render", "include":
		return c.partial(t, p)
	case "abort":
		return c.abort(t, p)
	case "layout", "section":
		c.fail(t.pos, "there is no tag "+t.name+"; a layout is named on top of the template, and a block is shown by {% render 'name' %}")
	case "":
		c.fail(t.pos, "a tag has no name")
	default:
		c.fail(t.pos, "there is no tag "+quote(t.name)+" here")
	}
	return nil
}

func newOutput(pos int, x *filtered) *outputNode {
	n := &outputNode{pos: pos, x: x}
	p, ok := x.x.(*path)
	if ok && p.fixed && len(p.steps) > 1 && len(x.calls) == 0 {
		n.shared = p
	}
	if !ok || p.by != nil || len(p.steps) != 1 || p.steps[0].by != nil {
		return n
	}
	switch {
	case len(x.calls) == 0:
		n.field = p
	case len(x.calls) == 1 && x.calls[0].money && len(x.calls[0].args) == 1:
		if in, ok := x.calls[0].args[0].(*path); ok && in.fixed {
			n.field, n.money = p, in
		}
	}
	return n
}

// captureName reads a capture's name, which may have quotes.
func (p *parser) captureName() string {
	if q := p.peek(); q == '"' || q == '\'' {
		p.i++
		name := p.target()
		if !p.eat(string(q)) {
			p.fail("a name has no closing quote")
		}
		return name
	}
	return p.target()
}

// quiet wraps a block whose bodies show nothing but white space: Liquid drops it.
func quiet(n node, bodies ...[]node) node {
	for _, body := range bodies {
		for _, inner := range body {
			switch inner := inner.(type) {
			case *textNode:
				if strings.Trim(inner.s, white) != "" {
					return n
				}
			case *assignNode, *captureNode, *jumpNode, *silentNode:
			default:
				return n
			}
		}
	}
	return &silentNode{n}
}

func (c *compiler) conditional(t token, p *parser) node {
	end := "end" + t.name
	n := &ifNode{}
	b := branch{pos: t.pos, cond: p.condition(), not: t.name == "unless"}
	c.done(t, p)
	ends := " elsif else " + end + " "
	var bodies [][]node
	for c.err == nil {
		c.stop = t
		b.body = c.block(ends)
		bodies = append(bodies, b.body)
		n.branches = append(n.branches, b)
		b = branch{pos: c.stop.pos}
		if c.err != nil || c.stop.name == end {
			break
		}
		p := c.parser(c.stop)
		if c.stop.name == "elsif" {
			b.cond = p.condition()
			c.done(c.stop, p)
		} // what stands behind else is not looked at, as in Shopify
	}
	return quiet(n, bodies...)
}

func (c *compiler) choice(t token, p *parser) node {
	n := &caseNode{pos: t.pos, x: p.value()}
	c.done(t, p)
	c.stop = t
	c.block(" when else endcase ") // what stands before the first when is not shown
	var bodies [][]node
	for c.err == nil && c.stop.name != "endcase" {
		var w whenBranch
		if c.stop.name == "when" {
			p := c.parser(c.stop)
			w.values = append(w.values, p.value())
			for p.err == "" && (p.eat(",") || p.keyword("or")) {
				w.values = append(w.values, p.value())
			}
			if c.kit.lax && p.err == "" {
				p.i = len(p.s) // Shopify reads no further than it understands
			}
			c.done(c.stop, p)
		}
		c.stop = t
		w.body = c.block(" when else endcase ")
		bodies = append(bodies, w.body)
		n.when = append(n.when, w)
	}
	return quiet(n, bodies...)
}

func (c *compiler) loop(t token, p *parser) node {
	n := c.rounds(t, p)
	c.done(t, p)
	c.names.add("forloop")
	c.stop = t
	n.body = c.block(" else endfor ")
	if c.err == nil && c.stop.name == "else" {
		c.stop = t
		n.otherwise = c.block(" endfor ")
	}
	return quiet(n, n.body, n.otherwise)
}

// rounds reads what for and tablerow go over.
func (c *compiler) rounds(t token, p *parser) *forNode {
	n := &forNode{pos: t.pos, name: p.name(), noted: c.kit.goesOn}
	if n.name == "" {
		p.fail("a loop is written {% " + t.name + " item in list %}")
	}
	if p.err == "" && !p.keyword("in") {
		p.fail("a loop is written {% " + t.name + " item in list %}")
	}
	if p.err == "" {
		n.in = p.value()
		n.label = n.name + "-" + sourceOf(n.in)
	}
	c.names.add(n.name)
	for p.err == "" {
		p.eat(",")
		switch {
		case t.name == "tablerow" && p.keyword("cols") && p.eat(":"):
			n.cols = p.value()
			continue
		case t.name == "for" && p.keyword("reversed"):
			n.reversed = true
			continue
		case p.keyword("limit") && p.eat(":"):
			n.limit = p.value()
			continue
		case p.keyword("offset") && p.eat(":"):
			if n.goOn = p.keyword("continue"); n.goOn {
				*n.noted = true
			} else {
				n.offset = p.value()
			}
			continue
		}
		break
	}
	return n
}

// sourceOf returns an expression as it was written.
func sourceOf(x expr) string {
	switch x := x.(type) {
	case *path:
		return x.src
	case rangeOf:
		return x.src
	case literal:
		if s, ok := x.value.(string); ok {
			return s
		}
	}
	return "list"
}

func (c *compiler) cycle(t token, p *parser) node {
	n := &cycleNode{pos: t.pos, key: strings.TrimSpace(t.text)}
	first := p.value()
	if p.eat(":") {
		n.group = first
		n.values = append(n.values, p.value())
	} else {
		n.values = append(n.values, first)
	}
	for p.err == "" && p.eat(",") {
		if p.peek() == 0 {
			break
		}
		n.values = append(n.values, p.value())
	}
	c.done(t, p)
	return n
}

// liquid parses the lines of a {% liquid %} tag, each of which is a tag.
func (c *compiler) liquid(t token) node {
	var lines []token
	pos := t.pos
	comment := 0
	for _, line := range strings.Split(t.text, "\n") {
		body := strings.Trim(line, white)
		if body != "" {
			name, rest := tagName(body)
			switch {
			case name == "comment":
				comment++
			case name == "endcomment" && comment > 0:
				comment--
			case comment > 0:
			case name == "raw" || name == "doc":
				c.fail(pos, name+" cannot stand in liquid")
			default:
				lines = append(lines, token{kind: tagToken, pos: pos, name: name, text: rest})
			}
		}
		pos += len(line)
	}
	if comment > 0 {
		c.fail(t.pos, "comment has no endcomment")
	}
	inner := &compiler{part: c.part, tokens: lines, depth: c.depth, kit: c.kit, names: c.names, within: c.within}
	body := inner.block("")
	if inner.err != nil && c.err == nil {
		c.err = inner.err
	}
	return &groupNode{body}
}

// groupNode is nodes in a row.
type groupNode struct{ body []node }

func (n *groupNode) render(r *run) { r.render(n.body) }

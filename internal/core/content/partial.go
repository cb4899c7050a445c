package content

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/fault"
)

// Limits of what a template is put together from. A block is compiled anew in
// each place where it stands, because in HTML each place escapes in its own way;
// so blocks in blocks could multiply without end.
const (
	// maxPlaces bounds how often blocks stand in one part.
	maxPlaces = 500
	// maxWhole bounds a part with everything that stands in it, in bytes.
	maxWhole = 2 << 20
	// maxWithin bounds blocks in blocks.
	maxWithin = 8
)

// kit is what a part is compiled with, and what was found out on the way.
type kit struct {
	blocks   Blocks
	message  *File // of a layout: what stands in it; nil if there is none, or none any more
	fallback map[string]string
	lax      bool // as Shopify reads, for the golden suite

	paths  []*path         // variables, each place counted
	made   map[string]bool // what is given a name anywhere in the part
	goesOn *bool           // a loop begins where one before it ended
	places int             // where blocks stand
	whole  int             // bytes of them
	uses   []Use
	words  []Word
}

// partNode is a text of its own that stands here: a block, or the message in its
// layout.
type partNode struct {
	pos   int
	part  *part
	alone bool // by render: it knows what it is handed, and nothing it does is known here
	handed
}

// handed is what a block is given.
type handed struct {
	args  []namedArg
	name  string // of what with or for binds
	bound expr
	each  bool // for: once for each item
}

// chosenNode is a block whose name is known only when it is shown.
type chosenNode struct {
	pos   int
	x     expr
	parts map[string]*part
	order []string
	handed
}

// message puts the message into its layout.
func (c *compiler) message(t token) node {
	file := *c.kit.message
	c.kit.message = nil // so that {{ content }} in it is a variable as any other
	p := c.inside(t, file, c.within, c.names)
	if p == nil {
		return nil
	}
	return &partNode{pos: t.pos, part: p}
}

// inside compiles a text that stands in this one.
func (c *compiler) inside(t token, file File, within []string, known *names) *part {
	k := c.kit
	k.places++
	k.whole += len(file.Body)
	if k.places > maxPlaces || k.whole > maxWhole {
		c.tooLarge(t, "the template becomes too large: its blocks stand in more than "+strconv.Itoa(maxPlaces)+" places or have more than "+strconv.Itoa(maxWhole>>20)+" MB")
		return nil
	}
	p := &part{file: file, html: c.part.html, size: len(file.Body), lines: linesOf(file.Body)}
	if p.size > maxSource {
		c.tooLarge(t, file.Name+" is larger than "+strconv.Itoa(maxSource>>10)+" kB")
		return nil
	}
	tokens, pos, wrong := lex(file.Body)
	inner := &compiler{part: p, tokens: tokens, depth: c.depth, kit: k, names: known, within: within}
	if wrong != "" {
		inner.fail(pos, wrong)
	} else {
		p.nodes = inner.block("")
	}
	if inner.err != nil && c.err == nil {
		c.err = inner.err
	}
	c.part.size += p.size
	return p
}

func (c *compiler) tooLarge(t token, what string) {
	if c.err == nil {
		c.err = fault.New(fault.TooLarge, c.part.at(t.pos)+": "+what)
	}
}

// partial reads render and include.
func (c *compiler) partial(t token, p *parser) node {
	var h handed
	start := p.i
	x := p.value()
	lit, _ := x.(literal)
	name, plain := lit.value.(string)
	if p.err == "" && !plain && (t.name == "render" || !isPath(x)) {
		p.i = start
		p.fail("a block is shown by its name: {% " + t.name + " 'name' %}")
	}
	h.name = name
	if at := p.i; p.err == "" {
		switch {
		case p.keyword("with") && p.peek() != ':':
			h.bound = p.stated()
		case p.keyword("for") && p.peek() != ':':
			h.bound, h.each = p.stated(), true
		default:
			p.i = at
		}
	}
	if h.bound != nil && p.keyword("as") {
		if h.name = p.name(); h.name == "" {
			p.fail("a name is missing behind as")
		}
	}
	for p.err == "" {
		p.eat(",")
		if p.peek() == 0 {
			break
		}
		arg := p.name()
		if arg == "" || !p.eat(":") {
			p.fail("a block is handed values as {% " + t.name + " 'name', value: product.name %}")
			break
		}
		h.args = append(h.args, namedArg{arg, p.stated()})
	}
	c.done(t, p)
	if c.err != nil {
		return nil
	}
	if t.name == "render" {
		known := &names{alone: true, block: name, all: c.kit.made}
		for _, a := range h.args {
			known.add(a.name)
		}
		if h.bound != nil {
			known.add(h.name)
		}
		if h.each {
			known.add("forloop")
		}
		inner := c.block1(t, name, known)
		if inner == nil {
			return nil
		}
		known.settle(c.kit)
		return &partNode{t.pos, inner, true, h}
	}
	for _, a := range h.args {
		c.names.add(a.name)
	}
	if h.bound != nil {
		c.names.add(h.name)
	}
	if plain {
		if inner := c.block1(t, name, c.names); inner != nil {
			return &partNode{t.pos, inner, false, h}
		}
		return nil
	}
	n := &chosenNode{pos: t.pos, x: x, parts: map[string]*part{}, handed: h}
	for name := range c.kit.blocks { // order does not matter: they are sorted
		if !slices.Contains(c.within, name) {
			n.order = append(n.order, name)
		}
	}
	slices.Sort(n.order)
	for _, name := range n.order {
		c.kit.made[name] = true // what it is handed by with has its name
	}
	for _, name := range n.order {
		if n.parts[name] = c.block1(t, name, c.names); c.err != nil {
			return nil
		}
	}
	return n
}

func isPath(x expr) bool { _, ok := x.(*path); return ok }

// block1 compiles a block where it stands.
func (c *compiler) block1(t token, name string, known *names) *part {
	file, there := c.kit.blocks[name]
	switch {
	case !there:
		c.fail(t.pos, "there is no block "+quote(name)+c.kit.others())
	case slices.Contains(c.within, name):
		c.fail(t.pos, "the block "+name+" would stand in itself: "+strings.Join(append(slices.Clone(c.within), name), " in ")+"")
	case len(c.within) == maxWithin:
		c.tooLarge(t, "there are more than "+strconv.Itoa(maxWithin)+" blocks in blocks")
	default:
		return c.inside(t, file, append(slices.Clone(c.within), name), known)
	}
	return nil
}

// others names the blocks that there are, for an error.
func (k *kit) others() string {
	const most = 12
	var list []string
	for name := range k.blocks { // order does not matter: they are sorted
		list = append(list, name)
	}
	slices.Sort(list)
	switch {
	case len(list) == 0:
		return "; a block is a file in the folder blocks"
	case len(list) > most:
		return "; some that there are: " + strings.Join(list[:most], ", ")
	}
	return "; there is " + strings.Join(list, ", ")
}

func (n *partNode) render(r *run) {
	r.pos = n.pos
	if n.bound == nil && len(n.args) == 0 && !n.alone {
		r.enter(n.part)
		return
	}
	n.handed.show(r, n.part, n.alone)
}

func (n *chosenNode) render(r *run) {
	r.pos = n.pos
	name := r.text(n.x.eval(r))
	p := n.parts[name]
	if p == nil {
		r.fail(fault.Invalid, "there is no block %s that may stand here", quote(name))
		return
	}
	h := n.handed
	if h.name == "" {
		h.name = name
	}
	h.show(r, p, false)
}

// enter renders a text that stands in this one.
func (r *run) enter(p *part) {
	outer, pos := r.part, r.pos
	r.part = p
	r.render(p.nodes)
	if r.err == nil { // else the error has said where
		r.part, r.pos = outer, pos
	}
}

// show renders a block with what it is handed: in a scope of its own, or in this
// one with more variables.
func (h *handed) show(r *run, p *part, alone bool) {
	base := len(r.own)
	for i := range h.args {
		r.own = append(r.own, r.hand(&h.args[i]))
	}
	values := r.own[base:len(r.own):len(r.own)]
	var v any
	if h.bound != nil {
		v = h.bound.eval(r)
	}
	if r.err != nil {
		return
	}
	items, loops := []any(nil), false
	if h.each || !alone {
		switch v.(type) {
		case []any, span, pair:
			items, loops = r.items(v), true
		}
	}
	if !loops {
		h.once(r, p, alone, values, v, nil)
	}
	var l *loop
	if loops {
		l = &loop{name: h.name, of: len(items)}
	}
	for i := range items {
		if !r.step(1) || r.jump != onward {
			break
		}
		l.at = i
		h.once(r, p, alone, values, items[i], l)
	}
	r.own = r.own[:base]
}

// hand returns the variable that an argument becomes.
func (r *run) hand(a *namedArg) scope {
	if p, ok := a.x.(*path); ok && p.by == nil && len(p.steps) == 0 {
		if s := r.scopeOf(p.root); s != nil && s.bare && r.step(1+len(s.object)/perStep) {
			return scope{name: a.name, object: s.object, bare: true}
		}
	}
	return scope{name: a.name, value: a.x.eval(r)}
}

func (h *handed) once(r *run, p *part, alone bool, values []scope, v any, l *loop) {
	if !alone {
		from := len(r.scopes)
		if h.bound != nil {
			r.scopes = append(r.scopes, scope{name: h.name, value: v})
		}
		r.scopes = append(r.scopes, values...)
		r.enter(p)
		r.scopes = r.scopes[:from]
		return
	}
	outer := r.frame
	base := len(r.own)
	if h.bound != nil {
		r.own = append(append(r.own, scope{name: h.name, value: v}), values...)
		if l != nil {
			r.own = append(r.own, scope{name: "forloop", value: l})
		}
		values = r.own[base:len(r.own):len(r.own)] // what it assigns itself stands elsewhere
	}
	r.frame = frame{alone: true, assigned: values}
	r.enter(p)
	r.frame = outer
	r.own = r.own[:base]
	r.jump = onward // break ends the block that it stands in, and no loop around it
}

// inside follows a block where it stands.
func (f *follower) inside(n *partNode, p place) place {
	if !n.alone {
		if n.bound == nil {
			return f.within(n.part, p)
		}
		return f.rounds(n.pos, n.part, p)
	}
	outer := *f
	f.loops, f.inner = nil, true
	if n.each {
		p = f.rounds(n.pos, n.part, p)
	} else {
		p = f.within(n.part, p)
	}
	f.loops, f.inner, f.ended = outer.loops, outer.inner, outer.ended
	return p
}

// within follows a text that stands in this one.
func (f *follower) within(inner *part, p place) place {
	outer := f.part
	f.part = inner
	p = f.follow(inner.nodes, p)
	f.part = outer
	return p
}

// rounds follows a block that may stand here any number of times.
func (f *follower) rounds(pos int, inner *part, p place) place {
	w := ways{f: f, pos: pos, what: "the block"}
	w.add(p.settled())
	w.one(inner, p)
	w.again(p, func(from place) { w.one(inner, from) })
	return w.end(p)
}

// one follows one way, through a text of its own.
func (w *ways) one(inner *part, p place) {
	outer := w.f.part
	w.f.part = inner
	end := w.f.follow(inner.nodes, p)
	w.f.part = outer
	if w.f.ended {
		w.f.ended = false
		return
	}
	w.add(end)
}

// chosen follows every block that may stand here.
func (f *follower) chosen(n *chosenNode, p place) place {
	w := ways{f: f, pos: n.pos, what: "the blocks that may stand here"}
	for _, name := range n.order {
		w.one(n.parts[name], p)
	}
	if n.bound != nil {
		w.add(p.settled())
		w.again(p, func(from place) {
			for _, name := range n.order {
				w.one(n.parts[name], from)
			}
		})
	}
	return w.end(p)
}

// CheckBlock reads a block by itself and returns what is wrong with its Liquid.
// How its outputs are escaped depends on where it stands, so that is not looked
// at.
func CheckBlock(name string, file File, html bool, blocks Blocks) error {
	p := &part{file: file, html: html, lines: linesOf(file.Body)}
	k := &kit{blocks: blocks, made: map[string]bool{}, goesOn: new(bool)}
	c := &compiler{part: p, kit: k, names: &names{all: k.made}}
	c.inside(token{}, file, []string{name}, c.names)
	return c.err
}

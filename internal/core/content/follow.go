package content

import (
	"strings"

	"rapport/internal/fault"
)

// follower walks a compiled HTML part through all its branches and tells each
// output how it must be escaped. It is the proof, made once when the template is
// compiled, that no rendering can put a value where it was not expected.
type follower struct {
	part  *part
	loops []place // where the bodies of the loops around began; in a capture, those in it
	inner bool    // in a capture or a block
	mute  bool    // in a block whose text is not shown
	modes map[node]mode
	ended bool // a break or continue ended this branch
	err   error
}

func (f *follower) fail(pos int, what string) {
	if f.err == nil {
		f.err = fault.New(fault.Invalid, f.part.at(pos)+": "+what)
	}
}

// follow returns where the HTML is after the nodes. A branch that ended is
// nowhere: it may meet any other.
func (f *follower) follow(nodes []node, p place) place {
	for _, n := range nodes {
		if f.err != nil || f.ended {
			return p
		}
		p = f.node(n, p)
	}
	return p
}

func (f *follower) node(n node, p place) place {
	switch n := n.(type) {
	case *textNode:
		if f.mute {
			return p
		}
		end, at, wrong := p.feed(n.s)
		if wrong != "" {
			f.fail(n.pos+at, wrong)
		}
		return end
	case *outputNode:
		n.mode, p = f.escape(n, n.pos, p)
	case *cycleNode:
		n.mode, p = f.escape(n, n.pos, p)
	case *counterNode:
		_, p = f.output(0, p)
	case *captureNode:
		f.capture(n)
	case *ifNode:
		return f.branches(n, p)
	case *caseNode:
		return f.choice(n, p)
	case *forNode:
		return f.loop(n, p)
	case *tableNode:
		return f.table(n, p)
	case *partNode:
		return f.inside(n, p)
	case *chosenNode:
		return f.chosen(n, p)
	case *abortNode:
		f.ended = true
	case *changedNode:
		end := f.follow(n.body, p)
		f.meet(0, p, end, "ifchanged")
	case *silentNode:
		return f.silent(n, p)
	case *groupNode:
		return f.follow(n.body, p)
	case *jumpNode:
		f.jump(p)
	}
	return p
}

// capture follows a capture, which begins and ends in text.
func (f *follower) capture(n *captureNode) {
	outer := *f
	f.loops, f.inner, f.mute, f.ended = nil, true, false, false
	end := f.follow(n.body, place{})
	if f.err == nil && (end.at != inText || end.outlook) {
		f.fail(n.pos, "the capture "+n.name+" ends inside "+end.where())
	}
	f.loops, f.inner, f.mute, f.ended = outer.loops, outer.inner, outer.mute, outer.ended
}

// jump checks that a break or continue leaves the HTML where the loop's next
// round, or the end of the whole, expects it.
func (f *follower) jump(p place) {
	switch {
	case len(f.loops) > 0:
		f.meet(0, f.loops[len(f.loops)-1], p, "the round of a loop that ends early")
	case f.inner:
		f.fail(0, "break and continue may not leave a capture or a block")
	case p.at != inText || p.outlook:
		f.fail(0, "the message may not end inside "+p.where())
	}
	f.ended = true
}

// escape is output for a node that may be met more than once, in the rounds of a
// loop: then always in a place of the same kind.
func (f *follower) escape(n node, pos int, p place) (mode, place) {
	m, end := f.output(pos, p)
	if p.outlook {
		m |= outlookBit
	}
	if before, met := f.modes[n]; met && before != m {
		f.fail(pos, "the variable stands in one place in the first round of the loop and in another in the second")
	}
	if f.modes == nil {
		f.modes = map[node]mode{}
	}
	f.modes[n] = m
	return m, end
}

// output returns how a value is escaped in a place, and where the HTML is behind
// it.
func (f *follower) output(pos int, p place) (mode, place) {
	switch p.at {
	case inText:
		return textMode, p
	case inComment:
		if p.word != "" { // if the value is nothing, what follows may complete the end
			f.fail(pos, "put a space between the - and the variable")
		}
		return commentMode, p
	case inRaw:
		switch p.tag {
		case "title", "textarea":
			return attrMode, p // as text, but captured HTML has no tags here
		case "style":
			return styleMode, p
		}
		f.fail(pos, "a variable may not stand in <"+p.tag+">")
	case inDouble, inSingle:
		return f.attribute(pos, p)
	case afterEquals, inBare:
		f.fail(pos, "put quotes around the value of "+p.attr)
	default:
		f.fail(pos, "a variable may not stand in a tag outside of an attribute's value")
	}
	return textMode, p
}

func (f *follower) attribute(pos int, p place) (mode, place) {
	switch {
	case strings.HasPrefix(p.attr, "on") || p.attr == "srcdoc":
		f.fail(pos, "a variable may not stand in "+p.attr)
	case p.attr == "content" && p.tag == "meta":
		f.fail(pos, "a variable may not stand in the content of a meta element")
	case p.attr == "style":
		return styleMode, p
	case addresses[p.attr]:
		switch p.url {
		case urlStart:
			p.url = urlAfter
			return urlMode, p
		case urlAfter:
			return urlTail, p
		case urlInside, urlOther:
			return urlPart, p
		case urlHost:
			f.fail(pos, "a variable may not be part of a link's host; put the whole address into the variable, or a / before it")
		default:
			f.fail(pos, "a variable may not stand here in a link; begin the link with https:// and a host, or put the whole address into the variable")
		}
	}
	return attrMode, p
}

// meet checks that two branches end in the same place, and returns it. Inside an
// address they may have got differently far: then the stricter counts.
func (f *follower) meet(pos int, a, b place, what string) place {
	a, b = a.settled(), b.settled()
	if a != b && a.url != b.url || a.word != b.word {
		if c, d := a.fixed(), b.fixed(); c == d && addresses[a.attr] {
			if begun(a.url) && begun(b.url) {
				c.url = urlAfter
			}
			return c
		}
	}
	if a != b {
		f.fail(pos, what+" may end inside "+a.where()+" or inside "+b.where()+": let all ways end in the same place")
	}
	return a
}

// begun reports whether an address has a scheme and host for good, so that what
// is put behind it, if it begins a path or query, leads nowhere else.
func begun(u urlAt) bool { return u == urlAfter || u == urlInside || u == urlOther }

// fixed is the place if no variable may go on with the address.
func (p place) fixed() place {
	p.url, p.word = urlFixed, ""
	return p
}

// settled forgets what does not matter any more: a name of an attribute without
// a value.
func (p place) settled() place {
	switch p.at {
	case inAttrName:
		// What follows may be "=": then the reader has no name and refuses.
		fallthrough
	case inTag:
		tag := p.tag
		p = p.to(inTag)
		p.tag = tag
	}
	return p
}

// ways collects where the branches of a block end.
type ways struct {
	f     *follower
	pos   int
	what  string
	place place
	any   bool
}

// way follows one branch from p.
func (w *ways) way(body []node, p place) {
	end := w.f.follow(body, p)
	if w.f.ended {
		w.f.ended = false
		return
	}
	w.add(end)
}

func (w *ways) add(end place) {
	if w.any {
		w.place = w.f.meet(w.pos, w.place, end, w.what)
	} else {
		w.place, w.any = end, true
	}
}

// end returns where the branches meet. If all of them ended, so did the block.
func (w *ways) end(p place) place {
	if !w.any {
		w.f.ended = true
		return p
	}
	return w.place
}

func (f *follower) branches(n *ifNode, p place) place {
	w := ways{f: f, pos: n.branches[0].pos, what: "the if"}
	all := false
	for i := range n.branches {
		w.way(n.branches[i].body, p)
		all = all || n.branches[i].cond == nil
	}
	if !all {
		w.add(p)
	}
	return w.end(p)
}

func (f *follower) choice(n *caseNode, p place) place {
	w := ways{f: f, pos: n.pos, what: "the case"}
	all := false
	for i := range n.when {
		w.way(n.when[i].body, p)
		all = all || n.when[i].values == nil
	}
	if !all {
		w.add(p)
	}
	// Liquid renders each branch that names the value, one behind the other.
	w.again(p, func(from place) {
		for i := range n.when {
			w.way(n.when[i].body, from)
		}
	})
	return w.end(p)
}

func (f *follower) loop(n *forNode, p place) place {
	start := p.settled()
	f.loops = append(f.loops, start)
	w := ways{f: f, pos: n.pos, what: "the loop"}
	w.add(start)
	w.way(n.body, p)
	w.again(p, func(from place) {
		f.loops[len(f.loops)-1] = from
		w.way(n.body, from)
	})
	f.loops = f.loops[:len(f.loops)-1]
	w.way(n.otherwise, p)
	return w.end(p)
}

// again follows what comes once more behind itself, until the place where the
// ways meet does not change any more. Each change goes to a stricter place, of
// which there are few.
func (w *ways) again(from place, follow func(place)) {
	for w.any && w.f.err == nil && w.place != from {
		from = w.place
		follow(from)
	}
}

// silent follows a block that shows nothing, for the captures and jumps in it.
func (f *follower) silent(n *silentNode, p place) place {
	mute := f.mute
	f.mute = true
	f.node(n.node, p)
	f.mute = mute
	return p
}

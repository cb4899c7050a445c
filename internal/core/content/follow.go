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
	loops []place // where the bodies of the loops around began
	ended bool    // a break or continue ended this branch
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
		end, at, wrong := p.feed(n.s)
		if wrong != "" {
			f.fail(f.posOf(n, at), wrong)
		}
		return end
	case *outputNode:
		n.mode, p = f.output(n.pos, p)
	case *cycleNode:
		n.mode, p = f.output(n.pos, p)
	case *counterNode:
		_, p = f.output(0, p)
	case *captureNode:
		loops := f.loops
		f.loops = nil // a capture is collected before it is shown: a jump cannot leave half of it
		end := f.follow(n.body, place{})
		f.loops = loops
		if f.err == nil && end.at != inText {
			f.fail(n.pos, "the capture "+n.name+" ends inside "+end.where())
		}
	case *ifNode:
		return f.branches(n, p)
	case *caseNode:
		return f.choice(n, p)
	case *forNode:
		return f.loop(n, p)
	case *changedNode:
		end := f.follow(n.body, p)
		f.meet(0, p, end, "ifchanged")
	case *silentNode:
		return f.silent(n, p)
	case *groupNode:
		return f.follow(n.body, p)
	case *jumpNode:
		if len(f.loops) > 0 {
			f.meet(0, f.loops[len(f.loops)-1], p, "the round of a loop that ends early")
		}
		f.ended = true
	}
	return p
}

// posOf returns where in the source a place in a text stands. Text is a piece of
// the source, unless whitespace control cut it off on the left.
func (f *follower) posOf(n *textNode, at int) int {
	if i := strings.Index(f.part.source, n.s); i >= 0 {
		return i + at
	}
	return 0
}

// output returns how a value is escaped in a place, and where the HTML is behind
// it.
func (f *follower) output(pos int, p place) (mode, place) {
	switch p.at {
	case inText, inComment:
		p.word = "" // a value never ends a comment: it has no ">"
		return textMode, p
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

// meet checks that two branches end in the same place, and returns it.
func (f *follower) meet(pos int, a, b place, what string) place {
	a, b = a.settled(), b.settled()
	if a != b {
		f.fail(pos, what+" may end inside "+a.where()+" or inside "+b.where()+": let all ways end in the same place")
	}
	return a
}

// settled forgets what does not matter any more: a name of an attribute without
// a value, and half of a mark.
func (p place) settled() place {
	switch p.at {
	case inAttrName:
		// What follows may be "=": then the reader has no name and refuses.
		return place{at: inTag, tag: p.tag}
	case inTag:
		return place{at: inTag, tag: p.tag}
	case inComment:
		return place{at: inComment}
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
	w.add(p)
	for i := range n.when {
		// More than one may be rendered, so each must lead back to where it began.
		w.way(n.when[i].body, p)
	}
	return w.end(p)
}

func (f *follower) loop(n *forNode, p place) place {
	start := p.settled()
	f.loops = append(f.loops, start)
	w := ways{f: f, pos: n.pos, what: "the loop"}
	w.add(start)
	w.way(n.body, p)
	if start.at == inTag || start.at == inComment {
		w.way(n.body, start) // the second round begins where the first has ended
	}
	f.loops = f.loops[:len(f.loops)-1]
	w.way(n.otherwise, p)
	return w.end(p)
}

// silent follows a block that shows nothing, for the captures in it.
func (f *follower) silent(n *silentNode, p place) place {
	ended := f.ended
	f.node(n.node, place{})
	f.ended = ended
	return p
}

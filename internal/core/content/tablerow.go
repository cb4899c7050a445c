package content

import "strconv"

// tableNode renders its body for each item as the cells of a table, so many to a
// row.
type tableNode struct{ *forNode }

func (c *compiler) tableRow(t token, p *parser) node {
	n := &tableNode{c.rounds(t, p)}
	c.names.add("tablerowloop")
	c.done(t, p)
	c.stop = t
	n.body = c.block(" endtablerow ")
	return n
}

// column returns a field that only the loop of a tablerow has.
func (l *loop) column(name string) (any, bool) {
	col := l.at % l.cols
	switch name {
	case "col":
		return int64(col + 1), true
	case "col0":
		return int64(col), true
	case "col_first":
		return col == 0, true
	case "col_last":
		return col == l.cols-1, true
	case "row":
		return int64(l.at/l.cols + 1), true
	}
	return nil, false
}

func (n *tableNode) render(r *run) {
	r.pos = n.pos
	from, to, in := n.bounds(r)
	if r.err != nil || !in.some {
		return
	}
	l := &loop{name: n.label, of: max(to-from, 0)}
	l.cols = max(l.of, 1)
	if n.cols != nil {
		l.cols = max(n.bound(r, n.cols, "number of columns"), 1)
	}
	base, listed := len(r.scopes), len(r.listed)-len(in.objects)
	r.scopes = append(r.scopes, scope{name: "tablerowloop", value: l}, scope{name: n.name})
	r.write("<tr class=\"row1\">\n")
	for i := from; i < to && r.err == nil; i++ {
		l.at = i - from
		r.scopes[base+1].value = in.at(i)
		if !r.step(1) {
			break
		}
		col := l.at % l.cols
		if col == 0 && l.at > 0 {
			r.write(`<tr class="row` + strconv.Itoa(l.at/l.cols+1) + `">`)
		}
		r.write(`<td class="col` + strconv.Itoa(col+1) + `">`)
		r.render(n.body)
		r.write("</td>")
		jump := r.jump
		r.jump = onward
		if jump == breaking {
			break
		}
		if col == l.cols-1 && i < to-1 {
			r.write("</tr>\n")
		}
	}
	r.write("</tr>\n")
	r.scopes, r.listed = r.scopes[:base], r.listed[:listed]
}

// table follows a tablerow, which writes tags of its own: it and its body stand
// in text.
func (f *follower) table(n *tableNode, p place) place {
	if f.mute {
		p = place{}
	}
	if p.at != inText {
		f.fail(n.pos, "a tablerow may not stand in "+p.where())
		return p
	}
	f.loops = append(f.loops, p)
	end := f.follow(n.body, p)
	f.loops = f.loops[:len(f.loops)-1]
	if f.ended {
		f.ended = false
		return p
	}
	return f.meet(n.pos, p, end, "a cell of the tablerow")
}

package content

// Aborted is the error of a rendering that the template itself gave up, by
// {% abort "sold out" %}: this customer is to get no message. It is an outcome
// and no failure.
type Aborted struct {
	Reason string // one line
	Spot   Spot
}

// Error returns the reason.
func (a *Aborted) Error() string { return "the template gives up: " + a.Reason }

// maxReason bounds a reason: it is kept with the delivery.
const maxReason = 200

// abortNode ends the rendering without a message.
type abortNode struct {
	pos int
	x   *filtered
}

func (c *compiler) abort(t token, p *parser) node {
	if p.peek() == 0 {
		c.fail(t.pos, `abort says why: {% abort "sold out" %}`)
		return nil
	}
	x := p.filtered()
	c.done(t, p)
	return &abortNode{t.pos, x}
}

func (n *abortNode) render(r *run) {
	r.pos = n.pos
	reason := oneLine(cleanText(r.text(n.x.eval(r))))
	if r.err != nil {
		return
	}
	if reason == "" {
		reason = "no reason is given"
	}
	r.err = &Aborted{clip(reason, maxReason), r.part.spot(n.pos)}
}

// clip returns at most n bytes of s, up to a whole character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

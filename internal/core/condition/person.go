package condition

import (
	"strconv"
	"strings"

	"rapport/internal/core/event"
)

// consentNode asks whether the customer agreed to a purpose over a channel.
type consentNode struct{ channel, purpose string }

func (n *consentNode) eval(c Context) (bool, event.Time) {
	given, ok := c.P.Consent(n.channel, n.purpose)
	switch {
	case !ok || !given.Granted || given.Expires != 0 && given.Expires <= c.Now:
		return false, event.Never
	case given.Expires != 0:
		return true, given.Expires
	}
	return true, event.Never
}

func (n *consentNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	r := Reason{Kind: "consent", Holds: is, What: n.words(!is), Name: n.channel + " " + n.purpose}
	if given, ok := c.P.Consent(n.channel, n.purpose); ok {
		r.At, r.Value = given.At, clip(given.Evidence)
	}
	*out = append(*out, r)
}

func (n *consentNode) mention(d *Deps) { d.Consent = true }

func (n *consentNode) words(not bool) string {
	if not {
		return "has not agreed to " + n.purpose + " by " + n.channel
	}
	return "agreed to " + n.purpose + " by " + n.channel
}

func (n *consentNode) canon(b *strings.Builder) {
	b.WriteString("consent " + strconv.Quote(n.channel) + " " + strconv.Quote(n.purpose))
}

// reachNode asks whether there is an address that works.
type reachNode struct{ channel string }

func (n *reachNode) eval(c Context) (bool, event.Time) {
	return c.P.Reachable(n.channel), event.Never
}

func (n *reachNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, Reason{Kind: "reachable", Holds: is, What: n.words(!is), Name: n.channel})
}

func (n *reachNode) mention(d *Deps) {
	d.Reach = true
	d.Traits = append(d.Traits, "email", "phone")
}

func (n *reachNode) words(not bool) string {
	if not {
		return "cannot be reached by " + n.channel
	}
	return "can be reached by " + n.channel
}

func (n *reachNode) canon(b *strings.Builder) { b.WriteString("reachable " + strconv.Quote(n.channel)) }

// chanceNode is true for a share of all customers, always the same ones.
type chanceNode struct {
	name  string
	share float64
}

func (n *chanceNode) eval(c Context) (bool, event.Time) {
	return c.P.ID.Chance(n.name) < n.share, event.Never
}

func (n *chanceNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, Reason{Kind: "random", Holds: is, What: n.words(!is), Name: n.name})
}

func (n *chanceNode) mention(*Deps) {}

func (n *chanceNode) words(not bool) string {
	s := "in the random " + strconv.FormatFloat(n.share*100, 'g', 6, 64) + " % called " + n.name
	if not {
		return "is not " + s
	}
	return "is " + s
}

func (n *chanceNode) canon(b *strings.Builder) {
	b.WriteString("random " + strconv.Quote(n.name) + " " + strconv.FormatFloat(n.share, 'g', -1, 64))
}

// segmentNode asks for the membership that was stored when the segment was
// evaluated last. Its Until is then the segment's own.
type segmentNode struct {
	name string
	key  uint64
}

func (n *segmentNode) eval(c Context) (bool, event.Time) {
	m := c.P.Member(n.key)
	if m.Until <= c.Now {
		return m.In, c.Now + 1 // due, and its own alarm comes at once
	}
	return m.In, m.Until
}

func (n *segmentNode) because(c Context, out *[]Reason) {
	m := c.P.Member(n.key)
	*out = append(*out, Reason{Kind: "segment", Holds: m.In, What: n.words(!m.In), Name: n.name, At: m.Since})
}

func (n *segmentNode) mention(d *Deps) { d.Segments = append(d.Segments, n.key) }

func (n *segmentNode) words(not bool) string {
	if not {
		return "is not in segment " + n.name
	}
	return "is in segment " + n.name
}

func (n *segmentNode) canon(b *strings.Builder) { b.WriteString("segment " + strconv.Quote(n.name)) }

// dwellNode asks whether a condition has been true for some time without a break.
// The condition is a hidden segment, whose membership knows since when.
type dwellNode struct {
	inner *Cond
	name  string
	key   uint64
	d     event.Time
}

func (n *dwellNode) eval(c Context) (bool, event.Time) {
	m := c.P.Member(n.key)
	if !m.In {
		return false, plus(max(m.Until, c.Now), n.d) // not before it turns true, and then d more
	}
	if due := plus(m.Since, n.d); c.Now < due {
		return false, due // should it turn meanwhile, the answer is still no
	}
	return true, max(m.Until, c.Now+1)
}

func (n *dwellNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	m := c.P.Member(n.key)
	r := Reason{Kind: "dwell", Holds: is, What: n.words(!is)}
	if m.In {
		r.At = m.Since
	}
	*out = append(*out, r)
	n.inner.root.because(c, out)
}

func (n *dwellNode) mention(d *Deps) { d.Segments = append(d.Segments, n.key) }

func (n *dwellNode) words(not bool) string {
	s := "for " + sayDuration(n.d.Sub(0)) + " without a break: " + n.inner.Sentence()
	if not {
		return "not " + s
	}
	return s
}

func (n *dwellNode) canon(b *strings.Builder) {
	b.WriteString("dwell " + strconv.FormatInt(int64(n.d), 10) + " " + n.name)
}

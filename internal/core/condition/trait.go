package condition

import (
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// traitNode compares a trait with values that do not move.
type traitNode struct {
	name string
	match
	text string // the comparison as a predicate: "is one of GB, IE"
}

func (n *traitNode) eval(c Context) (bool, event.Time) {
	v, ok := traitOf(c, n.name)
	if n.op == opBefore || n.op == opAfter {
		return n.holds(v, ok, c.zone()), event.Never
	}
	return n.holds(v, ok, nil), event.Never // only dates need the zone
}

// traitOf returns a trait. An e-mail address or telephone number by which the
// customer is known counts as the trait of that name.
func traitOf(c Context, name string) (event.Value, bool) {
	if v, ok := c.P.Trait(name); ok {
		return v, true
	}
	var kind identity.Kind
	switch name {
	case "email":
		kind = identity.Email
	case "phone":
		kind = identity.Phone
	default:
		return event.Value{}, false
	}
	s, ok := c.P.Identifier(kind)
	return event.Text(s), ok
}

func (n *traitNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, traitReason(c, n.name, is, n.words(!is)))
}

func traitReason(c Context, name string, is bool, what string) Reason {
	r := Reason{Kind: "trait", Holds: is, What: what, Name: name}
	if v, ok := traitOf(c, name); ok {
		r.Value = clip(v.String())
	}
	stored := root(name)
	for i := range c.P.Traits {
		if c.P.Traits[i].Name == stored {
			r.At = c.P.Traits[i].At
		}
	}
	return r
}

func (n *traitNode) mention(d *Deps) { mentionTrait(d, n.name, n.op == opBefore || n.op == opAfter) }

func mentionTrait(d *Deps, name string, zone bool) {
	d.Traits = append(d.Traits, root(name))
	if name == "email" || name == "phone" {
		d.Reach = true // an identifier may stand for it
	}
	d.Zone = d.Zone || zone
}

func (n *traitNode) words(not bool) string {
	if not {
		return "it is not so that " + sayName(n.name) + " " + n.text
	}
	return sayName(n.name) + " " + n.text
}

func (n *traitNode) canon(b *strings.Builder) {
	b.WriteString("trait " + strconv.Quote(n.name) + " " + n.match.canon())
}

// dateNode asks how far a trait's date is from now.
type dateNode struct {
	name string
	rel  relative
}

func (n *dateNode) eval(c Context) (bool, event.Time) {
	v, ok := traitOf(c, n.name)
	if !ok {
		return false, event.Never
	}
	at, ok := instantOf(v, c.zone())
	if !ok {
		return false, event.Never
	}
	return n.rel.at(at, c.Now)
}

func (n *dateNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, traitReason(c, n.name, is, n.words(!is)))
}

func (n *dateNode) mention(d *Deps) { mentionTrait(d, n.name, true) }

func (n *dateNode) words(not bool) string { return dateWords(n.name, n.rel.text, not) }

func dateWords(name, text string, not bool) string {
	if not {
		return sayName(name) + " is not " + text
	}
	return sayName(name) + " is " + text
}

func (n *dateNode) canon(b *strings.Builder) {
	b.WriteString("date " + strconv.Quote(n.name) + " " + strconv.FormatInt(int64(n.rel.from), 10) + " " + strconv.FormatInt(int64(n.rel.upto), 10))
}

// yearlyNode asks how far the yearly return of a trait's date is from today.
type yearlyNode struct {
	name string
	anniversary
}

func (n *yearlyNode) eval(c Context) (bool, event.Time) {
	v, ok := traitOf(c, n.name)
	if !ok {
		return false, event.Never
	}
	loc := c.zone()
	m, d, ok := monthDay(v, loc)
	if !ok {
		return false, event.Never
	}
	return n.at(m, d, c.Now, loc)
}

func (n *yearlyNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, traitReason(c, n.name, is, n.words(!is)))
}

func (n *yearlyNode) mention(d *Deps)       { mentionTrait(d, n.name, true) }
func (n *yearlyNode) words(not bool) string { return dateWords(n.name, n.text, not) }

func (n *yearlyNode) canon(b *strings.Builder) {
	b.WriteString("yearly " + strconv.Quote(n.name) + " " + strconv.Itoa(n.before) + " " + strconv.Itoa(n.until))
}

// propNode compares a property of the triggering event.
type propNode struct {
	filter
	text string
}

func (n *propNode) eval(c Context) (bool, event.Time) { return n.in(c.Props), event.Never }

func (n *propNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	r := Reason{Kind: "property", Holds: is, What: n.words(!is), Name: n.path}
	each(c.Props, n.path, func(v event.Value) bool {
		r.Value = clip(v.String())
		return false
	})
	*out = append(*out, r)
}

func (n *propNode) mention(d *Deps) { d.Props = true }

func (n *propNode) words(not bool) string {
	if not {
		return "it is not so that the event's " + sayName(n.path) + " " + n.text
	}
	return "the event's " + sayName(n.path) + " " + n.text
}

func (n *propNode) canon(b *strings.Builder) { b.WriteString("property " + n.filter.canon()) }

// contextNode compares what is remembered of the customer's last event.
type contextNode struct {
	path string // one of contextPaths
	match
	text string
}

// contextPaths are the parts of an event's context that a profile remembers.
var contextPaths = []string{"device.type", "locale", "timezone"}

func (n *contextNode) value(c Context) string {
	switch n.path {
	case "device.type":
		return c.P.Device
	case "locale":
		return c.P.Locale
	}
	return c.P.Zone
}

func (n *contextNode) eval(c Context) (bool, event.Time) {
	s := n.value(c)
	return n.holds(event.Text(s), s != "", nil), event.Never
}

func (n *contextNode) because(c Context, out *[]Reason) {
	is, _ := n.eval(c)
	*out = append(*out, Reason{Kind: "context", Holds: is, What: n.words(!is), Name: n.path, Value: n.value(c)})
}

func (n *contextNode) mention(d *Deps) {
	switch n.path {
	case "device.type":
		d.Device = true
	case "locale":
		d.Locale = true
	default:
		d.Zone = true
	}
}

func (n *contextNode) words(not bool) string {
	if not {
		return "it is not so that the last " + sayName(n.path) + " " + n.text
	}
	return "the last " + sayName(n.path) + " " + n.text
}

func (n *contextNode) canon(b *strings.Builder) {
	b.WriteString("context " + n.path + " " + n.match.canon())
}

// sayName returns the name of a trait or property as words.
func sayName(name string) string {
	return strings.NewReplacer("_", " ", ".", " ").Replace(name)
}

// clip shortens a value for a sentence.
func clip(s string) string {
	const most = 80 // longer values make a reason unreadable
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

package condition

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/spec"
)

// messageKeys may stand beside message.
var messageKeys = []string{"journey", "campaign", "service", "template", "channel", "within", "times"}

// behaviours are what can become of a message, with the event that tells so.
var behaviours = []struct{ word, event string }{
	{"received", event.MessageSent},
	{"delivered", event.MessageDelivered},
	{"opened", event.MessageOpened},
	{"clicked", event.MessageClicked},
	{"replied", event.MessageReplied},
	{"bounced", event.MessageBounced},
	{"complained", event.Complained},
	{"unsubscribed", event.Unsubscribed},
}

// parseMessage reads {message: clicked, campaign: spring, within: 30d}. It is the
// question about the event that tells so, with what a shop would forget to say: what
// a scanner opened or clicked was no person.
func parseMessage(p *parser, n, v spec.Node, _ int) node {
	const example = "{message: clicked, campaign: spring-sale, within: 30d}"
	word, ok := p.text(v, "what became of a message", example)
	if !ok {
		return nil
	}
	names := make([]string, len(behaviours))
	for i := range behaviours {
		names[i] = behaviours[i].word
	}
	i := slices.Index(names, word)
	if i < 0 {
		near := Nearest(word, names)
		if near == "" {
			near = "one of " + strings.Join(names, ", ")
		}
		return p.fail(v.Pos, near, "%q is not what becomes of a message", word)
	}
	q := question{names: []string{behaviours[i].event}, to: event.Never}
	if word == "opened" || word == "clicked" {
		q.where = append(q.where, p.equal("actor", "machine", true))
	}
	from := ""
	for _, key := range []string{"journey", "campaign", "service", "template", "channel"} {
		f, there := n.Get(key)
		if !there {
			continue
		}
		name, ok := p.text(f, "a name", example)
		if !ok {
			return nil
		}
		property := key
		switch key {
		case "journey", "campaign", "service":
			property = "journey" // by whatever wanted it, a message carries its name there
			if from != "" {
				return p.fail(f.Pos, "any: [{message: …}, {message: …}]", "a message comes from one of %s and %s", from, key)
			}
			from = key
		}
		q.where = append(q.where, p.equal(property, name, false))
	}
	window := event.Time(0)
	if w, there := n.Get("within"); there {
		window, _ = p.duration(w, "within")
	}
	b := bound{min: 1, max: maxBound}
	for _, f := range n.Fields {
		if f.Key == "times" {
			if b, ok = p.counts(f, window != 0); !ok {
				return nil
			}
		}
	}
	if p.bad {
		return nil
	}
	q.keep, q.most = window, b.enough()
	return &didNode{q: p.env.Set.add(q), metric: byCount, window: window, bound: b}
}

// equal returns the filter on a property that it is, or is not, a text.
func (p *parser) equal(path, text string, not bool) *filter {
	return &filter{path, match{not: not, lits: []literal{{kind: event.String, text: text}}}, p.env.zone()}
}

package condition

import (
	"strings"

	"rapport/internal/core/spec"
)

// Tell says a question to people by its parts: their labels, and what stands in them. It
// is for kinds of questions that nobody wrote a sentence for yet, and is empty for what is
// no question.
func Tell(n spec.Node, german bool) string {
	for _, k := range Kinds() {
		if _, there := n.Get(k.Key); there {
			return strings.Join(tellParts(k.Parts, n, german), " ")
		}
	}
	return ""
}

func (w Words) in(german bool) string {
	if german {
		return w.DE
	}
	return w.EN
}

func tellParts(parts []Part, n spec.Node, german bool) (list []string) {
	for i := range parts {
		p := &parts[i]
		v, there := n.Get(p.Key)
		if !there || p.Key == "" {
			continue
		}
		if label := p.Label.in(german); label != "=" {
			list = append(list, label)
		}
		switch {
		case p.Type == OfMap:
			list = append(list, tellParts(p.Parts, v, german)...)
		case v.Kind == spec.List:
			some := make([]string, len(v.Items))
			for j := range v.Items {
				some[j] = tellValue(p, v.Items[j], german)
			}
			list = append(list, strings.Join(some, Words{" or ", " oder "}.in(german)))
		case p.Type == OfFlag: // the label says it
		default:
			list = append(list, tellValue(p, v, german))
		}
	}
	return list
}

// boundWords are the comparisons of a bound, the longer before those that they begin with.
var boundWords = []Choice{
	{Value: ">=", Label: Words{"at least", "mindestens"}},
	{Value: "<=", Label: Words{"at most", "höchstens"}},
	{Value: "!=", Label: Words{"not exactly", "nicht genau"}},
	{Value: ">", Label: Words{"more than", "mehr als"}},
	{Value: "<", Label: Words{"less than", "weniger als"}},
	{Value: "=", Label: Words{"exactly", "genau"}},
}

var spanWords = map[byte]Words{
	's': {"seconds", "Sekunden"}, 'm': {"minutes", "Minuten"}, 'h': {"hours", "Stunden"}, 'd': {"days", "Tagen"}, 'w': {"weeks", "Wochen"},
}

func tellValue(p *Part, v spec.Node, german bool) string {
	text := strings.TrimSpace(v.Text)
	for i := range p.Choices {
		if p.Choices[i].Value == text {
			return p.Choices[i].Label.in(german)
		}
	}
	switch p.Type {
	case OfBound:
		for i := range boundWords {
			if rest, is := strings.CutPrefix(text, boundWords[i].Value); is {
				text = boundWords[i].Label.in(german) + " " + strings.TrimSpace(rest)
				break
			}
		}
		return strings.TrimSpace(text + " " + p.Unit.in(german))
	case OfDuration:
		if n := len(text) - 1; n > 0 && spanWords[text[n]] != (Words{}) {
			return text[:n] + " " + spanWords[text[n]].in(german)
		}
		return text
	case OfText, OfValue:
		return "“" + text + "”"
	}
	return text
}

package condition

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/spec"
)

// Limits on a definition. A person writes far less; what is larger was generated,
// and would be evaluated on every event.
const (
	maxDepth = 32   // levels
	maxNodes = 1000 // questions in one condition
	maxItems = 1000 // values in one list
	maxText  = 500  // bytes of one text
)

// Parse compiles a condition. It adds every problem that it finds to ps, with
// its place and what to write instead, and returns nil if there was one that is
// more than a warning. The series are registered in env.Set.
func Parse(n spec.Node, env *Env, ps *spec.Problems) *Cond {
	p := &parser{env: env, ps: ps, props: env.Properties}
	root := p.parse(n, 0)
	if root == nil || p.bad {
		return nil
	}
	return newCond(root, n.Pos)
}

type parser struct {
	env   *Env
	ps    *spec.Problems
	props bool // whether there is a triggering event to ask about
	nodes int
	bad   bool
}

// fail notes a problem and returns no node.
func (p *parser) fail(pos spec.Pos, instead, what string, args ...any) node {
	p.bad = true
	p.ps.Add(pos, instead, what, args...)
	return nil
}

// head is the key that says what a condition asks, with the keys that may stand
// beside it.
type head struct {
	key   string
	with  []string
	parse func(p *parser, n spec.Node, v spec.Node, depth int) node
}

var valueOps = []string{"is", "is_not", "in", "not_in", "exists", "contains", "starts_with", "ends_with", ">", ">=", "<", "<=", "before", "after"}

var didKeys = []string{"where", "times", "sum", "distinct", "sessions", "within", "between", "first", "last"}

// heads is filled in init because its functions parse children and so refer to it.
var heads []head

func init() {
	heads = []head{
		{"all", nil, parseAll},
		{"any", nil, parseAny},
		{"not", nil, parseNot},
		{"at_least", []string{"of"}, parseLeast},
		{"did", didKeys, parseDid},
		{"did_not", didKeys, parseDidNot},
		{"trait", append(slices.Clone(valueOps), "within", "anniversary"), parseTrait},
		{"segment", nil, parseSegment},
		{"not_in_segment", nil, parseNotInSegment},
		{"consent", []string{"channel"}, parseConsent},
		{"reachable", nil, parseReachable},
		{"context", []string{"is", "is_not", "in", "not_in", "exists", "contains", "starts_with", "ends_with"}, parseContext},
		{"local_time", []string{"weekday"}, parseClockNode},
		{"weekday", []string{"local_time"}, parseClockNode},
		{"random", nil, parseRandom},
		{"property", valueOps, parseProperty},
		{"dwell", []string{"when"}, parseDwell},
		{"score", []string{"is"}, parseScore},
		{"tier", []string{"is", "in", "from"}, parseTier},
		{"affinity", nil, parseAffinity},
		{"lifecycle", nil, parseLifecycle},
		{"rfm", nil, parseRFM},
		{"sequence", []string{"within"}, parseSequence},
		{"message", messageKeys, parseMessage},
		{"prediction", append(slices.Clone(valueOps), "within"), parsePrediction},
		{"list", nil, parseList},
		{"object", []string{"where", "times"}, parseObject},
		{"near", nil, parseNear},
		{"fence", []string{"entered", "seen_within"}, parseFence},
		{"store", []string{"within"}, parseStore},
		{"city", nil, parseTown("city")},
		{"region", nil, parseTown("region")},
		{"country", nil, parseTown("country")},
	}
}

func headKeys() []string {
	keys := make([]string, len(heads))
	for i := range heads {
		keys[i] = heads[i].key
	}
	return keys
}

func (p *parser) parse(n spec.Node, depth int) node {
	p.nodes++
	switch {
	case depth > maxDepth:
		return p.fail(n.Pos, "", "conditions are nested more than %d levels deep", maxDepth)
	case p.nodes == maxNodes+1:
		return p.fail(n.Pos, "split it into segments and refer to them with segment: name", "a condition has more than %d questions", maxNodes)
	case p.nodes > maxNodes:
		return nil
	case n.Kind == spec.List:
		return p.fail(n.Pos, "all: [...]", "a list is no condition: say whether all of it must hold, or any")
	case n.Kind != spec.Map || len(n.Fields) == 0:
		return p.fail(n.Pos, "did: Product Viewed", "a condition is expected here")
	}
	var h *head
	for _, f := range n.Fields {
		for i := range heads {
			if heads[i].key != f.Key || h != nil && (h.key == f.Key || slices.Contains(h.with, f.Key)) {
				continue // not it, or reported below, or part of the question
			}
			if h != nil {
				return p.fail(f.Pos, "all: [{"+h.key+": …}, {"+f.Key+": …}]", "%s and %s are two questions in one", h.key, f.Key)
			}
			h = &heads[i]
		}
	}
	if h == nil {
		f := n.Fields[0]
		for _, g := range n.Fields {
			if near := Nearest(g.Key, headKeys()); near != "" {
				return p.fail(g.Pos, near, "%q is no kind of condition", g.Key)
			}
		}
		return p.fail(f.Pos, "one of "+strings.Join(headKeys(), ", "), "%q is no kind of condition", f.Key)
	}
	p.known(n, h.key, h.with)
	v, _ := n.Get(h.key)
	return h.parse(p, n, v, depth)
}

// known reports keys that do not belong beside the head, and keys that come twice.
func (p *parser) known(n spec.Node, key string, with []string) {
	for i, f := range n.Fields {
		for _, g := range n.Fields[:i] {
			if g.Key == f.Key {
				p.fail(f.Pos, "", "%s is said twice", f.Key)
			}
		}
		if key != "" && f.Key == key || slices.Contains(with, f.Key) {
			continue
		}
		if name, _, ok := call(f.Key); ok && slices.Contains(with, name) && (name == "sum" || name == "distinct") {
			continue
		}
		instead := Nearest(f.Key, with)
		if instead == "" {
			if name, rest, found := strings.Cut(f.Key, "("); found && slices.Contains(with, "sum") {
				if near := Nearest(name, []string{"sum", "distinct"}); near != "" {
					instead = near + "(" + rest
				}
			}
		}
		if instead == "" && len(with) > 0 {
			instead = "one of " + strings.Join(with, ", ")
		}
		if key == "" {
			p.fail(f.Pos, instead, "%q is not known here", f.Key)
		} else {
			p.fail(f.Pos, instead, "%q does not go with %s", f.Key, key)
		}
	}
}

// call splits "sum(net)" into its parts.
func call(key string) (name, arg string, ok bool) {
	open := strings.IndexByte(key, '(')
	if open <= 0 || !strings.HasSuffix(key, ")") {
		return "", "", false
	}
	arg = strings.TrimSpace(key[open+1 : len(key)-1])
	return strings.TrimSpace(key[:open]), arg, arg != ""
}

// kids parses the list of children of all, any and at_least.
func (p *parser) kids(v spec.Node, depth int, key string) []node {
	if v.Kind != spec.List || len(v.Items) == 0 {
		p.fail(v.Pos, key+": [{did: Product Viewed}, …]", "%s takes a list of conditions", key)
		return nil
	}
	if len(v.Items) > maxChildren {
		p.fail(v.Pos, "lists within lists", "%s has %d conditions; at most %d stand in one list", key, len(v.Items), maxChildren)
		return nil
	}
	kids := make([]node, 0, len(v.Items))
	for _, item := range v.Items {
		if k := p.parse(item, depth+1); k != nil {
			kids = append(kids, k)
		}
	}
	return kids
}

func parseAll(p *parser, _, v spec.Node, depth int) node {
	kids := p.kids(v, depth, "all")
	if len(kids) == 1 {
		return kids[0]
	}
	return &allNode{kids}
}

func parseAny(p *parser, _, v spec.Node, depth int) node {
	kids := p.kids(v, depth, "any")
	if len(kids) == 1 {
		return kids[0]
	}
	return &anyNode{kids}
}

func parseNot(p *parser, _, v spec.Node, depth int) node {
	if kid := p.parse(v, depth+1); kid != nil {
		return &notNode{kid}
	}
	return nil
}

func parseLeast(p *parser, n, v spec.Node, depth int) node {
	of, ok := n.Get("of")
	if !ok {
		return p.fail(n.Pos, "{at_least: 2, of: [{did: …}, {did: …}, {trait: …}]}", "at_least needs a list to choose from")
	}
	kids := p.kids(of, depth, "of")
	least, err := strconv.Atoi(v.Text)
	if v.Kind != spec.Number || err != nil || least < 1 || least > len(of.Items) {
		return p.fail(v.Pos, "a number from 1 to "+strconv.Itoa(max(1, len(of.Items))), "at_least: %q is not how many of the %d must hold", v.Text, len(of.Items))
	}
	return &leastNode{least, kids}
}

// text returns a text that must be there.
func (p *parser) text(v spec.Node, what, example string) (string, bool) {
	if !v.Scalar() || strings.TrimSpace(v.Text) == "" {
		p.fail(v.Pos, example, "%s is expected here", what)
		return "", false
	}
	if len(v.Text) > maxText {
		p.fail(v.Pos, "", "a text of %d bytes is too long; at most %d are taken", len(v.Text), maxText)
		return "", false
	}
	return strings.TrimSpace(v.Text), true
}

// duration returns a duration as a span of event.Time.
func (p *parser) duration(v spec.Node, key string) (event.Time, bool) {
	d, ok := ParseDuration(strings.TrimSpace(v.Text))
	if ok && v.Scalar() {
		return span(d), true
	}
	p.fail(v.Pos, "14d", "%s: %q is no duration: a whole number of s, m, h, d or w, at most %d days; months and years differ in length, write days", key, v.Text, MaxDuration/day)
	return 0, false
}

func parseSegment(p *parser, _, v spec.Node, _ int) node {
	name, ok := p.text(v, "the name of a segment", "segment: vip")
	if !ok {
		return nil
	}
	if !slices.Contains(p.env.Segments, name) {
		return p.fail(v.Pos, Nearest(name, p.env.Segments), "there is no segment %q", name)
	}
	return &segmentNode{name, SegmentKey(name)}
}

func parseNotInSegment(p *parser, n, v spec.Node, depth int) node {
	if k := parseSegment(p, n, v, depth); k != nil {
		return &notNode{k}
	}
	return nil
}

func parseConsent(p *parser, n, v spec.Node, _ int) node {
	const example = "{consent: marketing, channel: email}"
	purpose, ok1 := p.text(v, "the purpose", example)
	c, there := n.Get("channel")
	if !there {
		return p.fail(n.Pos, example, "consent is given for a channel; say which")
	}
	channel, ok2 := p.text(c, "the channel", example)
	if !ok1 || !ok2 {
		return nil
	}
	return &consentNode{channel, purpose}
}

func parseReachable(p *parser, _, v spec.Node, _ int) node {
	channel, ok := p.text(v, "the channel", "reachable: email")
	if !ok {
		return nil
	}
	return &reachNode{channel}
}

func parseRandom(p *parser, _, v spec.Node, _ int) node {
	const example = "random: {name: pilot, share: 10%}"
	if v.Kind != spec.Map {
		return p.fail(v.Pos, example, "random takes a name and a share")
	}
	p.known(v, "", []string{"name", "share"})
	name, _ := v.Get("name")
	share, _ := v.Get("share")
	text, ok := p.text(name, "the name of the draw, which keeps two draws apart,", example)
	if !ok {
		return nil
	}
	number, scale := strings.TrimSpace(share.Text), 1.0
	if s, percent := strings.CutSuffix(number, "%"); percent {
		number, scale = strings.TrimSpace(s), 100
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || !share.Scalar() || !(f/scale >= 0 && f/scale <= 1) {
		return p.fail(share.Pos, example, "share: %q is not a share between 0 and 1, or 0%% and 100%%", share.Text)
	}
	return &chanceNode{text, f / scale}
}

func parseDwell(p *parser, n, v spec.Node, depth int) node {
	when, there := n.Get("when")
	if !there {
		return p.fail(n.Pos, "{dwell: 3d, when: {segment: vip}}", "dwell needs the condition that must have been true for so long")
	}
	d, ok := p.duration(v, "dwell")
	outer := p.props
	p.props = false // a hidden segment lives on when the trigger is gone
	inner := p.parse(when, depth+1)
	p.props = outer
	if !ok || inner == nil || p.bad {
		return nil
	}
	cond := newCond(inner, when.Pos)
	name := hiddenName(cond)
	p.env.hide(Hidden{name, cond})
	return &dwellNode{inner: cond, name: name, key: SegmentKey(name), d: d}
}

var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func parseClockNode(p *parser, n, _ spec.Node, _ int) node {
	clock := &clockNode{to: dayMinutes, days: [7]bool{true, true, true, true, true, true, true}}
	const example = `{local_time: {from: "09:00", to: "18:00"}, weekday: [mon, fri]}`
	if v, there := n.Get("local_time"); there {
		if v.Kind != spec.Map {
			return p.fail(v.Pos, example, "local_time takes from and to")
		}
		p.known(v, "", []string{"from", "to"})
		from, _ := v.Get("from")
		to, _ := v.Get("to")
		var ok1, ok2 bool
		clock.from, ok1 = parseClock(from.Text)
		clock.to, ok2 = parseClock(to.Text)
		if !ok1 || !ok2 || from.Kind != spec.Text || to.Kind != spec.Text {
			return p.fail(v.Pos, example, "local_time: from and to are times of day from \"00:00\" to \"24:00\", in quotes")
		}
		if clock.from%dayMinutes == clock.to%dayMinutes {
			if clock.to-clock.from != dayMinutes {
				return p.fail(v.Pos, example, "local_time: nothing lies between %s and %s", from.Text, to.Text)
			}
		}
		if clock.from == dayMinutes {
			clock.from = 0
		}
		if clock.to == 0 {
			clock.to = dayMinutes // until midnight
		}
		clock.text = "between " + from.Text + " and " + to.Text
	}
	if v, there := n.Get("weekday"); there {
		clock.days = [7]bool{}
		items := v.Items
		if v.Scalar() {
			items = []spec.Node{v}
		}
		if len(items) == 0 {
			return p.fail(v.Pos, "weekday: [mon, tue, wed, thu, fri]", "weekday takes one or more days")
		}
		for _, item := range items {
			i := slices.IndexFunc(weekdays[:], func(s string) bool {
				t := strings.ToLower(item.Text)
				return t == s || t == strings.ToLower(time.Weekday(slices.Index(weekdays[:], s)).String())
			})
			if i < 0 {
				return p.fail(item.Pos, Nearest(item.Text, weekdays[:]), "%q is no weekday: mon, tue, wed, thu, fri, sat, sun", item.Text)
			}
			clock.days[i] = true
		}
	}
	if clock.to-clock.from == dayMinutes && clock.days == [7]bool{true, true, true, true, true, true, true} {
		return p.fail(n.Pos, example, "this is always so: it names the whole day and the whole week")
	}
	clock.text = strings.TrimSpace(clock.text + " " + sayDays(clock.days))
	return clock
}

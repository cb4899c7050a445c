package journey

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// draft is a step of the source before its edges are known.
type draft struct {
	node spec.Node // its fields
	kind spec.Node // what stands behind the kind's key
}

// steps reads the list or the map of steps.
func (r *reader) steps(n spec.Node) {
	var drafts []draft
	switch n.Kind {
	case spec.List:
		for _, item := range n.Items {
			name := item.Pos
			if v, ok := item.Get("name"); ok {
				name = v.Pos
			}
			drafts = r.draft(drafts, item, r.text(item, "name"), name)
		}
	case spec.Map:
		for _, f := range n.Fields {
			drafts = r.draft(drafts, f.Value, f.Key, f.Pos)
		}
	}
	steps := r.def.steps
	switch {
	case len(drafts) == 0:
		r.ps.Add(n.Pos, "steps: [{send: {template: …}}]", "the journey has no steps")
		return
	case len(drafts) > MaxSteps:
		r.ps.Add(n.Pos, "two journeys, the second entered by an event of the first", "the journey has %d steps; the limit is %d", len(drafts), MaxSteps)
		return
	}
	for i := range steps {
		if at := r.def.step(steps[i].name); at != i {
			r.ps.Add(steps[i].pos, "", "there are two steps named %q", steps[i].name)
		}
	}
	for i := range steps {
		s, d := &steps[i], drafts[i]
		s.next, s.otherwise = end, absent
		if i+1 < len(steps) {
			s.next = i + 1
		}
		if v, ok := d.node.Get("next"); ok {
			s.next = r.target(v)
		}
		if v, ok := d.node.Get("otherwise"); ok {
			s.otherwise = r.target(v)
		}
		r.step(s, d)
	}
}

// draft notes a step, its name and its kind.
func (r *reader) draft(drafts []draft, n spec.Node, name string, pos spec.Pos) []draft {
	if n.Kind == spec.Text && (n.Text == string(Exit) || n.Text == string(Goal)) {
		// A step that needs no words: `- exit`.
		n = spec.Node{Kind: spec.Map, Pos: n.Pos, Fields: []spec.Field{{Key: n.Text, Pos: n.Pos}}}
	}
	if !r.known(n, "a step", append(names(beside), kinds...)...) {
		return drafts
	}
	s := step{pos: pos, next: end, otherwise: absent}
	var kind spec.Node
	for _, f := range n.Fields {
		if !slices.Contains(kinds, f.Key) {
			continue
		}
		if s.kind != "" {
			r.ps.Add(f.Pos, "two steps", "one step is both %s and %s", s.kind, f.Key)
			continue
		}
		s.kind, kind = Kind(f.Key), f.Value
	}
	if s.kind == "" {
		r.ps.Add(n.Pos, "one of "+strings.Join(kinds, ", "), "the step says nothing to do")
		return drafts
	}
	s.name = name
	if s.name == "" {
		// The ordinal among all steps: moving a step is a new step, for its messages too.
		s.name = string(s.kind) + "-" + strconv.Itoa(len(r.def.steps)+1)
	}
	if !validName(s.name) || s.name == "end" {
		r.ps.Add(pos, "first-mail", "the step's name %q is not one of letters, digits, - and _, at most %d, or it is `end`", s.name, maxName)
	}
	r.def.steps = append(r.def.steps, s)
	return append(drafts, draft{n, kind})
}

// target returns the index of the step that an edge names.
func (r *reader) target(n spec.Node) int {
	if n.Text == "end" {
		return end
	}
	if at := r.def.step(n.Text); n.Scalar() && at >= 0 {
		return at
	}
	var names []string
	for i := range r.def.steps {
		names = append(names, r.def.steps[i].name)
	}
	r.ps.Add(n.Pos, condition.Nearest(n.Text, append(names, "end")), "there is no step %q", n.Text)
	return end
}

func (r *reader) step(s *step, d draft) {
	n := d.kind
	switch s.kind {
	case Send:
		r.send(s, n)
	case Wait:
		r.wait(s, n)
	case WaitFor:
		r.waitFor(s, n)
	case Branch:
		r.branch(s, n)
	case Split:
		r.split(s, n)
	case Update:
		r.update(s, n)
	case Jump:
		to := n
		if n.Kind == spec.Map {
			r.known(n, "a jump", takes(stepShapes, string(Jump), "")...)
			to, _ = n.Get("to")
		}
		s.next = r.target(to)
	case Exit, Goal:
		s.next = end
		s.recall = s.kind == Goal
		if n.Kind == spec.Map {
			r.known(n, "the step "+string(s.kind), takes(stepShapes, string(s.kind), "")...)
			s.why = r.text(n, "why")
			s.recall = r.truth(n, "recall", s.recall)
		} else if n.Kind == spec.Text {
			s.why = n.Text
		}
	}
}

func (r *reader) send(s *step, n spec.Node) {
	out := &sendStep{channel: "email", purpose: "marketing", expires: DefaultExpires, lateness: r.def.MaxLateness}
	s.send = out
	if !r.known(n, "a send step", takes(stepShapes, string(Send), "")...) {
		return
	}
	out.template = r.text(n, "template")
	if out.template == "" {
		r.ps.Add(n.Pos, "template: welcome", "the message has no template")
	} else if r.env.Template != nil && !r.env.Template(out.template) {
		v, _ := n.Get("template")
		r.ps.Add(v.Pos, "", "there is no template %q", out.template)
	}
	switch class := r.text(n, "class"); class {
	case "", "marketing":
	case "service":
		// What the shop owes its customer needs no consent to be sold to, and stays
		// owed however late it is.
		out.class, out.purpose, out.expires = profile.Service, "service", 0
	default:
		v, _ := n.Get("class")
		r.ps.Add(v.Pos, "marketing or service", "there is no class %q", class)
	}
	if s := r.text(n, "channel"); s != "" {
		out.channel = s
		if len(r.env.Channels) > 0 && !slices.Contains(r.env.Channels, s) {
			v, _ := n.Get("channel")
			r.ps.Add(v.Pos, condition.Nearest(s, r.env.Channels), "there is no channel %q", s)
		}
	}
	if s := r.text(n, "purpose"); s != "" {
		out.purpose = s
	}
	if v, ok := n.Get("reason"); ok {
		for _, text := range r.texts(v, "a reason") {
			sentence, wrong := parseSentence(text)
			if wrong != "" {
				r.ps.Add(v.Pos, "you looked at {trigger.name} yesterday", "the reason is not understood: %s", wrong)
			}
			out.reasons = append(out.reasons, sentence)
		}
	}
	if len(out.reasons) == 0 && out.class == profile.Marketing {
		r.ps.Add(n.Pos, "reason: you looked at {trigger.name} and did not buy it", "the promotion does not say why this person gets it")
	}
	out.product = r.product(n, "product")
	out.category = r.product(n, "category")
	if v, ok := n.Get("expires"); ok {
		if v.Text == "never" {
			out.expires = 0
		} else {
			out.expires = r.length(v, "expires")
		}
	}
	out.delay = r.duration(n, "delay", 0)
	out.priority = r.number(n, "priority")
	out.lateness = r.duration(n, "max_lateness", r.def.MaxLateness)
	switch await := r.text(n, "await"); await {
	case "":
	case "accepted":
		out.accepted = true
	default:
		r.ps.Add(n.Pos, "await: accepted, or leave it out", "a message cannot be awaited until it is %q", await)
	}
}

// product reads where a product or a category comes from.
func (r *reader) product(n spec.Node, key string) path {
	v, ok := n.Get(key)
	if !ok {
		return path{}
	}
	if !v.Scalar() || v.Text == "" {
		r.ps.Add(v.Pos, "trigger.sku", "%s is a path or a text", key)
		return path{}
	}
	if p, ok := parsePath(v.Text); ok {
		return p
	}
	if v.Text == "replenishment" {
		return path{root: fromRhythm}
	}
	return path{root: fromText, name: v.Text}
}

func (r *reader) wait(s *step, n spec.Node) {
	w := &waitStep{}
	s.wait = w
	if n.Scalar() { // `wait: 3d`
		w.length = r.length(n, "wait")
		return
	}
	const example = "{for: 3d}, {until_time: \"10:00\"}, {until_date: trigger.delivery_date} or {rhythm: product}"
	if n.Kind != spec.Map {
		r.ps.Add(n.Pos, example, "wait says for how long")
		return
	}
	modes := 0
	if _, ok := n.Get("for"); ok {
		modes++
		r.known(n, "a wait", takes(stepShapes, string(Wait), "for")...)
		w.length = r.duration(n, "for", time.Hour)
	}
	if v, ok := n.Get("until_time"); ok {
		modes++
		r.known(n, "a wait until a time", takes(stepShapes, string(Wait), "until_time")...)
		w.mode, w.clock = waitTime, r.clock(v, "until_time")
		if v, ok := n.Get("weekdays"); ok {
			for _, text := range r.texts(v, "a day of the week") {
				days, ok := parseWeekdays(text)
				if !ok {
					r.ps.Add(v.Pos, "[mon..fri]", "%q is not a day of the week", text)
				}
				w.days |= days
			}
		}
	}
	if v, ok := n.Get("until_date"); ok {
		modes++
		r.known(n, "a wait until a date", takes(stepShapes, string(Wait), "until_date")...)
		w.mode = waitDate
		if w.date, ok = parsePath(v.Text); !ok {
			if strings.Contains(v.Text, ".") || v.Text == "" || !v.Scalar() {
				r.ps.Add(v.Pos, "trait.renewal or trigger.delivery_date", "until_date names where the date stands")
			}
			w.date = path{root: fromTrait, name: v.Text}
		}
		w.offset = r.offset(n, false)
		if at, ok := n.Get("at"); ok {
			w.clock, w.timed = r.clock(at, "at"), true
		}
		if late, ok := n.Get("late"); ok {
			i := slices.Index(hurries, late.Text)
			if i < 0 {
				r.ps.Add(late.Pos, strings.Join(hurries, ", "), "late cannot be %q", late.Text)
			}
			w.late = hurry(max(i, 0))
		}
	}
	if v, ok := n.Get("rhythm"); ok {
		modes++
		r.known(n, "a wait for a rhythm", takes(stepShapes, string(Wait), "rhythm")...)
		w.mode = waitRhythm
		if v.Text != "product" {
			r.ps.Add(v.Pos, "rhythm: product", "the only rhythm is that of a product")
		}
		w.within = r.text(n, "category")
		w.offset = r.offset(n, false)
	}
	w.restart = r.truth(n, "restart", false)
	if modes != 1 {
		r.ps.Add(n.Pos, example, "a wait is exactly one of for, until_time, until_date and rhythm")
	}
}

func (r *reader) waitFor(s *step, n spec.Node) {
	a := &awaitStep{}
	s.await = a
	if !r.known(n, "a wait_for step", takes(stepShapes, string(WaitFor), "")...) {
		return
	}
	a.timeout = r.duration(n, "timeout", 0)
	a.restart = r.truth(n, "restart", false)
	list, _ := n.Get("any")
	if list.Kind != spec.List || len(list.Items) == 0 {
		r.ps.Add(n.Pos, "any: [{event: Order Completed, next: thanks}]", "wait_for says what for")
		return
	}
	for _, item := range list.Items {
		out := awaited{next: s.next}
		if v, ok := item.Get("next"); ok {
			out.next = r.target(v)
		}
		ask := without(item, "next")
		if names, ok := ask.Get("event"); ok {
			r.known(ask, "an awaited event", "event", "where")
			out.match = r.match(names, ask)
		} else if names, bare := bareDid(ask); bare {
			out.match = r.match(names, ask)
		} else if when, ok := ask.Get("when"); ok && len(ask.Fields) == 1 {
			out.cond = r.cond(when)
		} else {
			out.cond = r.cond(ask)
		}
		switch {
		case out.match != nil:
			out.text = out.match.String()
		case out.cond != nil:
			out.text = out.cond.Sentence()
		default:
			continue // reported
		}
		a.any = append(a.any, out)
	}
	if a.timeout == 0 {
		r.ps.Warn(n.Pos, "timeout: 7d", "the step waits for ever if nothing of it happens")
	}
}

func without(n spec.Node, key string) spec.Node {
	n.Fields = slices.DeleteFunc(slices.Clone(n.Fields), func(f spec.Field) bool { return f.Key == key })
	return n
}

func (r *reader) branch(s *step, n spec.Node) {
	list := n
	otherwise := s.next
	if s.otherwise != absent {
		otherwise = s.otherwise
	}
	if n.Kind == spec.Map {
		r.known(n, "a branch", takes(stepShapes, string(Branch), "")...)
		list, _ = n.Get("cases")
		if v, ok := n.Get("else"); ok {
			otherwise = r.target(v)
		}
	}
	if list.Kind != spec.List || len(list.Items) == 0 {
		r.ps.Add(n.Pos, "cases: [{when: {segment: vip}, next: vip-mail}]", "a branch has cases")
		return
	}
	for _, item := range list.Items {
		if !r.known(item, "a case", takesEach(string(Branch), "cases")...) {
			continue
		}
		out := arm{next: s.next}
		if v, ok := item.Get("next"); ok {
			out.next = r.target(v)
		}
		when, ok := item.Get("when")
		if !ok {
			r.ps.Add(item.Pos, "when: {segment: vip}", "the case has no condition")
			continue
		}
		if out.when = r.cond(when); out.when != nil {
			out.text = out.when.Sentence()
		}
		s.branch = append(s.branch, out)
	}
	s.branch = append(s.branch, arm{next: otherwise, text: "else"})
}

func (r *reader) split(s *step, n spec.Node) {
	sp := &splitStep{name: r.def.Name + "." + s.name}
	s.split = sp
	if !r.known(n, "a split", takes(stepShapes, string(Split), "")...) {
		return
	}
	if name := r.text(n, "name"); name != "" {
		sp.name = name
	}
	shares, _ := n.Get("shares")
	to, _ := n.Get("to")
	if shares.Kind != spec.Map || len(shares.Fields) < 2 {
		r.ps.Add(n.Pos, "shares: {a: 50, b: 50}", "a split has two shares or more")
		return
	}
	total := 0.0
	for _, f := range shares.Fields {
		part, err := strconv.ParseFloat(strings.TrimSuffix(f.Value.Text, "%"), 64)
		if err != nil || part <= 0 || part > 100 {
			r.ps.Add(f.Value.Pos, "50", "a share is a number of percent")
			return
		}
		total += part
		out := share{name: f.Key, upTo: total / 100, part: part / 100, next: s.next}
		if v, ok := to.Get(f.Key); ok {
			out.next = r.target(v)
		} else if at := r.def.step(f.Key); at >= 0 {
			out.next = at
		} else {
			r.ps.Add(f.Pos, "to: {"+f.Key+": a-step}, or name a step "+f.Key, "the arm %q of the split leads nowhere", f.Key)
		}
		sp.arms = append(sp.arms, out)
	}
	if math.Abs(total-100) > 1e-6 {
		r.ps.Add(shares.Pos, "shares that make 100", "the shares make %g percent", total)
	}
	sp.arms[len(sp.arms)-1].upTo = 1 // whatever the rounding: everybody has an arm
	for _, f := range to.Fields {
		if _, ok := shares.Get(f.Key); !ok {
			r.ps.Add(f.Pos, "", "the split has no share %q", f.Key)
		}
	}
}

func (r *reader) update(s *step, n spec.Node) {
	r.known(n, "an update", takes(stepShapes, string(Update), "")...)
	traits, _ := n.Get("traits")
	if traits.Kind != spec.Map || len(traits.Fields) == 0 {
		r.ps.Add(n.Pos, "traits: {welcomed: true}", "an update names traits and their values")
		return
	}
	for _, f := range traits.Fields {
		v := f.Value
		if f.Key == "email" || f.Key == "phone" {
			r.ps.Add(f.Pos, "", "a journey does not change where a person is written to")
			continue
		}
		if !v.Scalar() && v.Kind != spec.Null {
			r.ps.Add(v.Pos, "", "the value of a trait is a text, a number, or yes or no")
			continue
		}
		a := assignment{trait: f.Key, fixed: true, kind: v.Kind}
		text, wrong := parseSentence(v.Text)
		if v.Kind == spec.Text {
			if wrong != "" {
				r.ps.Add(v.Pos, "{trigger.name}", "the value is not understood: %s", wrong)
			}
			a.fixed = slices.IndexFunc(text.pieces, func(p piece) bool { return p.path.root != fromNowhere }) < 0
		}
		a.value = text
		s.update = append(s.update, a)
	}
}

// hears reports whether the step waits for anything that an event may bring.
func (a *awaitStep) hears() bool { return len(a.any) > 0 }

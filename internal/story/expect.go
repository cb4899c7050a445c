package story

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// unmet is an expectation that does not hold.
type unmet struct {
	want string
	got  string
}

func (u *unmet) Error() string { return "expected " + u.want + "; " + u.got }

func failed(want, got string) error { return &unmet{want, got} }

// expect checks a line that says what must be so; false if it is no such line.
func (w *world) expect(l *line) (bool, error) {
	head, rest, _ := strings.Cut(l.what, " ")
	rest = strings.TrimSpace(rest)
	switch head {
	case "->":
		return true, w.sent(l, append(words(rest), l.args...))
	case "?":
		return true, w.asks(l, append(words(rest), l.args...))
	case "in":
		return true, w.within(l, append(words(rest), l.args...), true)
	case "waiting":
		return true, w.waiting(l, append(words(rest), l.args...))
	case "has":
		return true, w.has(l, append(words(rest), l.args...), true)
	case "is":
		not := strings.HasPrefix(rest, "not ")
		return true, w.same(l, strings.TrimPrefix(rest, "not "), !not)
	case "people":
		if n := len(w.born()); rest != itoa(n) {
			return true, failed(rest+" people", "there are "+itoa(n))
		}
		return true, nil
	case "not":
		kind, rest, _ := strings.Cut(rest, " ")
		args := append(words(rest), l.args...)
		switch kind {
		case "in":
			return true, w.within(l, args, false)
		case "has":
			return true, w.has(l, args, false)
		}
	}
	return false, nil
}

// channelNames are what people call channels.
var channelNames = map[string]string{"mail": "email", "email": "email", "sms": "sms", "push": "push", "webpush": "webpush", "whatsapp": "whatsapp"}

// endings are the ways in which a message is not sent.
var endings = map[string]profile.State{
	"recalled": profile.Recalled, "dropped": profile.Dropped, "withheld": profile.Withheld, "expired": profile.Expired,
	"failed": profile.Failed, "rejected": profile.Rejected,
}

// sent checks what was sent to the person, or will not be.
func (w *world) sent(l *line, args []string) error {
	if len(args) == 0 {
		return wrong(l.n, "write what was sent: -> mail welcome, or -> nothing")
	}
	if args[0] == "nothing" {
		if i := w.next(l.who, func(s *said) bool { return s.d.State == profile.Accepted }); i >= 0 {
			return failed("nothing to be sent to "+l.who.name, w.tell(&w.said[i])+" was sent at "+w.clock(w.said[i].at))
		}
		return nil
	}
	state, channel := profile.Accepted, ""
	if s, ok := endings[args[0]]; ok {
		state, args = s, args[1:]
	}
	if len(args) > 0 {
		if c, ok := channelNames[args[0]]; ok {
			channel, args = c, args[1:]
		}
	}
	if len(args) == 0 {
		return wrong(l.n, "write the template or the journey: -> mail welcome")
	}
	name := args[0]
	want := strings.TrimSpace(strings.Join(words(l.what)[1:], " ")) + " to " + l.who.name
	i := w.next(l.who, func(s *said) bool {
		return s.d.State == state && (state == profile.Accepted || named(&s.d, name))
	})
	if i < 0 {
		return failed(want, w.happened(l.who))
	}
	s := &w.said[i]
	if !named(&s.d, name) || channel != "" && s.d.Channel != channel {
		return failed(want, w.tell(s)+" was sent instead, at "+w.clock(s.at))
	}
	s.told = true
	for _, arg := range args[1:] {
		key, value, is := strings.Cut(arg, "=")
		value = unquote(value)
		var got string
		switch {
		case !is:
			value, got = arg, s.because
			if strings.HasPrefix(canonical(got), canonical(value)) {
				continue
			}
		case key == "subject":
			got = s.subject
		case key == "reason":
			got = s.d.Reason
		case key == "product":
			got = s.d.Product
		case key == "step":
			got = s.d.Step
		default:
			return wrong(l.n, "a message is checked by subject, reason, product or step, not by %q", key)
		}
		if got != value {
			return failed(want+" with "+arg, "it is "+quoteIf(got))
		}
	}
	return nil
}

func named(d *profile.Delivery, name string) bool { return d.Template == name || d.Journey == name }

func canonical(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

func quoteIf(s string) string {
	if s == "" {
		return "empty"
	}
	return "“" + s + "”"
}

// next returns the index of the first message to the person that no line has
// named and that fits; −1 if there is none.
func (w *world) next(who person, fits func(*said) bool) int {
	return slices.IndexFunc(w.said, func(s said) bool {
		return !s.told && (who.nobody || w.owner(s.to) == w.person(who)) && fits(&s)
	})
}

// asks asks the gate about a message now.
func (w *world) asks(l *line, args []string) error {
	if len(args) < 2 {
		return wrong(l.n, "write the channel, the product if there is one, and the reason: ? email boots  just-bought")
	}
	want := args[len(args)-1]
	in := journey.Intent{
		Journey: "story", Step: l.text, Template: "story", Channel: channelNames[args[0]], Purpose: "marketing", At: w.now, Reason: "the story asks",
		Expires: w.now.Add(w.prog.Policy.Expires),
	}
	if in.Channel == "" {
		in.Channel = args[0]
	}
	for _, arg := range args[1 : len(args)-1] {
		key, value, is := strings.Cut(arg, "=")
		switch {
		case !is && in.Product == "":
			in.Product = arg
		case key == "category":
			in.Category = unquote(value)
		case key == "purpose":
			in.Purpose = unquote(value)
		case key == "class" && value == "service":
			in.Class, in.Purpose = profile.Service, "service"
		default:
			return wrong(l.n, "the gate is asked about a product, category=…, purpose=… or class=service, not %q", arg)
		}
	}
	p := w.person(l.who)
	_, record := w.core.Gate.Plan(p, in, w.now)
	if got := string(record.Reason); canonical(want) != got && canonical(want) != record.Outcome.String() {
		return failed("the gate to say "+want+" to "+l.who.name, "it says "+record.Outcome.String()+", "+got+": "+record.Sentence(p, w.now))
	}
	return nil
}

// within checks segments and journeys.
func (w *world) within(l *line, args []string, want bool) error {
	p := w.person(l.who)
	word := map[bool]string{true: "in ", false: "not in "}[want]
	if len(args) >= 2 && args[0] == "journey" {
		i := slices.IndexFunc(p.Journeys, func(in profile.Instance) bool { return in.Journey == args[1] })
		if w.core.Journeys.Definition(args[1]) == nil {
			return wrong(l.n, "there is no journey %q", args[1])
		}
		if len(args) == 4 && args[2] == "at" && i >= 0 {
			if got := p.Journeys[i].Step; (got == args[3]) != want {
				return failed(l.who.name+" "+word+strings.Join(args, " "), "the step is "+got)
			}
			return nil
		}
		if (i >= 0) != want {
			return failed(l.who.name+" "+word+"journey "+args[1], w.happened(l.who))
		}
		return nil
	}
	if len(args) == 0 {
		return wrong(l.n, "write the segment: in vip")
	}
	for _, arg := range args {
		name := strings.TrimSuffix(arg, ",")
		if w.core.Segments.Cond(name) == nil {
			return wrong(l.n, "there is no segment %q", name)
		}
		if p.Member(condition.SegmentKey(name)).In != want {
			members := strings.Join(w.core.Segments.Members(p), ", ")
			return failed(l.who.name+" "+word+name, "the segments are: "+orNone(members))
		}
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// waiting checks messages that wait to be sent.
func (w *world) waiting(l *line, args []string) error {
	if len(args) != 1 {
		return wrong(l.n, "write what waits: waiting welcome, or waiting nothing")
	}
	p := w.person(l.who)
	if args[0] == "nothing" {
		if len(p.Open) > 0 {
			return failed("no message to wait for "+l.who.name, p.Open[0].Template+" waits until "+w.clock(p.Open[0].NotBefore))
		}
		return nil
	}
	for i := range p.Open {
		if named(&p.Open[i], args[0]) {
			return nil
		}
	}
	return failed(args[0]+" to wait for "+l.who.name, w.happened(l.who))
}

// has checks traits.
func (w *world) has(l *line, args []string, want bool) error {
	p := w.person(l.who)
	for _, arg := range args {
		key, value, compared := strings.Cut(arg, "=")
		v, there := p.Trait(key)
		is := there && (!compared || v.String() == unquote(value))
		if is != want {
			return failed(l.who.name+" "+map[bool]string{true: "has ", false: "has not "}[want]+arg, key+" is "+orNone(v.String()))
		}
	}
	return nil
}

// same checks whether two are one person.
func (w *world) same(l *line, other string, want bool) error {
	who, err := personOf(l.n, strings.TrimSpace(other))
	if err != nil {
		return err
	}
	if one := w.person(l.who) == w.person(who); one != want {
		if want {
			return failed(l.who.name+" and "+who.name+" to be one person", "they are two")
		}
		return failed(l.who.name+" and "+who.name+" to be two people", "they are one")
	}
	return nil
}

// left returns what was sent and no line has named.
func (w *world) left() []string {
	var list []string
	for i := range w.said {
		if s := &w.said[i]; !s.told && s.d.State == profile.Accepted {
			list = append(list, w.tell(s)+" was sent to "+w.nameOf(s)+" at "+w.clock(s.at))
		}
	}
	return list
}

func (w *world) nameOf(s *said) string {
	p := w.owner(s.to)
	if len(p.Held) > 0 {
		return p.Held[0].Identifier.Value
	}
	return p.ID.String()
}

// tell says which message it is.
func (w *world) tell(s *said) string {
	name := s.d.Template
	if s.d.Journey != "" && s.d.Journey != name {
		name += " of " + s.d.Journey
	}
	return s.d.Channel + " " + name
}

func (w *world) clock(t event.Time) string {
	return t.In(w.prog.Zone).Format("Mon 2006-01-02 15:04")
}

// maxTold bounds what a failure tells of what happened.
const maxTold = 6

// happened tells what became of the person's messages lately, for a failure.
func (w *world) happened(who person) string {
	p := w.person(who)
	var list []string
	for i := range w.said {
		s := &w.said[i]
		if s.d.State == profile.Started || !who.nobody && w.owner(s.to) != p {
			continue
		}
		text := w.clock(s.at) + " " + w.tell(s) + " " + s.d.State.String()
		if s.because != "" {
			text += ": " + s.because
		}
		list = append(list, text)
	}
	for i := range p.Open {
		list = append(list, p.Open[i].Template+" waits until "+w.clock(p.Open[i].NotBefore))
	}
	for i := range p.Journeys {
		in := &p.Journeys[i]
		text := "in journey " + in.Journey + " at " + in.Step
		if in.Wake != event.Never {
			text += " until " + w.clock(in.Wake)
		}
		list = append(list, text)
	}
	if len(list) == 0 {
		return "nothing has been planned, and no journey has begun"
	}
	return "what there is: " + strings.Join(list[max(0, len(list)-maxTold):], "; ")
}

func itoa(n int) string { return strconv.Itoa(n) }

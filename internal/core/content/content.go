package content

import (
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// Sources are the parts of a template, in Liquid.
type Sources struct {
	Subject   string // text of one line
	Preheader string // what a mailbox shows beside the subject; may be empty
	HTML      string // may be empty for channels of plain text
	Text      string // may be empty: it is made from the HTML then
}

// Template is a compiled template. It does not change and may be used from many
// goroutines.
type Template struct {
	subject, preheader, html, text *part
}

// Rendered is a message in words.
type Rendered struct {
	Subject string // one line, without control characters
	HTML    string // empty if the template has none
	Text    string
}

// Vars are the variables of a rendering by name. Values are nil, bool, numbers,
// strings, event.Time, event.Value, event.Object, lists of these, and maps from
// names to these; anything else with a String method counts as its text, and
// what has none as nothing. A rendering reads them and changes nothing.
type Vars map[string]any

// Compile reads the parts of a template. Name stands in errors, which are
// Invalid (or TooLarge) and say in which part and line what is wrong: a mistake
// in Liquid, an unknown filter or tag, or a variable where HTML allows no safe
// one.
func Compile(name string, src Sources) (*Template, error) {
	t := &Template{}
	for _, p := range []struct {
		to     **part
		name   string
		source string
		html   bool
	}{
		{&t.subject, "subject", src.Subject, false},
		{&t.preheader, "preheader", src.Preheader, false},
		{&t.html, "html", src.HTML, true},
		{&t.text, "text", src.Text, false},
	} {
		if p.source == "" {
			continue
		}
		compiled, err := compile(name+" "+p.name, p.source, p.html)
		if err != nil {
			return nil, err
		}
		*p.to = compiled
	}
	if t.html == nil && t.text == nil {
		return nil, fault.New(fault.Invalid, name+": the template has neither HTML nor text")
	}
	return t, nil
}

// Render words the message. What is assigned in one part is not known in the
// others. An error is Invalid if the words would be wrong (a variable is missing,
// an address is none), TooLarge if a budget is used up; it says where, and never
// holds more than a few words of a variable's value. With the same template,
// variables and Env the result is the same.
func (t *Template) Render(vars Vars, env Env) (Rendered, error) {
	r := newRun(vars, env)
	var out Rendered
	subject := r.words(t.subject)
	preheader := r.words(t.preheader)
	out.HTML = r.words(t.html)
	out.Text = r.words(t.text)
	if r.err != nil {
		return Rendered{}, r.err
	}
	out.Subject = oneLine(subject)
	if t.subject != nil && out.Subject == "" {
		return Rendered{}, fault.New(fault.Invalid, t.subject.at(0)+": the subject is empty")
	}
	if preheader = oneLine(preheader); preheader != "" && t.html != nil {
		out.HTML = insertStart(out.HTML, `<div style="display:none;max-height:0;overflow:hidden">`+string(appendHTML(nil, preheader))+strings.Repeat("&#847;&zwnj;&nbsp;", preheaderGap)+`</div>`)
	}
	if t.text == nil {
		out.Text = Plain(out.HTML)
	}
	return out, nil
}

// preheaderGap is how many invisible spaces follow the preheader, so that a
// mailbox does not show the beginning of the message behind it.
const preheaderGap = 40

func newRun(vars Vars, env Env) *run {
	if env.Steps <= 0 {
		env.Steps = defaultSteps
	}
	if env.Made <= 0 {
		env.Made = defaultMade
	}
	if env.Output <= 0 {
		env.Output = defaultOutput
	}
	return &run{
		env: &env, steps: env.Steps, made: env.Made,
		vars: func(name string) (any, bool) {
			v, ok := vars[name]
			return v, ok
		},
	}
}

// words renders one part; a nil part is empty.
func (r *run) words(p *part) string {
	if p == nil || r.err != nil {
		return ""
	}
	r.part, r.pos, r.jump, r.room = p, 0, onward, r.env.Output
	r.out = make([]byte, 0, min(len(p.source)+len(p.source)/4, r.env.Output))
	r.assigned, r.scopes, r.counters, r.cycles, r.resume, r.changed = nil, nil, nil, nil, nil, ""
	r.render(p.nodes)
	return string(r.out)
}

// oneLine joins lines and drops what could steer a terminal or a mail program.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029
	}), " ")
}

// ObjectVars returns the fields of an object as variables.
func ObjectVars(o event.Object) Vars {
	vars := Vars{}
	o.Each(func(k string, v event.Value) bool {
		vars[k] = v
		return true
	})
	return vars
}

package content

import (
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// Sources are the parts of a template, in Liquid, and what they need.
type Sources struct {
	Subject   string // text of one line
	Preheader string // what a mailbox shows beside the subject; may be empty
	HTML      string // may be empty for channels of plain text
	Text      string // may be empty: it is made from the HTML then

	// Spots say where the parts stand, for errors. Default: in a text of the
	// template's name and the part's, "welcome html".
	Spots struct{ Subject, Preheader, HTML, Text Spot }

	// HTMLLayout and TextLayout stand around the parts: each has {{ content }} once,
	// where the message stands, which knows what the layout assigns before it.
	// Default: nothing stands around them.
	HTMLLayout, TextLayout File

	// HTMLBlocks and TextBlocks are the blocks that the tags render and include name.
	HTMLBlocks, TextBlocks Blocks

	// Fallback says what to write for a variable that is missing, by its path as the
	// template writes it: "customer.first_name". It holds wherever the value is
	// written, filtered or handed to a block; conditions ask for what is there.
	Fallback map[string]string
}

// Spot is a place in a text.
type Spot struct {
	Name string // what an error calls the text: its file
	Line int
}

// String returns "name:line".
func (s Spot) String() string { return s.Name + ":" + strconv.Itoa(s.Line) }

// File is a text of its own: a layout or a block.
type File struct {
	Spot // of its first line; Line 0 counts as 1
	Body string
}

// Blocks are texts that templates show by name, as {% render 'name' %}.
type Blocks map[string]File

// Template is a compiled template. It does not change and may be used from many
// goroutines.
type Template struct {
	subject, preheader, html, text *part

	uses  []Use
	words []Word
}

// Rendered is a message in words.
type Rendered struct {
	Subject   string // one line, without control characters
	Preheader string // the same; empty if the template has none. The HTML has it already
	HTML      string // empty if the template has none
	Text      string
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
		body   string
		spot   Spot
		html   bool
		layout File
		blocks Blocks
	}{
		{&t.subject, "subject", src.Subject, src.Spots.Subject, false, File{}, src.TextBlocks},
		{&t.preheader, "preheader", src.Preheader, src.Spots.Preheader, false, File{}, src.TextBlocks},
		{&t.html, "html", src.HTML, src.Spots.HTML, true, src.HTMLLayout, src.HTMLBlocks},
		{&t.text, "text", src.Text, src.Spots.Text, false, src.TextLayout, src.TextBlocks},
	} {
		if p.body == "" {
			continue
		}
		file := File{p.spot, p.body}
		if file.Name == "" {
			file.Name = name + " " + p.name
		}
		k := &kit{blocks: p.blocks, fallback: src.Fallback}
		if p.layout.Body != "" {
			message := file
			k.message, file = &message, p.layout
		}
		compiled, err := compile(file, p.html, k)
		if err != nil {
			return nil, err
		}
		*p.to = compiled
		for i := range k.uses {
			k.uses[i].Part = p.name
		}
		t.uses, t.words = append(t.uses, k.uses...), append(t.words, k.words...)
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
//
// A template that gives up by its tag abort has an error of type [*Aborted]: this
// customer is to get nothing, and nobody has to be told.
func (t *Template) Render(vars Vars, env Env) (Rendered, error) {
	return t.render(newRun(vars, env))
}

func (t *Template) render(r *run) (Rendered, error) {
	if s := r.env.Scratch; s != nil {
		defer func() {
			s.out, s.args, s.own, s.fields, s.opened, s.listed, s.shared, s.hints = r.out, r.args, r.own, r.fields, r.opened, r.listed, r.shared, r.hints
			r.vars, r.env, r.lastRaw, r.last = nil, Env{}, "", nil // the next customer's message has nothing of this one's
		}()
	}
	var out Rendered
	out.Subject = oneLine(string(r.words(t.subject)))
	out.Preheader = oneLine(string(r.words(t.preheader)))
	r.words(t.html)
	if t.html != nil && r.err == nil {
		out.HTML = r.page(out.Preheader)
	}
	out.Text = string(r.words(t.text))
	if r.err != nil {
		return Rendered{}, r.err
	}
	if t.subject != nil && out.Subject == "" {
		return Rendered{}, fault.New(fault.Invalid, t.subject.at(0)+": the subject is empty")
	}
	if t.text == nil {
		out.Text = Plain(out.HTML)
	}
	return out, nil
}

// page returns the HTML that was written, with the preheader behind the opening of
// the body, or at the start.
func (r *run) page(preheader string) string {
	if preheader == "" {
		return string(r.out)
	}
	at, size := bodyStart(r.out), len(r.out)
	r.out = appendHTML(r.out, preheader)
	var b strings.Builder // so that the page is copied once
	b.Grow(len(r.out) + len(hidden) + len(preheaderGap) + len("</div>"))
	b.Write(r.out[:at])
	b.WriteString(hidden)
	b.Write(r.out[size:])
	b.WriteString(preheaderGap)
	b.WriteString("</div>")
	b.Write(r.out[at:size])
	return b.String()
}

// hidden opens what a mailbox shows beside the subject and a reader does not see.
const hidden = `<div style="display:none;max-height:0;overflow:hidden">`

// preheaderGap is so many invisible spaces that a mailbox does not show the
// beginning of the message behind the preheader.
var preheaderGap = strings.Repeat("&#847;&zwnj;&nbsp;", 40)

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
	s := env.Scratch
	if s == nil {
		return &run{env: env, steps: uint(env.Steps), made: env.Made, vars: vars}
	}
	s.run = run{
		env: env, steps: uint(env.Steps), made: env.Made, vars: vars,
		out: s.out[:0], args: s.args[:0], own: s.own[:0], fields: s.fields[:0], opened: s.opened[:0], listed: s.listed[:0], shared: s.shared, hints: s.hints,
	}
	return &s.run
}

// words renders one part; a nil part is empty. The bytes are those of r.out, until
// the next part.
func (r *run) words(p *part) []byte {
	if p == nil || r.err != nil {
		return nil
	}
	r.part, r.pos, r.jump, r.room = p, 0, onward, r.env.Output
	if size := min(2*p.size+len(preheaderGap), r.env.Output); cap(r.out) < size {
		r.out = make([]byte, 0, size)
	}
	r.out, r.frame = r.out[:0], frame{}
	if cap(r.shared) < p.paths {
		r.shared = make([]any, p.paths)
	}
	r.shared = r.shared[:p.paths]
	clear(r.shared)
	if cap(r.hints) < p.paths {
		r.hints = make([]uint8, p.paths)
	}
	r.hints = r.hints[:p.paths] // of another part they are wrong guesses
	r.render(p.nodes)
	return r.out
}

// oneLine joins lines and drops what could steer a terminal or a mail program.
func oneLine(s string) string {
	if clean(s) {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029
	}), " ")
}

// clean reports whether s is one line already, without a space that oneLine would
// take away. What is not ASCII is not looked at.
func clean(s string) bool {
	space := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return !space || s == ""
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

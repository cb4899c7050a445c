package content

import (
	"slices"

	"rapport/internal/fault"
)

// Gap is a place where a value is missing: where [Template.Render] fails and a
// preview shows a mark.
type Gap struct {
	What string // the variable as written
	Spot Spot
}

// gap is the value of what is missing, in a preview only. It goes through
// filters unchanged and is shown as a mark.
type gap string

// String returns the mark as text.
func (g gap) String() string { return "⟦" + string(g) + "⟧" }

// Preview words the message as [Template.Render] does, for the eyes of the
// people who make it: what is missing does not end it, but shows as a mark and is
// returned with its place, each place once. What it returns must not be sent.
func (t *Template) Preview(vars Vars, env Env) (Rendered, []Gap, error) {
	r := newRun(vars, env)
	r.preview = true
	out, err := t.render(r)
	return out, r.gaps, err
}

// lack says that a variable is missing: in a preview it returns the mark.
func (r *run) lack(src string) any {
	if r.preview {
		return r.note(src)
	}
	r.fail(fault.Invalid, "%s is missing or empty; say what to write instead, by {{ … | default: \"…\" }} or fallback on top of the template", src)
	return nil
}

// absent says that what is shown is missing.
func (r *run) absent(f *filtered) any {
	if r.preview {
		return r.note(f.src)
	}
	r.fail(fault.Invalid, "%s is missing or empty; write what to say instead: {{ %s | default: \"…\" }}", f.src, f.src)
	return nil
}

// maxGaps bounds the list of a preview: a template has no more variables.
const maxGaps = 1000

func (r *run) note(src string) any {
	g := Gap{src, r.part.spot(r.pos)}
	if len(r.gaps) < maxGaps && !slices.Contains(r.gaps, g) {
		r.gaps = append(r.gaps, g)
	}
	return gap(src)
}

// mark shows a gap in its place, so that it is seen and harms nothing.
func (r *run) mark(g gap, m mode) {
	switch m {
	case rawMode:
		r.write(g.String())
	case textMode:
		r.write(`<mark style="background:#ffe08a;color:#000000">`)
		r.writeEscaped(g.String())
		r.write(`</mark>`)
	case attrMode:
		r.writeEscaped(g.String())
	case urlMode:
		r.write("#missing")
	case urlPart:
		r.write("missing")
	case styleMode:
		r.write("inherit")
	case urlTail, commentMode: // what stands before is whole without it
	}
}

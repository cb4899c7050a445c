package mjml

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// masked is a source in which a word stands for each piece of Liquid. The
// compiler copies words as they are; Liquid it would take for markup.
type masked struct {
	text   string
	word   string // how the words begin
	pieces []piece
}

// piece is one {{ output }} or {% tag %}.
type piece struct {
	liquid string
	at     int // where its word begins in the text
	line   int // in the source, from 1
}

// liquid finds what the template engine will take for its own.
var liquid = regexp.MustCompile(`(?s)\{\{.*?\}\}|\{%.*?%\}`)

// hide returns the source with its Liquid replaced.
func hide(source string) (*masked, []Problem) {
	m := &masked{word: "zqliquid"}
	for strings.Contains(source, m.word) {
		m.word += "q"
	}
	var b strings.Builder
	done, line := 0, 1
	for _, at := range liquid.FindAllStringIndex(source, -1) {
		line += strings.Count(source[done:at[0]], "\n")
		b.WriteString(source[done:at[0]])
		m.pieces = append(m.pieces, piece{source[at[0]:at[1]], b.Len(), line})
		fmt.Fprintf(&b, "%s%dz", m.word, len(m.pieces)-1)
		line += strings.Count(source[at[0]:at[1]], "\n")
		done = at[1]
	}
	rest := source[done:]
	b.WriteString(rest)
	m.text = b.String()
	if i := strings.Index(rest, "{{"); i >= 0 {
		return m, []Problem{{line + strings.Count(rest[:i], "\n"), "an output that begins here has no end", "{{ customer.first_name }}"}}
	}
	if i := strings.Index(rest, "{%"); i >= 0 {
		return m, []Problem{{line + strings.Count(rest[:i], "\n"), "a tag that begins here has no end", "{% if … %}"}}
	}
	return m, nil
}

// show puts the Liquid back.
func (m *masked) show(text string) string {
	if len(m.pieces) == 0 {
		return text
	}
	var b strings.Builder
	for {
		i, n, end := m.next(text)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		b.WriteString(m.pieces[n].liquid)
		text = text[end:]
	}
}

// page puts the Liquid back and notes where it came from.
func (m *masked) page(html string) Page {
	p := Page{HTML: m.show(html), Lines: []int{0}}
	for {
		i, n, end := m.next(html)
		if i < 0 {
			p.Lines = append(p.Lines, make([]int, strings.Count(html, "\n"))...)
			return p
		}
		p.Lines = append(p.Lines, make([]int, strings.Count(html[:i], "\n"))...)
		if last := len(p.Lines) - 1; p.Lines[last] == 0 {
			p.Lines[last] = m.pieces[n].line
		}
		p.Lines = append(p.Lines, make([]int, strings.Count(m.pieces[n].liquid, "\n"))...)
		html = html[end:]
	}
}

// next finds the next word: where it begins, whose it is and where it ends.
func (m *masked) next(text string) (start, n, end int) {
	from := 0
	for {
		i := strings.Index(text[from:], m.word)
		if i < 0 {
			return -1, 0, 0
		}
		start = from + i
		from = start + len(m.word)
		digits, _, ended := strings.Cut(text[from:min(len(text), from+8)], "z")
		if n, err := strconv.Atoi(digits); ended && err == nil && n >= 0 && n < len(m.pieces) {
			return start, n, from + len(digits) + 1
		}
	}
}

// line returns the line of the source that a line of the masked text is: a piece
// of several lines takes one there.
func (m *masked) line(masked int) int {
	line, pos := masked, 0
	for i := 1; i < masked; i++ { // where the masked line begins
		n := strings.IndexByte(m.text[pos:], '\n')
		if n < 0 {
			break
		}
		pos += n + 1
	}
	for _, p := range m.pieces {
		if p.at >= pos {
			break
		}
		line += strings.Count(p.liquid, "\n")
	}
	return line
}

// lineAt returns the line of the source at an offset of the masked text.
func (m *masked) lineAt(at int) int { return m.line(1 + strings.Count(m.text[:at], "\n")) }

// colour is the compiler's complaint about a colour that is a variable's: it is
// known when the message is made, and checked then.
var colour = regexp.MustCompile(`^Attribute \S*color has invalid value: `)

// kind is the end of a complaint that names the compiler's own class, whose name
// is shortened to a letter.
var kind = regexp.MustCompile(` for type \w\s*$`)

// problem words what the compiler found, and reports whether it counts.
func (m *masked) problem(line int, tag, message string) (Problem, bool) {
	if strings.Contains(message, m.word) && colour.MatchString(message) {
		return Problem{}, false
	}
	p := Problem{Line: m.line(max(line, 1)), What: m.show(kind.ReplaceAllString(message, ""))}
	if tag != "" {
		p.What = "<" + tag + ">: " + p.What
	}
	switch {
	case strings.Contains(message, "doesn't exist or is not registered"):
		p.Instead = "an element of MJML, or HTML inside <mj-raw> or <mj-text>"
	case strings.Contains(message, "cannot be used inside"):
		p.Instead = "<mj-body>, <mj-section>, <mj-column>, and the content in the column"
	case strings.Contains(message, "illegal"):
		p.Instead = "one of the attributes that documentation.mjml.io names for <" + tag + ">"
	case strings.Contains(message, "for type Unit"):
		p.Instead = "a length such as 20px: it is needed when the template is compiled, so it can be no variable"
	}
	return p, true
}

// lost finds the Liquid that the compiler dropped.
func (m *masked) lost(html string) (problems []Problem) {
	kept := make([]bool, len(m.pieces))
	for {
		i, n, end := m.next(html)
		if i < 0 {
			break
		}
		kept[n] = true
		html = html[end:]
	}
	outside := m.outside()
	for i, p := range m.pieces {
		if !kept[i] && outside[i] {
			problems = append(problems, Problem{p.line, "MJML drops text that stands here, so " + p.liquid + " would be lost", "<mj-raw>" + p.liquid + "</mj-raw>"})
		}
	}
	return problems
}

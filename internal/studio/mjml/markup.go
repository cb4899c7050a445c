package mjml

import (
	"fmt"
	"strings"
)

// tag is one tag of the masked text.
type tag struct {
	name       string // as written
	attrs      string // what stands behind the name
	start, end int
	closing    bool
	empty      bool // closes itself
}

// endings are the elements whose content is words or HTML, and no MJML.
var endings = map[string]bool{
	"mj-text": true, "mj-button": true, "mj-raw": true, "mj-table": true, "mj-style": true, "mj-title": true, "mj-preview": true,
	"mj-navbar-link": true, "mj-social-element": true, "mj-accordion-title": true, "mj-accordion-text": true,
}

// tags calls f for each tag of MJML itself, in order; what stands inside an
// ending element is skipped.
func (m *masked) tags(f func(t tag)) {
	s := m.text
	for i := 0; i < len(s); {
		j := strings.IndexByte(s[i:], '<')
		if j < 0 {
			return
		}
		i += j
		if strings.HasPrefix(s[i:], "<!--") {
			if j = strings.Index(s[i:], "-->"); j < 0 {
				return
			}
			i += j
			continue
		}
		t, ok := readTag(s, i)
		if !ok {
			i++
			continue
		}
		f(t)
		i = t.end
		if endings[t.name] && !t.closing && !t.empty {
			if j = strings.Index(s[i:], "</"+t.name); j < 0 {
				return
			}
			i += j
		}
	}
}

func readTag(s string, i int) (tag, bool) {
	t := tag{start: i}
	i++
	if i < len(s) && s[i] == '/' {
		t.closing = true
		i++
	}
	from := i
	for i < len(s) && (s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z' || s[i] >= '0' && s[i] <= '9' || s[i] == '-') {
		i++
	}
	if t.name = s[from:i]; t.name == "" {
		return t, false
	}
	from = i
	var quote byte
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			t.attrs, t.end = s[from:i], i+1
			t.empty = strings.HasSuffix(t.attrs, "/")
			return t, true
		}
	}
	return t, false
}

// has reports whether the tag has the attribute.
func (t tag) has(name string) bool {
	rest := t.attrs
	for {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		before := i == 0 || strings.IndexByte(" \t\n\"'", rest[i-1]) >= 0
		after := strings.TrimLeft(rest[i+len(name):], " \t\n")
		if before && strings.HasPrefix(after, "=") {
			return true
		}
		rest = rest[i+len(name):]
	}
}

// pictured are the elements that show a picture, which must be worded.
var pictured = map[string]bool{"mj-image": true, "mj-carousel-image": true}

// refuse finds what the compiler would take and the product does not.
func (m *masked) refuse() (problems []Problem) {
	depth, set := 0, false
	m.tags(func(t tag) {
		switch {
		case t.closing:
			depth--
		case !t.empty:
			if depth++; depth == maxDepth+1 {
				problems = append(problems, Problem{m.lineAt(t.start), fmt.Sprintf("elements are nested deeper than %d", maxDepth), "fewer elements inside one another"})
			}
		}
		switch {
		case t.closing:
			set = set && !settings[t.name]
		case t.name == "mj-include":
			problems = append(problems, Problem{m.lineAt(t.start), "a template includes no file", "a layout in layouts/*.mjml, or a block by {% render %} inside <mj-raw>"})
		case settings[t.name]:
			set = !t.empty
		case pictured[t.name] && !set && !t.has("alt"):
			problems = append(problems, Problem{
				m.lineAt(t.start), "the picture of <" + t.name + "> has no words for those who do not see it",
				`alt="A brass desk lamp", or alt="" if it only decorates`,
			})
		}
	})
	return problems
}

// settings are the elements of the head whose attributes and words come into the
// HTML only where they are asked for.
var settings = map[string]bool{"mj-attributes": true, "mj-html-attributes": true}

// outside reports for each piece of Liquid whether it stands as text between
// tags of MJML: not in a tag, not in a comment, not among settings.
func (m *masked) outside() []bool {
	out := make([]bool, len(m.pieces))
	for i := range out {
		out[i] = true
	}
	within := func(from, to int) {
		for i, p := range m.pieces {
			if p.at >= from && p.at < to {
				out[i] = false
			}
		}
	}
	opened := -1
	m.tags(func(t tag) {
		within(t.start, t.end)
		switch {
		case !settings[t.name] || t.empty:
		case !t.closing:
			opened = t.start
		case opened >= 0:
			within(opened, t.end)
			opened = -1
		}
	})
	for i := 0; ; {
		j := strings.Index(m.text[i:], "<!--")
		if j < 0 {
			return out
		}
		i += j
		end := strings.Index(m.text[i:], "-->")
		if end < 0 {
			end = len(m.text) - i
		}
		within(i, i+end)
		i += end
	}
}

package css

import (
	"strings"

	"github.com/andybalholm/cascadia"
)

// declaration is one “property: value”.
type declaration struct {
	property  string // lower case, but for custom ones
	value     string
	important bool
}

// selector is one selector of a rule with what becomes of it.
type selector struct {
	text  string
	match cascadia.Sel // nil if it is not for attributes
	base  cascadia.Sel // what it matches without its pseudo-classes; nil if that cannot be told
	used  bool         // it matches something
}

// statement is a rule, or an at-rule.
type statement struct {
	raw       string // as written; of an at-rule with a block, what stands before the block
	selectors []*selector
	decls     []declaration
	inner     []*statement // the rules of a media query
	block     bool         // an at-rule whose block is in inner
}

// parseSheet reads the text of a style element. What cannot be read is kept as it
// is: an older or newer browser may understand it.
func parseSheet(s string) (list []*statement) {
	s = strings.NewReplacer("<!--", "", "-->", "").Replace(stripComments(s))
	for {
		s = strings.TrimLeft(s, " \t\r\n\f;")
		if s == "" {
			return list
		}
		end := find(s, "{;")
		switch {
		case end < 0:
			return append(list, &statement{raw: strings.TrimSpace(s)})
		case s[end] == ';': // @import, @charset, or rubbish
			list = append(list, &statement{raw: s[:end+1]})
			s = s[end+1:]
			continue
		}
		head := strings.TrimSpace(s[:end])
		body, rest := block(s[end+1:])
		switch {
		case strings.HasPrefix(strings.ToLower(head), "@media"), strings.HasPrefix(strings.ToLower(head), "@supports"):
			list = append(list, &statement{raw: head, block: true, inner: parseSheet(body)})
		case strings.HasPrefix(head, "@"):
			list = append(list, &statement{raw: head + " {" + body + "}"})
		default:
			st := &statement{decls: parseDeclarations(body)}
			for _, text := range split(head, ',') {
				st.selectors = append(st.selectors, newSelector(strings.Join(strings.Fields(text), " ")))
			}
			list = append(list, st)
		}
		s = rest
	}
}

// moods are the pseudo-classes that depend on what the reader does, so that an
// attribute cannot say them.
var moods = []string{":hover", ":active", ":focus-within", ":focus-visible", ":focus", ":visited", ":link", ":target", ":checked", ":root"}

func newSelector(text string) *selector {
	s := &selector{text: text}
	base := text
	for _, mood := range moods {
		base = strings.ReplaceAll(base, mood, "")
	}
	if i := strings.Index(base, "::"); i >= 0 {
		base = base[:i]
	}
	for _, old := range []string{":before", ":after", ":first-line", ":first-letter"} {
		base = strings.ReplaceAll(base, old, "")
	}
	if base = strings.TrimSpace(base); base == "" {
		base = "*"
	}
	sel, err := cascadia.Parse(base)
	if err != nil {
		return s
	}
	s.base = sel
	if base == text {
		s.match = sel
	}
	return s
}

// parseDeclarations reads what stands between braces or in an attribute.
func parseDeclarations(s string) (list []declaration) {
	for _, part := range split(stripComments(s), ';') {
		property, value, ok := strings.Cut(part, ":")
		property, value = strings.TrimSpace(property), strings.TrimSpace(value)
		if !ok || property == "" || value == "" || strings.ContainsAny(property, " \t\r\n{}") {
			continue
		}
		if !strings.HasPrefix(property, "--") {
			property = strings.ToLower(property)
		}
		d := declaration{property: property, value: value}
		if i := strings.LastIndexByte(value, '!'); i >= 0 && strings.EqualFold(strings.TrimSpace(value[i+1:]), "important") {
			d.value, d.important = strings.TrimSpace(value[:i]), true
		}
		if d.value != "" {
			list = append(list, d)
		}
	}
	return list
}

// stripComments drops comments outside of strings.
func stripComments(s string) string {
	if !strings.Contains(s, "/*") {
		return s
	}
	var b strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == '\\' && i+1 < len(s) {
				b.WriteByte(c)
				i++
				c = s[i]
			} else if c == quote || c == '\n' {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '/' && i+1 < len(s) && s[i+1] == '*':
			end := strings.Index(s[i+2:], "*/")
			if end < 0 {
				return b.String()
			}
			i += 2 + end + 1
			c = ' '
		}
		b.WriteByte(c)
	}
	return b.String()
}

// find returns where one of the characters stands outside of strings, brackets
// and parentheses; -1 if nowhere. A brace that is asked for is found wherever it
// stands outside of strings, so that a forgotten parenthesis costs one rule.
func find(s, chars string) int {
	var quote byte
	depth := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			i++
		case quote != 0:
			if c == quote || c == '\n' {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case strings.IndexByte(chars, c) >= 0 && (depth == 0 || c == '{' || c == '}'):
			return i
		case c == '(' || c == '[':
			depth++
		case (c == ')' || c == ']') && depth > 0:
			depth--
		}
	}
	return -1
}

// split cuts at a character outside of strings and parentheses.
func split(s string, at byte) (parts []string) {
	for {
		i := find(s, string(at))
		if i < 0 {
			return append(parts, s)
		}
		parts, s = append(parts, s[:i]), s[i+1:]
	}
}

// block returns what stands before the brace that closes the block, and the rest
// behind it.
func block(s string) (body, rest string) {
	depth, from := 0, 0
	for {
		i := find(s[from:], "{}")
		if i < 0 {
			return s, ""
		}
		from += i
		switch {
		case s[from] == '{':
			depth++
		case depth == 0:
			return s[:from], s[from+1:]
		default:
			depth--
		}
		from++
	}
}

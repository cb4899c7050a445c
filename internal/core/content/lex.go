package content

import (
	"strings"
)

// token is a piece of a template: text as it stands, an output or a tag.
type token struct {
	kind tokenKind
	pos  int    // where it begins in the source
	text string // text: itself. Output: what is between the braces. Tag: what follows its name
	name string // of a tag
}

type tokenKind uint8

const (
	textToken tokenKind = iota
	outputToken
	tagToken
)

// white is what whitespace control strips.
const white = " \t\r\n\f\v"

// lex cuts a template into tokens. It stops at maxTokens. On a mistake it returns
// where it is and what.
func lex(s string) (tokens []token, pos int, wrong string) {
	strip := false // a "-}}" or "-%}" came before
	text := func(from, to int, trim bool) {
		t := s[from:to]
		if strip {
			t = strings.TrimLeft(t, white)
			from += to - from - len(t)
		}
		if trim {
			t = strings.TrimRight(t, white)
		}
		strip = false
		if t != "" {
			tokens = append(tokens, token{kind: textToken, pos: from, text: t})
		}
	}
	i := 0
	for {
		j := opening(s, i)
		if j < 0 {
			text(i, len(s), false)
			return tokens, 0, ""
		}
		if len(tokens) >= maxTokens {
			return nil, j, "the template has too many parts"
		}
		output := s[j+1] == '{'
		inner := j + 2
		trim := inner < len(s) && s[inner] == '-'
		text(i, j, trim)
		if trim {
			inner++
		}
		end := closing(s, inner, output)
		if end < 0 {
			return nil, j, "there is no end to " + quote(s[j:])
		}
		i = end + 2
		last := end
		if last > inner && s[last-1] == '-' {
			last, strip = last-1, true
		}
		body := s[inner:last]
		if output {
			tokens = append(tokens, token{kind: outputToken, pos: j, text: body})
			continue
		}
		name, rest := tagName(body)
		switch name {
		case "raw":
			if strings.TrimSpace(rest) != "" {
				return nil, j, "raw takes nothing behind it"
			}
			from, to, next, nextStrip, ok := verbatim(s, i, "raw", strip)
			if !ok {
				return nil, j, "raw has no endraw"
			}
			if from < to {
				tokens = append(tokens, token{kind: textToken, pos: from, text: s[from:to]})
			}
			i, strip = next, nextStrip
		case "doc":
			if strings.TrimSpace(rest) != "" {
				return nil, j, "doc takes nothing behind it"
			}
			from, to, next, nextStrip, ok := verbatim(s, i, "doc", false)
			if !ok {
				return nil, j, "doc has no enddoc"
			}
			if strings.Contains(s[from:to], "{% doc") {
				return nil, j, "a doc stands in a doc"
			}
			i, strip = next, nextStrip
		case "comment":
			next, nextStrip, ok := skipComment(s, i)
			if !ok {
				return nil, j, "comment has no endcomment"
			}
			i, strip = next, nextStrip
		default:
			tokens = append(tokens, token{kind: tagToken, pos: j, name: name, text: rest})
		}
	}
}

// maxTokens bounds a template: the largest hand-made one we know has some 2,000.
const maxTokens = 20_000

// opening returns where the next "{{" or "{%" is; -1 if there is none.
func opening(s string, from int) int {
	for i := from; ; i++ {
		j := strings.IndexByte(s[i:], '{')
		if j < 0 || i+j+1 >= len(s) {
			return -1
		}
		if i += j; s[i+1] == '{' || s[i+1] == '%' {
			return i
		}
	}
}

// closing returns where the "}}" or "%}" is that ends what begins at i; -1 if
// there is none. A text in quotes may hold either.
func closing(s string, i int, output bool) int {
	end := "%}"
	if output {
		end = "}}"
	}
	quoted := byte(0)
	for j := i; j+1 < len(s); j++ {
		switch c := s[j]; {
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case c == '"' || c == '\'':
			if output || strings.IndexByte(s[j+1:min(len(s), j+1+maxQuoted)], c) >= 0 {
				quoted = c
			}
		case s[j:j+2] == end:
			return j
		case s[j:j+2] == "{{" || s[j:j+2] == "{%":
			if output {
				return -1
			}
		}
	}
	if quoted != 0 { // the quote was none, as in {% # don't %}
		if k := strings.Index(s[i:], end); k >= 0 {
			return i + k
		}
	}
	return -1
}

// maxQuoted bounds how far a quote in a tag is followed.
const maxQuoted = 4096

// tagName cuts a tag's name from what follows it. A comment's name is "#".
func tagName(s string) (name, rest string) {
	s = strings.TrimLeft(s, white)
	if strings.HasPrefix(s, "#") {
		return "#", s[1:]
	}
	i := 0
	for i < len(s) && (letter(s[i]) || digit(s[i])) {
		i++
	}
	return s[:i], s[i:]
}

// endTag finds the next {% name %} with any whitespace control.
func endTag(s string, from int, name string) (start, next int, trim, strip, ok bool) {
	for i := from; ; {
		j := strings.Index(s[i:], "{%")
		if j < 0 {
			return 0, 0, false, false, false
		}
		j += i
		k := j + 2
		if k < len(s) && s[k] == '-' {
			trim = true
			k++
		} else {
			trim = false
		}
		rest := strings.TrimLeft(s[k:], white)
		if after, found := strings.CutPrefix(rest, name); found {
			after = strings.TrimLeft(after, white)
			cut := after
			if after, strip = strings.CutPrefix(cut, "-"); strings.HasPrefix(after, "%}") {
				return j, len(s) - len(after) + 2, trim, strip, true
			}
		}
		i = j + 2
	}
}

// verbatim returns the text up to an end tag, and where to go on.
func verbatim(s string, from int, name string, strip bool) (start, end, next int, nextStrip, ok bool) {
	end, next, trim, nextStrip, ok := endTag(s, from, "end"+name)
	if !ok {
		return 0, 0, 0, false, false
	}
	start = from
	if strip {
		start = end - len(strings.TrimLeft(s[from:end], white))
	}
	if trim {
		end = start + len(strings.TrimRight(s[start:end], white))
	}
	return start, end, next, nextStrip, true
}

// skipComment returns where to go on behind a comment. Comments nest, and a raw
// in one hides its end.
func skipComment(s string, from int) (next int, strip, ok bool) {
	for depth, i := 1, from; ; {
		j := strings.Index(s[i:], "{%")
		if j < 0 {
			return 0, false, false
		}
		i += j + 2
		k := strings.Index(s[i:], "%}")
		if k < 0 {
			return 0, false, false
		}
		body := strings.TrimPrefix(s[i:i+k], "-")
		strip = strings.HasSuffix(body, "-")
		if strings.Contains(body, "{%") || strings.Contains(body, "{{") {
			return 0, false, false
		}
		i += k + 2
		switch name, _ := tagName(body); name {
		case "comment":
			depth++
		case "raw":
			if _, after, _, _, found := endTag(s, i, "endraw"); found {
				i = after
			}
		case "endcomment":
			if depth--; depth == 0 {
				return i, strip, true
			}
		}
	}
}

package content

import (
	"html"
	"strings"
)

// stripTags is the filter strip_html: it removes scripts, styles, comments and
// tags. What it leaves is text and is escaped like any other.
func stripTags(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		end := -1
		switch {
		case strings.HasPrefix(s, "<!--"):
			end = behind(s, "-->")
		case hasPrefixFold(s, "<script"):
			end = behindTag(s, "script")
		case hasPrefixFold(s, "<style"):
			end = behindTag(s, "style")
		}
		if end < 0 {
			end = behind(s, ">")
		}
		if end < 0 {
			b.WriteString(s) // a "<" that begins nothing
			break
		}
		s = s[end:]
	}
	return b.String()
}

func behind(s, mark string) int {
	if i := strings.Index(s, mark); i >= 0 {
		return i + len(mark)
	}
	return -1
}

func behindTag(s, tag string) int {
	i := closeOf(s, tag)
	if i < 0 {
		return -1
	}
	if j := strings.IndexByte(s[i:], '>'); j >= 0 {
		return i + j + 1
	}
	return -1
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// element is a tag as the readers of finished HTML see it.
type element struct {
	name       string // lower case
	closing    bool
	start, end int // of the tag in the source
	attrs      []attribute
}

type attribute struct {
	name       string // lower case
	value      string // with its character references resolved
	start, end int    // of the value in the source, without quotes
}

// nextTag returns the next tag at or behind i. Comments and the text of raw
// elements are skipped; what Outlook alone shows counts as a comment. Its
// attributes are read if they are asked for, into memory that may be used again: they
// hold until the next tag is read.
func nextTag(s string, i int, attrs *[]attribute) (e element, ok bool) {
	for i < len(s) {
		j := strings.IndexByte(s[i:], '<')
		if j < 0 || i+j+1 >= len(s) {
			return element{}, false
		}
		i += j
		switch c := s[i+1]; {
		case strings.HasPrefix(s[i:], "<!--"):
			n := behind(s[i+2:], "-->") // "<!-->" is a whole comment
			if n < 0 {
				return element{}, false
			}
			i += 2 + n
		case c == '!' || c == '?':
			n := behind(s[i:], ">")
			if n < 0 {
				return element{}, false
			}
			i += n
		case c == '/' || letter(c) && c != '_':
			return readTag(s, i, attrs)
		default:
			i++
		}
	}
	return element{}, false
}

func readTag(s string, i int, attrs *[]attribute) (e element, ok bool) {
	e.start = i
	if attrs != nil {
		*attrs = (*attrs)[:0]
	}
	i++
	if s[i] == '/' {
		e.closing = true
		i++
	}
	from := i
	for i < len(s) && !space(s[i]) && s[i] != '>' && s[i] != '/' {
		i++
	}
	e.name = strings.ToLower(s[from:i])
	for {
		for i < len(s) && (space(s[i]) || s[i] == '/') {
			i++
		}
		if i >= len(s) {
			return element{}, false
		}
		if s[i] == '>' {
			e.end = i + 1
			if attrs != nil {
				e.attrs = *attrs
			}
			return e, true
		}
		from = i
		for i < len(s) && !space(s[i]) && s[i] != '>' && s[i] != '/' && (s[i] != '=' || i == from) {
			i++
		}
		a := attribute{}
		if attrs != nil {
			a.name = strings.ToLower(s[from:i])
		}
		for i < len(s) && space(s[i]) {
			i++
		}
		if i < len(s) && s[i] == '=' {
			for i++; i < len(s) && space(s[i]); i++ {
			}
			where := inBare
			if i < len(s) && s[i] == '"' {
				where = inDouble
			} else if i < len(s) && s[i] == '\'' {
				where = inSingle
			}
			if where != inBare {
				i++
			}
			a.start = i
			i += valueEnd(s[i:], where)
			a.end = i
			if attrs != nil {
				a.value = html.UnescapeString(s[a.start:a.end])
			}
			if where != inBare {
				i++
			}
		}
		if attrs != nil {
			*attrs = append(*attrs, a)
		}
	}
}

// hidden reports whether an element says that it is not shown.
func (e element) hidden() bool {
	for _, a := range e.attrs {
		switch a.name {
		case "hidden":
			return true
		case "style":
			style := strings.ToLower(a.value)
			if strings.Contains(style, "none") && strings.Contains(strings.ReplaceAll(style, " ", ""), "display:none") {
				return true
			}
		}
	}
	return false
}

// commentless drops comments from a text between tags.
func commentless(s string) string {
	for {
		i := strings.Index(s, "<!")
		if i < 0 {
			return s
		}
		n := -1
		if strings.HasPrefix(s[i:], "<!--") {
			if n = behind(s[i+2:], "-->"); n >= 0 {
				n += 2
			}
		} else {
			n = behind(s[i:], ">")
		}
		if n < 0 {
			return s[:i]
		}
		s = s[:i] + s[i+n:]
	}
}

package content

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// textWidth is how many characters a line of the text part has at most, unless a
// single word is longer: RFC 5322, section 2.1.1, asks for no more than 78.
const textWidth = 78

// maxIndent bounds how deep lists and quotes move a text to the right; deeper ones
// stay there.
const maxIndent = 6

// textReader makes text of HTML.
type textReader struct {
	b     []byte
	line  []byte
	gap   int // empty lines owed before the next text
	space bool
	link  string
	from  int // where in line the link's words began

	indents []string // what stands before each line, by list and quote
	bullet  string   // what stands before the next line in place of the last indent
	lists   []int    // the number of the next item of each list; 0 for one without numbers
	tables  []bool   // whether each table holds figures and not the layout
	cell    bool     // a cell of figures ended: the next words are another's
	rule    byte     // what the next line is underlined with
}

// Plain returns HTML as text, for people and programs that do not show HTML.
// Paragraphs are wrapped at 78 characters, headings underlined; items get a dash or
// their number, rows of figures become lines, links their address in brackets, and
// pictures their words. What is hidden (styles, titles, scripts, the preheader) is
// left out.
func Plain(s string) string {
	p := &textReader{b: make([]byte, 0, len(s)/4), line: make([]byte, 0, 256)}
	var attrs []attribute
	skip, depth := "", 0 // the element that is left out, and how often it is open
	for i := 0; ; {
		e, ok := nextTag(s, i, &attrs)
		end := len(s)
		if ok {
			end = e.start
		}
		if skip == "" {
			p.text(commentless(s[i:end]))
		}
		if !ok {
			break
		}
		i = e.end
		if skip != "" {
			switch {
			case e.name != skip:
			case !e.closing:
				depth++
			case depth > 1:
				depth--
			default:
				skip = ""
			}
			continue
		}
		if !e.closing && (rawText[e.name] || e.name == "head" || e.hidden()) && !void[e.name] {
			skip, depth = e.name, 1
			if rawText[e.name] {
				if n := behindTag(s[i:], e.name); n >= 0 {
					i += n
				} else {
					i = len(s)
				}
				skip = ""
			}
			continue
		}
		p.tag(e)
	}
	p.flush()
	return string(bytes.TrimLeft(p.b, "\n"))
}

// void are elements without content.
var void = map[string]bool{"br": true, "img": true, "hr": true, "input": true, "meta": true, "link": true, "col": true, "area": true, "wbr": true}

// blocks are elements that begin and end a line; true for those with an empty
// line around them.
var blocks = map[string]bool{
	"p": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "ul": true, "ol": true, "table": true, "blockquote": true, "hr": true,
	"div": false, "tr": false, "li": false, "section": false, "header": false, "footer": false, "article": false, "body": false, "center": false, "dt": false, "dd": false, "address": false,
}

func (p *textReader) text(s string) {
	s = html.UnescapeString(s)
	for i, n := 0, 0; i < len(s); i += n {
		if !p.cell && !p.space {
			from := i
			for i < len(s) && s[i] > ' ' && s[i] < utf8.RuneSelf {
				i++
			}
			if p.line = append(p.line, s[from:i]...); i == len(s) {
				break
			}
		}
		r := rune(s[i])
		if n = 1; r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case r == '\u200b' || r == '\u200c' || r == '\u200d' && len(p.line) == 0 || r == '\u034f' || r == '\ufeff' || r == '\u00ad':
		case r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0':
			p.space = len(p.line) > 0
		default:
			if p.cell {
				p.line = append(p.line, " |"...)
				p.cell, p.space = false, true
			}
			if p.space {
				p.line = append(p.line, ' ')
				p.space = false
			}
			p.line = utf8.AppendRune(p.line, r)
		}
	}
}

// attr returns an attribute's value.
func (e element) attr(name string) string {
	for _, a := range e.attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

func (p *textReader) tag(e element) {
	wide, block := blocks[e.name]
	if block {
		p.flush()
		if inner := (e.name == "ul" || e.name == "ol") && (len(p.lists) > 1 || len(p.lists) == 1 && !e.closing); wide && !inner {
			p.gap = 1
		}
	}
	switch e.name {
	case "br":
		p.flush()
	case "td", "th":
		p.column(e)
	case "a":
		p.anchor(e)
	case "img":
		if alt := strings.TrimSpace(e.attr("alt")); alt != "" && !e.closing {
			p.text(" [" + alt + "] ")
		}
	case "hr":
		p.line = append(p.line, strings.Repeat("-", 20)...)
		p.flush()
		p.gap = 1
	case "table":
		if e.closing {
			p.tables = p.tables[:max(0, len(p.tables)-1)]
		} else {
			role := e.attr("role")
			p.tables = append(p.tables, role != "presentation" && role != "none")
		}
	case "h1", "h2":
		if !e.closing {
			p.rule = '='
			if e.name == "h2" {
				p.rule = '-'
			}
		} else {
			p.rule = 0
		}
	case "blockquote":
		p.indent(e.closing, "> ", "> ")
	case "ul", "ol":
		if e.closing {
			p.lists = p.lists[:max(0, len(p.lists)-1)]
		} else {
			first := 0
			if e.name == "ol" {
				first = 1
				if n, err := strconv.Atoi(e.attr("start")); err == nil && n > 0 && n < 1e6 {
					first = n
				}
			}
			p.lists = append(p.lists, first)
		}
	case "li":
		p.item(e.closing)
	}
}

// item begins or ends an item of a list.
func (p *textReader) item(closing bool) {
	bullet := "- "
	if n := len(p.lists); n > 0 && p.lists[n-1] > 0 && !closing {
		bullet = strconv.Itoa(p.lists[n-1]) + ". "
		p.lists[n-1]++
	}
	p.indent(closing, bullet, strings.Repeat(" ", len(bullet)))
}

// indent moves what follows to the right, or back.
func (p *textReader) indent(closing bool, first, rest string) {
	if closing {
		p.indents = p.indents[:max(0, len(p.indents)-1)]
		p.bullet = ""
		return
	}
	p.indents = append(p.indents, rest)
	p.bullet = first
}

// column begins a cell. Cells of figures stand in one line, those of the layout
// each in their own.
func (p *textReader) column(e element) {
	if len(p.tables) == 0 || !p.tables[len(p.tables)-1] {
		p.flush()
	} else if !e.closing && len(p.line) > 0 {
		p.cell = true
	}
}

// anchor begins or ends a link.
func (p *textReader) anchor(e element) {
	if !e.closing {
		p.link, p.from = "", len(p.line)
		if href := e.attr("href"); hasPrefixFold(href, "http") {
			p.link = href
		}
		return
	}
	words := bytes.TrimSpace(p.line[min(p.from, len(p.line)):])
	if p.link != "" && len(words) > 0 && string(words) != p.link {
		p.line = append(append(append(p.line, " ("...), p.link...), ')')
	}
	p.link = ""
}

// flush ends the line.
func (p *textReader) flush() {
	text := bytes.TrimSpace(p.line)
	p.line = p.line[:0] // text is read before the next is written
	p.space, p.cell, p.from = false, false, 0
	if len(text) == 0 {
		return
	}
	if p.gap > 0 && len(p.b) > 0 {
		p.b = append(p.b, '\n')
	}
	p.gap = 0
	indents := p.indents[:min(len(p.indents), maxIndent)]
	rest := strings.Join(indents, "")
	first := rest
	if p.bullet != "" && len(indents) == len(p.indents) {
		first = strings.Join(indents[:len(indents)-1], "") + p.bullet
		p.bullet = ""
	}
	longest := p.wrap(text, first, rest)
	if p.rule != 0 {
		p.b = append(append(p.b, rest...), bytes.Repeat([]byte{p.rule}, longest)...)
		p.b = append(p.b, '\n')
		p.gap = 1
	}
}

// wrap writes words in lines and returns the length of the longest.
func (p *textReader) wrap(text []byte, first, rest string) (longest int) {
	width := utf8.RuneCountInString(first)
	p.b = append(p.b, first...)
	begun := false
	for word := range bytes.FieldsSeq(text) {
		n := utf8.RuneCount(word)
		switch {
		case !begun:
		case width+1+n > textWidth:
			longest = max(longest, width)
			p.b = append(append(p.b, '\n'), rest...)
			width = utf8.RuneCountInString(rest)
		default:
			p.b = append(p.b, ' ')
			width++
		}
		p.b = append(p.b, word...)
		width += n
		begun = true
	}
	p.b = append(p.b, '\n')
	return min(max(longest, width)-utf8.RuneCountInString(rest), textWidth)
}

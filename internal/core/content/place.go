package content

import "strings"

// at is where in HTML a character stands.
type at uint8

const (
	inText      at = iota
	afterLess      // behind "<"
	inTagName      // of an opening tag
	inCloseTag     // anywhere in a closing tag
	inTag          // between attributes
	inAttrName     //
	afterEquals    // where a value begins
	inDouble       // a value in double quotes
	inSingle       // a value in single quotes
	inBare         // a value without quotes
	inComment      // <!-- … -->
	inDeclare      // <! … > and <? … >
	inRaw          // the text of script, style, title and textarea
)

// urlAt is how far an address in an attribute has got.
type urlAt uint8

const (
	urlStart  urlAt = iota // nothing yet
	urlScheme              // letters that may become a scheme
	urlHost                // behind "//"
	urlInside              // the host is over: path, query or fragment
	urlAfter               // behind a variable that was the beginning
	urlOther               // mailto: and tel:
	urlFixed               // data: no variable may go on
)

// place is the state of an HTML reader. Two branches of a template may meet only
// in the same place.
type place struct {
	at   at
	tag  string // of the tag or raw text that it is in, lower case
	attr string // of the attribute
	url  urlAt
	word string // the beginning of a scheme, or of a comment's mark or end
}

// where names a place in an error.
func (p place) where() string {
	switch p.at {
	case inDouble, inSingle, inBare, afterEquals:
		return "the attribute " + p.attr
	case inComment:
		return "a comment"
	case inRaw:
		return "<" + p.tag + ">"
	case inText:
		return "text"
	}
	return "a tag"
}

// refused are elements that a template may not open: mail programs drop or fear
// them, and their text follows rules of its own.
var refused = map[string]bool{
	"iframe": true, "frame": true, "frameset": true, "object": true, "embed": true, "applet": true, "base": true, "svg": true, "math": true,
	"xmp": true, "plaintext": true, "noembed": true, "noframes": true, "noscript": true, "template": true,
}

// rawText are elements whose text ends only at their own closing tag.
var rawText = map[string]bool{"script": true, "style": true, "title": true, "textarea": true}

// addresses are the attributes that hold one.
var addresses = map[string]bool{
	"href": true, "src": true, "action": true, "formaction": true, "background": true, "poster": true, "cite": true, "data": true,
	"srcset": true, "longdesc": true, "usemap": true, "manifest": true, "ping": true, "profile": true, "codebase": true, "classid": true,
	"archive": true, "icon": true, "lowsrc": true, "dynsrc": true, "xlink:href": true, "imagesrcset": true, "itemid": true, "itemtype": true,
}

// feed reads literal HTML and returns where it ends. On a mistake it returns how
// far it got and what is wrong.
func (p place) feed(s string) (end place, pos int, wrong string) {
	for i := 0; i < len(s); {
		c := s[i]
		switch p.at {
		case inText:
			j := strings.IndexByte(s[i:], '<')
			if j < 0 {
				return p, 0, ""
			}
			i += j + 1
			p = place{at: afterLess}
		case afterLess:
			switch {
			case letter(c) && c != '_':
				p = place{at: inTagName}
			case c == '/':
				p = place{at: inCloseTag}
				i++
			case c == '!':
				n, rest := declaration(s[i:])
				p = rest
				i += n
			case c == '?':
				p = place{at: inDeclare}
				i++
			default:
				p = place{}
			}
		case inTagName:
			if space(c) || c == '/' || c == '>' {
				if refused[p.tag] {
					return p, i, "the element <" + p.tag + "> may not stand in a message"
				}
				p.at = inTag
				break
			}
			p.tag += string(lower(c))
			i++
		case inCloseTag, inDeclare:
			if c == '>' {
				p = place{}
			}
			i++
		case inTag:
			switch {
			case c == '>':
				if rawText[p.tag] {
					p = place{at: inRaw, tag: p.tag}
				} else {
					p = place{}
				}
				i++
			case space(c) || c == '/':
				i++
			case c == '=' || c == '"' || c == '\'' || c == '<':
				return p, i, "an attribute has no name here"
			default:
				p.at, p.attr = inAttrName, ""
			}
		case inAttrName:
			switch {
			case c == '=':
				p.at = afterEquals
				i++
			case space(c):
				// A value may still follow behind spaces.
				j := i
				for j < len(s) && space(s[j]) {
					j++
				}
				if j < len(s) && s[j] == '=' {
					p.at = afterEquals
					i = j + 1
				} else {
					p.at, p.attr = inTag, ""
					i = j
				}
			case c == '/' || c == '>':
				p.at, p.attr = inTag, ""
			default:
				p.attr += string(lower(c))
				i++
			}
		case afterEquals:
			switch {
			case space(c):
				i++
			case c == '"':
				p.at = inDouble
				i++
			case c == '\'':
				p.at = inSingle
				i++
			case c == '>':
				p.at, p.attr = inTag, ""
			default:
				p.at = inBare
			}
		case inDouble, inSingle, inBare:
			n := valueEnd(s[i:], p.at)
			if wrong := p.value(s[i : i+n]); wrong != "" {
				return p, i, wrong
			}
			if i += n; i < len(s) {
				if p.at != inBare {
					i++
				}
				p = place{at: inTag, tag: p.tag}
			}
		case inComment:
			p.word += string(c)
			i++
			if p.word = tailOf(p.word, "-->", "--!>"); strings.HasSuffix(p.word, ">") && p.word != ">" {
				p = place{}
			}
		case inRaw:
			j := closeOf(s[i:], p.tag)
			if j < 0 {
				return p, 0, ""
			}
			i += j
			p = place{at: inCloseTag}
		}
	}
	return p, 0, ""
}

// declaration reads what begins with "<!" and returns how much of s it took. The
// conditional comments of Outlook are read as what they contain: in Outlook they
// are markup, and elsewhere a comment, which nothing that is escaped can end.
func declaration(s string) (n int, p place) {
	switch {
	case strings.HasPrefix(s, "!-->"):
		return 4, place{}
	case strings.HasPrefix(s, "!--->"):
		return 5, place{}
	case strings.HasPrefix(s, "!--[if"):
		if i := strings.Index(s, "]>"); i >= 0 {
			return i + 2, place{}
		}
	case strings.HasPrefix(s, "!--"):
		return 3, place{at: inComment}
	}
	return 1, place{at: inDeclare}
}

// tailOf returns the longest end of s that one of the marks begins with.
func tailOf(s string, marks ...string) string {
	for i := range len(s) {
		for _, m := range marks {
			if strings.HasPrefix(m, s[i:]) {
				return s[i:]
			}
		}
	}
	return ""
}

// closeOf returns where the closing tag of a raw text begins behind its "</"; −1
// if it is not there.
func closeOf(s, tag string) int {
	for from := 0; ; {
		i := strings.Index(s[from:], "</")
		if i < 0 {
			return -1
		}
		i += from + 2
		if len(s)-i >= len(tag) && strings.EqualFold(s[i:i+len(tag)], tag) {
			return i
		}
		from = i
	}
}

// valueEnd returns where an attribute's value ends.
func valueEnd(s string, a at) int {
	i := 0
	switch a {
	case inDouble:
		i = strings.IndexByte(s, '"')
	case inSingle:
		i = strings.IndexByte(s, '\'')
	default:
		i = strings.IndexAny(s, " \t\r\n\f>")
	}
	if i < 0 {
		return len(s)
	}
	return i
}

// value follows a piece of an attribute's value.
func (p *place) value(s string) (wrong string) {
	if !addresses[p.attr] {
		return ""
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch p.url {
		case urlStart, urlScheme:
			switch {
			case p.url == urlStart && space(c):
			case c == ':':
				switch p.word {
				case "http", "https":
					p.url = urlHost
				case "mailto", "tel", "sms", "cid":
					p.url = urlOther
				case "data":
					p.url = urlFixed
				default:
					return "links with " + quote(p.word+":") + " may not stand in a message"
				}
				p.word = ""
			case strings.IndexByte("/?#", c) >= 0:
				p.url, p.word = urlInside, ""
			default:
				p.url = urlScheme
				if len(p.word) < 16 { // longer than every scheme that is taken
					p.word += string(lower(c))
				}
			}
		case urlHost:
			if p.word != "//" { // the slashes behind the scheme
				p.word += string(c)
			} else if strings.IndexByte("/?#", c) >= 0 {
				p.url, p.word = urlInside, ""
			}
		case urlAfter:
			if strings.IndexByte("/?#", c) >= 0 {
				p.url = urlInside
			}
		}
	}
	return ""
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

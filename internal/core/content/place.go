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

	// outlook says that it is in a conditional comment of Outlook. There it is
	// markup, and everywhere else a comment: so it is read as markup, and nothing
	// in it may end a comment.
	outlook bool
}

// to returns a place with nothing remembered but the conditional comment.
func (p place) to(a at) place { return place{at: a, outlook: p.outlook} }

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
		if p.outlook {
			return "a conditional comment"
		}
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
				j = len(s) - i
			}
			if p.outlook && strings.Contains(s[i:i+j], "-->") {
				return p, i, "the conditional comment ends here for most readers; write <![endif]--> instead"
			}
			if i += j; i == len(s) {
				return p, 0, ""
			}
			i++
			p = p.to(afterLess)
		case afterLess:
			switch {
			case letter(c) && c != '_':
				p = p.to(inTagName)
			case c == '/':
				p = p.to(inCloseTag)
				i++
			case c == '!':
				n, rest := p.declaration(s[i:])
				if rest.outlook && (rest.at == inComment || p.outlook && strings.HasPrefix(s[i:], "!--")) {
					return p, i, "a comment may not stand in a conditional comment"
				}
				p = rest
				i += n
			case c == '?':
				p = p.to(inDeclare)
				i++
			default:
				p = p.to(inText)
			}
		case inTagName:
			n := nameEnd(s[i:], " \t\r\n\f/>")
			p.tag += strings.ToLower(s[i : i+min(n, maxName)])
			if i += n; len(p.tag) > maxName || n > maxName {
				return p, i - n, "the name of a tag is too long"
			}
			if i < len(s) {
				// For Outlook, which runs no scripts, noscript is an element like any other,
				// and every page that MJML makes has one.
				if refused[p.tag] && !(p.outlook && p.tag == "noscript") {
					return p, i, "the element <" + p.tag + "> may not stand in a message"
				}
				p.at = inTag
			}
		case inCloseTag, inDeclare:
			if c == '>' {
				p = p.to(inText)
			}
			i++
		case inTag:
			switch {
			case c == '>':
				tag := p.tag
				if p = p.to(inText); rawText[tag] {
					p.at, p.tag = inRaw, tag
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
				n := nameEnd(s[i:], " \t\r\n\f/>=")
				p.attr += strings.ToLower(s[i : i+min(n, maxName)])
				if len(p.attr) > maxName || n > maxName {
					return p, i, "the name of an attribute is too long"
				}
				i += n
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
			if p.outlook && strings.Contains(s[i:i+n], "--") {
				return p, i, "two dashes may not stand in an attribute in a conditional comment"
			}
			if i += n; i < len(s) {
				if p.at != inBare {
					i++
				}
				tag := p.tag
				p = p.to(inTag)
				p.tag = tag
			}
		case inComment:
			i++
			switch {
			case c == '-' && p.word == "--":
			case c == '-' && p.word == "-", c == '!' && p.word == "--":
				p.word += string(c)
			case c == '-':
				p.word = "-"
			case c == '>' && (p.word == "--" || p.word == "--!"):
				p = p.to(inText)
			default:
				p.word = ""
				if j := strings.IndexByte(s[i:], '-'); j >= 0 {
					i += j
				} else {
					i = len(s)
				}
			}
		case inRaw:
			j := closeOf(s[i:], p.tag)
			if p.outlook && strings.Contains(s[i:], "-->") && (j < 0 || strings.Contains(s[i:i+j], "-->")) {
				return p, i, "the conditional comment ends here for most readers"
			}
			if j < 0 {
				return p, 0, ""
			}
			i += j
			p = p.to(inCloseTag)
		}
	}
	return p, 0, ""
}

// maxName bounds the names of tags and attributes.
const maxName = 64

// nameEnd returns where the first of the bytes is in s, or its end.
func nameEnd(s, ends string) int {
	if i := strings.IndexAny(s, ends); i >= 0 {
		return i
	}
	return len(s)
}

// declaration reads what begins with "<!" and returns how much of s it took.
func (p place) declaration(s string) (n int, end place) {
	switch {
	case strings.HasPrefix(s, "!-->"): // a whole comment; behind "<!--[if !mso]>" it ends that for all but Outlook
		return 4, place{}
	case strings.HasPrefix(s, "!--->"):
		return 5, place{}
	case strings.HasPrefix(s, "![endif]-->"):
		return len("![endif]-->"), place{}
	case strings.HasPrefix(s, "!--[if"):
		if i := strings.Index(s, "]>"); i >= 0 && !strings.Contains(s[:i], "-->") {
			return i + 2, place{outlook: true}
		}
	}
	if strings.HasPrefix(s, "!--") {
		return 3, p.to(inComment)
	}
	return 1, p.to(inDeclare)
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

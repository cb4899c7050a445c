package program

import (
	"crypto/sha256"
	"regexp"
	"strings"
	"sync"

	"rapport/internal/core/content"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/studio/css"
	"rapport/internal/studio/mjml"
)

// markup ends the name of a file of MJML.
const markup = ".mjml"

// studio is what becomes of templates before they are Liquid: MJML becomes HTML,
// pictures get their addresses, styles go where mail programs read them.
type studio struct {
	frames   map[string]File       // layouts of MJML by name
	pages    map[string][]spec.Pos // from where each line of the HTML of a file of MJML came
	compiler mjml.Compiler
}

// sortMarkup takes a file of MJML to its place; it reports false where MJML has
// none.
func (c *compiler) sortMarkup(f File) bool {
	dir, base, _ := strings.Cut(f.Path, "/")
	switch dir {
	case "templates":
		c.templated = append(c.templated, f)
	case "layouts":
		if c.studio.frames == nil {
			c.studio.frames = map[string]File{}
		}
		c.studio.frames[strings.TrimSuffix(base, markup)] = f
	default:
		return false
	}
	return true
}

// asHTML follows the name of a file whose HTML is meant, and not its MJML.
const asHTML = " as HTML"

// rooted finds whether MJML is a whole document.
var rooted = regexp.MustCompile(`^\s*(<!--.*?-->\s*)*<mjml\b`)

// unmade stands for the HTML of MJML that did not compile: nothing else is found
// wrong with the template because of it.
const unmade = "{{ unsubscribe_url }} {{ shop.postal }}"

// compiled turns a part of MJML into HTML; other parts it returns as they are. A
// text that is no whole document stands in a layout: layouts/default.mjml, or the
// one that it names.
func (c *compiler) compiled(p *part) *part {
	if !strings.HasSuffix(p.file.Path, markup) {
		return p
	}
	p.alone = true
	source, from := p.body, func(line int) spec.Pos { return spec.Pos{File: p.file.Path, Line: p.first + line - 1} }
	if !rooted.MatchString(source) {
		name := "default"
		if v, there := p.head.Get("layout"); there && v.Scalar() {
			name = v.Text
		}
		frame, there := c.studio.frames[name]
		if !there {
			c.ps.Add(from(1), "<mjml><mj-body>…</mj-body></mjml>, or a layout in layouts/"+name+markup, "this is no whole MJML document, and there is no layout for it")
			p.body = unmade
			return p
		}
		var ok bool
		if source, from, ok = c.framed(c.pictured(c.part(frame)), p); !ok {
			p.body = unmade
			return p
		}
	}
	page, problems := c.compileMarkup(source, from)
	for _, q := range problems {
		c.ps.Add(from(q.Line), q.Instead, "%s", q.What)
	}
	if p.body = page.HTML; p.body == "" {
		p.body = unmade
	}
	if c.studio.pages == nil {
		c.studio.pages = map[string][]spec.Pos{}
	}
	places := make([]spec.Pos, len(page.Lines))
	for i, n := range page.Lines {
		if n > 0 {
			places[i] = from(n)
		}
	}
	c.studio.pages[p.text().Name] = places
	p.first = 1
	return p
}

// framed puts a text into its layout, and says where each line of both stands.
func (c *compiler) framed(frame, p *part) (source string, from func(line int) spec.Pos, ok bool) {
	at := placeholder.FindAllStringIndex(frame.body, -1)
	if len(at) != 1 {
		c.ps.Add(spec.Pos{File: frame.file.Path, Line: 1}, "{{ content }}", "a layout has the message in it exactly once, this one %d times", len(at))
		return "", nil, false
	}
	before, after := frame.body[:at[0][0]], frame.body[at[0][1]:]
	above, within := strings.Count(before, "\n"), strings.Count(p.body, "\n")
	return before + p.body + after, func(line int) spec.Pos {
		switch {
		case line <= above:
			return spec.Pos{File: frame.file.Path, Line: frame.first + line - 1}
		case line <= above+1+within:
			return spec.Pos{File: p.file.Path, Line: p.first + line - 1 - above}
		}
		return spec.Pos{File: frame.file.Path, Line: frame.first + line - 1 - within}
	}, true
}

// made keeps what MJML became for the process: the same templates are compiled at
// every change of any definition.
var made = struct {
	sync.Mutex
	pages map[[sha256.Size]byte]mjml.Page
}{pages: map[[sha256.Size]byte]mjml.Page{}}

// maxMade bounds the pages that are kept; each may be some hundred kB.
const maxMade = 200

func (c *compiler) compileMarkup(source string, from func(int) spec.Pos) (mjml.Page, []mjml.Problem) {
	key := sha256.Sum256([]byte(mjml.Version + "\x00" + source))
	made.Lock()
	page, known := made.pages[key]
	made.Unlock()
	if !known {
		var problems []mjml.Problem
		var err error
		if page, problems, err = c.studio.compiler.Compile(source); err != nil {
			_, why := fault.Of(err)
			c.ps.Add(from(1), "", "MJML could not be compiled: %s", why)
			return page, nil
		}
		if len(problems) > 0 {
			return page, problems
		}
		made.Lock()
		if len(made.pages) >= maxMade {
			clear(made.pages)
		}
		made.pages[key] = page
		made.Unlock()
	}
	return page, nil
}

// located ends the work of the studio: the engine is closed, and what was found
// in HTML is told of the line of the MJML from which it came.
func (c *compiler) located(problems []spec.Problem) []spec.Problem {
	// A failure to close keeps some memory and makes no template wrong.
	_ = c.studio.compiler.Close()
	for i := range problems {
		pos := &problems[i].Pos
		places, there := c.studio.pages[pos.File]
		if !there {
			continue
		}
		from := spec.Pos{File: strings.TrimSuffix(pos.File, asHTML), Line: 1}
		for k := min(pos.Line, len(places)); k > 0; k-- {
			if places[k-1].Line > 0 {
				from = places[k-1]
				break
			}
		}
		*pos = from
		problems[i].Where = pos.String()
	}
	return problems
}

// Marks stand around the message while it is in its layout. They look like
// outputs, which styles leave alone.
const messageBegins, messageEnds = "{{ zq message begins }}", "{{ zq message ends }}"

// inline moves the styles of the HTML part and its layout into attributes. Both
// keep their lines.
func (c *compiler) inline(pos spec.Pos, src *content.Sources) {
	layout := src.HTMLLayout.Body
	hole := placeholder.FindString(layout)
	whole := src.HTML
	if hole != "" {
		whole = strings.Replace(layout, hole, messageBegins+src.HTML+messageEnds, 1)
	}
	styled, err := css.Inline(whole, blocked.MatchString(whole))
	if err != nil {
		_, why := fault.Of(err)
		c.ps.Add(pos, "", "%s", why)
		return
	}
	if hole == "" {
		src.HTML = styled
		return
	}
	before, rest, ok1 := strings.Cut(styled, messageBegins)
	message, after, ok2 := strings.Cut(rest, messageEnds)
	if ok1 && ok2 {
		src.HTML, src.HTMLLayout.Body = message, before+hole+after
	}
}

// blocked finds the tags that put a block in.
var blocked = regexp.MustCompile(`\{%-?\s*(render|include)\b`)

package content

import (
	"strconv"
	"strings"
)

// expr is an expression that can be evaluated.
type expr interface {
	eval(r *run) any
}

// literal is a value that stands in the template.
type literal struct{ value any }

func (l literal) eval(*run) any { return l.value }

// path is a variable: a name and the steps into it.
type path struct {
	root  string
	by    expr // instead of root: {{ ["a name"] }}
	steps []pathStep
	src   string // as written, for errors
	fixed bool   // nothing but names: for the same variables it is the same value
	id    int    // its number in the part
	plain bool   // a name and one step that is a name
	count bool   // a name, a step that is a name, and size
	free  bool   // nothing in the part gives its root to anything else
}

// pathStep is .name or [expression].
type pathStep struct {
	name string
	by   expr
}

// rangeOf is (a..b).
type rangeOf struct {
	from, to expr
	src      string
}

// comparison is a and b around an operator.
type comparison struct {
	op   string
	a, b expr
}

// logical is and, or. Liquid has no precedence between them and binds to the
// right.
type logical struct {
	and  bool
	a, b expr
}

// filtered is an expression and what is done to its value.
type filtered struct {
	x     expr
	calls []call
	src   string // the whole as written, for errors

	defaults bool // one of the filters is default
}

// call is one filter with its arguments.
type call struct {
	*filter
	defaults bool // it is default
	money    bool // it is money
	args     []expr
	named    []namedArg
}

type namedArg struct {
	name string
	x    expr
}

// parser reads the expressions of one tag or output.
type parser struct {
	s    string
	i    int
	err  string // the first thing wrong; a sentence without a full stop
	deep int
	in   *compiler
	pos  int // where in the source the tag or output begins
}

// maxExprDepth bounds brackets in brackets.
const maxExprDepth = 32

func (p *parser) fail(what string) {
	if p.err == "" {
		p.err = what
	}
}

func (p *parser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n\f\v", p.s[p.i]) >= 0 {
		p.i++
	}
}

// peek returns the next byte that is not white space; 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// eat consumes the text if it comes next.
func (p *parser) eat(text string) bool {
	p.space()
	if strings.HasPrefix(p.s[p.i:], text) {
		p.i += len(text)
		return true
	}
	return false
}

// end reports an error if anything is left.
func (p *parser) end() {
	if p.peek() != 0 {
		p.fail("there is something unexpected at " + quote(p.s[p.i:]))
	}
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// name reads an identifier; empty if none comes next.
func (p *parser) name() string {
	p.space()
	j := p.i
	if j == len(p.s) || !letter(p.s[j]) {
		return ""
	}
	for j < len(p.s) && (letter(p.s[j]) || digit(p.s[j]) || p.s[j] == '-') {
		j++
	}
	if j < len(p.s) && p.s[j] == '?' {
		j++
	}
	name := p.s[p.i:j]
	p.i = j
	return name
}

// target reads the name that a tag gives to something. It may begin with digits.
func (p *parser) target() string {
	p.space()
	j := p.i
	for j < len(p.s) && (letter(p.s[j]) || digit(p.s[j]) || p.s[j] == '-' && j > p.i) {
		j++
	}
	name := p.s[p.i:j]
	if p.i = j; name == "" {
		p.fail("a name is missing")
	}
	return name
}

// keyword consumes a word if it comes next as a whole.
func (p *parser) keyword(w string) bool {
	p.space()
	at := p.i
	if p.name() == w {
		return true
	}
	p.i = at
	return false
}

// value reads a literal, a variable or a range.
func (p *parser) value() expr {
	p.deep++
	defer func() { p.deep-- }()
	if p.deep > maxExprDepth {
		p.fail("there are too many brackets in brackets")
		return literal{}
	}
	start := p.i
	switch c := p.peek(); {
	case c == 0:
		p.fail("a value is missing")
		return literal{}
	case c == '"' || c == '\'':
		end := strings.IndexByte(p.s[p.i+1:], c)
		if end < 0 {
			p.fail("a text has no closing quote")
			p.i = len(p.s)
			return literal{}
		}
		text := p.s[p.i+1 : p.i+1+end]
		p.i += end + 2
		return literal{text}
	case c == '(':
		p.i++
		from := p.value()
		if !p.eat("..") {
			p.fail("a range is written (1..5)")
		}
		to := p.value()
		if !p.eat(")") {
			p.fail("a range has no closing bracket")
		}
		return rangeOf{from, to, strings.Join(strings.Fields(p.s[start:p.i]), "")}
	case c == '-' || digit(c):
		return p.numeral()
	case c == '[':
		p.i++
		x := p.value()
		if !p.eat("]") {
			p.fail("a bracket is not closed")
		}
		return p.steps(&path{by: x}, start)
	}
	name := p.name()
	switch name {
	case "":
		p.fail("there is something unexpected at " + quote(p.s[p.i:]))
		p.i = len(p.s)
		return literal{}
	case "true", "false":
		if c := p.after(); c != '.' && c != '[' {
			return literal{name == "true"}
		}
	case "nil", "null":
		return literal{}
	case "empty":
		return literal{isEmpty}
	case "blank":
		return literal{isBlank}
	}
	return p.steps(&path{root: name}, start)
}

// after returns the next byte without skipping white space.
func (p *parser) after() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *parser) numeral() expr {
	j := p.i
	if p.s[j] == '-' {
		j++
	}
	digits := j
	for j < len(p.s) && digit(p.s[j]) {
		j++
	}
	if j == digits {
		p.fail("there is something unexpected at " + quote(p.s[p.i:]))
		p.i = len(p.s)
		return literal{}
	}
	if j+1 < len(p.s) && p.s[j] == '.' && digit(p.s[j+1]) {
		for j++; j < len(p.s) && digit(p.s[j]); j++ {
		}
		f, err := strconv.ParseFloat(p.s[p.i:j], 64)
		if err != nil {
			p.fail("a number is too large")
		}
		p.i = j
		return literal{f}
	}
	n, err := strconv.ParseInt(p.s[p.i:j], 10, 64)
	if err != nil {
		p.fail("a number is too large")
	}
	p.i = j
	return literal{n}
}

// steps reads what follows a variable's name.
func (p *parser) steps(x *path, start int) expr {
	for p.err == "" {
		if at := p.i; p.peek() == '.' && !strings.HasPrefix(p.s[p.i:], "..") {
			p.i++
			name := p.name()
			if name == "" {
				p.fail("a name is missing behind the dot")
			}
			x.steps = append(x.steps, pathStep{name: name})
		} else if p.peek() == '[' {
			p.i++
			by := p.value()
			if !p.eat("]") {
				p.fail("a bracket is not closed")
			}
			x.steps = append(x.steps, pathStep{by: by})
			if letter(p.after()) {
				p.fail("a dot is missing behind the bracket")
			}
		} else {
			p.i = at
			break
		}
	}
	x.src = strings.TrimSpace(p.s[start:p.i])
	x.fixed = x.by == nil && len(x.steps) > 0
	for i := range x.steps {
		x.fixed = x.fixed && x.steps[i].by == nil
	}
	x.plain = x.fixed && len(x.steps) == 1
	x.count = x.fixed && len(x.steps) == 2 && x.steps[1].name == "size"
	x.id = len(p.in.kit.paths)
	p.in.kit.paths = append(p.in.kit.paths, x)
	p.in.names.use(x, p.in.part.spot(p.pos))
	return x
}

// stated is value, or the text that the template states for it in case it is
// missing.
func (p *parser) stated() expr {
	x := p.value()
	if v, ok := x.(*path); ok && p.in.within == nil {
		if text, ok := p.in.kit.fallback[v.src]; ok {
			return &instead{v, text}
		}
	}
	return x
}

// shown is filtered for what is written: what is missing there ends a rendering.
func (p *parser) shown() *filtered {
	before := len(p.in.names.uses)
	f := p.filtered()
	if v, ok := f.x.(*path); ok && before < len(p.in.names.uses) && p.in.names.uses[before].Path == v.dotted() && !f.defaults {
		p.in.names.uses[before].Shown = true
	}
	return f
}

// instead is a variable with what to say in its stead.
type instead struct {
	*path
	text string
}

func (x *instead) eval(r *run) any {
	if v := x.path.eval(r); !missing(v) {
		return v
	}
	return x.text
}

// filtered reads a value and its filters.
func (p *parser) filtered() *filtered {
	p.space()
	start := p.i
	f := &filtered{x: p.stated()}
	for p.err == "" && p.eat("|") {
		name := p.name()
		known := filters[name]
		if known == nil {
			p.fail("there is no filter " + quote(name))
			break
		}
		c := call{filter: known, defaults: name == "default", money: name == "money"}
		f.defaults = f.defaults || c.defaults
		if p.eat(":") {
			p.arguments(&c)
		}
		if n := len(c.args); n < known.least || n > known.most {
			p.fail("the filter " + name + " takes " + countOf(known.least, known.most))
		}
		if name == "t" && len(f.calls) == 0 {
			p.in.names.word(f.x, &c, p.in.part.spot(p.pos))
		}
		f.calls = append(f.calls, c)
		if len(f.calls) > maxCalls {
			p.fail("there are too many filters in a row")
		}
	}
	f.src = strings.TrimSpace(p.s[start:p.i])
	return f
}

// maxCalls bounds filters in a row.
const maxCalls = 50

func countOf(least, most int) string {
	switch {
	case most == 0:
		return "no arguments"
	case least == most:
		return strconv.Itoa(least) + " arguments"
	}
	return strconv.Itoa(least) + " to " + strconv.Itoa(most) + " arguments"
}

func (p *parser) arguments(c *call) {
	for {
		at := p.i
		if name := p.name(); name != "" && p.eat(":") {
			c.named = append(c.named, namedArg{name, p.stated()})
		} else {
			p.i = at
			c.args = append(c.args, p.stated())
		}
		if !p.eat(",") {
			return
		}
	}
}

// condition reads comparisons joined by and, or.
func (p *parser) condition() expr {
	p.deep++
	defer func() { p.deep-- }()
	if p.deep > maxExprDepth {
		p.fail("the condition has too many parts")
		return literal{}
	}
	a := p.compared()
	switch {
	case p.err != "":
	case p.keyword("and"):
		return logical{true, a, p.condition()}
	case p.keyword("or"):
		return logical{false, a, p.condition()}
	}
	return a
}

func (p *parser) compared() expr {
	a := p.value()
	for _, op := range [...]string{"==", "!=", "<>", "<=", ">=", "<", ">"} {
		if p.err == "" && p.eat(op) {
			if op == "<>" {
				op = "!="
			}
			return comparison{op, a, p.value()}
		}
	}
	if p.err == "" && p.keyword("contains") {
		return comparison{"contains", a, p.value()}
	}
	return a
}

// quote shows a piece of a template in an error: quoted, and not more than a few
// words.
func quote(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most]
	}
	return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD"))
}

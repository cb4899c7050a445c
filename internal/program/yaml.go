package program

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"rapport/internal/core/spec"
)

// Limits of one YAML file. Whoever may upload definitions must not be able to
// stop the process with one of them.
const (
	// MaxDepth bounds how deep lists and maps lie in each other. Conditions that
	// people write are some ten deep; the parser calls itself for each level.
	MaxDepth = 64
	// MaxNodes bounds the values of one file, with every alias counted as all that
	// it stands for: ten lines of aliases of aliases are else a thousand million.
	MaxNodes = 50_000
	// maxMarks bounds the list dashes, tags and anchors on one line, each of which
	// may open a level before any indentation shows it.
	maxMarks = 4 * MaxDepth
)

// ParseYAML reads the documents of a YAML file as neutral trees. Every node
// knows where it stands, beginning at the given line of the file (1 for a whole
// file). What is wrong is added to ps; then the result holds what could be read.
func ParseYAML(file string, line int, body string, ps *spec.Problems) []spec.Node {
	r := &yamlReader{file: file, first: line - 1, ps: ps}
	body = strings.TrimPrefix(body, "\ufeff")
	body = strings.ReplaceAll(body, "\r\n", "\n")
	if at, bad := badByte(body); bad {
		r.add(at, "save the file as UTF-8 text", "the file holds bytes that are no text")
		return nil
	}
	tree, ok := r.parse(body)
	if !ok {
		return nil
	}
	var docs []spec.Node
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		r.anchors, r.open = map[string]sized{}, map[string]bool{}
		docs = append(docs, r.node(doc.Body, 0).Node)
	}
	return docs
}

// badByte returns the place of the first byte that is not text, counted in lines
// and characters.
func badByte(body string) (spec.Pos, bool) {
	line, col := 1, 1
	for i, c := range body {
		bad := c < ' ' && c != '\n' && c != '\t' || c == 0x7f
		if c == utf8.RuneError {
			_, size := utf8.DecodeRuneInString(body[i:])
			bad = size == 1
		}
		if bad {
			return spec.Pos{Line: line, Col: col}, true
		}
		if col++; c == '\n' {
			line, col = line+1, 1
		}
	}
	return spec.Pos{}, false
}

type yamlReader struct {
	file  string
	first int // lines of the file before the first of the body
	ps    *spec.Problems

	anchors map[string]sized
	open    map[string]bool // anchors whose value is being read
	nodes   int
	over    bool
}

// sized is a node and how many values it holds, itself included.
type sized struct {
	spec.Node
	size int
}

func (r *yamlReader) pos(t *token.Token) spec.Pos {
	if t == nil || t.Position == nil {
		return spec.Pos{File: r.file, Line: r.first + 1}
	}
	return spec.Pos{File: r.file, Line: r.first + t.Position.Line, Col: t.Position.Column}
}

// add notes a problem at a place counted within the body.
func (r *yamlReader) add(at spec.Pos, instead, what string, args ...any) {
	at.File, at.Line = r.file, r.first+max(at.Line, 1)
	r.ps.Add(at, instead, what, args...)
}

// parse returns the library's tree. A panic of the library is a problem of the
// file, not the end of the process.
func (r *yamlReader) parse(body string) (tree *ast.File, ok bool) {
	defer func() {
		if recover() != nil {
			r.add(spec.Pos{}, "", "the file cannot be read as YAML")
			tree, ok = nil, false
		}
	}()
	tokens := lexer.Tokenize(body)
	if at, deep := tooDeep(tokens); deep {
		r.add(at, "", "lists and maps lie deeper in each other than %d levels", MaxDepth)
		return nil, false
	}
	tree, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err, body)
		return nil, false
	}
	return tree, true
}

// tooDeep looks for nesting before the parser, which calls itself for each level.
func tooDeep(tokens token.Tokens) (spec.Pos, bool) {
	depth, marks, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			marks, line = 0, t.Position.Line
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			marks++
		}
		if depth > MaxDepth || marks > maxMarks {
			return spec.Pos{Line: line, Col: t.Position.Column}, true
		}
	}
	return spec.Pos{}, false
}

// syntaxError is what the library's errors have in common.
type syntaxError interface {
	error
	GetToken() *token.Token
	GetMessage() string
}

// syntax notes what keeps the file from being YAML, in words for people who
// write it once a month.
func (r *yamlReader) syntax(err error, body string) {
	at, message := spec.Pos{Line: 1}, err.Error()
	var se syntaxError
	if errors.As(err, &se) {
		message = se.GetMessage()
		if t := se.GetToken(); t != nil && t.Position != nil {
			at = spec.Pos{Line: t.Position.Line, Col: t.Position.Column}
		}
	}
	if line, found := tabbed(body, at.Line); found {
		r.add(spec.Pos{Line: line, Col: 1}, "two spaces for each level", "the line begins with a tab; YAML is indented with spaces")
		return
	}
	for _, h := range syntaxHints {
		if strings.Contains(message, h.message) {
			r.add(at, h.instead, "%s", h.what)
			return
		}
	}
	r.add(at, "", "this is not YAML: %s", message)
}

// syntaxHints say in other words what the library says, and what to do.
var syntaxHints = []struct{ message, what, instead string }{
	{"invalid header option", "a text that begins with > or | stands in quotes", `">= 3"`},
	{"found an invalid key for this map", "a key is a text, and this is none", "a word"},
	{"is a reserved character", "a text that begins with @ or ` stands in quotes", `"@home"`},
	{"cannot start any token", "a text that begins with @ or ` stands in quotes", `"@home"`},
	{"unexpected directive value", "a text that begins with % stands in quotes", `"% off"`},
	{"mapping value is not allowed", "a second “: ” on one line, or a line that is indented further than the one above it", `quotes around a text that holds “: ”, and the same number of spaces before the keys of one map`},
	{"could not find end character", "the quotes are not closed", `a closing quote`},
	{"sequence end token ']' not found", "the list is not closed", "]"},
	{"',' or ']' must be specified", "the list is not closed, or a comma is missing", "[a, b]"},
	{"',' or '}' must be specified", "the map is not closed, or a comma is missing", "{a: 1, b: 2}"},
	{"could not find flow map content", "the map is not closed", "{a: 1, b: 2}"},
	{"non-map value is specified", "a line that is no “key: value” stands among such lines", "key: value"},
	{"unexpected key name", "a key stands where it cannot, often for want of a space behind a colon", "key: value"},
}

// tabbed returns the line at or before the place that a tab indents.
func tabbed(body string, line int) (int, bool) {
	lines := strings.Split(body, "\n")
	for _, n := range []int{line, line - 1, line + 1} {
		if n < 1 || n > len(lines) {
			continue
		}
		s := lines[n-1]
		if strings.Contains(s[:len(s)-len(strings.TrimLeft(s, " \t"))], "\t") {
			return n, true
		}
	}
	return 0, false
}

// node turns one node of the library's tree into one of ours.
func (r *yamlReader) node(n ast.Node, depth int) sized {
	pos := r.pos(n.GetToken())
	if depth > MaxDepth {
		r.ps.Add(pos, "", "lists and maps lie deeper in each other than %d levels", MaxDepth)
		return sized{spec.Node{Pos: pos}, 1}
	}
	if !r.take(1, pos) {
		return sized{spec.Node{Pos: pos}, 1}
	}
	text := func(kind spec.Kind, s string) sized { return sized{spec.Node{Kind: kind, Text: s, Pos: pos}, 1} }
	switch n := n.(type) {
	case *ast.NullNode:
		return text(spec.Null, "")
	case *ast.BoolNode:
		return text(spec.Bool, strconv.FormatBool(n.Value))
	case *ast.IntegerNode:
		return text(spec.Number, decimal(n))
	case *ast.FloatNode:
		return text(spec.Number, strings.ReplaceAll(n.Token.Value, "_", ""))
	case *ast.InfinityNode, *ast.NanNode:
		r.ps.Add(pos, "a number, or quotes around a text", "%q is no number that can be counted with", n.GetToken().Value)
		return text(spec.Null, "")
	case *ast.StringNode:
		return text(spec.Text, n.Value)
	case *ast.LiteralNode:
		return text(spec.Text, n.Value.Value)
	case *ast.SequenceNode:
		list := sized{spec.Node{Kind: spec.List, Pos: pos}, 1}
		for _, item := range n.Values {
			s := r.node(item, depth+1)
			list.Items, list.size = append(list.Items, s.Node), list.size+s.size
		}
		return list
	case *ast.MappingNode:
		return r.fields(n.Values, n.IsFlowStyle, pos, depth)
	case *ast.MappingValueNode:
		return r.fields([]*ast.MappingValueNode{n}, n.IsFlowStyle, pos, depth)
	case *ast.TagNode:
		if n.Start.Value != "!!str" {
			r.ps.Add(pos, "the value alone", "the tag %s means nothing here", n.Start.Value)
		}
		s := r.node(n.Value, depth+1)
		if s.Scalar() || s.Kind == spec.Null {
			s.Kind, s.Text = spec.Text, n.Value.GetToken().Value
		}
		return s
	case *ast.AnchorNode:
		return r.anchor(n, depth)
	case *ast.AliasNode:
		return r.alias(n, pos)
	}
	r.ps.Add(pos, "", "this kind of YAML is not used here")
	return text(spec.Null, "")
}

// decimal returns a whole number as written, or in decimal digits where it is
// written in another way.
func decimal(n *ast.IntegerNode) string {
	s := strings.ReplaceAll(n.Token.Value, "_", "")
	if digits := strings.TrimLeft(s, "+-"); len(digits) > 1 && digits[0] == '0' && digits[1] > '9' { // 0x, 0o, 0b
		switch v := n.Value.(type) {
		case int64:
			return strconv.FormatInt(v, 10)
		case uint64:
			return strconv.FormatUint(v, 10)
		}
	}
	return s
}

// take counts values and reports false, once with a problem, when there are too many.
func (r *yamlReader) take(n int, pos spec.Pos) bool {
	r.nodes += n
	if r.nodes <= MaxNodes {
		return true
	}
	if !r.over {
		r.over = true
		r.ps.Add(pos, "several files, or fewer aliases", "the file holds more than %d values", MaxNodes)
	}
	return false
}

// fields reads a map. One without braces stands where its first key does: the
// library says where the first colon is.
func (r *yamlReader) fields(values []*ast.MappingValueNode, braces bool, pos spec.Pos, depth int) sized {
	m := sized{spec.Node{Kind: spec.Map, Pos: pos}, 1}
	var merged []spec.Field
	for i, v := range values {
		key, at, ok := r.key(v.Key)
		if i == 0 && !braces {
			m.Pos = at
		}
		if !ok {
			continue
		}
		s := sized{spec.Node{Kind: spec.Null, Pos: at}, 1}
		if v.Value != nil {
			s = r.node(v.Value, depth+1)
		}
		m.size += s.size
		if v.Key.IsMergeKey() {
			merged = append(merged, r.merge(s.Node, at)...)
			continue
		}
		if old, twice := field(m.Node, key); twice {
			r.ps.Add(at, "", "%q is written twice; the first stands in line %d", key, old.Pos.Line)
			continue
		}
		m.Fields = append(m.Fields, spec.Field{Key: key, Pos: at, Value: s.Node})
	}
	for _, f := range merged {
		if _, own := field(m.Node, f.Key); !own { // what the map says itself wins
			m.Fields = append(m.Fields, f)
		}
	}
	return m
}

func field(n spec.Node, key string) (spec.Field, bool) {
	for _, f := range n.Fields {
		if f.Key == key {
			return f, true
		}
	}
	return spec.Field{}, false
}

// merge returns the fields that “<<” brings in: those of a map or of a list of
// maps, the earlier first.
func (r *yamlReader) merge(n spec.Node, at spec.Pos) (fields []spec.Field) {
	maps := []spec.Node{n}
	if n.Kind == spec.List {
		maps = n.Items
	}
	for _, m := range maps {
		if m.Kind != spec.Map {
			r.ps.Add(at, "<<: *name", "“<<” brings in the fields of a map, and this is none")
			continue
		}
		fields = append(fields, m.Fields...)
	}
	return fields
}

// key returns the text of a map's key.
func (r *yamlReader) key(n ast.MapKeyNode) (string, spec.Pos, bool) {
	pos := r.pos(n.GetToken())
	var of ast.Node = n
	if k, ok := n.(*ast.MappingKeyNode); ok { // “? key”
		of = k.Value
		pos = r.pos(of.GetToken())
	}
	switch k := of.(type) {
	case *ast.StringNode:
		return k.Value, pos, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value, pos, true
	case *ast.MergeKeyNode:
		return "<<", pos, true
	}
	r.ps.Add(pos, "a word", "a key is a text, and this is none")
	return "", pos, false
}

func (r *yamlReader) anchor(n *ast.AnchorNode, depth int) sized {
	name := n.Name.GetToken().Value
	if n.Value == nil {
		return sized{spec.Node{Pos: r.pos(n.Start)}, 1}
	}
	r.open[name] = true
	s := r.node(n.Value, depth+1)
	delete(r.open, name)
	r.anchors[name] = s
	return s
}

// alias returns what an alias stands for. It is not copied: only its size is
// counted again.
func (r *yamlReader) alias(n *ast.AliasNode, pos spec.Pos) sized {
	name := n.Value.GetToken().Value
	s, known := r.anchors[name]
	switch {
	case r.open[name]:
		r.ps.Add(pos, "", "*%s stands within what it stands for", name)
	case !known:
		r.ps.Add(pos, "&"+name+" above it", "nothing above is called &%s", name)
	case r.take(s.size, pos):
		return s
	}
	return sized{spec.Node{Pos: pos}, 1}
}

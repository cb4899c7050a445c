// Package spec is the neutral tree in which definitions reach the core.
//
// A definition may be written in YAML, sent as JSON or built by the web page;
// whoever reads it turns it into a [Node], which remembers file, line and
// column. Each core package reads its own part of the tree and reports every
// [Problem] it finds, not only the first: where it stands, what is wrong and
// what to write instead.
package spec

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Kind says what a [Node] holds.
type Kind uint8

// The kinds of node.
const (
	Null   Kind = iota
	Bool        // Text is "true" or "false"
	Number      // Text is the number as written
	Text        // Text is the string
	List        // Items
	Map         // Fields, in the order written
)

// Node is one value in a definition, with the place where it stands.
type Node struct {
	Kind   Kind
	Text   string
	Items  []Node
	Fields []Field
	Pos    Pos
}

// Field is one key of a Map with its value.
type Field struct {
	Key   string
	Pos   Pos // of the key
	Value Node
}

// Pos is a place in a file. Line and Col count from 1; zero means unknown.
type Pos struct {
	File string
	Line int
	Col  int
}

// String returns "file:line:col" without the parts that are unknown.
func (p Pos) String() string {
	s := p.File
	if p.Line > 0 {
		s += ":" + strconv.Itoa(p.Line)
		if p.Col > 0 {
			s += ":" + strconv.Itoa(p.Col)
		}
	}
	return s
}

// Get returns the value of a Map's key, and whether it is there.
func (n Node) Get(key string) (Node, bool) {
	for _, f := range n.Fields {
		if f.Key == key {
			return f.Value, true
		}
	}
	return Node{}, false
}

// Scalar reports whether n is a bool, a number or a text.
func (n Node) Scalar() bool { return n.Kind == Bool || n.Kind == Number || n.Kind == Text }

// Problem is one thing wrong in a definition.
type Problem struct {
	Pos     Pos    `json:"-"`
	Where   string `json:"where"`             // "segments/vip.yaml:4:7"
	What    string `json:"what"`              // what is wrong, a sentence without a full stop
	Instead string `json:"instead"`           // what to write instead; may be empty
	Warning bool   `json:"warning,omitempty"` // true: the definition still works
}

// Error returns "place: what (write: instead)".
func (p Problem) Error() string {
	s := cmp.Or(p.Where, p.Pos.String()) + ": " + p.What
	if p.Instead != "" {
		s += " (write: " + p.Instead + ")"
	}
	return strings.TrimPrefix(s, ": ")
}

// Problems collects what is wrong in a set of definitions.
type Problems struct{ list []Problem }

// Add notes that something is wrong at pos. What is a sentence without a full
// stop; instead is what to write and may be empty.
func (ps *Problems) Add(pos Pos, instead, what string, args ...any) {
	ps.list = append(ps.list, Problem{Pos: pos, Where: pos.String(), What: fmt.Sprintf(what, args...), Instead: instead})
}

// Warn notes something that works but is probably not meant.
func (ps *Problems) Warn(pos Pos, instead, what string, args ...any) {
	ps.list = append(ps.list, Problem{Pos: pos, Where: pos.String(), What: fmt.Sprintf(what, args...), Instead: instead, Warning: true})
}

// All returns the problems in the order in which they were found.
func (ps *Problems) All() []Problem { return ps.list }

// Bad reports whether there is a problem that is more than a warning.
func (ps *Problems) Bad() bool {
	for _, p := range ps.list {
		if !p.Warning {
			return true
		}
	}
	return false
}

package journey_test

import (
	"strconv"
	"strings"
	"testing"

	"rapport/internal/core/spec"
)

// flow reads a definition in YAML's flow style, with line ends in place of
// commas, into the neutral tree.
func flow(t testing.TB, s string) spec.Node {
	t.Helper()
	p := &flowReader{s: s, line: 1, t: t}
	n := p.value()
	p.space()
	if p.i != len(p.s) {
		t.Fatalf("line %d: something follows the definition: %q", p.line, p.s[p.i:])
	}
	return n
}

type flowReader struct {
	s    string
	i    int
	line int
	t    testing.TB
}

func (p *flowReader) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\n,", p.s[p.i]) >= 0 {
		if p.s[p.i] == '\n' {
			p.line++
		}
		p.i++
	}
}

func (p *flowReader) pos() spec.Pos { return spec.Pos{File: "test.yaml", Line: p.line} }

func (p *flowReader) value() spec.Node {
	p.space()
	n := spec.Node{Pos: p.pos()}
	if p.i == len(p.s) {
		return n
	}
	switch p.s[p.i] {
	case '{':
		p.i++
		n.Kind = spec.Map
		for p.space(); p.i < len(p.s) && p.s[p.i] != '}'; p.space() {
			pos := p.pos()
			colon := strings.Index(p.s[p.i:], ":")
			if colon < 0 {
				p.t.Fatalf("line %d: a colon is missing", p.line)
			}
			key := strings.Trim(p.s[p.i:p.i+colon], `" `)
			p.i += colon + 1
			for p.i < len(p.s) && p.s[p.i] == ' ' {
				p.i++
			}
			v := spec.Node{Pos: p.pos()}
			if p.i < len(p.s) && strings.IndexByte(",\n}", p.s[p.i]) < 0 {
				v = p.value()
			}
			n.Fields = append(n.Fields, spec.Field{Key: key, Pos: pos, Value: v})
		}
		p.i++
	case '[':
		p.i++
		n.Kind = spec.List
		for p.space(); p.i < len(p.s) && p.s[p.i] != ']'; p.space() {
			n.Items = append(n.Items, p.value())
		}
		p.i++
	case '"':
		shut := strings.IndexByte(p.s[p.i+1:], '"')
		n.Kind, n.Text = spec.Text, p.s[p.i+1:p.i+1+shut]
		p.i += shut + 2
	default:
		stop := strings.IndexAny(p.s[p.i:], ",\n]}")
		if stop < 0 {
			stop = len(p.s) - p.i
		}
		n.Kind, n.Text = spec.Text, strings.TrimSpace(p.s[p.i:p.i+stop])
		p.i += stop
		switch _, err := strconv.ParseFloat(n.Text, 64); {
		case n.Text == "true", n.Text == "false":
			n.Kind = spec.Bool
		case n.Text == "null":
			n.Kind, n.Text = spec.Null, ""
		case err == nil:
			n.Kind = spec.Number
		}
	}
	return n
}

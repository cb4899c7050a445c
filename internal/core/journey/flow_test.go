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
	n, bad := readFlow(s)
	if bad != "" {
		t.Fatal(bad)
	}
	return n
}

// readFlow is flow for sources that may be wrong; bad says how.
func readFlow(s string) (n spec.Node, bad string) {
	p := &flowReader{s: s, line: 1}
	n = p.value()
	p.space()
	if p.bad == "" && p.i < len(p.s) {
		p.fail("something follows the definition")
	}
	return n, p.bad
}

type flowReader struct {
	s    string
	i    int
	line int
	bad  string
}

// fail notes the first mistake and ends the reading.
func (p *flowReader) fail(what string) {
	if p.bad == "" {
		p.bad = "line " + strconv.Itoa(p.line) + ": " + what
	}
	p.i = len(p.s)
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
				p.fail("a colon is missing")
				break
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
		p.i = min(p.i+1, len(p.s))
	case '[':
		p.i++
		n.Kind = spec.List
		for p.space(); p.i < len(p.s) && p.s[p.i] != ']'; p.space() {
			before := p.i
			n.Items = append(n.Items, p.value())
			if p.i == before {
				p.fail("a value is missing")
			}
		}
		p.i = min(p.i+1, len(p.s))
	case '}', ']':
		p.fail("a value is missing")
	case '"':
		shut := strings.IndexByte(p.s[p.i+1:], '"')
		if shut < 0 {
			p.fail("a quote is open")
			break
		}
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

package arch

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"strings"
)

// MaxLines is how long a file may be before [Tree.Long] names it. Beyond it
// there are usually two ideas in the file.
const MaxLines = 600

// PackageComments finds packages that do not say what they are for. A package
// comment stands in one file that is not a test, and begins as Go's do: "Package
// name", or "Command name" for a command.
func (t *Tree) PackageComments() []Finding {
	type packed struct {
		first File
		named bool
	}
	dirs := map[string]*packed{}
	var order []string
	for _, file := range t.Go {
		if _, exempt := Exempt[file.Dir]; exempt || file.Test {
			continue
		}
		p := dirs[file.Dir]
		if p == nil {
			p = &packed{first: file}
			dirs[file.Dir] = p
			order = append(order, file.Dir)
		}
		p.named = p.named || describes(file)
	}
	var found []Finding
	for _, dir := range order {
		p := dirs[dir]
		if p.named {
			continue
		}
		want := "Package " + p.first.AST.Name.Name
		if p.first.AST.Name.Name == "main" {
			want = "Command " + path.Base(dir)
		}
		found = append(found, Finding{
			Rule: "package-comment", Path: p.first.Path, Line: t.line(p.first.AST.Package),
			What:    "no file of the package says what it is for",
			Instead: fmt.Sprintf("write “// %s …” above the package clause: what it is for, what it promises, why it is so", want),
		})
	}
	return found
}

// describes reports whether the file holds a package comment that is more than
// the name.
func describes(file File) bool {
	if file.AST.Doc == nil {
		return false
	}
	words := strings.Fields(file.AST.Doc.Text())
	if len(words) < 4 {
		return false
	}
	if file.AST.Name.Name == "main" {
		return words[0] == "Command" && words[1] == path.Base(file.Dir)
	}
	return words[0] == "Package" && words[1] == file.AST.Name.Name
}

// unfinished are the marks people leave behind. Only the first may stand, and
// only with the number of an issue, as `TODO(#12): what`.
var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b(\(#\d+\):)?`)

// Unfinished finds marks of unfinished work that nobody could look up.
func (t *Tree) Unfinished() []Finding {
	var found []Finding
	for _, file := range t.Go {
		for _, group := range file.AST.Comments {
			for _, c := range group.List {
				found = append(found, unfinishedIn(file.Path, t.line(c.Pos()), c)...)
			}
		}
	}
	return found
}

func unfinishedIn(name string, line int, c *ast.Comment) []Finding {
	var found []Finding
	for i, text := range strings.Split(c.Text, "\n") {
		// A mark in quotes is being talked about.
		m := unfinished.FindStringSubmatchIndex(text)
		if m == nil || (m[0] > 0 && strings.ContainsRune("`\"", rune(text[m[0]-1]))) {
			continue
		}
		if numbered := m[4] >= 0; numbered && text[m[2]:m[3]] == "TODO" {
			continue
		}
		found = append(found, Finding{
			Rule: "unfinished", Path: name, Line: line + i,
			What:    text[m[2]:m[3]] + " without a number",
			Instead: "do it now, or open an issue and write `TODO(#12): what`",
		})
	}
	return found
}

// Long finds files of more than [MaxLines] lines, tests aside. It is a list to
// look at, not a rule: some ideas are long.
func (t *Tree) Long() []Finding {
	var found []Finding
	for _, file := range t.Go {
		if file.Test {
			continue
		}
		lines := t.Fset.File(file.AST.FileStart).LineCount()
		if lines > MaxLines {
			found = append(found, Finding{
				Rule: "long", Path: file.Path, Line: 1,
				What:    fmt.Sprintf("has %d lines", lines),
				Instead: "look for the second idea in it",
			})
		}
	}
	return found
}

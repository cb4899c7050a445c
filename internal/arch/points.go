package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strconv"
	"strings"
)

// hook is the function whose argument names a place where a test may kill.
const hook = Module + "/internal/killpoint.Hit"

// KillPoints finds calls of killpoint.Hit with a name that is not in points: no
// test could arm it, so the place would be untested while it looks tested. It
// also returns the points that the product comes to.
func (t *Tree) KillPoints(points []string) (found []Finding, met []string) {
	for _, file := range t.Go {
		if file.Test {
			continue
		}
		names := importNames(file.AST)
		ast.Inspect(file.AST, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 || selected(names, call.Fun) != hook {
				return true
			}
			name := pointName(names, call.Args[0])
			if slices.ContainsFunc(points, func(p string) bool { return p == name || constant(p) == name }) {
				met = append(met, name)
				return true
			}
			found = append(found, Finding{
				Rule: "killpoint", Path: file.Path, Line: t.line(call.Pos()),
				What:    fmt.Sprintf("%q is not a point where a test can kill", name),
				Instead: "use a constant of internal/killpoint, or name the point there with its meaning",
			})
			return true
		})
	}
	return found, met
}

// selected returns "path.Name" if the expression picks a name of an imported
// package.
func selected(names map[string]string, e ast.Expr) string {
	selector, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := selector.X.(*ast.Ident)
	if !ok || names[x.Name] == "" {
		return ""
	}
	return names[x.Name] + "." + selector.Sel.Name
}

// pointName returns the text of a literal, or the name of a constant of
// killpoint.
func pointName(names map[string]string, e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok {
		if s, err := strconv.Unquote(lit.Value); err == nil {
			return s
		}
	}
	if s, ok := strings.CutPrefix(selected(names, e), Module+"/internal/killpoint."); ok {
		return s
	}
	return "an expression"
}

// constant returns the name of the constant of a point: "after-append" is
// AfterAppend.
func constant(point string) string {
	var b strings.Builder
	for _, part := range strings.Split(point, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

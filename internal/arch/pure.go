package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// orderMark is what a comment on a range over a map starts with. The reason
// follows.
const orderMark = "order does not matter:"

// clock are the functions of package time that read the clock or wait for it,
// and the one place that depends on the machine.
var clock = []string{
	"After", "AfterFunc", "Local", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until",
}

// collectors are what may take the keys or values of a map straight away: their
// result does not show the map's order.
var collectors = []string{
	"maps.Collect", "maps.Insert", "slices.Sorted", "slices.SortedFunc", "slices.SortedStableFunc",
}

// Pure holds the rules that make the core a function: it does not read the
// clock, starts no goroutine, and lets no map's order reach a result. Tests of
// the core are free.
func (t *Tree) Pure() []Finding {
	info := t.coreTypes()
	var found []Finding
	for _, file := range t.Go {
		if file.Test || roomOf(file.Dir).layer != core {
			continue
		}
		p := purity{tree: t, file: file, info: info, fixed: map[*ast.CallExpr]bool{}, names: importNames(file.AST)}
		ast.Inspect(file.AST, p.visit)
		found = append(found, p.found...)
	}
	return found
}

// purity walks one file of the core.
type purity struct {
	tree  *Tree
	file  File
	info  *types.Info
	names map[string]string      // local name of an import → its path
	fixed map[*ast.CallExpr]bool // iterators over maps whose order is not shown
	found []Finding
}

func (p *purity) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		p.add("core-goroutine", n.Pos(), "starts a goroutine",
			"return the work as data; the engine applies partitions in parallel around the core")
	case *ast.SelectStmt:
		p.add("core-goroutine", n.Pos(), "selects between channels",
			"take the value as an argument; only the shell waits")
	case *ast.SelectorExpr:
		if p.imported(n) == "time."+n.Sel.Name && slices.Contains(clock, n.Sel.Name) {
			p.add("core-clock", n.Pos(), "uses time."+n.Sel.Name,
				"take now as an argument, and a zone from the profile or the workspace; a timer is an alarm or an event")
		}
	case *ast.RangeStmt:
		if tv, ok := p.info.Types[n.X]; ok && tv.Type != nil {
			if isMap(tv.Type) && !p.excused(n.Pos()) {
				p.add("core-map-order", n.Pos(), "ranges over the map "+types.ExprString(n.X),
					"range over slices.Sorted(maps.Keys(…)), or say why it cannot show: `// "+orderMark+" why`")
			}
		}
	case *ast.CallExpr:
		p.call(n)
	}
	return true
}

// isMap reports whether values of the type are maps, or may be in generic code.
func isMap(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Map:
		return true
	case *types.Union:
		for i := range u.Len() {
			if isMap(u.Term(i).Type()) {
				return true
			}
		}
	case *types.Interface:
		for i := range u.NumEmbeddeds() {
			if isMap(u.EmbeddedType(i)) {
				return true
			}
		}
	}
	return false
}

// call looks at iterators over maps. An outer call is visited before its
// arguments, so it can say that they are fine.
func (p *purity) call(n *ast.CallExpr) {
	name := p.callee(n)
	if slices.Contains(collectors, name) {
		for _, arg := range n.Args {
			if inner, ok := arg.(*ast.CallExpr); ok {
				p.fixed[inner] = true
			}
		}
	}
	if (name == "maps.Keys" || name == "maps.Values" || name == "maps.All") && !p.fixed[n] && !p.excused(n.Pos()) {
		p.add("core-map-order", n.Pos(), "uses "+name+" in the map's order",
			"wrap it: slices.Sorted(maps.Keys(…)), or say why it cannot show: `// "+orderMark+" why`")
	}
}

// callee returns the imported function that is called, as "slices.Sorted"; empty
// if it is none.
func (p *purity) callee(n *ast.CallExpr) string {
	fun := n.Fun
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X // with its type spelled out
	}
	if selector, ok := fun.(*ast.SelectorExpr); ok {
		return p.imported(selector)
	}
	return ""
}

// imported returns "path.Name" if the selector picks a name of an imported
// package, under whatever name it is imported.
func (p *purity) imported(n *ast.SelectorExpr) string {
	x, ok := n.X.(*ast.Ident)
	if !ok {
		return ""
	}
	if obj, known := p.info.Uses[x]; known {
		if _, isPackage := obj.(*types.PkgName); !isPackage {
			return "" // a variable that hides the package
		}
	}
	if path := p.names[x.Name]; path != "" {
		return path + "." + n.Sel.Name
	}
	return ""
}

// excused reports whether a comment on the line, or on the line before, says why
// the order of a map does not matter there.
func (p *purity) excused(pos token.Pos) bool {
	line := p.tree.line(pos)
	for _, group := range p.file.AST.Comments {
		for _, c := range group.List {
			if at := p.tree.line(c.Pos()); at != line && at != line-1 {
				continue
			}
			text := strings.TrimSpace(strings.TrimPrefix(c.Text, "//"))
			if why, marked := strings.CutPrefix(text, orderMark); marked && strings.TrimSpace(why) != "" {
				return true
			}
		}
	}
	return false
}

func (p *purity) add(rule string, pos token.Pos, what, instead string) {
	p.found = append(p.found, Finding{
		Rule: rule, Path: p.file.Path, Line: p.tree.line(pos),
		What: fmt.Sprintf("the core %s", what), Instead: instead,
	})
}

// importNames returns the imports of a file by the name they have in it. A dot
// import has none; the linter forbids it.
func importNames(file *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := imported[strings.LastIndexByte(imported, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
	}
	return names
}

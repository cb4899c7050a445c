package arch

import (
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// coreTypes finds out the types in the core, which alone tell a map from a
// slice. It reads sources and nothing else: our own packages from the tree, the
// standard library from where Go is installed, and third-party modules not at
// all, so that nothing must have been built or fetched. What cannot be known for
// that, or because a file does not compile yet, has no type and breaks no rule.
func (t *Tree) coreTypes() *types.Info {
	c := &checker{
		tree: t,
		std:  importer.ForCompiler(token.NewFileSet(), "source", nil),
		done: map[string]*types.Package{},
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}},
	}
	for _, file := range t.Go {
		if !file.Test && roomOf(file.Dir).layer == core {
			c.check(file.Dir)
		}
	}
	return c.info
}

// checker finds types. It is the importer of what it checks.
type checker struct {
	tree *Tree
	std  types.Importer
	done map[string]*types.Package // by import path
	info *types.Info
}

// Import returns the package of an import path, empty if it is not read. It
// never fails: one unknown package must not hide the types of the others.
func (c *checker) Import(path string) (*types.Package, error) {
	if dir, ours := strings.CutPrefix(path, Module+"/"); ours {
		return c.check(dir), nil
	}
	if p, ok := c.done[path]; ok {
		return p, nil
	}
	if slices.Contains(PureStd, path) {
		if p, err := c.std.Import(path); err == nil {
			c.done[path] = p
			return p, nil
		}
	}
	return c.empty(path), nil
}

// check finds the types of the package in a folder, once.
func (c *checker) check(dir string) *types.Package {
	path := Module + "/" + dir
	if p, ok := c.done[path]; ok {
		return p
	}
	c.empty(path) // so that a cycle ends
	var files []*ast.File
	for _, file := range c.tree.Go {
		if file.Dir == dir && !file.Test {
			files = append(files, file.AST)
		}
	}
	if len(files) == 0 {
		return c.done[path]
	}
	config := types.Config{Importer: c, Error: func(error) {}} // the compiler reports what is wrong
	p, _ := config.Check(path, c.tree.Fset, files, c.info)
	if p != nil {
		c.done[path] = p
	}
	return c.done[path]
}

// empty notes a package of which nothing is known.
func (c *checker) empty(path string) *types.Package {
	p := types.NewPackage(path, path[strings.LastIndexByte(path, '/')+1:])
	p.MarkComplete()
	c.done[path] = p
	return p
}

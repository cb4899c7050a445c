package arch

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Module is the path under which the product's own packages are imported.
const Module = "rapport"

// maxText is the largest file that the rules about text read, in bytes. What is
// larger is data, not something that somebody wrote.
const maxText = 1 << 20

// Tree is the sources of one checkout.
type Tree struct {
	Fset *token.FileSet
	Go   []File // sorted by path
	Text []Text // every text file, Go files among them, sorted by path

	// Broken lists the Go files that do not parse. What the parser could read of
	// them is in Go. It is no finding: the compiler says it better.
	Broken []error
}

// File is one Go file.
type File struct {
	Path string // from the top of the checkout, with slashes
	Dir  string // of the package, likewise; "." at the top
	Test bool   // its name ends in _test.go
	AST  *ast.File
}

// Text is one text file.
type Text struct {
	Path string
	Body string
}

// Finding is one place that breaks a rule.
type Finding struct {
	Rule    string // a short name, the same for all findings of one rule
	Path    string
	Line    int
	What    string // what is wrong
	Instead string // what to do
}

// String returns the finding as one line that editors can jump to.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s; %s", f.Path, f.Line, f.Rule, f.What, f.Instead)
}

// skipped are the folders that hold nothing we wrote by hand. Folders that start
// with a dot are skipped too, but for the one with what CI runs.
var skipped = []string{"node_modules", "bin", "dist"}

// Load reads the sources under root. Folders named testdata are left out of the
// Go files: they hold what tests read, wrong on purpose as often as not. Files
// that go away while they are read are left out.
func Load(root string) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet()}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry.IsDir() {
			hidden := strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".ci"
			if name != root && (hidden || slices.Contains(skipped, entry.Name())) {
				return fs.SkipDir
			}
			return nil
		}
		// In a second worktree .git is a file that names the first.
		if !entry.Type().IsRegular() || entry.Name() == ".git" {
			return nil
		}
		return t.add(root, name)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the sources under %s: %w", root, err)
	}
	return t, nil
}

// add reads one file into the tree.
func (t *Tree) add(root, name string) error {
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxText {
		return nil
	}
	var body []byte
	if err == nil {
		body, err = os.ReadFile(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if bytes.IndexByte(body, 0) >= 0 {
		return nil // not text
	}
	t.Text = append(t.Text, Text{Path: rel, Body: string(body)})
	if !strings.HasSuffix(rel, ".go") || slices.Contains(strings.Split(rel, "/"), "testdata") {
		return nil
	}
	file, err := parser.ParseFile(t.Fset, rel, body, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Broken = append(t.Broken, err)
	}
	if file == nil {
		return nil
	}
	t.Go = append(t.Go, File{
		Path: rel,
		Dir:  path.Dir(rel),
		Test: strings.HasSuffix(rel, "_test.go"),
		AST:  file,
	})
	return nil
}

// line returns the line of a place in a Go file.
func (t *Tree) line(pos token.Pos) int { return t.Fset.Position(pos).Line }

package arch_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rapport/internal/arch"
	"rapport/internal/killpoint"
)

// rules are the names of all rules. Each must be broken somewhere in
// testdata/broken.
var rules = []string{
	"adapter", "adapter-imports-adapter", "core-clock", "core-goroutine", "core-imports", "core-map-order", "core-order",
	"core-std", "decision", "imports", "killpoint", "leaf", "module", "package-comment", "port", "room", "shell-knows-adapter",
	"suite-in-product", "third-party", "unfinished", "words",
}

// want is what a line of a fixture says about itself: the rule that it breaks.
var want = regexp.MustCompile(`want ([a-z-]+)`)

// TestEachRuleFindsWhatBreaksIt reads two small trees. In testdata/broken every
// line that breaks a rule ends with "want" and the rule; testdata/sound does
// what comes near to that and is allowed.
func TestEachRuleFindsWhatBreaksIt(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"broken", "sound"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join("testdata", name)
			tree, err := arch.Load(root)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range tree.Broken {
				t.Error(err)
			}
			got := map[string]string{}
			broken := map[string]bool{}
			for _, f := range all(tree) {
				got[fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Rule)] = f.String()
				broken[f.Rule] = true
				if f.What == "" || f.Instead == "" {
					t.Errorf("%v does not say what is wrong and what to do instead", f)
				}
			}
			wanted := wants(t, root)
			for _, place := range slices.Sorted(maps.Keys(wanted)) {
				if _, ok := got[place]; !ok {
					t.Errorf("%s: not found", place)
				}
			}
			for _, place := range slices.Sorted(maps.Keys(got)) {
				if !wanted[place] {
					t.Errorf("found what is allowed: %s", got[place])
				}
			}
			if name == "broken" {
				for _, rule := range rules {
					if !broken[rule] {
						t.Errorf("nothing in %s breaks the rule %s", root, rule)
					}
				}
			}
		})
	}
}

func TestWhatGitKeepsInAFurtherCheckoutIsNoSource(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	body := []byte("gitdir: /ho" + "me/ada/checkout/.git/worktrees/second\n")
	for name, want := range map[string]int{".git": 0, "notes.md": 1} {
		if err := os.WriteFile(filepath.Join(root, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
		tree, err := arch.Load(root)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(tree.Words()); n != want {
			t.Errorf("with %s there are %d findings, want %d", name, n, want)
		}
		if err := os.Remove(filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func all(tree *arch.Tree) []arch.Finding {
	points, _ := tree.KillPoints(killpoint.Points[:])
	return slices.Concat(tree.Imports(), tree.Pure(), tree.PackageComments(), tree.Unfinished(),
		tree.Words(), tree.Modules(), tree.Decisions(), tree.Rooms(), tree.Long(), points)
}

// wants returns the places that the files under root say they break, as
// "path:line: rule".
func wants(t *testing.T, root string) map[string]bool {
	t.Helper()
	places := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(body), "\n") {
			for _, m := range want.FindAllStringSubmatch(line, -1) {
				places[fmt.Sprintf("%s:%d: %s", filepath.ToSlash(rel), i+1, m[1])] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return places
}

func TestATreeWithoutAnyOfTheRoomsBreaksNothing(t *testing.T) {
	t.Parallel()
	tree, err := arch.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all(tree) {
		t.Error(f)
	}
}

func TestAFileTooLongIsNamed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, lines := range map[string]int{"short.go": arch.MaxLines - 1, "long.go": arch.MaxLines, "long_test.go": arch.MaxLines} {
		body := "// Package x is here to be long, and for nothing else.\npackage x\n" + strings.Repeat("\n", lines-2)
		if err := os.WriteFile(filepath.Join(root, name), []byte(body+"var _ = 0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := arch.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	found := tree.Long()
	if len(found) != 1 || found[0].Path != "long.go" {
		t.Errorf("Long = %v, want long.go alone", found)
	}
}

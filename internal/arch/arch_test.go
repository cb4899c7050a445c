package arch_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rapport/internal/arch"
	"rapport/internal/killpoint"
)

// checkout is the tree that these tests stand in, read once.
var checkout = sync.OnceValues(func() (*arch.Tree, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return arch.Load(dir)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return nil, os.ErrNotExist
		}
		dir = up
	}
})

func load(t *testing.T) *arch.Tree {
	t.Helper()
	tree, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func report(t *testing.T, found []arch.Finding) {
	t.Helper()
	for _, f := range found {
		t.Error(f)
	}
}

func TestEveryPackageImportsOnlyWhatItsRoomAllows(t *testing.T) {
	t.Parallel()
	report(t, load(t).Imports())
}

func TestTheCoreIsAFunctionOfTheLog(t *testing.T) {
	t.Parallel()
	tree := load(t)
	report(t, tree.Pure())
	for _, err := range tree.Broken {
		t.Logf("read as far as it parses: %v", err)
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	report(t, load(t).PackageComments())
}

func TestNothingIsLeftUnfinishedWithoutANumber(t *testing.T) {
	t.Parallel()
	report(t, load(t).Unfinished())
}

func TestNothingTellsWhereSomebodyWorked(t *testing.T) {
	t.Parallel()
	report(t, load(t).Words())
}

func TestEveryRoomIsOnTheArchitecturePage(t *testing.T) {
	t.Parallel()
	report(t, load(t).Rooms())
}

func TestEveryModuleHasALineInTheDecisions(t *testing.T) {
	t.Parallel()
	report(t, load(t).Modules())
}

func TestEveryDecisionIsInTheIndex(t *testing.T) {
	t.Parallel()
	report(t, load(t).Decisions())
}

func TestEveryKillPointIsOneThatATestCanArm(t *testing.T) {
	t.Parallel()
	found, met := load(t).KillPoints(killpoint.Points[:])
	report(t, found)
	t.Logf("%d places in the product come to one of %d points", len(met), len(killpoint.Points))
}

// Long files are listed, not refused.
func TestLongFilesAreListed(t *testing.T) {
	t.Parallel()
	for _, f := range load(t).Long() {
		t.Log(f)
	}
}

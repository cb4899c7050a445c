package eval_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/eval"
)

// Make eval prints the table.
func TestEvalFiguresAreThePublishedOnes(t *testing.T) {
	if os.Getenv("RAPPORT_EVAL") == "" {
		t.Skip("make eval runs it")
	}
	if wrong := eval.Table(os.Stdout, filepath.Join("..", "..", "..", "shared", "data")); wrong > 0 {
		t.Errorf("%d figures are not the published ones", wrong)
	}
}

func TestATableSaysWhatDiffersAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		row   eval.Row
		holds bool
	}{
		{eval.Row{Ours: 1.0005, Published: 1, Within: 1e-3}, true},
		{eval.Row{Ours: 1.002, Published: 1, Within: 1e-3}, false},
		{eval.Row{Ours: 7, Published: 7}, true},
		{eval.Row{Ours: 7, Published: 8}, false},
		{eval.Row{Ours: 9, Published: 8, Must: eval.More}, true},
		{eval.Row{Ours: 8, Published: 8, Must: eval.More}, false},
		{eval.Row{Ours: 7, Published: 8, Must: eval.Less}, true},
		{eval.Row{Ours: 8, Published: 8, Must: eval.Less}, false},
	} {
		if c.row.Holds() != c.holds {
			t.Errorf("%+v holds: %v", c.row, !c.holds)
		}
	}
	var out bytes.Buffer
	const shipped = 2 // baskets and needs are of the retail year, which the product has
	if wrong := eval.Table(&out, t.TempDir()); wrong != 0 || strings.Count(out.String(), "not compared: ") != len(eval.Sources)-shipped {
		t.Errorf("without the sets %d are wrong, and the table is\n%s", wrong, out.String())
	}
}

package predict_test

import (
	"os"
	"strconv"
	"testing"

	"rapport/internal/predict"
)

// TestEvalBehaviour prints what the models of behaviour make of the Online Retail
// year: their reports as they come, nothing tuned.
func TestEvalBehaviour(t *testing.T) {
	if n, err := strconv.Atoi(os.Getenv("RAPPORT_EVAL")); err != nil || n < 1 {
		t.Skip("RAPPORT_EVAL does not ask for it")
	}
	s, end := retailYear(t)
	for _, m := range []predict.Model{predict.Needs{}, predict.Rhythms{}, predict.Personas{}} {
		r := fit(t, m, s, end)
		t.Logf("%s: %d customers learned from, %d predicted of. %s%s", m.About().Name, r.Report.Customers, len(r.People), r.Report.Method, r.Report.Refused)
		for _, f := range r.Report.Figures {
			t.Logf("  %-70s %10.4g", f.Name, f.Value)
		}
		for _, b := range r.Report.Calibration {
			t.Logf("  group %s, %d: predicted %.3f, came %.3f", b.Group, b.N, b.Predicted, b.Actual)
		}
	}
}

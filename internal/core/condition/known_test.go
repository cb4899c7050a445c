package condition_test

import (
	"strings"
	"testing"

	"rapport/internal/core/condition"
	"rapport/internal/core/spec"
)

// A condition on what no model says, or on what nobody ever did, held nobody in silence.
func TestWhatDoesNotExistIsNotAskedInSilence(t *testing.T) {
	t.Parallel()
	known := &condition.Known{Predictions: []string{"p_alive", "clv", "need."}, Events: []string{"Gift Wrapped", "Order Completed"}}
	for _, tt := range []struct{ text, want, instead string }{
		{`{'prediction':'p_alive','>=':0.5}`, "", ""},
		{`{'prediction':'need.ink','within':'in the next 7d'}`, "", ""},
		{`{'prediction':'nonsense','>=':0.5}`, `no model says "nonsense"; there are clv, need.…, p_alive`, ""},
		{`{'prediction':'need.','exists':true}`, `no model says "need."`, "need."},
		{`{'prediction':'p_alife','exists':true}`, `no model says "p_alife"`, "p_alive"},
		{`{'did':'Gift Wrapped'}`, "", ""},
		{`{'did':'Cart Viewed'}`, "", ""}, // of the retail spec: it will be heard
		{`{'did':'gift wrapped'}`, `warning: no event called "gift wrapped" was heard yet, so nobody has done it; one in other letters was`, "Gift Wrapped"},
		{`{'did':['Order Completed','Gift Wraped']}`, `warning: no event called "Gift Wraped" was heard yet, so nobody has done it`, "Gift Wrapped"},
		{`{'did_not':'order completed'}`, `warning: no event of the retail spec is called "order completed"`, "Order Completed"},
		{`{'sequence':[{'did':'Quiz Taken'},{'did':'Order Completed','within':'2h'}]}`, `warning: no event called "Quiz Taken" was heard yet`, ""},
	} {
		e := env()
		e.Known = known
		var ps spec.Problems
		q := condition.Parse(define(t, tt.text), e, &ps)
		got, instead := "", ""
		for _, p := range ps.All() {
			if got, instead = p.What, p.Instead; p.Warning {
				got = "warning: " + got
			}
		}
		if !strings.HasPrefix(got, tt.want) || (tt.want == "") != (got == "") || instead != tt.instead || (q == nil) != ps.Bad() {
			t.Errorf("%s: %q (write: %s), want %q (write: %s)", tt.text, got, instead, tt.want, tt.instead)
		}
		// What is in force stays in force: it is compiled without being compared.
		if condition.Parse(define(t, tt.text), env(), new(spec.Problems)) == nil {
			t.Errorf("%s does not compile by itself", tt.text)
		}
	}
}

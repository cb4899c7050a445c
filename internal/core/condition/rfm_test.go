package condition_test

import (
	"strings"
	"testing"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/insight/rfm"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

func TestTheKindByRFMIsWhatTheModelSaid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		said  string
		is    bool
		until event.Time
		why   string
	}{
		{"champion", true, noon.Add(3 * day), "is a champion or loyal by RFM"},
		{"newcomer", false, event.Never, "is not a champion or loyal by RFM"},
		{"", false, event.Never, "is not a champion or loyal by RFM"},
	} {
		c := compile(t, env(), `{'rfm':['loyal','champion','loyal']}`)
		p := ada()
		if tt.said != "" {
			p.Predictions = []profile.Prediction{{Name: "rfm_persona", Value: event.Text(tt.said), At: noon.Add(-day), Until: noon.Add(3 * day), Model: "rfm", Evidence: "6 orders"}}
		}
		v := c.Eval(&condition.Context{P: p, Now: noon, Zones: zone, Explain: true})
		if v.True != tt.is || v.Until != tt.until || len(v.Because) != 1 || v.Because[0].What != tt.why {
			t.Errorf("of %q it is %v until %v: %+v", tt.said, v.True, v.Until, v.Because)
		}
	}
	var ps spec.Problems
	for _, text := range []string{`{'rfm':'champions'}`, `{'rfm':[]}`, `{'rfm':5}`} {
		if condition.Parse(define(t, text), env(), &ps) != nil || !strings.Contains(ps.All()[len(ps.All())-1].Error(), "champion, loyal") {
			t.Errorf("%s is understood: %v", text, ps.All())
		}
	}
	for i := range rfm.Personas {
		if i >= len(condition.RFMPersonas) || condition.RFMPersonas[i] != rfm.Persona(i).String() {
			t.Errorf("the model says %s, and no condition asks for it", rfm.Persona(i))
		}
	}
}

func TestPredictionsHaveWordsAndUnits(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][3]string{
		"p_alive":                {"chance of still being a customer", "Chance, noch Kunde zu sein", "share"},
		"need.ink":               {"expected day of needing ink again", "erwarteter Tag, an dem ink wieder gebraucht wird", "date"},
		"best_hour.email.tablet": {"best hour by email, tablet", "beste Stunde per email, tablet", "hour"},
		"occasion.baby":          {"chance of the occasion baby", "Chance des Anlasses baby", "share"},
		"occasion.baby.start":    {"beginning of the occasion baby", "Beginn des Anlasses baby", "date"},
		"need.":                  {"need ", "need ", ""},
		"of_tomorrow":            {"of tomorrow", "of tomorrow", ""},
	} {
		label, unit := condition.SayPrediction(name)
		if label.EN != want[0] || label.DE != want[1] || unit != want[2] {
			t.Errorf("%s is %+v in %q", name, label, unit)
		}
	}
	if got := condition.PredictionOf("chance of still being a customer"); got != "p_alive" {
		t.Errorf("read back it is %q", got)
	}
	if c := compile(t, env(), `{'prediction':'aov','>=':30}`); c.Sentence() != "the average value of an order is at least 30" {
		t.Errorf("the sentence is %q", c.Sentence())
	}
}

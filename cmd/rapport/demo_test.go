package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"rapport/internal/demo"
)

// The figures that others know of the year, as the demo prints them.
func TestEvalTheDemoPrintsThePublishedFigures(t *testing.T) {
	if os.Getenv("RAPPORT_EVAL") == "" {
		t.Skip("set RAPPORT_EVAL to replay the year with every model")
	}
	out, _ := say(t, exitDone, "demo", "--once", "--json")
	var got struct {
		Understood demo.Understood `json:"understood"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	u := &got.Understood
	if len(u.Cohorts) != 13 || u.Cohorts[0].Month != "2010-12" || !slices.Equal(u.Cohorts[0].People, []int64{948, 362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260}) {
		t.Errorf("the triangle is %+v", u.Cohorts)
	}
	if u.RFM.Customers != 4338 || u.RFM.Once != 1493 || u.RFM.Recency.Q50 != 51 || u.RFM.Frequency.Max != 209 {
		t.Errorf("RFM is %+v", u.RFM)
	}
	placed := 0
	for _, p := range u.RFM.Personas {
		placed += p.Customers
	}
	if placed != u.RFM.Placed || placed != 4338 {
		t.Errorf("%d of %d customers have a persona, want 4338", placed, u.RFM.Placed)
	}
	if len(u.CLV.Tenths) != 10 || u.CLV.Tenths[0].Actual <= u.CLV.Tenths[9].Actual {
		t.Errorf("the tenths are %+v", u.CLV)
	}
	if u.Rhythms.Found == 0 || u.Rhythms.OnSaturday != 0 || len(u.Rhythms.Top) == 0 || len(u.Rhythms.Top[0].Customer) != 5 {
		t.Errorf("the rhythms are %+v", u.Rhythms)
	}
	if n := &u.Need; n.Dates == 0 || n.Ours >= n.Last || n.Ours >= n.Mean {
		t.Errorf("need dates are %+v", n)
	}
	if len(u.Recommend) != 4 || u.Recommend[0].Ours != 2829 || u.Recommend[1].Ours <= u.Recommend[1].Plain {
		t.Errorf("recommendations are %+v", u.Recommend)
	}
	var b strings.Builder
	demo.Write(&b, u.Sections())
	if !strings.Contains(b.String(), "\n  2010-12   948  362  317  367  341  376  360  336  336  374  354  474  260\n") {
		t.Errorf("it prints\n%s", b.String())
	}
}

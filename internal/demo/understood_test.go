package demo_test

import (
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/demo"
	"rapport/internal/predict"
	"rapport/internal/report"
	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
)

// found is what a small year could give.
func found() *demo.Understood {
	return &demo.Understood{
		CLV: demo.Deciles{Model: "bg_nbd is the likeliest of two", Checked: "money a customer", Tenths: []predict.Bin{
			{Group: "1", N: 1400, Predicted: 1234.5, Actual: 2469}, {Group: "10", N: 9, Predicted: 0, Actual: 3},
		}},
		Cohorts: []report.Cohort{{Month: "2010-12", People: []int64{1948, 362, 7}}, {Month: "2011-01", People: []int64{421, 0}}},
		RFM: demo.Places{
			Customers: 4338, Once: 1493, Recency: report.Spread{Q50: 51}, Frequency: report.Spread{Q50: 2}, Monetary: report.Spread{Q50: 674.485},
			Placed: 200, Personas: []predict.Kind{{Key: "champion", Name: "champion", Customers: 50}},
		},
		Personas:  demo.Kinds{Refused: "they are all of one kind"},
		Occasions: demo.Occasions{Refused: "no occasion is declared"},
		Rhythms: demo.Rhythms{Tested: 1830, Found: 73, Kinds: []demo.Kind{{Name: "hour", Found: 73}}, Top: []demo.Rhythm{
			{Customer: "15719", When: "around 9:00", Evidence: "9 of 9 days of buying were around 9:00"},
		}},
		Need:      demo.Need{Customers: 1200, Checked: "purchases of the last 91 days", Dates: 5000, Ours: 20.1, Last: 30.2, Mean: 25.3, Middle: 22.4},
		Recommend: []demo.Hits{{What: "online retail: customers", Ours: 2829, Plain: 2829}, {What: "online retail: hit rate@10", Ours: .73, Plain: .7179}},
	}
}

func TestWhatWasUnderstoodStandsInColumns(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	demo.Write(&b, found().Sections())
	for _, want := range []string{
		"  tenth  customers  expected £  bought £  of expected\n  1          1,400    1,234.50  2,469.00        200 %\n  10             9        0.00      3.00            –\n  all        1,409    1,226.61  2,453.25        200 %\n",
		"Of whom it expected the most, the first tenth, came 100 % of the money; it expected 100 %.\n",
		"  first in     +0   +1  +2\n  2010-12   1,948  362   7\n  2011-01     421    0\n",
		"4,338 customers bought and paid, 1,493 of them ordered once. In the middle: 51 days ago, 2 orders,\n    £674.49.\n",
		"  persona   customers  share\n  champion         50   25 %\n",
		"None: they are all of one kind.\n",
		"nobody was asked, and the shop declares no occasion",
		"73 of 1,830 rhythms of single customers differ from the shop's own calendar (hour 73); none on\n    Saturdays",
		"customer 15719, around 9:00: 9 of 9 days of buying were around 9:00.\n",
		"1,200 customers have a date. Checked with purchases of the last 91 days.\n",
		"Over 5,000 dates the median error is 20.1 days; by the last gap 30.2, by the mean gap 25.3, by\n    always the middle 22.4.\n",
		"  hit rate@10  0.7300  0.7179\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
}

func TestARefusalIsSaidAndIsNoTable(t *testing.T) {
	t.Parallel()
	u := &demo.Understood{CLV: demo.Deciles{Refused: "too little to learn from"}, Need: demo.Need{Refused: "too few gaps"}, Rhythms: demo.Rhythms{Found: 2, OnSaturday: 2}}
	list := u.Sections()
	if s := list[0]; s.Head != nil || !slices.Contains(s.Notes, "Nothing is said: too little to learn from.") {
		t.Errorf("%+v", s)
	}
	var b strings.Builder
	demo.Write(&b, list)
	for _, want := range []string{"Nothing is said: too few gaps.", "; 2 on Saturdays."} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
}

func TestTheDemoLearnsFromWhatKnownCustomersBoughtAlone(t *testing.T) {
	t.Parallel()
	w, err := duckdb.Open(t.Context(), duckdb.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	err = w.LoadFeed(t.Context(), &warehouse.Load{
		To:     warehouse.Key{Epoch: 1, Seq: 1},
		Events: []warehouse.Event{{Profile: identity.ID{1}, At: 5, Name: event.MessageOpened, Type: "system", Known: true, Properties: "{}"}},
		Orders: []warehouse.Order{{Profile: identity.ID{1}, OrderID: "a", Kind: "completed", At: 5, Net: 7, Known: true}, {Profile: identity.ID{2}, OrderID: "b", Kind: "completed", At: 5, Net: 8}},
	})
	if err != nil {
		t.Fatal(err)
	}
	src := demo.Real(w)
	var got []string
	for o, err := range src.Orders(t.Context(), 9) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.ID)
	}
	if !slices.Equal(got, []string{"a"}) {
		t.Errorf("the orders are %v", got)
	}
	for range src.Events(t.Context(), 9, event.MessageOpened) {
		t.Error("what people do with mails is invented, and was told")
	}
}

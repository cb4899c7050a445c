package page_test

import (
	"math"
	"strings"
	"testing"

	"rapport/internal/admin/page"
)

func TestAMeterStaysBetweenNothingAndAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part, whole float64
		want        string
	}{{1, 4, "25"}, {1, 3, "33.33"}, {5, 4, "100"}, {-1, 4, "0"}, {1, 0, "0"}, {math.NaN(), 4, "0"}, {math.Inf(1), 1, "100"}} {
		if got := page.MeterOf(c.part, c.whole).Width.String(); got != c.want {
			t.Errorf("MeterOf(%v, %v) = %s, want %s", c.part, c.whole, got, c.want)
		}
	}
}

func TestTheBarsOfASparkStayInTheirFrame(t *testing.T) {
	t.Parallel()
	values := []float64{0, 10, -5, 2.5, 0, 1e9, -1e9}
	s := page.SparkOf(values, make([]string, len(values)))
	if len(s.Bars) != 5 {
		t.Fatalf("%d bars, want one for each value that is not 0", len(s.Bars))
	}
	for i, b := range s.Bars {
		if b.Y < 0 || b.Y+b.H > s.Height || b.X < 0 || b.X+b.W > s.Width {
			t.Errorf("bar %d lies outside: %+v in %v × %v", i, b, s.Width, s.Height)
		}
	}
	if !s.Bars[1].Below || s.Bars[0].Below {
		t.Error("what was given back is not told from what was spent")
	}
	if none := page.SparkOf([]float64{0, 0}, make([]string, 2)); len(none.Bars) != 0 {
		t.Errorf("nothing is drawn as %+v", none.Bars)
	}
}

func TestTheHighestWeekFillsItsSideOfTheChart(t *testing.T) {
	t.Parallel()
	w := page.WeeksOf([]page.Week{{Orders: 10, Month: "Mar"}, {Orders: 20, Sent: 4, Month: "Mar", Mark: "here"}, {Sent: 8, Month: "Apr"}})
	if len(w.Orders) != 2 || len(w.Sent) != 2 || w.MostOrders != "20" || w.MostSent != "8" {
		t.Fatalf("the chart is %+v", w)
	}
	if w.Orders[1].H != 2*w.Orders[0].H || w.Sent[1].H != 2*w.Sent[0].H {
		t.Errorf("the bars do not keep the proportions: %+v %+v", w.Orders, w.Sent)
	}
	for _, b := range append(w.Orders, w.Sent...) {
		if b.Y < 0 || b.Y+b.H > w.Height {
			t.Errorf("a bar lies outside: %+v", b)
		}
	}
	if len(w.Months) != 2 || w.Months[0].Weeks != 2 || w.MarkText != "here" || w.Mark != w.Orders[1].X {
		t.Errorf("months %+v, mark %v %q", w.Months, w.Mark, w.MarkText)
	}
}

func TestAnIntervalIsDrawnAroundZero(t *testing.T) {
	t.Parallel()
	in := page.IntervalOf(-1, 0, 1, 1)
	if in.Dot != 100 || in.Low != 4 || in.Low+in.Width != 196 || !in.Shown {
		t.Errorf("a balanced interval is drawn %+v", in)
	}
	for _, bad := range []page.Interval{page.IntervalOf(1, 0, -1, 1), page.IntervalOf(0, 0, 0, 0), page.IntervalOf(math.NaN(), 0, 1, 1)} {
		if bad.Shown {
			t.Errorf("nonsense is drawn: %+v", bad)
		}
	}
	if wide := page.IntervalOf(-50, 20, 50, 1); wide.Low < 0 || wide.Low+wide.Width > 200 || wide.Dot > 200 {
		t.Errorf("an interval wider than the scale leaves it: %+v", wide)
	}
}

func TestTheStyleSheetLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	name, css := page.Style()
	if !strings.HasSuffix(name, ".css") || len(css) == 0 {
		t.Fatalf("the style sheet is %q with %d bytes", name, len(css))
	}
	for _, bad := range []string{"url(", "@import", "expression(", "http:", "https:"} {
		if strings.Contains(string(css), bad) {
			t.Errorf("the style sheet holds %q", bad)
		}
	}
}

package program_test

import (
	"strings"
	"testing"
	"time"

	"rapport/internal/program"
)

func TestAScheduledReportSaysWhenToWhomAndWhat(t *testing.T) {
	t.Parallel()
	src, err := program.New(files(map[string]string{
		"reports/weekly.yaml": "report: funnel\ntitle: To the till\nsteps: [Product Viewed, Order Completed]\nwithin: 2d\nevery: week\non: Tuesday\nat: \"07:30\"\nto: ada@shop.example\nformat: csv\nover: all\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	p, found := program.Compile(src, program.Options{Workspace: "test"})
	if p == nil || len(found) > 0 || len(p.Reports) != 1 {
		t.Fatal(found)
	}
	r := p.Reports[0]
	if r.Name != "weekly" || r.Title != "To the till" || r.Within != 48*time.Hour || len(r.Steps) != 2 || len(r.To) != 1 || !r.All || r.Format != program.AsCSV || r.Schedule() != "each Tuesday at 07:30" {
		t.Errorf("%+v", r)
	}
	if changes := program.Diff(nil, src); !strings.Contains(func() (s string) {
		for _, c := range changes {
			s += c.Kind + " " + c.Name + "\n"
		}
		return s
	}(), "report weekly\n") {
		t.Errorf("%+v", changes)
	}
}

func TestAMistakeInAScheduledReportSaysWhereAndWhatToWrite(t *testing.T) {
	t.Parallel()
	const sound = "report: kpis\nevery: day\nat: \"08:00\"\nto: [ada@shop.example]\n"
	if list := problems(t, map[string]string{"reports/a.yaml": sound}); len(list) > 0 {
		t.Errorf("the sound one: %q", list)
	}
	for _, c := range []struct{ old, new, want string }{
		{"kpis", "kpi", `reports/a.yaml:1:9: there is no report "kpi" (write: report: kpis)`},
		{"report: kpis\n", "", "a scheduled report has no report"},
		{"every: day", "every: fortnight", `a report goes out every day, week or month, not every "fortnight"`},
		{"08:00", "8am", `"8am" is not a time of day`},
		{"08:00", "24:00", `"24:00" is not a time of day`},
		{"every: day", "every: week\non: mondays", `"mondays" is not a day of the week`},
		{"every: day", "every: month\non: 31", "a day that every month has"},
		{"every: day", "every: day\non: monday", "on is for reports of every week or month"},
		{"ada@shop.example", "ada", `"ada" is not an e-mail address`},
		{"ada@shop.example", "ada@shop.example, ada@shop.example", "is there twice"},
		{"to: [ada@shop.example]\n", "", "goes to nobody"},
		{"to:", "format: pdf\nto:", `there is no format "pdf"`},
		{"to:", "top: 5\nto:", "the report kpis takes no top"},
		{"to:", "by: fortnight\nto:", `kpis are not told by "fortnight"`},
		{"to:", "over: ever\nto:", "over is period"},
		{"to:", "weekday: monday\nto:", `a scheduled report has no field "weekday"`},
		{"report: kpis", "report: funnel", "a funnel has 1 to 12 steps"},
		{"report: kpis", "report: messages\nwithin: soon", `"soon" is not a length of time`},
		{"report: kpis", "report: paths\ntop: many", "top is a number from 1 to 200"},
		{"report: kpis", "report: cohorts\nkinds: some", "kinds is all or completed"},
	} {
		list := problems(t, map[string]string{"reports/a.yaml": strings.Replace(sound, c.old, c.new, 1)})
		if len(list) == 0 || !strings.Contains(strings.Join(list, "\n"), c.want) || !strings.HasPrefix(list[0], "reports/a.yaml:") {
			t.Errorf("%s → %s: %q", c.old, c.new, list)
		}
	}
}

// A report is about whole periods of the shop's wall clock, over changes of its
// offset too.
func TestAReportIsAboutTheLastWholePeriod(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		r                        program.Report
		now, due, next, from, to string
	}{
		{program.Report{Every: "day", Hour: 8}, "2026-03-29 07:59", "2026-03-28 08:00", "2026-03-29 08:00", "2026-03-27 00:00", "2026-03-28 00:00"},
		{program.Report{Every: "day", Hour: 8}, "2026-03-30 08:00", "2026-03-30 08:00", "2026-03-31 08:00", "2026-03-29 00:00", "2026-03-30 00:00"},
		{program.Report{Every: "week", On: 1, Hour: 8}, "2026-03-29 12:00", "2026-03-23 08:00", "2026-03-30 08:00", "2026-03-16 00:00", "2026-03-23 00:00"},
		{program.Report{Every: "week", On: 0, Hour: 8}, "2026-03-29 12:00", "2026-03-29 08:00", "2026-04-05 08:00", "2026-03-16 00:00", "2026-03-23 00:00"},
		{program.Report{Every: "month", On: 28, Hour: 8}, "2026-03-01 12:00", "2026-02-28 08:00", "2026-03-28 08:00", "2026-01-01 00:00", "2026-02-01 00:00"},
		{program.Report{Every: "month", On: 1, Hour: 0}, "2026-01-01 00:00", "2026-01-01 00:00", "2026-02-01 00:00", "2025-12-01 00:00", "2026-01-01 00:00"},
	} {
		due := c.r.Due(at(c.now))
		from, to := c.r.Period(due)
		if !due.Equal(at(c.due)) || !c.r.Next(at(c.now)).Equal(at(c.next)) || !from.Equal(at(c.from)) || !to.Equal(at(c.to)) {
			t.Errorf("%+v at %s: due %s, next %s, from %s to %s", c.r, c.now, due, c.r.Next(at(c.now)), from, to)
		}
	}
}

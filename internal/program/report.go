package program

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/spec"
)

// How often a scheduled report goes out.
const (
	Daily   = "day"
	Weekly  = "week"
	Monthly = "month"
)

// How the figures of a scheduled report are written.
const (
	AsText = "text"
	AsCSV  = "csv"
)

// Report is a report that colleagues get by e-mail at set times. It is about the last
// whole day, week from Monday to Sunday, or month before it goes out, in the shop's
// time zone.
type Report struct {
	Name   string   // of the file
	Title  string   // for people; what is reported if the definition says none
	Report string   // "kpis", "cohorts" …: a report of package report
	To     []string // addresses of colleagues
	Format string   // AsText or AsCSV
	Pos    spec.Pos

	// All counts from the beginning instead of from the beginning of the period.
	All bool

	// Every is Daily, Weekly or Monthly. Hour and Minute are the shop's wall clock. On
	// is the day: of a week from 0, Sunday, or of a month from 1.
	Every        string
	Hour, Minute int
	On           int

	// What the report is asked for; see package report.
	By      string
	Steps   []string
	Within  time.Duration
	Kinds   string
	Channel string
	Top     int
}

const (
	// maxReports bounds the scheduled reports: each asks the warehouse.
	maxReports = 100
	// maxColleagues bounds who gets one report: it is for those who work here, not a
	// list of customers by another name.
	maxColleagues = 20
	// lastMonthDay is the last day that every month has.
	lastMonthDay = 28
	// maxReportSteps and maxReportTop are what package report takes.
	maxReportSteps, maxReportTop = 12, 200
	// maxWithin is how long a funnel or an answer to a message may take.
	maxWithin = 10 * 365 * 24 * time.Hour
)

// reportParameters are the reports with what each may be asked for beside the period.
var reportParameters = map[string][]string{
	"kpis": {"by"}, "funnel": {"steps", "within"}, "paths": {"top"}, "cohorts": {"kinds", "channel"}, "messages": {"within", "channel"},
	"rfm": nil, "clv": nil, "lifecycle": nil, "handovers": nil,
}

var (
	reportNames = []string{"kpis", "funnel", "paths", "cohorts", "messages", "rfm", "clv", "lifecycle", "handovers"}
	reportKeys  = []string{"report", "title", "every", "at", "on", "to", "format", "over", "by", "steps", "within", "kinds", "channel", "top"}
	reportBys   = []string{"month", "day", "hour", "hour_of_week", "device", "channel", "store", "city", "segment"}
	weekdays    = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
)

// Due returns the last instant at or before now at which the report was to go out.
func (r *Report) Due(now time.Time) time.Time {
	y, m, d := now.Date()
	for back := 0; ; back++ { // at most a month and a day
		due := time.Date(y, m, d-back, r.Hour, r.Minute, 0, 0, now.Location())
		if !due.After(now) && r.on(due) {
			return due
		}
	}
}

// Next returns the first instant after now at which the report is to go out.
func (r *Report) Next(now time.Time) time.Time {
	y, m, d := now.Date()
	for ahead := 0; ; ahead++ {
		due := time.Date(y, m, d+ahead, r.Hour, r.Minute, 0, 0, now.Location())
		if due.After(now) && r.on(due) {
			return due
		}
	}
}

func (r *Report) on(day time.Time) bool {
	switch r.Every {
	case Weekly:
		return int(day.Weekday()) == r.On
	case Monthly:
		return day.Day() == r.On
	}
	return true
}

// Period returns the last whole day, week or month before an instant: from ≤ instant
// < to.
func (r *Report) Period(due time.Time) (from, to time.Time) {
	y, m, d := due.Date()
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, due.Location()) }
	switch r.Every {
	case Weekly:
		monday := d - (int(due.Weekday())+6)%7
		return day(y, m, monday-7), day(y, m, monday)
	case Monthly:
		return day(y, m-1, 1), day(y, m, 1)
	}
	return day(y, m, d-1), day(y, m, d)
}

// Schedule says when the report goes out, for people and to tell two schedules apart.
func (r *Report) Schedule() string {
	clock := time.Date(2000, 1, 1, r.Hour, r.Minute, 0, 0, time.UTC).Format("15:04")
	switch r.Every {
	case Weekly:
		return "each " + time.Weekday(r.On).String() + " at " + clock
	case Monthly:
		return "on day " + strconv.Itoa(r.On) + " of each month at " + clock
	}
	return "each day at " + clock
}

// readReports reads the scheduled reports.
func (c *compiler) readReports() {
	r := fields{c.ps}
	for i, f := range c.reports {
		n, ok := c.document(f)
		if !ok || !r.known(n, "a scheduled report", reportKeys...) {
			continue
		}
		if i == maxReports {
			c.ps.Add(n.Pos, "", "there are more than %d scheduled reports", maxReports)
			return
		}
		name := strings.TrimSuffix(path.Base(f.Path), ".yaml")
		if !validName(name) {
			c.ps.Add(spec.Pos{File: f.Path}, "reports/daily-figures.yaml", "the report's name %q is not one of small letters, digits, - and _, at most %d", name, maxName)
			continue
		}
		if _, there := c.p.Senders["email"]; !there {
			c.ps.Add(n.Pos, "senders: {email: {from: …}} in shop.yaml", "nobody is set up in shop.yaml to send by email")
		}
		c.p.Reports = append(c.p.Reports, r.report(n, name))
	}
}

func (r fields) report(n spec.Node, name string) Report {
	const what = "a scheduled report"
	v := Report{Name: name, Title: r.text(n, "title"), Report: r.must(n, what, "report", "kpis"), Pos: n.Pos}
	if v.Title == "" {
		v.Title = v.Report
	}
	if v.Report != "" && !slices.Contains(reportNames, v.Report) {
		r.ps.Add(at(n, "report"), "report: "+meant(v.Report, reportNames), "there is no report %q", v.Report)
	} else if v.Report != "" {
		r.asked(n, &v)
	}
	switch over := r.text(n, "over"); over {
	case "", "period":
	case "all":
		v.All = true
	default:
		r.ps.Add(at(n, "over"), "over: all", "over is period, the last whole day, week or month, or all, from the beginning; not %q", over)
	}
	r.times(n, &v)
	switch v.Format = r.text(n, "format"); v.Format {
	case "":
		v.Format = AsText
	case AsText, AsCSV:
	default:
		r.ps.Add(at(n, "format"), "format: "+meant(v.Format, []string{AsText, AsCSV}), "there is no format %q", v.Format)
	}
	r.colleagues(n, &v)
	return v
}

// asked reads what the report is asked for.
func (r fields) asked(n spec.Node, v *Report) {
	takes := reportParameters[v.Report]
	for _, key := range []string{"by", "steps", "within", "kinds", "channel", "top"} {
		if _, there := n.Get(key); there && !slices.Contains(takes, key) {
			instead := "take it out"
			if len(takes) > 0 {
				instead += ", or ask for " + strings.Join(takes, ", ")
			}
			r.ps.Add(at(n, key), instead, "the report %s takes no %s", v.Report, key)
			return
		}
	}
	v.Channel = r.text(n, "channel")
	if v.By = r.text(n, "by"); v.By != "" && !slices.Contains(reportBys, v.By) {
		r.ps.Add(at(n, "by"), "by: "+meant(v.By, reportBys), "kpis are not told by %q", v.By)
	}
	if v.Kinds = r.text(n, "kinds"); v.Kinds != "" && v.Kinds != "all" && v.Kinds != "completed" {
		r.ps.Add(at(n, "kinds"), "kinds: completed", "kinds is all or completed, not %q", v.Kinds)
	}
	if s := r.text(n, "within"); s != "" {
		unit, scale := s, time.Duration(1)
		if days, ok := strings.CutSuffix(s, "d"); ok {
			unit, scale = days+"h", 24
		}
		d, err := time.ParseDuration(unit)
		if err != nil || d <= 0 || d > maxWithin/scale {
			r.ps.Add(at(n, "within"), "within: 7d", "%q is not a length of time", s)
		}
		v.Within = d * scale
	}
	if s := r.text(n, "top"); s != "" {
		top, err := strconv.Atoi(s)
		if err != nil || top < 1 || top > maxReportTop {
			r.ps.Add(at(n, "top"), "top: 20", "top is a number from 1 to %d, not %q", maxReportTop, s)
		}
		v.Top = top
	}
	if v.Report == "funnel" {
		const example = "steps: [Product Viewed, Order Completed]"
		v.Steps = r.list(n, "steps", example)
		if len(v.Steps) == 0 || len(v.Steps) > maxReportSteps {
			r.ps.Add(at(n, "steps"), example, "a funnel has 1 to %d steps: names of events, in order", maxReportSteps)
		}
	}
}

// times reads when the report goes out.
func (r fields) times(n spec.Node, v *Report) {
	const what = "a scheduled report"
	every := []string{Daily, Weekly, Monthly}
	if v.Every = r.must(n, what, "every", Daily); v.Every != "" && !slices.Contains(every, v.Every) {
		r.ps.Add(at(n, "every"), "every: "+meant(v.Every, every), "a report goes out every day, week or month, not every %q", v.Every)
	}
	if s := r.must(n, what, "at", `"08:00"`); s != "" {
		clock, err := time.Parse("15:04", s)
		if err != nil || len(s) != len("15:04") {
			r.ps.Add(at(n, "at"), `at: "08:00"`, "%q is not a time of day, from 00:00 to 23:59", s)
		}
		v.Hour, v.Minute = clock.Hour(), clock.Minute()
	}
	on := strings.ToLower(r.text(n, "on"))
	switch {
	case v.Every == Weekly && on == "":
		v.On = int(time.Monday)
	case v.Every == Weekly:
		if v.On = slices.Index(weekdays, on); v.On < 0 {
			r.ps.Add(at(n, "on"), "on: "+meant(on, weekdays), "%q is not a day of the week", on)
		}
	case v.Every == Monthly && on == "":
		v.On = 1
	case v.Every == Monthly:
		day, err := strconv.Atoi(on)
		if err != nil || day < 1 || day > lastMonthDay {
			r.ps.Add(at(n, "on"), "on: 1", "on is a day that every month has, from 1 to %d, not %q", lastMonthDay, on)
		}
		v.On = day
	case on != "":
		r.ps.Add(at(n, "on"), "every: week", "on is for reports of every week or month")
	}
}

// colleagues reads who gets the report.
func (r fields) colleagues(n spec.Node, v *Report) {
	const example = "to: [ada@shop.example]"
	v.To = r.list(n, "to", example)
	for i, a := range v.To {
		switch {
		case !looksLikeEmail(a):
			r.ps.Add(at(n, "to"), example, "%q is not an e-mail address", a)
		case slices.Contains(v.To[:i], a):
			r.ps.Add(at(n, "to"), "", "%s is there twice", a)
		}
	}
	switch {
	case len(v.To) == 0:
		r.ps.Add(at(n, "to"), example, "a scheduled report goes to nobody: to lists the e-mail addresses of colleagues")
	case len(v.To) > maxColleagues:
		r.ps.Add(at(n, "to"), "an address of your own that passes it on", "a scheduled report goes to at most %d colleagues", maxColleagues)
	}
}

// list returns the texts of a list; one text is a list of one.
func (r fields) list(n spec.Node, key, example string) (list []string) {
	v, ok := n.Get(key)
	if !ok || v.Kind == spec.Null {
		return nil
	}
	items := v.Items
	if v.Scalar() {
		items = []spec.Node{v}
	}
	for _, item := range items {
		if !item.Scalar() || strings.TrimSpace(item.Text) == "" {
			r.ps.Add(item.Pos, example, "%s is a list of texts", key)
			continue
		}
		list = append(list, strings.TrimSpace(item.Text))
	}
	return list
}

package admin

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"

	"rapport/internal/admin/page"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/measure"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/program"
	"rapport/internal/report"
	"rapport/internal/store"
)

// stretch is the time that a chart of weeks shows.
type stretch struct {
	from, to event.Time
	mark     event.Time // an instant worth noting; 0: none
	markText string
}

// lines are the four lines of the loop. The program may be nil.
func (s *site) lines(p *program.Program, f snapshot, over stretch, learnt []report.Learnt) page.Lines {
	l := page.Lines{Busy: f.busy, Sent: sentFacts(f), NotSent: notSent(f.counts, ""), Segments: segmentRows(p, f)}
	h := f.heard
	if h.Events > 0 {
		l.Heard = []page.Fact{{Label: "Events", Value: page.Count(h.Events)}, {Label: "Orders and returns", Value: page.Count(h.Orders.Invoices)}}
		var currency money.Currency
		if p != nil {
			currency = p.Currency
		}
		l.Heard = append(l.Heard,
			page.Fact{Label: "Turnover, less returns", Value: page.Rounded(h.Orders.Sum, currency), Note: "exactly " + page.Money(h.Orders.Sum, "")},
			page.Fact{Label: "Customers who ordered", Value: page.Count(h.Orders.Customers), Note: unknownRows(h.Unknown)})
	}
	l.Learnt = learntRows(p, learnt)
	for i := range l.Learnt {
		if !l.Learnt[i].Spoken {
			l.TooFew = fmt.Sprintf("Where nothing is drawn, nothing can be said yet: that takes at least %d people on each side.", measure.DefaultMinPerArm)
		}
	}
	l.Year = s.weeks(f, over)
	return l
}

func unknownRows(n int64) string {
	if n == 0 {
		return ""
	}
	return page.Plural(n, "line", "lines") + " of nobody known"
}

// sentFacts are the figures of what was sent.
func sentFacts(f snapshot) []page.Fact {
	var sent, not, held, waits int64
	for _, c := range f.counts {
		switch c.State {
		case profile.Accepted, profile.Unknown:
			sent += c.Count
		case profile.Withheld:
			held += c.Count
		case profile.Planned, profile.Claimed, profile.Started:
			waits += c.Count
		default:
			not += c.Count
		}
	}
	if sent+not+held+waits == 0 {
		return nil
	}
	return []page.Fact{
		{Label: "Sent", Value: page.Count(sent)},
		{Label: "Not sent", Value: page.Count(not)},
		{Label: "Held out", Value: page.Count(held)},
		{Label: "Waiting", Value: page.Count(waits)},
	}
}

// notSent returns what was not sent by reason, the most frequent first; of one
// journey, or of all if it is empty. Holdouts are among the reasons.
func notSent(counts []store.DeliveryCount, journey string) []page.Bar {
	by := map[string]int64{}
	for _, c := range counts {
		switch {
		case journey != "" && c.Journey != journey, c.State.Open(), c.State == profile.Accepted, c.State == profile.Unknown:
			continue
		case c.Because == "":
			by[c.State.String()] += c.Count
		default:
			by[c.Because] += c.Count
		}
	}
	type reason struct {
		code string
		n    int64
	}
	var list []reason
	var most int64
	for code, n := range by {
		list = append(list, reason{code, n})
		most = max(most, n)
	}
	slices.SortFunc(list, func(a, b reason) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.code, b.code)) })
	bars := make([]page.Bar, len(list))
	for i, r := range list {
		bars[i] = page.Bar{Label: reasonWord(r.code), Code: r.code, Value: page.Count(r.n), Meter: page.MeterOf(float64(r.n), float64(most))}
	}
	return bars
}

// segmentRows are the segments in the order of their definitions.
func segmentRows(p *program.Program, f snapshot) []page.Segment {
	if p == nil {
		return nil
	}
	var most int64
	for i := range p.Segments {
		most = max(most, f.members[condition.SegmentKey(p.Segments[i].Name)])
	}
	rows := make([]page.Segment, len(p.Segments))
	for i, g := range p.Segments {
		n := f.members[condition.SegmentKey(g.Name)]
		rows[i] = page.Segment{Name: g.Label, Href: "/segments/" + url.PathEscape(g.Name), About: labelled(p, g.Sentence), Count: page.Count(n), Share: page.MeterOf(float64(n), float64(most))}
	}
	return rows
}

// learntRows tell what journeys brought: orders per 100 people who entered.
func learntRows(p *program.Program, learnt []report.Learnt) []page.Learnt {
	most := 0.0
	for i := range learnt {
		if in := &learnt[i].Report.Orders; in.Enough {
			most = max(most, math.Abs(in.Low), math.Abs(in.High))
		}
	}
	rows := make([]page.Learnt, len(learnt))
	for i := range learnt {
		in := learnt[i].Report.Orders
		rows[i] = page.Learnt{
			Journey: journeyLink(p, learnt[i].Journey), Spoken: in.Enough,
			People: fmt.Sprintf("%s walked it, %s held out", page.Count(in.N1), page.Count(in.N0)),
		}
		if in.Enough {
			rows[i].Lift = fmt.Sprintf("%s orders per 100 customers (between %s and %s)", signed(100*in.Lift), signed(100*in.Low), signed(100*in.High))
			rows[i].Verdict = verdict(in)
			rows[i].Chart = page.IntervalOf(in.Low, in.Lift, in.High, most)
		}
	}
	return rows
}

func verdict(in measure.Interval) string {
	switch {
	case !in.ExcludesZero:
		return "No effect can be told from chance."
	case in.Low > 0:
		return "More orders than without the messages."
	}
	return "Fewer orders than without the messages."
}

func signed(v float64) string {
	s := fmt.Sprintf("%+.1f", v)
	if s[0] == '-' {
		return "−" + s[1:]
	}
	return s
}

func journeyLink(p *program.Program, name string) page.Link {
	l := page.Link{Text: name, Href: "/journeys/" + url.PathEscape(name)}
	if p != nil {
		if d := p.Core.Journeys.Definition(name); d != nil {
			l.Text = d.Title
		}
	}
	return l
}

// maxWeeks bounds a chart: more bars cannot be told apart.
const maxWeeks = 60

// weeks draws the orders and messages of a stretch of time.
func (s *site) weeks(f snapshot, over stretch) page.Weeks {
	if over.to <= over.from || len(f.tally.weeks) == 0 {
		return page.Weeks{}
	}
	first, last := weekOf(over.from), weekOf(over.to-1)
	first = max(first, last-maxWeeks+1)
	list := make([]page.Week, 0, last-first+1)
	marked := weekOf(over.mark)
	for n := first; n <= last; n++ {
		w, start := f.tally.weeks[n], weekStart(n)
		at := max(start, over.from).Time()
		one := page.Week{
			Orders: w.orders, Sent: w.sent, Month: at.Format("Jan"),
			Title: fmt.Sprintf("Week of %s: %s, %s sent", at.Format("2 January 2006"), page.Plural(w.orders, "order", "orders"), page.Plural(w.sent, "message", "messages")),
		}
		if over.mark != 0 && n == marked {
			one.Mark = over.markText
		}
		list = append(list, one)
	}
	return page.WeeksOf(list)
}

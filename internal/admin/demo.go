package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rapport/internal/admin/page"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/demo"
	"rapport/internal/report"
)

// DemoStatus is how far the demonstration is. Whoever runs it makes a new one
// whenever something changes; one that was handed out is not changed.
type DemoStatus struct {
	Now      event.Time // what the virtual clock shows; 0: the year has not begun
	From, To event.Time // the first and the last instant of the year

	Messages        int // of the shop's back end, sent so far
	Of              int // and to be sent in all; 0: not known yet
	EventsPerSecond float64
	Mails           int // caught so far

	Doing string // what is done after the year, a sentence; empty while it runs, and at the end
	Done  bool   // the year is over
	Err   string // what ended it too early, a sentence; empty: nothing did

	Highlights Highlights
	Shopper    []ShopperLine   // the story so far, in order
	Holdouts   []report.Learnt // in the order to show them; may be empty
	Found      []demo.Section  // what models and reports found; empty until the year is over
}

// Highlights are where to look next. What is empty is not shown.
type Highlights struct {
	Customer string // a customer's number or any other identifier
	About    string // what is to be seen there, a sentence
	Mail     string // path of a mail in the catcher
	Subject  string // of that mail
	NotSent  string // id of a delivery that was not sent
	Why      string // its reason, a sentence
}

// ShopperLine is one moment of the scripted shopper's story.
type ShopperLine struct {
	At     event.Time
	What   string // a sentence
	Detail string // what followed; may be empty
}

// history is how long before it goes live the shop's file begins: on 1 December 2010.
const history = 90 * 24 * time.Hour

// lift is what must be said about every interval of the demonstration.
const lift = "The lift is zero by construction: mails cannot change what people bought in 2011. Whatever an interval shows is chance, and most must contain 0."

// demo shows the demonstration. It answers even while there is nothing to tell.
func (s *site) demo(r *http.Request) (page.View, error) {
	if s.o.Demo == nil {
		return nil, moved("/")
	}
	d := s.o.Demo()
	if d == nil {
		d = &DemoStatus{}
	}
	p, err := s.program(r.Context())
	if err != nil {
		return nil, err
	}
	c := s.clock(p)
	v := &page.Demo{
		Frame: s.frame(p, "Demo", "home"), Honest: demo.Honest(), Invented: demo.Invented, Still: r.FormValue("still") != "",
		Done: d.Done, Doing: d.Doing, Trouble: d.Err, Percent: "0 %", Begins: c.Date(d.From), Ends: c.Date(d.To),
	}
	v.Running = !d.Done && d.Err == ""
	if v.Running && !v.Still {
		v.Refresh = 1
	}
	if d.Now != 0 {
		// The clock goes on after the year; the year does not.
		v.Date = c.Date(min(d.Now, max(d.To, d.From)))
		if d.To <= d.From {
			v.Date = c.Date(d.Now)
		}
		v.Progress = page.MeterOf(float64(d.Now-d.From), float64(d.To-d.From))
		v.Percent = page.Percent(float64(min(d.Now, d.To)-d.From) / float64(max(d.To-d.From, 1)))
	}
	if d.Done {
		v.Progress, v.Percent = page.MeterOf(1, 1), "100 %"
	}
	v.Counts = progress(d)
	over := stretch{from: min(d.From, demo.GoLive.Add(-history)), to: d.To, mark: demo.GoLive, markText: "The shop goes live; what is older is history and sends nothing"}
	v.Lines = s.lines(p, s.figures.now(r.Context()), over, d.Holdouts)
	if d.Done && v.Busy && !v.Still {
		v.Refresh = 1 // after the year the product opens anew, and reads its figures again
	}
	for i := range v.Sent {
		// Who agrees, opens and bounces is made up, so how much is sent is too.
		v.Sent[i].Invented = v.Sent[i].Label == "Sent"
	}
	if len(v.Learnt) > 0 {
		v.Lift = lift
	}
	v.Next = next(d, s.o.MailsPath)
	for i, f := range d.Found {
		v.Found = append(v.Found, page.Section{ID: "found-" + strconv.Itoa(i+1), Title: f.Title, Notes: f.Notes, Head: f.Head, Rows: filled(f.Rows, len(f.Head))})
	}
	for _, l := range d.Shopper {
		v.Story = append(v.Story, page.Step{At: c.Second(l.At), What: page.Title(l.What), Detail: sentence(l.Detail)})
	}
	return v, nil
}

// filled returns rows that are all as wide as the table: the last cell of a short one
// would stand where the last of all does.
func filled(rows [][]string, width int) [][]string {
	out := make([][]string, len(rows))
	for i, r := range rows {
		out[i] = append(make([]string, 0, width), r...)
		for len(out[i]) < width {
			out[i] = append(out[i], "")
		}
	}
	return out
}

func progress(d *DemoStatus) []page.Fact {
	if d.Messages == 0 && d.EventsPerSecond == 0 {
		return nil
	}
	told := page.Fact{Label: "The shop has told us", Value: page.Count(int64(d.Messages)), Note: "messages"}
	if d.Of > 0 {
		told.Note = "of " + page.Count(int64(d.Of)) + " messages"
	}
	return []page.Fact{
		told,
		{Label: "Speed", Value: page.Count(int64(d.EventsPerSecond)), Note: "events a second"},
		{Label: "Mails caught", Value: page.Count(int64(d.Mails)), Note: "by real SMTP; none leaves this machine"},
	}
}

func next(d *DemoStatus, mails string) []page.Next {
	var list []page.Next
	add := func(text, href, about, otherwise string) {
		list = append(list, page.Next{Link: page.Link{Text: text, Href: href}, About: sentence(or(about, otherwise))})
	}
	h := d.Highlights
	if h.Customer != "" {
		add("Customer "+h.Customer, "/customers?q="+url.QueryEscape(h.Customer), h.About, "Everything that is known of one customer, and why.")
	}
	if id, err := profile.ParseDelivery(h.NotSent); err == nil {
		add("A message that was not sent", "/messages/"+id.String(), h.Why, "And the protection that stopped it.")
	}
	if local(h.Mail) {
		add("A mail as it was caught", h.Mail, h.Subject, "Signed links, the way out, and a reason about this person.")
	}
	if len(d.Shopper) > 0 {
		add("One shopper, now", "#story", "", "She looks at lamps, buys one, and is left in peace.")
	}
	if d.Done && mails != "" {
		add("All mails", mails+"/", "", "What the customers would have got.")
	}
	return list
}

// sentence ends a text as one.
func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return page.Title(s)
	}
	return page.Title(s) + "."
}

// local reports whether a link is a path of this host.
func local(href string) bool {
	u, err := url.Parse(href)
	return err == nil && href != "" && u.Scheme == "" && u.Host == "" && href[0] == '/' && (len(href) == 1 || href[1] != '/' && href[1] != '\\')
}

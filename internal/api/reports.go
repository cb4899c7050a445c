package api

import (
	"context"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/report"
	"rapport/internal/schedule"
	"rapport/internal/warehouse"
)

// Asked is what a report is about.
type Asked struct {
	Paging
	From    string   `query:"from" doc:"A date, such as 2026-03-02, or an instant. Default: from the beginning."`
	To      string   `query:"to" doc:"A date or an instant that is no longer counted. Default: now."`
	Zone    string   `query:"zone" doc:"Time zone in which days, hours and months are counted. Default: UTC."`
	By      string   `query:"by" enum:"month,day,hour,hour_of_week,device,channel,store,city,segment" doc:"kpis: what each row is about. Default: one row."`
	Steps   []string `query:"steps" doc:"funnel: names of events in order, with commas between."`
	Within  string   `query:"within" doc:"funnel: how long it may take; messages: how long after a message an order is its. 48h, 7d. Default: 7d."`
	Kinds   string   `query:"kinds" enum:"all,completed" doc:"cohorts: completed leaves out who only returned something."`
	Channel string   `query:"channel" doc:"cohorts: of those whose first order came by it; messages: of this channel."`
	Before  string   `query:"before" doc:"rfm: a date or an instant: counts who moved between personas from then to the end. Default: that is not counted."`
	Top     int      `query:"top" minimum:"1" maximum:"200" doc:"paths: how many. Default: 20."`
	Who     string   `query:"who" doc:"Asks for the people behind a number instead: the field's name. Pages by cursor and limit."`
	Key     string   `query:"key" doc:"With who: the row. A day, a store, the number of a step, 2010-12/3 of cohorts, welcome/hello of messages, 555 of rfm, champion/slipping of its movement, 2011-03-01/repeat or first/repeat of lifecycle, mobile/desktop of handovers, a tenth from 1 to 10 of clv, a way of paths with its names as Product Viewed > Product Added."`
}

// Scheduled knows the reports that go out by e-mail.
type Scheduled interface {
	List(context.Context) ([]schedule.State, error)
}

// behind are the customers behind a number.
type behind = page[identity.ID]

// Report is a report, or the page of people behind one of its numbers.
type Report struct {
	KPIs     *report.KPIs     `json:"kpis,omitempty"`
	Funnel   *report.Progress `json:"funnel,omitempty"`
	Paths    *report.Paths    `json:"paths,omitempty"`
	Cohorts  *report.Cohorts  `json:"cohorts,omitempty"`
	Messages *report.Messages `json:"messages,omitempty"`
	RFM      *report.RFM      `json:"rfm,omitempty"`
	CLV      *report.CLV      `json:"clv,omitempty"`
	Life     *report.Life     `json:"lifecycle,omitempty"`
	Handed   *report.Handed   `json:"handovers,omitempty"`
	People   *behind          `json:"people,omitempty" doc:"With who: the ids of a page of customers."`
}

// reports adds the operations that add up the warehouse.
func (a *API) reports() {
	about := map[string]string{
		"kpis":      "Orders, revenue, customers, visitors, conversion, average order, repeat rate and what the model of value expects of those customers, in one row or by month, day, hour, hour of the week, device, channel, store, city or segment; retention, churn, opt-in and reach.",
		"funnel":    "How far people came who took steps in order within a time.",
		"paths":     "The ways that visits take, the most frequent first.",
		"cohorts":   "Customers by the month of their first order, and in which months they came back.",
		"messages":  "What became of each message, equal to the delivery ledger, and the orders that came after it. Opens are unreliable: many mail programs open by themselves.",
		"rfm":       "How recently, how often and for how much customers bought; with before, who moved between personas since then.",
		"clv":       "How what the models expect of customers is spread.",
		"lifecycle": "How many customers are in each stage of life at the end of each day, and which share of the stays in a stage ended in another, with a 95 % interval. Refunds move back.",
		"handovers": "Orders of what had been looked at on another class of device, by the two. Each order counts once.",
	}
	route(a, get("/incremental", "reports", "Say what each journey brought beside those who were held out of it",
		"Orders and revenue a person within sixty days of entering, with intervals that stay valid while somebody watches. Measured anew at most every five minutes."), a.incremental)
	route(a, get("/scheduled-reports", "reports", "List the reports that go out by e-mail", "Those that the definitions ask for, with when each went out last, when it goes out next, and whether one is late and why."),
		func(ctx context.Context, _ *struct{}) (*body[page[schedule.State]], error) {
			if a.o.Scheduled == nil {
				return answer(page[schedule.State]{Data: []schedule.State{}}, nil)
			}
			list, err := a.o.Scheduled.List(ctx)
			return answer(page[schedule.State]{Data: list}, err)
		})
	for _, name := range report.Names {
		route(a, get("/reports/"+name, "reports", "Report: "+name, about[name]), func(ctx context.Context, in *Asked) (*body[Report], error) {
			return answer(a.report(ctx, name, in))
		})
	}
}

func (a *API) report(ctx context.Context, name string, in *Asked) (out Report, err error) {
	if a.o.Warehouse == nil {
		return out, errNoWarehouse
	}
	return ReportOf(ctx, a.o.Warehouse, a.o.Now, name, in)
}

// ReportOf answers a report out of a warehouse, for who has it open: a server, or a
// command.
func ReportOf(ctx context.Context, w warehouse.Warehouse, now func() event.Time, name string, in *Asked) (out Report, err error) {
	p, err := in.params(name)
	if err != nil {
		return out, err
	}
	t := report.Tables{Warehouse: w, Now: now}
	v, err := t.Ask(ctx, name, p)
	if err != nil {
		return out, err
	}
	switch v := v.(type) {
	case report.KPIs:
		out.KPIs = &v
	case report.Progress:
		out.Funnel = &v
	case report.Paths:
		out.Paths = &v
	case report.Cohorts:
		out.Cohorts = &v
	case report.Messages:
		out.Messages = &v
	case report.RFM:
		out.RFM = &v
	case report.CLV:
		out.CLV = &v
	case report.Life:
		out.Life = &v
	case report.Handed:
		out.Handed = &v
	case report.People:
		out.People = &behind{Data: v.IDs}
		if v.More {
			out.People.Next = cursorOf("report "+name, v.IDs[len(v.IDs)-1].String())
		}
	}
	return out, nil
}

// params reads what a request says.
func (in *Asked) params(name string) (p report.Params, err error) {
	p = report.Params{By: in.By, Steps: in.Steps, Kinds: in.Kinds, Channel: in.Channel, Top: in.Top, Who: in.Who, Key: in.Key, Limit: in.Limit}
	if p.After, err = in.customer("report " + name); err != nil {
		return p, err
	}
	if in.Zone != "" {
		if p.Zone, err = time.LoadLocation(in.Zone); err != nil {
			return p, fault.New(fault.Invalid, "zone is no time zone; Europe/London is one")
		}
	}
	if p.From, err = instant(in.From, p.Zone); err != nil {
		return p, err
	}
	if p.To, err = instant(in.To, p.Zone); err != nil {
		return p, err
	}
	if p.Before, err = instant(in.Before, p.Zone); err != nil {
		return p, err
	}
	p.Within, err = span(in.Within)
	return p, err
}

// instant reads a date of a zone, or an instant.
func instant(s string, zone *time.Location) (event.Time, error) {
	if s == "" {
		return 0, nil
	}
	if zone == nil {
		zone = time.UTC
	}
	if day, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return event.At(day), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, fault.New(fault.Invalid, "a date such as 2026-03-02 or an instant such as 2026-03-02T10:00:00Z is expected")
	}
	return event.At(at), nil
}

// span reads a length of time, days included.
func span(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	unit := s
	scale := time.Duration(1)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		unit, scale = days+"h", 24
	}
	d, err := time.ParseDuration(unit)
	if err != nil || d <= 0 || d > 10*365*24*time.Hour {
		return 0, fault.New(fault.Invalid, "within is a length of time such as 48h or 7d")
	}
	return d * scale, nil
}

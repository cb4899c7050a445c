package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rapport/internal/api"
	"rapport/internal/report"
)

type reportCmd struct {
	Name    string `arg:"" enum:"kpis,funnel,paths,cohorts,messages,rfm,clv,lifecycle,handovers" help:"kpis, funnel, paths, cohorts, messages, rfm, clv, lifecycle or handovers."`
	From    string `placeholder:"DATE" help:"From this date or instant. Default: from the beginning."`
	To      string `placeholder:"DATE" help:"Before this date or instant. Default: until now."`
	Zone    string `help:"Time zone in which days, hours and months are counted. Default: UTC."`
	By      string `help:"kpis: month, day, hour, hour_of_week, device, channel, store, city or segment. Default: one row."`
	Steps   string `placeholder:"EVENT,EVENT" help:"funnel: names of events, in order."`
	Within  string `placeholder:"7d" help:"funnel: how long it may take; messages: how long after a message an order is its. Default: 7d."`
	Kinds   string `help:"cohorts: completed leaves out who only returned something. Default: all."`
	Channel string `help:"cohorts: of those whose first order came by it; messages: of this channel."`
	Before  string `placeholder:"DATE" help:"rfm: count who moved between personas since this date or instant. Default: that is not counted."`
	Top     int    `help:"paths: how many. Default: 20."`
	Who     string `help:"Print the ids of the customers behind a number instead: the field's name."`
	Key     string `help:"With --who: the row, such as a day, 2010-12/3 of cohorts, welcome/hello of messages, 555 of rfm, champion/slipping of its movement, 2011-03-01/repeat or first/repeat of lifecycle, mobile/desktop of handovers, 1 to 10 of clv, 'Product Viewed > Product Added' of paths."`
	Cursor  string `help:"With --who: the next of the page before."`
	Limit   int    `default:"100" help:"With --who: the most that a page holds. Default: ${default}."`
	Data    string `type:"path" help:"Data directory. If a server uses it, the server is asked, with --key. Default: the server is asked."`
	Server  string `default:"http://127.0.0.1:8080" env:"RAPPORT_SERVER" placeholder:"URL" help:"The running server. Default: ${default}."`
	Key2    string `name:"api-key" env:"RAPPORT_KEY" placeholder:"rp_s_…" help:"A key that may read. Better set in the environment, RAPPORT_KEY."`
	JSON    bool   `help:"Print the answer as JSON on one line. Default: as tables."`
}

// Run asks for the report and prints it.
func (c *reportCmd) Run(ctx context.Context, e *env) error {
	query := url.Values{}
	for name, v := range map[string]string{
		"from": c.From, "to": c.To, "zone": c.Zone, "by": c.By, "steps": c.Steps, "within": c.Within, "before": c.Before, "kinds": c.Kinds, "channel": c.Channel, "who": c.Who, "key": c.Key, "cursor": c.Cursor,
	} {
		if v != "" {
			query.Set(name, v)
		}
	}
	if c.Top > 0 {
		query.Set("top", fmt.Sprint(c.Top))
	}
	if c.Who != "" {
		query.Set("limit", fmt.Sprint(c.Limit))
	}
	return withWarehouse(ctx, e, c.Data, remote{Server: c.Server, Key: c.Key2}, func(who asker) error {
		r, err := who.report(ctx, c.Name, query)
		if err != nil {
			return err
		}
		if c.JSON {
			return e.printJSON(r)
		}
		return report.Write(e.out, r)
	})
}

func (r *remote) report(ctx context.Context, name string, query url.Values) (out api.Report, err error) {
	err = r.call(ctx, http.MethodGet, "reports/"+name+"?"+query.Encode(), nil, &out)
	return out, err
}

func (l local) report(ctx context.Context, name string, query url.Values) (api.Report, error) {
	in := api.Asked{
		Paging: api.Paging{Cursor: query.Get("cursor")}, From: query.Get("from"), To: query.Get("to"), Zone: query.Get("zone"), By: query.Get("by"),
		Within: query.Get("within"), Before: query.Get("before"), Kinds: query.Get("kinds"), Channel: query.Get("channel"), Who: query.Get("who"), Key: query.Get("key"),
	}
	if s := query.Get("steps"); s != "" {
		in.Steps = strings.Split(s, ",")
	}
	fmt.Sscan(query.Get("top"), &in.Top)     // ours: a number, or nothing
	fmt.Sscan(query.Get("limit"), &in.Limit) // the same
	return api.ReportOf(ctx, l.w, l.now, name, &in)
}

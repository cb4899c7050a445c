package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

// Tables answers the reports out of the warehouse. Each number of a report can be
// asked who the people behind it are: the same question with [Params.Who] set.
type Tables struct {
	Warehouse warehouse.Warehouse
	Now       func() event.Time
}

// Params say what a report is about. What a report does not know it does not look at.
type Params struct {
	From, To event.Time     // from ≤ instant < to. Default: everything until now
	Zone     *time.Location // in which days, hours and months are counted. Default: UTC
	By       string         // kpis: month, day, hour, device, channel, store, city, segment. Default: all in one
	Steps    []string       // funnel: names of events, in order
	Within   time.Duration  // funnel: from the first step to the last; messages: from a message to an order
	Kinds    string         // cohorts: "completed" leaves out customers who only returned something. Default: all
	Channel  string         // cohorts: only customers whose first order came by it; messages: the message's
	Top      int            // paths: how many. Default: 20
	Before   event.Time     // rfm: the earlier instant from which customers moved. Default: movement is not counted

	// Who asks for people instead of numbers: a field of the report, and the key of
	// its row, as Keys names them. After and Limit page them, in order of id.
	Who   string
	Key   string
	After identity.ID
	Limit int
}

// People are those behind a number, in order of id.
type People struct {
	IDs  []identity.ID `json:"data"`
	More bool          `json:"more"`
}

// Names are the reports that [Tables.Ask] knows.
var Names = []string{"kpis", "funnel", "paths", "cohorts", "messages", "rfm", "clv", "lifecycle", "handovers"}

const (
	defaultPeople = 100
	mostPeople    = 500
	defaultTop    = 20
	mostTop       = 200
	// mostSteps bounds a funnel: nobody reads a longer one.
	mostSteps = 12
)

// Ask answers one report by its name: its own type, or [People] if who is asked for.
func (t *Tables) Ask(ctx context.Context, name string, p Params) (any, error) {
	if err := p.fill(t.Now()); err != nil {
		return nil, err
	}
	switch name {
	case "kpis":
		return either(ctx, p, t.KPIs, t.kpiPeople)
	case "funnel":
		return either(ctx, p, t.Funnel, t.funnelPeople)
	case "paths":
		return either(ctx, p, t.Paths, t.pathPeople)
	case "cohorts":
		return either(ctx, p, t.Cohorts, t.cohortPeople)
	case "messages":
		return either(ctx, p, t.Messages, t.messagePeople)
	case "rfm":
		return either(ctx, p, t.RFM, t.rfmPeople)
	case "clv":
		return either(ctx, p, t.CLV, t.clvPeople)
	case "lifecycle":
		return either(ctx, p, t.Lifecycle, t.lifecyclePeople)
	case "handovers":
		return either(ctx, p, t.HandOvers, t.handOverPeople)
	}
	return nil, fault.New(fault.NotFound, "there is no report of that name: they are "+strings.Join(Names, ", "))
}

func either[T any](ctx context.Context, p Params, numbers func(context.Context, Params) (T, error), people func(context.Context, Params) (People, error)) (any, error) {
	if p.Who == "" {
		return numbers(ctx, p)
	}
	return people(ctx, p)
}

func (p *Params) fill(now event.Time) error {
	if p.To == 0 {
		p.To = now + 1
	}
	if p.From == 0 {
		p.From = 1
	}
	if p.Zone == nil {
		p.Zone = time.UTC
	}
	if p.Limit <= 0 {
		p.Limit = defaultPeople
	}
	p.Limit = min(p.Limit, mostPeople)
	if p.Top <= 0 {
		p.Top = defaultTop
	}
	p.Top = min(p.Top, mostTop)
	switch {
	case p.Before >= p.To:
		return fault.New(fault.Invalid, "before must lie before to: it is the instant from which customers moved")
	case p.From >= p.To:
		return fault.New(fault.Invalid, "from must lie before to")
	case len(p.Steps) > mostSteps:
		return fault.New(fault.Invalid, fmt.Sprintf("a funnel has at most %d steps", mostSteps))
	case p.Within < 0:
		return fault.New(fault.Invalid, "within must be longer than nothing")
	}
	return nil
}

// each calls yield with every row of a query.
func (t *Tables) each(ctx context.Context, sql string, args []any, yield func(row []any) error) error {
	return warehouse.Each(ctx, t.Warehouse, sql, args, yield)
}

// people runs a query of one column of ids, of which it returns a page.
func (t *Tables) people(ctx context.Context, p Params, sql string, args ...any) (People, error) {
	all := append(args, p.After)
	sql = fmt.Sprintf("SELECT DISTINCT profile FROM (%s) AS found WHERE profile > ? ORDER BY profile LIMIT %d", sql, p.Limit+1)
	out := People{IDs: []identity.ID{}}
	err := t.each(ctx, sql, all, func(row []any) error {
		out.IDs = append(out.IDs, row[0].(identity.ID))
		return nil
	})
	return out.cut(p.Limit), err
}

func (p People) cut(limit int) People {
	if len(p.IDs) > limit {
		p.IDs, p.More = p.IDs[:limit], true
	}
	return p
}

// pageOf returns the page of a set of ids.
func pageOf(ids []identity.ID, p Params) People {
	slices.SortFunc(ids, identity.ID.Compare)
	ids = slices.Compact(ids)
	i, found := slices.BinarySearchFunc(ids, p.After, identity.ID.Compare)
	if found {
		i++
	}
	out := People{IDs: append([]identity.ID{}, ids[i:min(len(ids), i+p.Limit+1)]...)}
	return out.cut(p.Limit)
}

// lastKnown is the end of this century: behind it no zone is known to change.
const lastKnown = event.Time(4_102_444_800_000)

// local is SQL for the instant ts as milliseconds of the wall clock of a zone: what
// it is ahead of UTC changes a few times between from and to, and each change is a
// branch.
func (p *Params) local() string {
	const dayMillis = 86_400_000
	offset := func(at event.Time) int64 {
		_, seconds := at.In(p.Zone).Zone()
		return int64(seconds) * 1000
	}
	// Before and behind what zones know, nothing changes.
	from, to := max(p.From, 0), min(p.To, lastKnown)
	expression := fmt.Sprint(offset(to))
	for at := to; at > from; at -= dayMillis {
		before := max(at-dayMillis, from)
		if offset(before) == offset(at) {
			continue
		}
		low, high := before, at
		for high-low > 1 {
			if mid := (low + high) / 2; offset(mid) == offset(before) {
				low = mid
			} else {
				high = mid
			}
		}
		expression = fmt.Sprintf("if(ms(ts) < %d, %d, %s)", high, offset(before), expression)
	}
	expression = "(ms(ts) + " + expression + ")"
	return expression
}

// whole returns a number of a row; nil is 0.
func whole(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		return int64(v)
	}
	return 0
}

func micros(v any) money.Micros { return money.Micros(whole(v)) }

func word(v any) string {
	s, _ := v.(string)
	return s
}

// ratio is part of whole; 0 of nothing.
func ratio(part, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}

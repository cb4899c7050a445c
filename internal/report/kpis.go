package report

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// KPI is a row of the numbers by which a shop is steered.
type KPI struct {
	Key        string       `json:"key"`
	Orders     int64        `json:"orders"`
	Elsewhere  int64        `json:"orders_in_other_currencies,omitempty"` // of them: in no sum
	Revenue    money.Micros `json:"revenue_micros"`                       // orders less what was refunded and cancelled in the same time
	Customers  int64        `json:"customers"`                            // who ordered
	Repeating  int64        `json:"repeating"`                            // of those: who had ordered before
	Visitors   int64        `json:"visitors"`                             // who did anything, an order or a look
	AOV        money.Micros `json:"aov_micros"`                           // sum of orders, refunds left out, by their number
	Conversion float64      `json:"conversion"`                           // customers of visitors
	Repeat     float64      `json:"repeat_rate"`                          // repeating of customers

	// What the model of value expects of those customers, by its last word on each;
	// absent: it has said nothing of any of them.
	CLV *Expected `json:"predicted_clv,omitempty"`
}

// Expected is what a model expects of some customers together.
type Expected struct {
	Customers int64        `json:"customers"` // of whom it says something
	Sum       money.Micros `json:"sum_micros"`
	Mean      money.Micros `json:"mean_micros"`
}

func (e *Expected) add(v float64) {
	e.Customers++
	e.Sum += money.Micros(math.Round(v * float64(money.One)))
	e.Mean = e.Sum / money.Micros(e.Customers)
}

// KPIs is the report.
type KPIs struct {
	By       string         `json:"by"`
	Currency money.Currency `json:"currency"` // of all sums; what is in another counts as an order, and is added to none
	Rows     []KPI          `json:"rows"`

	// Of all customers whom the time is about, whatever By says. Of a time before which
	// nobody ordered, as one from the beginning, nothing is said of who came again.
	Retention *float64 `json:"retention,omitempty"` // of who ordered in the time of the same length before: who ordered again
	Churn     *float64 `json:"churn,omitempty"`     // the others of them
	Profiles  int64    `json:"profiles"`            // everybody known now
	OptIn     float64  `json:"opt_in"`              // of those: who agreed to marketing by e-mail
	Reach     int64    `json:"reach"`               // who agreed and has an address that is not known to fail
}

const (
	// visiting is what rows of events, called t, must be to be a visit: what customers did
	// themselves. A line of an imported file that says who somebody is, or what they agreed
	// to, is none.
	visiting = "t.type != 'system' AND t.type != 'fact' AND t.name != 'Prediction Made' AND NOT (t.origin = 'import' AND (t.type IN ('identify', 'group', 'alias') OR t.name = 'Consent Changed'))"

	optedIn   = "consents LIKE '%email/marketing%'"
	reachable = "reachable LIKE '%email%'"
)

// dimensions are what KPIs can be told by. The join, if any, is behind the table,
// which is called t.
func (p *Params) dimension() (key, join string, err error) {
	switch p.By {
	case "":
		return "''", "", nil
	case "day":
		return fmt.Sprintf("intDiv(%s, 86400000)", p.local()), "", nil
	case "hour":
		return fmt.Sprintf("intDiv(%s, 3600000) - 24 * intDiv(%s, 86400000)", p.local(), p.local()), "", nil
	case "hour_of_week": // the hours of a week, from Monday on; the first day of the count was a Thursday
		hours := fmt.Sprintf("(intDiv(%s, 3600000) + 72)", p.local())
		return fmt.Sprintf("%s - 168 * intDiv(%s, 168)", hours, hours), "", nil
	case "month":
		return p.months(), "", nil
	case "device", "channel", "store":
		return "t." + p.By, "", nil
	case "city":
		return "coalesce(who.city, '')", " LEFT JOIN (SELECT profile, city FROM profiles) AS who ON who.profile = t.profile", nil
	case "segment":
		return "who.segment", " INNER JOIN (SELECT profile, segment FROM members) AS who ON who.profile = t.profile", nil
	}
	return "", "", fault.New(fault.Invalid, "by is month, day, hour, hour_of_week, device, channel, store, city or segment")
}

// keyText writes the key of a row as people do.
func (p *Params) keyText(v any) string {
	switch p.By {
	case "day":
		return time.UnixMilli(whole(v) * 86_400_000).UTC().Format(time.DateOnly)
	case "month":
		return fmt.Sprintf("%04d-%02d", whole(v)/12, whole(v)%12+1)
	case "hour":
		return fmt.Sprintf("%02d", whole(v))
	case "hour_of_week":
		return fmt.Sprintf("%d-%02d", 1+whole(v)/24, whole(v)%24)
	}
	return word(v)
}

// KPIs answers by Params.By over the time.
func (t *Tables) KPIs(ctx context.Context, p Params) (KPIs, error) {
	out := KPIs{By: p.By, Rows: []KPI{}}
	key, join, err := p.dimension()
	if err != nil {
		return out, err
	}
	rows := map[string]*KPI{}
	at := func(v any) *KPI {
		k := p.keyText(v)
		if rows[k] == nil {
			rows[k] = &KPI{Key: k}
		}
		return rows[k]
	}
	main := ""
	if out.Currency, main, err = t.inCurrency(ctx); err != nil {
		return out, err
	}
	err = t.each(ctx, `SELECT `+key+` AS k, countIf(kind = 'completed') AS orders, sumIf(net, t.`+main+`) AS revenue, sumIf(net, kind = 'completed' AND t.`+main+`) AS sold, uniqExact(if(kind = 'completed', t.profile, NULL)) AS people,
		uniqExact(if(kind = 'completed' AND t.ts > before.first, t.profile, NULL)) AS repeating, countIf(kind = 'completed' AND NOT t.`+main+`) AS elsewhere
		FROM orders AS t LEFT JOIN (SELECT profile, min(ts) AS first FROM orders WHERE kind = 'completed' GROUP BY profile) AS before ON before.profile = t.profile`+join+`
		WHERE t.ts >= ? AND t.ts < ? GROUP BY k`, []any{p.From, p.To}, func(row []any) error {
		k := at(row[0])
		k.Orders, k.Revenue, k.Customers, k.Repeating, k.Elsewhere = whole(row[1]), micros(row[2]), whole(row[4]), whole(row[5]), whole(row[6])
		if priced := k.Orders - k.Elsewhere; priced > 0 {
			k.AOV = micros(row[3]) / money.Micros(priced)
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	err = t.each(ctx, `SELECT k, count(*) AS people FROM (SELECT DISTINCT `+key+` AS k, t.profile AS profile FROM events AS t`+join+`
		WHERE t.ts >= ? AND t.ts < ? AND `+visiting+`) AS seen GROUP BY k`, []any{p.From, p.To}, func(row []any) error {
		at(row[0]).Visitors = whole(row[1])
		return nil
	})
	if err != nil {
		return out, err
	}
	if err := t.expect(ctx, p, key, join, at); err != nil {
		return out, err
	}
	for _, k := range rows {
		k.Conversion, k.Repeat = ratio(k.Customers, k.Visitors), ratio(k.Repeating, k.Customers)
		out.Rows = append(out.Rows, *k)
	}
	slices.SortFunc(out.Rows, func(a, b KPI) int { return cmp.Compare(a.Key, b.Key) })
	return out, t.base(ctx, p, &out)
}

// expect adds what the model of value expects of the customers of each row.
func (t *Tables) expect(ctx context.Context, p Params, key, join string, at func(any) *KPI) error {
	expected, err := t.clv(ctx, p.To)
	if err != nil || len(expected) == 0 {
		return err
	}
	return t.each(ctx, `SELECT DISTINCT `+key+` AS k, t.profile AS profile FROM orders AS t`+join+` WHERE t.kind = 'completed' AND t.ts >= ? AND t.ts < ?`, []any{p.From, p.To}, func(row []any) error {
		v, said := expected[row[1].(identity.ID)]
		if !said {
			return nil
		}
		k := at(row[0])
		if k.CLV == nil {
			k.CLV = &Expected{}
		}
		k.CLV.add(v)
		return nil
	})
}

// base adds what is said of all customers.
func (t *Tables) base(ctx context.Context, p Params, out *KPIs) error {
	length := p.To - p.From
	err := t.each(ctx, `SELECT count(*) AS before, countIf(again) AS again FROM (SELECT profile, max(ts) >= ? AS again FROM orders WHERE kind = 'completed' AND ts >= ? AND ts < ? GROUP BY profile
		HAVING min(ts) < ?) AS people`, []any{p.From, p.From - length, p.To, p.From}, func(row []any) error {
		if before := whole(row[0]); before > 0 {
			came := ratio(whole(row[1]), before)
			gone := 1 - came
			out.Retention, out.Churn = &came, &gone
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.each(ctx, "SELECT count(*) AS people, countIf("+optedIn+") AS agreed, countIf("+optedIn+" AND "+reachable+") AS reach FROM profiles", nil, func(row []any) error {
		out.Profiles, out.OptIn, out.Reach = whole(row[0]), ratio(whole(row[1]), whole(row[0])), whole(row[2])
		return nil
	})
}

// kpiPeople answers who is behind a number of a row, or of those that are said of all
// customers.
func (t *Tables) kpiPeople(ctx context.Context, p Params) (People, error) {
	switch p.Who {
	case "retention", "churn":
		came := "max(ts) >= ?"
		if p.Who == "churn" {
			came = "max(ts) < ?"
		}
		return t.people(ctx, p, "SELECT profile FROM orders WHERE kind = 'completed' AND ts >= ? AND ts < ? GROUP BY profile HAVING min(ts) < ? AND "+came, p.From-(p.To-p.From), p.To, p.From, p.From)
	case "profiles":
		return t.people(ctx, p, "SELECT profile FROM profiles")
	case "opt_in":
		return t.people(ctx, p, "SELECT profile FROM profiles WHERE "+optedIn)
	case "reach":
		return t.people(ctx, p, "SELECT profile FROM profiles WHERE "+optedIn+" AND "+reachable)
	}
	key, join, err := p.dimension()
	if err != nil {
		return People{}, err
	}
	where := " WHERE t.ts >= ? AND t.ts < ?"
	args := []any{p.From, p.To}
	switch p.By {
	case "":
	case "day":
		day, err := time.Parse(time.DateOnly, p.Key)
		if err != nil {
			return People{}, fault.New(fault.Invalid, "the key of a day is a date, such as 2026-03-02")
		}
		where, args = where+" AND "+key+" = ?", append(args, day.UnixMilli()/86_400_000)
	case "month":
		month, err := time.Parse("2006-01", p.Key)
		if err != nil {
			return People{}, fault.New(fault.Invalid, "the key of a month is such as 2026-03")
		}
		where, args = where+" AND "+key+" = ?", append(args, int64(month.Year()*12+int(month.Month())-1))
	case "hour":
		var hour int64
		if _, err := fmt.Sscanf(p.Key, "%d", &hour); err != nil {
			return People{}, fault.New(fault.Invalid, "the key of an hour is a number from 0 to 23")
		}
		where, args = where+" AND "+key+" = ?", append(args, hour)
	case "hour_of_week":
		var day, hour int64
		if _, err := fmt.Sscanf(p.Key, "%d-%d", &day, &hour); err != nil {
			return People{}, fault.New(fault.Invalid, "the key of an hour of the week is a day from 1 to 7 and an hour, such as 1-09 for Monday at nine")
		}
		where, args = where+" AND "+key+" = ?", append(args, (day-1)*24+hour)
	default:
		where, args = where+" AND "+key+" = ?", append(args, p.Key)
	}
	switch p.Who {
	case "customers", "orders":
		return t.people(ctx, p, "SELECT t.profile AS profile FROM orders AS t"+join+where+" AND t.kind = 'completed'", args...)
	case "revenue": // who sent something back has a part in it, too
		return t.people(ctx, p, "SELECT t.profile AS profile FROM orders AS t"+join+where, args...)
	case "predicted_clv":
		expected, err := t.clv(ctx, p.To)
		if err != nil {
			return People{}, err
		}
		var ids []identity.ID
		err = t.each(ctx, "SELECT DISTINCT t.profile AS profile FROM orders AS t"+join+where+" AND t.kind = 'completed'", args, func(row []any) error {
			if _, said := expected[row[0].(identity.ID)]; said {
				ids = append(ids, row[0].(identity.ID))
			}
			return nil
		})
		return pageOf(ids, p), err
	case "repeating":
		return t.people(ctx, p, `SELECT t.profile AS profile FROM orders AS t LEFT JOIN (SELECT profile, min(ts) AS first FROM orders WHERE kind = 'completed' GROUP BY profile) AS before
			ON before.profile = t.profile`+join+where+" AND t.kind = 'completed' AND t.ts > before.first", args...)
	case "visitors":
		return t.people(ctx, p, "SELECT t.profile AS profile FROM events AS t"+join+where+" AND "+visiting, args...)
	}
	return People{}, fault.New(fault.Invalid, "people are asked for behind orders, revenue, customers, repeating, visitors, predicted_clv, retention, churn, profiles, opt_in or reach")
}

// months is SQL for the month in which the instant ts lies by the wall clock of the
// zone: twelve times the year and the months since its January. The instants at which
// months begin are the branches of a tree, so that no database's calendar is asked.
func (p *Params) months() string {
	from, to := max(p.From, 0).In(p.Zone), min(p.To, lastKnown).In(p.Zone)
	first := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, p.Zone)
	var begins []time.Time
	for at := first; !at.After(to); at = at.AddDate(0, 1, 0) {
		begins = append(begins, at)
	}
	var tree func(list []time.Time) string
	tree = func(list []time.Time) string {
		if len(list) == 1 {
			return fmt.Sprint(list[0].Year()*12 + int(list[0].Month()) - 1)
		}
		half := len(list) / 2
		return fmt.Sprintf("if(ms(ts) < %d, %s, %s)", event.At(list[half]), tree(list[:half]), tree(list[half:]))
	}
	return tree(begins)
}

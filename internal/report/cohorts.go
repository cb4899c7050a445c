package report

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// Cohort is who began in one month, and how many of them came back in each after it.
type Cohort struct {
	Month  string  `json:"month"`
	People []int64 `json:"people"` // by months since: the first is everybody
}

// Cohorts is the triangle.
type Cohorts struct {
	Rows []Cohort `json:"rows"`
}

// Cohorts counts the known customers by the month of their first order, or return,
// and in which months after it they ordered or returned something.
func (t *Tables) Cohorts(ctx context.Context, p Params) (Cohorts, error) {
	first, months, err := t.months(ctx, p)
	out := Cohorts{Rows: []Cohort{}}
	last := 0
	counts := map[int]map[int]int64{}
	for who, begun := range first {
		if counts[begun] == nil {
			counts[begun] = map[int]int64{}
		}
		for m := range months[who] {
			counts[begun][m-begun]++
			last = max(last, m)
		}
	}
	for _, begun := range slices.Sorted(maps.Keys(counts)) {
		c := Cohort{Month: monthText(begun), People: make([]int64, last-begun+1)}
		for since, n := range counts[begun] {
			c.People[since] = n
		}
		out.Rows = append(out.Rows, c)
	}
	return out, err
}

// cohortPeople answers who is in a cell: its key is the month and the months since,
// "2010-12/3".
func (t *Tables) cohortPeople(ctx context.Context, p Params) (People, error) {
	month, since, _ := strings.Cut(p.Key, "/")
	begun, err := time.Parse("2006-01", month)
	n, nerr := strconv.Atoi(cmp.Or(since, "0"))
	if err != nil || nerr != nil || p.Who != "people" {
		return People{}, fault.New(fault.Invalid, "people are asked for by who=people and a key such as 2010-12/3: the month, and the months since")
	}
	first, months, err := t.months(ctx, p)
	m := int(event.At(begun).Month())
	var ids []identity.ID
	for who, at := range first {
		if _, came := months[who][m+n]; at == m && came {
			ids = append(ids, who)
		}
	}
	return pageOf(ids, p), err
}

func monthText(m int) string { return fmt.Sprintf("%04d-%02d", m/12, m%12+1) }

// months returns of every known customer the first month and all of them.
func (t *Tables) months(ctx context.Context, p Params) (map[identity.ID]int, map[identity.ID]map[int]struct{}, error) {
	where, args := "known AND ts >= ? AND ts < ?", []any{p.From, p.To}
	if p.Kinds == "completed" {
		where += " AND kind = 'completed'"
	}
	if p.Channel != "" {
		where += " AND profile IN (SELECT profile FROM orders WHERE known AND kind = 'completed' GROUP BY profile HAVING argMin(channel, ts) = ?)"
		args = append(args, p.Channel)
	}
	first, months := map[identity.ID]int{}, map[identity.ID]map[int]struct{}{}
	// A day of the zone is in one month of it, and there are few of them.
	err := t.each(ctx, "SELECT DISTINCT profile, intDiv("+p.local()+", 86400000) AS day FROM orders WHERE "+where, args, func(row []any) error {
		who := row[0].(identity.ID)
		m := int(event.At(time.UnixMilli(whole(row[1]) * 86_400_000)).Month())
		if months[who] == nil {
			months[who], first[who] = map[int]struct{}{}, m
		}
		months[who][m] = struct{}{}
		first[who] = min(first[who], m)
		return nil
	})
	return first, months, err
}

// RFM is how recently, how often and for how much customers bought.
type RFM struct {
	Currency  money.Currency `json:"currency"` // of what was spent; purchases in another count, and are added to none
	Customers int64          `json:"customers"`
	Once      int64          `json:"customers_with_one_order"`
	Recency   Spread         `json:"recency_days"`
	Frequency Spread         `json:"frequency"`
	Monetary  Spread         `json:"monetary"`
	Cells     []RFMCell      `json:"cells"`                      // by quintile of each, 5 the best
	Movement  []RFMMove      `json:"movement,omitempty"`         // between personas, since Params.Before if that is said
	Unmoved   string         `json:"movement_refused,omitempty"` // why there is none although it was asked for
	buyers    []rfmBuyer     // for who asks for people
}

// Spread is how a number is spread over people.
type Spread struct {
	Mean float64 `json:"mean"`
	Min  float64 `json:"min"`
	Q25  float64 `json:"q25"`
	Q50  float64 `json:"q50"`
	Q75  float64 `json:"q75"`
	Max  float64 `json:"max"`
}

// RFMCell counts the customers with one set of scores.
type RFMCell struct {
	Scores    string       `json:"scores"` // "555": recency, frequency, monetary
	Customers int64        `json:"customers"`
	Monetary  money.Micros `json:"monetary_micros"`
}

type rfmBuyer struct {
	who     identity.ID
	days    float64
	orders  float64
	sum     money.Micros
	quintet string
}

// goods are what customers bought and paid: lines with a quantity and a price, and
// orders of which only the sum is known.
const goods = `SELECT profile, ts, order_id, net, currency FROM order_lines WHERE known AND kind = 'completed' AND quantity > 0 AND price > 0
	UNION ALL SELECT profile, ts, order_id, net, currency FROM orders WHERE known AND kind = 'completed' AND units = 0 AND net > 0`

// day numbers the days of the zone.
func (p *Params) day(at event.Time) int64 {
	y, m, d := at.In(p.Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86_400
}

// RFM looks back from the day of Params.To: days of the calendar since the last
// purchase, orders, and their sum without returns.
func (t *Tables) RFM(ctx context.Context, p Params) (RFM, error) {
	out := RFM{Cells: []RFMCell{}}
	end := p.day(p.To)
	currency, main, err := t.inCurrency(ctx)
	if err != nil {
		return out, err
	}
	out.Currency = currency
	err = t.each(ctx, "SELECT profile, ms(max(ts)) AS last, uniqExact(order_id) AS orders, sumIf(net, "+main+") AS spent FROM ("+goods+") AS bought WHERE ts >= ? AND ts < ? GROUP BY profile ORDER BY profile", []any{p.From, p.To}, func(row []any) error {
		out.buyers = append(out.buyers, rfmBuyer{who: row[0].(identity.ID), days: float64(end - p.day(event.Time(whole(row[1])))), orders: float64(whole(row[2])), sum: micros(row[3])})
		return nil
	})
	if err != nil || len(out.buyers) == 0 {
		return out, err
	}
	pick := func(f func(*rfmBuyer) float64) []float64 {
		v := make([]float64, len(out.buyers))
		for i := range out.buyers {
			v[i] = f(&out.buyers[i])
		}
		slices.Sort(v)
		return v
	}
	days, orders := pick(func(b *rfmBuyer) float64 { return b.days }), pick(func(b *rfmBuyer) float64 { return b.orders })
	sums := pick(func(b *rfmBuyer) float64 { return float64(b.sum) / 1e6 })
	out.Recency, out.Frequency, out.Monetary = spread(days), spread(orders), spread(sums)
	out.Customers = int64(len(out.buyers))
	cells := map[string]*RFMCell{}
	for i := range out.buyers {
		b := &out.buyers[i]
		if b.orders == 1 {
			out.Once++
		}
		b.quintet = fmt.Sprint(6-quintile(days, b.days), quintile(orders, b.orders), quintile(sums, float64(b.sum)/1e6))
		b.quintet = strings.ReplaceAll(b.quintet, " ", "")
		if cells[b.quintet] == nil {
			cells[b.quintet] = &RFMCell{Scores: b.quintet}
		}
		cells[b.quintet].Customers++
		cells[b.quintet].Monetary += b.sum
	}
	for _, key := range slices.Sorted(maps.Keys(cells)) {
		out.Cells = append(out.Cells, *cells[key])
	}
	if p.Before != 0 && p.Who == "" {
		err = t.movement(ctx, p, &out)
	}
	return out, err
}

// rfmPeople answers who has the scores of the key, of two scores, whatever the third; or
// with who=movement who moved between two personas.
func (t *Tables) rfmPeople(ctx context.Context, p Params) (People, error) {
	if byMoves(&p) {
		return t.moverPeople(ctx, p)
	}
	if p.Who != "customers" || len(p.Key) != 2 && len(p.Key) != 3 {
		return People{}, fault.New(fault.Invalid, "people are asked for by who=customers and a key such as 555, or 55 for any sum; or by who=movement, before, and a key such as champion/slipping")
	}
	r, err := t.RFM(ctx, p)
	var ids []identity.ID
	for i := range r.buyers {
		if strings.HasPrefix(r.buyers[i].quintet, p.Key) {
			ids = append(ids, r.buyers[i].who)
		}
	}
	return pageOf(ids, p), err
}

// spread describes sorted numbers.
func spread(v []float64) Spread {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return Spread{sum / float64(len(v)), v[0], quantile(v, .25), quantile(v, .5), quantile(v, .75), v[len(v)-1]}
}

// quantile is between the two nearest of sorted numbers, as most tools count it.
func quantile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(v)-1)
	return v[low] + (at-float64(low))*(v[high]-v[low])
}

// quintile is in which fifth of sorted numbers one stands, from 1: by how many are
// smaller, so that equals stand together.
func quintile(v []float64, x float64) int {
	i, _ := slices.BinarySearch(v, x)
	return min(5, 1+5*i/len(v))
}

package report

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
)

// Life is how many customers are in which stage of life, day by day, and how they
// move between stages.
type Life struct {
	Days  []LifeDay `json:"days"`
	Moves []Move    `json:"moves"`
}

// LifeDay counts the customers at the end of a day. Stages add up to Customers.
type LifeDay struct {
	Day       string           `json:"day"`
	Customers int64            `json:"customers"` // heard of by then
	Stages    map[string]int64 `json:"stages"`
}

// Move is how many stays in a stage ended in another one. A customer who comes back
// to a stage stays in it once more.
type Move struct {
	From    string  `json:"from"`
	To      string  `json:"to"`
	Quarter string  `json:"quarter"` // of the loop, in which the stage that was left is worked on
	Moves   int64   `json:"moves"`
	Stays   int64   `json:"stays"` // in the stage that was left, also those that last
	Rate    float64 `json:"rate"`  // moves of stays
	Low     float64 `json:"low"`   // between these the rate lies with a confidence of 95 %
	High    float64 `json:"high"`
}

// mostDays bounds the days of the report: ten years.
const mostDays = 3_660

// Lifecycle counts by days of the zone. Stages follow from what was ordered and
// returned until the end of the day, and for those who have not ordered from their
// visits, by the rule that conditions ask ([profile.Profile.Lifecycle]). Who is known by
// name now counts as known from the first day, and who speaks for the shop now as
// having done so: the warehouse keeps the last word on both.
func (t *Tables) Lifecycle(ctx context.Context, p Params) (Life, error) {
	l, err := t.lives(ctx, p, nil)
	if err != nil {
		return Life{}, err
	}
	out := Life{Days: []LifeDay{}, Moves: []Move{}}
	for i, count := range l.count {
		day := LifeDay{Day: l.text(i), Stages: map[string]int64{}}
		for s, n := range count {
			day.Customers += n
			if n > 0 {
				day.Stages[profile.Stage(s).String()] = n
			}
		}
		out.Days = append(out.Days, day)
	}
	for from := range profile.Stage(profile.Stages) {
		for to := range profile.Stage(profile.Stages) {
			n := l.moves[from][to]
			if n == 0 {
				continue
			}
			m := Move{From: from.String(), To: to.String(), Quarter: from.Quarter(), Moves: n, Stays: l.stays[from], Rate: ratio(n, l.stays[from])}
			m.Low, m.High = interval(n, l.stays[from])
			out.Moves = append(out.Moves, m)
		}
	}
	return out, nil
}

// interval is Wilson's for a share, with a confidence of 95 %.
func interval(n, of int64) (low, high float64) {
	if of == 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	share, all := float64(n)/float64(of), float64(of)
	mid := (share + z*z/(2*all)) / (1 + z*z/all)
	half := z / (1 + z*z/all) * math.Sqrt(share*(1-share)/all+z*z/(4*all*all))
	return max(0, mid-half), min(1, mid+half)
}

// lifecyclePeople answers who is in a stage at the end of a day, key "2011-03-01/repeat"
// with who=customers, or who moved between two, key "first/repeat" with who=moves.
func (t *Tables) lifecyclePeople(ctx context.Context, p Params) (People, error) {
	first, second, _ := strings.Cut(p.Key, "/")
	to, known := profile.StageOf(second)
	from, other := profile.StageOf(first)
	if !known || p.Who == "moves" && !other || p.Who != "moves" && p.Who != "customers" {
		return People{}, fault.New(fault.Invalid, "people are asked for by who=customers and a key such as 2011-03-01/repeat, or by who=moves and one such as first/repeat")
	}
	found := map[identity.ID]struct{}{}
	_, err := t.lives(ctx, p, func(who identity.ID, day string, was, is profile.Stage, moved bool) {
		if p.Who == "customers" && day == first && is == to || p.Who == "moves" && moved && was == from && is == to {
			found[who] = struct{}{}
		}
	})
	return pageOf(slices.Collect(maps.Keys(found)), p), err
}

// lives is one count under way. It holds one customer at a time, however many there
// are.
type lives struct {
	p     *Params
	begin []event.Time // of each day; one more is the end of the last
	count [][profile.Stages]int64
	moves [profile.Stages][profile.Stages]int64
	stays [profile.Stages]int64
	watch func(who identity.ID, day string, was, is profile.Stage, moved bool) // nil: nobody asks who
}

func (l *lives) text(day int) string { return l.begin[day].In(l.p.Zone).Format(time.DateOnly) }

func (t *Tables) lives(ctx context.Context, p Params, watch func(identity.ID, string, profile.Stage, profile.Stage, bool)) (*lives, error) {
	l := &lives{p: &p, watch: watch}
	var first event.Time
	if err := t.each(ctx, "SELECT ms(min(first)) AS first FROM profiles", nil, func(row []any) error {
		first = event.Time(whole(row[0]))
		return nil
	}); err != nil || first == 0 {
		return l, err
	}
	if err := l.days(max(p.From, first)); err != nil || len(l.begin) < 2 {
		return l, err
	}
	// One question: the warehouse answers few at a time, and who waits for a second
	// answer with the first in hand may wait for themselves.
	var one *life
	err := t.each(ctx, told, []any{p.To, p.To, p.To}, func(row []any) error {
		id, at := row[0].(identity.ID), event.Time(whole(row[2]))
		if whole(row[1]) == isPerson {
			l.add(one)
			one = personOf(id, at, whole(row[3]) != 0, word(row[4]))
			return nil
		}
		switch {
		case one == nil || one.p.ID != id: // of somebody who has no row of their own yet
		case whole(row[1]) == isOrder:
			one.p.Orders = append(one.p.Orders, profile.Order{ID: word(row[4]), Kind: kinds[word(row[5])], At: at, Net: micros(row[3])})
		default:
			one.visits = append(one.visits, visit{at, event.Time(whole(row[3]))})
		}
		return nil
	})
	l.add(one)
	return l, err
}

// What a row of told is about.
const isPerson, isOrder = 0, 1

// told is all that stages rest on, customer by customer: themselves, then their
// orders, then their visits, each in the order of time.
const told = `SELECT profile, what, since, number, label, kind FROM (
	SELECT profile, 0 AS what, ms(first) AS since, if(known, 1, 0) AS number, coalesce(lifecycle, '') AS label, '' AS kind FROM profiles WHERE first < ?
	UNION ALL SELECT profile, 1 AS what, ms(ts) AS since, net AS number, order_id AS label, kind FROM orders WHERE ts < ?
	UNION ALL SELECT profile, 2 AS what, ms(session) AS since, ms(max(ts)) AS number, '' AS label, '' AS kind FROM events AS t
		WHERE ts < ? AND session IS NOT NULL AND ` + visiting + ` GROUP BY profile, session
	) AS said ORDER BY profile, what, since, label`

func personOf(id identity.ID, from event.Time, known bool, stage string) *life {
	one := &life{from: from, p: profile.New(id)}
	if known {
		one.p.Held = []profile.Held{{Identifier: identity.Identifier{Kind: identity.User, Value: "known"}, State: profile.Owned}}
	}
	if stage == profile.Advocate.String() {
		one.p.Traits = []profile.Trait{{Name: profile.Advocacy()[0], Value: event.Int(1)}}
	}
	return one
}

var kinds = map[string]profile.OrderKind{"completed": profile.Completed, "refunded": profile.Refunded, "cancelled": profile.Cancelled}

// days notes when each day of the zone begins, from that of an instant to the end of
// the time.
func (l *lives) days(from event.Time) error {
	y, m, d := from.In(l.p.Zone).Date()
	for i := range mostDays + 2 {
		at := event.At(time.Date(y, m, d+i, 0, 0, 0, 0, l.p.Zone))
		l.begin = append(l.begin, at)
		if at >= l.p.To {
			break
		}
	}
	if len(l.begin) > mostDays+1 {
		return fault.New(fault.Invalid, fmt.Sprintf("stages are counted over at most %d days: ask with from and to", mostDays))
	}
	l.count = make([][profile.Stages]int64, max(0, len(l.begin)-1))
	return nil
}

// life is what is known of one customer.
type life struct {
	p      *profile.Profile
	from   event.Time
	visits []visit
}

type visit struct{ began, last event.Time }

// add counts a customer on every day; nil is nobody.
func (l *lives) add(one *life) {
	if one == nil {
		return
	}
	var was profile.Stage
	var until event.Time
	known, next, began := false, 0, 0
	for day := range l.count {
		end := min(l.begin[day+1], l.p.To) - 1
		if end < one.from {
			continue
		}
		news := false
		for ; next < len(one.p.Orders) && one.p.Orders[next].At <= end; next++ {
			news = true
		}
		for ; began < len(one.visits) && one.visits[began].began <= end; began++ {
			v := one.visits[began]
			one.p.Session = profile.Session{Start: v.began, Last: v.last, Count: int64(began + 1)}
			news = true
		}
		is := was
		if !known || news || end >= until {
			is, until = one.p.Lifecycle(end)
		}
		l.count[day][is]++
		if !known {
			l.stays[is]++
		}
		moved := known && is != was
		if moved {
			l.moves[was][is]++
			l.stays[is]++
		}
		if l.watch != nil {
			l.watch(one.p.ID, l.text(day), was, is, moved)
		}
		was, known = is, true
	}
}

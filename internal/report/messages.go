package report

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
)

// MessageRow is what became of one message of a journey or campaign. The states add up
// to what the delivery ledger holds.
type MessageRow struct {
	Origin  string `json:"origin"`
	Step    string `json:"step"`
	Channel string `json:"channel"`
	Class   string `json:"class"`

	States map[string]int64 `json:"states"` // by the state that each delivery has come to; "open": on its way

	Sent         int64        `json:"sent"` // accepted, or handed over with an unknown outcome
	Delivered    int64        `json:"delivered"`
	Bounced      int64        `json:"bounced"`
	Opened       int64        `json:"opened_unreliable"` // by people, as far as can be told
	Clicked      int64        `json:"clicked"`           // by people
	Unsubscribed int64        `json:"unsubscribed"`
	Complained   int64        `json:"complained"`
	Orders       int64        `json:"orders"` // of whom it was the last message within the window
	Revenue      money.Micros `json:"revenue_micros"`
	PerRecipient money.Micros `json:"revenue_per_recipient_micros"`
}

// Messages is the report.
type Messages struct {
	Currency money.Currency `json:"currency"` // of revenue; orders in another count, and are added to none
	Rows     []MessageRow   `json:"rows"`
}

// ended orders the states of a delivery: the highest that it had is where it stands.
// What is on its way is below everything final.
var ended = []string{"open", "expired", "dropped", "withheld", "recalled", "render_failed", "rejected", "unknown", "accepted"}

// rank is SQL for the place of a row's state in ended.
func rank() string {
	out := "0"
	for i := len(ended) - 1; i > 0; i-- {
		out = "if(state = '" + ended[i] + "', " + string(rune('0'+i)) + ", " + out + ")"
	}
	return out
}

// each delivery as one row; receipts do not know their journey, so the word that is
// not empty is the ledger's.
func perDelivery() string {
	has := func(state, more string) string { return "max(if(state = '" + state + "'" + more + ", 1, 0))" }
	return `SELECT delivery, max(profile) AS profile, max(origin) AS origin, max(step) AS step, max(channel) AS channel, max(class) AS class, max(` + rank() + `) AS stands,
		min(if(state = 'accepted' OR state = 'unknown', ts, NULL)) AS sent, max(if(origin != '', 1, 0)) AS ours, ` +
		has("delivered", "") + ` AS delivered, ` + has("bounced", "") + ` AS bounced, ` + has("opened", " AND actor = 'human'") + ` AS opened, ` + has("clicked", " AND actor = 'human'") + ` AS clicked, ` +
		has("unsubscribed", "") + ` AS unsubscribed, ` + has("complained", "") + ` AS complained, min(ts) AS begun FROM deliveries GROUP BY delivery`
}

type messageKey struct{ origin, step, channel, class string }

func (k messageKey) compare(o messageKey) int {
	return cmp.Or(strings.Compare(k.origin, o.origin), strings.Compare(k.step, o.step), strings.Compare(k.channel, o.channel), strings.Compare(k.class, o.class))
}

// Messages counts every message that was planned within the time.
func (t *Tables) Messages(ctx context.Context, p Params) (Messages, error) {
	out := Messages{Rows: []MessageRow{}}
	rows := map[messageKey]*MessageRow{}
	where, args := "ours = 1 AND begun >= ? AND begun < ?", []any{p.From, p.To}
	if p.Channel != "" {
		where, args = where+" AND channel = ?", append(args, p.Channel)
	}
	err := t.each(ctx, "SELECT origin, step, channel, class, stands, count(*) AS n, sum(delivered) AS d, sum(bounced) AS b, sum(opened) AS o, sum(clicked) AS c, sum(unsubscribed) AS u, sum(complained) AS x FROM ("+
		perDelivery()+") AS one WHERE "+where+" GROUP BY origin, step, channel, class, stands", args, func(row []any) error {
		k := messageKey{word(row[0]), word(row[1]), word(row[2]), word(row[3])}
		m := rows[k]
		if m == nil {
			m = &MessageRow{Origin: k.origin, Step: k.step, Channel: k.channel, Class: k.class, States: map[string]int64{}}
			rows[k] = m
		}
		state := ended[whole(row[4])]
		m.States[state] += whole(row[5])
		if state == "accepted" || state == "unknown" {
			m.Sent += whole(row[5])
		}
		for i, field := range []*int64{&m.Delivered, &m.Bounced, &m.Opened, &m.Clicked, &m.Unsubscribed, &m.Complained} {
			*field += whole(row[6+i])
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	main := ""
	if out.Currency, main, err = t.inCurrency(ctx); err != nil {
		return out, err
	}
	if err := t.credit(ctx, p, main, func(_ identity.ID, key messageKey, net money.Micros) {
		if m := rows[key]; m != nil {
			m.Orders++
			m.Revenue += net
		}
	}); err != nil {
		return out, err
	}
	for _, m := range rows {
		if m.Sent > 0 {
			m.PerRecipient = m.Revenue / money.Micros(m.Sent)
		}
		out.Rows = append(out.Rows, *m)
	}
	slices.SortFunc(out.Rows, func(a, b MessageRow) int {
		return cmp.Or(strings.Compare(a.Origin, b.Origin), strings.Compare(a.Step, b.Step), strings.Compare(a.Channel, b.Channel), strings.Compare(a.Class, b.Class))
	})
	return out, nil
}

type touch struct {
	at  int64
	key messageKey
}

// credit gives each order to the last marketing message that its customer got within
// the window before it. It says what came after, and not what came because of it.
func (t *Tables) credit(ctx context.Context, p Params, main string, yield func(who identity.ID, key messageKey, net money.Micros)) error {
	within := int64(cmp.Or(p.Within, defaultWithin) / time.Millisecond)
	touches := map[identity.ID][]touch{}
	err := t.each(ctx, "SELECT profile, ms(sent) AS at_ms, origin, step, channel, class FROM ("+perDelivery()+") AS one WHERE ours = 1 AND class = 'marketing' AND sent IS NOT NULL AND sent < ?", []any{p.To}, func(row []any) error {
		who := row[0].(identity.ID)
		touches[who] = append(touches[who], touch{whole(row[1]), messageKey{word(row[2]), word(row[3]), word(row[4]), word(row[5])}})
		return nil
	})
	if err != nil || len(touches) == 0 {
		return err
	}
	for _, list := range touches { // of two at one instant the same one counts, however often it is asked
		slices.SortFunc(list, func(a, b touch) int { return cmp.Or(cmp.Compare(a.at, b.at), a.key.compare(b.key)) })
	}
	return t.each(ctx, "SELECT profile, ms(ts) AS at_ms, if("+main+", net, 0) AS net FROM orders WHERE kind = 'completed' AND ts >= ?", []any{p.From}, func(row []any) error {
		who := row[0].(identity.ID)
		list, at := touches[who], whole(row[1])
		i, _ := slices.BinarySearchFunc(list, at, func(t touch, at int64) int { return cmp.Compare(t.at, at) })
		if i == 0 || at-list[i-1].at > within {
			return nil
		}
		yield(who, list[i-1].key, micros(row[2]))
		return nil
	})
}

// messagePeople answers who got or did what: the key is origin/step, and who a state,
// a receipt, or orders. With a channel it is of that.
func (t *Tables) messagePeople(ctx context.Context, p Params) (People, error) {
	origin, step, ok := strings.Cut(p.Key, "/")
	if !ok {
		return People{}, fault.New(fault.Invalid, "the key of a message is its journey or campaign and its step: welcome/hello")
	}
	what := ""
	switch p.Who {
	case "orders", "revenue":
		var ids []identity.ID
		err := t.credit(ctx, p, "true", func(who identity.ID, key messageKey, _ money.Micros) {
			if key.origin == origin && key.step == step && (p.Channel == "" || key.channel == p.Channel) {
				ids = append(ids, who)
			}
		})
		return pageOf(ids, p), err
	case "sent":
		what = "sent IS NOT NULL"
	case "delivered", "bounced", "opened", "clicked", "unsubscribed", "complained":
		what = p.Who + " = 1"
	default:
		i := slices.Index(ended, p.Who)
		if i < 0 {
			return People{}, fault.New(fault.Invalid, "people are asked for behind sent, a receipt, orders, or a state: "+strings.Join(ended, ", "))
		}
		what = "stands = " + string(rune('0'+i))
	}
	args := []any{origin, step, p.From, p.To}
	if p.Channel != "" {
		what, args = what+" AND channel = ?", append(args, p.Channel)
	}
	return t.people(ctx, p, "SELECT profile FROM ("+perDelivery()+") AS one WHERE ours = 1 AND origin = ? AND step = ? AND begun >= ? AND begun < ? AND "+what, args...)
}

// CLV is how what models expect of customers is spread.
type CLV struct {
	Customers int64     `json:"customers"`
	Spread    Spread    `json:"spread"`
	Deciles   []float64 `json:"decile_means"` // the best tenth first
}

// predictionMade is the event by which models tell what they expect.
const predictionMade = "Prediction Made"

// clv returns the last word of the models on what each customer is worth, said before
// an instant.
func (t *Tables) clv(ctx context.Context, before event.Time) (map[identity.ID]float64, error) {
	values := map[identity.ID]float64{}
	err := t.each(ctx, "SELECT profile, argMax(properties, ts) AS said FROM events WHERE name = ? AND properties LIKE '%\"clv\"%' AND ts < ? GROUP BY profile", []any{predictionMade, before}, func(row []any) error {
		if v, ok := worth(word(row[1])); ok {
			values[row[0].(identity.ID)] = v
		}
		return nil
	})
	return values, err
}

// worth is what a model's event says that a customer is worth. Other words of it are
// days, names or lists.
func worth(properties string) (float64, bool) {
	var said struct {
		Predictions []struct {
			Name  string          `json:"name"`
			Value json.RawMessage `json:"value"`
		} `json:"predictions"`
	}
	if json.Unmarshal([]byte(properties), &said) != nil {
		return 0, false // of another form: it says nothing
	}
	for _, one := range said.Predictions {
		var number json.Number
		if one.Name == "clv" && json.Unmarshal(one.Value, &number) == nil {
			v, err := number.Float64()
			return v, err == nil
		}
	}
	return 0, false
}

// CLV reads the last word of the models on each customer.
func (t *Tables) CLV(ctx context.Context, p Params) (CLV, error) {
	out := CLV{Deciles: []float64{}}
	list, err := t.byWorth(ctx, p)
	if err != nil || len(list) == 0 {
		return out, err
	}
	values := make([]float64, len(list))
	for i := range list {
		values[len(list)-1-i] = list[i].worth
	}
	out.Customers, out.Spread = int64(len(values)), spread(values)
	for i := range tenths {
		if part := tenth(list, i); len(part) > 0 {
			sum := 0.0
			for _, x := range part {
				sum += x.worth
			}
			out.Deciles = append(out.Deciles, sum/float64(len(part)))
		}
	}
	return out, nil
}

// tenths is into how many groups customers are divided by their worth.
const tenths = 10

type worthy struct {
	who   identity.ID
	worth float64
}

// byWorth returns whom the models speak of, the best first; equals in order of id.
func (t *Tables) byWorth(ctx context.Context, p Params) ([]worthy, error) {
	said, err := t.clv(ctx, p.To)
	list := make([]worthy, 0, len(said))
	for who, v := range said {
		list = append(list, worthy{who, v})
	}
	slices.SortFunc(list, func(a, b worthy) int {
		return cmp.Or(cmp.Compare(b.worth, a.worth), a.who.Compare(b.who))
	})
	return list, err
}

// tenth returns one of the groups, from 0.
func tenth(list []worthy, i int) []worthy {
	return list[i*len(list)/tenths : (i+1)*len(list)/tenths]
}

// clvPeople answers who is in a tenth, key 1 to 10, the best first; without a key, of
// whom the models speak at all.
func (t *Tables) clvPeople(ctx context.Context, p Params) (People, error) {
	n, err := strconv.Atoi(cmp.Or(p.Key, "1"))
	if err != nil || n < 1 || n > tenths || p.Who != "customers" && p.Who != "decile_means" {
		return People{}, fault.New(fault.Invalid, "people are asked for by who=customers and the number of a tenth as key, from 1, the best, to 10; without a key they are all")
	}
	list, err := t.byWorth(ctx, p)
	if p.Key != "" {
		list = tenth(list, n-1)
	}
	ids := make([]identity.ID, len(list))
	for i := range list {
		ids[i] = list[i].who
	}
	return pageOf(ids, p), err
}

// LedgerStates turns the ledger's states into those of the report: what is on its way
// is one.
func LedgerStates(counts map[profile.State]int64) map[string]int64 {
	out := map[string]int64{}
	for s, n := range counts {
		if s.Open() {
			out["open"] += n
		} else {
			out[s.String()] += n
		}
	}
	return out
}

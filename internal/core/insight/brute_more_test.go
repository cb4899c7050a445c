package insight_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// seen are the events of a question that count at a tick: by instant, then article.
func seen(l *life, now int, names []string, category string) (list []step) {
	for _, s := range l.steps {
		if s.name != "" && s.heard <= now && s.at <= now && slices.Contains(names, s.name) && (category == "" || s.category == category) {
			list = append(list, s)
		}
	}
	slices.SortStableFunc(list, func(a, b step) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.sku, b.sku)) })
	return list
}

// sequence is one thing after another.
type sequence struct {
	names      []string
	categories []string
	gaps       []int  // ticks after the step before
	end        string // did, not, notyet
	window     int    // ticks; 0: the whole history
}

func (q sequence) text() string {
	var list []string
	for i, name := range q.names {
		head, gap := "did", "within"
		if i == len(q.names)-1 && q.end != "did" {
			head = "did_not"
			if q.end == "notyet" {
				gap = "for"
			}
		}
		s := "{'" + head + "':'" + name + "'"
		if q.categories[i] != "" {
			s += ",'where':{'category':'" + q.categories[i] + "'}"
		}
		if i > 0 {
			s += fmt.Sprintf(",'%s':'%dm'", gap, q.gaps[i]*15)
		}
		list = append(list, s+"}")
	}
	s := "{'sequence':[" + strings.Join(list, ",") + "]"
	if q.window != 0 {
		s += fmt.Sprintf(",'within':'%dm'", q.window*15)
	}
	return s + "}"
}

func (q sequence) answers(l *life) []bool {
	return perTick(l, func(now int) bool { return q.answer(l, now) })
}

func (q sequence) answer(l *life, now int) bool {
	n := len(q.names)
	if q.end != "did" {
		n--
	}
	runs := []int{}
	for i := range n {
		var next []int
		for _, s := range seen(l, now, q.names[i:i+1], q.categories[i]) {
			if i == 0 || slices.ContainsFunc(runs, func(a int) bool { return (a < s.at || a == s.at && q.names[i] != q.names[i-1]) && s.at <= a+q.gaps[i] }) {
				next = append(next, s.at)
			}
		}
		runs = next
	}
	for _, a := range runs {
		if q.window != 0 && a <= now-q.window {
			continue
		}
		if q.end == "did" {
			return true
		}
		gap := q.gaps[n]
		if now < a+gap {
			continue
		}
		until := now
		if q.end == "not" {
			until = a + gap
		}
		if !slices.ContainsFunc(seen(l, now, q.names[n:], q.categories[n]), func(s step) bool { return (s.at > a || s.at == a && q.names[n] != q.names[n-1]) && s.at <= until }) {
			return true
		}
	}
	return false
}

// made is a computed trait.
type made struct {
	name   string
	events []string
	take   string
	window int
}

func (m made) text() string {
	s := "{'did':['" + strings.Join(m.events, "','") + "'],'take':'" + m.take + "'"
	if m.window != 0 {
		s += fmt.Sprintf(",'within':'%dm'", m.window*15)
	}
	return s + "}"
}

// values returns the trait at a tick: none, one, or of unique each.
func (m made) values(l *life, now int) (list []string) {
	all := seen(l, now, m.events, "")
	in := slices.DeleteFunc(slices.Clone(all), func(s step) bool { return m.window != 0 && s.at <= now-m.window })
	skus := slices.DeleteFunc(slices.Clone(in), func(s step) bool { return s.sku == "" })
	prices := slices.DeleteFunc(slices.Clone(in), func(s step) bool { return s.currency == "EUR" })
	switch m.take {
	case "count":
		return []string{strconv.Itoa(len(in))}
	case "sum(price)":
		sum := 0
		for _, s := range prices {
			sum += s.price
		}
		return []string{strconv.Itoa(sum)}
	case "min(price)", "max(price)":
		if len(prices) == 0 {
			return nil
		}
		best := prices[0].price
		for _, s := range prices {
			if m.take == "min(price)" {
				best = min(best, s.price)
			} else {
				best = max(best, s.price)
			}
		}
		return []string{strconv.Itoa(best)}
	case "first_time", "last_time":
		if len(all) == 0 {
			return nil
		}
		if m.take == "first_time" {
			return []string{strconv.Itoa(all[0].at)}
		}
		return []string{strconv.Itoa(all[len(all)-1].at)}
	case "unique(sku)":
		for _, s := range skus {
			if !slices.Contains(list, s.sku) {
				list = append(list, s.sku)
			}
		}
		return list
	}
	if len(skus) == 0 {
		return nil
	}
	switch m.take {
	case "first(sku)":
		return []string{skus[0].sku}
	case "last(sku)":
		return []string{skus[len(skus)-1].sku}
	}
	counts := map[string]int{}
	for _, s := range skus {
		counts[s.sku]++
	}
	best := ""
	for _, s := range skus { // the later wins
		if best == "" || counts[s.sku] >= counts[best] {
			best = s.sku
		}
	}
	return []string{best}
}

// trait compares a computed trait.
type trait struct {
	made made
	op   string
	n    int
	sku  string
}

func (q trait) text() string {
	head := "{'trait':'" + q.made.name + "',"
	switch q.op {
	case "exists":
		return head + "'exists':true}"
	case "is", "is_not":
		return head + "'" + q.op + "':'" + q.sku + "'}"
	case "in the last", "more than":
		s := fmt.Sprintf("%s %dm", q.op, q.n*15)
		if q.op == "more than" {
			s += " ago"
		}
		return head + "'within':'" + s + "'}"
	}
	return head + "'" + q.op + "':" + strconv.Itoa(q.n) + "}"
}

func (q trait) answers(l *life) []bool {
	return perTick(l, func(now int) bool {
		values := q.made.values(l, now)
		switch q.op {
		case "exists":
			return len(values) > 0
		case "is":
			return slices.Contains(values, q.sku)
		case "is_not":
			return !slices.Contains(values, q.sku)
		}
		if len(values) == 0 {
			return false
		}
		n := must(strconv.Atoi(values[0]))
		switch q.op {
		case "in the last":
			return now-n < q.n
		case "more than":
			return now-n >= q.n
		case ">=":
			return n >= q.n
		}
		return n <= q.n
	})
}

// kept is a question about what is kept of the customer beside traits.
type kept struct {
	kind   string // message, list, predicted, object
	flow   string
	within int
	n      int
	op     string
	status string
	when   string // of an object's date: last, next, birthday
}

func (q kept) text() string {
	switch q.kind {
	case "message":
		s := "{'message':'opened'"
		if q.flow != "" {
			s += ",'journey':'" + q.flow + "'"
		}
		if q.within != 0 {
			s += fmt.Sprintf(",'within':'%dm'", q.within*15)
		}
		return s + fmt.Sprintf(",'times':'%s %d'}", q.op, q.n)
	case "list":
		return "{'list':'press'}"
	case "rfm":
		return "{'rfm':['loyal','champion']}"
	case "predicted":
		if q.within != 0 {
			return fmt.Sprintf("{'prediction':'next_order','within':'in the next %dm'}", q.within*15)
		}
		return fmt.Sprintf("{'prediction':'clv','%s':%d}", q.op, q.n)
	}
	var where []string
	if q.status != "" {
		where = append(where, "'status':'"+q.status+"'")
	}
	switch q.when {
	case "last", "next":
		where = append(where, fmt.Sprintf("'renews':{'within':'in the %s %dm'}", q.when, q.within*15))
	case "birthday":
		where = append(where, "'born':{'anniversary':'in the next 2d'}")
	}
	s := "{'object':'pet'"
	if where != nil {
		s += ",'where':{" + strings.Join(where, ",") + "}"
	}
	return s + fmt.Sprintf(",'times':'%s %d'}", q.op, q.n)
}

func (q kept) answers(l *life) []bool {
	return perTick(l, func(now int) bool {
		in, count := false, 0
		predicted := map[string]step{}
		objects := map[string]step{}
		for _, s := range l.steps {
			if s.heard > now {
				break
			}
			switch {
			case s.name == messageOpened && s.at <= now && s.actor != "machine" && (q.flow == "" || s.flow == q.flow) && (q.within == 0 || s.at > now-q.within):
				count++
			case s.list != "":
				in = s.list == "joined"
			case s.predicts != "":
				predicted[s.predicts] = s
			case s.object != "":
				objects[s.object] = s
			}
		}
		zone := ""
		for _, s := range l.steps {
			if s.zone != "" && s.heard <= now {
				zone = s.zone
			}
		}
		switch q.kind {
		case "message":
			return compare(count, q.op, q.n)
		case "list":
			return in
		case "rfm":
			s := predicted["rfm_persona"]
			return (s.value == "champion" || s.value == "loyal") && (s.expires == 0 || now < s.expires)
		case "predicted":
			name := "clv"
			if q.within != 0 {
				name = "next_order"
			}
			s, there := predicted[name]
			if !there || s.value == "" || s.expires != 0 && now >= s.expires {
				return false
			}
			if q.within != 0 {
				at := must(time.Parse(time.RFC3339, s.value))
				return at.After(l.time(now)) && !at.After(l.time(now+q.within))
			}
			return compare(must(strconv.Atoi(s.value)), q.op, q.n)
		}
		fit := 0
		for _, s := range objects {
			if s.status == "" || q.status != "" && s.status != q.status {
				continue
			}
			d := must(time.Parse(time.RFC3339, s.value)).Sub(l.time(now))
			span := time.Duration(q.within) * tick
			switch q.when {
			case "last":
				if d > 0 || d <= -span {
					continue
				}
			case "next":
				if d <= 0 || d > span {
					continue
				}
			case "birthday":
				if !soon(s.born, l.time(now).In(loaded[zone])) {
					continue
				}
			}
			fit++
		}
		return compare(fit, q.op, q.n)
	})
}

// soon reports whether a birthday is today or on one of the two days that follow.
func soon(born string, local time.Time) bool {
	b := must(time.Parse(time.DateOnly, born))
	for ahead := range 3 {
		y, m, d := local.Date()
		then := time.Date(y, m, d+ahead, 0, 0, 0, 0, time.UTC)
		if then.Month() == b.Month() && then.Day() == b.Day() {
			return true
		}
	}
	return false
}

const messageOpened = "Message Opened"

func drawSequence(t *rapid.T) ask {
	q := sequence{end: rapid.SampledFrom([]string{"did", "not", "notyet"}).Draw(t, "end")}
	n := rapid.IntRange(2, 3).Draw(t, "steps of it")
	longest := 0
	for i := range n {
		q.names = append(q.names, rapid.SampledFrom(testNames[:2]).Draw(t, "step"))
		q.categories = append(q.categories, rapid.SampledFrom([]string{"", "", "shoes"}).Draw(t, "of"))
		q.gaps = append(q.gaps, 0)
		if i > 0 {
			q.gaps[i] = rapid.IntRange(1, 60).Draw(t, "gap")
			longest = q.gaps[i]
		}
	}
	if rapid.Bool().Draw(t, "rolling") {
		q.window = longest + rapid.IntRange(1, 150).Draw(t, "within")
	}
	return q
}

// drawMade draws the computed traits of a program.
func drawMade(t *rapid.T) (list []made) {
	takes := []string{"count", "sum(price)", "min(price)", "max(price)", "first(sku)", "last(sku)", "most_frequent(sku)", "most_frequent(sku)", "unique(sku)", "first_time", "last_time"}
	for i := range rapid.IntRange(0, 4).Draw(t, "traits") {
		m := made{name: "made" + strconv.Itoa(i), take: rapid.SampledFrom(takes).Draw(t, "take")}
		m.events = rapid.SliceOfNDistinct(rapid.SampledFrom(testNames[:3]), 1, 2, rapid.ID[string]).Draw(t, "names")
		if !strings.HasSuffix(m.take, "_time") && rapid.IntRange(0, 2).Draw(t, "rolling") > 0 {
			m.window = rapid.IntRange(1, 200).Draw(t, "within")
		}
		list = append(list, m)
	}
	return list
}

func drawTrait(t *rapid.T, list []made) ask {
	q := trait{made: rapid.SampledFrom(list).Draw(t, "trait")}
	switch {
	case strings.HasSuffix(q.made.take, "(sku)"):
		q.op = rapid.SampledFrom([]string{"is", "is", "is_not", "exists"}).Draw(t, "op")
		q.sku = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "sku")
	case strings.HasSuffix(q.made.take, "_time"):
		q.op = rapid.SampledFrom([]string{"in the last", "more than", "exists"}).Draw(t, "op")
		q.n = rapid.IntRange(1, 150).Draw(t, "n")
	default:
		q.op = rapid.SampledFrom([]string{">=", "<="}).Draw(t, "op")
		q.n = rapid.IntRange(-2, 6).Draw(t, "n")
	}
	return q
}

func drawKept(t *rapid.T) ask {
	q := kept{kind: rapid.SampledFrom([]string{"message", "list", "predicted", "rfm", "object", "object"}).Draw(t, "kept")}
	q.op = rapid.SampledFrom([]string{">=", "<=", "="}).Draw(t, "op")
	q.n = rapid.IntRange(0, 3).Draw(t, "n")
	switch q.kind {
	case "message":
		q.flow = rapid.SampledFrom([]string{"", "welcome"}).Draw(t, "flow")
		q.within = rapid.SampledFrom([]int{0, 5, 80}).Draw(t, "within")
	case "predicted":
		q.op = rapid.SampledFrom([]string{">=", "<="}).Draw(t, "op")
		q.within = rapid.SampledFrom([]int{0, 5, 80}).Draw(t, "within")
	case "object":
		q.within = rapid.IntRange(1, 100).Draw(t, "span")
		q.status = rapid.SampledFrom([]string{"", "active"}).Draw(t, "status")
		q.when = rapid.SampledFrom([]string{"", "last", "next", "birthday"}).Draw(t, "when")
	}
	return q
}

// drawStep draws something that is kept of the customer, or a message opened.
func drawStep(t *rapid.T, l *life, s *step) {
	date := func() string {
		return l.time(rapid.IntRange(-100, l.ticks+100).Draw(t, "date")).Format(time.RFC3339)
	}
	switch rapid.IntRange(0, 3).Draw(t, "kept") {
	case 0:
		s.name, s.at = messageOpened, s.heard
		s.actor = rapid.SampledFrom([]string{"human", "machine", "unknown"}).Draw(t, "actor")
		s.flow = rapid.SampledFrom([]string{"welcome", "cart"}).Draw(t, "flow")
	case 1:
		s.list = rapid.SampledFrom([]string{"joined", "left"}).Draw(t, "list")
	case 2:
		s.predicts = rapid.SampledFrom([]string{"clv", "next_order", "rfm_persona"}).Draw(t, "name")
		switch {
		case rapid.IntRange(0, 4).Draw(t, "taken back") == 0:
		case s.predicts == "clv":
			s.value = strconv.Itoa(rapid.IntRange(0, 4).Draw(t, "clv"))
		case s.predicts == "rfm_persona":
			s.value = rapid.SampledFrom([]string{"champion", "loyal", "inactive"}).Draw(t, "persona")
		default:
			s.value = date()
		}
		if rapid.Bool().Draw(t, "ends") {
			s.expires = s.heard + rapid.IntRange(1, 80).Draw(t, "expires")
		}
	default:
		s.object = rapid.SampledFrom([]string{"rex", "tom", "kim"}).Draw(t, "object")
		s.status = rapid.SampledFrom([]string{"", "active", "active", "paused"}).Draw(t, "status")
		s.value = date()
		s.born = l.start.AddDate(-3, 0, rapid.IntRange(-5, 12).Draw(t, "born")).Format(time.DateOnly)
		if strings.HasSuffix(s.born, "-02-29") {
			s.born = "2020-03-01"
		}
	}
}

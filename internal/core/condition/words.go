package condition

import (
	"strings"
	"time"

	"rapport/internal/core/event"
)

// verbs are the events that people have a verb for: what was done, and what was
// not done after "did not". All others are quoted by name.
var verbs = map[string][2]string{
	event.PageViewed:      {"visited a page", "visit a page"},
	event.ScreenViewed:    {"opened a screen of the app", "open a screen of the app"},
	event.ProductSearched: {"searched", "search"},
	event.ListViewed:      {"viewed a list of products", "view a list of products"},
	event.ProductViewed:   {"viewed a product", "view a product"},
	event.ProductAdded:    {"put a product into the cart", "put a product into the cart"},
	event.ProductRemoved:  {"took a product out of the cart", "take a product out of the cart"},
	event.CartViewed:      {"viewed the cart", "view the cart"},
	event.CheckoutStarted: {"started a checkout", "start a checkout"},
	event.OrderCompleted:  {"completed an order", "complete an order"},
	event.OrderRefunded:   {"had an order refunded", "have an order refunded"},
	event.OrderCancelled:  {"cancelled an order", "cancel an order"},
	event.MessageSent:     {"was sent a message", "get a message"},
	event.MessageBounced:  {"had a message bounce", "have a message bounce"},
	event.MessageOpened:   {"opened a message", "open a message"},
	event.MessageClicked:  {"clicked in a message", "click in a message"},
	event.MessageReplied:  {"replied to a message", "reply to a message"},
	event.Complained:      {"complained about a message", "complain about a message"},
	event.Unsubscribed:    {"unsubscribed", "unsubscribe"},
}

// verb returns what was done, or not done, with the filter on its properties.
func (q *question) verb(not bool) string {
	list := make([]string, len(q.names))
	for i, name := range q.names {
		v, known := verbs[name]
		switch {
		case known && not:
			list[i] = v[1]
		case known:
			list[i] = v[0]
		case not:
			list[i] = "do “" + name + "”"
		default:
			list[i] = "did “" + name + "”"
		}
	}
	s := strings.Join(list, " or ")
	if not {
		s = "did not " + s
	}
	for i, f := range q.where {
		if i == 0 {
			s += " where "
		} else {
			s += " and "
		}
		s += sayName(f.path) + " " + f.words()
	}
	return s
}

// span returns the absolute stretch of time that the question is about.
func (q *question) span() string {
	switch {
	case q.from == 0 && q.to == event.Never:
		return ""
	case q.from == 0:
		return " before " + sayInstant(q.to)
	case q.to == event.Never:
		return " from " + sayInstant(q.from)
	}
	return " from " + sayInstant(q.from) + " until " + sayInstant(q.to)
}

func sayInstant(t event.Time) string { return t.Time().Format("2 January 2006 15:04 MST") }

// words returns the comparison as a predicate: "is one of GB, IE".
func (m *match) words() string {
	list := make([]string, len(m.lits))
	for i := range m.lits {
		list[i] = m.lits[i].text
	}
	switch m.op {
	case opIn:
		switch {
		case len(list) == 1 && m.not:
			return "is not " + list[0]
		case len(list) == 1:
			return "is " + list[0]
		case m.not:
			return "is none of " + strings.Join(list, ", ")
		}
		return "is one of " + strings.Join(list, ", ")
	case opExists:
		if m.not {
			return "is not known"
		}
		return "is known"
	case opContains:
		return "contains “" + m.text + "”"
	case opStarts:
		return "starts with “" + m.text + "”"
	case opEnds:
		return "ends with “" + m.text + "”"
	case opBefore:
		return "is before " + m.date.definition
	case opAfter:
		return "is after " + m.date.definition
	}
	return [...]string{opMore: "is more than ", opAtLeast: "is at least ", opLess: "is less than ", opAtMost: "is at most "}[m.op] + m.text
}

// sayDays returns weekdays in words: "on Monday, Friday".
func sayDays(days [7]bool) string {
	var list []string
	for i := range 7 {
		d := time.Weekday((i + 1) % 7) // the week begins on Monday
		if days[d] {
			list = append(list, d.String())
		}
	}
	if len(list) == 7 {
		return ""
	}
	return "on " + strings.Join(list, ", ")
}

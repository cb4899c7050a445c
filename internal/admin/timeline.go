package admin

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rapport/internal/admin/page"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/demo"
	"rapport/internal/engine"
	"rapport/internal/program"
)

// place is where a page of a timeline begins: before this event of this block of
// the history. Blocks are only ever added behind, so a place stays what it is.
type place struct{ block, event int }

func (p place) String() string { return strconv.Itoa(p.block) + "." + strconv.Itoa(p.event) }

func parsePlace(s string) (p place, ok bool) {
	block, ev, ok := strings.Cut(s, ".")
	if !ok {
		return place{}, false
	}
	var err1, err2 error
	p.block, err1 = strconv.Atoi(block)
	p.event, err2 = strconv.Atoi(ev)
	return p, err1 == nil && err2 == nil && p.block >= 0 && p.event >= 0
}

// timeline returns one page of what was heard of a customer, the newest first,
// and where the next page is. Only the blocks of the page are unpacked.
func (s *site) timeline(ctx context.Context, pr *program.Program, p *profile.Profile, c page.Clock, from string) (days []page.Day, older string, err error) {
	blocks, err := s.o.Store.History(ctx, append([]identity.ID{p.ID}, p.Strands...)...)
	if err != nil {
		return nil, "", fmt.Errorf("reading the history of %s: %w", p.ID, err)
	}
	at, ok := parsePlace(from)
	if !ok || at.block >= len(blocks) {
		at = place{len(blocks) - 1, -1}
	}
	count := 0
	for b := at.block; b >= 0; b-- {
		events, err := engine.UnpackHistory(blocks[b].Body)
		if err != nil {
			s.o.Logger.Error("reading a history", "profile", p.ID, "block", b, "error", err)
			days = put(days, c, blockTime(blocks[b].Month), page.Moment{Kind: "other", What: "A part of the history is damaged and cannot be shown."})
			continue
		}
		last := len(events)
		if b == at.block && at.event >= 0 {
			last = min(last, at.event)
		}
		for i := last - 1; i >= 0; i-- {
			if count == perPage {
				return days, "/customers/" + p.ID.String() + "?before=" + place{b, i + 1}.String(), nil
			}
			count++
			days = put(days, c, events[i].Event.At, moment(&events[i], pr, c))
		}
	}
	return days, "", nil
}

func blockTime(month int32) event.Time {
	return event.At(time.Date(int(month/12), time.Month(month%12+1), 1, 0, 0, 0, 0, time.UTC))
}

// put adds a moment to the day on which it was.
func put(days []page.Day, c page.Clock, at event.Time, m page.Moment) []page.Day {
	m.At, m.Clock = c.When(at), c.Time(at)
	if d := c.Day(at); len(days) == 0 || days[len(days)-1].Date != d {
		days = append(days, page.Day{Date: d})
	}
	d := &days[len(days)-1]
	d.Items = append(d.Items, m)
	return days
}

// late is how long after it happened an event may be heard before a page says so.
// A step of a virtual clock is an hour.
const late = time.Hour

// moment tells one event.
func moment(h *engine.Heard, pr *program.Program, c page.Clock) page.Moment {
	e := &h.Event
	m := tell(e, pr)
	m.What, m.Detail = clip(m.What, maxValue), clip(m.Detail, 2*maxValue)
	text := e.Props.Text
	if id, err := profile.ParseDelivery(text("delivery")); err == nil {
		m.Href = "/messages/" + id.String()
	}
	if text("actor") == "machine" {
		m.Tags = append(m.Tags, page.Tag{Text: "by a machine", Tone: page.Soft})
	}
	if v, _ := e.Props.Get("invented"); v.Kind == event.True {
		m.Tags = append(m.Tags, page.Tag{Text: demo.Invented, Tone: "made"})
	} else if v, _ := e.Traits.Get("invented"); v.Kind == event.True {
		m.Tags = append(m.Tags, page.Tag{Text: demo.Invented, Tone: "made"})
	}
	switch {
	case e.Origin != event.Live:
		m.Tags = append(m.Tags, page.Tag{Text: "history", Tone: page.Soft})
	case h.Now.Sub(e.At) > late:
		m.Tags = append(m.Tags, page.Tag{Text: "heard " + page.Span(h.Now.Sub(e.At)) + " later", Tone: page.Soft})
	}
	return m
}

// tell says in words what an event is.
func tell(e *event.Event, pr *program.Program) page.Moment {
	text := e.Props.Text
	message := func(what string) page.Moment {
		return page.Moment{Kind: "message", What: what, Detail: page.Title(text("detail"))}
	}
	product := or(or(text("name"), text("sku")), text("product_id"))
	browse := func(what, thing string) page.Moment {
		return page.Moment{Kind: "browse", What: what + or(thing, "something"), Detail: text("category")}
	}
	switch e.Name {
	case event.OrderCompleted, event.OrderRefunded, event.OrderCancelled:
		return order(e, pr)
	case event.ConsentChanged:
		return consentTold(text, pr)
	case event.ProductViewed:
		return browse("Looked at ", product)
	case event.ProductAdded:
		return browse("Put into the cart: ", product)
	case event.ProductRemoved:
		return browse("Took out of the cart: ", product)
	case event.ProductSearched:
		return browse("Searched for ", text("query"))
	case event.ListViewed:
		return browse("Looked through ", or(text("category"), "a list of products"))
	case event.CartViewed:
		return page.Moment{Kind: "browse", What: "Looked at the cart"}
	case event.CheckoutStarted:
		return page.Moment{Kind: "browse", What: "Went to the checkout"}
	case event.PageViewed, event.ScreenViewed:
		return browse("Visited ", or(or(text("title"), text("path")), text("name")))
	case event.MessageSent:
		m := message("Was sent “" + journeyLink(pr, text("journey")).Text + "” by " + channelWord(text("channel")))
		m.Detail = text("reason")
		return m
	case event.MessageRejected:
		return message("The mail server refused a message")
	case event.MessageDeferred:
		return message("The mail server asked for patience")
	case event.MessageUnknown:
		return message("A message was handed over, and no answer came")
	case event.MessageBounced:
		return message("A message bounced")
	case event.MessageStopped:
		m := message("A message was stopped at the last moment")
		if text("by") == event.ByTemplate {
			m.What, m.Detail = "A message was given up by its template", text("detail")
		}
		return m
	case event.RenderFailed:
		return message("A message could not be written")
	case event.MessageOpened:
		return message("Opened a message")
	case event.MessageClicked:
		m := message("Followed a link in a message")
		m.Detail = text("url")
		return m
	case event.MessageReplied:
		return message("Answered a message")
	case event.Complained:
		return message("Called a message spam")
	case event.Unsubscribed:
		return page.Moment{Kind: "consent", What: "Unsubscribed from " + purposeLabel(pr, or(text("purpose"), "marketing")) + " by " + channelWord(or(text("channel"), "email")), Detail: page.Title(text("evidence"))}
	}
	if e.Type == event.Identify {
		return page.Moment{Kind: "who", What: "Said who they are", Detail: some(e.Traits)}
	}
	return page.Moment{Kind: "other", What: or(e.Name, page.Title(e.Type.String())), Detail: some(e.Props)}
}

func consentTold(text func(string) string, pr *program.Program) page.Moment {
	did := "Refused "
	switch strings.ToLower(text("state")) {
	case "granted", "true", "yes", "subscribed", "opted_in":
		did = "Agreed to "
	case "withdrawn":
		did = "Took back the consent to "
	}
	return page.Moment{Kind: "consent", What: did + "“" + purposeLabel(pr, text("purpose")) + "” by " + channelWord(text("channel")), Detail: page.Title(text("evidence"))}
}

// order tells an order or what undoes one.
func order(e *event.Event, pr *program.Program) page.Moment {
	m := page.Moment{Kind: "order"}
	o, err := event.OrderOf(e.Name, e.Props)
	if err != nil {
		m.What = e.Name
		return m
	}
	currency := o.Currency
	if currency == "" && pr != nil {
		currency = pr.Currency
	}
	sum := func(net money.Micros) string { return page.Money(net, currency) }
	what := page.Plural(int64(len(o.Lines)), "product", "products")
	if len(o.Lines) == 0 {
		what = "an order"
	}
	switch e.Name {
	case event.OrderRefunded:
		m.Kind, m.What = "refund", "Was refunded "+sum(-o.Net)+" for "+what
	case event.OrderCancelled:
		m.Kind, m.What = "refund", "Cancelled an order of "+sum(-o.Net)
	default:
		m.What = "Ordered " + what + " for " + sum(o.Net)
		if where := e.Props.Text("channel"); where != "" {
			m.What += " (" + where + ")"
		}
	}
	const named = 3
	var list []string
	for i := range o.Lines {
		if i == named {
			list = append(list, "and "+page.Count(int64(len(o.Lines)-named))+" more")
			break
		}
		list = append(list, clip(or(o.Lines[i].Name, o.Lines[i].SKU), 60))
	}
	m.Detail = "Order " + o.ID
	if len(list) > 0 {
		m.Detail += ": " + strings.Join(list, ", ")
	}
	return m
}

// some shows the first few plain values of an object.
func some(o event.Object) string {
	const most = 6
	var list []string
	o.Each(func(key string, v event.Value) bool {
		if v.Kind != event.Null && v.Kind != event.List && v.Kind != event.Map && key != "invented" {
			list = append(list, strings.ReplaceAll(clip(key, 40), "_", " ")+": "+clip(v.String(), 60))
		}
		return len(list) < most
	})
	return strings.Join(list, " · ")
}

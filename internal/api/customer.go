package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/program"
)

// CustomerLine is a customer in a list.
type CustomerLine struct {
	ID     identity.ID `json:"id"`
	Email  string      `json:"email,omitempty"`
	Phone  string      `json:"phone,omitempty"`
	User   string      `json:"user_id,omitempty"`
	First  event.Time  `json:"first" doc:"When the earliest of their events happened."`
	Last   event.Time  `json:"last" doc:"When the latest of their events happened."`
	Events int64       `json:"events"`
	Orders int         `json:"orders"`
}

func lineOf(p *profile.Profile) CustomerLine {
	l := CustomerLine{ID: p.ID, Email: p.Address("email"), Phone: p.Address("sms"), First: p.First, Last: p.Last, Events: p.Count}
	l.User, _ = p.Identifier(identity.User)
	for i := range p.Orders {
		if p.Orders[i].Kind == profile.Completed {
			l.Orders++
		}
	}
	return l
}

// customer is everything about one customer that is not a list without end.
type customer struct {
	CustomerLine
	Zone        string            `json:"time_zone,omitempty"`
	Locale      string            `json:"locale,omitempty"`
	Device      string            `json:"device,omitempty"`
	Hot         bool              `json:"hot" doc:"So many events this month that it is no person: it gets no messages."`
	Identifiers []identifier      `json:"identifiers"`
	Traits      map[string]any    `json:"traits"`
	Computed    map[string]any    `json:"computed_traits" doc:"What follows from events as of now, by the names of the definitions."`
	Lists       []listing         `json:"lists" doc:"Lists kept by hand that the customer is on."`
	Objects     []thing           `json:"objects" doc:"Things that belong to the customer."`
	Consents    []consent         `json:"consents"`
	Addresses   []health          `json:"ailing_addresses" doc:"Addresses that bounced or complained."`
	Spent       map[string]string `json:"spent" doc:"By currency, less returns."`
	LastOrders  []order           `json:"last_orders" doc:"The newest first, at most fifty."`
	Segments    []string          `json:"segments"`
	Journeys    []instance        `json:"journeys"`

	Stage      string     `json:"stage" doc:"Of their life with the shop."`
	StageUntil event.Time `json:"stage_until" doc:"When it changes if nothing happens; null: never."`
	Joined     []joined   `json:"joined" doc:"Of which profiles this one was put together, the oldest first."`
	HandOvers  []handOver `json:"hand_overs" doc:"What they looked at on one class of device and bought on another."`
}

type identifier struct {
	Kind  identity.Kind `json:"kind"`
	Value string        `json:"value"`
	At    event.Time    `json:"at"`
}

type consent struct {
	Channel  string     `json:"channel"`
	Purpose  string     `json:"purpose"`
	Granted  bool       `json:"granted"`
	At       event.Time `json:"at"`
	Proof    event.ID   `json:"proof" doc:"The event in the timeline that says so."`
	Evidence string     `json:"evidence,omitempty"`
	Wording  string     `json:"wording,omitempty"`
	Expires  event.Time `json:"expires"`
}

type health struct {
	Channel string     `json:"channel"`
	Address string     `json:"address"`
	State   string     `json:"state" enum:"bounced,complained"`
	At      event.Time `json:"at"`
	Why     string     `json:"why,omitempty"`
}

type order struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind" enum:"completed,refunded,cancelled"`
	At       event.Time     `json:"at"`
	Net      string         `json:"net"`
	Currency money.Currency `json:"currency"`
	Where    string         `json:"where,omitempty"`
}

type instance struct {
	Journey string     `json:"journey"`
	Step    string     `json:"step"`
	Entered event.Time `json:"entered"`
	Wake    event.Time `json:"wake" doc:"When it goes on by itself; null: only something that happens moves it."`
	Held    bool       `json:"held_out" doc:"Walks it and gets nothing, so that its effect can be measured."`
}

// maxOrders bounds the orders that a customer is shown with; the timeline has all.
const maxOrders = 50

var (
	orderKinds = map[profile.OrderKind]string{profile.Completed: "completed", profile.Refunded: "refunded", profile.Cancelled: "cancelled"}
	ailments   = map[profile.AddressState]string{profile.Bounced: "bounced", profile.Complained: "complained"}
)

func (a *API) customerOf(ctx context.Context, p *profile.Profile) (customer, error) {
	v := customer{
		CustomerLine: lineOf(p), Zone: p.Zone, Locale: p.Locale, Device: p.Device, Hot: p.Hot(), Identifiers: []identifier{}, Traits: map[string]any{},
		Consents: []consent{}, Addresses: []health{}, Spent: map[string]string{}, LastOrders: []order{}, Segments: []string{}, Journeys: []instance{},
	}
	for i := range p.Held {
		if h := &p.Held[i]; h.State == profile.Owned {
			v.Identifiers = append(v.Identifiers, identifier{h.Identifier.Kind, h.Identifier.Value, h.At})
		}
	}
	for i := range p.Traits {
		if t := &p.Traits[i]; t.Value.Kind != event.Null {
			v.Traits[t.Name] = t.Value
		}
	}
	a.keptOf(ctx, p, &v)
	for i := range p.Consents {
		c := &p.Consents[i]
		v.Consents = append(v.Consents, consent{c.Channel, c.Purpose, c.Granted, c.At, c.Proof, c.Evidence, c.Wording, c.Expires})
	}
	for i := range p.Health {
		if h := &p.Health[i]; ailments[h.State] != "" {
			v.Addresses = append(v.Addresses, health{h.Channel, h.Address, ailments[h.State], h.At, h.Why})
		}
	}
	for i := range p.Orders {
		if c := p.Orders[i].Currency; v.Spent[string(c)] == "" {
			v.Spent[string(c)] = p.Spent(c, "").String()
		}
	}
	for i := len(p.Orders) - 1; i >= 0 && len(v.LastOrders) < maxOrders; i-- {
		o := &p.Orders[i]
		v.LastOrders = append(v.LastOrders, order{o.ID, orderKinds[o.Kind], o.At, o.Net.String(), o.Currency, o.Where})
	}
	for i := range p.Journeys {
		in := &p.Journeys[i]
		v.Journeys = append(v.Journeys, instance{in.Journey, in.Step, in.Entered, in.Wake, in.Held})
	}
	stage, until := p.Lifecycle(a.o.Now())
	v.Stage, v.StageUntil, v.HandOvers = stage.String(), until, []handOver{}
	for i := range p.HandOvers {
		h := &p.HandOvers[i]
		v.HandOvers = append(v.HandOvers, handOver{h.From, h.To, h.Count, h.Last})
	}
	var err error
	if v.Joined, err = a.strandsOf(ctx, p); err != nil {
		return v, err
	}
	pr, err := a.o.Node.Program(ctx)
	if err != nil || pr == nil {
		return v, err
	}
	v.Segments = append(v.Segments, pr.Core.Segments.Members(p)...)
	return v, nil
}

// membership is what one segment says of one customer.
type membership struct {
	Segment string     `json:"segment"`
	In      bool       `json:"in"`
	Label   string     `json:"label"`
	Since   event.Time `json:"since"`
	Until   event.Time `json:"until" doc:"It stays so at least until then if nothing happens; null: for ever."`
	Because []string   `json:"because" doc:"Why, as the ends of sentences about the customer. For who is not in it: what is not so."`
}

func (a *API) memberships(ctx context.Context, in *Who) (*body[page[membership]], error) {
	p, err := a.person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	now := a.o.Now()
	out := page[membership]{Data: []membership{}}
	for i := range pr.Segments {
		name := pr.Segments[i].Name
		m := p.Member(condition.SegmentKey(name))
		v := membership{Segment: name, Label: pr.Segments[i].Label, In: m.In, Since: m.Since, Until: m.Until, Because: []string{}}
		if verdict, known := pr.Core.Segments.Explain(p, name, now); known && verdict.True == m.In {
			for _, reason := range verdict.Because {
				v.Because = append(v.Because, reason.Sentence(now))
			}
		}
		out.Data = append(out.Data, v)
	}
	return answer(out, nil)
}

// heard is one event of a timeline.
type heard struct {
	Heard event.Time     `json:"heard" doc:"When we heard of it."`
	Event map[string]any `json:"event" doc:"In the shape of a Segment message, with at, origin and source beside it."`
}

// timeline pages backwards through the history. Only the blocks of the page are
// unpacked. Blocks are only ever added behind, so a cursor stays what it is.
func (a *API) timeline(ctx context.Context, in *struct {
	Who
	Paging
},
) (*body[page[heard]], error) {
	at, err := in.from("timeline")
	if err != nil {
		return nil, err
	}
	p, err := a.person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	blocks, err := a.o.Store.History(ctx, append([]identity.ID{p.ID}, p.Strands...)...)
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s: %w", p.ID, err)
	}
	block, before := len(blocks)-1, -1
	if at != "" {
		b, e, _ := strings.Cut(at, ".")
		n, err1 := strconv.Atoi(b)
		m, err2 := strconv.Atoi(e)
		if err1 != nil || err2 != nil || n < 0 || m < 0 || n >= len(blocks) {
			return nil, errCursor
		}
		block, before = n, m
	}
	out := page[heard]{Data: []heard{}}
	for b := block; b >= 0; b-- {
		events, err := engine.UnpackHistory(blocks[b].Body)
		if err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", p.ID, err)
		}
		last := len(events)
		if b == block && before >= 0 {
			last = min(last, before)
		}
		for i := last - 1; i >= 0; i-- {
			if len(out.Data) == in.Limit {
				out.Next = cursorOf("timeline", strconv.Itoa(b)+"."+strconv.Itoa(i+1))
				return answer(out, nil)
			}
			h := heard{Heard: events[i].Now}
			d := json.NewDecoder(strings.NewReader(string(events[i].Event.AppendJSON(nil))))
			d.UseNumber() // money and large ids stay exact
			if err := d.Decode(&h.Event); err != nil {
				return nil, fmt.Errorf("writing an event of %s: %w", p.ID, err)
			}
			out.Data = append(out.Data, h)
		}
	}
	return answer(out, nil)
}

// inForce returns the program in force.
func (a *API) inForce(ctx context.Context) (*program.Program, error) {
	pr, err := a.o.Node.Program(ctx)
	if err == nil && pr == nil {
		err = errNoProgram
	}
	return pr, err
}

// purposes returns the names of what customers can agree to.
func purposes(pr *program.Program) map[string]bool {
	names := map[string]bool{}
	for i := range pr.Purposes {
		names[pr.Purposes[i].Name] = true
	}
	return names
}

// keep returns the elements of a sorted list from the one that the cursor names.
func keep[T any](list []T, in Paging, name string, of func(*T) string) (page[T], error) {
	out := page[T]{Data: []T{}}
	from, err := in.from(name)
	if err != nil {
		return out, err
	}
	n, _ := slices.BinarySearchFunc(list, from, func(v T, at string) int { return strings.Compare(of(&v), at) })
	for ; n < len(list); n++ {
		if len(out.Data) == in.Limit {
			out.Next = cursorOf(name, of(&list[n]))
			break
		}
		out.Data = append(out.Data, list[n])
	}
	return out, nil
}

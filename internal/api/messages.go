package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/run"
	"rapport/internal/store"
)

// Delivery is one message and why it was sent or not.
type Delivery struct {
	ID        profile.DeliveryID `json:"id"`
	Customer  identity.ID        `json:"customer"`
	State     string             `json:"state"`
	Class     string             `json:"class" enum:"marketing,service"`
	Channel   string             `json:"channel"`
	Purpose   string             `json:"purpose"`
	Journey   string             `json:"journey" doc:"The journey, campaign or service message that wanted it."`
	Step      string             `json:"step"`
	Template  string             `json:"template"`
	Reason    string             `json:"reason" doc:"Why this person: what the message says of itself."`
	Rule      string             `json:"rule,omitempty" doc:"The rule that stopped it; absent: none did."`
	Why       string             `json:"why" doc:"Why it was sent or not, in a sentence."`
	Answer    string             `json:"answer,omitempty" doc:"What the provider said."`
	Planned   event.Time         `json:"planned" doc:"When it was wanted."`
	NotBefore event.Time         `json:"not_before"`
	Expires   event.Time         `json:"expires"`
	Changed   event.Time         `json:"changed" doc:"When its state was reached."`
}

// deliveryShown is a message with its decision records: every rule that was asked,
// with the values that were seen.
type deliveryShown struct {
	Delivery
	Planning *decision.Record `json:"decision_at_planning,omitempty" doc:"What the gate said when it was wanted."`
	Claim    *decision.Record `json:"decision_at_claim,omitempty" doc:"What the gate said when it was about to leave."`
}

// messages adds the operations about messages and what stops them.
func (a *API) messages() {
	route(a, get("/deliveries/{id}", "deliveries", "Show a message and why it was sent or not", "With every rule that was asked, and the values that it saw."), func(ctx context.Context, in *Who) (*body[deliveryShown], error) {
		id, err := profile.ParseDelivery(in.ID)
		if err != nil {
			return nil, err
		}
		row, err := a.o.Store.Delivery(ctx, id)
		if err != nil {
			return nil, err
		}
		p, err := a.o.Node.Profile(ctx, row.Profile)
		if err != nil {
			return nil, err
		}
		return answer(deliveryOf(&row, p))
	})
	route(a, get("/deliveries", "deliveries", "List the messages that are in a state", "In order of their ids."), a.inState)
	route(a, get("/suppressions", "suppressions", "Count what may not be written to, by reason", "Addresses are not kept, only keyed hashes of them; so they are counted and not listed."), func(ctx context.Context, _ *struct{}) (*body[suppressionCounts], error) {
		counts, err := a.o.Ledger.Suppressions(ctx)
		if counts == nil {
			counts = map[string]int64{}
		}
		return answer(suppressionCounts{counts}, err)
	})
	route(a, operation{
		method: http.MethodPost, path: "/suppressions", scope: keys.Edit, roles: servants, tag: "suppressions", status: http.StatusCreated,
		summary: "Stop messages to an address", about: "Durable when it is answered, and safe to repeat: suppressing twice is once.",
	}, a.suppress)
}

// suppressionCounts are the suppressions by reason.
type suppressionCounts struct {
	Reasons map[string]int64 `json:"reasons"`
}

// deliveryOf tells a row of the ledger. P may be nil: the customer is gone.
func deliveryOf(row *store.Delivery, p *profile.Profile) (deliveryShown, error) {
	v := deliveryShown{Delivery: Delivery{
		ID: row.ID, Customer: row.Profile, State: row.State.String(), Class: row.Class.String(), Channel: row.Channel, Purpose: row.Purpose, Journey: row.Journey,
		Step: row.Step, Template: row.Template, Reason: row.Reason, Rule: row.Because, Answer: row.Outcome,
		Planned: row.Planned, NotBefore: row.NotBefore, Expires: row.Expires, Changed: row.Changed,
	}}
	for _, r := range []struct {
		packed []byte
		to     **decision.Record
	}{{row.Plan, &v.Planning}, {row.Claim, &v.Claim}} {
		if len(r.packed) == 0 {
			continue
		}
		record, err := decision.Decode(string(r.packed))
		if err != nil {
			return v, fmt.Errorf("reading the decision about %s: %w", row.ID, err)
		}
		*r.to = &record
		if p != nil {
			v.Why = record.Sentence(p, record.Now)
		}
	}
	return v, nil
}

// messagesTo pages through the messages to one customer. The store returns the
// newest of one profile id; those of all its strands are few enough to be merged.
func (a *API) messagesTo(ctx context.Context, in *struct {
	Who
	Paging
},
) (*body[page[Delivery]], error) {
	at, err := in.from("messages")
	if err != nil {
		return nil, err
	}
	skip := 0
	if at != "" {
		if skip, err = strconv.Atoi(at); err != nil || skip < 0 || skip > maxMessages {
			return nil, errCursor
		}
	}
	p, err := a.person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	most := min(skip+in.Limit+1, maxMessages)
	var rows []store.Delivery
	for _, id := range append([]identity.ID{p.ID}, p.Strands...) {
		part, err := a.o.Store.DeliveriesOf(ctx, id, most)
		if err != nil {
			return nil, fmt.Errorf("reading the messages of %s: %w", id, err)
		}
		rows = append(rows, part...)
	}
	slices.SortFunc(rows, func(x, y store.Delivery) int {
		return cmp.Or(cmp.Compare(y.Planned, x.Planned), slices.Compare(x.ID[:], y.ID[:]))
	})
	out := page[Delivery]{Data: []Delivery{}}
	for i := skip; i < len(rows) && i < maxMessages; i++ {
		if len(out.Data) == in.Limit {
			out.Next = cursorOf("messages", strconv.Itoa(i))
			break
		}
		v, err := deliveryOf(&rows[i], p)
		if err != nil {
			return nil, err
		}
		out.Data = append(out.Data, v.Delivery)
	}
	return answer(out, nil)
}

// maxMessages is how far back the messages of one customer can be paged: ten
// years of three a day. The export has all.
const maxMessages = 10_000

// states are the states of a delivery by their names.
var states = func() map[string]profile.State {
	by := map[string]profile.State{}
	for s := profile.Planned; !strings.Contains(s.String(), " "); s++ { // a state without a name ends the list
		by[s.String()] = s
	}
	return by
}()

func (a *API) inState(ctx context.Context, in *struct {
	State string `query:"state" required:"true" enum:"planned,claimed,started,accepted,rejected,unknown,dropped,withheld,recalled,expired,render_failed"`
	Paging
},
) (*body[page[Delivery]], error) {
	after, err := in.delivery("deliveries")
	if err != nil {
		return nil, err
	}
	refs, err := a.o.Store.InState(ctx, states[in.State], after, in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("listing messages: %w", err)
	}
	out := page[Delivery]{Data: []Delivery{}}
	if len(refs) > in.Limit {
		refs = refs[:in.Limit]
		out.Next = cursorOf("deliveries", refs[in.Limit-1].ID.String())
	}
	for i := range refs {
		row, err := a.o.Store.Delivery(ctx, refs[i].ID)
		if fault.Is(err, fault.NotFound) {
			continue // forgotten meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("reading a message: %w", err)
		}
		p, err := a.o.Node.Profile(ctx, row.Profile)
		if err != nil {
			return nil, fmt.Errorf("reading the customer %s: %w", row.Profile, err)
		}
		v, err := deliveryOf(&row, p)
		if err != nil {
			return nil, err
		}
		out.Data = append(out.Data, v.Delivery)
	}
	return answer(out, nil)
}

// suppressed is an address that is not written to from now on.
type suppressed struct {
	Channel string     `json:"channel"`
	Reason  string     `json:"reason"`
	At      event.Time `json:"at"`
}

func (a *API) suppress(ctx context.Context, in *struct {
	Body struct {
		Channel string `json:"channel" enum:"email,sms,whatsapp"`
		Address string `json:"address" minLength:"3" maxLength:"320" example:"ada@example.com"`
		Purpose string `json:"purpose,omitempty" maxLength:"64" doc:"Which purpose is stopped. Default: every purpose."`
		Reason  string `json:"reason" enum:"unsubscribed,bounced,complained"`
	}
},
) (*body[suppressed], error) {
	now := a.o.Now()
	err := a.o.Node.SuppressAddress(ctx, run.AddressSuppression{Channel: in.Body.Channel, Address: in.Body.Address, Purpose: in.Body.Purpose, Reason: in.Body.Reason, At: now, By: callerOf(ctx).by()})
	return answer(suppressed{in.Body.Channel, in.Body.Reason, now}, err)
}

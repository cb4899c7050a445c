package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/dossier"
	"rapport/internal/fault"
	"rapport/internal/keys"
)

// Who is a request about one customer.
type Who struct {
	ID string `path:"id" minLength:"32" maxLength:"32" pattern:"^[0-9a-fA-F]{32}$" doc:"The customer's id: 32 hex digits."`
}

// customers adds the operations about customers.
func (a *API) customers() {
	const tag = "customers"
	route(a, get("/customers", tag, "List the customers", "In order of their ids. What was heard within the last second may be missing; a customer's own page has it."), a.listCustomers)
	route(a, operation{
		method: http.MethodPost, path: "/customers/search", scope: keys.Read, tag: tag, summary: "Find the customer known by an identifier",
		about: "A customer id, user id, e-mail address, phone number, loyalty or anonymous id. It is in the body because logs keep paths and queries.",
	}, func(ctx context.Context, in *struct {
		Body struct {
			Identifier string `json:"identifier" minLength:"1" maxLength:"300" example:"ada@example.com"`
		}
	},
	) (*body[customer], error) {
		p, err := a.o.Node.Lookup(ctx, in.Body.Identifier)
		if fault.Is(err, fault.NotFound) {
			return nil, errNobody // the identifier is not repeated
		}
		if err != nil {
			return nil, err
		}
		return answer(a.customerOf(ctx, p))
	})
	route(a, get("/customers/{id}", tag, "Show a customer", "What is known, what they agreed to, and where they are in journeys."), func(ctx context.Context, in *Who) (*body[customer], error) {
		p, err := a.person(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return answer(a.customerOf(ctx, p))
	})
	route(a, get("/customers/{id}/timeline", tag, "List what was heard of a customer", "The newest first, in the shape in which it was sent."), a.timeline)
	route(a, get("/customers/{id}/segments", tag, "Say of every segment whether the customer is in it, and why", ""), a.memberships)
	route(a, get("/customers/{id}/deliveries", tag, "List the messages to a customer, and say why each was sent or not", "The newest first."), a.messagesTo)
	route(a, get("/customers/{id}/why", tag, "Say why a customer got or did not get a message", "What was decided of the messages of a journey, campaign or service message, and what would be decided now, with every rule that is asked."), a.why)
	dossier := get("/customers/{id}/export", tag, "Export everything that is held about a customer", "GDPR, articles 15 and 20: one document of tables.")
	dossier.roles, dossier.handsOut = helpers, true
	route(a, dossier, a.export)
	route(a, operation{
		method: http.MethodPost, path: "/customers/{id}/consents", scope: keys.Edit, roles: servants, tag: tag, summary: "Note what a customer agreed to or refused", status: http.StatusAccepted,
		about: "It is answered once it is durable. The same Idempotency-Key notes it once.",
	}, a.consent)
	route(a, operation{
		method: http.MethodDelete, path: "/customers/{id}", scope: keys.Erase, tag: tag, summary: "Forget a customer",
		about: "Profile, history, messages, and everything that comes later. It cannot be undone.",
	}, func(ctx context.Context, in *Who) (*body[erased], error) {
		id, err := identity.ParseID(in.ID)
		if err != nil {
			return nil, err
		}
		entry, err := a.o.Node.Erase(ctx, id)
		return answer(erased{id, len(entry.Homes)}, err)
	})
}

// erased is a customer who was forgotten.
type erased struct {
	ID          identity.ID `json:"id"`
	Identifiers int         `json:"identifiers" doc:"How many identifiers are tombstones now."`
}

var errNobody = fault.New(fault.NotFound, "no customer is known by that")

// person returns a customer by id.
func (a *API) person(ctx context.Context, text string) (*profile.Profile, error) {
	id, err := identity.ParseID(text)
	if err != nil {
		return nil, err
	}
	p, err := a.o.Node.Profile(ctx, id)
	if err != nil {
		return nil, err
	}
	if p == nil || p.Born == 0 {
		return nil, errNobody
	}
	return p, nil
}

func (a *API) listCustomers(ctx context.Context, in *Paging) (*body[page[CustomerLine]], error) {
	from, err := in.customer("customers")
	if err != nil {
		return nil, err
	}
	out := page[CustomerLine]{Data: []CustomerLine{}}
	for p, err := range a.o.Node.Customers(ctx, from) {
		if err != nil {
			return nil, err
		}
		if len(out.Data) == in.Limit {
			out.Next = cursorOf("customers", p.ID.String())
			break
		}
		out.Data = append(out.Data, lineOf(p))
	}
	return answer(out, nil)
}

// export returns the dossier as one document.
func (a *API) export(ctx context.Context, in *Who) (*body[json.RawMessage], error) {
	p, err := a.person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := dossier.Of(ctx, dossier.Source{Store: a.o.Store, Ledger: a.o.Ledger, Program: pr.Core, Subjects: a.o.Node.Subjects(p)}, p)
	if err != nil {
		return nil, err
	}
	document, err := dossier.JSON(tables)
	return answer(json.RawMessage(document), err)
}

// consentCall says what a customer agreed to or refused.
type consentCall struct {
	Who
	Key  string `header:"Idempotency-Key" maxLength:"200" doc:"The same key notes it once. Default: every request notes it anew."`
	Body struct {
		Channel  string `json:"channel" enum:"email,sms,whatsapp,push" doc:"By which channel."`
		Purpose  string `json:"purpose" minLength:"1" maxLength:"64" example:"marketing" doc:"A purpose that shop.yaml names."`
		Granted  bool   `json:"granted" doc:"Whether they agreed."`
		Evidence string `json:"evidence" minLength:"1" maxLength:"200" example:"form at the till" doc:"How they said it: what you would show if they denied it."`
		Wording  string `json:"wording,omitempty" maxLength:"200" doc:"The version of the text that they agreed to."`
	}
}

func (a *API) consent(ctx context.Context, in *consentCall) (*body[accepted], error) {
	p, err := a.person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	if known := purposes(pr); !known[b.Purpose] {
		return nil, fault.New(fault.Invalid, "shop.yaml names no purpose "+b.Purpose+": nobody can agree to it")
	}
	state := "denied"
	if b.Granted {
		state = "granted"
	}
	var props event.Builder
	props.SetText("channel", b.Channel).SetText("purpose", b.Purpose).SetText("state", state).SetText("evidence", b.Evidence).SetText("wording", b.Wording)
	now := a.o.Now()
	e := event.Event{
		ID: once("consent", p.ID.String(), in.Key), Type: event.Track, Name: event.ConsentChanged, At: now, Raw: now, Trust: event.Server, Source: "api", Props: props.Object(),
	}
	return answer(accepted{e.ID}, a.o.Node.HearOf(ctx, p.ID, []event.Event{e}))
}

// once returns the id of an event that a request brings: the same for the same
// idempotency key, and always another without one.
func once(what, about, key string) event.ID {
	if key == "" {
		key = rand.Text()
	}
	sum := sha256.Sum256([]byte(what + "\x00" + about + "\x00" + key))
	return event.ID("api:" + hex.EncodeToString(sum[:16]))
}

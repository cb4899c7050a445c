package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"rapport/internal/people"
)

// invited is an invitation at the only moment at which its link is known.
type invited struct {
	people.Invitation
	Link string `json:"link" doc:"To be handed to the person; it is not shown again."`
}

// Somebody is a request about one person.
type Somebody struct {
	ID string `path:"id" maxLength:"40"`
}

// staff adds the operations about who works here, and the audit trail.
func (a *API) staff() {
	const tag = "people"
	head := func(method, path, summary, about string, status int) operation {
		return operation{method: method, path: path, scope: secretOnly, tag: tag, summary: summary, about: about, status: status}
	}
	route(a, head("GET", "/people", "List who works here", "", 0), withPeople(a, func(context.Context, *struct{}) (*body[page[people.Person]], error) {
		return answer(page[people.Person]{Data: a.o.People.List()}, nil)
	}))
	route(a, head("PUT", "/people/{id}", "Give somebody another role", "Only an owner makes or unmakes owners; the last one stays.", 0),
		withPeople(a, func(ctx context.Context, in *struct {
			Somebody
			Body struct {
				Role people.Role `json:"role" enum:"owner,admin,marketer,analyst,support"`
			}
		},
		) (*body[people.Person], error) {
			p, err := a.o.People.Appoint(roleOf(ctx), in.ID, in.Body.Role)
			detail(ctx, p.Name+" is "+string(in.Body.Role))
			return answer(p, err)
		}))
	route(a, head("DELETE", "/people/{id}", "Take somebody out", "Their sessions end at once.", http.StatusNoContent), withPeople(a, func(ctx context.Context, in *Somebody) (*struct{}, error) {
		err := a.o.People.Remove(roleOf(ctx), in.ID)
		if err == nil && a.o.Drafts != nil {
			err = a.o.Drafts.Forget(in.ID)
		}
		return &struct{}{}, err
	}))
	route(a, head("POST", "/people/{id}/reset", "Make a link by which somebody chooses another password", "Shown once.", http.StatusCreated),
		withPeople(a, func(ctx context.Context, in *Somebody) (*body[invited], error) {
			v, text, err := a.o.People.Reset(hostOf(ctx), in.ID)
			return answer(invited{v, a.link(text)}, err)
		}))
	route(a, head("GET", "/invitations", "List the invitations that can be taken up", "", 0), withPeople(a, func(context.Context, *struct{}) (*body[page[people.Invitation]], error) {
		return answer(page[people.Invitation]{Data: a.o.People.Invitations()}, nil)
	}))
	route(a, head("POST", "/invitations", "Invite somebody", "The answer has the link, for a week, and it is shown once: hand it over. Who was invited before gets another.", http.StatusCreated),
		withPeople(a, func(ctx context.Context, in *struct {
			Body struct {
				Email string      `json:"email" minLength:"3" maxLength:"254" example:"grace@shop.example"`
				Role  people.Role `json:"role" enum:"owner,admin,marketer,analyst,support"`
			}
		},
		) (*body[invited], error) {
			v, text, err := a.o.People.Invite(hostOf(ctx), in.Body.Email, in.Body.Role)
			detail(ctx, "as "+string(in.Body.Role))
			return answer(invited{v, a.link(text)}, err)
		}))
	route(a, head("DELETE", "/invitations/{id}", "Take an invitation back", "", http.StatusNoContent), withPeople(a, func(_ context.Context, in *Somebody) (*struct{}, error) {
		return &struct{}{}, a.o.People.TakeBack(in.ID)
	}))
	route(a, head("GET", "/audit", "List who did what, the newest first", "Every operation that changes something or hands personal data out in bulk, whoever asked for it and by whatever means. The last twenty thousand can be asked for; audit.log has all.", 0),
		withPeople(a, a.audit))
}

// roleOf returns how far a caller may go with people: a secret key may do everything.
func roleOf(ctx context.Context) people.Role {
	if p := callerOf(ctx).person; p != nil {
		return p.Role
	}
	return people.Owner
}

// hostOf returns who invites.
func hostOf(ctx context.Context) people.Person {
	c := callerOf(ctx)
	if c.person != nil {
		return *c.person
	}
	return people.Person{Name: c.actor().Name, Role: people.Owner}
}

// link makes the address of an invitation. Its token is behind the #, which browsers
// send to no server and no log.
func (a *API) link(text string) string {
	return strings.TrimRight(a.o.PublicURL, "/") + "/join#" + text
}

func (a *API) audit(_ context.Context, in *struct {
	Paging
	Actor  string `query:"actor" maxLength:"60" doc:"Only what the person or the key with this id did."`
	Object string `query:"object" maxLength:"200" doc:"Only what was done to paths that begin like this."`
},
) (*body[page[people.Deed]], error) {
	at, err := in.from("audit")
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if at != "" {
		if before, err = strconv.ParseInt(at, 10, 64); err != nil || before < 1 {
			return nil, errCursor
		}
	}
	list := a.o.People.Deeds(before, in.Limit+1, func(d *people.Deed) bool {
		return (in.Actor == "" || d.Actor.ID == in.Actor) && strings.HasPrefix(d.Object, in.Object)
	})
	out := page[people.Deed]{Data: list}
	if len(list) > in.Limit {
		out.Data = list[:in.Limit]
		out.Next = cursorOf("audit", strconv.FormatInt(list[in.Limit-1].N, 10))
	}
	return answer(out, nil)
}

package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/people"
)

// Cookie is the name of the cookie that holds a session's token. Scripts cannot see
// it, and a browser sends it with no request that another site began.
const Cookie = "rapport_session"

// caller is who makes a request: a key, or a person who is signed in.
type caller struct {
	key    keys.Key
	person *people.Person
	token  string  // of the person's session
	peer   string  // the address that it comes from
	called *called // whom it was told of

	status func() int // of the answer, once there is one
}

// actor returns the caller as the audit trail names them.
func (c caller) actor() people.Actor {
	switch {
	case c.person != nil:
		return people.Actor{Kind: "person", ID: c.person.ID, Name: c.person.Name, Role: c.person.Role}
	case c.key.ID != "":
		return people.Actor{Kind: "key", ID: c.key.ID, Name: c.key.Name}
	case c.key.Kind != "":
		return people.Actor{Kind: "key", Name: string(c.key.Kind)}
	}
	return people.Actor{Kind: "link", Name: "not signed in"}
}

// by names the caller where one word must do.
func (c caller) by() string {
	if c.person != nil {
		return c.person.ID
	}
	return "api"
}

// callerKey is where a request's context holds its caller.
type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// detailKey is where a request's context holds what is said of a deed.
type detailKey struct{}

// detail says something of what a request did, for the audit trail. It is no address
// of a customer.
func detail(ctx context.Context, text string) {
	if d, _ := ctx.Value(detailKey{}).(*string); d != nil {
		*d = text
	}
}

var cross = http.NewCrossOriginProtection()

// byCookie returns the person whose browser made a request; false if it shows no
// session that holds. What another site's page began is nobody's.
func (a *API) byCookie(r *http.Request) (caller, bool) {
	cookie, err := r.Cookie(Cookie)
	if err != nil || a.o.People == nil || cross.Check(r) != nil {
		return caller{}, false
	}
	p, ok := a.o.People.Find(cookie.Value)
	return caller{person: &p, token: cookie.Value}, ok
}

// guard stands before an operation: who may not do it learns nothing, and what is
// done stands in the trail before it begins.
func (a *API) guard(op *operation, id string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		c := callerOf(ctx.Context())
		if err := admits(op, c); err != nil {
			a.refuse(w, r, err)
			return
		}
		if !op.deed() || a.o.People == nil {
			next(ctx)
			return
		}
		n, err := a.o.People.Begin(c.actor(), id, strings.TrimPrefix(r.URL.Path, Prefix))
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		said := ""
		next(huma.WithValue(ctx, detailKey{}, &said))
		if err := a.o.People.Conclude(n, c.status(), said); err != nil {
			a.o.Log.ErrorContext(r.Context(), "the end of a deed is not in the audit trail", "deed", n, "error", err)
		}
	}
}

// statusNoted notes the status of an answer.
type statusNoted struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (s *statusNoted) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (s *statusNoted) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// me is who is signed in.
type me struct {
	people.Person
	May    []string `json:"may" doc:"The ids of the operations that the role may do."`
	Masked bool     `json:"masked" doc:"Whether names, addresses and numbers of telephones of customers are masked in what they read."`
}

// signedIn is an answer that signs a browser in.
type signedIn struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      me
}

func (a *API) meOf(p people.Person) me {
	v := me{p, []string{}, caller{person: &p}.masked()}
	for i := range a.routes {
		if slices.Contains(a.routes[i].Roles, p.Role) {
			v.May = append(v.May, a.routes[i].ID)
		}
	}
	return v
}

func (a *API) signIn(s people.Session, err error) (*signedIn, error) {
	if err != nil {
		return nil, err
	}
	return &signedIn{a.cookie(s.Token, s.Until), a.meOf(s.Person)}, nil
}

func (a *API) cookie(value string, until time.Time) http.Cookie {
	return http.Cookie{Name: Cookie, Value: value, Path: "/", Expires: until, HttpOnly: true, Secure: a.o.TLS, SameSite: http.SameSiteStrictMode}
}

// needed says whether somebody must be the first.
type needed struct {
	Needed bool `json:"needed" doc:"Nobody is there yet: the link that the server printed makes the first owner."`
}

// NewSelf is what somebody says who comes by a link.
type NewSelf struct {
	Token    string `json:"token" minLength:"1" maxLength:"100" doc:"The end of the link."`
	Name     string `json:"name,omitempty" maxLength:"80" doc:"What others call you; not needed for another password."`
	Password string `json:"password" minLength:"1" maxLength:"256" doc:"At least 12 characters."`
}

var errNoPeople = fault.New(fault.Unavailable, "nobody can sign in here: this API has keys alone")

// withPeople lets an operation be done where people are known.
func withPeople[I, O any](a *API, do func(ctx context.Context, in *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		if a.o.People == nil {
			return nil, errNoPeople
		}
		return do(ctx, in)
	}
}

// sessions adds the operations about the person who asks.
func (a *API) sessions() {
	const tag = "session"
	open := func(method, path, summary, about string, status int) operation {
		return operation{method: method, path: path, scope: anybody, tag: tag, summary: summary, about: about, status: status}
	}
	route(a, open("GET", "/setup", "Say whether the first person is still to come", "", 0), withPeople(a, func(context.Context, *struct{}) (*body[needed], error) {
		return answer(needed{a.o.People.Empty()}, nil)
	}))
	route(a, open("POST", "/setup", "Make the first owner, and sign in", "With the link that the server prints when it starts and has no people.", http.StatusCreated),
		withPeople(a, func(ctx context.Context, in *struct {
			Body struct {
				NewSelf
				Email string `json:"email" maxLength:"254"`
			}
		},
		) (*signedIn, error) {
			return a.signIn(a.o.People.Found(in.Body.Token, in.Body.Email, in.Body.Name, in.Body.Password))
		}))
	route(a, open("POST", "/session", "Sign in", "The session is in a cookie that scripts cannot see, for a week.", http.StatusCreated),
		withPeople(a, func(ctx context.Context, in *struct {
			Body struct {
				Email    string `json:"email" minLength:"1" maxLength:"254"`
				Password string `json:"password" minLength:"1" maxLength:"256"`
			}
		},
		) (*signedIn, error) {
			// Before the password is looked at: hashing is what costs.
			if wait := a.limits.wrong(callerOf(ctx).peer + " as " + strings.ToLower(in.Body.Email)); wait > 0 {
				return nil, &problem{Status: http.StatusTooManyRequests, Detail: "too many tried to sign in as this person: wait a minute", retry: wait}
			}
			s, err := a.o.People.SignIn(in.Body.Email, in.Body.Password)
			if err == nil {
				detail(ctx, s.Person.Name)
			}
			return a.signIn(s, err)
		}))
	route(a, open("POST", "/invitations/accept", "Join by an invitation, or choose another password by it, and sign in", "", http.StatusCreated),
		withPeople(a, func(ctx context.Context, in *struct{ Body NewSelf }) (*signedIn, error) {
			s, err := a.o.People.Join(in.Body.Token, in.Body.Name, in.Body.Password)
			if err == nil {
				detail(ctx, s.Person.Name+" is "+string(s.Person.Role))
			}
			return a.signIn(s, err)
		}))
	route(a, operation{method: "GET", path: "/session", scope: personOnly, tag: tag, summary: "Say who is signed in, and what they may do"}, withPeople(a, func(ctx context.Context, _ *struct{}) (*body[me], error) {
		return answer(a.meOf(*callerOf(ctx).person), nil)
	}))
	route(a, operation{method: "DELETE", path: "/session", scope: personOnly, tag: tag, summary: "Sign out", status: http.StatusNoContent}, withPeople(a, func(ctx context.Context, _ *struct{}) (*struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}, error,
	) {
		out := &struct {
			SetCookie http.Cookie `header:"Set-Cookie"`
		}{a.cookie("", time.Unix(1, 0))}
		return out, a.o.People.SignOut(callerOf(ctx).token)
	}))
	route(a, operation{
		method: "PUT", path: "/session/password", scope: personOnly, tag: tag, summary: "Choose another password", about: "Every session ends but the one that the answer opens.",
	}, withPeople(a, func(ctx context.Context, in *struct {
		Body struct {
			Old      string `json:"old" minLength:"1" maxLength:"256"`
			Password string `json:"password" minLength:"1" maxLength:"256" doc:"At least 12 characters."`
		}
	},
	) (*signedIn, error) {
		return a.signIn(a.o.People.Password(callerOf(ctx).person.ID, in.Body.Old, in.Body.Password))
	}))
}

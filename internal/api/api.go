package api

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rapport/internal/audience"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/drafts"
	"rapport/internal/fault"
	"rapport/internal/imports"
	"rapport/internal/keys"
	"rapport/internal/live"
	"rapport/internal/people"
	"rapport/internal/report"
	"rapport/internal/sender"
	"rapport/internal/store"
	"rapport/internal/studio/picture"
	"rapport/internal/suggest"
	"rapport/internal/warehouse"
)

// Prefix is the path below which the API answers.
const Prefix = "/api/v1"

// Keys knows the keys of the shop; [keys.Ring] is one.
type Keys interface {
	Find(presented string) (keys.Key, bool)
	List() []keys.Key
	Add(name string, scopes []keys.Scope) (keys.New, error)
	Revoke(id string) error
}

// Options are what the API is made of.
type Options struct {
	Node   Node
	Store  store.Store
	Ledger store.Ledger
	Keys   Keys

	Imports   *imports.Book
	Desk      *imports.Desk // imports files that are uploaded. Default: none are taken
	Live      *live.Hub     // shows what comes in. Default: nobody sees it
	Domains   *sender.Book
	Catalogue Catalogue
	Interests store.Interests // who was interested in what. Default: nobody notes it
	Pictures  *picture.Library
	Room      *suggest.Room // what recommends
	Home      func(identity.Identifier) identity.ID

	// Predictions are the models. Default: there are none.
	Predictions Predictions
	Warehouse   warehouse.Warehouse // nil: there is none

	// Scheduled knows the reports that colleagues get; [schedule.Runner] is one. Default:
	// there are none.
	Scheduled Scheduled

	// Learn measures journeys and campaigns against those who were held out of them, as
	// asked and in that order. Default: nil, nothing is measured.
	Learn func(ctx context.Context, asked []report.Asked, currency money.Currency) ([]report.Learnt, error)

	// People are those who can sign in. Default: nobody can; keys are all there is.
	People *people.Book
	// Drafts are what people write and have not put in force. Default: none are kept.
	Drafts *drafts.Shelf
	// PublicURL is where invitations lead.
	PublicURL string
	// TLS says that browsers come by TLS, so that sessions are sent by nothing else.
	TLS bool

	// DNS is asked about sending domains. Default: the machine's.
	DNS sender.Resolver

	// Now is the clock of the data directory.
	Now func() event.Time

	// Rate is how many requests a second a key may make, with bursts of five times
	// as many. Default: DefaultRate. Below zero: any number.
	Rate int

	// Log is told of failures on our side. Default: nobody is told.
	Log *slog.Logger
}

// API answers requests below [Prefix].
type API struct {
	o       Options
	mux     *http.ServeMux
	limits  *limits
	routes  []Route
	open    map[string]bool // patterns of operations that ask for no key
	ours    map[string]bool // operations whose answers are about no customer, by their ids
	huma    huma.API
	openapi func() []byte // made when somebody asks for it

	frames frames  // previews that are being looked at
	tests  testing // how many tests were sent of late

	desk *audience.Desk // counts whom conditions are about

	vocabulary vocabulary // what could stand in conditions

	applying sync.Mutex // one change of definitions at a time
	undoing  sync.Mutex // one import at a time
	learnt   learnt
}

// Route is one operation: for tests that ask something of each.
type Route struct {
	Method string
	Path   string // as net/http's patterns name it, without the method
	Scope  keys.Scope
	ID     string        // of the operation in the document
	Roles  []people.Role // of people who may do it
	Masked bool          // who only analyses sees no names and addresses in its answer
}

// secretOnly is the scope of operations that no restricted key may do: a key that
// could make keys would have no bounds.
const secretOnly keys.Scope = ""

// New returns the API.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.DNS == nil {
		o.DNS = sender.NewResolver("")
	}
	o.Node = noting{o.Node}
	a := &API{o: o, mux: http.NewServeMux(), open: map[string]bool{}, ours: map[string]bool{}, limits: newLimits(o.Rate)}
	a.desk = audience.New(audience.Options{Store: o.Store, Customers: o.Node.Customers, Ledger: o.Ledger, Program: o.Node.Program, Subjects: o.Node.Subjects, Now: o.Now, Known: o.Node.Known})
	described := configuration()
	described.Transformers = []huma.Transformer{a.maskedAnswer}
	a.huma = humago.New(a.mux, described)
	a.customers()
	a.groups()
	a.journeys()
	a.audiences()
	a.messages()
	a.scores()
	a.resources()
	a.uploads()
	a.stream()
	a.asides()
	a.shelf()
	a.stores()
	a.goods()
	a.campaigns()
	a.predictions()
	a.definitions()
	a.drafts()
	a.recommendations()
	a.pictures()
	a.state()
	a.warehouse()
	a.reports()
	a.keys()
	a.templates()
	a.sessions()
	a.staff()
	a.approvals()
	a.openapi = sync.OnceValue(func() []byte { return document(a.huma.OpenAPI()) })
	return a
}

// Routes lists every operation.
func (a *API) Routes() []Route { return a.routes }

// OpenAPI returns the document that describes the API.
func (a *API) OpenAPI() []byte { return a.openapi() }

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.URL.Path == Prefix+"/openapi.json" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(a.openapi()) // who is gone cannot be told
		return
	}
	_, pattern := a.mux.Handler(r)
	c, err := a.admit(r)
	if err != nil && !a.open[pattern] {
		a.refuse(w, r, err)
		return
	}
	if pattern == "" {
		a.refuse(w, r, a.nothing(w, r))
		return
	}
	c.peer, c.called = peer(r), &called{}
	noted := &statusNoted{ResponseWriter: w}
	c.status = func() int { return noted.status }
	a.mux.ServeHTTP(noted, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
}

// secure sets the headers of every answer: it is data, not a page, and personal.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// admit returns the caller of a request that may be answered.
func (a *API) admit(r *http.Request) (caller, error) {
	if r.Header.Get("Authorization") == "" {
		if c, ok := a.byCookie(r); ok {
			if wait := a.limits.take(c.person.ID); wait > 0 {
				return caller{}, &problem{Status: http.StatusTooManyRequests, Detail: "you make more requests than a person can", retry: wait}
			}
			return c, nil
		}
	}
	text, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	key, known := a.o.Keys.Find(strings.TrimSpace(text))
	if !bearer || !known || key.Kind != keys.Secret && key.Kind != keys.Restricted {
		if wait := a.limits.wrong(peer(r)); bearer && wait > 0 {
			return caller{}, &problem{Status: http.StatusTooManyRequests, Detail: "too many wrong keys came from this address", retry: wait}
		}
		return caller{}, fault.New(fault.Denied, "this needs somebody who is signed in, or a secret or a restricted key: Authorization: Bearer rp_s_…")
	}
	if wait := a.limits.take(key.ID); wait > 0 {
		return caller{}, &problem{Status: http.StatusTooManyRequests, Detail: "this key makes more requests than it may", retry: wait}
	}
	return caller{key: key}, nil
}

// nothing is the error of a request that no operation answers.
func (a *API) nothing(w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if allowed == nil {
		return fault.New(fault.NotFound, "there is nothing at this path; "+Prefix+"/openapi.json lists what there is")
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &problem{Status: http.StatusMethodNotAllowed, Detail: "this path takes " + strings.Join(allowed, " and ")}
}

// operation is what the documents say of one operation.
type operation struct {
	method  string
	path    string // below Prefix
	scope   keys.Scope
	roles   []people.Role // who may, of people; nil: those who go with the scope
	tag     string
	summary string
	about   string
	status  int   // of success; zero: 200
	maxBody int64 // bytes; zero: maxCall

	file    string       // what the body is, where it is a file that is read as it comes; empty: it is none
	answers reflect.Type // what the answer is, where the operation writes it itself; nil: what its type says

	handsOut bool // it hands personal data out in bulk, so it stands in the audit trail
	traffic  bool // it does not, although it changes something: see [operation.deed]
}

// maxCall bounds the body of a call: some times what a service message may be told.
const maxCall = 64 << 10

// route adds an operation that is answered by do. The faults of do become problems.
func route[I, O any](a *API, op operation, do func(ctx context.Context, in *I) (*O, error)) {
	path := Prefix + op.path
	id := operationID(op.method, op.path)
	a.routes = append(a.routes, Route{op.method, path, op.scope, id, rolesOf(&op), !ours[op.method+" "+op.path]})
	a.open[op.method+" "+path] = op.scope == anybody
	a.ours[id] = ours[op.method+" "+op.path]
	if op.maxBody == 0 {
		op.maxBody = maxCall
	}
	declared := huma.Operation{
		Method: op.method, Path: path, OperationID: id, Tags: []string{op.tag}, Summary: op.summary, Description: op.about,
		DefaultStatus: op.status, MaxBodyBytes: op.maxBody, BodyReadTimeout: -1, // the server's own deadline stands
		RejectUnknownQueryParameters: true,
		Security:                     security(&op),
		// Before anything of the request is read: who may not ask learns nothing.
		Middlewares: huma.Middlewares{a.guard(&op, id)},
	}
	if op.file != "" {
		declared.RequestBody = &huma.RequestBody{Description: op.file, Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	}
	if op.answers != nil {
		declared.Responses = map[string]*huma.Response{strconv.Itoa(op.status): {Description: http.StatusText(op.status), Content: map[string]*huma.MediaType{
			"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(op.answers, true, "")},
		}}}
	}
	huma.Register(a.huma, declared, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, path, err)
		}
		return out, nil
	})
}

// operationID names an operation for those who generate clients: "get_customers_id".
func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "_", "{", "", "}", "").Replace(path)
}

// body is an answer that is a JSON document.
type body[T any] struct {
	Body T
}

// answer makes an answer of what an operation found.
func answer[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{v}, nil
}

var errNoProgram = fault.New(fault.Unavailable, "no definitions are in force yet")

package api

import (
	"context"
	"net/http"

	"rapport/internal/drafts"
	"rapport/internal/fault"
)

// Drafted names one draft of the person who asks.
type Drafted struct {
	Kind string `path:"kind" enum:"segment,journey,template"`
}

// draftKept is the next version of a draft.
type draftKept struct {
	Drafted
	Body struct {
		Name string `json:"name" maxLength:"200" doc:"Of what it changes; empty: of something new that has none yet."`
		From string `json:"from" maxLength:"40" doc:"The version that it was made from; empty: there was none."`
		Body string `json:"body" doc:"Whatever the page that writes it understands; at most 512 kB."`
	}
}

// drafts adds the operations about what somebody writes and has not put in force. Keys
// have no drafts, and drafts are in no trail: they change nothing.
func (a *API) drafts() {
	op := func(method, path, summary, about string) operation {
		return operation{method: method, path: path, scope: personOnly, roles: makers, traffic: true, tag: "drafts", summary: summary, about: about}
	}
	route(a, op(http.MethodGet, "/drafts", "List what you are writing", "Segments, journeys and templates that you changed and did not put in force, in whatever browser. Nobody else sees them."),
		withDrafts(a, func(ctx context.Context, _ *struct{}) (*body[page[drafts.Draft]], error) {
			list, err := a.o.Drafts.List(callerOf(ctx).person.ID)
			return answer(page[drafts.Draft]{Data: list}, err)
		}))
	route(a, op(http.MethodGet, "/drafts/{kind}", "Get a draft of yours", ""), withDrafts(a, func(ctx context.Context, in *struct {
		Drafted
		Name string `query:"name" maxLength:"200" doc:"Of what it changes; empty: of something new."`
	},
	) (*body[drafts.Draft], error) {
		d, err := a.o.Drafts.Get(callerOf(ctx).person.ID, in.Kind, in.Name)
		if fault.Is(err, fault.Corrupt) { // the next one takes its place
			a.o.Log.ErrorContext(ctx, "a draft is damaged", "kind", in.Kind, "name", in.Name, "error", err)
			err = fault.New(fault.NotFound, "there is no draft of it that can be read")
		}
		return answer(d, err)
	}))
	keep := op(http.MethodPut, "/drafts/{kind}", "Keep a draft", "The answer has the version from which the next one is made. 409: another browser or tab of yours has kept or given up one since; get that, and decide.")
	keep.maxBody = 2*drafts.MaxBody + maxCall
	route(a, keep, withDrafts(a, func(ctx context.Context, in *draftKept) (*body[drafts.Draft], error) {
		return answer(a.o.Drafts.Keep(callerOf(ctx).person.ID, drafts.Draft{Kind: in.Kind, Name: in.Body.Name, Body: in.Body.Body}, in.Body.From))
	}))
	drop := op(http.MethodDelete, "/drafts/{kind}", "Give a draft up", "Also when what it says came into force. 409: what is kept is of another version.")
	drop.status = http.StatusNoContent
	route(a, drop, withDrafts(a, func(ctx context.Context, in *struct {
		Drafted
		Name string `query:"name" maxLength:"200"`
		From string `query:"from" maxLength:"40" doc:"The version that is given up. Default: whatever it is."`
	},
	) (*struct{}, error) {
		return &struct{}{}, a.o.Drafts.Drop(callerOf(ctx).person.ID, in.Kind, in.Name, in.From)
	}))
}

// withDrafts lets an operation be done where drafts are kept.
func withDrafts[I, O any](a *API, do func(ctx context.Context, in *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		if a.o.Drafts == nil {
			return nil, fault.New(fault.Unavailable, "this server keeps no drafts")
		}
		return do(ctx, in)
	}
}

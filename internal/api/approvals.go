package api

import (
	"context"
	"net/http"
	"strconv"

	"rapport/internal/people"
	"rapport/internal/run"
)

// Rule is when a campaign needs four eyes.
type Rule struct {
	Above int64 `json:"above" minimum:"0" maximum:"1000000000" doc:"Campaigns that reach more need an approval. Zero: none does."`
}

// approvals adds the operations about approvals of campaigns.
func (a *API) approvals() {
	const tag = "approvals"
	route(a, get("/approvals", tag, "List the approvals of campaigns", "One a campaign: the newest that was asked for."), withPeople(a, func(ctx context.Context, _ *struct{}) (*body[approvalList], error) {
		out := approvalList{Rule: Rule{a.o.People.Above()}, Data: a.o.People.Approvals()}
		if pr, err := a.inForce(ctx); err == nil {
			out.Edited = a.o.People.Author(run.Tag(pr.Source))
		}
		return answer(out, nil)
	}))
	route(a, operation{method: "PUT", path: "/approvals", scope: secretOnly, tag: tag, summary: "Say above how many recipients a campaign needs an approval"},
		withPeople(a, func(ctx context.Context, in *struct{ Body Rule }) (*body[Rule], error) {
			detail(ctx, "above "+strconv.FormatInt(in.Body.Above, 10))
			return answer(in.Body, a.o.People.SetAbove(in.Body.Above))
		}))
	ask := operation{
		method: "POST", path: "/campaigns/{name}/approval", scope: "send", tag: tag, status: http.StatusCreated, summary: "Ask for the approval of a campaign",
		about: "As it is now: whatever is edited afterwards voids it.",
	}
	route(a, ask, withPeople(a, func(ctx context.Context, in *Named) (*body[people.Approval], error) {
		tag, funnel, err := a.wouldReach(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		return answer(a.o.People.Ask(in.Name, tag, funnel, callerOf(ctx).actor()))
	}))
	route(a, operation{
		method: "POST", path: "/campaigns/{name}/approve", scope: personOnly, roles: makers, tag: tag, summary: "Approve a campaign",
		about: "By a person who neither asked for it nor wrote the definitions, and who types how many it would reach.",
	}, withPeople(a, func(ctx context.Context, in *struct {
		Named
		Body struct {
			Recipients int64 `json:"recipients" minimum:"0" doc:"How many it would reach, as the approval that was asked for says."`
		}
	},
	) (*body[people.Approval], error) {
		tag, _, err := a.wouldReach(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		return answer(a.o.People.Approve(in.Name, tag, in.Body.Recipients, callerOf(ctx).actor()))
	}))
}

// approvalList is every approval, and when one is needed.
type approvalList struct {
	Rule
	Data   []people.Approval `json:"data"`
	Edited *people.Actor     `json:"edited_by,omitempty" doc:"Who put the definitions in force that are; absent: that is not known. They cannot approve."`
}

// sendCall is how a campaign is to be sent.
type sendCall struct {
	run.SendOptions
	Recipients int64 `json:"recipients,omitempty" doc:"How many it was approved for; needed where an approval is."`
}

// wouldReach returns the tag of the definitions in force and how many a campaign
// would reach at most: all who agreed. Who is held back today by a cap may be let
// through tomorrow, and the number that somebody approves should not depend on it.
func (a *API) wouldReach(ctx context.Context, name string) (tag string, n int64, err error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return "", 0, err
	}
	f, err := a.o.Node.PreviewCampaign(ctx, name)
	return run.Tag(pr.Source), f.Agreed, err
}

// maySend returns why a campaign may not be sent yet; nil if it may.
func (a *API) maySend(ctx context.Context, name string, typed int64) error {
	if a.o.People == nil || a.o.People.Above() == 0 {
		return nil
	}
	tag, n, err := a.wouldReach(ctx, name)
	if err != nil {
		return err
	}
	return a.o.People.MaySend(name, tag, n, typed)
}

// authored notes who put definitions in force: they cannot approve what they wrote.
func (a *API) authored(ctx context.Context, tag string) error {
	detail(ctx, "definitions "+tag)
	if a.o.People == nil {
		return nil
	}
	return a.o.People.Authored(tag, callerOf(ctx).actor())
}

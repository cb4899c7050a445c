package api

import (
	"context"
	"iter"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/erase"
	"rapport/internal/imports"
	"rapport/internal/intake"
	"rapport/internal/program"
	"rapport/internal/run"
)

// Node is what the API needs of the running product; [run.Node] is one, and says
// what each method promises.
type Node interface {
	imports.Node

	Lookup(ctx context.Context, text string) (*profile.Profile, error)
	Customers(ctx context.Context, from identity.ID) iter.Seq2[*profile.Profile, error]
	Profile(ctx context.Context, id identity.ID) (*profile.Profile, error)
	HearOf(ctx context.Context, id identity.ID, events []event.Event) error
	Erase(ctx context.Context, id identity.ID) (erase.Entry, error)
	Subjects(p *profile.Profile) [][16]byte
	SuppressAddress(ctx context.Context, s run.AddressSuppression) error

	Program(ctx context.Context) (*program.Program, error)
	Check(ctx context.Context, src *program.Source) []spec.Problem
	Known(ctx context.Context) *condition.Known
	Apply(ctx context.Context, src *program.Source) ([]spec.Problem, error)
	Diff(ctx context.Context, src *program.Source) (run.Difference, error)
	Inside(ctx context.Context) (map[string]int64, error)
	Standing(ctx context.Context, journey string) (map[string]int64, error)
	StandingAt(ctx context.Context, journey, step string, from identity.ID, limit int) ([]*profile.Profile, identity.ID, error)
	Rehearse(ctx context.Context, q run.Rehearsal) (run.Rehearsed, error)
	Scores(ctx context.Context, who *profile.Profile) (run.CustomerScores, error)
	PreviewScores(ctx context.Context, src *program.Source) (run.ScoreDifference, error)

	Asides(ctx context.Context, limit int) ([]run.Aside, error)
	Aside(ctx context.Context, id string) (run.Aside, error)
	Replay(ctx context.Context, a *run.Aside, mended []byte) (*intake.Reject, error)
	Discard(ctx context.Context, ids ...string) error

	Ready() error
	State() run.State

	Campaigns(ctx context.Context) ([]run.CampaignStatus, error)
	Campaign(ctx context.Context, name string) (run.CampaignStatus, error)
	Sample(ctx context.Context, template, customer string) (program.Sample, error)
	Try(src *program.Source) (*program.Program, []spec.Problem)
	SendTest(ctx context.Context, p *program.Program, s program.Sample, to string) (run.TestSent, error)
	PreviewCampaign(ctx context.Context, name string) (run.Funnel, error)
	SendCampaign(ctx context.Context, name string, o run.SendOptions) (run.RunStatus, error)
	PauseCampaign(ctx context.Context, name string) (run.RunStatus, error)
	ResumeCampaign(ctx context.Context, name string) (run.RunStatus, error)
	RateCampaign(ctx context.Context, name string, perHour int64) (run.RunStatus, error)
	StopCampaign(ctx context.Context, name string) (run.RunStatus, error)
	SendService(ctx context.Context, name string, to run.Recipient, props event.Object, key string) (event.ID, error)
}

var _ Node = (*run.Node)(nil)

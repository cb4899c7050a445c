package api

import (
	"context"
	"net/http"

	"rapport/internal/keys"
	"rapport/internal/program"
	"rapport/internal/run"
)

// WithScores is a request that brings files of scores.
type WithScores struct {
	Body struct {
		Files  []file   `json:"files" maxItems:"200" doc:"Files of definitions that take the place of those in force with the same path, or join them. Bodies of scores go into scores/."`
		Remove []string `json:"remove,omitempty" maxItems:"200" doc:"Paths of files in force that would no longer be."`
	}
}

// scores adds the operations about scores and affinities.
func (a *API) scores() {
	const tag = "scores"
	route(a, get("/customers/{id}/scores", tag, "Say what a customer's scores are, and why",
		"Value and tier of each score, what each rule gave of it and which events, with what they gave then and what is left now; and how their interest is spread."),
		func(ctx context.Context, in *Who) (*body[run.CustomerScores], error) {
			p, err := a.person(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return answer(a.o.Node.Scores(ctx, p))
		})
	route(a, operation{
		method: http.MethodPost, path: "/scores/preview", scope: keys.Read, tag: tag, summary: "Say whose tier would change", maxBody: maxDefinitions,
		about: "Plays every customer's history through the changed rules and counts who would go from which tier to which. Changes nothing. With many customers it takes a while.",
	}, a.previewScores)
}

func (a *API) previewScores(ctx context.Context, in *WithScores) (*body[run.ScoreDifference], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	files := make([]program.File, len(in.Body.Files))
	for i, f := range in.Body.Files {
		files[i] = program.File{Path: f.Path, Body: f.Body}
	}
	src, err := pr.Source.With(files, in.Body.Remove)
	if err != nil {
		return nil, err
	}
	return answer(a.o.Node.PreviewScores(ctx, src))
}

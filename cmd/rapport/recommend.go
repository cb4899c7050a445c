package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"rapport/internal/core/recommend"
	"rapport/internal/fault"
	"rapport/internal/suggest"
)

type recommendCmd struct {
	Eval recommendEvalCmd `cmd:"" help:"Measure a method on files of clicks by a published protocol."`
}

type recommendEvalCmd struct {
	Train     string   `required:"" type:"path" placeholder:"FILE" help:"Clicks to learn from: columns SessionId, ItemId, Time with a header; tabs or commas, .gz too."`
	Test      string   `required:"" type:"path" placeholder:"FILE" help:"Clicks to be measured on, in the same form."`
	Protocol  string   `default:"serenade" help:"serenade: every prefix of each session, each item once, the longest half per cent not learnt from. session-rec: that of the framework of the name."`
	Algorithm string   `default:"vmis" help:"vmis, vsknn, stan or vstan."`
	M         int      `placeholder:"N" help:"How many of the latest sessions are looked at. Default: the algorithm's published one."`
	K         int      `placeholder:"N" help:"How many of those, the most alike, are asked. Default: the algorithm's published one."`
	Last      *int     `placeholder:"N" help:"How many of the latest clicks count; 0: all. Default: the algorithm's published one."`
	IDF       *float64 `name:"idf" placeholder:"X" help:"How much more rare items count; 0: not more. Default: the algorithm's published one."`
	Weighting string   `default:"div" help:"vsknn: how clicks fade: div, same, linear, log, quadratic."`
	Score     string   `name:"weighting-score" default:"div" help:"vsknn: how neighbours fade: div, same, linear, log, quadratic."`
	SPW       *float64 `name:"lambda-spw" placeholder:"X" help:"stan: reach of clicks. Default 1.02."`
	SNH       *float64 `name:"lambda-snh" placeholder:"DAYS" help:"stan: reach of sessions. Default 5."`
	INH       *float64 `name:"lambda-inh" placeholder:"X" help:"stan: reach of items beside what both sessions have. Default 2.05."`
	IPW       *float64 `name:"lambda-ipw" placeholder:"X" help:"vstan: reach of the click that both have. Default 1.02."`
	NoRemind  bool     `name:"no-remind" help:"vsknn, stan: never suggest what the session has clicked."`
	CutOff    []int    `name:"cut-off" default:"20" placeholder:"N,…" help:"Lengths of the lists; the figures of the first stand at the top."`
	Lists     string   `type:"path" placeholder:"FILE" help:"Write each list there as a line of JSON: session, position, current, target, rank, items with their scores."`
	JSON      bool     `help:"Print the result as JSON."`
}

// maxCutOff bounds the lists: nobody looks at more.
const maxCutOff = 1000

func (c *recommendEvalCmd) method() (m recommend.Method, err error) {
	a, err := recommend.ParseAlgorithm(c.Algorithm)
	if err != nil {
		return m, err
	}
	m = recommend.Defaults(a)
	if m.Weighting, err = recommend.ParseFade(c.Weighting); err != nil {
		return m, err
	}
	if m.Decay, err = recommend.ParseFade(c.Score); err != nil {
		return m, err
	}
	if c.M > 0 {
		m.M = c.M
	}
	if c.K > 0 {
		m.K = c.K
	}
	if c.Last != nil {
		m.Last = *c.Last
	}
	for _, set := range []struct{ to, from *float64 }{{&m.IDF, c.IDF}, {&m.SPW, c.SPW}, {&m.SNH, c.SNH}, {&m.INH, c.INH}, {&m.IPW, c.IPW}} {
		if set.from != nil {
			*set.to = *set.from
		}
	}
	m.NoRemind = c.NoRemind
	return m, nil
}

// recommendResult is what rapport recommend eval prints.
type recommendResult struct {
	Protocol    string `json:"protocol"`
	Algorithm   string `json:"algorithm"`
	Sessions    int    `json:"sessions"`
	Evaluations int    `json:"evaluations"`
	CutOff      int    `json:"cut_off"`
	recommend.Measures
	Unknown    int                           `json:"unknown_targets"`
	Learnt     int                           `json:"train_sessions"`
	TrainItems int                           `json:"train_items"`
	Longest    int                           `json:"longest_session,omitempty"`
	Settings   map[string]any                `json:"settings"`
	At         map[string]recommend.Measures `json:"at"`
}

// Run measures and prints.
func (c *recommendEvalCmd) Run(_ context.Context, e *env) (err error) {
	m, err := c.method()
	if err != nil {
		return fmt.Errorf("%w: %w", errMisuse, err)
	}
	protocol, err := recommend.ParseProtocol(c.Protocol)
	if err != nil {
		return fmt.Errorf("%w: %w", errMisuse, err)
	}
	if len(c.CutOff) == 0 || slices.Min(c.CutOff) < 1 || slices.Max(c.CutOff) > maxCutOff {
		return fmt.Errorf("%w: --cut-off is a length from 1 to %d", errMisuse, maxCutOff)
	}
	train, err := readClicks(c.Train)
	if err != nil {
		return err
	}
	test, err := readClicks(c.Test)
	if err != nil {
		return err
	}
	tell, finish, err := c.lists()
	if err != nil {
		return err
	}
	x, longest := recommend.Learn(protocol, train)
	r, err := recommend.Evaluate(x, &m, train, test, c.CutOff, tell)
	if err = errors.Join(err, finish()); err != nil {
		return err
	}
	out := recommendResult{
		Protocol: protocol.String(), Algorithm: m.Algorithm.String(), Sessions: r.Sessions, Evaluations: r.Evaluations, CutOff: c.CutOff[0], Measures: r.At[c.CutOff[0]],
		Unknown: r.Unknown, Learnt: r.Learnt, TrainItems: r.Items, Longest: longest, At: map[string]recommend.Measures{},
		Settings: map[string]any{
			"m": m.M, "k": m.K, "last": m.Last, "idf": m.IDF, "weighting": m.Weighting.String(), "weighting_score": m.Decay.String(),
			"lambda_spw": m.SPW, "lambda_snh": m.SNH, "lambda_inh": m.INH, "lambda_ipw": m.IPW, "remind": !m.NoRemind,
		},
	}
	for n, figures := range r.At {
		out.At[strconv.Itoa(n)] = figures
	}
	if c.JSON {
		return e.printJSON(out)
	}
	fmt.Fprintf(e.out, "%s by %s: %d lists in %d sessions, learnt from %d sessions with %d items\n", out.Algorithm, out.Protocol, r.Evaluations, r.Sessions, r.Learnt, r.Items)
	for _, n := range c.CutOff {
		f := r.At[n]
		fmt.Fprintf(e.out, "@%-3d  MRR %.4f  hit rate %.4f  precision %.4f  recall %.4f  coverage %.4f  popularity %.4f\n", n, f.MRR, f.HitRate, f.Precision, f.Recall, f.Coverage, f.Popularity)
	}
	return nil
}

// lists returns what takes each list, and what ends it.
func (c *recommendEvalCmd) lists() (tell func(*recommend.Judged) error, finish func() error, err error) {
	if c.Lists == "" {
		return nil, func() error { return nil }, nil
	}
	f, err := os.Create(c.Lists)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the file for the lists cannot be written: "+err.Error())
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return func(j *recommend.Judged) error { return enc.Encode(j) }, func() error { return errors.Join(w.Flush(), f.Close()) }, nil
}

func readClicks(path string) ([]recommend.Visit, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, "cannot read "+path+": "+err.Error())
	}
	defer f.Close()
	visits, err := suggest.ReadClicks(f)
	if err != nil {
		_, message := fault.Of(err)
		return nil, fault.Wrap(fault.Invalid, err, path+": "+message)
	}
	return visits, nil
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rapport/internal/core/journey"
	"rapport/internal/fault"
	"rapport/internal/run"
)

type campaignCmd struct {
	List    campaignListCmd    `cmd:"" help:"List the campaigns, their runs and what became of their messages."`
	Preview campaignPreviewCmd `cmd:"" help:"Say whom a campaign would reach now, and why it would not reach the others. Sends nothing."`
	Send    campaignSendCmd    `cmd:"" help:"Send a campaign: as its definition says, and not before its undo window has passed."`
	Pause   campaignPauseCmd   `cmd:"" help:"Let a campaign come to nobody until it is resumed."`
	Resume  campaignResumeCmd  `cmd:"" help:"Let a paused campaign go on."`
	Rate    campaignRateCmd    `cmd:"" help:"Change how many messages an hour a campaign plans."`
	Stop    campaignStopCmd    `cmd:"" help:"End a campaign for good and recall what has not left. Within the undo window that is everything."`
	Results campaignResultsCmd `cmd:"" help:"Say what became of a campaign's messages, by state and reason."`
}

// remote is a running server as a terminal speaks to it.
type remote struct {
	Server string `default:"http://127.0.0.1:8080" env:"RAPPORT_SERVER" placeholder:"URL" help:"The running server. Default: ${default}."`
	Key    string `required:"" env:"RAPPORT_KEY" placeholder:"rp_s_…" help:"A secret key. Better set in the environment, RAPPORT_KEY, than written in the history of a shell."`
	JSON   bool   `help:"Print the answer as JSON."`
}

const (
	// remoteTimeout is long enough for the preview of a million customers.
	remoteTimeout = 5 * time.Minute
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 32 << 20
)

// call asks the server and decodes what it answers into v. A problem that the
// server names is the error.
func (r *remote) call(ctx context.Context, method, path string, body, v any, headers ...string) error {
	if strings.ContainsFunc(r.Key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Errorf("%w: the key is one word such as rp_s_live_…, without spaces or line ends; look at RAPPORT_KEY or --key", errMisuse)
	}
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return r.send(ctx, method, path, "application/json", sent, v, headers...)
}

// send is call with a body of any kind. Headers are names, each with its value behind.
func (r *remote) send(ctx context.Context, method, path, kind string, body []byte, v any, headers ...string) error {
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	return r.stream(ctx, method, path, kind, bytes.NewReader(body), v, headers...)
}

// stream is send with a body of any length, and no bound on how long it takes.
func (r *remote) stream(ctx context.Context, method, path, kind string, body io.Reader, v any, headers ...string) error {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(r.Server, "/")+"/api/v1/"+path, body)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, r.Server+" is not the address of a server")
	}
	request.Header.Set("Authorization", "Bearer "+r.Key)
	request.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the server at "+r.Server+" does not answer: is rapport serve running there?")
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the server's answer did not arrive")
	}
	if response.StatusCode >= http.StatusBadRequest {
		var problem struct {
			Detail string `json:"detail"`
		}
		if json.Unmarshal(answer, &problem) != nil || problem.Detail == "" {
			problem.Detail = "the server answered " + response.Status
		}
		return fault.New(fault.Invalid, problem.Detail)
	}
	return json.Unmarshal(answer, v)
}

func campaignPath(name, rest string) string { return "campaigns/" + url.PathEscape(name) + rest }

// campaign is an answer about one campaign, with instants as texts.
type campaign struct {
	Name     string      `json:"name"`
	Title    string      `json:"title"`
	Audience string      `json:"audience"`
	At       string      `json:"at,omitempty"`
	Passed   bool        `json:"passed"`
	Rate     int64       `json:"rate_per_hour,omitempty"`
	Runs     []order     `json:"runs"`
	Messages []run.Count `json:"messages"`
}

// order is an answer about one run.
type order struct {
	Run     string `json:"run"`
	State   string `json:"state"`
	Sent    string `json:"sent"`
	Begins  string `json:"begins"`
	Rate    int64  `json:"rate_per_hour,omitempty"`
	Seen    int64  `json:"seen"`
	Entered int64  `json:"entered"`
	Open    int64  `json:"open"`
	Next    string `json:"next,omitempty"`
	Finish  bool   `json:"finished"`
}

func (o *order) String() string {
	s := fmt.Sprintf("run %s %s: came to %d people, %d messages open", o.Run, o.State, o.Entered, o.Open)
	if o.State == "waiting" {
		s += ", begins at " + o.Begins
	}
	if o.Next != "" {
		s += ", goes on at " + o.Next + ", when it is time for others"
	}
	if o.Rate > 0 {
		s += fmt.Sprintf(", %d an hour", o.Rate)
	}
	return s
}

type campaignListCmd struct{ remote }

// Run lists the campaigns.
func (c *campaignListCmd) Run(ctx context.Context, e *env) error {
	var answer struct {
		Campaigns []campaign `json:"campaigns"`
	}
	if err := c.call(ctx, http.MethodGet, "campaigns", nil, &answer); err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(answer.Campaigns)
	}
	if len(answer.Campaigns) == 0 {
		fmt.Fprintln(e.out, "There are no campaigns: they are files in the folder campaigns of the definitions.")
	}
	for i := range answer.Campaigns {
		answer.Campaigns[i].print(e.out)
	}
	return nil
}

func (c *campaign) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n  for those who: %s\n", c.Name, c.Title, c.Audience)
	switch {
	case c.At == "":
	case c.Passed && len(c.Runs) == 0:
		fmt.Fprintln(w, "  at:", c.At+", which has passed: it was not sent")
	default:
		fmt.Fprintln(w, "  at:", c.At)
	}
	for i := range c.Runs {
		fmt.Fprintln(w, "  "+c.Runs[i].String())
	}
	printCounts(w, c.Messages)
}

func printCounts(w io.Writer, counts []run.Count) {
	for _, m := range counts {
		fmt.Fprintf(w, "  %10d  %s %s\n", m.Count, m.State, m.Reason)
	}
}

type campaignResultsCmd struct {
	remote
	Name string `arg:"" help:"The campaign."`
}

// Run prints what became of the campaign's messages.
func (c *campaignResultsCmd) Run(ctx context.Context, e *env) error {
	var answer campaign
	if err := c.call(ctx, http.MethodGet, campaignPath(c.Name, ""), nil, &answer); err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(answer)
	}
	answer.print(e.out)
	return nil
}

type campaignPreviewCmd struct {
	remote
	Name string `arg:"" help:"The campaign."`
}

// Run prints the funnel.
func (c *campaignPreviewCmd) Run(ctx context.Context, e *env) error {
	var f run.Funnel
	if err := c.call(ctx, http.MethodGet, campaignPath(c.Name, "/preview"), nil, &f); err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(f)
	}
	for _, line := range []struct {
		n    int64
		what string
	}{
		{f.Customers, "customers"},
		{f.Audience, "in the audience"},
		{f.Reachable, "with an address that takes mail"},
		{f.Agreed, "who agreed"},
		{f.Sent, "would get it"},
	} {
		fmt.Fprintf(e.out, "%10d  %s\n", line.n, line.what)
	}
	fmt.Fprintln(e.out, "not now, or not at all:")
	printCounts(e.out, f.Reasons)
	return nil
}

type campaignSendCmd struct {
	remote
	Name  string `arg:"" help:"The campaign."`
	Again bool   `help:"Send it once more although it was sent before, to everybody of its audience."`
	Now   bool   `help:"Begin at once, without the undo window."`
}

// Run orders a run.
func (c *campaignSendCmd) Run(ctx context.Context, e *env) error {
	return c.order(ctx, e, campaignPath(c.Name, "/send"), run.SendOptions{Again: c.Again, Now: c.Now})
}

// order gives an order and prints how far the run is.
func (r *remote) order(ctx context.Context, e *env, path string, body any) error {
	var o order
	if err := r.call(ctx, http.MethodPost, path, body, &o); err != nil {
		return err
	}
	if r.JSON {
		return e.printJSON(o)
	}
	fmt.Fprintln(e.out, o.String())
	return nil
}

type campaignPauseCmd struct {
	remote
	Name string `arg:"" help:"The campaign."`
}

// Run pauses the run that is under way.
func (c *campaignPauseCmd) Run(ctx context.Context, e *env) error {
	return c.order(ctx, e, campaignPath(c.Name, "/pause"), nil)
}

type campaignResumeCmd struct {
	remote
	Name string `arg:"" help:"The campaign."`
}

// Run lets a paused run go on.
func (c *campaignResumeCmd) Run(ctx context.Context, e *env) error {
	return c.order(ctx, e, campaignPath(c.Name, "/resume"), nil)
}

type campaignStopCmd struct {
	remote
	Name string `arg:"" help:"The campaign."`
}

// Run stops the run that is under way.
func (c *campaignStopCmd) Run(ctx context.Context, e *env) error {
	return c.order(ctx, e, campaignPath(c.Name, "/stop"), nil)
}

type campaignRateCmd struct {
	remote
	Name string `arg:"" help:"The campaign."`
	Rate string `arg:"" help:"Messages by s, m or h, such as 5000/h; none: as many as are taken."`
}

// Run changes the rate of the run that is under way.
func (c *campaignRateCmd) Run(ctx context.Context, e *env) error {
	if _, ok := journey.ParseRate(c.Rate); !ok {
		return fmt.Errorf("%w: a rate is like 5000/h, 100/m, 20/s or none, not %q", errMisuse, c.Rate)
	}
	return c.order(ctx, e, campaignPath(c.Name, "/rate"), map[string]string{"rate": c.Rate})
}

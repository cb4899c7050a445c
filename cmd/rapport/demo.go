package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"rapport/examples/shop"
	"rapport/internal/admin"
	"rapport/internal/clock"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/wire"
	"rapport/internal/demo"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/mailcatcher"
	"rapport/internal/program"
	"rapport/internal/report"
)

type demoCmd struct {
	Once       bool    `help:"Replay the year, print what came of it, and end."`
	JSON       bool    `help:"Print the summary as JSON."`
	Speed      float64 `placeholder:"HOURS" help:"Hours of the year a second, to watch it. Default: as fast as it goes."`
	Data       string  `type:"path" help:"Keep the data in this folder, to be looked at with why, dump and doctor; it must be new, and it is for no real shop: its key is known. Default: a temporary folder."`
	Listen     string  `default:"127.0.0.1:8080" help:"Address of the pages; another port if it is taken."`
	Seed       uint64  `default:"1" help:"From which the invented people are made."`
	Understand bool    `default:"true" negatable:"" help:"At the end, run every model and report over the year, and print what they found. --no-understand leaves that out, which saves a quarter of the time."`
	Lanes      int     `default:"1" help:"Lanes of the log. What comes out does not depend on it."`
}

// Run replays the year and, unless --once says so, stays to be looked at.
func (c *demoCmd) Run(ctx context.Context, e *env) (err error) {
	dir, remove, err := c.directory()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil || c.Once {
		if listener != nil {
			listener.Close()
		}
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	key := identity.Key{}
	for i := 0; i < len(key); i += 8 {
		copy(key[i:], wire.Fixed(nil, wire.Hash("demo key", fmt.Sprint(c.Seed), fmt.Sprint(i))))
	}
	s := &server{clock: clock.Virtual(demo.GoLive), public: "http://" + listener.Addr().String(), logger: e.logger, hold: -1}
	s.wall = func() time.Time { return s.clock.Now().Time() }
	d := &play{c: c, e: e, s: s, began: time.Now()}
	s.demo = d.status
	http := newHTTP(s)
	served := make(chan error, 1)
	go func() { served <- http.Serve(listener) }()
	defer http.Close()
	if !c.JSON {
		fmt.Fprintf(e.err, "Rapport replays a real shop's year. Watch it at %s/demo\n", s.public)
	}

	if s.d, err = openDirectory(ctx, dir, opening{clock: s.clock, create: true, key: &key, lanes: c.Lanes, pagesMB: replayPagesMB, logger: e.logger}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx)), s.d.close()) }()
	if err := s.d.openTables(ctx, "duckdb", e.logger); err != nil {
		return err
	}
	replay()
	if err := d.play(ctx); err != nil {
		if ctx.Err() != nil && !c.Once { // whoever watched it has seen enough
			fmt.Fprintln(e.err, "\nThe year was stopped where it was."+c.whereKept())
			return nil
		}
		d.mu.Lock()
		d.failed = explain(err)
		d.mu.Unlock()
		return err
	}
	if c.Once {
		return nil
	}
	if err := d.shopper(ctx); err != nil {
		return err
	}
	s.invite(e.out)
	fmt.Fprintf(e.out, "\nThe pages stay until you press Ctrl-C: %s/demo\n", s.public)
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		return err
	}
}

// directory returns where the data goes and what removes it.
func (c *demoCmd) directory() (string, func() error, error) {
	if c.Data != "" {
		if list, err := os.ReadDir(c.Data); err == nil && len(list) > 0 {
			return "", nil, fault.New(fault.Conflict, c.Data+" is not empty: the year must begin in a new folder")
		}
		return c.Data, func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "rapport-demo-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

// whereKept says what is left of a year that was stopped.
func (c *demoCmd) whereKept() string {
	if c.Data == "" {
		return " Nothing of it is kept."
	}
	return " What it came to is in " + c.Data + "; to begin again, name a new folder."
}

// play is one run of the demo.
type play struct {
	c     *demoCmd
	e     *env
	s     *server
	began time.Time
	year  *demo.Year
	// watched: a progress bar is drawn, so somebody looks at the terminal.
	watched bool

	mu       sync.Mutex
	progress demo.Progress
	doing    string    // what is done after the year, a sentence
	started  time.Time // of the replay itself
	took     time.Duration
	learnt   []report.Learnt
	lines    []admin.ShopperLine
	summary  *summary
	failed   string // what ended the year too early
}

// play replays the year and prints what came of it.
func (d *play) play(ctx context.Context) error {
	s, seed := d.s, d.c.Seed
	bounces := demo.Bounces(seed)
	err := s.mail("", func(rcpt string) *mailcatcher.Reply {
		if bounces(rcpt) {
			return &mailcatcher.Reply{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "there is no such mailbox (invented)"}
		}
		return nil
	})
	if err != nil {
		return err
	}
	src, err := program.Read(shop.Files)
	if err != nil {
		return err
	}
	if err := s.openWith(ctx, src); err != nil {
		return err
	}
	if err := s.node.Settle(ctx); err != nil {
		return err
	}
	s.ready()
	s.d.tables.start(ctx)
	secret := ""
	for _, k := range s.d.fresh {
		if k.Kind == keys.Secret {
			secret = k.Text
		}
	}
	d.year = &demo.Year{Node: s.node, Clock: s.clock, URL: s.public, Secret: secret, Seed: seed, Catcher: s.catcher}
	bar := d.bar()
	d.watched = bar != nil
	d.year.Progress = func(p demo.Progress) {
		d.mu.Lock()
		d.progress = p
		d.mu.Unlock()
		if bar != nil {
			bar.Describe(p.Now.Time().Format("2 Jan 2006"))
			bar.Set(p.Messages) //nolint:errcheck // a progress bar that cannot be drawn is no failure
		}
	}
	if d.c.Speed > 0 {
		d.year.Pace = func(ctx context.Context, from, to event.Time) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(float64(to.Sub(from)) / d.c.Speed / 3600)):
				return nil
			}
		}
	}
	d.mu.Lock()
	d.started = time.Now()
	d.mu.Unlock()
	if err := d.year.Run(ctx); err != nil {
		return err
	}
	if bar != nil {
		bar.Finish() //nolint:errcheck // as above
		fmt.Fprintln(d.e.err)
	}
	if err := d.sum(ctx); err != nil {
		return err
	}
	if d.c.JSON {
		return d.e.printJSON(d.summary)
	}
	d.summary.print(d.e.out, s.public, d.c.Once)
	return nil
}

// bar draws how far the year is, unless nobody sees it.
func (d *play) bar() *progressbar.ProgressBar {
	f, ok := d.e.err.(*os.File)
	if !ok || d.c.JSON {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return progressbar.NewOptions(39016, progressbar.OptionSetWriter(d.e.err), progressbar.OptionSetWidth(40), progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond))
}

// sum adds up the year.
func (d *play) sum(ctx context.Context) error {
	s := d.s
	took := time.Since(d.began)
	if err := s.d.tables.loader.Load(ctx); err != nil {
		return err
	}
	if err := s.tablesAgree(ctx); err != nil {
		return err
	}
	if err := s.loader.Load(ctx); err != nil {
		return err
	}
	learnt, err := d.learn(ctx)
	if err != nil {
		return err
	}
	sm := &summary{Seed: d.c.Seed, Seconds: took.Seconds(), Invented: "people, addresses, consents, opens, clicks and unsubscribes"}
	heard := s.loader.Heard()
	sm.Orders, sm.Clean = totals(heard.Orders), totals(heard.Clean)
	sm.Events, sm.Unknown = heard.Events, heard.Unknown
	sm.EventsPerSecond = float64(heard.Events) / took.Seconds()
	stats, err := s.d.store.Stats(ctx)
	if err != nil {
		return err
	}
	sm.Profiles = stats["profiles"]
	counts, err := s.d.store.SegmentCounts(ctx)
	if err != nil {
		return err
	}
	prog, err := s.node.Program(ctx)
	if err != nil {
		return err
	}
	sm.Segments = map[string]int64{}
	for _, name := range prog.Core.Segments.Names() {
		sm.Segments[name] = counts[condition.SegmentKey(name)]
	}
	if sm.Deliveries, err = report.CountDeliveries(ctx, s.d.store); err != nil {
		return err
	}
	sm.Caught = s.catcher.Count()
	sm.Accepted = sm.Deliveries.ByState["accepted"]
	receipts := s.loader.Receipts()
	for _, actor := range []string{"human", "machine", "unknown"} {
		sm.Unsubscribes += receipts[event.Unsubscribed+"/"+actor]
	}
	sm.Bounces = sm.Deliveries.ByState["rejected"]
	sm.Reactions = receipts
	sm.Holdout, sm.MailsDigest = learnt, d.year.Digest()
	for i := range learnt {
		r := &learnt[i].Report
		for _, in := range []bool{r.Buyers.ExcludesZero, r.Orders.ExcludesZero, r.Revenue.ExcludesZero} {
			sm.Intervals++
			if in {
				sm.Excluding++
			}
		}
	}
	if err := d.highlights(ctx, sm); err != nil {
		return err
	}
	if d.c.Understand {
		if err := d.understand(ctx, sm); err != nil {
			return err
		}
	}
	d.mu.Lock()
	d.summary, d.learnt, d.took = sm, learnt, took
	d.mu.Unlock()
	return nil
}

func (d *play) learn(ctx context.Context) ([]report.Learnt, error) {
	prog, err := d.s.node.Program(ctx)
	if err != nil {
		return nil, err
	}
	var asked []report.Asked
	for _, j := range prog.Journeys {
		asked = append(asked, report.Asked{Journey: j.Name, Share: j.Holdout})
	}
	return d.s.loader.Learn(ctx, asked, d.s.clock.Now(), demo.Currency, d.s.node.Engine.Profile, nil)
}

// totals are sums as JSON shows them.
type figures struct {
	Rows      int64       `json:"rows"`
	Invoices  int64       `json:"invoices"`
	Customers int64       `json:"customers"`
	Sum       json.Number `json:"sum"`
}

func totals(t report.Totals) figures {
	return figures{t.Rows, t.Invoices, t.Customers, json.Number(t.Sum.String())}
}

// summary is what came of the year.
type summary struct {
	Seed            uint64            `json:"seed"`
	Orders          figures           `json:"orders"`
	Clean           figures           `json:"clean"`
	Unknown         int64             `json:"rows_without_customer"`
	Events          int64             `json:"events"`
	Profiles        int64             `json:"profiles"`
	Segments        map[string]int64  `json:"segments"`
	Deliveries      report.Deliveries `json:"deliveries"`
	Caught          int               `json:"mails_caught"`
	Accepted        int64             `json:"accepted"`
	Unsubscribes    int64             `json:"unsubscribes"`
	Bounces         int64             `json:"bounces"`
	Reactions       map[string]int64  `json:"reactions_invented"`
	Holdout         []report.Learnt   `json:"holdout"`
	Intervals       int               `json:"holdout_intervals"`
	Excluding       int               `json:"holdout_excluding_zero"`
	MailsDigest     string            `json:"mails_digest"`
	Customer12346   []string          `json:"customer_12346_segments"`
	LookAt          lookAt            `json:"look_at"`
	Invented        string            `json:"invented"`
	Seconds         float64           `json:"seconds"`
	EventsPerSecond float64           `json:"events_per_second"`

	Understood        *demo.Understood `json:"understood,omitempty"`
	UnderstoodSeconds float64          `json:"understood_seconds,omitempty"`
}

type lookAt struct {
	Customer string `json:"customer"`
	Mail     string `json:"mail"`
	NotSent  string `json:"not_sent"`
	Why      string `json:"why"`
	Subject  string `json:"mail_subject"`

	mailPath, notSent string
}

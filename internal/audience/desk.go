package audience

import (
	"context"
	"crypto/rand"
	"iter"
	"slices"
	"sync"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/condition/sentence"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/store"
)

// Options are what a desk asks.
type Options struct {
	Store store.Store
	// Customers yields everybody from an id on, as [engine.Engine.Customers] does.
	Customers func(context.Context, identity.ID) iter.Seq2[*profile.Profile, error]
	Ledger    store.Ledger
	Program   func(context.Context) (*program.Program, error) // in force; nil before the first
	// Subjects are under what a customer may be suppressed.
	Subjects func(*profile.Profile) [][16]byte
	Now      func() event.Time
	Known    func(context.Context) *condition.Known // what a condition may name; nil: it is not asked
	Deadline time.Duration                          // of one preview. Default: DefaultDeadline
}

const (
	// DefaultDeadline bounds a preview: a million customers with their histories take
	// a minute and a half, and who waits longer has gone.
	DefaultDeadline = 5 * time.Minute
	// maxWaiting bounds previews that are counted or wait for it. Each is a person at a
	// screen, and a scan reads everybody.
	maxWaiting = 8
	// keepFor is how long a preview that has ended can be asked for.
	keepFor = 10 * time.Minute
	// MaxSample bounds the customers who are shown as examples.
	MaxSample = 100
)

// Desk counts. It is for use by many goroutines; one preview is counted at a time.
type Desk struct {
	o Options

	turn chan struct{} // held by the preview that is being counted

	mu   sync.Mutex
	list []*Preview
}

func (d *Desk) known(ctx context.Context) *condition.Known {
	if d.o.Known == nil {
		return nil
	}
	return d.o.Known(ctx)
}

// New returns a desk that has counted nothing yet.
func New(o Options) *Desk {
	if o.Deadline == 0 {
		o.Deadline = DefaultDeadline
	}
	return &Desk{o: o, turn: make(chan struct{}, 1)}
}

// State is how far a preview has come.
type State string

// The states of a preview.
const (
	Waiting  State = "waiting"  // another is counted before it
	Counting State = "counting" // the figures grow
	Done     State = "done"     // the figures are whole
	Failed   State = "failed"   // and Trouble says why: the figures are of those looked at
)

// Figures are what a preview has counted.
type Figures struct {
	ID       string         `json:"id" doc:"Under which the preview can be asked for again."`
	State    State          `json:"state" enum:"waiting,counting,done,failed"`
	Trouble  string         `json:"trouble,omitempty" doc:"Why it failed."`
	Sentence string         `json:"sentence" doc:"The condition, as the end of a sentence about a customer."`
	Warnings []spec.Problem `json:"warnings" doc:"What is probably not meant, such as an event that was never heard."`
	History  bool           `json:"history" doc:"Whether everybody's events are read: the condition asks for something that is not kept yet."`
	Looked   int64          `json:"looked" doc:"Rows that were looked at so far."`
	Of       int64          `json:"of" doc:"Rows that there were when it began."`
	Customer int64          `json:"customers" doc:"Customers among those looked at."`
	Members  int64          `json:"members" doc:"Of those, whom the condition is about."`
	Behind   int64          `json:"behind" doc:"Customers not asked, since the definitions in force have not come to them yet."`
	Sample   []identity.ID  `json:"sample" doc:"Some of the members. Ids are random, so they are too."`
	Funnel   []Reach        `json:"funnel" doc:"Whom a message would reach, by channel."`
	Begun    time.Time      `json:"begun"`
	Seconds  float64        `json:"seconds" doc:"How long it took so far."`
}

// Preview is one count under way or ended.
type Preview struct {
	done chan struct{}
	stop context.CancelFunc

	mu    sync.Mutex
	f     Figures
	ended time.Time
}

// Figures returns what has been counted so far.
func (p *Preview) Figures() Figures {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.f
	f.Sample, f.Funnel = slices.Clone(f.Sample), slices.Clone(f.Funnel)
	if p.ended.IsZero() && !f.Begun.IsZero() {
		f.Seconds = time.Since(f.Begun).Seconds()
	}
	return f
}

// Wait waits until the preview has ended, the time is over or ctx ends, and returns
// what has been counted by then.
func (p *Preview) Wait(ctx context.Context, most time.Duration) Figures {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-p.done:
	case <-t.C:
	case <-ctx.Done():
	}
	return p.Figures()
}

// Wish is what a preview is asked.
type Wish struct {
	Condition string // YAML or JSON
	Sample    int    // how many examples; at most MaxSample
	Purpose   string // the consent that the funnel asks for; empty: marketing
}

// Begin compiles the condition and counts it in the background. Problems of the
// condition are returned as they are found in definitions, and then there is no
// preview.
func (d *Desk) Begin(ctx context.Context, w Wish) (*Preview, []spec.Problem, error) {
	pr, err := d.o.Program(ctx)
	switch {
	case err != nil:
		return nil, nil, err
	case pr == nil:
		return nil, nil, fault.New(fault.Unavailable, "no definitions are in force yet")
	}
	trial, problems := pr.Try(w.Condition, d.known(ctx))
	if trial == nil {
		return nil, problems, nil
	}
	stats, err := d.o.Store.Stats(ctx)
	if err != nil {
		return nil, nil, err
	}
	run, stop := context.WithTimeout(context.WithoutCancel(ctx), d.o.Deadline)
	p := &Preview{done: make(chan struct{}), stop: stop}
	p.f = Figures{
		ID: rand.Text(), State: Waiting, Sentence: sentence.Say(trial.When, sentence.English), History: trial.NeedsHistory(), Warnings: append([]spec.Problem{}, problems...), Of: stats["living"], Sample: []identity.ID{}, Funnel: []Reach{},
	}
	if err := d.admit(p); err != nil {
		stop()
		return nil, nil, err
	}
	go func() {
		defer stop()
		defer close(p.done)
		select {
		case d.turn <- struct{}{}:
			defer func() { <-d.turn }()
		case <-run.Done():
			p.end(fault.New(fault.Unavailable, "its turn did not come in time"))
			return
		}
		p.end(d.count(run, p, trial, pr, w))
	}()
	return p, problems, nil
}

// admit keeps the preview, and forgets those that ended long ago.
func (d *Desk) admit(p *Preview) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	open := 0
	d.list = slices.DeleteFunc(d.list, func(old *Preview) bool {
		old.mu.Lock()
		defer old.mu.Unlock()
		if old.ended.IsZero() {
			open++
		}
		return !old.ended.IsZero() && time.Since(old.ended) > keepFor
	})
	if open >= maxWaiting {
		return fault.New(fault.Unavailable, "so many previews are being counted that another would only wait: ask again when one has ended, or stop one")
	}
	d.list = append(d.list, p)
	return nil
}

// Find returns a preview by its id, or a fault of kind NotFound.
func (d *Desk) Find(id string) (*Preview, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.list {
		if p.f.ID == id { // never changes
			return p, nil
		}
	}
	return nil, fault.New(fault.NotFound, "no preview has that id; one that has ended is kept for ten minutes")
}

// Stop ends a preview. What it has counted stays to be read.
func (p *Preview) Stop() { p.stop() }

func (p *Preview) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = time.Now()
	if !p.f.Begun.IsZero() {
		p.f.Seconds = p.ended.Sub(p.f.Begun).Seconds()
	}
	if p.f.State = Done; err != nil {
		p.f.State = Failed
		_, p.f.Trouble = fault.Of(err)
	}
}

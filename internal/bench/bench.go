// Package bench measures parts of the product as they run, each beside a limit
// that is measured in the same run on the same machine: a figure alone says
// nothing, because the next machine has another disk.
//
// A bench builds a small shop in a folder of its own, runs the real parts over
// the adapters that it is given, and returns a [Result]. What is inside the
// measure, and what the limit is, stands in the result itself. Benches are not
// tests: nothing here passes or fails.
package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
	"rapport/internal/store"
	"rapport/internal/warehouse"
)

// Carrier is a channel with connections of its own.
type Carrier interface {
	channels.Channel
	Close() error
}

// Rig is what a bench measures: the adapters, and the disk on which they write.
// All of it is required.
type Rig struct {
	// Dir is a folder on the disk that is measured. Each bench makes one below it
	// and removes it.
	Dir string
	// Log opens or makes the log of one lane in a folder, under the clock.
	Log func(ctx context.Context, dir string, now func() event.Time) (eventlog.Log, error)
	// Store opens or makes the state in a folder.
	Store func(ctx context.Context, dir string) (store.Store, error)
	// Ledger opens or makes the ledger of dispatch in a folder.
	Ledger func(ctx context.Context, dir string) (store.Ledger, error)
	// SMTP returns a channel that sends to the mail server at the address.
	SMTP func(addr string) (Carrier, error)
	// Signed is SMTP with the signatures of the shop's domain on every mail.
	Signed func(addr string) (Carrier, error)
	// Null returns a channel that accepts everything and carries nothing.
	Null func() channels.Channel
	// Warehouse opens or makes a warehouse in a folder, with a limit of memory. Only
	// the bench of reports needs it.
	Warehouse func(ctx context.Context, dir string, megabytes int) (warehouse.Warehouse, error)
	// Logger hears what the parts complain of.
	Logger *slog.Logger
}

// Options say how large a bench is. A zero field has the bench's own default.
type Options struct {
	// Seconds is how long the main measurement lasts, for benches that last a time.
	Seconds float64
	// Customers is how many customers there are, or orders, or messages.
	Customers int
	// History is how many events each customer has behind them. Default: 200.
	History int
	// Backlog is how many bytes of log the start bench leaves unread.
	Backlog int64
	// Short makes everything tiny: to see that the bench works, in about a second.
	Short bool
	// Full makes the sizes those of the table in DESIGN §11: a million customers
	// where the default has a hundred thousand.
	Full bool
	// Profiles is a folder for the processor and memory profiles of the main
	// measurement, without the building. Default: none are made.
	Profiles string
	// Progress hears what is being done. Nil: nobody listens.
	Progress func(what string)
}

// Result is what a bench found.
type Result struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Limit is what the machine could do at most, in the same unit, and LimitIs says
	// how that was measured.
	Limit   float64 `json:"limit"`
	LimitIs string  `json:"limit_is"`
	// Ratio is how much of the limit is used: value by limit, or, where less is
	// better, limit by value.
	Ratio float64 `json:"ratio"`
	// Target is that of DESIGN §11.
	Target string `json:"target"`
	// Inside says what is inside the measure, and what is not.
	Inside  string             `json:"inside"`
	Figures map[string]float64 `json:"figures"`
	Params  map[string]any     `json:"params"`
	Machine Machine            `json:"machine"`
	Seconds float64            `json:"seconds"` // of the whole run, building included
}

// benches are the benches by name, in the order in which they are listed.
var benches = []struct {
	name string
	run  func(ctx context.Context, b *bench) error
}{
	{"log", logBench},
	{"engine", engineBench},
	{"http", httpBench},
	{"freshness", freshnessBench},
	{"dispatch", dispatchBench},
	{"campaign", campaignBench},
	{"service", serviceBench},
	{"import", importBench},
	{"recommend", recommendBench},
	{"start", startBench},
	{"reports", reportsBench},
}

// Names returns the names of the benches.
func Names() []string {
	names := make([]string, len(benches))
	for i := range benches {
		names[i] = benches[i].name
	}
	return names
}

// bench is one run.
type bench struct {
	Rig
	o      Options
	dir    string // of this run
	result Result
}

// Run runs the bench of the name. An unknown name is Invalid and names the others.
func Run(ctx context.Context, name string, rig Rig, o Options) (_ *Result, err error) {
	var run func(context.Context, *bench) error
	for _, x := range benches {
		if x.name == name {
			run = x.run
		}
	}
	if run == nil {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("there is no bench %q; there are %s", name, strings.Join(Names(), ", ")))
	}
	if rig.Logger == nil {
		rig.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := os.MkdirTemp(rig.Dir, "rapport-bench-")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the bench needs a folder to write in")
	}
	defer func() {
		if gone := os.RemoveAll(dir); err == nil {
			err = gone
		}
	}()
	b := &bench{Rig: rig, o: o, dir: dir, result: Result{Name: name, Figures: map[string]float64{}, Params: map[string]any{}, Machine: machine()}}
	began := time.Now()
	if err := run(ctx, b); err != nil {
		return nil, fmt.Errorf("bench %s: %w", name, err)
	}
	b.result.Seconds = time.Since(began).Seconds()
	b.result.Machine.PeakMB = float64(peakBytes()) / (1 << 20)
	return &b.result, nil
}

// seconds returns how long the main measurement lasts.
func (b *bench) seconds(usual float64) time.Duration {
	s := usual
	switch {
	case b.o.Seconds > 0:
		s = b.o.Seconds
	case b.o.Short:
		s = 0.3
	}
	return time.Duration(s * float64(time.Second))
}

// size returns a number of customers, orders or messages: what the caller wants, or
// the one that fits the size of the run.
func (b *bench) size(short, usual, full int) int {
	switch {
	case b.o.Customers > 0:
		return b.o.Customers
	case b.o.Short:
		return short
	case b.o.Full:
		return full
	}
	return usual
}

func (b *bench) say(format string, args ...any) {
	if b.o.Progress != nil {
		b.o.Progress(fmt.Sprintf(format, args...))
	}
}

// more sets the main figure where more is better.
func (r *Result) more(value, limit float64, unit string) {
	r.Value, r.Limit, r.Unit = value, limit, unit
	if limit > 0 {
		r.Ratio = value / limit
	}
}

// less sets the main figure where less is better.
func (r *Result) less(value, limit float64, unit string) {
	r.Value, r.Limit, r.Unit = value, limit, unit
	if value > 0 {
		r.Ratio = limit / value
	}
}

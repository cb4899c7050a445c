package schedule

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/report"
)

const (
	// every is how often a [Runner] looks whether something is due.
	every = 15 * time.Second
	// lateAfter is from when on a report is late: nobody misses it before.
	lateAfter = 15 * time.Minute
	// again is how long it waits after something was in the way.
	again = time.Minute
	// freshFor bounds how long one look waits for the tables.
	freshFor = 30 * time.Second
	// forgetAfter is how long a report that was taken away is remembered, so that it
	// does not go out twice if it comes back within its longest period.
	forgetAfter = 62 * 24 * time.Hour
	// mostMissed bounds how far back it counts: a year of days.
	mostMissed = 366
)

// Options are what a runner is made of.
type Options struct {
	Dir string // the data directory
	Now func() event.Time

	// Program returns what is in force; nil if nothing is.
	Program func(context.Context) (*program.Program, error)

	// Fresh returns once the tables hold all that was heard before it was called. An
	// error says that they do not.
	Fresh func(context.Context) error

	// Ask answers a report, as [report.Tables.Ask].
	Ask func(ctx context.Context, name string, p report.Params) (any, error)

	// Send hands messages over and returns an outcome for each; with an error nothing
	// left.
	Send func(context.Context, []channels.Message) ([]channels.Outcome, error)

	Log *slog.Logger // default: nobody is told
}

// Runner sends the reports of one data directory.
type Runner struct {
	o Options

	turn sync.Mutex // held while a round is under way: nobody else changes c
	mu   sync.Mutex // guards c
	c    content
}

// State is how a scheduled report is.
type State struct {
	Name     string      `json:"name"`
	Title    string      `json:"title"`
	Report   string      `json:"report"`
	Schedule string      `json:"schedule" doc:"When it goes out, in the shop's time zone."`
	To       int         `json:"to" doc:"To how many colleagues."`
	Next     event.Time  `json:"next" doc:"When it is due next."`
	Sent     *event.Time `json:"sent,omitempty" doc:"When it went out last. Absent: never."`
	Late     *event.Time `json:"late_since,omitempty" doc:"Since when it should have gone out. Absent: it is not late."`
	Trouble  string      `json:"trouble,omitempty" doc:"What is in its way, or what became of mails that nobody got."`
}

// Open reads what went out. A mail that was begun before and not answered for is told
// in the log, and not sent again.
func Open(o Options) (*Runner, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c, err := load(o.Dir)
	if err != nil {
		return nil, err
	}
	r := &Runner{o: o, c: c}
	doubtful := 0
	for name, m := range c.Reports {
		n := 0
		for id, state := range m.Mails {
			if state == begun {
				m.Mails[id] = settled
				n++
			}
		}
		if n > 0 {
			m.Trouble = "the process ended while it was handed over: whether it left is not known, and it is not sent again"
			o.Log.Error("a scheduled report may or may not have left, and is not sent again", "report", name, "due", m.Due, "mails", n)
		}
		doubtful += n
	}
	if doubtful > 0 {
		err = save(o.Dir, c)
	}
	return r, err
}

// Run looks until the context ends.
func (r *Runner) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for trouble := ""; ; {
		err := r.Round(ctx)
		if err != nil && ctx.Err() == nil && err.Error() != trouble {
			r.o.Log.Error("scheduled reports are not sent; it is tried again", "error", err)
		}
		if trouble = ""; err != nil {
			trouble = err.Error()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// List returns how the reports are, in the order of the definitions.
func (r *Runner) List(ctx context.Context) ([]State, error) {
	list := []State{}
	pr, err := r.o.Program(ctx)
	if err != nil || pr == nil {
		return list, err
	}
	now := r.o.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range pr.Reports {
		d := &pr.Reports[i]
		s := State{Name: d.Name, Title: d.Title, Report: d.Report, Schedule: d.Schedule(), To: len(d.To), Next: event.At(d.Next(now.In(pr.Zone)))}
		if m := r.c.Reports[d.Name]; m != nil {
			if s.Trouble = cmp.Or(m.Why, m.Trouble); m.Sent != 0 {
				sent := m.Sent
				s.Sent = &sent
			}
			at := d.Due(now.In(pr.Zone))
			if due := event.At(at); due > m.Since && now.Sub(due) > lateAfter && (!m.about(d.Period(at)) || m.open()) {
				s.Late = &due
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// Round sends what is due. What is in the way of one report does not stop the others.
func (r *Runner) Round(ctx context.Context) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	pr, err := r.o.Program(ctx)
	if err != nil || pr == nil {
		return err
	}
	if err := r.meet(pr); err != nil {
		return err
	}
	var errs []error
	for i := range pr.Reports {
		d := &pr.Reports[i]
		errs = append(errs, r.one(ctx, pr, d, r.c.Reports[d.Name]))
	}
	return errors.Join(errs...)
}

// change changes marks and makes the change durable.
func (r *Runner) change(do func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
	return save(r.o.Dir, r.c)
}

// meet makes marks for what is new, and forgets what is long gone.
func (r *Runner) meet(pr *program.Program) error {
	now := r.o.Now()
	var todo []func()
	there := map[string]bool{}
	for i := range pr.Reports {
		d := &pr.Reports[i]
		there[d.Name] = true
		when := d.Schedule() + " " + pr.Zone.String()
		if m := r.c.Reports[d.Name]; m == nil {
			todo = append(todo, func() { r.c.Reports[d.Name] = &mark{Schedule: when, Since: now} })
		} else if m.Schedule != when {
			todo = append(todo, func() { m.Schedule, m.Since, m.Again, m.Why = when, now, 0, "" })
		}
	}
	for name, m := range r.c.Reports {
		switch {
		case there[name]:
		case m.Schedule != "":
			todo = append(todo, func() { m.Schedule, m.Since = "", now })
		case now.Sub(m.Since) > forgetAfter:
			todo = append(todo, func() { delete(r.c.Reports, name) })
		}
	}
	if len(todo) == 0 {
		return nil
	}
	return r.change(func() {
		for _, do := range todo {
			do()
		}
	})
}

// one sends a report if it is due. It returns only what stands in the way of keeping
// the book: then nothing is sent.
func (r *Runner) one(ctx context.Context, pr *program.Program, d *program.Report, m *mark) error {
	now := r.o.Now()
	at := d.Due(now.In(pr.Zone))
	due := event.At(at)
	from, to := d.Period(at)
	switch current := m.about(from, to); {
	case due <= m.Since, current && !m.open(), current && now < m.Again:
		return nil
	case !current:
		missed := missed(d, m, at)
		if err := r.change(func() {
			m.Due, m.From, m.To, m.Missed, m.Mails, m.Why, m.Again, m.Trouble = due, event.At(from), event.At(to), missed, nil, "", 0, ""
		}); err != nil {
			return err
		}
		if missed > 0 {
			r.o.Log.Warn("scheduled reports were missed, and the last of them goes out", "report", d.Name, "missed", missed, "due", due)
		}
	}
	l, why := r.word(ctx, pr, d, m, now)
	if ctx.Err() != nil {
		return nil // we are to stop, which says nothing about the report
	}
	if why != "" {
		return r.put(d, m, now, again, why)
	}
	return r.send(ctx, pr, d, m, l, now)
}

// word makes a report. It says why it cannot.
func (r *Runner) word(ctx context.Context, pr *program.Program, d *program.Report, m *mark, now event.Time) (l letter, why string) {
	wait, cancel := context.WithTimeout(ctx, freshFor)
	defer cancel()
	if err := r.o.Fresh(wait); err != nil {
		if ctx.Err() != nil {
			return l, ""
		}
		r.o.Log.Warn("the tables for reports are behind", "report", d.Name, "error", err)
		return l, "the tables for reports were behind"
	}
	p := report.Params{From: m.From, To: m.To, Zone: pr.Zone, By: d.By, Steps: d.Steps, Within: d.Within, Kinds: d.Kinds, Channel: d.Channel, Top: d.Top}
	if d.All {
		p.From = 0
	}
	answer, err := r.o.Ask(ctx, d.Report, p)
	if err == nil {
		late := ""
		if now.Sub(m.Due) > lateAfter {
			late = cmp.Or(m.Why, "nothing was running that could send it")
		}
		l, err = compose(pr, d, m, now, late, answer)
	}
	if err != nil && ctx.Err() == nil {
		r.o.Log.Error("a scheduled report cannot be made", "report", d.Name, "error", err)
		_, say := fault.Of(err)
		return l, "it could not be made: " + say
	}
	return l, ""
}

// put puts a report off, and says why.
func (r *Runner) put(d *program.Report, m *mark, now event.Time, pause time.Duration, why string) error {
	r.o.Log.Warn("a scheduled report has to wait", "report", d.Name, "due", m.Due, "why", why)
	return r.change(func() { m.Why, m.Again = why, now.Add(pause) })
}

// send hands a report over to those who have not got it.
func (r *Runner) send(ctx context.Context, pr *program.Program, d *program.Report, m *mark, l letter, now event.Time) error {
	mails := map[string]string{}
	for id := range m.Mails {
		mails[id] = settled // what waits and is nobody's any more is done too
	}
	var batch []channels.Message
	for _, to := range d.To {
		id := idOf(d, m, to)
		if state := m.Mails[id]; state == waiting || m.Mails == nil {
			message, err := message(pr, l, id, to, now)
			if err != nil {
				return err // unreachable: the definitions compiled
			}
			mails[id] = begun
			batch = append(batch, message)
		}
	}
	if err := r.change(func() { m.Mails = mails }); err != nil {
		return err
	}
	outcomes, err := r.o.Send(ctx, batch)
	if err != nil { // nothing left
		outcomes = make([]channels.Outcome, len(batch))
		_, say := fault.Of(err)
		for i := range outcomes {
			outcomes[i] = channels.Outcome{State: channels.Deferred, Detail: say}
		}
	}
	return r.change(func() {
		r.heard(d, m, batch, outcomes, now)
		if ctx.Err() != nil {
			m.Why, m.Again = "", 0 // what waits does so because we are to stop
		}
	})
}

// heard notes what became of mails.
func (r *Runner) heard(d *program.Report, m *mark, batch []channels.Message, outcomes []channels.Outcome, now event.Time) {
	m.Why, m.Again = "", 0
	for i := range batch {
		var o channels.Outcome // who is not answered for is Unknown
		if i < len(outcomes) {
			o = outcomes[i]
		}
		id := batch[i].Delivery
		m.Mails[id] = settled
		log := r.o.Log.With("report", d.Name, "due", m.Due, "mail", id, "detail", o.Detail)
		switch o.State {
		case channels.Accepted:
			m.Sent = now
			log.Info("a scheduled report went out")
		case channels.Deferred:
			m.Mails[id] = waiting
			m.Why, m.Again = strings.TrimSuffix("it could not be handed over: "+o.Detail, ": "), now.Add(max(o.RetryAfter, again))
			log.Warn("a scheduled report has to wait")
		case channels.Rejected:
			m.Trouble = "a mail was refused: " + o.Detail
			log.Error("a scheduled report was refused")
		default:
			m.Trouble = "whether a mail left is not known, and it is not sent again"
			log.Error("a scheduled report may or may not have left, and is not sent again")
		}
	}
}

// missed counts the reports that were due before at and did not go out.
func missed(d *program.Report, m *mark, at time.Time) (n int) {
	for n < mostMissed {
		at = d.Due(at.Add(-time.Minute))
		switch due := event.At(at); {
		case due <= m.Since, due < m.Due, due == m.Due && !m.open():
			return n
		}
		n++
	}
	return n
}

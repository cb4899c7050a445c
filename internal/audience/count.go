package audience

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/store"
)

// page is how many rows are read at once: a few milliseconds of the store.
const page = 500

// Reach is whom of the members a message would reach on one channel.
type Reach struct {
	Channel   string `json:"channel"`
	Purpose   string `json:"purpose" doc:"The consent that is asked for."`
	Reachable int64  `json:"reachable" doc:"Members with an address that takes messages."`
	Agreed    int64  `json:"agreed" doc:"Of those, who agreed and were not unsubscribed."`
	Free      int64  `json:"free" doc:"Of those, to whom a message could go now: no cap, pause, quiet hour or holdout is in the way."`
	Later     int64  `json:"later" doc:"Of those who agreed, whom a rule lets wait."`
	Stopped   []Stop `json:"stopped" doc:"Why it would not go to others of those who agreed, the most frequent first."`
}

// Stop counts customers whom one rule keeps from a message.
type Stop struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// funnel counts members by channel.
type funnel struct {
	d       *Desk
	gate    *decision.Gate
	purpose string
	now     event.Time
	reach   []Reach
	stopped []map[decision.Reason]int64
}

func (d *Desk) funnel(pr *program.Program, purpose string, now event.Time) *funnel {
	f := &funnel{d: d, gate: pr.Core.Gate, purpose: purpose, now: now}
	if purpose == "" {
		f.purpose = "marketing"
	}
	for _, channel := range program.Channels {
		if _, speaks := pr.Senders[channel]; speaks {
			f.reach = append(f.reach, Reach{Channel: channel, Purpose: f.purpose, Stopped: []Stop{}})
			f.stopped = append(f.stopped, map[decision.Reason]int64{})
		}
	}
	return f
}

// add asks for one member what would become of a message that promotes nothing in
// particular, on each channel.
func (f *funnel) add(ctx context.Context, p *profile.Profile) error {
	for i := range f.reach {
		r := &f.reach[i]
		if !p.Reachable(r.Channel) {
			continue
		}
		why, err := f.suppressed(ctx, p, r.Channel)
		if err != nil {
			return err
		}
		if why != "" && why != store.Unsubscribed {
			continue
		}
		r.Reachable++
		if why != "" || !p.Allows(r.Channel, f.purpose, f.now) {
			continue
		}
		r.Agreed++
		_, record := f.gate.Plan(p, journey.Intent{
			Journey: "preview", Step: "preview", Channel: r.Channel, Purpose: f.purpose, Class: profile.Marketing, At: f.now, Entered: f.now, Expires: event.Never,
		}, f.now)
		switch record.Outcome {
		case decision.Send:
			r.Free++
		case decision.Later:
			r.Later++
			fallthrough
		default:
			f.stopped[i][record.Reason]++
		}
	}
	return nil
}

func (f *funnel) suppressed(ctx context.Context, p *profile.Profile, channel string) (string, error) {
	for _, subject := range f.d.o.Subjects(p) {
		s, stopped, err := f.d.o.Ledger.Suppressed(ctx, subject, channel, f.purpose)
		if err != nil || stopped {
			return s.Reason, err
		}
	}
	return "", nil
}

// figures returns the funnel as it is shown.
func (f *funnel) figures() []Reach {
	list := slices.Clone(f.reach)
	for i := range list {
		list[i].Stopped = []Stop{}
		for why, n := range f.stopped[i] {
			list[i].Stopped = append(list[i].Stopped, Stop{string(why), n})
		}
		slices.SortFunc(list[i].Stopped, func(a, b Stop) int {
			if a.Count != b.Count {
				return int(min(max(b.Count-a.Count, -1), 1))
			}
			return strings.Compare(a.Reason, b.Reason)
		})
	}
	return list
}

// count asks everybody.
func (d *Desk) count(ctx context.Context, p *Preview, trial *program.Trial, pr *program.Program, w Wish) error {
	p.mu.Lock()
	p.f.State, p.f.Begun = Counting, time.Now()
	history := p.f.History
	p.mu.Unlock()
	now := d.o.Now()
	f := d.funnel(pr, w.Purpose, now)
	most := min(max(w.Sample, 0), MaxSample)
	var found []identity.ID
	var members, customers, behind int64
	say := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.f.Looked, p.f.Members, p.f.Customer, p.f.Behind = customers, members, customers, behind
		p.f.Sample, p.f.Funnel = slices.Clone(found), f.figures()
	}
	for who, err := range d.o.Customers(ctx, identity.ID{}) {
		if err != nil {
			return late(ctx, err)
		}
		if customers++; customers%page == 0 {
			say()
			if err := ctx.Err(); err != nil {
				return late(ctx, err)
			}
		}
		if !pr.Core.Current(who) {
			behind++
			continue
		}
		var events []*event.Event
		if history {
			if events, err = d.events(ctx, who); err != nil {
				return late(ctx, err)
			}
		}
		if !trial.Holds(who, events, now) {
			continue
		}
		members++
		if len(found) < most {
			found = append(found, who.ID)
		}
		if err := f.add(ctx, who); err != nil {
			return late(ctx, err)
		}
	}
	say()
	return nil
}

// events returns what the customer and the strands that joined them have done, as far
// as it counts.
func (d *Desk) events(ctx context.Context, p *profile.Profile) ([]*event.Event, error) {
	var all []*event.Event
	for _, strand := range append([]identity.ID{p.ID}, p.Strands...) {
		blocks, err := d.o.Store.History(ctx, strand)
		if err != nil {
			return nil, err
		}
		for i := range blocks {
			heard, err := engine.UnpackHistory(blocks[i].Body)
			if err != nil {
				return nil, fmt.Errorf("the history of %s: %w", strand, err)
			}
			for j := range heard {
				all = append(all, &heard[j].Event)
			}
		}
	}
	return core.Counted(all), nil
}

// late says in words for people that the time was over.
func late(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "it took too long: the figures are of those who were looked at")
	case ctx.Err() != nil:
		return fault.New(fault.Unavailable, "it was stopped: the figures are of those who were looked at")
	}
	return err
}

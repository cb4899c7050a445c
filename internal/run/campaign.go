package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/store"
)

// SendOptions are the choices of one sending of a campaign.
type SendOptions struct {
	// Again sends a campaign that was sent before once more, to everybody of its
	// audience: nobody is left out because they had it the first time. Default: that
	// is refused, because it is nearly always a mistake.
	Again bool `json:"again,omitempty"`
	// Now begins at once, without the undo window. Default: the definition's.
	Now bool `json:"now,omitempty"`
}

// CampaignStatus is what is known of a campaign: its definition, its runs, and
// what the ledger holds of its messages.
type CampaignStatus struct {
	Name     string        `json:"name"`
	Title    string        `json:"title"`
	Audience string        `json:"audience"`
	At       string        `json:"at,omitempty"`   // as the definition says it; empty: at once
	Zone     string        `json:"zone,omitempty"` // whose clock shows At; empty: each customer's own
	Passed   bool          `json:"passed"`         // At has passed, by everybody's clock
	Rate     int64         `json:"rate_per_hour,omitempty"`
	Undo     time.Duration `json:"undo_ns,omitempty"`
	Segment  string        `json:"segment,omitempty"`  // in which everybody of the audience is; empty: none is known
	Template string        `json:"template,omitempty"` // of its message
	File     string        `json:"file,omitempty"`     // where its definition stands; empty: it is no longer in force
	Runs     []RunStatus   `json:"runs"`
	Messages []Count       `json:"messages"` // of all runs, as the ledger counts them
}

// RunStatus is how far one run has come.
type RunStatus struct {
	Run     string     `json:"run"`
	State   string     `json:"state"` // waiting, running, paused, stopped or done
	Sent    event.Time `json:"sent"`
	Begins  event.Time `json:"begins"`
	Rate    int64      `json:"rate_per_hour,omitempty"`
	Seen    int64      `json:"seen"`     // customers looked at, once for each pass
	Entered int64      `json:"entered"`  // customers of the audience it has come to
	Open    int64      `json:"open"`     // messages that are planned or on their way
	Next    event.Time `json:"next"`     // when somebody's moment comes who was not due yet
	Finish  bool       `json:"finished"` // everybody was come to and nothing is on its way
}

// Count is how many messages have come to one state for one reason.
type Count struct {
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	Count  int64  `json:"count"`
}

// statusOf says how far a run has come as of now.
func statusOf(r *journey.Run, now event.Time) RunStatus {
	s := RunStatus{
		Run: r.Name, State: r.State.String(), Sent: r.Sent, Begins: r.Begins, Rate: r.Rate, Seen: r.Seen, Entered: r.Entered, Open: r.Open,
		Next: r.Next, Finish: !r.Active(),
	}
	if r.State == journey.Running && !r.Over && r.Pass > now {
		s.Next = min(s.Next, r.Pass) // the pass that came to them too early is over
	}
	switch {
	case r.State != journey.Running:
	case !r.Active():
		s.State = "done"
	case now < r.Begins:
		s.State = "waiting"
	}
	return s
}

// Campaigns returns every campaign in force, and those that are not any more but
// whose runs are known.
func (n *Node) Campaigns(ctx context.Context) ([]CampaignStatus, error) {
	p, err := n.inForce(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := n.o.Store.DeliveryCounts(ctx)
	if err != nil {
		return nil, err
	}
	var all []CampaignStatus
	for _, d := range p.Campaigns() {
		c := d.Campaign()
		all = append(all, CampaignStatus{Name: d.Name, Title: d.Title, Audience: d.Audience(), At: c.At.String(), Zone: c.At.Zone(), Rate: c.Rate, Undo: c.Undo, Segment: c.Segment, Template: d.Templates()[0], File: d.Pos.File})
	}
	runs, now := n.Engine.Runs(), n.Engine.Now()
	for i := range runs {
		if !slices.ContainsFunc(all, func(c CampaignStatus) bool { return c.Name == runs[i].Campaign }) {
			all = append(all, CampaignStatus{Name: runs[i].Campaign, Title: runs[i].Campaign})
		}
	}
	for i := range all {
		c := &all[i]
		c.Runs, c.Messages = []RunStatus{}, messagesOf(counts, c.Name)
		if d := p.Campaign(c.Name); d != nil {
			at := d.Campaign().At
			c.Passed = at.Set && at.Last() <= now
		}
		for k := range runs {
			if runs[k].Campaign == c.Name {
				c.Runs = append(c.Runs, statusOf(&runs[k], now))
			}
		}
	}
	return all, nil
}

// Campaign returns one campaign; NotFound if there is none of the name.
func (n *Node) Campaign(ctx context.Context, name string) (CampaignStatus, error) {
	all, err := n.Campaigns(ctx)
	if err != nil {
		return CampaignStatus{}, err
	}
	for _, c := range all {
		if c.Name == name {
			return c, nil
		}
	}
	return CampaignStatus{}, noCampaign(name)
}

func noCampaign(name string) error {
	return fault.New(fault.NotFound, "there is no campaign "+strconv.Quote(name)+": campaigns are files in the folder campaigns")
}

func messagesOf(counts []store.DeliveryCount, name string) []Count {
	list := []Count{}
	for _, c := range counts {
		if c.Journey == name {
			list = append(list, Count{c.State.String(), c.Because, c.Count})
		}
	}
	return list
}

// maxRuns bounds the runs that are remembered: each is kept in memory by every lane.
const maxRuns = 10_000

// SendCampaign orders a run of the campaign. It is in the log when it returns, and
// leaves as the definition says: not before the undo window has passed, and to
// each customer at their own moment. It is a Conflict if a run of the campaign is
// not finished, or if it was sent before and the options do not say again.
func (n *Node) SendCampaign(ctx context.Context, name string, o SendOptions) (RunStatus, error) {
	n.campaigns.Lock()
	defer n.campaigns.Unlock()
	if err := n.obeyed(ctx); err != nil {
		return RunStatus{}, err
	}
	p, err := n.inForce(ctx)
	if err != nil {
		return RunStatus{}, err
	}
	d := p.Campaign(name)
	if d == nil {
		return RunStatus{}, noCampaign(name)
	}
	c, now, runs, last := d.Campaign(), n.Engine.Now(), n.Engine.Runs(), 0
	if len(runs) >= maxRuns {
		return RunStatus{}, fault.New(fault.TooLarge, "there are "+strconv.Itoa(maxRuns)+" runs of campaigns already")
	}
	for i := range runs {
		r := &runs[i]
		switch {
		case r.Campaign != name:
			continue
		case r.Active():
			return RunStatus{}, fault.New(fault.Conflict, "run "+r.Name+" of the campaign "+name+" is not finished: stop it first")
		case r.Entered > 0 && !o.Again:
			return RunStatus{}, fault.New(fault.Conflict, fmt.Sprintf("the campaign %s was sent before, on %s, and came to %d customers: say `again` to send it to them once more",
				name, r.Sent.Time().Format("2 January 2006"), r.Entered))
		}
		if number, err := strconv.Atoi(r.Name); err == nil {
			last = max(last, number)
		}
	}
	if c.At.Set && c.At.Last().Add(c.Expires) <= now {
		return RunStatus{}, fault.New(fault.Invalid, "the campaign "+name+" was to leave at "+c.At.String()+" and has expired everywhere: give it another time")
	}
	order := journey.Order{Campaign: name, Run: strconv.Itoa(last + 1), Version: d.Version, Serial: 1, Rate: c.Rate, Sent: now, Begins: now.Add(c.Undo)}
	if o.Now {
		order.Begins = now
	}
	return n.order(ctx, order)
}

// PauseCampaign lets a run plan nothing and begin nothing until it is resumed.
// What dispatch holds already, some hundreds of messages, still leaves.
func (n *Node) PauseCampaign(ctx context.Context, name string) (RunStatus, error) {
	return n.change(ctx, name, func(o *journey.Order) { o.State = journey.Paused })
}

// ResumeCampaign lets a paused run go on.
func (n *Node) ResumeCampaign(ctx context.Context, name string) (RunStatus, error) {
	return n.change(ctx, name, func(o *journey.Order) { o.State = journey.Running })
}

// RateCampaign changes how many messages an hour a run plans; 0: as many as are
// taken.
func (n *Node) RateCampaign(ctx context.Context, name string, perHour int64) (RunStatus, error) {
	if perHour < 0 || perHour > journey.MaxRate {
		return RunStatus{}, fault.New(fault.Invalid, "a rate is a number of messages an hour, at most "+strconv.Itoa(journey.MaxRate))
	}
	return n.change(ctx, name, func(o *journey.Order) { o.Rate = perHour })
}

// StopCampaign ends a run for good: it comes to nobody else, and whatever of it has
// not begun is recalled. Within the undo window that is everything.
func (n *Node) StopCampaign(ctx context.Context, name string) (RunStatus, error) {
	return n.change(ctx, name, func(o *journey.Order) { o.State = journey.Stopped })
}

// change gives a new order to the run of a campaign that is not finished.
func (n *Node) change(ctx context.Context, name string, set func(*journey.Order)) (RunStatus, error) {
	n.campaigns.Lock()
	defer n.campaigns.Unlock()
	if err := n.obeyed(ctx); err != nil {
		return RunStatus{}, err
	}
	runs := n.Engine.Runs()
	for i := len(runs) - 1; i >= 0; i-- {
		r := &runs[i]
		if r.Campaign != name {
			continue
		}
		if !r.Active() || r.State == journey.Stopped {
			break // the newest run is over; so are those before it
		}
		o := r.Ordered()
		o.Serial++
		set(&o)
		return n.order(ctx, o)
	}
	return RunStatus{}, fault.New(fault.Conflict, "no run of the campaign "+name+" is under way")
}

// obeyed waits until every lane knows the orders before: a server that has just begun
// has its runs in the log, and would say that none is under way.
func (n *Node) obeyed(ctx context.Context) error {
	passed, err := n.Engine.Passed(ctx, forceWait)
	if err == nil && !passed {
		err = fault.New(fault.Unavailable, "the server is still taking in what it heard before, orders of campaigns among it: try again in a moment")
	}
	return err
}

// order writes an order to every lane and, by a clock on the wall, waits until
// all of them obey it: whoever has paused a campaign wants to know that it is.
func (n *Node) order(ctx context.Context, o journey.Order) (RunStatus, error) {
	if err := n.Engine.Order(ctx, o); err != nil {
		return RunStatus{}, err
	}
	if n.o.Clock.Virtual() {
		if err := n.Engine.Settle(ctx); err != nil {
			return RunStatus{}, err
		}
	}
	for {
		n.poke()
		for _, r := range n.Engine.Runs() {
			if r.Campaign == o.Campaign && r.Name == o.Run && r.Serial >= o.Serial {
				return statusOf(&r, n.Engine.Now()), nil
			}
		}
		if err := n.Engine.Err(); err != nil {
			return RunStatus{}, err
		}
		select {
		case <-ctx.Done():
			return RunStatus{}, ctx.Err()
		case <-time.After(obeyPoll):
		}
	}
}

// The pauses of the loop that lets campaigns walk, and of whoever waits for an
// order to be obeyed.
const (
	obeyPoll = 2 * time.Millisecond
	walkPoll = 20 * time.Millisecond // while a run goes on
	walkIdle = time.Second           // while none does
)

// poke wakes the loop that lets campaigns walk.
func (n *Node) poke() {
	select {
	case n.walk <- struct{}{}:
	default:
	}
}

// walkCampaigns lets every campaign walk on until ctx ends.
func (n *Node) walkCampaigns(ctx context.Context) {
	for pause := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-n.walk:
		case <-time.After(pause):
		}
		_, next, err := n.Engine.Walk(ctx)
		pause = walkIdle
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			n.log.Error("a campaign cannot walk on", "error", err)
			continue
		case n.Engine.Campaigning():
			pause = walkPoll
		}
		if next != event.Never {
			pause = min(pause, max(next.Sub(n.Engine.Now()), time.Millisecond))
		}
	}
}

// Funnel is whom a campaign would reach if it were sent now, each customer at the
// moment that it names for them.
type Funnel struct {
	Customers   int64   `json:"customers"`    // everybody
	Audience    int64   `json:"audience"`     // whom the campaign is for
	Reachable   int64   `json:"reachable"`    // of those, with an address that takes mail
	Agreed      int64   `json:"agreed"`       // of those, who agreed and were not unsubscribed
	Sent        int64   `json:"sent"`         // of those, who would get it: now or, within its time, later
	Later       int64   `json:"later"`        // of Sent, those whom a rule lets wait
	Withheld    int64   `json:"withheld"`     // of Agreed, the holdout
	SameAddress int64   `json:"same_address"` // of Agreed, those whose address is another's, who gets it
	Reasons     []Count `json:"reasons"`      // why the others get nothing

	// Behind is how many customers were not yet evaluated under the definitions in
	// force, so that the other counts are short of them.
	Behind int64 `json:"behind"`

	// Zones are the clocks by which the audience lives, the earliest moment first;
	// empty for a campaign that leaves at once.
	Zones []ZoneCount `json:"zones"`
}

// ZoneCount is how many of an audience live by one clock, and when it shows the
// moment of the campaign.
type ZoneCount struct {
	Zone      string     `json:"zone"`
	At        event.Time `json:"at"`
	Customers int64      `json:"customers"`
}

// PreviewCampaign asks the gate about everybody of the audience, and changes
// nothing.
func (n *Node) PreviewCampaign(ctx context.Context, name string) (f Funnel, err error) {
	p, err := n.inForce(ctx)
	if err != nil {
		return f, err
	}
	d := p.Campaign(name)
	if d == nil {
		return f, noCampaign(name)
	}
	now := n.Engine.Now()
	// A run that nobody has ordered and that begins now.
	trial := &journey.Run{Campaign: name, Name: "preview", Version: d.Version, Begins: now, Next: event.Never}
	reasons, addresses, zones := map[Count]int64{}, map[[16]byte]struct{}{}, map[string]int64{}
	for p, err := range n.Customers(ctx, identity.ID{}) {
		if err != nil {
			return f, err
		}
		f.Customers++
		if !n.Engine.Program().Current(p) {
			f.Behind++ // evaluated under older definitions: the sweep is on its way to them
			continue
		}
		_, _, found := n.Engine.Program().Enrol(p, d, trial, now)
		if found.Place == journey.Waits && found.Record == nil {
			// Asked at the customer's own moment: at another one the rules, quiet hours
			// above all, would answer something else.
			_, _, found = n.Engine.Program().Enrol(p, d, trial, found.Until)
		}
		if found.Record == nil {
			continue
		}
		f.Audience++
		zones[p.Zone]++
		if err := n.place(ctx, &f, p, d, found.Record, reasons, addresses); err != nil {
			return f, err
		}
	}
	f.Reasons = []Count{}
	for c, count := range reasons {
		c.Count = count
		f.Reasons = append(f.Reasons, c)
	}
	slices.SortFunc(f.Reasons, func(a, b Count) int {
		if a.Count != b.Count {
			return int(min(max(b.Count-a.Count, -1), 1))
		}
		return slices.Compare([]string{a.State, a.Reason}, []string{b.State, b.Reason})
	})
	f.Zones = zonesOf(p, d.Campaign().At, zones)
	return f, nil
}

// zonesOf says when the clocks of an audience show the moment. Customers of whom no
// clock is known live by the shop's.
func zonesOf(p *program.Program, at journey.Moment, customers map[string]int64) []ZoneCount {
	list := []ZoneCount{}
	if !at.Set {
		return list
	}
	by := map[string]*ZoneCount{}
	for name, count := range customers {
		loc := p.Core.Zones(name)
		if name == "" || loc == nil {
			loc = p.Zone
		}
		if by[loc.String()] == nil {
			by[loc.String()] = &ZoneCount{Zone: loc.String(), At: at.In(loc)}
		}
		by[loc.String()].Customers += count
	}
	for _, z := range by {
		list = append(list, *z)
	}
	slices.SortFunc(list, func(a, b ZoneCount) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Zone, b.Zone))
	})
	return list
}

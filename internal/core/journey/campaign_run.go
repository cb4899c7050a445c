package journey

import (
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// Run is one sending of a campaign as one lane knows it: what was ordered, and
// how far the lane has come. It changes by entries of the log only, an [Order] or
// a slice of the walk, so a replay sends the same.
type Run struct {
	Campaign string
	Name     string // "1", "2" …: tells it from other runs of the campaign
	Version  uint64 // of the definition: a run keeps the one that it began with
	Serial   uint64 // of the last order: an older one changes nothing
	State    RunState
	Rate     int64      // messages an hour, over all lanes; 0: as many as are taken
	Sent     event.Time // when it was ordered
	Begins   event.Time // when it comes to the first customer

	Slices  uint64      // slices of the walk so far: the next one has this number
	Cursor  identity.ID // who is looked at next
	Pass    event.Time  // the walk goes on no earlier than this
	Next    event.Time  // when somebody is due whom this pass came to too early; event.Never: nobody
	Over    bool        // nobody is left to come to
	Seen    int64       // customers looked at, over all passes
	Entered int64       // customers of the audience whom it has come to
	Open    int64       // its messages that are planned, claimed or started
	Free    int64       // microseconds: when the rate allows the next message
}

// RunState says whether a run goes on.
type RunState uint8

// The states of a run. They are stored: never renumber.
const (
	Running RunState = 0
	Paused  RunState = 1
	Stopped RunState = 2 // for good: what has not begun is recalled
)

// String returns the state's name.
func (s RunState) String() string {
	switch s {
	case Running:
		return "running"
	case Paused:
		return "paused"
	case Stopped:
		return "stopped"
	}
	return "state " + strconv.Itoa(int(s))
}

// Active reports whether the run may still plan or send something.
func (r *Run) Active() bool { return !(r.Over || r.State == Stopped) || r.Open > 0 }

// Walks reports whether the run has customers to come to, and from when on. A
// stopped run walks once more, from the beginning, to recall what waits.
func (r *Run) Walks() (from event.Time, walks bool) {
	switch {
	case r.Over || r.State == Paused:
		return event.Never, false
	case r.State == Stopped:
		return 0, r.Open > 0
	}
	return max(r.Begins, r.Pass, event.Time((r.Free+999)/1000)), true
}

// Order is what an operator wants of a run. It carries the whole of what is
// wanted, so the newest order is all that a lane needs to know.
type Order struct {
	Campaign, Run string
	Version       uint64
	Serial        uint64
	State         RunState
	Rate          int64
	Sent, Begins  event.Time
}

// Ordered returns the last order that the run has had.
func (r *Run) Ordered() Order {
	return Order{r.Campaign, r.Name, r.Version, r.Serial, r.State, r.Rate, r.Sent, r.Begins}
}

// Event returns the order as an entry of the log.
func (o *Order) Event(now event.Time) event.Event {
	var b event.Builder
	b.Set("campaign", event.Text(o.Campaign)).Set("run", event.Text(o.Run)).Set("state", event.Text(o.State.String()))
	b.Set("version", event.Text(strconv.FormatUint(o.Version, 16))).Set("serial", event.Int(int64(o.Serial)))
	b.Set("rate", event.Int(o.Rate)).Set("sent", event.Int(int64(o.Sent))).Set("begins", event.Int(int64(o.Begins)))
	return event.Event{
		ID: event.ID("campaign:" + o.Campaign + ":" + o.Run + ":" + strconv.FormatUint(o.Serial, 10)), Type: event.System, Name: event.CampaignOrdered,
		At: now, Trust: event.Own, Source: "campaign", Props: b.Object(),
	}
}

// OrderOf reads what [Order.Event] wrote; Corrupt if it is none.
func OrderOf(e *event.Event) (o Order, err error) {
	o.Campaign, o.Run = clone(e.Props.Text("campaign")), clone(e.Props.Text("run"))
	known := false
	for s := Running; s <= Stopped; s++ {
		if s.String() == e.Props.Text("state") {
			o.State, known = s, true
		}
	}
	number := func(key string) int64 {
		n, bad := strconv.ParseInt(e.Props.Text(key), 10, 64)
		if bad != nil {
			err = bad
		}
		return n
	}
	o.Serial, o.Rate = uint64(number("serial")), number("rate")
	o.Sent, o.Begins = event.Time(number("sent")), event.Time(number("begins"))
	version, bad := strconv.ParseUint(e.Props.Text("version"), 16, 64)
	o.Version = version
	if err != nil || bad != nil || !known || o.Campaign == "" || o.Run == "" {
		return o, fault.New(fault.Corrupt, "an order to a campaign is damaged")
	}
	return o, nil
}

// Take makes the order what is wanted of the run, which is the zero Run if it was
// not known. It reports false if a newer order is known, or the run was stopped.
func (r *Run) Take(o Order) bool {
	fresh := r.Campaign == ""
	if !fresh && (o.Serial <= r.Serial || r.State == Stopped) {
		return false
	}
	if fresh {
		r.Campaign, r.Name, r.Version, r.Sent, r.Begins, r.Next = o.Campaign, o.Run, o.Version, o.Sent, o.Begins, event.Never
	}
	r.Serial, r.Rate = o.Serial, o.Rate
	if r.State != o.State && o.State == Stopped {
		// The walk that recalls begins at the beginning, and is over at once if
		// nothing waits.
		r.Cursor, r.Over = identity.ID{}, r.Open == 0
	}
	r.State = o.State
	return true
}

// SliceEvent returns the entry that lets a lane walk on by one slice.
func (r *Run) SliceEvent(now event.Time) event.Event {
	var b event.Builder
	b.Set("campaign", event.Text(r.Campaign)).Set("run", event.Text(r.Name)).Set("slice", event.Int(int64(r.Slices)))
	b.Set("serial", event.Int(int64(r.Serial)))
	return event.Event{
		ID: event.ID("slice:" + r.Campaign + ":" + r.Name + ":" + strconv.FormatUint(r.Slices, 10)), Type: event.System, Name: event.CampaignSlice,
		At: now, Trust: event.Own, Source: "campaign", Props: b.Object(),
	}
}

// burst is how much of a rate may be made up for at once after a pause of the
// walk: as much as is planned between two looks at it, and not what an outage of
// an hour has left undone.
const burst = 2 * time.Second

// Allowance returns how many messages the rate lets a lane plan at now, at most
// most. Lanes share the rate.
func (r *Run) Allowance(now event.Time, lanes, most int) int {
	if r.Rate <= 0 {
		return most
	}
	at := int64(now) * 1000
	r.Free = max(r.Free, at-burst.Microseconds())
	if r.Free > at {
		return 0
	}
	return int(min((at-r.Free)/r.gap(lanes)+1, int64(most)))
}

// Spend notes that so many messages were planned.
func (r *Run) Spend(n, lanes int) {
	if r.Rate > 0 {
		r.Free += int64(n) * r.gap(lanes)
	}
}

// gap is the time between two messages of one lane, in microseconds.
func (r *Run) gap(lanes int) int64 { return max(time.Hour.Microseconds()*int64(lanes)/r.Rate, 1) }

// EndPass notes that everybody was looked at. Those who were not due yet make
// another pass, at the instant of the first of them.
func (r *Run) EndPass() {
	r.Cursor = identity.ID{}
	r.Pass, r.Next, r.Over = r.Next, event.Never, r.Next == event.Never || r.State == Stopped
}

// Runs are the runs that a lane knows. A Runs is never changed; nil knows none.
type Runs []*Run

// Of returns the run that a message belongs to; nil if none is known.
func (rs Runs) Of(d *profile.Delivery) *Run {
	if len(rs) == 0 {
		return nil
	}
	name, ok := RunOf(d.Key)
	if !ok {
		return nil
	}
	return rs.Find(d.Journey, name)
}

// Find returns a run by its names; nil if it is not known.
func (rs Runs) Find(campaign, name string) *Run {
	for _, r := range rs {
		if r.Campaign == campaign && r.Name == name {
			return r
		}
	}
	return nil
}

// forgettable reports whether what the profile remembers of a campaign can go:
// none of its runs comes to anybody any more.
func (rs Runs) forgettable(campaign string) bool {
	known := false
	for _, r := range rs {
		if r.Campaign == campaign {
			if r.Active() {
				return false
			}
			known = true
		}
	}
	return known
}

// Forget drops what a profile remembers of campaigns that are over. Whether a run
// has come to a customer matters while it walks; without this each campaign of the
// shop's life would leave a line in every hot row.
func (rs Runs) Forget(p *profile.Profile) {
	for i := 0; i < len(p.Past); i++ {
		if rs.forgettable(p.Past[i].Journey) {
			past := make([]profile.Past, 0, len(p.Past))
			for _, x := range p.Past {
				if !rs.forgettable(x.Journey) {
					past = append(past, x)
				}
			}
			p.Past = past
			return
		}
	}
}

const runVersion = 1

// Append appends the run in the product's own encoding.
func (r *Run) Append(dst []byte) []byte {
	dst = append(dst, runVersion, byte(r.State))
	dst = wire.Text(wire.Text(dst, r.Campaign), r.Name)
	dst = wire.Fixed(dst, r.Version)
	dst = wire.Uvarint(wire.Uvarint(dst, r.Serial), r.Slices)
	for _, n := range []int64{r.Rate, int64(r.Sent), int64(r.Begins), int64(r.Pass), int64(r.Next), r.Seen, r.Entered, r.Open, r.Free} {
		dst = wire.Varint(dst, n)
	}
	dst = append(dst, r.Cursor[:]...)
	return wire.Bool(dst, r.Over)
}

// DecodeRun reads what [Run.Append] wrote. Damaged bytes give a fault of kind
// Corrupt.
func DecodeRun(s string) (*Run, error) {
	in, r := wire.NewReader(s), &Run{}
	if in.Byte() != runVersion && in.Err() == nil {
		in.Fail("a run of a campaign of an unknown version")
	}
	r.State = RunState(in.Byte())
	r.Campaign, r.Name = in.Text(), in.Text()
	r.Version, r.Serial, r.Slices = in.Fixed(), in.Uvarint(), in.Uvarint()
	r.Rate, r.Sent, r.Begins = in.Varint(), event.Time(in.Varint()), event.Time(in.Varint())
	r.Pass, r.Next = event.Time(in.Varint()), event.Time(in.Varint())
	r.Seen, r.Entered, r.Open, r.Free = in.Varint(), in.Varint(), in.Varint(), in.Varint()
	copy(r.Cursor[:], in.Bytes(len(r.Cursor)))
	r.Over = in.Bool()
	if in.Err() == nil && in.Rest() != "" {
		in.Fail("something follows the run")
	}
	return r, in.Err()
}

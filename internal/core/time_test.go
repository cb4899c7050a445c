package core_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// busy has something of everything that the clock moves: windows, a segment of a
// segment, waits, a schedule and a birthday.
var busy = definitions{
	segments: [][2]string{
		{"looking", `{'did': 'Product Viewed', 'times': '>= 2', 'within': '3h'}`},
		{"quiet", `{'all': [{'did': 'Order Completed', 'last': {'older_than': '2d'}}, {'not': {'segment': 'looking'}}]}`},
		{"never-ordered", `{'did_not': 'Order Completed'}`},
	},
	journeys: []string{
		`{'journey': 'remind', 'trigger': {'event': 'Product Viewed'}, 'audience': {'segment': 'looking'}, 'reentry': 'after_exit', 'exit': {'did': 'Order Completed'},
		  'steps': [{'name': 'think', 'wait': {'for': '1h', 'restart': true}}, {'name': 'tell', 'send': {'template': 't', 'product': 'trigger.sku', 'reason': 'You looked at {trigger.sku}'}}]}`,
		`{'journey': 'back', 'trigger': {'segment': 'quiet', 'on': 'enter'}, 'reentry': {'after': '1d'}, 'goal': {'did': 'Order Completed'},
		  'steps': [{'name': 'morning', 'wait': {'until_time': '09:00'}}, {'name': 'letter', 'send': {'template': 't', 'reason': 'You have been away'}}, {'name': 'see', 'wait': '5d'}]}`,
		`{'journey': 'weekly', 'trigger': {'schedule': 'every monday 12:00'}, 'steps': [{'send': {'template': 't', 'reason': 'It is Monday'}}]}`,
		`{'journey': 'birthday', 'trigger': {'date': 'birthday', 'at': '12:00'}, 'steps': [{'send': {'template': 't', 'reason': 'It is your birthday'}}]}`,
	},
}

// step is one thing that happens in a life of one customer.
type step struct {
	after time.Duration
	late  time.Duration
	name  string
	props event.Object
}

func drawLife(r *rand.Rand) []step {
	var steps []step
	for range 5 + r.IntN(25) {
		s := step{after: []time.Duration{0, time.Millisecond, 20 * minute, hour, 3 * hour, 7 * hour, day, 3 * day}[r.IntN(8)], name: "Product Viewed", props: object("sku", "lamp")}
		if r.IntN(5) == 0 {
			s.late = time.Duration(r.IntN(5)) * hour
		}
		if r.IntN(4) == 0 {
			s.name, s.props = event.OrderCompleted, object("order_id", fmt.Sprint(r.IntN(20)), "products", products("mug"))
		}
		steps = append(steps, s)
	}
	return steps
}

// play lets ada live through the steps.
func play(t tester, d definitions, steps []step, between func(w *world, d time.Duration)) *world {
	w := open(t, d)
	w.agrees()
	e := w.track("Birthday Told")
	e.Traits = object("birthday", "1990-03-09")
	w.hear(e)
	for _, s := range steps {
		between(w, s.after)
		e := w.track(s.name)
		e.Props, e.At = s.props, e.At.Add(-s.late)
		w.hear(e)
	}
	w.wait(10 * day)
	return w
}

// same fails unless two worlds are the same to the last byte.
func same(t tester, what string, a, b *world) {
	t.Helper()
	if x, y := a.ada().Append(nil), b.ada().Append(nil); !bytes.Equal(x, y) {
		t.Fatalf("%s: the customer is another\n%+v\n%+v", what, a.ada(), b.ada())
	}
	if a.said() != b.said() || len(a.changes) != len(b.changes) || len(a.facts) != len(b.facts) {
		t.Fatalf("%s: what follows is another:\n%s\n%s", what, a.said(), b.said())
	}
	for i := range a.changes {
		if a.changes[i] != b.changes[i] {
			t.Fatalf("%s: the change %+v is %+v", what, a.changes[i], b.changes[i])
		}
	}
	for i := range a.facts {
		if a.facts[i] != b.facts[i] {
			t.Fatalf("%s: the fact %+v is %+v", what, a.facts[i], b.facts[i])
		}
	}
	for _, id := range a.plans {
		x, y := a.ledger[id], b.ledger[id]
		for i := range x {
			if string(x[i].Record.Append(nil)) != string(y[i].Record.Append(nil)) {
				t.Fatalf("%s: the decision %+v is %+v", what, x[i].Record, y[i].Record)
			}
		}
	}
}

func punctual(w *world, d time.Duration) { w.wait(d) }

// tardy comes to no alarm in time: the next event brings them all.
func tardy(w *world, d time.Duration) { w.now = w.now.Add(d) }

// forgetful is punctual and reads each profile from its row each time.
func forgetful(w *world, d time.Duration) {
	for id, p := range w.people { // order does not matter: each is its own
		again, err := profile.Decode(string(p.Append(nil)))
		if err != nil {
			w.t.Fatalf("the row of %s: %v", id, err)
		}
		w.people[id] = again
	}
	w.wait(d)
}

func TestTheSameEventsGiveTheSameCustomerAndTheSameDecisions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		steps := drawLife(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "life"), 0)))
		live := play(t, busy, steps, punctual)
		same(t, "lived again", live, play(t, busy, steps, punctual))
		same(t, "read from its row before each event", live, play(t, busy, steps, forgetful))
		same(t, "with an engine that is late for every alarm", live, play(t, busy, steps, tardy))
		if len(live.plans) == 0 {
			t.Fatalf("a life in which nothing is sent proves nothing")
		}
	})
}

func TestOldProfilesDoNotChangeWhenNewOnesFollowFromThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		steps := drawLife(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "life"), 0)))
		var old []*profile.Profile
		var rows [][]byte
		play(t, busy, steps, func(w *world, d time.Duration) {
			old, rows = append(old, w.ada()), append(rows, w.ada().Append(nil))
			w.wait(d)
		})
		for i := range old {
			if !bytes.Equal(old[i].Append(nil), rows[i]) {
				t.Fatalf("the profile before step %d has changed", i)
			}
		}
	})
}

// changesOf returns the changes of a segment as "in 13:00", "out 14:00".
func (w *world) changesOf(segment string) (list []string) {
	for _, c := range w.changes {
		if c.Segment == segment {
			word := "out"
			if c.In {
				word = "in"
			}
			list = append(list, word+c.At.Time().Format(" 15:04:05.000"))
		}
	}
	return list
}

func TestAnAlarmFiresAtItsOwnInstantBeforeTheEventThatComesLater(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{segments: [][2]string{{"recent", `{'did': 'X', 'within': '1h'}`}, {"longer", `{'did': 'X', 'within': '2h'}`}}})
	w.says("X")
	tardy(w, 5*hour)
	w.says("X")
	if got := fmt.Sprint(w.changesOf("recent"), w.changesOf("longer")); got != "[in 12:00:00.000 out 13:00:00.000 in 17:00:00.000] [in 12:00:00.000 out 14:00:00.000 in 17:00:00.000]" {
		t.Errorf("changes = %s", got)
	}
}

// The lane may come to an alarm before it reads an event of the same instant, or
// after, in a replay. So the alarm is always the first.
func TestAnAlarmComesBeforeTheEventOfTheSameInstant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pause time.Duration
		want  string
	}{
		{hour - time.Millisecond, "[in 12:00:00.000]"},
		{hour, "[in 12:00:00.000 out 13:00:00.000 in 13:00:00.000]"},
		{hour + time.Millisecond, "[in 12:00:00.000 out 13:00:00.000 in 13:00:00.001]"},
	} {
		for _, lane := range []func(*world, time.Duration){punctual, tardy} {
			w := open(t, definitions{segments: [][2]string{{"recent", `{'did': 'X', 'within': '1h'}`}}})
			w.says("X")
			lane(w, c.pause)
			w.says("X")
			if got := fmt.Sprint(w.changesOf("recent")); got != c.want {
				t.Errorf("after %v: changes = %s, want %s", c.pause, got, c.want)
			}
		}
	}
}

// A schedule whose instant is that of an event must not be passed over: the alarm
// of this very instant is still to come when the event has been applied.
func TestAnEventAtTheInstantOfAnAppointmentDoesNotCancelIt(t *testing.T) {
	t.Parallel()
	for _, trigger := range []string{`{'schedule': 'every day 09:00'}`, `{'date': 'birthday', 'at': '09:00'}`} {
		for _, c := range []struct {
			name  string
			reach func(w *world)
		}{
			{"the alarm alone", func(w *world) { w.wait(hour) }},
			{"an event before it", func(w *world) { w.now--; w.says("X"); w.wait(hour) }},
			{"an event at its instant", func(w *world) { w.says("X"); w.wait(hour) }},
			{"two events at its instant", func(w *world) { w.says("X"); w.says("X"); w.wait(hour) }},
			{"an event after it", func(w *world) { w.now++; w.says("X"); w.wait(hour) }},
			{"a message's turn at its instant", func(w *world) { w.own(event.Slot, "delivery", profile.DeliveryID{1}.String()); w.wait(hour) }},
		} {
			w := open(t, definitions{journeys: []string{`{'journey': 'daily', 'trigger': ` + trigger + `, 'steps': [{'send': {'template': 't', 'reason': 'It is time'}}]}`}})
			w.agrees()
			e := w.track("Birthday Told")
			e.Traits = object("birthday", "1990-03-03")
			w.hear(e)
			tardy(w, 21*hour) // 09:00 on 3 March
			c.reach(w)
			if n := len(w.plans); n != 1 {
				t.Errorf("%s, %s: %d messages, want 1", trigger, c.name, n)
			}
		}
	}
}

func TestANewProgramDoesNotCancelAnAppointmentThatIsDue(t *testing.T) {
	t.Parallel()
	daily := `{'journey': 'daily', 'trigger': {'schedule': 'every day 09:00'}, 'steps': [{'send': {'template': 't', 'reason': 'It is time'}}]}`
	for _, c := range []struct {
		name  string
		reach func(w *world)
	}{
		{"an event at its instant", func(w *world) { w.says("X") }},
		{"an event a minute later", func(w *world) { w.now += 60_000; w.says("X") }},
		{"its alarm", func(w *world) { w.wait(minute) }},
	} {
		w := open(t, definitions{journeys: []string{daily}})
		w.agrees()
		w.pr = definitions{journeys: []string{daily}, hash: 99}.compile(t) // published meanwhile; nobody has come by since
		tardy(w, 21*hour)
		c.reach(w)
		if n := len(w.plans); n != 1 {
			t.Errorf("%s: %d messages, want 1", c.name, n)
		}
		w.wait(day)
		if n := len(w.plans); n != 2 {
			t.Errorf("%s: %d messages a day later, want 2", c.name, n)
		}
	}
}

// A bound that does not move is a mistake of ours, and no customer may pay for it.
func TestAnAlarmThatNeverMovesDoesNotStopTheLane(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{segments: [][2]string{{"recent", `{'did': 'X', 'within': '1h'}`}}})
	w.says("X")
	p := *w.ada()
	lost := profile.Membership{Key: condition.SegmentKey("gone"), In: true, Since: noon, Until: noon + 5} // of a segment that nobody knows
	p.Segments, p.Untils = append([]profile.Membership{}, p.Memberships()...), nil
	if lost.Key < p.Segments[0].Key {
		p.Segments = append([]profile.Membership{lost}, p.Segments...)
	} else {
		p.Segments = append(p.Segments, lost)
	}
	p.Alarm = noon + 5
	now := noon.Add(300 * day)
	woken, eff := w.pr.Wake(&p, now)
	if woken.Alarm <= now {
		t.Errorf("the alarm stays at %s, so the lane would fire it for ever", woken.Alarm)
	}
	if len(eff.Changes) != 1 || eff.Changes[0].Segment != "recent" {
		t.Errorf("the alarms behind it brought %+v", eff.Changes)
	}
}

func TestWhoIsNotBornYetIsInNoSegmentAndEntersNoJourney(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{
		segments: [][2]string{{"never-ordered", `{'did_not': 'Order Completed'}`}},
		journeys: []string{`{'journey': 'first', 'trigger': {'segment': 'never-ordered', 'on': 'enter'}, 'steps': [{'wait': '1d'}, {'send': {'template': 't', 'reason': 'You have never ordered'}}]}`},
	})
	w.agrees() // brings the homes of an address and of a number into being, which are ada's
	w.wait(3 * day)
	if n := w.told(event.JourneyEntered); n != 1 {
		t.Errorf("%d customers entered, want ada alone", n)
	}
	if len(w.changes) != 1 {
		t.Errorf("changes = %+v", w.changes)
	}
	stranger := profile.New(identity.ID{9})
	p, eff := w.pr.Apply(stranger, &event.Event{ID: "s", Type: event.System, Name: event.Slot, At: w.now, Trust: event.Own, Props: object("delivery", "x")}, w.now, false)
	if p.Alarm != event.Never || len(eff.Changes)+len(eff.Facts)+len(eff.Deliveries) != 0 {
		t.Errorf("a home that nobody was born at wakes at %s: %+v", p.Alarm, eff)
	}
}

func TestAMessageForEachStepOfALongPathIsWished(t *testing.T) {
	t.Parallel()
	steps := ""
	for i := range 30 {
		steps += fmt.Sprintf(`{'name': 's%d', 'send': {'template': 't', 'class': 'service', 'purpose': 'service', 'reason': 'You asked'}}, `, i)
	}
	w := open(t, definitions{journeys: []string{`{'journey': 'chain', 'trigger': {'event': 'X'}, 'steps': [` + steps + `{'wait': '1d'}]}`}})
	w.agrees()
	w.says("X")
	if len(w.plans) != 30 {
		t.Errorf("%d messages, want 30", len(w.plans))
	}
}

// A strand that was a long time on its way brings waits that have ended meanwhile.
// The customer has lived on: what follows from them is of now.
func TestTimeDoesNotRunBackwardsForWhoJoins(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{journeys: []string{welcome}})
	w.agrees()
	order := w.track(event.OrderCompleted, "order_id", "o1", "products", products("lamp"))
	order.User, order.Anon = "", "phone"
	w.hear(order)
	w.wait(day - minute)
	signedIn := w.track("Signed In")
	signedIn.Anon = "phone"
	w.arrive(signedIn)
	for w.who(identity.Anonymous, "phone").ID != w.ada().ID {
		w.move()
	}
	tardy(w, hour)
	w.says("Product Viewed")
	if d := w.one(); d.Planned != w.now || d.Record.Now != w.now {
		t.Errorf("the message is planned at %s, it is %s", d.Planned, w.now)
	}
}

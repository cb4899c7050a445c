package core_test

import (
	"strings"
	"testing"
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// The tests of this file are named after RULES 7, bad inputs and faults with the
// required outcome, as far as the core alone can show them.

const welcome = `{'journey': 'welcome', 'trigger': {'event': 'Order Completed'}, 'reentry': 'never',
	'steps': [{'name': 'settle', 'wait': '1d'}, {'name': 'hello', 'send': {'template': 't', 'reason': 'You ordered {trigger.order_id}'}}]}`

func TestItem10AMessageThatWasWantedAtEightIsNotSentAtTwo(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{journeys: []string{`{'journey': 'sale', 'trigger': {'schedule': 'every tuesday 08:00'}, 'reentry': 'after_exit',
		'steps': [{'send': {'template': 't', 'expires': '2h', 'reason': 'It is Tuesday'}}]}`}})
	w.agrees()
	w.wait(20 * hour) // 08:00 on Tuesday
	d := w.one()
	if d.State != profile.Planned || d.Expires != w.now.Add(2*hour) {
		t.Fatalf("the plan is %+v", d)
	}
	w.wait(6 * hour) // nobody was there to send it
	if got := w.slot(d.ID); got.State != profile.Expired || got.Because != string(decision.Expired) {
		t.Errorf("at 14:00 it is %s because of %q", got.State, got.Because)
	}
	if p := w.ada(); len(p.Open) != 0 || len(p.Contacts) != 0 {
		t.Errorf("open %d, contacts %d", len(p.Open), len(p.Contacts))
	}
}

func TestItem10ACampaignThatNobodyCameToInTimeIsWantedAtItsOwnHour(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{journeys: []string{`{'journey': 'sale', 'trigger': {'schedule': 'every tuesday 08:00'}, 'reentry': 'after_exit',
		'steps': [{'send': {'template': 't', 'expires': '2h', 'reason': 'It is Tuesday'}}]}`}})
	w.agrees()
	eight := w.now.Add(20 * hour)
	tardy(w, 26*hour) // down from noon to 14:00 on Tuesday
	w.says("X")
	d := w.one()
	if d.Planned != eight || d.Expires != eight.Add(2*hour) {
		t.Fatalf("the plan is %+v", d)
	}
	if got := w.slot(d.ID); got.State != profile.Expired {
		t.Errorf("at 14:00 it is %s", got.State)
	}
}

func TestItem13TheSameEventThreeTimesTriggersOnce(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{segments: [][2]string{{"twice", `{'did': 'Order Completed', 'times': '>= 2'}`}}, journeys: []string{strings.Replace(welcome, "never", "after_exit", 1)}})
	w.agrees()
	e := w.buys("o1", "lamp")
	w.hear(e)
	w.wait(27 * day)
	for range profile.SeenKept + 10 { // by now its id is only in the history
		w.says("Product Viewed", "sku", "lamp")
	}
	w.hear(e)
	w.wait(3 * day)
	if n := w.told(event.JourneyEntered); n != 1 || len(w.plans) != 1 {
		t.Errorf("entered %d times: %s", n, w.said())
	}
	if p := w.ada(); len(p.Orders) != 1 || len(w.changesOf("twice")) != 0 || w.kept[e.ID] != 1 {
		t.Errorf("%d orders, applied %d times, changes %v", len(p.Orders), w.kept[e.ID], w.changesOf("twice"))
	}
}

func TestItem14OfTwoBodiesUnderOneIdTheFirstIsKept(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{})
	w.agrees()
	e := w.buys("o1", "lamp")
	e.Props = object("order_id", "o2", "revenue", 1000)
	w.hear(e)
	if p := w.ada(); len(p.Orders) != 1 || p.Orders[0].ID != "o1" {
		t.Errorf("orders %+v", p.Orders)
	}
}

func TestItem15ALateCartEventAfterThePurchaseRemindsNobody(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{journeys: []string{reminder}})
	w.agrees()
	added := w.track("Product Added", "sku", "lamp")
	w.wait(10 * minute)
	w.buys("o1", "lamp")
	w.wait(10 * minute)
	w.hear(added) // twenty minutes late, which is soon enough to trigger
	w.wait(3 * day)
	if len(w.plans) != 0 || w.told(event.JourneyEntered) != 0 {
		t.Errorf("ada was reminded of what she bought: %s", w.said())
	}
	w.wait(100 * day)
	w.says("Product Added", "sku", "mug")
	w.wait(2 * hour)
	if len(w.plans) != 1 {
		t.Errorf("a cart after the purchase reminds nobody: %s", w.said())
	}
}

func TestItem15AnOrderThatIsHeardBeforeItsCustomerIsKnownSatisfies(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{journeys: []string{reminder}})
	w.agrees()
	w.says("Product Added", "sku", "lamp")
	w.wait(10 * minute)
	// She orders on another device, on which she has not signed in.
	order := w.track(event.OrderCompleted, "order_id", "o1", "products", products("lamp"))
	order.User, order.Anon = "", "tablet"
	w.hear(order)
	w.wait(10 * minute)
	signedIn := w.track("Signed In")
	signedIn.Anon = "tablet"
	w.hear(signedIn)
	if len(w.ada().Orders) != 1 {
		t.Fatalf("ada has %d orders", len(w.ada().Orders))
	}
	w.wait(3 * day)
	for _, d := range w.planned() {
		if got := w.slot(d.ID); got.State == profile.Claimed {
			t.Errorf("ada is reminded of what she bought: %s", w.said())
		}
	}
}

func TestAnEventThatIsHeardTooLateTriggersNothingAndStillCounts(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{segments: [][2]string{{"bought", `{'did': 'Order Completed', 'within': '30d'}`}}, journeys: []string{welcome, reminder}})
	w.agrees()
	late := w.track(event.OrderCompleted, "order_id", "o1", "products", products("mug"))
	w.says("Product Added", "sku", "mug")
	w.wait(61 * minute)
	if len(w.plans) != 1 {
		t.Fatalf("messages: %s", w.said())
	}
	w.hear(late)
	w.wait(5 * day)
	if p := w.ada(); len(p.Orders) != 1 || len(w.changesOf("bought")) != 1 {
		t.Errorf("%d orders, changes %v", len(p.Orders), w.changesOf("bought"))
	}
	if got := w.one(); got.Journey != "remind" || got.State != profile.Recalled {
		t.Errorf("messages: %s", w.said())
	}
}

// importer brings a customer's past along under several names.
func importer(w *world, origin event.Origin) {
	past := w.now
	for i := range 8 {
		e := w.track(event.OrderCompleted, "order_id", string(rune('a'+i)), "products", products("lamp"))
		e.Origin, e.At, e.Raw = origin, past.Add(-time.Duration(8-i)*day), past.Add(-time.Duration(8-i)*day)
		switch i % 4 {
		case 0:
			e.User, e.Anon = "", "till"
		case 1:
			e.User, e.Traits = "", object("email", "ada@shop.example")
		case 2:
			e.Anon, e.Traits = "till", object("email", "ada@shop.example") // these are one person
		}
		w.hear(e)
		consent := w.track(event.ConsentChanged, "channel", "email", "state", "granted")
		consent.Origin, consent.User, consent.Anon, consent.Traits = origin, e.User, e.Anon, e.Traits
		w.hear(consent)
	}
}

// eager are journeys that enter by everything an import can bring about.
var eager = definitions{
	segments: [][2]string{
		{"three", `{'did': 'Order Completed', 'times': '>= 3'}`},
		{"known", `{'trait': 'email', 'exists': true}`},
		{"fresh", `{'did_not': 'Product Viewed'}`},
		{"both", `{'all': [{'segment': 'three'}, {'segment': 'known'}]}`},
	},
	journeys: []string{
		welcome,
		`{'journey': 'three', 'trigger': {'segment': 'three', 'on': 'enter'}, 'steps': [{'wait': '1h'}, {'send': {'template': 't', 'reason': 'You ordered thrice'}}]}`,
		`{'journey': 'known', 'trigger': {'segment': 'known', 'on': 'enter'}, 'steps': [{'wait': '1h'}, {'send': {'template': 't', 'reason': 'You are known'}}]}`,
		`{'journey': 'fresh', 'trigger': {'segment': 'fresh', 'on': 'enter'}, 'steps': [{'wait': '1h'}, {'send': {'template': 't', 'reason': 'You are new'}}]}`,
		`{'journey': 'both', 'trigger': {'segment': 'both', 'on': 'enter'}, 'steps': [{'wait': '1h'}, {'send': {'template': 't', 'reason': 'You are both'}}]}`,
	},
}

func TestItem16AnImportSendsNothing(t *testing.T) {
	t.Parallel()
	for _, origin := range []event.Origin{event.Import, event.Replay} {
		w := open(t, eager)
		importer(w, origin)
		w.wait(60 * day)
		if p := w.ada(); len(p.Orders) != 8 || !p.Allows("email", "marketing", w.now) || p.Address("email") == "" || len(p.Strands) == 0 {
			t.Fatalf("the import is not whole: %+v", p)
		}
		if len(w.plans) != 0 || w.told(event.JourneyEntered) != 0 {
			t.Errorf("an import of origin %s brought %d entries and %s", origin, w.told(event.JourneyEntered), w.said())
		}
	}
	// As a control, the same past lived through does send.
	w := open(t, eager)
	importer(w, event.Live)
	w.wait(60 * day)
	if len(w.plans) == 0 {
		t.Error("the same events, live, send nothing, so the test proves nothing")
	}
}

func TestItem16AfterAnImportLifeGoesOn(t *testing.T) {
	t.Parallel()
	w := open(t, eager)
	importer(w, event.Import)
	w.wait(day)
	w.buys("z", "mug")
	w.wait(2 * day)
	if d := w.one(); d.Journey != "welcome" || d.State != profile.Planned {
		t.Errorf("messages: %s", w.said())
	}
}

func TestItem17OfTwoJourneysUnderACapOfOneADayOneSends(t *testing.T) {
	t.Parallel()
	second := strings.Replace(welcome, "'welcome'", "'thanks'", 1)
	w := open(t, definitions{journeys: []string{welcome, second}, policy: func(p *decision.Policy) {
		p.Caps, p.AtCap = []decision.Cap{{Per: day, Most: 1}}, decision.Drop
	}})
	w.agrees()
	w.buys("o1", "lamp")
	w.wait(day)
	if len(w.plans) != 2 {
		t.Fatalf("messages: %s", w.said())
	}
	first := w.slot(w.plans[0])
	other := w.slot(w.plans[1]) // while the first is on its way
	if first.State != profile.Claimed || other.State != profile.Dropped || other.Because != string(decision.OverCap) {
		t.Errorf("the first is %s, the other %s because of %q", first.State, other.State, other.Because)
	}
	if got := w.tell(event.MessageSent, first); got.State != profile.Accepted || len(w.ada().Contacts) != 1 {
		t.Errorf("the first is %s, contacts %d", got.State, len(w.ada().Contacts))
	}
}

func TestItem19OneRecipientsRefusalIsNobodyElsesAndNothingIsRepeated(t *testing.T) {
	t.Parallel()
	second := strings.Replace(welcome, "'welcome'", "'thanks'", 1)
	w := open(t, definitions{journeys: []string{welcome, second}})
	w.agrees()
	w.buys("o1", "lamp")
	w.wait(day)
	a, b := w.slot(w.plans[0]), w.slot(w.plans[1])
	w.tell(event.MessageRejected, a, "detail", "554 no")
	w.tell(event.MessageSent, b)
	w.wait(30 * day)
	for range 3 {
		w.slot(a.ID)
		w.slot(b.ID)
	}
	if x, y := w.last(a.ID), w.last(b.ID); x.State != profile.Rejected || y.State != profile.Accepted || len(w.plans) != 2 {
		t.Errorf("messages: %s", w.said())
	}
	for _, id := range w.plans {
		if n := len(w.ledger[id]); n != 3 { // planned, claimed, and what became of it
			t.Errorf("%s went through %d states", id, n)
		}
	}
}

func TestItem21AMergeInTheMiddleOfAJourneyLeavesOneRunAndOneWelcome(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{0, 12 * hour, 23 * hour, 25 * hour} {
		w := open(t, definitions{journeys: []string{welcome}})
		for i, device := range []string{"phone", "laptop"} {
			order := w.track(event.OrderCompleted, "order_id", device, "products", products("lamp"))
			order.User, order.Anon = "", device
			w.hear(order)
			consent := w.track(event.ConsentChanged, "channel", "email", "state", "granted")
			consent.User, consent.Anon = "", device
			w.hear(consent)
			w.wait(time.Duration(i+1) * minute)
		}
		if n := w.told(event.JourneyEntered); n != 2 {
			t.Fatalf("%d entered, want both devices", n)
		}
		w.wait(pause)
		for _, device := range []string{"phone", "laptop"} {
			e := w.track("Signed In")
			e.Anon, e.Traits = device, object("email", "ada@shop.example")
			w.hear(e)
		}
		p := w.ada()
		if p.ID != w.who(identity.Anonymous, "phone").ID || p.ID != w.who(identity.Anonymous, "laptop").ID || len(p.Journeys) > 1 {
			t.Fatalf("after %v: %d runs, strands %v", pause, len(p.Journeys), p.Strands)
		}
		w.buys("o3", "mug")
		w.wait(25 * hour)
		sent := 0
		for _, d := range w.planned() {
			if d.State == profile.Planned && w.slot(d.ID).State == profile.Claimed {
				sent++
			}
		}
		if sent > 1 || pause < day && sent != 1 {
			t.Errorf("after %v: %d welcomes: %s", pause, sent, w.said())
		}
	}
}

func TestWhoJoinsAnotherLeavesTheirSegments(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{segments: [][2]string{{"buyers", `{'did': 'Order Completed'}`}, {"old", `{'did': 'X'}`}}})
	order := w.track(event.OrderCompleted, "order_id", "o1", "products", products("lamp"))
	order.User, order.Anon = "", "phone"
	w.hear(order)
	e := w.track("Signed In")
	e.Anon = "phone"
	w.hear(e)
	in := map[bool]int{}
	for _, c := range w.changes {
		if c.Segment == "buyers" {
			in[c.In]++
		}
	}
	if in[true] != 2 || in[false] != 1 || len(w.changes) != 3 {
		t.Errorf("changes = %+v, want the phone in, the phone out and ada in", w.changes)
	}
}

func TestItem22LeavingASegmentAndComingBackSendsNothingIfReentryIsOff(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{
		segments: [][2]string{{"vip", `{'did': 'Order Completed', 'within': '10d'}`}},
		journeys: []string{`{'journey': 'vip', 'trigger': {'segment': 'vip', 'on': 'enter'}, 'reentry': 'never', 'steps': [{'send': {'template': 't', 'reason': 'You are one of the best'}}]}`},
	})
	w.agrees()
	for i := range 3 {
		w.buys(string(rune('a'+i)), "lamp")
		w.wait(20 * day)
	}
	if got := len(w.changesOf("vip")); got != 6 {
		t.Fatalf("changes = %v", w.changesOf("vip"))
	}
	if len(w.plans) != 1 {
		t.Errorf("messages: %s", w.said())
	}
}

func TestItem26APurchaseTakesBackTheMessageThatRecommendsIt(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{journeys: []string{`{'journey': 'recommend', 'trigger': {'event': 'Product Viewed'}, 'reentry': 'after_exit',
		'steps': [{'send': {'template': 't', 'product': 'trigger.sku', 'delay': '8h', 'expires': '5d', 'reason': 'You looked at {trigger.sku}'}}]}`}})
	w.agrees()
	w.says("Product Viewed", "sku", "lamp")
	w.says("Product Viewed", "sku", "hat")
	w.wait(hour)
	w.buys("o1", "lamp")
	w.wait(12 * hour)
	if len(w.plans) != 2 {
		t.Fatalf("messages: %s", w.said())
	}
	lamp, hat := w.slot(w.plans[0]), w.slot(w.plans[1])
	if lamp.Product != "lamp" || lamp.State != profile.Recalled || lamp.Because != string(decision.Satisfied) {
		t.Errorf("the lamp is recommended after it was bought: %s because of %q", lamp.State, lamp.Because)
	}
	if hat.State != profile.Claimed {
		t.Errorf("the hat, which was not bought, is %s because of %q", hat.State, hat.Because)
	}
}

package journey_test

import (
	"slices"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

const cart = `{
	journey: cart
	trigger: {event: Product Added, key: cart_id}
	reentry: after_exit
	goal: {did: Order Completed}
	exit: {did: Cart Emptied}
	steps: [
		{name: pause, wait_for: {any: [{event: Checkout Started, next: second}], timeout: 1h, restart: true}}
		{name: first, send: {template: cart-1, reason: "you left {trigger.name|something} in your cart"}}
		{wait: 1d}
		{name: second, send: {template: cart-2, reason: your cart is still there}}
	]
}`

func TestTheAudienceIsTestedAfterTheEventIsApplied(t *testing.T) {
	t.Parallel()
	s := open(t, `{
		trigger: {event: Product Viewed}
		audience: {did: Product Viewed, times: ">= 3"}
		steps: [{send: {template: a, reason: you looked three times}}]
	}`)
	s.hear("Product Viewed")
	s.pass(minute)
	s.hear("Product Viewed")
	s.want()
	s.pass(minute)
	s.hear("Product Viewed") // the third one counts for its own audience
	s.want("Mon 12:02 Entered", "Mon 12:02 planned a", "Mon 12:02 Exited: the path ends")
}

func TestReentryNeverLetsNobodyInTwice(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Signed Up}, reentry: never, steps: [{send: {template: welcome, reason: you signed up}}]}`)
	s.hear("Signed Up")
	s.pass(400 * days)
	s.hear("Signed Up")
	if len(s.intents) != 1 {
		t.Fatalf("%d welcomes", len(s.intents))
	}
}

func TestReentryOncePerKeyLetsEachKeyInOnce(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Order Completed, key: order_id}, reentry: once_per_key,
		steps: [{send: {template: thanks, reason: you ordered}}]}`)
	for _, id := range []string{"1", "2", "1", "2", "3"} {
		s.hear("Order Completed", "order_id", id)
		s.pass(hour)
	}
	var keys []string
	for _, in := range s.intents {
		keys = append(keys, in.Key)
	}
	if !slices.Equal(keys, []string{"1", "2", "3"}) {
		t.Fatalf("thanked for %v", keys)
	}
}

func TestReentryAfterExitWaitsForTheExit(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, reentry: after_exit, steps: [{send: {template: a, reason: you came}}, {wait: 2d}]}`)
	s.hear("Visited")
	s.pass(days)
	s.hear("Visited") // still inside
	s.pass(days)
	s.hear("Visited")
	if len(s.intents) != 2 {
		t.Fatalf("%d messages", len(s.intents))
	}
}

func TestReentryAfterAPeriodCountsFromTheLastEntry(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, reentry: {after: 30d}, steps: [{send: {template: a, reason: you came}}]}`)
	s.hear("Visited")
	s.pass(30*days - time.Millisecond)
	s.hear("Visited")
	if len(s.intents) != 1 {
		t.Fatal("let in a millisecond early")
	}
	s.pass(time.Millisecond)
	s.hear("Visited")
	if len(s.intents) != 2 {
		t.Fatal("not let in after the period")
	}
}

func TestAGoalReachedWhileAMessageWaitsRecallsIt(t *testing.T) {
	t.Parallel()
	s := open(t, cart)
	s.hear("Product Added", "cart_id", "7", "name", "boots")
	s.pass(hour)
	s.want("Mon 12:00 Entered", "Mon 13:00 planned cart-1")
	if got := s.intents[0].Reason; got != "you left boots in your cart" {
		t.Fatalf("reason %q", got)
	}
	s.pass(minute)
	s.hear("Order Completed", "order_id", "1")
	s.want("Mon 13:01 Goal Reached: completed an order", "Mon 13:01 recall cart-1")
	s.pass(30 * days)
	s.want()
}

func TestAnExitTakesEffectInTheMiddleOfAWait(t *testing.T) {
	t.Parallel()
	s := open(t, cart)
	s.hear("Product Added", "cart_id", "7")
	s.pass(59 * minute)
	s.hear("Cart Emptied")
	s.want("Mon 12:00 Entered", "Mon 12:59 Exited: did “Cart Emptied”")
	s.pass(30 * days)
	s.want()
}

func TestAnExitThatTimeAloneBringsTakesEffectAtItsInstant(t *testing.T) {
	t.Parallel()
	s := open(t, `{
		trigger: {event: Price Dropped}
		exit: {not: {did: Product Viewed, within: 2d}}
		steps: [{wait: 3d}, {send: {template: drop, reason: what you looked at costs less}}]
	}`)
	s.hear("Product Viewed")
	s.pass(days)
	s.hear("Price Dropped")
	s.pass(10 * days)
	s.want("Tue 12:00 Entered", "Wed 12:00 Exited: did not view a product in the last 2 days")
}

func TestAMessageThatStillWaitsAfterItsJourneyHasEndedIsRecalledToo(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Product Viewed}, goal: {did: Order Completed}, steps: [{send: {template: look, reason: you looked}}]}`)
	s.hear("Product Viewed")
	s.want("Mon 12:00 Entered", "Mon 12:00 planned look", "Mon 12:00 Exited: the path ends")
	s.pass(8 * hour) // the message waits for the morning
	s.hear("Order Completed", "order_id", "1")
	s.want("Mon 20:00 recall look")
}

func TestAStartedMessageIsNotRecalled(t *testing.T) {
	t.Parallel()
	s := open(t, cart)
	s.hear("Product Added", "cart_id", "7")
	s.pass(hour)
	s.p.Open[0].State = profile.Started
	s.hear("Order Completed", "order_id", "1")
	if len(s.recalls) != 0 {
		t.Fatalf("recalled what is on the wire: %v", s.recalls)
	}
}

func TestTheAudienceIsTestedAgainAtTheMomentOfSending(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, more string
		wanted     bool
	}{{"by default", "", false}, {"unless the definition says no", "retest: false", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, `{trigger: {event: Visited}, audience: {trait: country, is: GB}, `+c.more+`
				steps: [{send: {template: a, reason: you came}}]}`)
			s.says("country", "GB")
			s.hear("Visited")
			w := s.world()
			if why, ok := s.set.Wanted(w, &w.P.Open[0]); !ok {
				t.Fatalf("not wanted although nothing changed: %s", why)
			}
			s.says("country", "FR")
			w = s.world()
			if why, ok := s.set.Wanted(w, &w.P.Open[0]); ok != c.wanted {
				t.Fatalf("wanted %v (%s) after the move to France", ok, why)
			}
		})
	}
}

func TestAWaitIsMeasuredFromTheMomentItsStepIsReached(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, steps: [{wait: 90m}, {wait: {until_time: "10:00", weekdays: [mon..fri]}}, {wait: 1h}
		{send: {template: a, reason: you came}}]}`)
	s.pass(4*days + 30*minute) // Friday 12:30
	s.hear("Visited")
	s.pass(7 * days)
	s.want("Fri 12:30 Entered", "Mon 11:00 planned a", "Mon 11:00 Exited: the path ends")
}

func TestADateInThePastFollowsItsRule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		late string
		want []string
	}{
		{"skip", []string{"Mon 12:00 Entered", "Mon 12:00 planned b", "Mon 12:00 Exited: the path ends"}},
		{"now", []string{"Mon 12:00 Entered", "Mon 12:00 planned a", "Mon 12:00 planned b", "Mon 12:00 Exited: the path ends"}},
		{"exit", []string{"Mon 12:00 Entered", "Mon 12:00 Exited: the path ends"}},
	} {
		t.Run(c.late, func(t *testing.T) {
			t.Parallel()
			s := open(t, `{trigger: {event: Booked}, steps: [
				{wait: {until_date: trigger.day, offset: -3d, at: "09:00", late: `+c.late+`}}
				{send: {template: a, reason: "your visit on {trigger.day}"}}
				{send: {template: b, reason: "your visit on {trigger.day}"}}
			]}`)
			s.hear("Booked", "day", "2026-03-04")
			s.want(c.want...)
		})
	}
}

func TestADateInTheFutureIsWaitedForInTheCustomersZone(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Booked}, steps: [
		{wait: {until_date: trigger.day, offset: -3d, at: "09:00"}}, {send: {template: a, reason: "your visit on {trigger.day}"}}]}`)
	s.p.Zone = "Asia/Tokyo"
	s.hear("Booked", "day", "2026-03-10")
	s.pass(30 * days)
	if got, want := s.intents[0].At.String(), "2026-03-07T00:00:00.000Z"; got != want {
		t.Fatalf("wished at %s, want %s", got, want)
	}
}

func TestADroppedMessageTakesTheOtherwiseEdgeAndNeverCountsAsSent(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, steps: [
		{send: {template: a, reason: you came}, otherwise: text}
		{send: {template: b, reason: you came}, next: end}
		{name: text, send: {template: c, channel: sms, reason: you came}}
		{wait: 1d}
	]}`)
	s.gate = func(in journey.Intent) profile.State {
		if in.Channel == "email" {
			return profile.Dropped
		}
		return profile.Planned
	}
	s.hear("Visited")
	s.want("Mon 12:00 Entered", "Mon 12:00 dropped a", "Mon 12:00 Message Not Sent: the gate said so", "Mon 12:00 planned c")
	if in := s.p.Journeys[0]; in.Sent != 1 || in.Unsent != 1 {
		t.Fatalf("counted %d sent and %d not sent", in.Sent, in.Unsent)
	}
}

func TestADroppedMessageWithoutAnOtherwiseEdgeGoesOnMarkedAsNotSent(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, steps: [{send: {template: a, reason: you came}}, {wait: 1d}]}`)
	s.gate = func(journey.Intent) profile.State { return profile.Dropped }
	s.hear("Visited")
	if in := s.p.Journeys[0]; in.Step != "wait-2" || in.Sent != 0 || in.Unsent != 1 {
		t.Fatalf("%+v", in)
	}
}

func TestAStepThatAwaitsAcceptanceGoesOnWhenTheProviderAnswers(t *testing.T) {
	t.Parallel()
	const source = `{trigger: {event: Visited}, steps: [
		{send: {template: a, reason: you came, await: accepted, expires: 1d}, otherwise: text}
		{wait: 1d, next: end}
		{name: text, send: {template: c, channel: sms, reason: you came}}
		{wait: 1d}
	]}`
	answer := func(s *shop, state profile.State) {
		w := s.world()
		id := w.P.Open[0].ID
		w.P.Open = nil
		s.take(w, s.set.OnDelivery(w, id, state, "the provider said so"))
	}
	t.Run("accepted", func(t *testing.T) {
		s := open(t, source)
		s.hear("Visited")
		if in := s.p.Journeys[0]; in.Step != "send-1" || in.Sent != 0 {
			t.Fatalf("went on before the answer: %+v", in)
		}
		answer(s, profile.Accepted)
		if in := s.p.Journeys[0]; in.Step != "wait-2" || in.Sent != 1 {
			t.Fatalf("%+v", in)
		}
	})
	t.Run("rejected", func(t *testing.T) {
		s := open(t, source)
		s.hear("Visited")
		s.log = nil
		answer(s, profile.Rejected)
		s.want("Mon 12:00 Message Not Sent: the provider said so", "Mon 12:00 planned c")
	})
	t.Run("never answered", func(t *testing.T) {
		s := open(t, source)
		s.hear("Visited")
		s.log = nil
		s.pass(25 * hour)
		s.want("Tue 12:00 Message Not Sent: nothing was heard of it", "Tue 12:00 planned c")
	})
}

func TestOneInstanceForEachKeyAndSimultaneousEntriesCollapse(t *testing.T) {
	t.Parallel()
	s := open(t, `{
		trigger: [{event: Order Completed, key: order_id}, {segment: vip, on: enter}]
		reentry: after_exit
		steps: [{wait: 1d}]
	}`)
	e := s.event(s.now, "Order Completed", "order_id", "1")
	s.heard(e, insight.Change{Segment: "vip", In: true, At: s.now})
	s.hear("Order Completed", "order_id", "1")
	s.hear("Order Completed", "order_id", "2")
	var keys []string
	for _, in := range s.p.Journeys {
		keys = append(keys, in.Key)
	}
	if !slices.Equal(keys, []string{"1", "2"}) {
		t.Fatalf("instances %q", keys)
	}
}

func TestImportsAndReplaysNeverTriggerAndStillSatisfy(t *testing.T) {
	t.Parallel()
	for _, origin := range []event.Origin{event.Import, event.Replay} {
		s := open(t, cart)
		e := s.event(s.now, "Product Added", "cart_id", "1")
		e.Origin = origin
		s.heard(e, insight.Change{Segment: "vip", In: true, At: s.now})
		s.want()
		s.hear("Product Added", "cart_id", "2")
		s.pass(minute)
		e = s.event(s.now, "Order Completed", "order_id", "9")
		e.Origin = origin
		s.heard(e)
		s.want("Mon 12:00 Entered", "Mon 12:01 Goal Reached: completed an order")
	}
}

func TestALateEventNeverTriggersAndStillSatisfiesAndRecalls(t *testing.T) {
	t.Parallel()
	s := open(t, cart)
	s.hearAt(s.now.Add(-hour-time.Millisecond), "Product Added", "cart_id", "1")
	s.want()
	s.hearAt(s.now.Add(-hour), "Product Added", "cart_id", "2") // just in time
	s.want("Mon 12:00 Entered")
	s.pass(10 * hour)
	s.want("Mon 13:00 planned cart-1")
	s.hearAt(s.now.Add(-9*hour), "Order Completed", "order_id", "1") // the till was offline since 13:00
	s.want("Mon 22:00 Goal Reached: completed an order", "Mon 22:00 recall cart-1")
}

func TestALateCartAfterThePurchaseBringsNoAbandonedCartMail(t *testing.T) {
	t.Parallel()
	s := open(t, cart)
	s.hearAt(s.now.Add(-30*minute), "Order Completed", "order_id", "1")
	s.hearAt(s.now.Add(-40*minute), "Product Added", "cart_id", "1") // heard after the order, happened before it
	s.want()
	s.hear("Product Added", "cart_id", "2") // a new cart is a new cart
	s.want("Mon 12:00 Entered")
}

func TestAnOrderFromBeforeTheCartDoesNotSatisfyIt(t *testing.T) {
	t.Parallel()
	s := open(t, cart)
	s.hear("Product Added", "cart_id", "1")
	s.hearAt(s.now.Add(-time.Second), "Order Completed", "order_id", "1")
	s.want("Mon 12:00 Entered")
}

func TestAnEventThatIsTriggerAndGoalNeedsASecondOneToReachTheGoal(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Order Completed, key: order_id}, goal: {did: Order Completed}, steps: [{wait: 30d}]}`)
	s.hear("Order Completed", "order_id", "1")
	s.want("Mon 12:00 Entered")
	s.pass(days)
	s.hear("Order Completed", "order_id", "2")
	s.want("Tue 12:00 Goal Reached: completed an order", "Tue 12:00 Entered")
}

func TestASegmentKnownByCatchingUpTriggersNothing(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {segment: vip, on: enter}, reentry: after_exit, steps: [{send: {template: a, reason: you are a VIP}}]}`)
	for _, c := range []insight.Change{
		{Segment: "vip", In: true, Silent: true}, {Segment: "vip", In: false}, {Segment: "lapsed", In: true}, {Segment: "vip", In: true, Hidden: true},
	} {
		w := s.world()
		s.take(w, s.set.OnAlarm(w, []insight.Change{c}))
	}
	s.want()
	w := s.world()
	s.take(w, s.set.OnAlarm(w, []insight.Change{{Segment: "vip", In: true, At: s.now}}))
	s.want("Mon 12:00 Entered", "Mon 12:00 planned a", "Mon 12:00 Exited: the path ends")
}

func TestAHotProfileEntersNothing(t *testing.T) {
	t.Parallel()
	s := open(t, cart, `{journey: daily, trigger: {schedule: every day 09:00}, steps: [{send: {template: a, reason: "{because}"}}]}`)
	s.p.InMonth, s.p.Month = profile.HotAfter+1, s.now.Month()
	s.p.Last = s.now
	s.hear("Product Added", "cart_id", "1")
	s.pass(2 * days)
	s.want()
}

func TestTheHoldoutWalksTheJourneyAndGetsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, holdout: 99.9%, steps: [
		{send: {template: a, reason: you came}}
		{send: {template: receipt, class: service}}
		{wait: 1d}
		{send: {template: b, reason: you came}}
	]}`)
	s.hear("Visited")
	s.pass(2 * days)
	s.want("Mon 12:00 Entered", "Mon 12:00 withheld a", "Mon 12:00 planned receipt", "Tue 12:00 withheld b", "Tue 12:00 Exited: the path ends")
}

func TestTheHoldoutHasItsShareAndIsTheSameForEver(t *testing.T) {
	t.Parallel()
	s := open(t, `{journey: h, trigger: {event: Visited}, holdout: 10%, steps: [{wait: 1d}]}`)
	d := s.set.Definition("h")
	held := 0
	for i := range 10_000 {
		p := profile.New([16]byte{byte(i), byte(i >> 8), 1})
		first := d.HeldOut(p)
		if first {
			held++
		}
		if d.HeldOut(p) != first {
			t.Fatal("a person's coin fell twice")
		}
	}
	if held < 900 || held > 1100 {
		t.Fatalf("%d of 10,000 are held out", held)
	}
	if d.Notice() != "" {
		t.Fatalf("a holdout that the source names needs no notice: %s", d.Notice())
	}
	if parse(t, s.qs, cart).Notice() == "" {
		t.Fatal("a holdout that nobody asked for must be announced")
	}
}

func TestAnExitGoesBeforeWhatTheSameEventWouldBring(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, exit: {did: Left}, steps: [
		{wait_for: {any: [{event: Left}], timeout: 7d}}, {send: {template: a, reason: you left}}]}`)
	s.hear("Visited")
	s.hear("Left")
	s.want("Mon 12:00 Entered", "Mon 12:00 Exited: did “Left”")
}

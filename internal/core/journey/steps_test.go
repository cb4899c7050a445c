package journey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

func TestARepeatedTriggerStartsTheTimerAgainAndIsTheNewerCart(t *testing.T) {
	t.Parallel()
	s := open(t, cart)
	s.hear("Product Added", "cart_id", "1", "name", "boots")
	s.pass(50 * minute)
	s.hear("Product Added", "cart_id", "1", "name", "laces")
	s.pass(50 * minute)
	s.want("Mon 12:00 Entered")
	s.pass(10 * minute)
	s.want("Mon 13:50 planned cart-1")
	if got := s.intents[0].Reason; got != "you left laces in your cart" {
		t.Fatalf("reason %q", got)
	}
}

func TestAnAwaitedEventTakesItsOwnEdgeAndItsTimeoutTheOther(t *testing.T) {
	t.Parallel()
	s := open(t, cart)
	s.hear("Product Added", "cart_id", "1")
	s.pass(minute)
	s.hear("Checkout Started")
	s.want("Mon 12:00 Entered", "Mon 12:01 planned cart-2", "Mon 12:01 Exited: the path ends")
}

func TestAnAwaitedConditionThatHoldsAlreadyDoesNotWait(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, steps: [
		{wait_for: {any: [{when: {trait: size, exists: true}}], timeout: 7d}}
		{send: {template: a, reason: you came}}]}`)
	s.hear("Visited")
	s.want("Mon 12:00 Entered")
	s.pass(days)
	s.says("size", "42")
	s.want("Tue 12:00 planned a", "Tue 12:00 Exited: the path ends")
}

func TestABranchTakesTheFirstCaseThatHolds(t *testing.T) {
	t.Parallel()
	const source = `{trigger: {event: Visited}, steps: {
		fork: {branch: {cases: [{when: {property: total, ">=": 100}, next: big}, {when: {property: total, ">=": 10}, next: small}], else: none}}
		big: {send: {template: big, reason: you came}, next: end}
		small: {send: {template: small, reason: you came}, next: end}
		none: {send: {template: none, reason: you came}}
	}}`
	for total, want := range map[string]string{"250": "big", "100": "big", "99": "small", "1": "none"} {
		s := open(t, source)
		s.hear("Visited", "total", total)
		if got := s.intents[0].Template; got != want {
			t.Errorf("total %s got %s, want %s", total, got, want)
		}
	}
}

func TestASplitIsStickyByPersonAndHasItsShares(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, reentry: after_exit, steps: {
		toss: {split: {name: colour, shares: {red: 30, blue: 70}}}
		red: {send: {template: red, reason: you came}, next: end}
		blue: {send: {template: blue, reason: you came}}
	}}`)
	count := map[string]int{}
	for i := range 2000 {
		s.p = profile.New(identity.ID{byte(i), byte(i >> 8), 7})
		s.intents = nil
		s.hear("Visited")
		s.pass(time.Minute)
		s.hear("Visited")
		if len(s.intents) != 2 || s.intents[0].Template != s.intents[1].Template {
			t.Fatalf("the coin fell twice: %v", s.intents)
		}
		count[s.intents[0].Template]++
	}
	if red := count["red"]; red < 540 || red > 660 {
		t.Fatalf("%d of 2000 took the arm of 30 %%", red)
	}
	f := s.facts[slices.IndexFunc(s.facts, func(f event.Event) bool { return f.Name == journey.SplitTaken })]
	if p := f.Props.Text("propensity"); p != "0.3" && p != "0.7" {
		t.Fatalf("the split does not tell its propensity: %q", p)
	}
}

func TestAnUpdateIsSeenByTheNextStepAndToldToTheCaller(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, steps: [
		{update: {traits: {welcomed: true, last_seen: "{trigger.page}", visits: 3, gone: "{trigger.nothing}"}}}
		{branch: {cases: [{when: {trait: welcomed, is: true}, next: yes}], else: end}}
		{name: yes, send: {template: a, reason: you came}}
	]}`)
	s.hear("Visited", "page", "/boots")
	if len(s.intents) != 1 {
		t.Fatal("the branch did not see the trait")
	}
	var got []string
	for _, u := range s.traits {
		got = append(got, u.Name+"="+u.Value.String())
	}
	if want := []string{"welcomed=true", "last_seen=/boots", "visits=3"}; !slices.Equal(got, want) {
		t.Fatalf("updates %v, want %v", got, want)
	}
	if v, _ := s.p.Trait("last_seen"); v.Raw != "/boots" {
		t.Fatal("the profile does not have the trait")
	}
}

func TestAnUpdateThatMeetsAnExitWithdrawsTheWish(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, exit: {trait: done, is: true}, steps: [
		{update: {traits: {done: true}}}, {send: {template: a, reason: you came}}]}`)
	s.hear("Visited")
	if len(s.intents) != 0 || len(s.p.Journeys) != 0 {
		t.Fatalf("wished %v after the exit", s.intents)
	}
}

func TestALoopWithAWaitGoesRoundAndEachRoundIsANewMessage(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, goal: {did: Order Completed}, steps: [
		{name: again, wait: 7d}, {send: {template: a, reason: "you looked at {trigger.name}"}}, {jump: again}]}`)
	s.hear("Visited", "name", "boots")
	s.pass(29 * days)
	s.hear("Order Completed", "order_id", "1")
	seen := map[string]bool{}
	for i := range s.intents {
		seen[s.intents[i].Occurrence()] = true
	}
	if len(s.intents) != 4 || len(seen) != 4 {
		t.Fatalf("%d messages of %d occurrences", len(s.intents), len(seen))
	}
	s.pass(100 * days)
	if len(s.intents) != 4 {
		t.Fatal("wished after the goal")
	}
}

func TestAPathThatNeverWaitsIsStoppedWithAFact(t *testing.T) {
	t.Parallel()
	// The loop has a wait, so it may be published; yet what it waits for has its
	// own message as a cause. Here the engine hears it all at one instant.
	s := open(t, `{trigger: {event: Visited}, steps: [
		{name: top, wait_for: {any: [{event: Echo, next: say}], timeout: 7d}}
		{name: say, send: {template: a, reason: "you came to {trigger.page}"}, next: top}
	]}`)
	s.hear("Visited")
	for range 200 {
		s.hear("Echo")
	}
	if n := len(s.intents); n > journey.MaxBurst {
		t.Fatalf("%d messages at one instant", n)
	}
	if last := s.log[len(s.log)-1]; len(s.p.Journeys) != 0 || !strings.Contains(strings.Join(s.log, "\n"), "it took more than 100 steps at one instant") {
		t.Fatalf("still going: %s", last)
	}
}

func TestARhythmIsTheCustomersOwnAndMovesWhenTheyBuyEarly(t *testing.T) {
	t.Parallel()
	s := open(t, `{journey: replenish, trigger: {event: Order Completed}, reentry: after_exit, steps: [
		{wait: {rhythm: product, offset: -2d}}
		{send: {template: again, product: replenishment, reason: "{because}"}}
	]}`)
	buy := func(n int) {
		e := s.event(s.now, "Order Completed", "order_id", fmt.Sprint(n))
		line := new(event.Builder).Set("sku", event.Text("beans")).Set("name", event.Text("Coffee beans")).Set("category", event.Text("coffee")).Object()
		e.Props = e.Props.With("products", event.ListOf(event.Nested(line)))
		s.heard(e)
	}
	buy(1)
	s.want("Mon 12:00 Entered", "Mon 12:00 Exited: the path ends") // no rhythm yet
	s.pass(30 * days)
	buy(2)
	s.log = nil
	s.pass(30 * days)
	buy(3) // every 30 days
	s.pass(20 * days)
	buy(4) // ten days early: due 26 days and 16 hours later
	s.pass(24 * days)
	s.want("Fri 12:00 Entered")
	s.pass(days)
	s.want("Mon 04:00 planned again", "Mon 04:00 Exited: the path ends")
	in := s.intents[0]
	if in.Product != "beans" || in.Category != "coffee" {
		t.Fatalf("promotes %q of %q", in.Product, in.Category)
	}
	if want := "buys Coffee beans about every 27 days, last on 21 May 2026"; in.Reason != want {
		t.Fatalf("reason %q, want %q", in.Reason, want)
	}
	if v, _ := in.Props.Get("replenish"); v.Kind != event.True {
		t.Fatal("the gate cannot tell a replenishment")
	}
}

func TestAReasonIsNeverHalfFilled(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Product Viewed}, reentry: after_exit, steps: [
		{send: {template: a, reason: ["you looked at {trigger.name}, {trait.first_name}", "you looked at {trigger.name}"]}}]}`)
	s.hear("Product Viewed", "name", "boots")
	s.hear("Product Viewed")
	s.says("first_name", "Ada")
	s.hear("Product Viewed", "name", "boots")
	var got []string
	for _, in := range s.intents {
		got = append(got, in.Reason)
	}
	if want := []string{"you looked at boots", "Product Viewed on 2 March 2026", "you looked at boots, Ada"}; !slices.Equal(got, want) {
		t.Fatalf("reasons %q, want %q", got, want)
	}
}

func TestTheReasonTellsWhatTheAudienceFound(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Product Viewed}, audience: {did: Product Viewed, times: ">= 2", within: 14d}, steps: [
		{send: {template: a, reason: "because this customer {because}"}}]}`)
	s.hear("Product Viewed")
	s.hear("Product Viewed")
	if got := s.intents[0].Reason; !strings.HasPrefix(got, "because this customer viewed a product 2 or more times in the last 14 days") {
		t.Fatalf("reason %q", got)
	}
}

func TestAWishOfALateEventSaysThatItIsLate(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, steps: [
		{wait_for: {any: [{event: Looked}], timeout: 7d}}, {send: {template: a, reason: you looked}}]}`)
	s.hear("Visited")
	s.pass(5 * hour)
	s.hearAt(s.now.Add(-3*hour), "Looked")
	if len(s.intents) != 1 || !s.intents[0].Late {
		t.Fatalf("%+v", s.intents)
	}
}

func TestWhatAMachineClickedMovesNobodyOn(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, steps: [
		{wait_for: {any: [{event: Message Clicked, next: warm}], timeout: 7d}, otherwise: end}
		{name: warm, send: {template: a, reason: you clicked}}]}`)
	s.hear("Visited")
	s.hear("Message Clicked", "actor", "machine")
	s.want("Mon 12:00 Entered")
	s.hear("Message Clicked", "actor", "human")
	s.want("Mon 12:00 planned a", "Mon 12:00 Exited: the path ends")
}

func TestATriggerThatIsTooLargeIsCarriedWithoutItsLists(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Order Completed, key: order_id}, steps: [{wait: 1d}]}`)
	e := s.event(s.now, "Order Completed", "order_id", "1", "note", strings.Repeat("x", 3000))
	var lines []event.Value
	for i := range 100 {
		lines = append(lines, event.Nested(new(event.Builder).Set("sku", event.Text(fmt.Sprint("sku-", i))).Object()))
	}
	e.Props = e.Props.With("products", event.ListOf(lines...)).With("more", event.Text(strings.Repeat("y", 3000)))
	s.heard(e)
	in := s.p.Journeys[0]
	if len(in.Props) > profile.MaxTrigger || in.Props.Text("order_id") != "1" || in.Props.Text("note") == "" || in.Props.Text("more") != "" {
		t.Fatalf("carries %d bytes", len(in.Props))
	}
}

func TestACustomerCannotBeInsideTooManyInstances(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Product Added, key: cart_id}, steps: [{wait: 1d}]}`)
	for i := range journey.MaxLive + 5 {
		s.hear("Product Added", "cart_id", fmt.Sprint(i))
	}
	if len(s.p.Journeys) != journey.MaxLive {
		t.Fatalf("%d instances", len(s.p.Journeys))
	}
	if last := s.facts[len(s.facts)-1]; last.Name != journey.EntryRefused {
		t.Fatalf("nobody was told: %s", last.Name)
	}
}

func TestALongLifeInALoopIsNoBurst(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {event: Visited}, steps: [{name: top, wait: 1h}, {jump: top}]}`)
	s.hear("Visited")
	s.pass(20 * days)
	if len(s.p.Journeys) != 1 || s.p.Journeys[0].Arrivals < 900 {
		t.Fatalf("%+v", s.p.Journeys)
	}
}

func TestAWishWhoseRunWasEndedByTheAnswerToAnotherDoesNotStand(t *testing.T) {
	t.Parallel()
	s := open(t,
		`{journey: first, trigger: {event: Visited}, steps: [{send: {template: a, reason: you came}}, {update: {traits: {done: true}}}, {wait: 1d}]}`,
		`{journey: second, trigger: {event: Visited}, exit: {trait: done, is: true}, steps: [{send: {template: b, reason: you came}}, {wait: 1d}]}`)
	s.hear("Visited")
	s.want("Mon 12:00 Entered", "Mon 12:00 Entered", "Mon 12:00 planned a", "Mon 12:00 Exited: done is true")
}

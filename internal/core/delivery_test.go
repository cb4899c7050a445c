package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// reminder sends one message an hour after something was put into a cart.
const reminder = `{'journey': 'remind', 'trigger': {'event': 'Product Added'}, 'reentry': 'after_exit', 'exit': {'did': 'Order Completed'},
	'steps': [{'name': 'think', 'wait': '1h'}, {'name': 'tell', 'send': {'template': 't', 'product': 'trigger.sku', 'expires': '30d', 'reason': 'You left {trigger.sku}'}}]}`

// cart opens a world in which ada has left a lamp in her cart and the reminder is
// planned.
func cart(t *testing.T) (*world, core.Delivery) {
	t.Helper()
	w := open(t, definitions{journeys: []string{reminder}})
	w.agrees()
	w.says("Product Added", "sku", "lamp")
	w.wait(hour)
	d := w.one()
	if d.State != profile.Planned || d.Record == nil || d.Reason != "You left lamp" || d.Product != "lamp" {
		t.Fatalf("the plan is %+v", d)
	}
	return w, d
}

func TestAMessageIsPlannedClaimedAndAccepted(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	c := w.slot(d.ID)
	if c.State != profile.Claimed || c.Fence != 1 || c.Deadline != w.now.Add(core.ClaimFor) || !c.Claim || c.Record == nil {
		t.Fatalf("the claim is %+v", c)
	}
	if got := w.tell(event.MessageSent, c, "detail", "250 ok"); got.State != profile.Accepted || got.Outcome != "250 ok" || got.Record != nil {
		t.Errorf("the outcome is %+v", got)
	}
	p := w.ada()
	if len(p.Open) != 0 || len(p.Contacts) != 1 || p.Contacts[0].ID != d.ID || p.Contacts[0].At != w.now {
		t.Errorf("open %v, contacts %+v", p.Open, p.Contacts)
	}
}

func TestWhatBecomesOfAMessageThatWasHandedOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		receipt string
		props   []any
		state   profile.State
		because string
		counts  bool // towards caps
		ill     bool // the address
	}{
		{"accepted", event.MessageSent, nil, profile.Accepted, "", true, false},
		{"no answer came, which counts as sent", event.MessageUnknown, nil, profile.Unknown, "", true, false},
		{"refused for now and for ever", event.MessageRejected, []any{"detail", "554"}, profile.Rejected, "rejected", false, false},
		{"there is no such mailbox", event.MessageRejected, []any{"hard", true, "detail", "550 5.1.1"}, profile.Rejected, "bounced", false, true},
		{"suppressed at the last moment", event.MessageStopped, nil, profile.Dropped, "suppressed", false, false},
		{"it could not be worded", event.RenderFailed, []any{"detail", "first_name is missing"}, profile.Failed, "render_failed", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, d := cart(t)
			claim := w.slot(d.ID)
			got := w.tell(c.receipt, claim, c.props...)
			if got.State != c.state || got.Because != c.because {
				t.Errorf("it is %s because of %q, want %s because of %q", got.State, got.Because, c.state, c.because)
			}
			if p := w.ada(); len(p.Open) != 0 || (len(p.Contacts) == 1) != c.counts || p.Reachable("email") == c.ill {
				t.Errorf("open %d, contacts %d, reachable %v", len(p.Open), len(p.Contacts), p.Reachable("email"))
			}
			// Nothing that is told later, nor a further turn, changes what is final.
			rows := len(w.ledger[d.ID])
			w.tell(event.MessageSent, claim)
			w.tell(event.MessageRejected, claim, "hard", true)
			w.slot(d.ID)
			if len(w.ledger[d.ID]) != rows {
				t.Errorf("a final message goes on: %s", w.said())
			}
		})
	}
}

func TestAfterAHardBounceNothingGoesToTheAddress(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	w.tell(event.MessageRejected, w.slot(d.ID), "hard", true)
	w.says("Product Added", "sku", "mug")
	w.wait(2 * hour)
	if next := w.last(w.plans[len(w.plans)-1]); len(w.plans) != 2 || next.State != profile.Dropped || next.Because != string(decision.Bounced) {
		t.Errorf("the next message is %s because of %q", next.State, next.Because)
	}
	e := w.track("Address Changed")
	e.Traits = object("email", "new@shop.example")
	w.hear(e)
	w.says("Product Added", "sku", "hat")
	w.wait(2 * hour)
	if next := w.last(w.plans[len(w.plans)-1]); next.State != profile.Planned {
		t.Errorf("at a new address the next message is %s because of %q", next.State, next.Because)
	}
}

func TestTheAnswerToAClaimThatWasLostIsVoid(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	first := w.slot(d.ID)
	if again := w.slot(d.ID); again.Fence != first.Fence {
		t.Fatalf("a claim within its deadline is claimed again: %+v", again)
	}
	w.wait(core.ClaimFor + time.Second)
	second := w.slot(d.ID)
	if second.State != profile.Claimed || second.Fence != first.Fence+1 {
		t.Fatalf("after its deadline the claim is %+v", second)
	}
	if got := w.tell(event.MessageRejected, first, "hard", true); got.State != profile.Claimed || !w.ada().Reachable("email") {
		t.Errorf("the answer to the lost claim made it %s", got.State)
	}
	if got := w.tell(event.MessageSent, second); got.State != profile.Accepted {
		t.Errorf("the answer to the claim made it %s", got.State)
	}
}

func TestAClaimThatDispatchVouchesWasNeverBegunIsClaimedAgainAtOnce(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	first := w.slot(d.ID)
	second := w.slot(d.ID, "lost", true)
	if second.State != profile.Claimed || second.Fence != first.Fence+1 {
		t.Errorf("the second claim is %+v", second)
	}
	if got := w.tell(event.MessageSent, first); got.State != profile.Claimed {
		t.Errorf("the answer to the lost claim made it %s", got.State)
	}
}

// RULES 7, item 26, and DESIGN 6: recall wins until it is begun. Whether it has, only
// dispatch knows, so the message stays open until it has told.
func TestAPurchaseTakesBackWhatIsClaimedAndNotYetBegun(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	c := w.slot(d.ID)
	w.wait(time.Second)
	w.buys("o1", "lamp")
	if len(w.stops) != 1 || w.stops[0].Delivery.ID != d.ID || w.stops[0].Delivery.Fence != c.Fence || w.stops[0].Why == "" {
		t.Fatalf("dispatch was asked to stop %+v", w.stops)
	}
	if open := w.ada().Open; len(open) != 1 || !open[0].Unwanted || w.last(d.ID).State != profile.Claimed {
		t.Fatalf("before dispatch has told, open are %+v and the ledger says %s", open, w.last(d.ID).State)
	}
	w.says("Page Viewed")
	if len(w.stops) != 1 {
		t.Errorf("dispatch was asked again without need: %+v", w.stops)
	}
	got := w.tell(event.MessageStopped, c, "by", event.ByRecall, "detail", w.stops[0].Why)
	if got.State != profile.Recalled || got.Fence == c.Fence || got.Because != string(decision.Satisfied) || got.Record == nil || got.Outcome != w.stops[0].Why {
		t.Errorf("it is %s because of %q under fence %d, outcome %q", got.State, got.Because, got.Fence, got.Outcome)
	}
	if after := w.tell(event.MessageSent, c); after.State != profile.Recalled || len(w.ada().Open) != 0 || len(w.ada().Contacts) != 0 {
		t.Errorf("a message that was taken back is %s", after.State)
	}
}

func TestWhatHadBegunBeforeItWasRecalledIsToldAsItWas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, receipt string
		state         profile.State
		counts        bool
	}{
		{"the provider had it", event.MessageSent, profile.Accepted, true},
		{"nobody knows", event.MessageUnknown, profile.Unknown, true},
		{"the provider refused it", event.MessageRejected, profile.Rejected, false},
		{"the provider put it off, so it did not leave", event.MessageDeferred, profile.Recalled, false},
		{"it could not be worded", event.RenderFailed, profile.Failed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, d := cart(t)
			claim := w.slot(d.ID)
			w.buys("o1", "lamp")
			if got := w.tell(c.receipt, claim); got.State != c.state {
				t.Errorf("it is %s, want %s", got.State, c.state)
			}
			if p := w.ada(); len(p.Open) != 0 || (len(p.Contacts) == 1) != c.counts {
				t.Errorf("open %+v, contacts %+v", p.Open, p.Contacts)
			}
		})
	}
}

func TestAClaimThatWasRecalledIsNotClaimedAgain(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	w.slot(d.ID)
	w.buys("o1", "lamp")
	w.wait(core.ClaimFor + time.Second)
	if got := w.slot(d.ID); got.State != profile.Claimed || got.Fence != 1 || len(w.stops) != 2 {
		t.Errorf("after its deadline it is %s under fence %d, and dispatch was asked %d times", got.State, got.Fence, len(w.stops))
	}
	if got := w.slot(d.ID, "lost", true); got.State != profile.Recalled || got.Record == nil || len(w.ada().Open) != 0 {
		t.Errorf("never begun, it is %s", got.State)
	}
}

func TestAMessageThatIsNoLongerWantedTakesTheOtherPathAtOnce(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{
		segments: [][2]string{{"keen", `{'trait': 'keen', 'is': true}`}},
		journeys: []string{`{'journey': 'ask', 'trigger': {'event': 'X'}, 'audience': {'segment': 'keen'},
			'steps': [{'name': 'mail', 'send': {'template': 't', 'reason': 'You are keen', 'await': 'accepted', 'expires': '20d'}, 'otherwise': 'text'}, {'name': 'done', 'exit': 'done'},
			{'name': 'text', 'send': {'template': 't', 'channel': 'sms', 'class': 'service', 'purpose': 'service', 'reason': 'We owe you an answer'}}]}`},
	})
	w.agrees()
	keen := func(v bool) {
		e := w.track("Told")
		e.Traits = object("keen", v)
		w.hear(e)
	}
	keen(true)
	w.says("X")
	w.wait(minute)
	keen(false)
	w.wait(minute)
	if got := w.slot(w.plans[0]); got.State != profile.Recalled {
		t.Fatalf("the message is %s", got.State)
	}
	if len(w.plans) != 2 || w.last(w.plans[1]).Step != "text" {
		t.Errorf("messages: %s", w.said())
	}
}

// RULES 7, item 38.
func TestItem38ADeferredMessageIsTriedAgainForThreeDaysUnderTheSameId(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	began, tries := w.now, 0
	for w.last(d.ID).State.Open() {
		c := w.slot(d.ID)
		if c.State != profile.Claimed {
			t.Fatalf("try %d: %s because of %q", tries, c.State, c.Because)
		}
		tries++
		got := w.tell(event.MessageDeferred, c, "detail", "451 come back later", "retry_after", 3600)
		if got.ID != d.ID {
			t.Fatalf("try %d has another id", tries)
		}
		if got.State == profile.Planned {
			if got.NotBefore != w.now.Add(hour) || got.Because != "deferred" {
				t.Fatalf("try %d: again at %s because of %q", tries, got.NotBefore, got.Because)
			}
			if early := w.slot(d.ID); early.State != profile.Planned {
				t.Fatalf("try %d: before its hour it is %s", tries, early.State)
			}
		}
		w.wait(hour)
	}
	if got := w.last(d.ID); got.State != profile.Rejected || got.Because != "gave_up" || tries != 73 {
		t.Errorf("after %d tries and %v it is %s because of %q", tries, w.now.Sub(began), got.State, got.Because)
	}
	if !w.ada().Reachable("email") || len(w.ada().Contacts) != 0 {
		t.Error("an address that asked for time is ill, or the message counts as sent")
	}
}

// What a message waited for by our own rules is no fault of the provider's.
func TestTheThreeDaysBeginWithTheFirstTry(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	w.wait(10 * day)
	if got := w.tell(event.MessageDeferred, w.slot(d.ID)); got.State != profile.Planned {
		t.Errorf("after ten days of waiting and one try it is %s because of %q", got.State, got.Because)
	}
	w.wait(core.GiveUp + hour)
	if got := w.tell(event.MessageDeferred, w.slot(d.ID)); got.State != profile.Rejected {
		t.Errorf("three days after the first try it is %s", got.State)
	}
}

func TestAProviderMayNotAskForATimeWithoutEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asked any
		want  time.Duration
	}{
		{nil, minute}, {0, minute}, {"soon", minute}, {-5, minute}, {90, 90 * time.Second}, {3600, hour}, {1 << 40, 6 * hour}, {"1e30", 6 * hour}, {"NaN", minute}, {"Inf", 6 * hour},
	} {
		t.Run(fmt.Sprint(c.asked), func(t *testing.T) {
			t.Parallel()
			w, d := cart(t)
			if got := w.tell(event.MessageDeferred, w.slot(d.ID), "retry_after", c.asked); got.NotBefore != w.now.Add(c.want) {
				t.Errorf("asked for %v, again in %v, want %v", c.asked, got.NotBefore.Sub(w.now), c.want)
			}
		})
	}
}

func TestADeferredMessageExpires(t *testing.T) {
	t.Parallel()
	w := open(t, definitions{journeys: []string{`{'journey': 'sale', 'trigger': {'event': 'X'}, 'steps': [{'send': {'template': 't', 'expires': '2h', 'reason': 'You asked'}}]}`}})
	w.agrees()
	w.says("X")
	d := w.one()
	w.wait(time.Second)
	c := w.slot(d.ID)
	w.wait(2 * hour)
	if got := w.tell(event.MessageDeferred, c); got.State != profile.Rejected || got.Because != "gave_up" {
		t.Errorf("deferred beyond its end it is %s because of %q", got.State, got.Because)
	}
}

func TestItem36ABounceOfAMessageNeverSentIsIgnored(t *testing.T) {
	t.Parallel()
	w, d := cart(t)
	before := w.ada().HealthOf("email", w.ada().Address("email"))
	for _, kv := range [][]any{
		{"delivery", strings.Repeat("ab", 16), "fence", "1", "hard", true, "detail", "550 5.1.1 forged"},
		{"delivery", d.ID.String(), "fence", "99", "hard", true, "detail", "550 5.1.1 of a claim that there never was"},
		{"delivery", "not an id", "hard", true},
	} {
		w.own(event.MessageRejected, kv...)
	}
	p := w.ada()
	if after := p.HealthOf("email", p.Address("email")); after != before {
		t.Errorf("the address is %+v, want %+v", after, before)
	}
	if !p.Reachable("email") {
		t.Error("a forged bounce made the customer unreachable")
	}
	if got := w.last(d.ID); got.State != profile.Planned {
		t.Errorf("the delivery is %s, want it planned still", got.State)
	}
}

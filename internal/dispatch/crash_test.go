package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/event"
	"rapport/internal/dispatch"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/killpoint"
	"rapport/internal/store"
)

// Tests that set a killpoint do not run in parallel with others: there is one hook.

// dieAt ends whatever worker comes to the point, as far as that worker can tell:
// what it had done is done, and nothing follows.
func dieAt(t *testing.T, point string) (revive func()) {
	t.Helper()
	revive = killpoint.Set(func(name string) {
		if name == point {
			runtime.Goexit()
		}
	})
	t.Cleanup(revive)
	return revive
}

func TestItem01AKillBetweenAcceptanceAndItsNoteLeavesAnUnknownThatOnlyServiceRepeats(t *testing.T) {
	for _, c := range []struct {
		class, trigger, then, finally string
		recovered                     dispatch.Recovered
		calls                         int
	}{
		{"marketing", event.OrderCompleted, "unknown:1", "unknown:1", dispatch.Recovered{Unknown: 1}, 1},
		{"service", "Receipt Wanted", "planned deferred:1", "accepted:1", dispatch.Recovered{Again: 1}, 2},
	} {
		t.Run(c.class, func(t *testing.T) {
			s := newShop(t)
			s.does("ada", c.trigger)
			s.claim()
			revive := dieAt(t, killpoint.AfterAccept)
			_, err := s.d.Deliver(t.Context())
			s.must(err)
			revive()
			s.want("claimed:1")
			if r := s.restart(); r != c.recovered {
				t.Errorf("Recover = %+v, want %+v", r, c.recovered)
			}
			s.want(c.then)
			s.pass(2 * time.Minute)
			s.claim()
			s.deliver(s.d)
			s.want(c.finally)
			if s.provider.calls != c.calls {
				t.Errorf("the provider was called %d times, want %d", s.provider.calls, c.calls)
			}
			// The second copy of a service message carries the first one's Message-ID:
			// that is how a receiver can drop it.
			if n, _ := s.provider.copies(); n != 1 {
				t.Errorf("%d different messages reached the provider, want 1", n)
			}
		})
	}
}

func TestItem02AKillAfterTheClaimAndBeforeItsStartIsClaimedAgainAndSentOnce(t *testing.T) {
	s := newShop(t)
	s.does("ada", event.OrderCompleted)
	s.claimed = func([]engine.Claim) {} // the process dies before dispatch hears of it
	s.claim()
	s.claimed = nil
	s.want("claimed:1")
	if r := s.restart(); r != (dispatch.Recovered{Lost: 1}) {
		t.Errorf("Recover = %+v, want 1 lost", r)
	}
	s.deliver(s.d)
	s.want("accepted:1")
	if s.provider.calls != 1 {
		t.Errorf("the provider was called %d times, want once", s.provider.calls)
	}
}

func TestItem02ASecondDeathBeforeTheNewSlotIsAnsweredStillSendsOnceAndKnowsIt(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.does("ada", event.OrderCompleted)
	s.claimed = func([]engine.Claim) {}
	s.claim()
	s.claimed = nil
	for range 3 { // each process grants a slot and dies before the engine comes to it
		s.start()
		r, err := s.d.Recover(t.Context())
		s.must(err)
		if r != (dispatch.Recovered{Lost: 1}) {
			t.Errorf("Recover = %+v, want 1 lost", r)
		}
	}
	s.settle() // three claims of one delivery: the newest counts
	s.deliver(s.d)
	s.want("accepted:1")
	if s.provider.calls != 1 {
		t.Errorf("the provider was called %d times, want once", s.provider.calls)
	}
}

func TestItem02AKillBetweenStartedAndTheCallIsUnknownAndNotSent(t *testing.T) {
	s := newShop(t)
	s.does("ada", event.OrderCompleted)
	s.claim()
	revive := dieAt(t, killpoint.AfterStarted)
	_, err := s.d.Deliver(t.Context())
	s.must(err)
	revive()
	if r := s.restart(); r != (dispatch.Recovered{Unknown: 1}) {
		t.Errorf("Recover = %+v, want 1 unknown", r)
	}
	for range 3 {
		s.pass(time.Minute)
		s.claim()
		s.deliver(s.d)
	}
	s.want("unknown:1")
	if s.provider.calls != 0 {
		t.Errorf("the provider was called %d times after a start that nobody can judge, want never", s.provider.calls)
	}
}

func TestItem02AKillBeforeTheReceiptIsInTheLogTellsItAtTheNextStart(t *testing.T) {
	s := newShop(t)
	s.does("ada", event.OrderCompleted)
	s.claim()
	_, err := s.d.Deliver(t.Context())
	s.must(err)
	if r := s.restart(); r != (dispatch.Recovered{Told: 1}) { // Receipts was never called
		t.Errorf("Recover = %+v, want 1 told", r)
	}
	s.want("accepted:1")
	if r := s.restart(); r != (dispatch.Recovered{}) {
		t.Errorf("the start after that finds %+v, want nothing", r)
	}
}

// claimTwice returns a shop in which one delivery is claimed by s.d, whose
// deadline has passed, and again by the dispatch that is returned.
func claimTwice(t *testing.T, trigger string, between func(s *shop)) (*shop, *dispatch.Dispatch) {
	s := newShop(t)
	s.does("ada", trigger)
	s.claim()
	if between != nil {
		between(s)
	}
	s.pass(lapse)
	second := s.dispatch()
	s.claimed = second.Claimed
	n, err := second.OfferLapsed(t.Context())
	s.must(err)
	if n != 1 {
		t.Fatalf("%d lapsed claims were offered, want 1", n)
	}
	s.settle()
	return s, second
}

// lapse is longer than a claim holds.
const lapse = 31 * time.Second

func TestItem03AnAnswerAfterAnotherClaimIsVoidAndNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	// The first worker starts and calls; its answer comes after the claim was
	// given to another.
	s, second := claimTwice(t, event.OrderCompleted, func(s *shop) {
		_, err := s.d.Deliver(t.Context()) // accepted; the receipt is late
		s.must(err)
	})
	s.deliver(second) // the ledger says that it was begun
	s.want("unknown:1")
	s.tell(s.d) // the late answer, with the old fence
	s.want("unknown:1")
	if n, twice := s.provider.copies(); n != 1 || twice != 0 {
		t.Errorf("%d messages, %d of them twice; want 1 and 0", n, twice)
	}
}

func TestItem03ALateAnswerUnderTheCurrentFenceCounts(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.does("ada", event.OrderCompleted)
	s.claim()
	// The provider takes longer than the claim holds, and nobody claims meanwhile.
	s.provider.during = func() { s.pass(10 * time.Minute) }
	s.deliver(s.d)
	s.want("accepted:1")
}

func TestItem03WhatIsBeingHandedOverIsNotOfferedAgainHoweverSlowTheProvider(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.does("ada", event.OrderCompleted)
	s.claim()
	s.provider.during = func() {
		s.pass(10 * time.Minute)
		if n, err := s.d.OfferLapsed(t.Context()); n != 0 || err != nil {
			t.Errorf("OfferLapsed = %d, %v while the provider thinks, want 0", n, err)
		}
	}
	s.deliver(s.d)
	s.want("accepted:1")
}

func TestItem04OfTwoWorkersTheSecondSendsIfTheFirstHadNotBegun(t *testing.T) {
	t.Parallel()
	s, second := claimTwice(t, event.OrderCompleted, nil)
	s.deliver(second)
	s.want("accepted:1")
	s.deliver(s.d) // the first wakes up: its claim is over
	s.want("accepted:1")
	if s.provider.calls != 1 {
		t.Errorf("the provider was called %d times, want once", s.provider.calls)
	}
}

// slowLedger pauses a worker between its look at the deadline and its start.
type slowLedger struct {
	store.Ledger
	pause func()
}

func (l *slowLedger) Start(ctx context.Context, batch []store.Start) ([]store.StartAnswer, error) {
	if pause := l.pause; pause != nil {
		l.pause = nil
		pause()
	}
	return l.Ledger.Start(ctx, batch)
}

func TestItem04AWorkerPausedRightBeforeItsStartDoesNotSendASecondCopy(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ledger := &slowLedger{Ledger: s.ledger}
	s.ledger = ledger
	s.start()
	s.does("ada", event.OrderCompleted)
	s.claim()
	ledger.pause = func() { // stopped past its lease; another takes over meanwhile
		s.pass(lapse)
		second := s.dispatch()
		s.claimed = second.Claimed
		_, err := second.OfferLapsed(t.Context())
		s.must(err)
		s.settle()
		s.deliver(second)
	}
	s.deliver(s.d)
	s.want("accepted:1")
	if n, twice := s.provider.copies(); n != 1 || twice != 0 || s.provider.calls != 1 {
		t.Errorf("%d messages, %d twice, in %d calls; want one message in one call", n, twice, s.provider.calls)
	}
}

func TestItem04TwoWorkersWithAServiceMessageSendItUnderOneKey(t *testing.T) {
	t.Parallel()
	s, second := claimTwice(t, "Receipt Wanted", func(s *shop) {
		_, err := s.d.Deliver(t.Context())
		s.must(err)
	})
	s.deliver(second)
	s.tell(s.d)
	s.want("accepted:1")
	if n, twice := s.provider.copies(); n != 1 || twice != 1 {
		t.Errorf("%d different messages, %d sent twice; want one, twice under one id", n, twice)
	}
}

// brokenLedger refuses to start while it is broken.
type brokenLedger struct {
	store.Ledger
	broken bool
}

func (l *brokenLedger) Start(ctx context.Context, batch []store.Start) ([]store.StartAnswer, error) {
	if l.broken {
		return nil, fault.New(fault.Unavailable, "the disk is full")
	}
	return l.Ledger.Start(ctx, batch)
}

func TestAClaimThatCouldNotBeStartedIsOfferedAgainAfterItsDeadline(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ledger := &brokenLedger{Ledger: s.ledger, broken: true}
	s.ledger = ledger
	s.start()
	for i := range 5 {
		s.does(fmt.Sprint("u", i), event.OrderCompleted)
	}
	s.claim()
	s.deliver(s.d)
	s.want("claimed:5")
	ledger.broken = false
	s.pass(lapse)
	n, err := s.d.OfferLapsed(t.Context())
	s.must(err)
	if n != 5 {
		t.Errorf("%d lapsed claims were offered, want 5", n)
	}
	s.settle()
	s.deliver(s.d)
	s.want("accepted:5")
	if n, twice := s.provider.copies(); n != 5 || twice != 0 {
		t.Errorf("%d messages, %d twice; want 5 and 0", n, twice)
	}
}

func TestItem38WhatAProviderPutsOffIsTriedAgainUnderTheSameIDAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	for _, restarts := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(restarts, " restarts"), func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.provider.answer = func(_ channels.Message, call int) channels.Outcome {
				if call <= 2 {
					return channels.Outcome{State: channels.Deferred, Code: 451, Detail: "greylisted", RetryAfter: 5 * time.Minute}
				}
				return channels.Outcome{State: channels.Accepted, Code: 250}
			}
			s.does("ada", event.OrderCompleted)
			s.claim()
			s.deliver(s.d)
			s.want("planned deferred:1")
			for range 3 {
				for range restarts {
					s.restart()
				}
				s.pass(6 * time.Minute)
				s.claim()
				s.deliver(s.d)
			}
			s.want("accepted:1")
			if n, twice := s.provider.copies(); n != 1 || twice != 0 || s.provider.calls != 3 {
				t.Errorf("%d messages, %d twice, in %d calls; want one in three", n, twice, s.provider.calls)
			}
			if r := s.restart(); r != (dispatch.Recovered{}) {
				t.Errorf("a start after all is done finds %+v, want nothing", r)
			}
		})
	}
}

func TestAPutOffMessageThatDiedInItsSecondStartIsUnknown(t *testing.T) {
	s := newShop(t)
	s.provider.answer = func(channels.Message, int) channels.Outcome {
		return channels.Outcome{State: channels.Deferred, Code: 451, RetryAfter: 5 * time.Minute}
	}
	s.does("ada", event.OrderCompleted)
	s.claim()
	s.deliver(s.d)
	s.pass(6 * time.Minute)
	s.claim()
	revive := dieAt(t, killpoint.AfterStarted)
	_, err := s.d.Deliver(t.Context())
	s.must(err)
	revive()
	if r := s.restart(); r != (dispatch.Recovered{Unknown: 1}) {
		t.Errorf("Recover = %+v, want 1 unknown", r)
	}
	s.want("unknown:1")
}

func TestAPutOffMessageThatIsRecalledIsForgottenByTheLedger(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.provider.answer = func(channels.Message, int) channels.Outcome {
		return channels.Outcome{State: channels.Deferred, Code: 451, RetryAfter: time.Hour}
	}
	s.does("ada", event.OrderCompleted)
	s.claim()
	s.deliver(s.d)
	s.pass(4 * 24 * time.Hour) // beyond its expiry
	s.claim()
	s.want("expired expired:1")
	s.restart()
	if left, err := s.ledger.Unfinished(t.Context(), event.Never, 10); err != nil || len(left) != 0 {
		t.Errorf("the ledger still holds %d deliveries open (%v), want none", len(left), err)
	}
}

func TestATemplateOrAnAdapterThatPanicsHurtsOnlyItsOwnMessages(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.render = func(c *engine.Claim, _ event.Time) (channels.Message, error) {
		m := word(c)
		switch m.To.Address {
		case "bad@shop.example":
			panic("a template")
		case "worse@shop.example":
			return m, errors.New("no such field")
		}
		return m, nil
	}
	for _, who := range []string{"ada", "bad", "worse", "eve"} {
		s.does(who, event.OrderCompleted)
	}
	s.claim()
	s.deliver(s.d)
	s.want("accepted:2 render_failed render_failed:2")

	s = newShop(t)
	s.provider.during = func() { panic("an adapter") }
	s.does("ada", event.OrderCompleted)
	s.claim()
	s.deliver(s.d)
	s.want("unknown:1") // it had the message: nobody knows what left
}

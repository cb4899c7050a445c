package dispatch_test

import (
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/engine"
)

// wants opens a shop in which ada wants a coat and dispatch holds the claim of the
// message about it.
func wants(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	s.does("ada", "Coat Wanted")
	if n := s.claim(); n != 1 {
		t.Fatalf("%d messages were offered, want 1", n)
	}
	s.want("claimed:1")
	return s
}

// buys lets ada leave the journey.
func (s *shop) buys() {
	s.t.Helper()
	s.does("ada", "Coat Bought")
	s.settle()
}

func (s *shop) copiesAre(want int) {
	s.t.Helper()
	if messages, twice := s.provider.copies(); messages != want || twice != 0 {
		s.t.Errorf("%d messages left, %d of them twice; want %d", messages, twice, want)
	}
}

func TestAClaimThatIsRecalledBeforeItBeginsDoesNotLeave(t *testing.T) {
	t.Parallel()
	s := wants(t)
	s.buys()
	s.deliver(s.d)
	s.copiesAre(0)
	s.want("recalled exited:1")
}

func TestAMessageThatIsRecalledWhileItIsWordedDoesNotLeave(t *testing.T) {
	t.Parallel()
	s := wants(t)
	s.render = func(c *engine.Claim, _ event.Time) (channels.Message, error) {
		s.buys()
		return word(c), nil
	}
	s.deliver(s.d)
	s.copiesAre(0)
	s.want("recalled exited:1")
}

// What had begun before the customer left counts as what it is: she got it.
func TestAMessageThatIsRecalledTooLateIsAccepted(t *testing.T) {
	t.Parallel()
	s := wants(t)
	s.provider.during = s.buys
	s.deliver(s.d)
	s.copiesAre(1)
	s.want("accepted:1")
	p, err := s.e.Profile(t.Context(), s.does("ada", "Page Viewed"))
	s.must(err)
	if len(p.Contacts) != 1 || len(p.Open) != 0 {
		t.Errorf("contacts %+v, open %+v", p.Contacts, p.Open)
	}
}

func TestAClaimAndItsRecallInOneCommitAreNotHandedOver(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.does("ada", "Coat Wanted")
	s.settle()
	if _, err := s.d.Offer(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.buys() // the slot is in the log and not applied
	s.deliver(s.d)
	s.copiesAre(0)
	s.want("recalled exited:1")
}

func TestADeathBetweenARecallAndItsAnswerLosesNeither(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		begun  bool
		states string
		lost   int
	}{
		{"nothing had begun", false, "recalled exited:1", 1},
		{"it had begun, and its receipt is in the ledger", true, "accepted:1", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := wants(t)
			s.deaf = true
			if c.begun {
				s.provider.during = s.buys
				_, err := s.d.Deliver(t.Context()) // its receipt dies with the process
				s.must(err)
			} else {
				s.buys()
			}
			s.want("claimed:1")
			s.deaf = false
			if r := s.restart(); r.Lost != c.lost {
				t.Errorf("Recover = %+v, want %d lost", r, c.lost)
			}
			s.deliver(s.d)
			s.want(c.states)
		})
	}
}

func TestAClaimThatWasRecalledAndLapsedIsNotOfferedAgain(t *testing.T) {
	t.Parallel()
	s := wants(t)
	s.deaf = true
	s.buys()
	s.deaf = false
	s.pass(core.ClaimFor + time.Second)
	s.deliver(s.d) // too late: it is left to lapse
	s.want("claimed:1")
	if n, err := s.d.OfferLapsed(t.Context()); n != 1 || err != nil {
		t.Fatalf("OfferLapsed = %d, %v", n, err)
	}
	s.settle()
	s.deliver(s.d)
	s.copiesAre(0)
	s.want("recalled exited:1")
}

package decision_test

import (
	"testing"
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// TestTwoJourneysAtOnceWithACapOfOneADay is item 17 of the faults.
func TestTwoJourneysAtOnceWithACapOfOneADay(t *testing.T) {
	t.Parallel()
	for _, then := range []decision.Then{decision.Defer, decision.Drop} {
		g := gate(func(p *decision.Policy) {
			p.Caps, p.Gap, p.AtCap = []decision.Cap{{Per: day, Most: 1}}, 0, then
		})
		p := ada()
		one := planned(t, g, p, mail(func(in *journey.Intent) { in.Journey = "welcome" }), noon)
		p.Open = []profile.Delivery{one}
		two := planned(t, g, p, mail(func(in *journey.Intent) { in.Journey = "price-drop" }), noon)
		p.Open = []profile.Delivery{one, two}

		if r := g.Claim(p, &one, noon); r.Outcome != decision.Send {
			t.Fatalf("the first = %s, %s, want send", r.Outcome, r.Reason)
		}
		p.Open = []profile.Delivery{one, two}
		r := g.Claim(p, &two, noon)
		if r.Reason != decision.OverCap || two.State == profile.Claimed {
			t.Fatalf("the second = %s, %s, want cap", r.Outcome, r.Reason)
		}
		switch {
		case then == decision.Drop && two.State != profile.Dropped:
			t.Fatalf("the second is %s, want dropped", two.State)
		case then == decision.Defer && (two.State != profile.Planned || two.NotBefore != noon.Add(day)):
			t.Fatalf("the second is %s not before %s, want planned for a day later", two.State, two.NotBefore)
		}
		if len(r.Against) != 1 || r.Against[0] != one.ID {
			t.Fatalf("the second competed with %v, want the first", r.Against)
		}
	}
}

// TestDownOverACampaignThatExpires is item 10 of the faults.
func TestDownOverACampaignThatExpires(t *testing.T) {
	t.Parallel()
	g, p := gate(), ada()
	eight := event.At(time.Date(2026, 1, 13, 8, 0, 0, 0, time.UTC))
	d := planned(t, g, p, mail(func(in *journey.Intent) { in.Expires = eight.Add(2 * time.Hour) }), eight)
	r := g.Claim(p, &d, eight.Add(6*time.Hour))
	if r.Outcome != decision.Never || r.Reason != decision.Expired || d.State != profile.Expired {
		t.Fatalf("at 14:00 = %s, %s, %s, want never, expired", r.Outcome, r.Reason, d.State)
	}
}

// TestABuyerIsNotRemindedOfWhatIsQueued is item 26 of the faults.
func TestABuyerIsNotRemindedOfWhatIsQueued(t *testing.T) {
	t.Parallel()
	g, p := gate(), ada()
	d := planned(t, g, p, mail(func(in *journey.Intent) { in.Product = "lamp-red" }), noon)
	p.Open = []profile.Delivery{d}
	bought("lamp-red", "lamp", "Home", noon.Add(time.Second), 1)(p)
	r := g.Claim(p, &d, noon.Add(2*time.Second))
	if r.Reason != decision.Satisfied || d.State != profile.Recalled {
		t.Fatalf("after the purchase = %s, %s, want satisfied, recalled", r.Reason, d.State)
	}

	// The same if the till reports late, with an instant before the plan.
	p = ada()
	d = planned(t, g, p, mail(func(in *journey.Intent) { in.Product = "lamp-red" }), noon)
	bought("lamp-red", "lamp", "Home", noon.Add(-time.Hour), 1)(p)
	if r := g.Claim(p, &d, noon.Add(time.Second)); r.Reason != decision.JustBought || d.State != profile.Dropped {
		t.Fatalf("after a late report = %s, %s, want just_bought, dropped", r.Reason, d.State)
	}
}

// TestConsentWithdrawnBeforeTheClaim is the gate's part of item 18 of the faults.
func TestConsentWithdrawnBeforeTheClaim(t *testing.T) {
	t.Parallel()
	g, p := gate(), ada()
	d := planned(t, g, p, mail(), noon)
	p.Consents = []profile.Consent{{Channel: "email", Purpose: "marketing", Granted: false, At: noon + 1, Proof: "ev-99", Evidence: "one-click unsubscribe"}}
	r := g.Claim(p, &d, noon+2)
	if r.Reason != decision.NoConsent || d.State != profile.Dropped {
		t.Fatalf("after unsubscribing = %s, %s, want no_consent, dropped", r.Reason, d.State)
	}
	if r.Consent == nil || r.Consent.Proof != "ev-99" || r.Consent.Granted {
		t.Fatalf("the record's consent = %+v, want the entry that withdrew it", r.Consent)
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	plan := func(t *testing.T, g *decision.Gate, p *profile.Profile) profile.Delivery {
		return planned(t, g, p, mail(), noon)
	}
	t.Run("sends and raises the fence", func(t *testing.T) {
		t.Parallel()
		g, p := gate(), ada()
		d := plan(t, g, p)
		r := g.Claim(p, &d, noon)
		if d.State != profile.Claimed || d.Fence != 1 {
			t.Fatalf("d = %s, fence %d, want claimed, 1", d.State, d.Fence)
		}
		if r.Consent == nil || r.Consent.Proof != "ev-7" || r.Consent.Wording != "v3" {
			t.Fatalf("allowed by %+v, want the entry ev-7", r.Consent)
		}
	})
	t.Run("moves what meets the night", func(t *testing.T) {
		t.Parallel()
		g, p := gate(), ada()
		d := plan(t, g, p)
		r := g.Claim(p, &d, noon.Add(10*time.Hour))
		if want := noon.Add(20 * time.Hour); r.Outcome != decision.Later || d.State != profile.Planned || d.NotBefore != want || d.Fence != 0 {
			t.Fatalf("%s, %s not before %s, fence %d, want later, planned, %s, 0", r.Outcome, d.State, d.NotBefore, d.Fence, want)
		}
	})
	t.Run("lets expire what the morning would be too late for", func(t *testing.T) {
		t.Parallel()
		g, p := gate(), ada()
		d := planned(t, g, p, mail(func(in *journey.Intent) { in.Expires = noon.Add(12 * time.Hour) }), noon)
		if r := g.Claim(p, &d, noon.Add(10*time.Hour)); r.Reason != decision.QuietHours || d.State != profile.Expired {
			t.Fatalf("%s, %s, want quiet_hours, expired", r.Reason, d.State)
		}
	})
	t.Run("is not early", func(t *testing.T) {
		t.Parallel()
		g, p := gate(), ada()
		d := planned(t, g, p, mail(func(in *journey.Intent) { in.At = noon.Add(time.Hour) }), noon)
		if r := g.Claim(p, &d, noon); r.Outcome != decision.Later || r.Reason != decision.NotYet || d.NotBefore != noon.Add(time.Hour) {
			t.Fatalf("%s, %s, %s, want later, not_yet", r.Outcome, r.Reason, d.NotBefore)
		}
	})
	t.Run("leaves alone what has begun", func(t *testing.T) {
		t.Parallel()
		g, p := gate(), ada()
		for s := profile.Started; s <= profile.Failed; s++ {
			d := plan(t, g, p)
			d.State = s
			before := d
			if r := g.Claim(p, &d, noon); r.Outcome != decision.Never || r.Reason != decision.Closed || d != before {
				t.Errorf("%s: %s, %s, %s", s, r.Outcome, r.Reason, d.State)
			}
		}
	})
	t.Run("again when the deadline has passed", func(t *testing.T) {
		t.Parallel()
		g, p := gate(), ada()
		d := plan(t, g, p)
		g.Claim(p, &d, noon)
		d.Deadline = noon.Add(time.Minute)
		p.Open = []profile.Delivery{d}
		if r := g.Claim(p, &d, noon.Add(time.Minute)-1); r.Reason != decision.Closed {
			t.Fatalf("before the deadline: %s, want closed", r.Reason)
		}
		if r := g.Claim(p, &d, noon.Add(time.Minute)); r.Outcome != decision.Send || d.Fence != 2 {
			t.Fatalf("after it: %s, %s, fence %d, want send, 2", r.Outcome, r.Reason, d.Fence)
		}
	})
}

func TestPlanningTwiceNamesOneDelivery(t *testing.T) {
	t.Parallel()
	g, p := gate(), ada()
	d := planned(t, g, p, mail(), noon)
	p.Open = []profile.Delivery{d}
	if again, r := g.Plan(p, mail(), noon+5); r.Reason != decision.Duplicate || again != d {
		t.Fatalf("while it is open: %s, %+v", r.Reason, again)
	}
	p.Open = nil
	g.Sent(p, &d, noon+9)
	if again, r := g.Plan(p, mail(), noon+10); r.Reason != decision.Duplicate || again.State != profile.Accepted || again.ID != d.ID {
		t.Fatalf("after it was sent: %s, %s", r.Reason, again.State)
	}
	if other, r := g.Plan(p, mail(func(in *journey.Intent) { in.Arrival = 2 }), noon.Add(day)); r.Outcome != decision.Send || other.ID == d.ID {
		t.Fatalf("the next arrival: %s, %s", r.Outcome, r.Reason)
	}
}

func TestRecall(t *testing.T) {
	t.Parallel()
	g, p := gate(), ada()
	d := planned(t, g, p, mail(), noon)
	g.Claim(p, &d, noon)
	if r, ok := g.Recall(p, &d, decision.Goal, noon+1); !ok || d.State != profile.Recalled || d.Fence != 2 || r.Reason != decision.Goal || r.Outcome != decision.Never {
		t.Fatalf("a claimed one: %v, %s, fence %d, %s", ok, d.State, d.Fence, r.Reason)
	}
	d.State = profile.Started
	if r, ok := g.Recall(p, &d, decision.Goal, noon+1); ok || d.State != profile.Started || r.Reason != decision.Closed {
		t.Fatalf("a started one: %v, %s", ok, d.State)
	}
}

func TestContacts(t *testing.T) {
	t.Parallel()
	g, p := gate(), ada(contacted("email", noon.Add(-40*day), noon.Add(-20*day)))
	d := planned(t, g, p, mail(), noon)
	before := p.Contacts
	g.Sent(p, &d, noon)
	if len(p.Contacts) != 2 || p.Contacts[0].At != noon.Add(-20*day) || p.Contacts[1].ID != d.ID {
		t.Fatalf("contacts = %+v, want the old one pruned and the new one last", p.Contacts)
	}
	if len(before) != 2 || before[0].At != noon.Add(-40*day) {
		t.Fatal("Sent changed the list that others may hold")
	}
	g.Sent(p, &d, noon+7)
	if len(p.Contacts) != 2 {
		t.Fatal("telling it twice counted it twice")
	}
	s, _ := g.Plan(p, mail(service), noon)
	g.Sent(p, &s, noon)
	if len(p.Contacts) != 2 {
		t.Fatal("a service message counted")
	}
	late := profile.Delivery{ID: profile.DeliveryID{9}, Channel: "sms"}
	g.Sent(p, &late, noon.Add(-day))
	if p.Contacts[1].ID != late.ID {
		t.Fatal("a receipt that came late is not in order")
	}
	g.Unsent(p, &d)
	g.Unsent(p, &d)
	if len(p.Contacts) != 2 {
		t.Fatalf("%d contacts after a rejection, want 2", len(p.Contacts))
	}
}

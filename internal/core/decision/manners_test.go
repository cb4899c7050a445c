package decision_test

import (
	"strings"
	"testing"
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

func TestACustomerWhoPausedHearsNothingButService(t *testing.T) {
	t.Parallel()
	until := noon.Add(30 * day)
	paused := trait(decision.TraitPausedUntil, event.Int(int64(until)))
	d, r := gate().Plan(ada(paused), mail(), noon)
	if r.Reason != decision.Paused || d.State != profile.Dropped || r.Rule != decision.RuleAttention {
		t.Errorf("a message in the pause is %s because of %s", d.State, r.Reason)
	}
	if s := r.Sentence(ada(), noon); !strings.Contains(s, "asked for a pause until 12 February 2026") {
		t.Errorf("the sentence is %q", s)
	}
	if _, r := gate().Plan(ada(paused), mail(service), noon); r.Reason != decision.Allowed {
		t.Errorf("a service message is stopped: %s", r.Reason)
	}
	if _, r := gate().Plan(ada(paused), mail(), until); r.Reason != decision.Allowed {
		t.Errorf("when the pause is over: %s", r.Reason)
	}
	// A short rest of a pause only defers.
	d, r = gate().Plan(ada(paused), mail(), until.Add(-time.Hour))
	if d.State != profile.Planned || d.NotBefore != until {
		t.Errorf("an hour before its end the message is %s until %s (%s)", d.State, d.NotBefore, r.Reason)
	}
	for _, v := range []event.Value{event.Text("nonsense"), event.Int(-5), event.Num(1e300), event.Yes(true)} {
		if _, r := gate().Plan(ada(trait(decision.TraitPausedUntil, v)), mail(), noon); r.Reason != decision.Allowed {
			t.Errorf("a pause until %v holds: %s", v, r.Reason)
		}
	}
}

func TestWhoAskedForFewerGetsOneInSevenDays(t *testing.T) {
	t.Parallel()
	fewer := trait(decision.TraitFewer, event.Yes(true))
	last := noon.Add(-2 * day)
	if _, r := gate().Plan(ada(contacted("email", last)), mail(), noon); r.Reason != decision.Allowed {
		t.Fatalf("without the wish the second message is stopped: %s", r.Reason)
	}
	p := ada(fewer, contacted("sms", last)) // whatever the channel
	d, r := gate().Plan(p, mail(), noon)
	if r.Reason != decision.AskedFewer || d.State != profile.Planned || d.NotBefore != last.Add(decision.FewerPer) {
		t.Errorf("the second message is %s until %s because of %s", d.State, d.NotBefore, r.Reason)
	}
	if s := r.Sentence(p, noon); !strings.Contains(s, "asked for fewer messages") {
		t.Errorf("the sentence is %q", s)
	}
	if again := gate().Recheck(p, &r); again.Reason != r.Reason || again.Until != r.Until {
		t.Errorf("asked again the gate says %+v", again)
	}
	if c := gate().Claim(p, &d, d.NotBefore); c.Reason != decision.Allowed {
		t.Errorf("at its instant it is %s", c.Reason)
	}
	if _, r := gate().Plan(ada(fewer), mail(), noon); r.Reason != decision.Allowed {
		t.Errorf("the first message is stopped: %s", r.Reason)
	}
	if _, r := gate().Plan(p, mail(service), noon); r.Reason != decision.Allowed {
		t.Errorf("a service message is stopped: %s", r.Reason)
	}
	if _, r := gate().Plan(ada(trait(decision.TraitFewer, event.Yes(false)), contacted("email", last)), mail(), noon); r.Reason != decision.Allowed {
		t.Errorf("who took the wish back is still held: %s", r.Reason)
	}
}

package decision_test

import (
	"testing"
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

func TestRules(t *testing.T) {
	t.Parallel()
	night := event.At(time.Date(2026, 1, 13, 23, 0, 0, 0, time.UTC))
	refuse := func(p *profile.Profile) { p.Consents = []profile.Consent{{Channel: "email", Purpose: "marketing"}} }
	lamp := func(in *journey.Intent) { in.Product = "lamp-red" }
	home := func(in *journey.Intent) { in.Category = "Home" }
	ill := func(s profile.AddressState) func(*profile.Profile) {
		return func(p *profile.Profile) {
			p.Health = []profile.Health{{Channel: "email", Address: "ada@shop.example", State: s, At: noon}}
		}
	}
	props := func(b *event.Builder) func(*journey.Intent) {
		return func(in *journey.Intent) { in.Props = b.Object() }
	}
	for _, c := range []struct {
		name   string
		p      *profile.Profile
		in     journey.Intent
		policy func(*decision.Policy)
		now    event.Time
		want   decision.Reason
		does   decision.Outcome
	}{
		{"nothing stands in the way", ada(), mail(), nil, noon, decision.Allowed, decision.Send},
		{"the zero policy allows nothing", ada(), mail(service), func(p *decision.Policy) { *p = decision.Policy{} }, noon, decision.NoPolicy, decision.Never},
		{"no consent for the channel", ada(refuse), mail(), nil, noon, decision.NoConsent, decision.Never},
		{"nothing said is no consent", ada(func(p *profile.Profile) { p.Consents = nil }), mail(), nil, noon, decision.NoConsent, decision.Never},
		{"consent for another purpose", ada(), mail(func(in *journey.Intent) { in.Purpose = "track.email" }), nil, noon, decision.NoConsent, decision.Never},
		{"consent that has expired", ada(func(p *profile.Profile) {
			p.Consents = []profile.Consent{{Channel: "email", Purpose: "marketing", Granted: true, Expires: noon}}
		}), mail(), nil, noon, decision.NoConsent, decision.Never},
		{"consent that expires before it is wanted", ada(func(p *profile.Profile) {
			p.Consents = []profile.Consent{{Channel: "email", Purpose: "marketing", Granted: true, Expires: noon + 1}}
		}), mail(func(in *journey.Intent) { in.At = noon + 2 }), nil, noon, decision.NoConsent, decision.Never},
		{"marketing cannot call itself service", ada(refuse), mail(func(in *journey.Intent) { in.Purpose = decision.PurposeService }), nil, noon, decision.NoConsent, decision.Never},
		{"law before manners", ada(refuse), mail(), nil, night, decision.NoConsent, decision.Never},
		{"law before what they bought", ada(refuse, bought("lamp-red", "lamp", "Home", noon, 1)), mail(lamp), nil, noon, decision.NoConsent, decision.Never},
		{"a bounced address before consent", ada(refuse, ill(profile.Bounced)), mail(), nil, noon, decision.Bounced, decision.Never},
		{"a complaint", ada(ill(profile.Complained)), mail(), nil, noon, decision.Complained, decision.Never},
		{"a complaint about another address", ada(ill(profile.Complained), trait("email", event.Text("new@shop.example"))), mail(), nil, noon, decision.Complained, decision.Never},
		{"a complaint does not stop news of an order", ada(ill(profile.Complained)), mail(service), nil, noon, decision.Allowed, decision.Send},
		{"a bounce of an old address", ada(ill(profile.Bounced), trait("email", event.Text("new@shop.example"))), mail(), nil, noon, decision.Allowed, decision.Send},
		{"suppressed by the shop, services too", ada(trait("suppressed", event.Yes(true))), mail(service), nil, noon, decision.Suppressed, decision.Never},
		{"a profile that joined another", ada(func(p *profile.Profile) { p.Owner = identity.ID{1} }), mail(), nil, noon, decision.Merged, decision.Never},
		{"a robot", ada(func(p *profile.Profile) { p.InMonth = profile.HotAfter + 1 }), mail(), nil, noon, decision.Hot, decision.Never},
		{"no address", ada(trait("email", event.Value{})), mail(), nil, noon, decision.Unreachable, decision.Never},
		{"heard too late", ada(), mail(func(in *journey.Intent) { in.Late = true }), nil, noon, decision.Late, decision.Never},
		{"expired at the very instant", ada(), mail(func(in *journey.Intent) { in.Expires = noon }), nil, noon, decision.Expired, decision.Never},
		{"bought since it was wanted", ada(bought("lamp-red", "lamp", "Home", noon-1, 1)), mail(lamp, func(in *journey.Intent) { in.At = noon - 2 }), nil, noon, decision.Satisfied, decision.Never},
		{"bought in the category since it was wanted", ada(bought("x", "", "Home/Lamps", noon-1, 1)), mail(home, func(in *journey.Intent) { in.At = noon - 2 }), nil, noon, decision.Satisfied, decision.Never},
		{"bought just now", ada(bought("lamp-red", "lamp", "Home", noon-4000, 1)), mail(lamp), nil, noon, decision.JustBought, decision.Never},
		{"a service message that promotes it all the same", ada(bought("lamp-red", "lamp", "Home", noon-4000, 1)), mail(service, lamp), nil, noon, decision.JustBought, decision.Never},
		{"a variant that was itself bought before", ada(bought("lamp-blue", "lamp", "Home", noon-4000, 1), bought("lamp-red", "lamp", "Home", noon.Add(-400*day), 1)), mail(lamp), nil, noon, decision.JustBought, decision.Never},
		{"a variant that the intent names", ada(bought("lamp-blue", "lamp", "Home", noon-4000, 1)), mail(lamp, props(new(event.Builder).Set("product_id", event.Text("lamp")))), nil, noon, decision.JustBought, decision.Never},
		{"a product of which they have a variant", ada(bought("lamp-blue", "lamp", "Home", noon-4000, 1)), mail(func(in *journey.Intent) { in.Product = "lamp" }), nil, noon, decision.JustBought, decision.Never},
		{"bought and returned", ada(bought("lamp-red", "lamp", "Home", noon-4000, 0)), mail(lamp), nil, noon, decision.Allowed, decision.Send},
		{"bought 90 days ago to the millisecond", ada(bought("lamp-red", "lamp", "Home", noon.Add(-90*day), 1)), mail(lamp), nil, noon, decision.Allowed, decision.Send},
		{"bought a millisecond later", ada(bought("lamp-red", "lamp", "Home", noon.Add(-90*day)+1, 1)), mail(lamp), nil, noon, decision.JustBought, decision.Never},
		{"a category with its own period", ada(bought("lamp-red", "lamp", "Home/Lamps", noon.Add(-20*day), 1)), mail(lamp), func(p *decision.Policy) {
			p.OwnedIn = []decision.Owned{{Category: "Home/Lamps", For: 10 * day}, {Category: "Home", For: 300 * day}}
		}, noon, decision.Allowed, decision.Send},
		{"a substitute, not declared", ada(bought("other", "", "Home", noon-4000, 1)), mail(lamp, home), nil, noon, decision.Allowed, decision.Send},
		{"a substitute, declared", ada(bought("other", "", "Home", noon-4000, 1)), mail(lamp, home), func(p *decision.Policy) { p.Substitutes = decision.SameCategory }, noon, decision.JustBought, decision.Never},
		{"a sister category is no substitute", ada(bought("other", "", "Homes", noon-4000, 1)), mail(lamp, home), func(p *decision.Policy) { p.Substitutes = decision.SameCategory }, noon, decision.Allowed, decision.Send},
		{"coffee that is due", ada(bought("lamp-red", "", "", noon.Add(-30*day), 1)), mail(lamp, props(new(event.Builder).Set("replenish", event.Yes(true)).Set("interval", event.Text("30d")))), nil, noon, decision.Allowed, decision.Send},
		{"coffee that is not due", ada(bought("lamp-red", "", "", noon.Add(-29*day), 1)), mail(lamp, props(new(event.Builder).Set("replenish", event.Yes(true)).Set("interval", event.Text("30d")))), nil, noon, decision.JustBought, decision.Never},
		{"coffee with no known rhythm", ada(bought("lamp-red", "", "", noon.Add(-29*day), 1)), mail(lamp, props(new(event.Builder).Set("replenish", event.Yes(true)))), nil, noon, decision.JustBought, decision.Never},
		{"coffee by the customer's own rhythm", ada(func(p *profile.Profile) {
			p.Bought = []profile.Bought{{SKU: "lamp-red", First: noon.Add(-40 * day), Last: noon.Add(-20 * day), Count: 3}}
		}), mail(lamp, props(new(event.Builder).Set("replenish", event.Yes(true)))), nil, noon, decision.Allowed, decision.Send},
		{"an open complaint waits", ada(trait("complaint_open", event.Yes(true))), mail(), nil, noon, decision.ComplaintOpen, decision.Later},
		{"a late order drops if the policy says so", ada(trait("order_late", event.Text("o-17"))), mail(), func(p *decision.Policy) { p.AtConversation = decision.Drop }, noon, decision.OrderLate, decision.Never},
		{"news of the late order goes out", ada(trait("order_late", event.Yes(true))), mail(service), nil, noon, decision.Allowed, decision.Send},
		{"a complaint that is closed", ada(trait("complaint_open", event.Yes(false))), mail(), nil, noon, decision.Allowed, decision.Send},
		{"the journey's holdout", ada(), mail(func(in *journey.Intent) { in.Withheld = true }), nil, noon, decision.Held, decision.Never},
		{"never at service", ada(), mail(service, func(in *journey.Intent) { in.Withheld = true }), nil, noon, decision.Allowed, decision.Send},
		{"the cap", ada(contacted("sms", noon.Add(-6*day), noon.Add(-5*day), noon.Add(-4*day))), mail(), nil, noon, decision.OverCap, decision.Later},
		{"the cap of another channel", ada(contacted("sms", noon.Add(-day))), mail(), func(p *decision.Policy) { p.Caps = []decision.Cap{{"sms", 7 * day, 1}} }, noon, decision.Allowed, decision.Send},
		{"the cap drops if the policy says so", ada(contacted("sms", noon.Add(-6*day), noon.Add(-5*day), noon.Add(-4*day))), mail(), func(p *decision.Policy) { p.AtCap = decision.Drop }, noon, decision.OverCap, decision.Never},
		{"a cap of none", ada(), mail(), func(p *decision.Policy) { p.Caps = []decision.Cap{{"email", day, 0}} }, noon, decision.OverCap, decision.Never},
		{"a contact leaves the window at its end", ada(contacted("sms", noon.Add(-7*day), noon.Add(-5*day), noon.Add(-4*day))), mail(), nil, noon, decision.Allowed, decision.Send},
		{"the gap", ada(contacted("sms", noon.Add(-3*time.Hour))), mail(), nil, noon, decision.TooSoon, decision.Later},
		{"the cap would outlast the message", ada(contacted("sms", noon.Add(-day), noon.Add(-day), noon.Add(-day))), mail(func(in *journey.Intent) { in.Expires = noon.Add(day) }), nil, noon, decision.OverCap, decision.Never},
		{"further than may be deferred", ada(contacted("sms", noon.Add(-day), noon.Add(-day), noon.Add(-day))), mail(), func(p *decision.Policy) { p.MaxDeferral = 5 * day }, noon, decision.OverCap, decision.Never},
		{"quiet hours", ada(), mail(), nil, night, decision.QuietHours, decision.Later},
		{"quiet hours of the customer's zone", ada(func(p *profile.Profile) { p.Zone = "Asia/Tokyo" }), mail(), nil, noon, decision.QuietHours, decision.Later},
		{"an old name of the zone agrees with the country", ada(func(p *profile.Profile) { p.Zone = "US/Pacific" }, trait("country", event.Text("US"))), mail(), nil, noon.Add(4 * time.Hour), decision.Allowed, decision.Send},
		{"zone and country disagree", ada(func(p *profile.Profile) { p.Zone = "Europe/London" }, trait("country", event.Text("Japan"))), mail(), nil, noon, decision.QuietHours, decision.Later},
		{"no zone, but a country", ada(trait("country", event.Text("Japan"))), mail(), nil, noon, decision.QuietHours, decision.Later},
		{"service in the night, over the cap", ada(contacted("email", night-3, night-2, night-1)), mail(service), nil, night, decision.Allowed, decision.Send},
		{"service over a refusal of service", ada(func(p *profile.Profile) {
			p.Consents = append(p.Consents, profile.Consent{Channel: "email", Purpose: "service"})
		}), mail(service), nil, noon, decision.NoConsent, decision.Never},
		{"service needs no consent", ada(func(p *profile.Profile) { p.Consents = nil }), mail(service), nil, noon, decision.Allowed, decision.Send},
		{"on the site in the night", ada(func(p *profile.Profile) { p.Consents = nil }), mail(func(in *journey.Intent) { in.Channel = "onsite" }), nil, night, decision.Allowed, decision.Send},
		{"never what they bought, on the site too", ada(bought("lamp-red", "lamp", "Home", noon-4000, 1)), mail(lamp, func(in *journey.Intent) { in.Channel = "onsite" }), nil, noon, decision.JustBought, decision.Never},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := gate()
			if c.policy != nil {
				g = gate(c.policy)
			}
			_, r := g.Plan(c.p, c.in, c.now)
			if r.Reason != c.want || r.Outcome != c.does {
				t.Fatalf("Plan = %s, %s, want %s, %s", r.Outcome, r.Reason, c.does, c.want)
			}
		})
	}
}

func TestAZeroGateAllowsNothing(t *testing.T) {
	t.Parallel()
	var g decision.Gate
	if _, r := g.Plan(ada(), mail(service), noon); r.Outcome != decision.Never || r.Reason != decision.NoPolicy {
		t.Fatalf("a zero Gate = %s, %s", r.Outcome, r.Reason)
	}
}

func TestALegalWindowHoldsWithoutQuietHours(t *testing.T) {
	t.Parallel()
	g := gate(func(p *decision.Policy) { p.Quiet = nil })
	text := func(in *journey.Intent) { in.Channel = "sms" }
	p := ada(func(p *profile.Profile) { p.Zone = "America/Chicago" }, trait("country", event.Text("US")), trait("state", event.Text("tx")))
	for _, c := range []struct {
		name string
		at   time.Time // in Chicago: UTC − 6
		want decision.Reason
	}{
		{"on Tuesday at 08:59", time.Date(2026, 1, 13, 14, 59, 59, 0, time.UTC), decision.QuietHours},
		{"on Tuesday at 09:00", time.Date(2026, 1, 13, 15, 0, 0, 0, time.UTC), decision.Allowed},
		{"on Tuesday at 21:00", time.Date(2026, 1, 14, 3, 0, 0, 0, time.UTC), decision.QuietHours},
		{"on Sunday at 11:59", time.Date(2026, 1, 11, 17, 59, 0, 0, time.UTC), decision.QuietHours},
		{"on Sunday at 12:00", time.Date(2026, 1, 11, 18, 0, 0, 0, time.UTC), decision.Allowed},
	} {
		if _, r := g.Plan(p, mail(text), event.At(c.at)); r.Reason != c.want {
			t.Errorf("%s: %s, want %s", c.name, r.Reason, c.want)
		}
	}
	if _, r := g.Plan(p, mail(), event.At(time.Date(2026, 1, 13, 9, 0, 0, 0, time.UTC))); r.Reason != decision.Allowed {
		t.Errorf("an e-mail at 03:00 without quiet hours: %s, want allowed", r.Reason)
	}
}

func TestQuietHoursOnTheDaysOfDaylightSaving(t *testing.T) {
	t.Parallel()
	paris := func(p *profile.Profile) { p.Zone = "Europe/Paris" }
	early := gate(func(p *decision.Policy) { p.Quiet = []decision.Quiet{{From: 60, To: 150}} }) // 01:00 to 02:30
	for _, c := range []struct {
		name      string
		now, want time.Time
	}{
		// On 29 March 2026 clocks go from 02:00 to 03:00: 02:30 does not exist.
		{"the gap ends the quiet", time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC), time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)},
		// On 25 October 2026 clocks go from 03:00 back to 02:00: 02:15 comes twice.
		{"the first 02:15", time.Date(2026, 10, 25, 0, 15, 0, 0, time.UTC), time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)},
		{"the second 02:15", time.Date(2026, 10, 25, 1, 15, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC)},
	} {
		d, r := early.Plan(ada(paris), mail(), event.At(c.now))
		if r.Reason != decision.QuietHours || d.NotBefore != event.At(c.want) {
			t.Errorf("%s: %s until %s, want quiet_hours until %s", c.name, r.Reason, d.NotBefore, event.At(c.want))
		}
	}
}

func TestZonesThatShareNoHourStopTheMessage(t *testing.T) {
	t.Parallel()
	g := gate(func(p *decision.Policy) { p.Quiet = []decision.Quiet{{From: 18 * 60, To: 10 * 60}} })
	_, r := g.Plan(ada(trait("country", event.Text("RU"))), mail(), noon) // eleven zones from UTC+2 to UTC+12
	if r.Outcome != decision.Never || r.Reason != decision.QuietHours {
		t.Fatalf("Plan = %s, %s, want never, quiet_hours", r.Outcome, r.Reason)
	}
}

// TestTheFirstRuleThatFailsIsTheReason breaks every two rules at once.
func TestTheFirstRuleThatFailsIsTheReason(t *testing.T) {
	t.Parallel()
	night := event.At(time.Date(2026, 1, 13, 23, 0, 0, 0, time.UTC))
	breaks := []struct {
		want decision.Reason
		p    func(*profile.Profile)
		in   func(*journey.Intent)
	}{
		{want: decision.Suppressed, p: trait("suppressed", event.Yes(true))},
		{want: decision.NoConsent, p: func(p *profile.Profile) { p.Consents = nil }},
		{want: decision.Unreachable, p: trait("email", event.Value{})},
		{want: decision.Expired, in: func(in *journey.Intent) { in.Expires = noon }},
		{want: decision.JustBought, p: bought("lamp-red", "", "", noon.Add(-day), 1), in: func(in *journey.Intent) { in.Product = "lamp-red" }},
		{want: decision.ComplaintOpen, p: trait("complaint_open", event.Yes(true))},
		{want: decision.Held, in: func(in *journey.Intent) { in.Withheld = true }},
		{want: decision.OverCap, p: contacted("email", noon.Add(-3*day), noon.Add(-2*day), noon.Add(-day))},
		{want: decision.QuietHours}, // it is night
	}
	for i := range breaks {
		for j := i; j < len(breaks); j++ {
			p, in := ada(), mail()
			for _, b := range []int{i, j} {
				if breaks[b].p != nil {
					breaks[b].p(p)
				}
				if breaks[b].in != nil {
					breaks[b].in(&in)
				}
				if i == j {
					break
				}
			}
			_, r := gate().Plan(p, in, night)
			if r.Reason != breaks[i].want || r.Rule != decision.Rule(i+1) {
				t.Errorf("%s and %s: rule %d, %s", breaks[i].want, breaks[j].want, r.Rule, r.Reason)
			}
		}
	}
}

func TestADeferredMessageIsNotDeferredAgainAtOnce(t *testing.T) {
	t.Parallel()
	// The gap frees the message at 22:30, in the night.
	now := event.At(time.Date(2026, 1, 13, 20, 0, 0, 0, time.UTC))
	d, r := gate().Plan(ada(contacted("sms", now.Add(-90*time.Minute))), mail(), now)
	if want := now.Add(12 * time.Hour); r.Reason != decision.TooSoon || d.NotBefore != want {
		t.Fatalf("%s until %s, want gap until %s", r.Reason, d.NotBefore, want)
	}
}

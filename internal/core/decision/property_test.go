package decision_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

var (
	channels   = rapid.SampledFrom([]string{"email", "sms", "onsite", "push"})
	zoneNames  = rapid.SampledFrom([]string{"", "Europe/London", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia", "Nowhere/Such"})
	lands      = rapid.SampledFrom([]string{"", "GB", "US", "Japan", "EIRE", "Atlantis"})
	skus       = rapid.SampledFrom([]string{"", "lamp-red", "lamp-blue", "lamp", "rug"})
	categories = rapid.SampledFrom([]string{"", "Home", "Home/Lamps", "Homes"})
	// instants lie around both changes of daylight saving, at any millisecond.
	instants = rapid.Custom(func(t *rapid.T) event.Time {
		return noon.Add(time.Duration(rapid.IntRange(0, 320*24*3600*1000).Draw(t, "ms")) * time.Millisecond)
	})
)

func anyPolicy(t *rapid.T) decision.Policy {
	p := policy()
	p.Zone = rapid.SampledFrom([]string{"Europe/London", "America/New_York", "Asia/Tokyo"}).Draw(t, "shop")
	p.Caps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) decision.Cap {
		return decision.Cap{
			Channel: rapid.SampledFrom([]string{"", "email", "sms"}).Draw(t, "channel"),
			Per:     time.Duration(rapid.IntRange(1, 96).Draw(t, "per")) * time.Hour, Most: rapid.IntRange(0, 4).Draw(t, "most"),
		}
	}), 0, 3).Draw(t, "caps")
	p.Gap = time.Duration(rapid.IntRange(0, 6).Draw(t, "gap")) * time.Hour
	p.Quiet = []decision.Quiet{{From: rapid.IntRange(0, 1440).Draw(t, "from"), To: rapid.IntRange(0, 1440).Draw(t, "to")}}
	if p.Quiet[0].From == p.Quiet[0].To {
		p.Quiet = nil
	}
	p.AtCap = decision.Then(rapid.IntRange(0, 1).Draw(t, "at cap"))
	p.AtQuiet = decision.Then(rapid.IntRange(0, 1).Draw(t, "at quiet"))
	p.OwnedFor = time.Duration(rapid.IntRange(0, 100).Draw(t, "owned")) * day
	p.Substitutes = decision.Substitutes(rapid.IntRange(0, 1).Draw(t, "substitutes"))
	p.Holdout = float64(rapid.IntRange(0, 5).Draw(t, "holdout")) / 10
	return p
}

func anyProfile(t *rapid.T, now event.Time) *profile.Profile {
	p := profile.New(identity.ID{byte(rapid.IntRange(0, 255).Draw(t, "id"))})
	for _, c := range []string{"email", "sms"} {
		if rapid.IntRange(0, 4).Draw(t, "said") > 0 {
			p.Consents = append(p.Consents, profile.Consent{
				Channel: c, Purpose: "marketing", Granted: rapid.IntRange(0, 4).Draw(t, "granted") > 0, At: now.Add(-day), Proof: "p",
				Expires: rapid.SampledFrom([]event.Time{0, 0, now, now + 1}).Draw(t, "ends"),
			})
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "has mail") > 0 {
		trait("email", event.Text("e@shop.example"))(p)
	}
	trait("phone", event.Text("+447700900123"))(p)
	trait("country", event.Text(lands.Draw(t, "country")))(p)
	trait("order_late", event.Yes(rapid.IntRange(0, 5).Draw(t, "late") == 0))(p)
	p.Zone = zoneNames.Draw(t, "zone")
	for range rapid.IntRange(0, 3).Draw(t, "purchases") {
		sku := skus.Draw(t, "sku")
		at := now.Add(-time.Duration(rapid.IntRange(-3600, 120*24*3600).Draw(t, "ago")) * time.Second)
		bought(sku, rapid.SampledFrom([]string{"", "lamp"}).Draw(t, "product"), categories.Draw(t, "in"), at, int32(rapid.IntRange(0, 3).Draw(t, "count")))(p)
	}
	for range rapid.IntRange(0, 5).Draw(t, "contacts") {
		contacted(channels.Draw(t, "via"), now.Add(-time.Duration(rapid.IntRange(0, 96*3600).Draw(t, "before"))*time.Second))(p)
	}
	slices.SortFunc(p.Contacts, func(a, b profile.Contact) int { return int(a.At - b.At) })
	return p
}

func anyIntent(t *rapid.T, now event.Time) journey.Intent {
	in := mail(func(in *journey.Intent) {
		in.Channel = channels.Draw(t, "channel")
		in.Class = rapid.SampledFrom([]profile.Class{profile.Marketing, profile.Marketing, profile.Service}).Draw(t, "class")
		in.Purpose = rapid.SampledFrom([]string{"", "marketing", "service"}).Draw(t, "purpose")
		in.Product, in.Category = skus.Draw(t, "promotes"), categories.Draw(t, "promotes in")
		in.At = rapid.SampledFrom([]event.Time{0, now, now.Add(-time.Hour), now.Add(5 * time.Hour)}).Draw(t, "at")
		in.Expires = rapid.SampledFrom([]event.Time{0, event.Never, now, now.Add(12 * time.Hour)}).Draw(t, "expires")
		in.Withheld = rapid.IntRange(0, 5).Draw(t, "withheld") == 0
		in.Late = rapid.IntRange(0, 9).Draw(t, "late") == 0
		if rapid.Bool().Draw(t, "replenish") {
			in.Props = new(event.Builder).Set("replenish", event.Yes(true)).Set("interval", event.Text("20d")).Object()
		}
	})
	return in
}

// TestNoRuleIsEverBroken plans and claims random intents for random customers
// and looks at what is let through with other eyes than the gate's.
func TestNoRuleIsEverBroken(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pol := anyPolicy(t)
		g := decision.New("shop", pol, zones())
		now := instants.Draw(t, "now")
		p := anyProfile(t, now)
		in := anyIntent(t, now)
		before := p.Append(nil)
		d, r := g.Plan(p, in, now)
		if !bytes.Equal(before, p.Append(nil)) {
			t.Fatal("Plan changed the profile")
		}
		recheck(t, g, p, r)
		if (d.State == profile.Planned) != (r.Outcome != decision.Never) {
			t.Fatalf("a delivery is %s after %s", d.State, r.Outcome)
		}
		if d.State != profile.Planned {
			return
		}
		if r.Outcome == decision.Later && (d.NotBefore <= now || d.NotBefore >= d.Expires) {
			t.Fatalf("deferred to %s, now %s, expires %s", d.NotBefore, now, d.Expires)
		}
		p.Open = []profile.Delivery{d}
		now = d.NotBefore
		c := g.Claim(p, &d, now)
		recheck(t, g, p, c)
		if d.State != profile.Claimed {
			// Nothing but chance or a new purchase may say otherwise than was foreseen.
			if c.Reason == decision.QuietHours || c.Reason == decision.OverCap || c.Reason == decision.TooSoon {
				t.Fatalf("deferred to %s and held again: %s", now, c.Sentence(p, now))
			}
			return
		}
		harmless(t, pol, p, &d, &c, now)
	})
}

// harmless fails if a claimed message breaks a rule.
func harmless(t *rapid.T, pol decision.Policy, p *profile.Profile, d *profile.Delivery, r *decision.Record, now event.Time) {
	marketing := d.Class == profile.Marketing
	seeks := d.Channel != "onsite"
	consent, said := p.Consent(d.Channel, d.Purpose)
	switch {
	case said && !consent.Granted:
		t.Fatal("sent against a refusal")
	case marketing && seeks && !p.Allows(d.Channel, d.Purpose, now):
		t.Fatal("sent without consent")
	case marketing && seeks && r.Consent == nil:
		t.Fatal("no record of what allowed it")
	case seeks && p.Address(d.Channel) == "":
		t.Fatal("sent to nobody")
	}
	for _, b := range p.Bought {
		same := d.Product != "" && (b.SKU == d.Product || b.Product == d.Product)
		if same && b.Count > 0 && now.Sub(b.Last) < pol.OwnedFor && now.Sub(b.Last) < 20*day {
			t.Fatalf("sent what they bought %s before", now.Sub(b.Last))
		}
	}
	if !marketing || !seeks {
		return
	}
	for _, c := range pol.Caps {
		if c.Channel != "" && c.Channel != d.Channel {
			continue
		}
		n := 1
		for _, k := range p.Contacts {
			if k.At > now.Add(-c.Per) && (c.Channel == "" || k.Channel == c.Channel) {
				n++
			}
		}
		if n > c.Most {
			t.Fatalf("message %d of %d in %s", n, c.Most, c.Per)
		}
	}
	zone := p.Zone
	if loc, err := time.LoadLocation(zone); zone != "" && err == nil {
		local := now.In(loc)
		m := local.Hour()*60 + local.Minute()
		for _, q := range pol.Quiet {
			if q.From < q.To && m >= q.From && m < q.To || q.From > q.To && (m >= q.From || m < q.To) {
				t.Fatalf("sent at %s in quiet hours", local)
			}
		}
	}
}

// recheck fails unless the record, decided again and read back, is the same.
func recheck(t *rapid.T, g *decision.Gate, p *profile.Profile, r decision.Record) {
	if again := g.Recheck(p, &r); !cmp.Equal(r, again) {
		t.Fatalf("decided again, it differs: %s", cmp.Diff(r, again))
	}
	read, err := decision.Decode(string(r.Append(nil)))
	if err != nil || !cmp.Equal(r, read) {
		t.Fatalf("read back, it differs: %v %s", err, cmp.Diff(r, read))
	}
	if r.Reason == "" || r.Sentence(p, r.Now) == "" {
		t.Fatal("a decision without a reason")
	}
}

// TestCapsHoldInEveryRollingWindow lets a year of intents through, sends what is
// claimed, and counts every window afterwards.
func TestCapsHoldInEveryRollingWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pol := anyPolicy(t)
		pol.Holdout, pol.AtQuiet, pol.AtCap = 0, decision.Defer, decision.Defer
		g := decision.New("shop", pol, zones())
		p := ada(func(p *profile.Profile) { p.Zone = zoneNames.Draw(t, "zone") })
		now := noon
		var sent []profile.Contact
		for i := range 60 {
			now = now.Add(time.Duration(rapid.IntRange(0, 9*60).Draw(t, "minutes")) * time.Minute)
			d, _ := g.Plan(p, mail(func(in *journey.Intent) {
				in.Arrival = int32(i)
				in.Channel = rapid.SampledFrom([]string{"email", "sms"}).Draw(t, "channel")
			}), now)
			if d.State == profile.Planned {
				p.Open = append(slices.Clone(p.Open), d)
			}
			var left []profile.Delivery
			for j := range p.Open {
				d := p.Open[j]
				if d.State == profile.Planned && d.NotBefore <= now {
					g.Claim(p, &d, now)
					open := slices.Clone(p.Open)
					open[j] = d
					p.Open = open
				}
				switch {
				case d.State == profile.Claimed && rapid.Bool().Draw(t, "accepted"):
					g.Sent(p, &d, now)
					sent = append(sent, profile.Contact{At: now, Channel: d.Channel})
				case d.State.Open():
					left = append(left, d)
				}
			}
			p.Open = left
		}
		for _, c := range pol.Caps {
			for i, last := range sent {
				n := 0
				for _, s := range sent[:i+1] {
					if s.At > last.At.Add(-c.Per) && (c.Channel == "" || c.Channel == s.Channel) {
						n++
					}
				}
				if n > c.Most && (c.Channel == "" || c.Channel == last.Channel) {
					t.Fatalf("%d messages in %s, the limit is %d", n, c.Per, c.Most)
				}
			}
		}
	})
}

func TestTheGlobalHoldoutIsItsShareAndSurvivesAMerge(t *testing.T) {
	t.Parallel()
	g := gate(func(p *decision.Policy) { p.Holdout = 0.2 })
	held := 0
	const people = 5000
	for i := range people {
		id := identity.Key{}.Home(identity.Identifier{Kind: identity.User, Value: string(rune(i + 0x100))})
		p := ada(func(p *profile.Profile) { p.ID = id })
		d, r := g.Plan(p, mail(), noon)
		if d.State == profile.Withheld {
			held++
		}
		if r.Chance != 0.8 {
			t.Fatalf("chance = %v, want 0.8", r.Chance)
		}
		other := id
		other[0] ^= 0xff
		merged := ada(func(p *profile.Profile) { p.ID, p.Strands = other, []identity.ID{other, id} })
		m, _ := g.Plan(merged, mail(), noon)
		if id.Compare(other) < 0 && m.State != d.State {
			t.Fatal("a merge changed the assignment of the strand that keeps it")
		}
		if s, _ := g.Plan(p, mail(service), noon); s.State != profile.Planned {
			t.Fatal("a service message was withheld")
		}
	}
	if share := float64(held) / people; share < 0.18 || share > 0.22 {
		t.Fatalf("held out %v, want about 0.2", share)
	}
}

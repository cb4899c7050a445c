package decision_test

import (
	"sync"
	"testing"
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

const day = 24 * time.Hour

// noon is a Tuesday in winter: London keeps UTC.
var noon = event.At(time.Date(2026, 1, 13, 12, 0, 0, 0, time.UTC))

var zones = sync.OnceValue(func() *decision.Zones {
	z, err := decision.LoadZones(time.LoadLocation)
	if err != nil {
		panic(err)
	}
	return z
})

// policy is the default one of a shop in London: three a week, quiet at night.
func policy() decision.Policy {
	p := decision.Defaults()
	p.Zone = "Europe/London"
	return p
}

func gate(change ...func(*decision.Policy)) *decision.Gate {
	p := policy()
	for _, c := range change {
		c(&p)
	}
	return decision.New("shop", p, zones())
}

// ada has agreed to mail and text messages and can be reached by both.
func ada(change ...func(*profile.Profile)) *profile.Profile {
	p := profile.New(identity.ID{0xad, 0xa})
	p.Consents = []profile.Consent{
		{Channel: "email", Purpose: "marketing", Granted: true, At: noon.Add(-100 * day), Proof: "ev-7", Evidence: "checkout box", Wording: "v3"},
		{Channel: "sms", Purpose: "marketing", Granted: true, At: noon.Add(-90 * day), Proof: "ev-9"},
	}
	trait("email", event.Text("ada@shop.example"))(p)
	trait("phone", event.Text("+447700900123"))(p)
	for _, c := range change {
		c(p)
	}
	return p
}

// trait sets a trait, keeping the order by name.
func trait(name string, v event.Value) func(*profile.Profile) {
	return func(p *profile.Profile) {
		for i := range p.Traits {
			if p.Traits[i].Name == name {
				p.Traits[i].Value = v
				return
			}
			if p.Traits[i].Name > name {
				p.Traits = append(p.Traits[:i:i], append([]profile.Trait{{Name: name, Value: v}}, p.Traits[i:]...)...)
				return
			}
		}
		p.Traits = append(p.Traits, profile.Trait{Name: name, Value: v})
	}
}

func bought(sku, product, category string, at event.Time, count int32) func(*profile.Profile) {
	return func(p *profile.Profile) {
		p.Bought = append(p.Bought, profile.Bought{SKU: sku, Product: product, Category: category, Name: "Lamp", First: at, Last: at, Count: count, Where: "till"})
	}
}

func contacted(channel string, at ...event.Time) func(*profile.Profile) {
	return func(p *profile.Profile) {
		for _, t := range at {
			p.Contacts = append(p.Contacts, profile.Contact{At: t, Channel: channel, ID: profile.DeliveryID{byte(len(p.Contacts) + 1), 0xcc}})
		}
	}
}

func mail(change ...func(*journey.Intent)) journey.Intent {
	in := journey.Intent{Journey: "welcome", Version: 1, Step: "hello", Key: "k", Template: "t", Channel: "email", Purpose: "marketing", Reason: "You asked for it.", Expires: event.Never}
	for _, c := range change {
		c(&in)
	}
	return in
}

func service(in *journey.Intent) { in.Class, in.Purpose = profile.Service, decision.PurposeService }

// planned plans and fails unless the delivery is Planned.
func planned(t *testing.T, g *decision.Gate, p *profile.Profile, in journey.Intent, now event.Time) profile.Delivery {
	t.Helper()
	d, r := g.Plan(p, in, now)
	if d.State != profile.Planned {
		t.Fatalf("Plan = %s because of %s, want planned", d.State, r.Reason)
	}
	return d
}

// text, number and node build a definition as a reader of YAML would.
func text(s string) spec.Node   { return spec.Node{Kind: spec.Text, Text: s} }
func number(s string) spec.Node { return spec.Node{Kind: spec.Number, Text: s} }
func list(ns ...spec.Node) spec.Node {
	return spec.Node{Kind: spec.List, Items: ns}
}

// node takes key, value, key, value …
func node(kv ...any) spec.Node {
	n := spec.Node{Kind: spec.Map}
	for i := 0; i < len(kv); i += 2 {
		n.Fields = append(n.Fields, spec.Field{Key: kv[i].(string), Value: kv[i+1].(spec.Node)})
	}
	return n
}

package decision_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
)

func TestSentence(t *testing.T) {
	t.Parallel()
	she, he := trait("gender", event.Text("F")), trait("pronouns", event.Text("he/him"))
	lamp := func(in *journey.Intent) { in.Product = "lamp-red" }
	for _, c := range []struct {
		name string
		p    *profile.Profile
		in   journey.Intent
		now  event.Time
		want string
	}{
		{"what she bought", ada(she, bought("lamp-red", "", "", noon.Add(-4*time.Second), 1)), mail(lamp), noon, "She bought Lamp 4 s ago in the shop."},
		{"the cap", ada(he, contacted("email", noon.Add(-3*day), noon.Add(-2*day), noon.Add(-day))), mail(), noon, "He has had 3 messages in the last 7 days; the limit is 3. It waits 4 days."},
		{"without pronouns", ada(contacted("email", noon.Add(-time.Hour))), mail(), noon, "They had a message 1 hour ago; between two there are at least 4 hours. It waits 3 hours."},
		{"no consent", ada(func(p *profile.Profile) { p.Consents = nil }), mail(), noon, "They have not agreed to marketing by e-mail."},
		{"consent withdrawn", ada(she, func(p *profile.Profile) {
			p.Consents = []profile.Consent{{Channel: "email", Purpose: "marketing", At: noon, Evidence: "one-click unsubscribe"}}
		}), mail(), noon, "She said no to marketing by e-mail on 13 January 2026 (one-click unsubscribe)."},
		{"quiet hours", ada(func(p *profile.Profile) { p.Zone = "Asia/Tokyo" }), mail(), noon.Add(90 * time.Minute), "It is 22:30 where they may be (Asia/Tokyo); messages go out from 08:00. It waits 9 hours."},
		{"the law", ada(func(p *profile.Profile) { p.Zone = "America/New_York" }, trait("country", event.Text("US"))), mail(func(in *journey.Intent) { in.Channel = "sms" }), noon, "It is 07:00 where they may be (America/New_York); messages go out from 08:00. It waits 1 hour."},
		{"a holdout", ada(she), mail(func(in *journey.Intent) { in.Withheld = true }), noon, "She is among those who get no such message, so that we see what messages bring."},
		{"sent", ada(she), mail(), noon, "She agreed to marketing by e-mail on 5 October 2025 (checkout box). It is number 1 of 3 in 7 days."},
		{"too late", ada(), mail(func(in *journey.Intent) { in.Expires = noon.Add(-2 * time.Hour) }), noon, "It is 2 hours too late to be of use."},
		{"no address", ada(trait("email", event.Value{})), mail(), noon, "We have no e-mail address of them."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, r := gate().Plan(c.p, c.in, c.now)
			if got := r.Sentence(c.p, c.now); got != c.want {
				t.Errorf("Sentence = %q\nwant       %q", got, c.want)
			}
			if got := r.Sentence(c.p, c.now.Add(3*day)); !strings.HasSuffix(got, " That was decided 3 days ago.") {
				t.Errorf("three days later: %q", got)
			}
		})
	}
}

func TestRecordHasNoAddressAndTellsWhatWasSeen(t *testing.T) {
	t.Parallel()
	p := ada(contacted("email", noon.Add(-3*day)))
	_, r := gate().Plan(p, mail(), noon)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"ada@shop.example", "447700900123", hex.EncodeToString([]byte("ada@shop.example"))} {
		if strings.Contains(string(b), secret) || strings.Contains(string(r.Append(nil)), secret) {
			t.Errorf("the record holds %q", secret)
		}
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got["outcome"] != "send" || got["reason"] != "allowed" || got["stage"] != "plan" || got["chance"] != 1.0 || got["class"] != "marketing" {
		t.Errorf("as JSON: %s", b)
	}
	if got["consent"].(map[string]any)["proof"] != "ev-7" {
		t.Errorf("the entry that allowed it is not told: %s", b)
	}
	rules := map[decision.Rule]bool{}
	for _, c := range r.Checks {
		rules[c.Rule] = true
		if c.Name == decision.CheckCap && (c.Got != 1 || c.Limit != 3 || c.Span != 7*day) {
			t.Errorf("the cap's values are %+v", c)
		}
	}
	for rule := decision.RuleAddress; rule <= decision.RuleQuiet; rule++ {
		if !rules[rule] {
			t.Errorf("nothing is told of rule %d", rule)
		}
	}
}

func TestPropensityIsKept(t *testing.T) {
	t.Parallel()
	in := mail(func(in *journey.Intent) { in.Props = new(event.Builder).Set("propensity", event.Num(0.45)).Object() })
	if _, r := gate(func(p *decision.Policy) { p.Holdout = 0.5 }).Plan(ada(), in, noon); r.Chance != 0.225 {
		t.Errorf("chance = %v, want half of .45", r.Chance)
	}
}

// TestGoldenRecord keeps the encoding: what the ledger holds must stay readable.
func TestGoldenRecord(t *testing.T) {
	t.Parallel()
	r := decision.Record{
		Ask: decision.Ask{
			Stage: decision.AtClaim, Delivery: profile.DeliveryID{1}, State: profile.Planned, Journey: "j", Version: 2, Step: "s", Channel: "email",
			Purpose: "marketing", Product: "lamp", Replenish: true, Interval: time.Second, At: 3, Planned: 2, Expires: 9, Propensity: 1,
		},
		Person: identity.ID{5}, Now: 3, Outcome: decision.Later, Rule: decision.RuleAttention, Reason: decision.OverCap, Until: 7, Chance: 0.5,
		Consent: &decision.Basis{Granted: true, At: 1, Proof: "p", Evidence: "e", Wording: "w"},
		Checks:  []decision.Check{{Rule: decision.RuleAttention, Name: "cap", Got: 3, Limit: 3, Span: time.Minute, At: 1, Text: "x", Other: "y"}},
		Against: []profile.DeliveryID{{6}},
	}
	const golden = "010201000108090100000000000000000000000000000005000000000000000000000000000000016a0173000005656d61696c096d61726b6574696e6700046c616d700000036361700200000000000000d00f06000604120e000000000000f03f000000000000e03f0102017001650177000110036361700606c0a90702017801790106000000000000000000000000000000"
	if got := hex.EncodeToString(r.Append(nil)); got != golden {
		t.Errorf("the encoding is %s, want %s: if it must change, raise recordVersion and keep reading the old one", got, golden)
	}
	if read, err := decision.Decode(string(r.Append(nil))); err != nil || !cmp.Equal(read, r) {
		t.Errorf("read back: %v %s", err, cmp.Diff(r, read))
	}
}

func FuzzDecode(f *testing.F) {
	_, r := gate().Plan(ada(), mail(), noon)
	f.Add(string(r.Append(nil)))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := decision.Decode(s)
		if err != nil {
			if !fault.Is(err, fault.Corrupt) {
				t.Fatalf("the error is %v, want Corrupt", err)
			}
			return
		}
		again, err := decision.Decode(string(r.Append(nil)))
		if err != nil || string(again.Append(nil)) != string(r.Append(nil)) {
			t.Fatalf("read again, it differs: %v", err)
		}
	})
}

func TestDecodeRefusesEveryCut(t *testing.T) {
	t.Parallel()
	_, r := gate().Plan(ada(), mail(), noon)
	whole := string(r.Append(nil))
	for i := range whole {
		if _, err := decision.Decode(whole[:i]); err == nil {
			t.Fatalf("the first %d of %d bytes were read", i, len(whole))
		}
	}
	if _, err := decision.Decode(whole + "x"); err == nil {
		t.Fatal("a byte too many was read")
	}
	if read, err := decision.Decode(whole); err != nil || !cmp.Equal(read, r) {
		t.Fatalf("the whole: %v", err)
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"united kingdom": "GB", " gb": "GB", "EIRE": "IE", "Germany": "DE", "USA": "US", "Atlantis": "", "": ""} {
		if got := decision.CountryCode(name); got != want {
			t.Errorf("CountryCode(%q) = %q, want %q", name, got, want)
		}
	}
	if _, err := decision.LoadZones(func(string) (*time.Location, error) { return nil, errors.New("no such file") }); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a database: %v, want Unavailable", err)
	}
	if zones().Zone("Europe/London") == nil || zones().Zone("London") != nil {
		t.Error("zones are not found by their names")
	}
}

func BenchmarkClaim(b *testing.B) {
	g, p := gate(), ada(contacted("email", noon.Add(-3*day), noon.Add(-2*day)))
	d, _ := g.Plan(p, mail(), noon)
	b.ReportAllocs()
	for b.Loop() {
		c := d
		g.Claim(p, &c, noon)
	}
}

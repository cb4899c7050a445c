package demo_test

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones must be known on a machine without a zone file too

	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/demo"
)

// people returns the invented person of every customer of the file.
func people(t *testing.T, seed uint64) map[string]demo.Person {
	t.Helper()
	all := map[string]demo.Person{}
	for _, v := range invoices(t) {
		if _, ok := all[v.Customer]; v.Customer != "" && !ok {
			all[v.Customer] = demo.Invent(seed, v.Customer, v.Country)
		}
	}
	if len(all) != 4_372 {
		t.Fatalf("%d people, want 4,372", len(all))
	}
	return all
}

func TestThePeopleKeepToTheStatedShares(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		n := map[string]float64{}
		all := people(t, seed)
		for _, p := range all {
			if !p.Marketing {
				n["no consent"]++
				if p.Track {
					t.Errorf("%s takes no mail and lets it be measured", p.Email)
				}
			}
			for what, yes := range map[string]bool{"track": p.Track, "bounces": p.Bounces, "scanner": p.Scanner} {
				if yes {
					n[what]++
				}
			}
			if p.Opens <= 0 || p.Opens >= 1 || p.Clicks <= 0 || p.Clicks >= 1 {
				t.Errorf("%s opens %v and clicks %v", p.Email, p.Opens, p.Clicks)
			}
		}
		for what, share := range map[string]float64{
			"no consent": demo.NoConsent, "track": demo.Tracked * (1 - demo.NoConsent), "bounces": demo.Bouncing, "scanner": demo.Scanned,
		} {
			// Five standard deviations: a rule that is not kept fails, chance does not.
			slack := 5 * math.Sqrt(share*(1-share)/float64(len(all)))
			if got := n[what] / float64(len(all)); math.Abs(got-share) > slack {
				t.Errorf("seed %d: %s %.4f, want %.4f ± %.4f", seed, what, got, share, slack)
			}
		}
	}
}

func TestAPersonIsTheSameHoweverOftenAsked(t *testing.T) {
	t.Parallel()
	p := demo.Invent(42, "15719", "United Kingdom")
	if p != demo.Invent(42, "15719", "United Kingdom") {
		t.Error("the same question got two answers")
	}
	if p == demo.Invent(43, "15719", "United Kingdom") || p == demo.Invent(42, "15720", "United Kingdom") {
		t.Error("another seed or customer is the same person")
	}
	if p.Email != "customer-15719@shop.example" || p.Label != demo.Invented || p.Zone != "Europe/London" || p.Locale != "en-GB" || p.Country != "GB" {
		t.Errorf("person = %+v", p)
	}
	b, err := json.Marshal(p)
	if err != nil || !strings.Contains(string(b), `"label":"invented"`) || !strings.Contains(string(b), `"timezone":"Europe/London"`) {
		t.Errorf("as JSON: %s, %v", b, err)
	}
}

func TestEveryCountryOfTheFileHasItsPlace(t *testing.T) {
	t.Parallel()
	countries := map[string]bool{}
	for _, v := range invoices(t) {
		countries[v.Country] = true
	}
	codes := map[string]string{}
	for _, c := range slices.Sorted(maps.Keys(countries)) {
		p, ok := demo.PlaceOf(c)
		if !ok {
			t.Errorf("%s is on no list", c)
		}
		if _, err := time.LoadLocation(p.Zone); err != nil || p.Zone == "" {
			t.Errorf("%s: %v", c, err)
		}
		if other, twice := codes[p.Country]; twice && p.Country != "" {
			t.Errorf("%s and %s are both %s", c, other, p.Country)
		}
		codes[p.Country] = c
		if want := c == "Unspecified" || c == "European Community"; want != (p.Country == "") {
			t.Errorf("%s has the code %q", c, p.Country)
		}
		person := demo.Invent(1, "12345", c)
		if person.FirstName == "" || person.LastName == "" {
			t.Errorf("nobody in %s has a name", c)
		}
	}
	if len(countries) != 38 {
		t.Errorf("%d countries, want 38", len(countries))
	}
	if p, ok := demo.PlaceOf("Atlantis"); ok || p.Zone == "" {
		t.Errorf("Atlantis = %+v, %v", p, ok)
	}
}

func TestTheCatcherRefusesExactlyWhoBounces(t *testing.T) {
	t.Parallel()
	refused := demo.Bounces(5)
	n := 0
	for _, p := range people(t, 5) {
		if refused(p.Email) != p.Bounces {
			t.Errorf("%s: refused %v, bounces %v", p.Email, !p.Bounces, p.Bounces)
		}
		if p.Bounces {
			n++
			if !refused("<" + strings.ToUpper(p.Email) + ">") {
				t.Errorf("%s is taken when it is written otherwise", p.Email)
			}
		}
		if _, ok := identity.Normal(identity.Email, p.Email); !ok {
			t.Errorf("%s is not an address to the product", p.Email)
		}
	}
	if n == 0 {
		t.Error("nobody bounces")
	}
	for _, other := range []string{"", "ada@shop.example", "customer-@shop.example", "customer-12346@elsewhere.example", "postmaster"} {
		if refused(other) {
			t.Errorf("%q is refused and is nobody of ours", other)
		}
	}
}

func TestReactionsComeAfterAnHourAndInOrder(t *testing.T) {
	t.Parallel()
	const sent event.Time = 1_300_000_000_000
	seen := map[demo.ReactionKind]int{}
	links := map[int]bool{}
	for _, p := range people(t, 1) {
		all := demo.Reactions(1, p, "delivery-1", sent)
		if !slices.Equal(all, demo.Reactions(1, p, "delivery-1", sent)) {
			t.Fatalf("%s reacts in two ways to one mail", p.Email)
		}
		if p.Bounces && len(all) > 0 {
			t.Errorf("%s got no mail and reacts to it", p.Email)
		}
		var opened event.Time
		for i, r := range all {
			seen[r.Kind]++
			if late := r.At.Sub(sent); late < demo.MinDelay || late > demo.MinDelay+demo.MaxDelay+time.Hour || i > 0 && r.At < all[i-1].At {
				t.Errorf("%s: reaction %d of %+v comes after %v", p.Email, i, all, late)
			}
			switch r.Kind {
			case demo.Open:
				opened = r.At
			case demo.Click, demo.Unsubscribe:
				if opened == 0 {
					t.Errorf("%s does %s before opening: %+v", p.Email, r.Kind, all)
				}
			case demo.Scan:
				if !p.Scanner {
					t.Errorf("%s has no scanner: %+v", p.Email, all)
				}
			}
			if (r.Kind == demo.Click) != (r.LinkIndex >= 0) {
				t.Errorf("%s: link %d of %s", p.Email, r.LinkIndex, r.Kind)
			}
			links[r.LinkIndex%3] = true
		}
	}
	if seen[demo.Open] < 1000 || seen[demo.Click] < 50 || seen[demo.Scan] < 100 {
		t.Errorf("4,372 mails: %v", seen)
	}
	for link := range 3 {
		if !links[link] {
			t.Errorf("nobody clicks link %d of 3", link)
		}
	}
}

func TestSomeUnsubscribeAndFew(t *testing.T) {
	t.Parallel()
	mails, opens, left := 0, 0, 0
	p := demo.Person{Customer: "12345", Opens: 1}
	for i := range 20_000 {
		mails++
		for _, r := range demo.Reactions(1, p, "delivery-"+strconv.Itoa(i), 1_300_000_000_000) {
			switch r.Kind {
			case demo.Open:
				opens++
			case demo.Unsubscribe:
				left++
			}
		}
	}
	if opens != mails {
		t.Errorf("%d of %d mails are opened by one who opens all", opens, mails)
	}
	if got := float64(left) / float64(opens); math.Abs(got-demo.Leaves) > 0.0025 {
		t.Errorf("%.4f of the opened mails lose their reader, want %.4f", got, demo.Leaves)
	}
}

func TestTheHonestSetUpSaysItsShares(t *testing.T) {
	t.Parallel()
	all := strings.Join(demo.Honest(), "\n")
	for _, want := range []string{"invented", "8 % give no consent", "2 % have an address that bounces", "5 % sit behind a scanner", "40 % of those", "1 March 2011", "wholesalers", "zero by construction"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing says %q in:\n%s", want, all)
		}
	}
	if got := demo.GoLive.String(); got != "2011-03-01T00:00:00.000Z" {
		t.Errorf("the shop goes live at %s", got)
	}
}

// A person who followed the link that only machines see would be taken for one, and
// so would what they opened just before, if it was judged late.
func TestPeopleFollowNoLinkThatTheyCannotSee(t *testing.T) {
	t.Parallel()
	const base = "http://127.0.0.1:1"
	html := `<html><body><a href="` + base + `/c/lamp?a=1&amp;b=2" class="button">Lamps</a> <a href="https://elsewhere.example/c/x">x</a><img src="` + base + `/o/dot" width="1">` +
		content.Trap(`</body>`, base+"/c/trap")
	all, seen, pixel := demo.LinksOf(html, base)
	if !slices.Equal(all, []string{base + "/c/lamp?a=1&b=2", base + "/c/trap"}) || !slices.Equal(seen, all[:1]) || pixel != base+"/o/dot" {
		t.Errorf("a scanner finds %q, a person %q, and the picture is %q", all, seen, pixel)
	}
}

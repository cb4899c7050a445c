package sentence_test

import (
	"strings"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/condition/sentence"
	"rapport/internal/core/place"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
)

// tree reads JSON with single quotes.
func tree(t testing.TB, text string) spec.Node {
	t.Helper()
	n, err := sentence.Parse("asks " + strings.ReplaceAll(text, "'", `"`))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func canonical(t testing.TB, n spec.Node) string {
	t.Helper()
	env := &condition.Env{Set: condition.NewSet(), Currency: "GBP", Lists: []string{"press"}, Segments: []string{"vip", "the “best”"}, Properties: true}
	var ps spec.Problems
	q := condition.Parse(n, env, &ps)
	if q == nil {
		t.Fatalf("%v", ps.All())
	}
	return q.Canonical()
}

func TestConditionsAreSentences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ tree, english, german string }{
		{`{'did':'Product Viewed','where':{'category':'shoes'},'sessions':'>= 3','within':'14d'}`, `viewed a product where “category” is “shoes”, in at least 3 sessions, in the last 14 days`, `hat ein Produkt angesehen mit “category” ist “shoes”, in mindestens 3 Besuchen, in den letzten 14 Tagen`},
		{`{'all':[{'did_not':['Order Completed','Lamp Lit'],'within':'1w'},{'any':[{'segment':'vip'},{'not_in_segment':'the “best”'}]}]}`, `did not complete an order and/or do “Lamp Lit”, in the last 1 week and (is in the segment “vip” or is not in the segment “the “best\””)`, `nicht: hat bestellt und/oder “Lamp Lit”, in den letzten 1 Woche und (ist im Segment “vip” oder ist nicht im Segment “the “best\””)`},
		{`{'trait':'country','exists':true,'not_in':['GB','IE']}`, `the trait “country” is known and also is none of “GB”, “IE”`, `das Merkmal “country” ist bekannt und auch ist keins von “GB”, “IE”`},
		{`{'sequence':[{'did':'Product Added'},{'did_not':'Order Completed','for':'1h'}],'within':'7d'}`, `in sequence (put a product into the cart, then did not complete an order since, for 1 hour), in the last 7 days`, `nacheinander (hat ein Produkt in den Warenkorb gelegt, dann nicht: hat bestellt seitdem, seit 1 Stunde), in den letzten 7 Tagen`},
		{`{'not':{'at_least':2,'of':[{'list':'press'},{'reachable':'email'},{'consent':'marketing','channel':'email'}]}}`, `not (at least 2 of (is on the list “press”; can be reached by “email”; agreed to “marketing” by “email”))`, `nicht (mindestens 2 von (steht auf der Liste “press”; ist erreichbar per “email”; hat zugestimmt: “marketing” per “email”))`},
		{`{'did':'Order Completed','sum':{'property':'net','is':'100 to 200','currency':'EUR'},'between':['2026-11-01','2026-11-30'],'first':{'within':'30d','after':'2026-01-01'}}`, `completed an order, with “net” adding up to 100 to 200 in the currency “EUR”, from “2026-11-01” until “2026-11-30”, first in the last 30 days, first after “2026-01-01”`, ``},
		{`{'local_time':{'from':'09:00','to':'18:00'},'weekday':['mon','Friday']}`, `the clock is between 09:00 to 18:00 on Monday, Friday`, `die Uhr zeigt zwischen 09:00 und 18:00 am Montag, Freitag`},
		{`{'weekday':'sun'}`, `the day is Sunday`, `der Tag ist Sonntag`},
		{`{'random':{'name':'pilot','share':'10%'}}`, `is in the random 10% called “pilot”`, ``},
		{`{'message':'clicked','campaign':'sale','channel':'email','times':'>= 2','within':'30d'}`, `message clicked of the campaign “sale” on the channel “email”, at least 2 times, in the last 30 days`, ``},
		{`{'object':'pet','where':{'born':{'anniversary':'in the next 7d'},'name':{'exists':false}},'times':'!= 2'}`, `has the object “pet” where “born” comes round “in the next 7d” and “name” is not known, not exactly 2 times`, ``},
		{`{'dwell':'3d','when':{'prediction':'p_alive','>=':0.5}}`, `for 3 days without a break (the prediction “chance of still being a customer” is at least 0.5)`, ``},
		{`{'all':[{'rfm':['champion','loyal']},{'prediction':'need.ink','within':'in the next 7d'}]}`, `is by RFM “champion” and/or “loyal” and the prediction “need.ink” lies “in the next 7d”`, `ist nach RFM “champion” und/oder “loyal” und die Vorhersage “need.ink” liegt “in the next 7d”`},
		{`{'rfm':'slipping'}`, `is by RFM “slipping”`, ``},
		{`{'property':'total','>':50}`, `the trigger's “total” is more than 50`, ``},
		{`{'context':'device.type','is':'mobile'}`, `the last “device.type” is “mobile”`, ``},
		{`{'did':'Product Viewed','where':{'price':'>= 50','sale':true,'size':[1,2]},'distinct(sku)':'2 to 5'}`, `viewed a product where “price” is at least 50 and “sale” is true and “size” is one of 1, 2, with 2 to 5 different “sku”`, ``},
	} {
		n := tree(t, tt.tree)
		got := sentence.Say(n, sentence.English)
		if got != tt.english {
			t.Errorf("%s\nis said  %s\nwant     %s", tt.tree, got, tt.english)
		}
		if german := sentence.Say(n, sentence.German); tt.german != "" && german != tt.german {
			t.Errorf("%s\nis said  %s\nwant     %s", tt.tree, german, tt.german)
		}
		back, err := sentence.Parse(got)
		if err != nil {
			t.Errorf("%s\n%v", got, err)
			continue
		}
		if a, b := canonical(t, back), canonical(t, n); a != b {
			t.Errorf("%s\nis read back as %s, not %s", got, a, b)
		}
	}
}

// Places, stages, points and tastes are what a marketer asks most, and JSON is no sentence.
func TestPlacesStagesAndTastesAreSentences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ tree, english, german string }{
		{`{'city':'Leeds'}`, `was last in the city “Leeds”`, `war zuletzt in der Stadt “Leeds”`},
		{`{'all':[{'country':['GB','IE']},{'not':{'region':'Yorkshire'}}]}`, `was last in the country “GB” and/or “IE” and not (was last in the region “Yorkshire”)`, `war zuletzt im Land “GB” und/oder “IE” und nicht (war zuletzt in der Region “Yorkshire”)`},
		{`{'lifecycle':['loyal','at-risk']}`, `is at the stage “loyal” and/or “at-risk”`, `ist in der Phase “loyal” und/oder “at-risk”`},
		{`{'store':['soho','any'],'within':'30d'}`, `was in the store “soho” and/or “any”, in the last 30 days`, `war im Laden “soho” und/oder “any”, in den letzten 30 Tagen`},
		{`{'within':'1d','store':'soho'}`, `was in the store “soho”, in the last 1 day`, ``},
		{`{'fence':'centre'}`, `is in the fence “centre”`, `ist im Zaun “centre”`},
		{`{'fence':'centre','entered':'2h'}`, `is in the fence “centre”, entered in the last 2 hours`, `ist im Zaun “centre”, betreten in den letzten 2 Stunden`},
		{`{'fence':'centre','seen_within':'24h'}`, `is in the fence “centre”, as seen in the last 24 hours`, ``},
		{`{'near':{'store':'any','within':'1.5 km','open':true,'seen_within':'2d'}}`, `was last near the store “any”, at most “1.5 km” away, which is open now, as seen in the last 2 days`, `war zuletzt nahe dem Laden “any”, höchstens “1.5 km” entfernt, der jetzt offen ist, gesehen in den letzten 2 Tagen`},
		{`{'near':{'lat':51.5,'lon':-0.12,'beyond':'2km'}}`, `was last near the point 51.5 north and -0.12 east, at least “2km” away`, ``},
		{`{'score':'loyalty','is':'100 to 200'}`, `has of the score “loyalty” 100 to 200 points`, `hat vom Punktestand “loyalty” 100 bis 200 Punkte`},
		{`{'tier':'loyalty','from':'gold'}`, `is by the score “loyalty” in the tier “gold” or above`, `ist beim Punktestand “loyalty” in der Stufe “gold” oder darüber`},
		{`{'tier':'loyalty','is':'gold'}`, `is by the score “loyalty” in the tier “gold”`, ``},
		{`{'tier':'loyalty','in':['gold','silver']}`, `is by the score “loyalty” in one of the tiers “gold” and/or “silver”`, ``},
		{`{'affinity':{'by':'category','of':'lamps','is':'>= 30%','weight':'>= 3'}}`, `has by “category” a taste for “lamps”, with a share of at least 30%, and a weight of at least 3`, `hat bei “category” einen Geschmack für “lamps”, mit einem Anteil von mindestens 30%, und einem Gewicht von mindestens 3`},
	} {
		n := tree(t, tt.tree)
		got := sentence.Say(n, sentence.English)
		if got != tt.english {
			t.Errorf("%s\nis said  %s\nwant     %s", tt.tree, got, tt.english)
		}
		if german := sentence.Say(n, sentence.German); tt.german != "" && german != tt.german {
			t.Errorf("%s\nis said  %s\nwant     %s", tt.tree, german, tt.german)
		}
		back, err := sentence.Parse(got)
		if err != nil {
			t.Errorf("%s\n%v", got, err)
			continue
		}
		if a, b := placed(t, back), placed(t, n); a != b {
			t.Errorf("%s\nis read back as %s, not %s", got, a, b)
		}
	}
}

// placed is the canonical form of a condition in a shop with places and scores; of what
// asks for a score, which needs definitions, its tree.
func placed(t testing.TB, n spec.Node) string {
	t.Helper()
	for _, key := range []string{"score", "tier"} {
		if _, asks := n.Get(key); asks {
			return string(sentence.JSON(n))
		}
	}
	centre, err := place.Circle("centre", place.Point{Lat: 51, Lon: 1}, 100)
	if err != nil {
		t.Fatal(err)
	}
	soho := place.Store{ID: "soho", At: place.Point{Lat: 51.5, Lon: -0.13}, Fence: 100, Zone: time.UTC}
	env := &condition.Env{Set: condition.NewSet(), Currency: "GBP", Places: place.New([]place.Store{soho}, []*place.Fence{centre})}
	var ps spec.Problems
	q := condition.Parse(n, env, &ps)
	if q == nil {
		t.Fatalf("%s: %v", sentence.JSON(n), ps.All())
	}
	return q.Canonical()
}

func TestAKindThatIsNotKnownHereSurvives(t *testing.T) {
	t.Parallel()
	n := tree(t, `{'all':[{'score':'loyalty','>=':10},{'segment':'vip'}]}`)
	said := sentence.Say(n, sentence.English)
	if said != `asks {"score":"loyalty",">=":10} and is in the segment “vip”` {
		t.Errorf("said %s", said)
	}
	if back, err := sentence.Parse(said); err != nil || sentence.Say(back, sentence.English) != said {
		t.Errorf("%v, %v", back, err)
	}
}

func TestEveryKindDescribesItself(t *testing.T) {
	t.Parallel()
	for _, k := range condition.Kinds() {
		if k.Key == "" || k.Label == "" || k.Group == "" {
			t.Errorf("%+v does not describe itself", k)
		}
	}
}

func TestWhatIsNoSentenceSaysWhere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                   "what was done",
		"viewed a product, at least 3":       "times",
		"viewed a product and or":            "what was done",
		"(viewed a product":                  ")",
		"is in the segment vip":              "“",
		"is in the segment “vip":             "the end of the quotation",
		"the trait “a” might be 3":           "a comparison",
		"viewed a product, in the last 3 mo": "a unit of time",
		"asks {":                             "a question in JSON",
		"is in the segment “a” or is in the segment “b” and is in the segment “c”": "nothing more",
		strings.Repeat("(", 100): "fewer brackets",
	} {
		_, err := sentence.Parse(text)
		if kind, what := fault.Of(err); kind != fault.Invalid || !strings.Contains(what, want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := sentence.Parse(strings.Repeat("x", 1<<20)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a long text: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`viewed a product where “a” is 1, at least 3 times`, `asks {"a":[1,true,null]}`, `not (in sequence (did “a”, then did “b” within 2 hours))`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := sentence.Parse(s)
		if err != nil {
			return
		}
		said := sentence.Say(n, sentence.English)
		back, err := sentence.Parse(said)
		if err != nil {
			t.Skip() // numbers and words that no condition takes
		}
		if again := sentence.Say(back, sentence.English); again != said {
			t.Errorf("%q is said %q, then %q", s, said, again)
		}
	})
}

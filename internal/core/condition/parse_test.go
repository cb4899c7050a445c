package condition_test

import (
	"strings"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/spec"
)

func TestProblemsSayWhatIsWrongAndWhatToWrite(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{'not':`, 40) + `{'segment':'vip'}` + strings.Repeat(`}`, 40)
	many := `{'any':[` + strings.Repeat(`{'segment':'vip'},`, 64) + `{'segment':'vip'}]}`
	for _, tt := range []struct {
		name, text    string
		col           int // of the first problem
		what, instead string
	}{
		{"nothing", `{}`, 1, "a condition is expected", "did: Product Viewed"},
		{"a list", `[{'segment':'vip'}]`, 1, "a list is no condition", "all: [...]"},
		{"a misspelt kind", `{'didnt':'Product Viewed'}`, 2, `"didnt" is no kind of condition`, "did"},
		{"an unknown kind", `{'xyzzy':'Product Viewed'}`, 2, `"xyzzy" is no kind of condition`, "one of all, any"},
		{"a misspelt key", `{'did':'Product Viewed','sessons':'>= 3'}`, 23, `"sessons" does not go with did`, "sessions"},
		{"a misspelt function", `{'did':'Product Viewed','sun(net)':'>= 3'}`, 23, `"sun(net)" does not go with did`, "sum(net)"},
		{"a key of something else", `{'segment':'vip','within':'3d'}`, 16, `"within" does not go with segment`, ""},
		{"two questions in one", `{'segment':'vip','trait':'age','is':4}`, 16, "segment and trait are two questions in one", "all: ["},
		{"the same twice", `{'did':'Cart Viewed','did':'Page Viewed'}`, 20, "did is said twice", ""},
		{"a key twice", `{'did':'Cart Viewed','within':'1d','within':'2d'}`, 34, "within is said twice", ""},
		{"all of nothing", `{'all':[]}`, 7, "all takes a list of conditions", "all: ["},
		{"too deep", deep, 0, "nested more than 32 levels", ""},
		{"too wide", many, 7, "at most 64", "lists within lists"},
		{"at least without a list", `{'at_least':2}`, 1, "needs a list to choose from", "of:"},
		{"at least more than there are", `{'at_least':3,'of':[{'segment':'vip'},{'segment':'lapsed'}]}`, 12, `"3" is not how many of the 2`, "from 1 to 2"},
		{"an unknown segment", `{'segment':'vpi'}`, 11, `there is no segment "vpi"`, "vip"},
		{"an event without a name", `{'did':''}`, 7, "the name of an event is expected", "did: Product Viewed"},
		{"a comparison that is none", `{'did':'Cart Viewed','times':'many'}`, 29, `"many" is no comparison`, `times: ">= 3"`},
		{"a count below zero", `{'did':'Cart Viewed','times':'< 0'}`, 29, "can never be", ""},
		{"a count of more than is kept", `{'did':'Cart Viewed','times':'>= 20001','within':'3d'}`, 29, "beyond 20000", ""},
		{"part of a time", `{'did':'Cart Viewed','times':'>= 1.5'}`, 29, "is no comparison", ""},
		{"a range that is upside down", `{'did':'Cart Viewed','times':'5 to 2'}`, 29, "is no comparison", ""},
		{"a month is no duration", `{'did':'Cart Viewed','within':'1mo'}`, 30, `"1mo" is no duration`, "14d"},
		{"a year is no duration", `{'did':'Cart Viewed','within':'1y'}`, 30, `"1y" is no duration`, "14d"},
		{"no time at all", `{'did':'Cart Viewed','within':'0d'}`, 30, "is no duration", ""},
		{"too long", `{'did':'Cart Viewed','within':'9999d'}`, 30, "at most 3660 days", ""},
		{"a sum of nothing", `{'did':'Order Completed','sum':'>= 3'}`, 31, "sum needs to know of which property", "sum(net)"},
		{"a sum without a bound", `{'did':'Order Completed','sum':{'property':'net'}}`, 24, "sum is not compared", "is:"},
		{"a sum in no currency", `{'did':'Order Completed','sum':{'property':'net','is':'>= 3','currency':'pounds'}}`, 72, `"pounds" is neither a currency nor any`, "GBP"},
		{"a filter that is no filter", `{'did':'Cart Viewed','where':'shoes'}`, 29, "where takes properties", "where: {category: shoes}"},
		{"a misspelt comparison in a filter", `{'did':'Cart Viewed','where':{'sku':{'start_with':'a'}}}`, 37, `"start_with" is not known here`, "starts_with"},
		{"an empty list of values", `{'did':'Cart Viewed','where':{'sku':[]}}`, 36, "a list of 1 to 1000", ""},
		{"a date that is none", `{'did':'Cart Viewed','between':['2026-02-30','2026-03-01']}`, 31, "not both dates", "between: ["},
		{"dates upside down", `{'did':'Cart Viewed','between':['2026-03-02','2026-03-01']}`, 31, "2026-03-02 is not before 2026-03-01", ""},
		{"first of nothing", `{'did':'Cart Viewed','first':{'with':'3d'}}`, 30, `"with" is not known here`, "within"},
		{"trait without a comparison", `{'trait':'country'}`, 1, "not said what the trait should be", "exists: true"},
		{"one value and a list", `{'trait':'country','is':['GB']}`, 23, "not with a list", "in"},
		{"a list and one value", `{'trait':'country','in':'GB'}`, 23, "in takes a list", "in: [GB, IE]"},
		{"exists something", `{'trait':'country','exists':'GB'}`, 27, "true or false", "exists: true"},
		{"a date compared as a number", `{'trait':'joined','>':'2026-03-01'}`, 21, "compares numbers", "after: 2026-03-01"},
		{"a trait within what", `{'trait':'joined','within':'30d'}`, 26, "in the last 30d", "within: in the last 30d"},
		{"an anniversary of half a day", `{'trait':'birthday','anniversary':'in 12h'}`, 33, "none of today", "anniversary: today"},
		{"consent without a channel", `{'consent':'marketing'}`, 1, "for a channel", "channel: email"},
		{"context that is not kept", `{'context':'device.tpye','is':'mobile'}`, 11, "only device.type, locale, timezone", "device.type"},
		{"a time of day that is none", `{'local_time':{'from':'9:00','to':'25:00'}}`, 14, "times of day", "09:00"},
		{"nothing between", `{'local_time':{'from':'09:00','to':'09:00'}}`, 14, "nothing lies between", ""},
		{"the whole week", `{'weekday':['mon','tue','wed','thu','fri','sat','sun']}`, 1, "always so", ""},
		{"a weekday that is none", `{'weekday':['mno']}`, 12, `"mno" is no weekday`, "mon"},
		{"a share of more than all", `{'random':{'name':'x','share':'110%'}}`, 30, `"110%" is not a share`, ""},
		{"a draw without a name", `{'random':{'share':0.5}}`, 0, "the name of the draw", ""},
		{"dwell without a condition", `{'dwell':'3d'}`, 1, "dwell needs the condition", "when:"},
		{"dwell on a property", `{'dwell':'3d','when':{'property':'total','is':3}}`, 33, "no triggering event", ""},
		{"a very long text", `{'trait':'country','is':'` + strings.Repeat("x", 501) + `'}`, 23, "too long", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var ps spec.Problems
			q := condition.Parse(define(t, tt.text), env(), &ps)
			if q != nil || len(ps.All()) == 0 {
				t.Fatalf("it was taken: %v", ps.All())
			}
			first := ps.All()[0]
			if !strings.Contains(first.What, tt.what) || !strings.Contains(first.Instead, tt.instead) {
				t.Errorf("%s, want what %q and instead %q", first.Error(), tt.what, tt.instead)
			}
			// A position is where the reader of the tests stood before the token: at
			// the separator in front of it or on it.
			if tt.col != 0 && first.Pos.Col != tt.col && first.Pos.Col != tt.col+1 {
				t.Errorf("column %d, want %d: %s", first.Pos.Col, tt.col, first.Error())
			}
		})
	}
}

func TestEveryProblemIsReportedNotOnlyTheFirst(t *testing.T) {
	t.Parallel()
	var ps spec.Problems
	condition.Parse(define(t, `{'all':[{'segment':'x'},{'did':'Cart Viewed','within':'1y'},{'weekday':'someday'}]}`), env(), &ps)
	if len(ps.All()) != 3 {
		t.Errorf("%d problems, want 3: %v", len(ps.All()), ps.All())
	}
}

func TestWarningsAreTakenAndSaySo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, what, instead string }{
		{`{'did':'Order Complete'}`, "no event of the retail spec", event.OrderCompleted},
		{`{'did':'Order Completed','where':{'category':'shoes'}}`, "an order has category on its lines", "products.category"},
		{`{'did':'Cart Viewed','times':3}`, "means exactly 3", `times: ">= 3"`},
	} {
		var ps spec.Problems
		q := condition.Parse(define(t, tt.text), env(), &ps)
		if q == nil || ps.Bad() || len(ps.All()) != 1 || !strings.Contains(ps.All()[0].What, tt.what) || ps.All()[0].Instead != tt.instead {
			t.Errorf("%s: %v", tt.text, ps.All())
		}
	}
}

func TestPropertiesNeedATrigger(t *testing.T) {
	t.Parallel()
	e := env()
	e.Properties = false
	var ps spec.Problems
	if condition.Parse(define(t, `{'property':'total','is':3}`), e, &ps) != nil || !ps.Bad() {
		t.Error("a segment asked about the property of a trigger")
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "15m": 15 * time.Minute, "6h": 6 * time.Hour, "14d": 14 * 24 * time.Hour, "2w": 14 * 24 * time.Hour,
		"": 0, "d": 0, "1": 0, "-1d": 0, "1.5h": 0, " 1d": 0, "1mo": 0, "1y": 0, "99999999999w": 0, "3661d": 0, "999999w": 0,
	} {
		if got, ok := condition.ParseDuration(text); got != want || ok != (want != 0) {
			t.Errorf("%q is %v, %v, want %v", text, got, ok, want)
		}
	}
}

func FuzzParseTakesOrRefusesAndNeverBreaks(f *testing.F) {
	for _, q := range append(questions, bySession...) {
		f.Add(strings.ReplaceAll(q, "'", `"`))
	}
	f.Add(`{"any":[{"local_time":{"from":"22:00","to":"06:00"}},{"dwell":"3d","when":{"not":{"weekday":"mon"}}}]}`)
	f.Add(`{"at_least":1,"of":[{"trait":"x","within":"in the next 7d"},{"random":{"name":"n","share":"5%"}}]}`)
	p := ada()
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parse(text)
		if err != nil {
			t.Skip()
		}
		var ps spec.Problems
		q := condition.Parse(n, env(), &ps)
		if (q == nil) != ps.Bad() {
			t.Fatalf("taken %v with problems %v", q != nil, ps.All())
		}
		if q != nil {
			c := condition.Context{P: p, Now: noon, Zones: zone, Explain: true}
			if v := q.Eval(&c); v.Until <= noon || q.Sentence() == "" {
				t.Fatalf("Until %s, %q", v.Until, q.Sentence())
			}
		}
	})
}

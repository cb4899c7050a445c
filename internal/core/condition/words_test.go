package condition_test

import (
	"encoding/json"
	"strings"
	"testing"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
)

func TestConditionsReadAsEnglish(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{
			`{'all':[{'did':'Product Viewed','where':{'category':'shoes'},'sessions':'>= 3','within':'14d'},{'not':{'did':'Order Completed','within':'14d'}},{'trait':'country','in':['GB','IE']},{'context':'device.type','is':'mobile'}]}`,
			"viewed a product where category is shoes in 3 or more sessions in the last 14 days and did not complete an order in the last 14 days and country is one of GB, IE and the last device type is mobile",
		},
		{
			`{'any':[{'segment':'vip'},{'all':[{'did':'Order Completed','sum(net)':'>= 100','within':'1w'},{'not_in_segment':'lapsed'}]}]}`,
			"is in segment vip or (completed an order with net adding up to 100.00 GBP or more in the last 7 days and is not in segment lapsed)",
		},
		{`{'not':{'any':[{'did':'Warranty Registered','times':'<= 2'},{'reachable':'sms'}]}}`, "did not do “Warranty Registered” at most 2 times and cannot be reached by sms"},
		{`{'did':'Cart Viewed','times':'0','within':'1d'}`, "did not view the cart in the last 1 day"},
		{`{'did':'Product Viewed','distinct(sku)':'2 to 5'}`, "viewed a product with 2 to 5 different sku"},
		{`{'did':'Order Completed','sum(units)':'< 3'}`, "completed an order with units adding up to at most 2.999999"},
		{`{'did':'Order Completed','first':{'within':'30d'},'last':{'older_than':'2h'}}`, "first completed an order in the last 30 days and last completed an order 2 hours ago or longer"},
		{
			`{'at_least':2,'of':[{'trait':'age','>=':18},{'trait':'birthday','anniversary':'in the next 7d'},{'consent':'marketing','channel':'email'}]}`,
			"at least 2 of these hold: age is at least 18; birthday is in the next 7 days, as every year; agreed to marketing by email",
		},
		{`{'local_time':{'from':'09:00','to':'18:00'},'weekday':['mon','sun']}`, "it is between 09:00 and 18:00 on Monday, Sunday, local time"},
		{`{'dwell':'3d','when':{'segment':'vip'}}`, "for 3 days without a break: is in segment vip"},
		{`{'random':{'name':'pilot','share':'12.5%'}}`, "is in the random 12.5 % called pilot"},
	} {
		if got := compile(t, env(), tt.text).Sentence(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestReasonsCarryWhatTheAnswerWasJudgedBy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{
			"what was done, how often and when", `{'did':'Product Viewed','times':'>= 2','within':'14d'}`,
			[]string{"viewed a product 2 or more times in the last 14 days (3 times, last 2 days ago)"},
		},
		{
			"counting does not stop at the bound", `{'did':'Product Viewed','sessions':'>= 1','within':'14d'}`,
			[]string{"viewed a product in 1 or more sessions in the last 14 days (2 sessions, last 2 days ago)"},
		},
		{
			"what was not done, and when it was last", `{'did_not':'Order Completed','within':'5d'}`,
			[]string{"did not complete an order in the last 5 days (0 times, last 9 days ago)"},
		},
		{"what was never done", `{'did_not':'Cart Viewed'}`, []string{"did not view the cart"}},
		{"a sum", `{'did':'Order Completed','sum(net)':'> 10'}`, []string{"completed an order with net adding up to 10.000001 GBP or more (65.50 GBP, last 9 days ago)"}},
		{
			"of all that must hold, what does not", `{'all':[{'trait':'country','is':'DE'},{'segment':'vip'},{'trait':'shoe','is':41}]}`,
			[]string{"it is not so that country is DE (it is GB)", "it is not so that shoe is 41 (it is not known)"},
		},
		{"of all that may hold, what does", `{'any':[{'trait':'country','is':'DE'},{'segment':'vip'}]}`, []string{"is in segment vip (since 24 hours ago)"}},
		{"consent with its date", `{'consent':'marketing','channel':'email'}`, []string{"agreed to marketing by email"}},
		{"the time on the wall", `{'local_time':{'from':'09:00','to':'18:00'}}`, []string{"it is between 09:00 and 18:00, local time (it is Wednesday 12:00)"}},
	} {
		e := env()
		q := compile(t, e, tt.text)
		p := ada()
		hear(e.Set, p, did...)
		v := q.Eval(&condition.Context{P: p, Now: noon, Zones: zone, Explain: true})
		var got []string
		for _, r := range v.Because {
			got = append(got, r.Sentence(noon))
		}
		if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if _, err := json.Marshal(v.Because); err != nil {
			t.Error(err)
		}
		if plain := q.Eval(&condition.Context{P: p, Now: noon, Zones: zone}); plain.Because != nil {
			t.Errorf("%s: reasons that nobody asked for", tt.name)
		}
	}
}

func TestDepsNameWhatIsLookedAt(t *testing.T) {
	t.Parallel()
	e := env()
	q := compile(t, e, `{'all':[{'did':['Cart Viewed','Product Viewed']},{'trait':'address.city','is':'Leeds'},{'consent':'marketing','channel':'email'},{'reachable':'email'},{'segment':'vip'},{'context':'device.type','is':'mobile'},{'weekday':'mon'},{'property':'total','is':3}]}`)
	d := q.Deps()
	if strings.Join(d.Events, ",") != "Cart Viewed,Product Viewed" || strings.Join(d.Traits, ",") != "address,email,phone" ||
		!d.Consent || !d.Reach || !d.Device || !d.Zone || d.Locale || !d.Props || !d.Mentions(condition.SegmentKey("vip")) || d.Mentions(condition.SegmentKey("lapsed")) {
		t.Errorf("%+v", d)
	}
	v := ago(0, event.CartViewed)
	touched := e.Set.Fold(ada(), &v, nil, noon)
	for _, tt := range []struct {
		t    condition.Touched
		want bool
	}{
		{touched, true},
		{condition.Touched{Traits: []string{"address"}}, true},
		{condition.Touched{Traits: []string{"age"}}, false},
		{condition.Touched{Consent: true}, true},
		{condition.Touched{Locale: true}, false},
		{condition.Touched{}, false},
	} {
		if d.Touches(&tt.t) != tt.want {
			t.Errorf("%+v touches: want %v", tt.t, tt.want)
		}
	}
}

func TestDatesWithoutATimeDependOnTheZone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{'trait':'joined','before':'2026-03-01'}`:            true,
		`{'trait':'joined','within':'in the last 3d'}`:        true,
		`{'trait':'joined','anniversary':'today'}`:            true,
		`{'trait':'joined','is':'2026-03-01'}`:                false,
		`{'did':'Cart Viewed','last':{'after':'2026-03-01'}}`: false, // the workspace's, which does not move
	} {
		if got := compile(t, env(), text).Deps().Zone; got != want {
			t.Errorf("%s depends on the zone: %v", text, got)
		}
	}
}

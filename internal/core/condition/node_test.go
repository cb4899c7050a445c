package condition_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones must be there on every machine

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// noon is the instant at which most tests ask: a Wednesday.
var noon = instant("2026-03-04T12:00:00Z")

func instant(s string) event.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return event.At(t)
}

func zone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}

// ago is an event so long before noon.
func ago(d time.Duration, name string, props ...any) event.Event {
	var b event.Builder
	for i := 0; i+1 < len(props); i += 2 {
		switch v := props[i+1].(type) {
		case string:
			b.Set(props[i].(string), event.Text(v))
		case int:
			b.Set(props[i].(string), event.Int(int64(v)))
		case float64:
			b.Set(props[i].(string), event.Num(v))
		case event.Value:
			b.Set(props[i].(string), v)
		}
	}
	return event.Event{Type: event.Track, Name: name, At: noon.Add(-d), Props: b.Object()}
}

// lines are the products of an order: SKU and category, again and again.
func lines(parts ...string) event.Value {
	var items []event.Value
	for i := 0; i+1 < len(parts); i += 2 {
		var b event.Builder
		b.SetText("sku", parts[i]).SetText("category", parts[i+1]).SetText("price", "10")
		items = append(items, event.Nested(b.Object()))
	}
	return event.ListOf(items...)
}

// hear folds the events as the engine does, each when it happened.
func hear(set *condition.Set, p *profile.Profile, events ...event.Event) {
	for i := range events {
		e := &events[i]
		p.Session = condition.Visit(p.Session, e)
		var order *event.Order
		if event.IsOrder(e.Name) {
			if o, err := event.OrderOf(e.Name, e.Props); err == nil {
				order = &o
			}
		}
		set.Fold(p, e, order, max(e.At, noon.Add(-400*24*time.Hour)))
	}
}

// env returns surroundings in which everything is allowed.
func env() *condition.Env {
	return &condition.Env{Set: condition.NewSet(), Segments: []string{"vip", "lapsed"}, Currency: "GBP", Properties: true}
}

func compile(t testing.TB, e *condition.Env, text string) *condition.Cond {
	t.Helper()
	var ps spec.Problems
	q := condition.Parse(define(t, text), e, &ps)
	if q == nil || ps.Bad() {
		t.Fatalf("%s: %v", text, ps.All())
	}
	return q
}

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// ada is the customer of the tests.
func ada() *profile.Profile {
	p := profile.New(identity.ID{1})
	p.Zone, p.Locale, p.Device = "Europe/London", "en-GB", "mobile"
	p.Traits = []profile.Trait{
		{Name: "address", Value: event.Nested(new(event.Builder).SetText("city", "Leeds").Object())},
		{Name: "age", Value: event.Int(41)},
		{Name: "birthday", Value: event.Text("1985-03-06")},
		{Name: "country", Value: event.Text("GB"), At: noon.Add(-9 * day)},
		{Name: "email", Value: event.Text("ada@example.org")},
		{Name: "joined", Value: event.Text("2026-02-22")},
		{Name: "renews", Value: event.Text("2026-03-10T12:00:00Z")},
		{Name: "sizes", Value: event.ListOf(event.Int(38), event.Text("L"))},
		{Name: "student", Value: event.Yes(true)},
	}
	p.Consents = []profile.Consent{
		{Channel: "email", Purpose: "marketing", Granted: true, Expires: noon.Add(2 * hour)},
		{Channel: "sms", Purpose: "marketing"},
	}
	p.Health = []profile.Health{{Channel: "email", Address: "old@example.org", State: profile.Bounced}}
	p.Segments = []profile.Membership{{Key: condition.SegmentKey("vip"), In: true, Since: noon.Add(-day), Until: noon.Add(5 * day)}}
	return p
}

// did is what ada did before noon.
var did = []event.Event{
	ago(100*day, event.OrderCompleted, "order_id", "1", "revenue", 40, "currency", "GBP", "products", lines("s1", "shoes", "b1", "bags")),
	ago(20*day, event.ProductViewed, "category", "bags", "sku", "b1", "price", 80),
	ago(10*day, event.OrderCompleted, "order_id", "2", "revenue", 25.5, "currency", "GBP", "products", lines("s1", "shoes")),
	ago(9*day, event.OrderCompleted, "order_id", "3", "revenue", 999, "currency", "EUR", "products", lines("h1", "hats")),
	ago(8*day, event.OrderRefunded, "order_id", "2", "revenue", 5.5),
	ago(3*day, event.ProductViewed, "category", "shoes", "sku", "s1", "price", "95.5"),
	ago(3*day-10*time.Minute, event.ProductViewed, "category", "shoes", "sku", "s2", "tags", event.ListOf(event.Text("new"), event.Text("sale"))),
	ago(2*day, event.ProductViewed, "category", "shoes", "sku", "s1"),
}

func TestEachNodeAnswersAndKnowsUntilWhen(t *testing.T) {
	t.Parallel()
	const never = -time.Second // stands for event.Never
	for _, tt := range []struct {
		name  string
		text  string
		is    bool
		until time.Duration // after noon
	}{
		{"did at all", `{'did':'Product Viewed'}`, true, never},
		{"did one of several", `{'did':['Cart Viewed','Product Viewed'],'within':'1w'}`, true, 5 * day},
		{"did not", `{'did_not':'Cart Viewed'}`, true, never},
		{"did not lately, and the window never closes by itself", `{'did_not':'Order Completed','within':'9d'}`, true, never},
		{"did not lately turns true when the last one leaves", `{'did_not':'Order Completed','within':'10d'}`, false, day},
		{"a window ends exactly: at its length an event is out", `{'did':'Product Viewed','within':'2d'}`, false, never},
		{"a count in a window turns with the n-th newest", `{'did':'Product Viewed','times':'>= 3','within':'14d'}`, true, 11 * day},
		{"a count that is too high falls to its bound", `{'did':'Product Viewed','times':'<= 1','within':'14d'}`, false, 11*day + 10*time.Minute},
		{"a count within a range", `{'did':'Product Viewed','times':'2 to 3','within':'14d'}`, true, 11*day + 10*time.Minute},
		{"exactly so many of all time", `{'did':'Product Viewed','times':'4'}`, true, never},
		{"anything but so many", `{'did':'Product Viewed','times':'!= 3','within':'14d'}`, false, 11 * day},
		{"a filter", `{'did':'Product Viewed','where':{'category':'bags'},'within':'30d'}`, true, 10 * day},
		{"a filter on one of several values", `{'did':'Product Viewed','where':{'sku':['s2','s9']}}`, true, never},
		{"a filter by comparison, the number sent as text", `{'did':'Product Viewed','where':{'price':{'>':80,'<':100}}}`, true, never},
		{"a filter by comparison in one text", `{'did':'Product Viewed','where':{'price':'>= 96'}}`, false, never},
		{"a filter on a list matches any of it", `{'did':'Product Viewed','where':{'tags':'sale'}}`, true, never},
		{"what is missing is not in a list", `{'did':'Product Viewed','where':{'tags':{'exists':false}},'times':'3'}`, true, never},
		{"a filter on the lines of an order", `{'did':'Order Completed','where':{'products.category':'hats'}}`, true, never},
		{"no line is such", `{'did':'Order Completed','where':{'products.category':'coats'}}`, false, never},
		{"is_not means that no line is", `{'did':'Order Completed','where':{'products.category':{'is_not':'shoes'}},'times':'1'}`, true, never},
		{"a filter on the order's number", `{'did':'Order Completed','where':{'order_id':'2'}}`, true, never},
		{"money of another currency does not count", `{'did':'Order Completed','sum(net)':'65.5 to 65.5'}`, true, never},
		{"a refund is part of what was spent", `{'did':['Order Completed','Order Refunded'],'sum(net)':'<= 60'}`, true, never},
		{"a sum in a window", `{'did':'Order Completed','sum':{'property':'net','is':'>= 25.50'},'within':'14d'}`, true, 4 * day},
		{"a sum in another currency", `{'did':'Order Completed','sum':{'property':'net','is':'>= 999','currency':'eur'}}`, true, never},
		{"pieces are no money", `{'did':'Order Completed','sum(units)':'= 4'}`, true, never},
		{"a property of every line is added up", `{'did':'Order Completed','sum':{'property':'products.price','is':'= 40','currency':'any'}}`, true, never},
		{"a sum is of something that was done", `{'did':'Cart Viewed','sum(net)':'<= 100'}`, false, never},
		{"different articles", `{'did':'Product Viewed','distinct(sku)':'>= 2','within':'14d'}`, true, 11*day + 10*time.Minute},
		{"different articles of all lines of all orders", `{'did':'Order Completed','distinct':{'property':'products.sku','is':'= 3'}}`, true, never},
		{"sessions", `{'did':'Product Viewed','sessions':'>= 2','within':'14d'}`, true, 11*day + 10*time.Minute},
		{"twice in one session counts once", `{'did':'Product Viewed','sessions':'3','times':'4'}`, true, never},
		{"between dates, the last day included", `{'did':'Order Completed','between':['2025-11-24','2026-02-22'],'times':'2'}`, true, never},
		{"between instants, the last not included", `{'did':'Order Completed','between':['2026-02-22T12:00:00Z','2026-02-23T12:00:00Z'],'times':'1'}`, true, never},
		{"first done lately", `{'did':'Product Viewed','first':{'within':'30d'}}`, true, 10 * day},
		{"first done long ago", `{'did':'Order Completed','first':{'older_than':'101d'}}`, false, day},
		{"last done before a date", `{'did':'Order Completed','last':{'before':'2026-02-23'}}`, false, never},
		{"last done after a date", `{'did':'Order Completed','last':{'after':'2026-02-22'}}`, true, never},
		{"never done is not first done", `{'did':'Cart Viewed','first':{'after':'2000-01-01'}}`, false, never},

		{"all: true until the first child turns", `{'all':[{'did':'Product Viewed','within':'3d'},{'did':'Order Completed','within':'30d'}]}`, true, day},
		{"all: false until the last false child may have turned", `{'all':[{'did_not':'Product Viewed','within':'3d'},{'did_not':'Order Completed','within':'12d'},{'trait':'age','exists':true}]}`, false, 3 * day},
		{"all: in whatever order they stand", `{'all':[{'did_not':'Order Completed','within':'12d'},{'did_not':'Product Viewed','within':'3d'}]}`, false, 3 * day},
		{"any: in whatever order they stand", `{'any':[{'did':'Order Completed','within':'12d'},{'did':'Product Viewed','within':'3d'}]}`, true, 3 * day},
		{"all: false for ever if one child is", `{'all':[{'did_not':'Product Viewed','within':'3d'},{'did':'Cart Viewed'}]}`, false, never},
		{"any: false until the first child may turn", `{'any':[{'did_not':'Product Viewed','within':'3d'},{'did_not':'Order Completed','within':'12d'}]}`, false, day},
		{"any: true until the last true child may have turned", `{'any':[{'did':'Product Viewed','within':'3d'},{'did':'Order Completed','within':'12d'},{'did':'Cart Viewed'}]}`, true, 3 * day},
		{"any: true for ever if one child is", `{'any':[{'did':'Product Viewed','within':'3d'},{'trait':'age','is':41}]}`, true, never},
		{"not turns when its child does", `{'not':{'did':'Product Viewed','within':'3d'}}`, false, day},
		{"at least n: true until the n-th largest", `{'at_least':2,'of':[{'did':'Product Viewed','within':'3d'},{'did':'Product Viewed','within':'4d'},{'did':'Product Viewed','within':'5d'}]}`, true, 2 * day},
		{"at least n: false until n − k may have turned", `{'at_least':3,'of':[{'trait':'age','is':41},{'did_not':'Product Viewed','within':'3d'},{'did_not':'Product Viewed','within':'4d'},{'did_not':'Product Viewed','within':'5d'}]}`, false, 2 * day},

		{"trait is", `{'trait':'country','is':'GB'}`, true, never},
		{"trait is not", `{'trait':'country','is_not':'GB'}`, false, never},
		{"trait in", `{'trait':'country','in':['IE','GB']}`, true, never},
		{"trait not in", `{'trait':'country','not_in':['IE','DE']}`, true, never},
		{"an unknown trait is not in any list", `{'trait':'shoe','not_in':[41]}`, true, never},
		{"trait exists", `{'trait':'shoe','exists':false}`, true, never},
		{"trait within an object", `{'trait':'address.city','is':'Leeds'}`, true, never},
		{"trait is a number", `{'trait':'age','is':41.0}`, true, never},
		{"trait is a bool", `{'trait':'student','is':true}`, true, never},
		{"trait is a list", `{'trait':'sizes','in':['M','L']}`, true, never},
		{"trait contains", `{'trait':'email','contains':'@example'}`, true, never},
		{"trait starts with", `{'trait':'email','starts_with':'bob'}`, false, never},
		{"trait ends with", `{'trait':'email','ends_with':'.org'}`, true, never},
		{"trait in a range", `{'trait':'age','>=':18,'<':41}`, false, never},
		{"trait more than", `{'trait':'age','>':40,'<=':41}`, true, never},
		{"trait before a date", `{'trait':'joined','before':'2026-02-23'}`, true, never},
		{"trait after a date: from the next day on", `{'trait':'joined','after':'2026-02-22'}`, false, never},
		{"trait in the last days leaves at its hour, in her zone", `{'trait':'joined','within':'in the last 14d'}`, true, 3*day + 12*hour},
		{"trait in the next days, not yet", `{'trait':'renews','within':'in the next 5d'}`, false, day},
		{"trait in the next days, until it is there", `{'trait':'renews','within':'in the next 7d'}`, true, 6 * day},
		{"trait more than so long ago", `{'trait':'joined','within':'more than 2w ago'}`, false, 3*day + 12*hour},
		{"trait more than so far ahead", `{'trait':'renews','within':'more than 5d ahead'}`, true, day},
		{"no birthday today, until it is", `{'trait':'birthday','anniversary':'today'}`, false, day + 12*hour},
		{"birthday in two days, until midnight", `{'trait':'birthday','anniversary':'in 2d'}`, true, 12 * hour},
		{"birthday soon, until it is over", `{'trait':'birthday','anniversary':'in the next 7d'}`, true, 2*day + 12*hour},

		{"segment", `{'segment':'vip'}`, true, 5 * day},
		{"not in segment", `{'not_in_segment':'lapsed'}`, true, never},
		{"consent until it expires", `{'consent':'marketing','channel':'email'}`, true, 2 * hour},
		{"consent withheld", `{'consent':'marketing','channel':'sms'}`, false, never},
		{"reachable", `{'reachable':'email'}`, true, never},
		{"not reachable", `{'reachable':'sms'}`, false, never},
		{"device", `{'context':'device.type','is':'mobile'}`, true, never},
		{"locale", `{'context':'locale','starts_with':'de'}`, false, never},
		{"local time, until it closes", `{'local_time':{'from':'09:00','to':'18:00'}}`, true, 6 * hour},
		{"local time over midnight, until it opens", `{'local_time':{'from':'22:00','to':'06:00'}}`, false, 10 * hour},
		{"weekday, until that day", `{'weekday':['fri','sunday']}`, false, day + 12*hour},
		{"local time on a weekday", `{'local_time':{'from':'09:00','to':'18:00'},'weekday':'wed'}`, true, 6 * hour},
		{"everybody", `{'random':{'name':'x','share':1}}`, true, never},
		{"nobody", `{'random':{'name':'x','share':'0%'}}`, false, never},
		{"property of the trigger", `{'property':'cart.total','>=':50}`, true, never},
		{"property of a line of the trigger", `{'property':'products.sku','in':['s1']}`, true, never},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := env()
			q := compile(t, e, tt.text)
			p := ada()
			hear(e.Set, p, did...)
			trigger := new(event.Builder).Set("cart", event.Nested(new(event.Builder).Set("total", event.Int(50)).Object())).Set("products", lines("s1", "shoes")).Object()
			v := q.Eval(&condition.Context{P: p, Now: noon, Zones: zone, Props: trigger, Explain: true})
			until := noon.Add(tt.until)
			if tt.until == never {
				until = event.Never
			}
			if v.True != tt.is || v.Until != until {
				t.Fatalf("%s = %v until %s, want %v until %s", tt.text, v.True, v.Until, tt.is, until)
			}
			if len(v.Because) == 0 || q.Sentence() == "" {
				t.Fatalf("no reason or no sentence: %q", q.Sentence())
			}
		})
	}
}

func TestTheFutureDoesNotCountYet(t *testing.T) {
	t.Parallel()
	e := env()
	tomorrow := ago(-day, event.ProductViewed, "sku", "a", "price", 10)
	for _, tt := range []struct {
		name, text    string
		now, at, next bool // at noon, and from tomorrow noon on
	}{
		{"at all", `{'did':'Product Viewed'}`, false, true, true},
		{"in a window", `{'did':'Product Viewed','within':'1h'}`, false, true, false},
		{"a sum", `{'did':'Product Viewed','sum(price)':'10'}`, false, true, true},
		{"different ones", `{'did':'Product Viewed','distinct(sku)':'1'}`, false, true, true},
		{"first", `{'did':'Product Viewed','first':{'within':'1h'}}`, false, true, false},
		{"last", `{'did':'Product Viewed','last':{'after':'2026-03-04'}}`, false, true, true},
	} {
		q := compile(t, e, tt.text)
		p := ada()
		e.Set.Fold(p, &tomorrow, nil, noon)
		for i, now := range []event.Time{noon, tomorrow.At, tomorrow.At.Add(hour)} {
			v := q.Eval(&condition.Context{P: p, Now: now})
			if want := []bool{tt.now, tt.at, tt.next}[i]; v.True != want {
				t.Errorf("%s at %s: %v, want %v", tt.name, now, v.True, want)
			}
			if now == noon && v.Until != tomorrow.At {
				t.Errorf("%s: Until %s, want %s", tt.name, v.Until, tomorrow.At)
			}
		}
	}
}

func TestTwoFutureEventsOfOneKindCountOnce(t *testing.T) {
	t.Parallel()
	// Nothing is heard after both have come, so nothing could tidy up.
	e := env()
	q := compile(t, e, `{'did':'Product Viewed','distinct(sku)':'1'}`)
	p := ada()
	for _, d := range []time.Duration{-hour, -2 * hour, 0} {
		v := ago(d, event.ProductViewed, "sku", "a")
		e.Set.Fold(p, &v, nil, noon)
	}
	if v := q.Eval(&condition.Context{P: p, Now: noon.Add(3 * hour)}); !v.True {
		t.Error("three views of one article are not one different article")
	}
}

func TestDaysBeginWhereTheClockSaysSo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, zone, birthday string
		before               string // an instant before it
		start, end           string
	}{
		{"an ordinary day", "Europe/Berlin", "1990-07-01", "2026-06-20T00:00:00Z", "2026-06-30T22:00:00Z", "2026-07-01T22:00:00Z"},
		{"the short day in spring", "Europe/Berlin", "1990-03-29", "2026-03-20T00:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"midnight is left out", "America/Havana", "1990-03-08", "2026-03-01T00:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
		{"midnight strikes twice", "America/Havana", "1990-11-01", "2026-10-20T00:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		{"a day that was left out altogether", "Pacific/Apia", "1990-12-31", "2011-12-20T00:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
		{"29 February in a common year", "UTC", "1996-02-29", "2026-02-20T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"},
		{"29 February in a leap year", "UTC", "--02-29", "2028-02-20T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"over New Year", "UTC", "01-01", "2026-12-25T00:00:00Z", "2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := compile(t, env(), `{'trait':'birthday','anniversary':'today'}`)
			p := profile.New(identity.ID{1})
			p.Zone = tt.zone
			p.Traits = []profile.Trait{{Name: "birthday", Value: event.Text(tt.birthday)}}
			c := condition.Context{P: p, Now: instant(tt.before), Zones: zone}
			if v := q.Eval(&c); v.True || v.Until != instant(tt.start) {
				t.Fatalf("before: %v until %s, want until %s", v.True, v.Until, tt.start)
			}
			c.Now = instant(tt.start)
			if v := q.Eval(&c); !v.True || v.Until != instant(tt.end) {
				t.Fatalf("at its start: %v until %s, want until %s", v.True, v.Until, tt.end)
			}
			c.Now = instant(tt.end)
			if v := q.Eval(&c); v.True || v.Until < c.Now.Add(300*day) {
				t.Fatalf("at its end: %v until %s", v.True, v.Until)
			}
		})
	}
}

func TestLocalTimeFollowsTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, now, text string
		is              bool
		until           string
	}{
		{"the hour that is left out opens at the change", "2026-03-29T00:30:00Z", `{'local_time':{'from':'02:30','to':'05:00'}}`, false, "2026-03-29T01:00:00Z"},
		{"and closes by the new clock", "2026-03-29T01:00:00Z", `{'local_time':{'from':'02:30','to':'05:00'}}`, true, "2026-03-29T03:00:00Z"},
		{"the hour that comes twice closes at the change", "2026-10-25T00:30:00Z", `{'local_time':{'from':'02:30','to':'05:00'}}`, true, "2026-10-25T01:00:00Z"},
		{"and opens again", "2026-10-25T01:00:00Z", `{'local_time':{'from':'02:30','to':'05:00'}}`, false, "2026-10-25T01:30:00Z"},
		{"the long day in autumn", "2026-10-24T22:00:00Z", `{'weekday':'sun'}`, true, "2026-10-25T23:00:00Z"},
		{"a night belongs to the day on which it begins", "2026-03-07T03:00:00Z", `{'local_time':{'from':'22:00','to':'06:00'},'weekday':'fri'}`, true, "2026-03-07T05:00:00Z"},
		{"so Friday morning is Thursday's night", "2026-03-06T03:00:00Z", `{'local_time':{'from':'22:00','to':'06:00'},'weekday':'fri'}`, false, "2026-03-06T21:00:00Z"},
		{"until midnight", "2026-03-04T22:00:00Z", `{'local_time':{'from':'20:00','to':'24:00'}}`, true, "2026-03-04T23:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := compile(t, env(), tt.text)
			v := q.Eval(&condition.Context{P: profile.New(identity.ID{1}), Now: instant(tt.now), DefaultZone: zone("Europe/Berlin")})
			if v.True != tt.is || v.Until != instant(tt.until) {
				t.Fatalf("%v until %s, want %v until %s", v.True, v.Until, tt.is, tt.until)
			}
		})
	}
}

func TestDwellCountsFromWhenItBecameTrue(t *testing.T) {
	t.Parallel()
	e := env()
	q := compile(t, e, `{'dwell':'3d','when':{'segment':'vip'}}`)
	var hidden []condition.Hidden
	e.OnHidden(func(h condition.Hidden) { hidden = append(hidden, h) })
	compile(t, e, `{'dwell':'9d','when':{'segment':'vip'}}`)
	compile(t, e, `{'dwell':'9d','when':{'segment':'lapsed'}}`)
	if len(hidden) != 2 || !q.Deps().Mentions(condition.SegmentKey(hidden[0].Name)) {
		t.Fatalf("hidden segments: %+v, want one for each inner condition", hidden)
	}
	p := profile.New(identity.ID{1})
	for _, tt := range []struct {
		name  string
		m     profile.Membership
		is    bool
		until event.Time
	}{
		{"not in it and nothing pending", profile.Membership{Until: event.Never}, false, event.Never},
		{"not before it may turn, and then three days", profile.Membership{Since: 1, Until: noon.Add(hour)}, false, noon.Add(3*day + hour)},
		{"in it, not long enough", profile.Membership{In: true, Since: noon.Add(-day), Until: noon.Add(hour)}, false, noon.Add(2 * day)},
		{"in it, exactly long enough", profile.Membership{In: true, Since: noon.Add(-3 * day), Until: noon.Add(hour)}, true, noon.Add(hour)},
	} {
		tt.m.Key = condition.SegmentKey(hidden[0].Name)
		p.Segments = []profile.Membership{tt.m}
		if v := q.Eval(&condition.Context{P: p, Now: noon}); v.True != tt.is || v.Until != tt.until {
			t.Errorf("%s: %v until %s, want %v until %s", tt.name, v.True, v.Until, tt.is, tt.until)
		}
	}
}

func TestRandomSharesAreStickyAndRight(t *testing.T) {
	t.Parallel()
	q := compile(t, env(), `{'random':{'name':'pilot','share':'30%'}}`)
	in := 0
	for i := range 10_000 {
		p := profile.New(identity.ID{byte(i), byte(i >> 8), 3})
		if q.Eval(&condition.Context{P: p, Now: noon}).True {
			in++
		}
	}
	if in < 2800 || in > 3200 {
		t.Errorf("%d of 10000 are in a share of 30 %%", in)
	}
}

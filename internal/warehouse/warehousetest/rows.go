package warehousetest

import (
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/warehouse"
)

func wholeEvent(t *testing.T, open Open) {
	w, _ := start(t, open)
	load(t, w, warehouse.Load{Events: []warehouse.Event{{
		Profile: person(1), At: day, Now: day + 1, ID: 1<<63 + 5, Type: "track", Name: "Product Viewed", Source: "web key", Origin: "import", Known: true, Session: day - hour,
		Device: "mobile", Channel: "web", Store: "Leeds", SKU: "LAMP-1", Product: "LAMP", Category: "lighting", Search: "lamps 'n' \"shades\"", Value: 12_340_000, HasValue: true,
		Currency: "GBP", Properties: `{"coupon":"ÄÖ"}`,
	}, seen(person(2), "x", day)}})
	expect(t, w, `SELECT profile, ts, heard, id, type, name, source, origin, known, session, device, channel, store, sku, product, category, search, value, currency, properties
		FROM events WHERE name = 'Product Viewed'`,
		person(1).String()+`|@1600000000000|@1600000000001|-9223372036854775803|track|Product Viewed|web key|import|true|@1599996400000|mobile|web|Leeds|LAMP-1|LAMP|lighting|lamps 'n' "shades"|12340000|GBP|{"coupon":"ÄÖ"}`)
	expect(t, w, "SELECT session, value, device FROM events WHERE name = 'x'", "<nil>|<nil>|")
}

func wholeOrder(t *testing.T, open Open) {
	w, _ := start(t, open)
	load(t, w, warehouse.Load{
		Orders: []warehouse.Order{{
			Profile: person(1), OrderID: "o1", Kind: "refunded", At: day, Net: -3 * pound, Currency: "GBP", Units: -1000, Channel: "till", Device: "", Store: "Leeds", Origin: "live", Known: true,
		}},
		Lines: []warehouse.Line{{
			Profile: person(1), OrderID: "o1", Kind: "refunded", At: day, Line: 4, SKU: "LAMP-1", Product: "LAMP", Name: "Lamp", Category: "lighting", Quantity: 1500, Price: 2 * pound,
			Net: 3 * pound, Currency: "GBP", Known: true,
		}},
	})
	expect(t, w, "SELECT profile, order_id, kind, ts, net, currency, units, channel, device, store, origin, known FROM orders",
		person(1).String()+"|o1|refunded|@1600000000000|-3000000|GBP|-1000|till||Leeds|live|true")
	expect(t, w, "SELECT profile, order_id, kind, ts, line, sku, product, name, category, quantity, price, net, currency, known FROM order_lines",
		person(1).String()+"|o1|refunded|@1600000000000|4|LAMP-1|LAMP|Lamp|lighting|1500|2000000|3000000|GBP|true")
}

func wholeMessages(t *testing.T, open Open) {
	w, _ := start(t, open)
	load(t, w, warehouse.Load{
		Deliveries: []warehouse.Delivery{{
			Profile: person(1), Delivery: message(1), At: day, Channel: "email", Origin: "welcome", Version: 1<<64 - 1, Step: "hello", Class: "marketing", State: "dropped", Reason: "no_consent",
			Actor: "human", Product: "LAMP", Category: "lighting",
		}},
		Decisions: []warehouse.Decision{{
			Profile: person(1), Delivery: message(1), At: day, Stage: "plan", Outcome: "never", Rule: 2, Reason: "no_consent", Chance: 0.9, Channel: "email", Origin: "welcome", Version: 3, Step: "hello",
		}},
		Memberships: []warehouse.Membership{{Profile: person(1), Segment: "vip", In: true, At: day}, {Profile: person(1), Segment: "vip", In: false, At: day + 1}},
	})
	expect(t, w, "SELECT profile, delivery, ts, channel, origin, step, class, state, reason, actor, product, category FROM deliveries",
		person(1).String()+"|"+message(1).String()+"|@1600000000000|email|welcome|hello|marketing|dropped|no_consent|human|LAMP|lighting")
	expect(t, w, "SELECT version FROM deliveries", "18446744073709551615")
	expect(t, w, "SELECT profile, delivery, ts, stage, outcome, rule, reason, chance, channel, origin, version, step FROM decisions",
		person(1).String()+"|"+message(1).String()+"|@1600000000000|plan|never|2|no_consent|0.9|email|welcome|3|hello")
	expect(t, w, "SELECT segment, is_in, ts FROM memberships ORDER BY ts", "vip|true|@1600000000000", "vip|false|@1600000000001")
	expect(t, w, "SELECT profile FROM members WHERE segment = 'vip'")
}

// A history that is brought in is judged as of one instant, so customers enter and leave
// a segment at one.
func insiders(t *testing.T, open Open) {
	w, _ := start(t, open)
	word := func(p byte, in bool, at event.Time) warehouse.Membership {
		return warehouse.Membership{Profile: person(p), Segment: "vip", In: in, At: at}
	}
	for _, list := range [][]warehouse.Membership{
		{word(1, true, day), word(1, false, day), word(2, false, day), word(2, true, day), word(3, true, day+2)},
		{word(4, true, day), word(3, false, day+1), word(5, true, day)}, // heard later, and was so earlier
		{word(4, false, day), word(5, false, day), word(5, true, day)},
	} {
		load(t, w, warehouse.Load{Memberships: list})
	}
	load(t, w, warehouse.Load{Joins: []warehouse.Join{{Strand: person(5), Profile: person(2)}}})
	expect(t, w, "SELECT profile, since FROM members WHERE segment = 'vip' ORDER BY profile", person(2).String()+"|@1600000000000", person(3).String()+"|@1600000000002")
	expect(t, w, "SELECT segment, count(*) AS n FROM members GROUP BY segment", "vip|2")
}

func visits(t *testing.T, open Open) {
	const minute = hour / 60
	at := func(p byte, name string, minutes, session event.Time) warehouse.Event {
		e := seen(person(p), name, day+minutes*minute)
		e.Type = "track"
		if session >= 0 {
			e.Session = day + session*minute
		}
		return e
	}
	const none = -1
	said := at(1, "mail", 5, none)
	said.Type = "system"
	fact := at(1, "fact", 6, none)
	fact.Type = "fact"
	listed, agreed := at(1, "listed", 33, none), at(1, "Consent Changed", 34, none) // lines of a file: nobody came
	listed.Type, listed.Origin, agreed.Origin = "identify", "import", "import"
	foretold := at(1, "Prediction Made", 35, none)
	never := at(1, "never", 0, none)
	never.At = event.Never
	events := []warehouse.Event{
		at(1, "live", 100, 100), at(1, "next", 129, 100), at(2, "other", 7, 3), // heard as they happened; 2 has nothing late
		at(1, "d", 71, none), at(1, "a", 0, none), at(1, "c", 60, none), at(1, "b", 29, none), said, fact, listed, agreed, foretold, never,
		at(4, "strand", 50, 50), at(3, "late", 30, none), at(3, "main", 65, 50),
	}
	joins := []warehouse.Join{{Strand: person(4), Profile: person(3)}}
	want := []string{
		"Consent Changed|<nil>", "Prediction Made|<nil>", "a|@1600000000000", "b|@1600000000000", "c|@1600003600000", "d|@1600003600000", "fact|<nil>", "late|@1600001800000", "listed|<nil>", "live|@1600003600000", "mail|<nil>",
		"main|@1600001800000", "never|<nil>", "next|@1600003600000", "other|@1600000180000", "strand|@1600001800000",
	}
	const ask = "SELECT name, session FROM events ORDER BY name"
	for _, split := range []int{0, 3, 4, 8, len(events)} { // one load or two, each followed by visits
		w, reopen := start(t, open)
		load(t, w, warehouse.Load{Events: events[:split], Joins: joins})
		if err := w.Visit(t.Context()); err != nil {
			t.Fatal(err)
		}
		load(t, w, warehouse.Load{Events: events[split:]})
		for range 2 {
			if err := w.Visit(t.Context()); err != nil {
				t.Fatal(err)
			}
			expect(t, w, ask, want...)
		}
		w = reopen()
		expect(t, w, ask, want...)
	}
}

func oddInstants(t *testing.T, open Open) {
	w, _ := start(t, open)
	load(t, w, warehouse.Load{Events: []warehouse.Event{seen(person(1), "never", event.Never), seen(person(1), "long ago", -1<<62), seen(person(1), "unknown", 0)}})
	expect(t, w, "SELECT name, ts FROM events ORDER BY name", "long ago|<nil>", "never|<nil>", "unknown|<nil>")
}

func lastWord(t *testing.T, open Open) {
	w, reopen := start(t, open)
	said := warehouse.Profile{Profile: person(1), At: day, Born: day, Country: "GB", City: "Leeds", Consents: "email/marketing", Reachable: "email", Device: "mobile"}
	load(t, w, warehouse.Load{Profiles: []warehouse.Profile{said, {Profile: person(1), Seen: true, First: day, Last: day + hour}, {Profile: person(2), At: day, Born: day}}})
	said.City, said.Consents, said.Known, said.Lifecycle = "York", "", true, "repeat"
	load(t, w, warehouse.Load{Profiles: []warehouse.Profile{said, {Profile: person(1), Seen: true, First: day - hour, Last: day}}})
	ask := "SELECT profile, born, first, last, known, country, city, locale, zone, device, consents, reachable, lifecycle FROM profiles ORDER BY profile"
	want := []string{
		person(1).String() + "|@1600000000000|@1599996400000|@1600003600000|true|GB|York|||mobile||email|repeat",
		person(2).String() + "|@1600000000000|<nil>|<nil>|false|||||||||"[:len("|@1600000000000|<nil>|<nil>|false||||||||")],
	}
	expect(t, w, ask, want...)
	w = reopen()
	said.City = "Hull"
	load(t, w, warehouse.Load{Profiles: []warehouse.Profile{said}})
	expect(t, w, "SELECT city FROM profiles WHERE country = 'GB'", "Hull")
	// Nobody is left, whatever was seen of them, until somebody says otherwise.
	gone := warehouse.Profile{Profile: person(1), At: day, Gone: true}
	load(t, w, warehouse.Load{Profiles: []warehouse.Profile{gone, {Profile: person(1), Seen: true, First: day, Last: day}}})
	expect(t, w, "SELECT profile FROM profiles", person(2).String())
	load(t, w, warehouse.Load{Profiles: []warehouse.Profile{said}})
	expect(t, w, "SELECT city FROM profiles WHERE country = 'GB'", "Hull")
}

func joined(t *testing.T, open Open) {
	w, _ := start(t, open)
	load(t, w, warehouse.Load{
		Events:   []warehouse.Event{seen(person(1), "a", day), seen(person(2), "b", day), seen(person(3), "c", day)},
		Orders:   []warehouse.Order{{Profile: person(1), OrderID: "o1", Kind: "completed", At: day, Net: pound}},
		Profiles: []warehouse.Profile{{Profile: person(1), At: day, Born: day, City: "Leeds"}, {Profile: person(1), Seen: true, First: day, Last: day}},
		Joins:    []warehouse.Join{{Strand: person(1), Profile: person(2)}},
	})
	expect(t, w, "SELECT uniqExact(profile) FROM events", "2")
	// Who was 1 is 2, and 2 becomes 3: the last word on each strand counts.
	load(t, w, warehouse.Load{Joins: []warehouse.Join{{Strand: person(2), Profile: person(3)}, {Strand: person(1), Profile: person(3)}}, Profiles: []warehouse.Profile{{Profile: person(3), At: day, Born: day + 1, City: "York"}}})
	expect(t, w, "SELECT profile, count(*) FROM events GROUP BY profile", person(3).String()+"|3")
	expect(t, w, "SELECT profile FROM orders", person(3).String())
	expect(t, w, "SELECT profile, born, first, city FROM profiles", person(3).String()+"|@1600000000000|@1600000000000|York")
	expect(t, w, "SELECT strand, profile FROM persons ORDER BY strand", person(1).String()+"|"+person(3).String(), person(2).String()+"|"+person(3).String())
}

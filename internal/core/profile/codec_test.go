package profile_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/place"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

var (
	texts    = rapid.OneOf(rapid.Just(""), rapid.String())
	instants = rapid.Custom(func(t *rapid.T) event.Time {
		return event.Time(rapid.OneOf(rapid.Int64(), rapid.Just(int64(0)), rapid.Just(int64(event.Never))).Draw(t, "time"))
	})
	bytes16 = rapid.Custom(func(t *rapid.T) (id [16]byte) {
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		return id
	})
	identifiers = rapid.Custom(func(t *rapid.T) identity.Identifier {
		return identity.Identifier{Kind: identity.Kind(texts.Draw(t, "kind")), Value: texts.Draw(t, "value")}
	})
)

// several draws a few of a thing, nil for none: the codec knows no other nothing.
func several[T any](t *rapid.T, what string, one func(*rapid.T) T) []T {
	list := rapid.SliceOfN(rapid.Custom(one), 0, 3).Draw(t, what)
	if len(list) == 0 {
		return nil
	}
	return list
}

func drawDelivery(t *rapid.T) profile.Delivery {
	d := profile.Delivery{
		ID: bytes16.Draw(t, "delivery"), State: profile.State(rapid.Byte().Draw(t, "state")), Class: profile.Class(rapid.ByteMax(127).Draw(t, "class")), Unwanted: rapid.Bool().Draw(t, "unwanted"),
		Version: rapid.Uint64().Draw(t, "version"), Priority: rapid.Int32().Draw(t, "priority"), Fence: rapid.Uint64().Draw(t, "fence"), Props: event.Object(texts.Draw(t, "props")),
	}
	for _, s := range []*string{&d.Channel, &d.Purpose, &d.Journey, &d.Step, &d.Key, &d.Template, &d.Reason, &d.Product, &d.Category} {
		*s = texts.Draw(t, "text")
	}
	for _, at := range []*event.Time{&d.Planned, &d.NotBefore, &d.Expires, &d.Deadline, &d.Tried} {
		*at = instants.Draw(t, "at")
	}
	return d
}

// drawProfile draws a profile with something of everything. What is drawn need not
// make sense: the codec does not ask.
func drawProfile(t *rapid.T) *profile.Profile {
	u64, i32, i64, flag := rapid.Uint64(), rapid.Int32(), rapid.Int64(), rapid.Bool()
	p := &profile.Profile{
		ID: bytes16.Draw(t, "id"), Owner: bytes16.Draw(t, "owner"), Birth: identifiers.Draw(t, "birth"), Born: instants.Draw(t, "born"), Program: u64.Draw(t, "program"),
		Zone: texts.Draw(t, "zone"), Locale: texts.Draw(t, "locale"), Device: texts.Draw(t, "device"), First: instants.Draw(t, "first"), Last: instants.Draw(t, "last"),
		Count: i64.Draw(t, "count"), Month: i32.Draw(t, "month"), InMonth: i32.Draw(t, "in month"), Newest: instants.Draw(t, "newest"), Halfway: instants.Draw(t, "halfway"), Evicted: instants.Draw(t, "evicted"), Alarm: instants.Draw(t, "alarm"),
		Session: profile.Session{Start: instants.Draw(t, "start"), Last: instants.Draw(t, "end"), Count: i64.Draw(t, "sessions")},
	}
	p.Strands = several(t, "strands", func(t *rapid.T) identity.ID { return bytes16.Draw(t, "strand") })
	p.Held = several(t, "held", func(t *rapid.T) profile.Held {
		return profile.Held{Identifier: identifiers.Draw(t, "identifier"), State: profile.Holding(rapid.Byte().Draw(t, "state")), At: instants.Draw(t, "at")}
	})
	p.Predictions = several(t, "predictions", func(t *rapid.T) profile.Prediction {
		return profile.Prediction{
			Name: texts.Draw(t, "name"), Value: event.Value{Kind: event.Kind(rapid.Byte().Draw(t, "kind")), Raw: texts.Draw(t, "raw")}, At: instants.Draw(t, "at"), Until: instants.Draw(t, "until"),
			Model: texts.Draw(t, "model"), Evidence: texts.Draw(t, "evidence"), By: u64.Draw(t, "by"),
		}
	})
	block := func(t *rapid.T) profile.Block {
		return profile.Block{N: i64.Draw(t, "n"), Hi: i64.Draw(t, "hi"), Lo: u64.Draw(t, "lo")}
	}
	ahead := func(t *rapid.T) profile.Ahead {
		return profile.Ahead{From: instants.Draw(t, "from"), Points: profile.Points(i64.Draw(t, "points")), Of: texts.Draw(t, "of")}
	}
	half := rapid.Int64Range(0, 1<<62)
	points := rapid.Custom(func(t *rapid.T) profile.Points {
		return profile.Points(rapid.OneOf(i64, rapid.Just(int64(5*profile.OnePoint))).Draw(t, "of"))
	})
	p.Scores = several(t, "scores", func(t *rapid.T) *profile.Score {
		return &profile.Score{
			Key: u64.Draw(t, "key"), Half: half.Draw(t, "half"), Sum: several(t, "sum", block), Ahead: several(t, "ahead", ahead),
			Marks: several(t, "marks", func(t *rapid.T) profile.Mark {
				return profile.Mark{Rule: i32.Draw(t, "rule"), Kind: profile.MarkKind(rapid.Byte().Draw(t, "kind")), Slot: u64.Draw(t, "slot"), Points: points.Draw(t, "points"), At: instants.Draw(t, "at")}
			}),
		}
	})
	p.Tastes = several(t, "tastes", func(t *rapid.T) *profile.Taste {
		return &profile.Taste{
			Key: u64.Draw(t, "key"), Half: half.Draw(t, "half"), Total: several(t, "total", block), Ahead: several(t, "ahead", ahead),
			Of: several(t, "of", func(t *rapid.T) profile.Liking {
				return profile.Liking{Name: texts.Draw(t, "name"), Sum: several(t, "sum", block)}
			}),
		}
	})
	p.Lists = several(t, "lists", func(t *rapid.T) profile.Listing {
		return profile.Listing{List: texts.Draw(t, "list"), In: flag.Draw(t, "in"), At: instants.Draw(t, "at"), By: u64.Draw(t, "by")}
	})
	p.Objects = several(t, "objects", func(t *rapid.T) profile.Object {
		return profile.Object{Type: texts.Draw(t, "type"), ID: texts.Draw(t, "id"), Props: event.Object(texts.Draw(t, "props")), Gone: flag.Draw(t, "gone"), At: instants.Draw(t, "at"), By: u64.Draw(t, "by")}
	})
	p.Tallies = several(t, "tallies", func(t *rapid.T) *profile.Tally {
		return &profile.Tally{Key: u64.Draw(t, "key"), Marks: several(t, "marks", func(t *rapid.T) profile.Found {
			return profile.Found{At: instants.Draw(t, "at"), Value: event.Value{Kind: event.Kind(rapid.Byte().Draw(t, "kind")), Raw: texts.Draw(t, "raw")}, Count: i64.Draw(t, "count")}
		})}
	})
	p.Traits = several(t, "traits", func(t *rapid.T) profile.Trait {
		return profile.Trait{Name: texts.Draw(t, "name"), Value: event.Value{Kind: event.Kind(rapid.Byte().Draw(t, "kind")), Raw: texts.Draw(t, "raw")}, At: instants.Draw(t, "at"), By: u64.Draw(t, "by")}
	})
	p.Consents = several(t, "consents", func(t *rapid.T) profile.Consent {
		return profile.Consent{
			Channel: texts.Draw(t, "channel"), Purpose: texts.Draw(t, "purpose"), Granted: flag.Draw(t, "granted"), At: instants.Draw(t, "at"),
			Proof: event.ID(texts.Draw(t, "proof")), Evidence: texts.Draw(t, "evidence"), Wording: texts.Draw(t, "wording"), Expires: instants.Draw(t, "expires"),
		}
	})
	p.Health = several(t, "health", func(t *rapid.T) profile.Health {
		return profile.Health{Channel: texts.Draw(t, "channel"), Address: texts.Draw(t, "address"), State: profile.AddressState(rapid.Byte().Draw(t, "state")), At: instants.Draw(t, "at"), Why: texts.Draw(t, "why"), Soft: i32.Draw(t, "soft")}
	})
	p.Orders = several(t, "orders", func(t *rapid.T) profile.Order {
		return profile.Order{
			ID: texts.Draw(t, "order"), Kind: profile.OrderKind(rapid.Byte().Draw(t, "kind")), At: instants.Draw(t, "at"), Net: money.Micros(i64.Draw(t, "net")),
			Currency: money.Currency(texts.Draw(t, "currency")), Units: i64.Draw(t, "units"), Where: texts.Draw(t, "where"), By: u64.Draw(t, "by"),
		}
	})
	p.Bought = several(t, "bought", func(t *rapid.T) profile.Bought {
		return profile.Bought{
			SKU: texts.Draw(t, "sku"), Product: texts.Draw(t, "product"), Name: texts.Draw(t, "name"), Category: texts.Draw(t, "category"),
			First: instants.Draw(t, "first"), Last: instants.Draw(t, "last"), Count: i32.Draw(t, "count"), Where: texts.Draw(t, "where"),
		}
	})
	p.Series = several(t, "series", func(t *rapid.T) *profile.Series {
		return &profile.Series{
			Key: u64.Draw(t, "key"), Count: i64.Draw(t, "count"), Sum: money.Micros(i64.Draw(t, "sum")), First: instants.Draw(t, "first"), Last: instants.Draw(t, "last"),
			Obs: several(t, "obs", func(t *rapid.T) profile.Obs {
				return profile.Obs{At: instants.Draw(t, "at"), Value: money.Micros(rapid.OneOf(rapid.Just(int64(0)), i64).Draw(t, "value")), Tag: rapid.OneOf(rapid.Just(uint64(0)), u64).Draw(t, "tag")}
			}),
		}
	})
	p.Segments = several(t, "segments", func(t *rapid.T) profile.Membership {
		return profile.Membership{Key: u64.Draw(t, "key"), In: flag.Draw(t, "in"), Since: instants.Draw(t, "since"), Until: instants.Draw(t, "until")}
	})
	p.Journeys = several(t, "journeys", func(t *rapid.T) profile.Instance {
		return profile.Instance{
			Journey: texts.Draw(t, "journey"), Version: u64.Draw(t, "version"), Key: texts.Draw(t, "key"), Step: texts.Draw(t, "step"), Entered: instants.Draw(t, "entered"),
			Since: instants.Draw(t, "since"), Wake: instants.Draw(t, "wake"), Check: instants.Draw(t, "check"), Arrivals: i32.Draw(t, "arrivals"), Burst: i32.Draw(t, "burst"),
			Sent: i32.Draw(t, "sent"), Unsent: i32.Draw(t, "unsent"), Held: flag.Draw(t, "held"), Trigger: event.ID(texts.Draw(t, "trigger")), TriggerAt: instants.Draw(t, "trigger at"),
			Name: texts.Draw(t, "name"), Props: event.Object(texts.Draw(t, "props")), Product: texts.Draw(t, "product"), Waiting: bytes16.Draw(t, "waiting"),
		}
	})
	p.Past = several(t, "past", func(t *rapid.T) profile.Past {
		return profile.Past{Journey: texts.Draw(t, "journey"), Entered: instants.Draw(t, "entered"), Left: instants.Draw(t, "left"), Times: i32.Draw(t, "times"), Keys: several(t, "keys", func(t *rapid.T) uint64 { return u64.Draw(t, "key") })}
	})
	p.Open = several(t, "open", drawDelivery)
	p.Contacts = several(t, "contacts", func(t *rapid.T) profile.Contact {
		return profile.Contact{At: instants.Draw(t, "at"), Channel: texts.Draw(t, "channel"), Journey: texts.Draw(t, "journey"), Class: profile.Class(rapid.Byte().Draw(t, "class")), ID: bytes16.Draw(t, "id")}
	})
	p.Seen = several(t, "seen", func(t *rapid.T) uint64 { return u64.Draw(t, "fingerprint") })
	return p
}

func TestAProfileComesBackFromItsBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawProfile(t)
		row := want.Append([]byte("before"))[len("before"):]
		got, err := profile.Decode(string(row))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("read %+v, %v\nwant %+v", got, err, want)
		}
		if again := got.Append(nil); !bytes.Equal(again, row) {
			t.Fatalf("equal profiles give\n%x\n%x", row, again)
		}
		cut := rapid.IntRange(0, len(row)-1).Draw(t, "cut")
		if _, err := profile.Decode(string(row[:cut])); !fault.Is(err, fault.Corrupt) {
			t.Fatalf("the first %d of %d bytes are read as a whole profile: %v", cut, len(row), err)
		}
		if _, err := profile.Decode(string(row) + "x"); !fault.Is(err, fault.Corrupt) {
			t.Fatalf("a byte behind the profile is not noticed: %v", err)
		}
	})
}

func TestADeliveryComesBackFromItsBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawDelivery(t)
		row := profile.AppendDelivery(nil, &want)
		if got, err := profile.DecodeDelivery(string(row)); err != nil || got != want {
			t.Fatalf("read %+v, %v\nwant %+v", got, err, want)
		}
		for _, damaged := range []string{string(row[:len(row)-1]), string(row) + "x", "\x09" + string(row[1:])} {
			if _, err := profile.DecodeDelivery(damaged); !fault.Is(err, fault.Corrupt) {
				t.Fatalf("damaged bytes are read: %v", err)
			}
		}
	})
}

func TestOnlyTheNewestIdsAreKeptInTheRow(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	for i := range 2*profile.SeenKept + 7 {
		p.Remember(&event.Event{ID: event.ID(rune('a' + i)), Raw: noon})
	}
	got, err := profile.Decode(string(p.Append(nil)))
	if err != nil || len(got.Seen) > profile.SeenKept || len(got.Seen) < profile.SeenKept/2 || got.Seen[len(got.Seen)-1] != p.Seen[len(p.Seen)-1] {
		t.Errorf("%d ids are kept, %v", len(got.Seen), err)
	}
}

// A row of the first version held more ids than are kept now. Those let go must
// be asked for in the history, which has them all.
func TestARowOfTheFirstVersionIsReadAndForgetsNoId(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("testdata/profile.v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	row, err := hex.DecodeString(strings.Join(strings.Fields(string(golden)), ""))
	if err != nil {
		t.Fatal(err)
	}
	want := everything()
	want.Halfway, want.Predictions = want.Newest, nil
	want.Scores, want.Tastes = nil, nil
	want.Lists, want.Objects, want.Tallies = nil, nil, nil
	placeless(want)
	want.Open[0].Unwanted = false
	if got, err := profile.Decode(string(row)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the stored profile is read as %+v, %v", got, err)
	}
	// The same row with 200 ids in the place of two.
	two := []byte{2}
	for _, id := range want.Seen {
		two = wire.Fixed(two, id)
	}
	many := wire.Uvarint(nil, 200)
	for id := range uint64(200) {
		many = wire.Fixed(many, id)
	}
	got, err := profile.Decode(strings.Replace(string(row), string(two), string(many), 1))
	if err != nil || len(got.Seen) != profile.SeenKept || got.Seen[profile.SeenKept-1] != 199 {
		t.Fatalf("%d ids are kept, %v", len(got.Seen), err)
	}
	if ask := got.Sees(&event.Event{ID: "an id of old", Raw: got.Newest}); ask != profile.AskMonth {
		t.Errorf("an id that may have been let go is %d, want it to be asked for in the history", ask)
	}
}

// everything has one of each, in the order in which it stands in the row.
func everything() *profile.Profile {
	return &profile.Profile{
		ID: identity.ID{1, 2}, Owner: identity.ID{3, 4}, Birth: identity.Identifier{Kind: identity.User, Value: "ada"}, Born: noon, Program: 0xfeed,
		Strands:  []identity.ID{{5}},
		Held:     []profile.Held{{Identifier: identity.Identifier{Kind: identity.Email, Value: "ada@shop.example"}, State: profile.Owned, At: noon + 1}},
		Traits:   []profile.Trait{{Name: "city", Value: event.Text("Leeds"), At: noon + 2, By: 7}, {Name: "vip", Value: event.Yes(true), At: noon + 3, By: 8}},
		Consents: []profile.Consent{{Channel: "email", Purpose: "marketing", Granted: true, At: noon + 4, Proof: "m1", Evidence: "box", Wording: "v3", Expires: noon + 5}},
		Health:   []profile.Health{{Channel: "email", Address: "old@shop.example", State: profile.Bounced, At: noon + 6, Why: "550", Soft: 2}},
		Orders:   []profile.Order{{ID: "o1", Kind: profile.Refunded, At: noon + 7, Net: -12_500_000, Currency: "GBP", Units: -2000, Where: "till", By: 9}},
		Bought:   []profile.Bought{{SKU: "lamp-red", Product: "lamp", Name: "Lamp", Category: "lighting", First: noon + 8, Last: noon + 9, Count: 2, Where: "web"}},
		Session:  profile.Session{Start: noon + 10, Last: noon + 11, Count: 12},
		Series:   []*profile.Series{{Key: 13, Obs: []profile.Obs{{At: noon + 14, Value: 15, Tag: 16}, {At: noon + 17}}, Count: 18, Sum: 19, First: noon + 20, Last: noon + 21}},
		Segments: []profile.Membership{{Key: 22, In: true, Since: noon + 23, Until: event.Never}},
		Journeys: []profile.Instance{{
			Journey: "welcome", Version: 24, Key: "o1", Step: "hello", Entered: noon + 25, Since: noon + 26, Wake: noon + 27, Check: event.Never, Arrivals: 28, Burst: 29,
			Sent: 30, Unsent: 31, Held: true, Trigger: "m2", TriggerAt: noon + 32, Name: "Order Completed", Props: object("order_id", "o1"), Product: "mug", Waiting: profile.DeliveryID{33},
		}},
		Past: []profile.Past{{Journey: "welcome", Entered: noon + 34, Left: noon + 35, Times: 36, Keys: []uint64{37, 38}}},
		Open: []profile.Delivery{{
			ID: profile.DeliveryID{39}, State: profile.Claimed, Class: profile.Service, Channel: "email", Purpose: "service", Journey: "shipped", Version: 40, Step: "tell", Key: "o1",
			Template: "shipped", Reason: "You ordered it", Product: "mug", Category: "kitchen", Priority: -41, Fence: 42, Planned: noon + 43, NotBefore: noon + 44, Expires: event.Never,
			Deadline: noon + 45, Tried: noon + 46, Unwanted: true, Props: object("n", 1),
		}},
		Contacts: []profile.Contact{{At: noon + 47, Channel: "email", Journey: "welcome", Class: profile.Marketing, ID: profile.DeliveryID{48}}},
		Zone:     "Europe/London", Locale: "en-GB", Device: "mobile", First: noon + 49, Last: noon + 50, Count: 51, Month: 24314, InMonth: 52,
		Seen: []uint64{53, 54}, Newest: noon + 55, Halfway: noon + 58, Evicted: noon + 56, Alarm: noon + 57,
		Predictions: []profile.Prediction{{Name: "clv", Value: event.Int(120), At: noon + 59, Until: noon + 60, Model: "bg_nbd", Evidence: "6 orders", By: 61}},
		Scores: []*profile.Score{{
			Key: 62, Half: 63, Sum: profile.Sum{{N: 64, Hi: 65, Lo: 66}}, Ahead: []profile.Ahead{{From: noon + 67, Points: 68, Of: "nothing"}},
			Marks: []profile.Mark{{Rule: 69, Kind: profile.MarkDay, Slot: 70, Points: 71, At: noon + 72}},
		}},
		Tastes: []*profile.Taste{{
			Key: 73, Half: 74, Total: profile.Sum{{N: 75, Hi: 76, Lo: 77}}, Of: []profile.Liking{{Name: "lamps", Sum: profile.Sum{{N: 78, Hi: 79, Lo: 80}}}},
			Ahead: []profile.Ahead{{From: noon + 81, Points: 82, Of: "rugs"}},
		}},
		Lists:   []profile.Listing{{List: "press", In: true, At: noon + 62, By: 63}},
		Objects: []profile.Object{{Type: "pet", ID: "rex", Props: object("name", "Rex"), Gone: true, At: noon + 64, By: 65}},
		Tallies: []*profile.Tally{{Key: 66, Marks: []profile.Found{{At: noon + 67, Value: event.Text("lamps"), Count: 68}}}},

		Where:     profile.Whereabouts{Country: "GB", Region: "England", City: "London", TownAt: noon + 62, Point: place.Grid{Lat: 515074, Lon: -1278}, PointAt: noon + 63},
		Visits:    []profile.Visit{{Key: 64, Entered: noon + 65, Last: noon + 66, In: true}},
		Glances:   []profile.Glance{{Item: 67, Device: "mobile", At: noon + 68}},
		HandOvers: []profile.HandOver{{From: "mobile", To: "desktop", Count: 69, Last: noon + 70}},
	}
}

// Every shop's customers lie in the store in these bytes. If this test fails, the
// encoding needs a new version and the old one must still be read.
func TestTheBytesOfAProfileNeverChange(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("testdata/profile.v4.hex")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(golden)), "")
	want := everything()
	if got := hex.EncodeToString(want.Append(nil)); got != text {
		t.Errorf("the profile is\n%s\nwant\n%s", got, text)
	}
	row, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := profile.Decode(string(row)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the stored profile is read as %+v, %v", got, err)
	}
}

func TestRowsInOnePieceAreRead(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v2", "v3"} {
		golden, err := os.ReadFile("testdata/profile." + version + ".hex")
		if err != nil {
			t.Fatal(err)
		}
		row, err := hex.DecodeString(strings.Join(strings.Fields(string(golden)), ""))
		if err != nil {
			t.Fatal(err)
		}
		want := everything()
		want.Scores, want.Tastes = nil, nil // nothing that came later
		want.Lists, want.Objects, want.Tallies = nil, nil, nil
		placeless(want)
		want.Open[0].Unwanted = false
		if version == "v2" {
			want.Predictions = nil
		}
		if got, err := profile.Decode(string(row)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the stored profile is read as %+v, %v", got, err)
		}
		if profile.InParts(string(row)) {
			t.Errorf("a row of %s is said to be in parts: its rest would be lost with the next event", version)
		}
	}
}

// placeless takes from p what rows had no sections for before places were kept.
func placeless(p *profile.Profile) {
	p.Where, p.Visits, p.Glances, p.HandOvers = profile.Whereabouts{}, nil, nil, nil
}

func TestASectionThatIsNotKnownIsNotSkipped(t *testing.T) {
	t.Parallel()
	row := profile.New(identity.ID{1}).Append(nil)
	if _, err := profile.Decode(string(row) + "\xff"); err == nil {
		t.Error("bytes that nobody wrote are taken for a profile")
	}
	said := everything().Append(nil)
	if _, err := profile.Decode(string(said) + string(said[len(said)-20:])); err == nil {
		t.Error("a section that stands twice is read")
	}
}

// A field that everything leaves at its zero would not be held by the golden bytes.
func TestTheGoldenProfileLeavesNothingOut(t *testing.T) {
	t.Parallel()
	var look func(path string, v reflect.Value)
	look = func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			look(path, v.Elem())
		case reflect.Struct:
			for i := range v.NumField() {
				look(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Slice:
			if path == "Profile.Looks" || path == "Profile.Untils" {
				return // in a row they stand in their places, among glances and memberships
			}
			if v.Len() == 0 {
				t.Errorf("%s is empty", path)
				return
			}
			if v.Type().Elem().Kind() == reflect.Struct || v.Type().Elem().Kind() == reflect.Pointer {
				look(path, v.Index(0))
			}
		default:
			if v.IsZero() && v.Type() != reflect.TypeFor[profile.Class]() {
				t.Errorf("%s is zero", path)
			}
		}
	}
	look("Profile", reflect.ValueOf(everything()))
}

// The store writes a row for each customer of a batch: its size is what a batch
// costs. This is one with two hundred events and four orders behind them, in ten
// segments and one journey.
func TestARegularCustomersRowFitsInFourKilobytes(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	p.Birth, p.Born, p.Program = identity.Identifier{Kind: identity.User, Value: "customer-12346"}, noon, 0xfeed
	for i, kind := range []identity.Kind{identity.Email, identity.Phone, identity.Anonymous, identity.Anonymous} {
		p.Hold(profile.Held{Identifier: identity.Identifier{Kind: kind, Value: "ada.lovelace@shop.example"[i:]}, State: profile.Owned, At: noon})
	}
	for i := range 200 {
		at := noon + event.Time(i)*3_600_000
		e := event.Event{ID: event.ID(rune('a' + i)), Type: event.Track, Name: event.ProductViewed, At: at, Raw: at, Trust: event.Server, Context: object("timezone", "Europe/London", "locale", "en-GB", "device", object("type", "mobile"))}
		switch {
		case i%60 == 0:
			sku := string(rune('a' + i/60))
			e = order("1000"+sku, event.OrderCompleted, at, "currency", "GBP", "revenue", 25, "channel", "web", "products", []event.Object{
				object("sku", "lamp-"+sku, "name", "Lamp "+sku, "category", "home/lighting", "price", 25), object("sku", "mug-"+sku, "name", "Mug", "category", "kitchen"),
			})
		case i%37 == 0:
			e.Traits = object([]string{"first_name", "last_name", "email", "city", "country", "birthday", "points", "segment"}[i/37-1], "Lovelace")
		}
		p = fold(p, e)
	}
	for i := range 2 {
		p = fold(p, event.Event{ID: event.ID(rune(i)), Type: event.Track, Name: event.ConsentChanged, At: noon, Raw: noon, Trust: event.Server, Props: object("channel", []string{"email", "sms"}[i], "state", "granted", "evidence", "checkout box", "wording", "2026-01")})
	}
	for i := range 15 {
		at := noon + event.Time(i)*86_400_000
		p.Series = append(p.Series, &profile.Series{Key: uint64(i) << 50, Count: 40, Sum: micros(40), First: at, Last: at + 5, Obs: []profile.Obs{{At: at}, {At: at + 1_000_000}, {At: at + 2_000_000}}})
		if i < 10 {
			p.Segments = append(p.Segments, profile.Membership{Key: uint64(i) << 50, In: true, Since: at, Until: at + 1000})
		}
		if i < 4 {
			p.Past = append(p.Past, profile.Past{Journey: "lighting-reminder", Entered: at, Left: at, Times: 1})
			p.Contacts = append(p.Contacts, profile.Contact{At: at, Channel: "email", Journey: "lighting-reminder", ID: profile.DeliveryID{byte(i)}})
		}
	}
	p.Journeys = everything().Journeys
	const most = 4 << 10
	if n := len(p.Append(nil)); n > most {
		t.Errorf("the row has %d bytes, at most %d are allowed", n, most)
	} else {
		t.Logf("the row has %d bytes, of which %d are remembered ids", n, 8*len(p.Seen))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(string(everything().Append(nil)))
	f.Add(string(profile.New(identity.ID{1}).Append(nil)))
	f.Fuzz(func(t *testing.T, s string) {
		p, err := profile.Decode(s)
		if err != nil {
			if !fault.Is(err, fault.Corrupt) || p != nil {
				t.Fatalf("%v, %v; want a Corrupt fault and nothing", p, err)
			}
			return
		}
		if n := len(p.Held) + len(p.Traits) + len(p.Orders) + len(p.Open) + len(p.Seen) + len(p.Journeys); n > len(s) {
			t.Fatalf("%d bytes hold %d things", len(s), n)
		}
		again, err := profile.Decode(string(p.Append(nil)))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("read again it is %+v, %v; want %+v", again, err, p)
		}
		use(p)
	})
}

// use asks a profile whatever can be asked, and lets something happen to it. What
// it holds may be nonsense: nothing must panic.
func use(p *profile.Profile) {
	p.Rank()
	p.Address("email")
	p.Trait("a.b")
	p.Spent("GBP", "GBP")
	own := *p
	own.Fold(&event.Event{ID: "m", Name: event.OrderCompleted, At: noon, Props: object("order_id", "o", "products", []event.Object{object("sku", "lamp")})}, noon)
	own.Hold(profile.Held{Identifier: own.Birth, State: profile.Refused})
	own.Ails(profile.Health{Channel: "email"})
	own.Join(everything())
	other := everything()
	other.Join(p)
}

func TestADamagedRowIsRefusedOrReadAndNeverPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		row := drawProfile(t).Append(nil)
		for range rapid.IntRange(1, 4).Draw(t, "damages") {
			row[rapid.IntRange(1, len(row)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		p, err := profile.Decode(string(row))
		if err != nil {
			if !fault.Is(err, fault.Corrupt) {
				t.Fatalf("error = %v, want a Corrupt one", err)
			}
			return
		}
		use(p)
	})
}

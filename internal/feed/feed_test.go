package feed_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/feed"
)

// object takes key, value, key, value …
func object(kv ...any) event.Object {
	var b event.Builder
	for i := 0; i < len(kv); i += 2 {
		b.Set(kv[i].(string), value(kv[i+1]))
	}
	return b.Object()
}

func value(v any) event.Value {
	switch v := v.(type) {
	case string:
		return event.Text(v)
	case int:
		return event.Int(int64(v))
	case event.Object:
		return event.Nested(v)
	case []any:
		var list []event.Value
		for _, x := range v {
			list = append(list, value(x))
		}
		return event.ListOf(list...)
	}
	return event.Value{}
}

var texts = rapid.StringMatching(`[a-z ]{0,12}`)

func drawRow(t *rapid.T) feed.Row {
	id := func(what string) (b [16]byte) {
		copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, what))
		return b
	}
	r := feed.Row{
		Kind: feed.Kind(rapid.IntRange(1, 5).Draw(t, "kind")), Profile: id("profile"), Name: texts.Draw(t, "name"),
		At: event.Time(rapid.Int64().Draw(t, "at")), Now: event.Time(rapid.Int64().Draw(t, "now")),
	}
	switch r.Kind {
	case feed.Event, feed.Fact:
		r.Origin, r.Known = event.Origin(rapid.IntRange(0, 2).Draw(t, "origin")), rapid.Bool().Draw(t, "known")
		r.Props = object("text", texts.Draw(t, "text"), "list", []any{1, texts.Draw(t, "item")})
		if rapid.Bool().Draw(t, "order") {
			r.Order = &feed.Order{ID: texts.Draw(t, "id"), Net: money.Micros(rapid.Int64().Draw(t, "net")), Currency: money.Currency(texts.Draw(t, "currency")), Units: rapid.Int64().Draw(t, "units"), Repeated: rapid.Bool().Draw(t, "repeated")}
		}
		r.Print, r.Type, r.Source = rapid.Uint64().Draw(t, "print"), event.Type(rapid.IntRange(1, 7).Draw(t, "type")), texts.Draw(t, "source")
		r.Device, r.Where = texts.Draw(t, "device"), texts.Draw(t, "where")
		if rapid.Bool().Draw(t, "visit") {
			r.Session = 1 + event.Time(rapid.Uint32().Draw(t, "session"))
		}
	case feed.Segment:
		r.In = rapid.Bool().Draw(t, "in")
	case feed.Delivery:
		r.ID, r.State, r.Class = id("delivery"), profile.State(rapid.Byte().Draw(t, "state")), profile.Class(rapid.Byte().Draw(t, "class"))
		r.Channel, r.Step, r.Because = texts.Draw(t, "channel"), texts.Draw(t, "step"), texts.Draw(t, "because")
		r.Version, r.Product, r.Category = rapid.Uint64().Draw(t, "version"), texts.Draw(t, "product"), texts.Draw(t, "category")
		if rapid.Bool().Draw(t, "asked") {
			r.Asked = &feed.Asked{Claim: rapid.Bool().Draw(t, "claim"), Outcome: decision.Outcome(rapid.IntRange(0, 2).Draw(t, "outcome")), Rule: decision.Rule(rapid.Byte().Draw(t, "rule")), Reason: texts.Draw(t, "reason"), Chance: rapid.Float64Range(0, 1).Draw(t, "chance")}
		}
	case feed.Person:
		r.Portrait = feed.Portrait{Born: event.Time(rapid.Int64().Draw(t, "born")), Known: rapid.Bool().Draw(t, "known"), Country: texts.Draw(t, "country"), City: texts.Draw(t, "city"), Locale: texts.Draw(t, "locale"), Zone: texts.Draw(t, "zone"), Device: texts.Draw(t, "device"), Consents: texts.Draw(t, "consents"), Reachable: texts.Draw(t, "reachable"), Lifecycle: texts.Draw(t, "lifecycle")}
	}
	return r
}

func each(block []byte) (rows []feed.Row, err error) {
	err = feed.Each(block, func(r feed.Row) error {
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

func TestRowsComeBackInOrderFromTheirBlock(t *testing.T) {
	t.Parallel()
	packer := feed.NewPacker()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawRow), 0, 8).Draw(t, "rows")
		var raw []byte
		for i := range want {
			raw = want[i].Append(raw)
		}
		block := packer.Pack(raw)
		got, err := each(block)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d rows of %d, %v", len(got), len(want), err)
		}
		for i := range want {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("row %d is %+v, want %+v", i, got[i], want[i])
			}
		}
		if len(want) == 0 && block != nil {
			t.Fatalf("nothing became %x", block)
		}
		if len(block) > 0 {
			if _, err := each(block[:len(block)-1]); !fault.Is(err, fault.Corrupt) {
				t.Fatalf("a block that is cut off is read: %v", err)
			}
		}
	})
}

func TestDamagedBlocksAreReported(t *testing.T) {
	t.Parallel()
	packer := feed.NewPacker()
	row := feed.Row{Kind: feed.Fact, Name: "x"}
	block := packer.Pack(row.Append(nil))
	flipped := append([]byte{}, block...)
	flipped[len(flipped)-1] ^= 1
	for name, b := range map[string][]byte{
		"an unknown version": append([]byte{9}, block[1:]...), "no compressed block": []byte("\x01hello"), "a bit that flipped": flipped,
		"an unknown kind of row": packer.Pack(append(row.Append(nil), 77)), "a row cut off": packer.Pack(row.Append(nil)[:20]),
	} {
		if _, err := each(b); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAReaderMayStop(t *testing.T) {
	t.Parallel()
	row := feed.Row{Kind: feed.Segment, Name: "vip"}
	block := feed.NewPacker().Pack(row.Append(row.Append(nil)))
	stop, n := errors.New("enough"), 0
	if err := feed.Each(block, func(feed.Row) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("%v after %d rows", err, n)
	}
}

// canaries are what must never stand in a feed.
var canaries = []string{"ada@shop.example", "Ada", "Lovelace", "ada%40shop.example", "+447700900123", "1 Sheep Lane", "203.0.113.7"}

func TestAFeedHoldsNoNamesAndNoAddresses(t *testing.T) {
	t.Parallel()
	packer := feed.NewPacker()
	for name, props := range map[string]event.Object{
		"said plainly":           object("email", "ada@shop.example", "phone", "+447700900123", "first_name", "Ada", "last_name", "Lovelace", "address", "1 Sheep Lane", "ip", "203.0.113.7"),
		"in other spellings":     object("Email", "ada@shop.example", "phoneNumber", "07700", "firstName", "Ada", "lastName", "Lovelace", "billing-address", "1 Sheep Lane", "IP_Address", "203.0.113.7"),
		"below another":          object("order_id", "o1", "customer", object("name", "Ada Lovelace", "age", 36), "shipping_address", object("line", "1 Sheep Lane")),
		"within a list":          object("products", []any{object("sku", "lamp", "email", "ada@shop.example"), object("note", []any{"for Bob, ada@shop.example"})}),
		"in the provider's word": object("delivery", "d1", "detail", "550 5.1.1 <ada@shop.example>: no such user, +447700900123 neither"),
		"in a search":            object("query", "where is ada@shop.example?"),
		"in a link":              object("url", "https://shop.example/a?to=ada%40shop.example&b=1"),
		"as a key":               object("ada@shop.example", 1, "ok", object("ada@shop.example", 2)),
		"at the proof":           object("evidence", "signed by Ada", "recipient", "ada@shop.example"),
		"in the third of four":   object("list", []any{"a", object("b", 1), object("mail", "ada@shop.example", "c", 2), "d"}),
		"twice in one text":      object("text", "ada@shop.example,ada@shop.example;ada@shop.example"),
	} {
		for _, kind := range []feed.Kind{feed.Event, feed.Fact} {
			row := feed.Row{Kind: kind, Name: "x", Props: props}
			raw := string(row.Append(nil))
			for _, c := range canaries {
				if strings.Contains(raw, c) {
					t.Errorf("%s: %q is in the row of %s", name, c, props.AppendJSON(nil))
				}
			}
			if _, err := each(packer.Pack([]byte(raw))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if clean := feed.Clean(props); !clean.Valid() || !json.Valid(clean.AppendJSON(nil)) {
				t.Errorf("%s became %q", name, clean)
			}
		}
	}
	// As a control: the scan finds what it looks for.
	if plain := string(object("text", canaries[0])); !strings.Contains(plain, canaries[0]) {
		t.Error("an object does not hold its texts as they are")
	}
}

func TestWhatNamesNobodyStaysAsItIs(t *testing.T) {
	t.Parallel()
	props := object("order_id", "o1", "name", "Lamp", "mailing", "june", "emails_sent", 3, "price", "12.50", "handle", "@ada", "at", "3 @ 5", "plus", "+1", "when", "2026-03-02T10:00:00+0100",
		"products", []any{object("sku", "lamp-40%", "name", "Lamp", "category", "home/lighting", "list", []any{1, nil, "x"})})
	if got := feed.Clean(props); got != props {
		t.Errorf("got  %s\nwant %s", got.AppendJSON(nil), props.AppendJSON(nil))
	}
	mixed := object("a", 1, "email", "ada@shop.example", "b", "mail me at ada@shop.example, please", "c", object("d", 2, "phone", "1"))
	want := object("a", 1, "b", "mail me at [address], please", "c", object("d", 2))
	if got := feed.Clean(mixed); got != want {
		t.Errorf("got  %s\nwant %s", got.AppendJSON(nil), want.AppendJSON(nil))
	}
	listed := object("l", []any{1, object("a", 1, "ip", "203.0.113.7"), object("b", 2), "x@y.example"})
	if got, want := feed.Clean(listed), object("l", []any{1, object("a", 1), object("b", 2), "[address]"}); got != want {
		t.Errorf("got  %s\nwant %s", got.AppendJSON(nil), want.AppendJSON(nil))
	}
	if twice := feed.Clean(want); twice != want {
		t.Errorf("cleaned twice it is %s", twice.AppendJSON(nil))
	}
}

// A stranger's document nests as deep as the edge allows; cleaning it must not
// take longer with every level.
func TestCleaningADeepDocumentEnds(t *testing.T) {
	t.Parallel()
	o := object("email", "ada@shop.example")
	for i := range 2000 {
		o = object("n", i, "k", o, "l", []any{"x@y.example"})
	}
	if clean := string(feed.Clean(o)); strings.Contains(clean, "shop.example") {
		t.Error("the address is still there")
	}
}

func FuzzEach(f *testing.F) {
	row := feed.Row{Kind: feed.Event, Name: "Order Completed", Props: object("order_id", "o1"), Order: &feed.Order{ID: "o1", Net: money.One, Currency: "GBP", Units: 1000}}
	delivery := feed.Row{Kind: feed.Delivery, Profile: identity.ID{1}, Name: "welcome", State: profile.Accepted}
	f.Add(feed.NewPacker().Pack(delivery.Append(row.Append(nil))), false)
	f.Add(delivery.Append(row.Append(nil)), true)
	f.Fuzz(func(t *testing.T, block []byte, pack bool) {
		if pack {
			block = feed.NewPacker().Pack(block)
		}
		rows, err := each(block)
		if err != nil && !fault.Is(err, fault.Corrupt) {
			t.Fatalf("error = %v, want a Corrupt one", err)
		}
		for i := range rows {
			if again := rows[i].Append(nil); len(again) == 0 {
				t.Fatal("a row is nothing")
			}
			feed.Clean(rows[i].Props)
		}
	})
}

func FuzzClean(f *testing.F) {
	f.Add("a+b@c.example x%40y +12345678")
	f.Fuzz(func(t *testing.T, s string) {
		got := feed.Clean(object("text", s)).Text("text")
		if again := feed.Clean(object("text", got)).Text("text"); again != got {
			t.Fatalf("%q became %q and then %q", s, got, again)
		}
		for _, canary := range []string{"ada@shop.example", "+447700900123"} {
			if clean := feed.Clean(object("text", fmt.Sprint(s, " ", canary, " ", s))).Text("text"); strings.Contains(clean, canary) {
				t.Fatalf("%q still holds %s", clean, canary)
			}
		}
	})
}

// Blocks that were written before rows told more are read, with nothing in the
// place of what they lack.
func TestBlocksOfTheFirstVersionAreRead(t *testing.T) {
	t.Parallel()
	who := identity.ID{7}
	var raw []byte
	head := func(kind feed.Kind, name string) {
		raw = append(append(raw, byte(kind)), who[:]...)
		raw = wire.Text(wire.Varint(wire.Varint(raw, 2000), -500), name)
	}
	head(feed.Event, "Order Completed")
	raw = wire.Text(wire.Bool(append(raw, byte(event.Import)), true), object("order_id", "o1"))
	raw = wire.Text(wire.Varint(wire.Text(wire.Bool(raw, true), "o1"), int64(money.One)), "GBP")
	raw = wire.Varint(raw, 1000)
	head(feed.Segment, "vip")
	raw = wire.Bool(raw, true)
	head(feed.Delivery, "welcome")
	raw = append(append(raw, make([]byte, 16)...), byte(profile.Accepted), byte(profile.Service))
	raw = wire.Text(wire.Text(wire.Text(raw, "email"), "hello"), "")
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := each(z.EncodeAll(raw, []byte{1}))
	want := []feed.Row{
		{Kind: feed.Event, Profile: who, Now: 2000, At: 1500, Name: "Order Completed", Origin: event.Import, Known: true, Props: object("order_id", "o1"), Order: &feed.Order{ID: "o1", Net: money.One, Currency: "GBP", Units: 1000}},
		{Kind: feed.Segment, Profile: who, Now: 2000, At: 1500, Name: "vip", In: true},
		{Kind: feed.Delivery, Profile: who, Now: 2000, At: 1500, Name: "welcome", State: profile.Accepted, Class: profile.Service, Channel: "email", Step: "hello"},
	}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("got  %+v, %v\nwant %+v", rows, err, want)
	}
}

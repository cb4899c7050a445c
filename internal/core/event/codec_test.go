package event_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// full has something in every field.
func full() event.Event {
	return event.Event{
		ID: "m-1", Type: event.Track, Name: event.OrderCompleted, User: "ada", Anon: "web-7", At: 1_772_442_000_123, Raw: 1_772_441_990_000,
		Origin: event.Import, Trust: event.Server, Source: "shop", Hops: 3,
		Props:   (&event.Builder{}).SetText("order_id", "o-1").Set("revenue", event.Value{Kind: event.Number, Raw: "12.50"}).Set("gift", event.Yes(true)).Object(),
		Traits:  (&event.Builder{}).SetText("email", "ada@shop.example").Object(),
		Context: (&event.Builder{}).Set("device", event.Nested((&event.Builder{}).SetText("type", "mobile").Object())).Object(),
	}
}

func drawEvent(t *rapid.T) event.Event {
	text := rapid.OneOf(rapid.Just(""), rapid.String())
	return event.Event{
		ID: event.ID(text.Draw(t, "id")), Type: event.Type(rapid.Byte().Draw(t, "type")), Name: text.Draw(t, "name"), User: text.Draw(t, "user"), Anon: text.Draw(t, "anon"),
		At: event.Time(rapid.Int64().Draw(t, "at")), Raw: event.Time(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64()).Draw(t, "raw")),
		Origin: event.Origin(rapid.IntRange(0, 15).Draw(t, "origin")), Trust: event.Trust(rapid.IntRange(0, 15).Draw(t, "trust")),
		Source: text.Draw(t, "source"), Hops: rapid.Byte().Draw(t, "hops"),
		Props: object(document(t, 1)), Traits: object(document(t, 1)), Context: object(document(t, 1)),
	}
}

func TestAnEventComesBackFromItsBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawEvent(t)
		bytes := want.Append([]byte("before"))[len("before"):]
		got, err := event.Decode(string(bytes))
		if err != nil || got != want {
			t.Fatalf("read %+v, %v\nwant %+v", got, err, want)
		}
		for cut := range len(bytes) {
			if _, err := event.Decode(string(bytes[:cut])); !fault.Is(err, fault.Corrupt) {
				t.Fatalf("the first %d of %d bytes are read as a whole event: %v", cut, len(bytes), err)
			}
		}
		if _, err := event.Decode(string(bytes) + "x"); !fault.Is(err, fault.Corrupt) {
			t.Fatalf("a byte behind the event is not noticed: %v", err)
		}
	})
}

func TestAnEventThatIsNotWantedIsPassedOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first, second := drawEvent(t), drawEvent(t)
		bytes := string(second.Append(first.Append(nil)))
		r, n := wire.NewReader(bytes), 0
		isSecond := func(event.Type, string) bool { n++; return n == 2 }
		var got event.Event
		if got.ReadWanted(r, isSecond) || r.Err() != nil {
			t.Fatalf("the first is read, or %v", r.Err())
		}
		if got = (event.Event{}); !got.ReadWanted(r, isSecond) || got != second || !r.Done() || r.Err() != nil {
			t.Fatalf("read %+v, %v\nwant %+v", got, r.Err(), second)
		}
		none := func(event.Type, string) bool { return false }
		for cut := range len(first.Append(nil)) {
			if r := wire.NewReader(bytes[:cut]); got.ReadWanted(r, none) || !fault.Is(r.Err(), fault.Corrupt) {
				t.Fatalf("the first %d bytes are passed over as a whole event: %v", cut, r.Err())
			}
		}
	})
}

// The log and the histories hold these bytes for ever. If this test fails, the
// encoding needs a new version and the old one must still be read.
func TestTheBytesOfAnEventNeverChange(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("testdata/event.v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	want := full()
	if got := hex.EncodeToString(want.Append(nil)); got != strings.TrimSpace(string(golden)) {
		t.Errorf("the event is\n%s\nwant\n%s", got, golden)
	}
	old, err := hex.DecodeString(strings.TrimSpace(string(golden)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := event.Decode(string(old)); err != nil || got != want {
		t.Errorf("the stored event is read as %+v, %v", got, err)
	}
}

func TestAnUnknownVersionIsSaidToBeOne(t *testing.T) {
	t.Parallel()
	e := full()
	bytes := e.Append(nil)
	bytes[0] = 9
	if _, err := event.Decode(string(bytes)); !fault.Is(err, fault.Corrupt) || !strings.Contains(err.Error(), "version") {
		t.Errorf("error = %v", err)
	}
}

func TestAnEventIsShownAsASegmentMessage(t *testing.T) {
	t.Parallel()
	e := full()
	const want = `{"messageId":"m-1","type":"track","event":"Order Completed","userId":"ada","anonymousId":"web-7","at":"2026-03-02T09:00:00.123Z",` +
		`"timestamp":"2026-03-02T08:59:50.000Z","origin":"import","source":"shop","properties":{"order_id":"o-1","revenue":12.50,"gift":true},` +
		`"traits":{"email":"ada@shop.example"},"context":{"device":{"type":"mobile"}}}`
	if got := string(e.AppendJSON(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		if text := e.AppendJSON(nil); !json.Valid(text) {
			t.Fatalf("%s is no JSON", text)
		}
	})
}

func FuzzDecode(f *testing.F) {
	e := full()
	f.Add(string(e.Append(nil)))
	f.Add("\x01\x01\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, s string) {
		e, err := event.Decode(s)
		if err != nil {
			if !fault.Is(err, fault.Corrupt) {
				t.Fatalf("error = %v, want a Corrupt one", err)
			}
			return
		}
		look(t, e.Props)
		again, err := event.Decode(string(e.Append(nil)))
		if err != nil || again != e {
			t.Fatalf("read again it is %+v, %v; want %+v", again, err, e)
		}
		if len(e.AppendJSON(nil)) > 8*len(s)+400 {
			t.Fatal("the JSON is out of proportion")
		}
	})
}

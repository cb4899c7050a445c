package event_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
)

func TestTimeStaysAtItsEnds(t *testing.T) {
	t.Parallel()
	const least = event.Time(math.MinInt64)
	for _, c := range []struct {
		name      string
		got, want event.Time
	}{
		{"never and a day", event.Never.Add(24 * time.Hour), event.Never},
		{"never less a day", event.Never.Add(-24 * time.Hour), event.Never},
		{"just before never and a day", (event.Never - 5).Add(24 * time.Hour), event.Never},
		{"the beginning less a day", (least + 5).Add(-24 * time.Hour), least},
		{"the beginning and a day", least.Add(24 * time.Hour), least + 86_400_000},
		{"an ordinary instant", event.Time(1000).Add(-1500 * time.Microsecond), 999},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d, want %d", c.name, c.got, c.want)
		}
	}
}

func TestATimeThatLiesTooFarBackIsLateAndNotEarly(t *testing.T) {
	t.Parallel()
	now := event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		name string
		got  time.Duration
		want time.Duration
	}{
		{"since a clock that says nonsense", now.Sub(-1 << 60), math.MaxInt64},
		{"until never", event.Never.Sub(now), math.MaxInt64},
		{"from never", now.Sub(event.Never), math.MinInt64},
		{"between the ends", event.Never.Sub(math.MinInt64), math.MaxInt64},
		{"between the ends, backwards", event.Time(math.MinInt64).Sub(event.Never), math.MinInt64},
		{"no time", now.Sub(now), 0},
		{"a minute", now.Sub(now - 60_000), time.Minute},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestAddAndSubUndoEachOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := event.Time(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "at"))
		d := time.Duration(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "ms")) * time.Millisecond
		if got := at.Add(d).Sub(at); got != d {
			t.Fatalf("%d + %v − %d = %v", at, d, at, got)
		}
	})
}

func TestAMonthIsTheShelfOfItsInstants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at   time.Time
		want int32
	}{
		{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), 2026*12 + 2},
		{time.Date(2026, 2, 28, 23, 59, 59, 999e6, time.UTC), 2026*12 + 1},
		{time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), 1970 * 12},
		{time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), 1969*12 + 11},
		{time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), 0},
		{time.Date(-5000, 6, 1, 0, 0, 0, 0, time.UTC), 0},
		{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), 9999*12 + 11},
		{time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), 9999*12 + 11},
	} {
		if got := event.At(c.at).Month(); got != c.want {
			t.Errorf("%s is in month %d, want %d", c.at, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := event.Time(rapid.Int64().Draw(t, "a")), event.Time(rapid.Int64().Draw(t, "b"))
		if a > b {
			a, b = b, a
		}
		if a.Month() > b.Month() || a.Month() < 0 {
			t.Fatalf("the months of %d and %d are %d and %d", a, b, a.Month(), b.Month())
		}
	})
}

func TestAnInstantIsWrittenAsRFC3339(t *testing.T) {
	t.Parallel()
	for at, want := range map[event.Time]string{
		0: "null", event.Never: "null", 1_772_442_000_123: `"2026-03-02T09:00:00.123Z"`,
	} {
		if got, err := at.MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("%d in JSON is %s, %v; want %s", at, got, err, want)
		}
	}
	if event.Never.String() != "never" || event.Time(0).String() != "" {
		t.Error("never, or an unknown instant, has another name")
	}
}

func TestAnInstantIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, at := range []event.Time{0, 1, 1_767_225_600_123, -1} {
		raw, err := json.Marshal(at)
		if err != nil {
			t.Fatal(err)
		}
		got := event.Time(7)
		if err := json.Unmarshal(raw, &got); err != nil || got != at {
			t.Errorf("%s is read as %d %v, want %d", raw, got, err, at)
		}
	}
	var at event.Time
	if err := json.Unmarshal([]byte(`"2026-11-29T11:00:00+01:00"`), &at); err != nil || at.String() != "2026-11-29T10:00:00.000Z" {
		t.Errorf("an offset is read as %s %v", at, err)
	}
	for _, wrong := range []string{`"yesterday"`, `12`, `true`, `"2026-11-29"`} {
		if err := json.Unmarshal([]byte(wrong), &at); err == nil {
			t.Errorf("%s is read as %s", wrong, at)
		}
	}
}

func TestTheProductsOwnEntriesAreNoCallOfAStrangers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"track", "identify", "page", "screen", "group", "alias"} {
		if kind, ok := event.TypeOf(name); !ok || kind.String() != name {
			t.Errorf("the call %s is %s, %v", name, kind, ok)
		}
	}
	for _, name := range []string{"system", "", "Track", "unknown"} {
		if kind, ok := event.TypeOf(name); ok {
			t.Errorf("%q is the call %s", name, kind)
		}
	}
	for _, name := range []string{event.Claim, event.Grant, event.Refuse, event.Rise, event.Strand, event.Moved, event.Slot, event.Tick, event.ProgramChanged, event.Reject} {
		if !event.Control(name) || event.Receipt(name) {
			t.Errorf("%s is not for the product alone", name)
		}
	}
	for _, name := range []string{event.MessageSent, event.MessageRejected, event.MessageDeferred, event.MessageUnknown, event.MessageStopped, event.RenderFailed} {
		if event.Control(name) || !event.Receipt(name) {
			t.Errorf("%s is not a receipt", name)
		}
	}
	for _, name := range []string{event.ConsentChanged, event.MessageClicked, event.OrderCompleted, "anything"} {
		if event.Control(name) || event.Receipt(name) {
			t.Errorf("%s is not a customer's", name)
		}
	}
}

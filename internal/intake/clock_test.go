package intake_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/intake"
)

// stampOf returns the time that a timestamp is read as.
func stampOf(t *testing.T, literal string) (event.Time, bool) {
	t.Helper()
	d, err := intake.DecodeOne([]byte(`{"type":"track","messageId":"m1","event":"X","userId":"u1","timestamp":`+literal+`}`), fromWeb)
	if err != nil {
		t.Fatal(err)
	}
	if d.Reject != nil && d.Reject.Field != "timestamp" {
		t.Fatalf("%s was rejected for %q", literal, d.Reject.Field)
	}
	return d.Event.Raw, d.Reject == nil
}

func TestTimesAreReadAsClientsWriteThem(t *testing.T) {
	t.Parallel()
	const want = event.Time(1_772_357_400_000) // 2026-03-01T09:30:00Z
	for literal, want := range map[string]event.Time{
		`"2026-03-01T09:30:00Z"`:                want,
		`"2026-03-01T09:30:00.000Z"`:            want,
		`"2026-03-01t09:30:00z"`:                want,
		`"2026-03-01T09:30:00.1Z"`:              want + 100,
		`"2026-03-01T09:30:00.123456789Z"`:      want + 123,
		`"2026-03-01T09:30:00,5Z"`:              want + 500,
		`"2026-03-01T10:30:00+01:00"`:           want,
		`"2026-03-01T10:30:00.000+0100"`:        want,
		`"2026-03-01T10:30:00+01"`:              want,
		`"2026-03-01T04:00:00-05:30"`:           want,
		`"2026-03-01 09:30:00"`:                 want,
		`"2026-03-01 09:30:00 UTC"`:             want,
		`"2026-03-01T09:30"`:                    want,
		`"2026-03-01T09:29:60Z"`:                want,
		`"2026-03-01"`:                          want - (9*60+30)*60_000,
		`"2024-02-29T00:00:00Z"`:                1_709_164_800_000,
		`1772357400000`:                         want,
		`1772357400`:                            want,
		`"1772357400"`:                          want,
		`"\u0032026-03-01T09:30:00Z"`:           want,
		`"0000-01-01T00:00:00Z"`:                -62_167_219_200_000,
		`"9999-12-31T23:59:59.999Z"`:            253_402_300_799_999,
		`"2026-03-01T09:30:00.000000000000001"`: want,
	} {
		if got, ok := stampOf(t, literal); !ok || got != want {
			t.Errorf("%s = %v (%d), %v, want %v", literal, got, got, ok, want)
		}
	}
	for _, literal := range []string{
		`"now"`, `"2026"`, `"20260301"`, `"2026-3-1"`, `"2026-02-29"`, `"2026-13-01"`, `"2026-00-10"`, `"2026-01-00"`, `"2026-04-31"`,
		`"2026-03-01T"`, `"2026-03-01T9:30"`, `"2026-03-01T24:00:00Z"`, `"2026-03-01T09:60:00Z"`, `"2026-03-01T09:30:61Z"`,
		`"2026-03-01T09:30:00."`, `"2026-03-01T09:30:00.Z"`, `"2026-03-01T09:30:00+1"`, `"2026-03-01T09:30:00+24:00"`, `"2026-03-01T09:30:00+01-00"`,
		`"2026-03-01T09:30:00Zx"`, `"2026-03-01T09:30:0"`, `"2026-03-01X09:30:00Z"`, `"+026-03-01T09:30:00Z"`, `"2026/03/01"`,
		`"01.03.2026"`, `0`, `-1`, `1.5`, `1e12`, `17`, `99999999999999999999`, `true`, `[]`, `"   "`, `"Sun Mar 01 2026"`,
	} {
		if got, ok := stampOf(t, literal); ok {
			t.Errorf("%s was read as %v", literal, got)
		}
	}
}

func TestTimesAreReadAsTheStandardLibraryReadsThem(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		// From year 1 to year 9998, in any zone.
		at := time.Unix(r.Int64N(315_000_000_000)-62_100_000_000, r.Int64N(1e9)).In(time.FixedZone("", (r.IntN(28*60)-14*60)*60))
		literal := fmt.Sprintf("%q", at.Format(time.RFC3339Nano))
		if got, ok := stampOf(t, literal); !ok || got != event.At(at) {
			t.Fatalf("%s = %d, %v, want %d", literal, got, ok, event.At(at))
		}
	}
}

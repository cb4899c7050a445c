package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// What a record holds is applied on every processor, and must come to the same as
// one entry after the other: repetitions, strangers who turn out to be customers,
// and what only the history can tell.
func TestARecordOfManyIsThatOfEachAlone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		dice := rand.New(rand.NewPCG(seed, 1))
		one, many := open(t, 1), open(t, 1)
		var all []identity.Addressed
		for i := range 900 {
			n := i
			if dice.IntN(5) == 0 {
				n = dice.IntN(i + 1) // said before
			}
			who := rand.New(rand.NewPCG(seed, uint64(n)))
			e := event.Event{ID: event.ID(fmt.Sprint("m", n)), Type: event.Track, Name: "Product Viewed", At: one.clock.Now(), Raw: one.clock.Now(), Trust: event.Server}
			e.Anon = fmt.Sprint("device-", who.IntN(3))
			if who.IntN(4) == 0 {
				e.User = fmt.Sprint("user-", who.IntN(2))
			}
			if who.IntN(6) == 0 {
				e.Traits = new(event.Builder).SetText("email", fmt.Sprintf("u%d@shop.example", who.IntN(3))).Object()
			}
			if who.IntN(40) == 0 {
				e.Raw = e.Raw.Add(-70 * 24 * 3600e9) // only the history can tell whether it is known
			}
			a, _ := one.key.Address(e)
			all = append(all, a)
		}
		for i := range all {
			if err := one.e.Append(t.Context(), all[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := many.e.Append(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		one.settle()
		many.settle()
		want, err := one.store.Profiles(t.Context(), identity.ID{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		got, err := many.store.Profiles(t.Context(), identity.ID{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || len(got) == 0 {
			t.Fatalf("seed %d: %d rows, want %d", seed, len(got), len(want))
		}
		for i := range want {
			if got[i].ID != want[i].ID || string(got[i].Body) != string(want[i].Body) || got[i].Alarm != want[i].Alarm {
				t.Fatalf("seed %d: row %d of %s is another", seed, i, want[i].ID)
			}
		}
		if one.e.Heard() != many.e.Heard() {
			t.Errorf("seed %d: %d were heard, want %d", seed, many.e.Heard(), one.e.Heard())
		}
	}
}

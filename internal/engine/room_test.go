package engine_test

import (
	"fmt"
	"reflect"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/program"
)

// tasting is a shop whose second edition asks histories for words: what somebody likes,
// and what a computed trait has taken.
func tasting(t *testing.T) *editions {
	e := newEditions(t, 1, "{did: Product Viewed}")
	e.list = append(e.list, compiled(
		t,
		program.File{Path: "scores/taste.yaml", Body: "affinity: category\nhalf_life: 60d\nweigh: {Product Viewed: 1}\n"},
		program.File{Path: "traits/seen.yaml", Body: "did: Product Viewed\ntake: unique(sku)\nwithin: 90d\n"},
		program.File{Path: "segments/s0.yaml", Body: "segment: s0\nwhen: {did: Product Viewed}\n"},
	))
	return e
}

// Histories are read into the same memory one after the other: what is kept of one must
// not be a piece of it.
func TestNobodyKeepsTheWordsOfAnother(t *testing.T) {
	t.Parallel()
	const people, looks = 40, 30
	swept, lived := tasting(t), tasting(t)
	swept.edition(0)
	lived.edition(1)
	for i := range people {
		for k := range looks {
			at := swept.clock.Now()
			for _, e := range []*editions{swept, lived} {
				e.send(event.Event{
					ID: event.ID(fmt.Sprint("look-", i, "-", k)), Type: event.Track, Name: event.ProductViewed, User: fmt.Sprint("user-", i), At: at, Raw: at, Trust: event.Server,
					Props: new(event.Builder).SetText("category", fmt.Sprintf("kind-%03d-%d", i, k%3)).SetText("sku", fmt.Sprintf("sku-%03d-%02d", i, k)).Object(),
				})
			}
		}
	}
	swept.settle()
	lived.settle()
	swept.again() // nobody is in memory
	swept.edition(1)
	for i := range people {
		name := fmt.Sprint("user-", i)
		got, want := swept.who(identity.User, name), lived.who(identity.User, name)
		if len(want.Tastes) != 1 || len(want.Tallies) != 1 || len(want.Tastes[0].Of) != 3 {
			t.Fatalf("%s has %d tastes and %d tallies: the test tests nothing", name, len(want.Tastes), len(want.Tallies))
		}
		if !reflect.DeepEqual(got.Tastes, want.Tastes) || !reflect.DeepEqual(got.Tallies, want.Tallies) {
			t.Fatalf("%s after a sweep has %+v %+v,\nwant %+v %+v", name, *got.Tastes[0], *got.Tallies[0], *want.Tastes[0], *want.Tallies[0])
		}
	}
}

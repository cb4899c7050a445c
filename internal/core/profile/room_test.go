package profile_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
)

// Whoever comes into a room is as they would be without it, whoever was there before:
// people with other lists, with none, and rows that cannot be read.
func TestWhoComesIntoARoomFindsNothingOfThoseBefore(t *testing.T) {
	t.Parallel()
	list := []*profile.Profile{everything(), profile.New(identity.ID{7}), {}}
	for i := range reflect.TypeFor[profile.Profile]().NumField() {
		list = append(list, changed(i), everything())
	}
	plain := *everything() // where the others have values and tags
	plain.Series = nil
	for _, was := range everything().Series {
		bare := profile.Series{Key: was.Key, First: was.First, Last: was.Last}
		for _, o := range was.Obs {
			bare.Obs = append(bare.Obs, profile.Obs{At: o.At})
		}
		plain.Series = append(plain.Series, &bare, &profile.Series{Key: was.Key + 1, First: was.First, Last: was.Last})
	}
	list = append(list, &plain, everything(), &plain)
	var room profile.Room
	for i, p := range list {
		hot, rest := string(p.AppendHot(nil)), string(p.AppendRest(nil))
		want, err := profile.DecodeParts(hot, rest)
		if err != nil {
			t.Fatal(err)
		}
		got, err := room.Decode(hot, rest)
		if err != nil {
			t.Fatalf("row %d: %v", i, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("row %d differs (-want +got):\n%s", i, diff)
		}
		if again := string(got.Append(nil)); again != hot+rest {
			t.Fatalf("row %d has other bytes when it is written again", i)
		}
		if len(rest) > 0 {
			cut := (i * 97) % len(rest)
			if _, err := room.Decode(hot, rest[:cut]); cut > 0 && !fault.Is(err, fault.Corrupt) {
				t.Fatalf("a rest of %d of %d bytes is read: %v", cut, len(rest), err)
			}
			if _, err := room.Decode(hot[:(i*89)%len(hot)], rest); !fault.Is(err, fault.Corrupt) {
				t.Fatalf("a part of a hot part is read: %v", err)
			}
		}
	}
}

package sqlite_test

import (
	"testing"

	"rapport/internal/fault"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// A position of the time when sweeps went through ids says whether they had come to
// everybody; one that was under way begins anew.
func TestTurnsOfEarlierVersionsAreRead(t *testing.T) {
	t.Parallel()
	type turns = [store.MaxTurns]store.Turn
	for _, test := range []struct {
		text string
		want turns
	}{
		{"", turns{}},
		{"5 1 all", turns{{Program: 5, Since: 1, Swept: store.Everybody}}},
		{"5 1 65536", turns{{Program: 5, Since: 1, Swept: store.Everybody}}},
		{"5 1 65536 9 -2 300", turns{{Program: 5, Since: 1, Swept: store.Everybody}, {Program: 9, Since: -2}}},
		{"5 1 all -9 2 #300", turns{{Program: 5, Since: 1, Swept: store.Everybody}, {Program: 1<<64 - 9, Since: 2, Swept: 300}}},
	} {
		if p, err := sqlite.ReadTurns(test.text); err != nil || p.Turns != test.want {
			t.Errorf("%q is %+v, %v; want %+v", test.text, p.Turns, err, test.want)
		}
	}
	for _, text := range []string{"5 1", "all 1 2", "5 #1 2", "5 1 #", "5 1 some", "1 1 1 2 2 2 3 3 3 4 4 4 5 5 5"} {
		if p, err := sqlite.ReadTurns(text); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%q is %+v, %v", text, p.Turns, err)
		}
	}
}

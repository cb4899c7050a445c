package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// OpenInterests opens interests of nobody, as [Open] opens a store.
type OpenInterests func(t *testing.T) (i store.Interests, reopen func() store.Interests)

func interest(key string, who byte, kind store.InterestKind, at event.Time) store.Interest {
	return store.Interest{Key: key, Profile: identity.ID{who}, Kind: kind, At: at, Count: 1}
}

func mustNote(t *testing.T, i store.Interests, to uint64, noted ...store.Interest) {
	t.Helper()
	if err := i.Note(t.Context(), &store.InterestCommit{Lane: 1, To: to, Noted: noted}); err != nil {
		t.Fatalf("Note = %v", err)
	}
}

// RunInterests runs the suite of interests.
func RunInterests(t *testing.T, open OpenInterests) {
	ask := func(t *testing.T, i store.Interests, since event.Time, after byte, limit int) []store.Interest {
		t.Helper()
		list, err := i.Interested(t.Context(), "lamp", since, identity.ID{after}, limit)
		if err != nil {
			t.Fatalf("Interested = %v", err)
		}
		return list
	}
	differ := func(t *testing.T, what string, got []store.Interest, want ...store.Interest) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	t.Run("people come whole, in order, within the limit, for what they did lately", func(t *testing.T) {
		t.Parallel()
		i, _ := open(t)
		defer func() { mustClose(t, i) }()
		mustNote(t, i, 1, interest("lamp", 3, store.Viewed, 50), interest("lamp", 1, store.Bought, 5), interest("lamp", 1, store.Viewed, 40), interest("lamp", 2, store.Viewed, 9), interest("boots", 1, store.Wished, 60))
		differ(t, "everybody", ask(t, i, 0, 0, 9), interest("lamp", 1, store.Viewed, 40), interest("lamp", 1, store.Bought, 5), interest("lamp", 2, store.Viewed, 9), interest("lamp", 3, store.Viewed, 50))
		differ(t, "lately", ask(t, i, 10, 0, 9), interest("lamp", 1, store.Viewed, 40), interest("lamp", 1, store.Bought, 5), interest("lamp", 3, store.Viewed, 50))
		differ(t, "one", ask(t, i, 10, 0, 1), interest("lamp", 1, store.Viewed, 40), interest("lamp", 1, store.Bought, 5))
		differ(t, "the rest", ask(t, i, 10, 1, 9), interest("lamp", 3, store.Viewed, 50))
		differ(t, "nobody", ask(t, i, 51, 0, 9))
	})
	t.Run("what is done again is the latest and counts", func(t *testing.T) {
		t.Parallel()
		i, _ := open(t)
		defer func() { mustClose(t, i) }()
		mustNote(t, i, 1, interest("lamp", 1, store.Bought, 50), interest("lamp", 1, store.Bought, 30))
		mustNote(t, i, 2, interest("lamp", 1, store.Bought, 20))
		want := interest("lamp", 1, store.Bought, 50)
		want.Count = 3
		differ(t, "three times", ask(t, i, 0, 0, 9), want)
	})
	t.Run("what is dropped goes unless it is younger", func(t *testing.T) {
		t.Parallel()
		i, _ := open(t)
		defer func() { mustClose(t, i) }()
		mustNote(t, i, 1, interest("lamp", 1, store.Carted, 50), interest("lamp", 2, store.Carted, 50))
		err := i.Note(t.Context(), &store.InterestCommit{Lane: 1, To: 2, Dropped: []store.Interest{interest("lamp", 1, store.Carted, 50), interest("lamp", 2, store.Carted, 49), interest("lamp", 9, store.Carted, 1)}})
		if err != nil {
			t.Fatal(err)
		}
		differ(t, "one is left", ask(t, i, 0, 0, 9), interest("lamp", 2, store.Carted, 50))
	})
	t.Run("positions and rows are there after a reopening", func(t *testing.T) {
		t.Parallel()
		i, reopen := open(t)
		mustNote(t, i, 7, interest("lamp", 1, store.Viewed, 50))
		if err := i.SetTold(t.Context(), 12); err != nil {
			t.Fatal(err)
		}
		i = reopen()
		defer func() { mustClose(t, i) }()
		at, err1 := i.Position(t.Context(), 1)
		other, err2 := i.Position(t.Context(), 2)
		told, err3 := i.Told(t.Context())
		if at != 7 || other != 0 || told != 12 || err1 != nil || err2 != nil || err3 != nil {
			t.Errorf("positions %d, %d, told %d: %v, %v, %v", at, other, told, err1, err2, err3)
		}
		differ(t, "after a reopening", ask(t, i, 0, 0, 9), interest("lamp", 1, store.Viewed, 50))
	})
	t.Run("who is gone and what is old is pruned", func(t *testing.T) {
		t.Parallel()
		i, _ := open(t)
		defer func() { mustClose(t, i) }()
		mustNote(t, i, 1, interest("lamp", 1, store.Viewed, 50), interest("lamp", 2, store.Viewed, 50), interest("lamp", 3, store.Viewed, 9))
		n, err := i.Prune(t.Context(), 10, func(id identity.ID) bool { return id == identity.ID{1} })
		if n != 2 || err != nil {
			t.Errorf("%d pruned, %v", n, err)
		}
		differ(t, "the rest", ask(t, i, 0, 0, 9), interest("lamp", 2, store.Viewed, 50))
	})
	t.Run("after Close every call is Unavailable", func(t *testing.T) {
		t.Parallel()
		i, _ := open(t)
		mustClose(t, i)
		_, err1 := i.Position(t.Context(), 1)
		_, err2 := i.Interested(t.Context(), "lamp", 0, identity.ID{}, 1)
		_, err3 := i.Told(t.Context())
		_, err4 := i.Prune(t.Context(), 0, nil)
		for _, err := range []error{err1, err2, err3, err4, i.SetTold(t.Context(), 1), i.Note(t.Context(), &store.InterestCommit{})} {
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("a call after Close = %v", err)
			}
		}
	})
}

package sqlite_test

import (
	"bytes"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Rows that come in a bundle are those that come one by one, however long they are and
// whatever is missing of them, and however often memory is used again.
func TestABundleHasTheRowsThatComeOneByOne(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	defer s.Close()
	const people = 150
	c := &store.Commit{To: store.Position{Epoch: 1, Seq: 1}}
	for n := range people {
		r := store.Row{ID: someone(n), Alarm: event.Time(n * 1000), Body: bytes.Repeat([]byte{byte(n)}, n*n)}
		switch n % 4 {
		case 0:
			r.Alarm = event.Never
		case 1:
			r.Rest = bytes.Repeat([]byte{'r', byte(n)}, n)
		case 2:
			r.Rest, r.Body = []byte{}, []byte{}
		}
		if n%50 == 49 {
			r.Body = bytes.Repeat([]byte{'l', byte(n)}, 1<<20)
		}
		r.Signpost = n%7 == 6
		c.Profiles = append(c.Profiles, r)
	}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	last := identity.ID{}
	for i := range last {
		last[i] = 0xff
	}
	var page store.Page
	seen := 0
	for _, limit := range []int{0, 1, 2, 31, 32, 33, 64, 500} {
		for _, first := range []int64{0, 1, 40, 49, 100, people, people + 1} {
			bundled, alone, err := s.Unbundled(first, math.MaxInt64, limit)
			if err != nil || !slices.Equal(bundled, alone) {
				t.Fatalf("%d from %d on: %d rows in a bundle, %d one by one, or they differ: %v", limit, first, len(bundled), len(alone), err)
			}
			own, err := s.Census(t.Context(), first, math.MaxInt64, identity.ID{}, last, limit, nil)
			if err != nil || len(own) != len(alone) {
				t.Fatalf("%d from %d on: a census of %d, want %d: %v", limit, first, len(own), len(alone), err)
			}
			paged, err := s.Census(t.Context(), first, math.MaxInt64, identity.ID{}, last, limit, &page)
			if err != nil || len(own) != len(paged) || len(own) > 0 && !reflect.DeepEqual(own, paged) {
				t.Fatalf("%d from %d on: a page has other rows: %v", limit, first, err)
			}
			seen += len(own)
			for _, r := range own {
				n := slices.IndexFunc(c.Profiles, func(p store.Row) bool { return p.ID == r.ID })
				was := c.Profiles[n]
				if !bytes.Equal(r.Body, was.Body) || !bytes.Equal(r.Rest, was.Rest) || r.Alarm != was.Alarm || was.Signpost {
					t.Fatalf("row %d is another", n)
				}
			}
		}
	}
	if seen < people {
		t.Errorf("%d rows were looked at", seen)
	}
}

// A page that is used again takes no memory.
func TestAPageIsUsedAgain(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	defer s.Close()
	c := &store.Commit{To: store.Position{Epoch: 1, Seq: 1}}
	for n := range 100 {
		c.Profiles = append(c.Profiles, store.Row{ID: someone(n), Alarm: event.Never, Body: bytes.Repeat([]byte{byte(n)}, 1000)})
	}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var page store.Page
	read := func() *byte {
		rows, err := s.Census(t.Context(), 1, 100, identity.ID{}, identity.ID{255, 255}, 100, &page)
		if err != nil || len(rows) == 0 {
			t.Fatal(len(rows), err)
		}
		return &rows[len(rows)-1].Body[0]
	}
	for range 3 {
		read() // it grows
	}
	if a, b := read(), read(); a != b {
		t.Error("the same rows lie elsewhere")
	}
}

// A row that nobody wrote is found out in a bundle too, and takes no reader with it.
func TestABundleTellsOfARowThatNobodyWrote(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{"body = 'text'", "body = 7", "body = 1.5", "newest = x'01'", "alarm = x'01'", "newest = 'text'"} {
		dir := t.TempDir()
		s := open(t, dir)
		c := &store.Commit{To: store.Position{Epoch: 1, Seq: 1}, Profiles: []store.Row{{ID: someone(1), Alarm: event.Never, Body: []byte("b")}}}
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		tamper(t, filepath.Join(dir, "state.db"), "UPDATE profiles SET "+damage)
		s = open(t, dir)
		for range 20 { // more often than there are readers
			if rows, err := s.Census(t.Context(), 1, 9, identity.ID{}, identity.ID{255, 255}, 9, nil); !fault.Is(err, fault.Corrupt) {
				t.Errorf("%s: %d rows, %v; want a fault of kind Corrupt", damage, len(rows), err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

package engine

import (
	"bytes"
	"testing"

	"rapport/internal/core/identity"
)

// TestSlabsStay: what lies in slabs stays as it was while more comes, also what turned out
// longer than there was room for, and the memory is used again.
func TestSlabsStay(t *testing.T) {
	var s slabs
	for round := range 3 {
		var kept [][]byte
		for n := range 2000 {
			room := s.begin(100)
			if len(room) != 0 || cap(room) < 100 {
				t.Fatalf("round %d, piece %d: a room of %d, %d in use", round, n, cap(room), len(room))
			}
			kept = append(kept, s.end(append(room, bytes.Repeat([]byte{byte(n)}, n%700)...)))
		}
		long := s.end(append(s.begin(slabSize+1), bytes.Repeat([]byte{1}, slabSize+1)...))
		kept = append(kept, s.end(append(s.begin(1), 7)))
		_ = append(long, 9) // its end is its own
		for n, b := range kept[:2000] {
			if !bytes.Equal(b, bytes.Repeat([]byte{byte(n)}, n%700)) {
				t.Fatalf("round %d, piece %d was written over", round, n)
			}
		}
		if len(long) != slabSize+1 || len(kept[2000]) != 1 || kept[2000][0] != 7 {
			t.Fatalf("round %d: what is longer than a slab", round)
		}
		s.clear()
	}
	if n := len(s.all); n > 2000*700/2/slabSize+4 {
		t.Errorf("%d slabs for the same bytes three times", n)
	}
}

// TestRowsAreCopiedInPlace: the rows that a commit copies out of the cache are not moved
// while more are, or the lane would wait for megabytes.
func TestRowsAreCopiedInPlace(t *testing.T) {
	r := newRows(64 << 20)
	row := bytes.Repeat([]byte{1}, 1500)
	for n := range 10_000 {
		r.put(identity.ID{byte(n >> 8), byte(n)}, row, row[:300])
	}
	var s slabs
	copies := func() {
		for n := range 10_000 {
			id := identity.ID{byte(n >> 8), byte(n)}
			if b, hot, rest := r.copy(&s, id); hot != 1500 || rest != 300 || len(b) != 1800 || cap(b) != 1800 {
				t.Fatal(hot, rest, len(b), cap(b))
			}
		}
	}
	copies()
	if used := len(s.all) * slabSize; used > 10_000*1800*11/10 {
		t.Errorf("%d bytes for 18 MB of rows", used)
	}
	s.clear()
	if n := testing.AllocsPerRun(1, func() { copies(); s.clear() }); n > 0 {
		t.Errorf("%.0f allocations where there is room", n)
	}
}

// TestPlacesStay: the places of rows are not moved either, however many there are, and
// those of rows that went are used again.
func TestPlacesStay(t *testing.T) {
	r := newRows(64 << 20)
	of := func(n int) (identity.ID, []byte) {
		return identity.ID{byte(n >> 8), byte(n)}, bytes.Repeat([]byte{byte(n)}, 1+n%600)
	}
	first, row := of(0)
	r.put(first, row, nil)
	place := r.row(r.at[first])
	for round := range 2 {
		for n := range 5 * rowsAtOnce {
			id, row := of(n)
			r.put(id, row, row[:n%2])
		}
		if round == 0 {
			for n := 1; n < 5*rowsAtOnce; n += 3 {
				id, _ := of(n)
				r.drop(id)
			}
		}
	}
	if r.row(r.at[first]) != place {
		t.Error("the place of a row has moved")
	}
	for n := range 5 * rowsAtOnce {
		id, row := of(n)
		if is, ok := r.take(id); !ok || is != string(append(bytes.Clone(row), row[:n%2]...)) {
			t.Fatalf("row %d is another", n)
		}
	}
	if len(r.list) != 6 {
		t.Errorf("%d times %d places for five times as many rows", len(r.list), rowsAtOnce)
	}
	r.clear()
	if _, ok := r.take(first); ok || r.has(first) {
		t.Error("a row is there after all were forgotten")
	}
	r.put(first, row, nil)
	if is, _ := r.take(first); is != string(row) {
		t.Error("a row is another after all were forgotten")
	}
}

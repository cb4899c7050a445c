//go:build linux

package duckdb_test

import (
	"syscall"
	"testing"

	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

// peak is the most memory that this process, or one that it waited for, ever had.
func peak(t *testing.T, who int) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		t.Fatal(err)
	}
	return u.Maxrss << 10
}

// One value of 4 GB took 18 GB of the server, and no time ended it.
func TestAValueOfGigabytesTakesNoMoreThanItsLimit(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.Close()
	before := peak(t, syscall.RUSAGE_SELF)
	rows, err := w.Query(t.Context(), "SELECT repeat('x', 4000000000)", nil, warehouse.Limits{})
	if err == nil {
		rows.Next()
		err = rows.Err()
		rows.Close()
	}
	if !fault.Is(err, fault.TooLarge) {
		t.Errorf("the query ended with %v, want TooLarge", err)
	}
	if grown := peak(t, syscall.RUSAGE_SELF) - before; grown > 64<<20 {
		t.Errorf("this process grew by %d MB", grown>>20)
	}
	if most := peak(t, syscall.RUSAGE_CHILDREN); most > warehouse.DefaultMemory+(256<<20) {
		t.Errorf("the process of the query took %d MB", most>>20)
	}
	t.Logf("the process of the query took %d MB: %v", peak(t, syscall.RUSAGE_CHILDREN)>>20, err)
}

// BenchmarkApart is what a process costs a query.
func BenchmarkApart(b *testing.B) {
	for name, limits := range map[string]warehouse.Limits{"apart": {}, "here": warehouse.All} {
		b.Run(name, func(b *testing.B) {
			w := open(b, b.TempDir())
			defer w.Close()
			for b.Loop() {
				rows, err := w.Query(b.Context(), "SELECT count(*) FROM events", nil, limits)
				if err != nil {
					b.Fatal(err)
				}
				rows.Next()
				rows.Close()
			}
		})
	}
}

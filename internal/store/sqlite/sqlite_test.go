package sqlite_test

import (
	"testing"

	"rapport/internal/store"
	"rapport/internal/store/sqlite"
	"rapport/internal/store/storetest"
)

// open opens a state in a folder; a commit does not wait for the disk.
func open(t testing.TB, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Sync: "off"})
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	return s
}

func TestStoreKeepsThePromisesOfThePort(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (store.Store, func() store.Store) {
		dir := t.TempDir()
		s := open(t, dir)
		return s, func() store.Store {
			if err := s.Close(); err != nil {
				t.Fatalf("Close = %v", err)
			}
			s = open(t, dir)
			return s
		}
	})
}

func openLedger(t testing.TB, dir string) *sqlite.Ledger {
	t.Helper()
	l, err := sqlite.OpenLedger(t.Context(), sqlite.Options{Dir: dir, Sync: "off"})
	if err != nil {
		t.Fatalf("OpenLedger = %v", err)
	}
	return l
}

func TestLedgerKeepsThePromisesOfThePort(t *testing.T) {
	t.Parallel()
	storetest.RunLedger(t, func(t *testing.T) (store.Ledger, func() store.Ledger) {
		dir := t.TempDir()
		l := openLedger(t, dir)
		return l, func() store.Ledger {
			if err := l.Close(); err != nil {
				t.Fatalf("Close = %v", err)
			}
			l = openLedger(t, dir)
			return l
		}
	})
}

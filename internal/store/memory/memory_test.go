package memory_test

import (
	"testing"

	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/store/storetest"
)

func TestStoreKeepsThePromisesOfThePort(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) (store.Store, func() store.Store) {
		s := memory.New()
		return s, func() store.Store {
			s = s.Reopen()
			return s
		}
	})
}

func TestLedgerKeepsThePromisesOfThePort(t *testing.T) {
	t.Parallel()
	storetest.RunLedger(t, func(*testing.T) (store.Ledger, func() store.Ledger) {
		l := memory.NewLedger()
		return l, func() store.Ledger {
			l = l.Reopen()
			return l
		}
	})
}

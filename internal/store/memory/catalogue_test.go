package memory_test

import (
	"testing"

	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/store/storetest"
)

func TestCatalogueKeepsThePromisesOfThePort(t *testing.T) {
	t.Parallel()
	storetest.RunCatalogue(t, func(*testing.T) (store.Catalogue, func() store.Catalogue) {
		c := memory.NewCatalogue()
		return c, func() store.Catalogue {
			c = c.Reopen()
			return c
		}
	})
}

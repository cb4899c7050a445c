package memory_test

import (
	"testing"

	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/store/storetest"
)

func TestInterestsKeepThePromisesOfThePort(t *testing.T) {
	t.Parallel()
	storetest.RunInterests(t, func(*testing.T) (store.Interests, func() store.Interests) {
		i := memory.NewInterests()
		return i, func() store.Interests {
			i = i.Reopen()
			return i
		}
	})
}

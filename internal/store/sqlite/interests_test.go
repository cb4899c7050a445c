package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"rapport/internal/store"
	"rapport/internal/store/sqlite"
	"rapport/internal/store/storetest"
)

func openInterests(t testing.TB, dir string) *sqlite.Interests {
	t.Helper()
	c, err := sqlite.OpenInterests(t.Context(), sqlite.Options{Dir: dir, Sync: "off"})
	if err != nil {
		t.Fatalf("OpenInterests = %v", err)
	}
	return c
}

func TestInterestsKeepThePromisesOfThePort(t *testing.T) {
	t.Parallel()
	storetest.RunInterests(t, func(t *testing.T) (store.Interests, func() store.Interests) {
		dir := t.TempDir()
		c := openInterests(t, dir)
		return c, func() store.Interests {
			if err := c.Close(); err != nil {
				t.Fatalf("Close = %v", err)
			}
			c = openInterests(t, dir)
			return c
		}
	})
}

func TestTheSchemaFileOfInterestsShowsWhatTheMigrationsMake(t *testing.T) {
	t.Parallel()
	c := openInterests(t, t.TempDir())
	defer c.Close()
	got, err := c.Schema()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("sql", "interests", "schema.sql")
	got = "-- What the migrations make. A test writes this file with -update and compares it otherwise.\n\n" + got
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what the migrations make: run the test with -update and read the difference", path)
	}
}

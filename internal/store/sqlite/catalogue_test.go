package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"rapport/internal/store"
	"rapport/internal/store/sqlite"
	"rapport/internal/store/storetest"
)

func openCatalogue(t testing.TB, dir string) *sqlite.Catalogue {
	t.Helper()
	c, err := sqlite.OpenCatalogue(t.Context(), sqlite.Options{Dir: dir, Sync: "off"})
	if err != nil {
		t.Fatalf("OpenCatalogue = %v", err)
	}
	return c
}

func TestCatalogueKeepsThePromisesOfThePort(t *testing.T) {
	t.Parallel()
	storetest.RunCatalogue(t, func(t *testing.T) (store.Catalogue, func() store.Catalogue) {
		dir := t.TempDir()
		c := openCatalogue(t, dir)
		return c, func() store.Catalogue {
			if err := c.Close(); err != nil {
				t.Fatalf("Close = %v", err)
			}
			c = openCatalogue(t, dir)
			return c
		}
	})
}

func TestTheSchemaFileOfTheCatalogueShowsWhatTheMigrationsMake(t *testing.T) {
	t.Parallel()
	c := openCatalogue(t, t.TempDir())
	defer c.Close()
	got, err := c.Schema()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("sql", "catalogue", "schema.sql")
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

package duckdb_test

import (
	"fmt"
	"os"
	"testing"

	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
	"rapport/internal/warehouse/warehousetest"
)

// A process of a query is this test, called so.
func TestMain(m *testing.M) {
	if os.Getenv("RAPPORT_TEST_ANSWER") != "" {
		if err := duckdb.Answer(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func open(t testing.TB, dir string) *duckdb.DB {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w, err := duckdb.Open(t.Context(), duckdb.Options{Dir: dir, MemoryMB: 64, Apart: []string{exe}, ApartEnv: []string{"RAPPORT_TEST_ANSWER=1"}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestConformance(t *testing.T) {
	t.Parallel()
	warehousetest.Run(t, func(t *testing.T) (warehouse.Warehouse, func() warehouse.Warehouse) {
		dir := t.TempDir()
		w := open(t, dir)
		return w, func() warehouse.Warehouse {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w = open(t, dir)
			return w
		}
	})
}

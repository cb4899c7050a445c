package duckdb_test

import (
	"testing"

	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
	"rapport/internal/warehouse/warehousetest"
)

func open(t *testing.T, dir string) *duckdb.DB {
	t.Helper()
	w, err := duckdb.Open(t.Context(), duckdb.Options{Dir: dir, MemoryMB: 64})
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

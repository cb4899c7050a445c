package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3" // damages a row behind the product's back
)

func TestDumpGoesPastADamagedRowAndSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, data := filepath.Join(dir, "orders.csv"), filepath.Join(dir, "data")
	lines := "order_id,date,sku,qty,price,customer_id\n"
	for _, who := range []string{"ada", "bob", "eve"} {
		lines += who + ",2026-01-02,a,2,5," + who + "\n"
	}
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := rapport(t, "import", "orders", file, "--data", data, "--currency", "GBP"); code != exitDone {
		t.Fatal(errs)
	}
	db, err := sql.Open("sqlite3", filepath.Join(data, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE profiles SET body = x'09' WHERE number = (SELECT min(number) FROM profiles)"); err != nil {
		t.Fatal(err)
	}
	code, out, errs := rapport(t, "dump", "profiles", "--data", data)
	if code != exitFailed || !strings.Contains(errs, "customers that cannot be read: 1, all others are above") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if n := strings.Count(out, "\n"); n != 2 {
		t.Errorf("%d customers are printed, want the 2 that can be read:\n%s", n, out)
	}
}

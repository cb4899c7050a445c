package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestABackupAndWhatIsRestoredFromItAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	data, backup, restored := filepath.Join(root, "data"), filepath.Join(root, "backup"), filepath.Join(root, "restored")
	orders := filepath.Join(root, "orders.csv")
	if err := os.WriteFile(orders, []byte("order_id,date,sku,qty,price,customer_id\n1,2026-01-02,a,2,5,ada\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	say(t, exitDone, "import", "orders", orders, "--data", data, "--currency", "GBP")
	say(t, exitDone, "backup", backup, "--data", data)
	say(t, exitDone, "restore", backup, "--data", restored, "--nobody-erased")
	keys := 0
	for _, dir := range []string{backup, restored} {
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			// What SQLite makes beside them is reached through the folder alone.
			if err == nil && info.Mode().Perm()&0o077 != 0 && !strings.Contains(path, ".db-") {
				t.Errorf("%s is %v: others can read it", path, info.Mode())
			}
			if d.Name() == "workspace.key" {
				keys++
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if keys != 2 {
		t.Errorf("%d of the 2 copies have the key", keys)
	}
	say(t, exitFailed, "backup", backup, "--data", data)
}

func TestABackupOfNothingIsNone(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	data, backup := filepath.Join(root, "data"), filepath.Join(root, "backup")
	say(t, exitFailed, "backup", backup, "--data", data)
	for _, path := range []string{data, backup} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was made", path)
		}
	}
}

func TestACopyThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	from := filepath.Join(root, "from")
	if err := errors.Join(os.Mkdir(from, 0o700), os.WriteFile(filepath.Join(from, "a"), []byte("a"), 0o600)); err != nil {
		t.Fatal(err)
	}
	seen := false
	err := copyPrivate(from, filepath.Join(root, "to"), func(dir string) error {
		b, err := os.ReadFile(filepath.Join(dir, "a"))
		seen = err == nil && string(b) == "a" && dir != filepath.Join(root, "to")
		return errors.New("cannot")
	})
	if err == nil || !seen {
		t.Errorf("the copy was looked at: %v; %v", seen, err)
	}
	if left, _ := os.ReadDir(root); len(left) != 1 {
		t.Errorf("%v are left, want the original alone", left)
	}
}

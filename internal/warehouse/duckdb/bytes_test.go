package duckdb_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/warehouse"
	"rapport/internal/warehouse/duckdb"
)

// stands reports whether a word stands in any file of a folder.
func stands(t *testing.T, dir, word string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		found = found || bytes.Contains(b, []byte(word))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestNoByteOfWhoIsForgottenStaysInAnyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, dir)
	defer func() { w.Close() }()
	ada, bob := identity.ID{1, 2, 3}, identity.ID{4, 5, 6}
	for n := range uint64(3) {
		l := warehouse.Load{From: warehouse.Key{Epoch: min(n, 1), Seq: n}, To: warehouse.Key{Epoch: 1, Seq: n + 1}}
		for i := range 3000 {
			l.Events = append(l.Events,
				warehouse.Event{Profile: ada, At: event.Time(1 + i), Name: "Viewed", Search: "canary-of-ada-" + strconv.Itoa(i)},
				warehouse.Event{Profile: bob, At: event.Time(1 + i), Name: "Viewed", Search: "canary-of-bob-" + strconv.Itoa(i)})
		}
		if err := w.LoadFeed(t.Context(), &l); err != nil {
			t.Fatal(err)
		}
	}
	if !stands(t, dir, "canary-of-ada") { // as a control
		t.Fatal("the word is not found before: the scan could prove nothing")
	}
	if err := w.Forget(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	if stands(t, dir, "canary-of-ada") {
		t.Error("the word is still in a file")
	}
	// The file is compressed: the rows are read by the product's own reader too.
	ours, hers := 0, 0
	err := w.Everything(t.Context(), func(_ string, row []byte) error {
		if bytes.Contains(row, []byte("canary-of-bob")) {
			ours++
		}
		if bytes.Contains(row, []byte("canary-of-ada")) {
			hers++
		}
		return nil
	})
	if err != nil || ours != 9000 || hers != 0 {
		t.Errorf("%d rows of another person's are left, and %d of hers: %v", ours, hers, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if stands(t, dir, "canary-of-ada") {
		t.Error("the word is in a file after the close")
	}
	w = open(t, dir)
}

// A rewriting that was cut short leaves the generation before it whole.
func TestAnUnfinishedGenerationIsThrownAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, dir)
	l := warehouse.Load{To: warehouse.Key{Epoch: 1, Seq: 1}, Events: []warehouse.Event{{Profile: identity.ID{1}, At: 1, Name: "Viewed"}}}
	if err := errors.Join(w.LoadFeed(t.Context(), &l), w.Close()); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, "g000002.duckdb.new")
	if err := os.WriteFile(half, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	w = open(t, dir)
	defer w.Close()
	if at, err := w.Position(t.Context(), 0); at != l.To || err != nil {
		t.Errorf("the position is %v, %v", at, err)
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("the half file is still there")
	}
	for _, name := range []string{"g000001.duckdb"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestAQueryLargerThanTheMemorySpillsOrSaysSo(t *testing.T) {
	t.Parallel()
	w, err := duckdb.Open(t.Context(), duckdb.Options{Dir: t.TempDir(), MemoryMB: 32})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	rows, err := w.Query(t.Context(), "SELECT count(*) FROM (SELECT i, count(*) FROM range(3000000) AS t(i) GROUP BY i)", nil, warehouse.All)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if row := rows.Next(); row == nil || row[0] != int64(3_000_000) {
		t.Errorf("it counts %v, %v", row, rows.Err())
	}
}

package durable_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rapport/internal/durable"
)

func TestAFileIsReplacedWholeAndBelongsToItsOwner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.json")
	for _, version := range []string{"a longer first version", "second", ""} {
		if err := durable.Write(path, []byte(version)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != version {
			t.Fatalf("it holds %q %v, want %q", b, err, version)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v %v", info.Mode(), err)
	}
}

func TestAVersionThatCannotTakeItsPlaceLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "by a folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.Write(taken, []byte("x")); err == nil {
		t.Error("a file took the place of a folder")
	}
	if err := durable.Write(filepath.Join(dir, "nowhere", "file"), []byte("x")); err == nil {
		t.Error("a file stands in a folder that is not there")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%v %v are left", left, err)
	}
}

func TestOfTwoWritersOneVersionStaysWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	versions := [][]byte{bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 70_000)}
	var group sync.WaitGroup
	for range 20 {
		for _, v := range versions {
			group.Go(func() {
				if err := durable.Write(path, v); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, versions[0]) && !bytes.Equal(b, versions[1]) {
		t.Errorf("%d bytes %v of two versions are mixed", len(b), err)
	}
}

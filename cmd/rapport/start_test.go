package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandsOnADirectoryThatIsNotThereSaySoAndMakeNothing(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"import", "list"},
		{"import", "undo", "x"},
		{"connect", "list"},
		{"connect", "settle", "x"},
		{"hooks", "list"},
		{"domain", "list"},
		{"domain", "pause", "shop.example"},
		{"keys", "list"},
		{"dump", "events"},
		{"why", "x"},
		{"doctor"},
		{"reachable"},
		{"export-person", "x", "--out", filepath.Join(t.TempDir(), "out")},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		code, out, errs := rapport(t, append(args, "--data", dir)...)
		if code != 1 || out != "" || !strings.Contains(errs, "is no data directory") {
			t.Errorf("%v: exit code %d, %q, %q", args, code, out, errs)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%v made the directory", args)
		}
	}
}

func TestAStartThatCannotSucceedMakesNoKeys(t *testing.T) {
	t.Parallel()
	folder, dir := t.TempDir(), filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(filepath.Join(folder, "shop.yaml"), []byte("name: The Shop\nzone: Nowhere/At All\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := rapport(t, "serve", "--data", dir, "--listen", "127.0.0.1:0", "--definitions", folder)
	if code != 1 || strings.Contains(out, "rp_") || !strings.Contains(errs, "shop.yaml:2") {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a data directory was made")
	}
}

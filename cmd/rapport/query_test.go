package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/clock"
)

// The process of a query is this test, called so.
func TestMain(m *testing.M) {
	if answersQuery(os.Args) {
		os.Exit(answerQuery())
	}
	os.Exit(m.Run())
}

func TestSQLThatTakesGigabytesIsRefusedInTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	d, err := openDirectory(t.Context(), dir, opening{clock: clock.Wall(), create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	begun := time.Now()
	code := command(t.Context(), []string{"sql", "--data", dir, "SELECT repeat('x', 4000000000)"}, &out, &errs)
	if code != exitFailed || !strings.Contains(errs.String(), "needs more memory than it may take") {
		t.Errorf("exit %d after %v: %s%s", code, time.Since(begun), out.String(), errs.String())
	}
	out.Reset()
	errs.Reset()
	if code := command(t.Context(), []string{"sql", "--data", dir, "SELECT 40 + 2 AS answer"}, &out, &errs); code != exitDone || out.String() != "answer\n42\n" {
		t.Errorf("exit %d: %s%s", code, out.String(), errs.String())
	}
}

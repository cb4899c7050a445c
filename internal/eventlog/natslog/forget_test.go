package natslog_test

import (
	"strings"
	"testing"

	"rapport/internal/erase"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/natslog"
)

// TestWhatIsTrimmedBehindTheSlackIsOffTheDisk: erasure rests on it.
func TestWhatIsTrimmedBehindTheSlackIsOffTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := natslog.Open(t.Context(), natslog.Options{Dir: dir, Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	add := func(body string) uint64 {
		t.Helper()
		r, err := l.Append(t.Context(), 0, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return r.Seq
	}
	find := func() []erase.Found {
		t.Helper()
		found, err := erase.Scan(t.Context(), dir, []string{"canary-of-the-log"})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	add("before")
	add("canary-of-the-log")
	if len(find()) == 0 {
		t.Fatal("the scan does not find what is there")
	}
	const piece = 1 << 20
	for range eventlog.TrimSlack / piece {
		add(strings.Repeat("-", piece))
	}
	if err := l.Trim(t.Context(), 0, add("last")); err != nil {
		t.Fatal(err)
	}
	if found := find(); len(found) > 0 {
		t.Errorf("it is still there:\n%s", erase.Say(found))
	}
}

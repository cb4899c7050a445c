package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// tamper changes a file of which the store is closed.
func tamper(t *testing.T, path string, changes ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		if _, err := db.Exec(change); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestItem28ARowThatNobodyWroteDoesNotEndTheProcess: whoever dies of a row dies of
// it at every start.
func TestItem28ARowThatNobodyWroteDoesNotEndTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, filepath.Join(dir, "state.db"),
		`INSERT INTO deliveries (id, profile, state, channel, journey, because, priority, planned, not_before, deadline, fence, changed, outcome, body)
			VALUES (x'01', x'0203', 1, 'email', 'j', '', 0, 1, 1, NULL, 0, 1, '', x'00')`,
		`INSERT INTO quarantine (at, target, kind, reason, field, detail, entry) VALUES (1, x'01', 7, 'r', 'f', 'd', NULL)`)
	if s, err = sqlite.Open(t.Context(), sqlite.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if due, err := s.DueDeliveries(t.Context(), "", 100, 10); err != nil || len(due) != 1 {
		t.Errorf("due = %v, %v; want the one row under an id that names nothing", due, err)
	}
	for range 8 { // more often than there are readers: none may be lost
		if _, err := s.Quarantined(t.Context(), 10); err != nil && !fault.Is(err, fault.Corrupt) {
			t.Errorf("quarantined: %v", err)
		}
	}
	if at, err := s.NextDelivery(t.Context()); err != nil || at == event.Never {
		t.Errorf("next = %v, %v", at, err)
	}
}

func TestASuppressionThatNobodyWroteHoldsBackWhomItNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openLedger(t, dir)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	who := someone(1)
	if _, err := db.Exec("INSERT INTO suppressions (subject, channel, purpose, reason, at, by) VALUES (?, x'01', 'news', 'bounced', 5, 'x')", who[:]); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, dir)
	defer l.Close()
	answers, err := l.Start(t.Context(), []store.Start{
		{ID: profile.DeliveryID{1}, Subjects: [][16]byte{who}, Channel: "email", Purpose: "news"},
		{ID: profile.DeliveryID{2}, Subjects: [][16]byte{someone(2)}, Channel: "email", Purpose: "news"},
	})
	if err != nil || answers[0] != store.Stop || answers[1] != store.Go {
		t.Errorf("Start = %v, %v; want them alone stopped", answers, err)
	}
	if s, is, err := l.Suppressed(t.Context(), who, "email", "news"); err != nil || !is || s.Reason != store.Manual {
		t.Errorf("Suppressed = %+v, %t, %v; want it held back, and not known why", s, is, err)
	}
}

package sqlite_test

import (
	"database/sql"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

var update = flag.Bool("update", false, "write schema.sql anew")

func wantFault(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("error = %v, want a fault of kind %q", err, kind)
	}
}

func openError(t *testing.T, o sqlite.Options) error {
	t.Helper()
	s, err := sqlite.Open(t.Context(), o)
	if err == nil {
		t.Errorf("Open(%+v) succeeded", o)
		_ = s.Close() // the test has failed already
	}
	return err
}

func TestSchemaFilesShowWhatTheMigrationsMake(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, l := open(t, dir), openLedger(t, dir)
	defer s.Close()
	defer l.Close()
	state, err := s.Schema()
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := l.Schema()
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"state": state, "ledger": ledger} {
		path := filepath.Join("sql", name, "schema.sql")
		got = "-- What the migrations make. A test writes this file with -update and compares it otherwise.\n\n" + got
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != got {
			t.Errorf("%s is not what the migrations make: run the test with -update and read the difference", path)
		}
	}
}

// An older state keeps the pages that it was made with, and its WAL may be as large.
func TestAStateKeepsThePagesThatItHas(t *testing.T) {
	t.Parallel()
	for _, page := range []int64{2048, 4096} {
		dir := t.TempDir()
		db, err := sql.Open("sqlite3", filepath.Join(dir, "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		if page == 2048 {
			if _, err := db.Exec("PRAGMA page_size=2048; CREATE TABLE old (n INTEGER); DROP TABLE old"); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s := open(t, dir)
			size, got, err := s.WALTarget()
			if err != nil || got != page || size != 512<<20 {
				t.Errorf("the WAL grows to %d bytes in pages of %d (%v), want %d in pages of %d", size, got, err, 512<<20, page)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAFileHasOneOpener(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, l := open(t, dir), openLedger(t, dir)
	wantFault(t, openError(t, sqlite.Options{Dir: dir}), fault.Conflict)
	_, err := sqlite.OpenLedger(t.Context(), sqlite.Options{Dir: dir})
	wantFault(t, err, fault.Conflict)
	for _, c := range []interface{ Close() error }{s, l} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFolderHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	release, err := sqlite.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.LockDir(dir)
	wantFault(t, err, fault.Conflict)
	s := open(t, dir) // the owner's own files are not in its way
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	release, err = sqlite.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	change := func(statement string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			db, err := sql.Open("sqlite3", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		want  fault.Kind
	}{
		{"bytes that are no database", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, fault.Corrupt},
		{"a newer program's state", change("INSERT INTO migrations (number, name, checksum) VALUES (9999, '9999_later.sql', '')"), fault.Invalid},
		{"a migration that reads differently", change("UPDATE migrations SET checksum = 'other' WHERE number = 1"), fault.Corrupt},
		{"a migration that is missing", change("DELETE FROM migrations WHERE number = 1; INSERT INTO migrations (number, name, checksum) VALUES (-1, '', '')"), fault.Corrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := open(t, dir).Close(); err != nil {
				t.Fatal(err)
			}
			test.spoil(t, filepath.Join(dir, "state.db"))
			err := openError(t, sqlite.Options{Dir: dir})
			wantFault(t, err, test.want)
			// What was opened before the refusal is closed again.
			wantFault(t, openError(t, sqlite.Options{Dir: dir}), test.want)
		})
	}
}

func TestOptionsThatCannotBeRightAreInvalid(t *testing.T) {
	t.Parallel()
	wantFault(t, openError(t, sqlite.Options{}), fault.Invalid)
	wantFault(t, openError(t, sqlite.Options{Dir: t.TempDir(), Sync: "sometimes"}), fault.Invalid)
}

func TestAFolderMayHaveAnyName(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a b?c=d#e%20é")
	s := open(t, dir)
	defer s.Close()
	if _, err := os.Stat(filepath.Join(dir, "state.db")); err != nil {
		t.Fatal(err)
	}
}

func TestAFullDiskIsUnavailableAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	defer s.Close()
	small := store.Commit{To: store.Position{Epoch: 1, Seq: 1}, Profiles: []store.Row{{ID: someone(1), Alarm: event.Never, Body: []byte("small")}}}
	if err := s.Commit(t.Context(), &small); err != nil {
		t.Fatal(err)
	}
	pages, err := s.Pages()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Limit(pages + 10); err != nil {
		t.Fatal(err)
	}
	large := store.Commit{
		From: small.To, To: store.Position{Epoch: 1, Seq: 2}, Feed: make([]byte, 1<<20),
		Profiles: []store.Row{{ID: someone(1), Alarm: event.Never, Body: []byte("large")}},
	}
	wantFault(t, s.Commit(t.Context(), &large), fault.Unavailable)
	at, err := s.Position(t.Context(), 0)
	if err != nil || at != small.To {
		t.Fatalf("Position after a full disk = %+v, %v", at, err)
	}
	body, err := s.Load(t.Context(), []identity.ID{someone(1)})
	if err != nil || string(body[0].Body) != "small" {
		t.Fatalf("Load after a full disk = %q, %v", body[0].Body, err)
	}
	if err := s.Limit(0); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), &large); err != nil {
		t.Fatalf("Commit when there is space again = %v", err)
	}
}

func TestAnUnsubscribeThatWasNotWrittenIsNotAnswered(t *testing.T) {
	t.Parallel()
	l := openLedger(t, t.TempDir())
	defer l.Close()
	if err := l.Limit(1); err != nil { // not one page more than there are
		t.Fatal(err)
	}
	l.Reserve(10_000) // and not much in the reserve
	// Many at once share a transaction, and each must hear of its failure.
	const callers, each = 8, 200
	var answered [callers * each]bool
	var refused atomic.Int32
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for n := caller * each; n < (caller+1)*each; n++ {
				err := l.Suppress(t.Context(), store.Suppression{Subject: someone(n), Channel: "email", Reason: store.Unsubscribed})
				if answered[n] = err == nil; !answered[n] {
					refused.Add(1)
					if !fault.Is(err, fault.Unavailable) {
						t.Errorf("Suppress on a full disk = %v, want Unavailable", err)
					}
				}
			}
		})
	}
	wg.Wait()
	if refused.Load() == 0 {
		t.Fatal("the disk was never full")
	}
	for n := range answered {
		_, is, err := l.Suppressed(t.Context(), someone(n), "email", "")
		if err != nil {
			t.Fatal(err)
		}
		if is != answered[n] {
			t.Fatalf("suppression %d: written %t, answered %t", n, is, answered[n])
		}
	}
	if l.Waiting() == 0 {
		t.Error("nothing went into the reserve")
	}
}

func TestItem06AnUnsubscribeOnAFullDiskCountsAtOnceAndForEver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openLedger(t, dir)
	if err := l.Limit(1); err != nil {
		t.Fatal(err)
	}
	full := func(n int) error {
		return l.Suppress(t.Context(), store.Suppression{Subject: someone(n), Channel: "email", Purpose: "marketing", Reason: store.Unsubscribed, At: 5, By: "link"})
	}
	last := 0
	for l.Waiting() < 3 {
		last++
		if err := full(last); err != nil {
			t.Fatal(err)
		}
	}
	start := func(l *sqlite.Ledger, n int) store.StartAnswer {
		answers, err := l.Start(t.Context(), []store.Start{{ID: profile.DeliveryID{byte(n)}, Subjects: [][16]byte{someone(n)}, Channel: "email", Purpose: "marketing"}})
		if err != nil {
			t.Fatal(err)
		}
		return answers[0]
	}
	// Nothing begins while the ledger cannot be written, and a kill forgets nothing.
	if _, err := l.Start(t.Context(), []store.Start{{ID: profile.DeliveryID{99}, Subjects: [][16]byte{someone(999)}, Channel: "email"}}); err == nil {
		t.Error("a delivery began on a full disk")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, dir)
	defer l.Close()
	if l.Waiting() != 3 {
		t.Fatalf("%d wait in the reserve after a restart, want 3", l.Waiting())
	}
	if s, is, err := l.Suppressed(t.Context(), someone(last), "email", "marketing"); err != nil || !is || s.By != "link" || s.At != 5 {
		t.Errorf("what waits in the reserve does not count: %+v, %t, %v", s, is, err)
	}
	if _, is, err := l.Suppressed(t.Context(), someone(last), "sms", "marketing"); err != nil || is {
		t.Errorf("it stops another channel: %v", err)
	}
	all, err := l.AllSuppressed(t.Context(), []store.Question{{Subject: someone(last + 1), Channel: "email", Purpose: "marketing"}, {Subject: someone(last), Channel: "email", Purpose: "marketing"}})
	if err != nil || all[0] != nil || all[1] == nil || all[1].By != "link" {
		t.Errorf("what waits in the reserve does not count when many are asked: %v, %v", all, err)
	}
	for n := last; n > last-3; n-- {
		if got := start(l, n); got != store.Stop {
			t.Errorf("a delivery to someone who unsubscribed on a full disk is answered %d, want Stop", got)
		}
	}
	if start(l, last+1) != store.Go || l.Waiting() != 0 {
		t.Errorf("%d are left in the reserve", l.Waiting())
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, dir)
	if _, is, err := l.Suppressed(t.Context(), someone(last), "email", "marketing"); err != nil || !is || l.Waiting() != 0 {
		t.Errorf("it is not in the ledger: %t, %v, %d wait", is, err, l.Waiting())
	}
}

func TestWhatIsReleasedDoesNotComeBackFromTheReserve(t *testing.T) {
	t.Parallel()
	l := openLedger(t, t.TempDir())
	defer l.Close()
	if err := l.Limit(1); err != nil {
		t.Fatal(err)
	}
	for n := 0; l.Waiting() == 0; n++ {
		if err := l.Suppress(t.Context(), store.Suppression{Subject: someone(n), Channel: "email", Reason: store.Unsubscribed, At: 5}); err != nil {
			t.Fatal(err)
		}
		if l.Waiting() > 0 {
			if err := l.Limit(1 << 20); err != nil { // there is space again
				t.Fatal(err)
			}
			next, free := l.Busy()
			var both sync.WaitGroup
			both.Go(func() {
				if err := l.Release(t.Context(), someone(n), "email", "", 10); err != nil {
					t.Error(err)
				}
			})
			next(1)
			both.Go(func() {
				if _, err := l.Start(t.Context(), []store.Start{{ID: profile.DeliveryID(someone(1 << 20)), Channel: "email", At: 20}}); err != nil {
					t.Error(err)
				}
			})
			next(2)
			free()
			both.Wait()
			if s, is, err := l.Suppressed(t.Context(), someone(n), "email", ""); is || err != nil {
				t.Errorf("they agreed again and are still stopped: %+v, %v", s, err)
			}
			return
		}
	}
}

func TestACheckpointEmptiesTheLog(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	defer s.Close()
	c := store.Commit{To: store.Position{Epoch: 1, Seq: 1}, Feed: make([]byte, 1<<20)}
	if err := s.Commit(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if left, err := s.Waiting(); err != nil || left == 0 {
		t.Fatalf("pages in the log after a commit = %d, %v", left, err)
	}
	if left, err := s.Checkpoint(); err != nil || left != 0 {
		t.Fatalf("pages in the log after a checkpoint = %d, %v", left, err)
	}
}

func TestTheLogBeginsAnewAfterACheckpoint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	var first int64
	for n := range uint64(8) {
		c := store.Commit{From: store.Position{Seq: n}, To: store.Position{Seq: n + 1}, Feed: make([]byte, 1<<20)}
		if err := s.Commit(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, "state.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = info.Size()
		}
		if info.Size() > 2*first {
			t.Fatalf("the log has %d bytes after %d commits, %d after the first", info.Size(), n+1, first)
		}
	}
}

// scans are the queries that may look at a whole table or index, with the reason.
var scans = map[string]string{
	"SCAN segments":       "there are as many rows as segments",
	"SCAN profiles":       "the sizes for people count, and read an index only",
	"SCAN deliveries":     "the counts for people, and all of them in the order of an index with a limit",
	"SCAN forwards":       "asked without a lane, in the order of the key, with a limit",
	"SCAN feed":           "the sizes for people count, and read an index only",
	"SCAN quarantine":     "in the order of the key, with a limit; and its size",
	"SCAN programs":       "the sizes for people count; there are few",
	"SCAN migrations":     "at the start",
	"SCAN suppressions":   "the counts for people",
	"SCAN starts":         "the index of those that are not finished: a few seconds of sending",
	"SCAN history_end":    "it has one row",
	"SCAN member_changes": "at the start: some thousands for each segment, of a large one some ten thousands",
}

func TestNoQueryReadsAWholeTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, l := open(t, dir), openLedger(t, dir)
	defer s.Close()
	defer l.Close()
	askEverything(t, s, l)
	ofState, err := s.Plans()
	if err != nil {
		t.Fatal(err)
	}
	ofLedger, err := l.Plans()
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(ofState, ofLedger)
	if len(ofState) < 40 {
		t.Errorf("only %d queries were prepared", len(ofState))
	}
	scanned := regexp.MustCompile(`^SCAN \w+`)
	sorts := regexp.MustCompile(`TEMP B-TREE FOR (GROUP|ORDER)`) // and not for the last term: a handful that are equal before it
	for _, query := range slices.Sorted(maps.Keys(ofState)) {
		for _, step := range ofState[query] {
			what := scanned.FindString(step)
			if what == "SCAN deliveries" && !strings.Contains(query, "count(*)") && !strings.Contains(query, "LIMIT") {
				t.Errorf("%s\n\treads everything: %s", query, step)
			}
			if what != "" && what != "SCAN CONSTANT" && scans[what] == "" {
				t.Errorf("%s\n\treads everything: %s", query, step)
			}
			if sorts.MatchString(step) && !strings.Contains(query, "FROM suppressions") {
				t.Errorf("%s\n\tsorts: %s", query, step)
			}
		}
	}
}

// askEverything calls every method once.
func askEverything(t *testing.T, s *sqlite.Store, l *sqlite.Ledger) {
	t.Helper()
	ctx, id, last := t.Context(), someone(1), identity.ID{255}
	var errs []error
	note := func(_ any, err error) { errs = append(errs, err) }
	sent := store.Delivery{Delivery: profile.Delivery{ID: profile.DeliveryID{1}, State: profile.Accepted}}
	for n := range uint64(2) {
		errs = append(errs, s.Commit(ctx, &store.Commit{
			From: store.Position{Seq: n}, To: store.Position{Seq: n + 1},
			Profiles:    []store.Row{{ID: id, Alarm: 5}, {ID: someone(3)}},
			History:     []store.Block{{Strand: id}, {Strand: someone(2)}},
			Memberships: []store.Membership{{In: true}, {In: true}, {}},
			Deliveries:  []store.Delivery{{Delivery: profile.Delivery{State: profile.Planned}}, sent},
			Forwards:    []store.Forward{{Number: 1}}, Forwarded: 1, Quarantine: []store.Quarantine{{}}, Feed: []byte{1},
		}))
	}
	note(s.Position(ctx, 0))
	note(s.Load(ctx, []identity.ID{id}))
	note(s.History(ctx, id))
	note(s.Fingerprints(ctx, id, 1))
	note(s.Profiles(ctx, id, 1))
	note(s.Living(ctx, id, last, 1))
	note(s.Census(ctx, 1, 9, id, last, 1, nil))
	note(s.LastNumber(ctx))
	errs = append(errs, s.WarmHistories(ctx))
	note(s.Due(ctx, id, last, 9, 1))
	note(s.DueAfter(ctx, store.Row{}, id, last, 9, 1))
	note(s.NextAlarm(ctx, id, last))
	note(s.DueDeliveries(ctx, "", 9, 1))
	note(s.DueDeliveries(ctx, "email", 9, 1))
	note(s.NextDelivery(ctx))
	note(s.InState(ctx, profile.Claimed, profile.DeliveryID{}, 1))
	note(s.InState(ctx, profile.Accepted, profile.DeliveryID{}, 1))
	note(s.Delivery(ctx, sent.ID))
	note(s.DeliveriesOf(ctx, id, 1))
	for _, err := range s.Deliveries(ctx) {
		errs = append(errs, err)
	}
	note(s.DeliveryCounts(ctx))
	note(s.Members(ctx, 0, id, 1))
	note(s.SegmentCounts(ctx))
	note(s.Forwards(ctx, 1))
	note(s.Feed(ctx, 0, 0, 1))
	note(s.Quarantined(ctx, 1))
	errs = append(errs, s.SaveProgram(ctx, 1, nil))
	note(s.Program(ctx, 1))
	note(s.Stats(ctx))

	note(l.Start(ctx, []store.Start{{Subjects: [][16]byte{id}}}))
	errs = append(errs, l.Note(ctx, []store.Receipt{{}}), l.Finish(ctx, []profile.DeliveryID{{}}))
	note(l.Unfinished(ctx, 9, 1))
	errs = append(errs, l.Suppress(ctx, store.Suppression{}), l.Release(ctx, id, "", "", event.Never))
	_, _, err := l.Suppressed(ctx, id, "", "")
	errs = append(errs, err)
	note(l.Suppressions(ctx))
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := sqlite.OpenCatalogue(t.Context(), sqlite.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 4 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

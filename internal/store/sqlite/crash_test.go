package sqlite_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// The test binary is its own victim: with these in its environment it commits
// until it is killed.
const (
	crashDir  = "RAPPORT_SQLITE_CRASH_DIR"
	crashMode = "RAPPORT_SQLITE_CRASH_MODE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := victim(dir, os.Getenv(crashMode)); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// victim commits and says what is durable: "s 12" is position 12 of the state,
// "l 12" the suppression of subject 12.
func victim(dir, mode string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Options{Dir: dir})
	if err != nil {
		return err
	}
	l, err := sqlite.OpenLedger(ctx, sqlite.Options{Dir: dir})
	if err != nil {
		return err
	}
	at, err := s.Position(ctx, 0)
	if err != nil {
		return err
	}
	fmt.Println("open", at.Seq)
	for n := at.Seq + 1; mode == "" || n <= at.Seq+20; n++ {
		if err := s.Commit(ctx, crashCommit(n)); err != nil {
			if mode == "" {
				return err
			}
			kind, message := fault.Of(err)
			fmt.Printf("refused %d %s: %s\n", n, kind, message)
			n-- // again, as a stubborn engine would
			if at.Seq++; at.Seq > n+20 {
				return nil
			}
			continue
		}
		fmt.Println("s", n)
		if err := l.Suppress(ctx, store.Suppression{Subject: someone(int(n)), Channel: "email", Reason: store.Unsubscribed}); err != nil {
			return err
		}
		fmt.Println("l", n)
	}
	return nil
}

// crashPeople is how many customers the commits change, over and over.
const crashPeople = 300

// crashCommit is the n-th commit: it writes its number everywhere.
func crashCommit(n uint64) *store.Commit {
	c := &store.Commit{To: store.Position{Epoch: 1, Seq: n}, Feed: make([]byte, 30_000)}
	if n > 1 {
		c.From = store.Position{Epoch: 1, Seq: n - 1}
	}
	body := binary.BigEndian.AppendUint64(make([]byte, 0, 1500), n)[:1500]
	for i := range crashPeople {
		c.Profiles = append(c.Profiles, store.Row{ID: someone(i), Alarm: event.Time(n), Body: body})
	}
	c.History = []store.Block{{Strand: someone(int(n) % crashPeople), Shelf: store.Shelf{Month: int32(n / 7), Fingerprints: []uint64{n}}, Body: body[:8]}}
	c.Memberships = []store.Membership{{Segment: 1, Profile: someone(int(n)), In: true}}
	c.Deliveries = []store.Delivery{{Delivery: profile.Delivery{ID: profile.DeliveryID(someone(int(n))), State: profile.Planned, NotBefore: event.Time(n)}}}
	return c
}

// consistent checks that the state is that of exactly n commits.
func consistent(t *testing.T, s *sqlite.Store, n uint64) {
	t.Helper()
	ctx := t.Context()
	rows, err := s.Profiles(ctx, identity.ID{}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	if n > 0 && len(rows) != crashPeople {
		t.Fatalf("%d profiles at position %d", len(rows), n)
	}
	for _, r := range rows {
		if at := binary.BigEndian.Uint64(r.Body); at != n || r.Alarm != event.Time(n) {
			t.Fatalf("a profile is of commit %d with the alarm of %d, the position is %d", at, r.Alarm, n)
		}
	}
	due, err := s.Due(ctx, identity.ID{}, identity.ID{255, 255}, event.Time(n), 10_000)
	if err != nil || len(due) != len(rows) {
		t.Fatalf("%d of %d alarms are found, %v", len(due), len(rows), err)
	}
	pieces := 0
	for i := range crashPeople {
		blocks, err := s.History(ctx, someone(i))
		if err != nil {
			t.Fatal(err)
		}
		for k, b := range blocks {
			if k > 0 && blocks[k-1].Fingerprints[0]+crashPeople != b.Fingerprints[0] {
				t.Fatalf("history of %d goes from commit %d to %d", i, blocks[k-1].Fingerprints[0], b.Fingerprints[0])
			}
		}
		pieces += len(blocks)
	}
	counts, err := s.SegmentCounts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := s.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	planned, err := s.DueDeliveries(ctx, "", event.Never-1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]int64{
		"pieces of history": int64(pieces), "members": counts[1], "feed blocks": stats["feed"], "deliveries": stats["deliveries"],
		"planned deliveries": int64(len(planned)),
	} {
		if got != int64(n) {
			t.Fatalf("%d %s after %d commits", got, what, n)
		}
	}
}

// kills is how often the victim is killed. Each time costs a process.
const kills = 20

func TestWhatWasAcknowledgedSurvivesKills(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	dir := t.TempDir()
	var state uint64                // acknowledged
	suppressed := map[uint64]bool{} // acknowledged
	for round := range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), crashDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			what, number, _ := strings.Cut(lines.Text(), " ")
			v, err := strconv.ParseUint(number, 10, 64)
			if err != nil {
				t.Fatalf("the victim said %q", lines.Text())
			}
			switch what {
			case "s":
				state = v
			case "l":
				suppressed[v] = true
			}
			if n == 3+round%5*4 {
				// Not at the moment of an answer: somewhere in the next commits.
				time.AfterFunc(time.Duration(round)*500*time.Microsecond, func() { _ = cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait() // it was killed

		s, l := open(t, dir), openLedger(t, dir)
		at, err := s.Position(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if at.Seq < state {
			t.Fatalf("round %d: position %d, but %d was acknowledged", round, at.Seq, state)
		}
		consistent(t, s, at.Seq)
		for n := range suppressed {
			if _, is, err := l.Suppressed(t.Context(), someone(int(n)), "email", ""); err != nil || !is {
				t.Fatalf("round %d: the suppression of %d was acknowledged and is gone, %v", round, n, err)
			}
		}
		for _, c := range []interface{ Close() error }{s, l} {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		state = at.Seq
	}
	if state < kills || len(suppressed) < kills {
		t.Fatalf("only %d commits and %d suppressions in %d rounds: the victims never got to work", state, len(suppressed), kills)
	}
}

// underFaults runs the victim with every n-th call of a kind failing.
func underFaults(t *testing.T, dir, inject string) (lines []string) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-o", os.DevNull, "-P", dir+"/state.db-wal", "-e", inject, os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashMode+"=faults")
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("strace does not work here: %v\n%s", err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestASyncThatFailsIsUnavailableAndNothingMoreIsWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	lines := underFaults(t, dir, "inject=fsync,fdatasync:error=EIO:when=5")
	var acked, refused uint64
	for _, line := range lines {
		if n, ok := strings.CutPrefix(line, "s "); ok {
			if refused > 0 {
				t.Fatalf("a commit was acknowledged after a sync had failed:\n%s", strings.Join(lines, "\n"))
			}
			acked, _ = strconv.ParseUint(n, 10, 64)
		}
		if strings.HasPrefix(line, "refused ") {
			refused++
			if !strings.Contains(line, fault.Unavailable.String()) {
				t.Fatalf("%s, want unavailable", line)
			}
		}
	}
	if refused < 2 || acked == 0 {
		t.Fatalf("%d commits were acknowledged and %d refused:\n%s", acked, refused, strings.Join(lines, "\n"))
	}
	s = open(t, dir)
	defer s.Close()
	at, err := s.Position(t.Context(), 0)
	if err != nil || at.Seq < acked {
		t.Fatalf("position %d, but %d was acknowledged, %v", at.Seq, acked, err)
	}
	consistent(t, s, at.Seq)
}

func TestAWriteWithoutSpaceIsUnavailableAndTheNextGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Each thread counts its own writes; whichever the commits run on, one comes to a thousand.
	lines := underFaults(t, dir, "inject=pwrite64:error=ENOSPC:when=1000")
	text := strings.Join(lines, "\n")
	if !strings.Contains(text, "refused") || !strings.Contains(text, "the disk is full") {
		t.Fatalf("no commit met the full disk:\n%s", text)
	}
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "l ") {
		t.Fatalf("the victim did not go on when there was space again:\n%s", text)
	}
	s = open(t, dir)
	defer s.Close()
	n, _ := strconv.ParseUint(strings.TrimPrefix(last, "l "), 10, 64)
	consistent(t, s, n)
}

package natslog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rapport/internal/eventlog"
	"rapport/internal/eventlog/natslog"
	"rapport/internal/fault"
)

// recordBytes is what the server stores for a record beside its body: its own
// head of 22 bytes, the subject, our head and a checksum.
const recordBytes = 22 + len("lane-0000") + 8 + 8

// block returns the newest block of lane 0, with its size.
func block(t *testing.T, dir string) (string, int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(msgs(dir), "*.blk"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no blocks in %s: %v", msgs(dir), err)
	}
	info, err := os.Stat(names[len(names)-1])
	if err != nil {
		t.Fatal(err)
	}
	return names[len(names)-1], info.Size()
}

func TestItem07ATornLastRecordIsDroppedAndThoseBeforeItAreWhole(t *testing.T) {
	t.Parallel()
	const records = 6
	source := t.TempDir()
	l := mustOpen(t, natslog.Options{Dir: source})
	defer l.Close()
	for i := 1; i <= records; i++ {
		if _, err := l.Append(t.Context(), 0, numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	whole := len(numbered(records)) + recordBytes
	for _, cut := range []int{1, 7, 8, 100, whole / 2, whole - 22, whole - 1, whole} {
		// What a power cut leaves: the files as they are while the log is open.
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
			t.Fatal(err)
		}
		name, size := block(t, dir)
		if err := os.Truncate(name, size-int64(cut)); err != nil {
			t.Fatal(err)
		}
		torn := mustOpen(t, natslog.Options{Dir: dir})
		if got := readAll(t, torn); !slices.Equal(got, []int{1, 2, 3, 4, 5}) {
			t.Errorf("%d bytes torn off: records %v, want 1 to 5", cut, got)
		}
		if r, err := torn.Append(t.Context(), 0, numbered(6)); err != nil || r.Seq != records {
			t.Errorf("%d bytes torn off: Append = %d, %v, want sequence %d", cut, r.Seq, err, records)
		}
		if got := readAll(t, torn); !slices.Equal(got, []int{1, 2, 3, 4, 5, 6}) {
			t.Errorf("%d bytes torn off and appended again: records %v", cut, got)
		}
		if err := torn.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestARecordThatIsLostAfterAnOrderlyCloseIsReportedAndItsSequenceNotUsedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir, 6)
	name, size := block(t, dir)
	if err := os.Truncate(name, size-10); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, natslog.Options{Dir: dir})
	defer l.Close()
	rs, err := l.Read(t.Context(), 0, eventlog.Position{}, 10)
	if err != nil || len(rs) != 5 {
		t.Fatalf("Read = %d records, %v, want the 5 whole ones", len(rs), err)
	}
	_, err = l.Read(t.Context(), 0, eventlog.Position{Epoch: l.Epoch(), Seq: 5}, 10)
	if !fault.Is(err, fault.Corrupt) {
		t.Fatalf("Read of the lost record = %v, want Corrupt", err)
	}
	if r, err := l.Append(t.Context(), 0, numbered(7)); err != nil || r.Seq != 7 {
		t.Fatalf("Append = %d, %v, want sequence 7", r.Seq, err)
	}
	_, err = l.Read(t.Context(), 0, eventlog.Position{Epoch: l.Epoch(), Seq: 5}, 10)
	if !fault.Is(err, fault.Corrupt) {
		t.Fatalf("Read of the lost record = %v after an Append, want Corrupt", err)
	}
	// Whoever signs for the loss goes on behind it.
	rs, err = l.Read(t.Context(), 0, eventlog.Position{Epoch: l.Epoch(), Seq: 6}, 10)
	if err != nil || len(rs) != 1 || numberOf(t, rs[0]) != 7 {
		t.Fatalf("Read behind the lost record = %d records, %v", len(rs), err)
	}
}

func TestItem08AFlippedBitIsReportedAndNeverServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir, 300) // two blocks
	name := filepath.Join(msgs(dir), "1.blk")
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 4
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, natslog.Options{Dir: dir})
	defer l.Close()
	p := eventlog.Position{}
	for {
		rs, err := l.Read(t.Context(), 0, p, 10)
		if fault.Is(err, fault.Corrupt) {
			break
		}
		if err != nil || len(rs) == 0 {
			t.Fatalf("Read after %d = %d records, %v", p.Seq, len(rs), err)
		}
		for _, r := range rs {
			if numberOf(t, r) != int(r.Seq) {
				t.Fatalf("sequence %d holds record %d", r.Seq, numberOf(t, r))
			}
		}
		if p = (eventlog.Position{Epoch: l.Epoch(), Seq: rs[len(rs)-1].Seq}); p.Seq == 300 {
			t.Fatal("everything was read: the flipped bit was served or the record skipped")
		}
	}
	if p.Seq == 0 {
		t.Error("nothing before the flipped bit could be read")
	}
}

func TestTheEpochChangesWhenTheStreamsAreNotTheOnesItWasMadeFor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		records int // that are left
		damage  func(t *testing.T, dir string) error
	}{
		{"the streams have vanished", 0, func(t *testing.T, dir string) error {
			return os.RemoveAll(filepath.Join(dir, "jetstream"))
		}},
		{"the epoch file has vanished", 3, func(t *testing.T, dir string) error {
			return os.Remove(filepath.Join(dir, "epoch"))
		}},
		{"the streams are of another log", 2, func(t *testing.T, dir string) error {
			other := t.TempDir()
			fill(t, other, 2)
			if err := os.RemoveAll(filepath.Join(dir, "jetstream")); err != nil {
				return err
			}
			return os.Rename(filepath.Join(other, "jetstream"), filepath.Join(dir, "jetstream"))
		}},
		{"a crash came between the epoch and its streams", 0, func(t *testing.T, dir string) error {
			return os.RemoveAll(filepath.Join(dir, "jetstream", "$G"))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			fill(t, dir, 3)
			l := mustOpen(t, natslog.Options{Dir: dir})
			epoch := l.Epoch()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if err := test.damage(t, dir); err != nil {
				t.Fatal(err)
			}
			l = mustOpen(t, natslog.Options{Dir: dir})
			if l.Epoch() == epoch {
				t.Fatalf("the epoch is still %x", epoch)
			}
			if _, err := l.Read(t.Context(), 0, eventlog.Position{Epoch: epoch, Seq: 1}, 1); !fault.Is(err, fault.Corrupt) {
				t.Errorf("Read at a position of before = %v, want Corrupt", err)
			}
			if n := len(readAll(t, l)); n != test.records {
				t.Errorf("%d records are left, want %d", n, test.records)
			}
			epoch = l.Epoch()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = mustOpen(t, natslog.Options{Dir: dir})
			defer l.Close()
			if l.Epoch() != epoch {
				t.Errorf("the new epoch %x did not stay: %x", epoch, l.Epoch())
			}
		})
	}
}

func TestOpenRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := mustOpen(t, natslog.Options{Dir: dir, Lanes: 2})
	refused := func(o natslog.Options, kind fault.Kind) {
		t.Helper()
		other, err := natslog.Open(t.Context(), o)
		if err == nil {
			other.Close()
		}
		if !fault.Is(err, kind) {
			t.Errorf("Open(%d lanes) = %v, want a fault that is %v", o.Lanes, err, kind)
		}
	}
	refused(natslog.Options{Dir: dir, Lanes: 2}, fault.Conflict) // it is open
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	refused(natslog.Options{Dir: dir, Lanes: 1}, fault.Invalid)
	refused(natslog.Options{Dir: dir, Lanes: -1}, fault.Invalid)
	refused(natslog.Options{Dir: dir, Lanes: natslog.MaxLanes + 1}, fault.Invalid)
	refused(natslog.Options{Lanes: 1}, fault.Invalid)
	for _, text := range []string{"", "rapport-log 2 epoch", fmt.Sprintf("rapport-log 1 epoch %016x lanes 2\n", 0)} {
		if err := os.WriteFile(filepath.Join(dir, "epoch"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(natslog.Options{Dir: dir, Lanes: 2}, fault.Corrupt)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(natslog.Options{Dir: file, Lanes: 1}, fault.Unavailable)
}

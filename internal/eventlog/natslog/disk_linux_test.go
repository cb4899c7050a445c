package natslog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rapport/internal/eventlog"
	"rapport/internal/eventlog/natslog"
	"rapport/internal/fault"
)

func init() {
	children["disk"] = childDisk
	children["open"] = childOnlyOpen
	children["small disk"] = childSmallDisk
}

// childDisk appends on a disk that will fail, and says what it is told:
//
//	ack SEQ NUMBER           for each record until the first error
//	failed KIND              the first error
//	again KIND               each of three more tries, right after it
//	recovered | stays KIND   what became of tries for as long as childWait says
//	read N                   how many records can be read in the end
func childDisk(dir string) {
	l := childOpen(dir)
	n := 1000
	try := func() error {
		n++
		r, err := l.Append(context.Background(), 0, numbered(n))
		if err == nil {
			fmt.Printf("ack %d %d\n", r.Seq, n)
		}
		return err
	}
	var err error
	for err = try(); err == nil; err = try() {
		if n == 1100 {
			fmt.Println("never failed")
			return
		}
	}
	fmt.Println("failed", kindOf(err))
	for range 3 {
		if err = try(); err != nil {
			fmt.Println("again", kindOf(err))
		}
	}
	wait, _ := time.ParseDuration(os.Getenv(childWait))
	for end := time.Now().Add(wait); err != nil && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
		err = try()
	}
	if err != nil {
		fmt.Println("stays", kindOf(err))
	} else {
		fmt.Println("recovered")
		for range 3 {
			if err := try(); err != nil {
				fmt.Println("again", kindOf(err))
			}
		}
	}
	fmt.Println("read", countRecords(l))
	if err := l.Close(); err != nil {
		fmt.Println("close", err)
	}
}

func countRecords(l *natslog.Log) int {
	last, err := l.Last(context.Background(), 0)
	if err != nil {
		return -1
	}
	count := 0
	for p := (eventlog.Position{}); p.Seq < last.Seq; {
		rs, err := l.Read(context.Background(), 0, p, 100)
		if err != nil || len(rs) == 0 {
			fmt.Fprintln(os.Stderr, "child: Read:", err)
			return -1
		}
		count += len(rs)
		p = eventlog.Position{Epoch: l.Epoch(), Seq: rs[len(rs)-1].Seq}
	}
	return count
}

// strace returns the words that make strace inject a fault into the calls on the
// newest block; it skips the test where strace does not work. strace counts
// "when" for each thread, so which call it is in all is not known.
func strace(t *testing.T, dir, call, inject string) []string {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace is not to be had here, so no disk can be made to fail: %v %s", err, out)
	}
	name, _ := block(t, dir)
	return []string{"strace", "-f", "-o", os.DevNull, "-e", "trace=" + call, "-P", name, "-e", "inject=" + call + ":" + inject}
}

func TestWhatABadDiskDoesToAppend(t *testing.T) {
	t.Parallel()
	const before = 3
	tests := []struct {
		name         string
		call, inject string
		recovers     bool
	}{
		{"a failed fsync ends appending until the next process", "fsync", "error=EIO:when=4", false},
		{"so does a failed write", "pwrite64", "error=EIO:when=4", false},
		{"so does an fsync that finds the disk full, for what it left is unknown", "fsync", "error=ENOSPC:when=4", false},
		{"a write that finds the disk full is refused until there is space", "pwrite64", "error=ENOSPC:when=4..5", true},
		{"so is one over a quota", "pwrite64", "error=EDQUOT:when=4", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			fill(t, dir, before)
			acks := map[uint64]int{}
			var other []string
			after := 0 // acknowledged after the failure
			c := child(t, "disk", dir, strace(t, dir, test.call, test.inject)...)
			// A disk that was only full recovers after a pause or two; a failed one
			// must not come back in a time in which the other would have.
			c.Env = append(c.Env, childWait+"=3s")
			if test.recovers {
				c.Env = append(c.Env, childWait+"="+patience.String())
			}
			for _, line := range says(t, c) {
				if strings.HasPrefix(line, "ack ") {
					acked(t, line, acks)
					after += min(len(other), 1)
				} else {
					other = append(other, line)
				}
			}
			t.Log(other, acks)
			if len(other) == 0 || other[0] != "failed unavailable" {
				t.Fatalf("the child said %q, want a failure that is Unavailable first", other)
			}
			for _, line := range other {
				if strings.HasPrefix(line, "again ") && line != "again unavailable" {
					t.Errorf("an Append after the failure gave %q", line)
				}
			}
			if slices.Contains(other, "recovered") != test.recovers || slices.Contains(other, "stays unavailable") == test.recovers {
				t.Errorf("the child said %q, want recovery: %v", other, test.recovers)
			}
			if !test.recovers && after > 0 {
				t.Errorf("%d records were acknowledged after the failure", after)
			}
			if slices.Contains(other, "read -1") {
				t.Error("what was acknowledged could not be read after the failure")
			}
			l := mustOpen(t, natslog.Options{Dir: dir})
			defer l.Close()
			numbers := readAll(t, l)
			for seq, n := range acks {
				if seq > uint64(len(numbers)) || numbers[seq-1] != n {
					t.Errorf("record %d was acknowledged at sequence %d and is not there: %v", n, seq, numbers)
				}
			}
			if _, err := l.Append(t.Context(), 0, numbered(5000)); err != nil {
				t.Errorf("Append in the next process = %v", err)
			}
		})
	}
}

// childOnlyOpen says what opening the log gave.
func childOnlyOpen(dir string) {
	l, err := natslog.Open(context.Background(), natslog.Options{Dir: dir})
	fmt.Println(kindOf(err))
	if err == nil {
		_ = l.Close()
	}
}

func TestOpenServesNothingThatItCouldNotSync(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"pwrite64", "fsync"} {
		dir := t.TempDir()
		fill(t, dir, 3)
		got := says(t, child(t, "open", dir, strace(t, dir, call, "error=EIO:when=1")...))
		if !slices.Equal(got, []string{"unavailable"}) {
			t.Errorf("Open on a disk that fails %s = %q, want a fault that is Unavailable", call, got)
		}
		l := mustOpen(t, natslog.Options{Dir: dir})
		if got := readAll(t, l); !slices.Equal(got, []int{1, 2, 3}) {
			t.Errorf("records %v were left, want 1 to 3", got)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// smallDisk is the size of the disk of childSmallDisk: room for the log's first
// block and the copy that is made of it at a restart, and not much more.
const smallDisk = 24 << 20

// childSmallDisk fills a small disk of its own, beside the log and with it, and
// then makes space.
func childSmallDisk(dir string) {
	if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", smallDisk)); err != nil {
		fmt.Println("skip", err)
		return
	}
	l := childOpen(filepath.Join(dir, "log"))
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, smallDisk/2), 0o600); err != nil {
		fmt.Println("skip", err)
		return
	}
	body := numbered(7919)
	appended := 0
	try := func() error {
		r, err := l.Append(context.Background(), 0, body)
		if err == nil {
			appended = int(r.Seq)
		}
		return err
	}
	for round := range 2 {
		var err error
		for err == nil {
			err = try()
		}
		fmt.Println("round", round, kindOf(err))
		full := appended
		end := time.Now().Add(1500 * time.Millisecond) // past the pause, so that a start is tried on the full disk
		for time.Now().Before(end) {
			if err := try(); !fault.Is(err, fault.Unavailable) && err != nil {
				fmt.Println("bad", err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if round == 0 {
			err = os.Remove(ballast)
		} else {
			err = l.Trim(context.Background(), 0, uint64(appended)) // a full log can be trimmed
		}
		for end := time.Now().Add(patience); (appended == full || err != nil) && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
			if round == 1 && err != nil {
				err = l.Trim(context.Background(), 0, uint64(appended))
				continue
			}
			err = try()
		}
		fmt.Println("space", round, kindOf(err))
		if round == 0 {
			fmt.Println("all", countRecords(l) == appended)
		}
	}
	if err := l.Close(); err != nil {
		fmt.Println("bad close", err)
	}
}

func TestAFullDiskRefusesAndRecovers(t *testing.T) {
	t.Parallel()
	c := child(t, "small disk", t.TempDir())
	// In a mount namespace of its own: the disk ends with the child.
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := c.Output()
	if errors.Is(err, syscall.EPERM) || strings.HasPrefix(string(out), "skip") {
		t.Skipf("no disk can be mounted here: %v %s", err, out)
	}
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	want := "round 0 unavailable\nspace 0 ok\nall true\nround 1 unavailable\nspace 1 ok\n"
	if string(out) != want {
		t.Errorf("the child said\n%s\nwant\n%s", out, want)
	}
}

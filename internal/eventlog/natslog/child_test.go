package natslog_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/natslog"
	"rapport/internal/fault"
)

// A test that needs a process to kill, or to give a bad disk, runs this binary
// again as a child: childEnv says what it does, childDir on which log.
const (
	childEnv  = "NATSLOG_TEST_CHILD"
	childDir  = "NATSLOG_TEST_DIR"
	childFrom = "NATSLOG_TEST_FROM" // the number of the child's first record
	childWait = "NATSLOG_TEST_WAIT" // how long a child waits for a disk to recover
)

var children = map[string]func(dir string){}

func TestMain(m *testing.M) {
	if run := children[os.Getenv(childEnv)]; run != nil {
		run(os.Getenv(childDir))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child returns a command that runs this binary as a child; prefix runs before it.
func child(t *testing.T, what, dir string, prefix ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	line := append(prefix, binary)
	c := exec.CommandContext(t.Context(), line[0], line[1:]...)
	c.Env = append(os.Environ(), childEnv+"="+what, childDir+"="+dir)
	c.Stderr = os.Stderr
	return c
}

func childOpen(dir string) *natslog.Log {
	l, err := natslog.Open(context.Background(), natslog.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	return l
}

// numbered is the body of a record with a number: it can be told from every
// other, and the sizes cross blocks and buffers.
func numbered(n int) []byte {
	body := fmt.Appendf(nil, "record %d ", n)
	return append(body, bytes.Repeat([]byte{byte('a' + n%26)}, n*7919%90_000)...)
}

func numberOf(t *testing.T, r eventlog.Record) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(string(r.Body[:min(len(r.Body), 32)]), "record %d ", &n); err != nil || !bytes.Equal(r.Body, numbered(n)) {
		t.Fatalf("record %d has a body that nobody wrote: %.40q", r.Seq, r.Body)
	}
	return n
}

// readAll returns the numbers of all records by sequence, from the first on.
func readAll(t *testing.T, l eventlog.Log) (numbers []int) {
	t.Helper()
	last, err := l.Last(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	var now event.Time
	for p := (eventlog.Position{}); p.Seq < last.Seq; {
		rs, err := l.Read(t.Context(), 0, p, 100)
		if err != nil || len(rs) == 0 {
			t.Fatalf("Read after %d of %d = %d records, %v", p.Seq, last.Seq, len(rs), err)
		}
		for _, r := range rs {
			if r.Seq != p.Seq+1 || r.Now < now {
				t.Fatalf("record %d at %d follows %d at %d", r.Seq, r.Now, p.Seq, now)
			}
			numbers = append(numbers, numberOf(t, r))
			p, now = eventlog.Position{Epoch: l.Epoch(), Seq: r.Seq}, r.Now
		}
	}
	return numbers
}

// fill makes a log with the records 1 to n and closes it.
func fill(t *testing.T, dir string, n int) {
	t.Helper()
	l := mustOpen(t, natslog.Options{Dir: dir})
	for i := 1; i <= n; i++ {
		if _, err := l.Append(t.Context(), 0, numbered(i)); err != nil {
			t.Fatalf("Append = %v", err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// msgs is where the server keeps the blocks of lane 0.
func msgs(dir string) string {
	return filepath.Join(dir, "jetstream", "$G", "streams", "lane-0000", "msgs")
}

// says runs the child to its end and returns the lines that it printed.
func says(t *testing.T, c *exec.Cmd) []string {
	t.Helper()
	out, err := c.Output()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	var lines []string
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}

// acked reads "ack SEQ NUMBER" and notes it.
func acked(t *testing.T, line string, acks map[uint64]int) {
	t.Helper()
	fields := strings.Fields(line)
	if len(fields) != 3 || fields[0] != "ack" {
		t.Fatalf("the child said %q", line)
	}
	seq, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if acks[seq], err = strconv.Atoi(fields[2]); err != nil {
		t.Fatal(err)
	}
}

// kindOf is how a child prints an error: "ok" for none.
func kindOf(err error) string {
	if err == nil {
		return "ok"
	}
	kind, _ := fault.Of(err)
	return kind.String()
}

// patience is how long a child waits for what must come.
const patience = 30 * time.Second

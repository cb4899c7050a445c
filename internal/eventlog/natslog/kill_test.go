package natslog_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"rapport/internal/eventlog/natslog"
)

func init() { children["append"] = childAppend }

// childAppend appends from eight goroutines until it is killed, and prints each
// acknowledgement in one write, so that no line is torn.
func childAppend(dir string) {
	from, _ := strconv.Atoi(os.Getenv(childFrom))
	l := childOpen(dir)
	var mu sync.Mutex
	next := from
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				r, err := l.Append(context.Background(), 0, numbered(n))
				if err != nil {
					fmt.Fprintln(os.Stderr, "child:", err)
					os.Exit(1)
				}
				_, _ = os.Stdout.Write(fmt.Appendf(nil, "ack %d %d\n", r.Seq, n)) // the parent may have gone
			}
		})
	}
	group.Wait()
}

// killsEnv sets how often the process is killed; 20 unless set.
const killsEnv = "NATSLOG_TEST_KILLS"

func TestNothingAcknowledgedIsLostByKill9(t *testing.T) {
	t.Parallel()
	kills := 20
	if n, err := strconv.Atoi(os.Getenv(killsEnv)); err == nil {
		kills = n
	}
	dir := t.TempDir()
	acks := map[uint64]int{} // sequence → number of the record
	var before []int         // what was in the log when we last looked
	var epoch uint64
	for kill := range kills {
		c := child(t, "append", dir)
		c.Env = append(c.Env, childFrom+"="+strconv.Itoa(kill*1_000_000+1))
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acked(t, lines.Text(), acks)
			if n == 0 { // killed somewhere in its work, not before it
				time.AfterFunc(rand.N(60*time.Millisecond), func() { _ = c.Process.Kill() })
			}
		}
		_ = c.Wait() // it was killed

		l := mustOpen(t, natslog.Options{Dir: dir})
		if epoch == 0 {
			epoch = l.Epoch()
		}
		if l.Epoch() != epoch {
			t.Fatalf("kill %d: the epoch changed from %x to %x", kill, epoch, l.Epoch())
		}
		now := readAll(t, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		for seq, n := range acks {
			if seq > uint64(len(now)) || now[seq-1] != n {
				t.Fatalf("kill %d: record %d was acknowledged at sequence %d and is not there (%d records)", kill, n, seq, len(now))
			}
		}
		seen := map[int]bool{}
		for i, n := range now {
			if seen[n] || i < len(before) && before[i] != n {
				t.Fatalf("kill %d: sequence %d holds record %d, twice or in the place of another", kill, i+1, n)
			}
			seen[n] = true
		}
		before = now
	}
	t.Logf("%d kills, %d acknowledged, %d in the log", kills, len(acks), len(before))
	if len(acks) < kills || len(before)-len(acks) > kills {
		t.Errorf("%d acknowledged and %d in the log after %d kills: at most one record is in flight at each", len(acks), len(before), kills)
	}
}

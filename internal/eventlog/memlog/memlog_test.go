package memlog_test

import (
	"sync"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/logtest"
	"rapport/internal/eventlog/memlog"
)

func TestMemLogKeepsThePromisesOfTheLog(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	logs := map[string]*memlog.Log{}
	logtest.Run(t, func(t *testing.T, o logtest.Options) eventlog.Log {
		mu.Lock()
		defer mu.Unlock()
		if l := logs[o.Dir]; l != nil {
			logs[o.Dir] = l.Reopen(o.Now)
		} else {
			logs[o.Dir] = memlog.New(o.Lanes, o.Now)
		}
		return logs[o.Dir]
	})
}

func TestReopenKeepsRecordsEpochAndClock(t *testing.T) {
	t.Parallel()
	first := memlog.New(1, func() event.Time { return 7 })
	if _, err := first.Append(t.Context(), 0, []byte("x")); err != nil {
		t.Fatal(err)
	}
	second := first.Reopen(nil)
	if second.Epoch() != first.Epoch() {
		t.Errorf("the epoch changed from %x to %x", first.Epoch(), second.Epoch())
	}
	r, err := second.Append(t.Context(), 0, []byte("y"))
	if err != nil || r.Seq != 2 || r.Now != 7 {
		t.Errorf("Append after Reopen = %+v, %v, want sequence 2 at 7", r, err)
	}
	if _, err := first.Append(t.Context(), 0, []byte("z")); err == nil {
		t.Error("the log before Reopen still takes records")
	}
}

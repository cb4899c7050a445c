package natslog_test

import (
	"testing"

	"rapport/internal/eventlog"
	"rapport/internal/eventlog/logtest"
	"rapport/internal/eventlog/natslog"
)

func TestNATSLogKeepsThePromisesOfTheLog(t *testing.T) {
	t.Parallel()
	logtest.Run(t, func(t *testing.T, o logtest.Options) eventlog.Log {
		return mustOpen(t, natslog.Options{Dir: o.Dir, Lanes: o.Lanes, Now: o.Now})
	})
}

func mustOpen(t testing.TB, o natslog.Options) *natslog.Log {
	t.Helper()
	l, err := natslog.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	return l
}

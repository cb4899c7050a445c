package main

import (
	"context"

	"rapport/internal/report"
	"rapport/internal/schedule"
)

// openScheduled opens who sends the reports that colleagues asked for, for the present
// node.
func (s *server) openScheduled() (err error) {
	s.scheduled, err = schedule.Open(schedule.Options{
		Dir: s.d.dir, Now: s.clock.Now, Log: s.logger,
		Program: s.node.Program, Send: s.node.ToColleagues,
		Fresh: func(ctx context.Context) error { return s.d.tables.fresh(ctx, s.node) },
		Ask: func(ctx context.Context, name string, p report.Params) (any, error) {
			t := report.Tables{Warehouse: s.d.tables.store(), Now: s.clock.Now}
			return t.Ask(ctx, name, p)
		},
	})
	return err
}

// sendScheduled sends reports at their time until what it returns is called.
func (s *server) sendScheduled(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.scheduled.Run(ctx)
	}()
	return func() { cancel(); <-done }
}

// scheduledMetrics are what an operator watches of scheduled reports.
func (s *server) scheduledMetrics(gauge func(name, help string, value func() float64)) {
	gauge("reports_late", "Scheduled reports that should have gone out; -1 if that cannot be told.", func() float64 {
		list, err := s.scheduled.List(context.Background())
		if err != nil {
			return -1
		}
		n := 0
		for i := range list {
			if list[i].Late != nil {
				n++
			}
		}
		return float64(n)
	})
}

package api

import (
	"context"
	"sync"
	"time"

	"rapport/internal/fault"
	"rapport/internal/report"
)

// learnt keeps what journeys brought: measuring reads everybody who entered one.
type learnt struct {
	mu   sync.Mutex
	at   time.Time
	list []report.Learnt
}

// learnEvery is for how long what was measured stands: an effect of sixty days does not
// change within minutes.
const learnEvery = 5 * time.Minute

// incremental is what every journey brought.
type incremental struct {
	At       time.Time       `json:"at" doc:"When it was measured."`
	Journeys []report.Learnt `json:"journeys"`
}

func (a *API) incremental(ctx context.Context, _ *struct{}) (*body[incremental], error) {
	if a.o.Learn == nil {
		return nil, fault.New(fault.Unavailable, "this server measures no journeys")
	}
	l := &a.learnt
	l.mu.Lock() // whoever asks meanwhile waits for the same answer
	defer l.mu.Unlock()
	if l.at.IsZero() || time.Since(l.at) > learnEvery {
		p, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		var asked []report.Asked
		for _, j := range p.Journeys {
			asked = append(asked, report.Asked{Journey: j.Name, Share: j.Holdout})
		}
		list, err := a.o.Learn(ctx, asked, p.Currency)
		if err != nil {
			return nil, err
		}
		l.at, l.list = time.Now().UTC(), list
	}
	return answer(incremental{l.at, append([]report.Learnt{}, l.list...)}, nil)
}

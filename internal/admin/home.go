package admin

import (
	"net/http"
	"time"

	"rapport/internal/admin/page"
)

// year is how far back the overview looks.
const year = 52 * 7 * 24 * time.Hour

// home shows the overview, or leads to the demonstration.
func (s *site) home(r *http.Request) (page.View, error) {
	if s.o.Demo != nil {
		return nil, moved("/demo")
	}
	p, err := s.program(r.Context())
	if err != nil {
		return nil, err
	}
	v := &page.Home{Frame: s.frame(p, "Overview", "home")}
	switch {
	case s.o.Node == nil || p == nil:
		v.Ready = "No definitions are in force yet, so nothing is heard. Put some in force with: rapport apply DIR"
	case s.o.Node.Ready() != nil:
		v.Ready = "The engine has stopped and applies nothing. What it stumbled on is in the log of the process."
	}
	now := s.o.Now()
	v.Lines = s.lines(p, s.figures.now(r.Context()), stretch{from: now.Add(-year), to: now}, nil)
	return v, nil
}

package journey_test

import (
	"fmt"
	"testing"

	"rapport/internal/core/event"
)

// BenchmarkOnEvent is what journeys cost an event: ten journeys, a customer
// inside one of them with an exit and a goal.
func BenchmarkOnEvent(b *testing.B) {
	var sources []string
	for i := range 9 {
		sources = append(sources, fmt.Sprintf(`{journey: j%d, trigger: {event: Event %d}, steps: [{wait: 1d}]}`, i, i))
	}
	s := open(b, append(sources, cart)...)
	idle := s.world()
	s.hear("Product Added", "cart_id", "1")
	inside := s.world()
	viewed := s.event(s.now, event.ProductViewed, "sku", "1")
	b.Run("nowhere inside", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.set.OnEvent(idle, viewed, nil)
		}
	})
	b.Run("inside one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.set.OnEvent(inside, viewed, nil)
		}
	})
}

// BenchmarkNextTrigger is what a schedule and a birthday cost an event.
func BenchmarkNextTrigger(b *testing.B) {
	s := open(b, `{journey: a, trigger: {schedule: every monday 09:00}, steps: [{send: {template: a, reason: "{because}"}}]}`,
		`{journey: b, trigger: {date: birthday}, steps: [{send: {template: b, reason: "{because}"}}]}`)
	s.says("birthday", "1990-05-14")
	s.p.Zone = ""
	w := s.world()
	b.ReportAllocs()
	for b.Loop() {
		s.set.NextTrigger(w, w.Now)
	}
}

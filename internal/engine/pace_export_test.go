package engine

import "time"

// Pace returns how long a sweep that begins now rests after so many customers who took so long.
func Pace(light bool, now time.Time) func(customers int, work time.Duration, now time.Time) time.Duration {
	p := &pace{}
	p.begin(tempoOf(light), now)
	return p.after
}

// Rest rests, and returns by how much it was longer.
func Rest(d time.Duration, now time.Time) time.Duration { return rest(d, now) }

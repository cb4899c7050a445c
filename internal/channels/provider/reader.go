package provider

import (
	"context"
	"net/http"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/event"
)

// Reader reads what one account of a provider tells by webhook. Its method is
// called from many goroutines.
type Reader interface {
	// Read checks that the provider itself wrote the body, on the bytes as they
	// came, and returns what it tells. What is no receipt (a message was queued, a
	// subscription was confirmed) gives no notices and no error.
	//
	// A fault of kind Denied says that the body is forged, altered, too old or
	// not signed: nothing in it may be believed. Invalid says that it is genuine
	// and cannot be read. Unavailable says that whether it is genuine could not be
	// found out now.
	Read(ctx context.Context, header http.Header, body []byte) ([]channels.Notice, error)
}

// The actors of [channels.Notice].
const (
	Machine = "machine"
	Unknown = "unknown"
)

// Judge says from a User-Agent whether a person, a machine or nobody can tell who
// opened or clicked. A nil Judge cannot tell.
type Judge func(agent string) string

// Actor returns the judgement; a provider that says itself that it was a machine
// is believed.
func (j Judge) Actor(agent string, machine bool) string {
	switch {
	case machine:
		return Machine
	case j == nil:
		return Unknown
	}
	return j(agent)
}

// Instant reads a time of RFC 3339; zero, which means now, if it is none.
func Instant(s string) event.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0
	}
	return event.At(t)
}

// Seconds reads seconds since 1970; zero, which means now, if there are none.
func Seconds(s float64) event.Time {
	if !(s > 0 && s < 1<<34) { // the year 2514
		return 0
	}
	return event.At(time.UnixMicro(int64(s * 1e6)))
}

// Within reports whether the instant is at most tolerance away from now.
func Within(at, now time.Time, tolerance time.Duration) bool {
	d := now.Sub(at)
	return d <= tolerance && d >= -tolerance
}

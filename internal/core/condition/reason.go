package condition

import (
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// Reason is one thing that makes an answer what it is, with the values it was
// judged by.
type Reason struct {
	Kind  string       `json:"kind"`            // did, trait, property, context, time, consent, reachable, random, segment, dwell, score, tier, affinity, place
	Holds bool         `json:"holds"`           // whether what was asked is so
	What  string       `json:"what"`            // the question, or its opposite if it does not hold, in words
	Event string       `json:"event,omitempty"` // did: names of the events
	Count int64        `json:"count,omitempty"` // did: how many there are in the window
	Sum   money.Micros `json:"sum,omitempty"`   // did with a sum: in the window
	At    event.Time   `json:"at"`              // did: the newest; segment, dwell: since; trait, consent: when it was said
	Name  string       `json:"name,omitempty"`  // of the trait, property, segment, channel …
	Value string       `json:"value,omitempty"` // what was found, in words
}

// Sentence returns the reason as the predicate of a sentence, told at now:
// "viewed a product 3 or more times in the last 14 days (4 times, last 2 hours ago)".
func (r Reason) Sentence(now event.Time) string {
	var more []string
	when := func(before string) {
		if r.At != 0 && r.At != event.Never {
			more = append(more, before+Ago(now.Sub(r.At)))
		}
	}
	switch r.Kind {
	case "did":
		if r.Value != "" {
			more = append(more, r.Value)
		}
		when("last ")
	case "trait", "property", "context":
		if r.Value == "" {
			more = append(more, "it is not known")
		} else {
			more = append(more, "it is "+r.Value)
		}
	case "score", "tier", "affinity":
		more = append(more, r.Value)
	case "time":
		more = append(more, "it is "+r.Value)
	case "consent":
		if r.Value != "" {
			more = append(more, r.Value)
		}
		when("")
	case "place":
		if r.Value != "" {
			more = append(more, r.Value)
		}
		when("seen ")
	case "segment", "dwell":
		if r.At != 0 {
			when("since ")
		}
	}
	if len(more) == 0 {
		return r.What
	}
	return r.What + " (" + strings.Join(more, ", ") + ")"
}

// Ago returns how long ago something was, in words: "2 hours ago". What is still
// to come is "in 2 hours".
func Ago(d time.Duration) string {
	if d < 0 {
		if s, ok := rough(-d); ok {
			return "in " + s
		}
		return "now"
	}
	if s, ok := rough(d); ok {
		return s + " ago"
	}
	return "just now"
}

func rough(d time.Duration) (string, bool) {
	switch {
	case d >= 2*day:
		return count(int64(d/day), "day"), true
	case d >= time.Hour:
		return count(int64(d/time.Hour), "hour"), true
	case d >= time.Minute:
		return count(int64(d/time.Minute), "minute"), true
	}
	return "", false
}

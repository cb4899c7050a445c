package provider

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"rapport/internal/channels"
)

// Answer is what came back from a provider.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most maxAnswer
	Whole  bool   // the body was read to its end
	At     time.Time
}

// Meaning is what a status says about a request by itself.
type Meaning uint8

// The meanings. The zero Meaning is Lost: what nobody has thought about promises
// nothing.
const (
	Lost    Meaning = iota // it may have been taken
	Taken                  // it was taken
	Refused                // it was not taken and would not be: something in it is wrong
	Later                  // it was not taken; the same may succeed later
	Ours                   // it was not taken, because of who we are or how we are set up
)

// Means returns what the answer's status says.
func (a *Answer) Means() Meaning {
	switch s := a.Status; {
	case s >= 200 && s < 300:
		return Taken
	case s == http.StatusBadRequest, s == http.StatusRequestEntityTooLarge, s == http.StatusUnprocessableEntity:
		return Refused
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusTooManyRequests, s == http.StatusServiceUnavailable:
		return Later
	case s == http.StatusConflict:
		return Lost
	case s >= 300 && s < 500:
		// Unauthorized, payment required, forbidden, not found, a redirect: the key, the
		// account or the address of the provider is wrong. No message is to blame.
		return Ours
	}
	// 500 and its neighbours come after the work as well as before it; 502 and 504
	// are a gateway's words for a lost answer.
	return Lost
}

// Reading returns what an answer means for every letter of its request, if it
// means the same for all. The words are the provider's, read from the body by
// whoever knows its shape.
func (a *Answer) Reading(m Meaning, words string, letters []Letter) Reading {
	o := channels.Outcome{Code: a.Status, Detail: channels.Clip(words)}
	if o.Detail == "" && m != Taken {
		o.Detail = "the provider answered " + strconv.Itoa(a.Status) + " and gave no reason"
	}
	switch m {
	case Taken:
		o.State = channels.Accepted
	case Refused:
		o.State = channels.Rejected
	case Later:
		o.State, o.RetryAfter = channels.Deferred, RetryAfter(a.Header, a.At)
	case Ours:
		o.State, o.RetryAfter = channels.Deferred, retryTrouble
	}
	r := Each(letters, o)
	r.Split = m == Refused
	if m == Ours {
		r.Trouble = o.Detail
	}
	return r
}

// The waits before something is asked again.
const (
	retryConnection = 30 * time.Second // no connection, or it broke: servers restart in seconds
	retryDefault    = time.Minute      // "later" without saying when
	retryTrouble    = 15 * time.Minute // a person must mend something first
	pauseUnknown    = time.Minute      // nobody knows our key: asking on would look like guessing it
	// maxRetry bounds what a provider asks for: one that says "in a year" would
	// otherwise decide that nothing is ever sent. An hour, which is the longest that
	// providers are known to say, is well below it.
	maxRetry = 6 * time.Hour
)

// RetryAfter returns how long a provider wants to be left alone, from its header
// Retry-After: seconds or a date (RFC 9110 §10.2.3), or from the headers by which
// some say when the next window opens. What cannot be read, lies in the past or
// is nothing gives a minute; more than six hours gives six.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		// SendGrid says at which second its window ends.
		if at, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return bound(time.Unix(at, 0).Sub(now))
		}
		return retryDefault
	}
	if s, err := strconv.ParseUint(value, 10, 64); err == nil {
		return bound(time.Duration(min(s, uint64(maxRetry/time.Second))) * time.Second)
	}
	if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 { // "1.5" is not in the RFC, and is sent
		return bound(time.Duration(min(s, maxRetry.Seconds()) * float64(time.Second)))
	}
	if strings.Trim(value, "0123456789") == "" {
		return maxRetry // a number, and too long to read
	}
	if at, err := http.ParseTime(value); err == nil {
		return bound(at.Sub(now))
	}
	return retryDefault
}

func bound(d time.Duration) time.Duration {
	if d <= 0 {
		return retryDefault
	}
	return min(d, maxRetry)
}

package connect

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"rapport/internal/egress"
	"rapport/internal/fault"
)

// Doer makes one call, as [egress.Client.Do] does.
type Doer func(*http.Request) (*egress.Answer, error)

// Limits of patience.
const (
	// tries is how often a call is made that the shop is too busy for: with the
	// waits between, two minutes.
	tries = 8
	// firstWait doubles with every try.
	firstWait = time.Second
	// longestWait bounds what a shop may ask for: a back-fill that says nothing for
	// longer looks dead.
	longestWait = time.Minute
)

// Patient returns a Doer that waits as long as a shop asks for, and tries again
// where a call could not be made or the shop was too busy, if repeating is safe:
// a GET, or any call of which the shop says that it did not look at it (429).
func Patient(do Doer, wait func(ctx context.Context, d time.Duration) error) Doer {
	return func(r *http.Request) (*egress.Answer, error) {
		pause := firstWait
		for n := 1; ; n++ {
			a, err := do(r)
			again := err != nil && r.Method == http.MethodGet ||
				err == nil && (a.Status == http.StatusTooManyRequests || r.Method == http.MethodGet && a.Status >= http.StatusInternalServerError)
			if !again || n == tries || r.Context().Err() != nil || r.Body != nil && r.GetBody == nil {
				return a, err
			}
			d := pause
			if err == nil {
				d = retryAfter(a.Header)
				if d == 0 {
					d = pause
				}
			}
			pause *= 2
			if err := wait(r.Context(), min(d, longestWait)); err != nil {
				return nil, err
			}
			if r.GetBody != nil {
				if r.Body, err = r.GetBody(); err != nil {
					return nil, err
				}
			}
		}
	}
}

// Wait waits on the wall's clock.
func Wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// retryAfter reads the header: seconds, with decimal places at Shopify.
func retryAfter(h http.Header) time.Duration {
	s, err := strconv.ParseFloat(h.Get("Retry-After"), 64)
	if err != nil || s <= 0 || s > 1e6 {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// Trouble is what an answer that is no success means.
func Trouble(a *egress.Answer, what string) error {
	status := strconv.Itoa(a.Status) + " " + http.StatusText(a.Status)
	switch {
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		return fault.New(fault.Denied, what+": the shop answers "+status+": check the key and what it may do")
	case a.Status == http.StatusNotFound:
		return fault.New(fault.NotFound, what+": the shop answers "+status)
	case a.Status == http.StatusTooManyRequests || a.Status >= http.StatusInternalServerError:
		return fault.New(fault.Unavailable, what+": the shop answers "+status+": try again later")
	}
	return fault.New(fault.Invalid, what+": the shop answers "+status)
}

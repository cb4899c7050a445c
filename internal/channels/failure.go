package channels

import "strings"

// Cause is what a failure says about: the address, the moment, or ourselves. It
// decides what follows, so there is one place that finds it: [Failure.Cause].
type Cause uint8

// The causes. The zero Cause is Soft: whatever is not understood harms nobody's
// address.
const (
	Soft   Cause = 0 // the moment: full, busy, unreachable, expired; counted, and too many in a row are hard
	Hard   Cause = 1 // the address does not exist and will not: it is suppressed
	Policy Cause = 2 // ourselves: reputation, authentication, content; nobody is suppressed
)

// String returns the cause's name.
func (c Cause) String() string { return [...]string{"soft", "hard", "policy"}[min(c, Policy)] }

// Failure is why a message could not be delivered, as a server or provider says.
type Failure struct {
	Status string // RFC 3463 status such as "5.1.1"; empty if none was given
	Code   int    // SMTP reply code; zero if none was given
	Detail string // the server's words; at most MaxDetail bytes of printable text

	// Says is a cause that the teller states itself ("Permanent", "hard"); it
	// holds where neither status nor words say something else. Default: Soft.
	Says Cause
}

// Auth reports whether the failure is about our own authentication or standing,
// by its status: 5.7.x of RFC 3463. Such an answer stops a sending domain.
func (f Failure) Auth() bool { return strings.HasPrefix(f.Status, "5.7.") }

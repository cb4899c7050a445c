// Package fault holds the one error that has a meaning across packages.
//
// An [Error] says what kind of thing went wrong, a message that is safe to show
// to whoever asked, and the cause for the log. Everything else is wrapped with
// fmt.Errorf and "%w". One function at the edge turns kinds into status codes.
package fault

import "errors"

// Kind is what went wrong, from a closed list.
type Kind uint8

// The kinds. The zero Kind is Internal: an error nobody has thought about is ours.
const (
	Internal    Kind = iota // our mistake; the message is not shown
	Invalid                 // what was sent cannot be right; the message says what and where
	NotFound                // no such thing, or not for this caller
	Conflict                // somebody else was first; the caller's knowledge is old
	Unavailable             // not now; the same request may succeed later
	Denied                  // who asks is unknown or not allowed
	TooLarge                // over a stated limit
	Corrupt                 // stored bytes are not what was written
)

var names = [...]string{"internal", "invalid", "not found", "conflict", "unavailable", "denied", "too large", "corrupt"}

// String returns the kind as words.
func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return names[Internal]
}

// Error is an error with a kind. Message is safe to show; Cause is for the log.
type Error struct {
	Kind    Kind
	Message string
	Cause   error
}

// Error returns the message and, behind a colon, the cause.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error of the kind with a message that is safe to show.
func New(kind Kind, message string) error { return &Error{Kind: kind, Message: message} }

// Wrap returns an error of the kind with a message that is safe to show and the
// cause for the log. It returns nil if cause is nil.
func Wrap(kind Kind, cause error, message string) error {
	if cause == nil {
		return nil
	}
	return &Error{Kind: kind, Message: message, Cause: cause}
}

// Of returns the kind and the safe message of the first [Error] in err's chain;
// an error without one is Internal and says nothing about us.
func Of(err error) (Kind, string) {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind, e.Message
	}
	return Internal, "something went wrong on our side"
}

// Is reports whether err has the kind.
func Is(err error, kind Kind) bool {
	if err == nil {
		return false
	}
	k, _ := Of(err)
	return k == kind
}

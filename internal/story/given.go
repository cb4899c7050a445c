package story

import (
	"errors"

	"rapport/internal/core/content"
)

// givenUp reports whether the template gave the message up, and says why.
func givenUp(err error, why *string) bool {
	var gone *content.Aborted
	if !errors.As(err, &gone) {
		return false
	}
	*why = gone.Reason
	return true
}

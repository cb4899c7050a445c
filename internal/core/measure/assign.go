package measure

import (
	"fmt"
	"math"

	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// Share is one arm of a split.
type Share struct {
	Arm   string  `json:"arm"`
	Share float64 `json:"share"` // of all people, 0 to 1
}

// Split divides people into arms. The order of its shares is a part of it:
// another order tosses people anew.
type Split []Share

// MaxArms bounds a split: with more arms than that none has people enough.
const MaxArms = 20

// Valid returns an Invalid fault if the shares are not those of a whole.
func (s Split) Valid() error {
	if len(s) == 0 || len(s) > MaxArms {
		return fault.New(fault.Invalid, fmt.Sprintf("a split has 1 to %d arms, not %d", MaxArms, len(s)))
	}
	sum := 0.0
	for i, a := range s {
		if a.Arm == "" || !(a.Share >= 0 && a.Share <= 1) {
			return fault.New(fault.Invalid, fmt.Sprintf("arm %d of a split needs a name and a share from 0 to 1", i+1))
		}
		for _, b := range s[:i] {
			if a.Arm == b.Arm {
				return fault.New(fault.Invalid, fmt.Sprintf("a split has two arms %q", a.Arm))
			}
		}
		sum += a.Share
	}
	if math.Abs(sum-1) > 1e-9 {
		return fault.New(fault.Invalid, fmt.Sprintf("the shares of a split add up to 1, not %g", sum))
	}
	return nil
}

// Assign returns the arm of a person in the experiment and the chance with which
// it was chosen. It is the same for ever: the toss is a hash. Person is
// profile.Profile.Person, so that a merge keeps an assignment. Enlarging the last arm
// at the cost of the one before it moves only people between those two. A split
// that is not Valid gives no arm.
func (s Split) Assign(person identity.ID, experiment string) (arm string, chance float64) {
	if s.Valid() != nil {
		return "", 0
	}
	toss, upTo := person.Chance(experiment), 0.0
	for _, a := range s {
		upTo += a.Share
		if toss < upTo {
			return a.Arm, a.Share
		}
	}
	// The shares add up to a hair less than 1.
	for i := len(s) - 1; ; i-- {
		if s[i].Share > 0 {
			return s[i].Arm, s[i].Share
		}
	}
}

// HeldOut reports whether a person is in the holdout of an experiment, with the
// share of all people that it takes.
func HeldOut(person identity.ID, experiment string, share float64) bool {
	return person.Chance("holdout:"+experiment) < share
}

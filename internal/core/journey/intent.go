package journey

import (
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Intent is the wish to say something to a customer. It is only a wish: the
// gate in package decision makes it a delivery, now or later, or never.
type Intent struct {
	Journey  string
	Version  uint64
	Step     string
	Key      string // the instance's key
	Arrival  int32  // which arrival at a step this is: makes a step in a loop a new delivery
	Template string
	Channel  string
	Purpose  string // the consent it needs: "marketing" unless the step says otherwise
	Class    profile.Class
	Reason   string // a sentence about this person, already filled in
	Product  string // SKU that it promotes; empty: none in particular
	Category string // category that it promotes; empty: none in particular
	Priority int32
	At       event.Time // when it is wanted
	Expires  event.Time // event.Never: does not expire
	Withheld bool       // the customer is in this journey's holdout
	Props    event.Object
	Late     bool // the event behind it was heard later than the step's max_lateness: it never sends
}

package journey

import (
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Intent is the wish to say something to a customer. It is only a wish: the
// gate in package decision makes it a delivery, now or later, or never.
type Intent struct {
	Journey  string
	Version  uint64
	Step     string
	Key      string     // the instance's key
	Entered  event.Time // when the instance was entered, and
	Trigger  event.ID   // the event that let the customer in, which make a second run of the journey a new delivery
	Arrival  int32      // which arrival at a step this is: makes a step in a loop a new delivery
	Template string
	Channel  string
	Purpose  string // the consent it needs: "marketing" unless the step says otherwise
	Class    profile.Class
	Reason   string // a sentence about this person, already filled in
	Product  string // SKU that it promotes; empty: none in particular
	Category string // category that it promotes; empty: none in particular
	Priority int32
	At       event.Time   // when it is wanted
	Expires  event.Time   // event.Never: does not expire
	Withheld bool         // the customer is in this journey's holdout
	Props    event.Object // what the template needs beside the profile: the trigger's properties
	Run      string       // the run of a campaign that wishes it; empty: a journey does
	Late     bool         // the event behind it was heard later than the step's max_lateness: it never sends
}

// Occurrence returns what tells this wish from every other of the same journey,
// version and step for the same customer: the key, the run and the arrival. It
// is a part of the delivery's name.
//
// A run of a campaign speaks to a customer once, whichever version of the
// campaign it began with and whenever it came to them.
func (in *Intent) Occurrence() string {
	if in.Run != "" {
		return RunOccurrence(in.Run)
	}
	return in.Key + "\x00" + strconv.FormatInt(int64(in.Entered), 36) + "\x00" + string(in.Trigger) + "\x00" +
		strconv.FormatInt(int64(in.Arrival), 36)
}

// RunOccurrence returns the occurrence of every wish of a run.
func RunOccurrence(run string) string { return "\x00" + runKey + run }

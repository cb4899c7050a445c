package decision

import (
	"math"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// PurposeService is the purpose of messages that the customer's own order
// brings: it has shipped, it can be collected. They need no consent, and stop
// when the customer refused just them.
const PurposeService = "service"

// PurposeMarketing is the purpose of everything that does not name one.
const PurposeMarketing = "marketing"

// Properties of an intent that the gate reads beside what the template needs.
const (
	PropReplenish  = "replenish"  // true: the message reminds of buying the same again
	PropInterval   = "interval"   // after which period that is due, "30d"; absent: the customer's own rhythm
	PropProduct    = "product_id" // the product of which Intent.Product is a variant
	PropPropensity = "propensity" // the chance with which the journey's splits and holdout let it through
)

// Stage says at which of the two passages of the gate a record was made.
type Stage uint8

// The stages. They are stored: never renumber.
const (
	AtPlan  Stage = 1
	AtClaim Stage = 2
)

// MarshalText returns the stage's name.
func (s Stage) MarshalText() ([]byte, error) {
	if s == AtPlan {
		return []byte("plan"), nil
	}
	return []byte("claim"), nil
}

// Ask is the question to the gate, whole: asked again of the same profile at
// the same instant, it has the same answer.
type Ask struct {
	Stage    Stage              `json:"stage"`
	Delivery profile.DeliveryID `json:"delivery"`
	State    profile.State      `json:"state,omitempty"` // of the delivery, at a claim
	Deadline event.Time         `json:"deadline,omitempty"`

	Journey  string        `json:"journey,omitempty"`
	Version  uint64        `json:"version,omitempty"`
	Step     string        `json:"step,omitempty"`
	Key      string        `json:"key,omitempty"`
	Template string        `json:"template,omitempty"`
	Channel  string        `json:"channel"`
	Purpose  string        `json:"purpose"`
	Class    profile.Class `json:"class"`
	Why      string        `json:"why,omitempty"` // the sentence that the message itself gives

	Product   string        `json:"product,omitempty"`  // what it promotes
	Parent    string        `json:"parent,omitempty"`   // the product of which that is a variant
	Category  string        `json:"category,omitempty"` // the category that it promotes
	Replenish bool          `json:"replenish,omitempty"`
	Interval  time.Duration `json:"interval_ns,omitempty"` // of replenishment, whole milliseconds; 0: the customer's rhythm

	At         event.Time `json:"at"` // from when on it is wanted
	Planned    event.Time `json:"planned"`
	Expires    event.Time `json:"expires,omitempty"`
	Withheld   bool       `json:"withheld,omitempty"` // by the journey's holdout
	Late       bool       `json:"late,omitempty"`
	Propensity float64    `json:"propensity"` // of the journey's own splits and holdout
}

// asked returns the question that an intent is at now.
func (g *Gate) asked(p *profile.Profile, in *journey.Intent, now event.Time) Ask {
	a := Ask{
		Stage: AtPlan, Journey: in.Journey, Version: in.Version, Step: in.Step, Key: in.Key, Template: in.Template,
		Channel: in.Channel, Purpose: in.Purpose, Class: in.Class, Why: in.Reason, Product: in.Product, Category: in.Category,
		At: max(now, in.At), Planned: now, Expires: in.Expires, Withheld: in.Withheld, Late: in.Late,
	}
	if in.At > 0 && in.At < now {
		a.Planned = in.At
	}
	if a.Expires == 0 {
		a.Expires = a.At.Add(g.Policy.Expires)
	}
	a.readProps(in.Props)
	version := in.Version
	if in.Run != "" {
		version = 0 // an edit in the middle of a run is no second message
	}
	a.Delivery = profile.NameDelivery(g.Workspace, in.Journey, version, in.Step, in.Occurrence(), p.ID, in.Channel)
	return a
}

// claimed returns the question that a planned delivery is.
func claimed(d *profile.Delivery, now event.Time) Ask {
	a := Ask{
		Stage: AtClaim, Delivery: d.ID, State: d.State, Deadline: d.Deadline, Journey: d.Journey, Version: d.Version, Step: d.Step, Key: d.Key,
		Template: d.Template, Channel: d.Channel, Purpose: d.Purpose, Class: d.Class, Why: d.Reason, Product: d.Product, Category: d.Category,
		At: max(now, d.NotBefore), Planned: d.Planned, Expires: d.Expires,
	}
	if a.Expires == 0 {
		a.Expires = event.Never
	}
	a.readProps(d.Props)
	return a
}

// readProps reads what the gate knows from the template's properties.
func (a *Ask) readProps(o event.Object) {
	if a.Purpose == "" {
		a.Purpose = PurposeMarketing
		if a.Class == profile.Service {
			a.Purpose = PurposeService
		}
	}
	a.Propensity = 1
	if o == "" {
		return
	}
	v, _ := o.Get(PropReplenish)
	a.Replenish = v.Kind == event.True
	if a.Replenish {
		a.Interval, _ = Period(o.Text(PropInterval))
	}
	if a.Product != "" {
		a.Parent = o.Text(PropProduct)
	}
	if v, ok := o.Get(PropPropensity); ok && v.Kind == event.Number {
		if f, ok := v.Float(); ok && f >= 0 && f <= 1 && !math.IsNaN(f) {
			a.Propensity = f
		}
	}
}

// ServiceFirst is the priority of every service message: ahead of whatever a
// journey or a campaign says, because what is owed does not queue behind what is
// offered. Among service messages the earlier goes first.
const ServiceFirst = math.MinInt32

// delivery returns the delivery that the intent becomes.
func (a *Ask) delivery(in *journey.Intent) profile.Delivery {
	if a.Class == profile.Service {
		in.Priority = ServiceFirst
	}
	return profile.Delivery{
		ID: a.Delivery, Class: a.Class, Channel: a.Channel, Purpose: a.Purpose, Journey: a.Journey, Version: a.Version, Step: a.Step,
		Key: a.Key, Template: a.Template, Reason: a.Why, Product: a.Product, Category: a.Category, Priority: in.Priority,
		Planned: a.Planned, NotBefore: a.At, Expires: a.Expires, Props: in.Props,
	}
}

// pull reports whether the customer comes to the channel and is not sought out
// by it: nobody is woken by a banner in the shop that they have just opened. It
// needs no address and no consent to be contacted, and obeys a refusal.
func (a *Ask) pull() bool { return a.Channel == "onsite" || a.Channel == "till" }

// counts reports whether the message takes of the customer's attention budget.
func (a *Ask) counts() bool { return a.Class == profile.Marketing && !a.pull() }

package decision

import (
	"encoding/json"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// Record is what the gate decided and why: no message leaves without one. It
// holds no address.
type Record struct {
	Ask
	Person  identity.ID `json:"person"`
	Now     event.Time  `json:"now"`
	Outcome Outcome     `json:"outcome"`
	Rule    Rule        `json:"rule,omitempty"` // the first that failed; 0: none did
	Reason  Reason      `json:"reason"`
	Until   event.Time  `json:"until,omitempty"` // when a held message may go, as far as can be seen; 0: not known
	Consent *Basis      `json:"consent,omitempty"`
	Checks  []Check     `json:"checks"` // what was asked, in order, up to what failed
	// Chance is the probability with which this message is sent and not
	// withheld by a holdout or split; at a service message 1.
	Chance  float64              `json:"chance"`
	Against []profile.DeliveryID `json:"against,omitempty"` // other open messages of the person; at most MaxAgainst
}

// MarshalJSON returns the record with the names of its class and state, for the
// API and for people; the stored form is [Record.Append].
func (r Record) MarshalJSON() ([]byte, error) {
	type plain Record
	named := struct {
		plain
		Class string `json:"class"`
		State string `json:"state,omitempty"`
	}{plain: plain(r), Class: r.Class.String()}
	if r.State != 0 {
		named.State = r.State.String()
	}
	return json.Marshal(named)
}

// MaxAgainst bounds the messages that a record lists as competing: beyond that
// many, which they were explains nothing.
const MaxAgainst = 8

// Basis is the entry that allowed the message, or refused it.
type Basis struct {
	Granted  bool       `json:"granted"`
	At       event.Time `json:"at"`
	Proof    event.ID   `json:"proof"`
	Evidence string     `json:"evidence,omitempty"`
	Wording  string     `json:"wording,omitempty"`
	Expires  event.Time `json:"expires,omitempty"`
}

// Check is one thing that was looked at, with the values that were seen.
type Check struct {
	Rule  Rule          `json:"rule"`
	Name  string        `json:"name"` // one of the Check names
	Pass  bool          `json:"pass"`
	Got   int64         `json:"got,omitempty"`   // a count, or parts of a million
	Limit int64         `json:"limit,omitempty"` // of Got
	Span  time.Duration `json:"-"`               // a window or period, whole milliseconds; as JSON in seconds
	At    event.Time    `json:"at,omitempty"`    // the instant that mattered
	Text  string        `json:"text,omitempty"`  // a channel, SKU, zone or trait
	Other string        `json:"other,omitempty"` // a name beside the text
}

// MarshalJSON returns the check with its span in seconds.
func (c Check) MarshalJSON() ([]byte, error) {
	type plain Check
	return json.Marshal(struct {
		plain
		Seconds float64 `json:"span_seconds,omitempty"`
	}{plain(c), c.Span.Seconds()})
}

// The names of checks.
const (
	CheckPolicy    = "policy"
	CheckOwner     = "owner"        // Text: the profile that this one joined
	CheckSuppress  = "suppressed"   // Text: the trait
	CheckHot       = "events"       // Got this month, Limit
	CheckHealth    = "address"      // Text: the provider's words; At
	CheckConsent   = "consent"      // Text: channel, Other: purpose; At
	CheckReach     = "reachable"    // Text: channel
	CheckSaid      = "already said" // At: when
	CheckOpen      = "state"        // Text: the delivery's state
	CheckLate      = "lateness"
	CheckExpires   = "expires"        // At
	CheckSatisfied = "bought since"   // Text: SKU, Other: name, At: bought; Span: none
	CheckOwned     = "bought"         // Text: SKU, Other: name, At: bought, Span: counts as just bought for so long
	CheckTrait     = "conversation"   // Text: the trait
	CheckLateOrder = "late order"     // Text: the order, At: since when
	CheckGlobal    = "global holdout" // Got and Limit: parts of a million
	CheckJourney   = "journey holdout"
	CheckCap       = "cap"         // Text: channel or empty for all, Got, Limit, Span: the window, At: when one is free
	CheckGap       = "gap"         // Span: the gap, At: the last message
	CheckQuiet     = "quiet hours" // Text: zone, Other: source of a legal window, Got: minute of the day there, Limit: end
	CheckSlot      = "slot"        // At: not before
)

// Outcome is what the gate answers.
type Outcome uint8

// The outcomes. They are stored: never renumber. The zero Outcome sends nothing.
const (
	Never Outcome = 0
	Later Outcome = 1 // not before Until, and then the gate is asked again
	Send  Outcome = 2
)

var outcomeNames = [...]string{"never", "later", "send"}

// String returns the outcome's name.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "outcome " + strconv.Itoa(int(o))
}

// MarshalText returns the outcome's name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Rule is a number of the list in the package comment.
type Rule uint8

// The rules. They are stored: never renumber.
const (
	RulePolicy       Rule = 0
	RuleAddress      Rule = 1
	RuleConsent      Rule = 2
	RuleReach        Rule = 3
	RuleWanted       Rule = 4
	RuleOwned        Rule = 5
	RuleConversation Rule = 6
	RuleHoldout      Rule = 7
	RuleAttention    Rule = 8
	RuleQuiet        Rule = 9
	RuleSlot         Rule = 10
)

// Reason says in one word why the gate answered as it did. It is stored and is
// part of the API: never rename one.
type Reason string

// The reasons.
const (
	Allowed          Reason = "allowed"
	NoPolicy         Reason = "no_policy"
	Merged           Reason = "merged"
	Suppressed       Reason = "suppressed"
	Bounced          Reason = "bounced"
	Complained       Reason = "complained"
	Hot              Reason = "hot"
	NoConsent        Reason = "no_consent"
	Unreachable      Reason = "unreachable"
	Duplicate        Reason = "duplicate" // this very message is planned or was sent already
	Closed           Reason = "closed"    // the delivery is no longer to be claimed
	Late             Reason = "late"
	Expired          Reason = "expired"
	Satisfied        Reason = "satisfied"
	JustBought       Reason = "just_bought"
	ComplaintOpen    Reason = "complaint_open"
	OrderLate        Reason = "order_late"
	ConversationOpen Reason = "conversation_open"
	Held             Reason = "holdout"
	OverCap          Reason = "cap"
	TooSoon          Reason = "gap"
	QuietHours       Reason = "quiet_hours"
	NotYet           Reason = "not_yet" // its instant has not come

	CampaignPaused Reason = "campaign_paused" // its campaign is; it is asked about again
	SameAddress    Reason = "same_address"    // somebody with the same address has the message of this campaign

	// What recalls a message from outside the rules; see [Gate.Recall].
	CampaignStopped Reason = "stopped"
	Exited          Reason = "exited"
	Goal            Reason = "goal"
)

// failed returns the check that failed; nil if none did.
func (r *Record) failed() *Check {
	for i := range r.Checks {
		if !r.Checks[i].Pass {
			return &r.Checks[i]
		}
	}
	return nil
}

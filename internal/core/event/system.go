package event

// Names of entries that the product writes to its own log. They have Type
// System and Trust Own, are not part of a person's history, and no tracking call
// may send them.
const (
	// Claim asks the home of an identifier to recognise its sender as the owner:
	// kind, value, by (profile id), known, born.
	Claim = "Identifier Claimed"
	// Grant answers a claim: kind, value.
	Grant = "Identifier Granted"
	// Refuse answers a claim: kind, value, why.
	Refuse = "Identifier Refused"
	// Rise asks a profile to join a higher one: to (profile id), known, born, kind, value.
	Rise = "Profile Asked To Join"
	// Strand brings the state of a profile that joined: state.
	Strand = "Profile Joined"
	// Moved tells a home whose owner has joined a higher profile where everything
	// goes from now on: to (profile id).
	Moved = "Home Moved"
	// Erase makes a home a tombstone: nothing that arrives there counts any more.
	// Without of it is a person's wish, and goes on to whoever owns the home; with of
	// (profile id) it comes from the profile that was erased and is about this home alone.
	Erase = "Customer Erased"
	// Slot offers a planned delivery its turn: delivery.
	Slot = "Slot Granted"
	// Tick moves a quiet lane's clock so that alarms may fire.
	Tick = "Tick"
	// ProgramChanged switches the lane's program: hash.
	ProgramChanged = "Program Changed"
	// CampaignOrdered tells every lane what is wanted of a run of a campaign:
	// campaign, run, state, version, serial, rate, sent, begins.
	CampaignOrdered = "Campaign Ordered"
	// CampaignSlice lets a lane walk on by one slice of a run: campaign, run, slice, serial.
	CampaignSlice = "Campaign Slice"
	// Released tells the home of an identifier that its owner no longer knows it,
	// since only an undone import said so: by (profile id).
	Released = "Identifier Released"
	// Reject reports an event that failed the checks at the edge: reason, field, body.
	Reject = "Event Rejected"
)

// Names of facts: what the core tells the feed about people. They are never read
// back as input.
const (
	JourneyEntered = "Journey Entered"
	JourneyLeft    = "Journey Exited"
	GoalReached    = "Journey Goal Reached"
	ProfilesJoined = "Profiles Joined"
)

// ImportUndone takes back what an import said of a person: import, by. It is a
// System entry that stays in the history, for as long as the events do that no
// longer count because of it.
const ImportUndone = "Import Undone"

// PredictionMade brings what a model says of the customer: model, predictions (a
// list of name, value, until in Unix milliseconds, evidence). It has Trust Own; a
// value of null takes a prediction back.
const PredictionMade = "Prediction Made"

// Control reports whether the name is that of an entry for the product itself: it
// is obeyed, and is no part of a person's history.
func Control(name string) bool {
	switch name {
	case Claim, Grant, Refuse, Rise, Strand, Moved, Erase, Slot, Tick, ProgramChanged, Released, CampaignOrdered, CampaignSlice, Reject:
		return true
	}
	return false
}

// Receipt reports whether the name tells what became of a delivery.
func Receipt(name string) bool {
	switch name {
	case MessageSent, MessageRejected, MessageDeferred, MessageUnknown, MessageStopped, RenderFailed:
		return true
	}
	return false
}

// MessageStopped says that a message was stopped at the last moment: dispatch found
// the recipient suppressed; or its property by says who stopped it: [ByTemplate],
// that the template gave the message up, or [ByRecall], that it was recalled before it
// had begun, for the reason in detail.
const MessageStopped = "Message Stopped"

// ByTemplate is who stopped a message that its own template gave up.
const ByTemplate = "template"

// ByRecall is who stopped a message that was recalled while it was claimed.
const ByRecall = "recall"

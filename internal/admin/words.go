package admin

import (
	"rapport/internal/admin/page"
	"rapport/internal/core"
	"rapport/internal/core/decision"
	"rapport/internal/core/profile"
)

// channelWords are the channels as people call them.
var channelWords = map[string]string{"email": "e-mail", "sms": "SMS", "whatsapp": "WhatsApp", "push": "app notification", "webpush": "browser notification", "onsite": "the site", "till": "the till"}

func channelWord(channel string) string { return or(channelWords[channel], channel) }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// stateTag says where a message stands.
func stateTag(s profile.State) page.Tag {
	switch s {
	case profile.Planned:
		return page.Tag{Text: "waits", Tone: page.Plain}
	case profile.Claimed, profile.Started:
		return page.Tag{Text: "is leaving", Tone: page.Good}
	case profile.Accepted:
		return page.Tag{Text: "sent", Tone: page.Good}
	case profile.Rejected:
		return page.Tag{Text: "refused on arrival", Tone: page.Bad}
	case profile.Unknown:
		return page.Tag{Text: "outcome unknown", Tone: page.Bad}
	case profile.Dropped:
		return page.Tag{Text: "not sent", Tone: page.Warm}
	case profile.Withheld:
		return page.Tag{Text: "held out", Tone: page.Soft}
	case profile.Recalled:
		return page.Tag{Text: "taken back", Tone: page.Warm}
	case profile.Expired:
		return page.Tag{Text: "too late", Tone: page.Warm}
	case profile.Failed:
		return page.Tag{Text: "could not be written", Tone: page.Bad}
	}
	return page.Tag{Text: s.String()}
}

// reasonWords are the reasons for not sending, as sentences about many customers.
var reasonWords = map[string]string{
	string(decision.NoPolicy):         "No policy is in force",
	string(decision.Merged):           "The profile had joined another one",
	string(decision.Suppressed):       "They asked for silence, or the address is blocked",
	string(decision.Bounced):          "The address does not exist",
	string(decision.Complained):       "They called our mail spam",
	string(decision.Hot):              "So many events that it is no person",
	string(decision.NoConsent):        "They have not agreed to it",
	string(decision.Unreachable):      "There is no address",
	string(decision.Duplicate):        "They have this very message already",
	string(decision.Closed):           "It was decided already",
	string(decision.Late):             "We heard of it too late",
	string(decision.Expired):          "It would have come too late",
	string(decision.Satisfied):        "They bought it meanwhile",
	string(decision.JustBought):       "They had just bought it",
	string(decision.ComplaintOpen):    "A complaint is open",
	string(decision.OrderLate):        "Their order is late",
	string(decision.ConversationOpen): "They are in a conversation with us",
	string(decision.Held):             "Held out, to see what messages bring",
	string(decision.OverCap):          "They have had enough messages lately",
	string(decision.TooSoon):          "Too soon after the last message",
	string(decision.QuietHours):       "It was night or rest where they are",
	string(decision.NotYet):           "Its hour has not come",
	string(decision.Exited):           "They left the journey first",
	string(decision.Goal):             "They reached the goal first",
	"rejected":                        "The mail server refused it",
	"gave_up":                         "The mail server put us off for too long",
	"deferred":                        "The mail server asked for patience",
	"render_failed":                   "It could not be written",
	core.Aborted:                      "Its template gave it up",
}

// reasonWord returns a reason in words; a code that is not known stays as it is.
func reasonWord(code string) string {
	if code == "" {
		return "No reason was noted"
	}
	return or(reasonWords[code], code)
}

// ruleNames are the protections by their number in the gate.
var ruleNames = map[decision.Rule]string{
	decision.RulePolicy: "Policy", decision.RuleAddress: "Address", decision.RuleConsent: "Consent", decision.RuleReach: "Reachable",
	decision.RuleWanted: "Still wanted", decision.RuleOwned: "Just bought", decision.RuleConversation: "Open matters",
	decision.RuleHoldout: "Holdout", decision.RuleAttention: "Attention", decision.RuleQuiet: "Quiet hours", decision.RuleSlot: "Its turn",
}

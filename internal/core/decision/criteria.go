package decision

import (
	"fmt"
	"time"
)

// Sentence tells one check to people, with the values that were seen: what was asked,
// and whether it was so. R is the record that it stands in.
func (c *Check) Sentence(r *Record) string {
	channel := channelWord(r.Channel)
	not := func(yes, no string) string {
		if c.Pass {
			return yes
		}
		return no
	}
	switch c.Name {
	case CheckPolicy:
		return not("The shop has a policy", "The shop has no policy with a time zone")
	case CheckOwner:
		return not("The profile is nobody else's", "The profile has joined another")
	case CheckSuppress:
		return not("Not suppressed on every channel", "Suppressed on every channel")
	case CheckHot:
		return fmt.Sprintf("%d events this month; the limit is %d", c.Got, c.Limit)
	case CheckHealth:
		return not("The "+channel+" address takes messages", "The "+channel+" address does not take messages"+quoted(c.Text))
	case CheckConsent:
		return not("Agreed to "+r.Purpose+" by "+channel, "Has not agreed to "+r.Purpose+" by "+channel)
	case CheckReach:
		return not("Has an address for "+channel, "Has no address for "+channel)
	case CheckSaid:
		return not("Was not told this before", "Was told this before")
	case CheckOpen:
		return "The message is " + c.Text
	case CheckLate:
		return not("Heard of in time", "Heard of too late")
	case CheckExpires:
		return not("Still of use", "No longer of use")
	case CheckSatisfied:
		return not("Has not bought it since", "Has bought "+thing(c)+" since")
	case CheckOwned:
		return not("Has not just bought it", "Has just bought "+thing(c))
	case CheckTrait, CheckLateOrder:
		return not("No complaint, late order or conversation is open", "A complaint, a late order or a conversation is open")
	case CheckGlobal:
		return not("Not in the holdout of everything", "In the holdout of everything")
	case CheckJourney:
		return not("Not in the holdout of the journey", "In the holdout of the journey")
	case CheckCap:
		return fmt.Sprintf("%d of at most %d messages%s in %s", c.Got, c.Limit, byChannel(c.Text), span(c.Span))
	case CheckGap:
		return not("The message before was long enough ago", "The message before was less than "+span(c.Span)+" ago")
	case CheckQuiet:
		return not("It is no quiet hour", fmt.Sprintf("It is a quiet hour: %s in %s, until %s", minute(c.Got), c.Text, minute(c.Limit)))
	case CheckSlot:
		return not("Its time has come", "It is wanted "+span(max(c.At.Sub(r.Now), time.Second))+" later")
	}
	return c.Name
}

func byChannel(channel string) string {
	if channel == "" {
		return ""
	}
	return " by " + channelWord(channel)
}

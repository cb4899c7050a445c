package channels_test

import (
	"testing"

	"rapport/internal/channels"
)

// What servers say, and what follows. RULES 4.1: only a missing address is hard;
// a full or busy one is soft; 5.7 is about ourselves.
func TestTheCauseOfAFailureIsFoundInStatusAndWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status string
		code   int
		words  string
		want   channels.Cause
	}{
		{"5.1.1", 550, "The email account that you tried to reach does not exist.", channels.Hard},
		{"5.1.10", 550, "RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", channels.Hard},
		{"5.1.1", 550, "", channels.Hard},
		{"5.1.2", 0, "", channels.Hard},
		{"", 550, "No such user here", channels.Hard},
		{"5.0.0", 550, "Requested action not taken: user unknown", channels.Hard},
		{"5.1.1", 552, "Mailbox full", channels.Soft},
		{"5.2.2", 552, "The recipient's mailbox is over its quota", channels.Soft},
		{"5.2.2", 0, "", channels.Soft},
		{"4.2.2", 452, "The recipient's mailbox is full", channels.Soft},
		{"4.1.1", 450, "User unknown in local recipient table", channels.Soft},
		{"", 450, "no such user, try again", channels.Soft},
		{"4.4.7", 0, "Message expired", channels.Soft},
		{"5.4.1", 550, "something new", channels.Soft},
		{"", 0, "", channels.Soft},
		{"5.7.515", 550, "Access denied, sending domain shop.example does not meet the required authentication level", channels.Policy},
		{"5.7.1", 550, "Our system has detected that this message is likely unsolicited mail", channels.Policy},
		{"5.7.1", 550, "", channels.Policy},
		{"5.7.26", 550, "This mail has been blocked because the sender is unauthenticated", channels.Policy},
		{"4.7.0", 421, "Our system has detected an unusual rate of unsolicited mail", channels.Policy},
		{"5.1.8", 550, "Sender address rejected: Domain not found", channels.Policy},
		{"", 554, "5x listed at zen.spamhaus.org; user unknown", channels.Policy},
		{"", 550, "Terribly sorry, no such user", channels.Hard},
	} {
		got := channels.Failure{Status: c.status, Code: c.code, Detail: c.words}.Cause()
		if got != c.want {
			t.Errorf("%s %d %q is %s, want %s", c.status, c.code, c.words, got, c.want)
		}
	}
}

func TestWhatTheTellerSaysHoldsWhereNothingElseIsSaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f    channels.Failure
		want channels.Cause
	}{
		{channels.Failure{Says: channels.Hard}, channels.Hard},
		{channels.Failure{Says: channels.Hard, Status: "5.0.0"}, channels.Hard},
		{channels.Failure{Says: channels.Hard, Status: "5.2.2"}, channels.Soft},
		{channels.Failure{Says: channels.Hard, Detail: "mailbox full"}, channels.Soft},
		{channels.Failure{Says: channels.Soft, Status: "5.1.1"}, channels.Hard},
	} {
		if got := c.f.Cause(); got != c.want {
			t.Errorf("%+v is %s, want %s", c.f, got, c.want)
		}
	}
}

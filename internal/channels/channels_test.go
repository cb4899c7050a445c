package channels_test

import (
	"strings"
	"testing"

	"rapport/internal/channels"
)

func TestTheZeroOutcomePromisesNothing(t *testing.T) {
	t.Parallel()
	var o channels.Outcome
	if o.State != channels.Unknown || o.State.String() != "unknown" {
		t.Fatalf("the zero outcome is %s, want unknown", o.State)
	}
}

func TestClipKeepsAStrangersWordsHarmless(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain text stays", "5.1.1 no such user", "5.1.1 no such user"},
		{"line breaks and escapes become spaces", "a\r\nb\x1b[2Jc\u2028d\u0085e", "a  b [2Jc d e"},
		{"bytes that are no text are replaced", "a\xffb", "a\uFFFDb"},
		{"long text is cut at a whole character", strings.Repeat("é", 200), strings.Repeat("é", 150)},
	} {
		if got := channels.Clip(c.in); got != c.want {
			t.Errorf("%s: Clip(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func TestADeliveryIdIs32LowerCaseHexDigits(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"0123456789abcdef0123456789abcdef":   true,
		"0123456789ABCDEF0123456789abcdef":   false,
		"0123456789abcdef0123456789abcde":    false,
		"0123456789abcdef0123456789abcdef0":  false,
		"0123456789abcdef\r\n23456789abcdef": false,
		"":                                   false,
	} {
		if got := channels.ValidDelivery(id); got != want {
			t.Errorf("ValidDelivery(%q) = %t", id, got)
		}
	}
}

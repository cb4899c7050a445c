package channeltest

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"rapport/internal/channels"
)

// Fixture is a webhook that a provider has sent, with the name of the test of
// others that it comes from.
type Fixture struct {
	Test    string          `json:"test"`
	Payload json.RawMessage `json:"payload"`
}

// Fixtures reads a file of them.
func Fixtures(t *testing.T, file string) []Fixture {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []Fixture
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// Told writes notices as a line of words each, for tables: what, of whom, why,
// by whom, where to.
func Told(notices []channels.Notice) string {
	lines := make([]string, len(notices))
	for i, n := range notices {
		words := []string{n.Told.String(), n.Address}
		if n.Told == channels.Bounced || n.Told == channels.Delayed {
			words = append(words, n.Cause().String(), n.Status)
		}
		words = append(words, n.Actor, n.Link)
		lines[i] = strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
	}
	return strings.Join(lines, "; ")
}

// Delivery is the id that fixtures get in place of other people's.
const Delivery = "0123456789abcdef0123456789abcdef"

// Judge judges a User-Agent as simply as a test needs it.
func Judge(agent string) string {
	if strings.HasPrefix(agent, "Mozilla/5.0 (") {
		return "human"
	}
	return "unknown"
}

package dispatch_test

import (
	"errors"
	"fmt"
	"testing"

	"rapport/internal/channels"
	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/engine"
)

// A template that gives a message up is obeyed: nothing leaves, nothing is tried
// again, and that is told apart from a template that failed. Item 41: the others
// of the batch go on.
func TestAMessageThatItsTemplateGivesUpIsDroppedWithTheReason(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.render = func(c *engine.Claim, _ event.Time) (channels.Message, error) {
		switch c.Profile.Address("email") {
		case "u1@shop.example":
			return channels.Message{}, fmt.Errorf("wording: %w", &content.Aborted{Reason: "sold out"})
		case "u2@shop.example":
			return channels.Message{}, errors.New("a value is missing")
		}
		return word(c), nil
	}
	for i := range 3 {
		s.does(fmt.Sprint("u", i), event.OrderCompleted)
	}
	for range 3 {
		s.claim()
		s.deliver(s.d)
	}
	s.want("accepted:1 dropped aborted:1 render_failed render_failed:1")
	for row, err := range s.store.Deliveries(t.Context()) {
		s.must(err)
		if row.Because == "aborted" && row.Outcome != "sold out" {
			t.Errorf("the outcome is %q", row.Outcome)
		}
	}
}

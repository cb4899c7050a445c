package null_test

import (
	"strings"
	"sync"
	"testing"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/null"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(*testing.T) channeltest.Peer {
		var mu sync.Mutex
		taken := map[string]int{}
		c := &null.Channel{Answer: func(m channels.Message) channels.Outcome {
			mu.Lock()
			defer mu.Unlock()
			switch fate, _, _ := strings.Cut(m.To.Address, "."); fate {
			case "reject":
				return channels.Outcome{State: channels.Rejected, Hard: true, Detail: "no such person"}
			case "defer":
				return channels.Outcome{State: channels.Deferred, Detail: "busy"}
			case "lost":
				taken[m.Delivery]++
				return channels.Outcome{Detail: "silence"}
			}
			taken[m.Delivery]++
			return channels.Outcome{State: channels.Accepted}
		}}
		return channeltest.Peer{
			Channel: c,
			Fates:   []channeltest.Fate{channeltest.Accept, channeltest.Reject, channeltest.Defer, channeltest.Lost},
			Mark: func(m *channels.Message, f channeltest.Fate) {
				m.To.Address = f.String() + "." + m.To.Address
			},
			Taken: func(m channels.Message) int {
				mu.Lock()
				defer mu.Unlock()
				return taken[m.Delivery]
			},
		}
	})
}

func TestTheZeroChannelAcceptsAndCounts(t *testing.T) {
	t.Parallel()
	var c null.Channel
	batch := []channels.Message{channeltest.Message(1), channeltest.Message(2), {Delivery: "short"}}
	got := c.Send(t.Context(), batch)
	if got[0].State != channels.Accepted || got[1].State != channels.Accepted || got[2].State != channels.Rejected || c.Sent() != 2 {
		t.Fatalf("outcomes %+v, sent %d; want two accepted, one rejected", got, c.Sent())
	}
}

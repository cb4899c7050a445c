package run_test

import (
	"os"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/null"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/store/memory"
)

// A node of a directory that may be a copy sends not even a test, and says that it is
// silent.
func TestASilentNodeSendsNoTestEither(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{true, false} {
		at, sent := clock.Virtual(event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))), 0
		node, err := run.Open(t.Context(), run.Options{
			Log: memlog.New(1, at.Now), Store: memory.New(), Ledger: memory.NewLedger(), Workspace: "default", Key: identity.Key{9}, Clock: at, NoSending: silent,
			Channels: map[string]channels.Channel{"email": &null.Channel{Answer: func(channels.Message) channels.Outcome {
				sent++
				return channels.Outcome{State: channels.Accepted, Code: 250}
			}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		src, err := program.Read(os.DirFS("../../examples/shop"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := node.Apply(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		if err := node.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		pr, err := node.Program(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = node.SendTest(t.Context(), pr, program.Sample{Template: "welcome", Customer: profile.New(identity.ID{1})}, "ada@shop.example")
		if silent != node.State().Silent || silent != fault.Is(err, fault.Unavailable) || silent == (sent == 1) {
			t.Errorf("silent %v: %d sent, %v, and it says %v", silent, sent, err, node.State().Silent)
		}
	}
}

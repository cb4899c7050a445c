package demo

import (
	"iter"
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// The largest body of POST /v1/batch that [Batches] is usually asked for, and
// what the tracking API takes at most in one whatever its size.
const (
	MaxBatch         = 512 << 10 // bytes
	MaxBatchMessages = 2500
)

// Batches packs messages, in their order, into bodies for POST /v1/batch of at
// most maxBytes and [MaxBatchMessages] each. If sentAt is not zero every body says that it was sent
// then: with the virtual clock's now the server finds the messages' own times
// unchanged. A message that does not fit into a body alone yields TooLarge and
// ends the sequence. No messages make no body.
func Batches(messages iter.Seq[[]byte], maxBytes int, sentAt event.Time) iter.Seq2[[]byte, error] {
	const begin = `{"batch":[`
	end := `]}`
	if sentAt != 0 {
		end = `],"sentAt":"` + sentAt.String() + `"}`
	}
	return func(yield func([]byte, error) bool) {
		var body []byte
		n := 0 // messages in it
		for m := range messages {
			if need := len(begin) + len(m) + len(end); need > maxBytes {
				yield(nil, fault.New(fault.TooLarge, "a message of "+strconv.Itoa(len(m))+" bytes does not fit into a body of "+
					strconv.Itoa(maxBytes)+"; send it with a larger limit"))
				return
			}
			if body != nil && (n == MaxBatchMessages || len(body)+1+len(m)+len(end) > maxBytes) {
				if !yield(append(body, end...), nil) {
					return
				}
				body, n = nil, 0
			}
			if body == nil {
				body = append(make([]byte, 0, min(maxBytes, 64<<10)), begin...)
			} else {
				body = append(body, ',')
			}
			body = append(body, m...)
			n++
		}
		if body != nil {
			yield(append(body, end...), nil)
		}
	}
}

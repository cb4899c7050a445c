package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// span is where a JSON value stands in a body.
type span struct {
	from, to int
	depth    int // how deep it nests: 0 for a scalar, 1 for a flat object
	values   int // at least the number of values in it
}

func (s span) of(body []byte) []byte { return body[s.from:s.to] }

// envelope is what surrounds the messages of a body.
type envelope struct {
	messages []span
	sentAt   event.Time // zero: not said, or not readable
	writeKey string
	context  span // of the whole batch; empty: none
}

// errNotJSON marks a place at which a body stops being JSON. [describe] finds
// the words.
var errNotJSON = errors.New("not JSON")

// skip returns the value that begins at body[i]. It checks no more than is
// needed to find the end: strings and the balance of brackets. Every value
// inside is announced by a comma, a bracket or a brace, which is how they are
// counted before anything is spent on them.
func skip(body []byte, i int) (span, error) {
	s := span{from: i, values: 1}
	if i >= len(body) {
		return s, errNotJSON
	}
	switch body[i] {
	case '"':
		end, err := skipString(body, i)
		s.to = end
		return s, err
	case '{', '[':
	default:
		for i < len(body) && !ends(body[i]) {
			i++
		}
		if i == s.from {
			return s, errNotJSON
		}
		s.to = i
		return s, nil
	}
	depth := 0
	for i < len(body) {
		switch body[i] {
		case '"':
			end, err := skipString(body, i)
			if err != nil {
				return s, err
			}
			i = end
			continue
		case '{', '[':
			depth++
			s.values++
			s.depth = max(s.depth, depth)
		case ',':
			s.values++
		case '}', ']':
			depth--
			if depth == 0 {
				s.to = i + 1
				return s, nil
			}
		}
		i++
	}
	return s, errNotJSON
}

// ends reports whether c cannot belong to a number or a word.
func ends(c byte) bool {
	switch c {
	case ',', '}', ']', '{', '[', '"', ':', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}

// skipString returns the index behind the string whose quote is body[i].
func skipString(body []byte, i int) (int, error) {
	for i++; ; {
		n := bytes.IndexByte(body[i:], '"')
		if n < 0 {
			return len(body), errNotJSON
		}
		end := i + n
		slashes := 0
		for end-slashes > i && body[end-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return end + 1, nil
		}
		i = end + 1 // an escaped quote: nothing before it can belong to a later run of slashes
	}
}

func space(body []byte, i int) int {
	for i < len(body) && (body[i] == ' ' || body[i] == '\n' || body[i] == '\t' || body[i] == '\r') {
		i++
	}
	return i
}

// fields calls f with the raw key, still escaped, and the index of the value of
// each field of the object at body[i]; f returns the index behind the value.
// It returns the index behind the object.
func fields(body []byte, i int, f func(key []byte, at int) (int, error)) (int, error) {
	if i >= len(body) || body[i] != '{' {
		return i, errNotJSON
	}
	i = space(body, i+1)
	if i < len(body) && body[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(body) || body[i] != '"' {
			return i, errNotJSON
		}
		end, err := skipString(body, i)
		if err != nil {
			return i, err
		}
		key := body[i+1 : end-1]
		if i = space(body, end); i >= len(body) || body[i] != ':' {
			return i, errNotJSON
		}
		if i, err = f(key, space(body, i+1)); err != nil {
			return i, err
		}
		if i = space(body, i); i >= len(body) {
			return i, errNotJSON
		}
		switch body[i] {
		case '}':
			return i + 1, nil
		case ',':
			i = space(body, i+1)
		default:
			return i, errNotJSON
		}
	}
}

// batch reads the envelope of a batch body: where its messages are, and what is
// said of all of them. A key that comes twice counts as it stands last.
func (e *envelope) batch(body []byte) error {
	found := false
	end, err := fields(body, space(body, 0), func(key []byte, at int) (int, error) {
		if string(key) == "batch" && at < len(body) && body[at] == '[' {
			found, e.messages = true, e.messages[:0]
			return e.list(body, at)
		}
		s, err := skip(body, at)
		if err != nil {
			return at, err
		}
		e.note(key, body, s)
		return s.to, nil
	})
	if kind, _ := fault.Of(err); kind == fault.TooLarge {
		return err
	}
	if err != nil || space(body, end) != len(body) {
		return describe(body)
	}
	if !found {
		return fault.New(fault.Invalid, "batch: a list of messages is expected")
	}
	return nil
}

// list notes each item of the list at body[i] and returns the index behind it.
func (e *envelope) list(body []byte, i int) (int, error) {
	i = space(body, i+1)
	if i < len(body) && body[i] == ']' {
		return i + 1, nil
	}
	for {
		s, err := skip(body, i)
		if err != nil {
			return i, err
		}
		if len(e.messages) == MaxBatch {
			return i, fault.New(fault.TooLarge, "batch: more than "+strconv.Itoa(MaxBatch)+" messages; send them in several requests")
		}
		e.messages = append(e.messages, s)
		if i = space(body, s.to); i >= len(body) {
			return i, errNotJSON
		}
		switch body[i] {
		case ']':
			return i + 1, nil
		case ',':
			i = space(body, i+1)
		default:
			return i, errNotJSON
		}
	}
}

// single reads a body that is one message.
func (e *envelope) single(body []byte) error {
	s, err := skip(body, space(body, 0))
	if err != nil || space(body, s.to) != len(body) {
		return describe(body)
	}
	e.messages = append(e.messages[:0], s)
	return nil
}

// key returns the writeKey of a single message; it is asked only if no header
// has one.
func (e *envelope) key(body []byte) string {
	// An error leaves the key empty, and the decoder will tell it.
	_, _ = fields(body, space(body, 0), func(key []byte, at int) (int, error) {
		s, err := skip(body, at)
		if err == nil && string(key) == "writeKey" {
			e.note(key, body, s)
		}
		return s.to, err
	})
	return e.writeKey
}

func (e *envelope) note(key, body []byte, s span) {
	switch raw := s.of(body); string(key) {
	case "writeKey":
		e.writeKey = plain(raw)
	case "sentAt":
		// Unreadable, it is as if not said: the sender's clock is believed then.
		e.sentAt, _ = parseTime([]byte(plain(raw)))
	case "context":
		e.context = span{}
		if raw[0] == '{' {
			e.context = s
		}
	}
}

// plain returns the text of a JSON string that needs no escapes, as keys and
// times never do; empty for everything else.
func plain(raw []byte) string {
	const longest = 128 // a key has 44 characters, a time 35
	if len(raw) < 2 || len(raw) > longest || raw[0] != '"' || bytes.IndexByte(raw, '\\') >= 0 {
		return ""
	}
	return string(raw[1 : len(raw)-1])
}

// describe says why body is not JSON and where. It parses a second time, so it
// is for bodies that have failed.
func describe(body []byte) error {
	return fault.New(fault.Invalid, "the body is "+whyNotJSON(body))
}

func whyNotJSON(text []byte) string {
	var v json.RawMessage
	err := json.Unmarshal(text, &v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "not JSON: " + syntax.Error() + " at byte " + strconv.FormatInt(syntax.Offset, 10)
	}
	return "not JSON"
}

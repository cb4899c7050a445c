package intake

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// Defaults is what is known of a message before it is read: by which way it
// came, from whom, and when.
type Defaults struct {
	Type     event.Type   // the call, where the path says it; zero: each message says its own
	Received event.Time   // when the body arrived; must be set
	SentAt   event.Time   // when the sender sent it, by its own clock, as a header says; zero: not said
	Origin   event.Origin // Import on the import route
	Trust    event.Trust  // how far the key is believed
	Source   string       // the name of the key
	MaxEvent int          // the largest message in bytes; zero: MaxEventPublic
}

// Reject is a message that was not taken, and why. Whoever sent it is told, and
// it is kept so that a person can see it and send it again once it is mended.
type Reject struct {
	Index     int    // of the message in its body; −1: the whole body is unreadable
	MessageID string // empty if it has none or it could not be read
	Field     string // the path of the field that is wrong; empty if no single one is
	Reason    string // a sentence for people
	Raw       []byte // the message as it was sent; its beginning only, if it is too large
	From      Defaults
}

// Decoded is one message: an event and who it is about, or a reject.
type Decoded struct {
	Event  event.Event
	Who    identity.Identifier // the event's strongest identifier
	Reject *Reject             // nil if the message is good
}

// DecodeBatch reads a body with many messages, {"batch": […]}, and returns one
// Decoded for each, in their order. The error says that the body as a whole
// cannot be read: Invalid if it is not a batch, TooLarge if it has more than
// MaxBatch messages.
func DecodeBatch(body []byte, from Defaults) ([]Decoded, error) {
	d := borrow()
	defer d.giveBack()
	if err := d.open(body, true); err != nil {
		return nil, err
	}
	return d.decode(nil, from)
}

// DecodeOne reads a body that is one message, of the type that from says or
// that it says itself. The error is Invalid if the body is not JSON.
func DecodeOne(body []byte, from Defaults) (Decoded, error) {
	d := borrow()
	defer d.giveBack()
	if err := d.open(body, false); err != nil {
		return Decoded{}, err
	}
	out, err := d.decode(nil, from)
	if err != nil {
		return Decoded{}, err
	}
	return out[0], nil
}

// decoder reads bodies, one after the other.
type decoder struct {
	envelope
	body   []byte
	clean  bool // the whole body is valid UTF-8 without NUL
	from   Defaults
	parser *fastjson.Parser
	spent  int // bytes read by parser
	enc    encoder
	msg    message
	text   []byte       // all texts of one event, one behind the other
	large  bool         // it has read a message of more than MaxEventPublic
	shared event.Object // the batch's own context
	out    []Decoded    // room for the handler's results
}

var decoders = sync.Pool{New: func() any { return &decoder{parser: new(fastjson.Parser)} }}

func borrow() *decoder { return decoders.Get().(*decoder) }

// giveBack lets the next body use the decoder. Nothing of this one stays.
func (d *decoder) giveBack() {
	d.body, d.shared, d.from, d.msg = nil, "", Defaults{}, message{}
	d.envelope = envelope{messages: d.messages[:0]}
	clear(d.out)
	d.out = d.out[:0]
	if d.large {
		return // what one large message has made it hold need not weigh on every later one
	}
	// The keys are pieces of the parser's buffer.
	clear(d.enc.pairs[:cap(d.enc.pairs)])
	decoders.Put(d)
}

// open finds the messages of body, which must not change until giveBack.
func (d *decoder) open(body []byte, batch bool) error {
	d.body = body
	d.envelope = envelope{messages: d.messages[:0]}
	if batch {
		return d.batch(body)
	}
	return d.single(body)
}

// decode appends what each message says to out.
func (d *decoder) decode(out []Decoded, from Defaults) ([]Decoded, error) {
	if from.MaxEvent == 0 {
		from.MaxEvent = MaxEventPublic
	}
	if d.sentAt != 0 {
		from.SentAt = d.sentAt
	}
	d.from = from
	d.clean = utf8.Valid(d.body) && bytes.IndexByte(d.body, 0) < 0 && !bytes.Contains(d.body, escapedNUL)
	if err := d.shareContext(); err != nil {
		return nil, err
	}
	if out == nil {
		out = make([]Decoded, 0, len(d.messages))
	}
	for i, s := range d.messages {
		out = append(out, d.one(i, s))
	}
	return out, nil
}

var escapedNUL = []byte(`\u0000`)

// shareContext reads the context that a batch has for all of its messages.
func (d *decoder) shareContext() error {
	if d.context.to == 0 {
		return nil
	}
	if d.context.to-d.context.from > d.from.MaxEvent || d.context.depth > maxDepth || d.context.values > maxValues {
		return fault.New(fault.TooLarge, "context: the batch's context is too large")
	}
	raw := d.context.of(d.body)
	v, err := d.parse(raw)
	if err != nil {
		return fault.New(fault.Invalid, "context: "+whyNotJSON(raw))
	}
	o, _ := v.Object() // note has seen the brace
	d.enc.dirty = !d.clean
	encoded, ok := d.enc.object(o, 0, "")
	if !ok {
		d.enc.under("context")
		return fault.New(fault.Invalid, d.enc.field+": "+d.enc.reason)
	}
	d.shared = event.Object(string(encoded))
	return nil
}

// parse parses text; what it returns is valid until the next call.
func (d *decoder) parse(text []byte) (*fastjson.Value, error) {
	d.large = d.large || len(text) > MaxEventPublic
	if d.spent += len(text); d.spent > parserLife {
		d.parser, d.spent = new(fastjson.Parser), len(text)
	}
	return d.parser.ParseBytes(text)
}

// one reads the message at s.
func (d *decoder) one(index int, s span) Decoded {
	raw := s.of(d.body)
	d.msg = message{}
	d.enc.field, d.enc.reason = "", ""
	e, who, ok := d.message(raw, s)
	if ok {
		return Decoded{Event: e, Who: who}
	}
	r := &Reject{Index: index, Field: d.enc.field, Reason: d.enc.reason, From: d.from}
	if id, ok := d.idText(d.msg.id); ok && len(id) <= maxMessageID {
		r.MessageID = strings.Clone(id)
	}
	if len(raw) > d.from.MaxEvent {
		raw = raw[:keptOfTooLarge]
	}
	r.Raw = bytes.Clone(raw)
	return Decoded{Reject: r}
}

// refuse notes what is wrong with a message. It returns false, for its callers
// to return.
func (d *decoder) refuse(field, reason string) bool {
	d.enc.field, d.enc.reason = field, reason
	return false
}

// read parses raw into d.msg.
func (d *decoder) read(raw []byte, s span) bool {
	switch {
	case raw[0] != '{':
		return d.refuse("", "a message is a JSON object")
	case len(raw) > d.from.MaxEvent:
		return d.refuse("", "the message has "+strconv.Itoa(len(raw))+" bytes; at most "+strconv.Itoa(d.from.MaxEvent)+" are taken")
	case s.values > maxValues:
		return d.refuse("", "the message has more than "+strconv.Itoa(maxValues)+" values")
	case s.depth > maxDepth+1:
		return d.refuse("", "the message is nested deeper than "+strconv.Itoa(maxDepth)+" levels")
	}
	v, err := d.parse(raw)
	if err != nil {
		// fastjson's error quotes the message; ours says where it is wrong.
		return d.refuse("", "the message is "+whyNotJSON(raw))
	}
	o, err := v.Object()
	if err != nil {
		return d.refuse("", "a message is a JSON object") // unreachable: it begins with a brace
	}
	d.enc.dirty = !d.clean && (!utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 || bytes.Contains(raw, escapedNUL))
	o.Visit(d.msg.set)
	return true
}

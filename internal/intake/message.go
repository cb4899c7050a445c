package intake

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// message is the fields of a call that we know, as they were parsed. A field
// that is absent or null is nil.
type message struct {
	kind, name, title, category, id *fastjson.Value
	user, anon, group, previous     *fastjson.Value
	stamp, original, sent           *fastjson.Value
	properties, traits, context     *fastjson.Value
}

// set notes one field; of two with one key, the last. Unknown fields, such as
// integrations or _metadata, speak to other products.
func (m *message) set(key []byte, v *fastjson.Value) {
	if v.Type() == fastjson.TypeNull {
		v = nil
	}
	switch string(key) {
	case "type":
		m.kind = v
	case "event":
		m.name = v
	case "name":
		m.title = v
	case "category":
		m.category = v
	case "messageId":
		m.id = v
	case "userId":
		m.user = v
	case "anonymousId":
		m.anon = v
	case "groupId":
		m.group = v
	case "previousId":
		m.previous = v
	case "timestamp":
		m.stamp = v
	case "originalTimestamp":
		m.original = v
	case "sentAt":
		m.sent = v
	case "properties":
		m.properties = v
	case "traits":
		m.traits = v
	case "context":
		m.context = v
	}
}

// message makes the event that the message says. False means that d.enc says
// what is wrong with it.
//
// All texts of the event are pieces of one string, so an event costs two
// allocations: that string and the list of its identifiers.
func (d *decoder) message(raw []byte, s span) (e event.Event, who identity.Identifier, ok bool) {
	if !d.read(raw, s) {
		return e, who, false
	}
	m := &d.msg
	e.Origin, e.Trust, e.Source = d.from.Origin, d.from.Trust, d.from.Source
	d.text = d.text[:0]
	if e.Type, ok = d.typeOf(); !ok {
		return e, who, false
	}
	id, ok := d.putID("messageId", m.id, maxMessageID)
	if !ok {
		return e, who, false
	}
	if id.empty() {
		id = d.putRandomID()
	}
	user, ok := d.putPerson("userId", m.user)
	if !ok {
		return e, who, false
	}
	anon, ok := d.putPerson("anonymousId", m.anon)
	if !ok {
		return e, who, false
	}
	name, ok := d.putName(e.Type, e.Trust)
	if !ok || !d.times(&e) {
		return e, who, false
	}
	props, ok := d.putProperties(e.Type)
	if !ok {
		return e, who, false
	}
	traits, context, ok := d.putTraitsAndContext(e.Type)
	if !ok {
		return e, who, false
	}

	text := string(d.text)
	e.ID = event.ID(id.of(text))
	e.User, e.Anon = user.of(text), anon.of(text)
	e.Props, e.Traits = event.Object(props.of(text)), event.Object(traits.of(text))
	e.Context = event.Object(context.of(text))
	if m.context == nil {
		e.Context = d.shared
	}
	switch e.Type {
	case event.Track:
		e.Name = name.of(text)
	case event.Page:
		e.Name = event.PageViewed
	case event.Screen:
		e.Name = event.ScreenViewed
	}
	if e.Type == event.Track && event.IsOrder(e.Name) {
		if _, err := event.OrderOf(e.Name, e.Props); err != nil {
			_, reason := fault.Of(err)
			field, why, found := strings.Cut(reason, ": ") // the promise of OrderOf: it names the field
			if !found {
				field, why = "properties", reason
			}
			return e, who, d.refuse(field, why)
		}
	}
	ids := identity.Of(&e)
	if len(ids) == 0 {
		return e, who, d.refuse("userId", "the message identifies nobody: it needs a userId, an anonymousId or another identifier that stands for one person")
	}
	return e, ids[0], true
}

// typeOf returns the call: the path's, else the message's own.
func (d *decoder) typeOf() (event.Type, bool) {
	if d.from.Type != 0 {
		return d.from.Type, true
	}
	name, ok := d.idText(d.msg.kind)
	t, known := event.TypeOf(name)
	if !ok || !known {
		return 0, d.refuse("type", "track, identify, page, screen, group or alias is expected")
	}
	return t, true
}

// times sets when the event happened.
func (d *decoder) times(e *event.Event) bool {
	stamp, field := d.msg.stamp, "timestamp"
	if stamp == nil {
		stamp, field = d.msg.original, "originalTimestamp"
	}
	var ok bool
	if e.Raw, ok = d.time(stamp, field); !ok {
		return false
	}
	sent, ok := d.time(d.msg.sent, "sentAt")
	if !ok {
		return false
	}
	if sent == 0 {
		sent = d.from.SentAt
	}
	e.At = happened(d.from.Received, e.Raw, sent)
	return true
}

// time reads an instant; zero if there is none.
func (d *decoder) time(v *fastjson.Value, field string) (event.Time, bool) {
	if v == nil {
		return 0, true
	}
	text, ok := d.idText(v)
	if ok && text == "" {
		return 0, true
	}
	if ok {
		if t, ok := parseTime([]byte(text)); ok {
			return t, true
		}
	}
	return 0, d.refuse(field, "a time such as 2026-03-01T09:30:00.000Z is expected")
}

// piece is where a text stands in d.text.
type piece struct{ from, to int }

func (p piece) empty() bool           { return p.from == p.to }
func (p piece) of(text string) string { return text[p.from:p.to] }

func (d *decoder) put(s string) piece {
	from := len(d.text)
	d.text = append(d.text, s...)
	return piece{from, len(d.text)}
}

// idText returns a string, or a number as it was sent; false for anything else.
// It is valid until the next call.
func (d *decoder) idText(v *fastjson.Value) (string, bool) {
	if v == nil {
		return "", true
	}
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes() // it is a string
		return d.enc.clean(alias(b)), true
	case fastjson.TypeNumber:
		d.enc.scratch = v.MarshalTo(d.enc.scratch[:0])
		text := alias(d.enc.scratch)
		return text, badNumber(text) == ""
	}
	return "", false
}

// putID puts an id of at most limit bytes: a string, or a number as many shops
// have them.
func (d *decoder) putID(field string, v *fastjson.Value, limit int) (piece, bool) {
	text, ok := d.idText(v)
	switch {
	case !ok:
		return piece{}, d.refuse(field, "a string is expected")
	case len(text) > limit:
		return piece{}, d.refuse(field, "longer than "+strconv.Itoa(limit)+" bytes")
	}
	return d.put(text), true
}

// putPerson puts an identifier of a person, or nothing in the place of one that
// stands for nobody: no reader behind the edge has to ask again.
func (d *decoder) putPerson(field string, v *fastjson.Value) (piece, bool) {
	p, ok := d.putID(field, v, maxID)
	if ok && identity.Blocked(alias(d.text[p.from:p.to])) {
		d.text = d.text[:p.from]
		p.to = p.from
	}
	return p, ok
}

// putRandomID makes an id in the shape of a version 4 UUID. Nobody can repeat
// it, so a message without an id that is sent twice counts twice.
func (d *decoder) putRandomID() piece {
	var b [16]byte
	// crypto/rand never returns an error; it ends the process if the system has
	// no randomness.
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	from := len(d.text)
	for i, part := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}} {
		if i > 0 {
			d.text = append(d.text, '-')
		}
		d.text = hex.AppendEncode(d.text, b[part[0]:part[1]])
	}
	return piece{from, len(d.text)}
}

// ownPrefix is how the names of the product's own events about a message begin.
// If a public key could send them, a stranger could fake bounces and clicks.
const ownPrefix = "message "

// putName puts the name of a track call; other calls have none of their own.
func (d *decoder) putName(t event.Type, trust event.Trust) (piece, bool) {
	if t != event.Track {
		return piece{}, true
	}
	v := d.msg.name
	if v == nil || v.Type() != fastjson.TypeString {
		return piece{}, d.refuse("event", "a track call needs the name of its event, a string")
	}
	text, _ := d.idText(v)
	name := strings.TrimSpace(text)
	switch {
	case name == "":
		return piece{}, d.refuse("event", "a track call needs the name of its event, a string")
	case len(name) > maxName:
		return piece{}, d.refuse("event", "longer than "+strconv.Itoa(maxName)+" bytes")
	case trust == event.Public && len(name) >= len(ownPrefix) && strings.EqualFold(name[:len(ownPrefix)], ownPrefix):
		return piece{}, d.refuse("event", "names that begin with Message are the product's own; a write key cannot send them")
	}
	return d.put(name), true
}

// putProperties puts the properties, and beside them the fields of a call that
// stand outside.
func (d *decoder) putProperties(t event.Type) (piece, bool) {
	m := &d.msg
	var extra [2]pair
	switch t {
	case event.Page, event.Screen:
		extra = [2]pair{{"name", m.title}, {"category", m.category}}
	case event.Group:
		extra[0] = pair{"groupId", m.group}
	case event.Alias:
		extra[0] = pair{"previousId", m.previous}
	}
	if t == event.Group || t == event.Alias {
		field := extra[0].key
		text, ok := d.idText(extra[0].value)
		switch {
		case !ok || text == "":
			return piece{}, d.refuse(field, "a call of type "+t.String()+" needs a "+field+", a string")
		case len(text) > maxID:
			return piece{}, d.refuse(field, "longer than "+strconv.Itoa(maxID)+" bytes")
		}
	}
	return d.putObject("properties", m.properties, "", extra[0], extra[1])
}

// putTraitsAndContext puts what is known of the person and of the
// circumstances. Traits of an identify or group call stand at the top;
// RudderStack, and every other call, has the person's in the context. What is
// taken from there is not stored there again.
func (d *decoder) putTraitsAndContext(t event.Type) (traits, context piece, ok bool) {
	m := &d.msg
	field, value, except := "traits", m.traits, ""
	if t != event.Group && (t != event.Identify || m.traits == nil) {
		field, value = "context.traits", nil
		if o := m.context.GetObject(); o != nil {
			o.Visit(func(key []byte, v *fastjson.Value) {
				if string(key) == "traits" {
					value = v // the last, if it comes twice
				}
			})
		}
		if value != nil && value.Type() == fastjson.TypeObject {
			except = "traits"
		} else {
			value = nil // a context is the sender's own: what is odd in it stays there
		}
	}
	traits, ok = d.putObject(field, value, "")
	if !ok {
		return traits, context, false
	}
	context, ok = d.putObject("context", m.context, except)
	return traits, context, ok
}

// putObject puts an object, empty if there is none.
func (d *decoder) putObject(field string, v *fastjson.Value, except string, extra ...pair) (piece, bool) {
	var o *fastjson.Object
	if v != nil {
		var err error
		if o, err = v.Object(); err != nil {
			return piece{}, d.refuse(field, "an object is expected")
		}
	}
	encoded, ok := d.enc.object(o, 0, except, extra...)
	if !ok {
		d.enc.under(field)
		return piece{}, false
	}
	return d.put(alias(encoded)), true
}

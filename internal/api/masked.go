package api

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/keys"
	"rapport/internal/people"
	"rapport/internal/program"
	"rapport/internal/run"
)

// Who only analyses counts people and need not know who they are. So whatever the
// API answers them goes through maskedAnswer, the operations of tomorrow too: what
// names a person is not left out where somebody thought of it, it is let through
// where somebody said that it is the shop's own (ours, below).

// masking stands where a name, an address or a number of a telephone was.
const masking = "•••"

// ours are the operations that answer what the shop itself wrote, or who works there,
// and nothing of a customer: nothing in their answers is masked. Files must come back as
// they are, because they are sent again.
var ours = map[string]bool{
	"GET /definitions": true, "GET /definitions/tree": true, "POST /definitions/validate": true, "GET /program": true,
	"GET /journeys/{name}/draft": true, "POST /journeys/{name}/draft": true, "GET /journeys/{name}/versions": true,
	"GET /conditions": true, "POST /conditions/parse": true, "POST /conditions/check": true, "GET /liquid": true, "GET /templates": true,
	"GET /domains": true, "GET /domains/{name}": true, "GET /stores": true, "GET /stores/{id}": true, "GET /fences": true,
	"GET /setup": true, "POST /setup": true, "GET /session": true, "POST /session": true, "PUT /session/password": true, "POST /invitations/accept": true,
	"GET /approvals": true, "GET /drafts": true, "GET /drafts/{kind}": true, "PUT /drafts/{kind}": true,
}

// masked reports whether the caller sees nobody's name, address and number: people
// whose role is to analyse, and keys that may analyse and not read.
func (c caller) masked() bool {
	if c.person != nil {
		return c.person.Role == people.Analyst
	}
	return c.key.Kind == keys.Restricted && c.key.May(keys.Analyse) && !c.key.May(keys.Read)
}

// maskedAnswer is the last step of every answer that is JSON.
func (a *API) maskedAnswer(ctx huma.Context, _ string, v any) (any, error) {
	c := callerOf(ctx.Context())
	if v == nil || !c.masked() || a.ours[ctx.Operation().OperationID] {
		return v, nil
	}
	if _, wrong := v.(*problem); wrong {
		return v, nil // it repeats what was asked, and nothing of a customer
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // money stays exact
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	return c.called.answer("", tree), nil
}

// called are the names that were read while a request was answered: sentences say them
// in the middle ("first_name is Ada"). It is for use by many goroutines.
type called struct {
	mu    sync.Mutex
	words map[string]bool // in small letters
	whole []string        // what is no word: a customer number with dashes
}

// note remembers how a customer is called.
func (n *called) note(p *profile.Profile) {
	if n == nil || p == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range p.Traits {
		if t := &p.Traits[i]; namesSomebody(t.Name) || letters(t.Name) == "name" {
			n.value(t.Value)
		} else if t.Value.Kind == event.Map {
			n.object(t.Value.Object())
		}
	}
	for i := range p.Held {
		switch id := p.Held[i].Identifier; id.Kind {
		case identity.Email, identity.Phone: // known by their form
		default:
			n.text(id.Value)
		}
	}
}

func (n *called) object(o event.Object) {
	for key, v := range o.Each {
		if namesSomebody(key) {
			n.value(v)
		} else if v.Kind == event.Map {
			n.object(v.Object())
		}
	}
}

func (n *called) value(v event.Value) {
	switch v.Kind {
	case event.Map:
		for _, x := range v.Object().Each {
			n.value(x)
		}
	case event.List:
		for x := range v.Items {
			n.value(x)
		}
	case event.String:
		if hidden(v.Raw) == v.Raw { // an address is known by its form, and its words are everybody's
			for _, word := range strings.FieldsFunc(v.Raw, func(r rune) bool { return !inWord(r) }) {
				n.text(word)
			}
		}
	}
}

// shortestName is how many letters a name has at least that is looked for in sentences.
const shortestName = 2

func (n *called) text(text string) {
	if len(text) < shortestName || !strings.ContainsFunc(text, unicode.IsLetter) {
		return // a number is anything's
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !inWord(r) }) {
		n.whole = append(n.whole, text)
		return
	}
	if n.words == nil {
		n.words = map[string]bool{}
	}
	n.words[strings.ToLower(text)] = true
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// sentence is a text of ours or of a shop without addresses, numbers of telephones and
// the names that were read.
func (n *called) sentence(text string) string {
	text = hidden(text)
	if n == nil {
		return text
	}
	for _, w := range n.whole {
		text = strings.ReplaceAll(text, w, masking)
	}
	if len(n.words) == 0 {
		return text
	}
	var out strings.Builder
	for text != "" {
		if i := strings.IndexFunc(text, inWord); i != 0 {
			if i < 0 {
				i = len(text)
			}
			out.WriteString(text[:i])
			text = text[i:]
			continue
		}
		end := strings.IndexFunc(text, func(r rune) bool { return !inWord(r) })
		if end < 0 {
			end = len(text)
		}
		if n.words[strings.ToLower(text[:end])] {
			out.WriteString(masking)
		} else {
			out.WriteString(text[:end])
		}
		text = text[end:]
	}
	return out.String()
}

// Fields of answers, by what stands in them.
var (
	// calling are fields of ours that say who somebody is.
	calling = map[string]bool{"email": true, "phone": true, "user_id": true, "who": true, "raw": true, "address": true, "recipient": true}
	// theirs are fields that hold what a shop sent, in words of its own.
	theirs = map[string]bool{"traits": true, "computed_traits": true, "event": true, "properties": true, "props": true, "context": true}
	// opaque are fields that mean nothing to people, and must come back as they are.
	opaque = map[string]bool{"next": true, "customer": true, "frame": true, "etag": true, "tag": true, "hash": true}
)

// answer is a value of an answer as those may see it who see nobody; key is the field
// in which it stands.
func (n *called) answer(key string, v any) any {
	switch v := v.(type) {
	case string:
		switch {
		case opaque[key]:
			return hidden(v)
		case calling[key] && v != "":
			return masking
		}
		return n.sentence(v)
	case []any:
		for i := range v {
			v[i] = n.answer(key, v[i])
		}
	case map[string]any:
		if theirs[key] {
			return n.sentBy(v, true)
		}
		_, sorted := v["kind"]
		for k, x := range v {
			if text, ok := x.(string); ok && k == "value" && sorted && (key == "identifiers" || key == "joined") && text != "" {
				v[k] = masking
				continue
			}
			v[k] = n.answer(k, x)
		}
	}
	return v
}

// sentBy is an object that a shop sent. A plain name is a person's only at the top:
// a product has one too.
func (n *called) sentBy(v map[string]any, top bool) map[string]any {
	out := make(map[string]any, len(v))
	for k, x := range v {
		switch l := letters(k); {
		case namesSomebody(k), top && l == "name", ids[l] && x != nil:
			out[n.sentence(k)] = masking
		default:
			out[n.sentence(k)] = n.sent(k, x)
		}
	}
	return out
}

// ids are fields of an event by which a shop knows somebody; shops make ids of anything.
var ids = map[string]bool{"userid": true, "anonymousid": true, "messageid": true, "previousid": true}

// sent is a value that a shop sent.
func (n *called) sent(key string, v any) any {
	switch v := v.(type) {
	case string:
		return n.sentence(v)
	case []any:
		for i := range v {
			v[i] = n.sent(key, v[i])
		}
	case map[string]any:
		return n.sentBy(v, theirs[key])
	}
	return v
}

// personal are names of properties that name a person, as letters alone, besides those
// that have the word e-mail, phone or address in them.
var personal = map[string]bool{
	"firstname": true, "lastname": true, "fullname": true, "surname": true, "givenname": true, "familyname": true, "middlename": true, "maidenname": true, "forename": true,
	"nickname": true, "username": true, "displayname": true, "customername": true, "customer": true, "contact": true, "consignee": true, "recipient": true, "salutation": true,
	"street": true, "postcode": true, "postalcode": true, "zip": true, "zipcode": true, "birthday": true, "birthdate": true, "dateofbirth": true, "dob": true,
	"ip": true, "token": true, "mobile": true, "mobilenumber": true, "msisdn": true, "evidence": true, "avatar": true,
}

var (
	namesPerson = regexp.MustCompile(`e?mail|phone|address`)
	isAddress   = regexp.MustCompile(`[^\s"<>()=&?/:;,]+(@|%40)[^\s"<>()=&?/:;,]+`)
	isNumber    = regexp.MustCompile(`\+[0-9][0-9 ().-]{6,}[0-9]`)
)

// namesSomebody reports whether a property of the name says who somebody is.
func namesSomebody(key string) bool {
	k := letters(key)
	return personal[k] || namesPerson.MatchString(k)
}

// withoutPeople returns the properties of an event without what names a person.
func withoutPeople(o event.Object) event.Object {
	var b event.Builder
	for key, v := range o.Each {
		if letters(key) == "name" {
			v = event.Text(masking)
		}
		b.Set(hidden(key), maskedValue(key, v))
	}
	return b.Object()
}

// maskedValue is what a property holds, as those who analyse may see it.
func maskedValue(key string, v event.Value) event.Value {
	if namesSomebody(key) {
		return event.Text(masking)
	}
	switch v.Kind {
	case event.String:
		return event.Text(hidden(v.Raw))
	case event.Map:
		var b event.Builder
		for k, x := range v.Object().Each {
			b.Set(hidden(k), maskedValue(k, x))
		}
		return event.Nested(b.Object())
	case event.List:
		var list []event.Value
		for x := range v.Items {
			list = append(list, maskedValue("", x))
		}
		return event.ListOf(list...)
	}
	return v
}

// hidden is a text without addresses and numbers of telephones.
func hidden(text string) string {
	return isNumber.ReplaceAllString(isAddress.ReplaceAllString(text, masking), masking)
}

// letters are the small letters of a name: firstName, First Name and first_name are one.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// nameless is what a message is worded from for those who see nobody: the customer as
// they are, but for how they are called.
func nameless(s program.Sample) program.Sample {
	if s.Customer != nil {
		p := *s.Customer
		p.Birth.Value, p.Traits, p.Held, p.Objects = masking, slices.Clone(p.Traits), slices.Clone(p.Held), slices.Clone(p.Objects)
		for i := range p.Traits {
			if t := &p.Traits[i]; letters(t.Name) == "name" {
				t.Value = event.Text(masking)
			} else {
				t.Value = maskedValue(t.Name, t.Value)
			}
		}
		for i := range p.Held {
			p.Held[i].Identifier.Value = masking
		}
		for i := range p.Objects {
			p.Objects[i].Props = withoutPeople(p.Objects[i].Props)
		}
		s.Customer = &p
	}
	s.Delivery.Props = withoutPeople(s.Delivery.Props)
	return s
}

// noting is the node, and whom it told of a customer is remembered with the request.
type noting struct{ Node }

func note(ctx context.Context, p *profile.Profile) { callerOf(ctx).called.note(p) }

// Profile implements [Node].
func (n noting) Profile(ctx context.Context, id identity.ID) (*profile.Profile, error) {
	p, err := n.Node.Profile(ctx, id)
	note(ctx, p)
	return p, err
}

// Lookup implements [Node].
func (n noting) Lookup(ctx context.Context, identifier string) (*profile.Profile, error) {
	p, err := n.Node.Lookup(ctx, identifier)
	note(ctx, p)
	return p, err
}

// Sample implements [Node]. Who sees nobody reads a message to nobody.
func (n noting) Sample(ctx context.Context, template, customer string) (program.Sample, error) {
	s, err := n.Node.Sample(ctx, template, customer)
	note(ctx, s.Customer)
	if callerOf(ctx).masked() {
		s = nameless(s)
	}
	return s, err
}

// Rehearse implements [Node]. Who sees nobody reads the messages of nobody.
func (n noting) Rehearse(ctx context.Context, q run.Rehearsal) (run.Rehearsed, error) {
	if callerOf(ctx).masked() {
		p, err := n.Node.Lookup(ctx, q.Customer)
		if err != nil {
			return run.Rehearsed{}, err
		}
		note(ctx, p)
		q.Shown = nameless
	}
	return n.Node.Rehearse(ctx, q)
}

package people

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/sources/table"
	"rapport/internal/store"
)

// customer reads a customer: one identify call, and what a vendor's file tells of
// messages they opened.
func (r *run) customer() error {
	p, err := r.person()
	if err != nil {
		return err
	}
	at, err := r.date(Updated)
	if err != nil {
		return err
	}
	parts := []string{string(r.rec.Raw), at.String()}
	if at == 0 {
		if at = r.o.AsOf; at == 0 {
			// Nobody knows how old the row is: it holds as of now, and another import of
			// it says so anew.
			at, parts = r.o.Now, append(parts, r.o.Import)
		} else {
			parts = append(parts, at.String())
		}
	}
	e := r.make(event.Identify, "", &p, at, parts...)
	var b event.Builder
	b.SetText("email", p.email.Value).SetText("phone", p.phone.Value)
	for i, f := range r.m.Field {
		if err := r.trait(&b, i, f); err != nil {
			return err
		}
	}
	if r.o.List != "" {
		b.Set("lists", merged(b.Object(), r.o.List))
	}
	e.Traits = b.Object()
	r.events = append(r.events, e)
	for _, f := range []struct{ field, name string }{{Opened, event.MessageOpened}, {Clicked, event.MessageClicked}} {
		at, err := r.date(f.field)
		if err != nil {
			return err
		}
		if at != 0 {
			fact := r.make(event.Track, f.name, &p, at, at.String())
			var b event.Builder
			// Who opened it, a person or a machine, the vendor does not tell.
			b.SetText("channel", "email").SetText("actor", "unknown").SetText("provider", string(r.o.From))
			fact.Props = b.Object()
			r.events = append(r.events, fact)
		}
	}
	r.reminders(&p, r.o.Channel, r.o.Purpose)
	return nil
}

// merged adds a list to those that a row names.
func merged(o event.Object, list string) event.Value {
	items := []event.Value{event.Text(list)}
	if v, ok := o.Get("lists"); ok {
		v.Items(func(item event.Value) bool {
			if item.Raw != list {
				items = append(items, item)
			}
			return true
		})
	}
	return event.ListOf(items...)
}

// maxLists bounds the lists of one customer.
const maxLists = 200

// trait sets the trait of one column.
func (r *run) trait(b *event.Builder, i int, field string) error {
	switch field {
	case table.Ignore, Ignored, Customer, Email, Phone, Anonymous, Updated, Opened, Clicked:
		return nil
	case Attributes:
		o, err := r.object(i)
		if err != nil {
			return err
		}
		o.Each(func(key string, v event.Value) bool {
			if key != "email" && key != "phone" && !strings.HasPrefix(key, "$") {
				b.Set(key, v)
			}
			return true
		})
		return nil
	}
	text, err := r.at(i, field)
	if err != nil || text == "" {
		return err
	}
	switch field {
	case Lists:
		items := split(text)
		if len(items) > maxLists {
			return wrong(field, "it names more than "+strconv.Itoa(maxLists)+" lists")
		}
		b.Set("lists", event.ListOf(items...))
	case Created:
		at, err := r.date(Created)
		if err != nil {
			return err
		}
		b.SetText("created_at", at.String())
	case "":
		if key := slug(r.m.Header[i]); key != "" {
			b.Set(key, r.value(i, text))
		}
	default:
		b.SetText(field, text)
	}
	return nil
}

// split cuts a cell with several names in it: "vip, denver", "vip;denver" or, as
// Mailchimp writes tags, "\"vip\",\"denver\"".
func split(text string) (items []event.Value) {
	text = strings.Trim(text, "[]")
	for _, s := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ';' || c == '|' }) {
		if s = strings.Trim(s, " \"'"); s != "" && !slices.Contains(items, event.Text(s)) {
			items = append(items, event.Text(s))
		}
	}
	return items
}

// value writes a cell by what its column seems to hold.
func (r *run) value(i int, text string) event.Value {
	kind := ""
	if i < len(r.types) {
		kind = r.types[i]
	}
	switch kind {
	case "number":
		if isNumber(text) {
			return event.Value{Kind: event.Number, Raw: text}
		}
	case "yes or no":
		if v, ok := isBool(text); ok {
			return event.Yes(v)
		}
	case "date":
		if at, why := r.instant(text); why == "" {
			return event.Text(at.String())
		}
	}
	return event.Text(text)
}

// consent reads a consent: what was said, when, and how that is known.
func (r *run) consent() error {
	p, err := r.person()
	if err != nil {
		return err
	}
	channel, purpose, err := r.subject()
	if err != nil {
		return err
	}
	word, err := r.cell(State)
	if err != nil {
		return err
	}
	if held, err := r.cell(Suppressed); err != nil {
		return err
	} else if who := p.address(channel); who.Value != "" && !reachable[table.Plain(held)] {
		r.hold(who, channel, purpose, reasonOf(held), cmp.Or(r.o.AsOf, r.o.Now)) // as an export of Klaviyo's has it beside the consent
	}
	says := stanceOf(word, r.o.From)
	switch {
	case r.o.From == Mailchimp && r.m.At(State) < 0:
		if says = granted; r.mailchimpLeft() != "" {
			says = withdrawn
		}
	case word == "" && r.o.Granted:
		says = granted
	}
	if says == unknownWord {
		return wrong(State, strconv.Quote(table.Clip(word, 40))+" says neither yes nor no to a consent; granted and withdrawn are understood, and the words of klaviyo, mailchimp, dotdigital and listmonk")
	}
	if says == silent {
		r.reminders(&p, channel, purpose)
		return nil
	}
	at, err := r.date(Date)
	if err == nil && at == 0 {
		at, err = r.date(Began)
	}
	if err != nil {
		return err
	}
	dated := at
	if at == 0 {
		at = r.o.AsOf
	}
	if at == 0 && says == granted {
		return wrong(Date, "a consent needs the date on which it was given; say with --as-of when all those without one were given at the latest")
	}
	if at == 0 {
		at = r.o.Now
	}
	evidence, err := r.cell(Evidence)
	if err != nil {
		return err
	}
	wording, err := r.cell(Wording)
	if err != nil {
		return err
	}
	again, err := r.cell(Explicit)
	if err != nil {
		return err
	}
	explicit, _ := isBool(again)
	explicit = explicit && says == granted && dated != 0 && evidence != ""

	state := map[stance]string{granted: "granted", withdrawn: "withdrawn"}[says]
	e := r.make(event.Track, event.ConsentChanged, &p, at, channel, purpose, state, dated.String(), wording)
	var b event.Builder
	b.SetText("channel", channel).SetText("purpose", purpose).SetText("state", state).SetText("wording", wording)
	b.SetText("evidence", "import "+r.o.Import+", row "+strconv.FormatInt(r.rec.Line, 10)+": "+cmp.Or(evidence, string(r.o.From), r.o.Source))
	if explicit {
		b.Set("explicit", event.Yes(true))
	}
	e.Props = b.Object()
	r.events = append(r.events, e)
	if says == granted {
		r.said.Granted++
		if explicit {
			r.remindersBut(&p, channel, purpose, at)
		} else {
			r.reminders(&p, channel, purpose)
		}
		return nil
	}
	r.said.Withdrawn++
	if who := p.address(channel); who.Value != "" {
		reason := store.Unsubscribed
		if r.o.From != AnyVendor {
			reason = cmp.Or(r.mailchimpLeft(), reasonOf(word))
		}
		r.hold(who, channel, purpose, reason, at)
	}
	return nil
}

// subject returns channel and purpose of the row.
func (r *run) subject() (channel, purpose string, err error) {
	if channel, err = r.cell(Channel); err != nil {
		return "", "", err
	}
	if purpose, err = r.cell(Purpose); err != nil {
		return "", "", err
	}
	channel, purpose = strings.ToLower(cmp.Or(channel, r.o.Channel)), cmp.Or(purpose, r.o.Purpose)
	if len(channel) > 32 || len(purpose) > 64 {
		return "", "", wrong(Channel, "a channel has at most 32 bytes and a purpose 64")
	}
	return channel, purpose, nil
}

// mailchimpLeft says why the people of a file of Mailchimp's must not be written to;
// empty if it is the file of subscribed members. It writes one file for each state.
func (r *run) mailchimpLeft() string {
	if r.o.From != Mailchimp {
		return ""
	}
	for i, h := range r.m.Header {
		switch table.Plain(h) {
		case "unsubtime":
			if text, err := r.cell(Reason); err == nil && reasonOf(text) == store.Complained {
				return store.Complained
			}
			return store.Unsubscribed
		case "cleantime":
			return store.Bounced
		case "status": // of exports that hold all states
			if text, err := r.at(i, State); err == nil && stanceOf(text, AnyVendor) == withdrawn {
				return reasonOf(text)
			}
		}
	}
	return ""
}

// suppression reads who must not be written to.
func (r *run) suppression() error {
	p, err := r.person()
	if err != nil {
		return err
	}
	channel, purpose, err := r.subject()
	if err != nil {
		return err
	}
	if p.address(channel).Value == "" && p.email.Value == "" {
		channel = "sms" // a list of telephone numbers
	}
	who := p.address(channel)
	if who.Value == "" {
		return wrong("", "it has no address on the channel "+channel)
	}
	at, err := r.date(Date)
	if err != nil {
		return err
	}
	at = cmp.Or(at, r.o.AsOf, r.o.Now)
	said := 0
	for _, f := range []string{Reason, State, Suppressed} {
		i := r.m.At(f)
		if i < 0 || f == Reason && r.o.From == Mailchimp {
			continue
		}
		text, err := r.at(i, f)
		if err != nil {
			return err
		}
		said++
		w := table.Plain(text)
		if f == Reason && w == "" {
			r.hold(who, channel, purpose, cmp.Or(r.o.Reason, store.Unsubscribed), at)
		} else if !reachable[w] && (f != State || stances[w] != silent && stances[w] != granted) {
			since := at
			if f == Suppressed { // the date of such a file is the consent's
				since = cmp.Or(r.o.AsOf, r.o.Now)
			}
			r.hold(who, channel, purpose, reasonOf(text), since)
		}
	}
	switch why := r.mailchimpLeft(); {
	case why != "":
		r.hold(who, channel, purpose, why, at)
	case said == 0 && r.o.From != Mailchimp:
		r.hold(who, channel, purpose, cmp.Or(r.o.Reason, store.Unsubscribed), at)
	}
	return nil
}

// hold suppresses an address. What somebody left is left for its purpose; an address
// that does not exist, or whose owner called mail spam, gets nothing at all.
func (r *run) hold(who identity.Identifier, channel, purpose, reason string, at event.Time) {
	if reason != store.Unsubscribed {
		purpose = ""
	}
	s := Suppression{Who: who, Channel: channel, Purpose: purpose, Reason: reason, At: at}
	if !slices.Contains(r.list, s) {
		r.list = append(r.list, s)
	}
}

// reminders asks to tell the log what the ledger knows already of an address that a
// row names: a customer who comes after their suppression hears of it too.
func (r *run) reminders(p *person, channel, purpose string) {
	r.remindersBut(p, channel, purpose, 0)
}

// remindersBut is reminders without what was unsubscribed before the instant.
func (r *run) remindersBut(p *person, channel, purpose string, until event.Time) {
	if who := p.address(channel); who.Value != "" && r.o.Held != nil {
		r.asks, r.until = Suppression{Who: who, Channel: channel, Purpose: purpose}, until
	}
}

// remind adds to a row what is known of its address.
func (r *run) remind(w *row, held Suppression) {
	if held.Reason == "" || held.Reason == store.Unsubscribed && held.At < w.until {
		return
	}
	w.said.Outweighed += min(1, w.said.Granted)
	w.said.Granted = 0
	if e, ok := Reminder(r.o.Import, held); ok {
		w.events = append(w.events, e)
	}
}

// Reminder returns the event that tells a customer's profile of a suppression; false
// if no event does, since only the ledger knows what it means.
func Reminder(id string, s Suppression) (event.Event, bool) {
	e := event.Event{
		Type: event.Track, At: s.At, Raw: s.At, Origin: event.Import, Trust: event.Server, Source: event.ImportSource(id),
		ID: event.ID("import:held:" + s.Reason + ":" + s.Channel + ":" + strconv.FormatInt(int64(s.At), 36)),
	}
	// By an identifier, not by a trait: it is for whoever has the address already.
	var who, context event.Builder
	who.SetText("type", string(s.Who.Kind)).SetText("id", s.Who.Value)
	context.Set("externalIds", event.ListOf(event.Nested(who.Object())))
	e.Context = context.Object()
	b := (&event.Builder{}).Set("reminder", event.Yes(true)).SetText("channel", s.Channel).SetText("evidence", "import "+id).SetText("address", s.Who.Value)
	switch s.Reason {
	case store.Unsubscribed:
		e.Name = event.Unsubscribed
		b.SetText("purpose", s.Purpose)
	case store.Complained:
		e.Name = event.Complained
	default:
		return event.Event{}, false
	}
	e.Props = b.Object()
	return e, true
}

// event reads one event.
func (r *run) event() error {
	p, err := r.person()
	if err != nil {
		return err
	}
	name, err := r.cell(Event)
	if err != nil {
		return err
	}
	switch {
	case name == "":
		return wrong(Event, "the event has no name")
	case event.Control(name), name == event.ImportUndone:
		return wrong(Event, strconv.Quote(name)+" is an event of the product's own")
	}
	at, err := r.date(Date)
	if err != nil {
		return err
	}
	if at == 0 {
		return wrong(Date, "the date is missing")
	}
	id, err := r.cell(MessageID)
	if err != nil {
		return err
	}
	parts := []string{at.String(), string(r.rec.Raw)}
	if id != "" {
		parts = []string{id}
	}
	e := r.make(event.Track, name, &p, at, parts...)
	var b event.Builder
	for i, f := range r.m.Field {
		if f != "" {
			continue
		}
		text, err := r.at(i, f)
		if err != nil {
			return err
		}
		if text != "" {
			b.Set(r.m.Header[i], r.property(i, text))
		}
	}
	if i := r.m.At(Properties); i >= 0 {
		o, err := r.object(i)
		if err != nil {
			return err
		}
		o.Each(func(key string, v event.Value) bool {
			b.Set(key, v)
			return true
		})
	}
	e.Props = b.Object()
	if event.IsOrder(name) {
		if _, err := event.OrderOf(name, e.Props); err != nil {
			return wrong(Properties, "the order cannot be understood: "+err.Error())
		}
	}
	r.events = append(r.events, e)
	return nil
}

func (r *run) property(i int, text string) event.Value {
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		if v, why := parseJSON([]byte(text)); why == "" {
			return v
		}
	}
	return r.value(i, text)
}

// object reads a cell that holds a JSON object.
func (r *run) object(i int) (event.Object, error) {
	b, why := table.Text(r.rec.Fields[i], r.o.Encoding)
	if why != "" {
		return "", wrong(r.m.Field[i], why)
	}
	if len(b) == 0 {
		return "", nil
	}
	v, why := parseJSON(b)
	if why == "" && v.Kind != event.Map {
		why = "it is no JSON object"
	}
	if why != "" {
		return "", wrong(r.m.Field[i], why)
	}
	return v.Object(), nil
}

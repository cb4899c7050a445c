package condition

import "slices"

// Kind describes one kind of question, for whoever shows a form to write it with.
type Kind struct {
	Key     string   // the key that makes a condition of the kind
	Label   string   // what a person calls it
	About   string   // what it asks, in a sentence
	With    []string // keys that may stand beside Key
	Example string   // in YAML
	Group   string   // events, customer, message, time, logic

	German Naming // what a person calls it in German
	Parts  []Part // what it says, the value of Key first
}

// Naming is what a kind of question is called, and what it asks.
type Naming struct {
	Label string `json:"label"`
	About string `json:"about"`
}

// kinds are in the order in which a form shows them. With is that of
// the parser.
var kinds = []Kind{
	{Key: "did", Group: "events", Label: "Did", About: "Asks what the customer did: how often, for how much, in how many visits, first or last, ever or in a stretch of time.", Example: "{did: Product Viewed, where: {category: shoes}, sessions: \">= 3\", within: 14d}"},
	{Key: "did_not", Group: "events", Label: "Did not", About: "Asks what the customer did not do.", Example: "{did_not: Order Completed, within: 14d}"},
	{Key: "sequence", Group: "events", Label: "One after another", About: "Asks for one event after another: done in time, not done in time, or not done so far.", Example: "{sequence: [{did: Product Added}, {did_not: Order Completed, for: 1h}], within: 7d}"},
	{Key: "dwell", Group: "events", Label: "Has been so for", About: "Asks whether a condition has been true for some time without a break.", Example: "{dwell: 3d, when: {segment: vip}}"},
	{Key: "trait", Group: "customer", Label: "Trait", About: "Asks what is known of the customer, or a trait that is computed from events.", Example: "{trait: country, in: [GB, IE]}"},
	{Key: "segment", Group: "customer", Label: "In a segment", About: "Asks whether the customer is in another segment.", Example: "{segment: vip}"},
	{Key: "not_in_segment", Group: "customer", Label: "Not in a segment", About: "Asks whether the customer is not in another segment.", Example: "{not_in_segment: vip}"},
	{Key: "list", Group: "customer", Label: "On a list", About: "Asks whether somebody put the customer on a list by hand.", Example: "{list: press}"},
	{Key: "object", Group: "customer", Label: "Has a thing", About: "Asks for things that belong to the customer: subscriptions, pets, bookings.", Example: "{object: subscription, where: {status: active, renews: {within: in the next 3d}}}"},
	{Key: "prediction", Group: "customer", Label: "Prediction", About: "Asks what a model says of the customer.", Example: "{prediction: p_alive, \">=\": 0.5}"},
	{Key: "score", Group: "customer", Label: "Score", About: "Asks for points that the customer has, less what has faded.", Example: "{score: loyalty, is: \">= 100\"}"},
	{Key: "tier", Group: "customer", Label: "Tier", About: "Asks which tier of a score the customer is in.", Example: "{tier: loyalty, is: gold}"},
	{Key: "affinity", Group: "customer", Label: "Taste", About: "Asks what the customer likes best of a kind.", Example: "{affinity: {by: category, of: lamps, is: \">= 0.3\"}}"},
	{Key: "rfm", Group: "customer", Label: "Kind by RFM", About: "Asks how lately, how often and for how much the customer buys, beside the shop's other customers.", Example: "{rfm: [champion, loyal]}"},
	{Key: "lifecycle", Group: "customer", Label: "Stage of life", About: "Asks at which stage of life with the shop the customer is.", Example: "{lifecycle: loyal}"},
	{Key: "context", Group: "customer", Label: "Device, language, zone", About: "Asks for the last device class, language or time zone.", Example: "{context: device.type, is: mobile}"},
	{Key: "near", Group: "customer", Label: "Near", About: "Asks how far the customer last was from a store or a point.", Example: "{near: {store: any, within: 2km}}"},
	{Key: "fence", Group: "customer", Label: "In a fence", About: "Asks whether the customer is, or was seen, inside an area on the map.", Example: "{fence: city-centre, entered: 2h}"},
	{Key: "store", Group: "customer", Label: "In a store", About: "Asks whether the customer was in a store.", Example: "{store: soho, within: 30d}"},
	{Key: "city", Group: "customer", Label: "City", About: "Asks in which city the customer last was.", Example: "{city: Leeds}"},
	{Key: "region", Group: "customer", Label: "Region", About: "Asks in which region the customer last was.", Example: "{region: Yorkshire}"},
	{Key: "country", Group: "customer", Label: "Country", About: "Asks in which country the customer last was.", Example: "{country: GB}"},
	{Key: "random", Group: "customer", Label: "Random share", About: "Picks a share of all customers, always the same ones.", Example: "{random: {name: pilot, share: 10%}}"},
	{Key: "message", Group: "message", Label: "Message", About: "Asks what became of messages. What a machine opened or clicked does not count.", Example: "{message: clicked, campaign: spring-sale, within: 30d}"},
	{Key: "consent", Group: "message", Label: "Consent", About: "Asks whether the customer agreed to a purpose on a channel.", Example: "{consent: marketing, channel: email}"},
	{Key: "reachable", Group: "message", Label: "Reachable", About: "Asks whether there is an address that takes messages.", Example: "{reachable: email}"},
	{Key: "local_time", Group: "time", Label: "Time of day", About: "Asks what the clock on the customer's wall shows.", Example: "{local_time: {from: \"09:00\", to: \"18:00\"}}"},
	{Key: "weekday", Group: "time", Label: "Day of the week", About: "Asks which day it is where the customer is.", Example: "{weekday: [sat, sun]}"},
	{Key: "property", Group: "events", Label: "Of the trigger", About: "Asks for a property of the event that began a journey.", Example: "{property: total, \">=\": 50}"},
	{Key: "all", Group: "logic", Label: "All of", About: "Is so if every one is.", Example: "{all: [{segment: vip}, {reachable: email}]}"},
	{Key: "any", Group: "logic", Label: "Any of", About: "Is so if at least one is.", Example: "{any: [{segment: vip}, {list: press}]}"},
	{Key: "not", Group: "logic", Label: "Not", About: "Is so if the other is not.", Example: "{not: {segment: vip}}"},
	{Key: "at_least", Group: "logic", Label: "At least so many of", About: "Is so if so many are.", Example: "{at_least: 2, of: [{segment: vip}, {list: press}, {reachable: email}]}"},
}

// Kinds describes every kind of question.
func Kinds() []Kind {
	list := slices.Clone(kinds)
	for _, h := range heads {
		i := slices.IndexFunc(list, func(k Kind) bool { return k.Key == h.key })
		if i < 0 {
			// A kind that nobody described yet is shown all the same.
			list = append(list, Kind{Key: h.key, Label: h.key, Group: "customer"})
			i = len(list) - 1
		}
		list[i].With = slices.Clone(h.with)
		list[i].German = germanKinds[h.key]
		if parts := partsOf[h.key]; parts != nil {
			list[i].Parts = parts()
		}
	}
	return list
}

// germanKinds are the labels of the kinds in German.
var germanKinds = map[string]Naming{
	"did":            {"Hat getan", "Fragt, was der Kunde getan hat: wie oft, für wie viel, in wie vielen Besuchen, zuerst oder zuletzt, je oder in einer Zeitspanne."},
	"did_not":        {"Hat nicht getan", "Fragt, was der Kunde nicht getan hat."},
	"sequence":       {"Nacheinander", "Fragt nach einem Ereignis nach dem anderen: rechtzeitig getan, nicht rechtzeitig getan, oder bisher nicht getan."},
	"dwell":          {"Ist so seit", "Fragt, ob eine Bedingung seit einiger Zeit ohne Unterbrechung gilt."},
	"trait":          {"Merkmal", "Fragt, was vom Kunden bekannt ist, oder ein aus Ereignissen berechnetes Merkmal."},
	"segment":        {"In einem Segment", "Fragt, ob der Kunde in einem anderen Segment ist."},
	"not_in_segment": {"Nicht in einem Segment", "Fragt, ob der Kunde nicht in einem anderen Segment ist."},
	"list":           {"Auf einer Liste", "Fragt, ob jemand den Kunden von Hand auf eine Liste gesetzt hat."},
	"object":         {"Besitzt etwas", "Fragt nach Dingen, die dem Kunden gehören: Abos, Haustiere, Buchungen."},
	"prediction":     {"Vorhersage", "Fragt, was ein Modell vom Kunden sagt."},
	"score":          {"Punktestand", "Fragt nach den Punkten des Kunden, abzüglich dessen, was verblasst ist."},
	"tier":           {"Stufe", "Fragt, in welcher Stufe eines Punktestands der Kunde ist."},
	"affinity":       {"Geschmack", "Fragt, was der Kunde am liebsten mag."},
	"rfm":            {"Art nach RFM", "Fragt, wie kürzlich, wie oft und für wie viel der Kunde kauft, neben den anderen Kunden des Ladens."},
	"lifecycle":      {"Lebensphase", "Fragt, in welcher Phase seines Lebens mit dem Laden der Kunde ist."},
	"context":        {"Gerät, Sprache, Zeitzone", "Fragt nach Geräteklasse, Sprache oder Zeitzone von zuletzt."},
	"near":           {"In der Nähe", "Fragt, wie weit der Kunde zuletzt von einem Laden oder Punkt entfernt war."},
	"fence":          {"In einem Zaun", "Fragt, ob der Kunde in einem Gebiet auf der Karte ist oder gesehen wurde."},
	"store":          {"In einem Laden", "Fragt, ob der Kunde in einem Laden war."},
	"city":           {"Stadt", "Fragt, in welcher Stadt der Kunde zuletzt war."},
	"region":         {"Region", "Fragt, in welcher Region der Kunde zuletzt war."},
	"country":        {"Land", "Fragt, in welchem Land der Kunde zuletzt war."},
	"random":         {"Zufälliger Anteil", "Wählt einen Anteil aller Kunden, immer dieselben."},
	"message":        {"Nachricht", "Fragt, was aus Nachrichten wurde. Was eine Maschine öffnete oder klickte, zählt nicht."},
	"consent":        {"Einwilligung", "Fragt, ob der Kunde einem Zweck auf einem Kanal zugestimmt hat."},
	"reachable":      {"Erreichbar", "Fragt, ob es eine Adresse gibt, die Nachrichten annimmt."},
	"local_time":     {"Uhrzeit", "Fragt, was die Uhr an der Wand des Kunden zeigt."},
	"weekday":        {"Wochentag", "Fragt, welcher Tag beim Kunden ist."},
	"property":       {"Vom Auslöser", "Fragt nach einer Eigenschaft des Ereignisses, das eine Journey begann."},
	"all":            {"Alles von", "Gilt, wenn jedes gilt."},
	"any":            {"Eins von", "Gilt, wenn mindestens eins gilt."},
	"not":            {"Nicht", "Gilt, wenn das andere nicht gilt."},
	"at_least":       {"Mindestens so viele von", "Gilt, wenn so viele gelten."},
}
